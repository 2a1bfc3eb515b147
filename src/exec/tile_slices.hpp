// The slices that a loop in tiles reads or writes step by step: of one tile of elements, each contiguous.
//
// Where neighbouring elements of a slice are neighbours in memory, a slice is a place in the whole array. Else a few steps
// at a time are turned into a panel, whose slices are contiguous, and back.
#pragma once

#include <memory>

#include "array/array.hpp"
#include "base/aligned.hpp"
#include "ops/kernels/turn.hpp"

namespace vmaprun {

class TileSlices {
  public:
    enum class Use { read, write };
    // `whole`: lanes, then the axis of steps at `time_axis`, then the sample of a slice. Elements of a slice are numbered
    // in row-major order.
    TileSlices(View whole, std::size_t time_axis, std::int64_t tile, Use use);

    void start(std::int64_t first, std::int64_t count); // the range of elements; count <= tile
    std::byte* at(std::int64_t t);                      // steps are asked for in order, up or down
    void ask_for(std::int64_t t) const;                 // where it is to be soon: its cache lines come while other work is done
    void finish();                                      // what was written is in `whole`

  private:
    void move_chunk(Use direction);

    View slice_;                  // of step 0
    std::int64_t steps_, time_stride_, tile_;
    std::int64_t width_;
    Use use_;
    bool is_direct_;
    TurnFunction turn_ = nullptr; // where steps are neighbours; null: elements of other widths
    std::int64_t first_ = 0, count_ = 0, chunk_ = -1;
    AlignedBytes panel_;
};

} // namespace vmaprun
