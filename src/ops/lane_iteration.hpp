// How kernels that work on one sample at a time walk their lanes: each lane of a KernelCall in row-major order, with the
// address at which every operand and result begins for that lane. What happens inside a lane is the kernel's own.
//
//     for_each_lane(call, grain, [&](std::int64_t lane, std::byte* const* at) {
//         const float* x = lane_data<float>(at, 0);                       // operand 0
//         float* out = lane_data<float>(at, call.operands.size());        // result 0: results follow the operands
//         ... sample_shape(call, 0), sample_strides(call, 0) describe x inside the lane (strides count elements) ...
//     });
//
// LaneIteration can take further axes, inside of the lanes, for kernels whose sample is itself made of independent rows:
// position p of the walk then lies in lane p / rows. Neighbouring axes that all views step through evenly are joined, so
// that a walk over contiguous lanes is a single loop. Nothing is allocated per lane.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "ir/op.hpp"

namespace vmaprun {

// Runs f(begin, end) over [0, count) in parts, on several threads where there are any. Part boundaries never influence
// results: they only cut whole lanes (or rows).
template <class F> void run_in_parts(Parallel* parallel, std::int64_t count, std::int64_t grain, F&& f) {
    if (count <= 0) return;
    if (parallel == nullptr || count <= grain) {
        f(std::int64_t{0}, count);
        return;
    }
    using Body = std::remove_reference_t<F>;
    parallel->run(count, std::max<std::int64_t>(grain, 1),
                  [](void* context, std::int64_t begin, std::int64_t end) { (*static_cast<Body*>(context))(begin, end); },
                  const_cast<void*>(static_cast<const void*>(&f)));
}

// The part of a view's shape and strides that belongs to one sample.
inline std::span<const std::int64_t> sample_part(const KernelCall& call, const Shape& all) {
    return std::span<const std::int64_t>(all).subspan(call.lanes.size());
}
inline std::span<const std::int64_t> sample_shape(const KernelCall& call, std::size_t operand) { return sample_part(call, call.operands[operand].shape); }
inline std::span<const std::int64_t> sample_strides(const KernelCall& call, std::size_t operand) { return sample_part(call, call.operands[operand].strides); }
inline std::span<const std::int64_t> result_shape(const KernelCall& call, std::size_t result) { return sample_part(call, call.results[result].shape); }
inline std::span<const std::int64_t> result_strides(const KernelCall& call, std::size_t result) { return sample_part(call, call.results[result].strides); }

template <class T> T* lane_data(std::byte* const* at, std::size_t which) { return reinterpret_cast<T*>(at[which]); }

class LaneIteration {
  public:
    // Walks the lanes of the call. Views are counted operands first, then results.
    explicit LaneIteration(const KernelCall& call) : views_(call.operands.size() + call.results.size()) {
        for (std::size_t axis = 0; axis < call.lanes.size(); ++axis) {
            std::vector<std::int64_t> steps;
            for (const View& view : call.operands) steps.push_back(view.strides[axis] * bytes(view));
            for (const View& view : call.results) steps.push_back(view.strides[axis] * bytes(view));
            append_axis(call.lanes[axis], steps);
        }
        for (const View& view : call.operands) start_.push_back(view.data);
        for (const View& view : call.results) start_.push_back(view.data);
    }

    // A further axis, inside of all axes so far; strides of each view along it, in elements (0: it stays).
    void add_axis(const KernelCall& call, std::int64_t extent, std::span<const std::int64_t> element_strides) {
        std::vector<std::int64_t> steps(element_strides.begin(), element_strides.end());
        for (std::size_t view = 0; view < views_; ++view) steps[view] *= bytes(view_of(call, view));
        append_axis(extent, steps);
        rows_ *= extent;
    }

    // Positions of the walk: lanes times rows.
    std::int64_t count() const { return count_; }
    // Positions in one lane: the product of the added extents.
    std::int64_t rows() const { return rows_; }

    // f(position, at) for every position in [begin, end), in order; at[v] is where view v begins there.
    template <class F> void range(std::int64_t begin, std::int64_t end, F&& f) const {
        if (begin >= end) return;
        std::vector<std::byte*> at = start_;
        std::vector<std::int64_t> index(extents_.size(), 0);
        std::int64_t rest = begin;
        for (std::size_t axis = extents_.size(); axis-- > 0;) {
            index[axis] = rest % extents_[axis];
            rest /= extents_[axis];
            for (std::size_t view = 0; view < views_; ++view) at[view] += index[axis] * step(axis, view);
        }
        for (std::int64_t position = begin;;) {
            f(position, static_cast<std::byte* const*>(at.data()));
            if (++position == end) return;
            advance(index, at);
        }
    }

    // The same over all positions, in parts of at least `grain` on the threads of the call.
    template <class F> void run(const KernelCall& call, std::int64_t grain, F&& f) const {
        run_in_parts(call.parallel, count_, grain, [&](std::int64_t begin, std::int64_t end) { range(begin, end, f); });
    }

  private:
    static const View& view_of(const KernelCall& call, std::size_t view) {
        return view < call.operands.size() ? call.operands[view] : call.results[view - call.operands.size()];
    }
    static std::int64_t bytes(const View& view) { return static_cast<std::int64_t>(size_of(view.dtype)); }
    std::int64_t step(std::size_t axis, std::size_t view) const { return steps_[axis * views_ + view]; }

    void append_axis(std::int64_t extent, std::span<const std::int64_t> steps) {
        count_ *= extent;
        if (extent == 1) return;
        bool joins = !extents_.empty() && extent > 0;
        for (std::size_t view = 0; joins && view < views_; ++view) joins = step(extents_.size() - 1, view) == steps[view] * extent;
        if (joins) {
            extents_.back() *= extent;
            std::ranges::copy(steps, steps_.end() - static_cast<std::ptrdiff_t>(views_));
        } else {
            extents_.push_back(extent);
            steps_.insert(steps_.end(), steps.begin(), steps.end());
        }
    }

    void advance(std::vector<std::int64_t>& index, std::vector<std::byte*>& at) const {
        for (std::size_t axis = extents_.size(); axis-- > 0;) {
            if (++index[axis] < extents_[axis]) {
                for (std::size_t view = 0; view < views_; ++view) at[view] += step(axis, view);
                return;
            }
            for (std::size_t view = 0; view < views_; ++view) at[view] -= (extents_[axis] - 1) * step(axis, view);
            index[axis] = 0;
        }
    }

    std::size_t views_;
    std::int64_t count_ = 1;
    std::int64_t rows_ = 1;
    std::vector<std::int64_t> extents_;
    std::vector<std::int64_t> steps_; // bytes; [axis][view]
    std::vector<std::byte*> start_;
};

// f(lane, at) for every lane of the call.
template <class F> void for_each_lane(const KernelCall& call, std::int64_t grain, F&& f) {
    LaneIteration(call).run(call, grain, f);
}

// Lanes a part that make about `wanted` elements of work, when one lane is `elements` of it.
inline std::int64_t grain_for(std::int64_t elements, std::int64_t wanted = 16384) {
    return std::max<std::int64_t>(1, wanted / std::max<std::int64_t>(elements, 1));
}

} // namespace vmaprun
