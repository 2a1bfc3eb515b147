// What the selection files share: rows by file, checks of constant positions, and the walk over what an index leaves whole.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "ir/builder.hpp"
#include "ir/op.hpp"

namespace vmaprun {

// "index 7 is out of range for axis 0 of size 5": of constants (E306) and of computed positions (E601).
std::string out_of_range_text(std::int64_t position, std::int64_t axis, Dim size);
// E306 (no place) when a constant position can't lie in an axis of that size, for any choice of symbols.
void check_position(Dim position, std::int64_t axis, Dim size);
// The same for every element of a constant array of integers; anything computed is checked when it runs.
void check_positions(Builder& builder, Value positions, std::int64_t axis, Dim size);
// A position of 0..size-1, or -1 when it is outside; negatives count from the end.
inline std::int64_t normal_position(std::int64_t position, std::int64_t size) {
    if (position < 0) position += size;
    return position >= 0 && position < size ? position : -1;
}

// How an update meets what is there: "set", "add", "multiply", "min", "max". E302 when the dtype has no such operation.
void check_update_mode(const std::string& mode, DType dtype);

// Some axes of two views, walked together in row-major order: run(from offset, to offset, count, from step, to step) for
// each innermost run. Offsets count elements. Axes of extent 1 are dropped and even neighbours joined.
class Subspace {
  public:
    void add_axis(std::int64_t extent, std::int64_t from, std::int64_t to) {
        if (extent == 1) return;
        if (!axes_.empty() && axes_.back().from == from * extent && axes_.back().to == to * extent) {
            axes_.back() = {axes_.back().extent * extent, from, to};
        } else {
            axes_.push_back({extent, from, to});
        }
    }
    std::int64_t size() const {
        std::int64_t count = 1;
        for (const Axis& axis : axes_) count *= axis.extent;
        return count;
    }
    template <class Run> void walk(const Run& run) const {
        if (axes_.empty()) run(0, 0, 1, 0, 0);
        else walk_axis(0, 0, 0, run);
    }

  private:
    struct Axis {
        std::int64_t extent, from, to;
    };
    template <class Run> void walk_axis(std::size_t depth, std::int64_t from, std::int64_t to, const Run& run) const {
        const Axis& axis = axes_[depth];
        if (depth + 1 == axes_.size()) return run(from, to, axis.extent, axis.from, axis.to);
        for (std::int64_t i = 0; i < axis.extent; ++i) walk_axis(depth + 1, from + i * axis.from, to + i * axis.to, run);
    }
    std::vector<Axis> axes_;
};

// The derivatives of reads and updates at positions (selection_derivative.cpp).
std::vector<Value> transpose_gather(const Primal& at, std::span<const Value> cotangents, const std::vector<bool>& wanted);
std::vector<Value> jvp_update(const Primal& at, std::span<const Value> tangents); // index_update and slice_update, in every mode
std::vector<Value> vjp_update(const Primal& at, std::span<const Value> cotangents, const std::vector<bool>& wanted);

// The rows, by file.
std::span<const Op> selection_index_rows();
std::span<const Op> selection_window_rows();
std::span<const Op> selection_search_rows();

} // namespace vmaprun
