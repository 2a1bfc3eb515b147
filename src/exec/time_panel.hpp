// The slices that a scan takes from, or stacks to, an array step by step.
//
// Where steps lie next to each other in memory and lanes far apart, a slice of all lanes touches a cache line for every
// element. Then a few steps at a time are turned into a panel, whose slices are contiguous, and back.
#pragma once

#include "array/array.hpp"

namespace vmaprun {

class TimePanel {
  public:
    enum class Use { read, write };
    // `whole`: lanes, then the axis of steps, then the sample of a slice. Empty: nothing is done.
    TimePanel(Array whole, std::size_t lane_rank, Use use);

    explicit operator bool() const { return static_cast<bool>(whole_); }
    const Array& whole() const { return whole_; }
    // The slice of step t, to be read or written; steps are asked for in order, up or down.
    const View& at(std::int64_t t);
    Array slice(std::int64_t t) { return at(t), (panel_ ? panel_ : whole_).with_view(slice_); }
    void flush(); // after the last step: what was written is in `whole`

  private:
    bool is_worth_it() const;
    void renew();
    Array part(std::int64_t first, std::int64_t count) const;
    void enter(std::int64_t chunk);

    View slice_; // the one that was asked for last
    Array whole_, panel_; // the panel: axes as in `whole`, but stored with the steps outermost; empty: not used
    std::size_t lane_rank_;
    Use use_;
    std::int64_t chunk_ = -1; // the one that is in the panel
};

} // namespace vmaprun
