// Reductions over a mapped axis that follow on it: mean(vmap(loss)(x)), the gradient by weights that all samples share.
//
// Outside of the vmap such a reduction reads the arrays of all lanes. But its elements are reduced chunk by chunk in any
// case (Chunked, ir/op.hpp), so it can take them as a group of lanes has made them, while they are near; the arrays of
// all lanes are never there. The results of the chunks are added in their order, whoever makes them: no bit depends on it.
//
// In a plan the nodes of such reductions, and the views that lead to them, are a segment of their own behind that of the
// lanes: it is run where the lanes are not run group by group.
#pragma once

#include <map>
#include <mutex>
#include <vector>

#include "exec/evaluate.hpp"
#include "exec/liveness.hpp"

namespace vmaprun {

// Finds them, and cuts the plan so.
std::vector<Segment> with_lane_folds(const GraphPlan& plan, std::vector<Segment> segments);

// The lanes of a group: a whole number of chunks of every fold, about as many as one block has, or more.
std::int64_t lanes_a_group(const Segment& segment, std::int64_t block);

// The values of the segment that the folds alone read.
bool is_folded(const Segment& segment, std::uint32_t value);

// The folds of one run of a segment.
class LaneFolding {
  public:
    LaneFolding(const Work& work, const Segment& segment, std::int64_t lanes, std::int64_t group);
    // The lanes from `first` on, a group of them or the last ones: `made` has what the segment made of them. From any thread, groups
    // in any order.
    void add(std::int64_t first, std::int64_t extent, const Slots& made);
    // Sets the results, when all lanes are there.
    void finish() const;

  private:
    using Parts = std::vector<Array>; // the results of the chunks of one fold, [chunks, result]; the last chunk may be a short one
    Parts parts_of(const LaneFold& fold, std::int64_t first, std::int64_t extent, const Slots& made) const;
    Array chunks_of(const LaneFold& fold, std::span<const Array> operands, std::int64_t begin, std::int64_t chunks, std::int64_t length) const;
    Array slice_of(const LaneFold::Operand& operand, std::int64_t first, std::int64_t extent, const Slots& made) const;

    // The sum of the parts so far: one, or as a binary counter has them.
    class Total {
      public:
        void add(const Array& parts, bool in_pairs);
        Array finish();

      private:
        void push(const View& part, bool in_pairs);
        std::vector<Array> levels_;
        std::int64_t taken_ = 0;
    };

    const Work& work_;
    const Segment& segment_;
    std::int64_t lanes_, group_;
    std::mutex mutex_;
    std::int64_t next_ = 0;                              // the group whose turn it is
    std::map<std::int64_t, std::vector<Parts>> waiting_; // groups that came before their turn
    mutable std::vector<Total> totals_;                  // one a fold
};

} // namespace vmaprun
