// Some positions of the lanes of a frame, packed to one axis: the lanes that took a branch, or are still in a loop.
#pragma once

#include <span>
#include <vector>

#include "exec/frame.hpp"

namespace vmaprun {

class Packing {
  public:
    // `positions`: ascending, row-major over the groups with these leaders in `outer`, which must outlive this.
    Packing(const Frame& outer, Lanes leaders, std::vector<std::int64_t> positions);

    const Frame& inner() const { return inner_; }
    Frame& inner() { return inner_; }
    std::int64_t count() const { return static_cast<std::int64_t>(positions_.size()); }
    const std::vector<std::int64_t>& positions() const { return positions_; }

    // A value of the outer frame as one of the inner frame; itself when it varies over none of the packed lanes.
    Array gather(const Array& array, const Lanes& lanes) const;
    // Writes a value of the inner frame to its place in a value of the outer frame that varies over all packed lanes.
    void scatter(const Array& array, const Lanes& lanes, const View& to, const Lanes& to_lanes) const;

  private:
    std::vector<std::int64_t> offsets(const View& view, const Lanes& leaders) const;

    const Frame* outer_;
    Lanes leaders_;
    std::vector<std::int64_t> positions_;
    std::vector<std::vector<std::int64_t>> coordinates_; // for each leader, its position at each packed position
    Frame inner_;
    LaneId inner_leader_ = 0;
};

// Copies, for each i, the slice at from_at[i] to the slice at to_at[i] (elements from the views' data).
void copy_slices(const View& from, std::span<const std::int64_t> from_at, const View& to, std::span<const std::int64_t> to_at);

} // namespace vmaprun
