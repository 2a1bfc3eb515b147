// Reading and writing at positions: index_gather, index_update, slice_update. They are what x[...] and x.at[...] become.
//
// Order: updates of one position are applied in row-major order of the updates, one after the other, in every schedule;
// a lane's updates are never cut. Positions out of range: fault E601 of the lane, its first one in row-major order of the
// index arrays; under --index clamp reads take the nearest position and writes are dropped.
#include <algorithm>
#include <array>
#include <cmath>

#include "ops/independence.hpp"
#include "ops/lane_iteration.hpp"
#include "ops/movement.hpp"
#include "ops/selection.hpp"

namespace vmaprun {
namespace {

const Dims& dims_of(const Attributes& attributes, std::size_t i) { return std::get<Dims>(attributes[i]); }

// The shape of x[indices]: the axes of x that no index replaces, with the index shape put at `position` among them.
Dims indexed_shape(const Dims& x, const Dims& index, const Dims& axes, std::int64_t position) {
    Dims shape;
    for (std::size_t axis = 0; axis < x.size(); ++axis) {
        if (std::ranges::find(axes, Dim(static_cast<std::int64_t>(axis))) == axes.end()) shape.push_back(x[axis]);
    }
    shape.insert(shape.begin() + position, index.begin(), index.end());
    return shape;
}

std::vector<TensorType> gather_type(std::span<const TensorType> operands, const Attributes& attributes) {
    const Dims shape = indexed_shape(operands[0].shape, operands[1].shape, dims_of(attributes, 0), std::get<std::int64_t>(attributes[1]));
    check_shape(shape);
    return {{operands[0].dtype, shape}};
}

// An axis of the index arrays, or one of x that no index replaces. `axis` counts in x[indices].
struct IndexedAxis {
    bool is_index = false;
    std::int64_t axis = 0;              // of the index arrays, or of x
    Dims axes;                          // the attributes of a slice
    std::int64_t position = 0;
};
IndexedAxis indexed_axis(std::size_t index_rank, const Attributes& attributes, std::size_t axis) {
    const std::int64_t position = std::get<std::int64_t>(attributes[1]), at = static_cast<std::int64_t>(axis), indices = static_cast<std::int64_t>(index_rank);
    if (at >= position && at < position + indices) return {true, at - position, dims_of(attributes, 0), position};
    const std::int64_t among_left = at < position ? at : at - indices;
    Dims sorted = dims_of(attributes, 0);
    std::ranges::sort(sorted, {}, [](const Dim& each) { return each.value(); });
    std::int64_t in_x = among_left;
    for (const Dim& replaced : sorted) in_x += replaced.value() <= in_x ? 1 : 0;
    return {false, in_x, axes_without(dims_of(attributes, 0), in_x), at < position ? position - 1 : position};
}

std::optional<AlongAxis> gather_along(std::span<const TensorType> operands, const Attributes& attributes, std::size_t axis) {
    const IndexedAxis found = indexed_axis(operands[1].rank(), attributes, axis);
    if (found.is_index && found.axis != 0) return std::nullopt; // faults are told in row-major order of the indices
    AlongAxis along{std::vector(operands.size(), found.is_index ? found.axis : AlongAxis::whole), {found.axes, found.position, attributes[2]}};
    along.operands[0] = found.is_index ? AlongAxis::whole : found.axis;
    return along;
}

// Updates of one slice of x come from one slice of the updates where no index replaces the axis.
std::optional<AlongAxis> update_along(std::span<const TensorType> operands, const Attributes& attributes, std::size_t axis) {
    for (std::size_t at = 0; at < operands[1].rank(); ++at) {
        const IndexedAxis found = indexed_axis(operands[2].rank(), attributes, at);
        if (found.is_index || found.axis != static_cast<std::int64_t>(axis)) continue;
        AlongAxis along{std::vector(operands.size(), AlongAxis::whole), {found.axes, found.position, attributes[2]}};
        along.operands[0] = found.axis;
        along.operands[1] = static_cast<std::int64_t>(at);
        return along;
    }
    return std::nullopt;
}

// An axis that is updated whole.
std::optional<AlongAxis> slice_update_along(std::span<const TensorType> operands, const Attributes& attributes, std::size_t axis) {
    const Dims &starts = dims_of(attributes, 0), &lengths = dims_of(attributes, 1), &steps = dims_of(attributes, 2);
    if (starts[axis] != Dim(0) || steps[axis] != Dim(1) || lengths[axis] != operands[0].shape[axis]) return std::nullopt;
    const std::int64_t at = static_cast<std::int64_t>(axis);
    return AlongAxis{{at, at}, {without_position(starts, axis), without_position(lengths, axis), without_position(steps, axis), attributes[3]}};
}

std::vector<TensorType> update_type(std::span<const TensorType> operands, const Attributes& attributes) {
    check_update_mode(std::get<std::string>(attributes[2]), operands[0].dtype);
    const Dims wanted = indexed_shape(operands[0].shape, operands[2].shape, dims_of(attributes, 0), std::get<std::int64_t>(attributes[1]));
    bool fits = wanted.size() == operands[1].rank();
    for (std::size_t i = 0; fits && i < wanted.size(); ++i) fits = can_agree(wanted[i], operands[1].shape[i]);
    if (!fits) throw UserError(error("E301", "the updates are " + shape_words(operands[1].shape) + ", and the indexed part is " + shape_words(wanted)));
    return {{operands[0].dtype, operands[0].shape}};
}

// The walk over all index positions of all lanes, and where each of them points into the indexed tensor.
class Positions {
  public:
    // The index arrays are operands first_index and up. `other` is the view laid out like x[indices] (a result or an
    // operand), `indexed` the one laid out like x; both counted operands first, then results.
    Positions(const KernelCall& call, std::size_t first_index, std::size_t indexed, std::size_t other)
        : call_(call), walk_(call), first_(first_index) {
        const auto strides = [&](std::size_t view) { return view < call.operands.size() ? sample_strides(call, view) : result_strides(call, view - call.operands.size()); };
        const auto shape = view_shape(indexed);
        const std::vector<std::int64_t> axes = call.node->integers(0);
        const auto position = static_cast<std::size_t>(call.node->integer(1));
        const auto index_shape = sample_shape(call, first_index);
        for (const std::int64_t axis : axes) axes_.push_back({axis, shape[static_cast<std::size_t>(axis)], strides(indexed)[static_cast<std::size_t>(axis)]});
        for (std::size_t axis = 0; axis < index_shape.size(); ++axis) {
            std::vector<std::int64_t> steps(call.operands.size() + call.results.size(), 0);
            for (std::size_t i = first_index; i < call.operands.size(); ++i) steps[i] = sample_strides(call, i)[axis];
            steps[other] = strides(other)[position + axis];
            walk_.add_axis(call, index_shape[axis], steps);
        }
        std::size_t at = 0; // the axis of `other` that a whole axis of `indexed` lies along
        for (std::size_t axis = 0; axis < shape.size(); ++axis) {
            if (std::ranges::find(axes, static_cast<std::int64_t>(axis)) != axes.end()) continue;
            if (at == position) at += index_shape.size();
            whole_.add_axis(shape[axis], strides(indexed)[axis], strides(other)[at++]);
        }
    }

    const LaneIteration& walk() const { return walk_; }
    const Subspace& whole() const { return whole_; } // from: the indexed tensor; to: the other

    // Where the position of the index arrays points to, in elements; false when it is out of range.
    bool offset(std::byte* const* at, std::int64_t& elements) const {
        elements = 0;
        for (std::size_t i = 0; i < axes_.size(); ++i) {
            const std::int64_t position = normal_position(*lane_data<std::int64_t>(at, first_ + i), axes_[i].size);
            if (position < 0) return false;
            elements += position * axes_[i].stride;
        }
        return true;
    }

    // The nearest position in range; false where an axis is empty.
    bool clamped_offset(std::byte* const* at, std::int64_t& elements) const {
        elements = 0;
        for (std::size_t i = 0; i < axes_.size(); ++i) {
            if (axes_[i].size == 0) return false;
            std::int64_t position = *lane_data<std::int64_t>(at, first_ + i);
            if (position < 0) position += axes_[i].size;
            elements += std::clamp<std::int64_t>(position, 0, axes_[i].size - 1) * axes_[i].stride;
        }
        return true;
    }

    // Reports the lane's first position out of range, wherever in the lane the caller met one: the same in every schedule.
    void report(std::int64_t lane) const {
        bool done = false;
        walk_.range(lane * walk_.rows(), (lane + 1) * walk_.rows(), [&](std::int64_t, std::byte* const* at) {
            for (std::size_t i = 0; i < axes_.size() && !done; ++i) {
                const std::int64_t position = *lane_data<std::int64_t>(at, first_ + i);
                if (normal_position(position, axes_[i].size) >= 0) continue;
                call_.faults->report(lane, "E601", out_of_range_text(position, axes_[i].axis, axes_[i].size));
                done = true;
            }
        });
    }

  private:
    struct IndexedAxis {
        std::int64_t axis, size, stride;
    };
    std::span<const std::int64_t> view_shape(std::size_t view) const {
        return view < call_.operands.size() ? sample_shape(call_, view) : result_shape(call_, view - call_.operands.size());
    }
    const KernelCall& call_;
    LaneIteration walk_;
    std::size_t first_;
    std::vector<IndexedAxis> axes_;
    Subspace whole_;
};

// ---- index_gather

template <class T> void gather_kernel_of(const KernelCall& call) {
    const std::size_t result = call.operands.size();
    const Positions positions(call, 1, 0, result);
    const LaneIteration& walk = positions.walk();
    const bool clamp = call.clamp_indices || call.node->boolean(2);
    run_in_parts(call.parallel, walk.count(), grain_for(positions.whole().size()), [&](std::int64_t begin, std::int64_t end) {
        std::int64_t reported = -1;
        walk.range(begin, end, [&](std::int64_t row, std::byte* const* at) {
            T* to = lane_data<T>(at, result);
            const T* from = lane_data<T>(at, 0);
            std::int64_t offset = 0;
            bool good = positions.offset(at, offset);
            if (!good && clamp) good = positions.clamped_offset(at, offset);
            if (!good && reported != row / walk.rows()) {
                reported = row / walk.rows();
                positions.report(reported);
            }
            positions.whole().walk([&](std::int64_t from_offset, std::int64_t to_offset, std::int64_t n, std::int64_t from_step, std::int64_t to_step) {
                T* out = to + to_offset;
                const T* in = from + offset + from_offset;
                if (!good) {
                    for (std::int64_t i = 0; i < n; ++i) out[i * to_step] = T{}; // the run will stop: any value does
                } else if (from_step == 1 && to_step == 1) {
                    std::copy_n(in, n, out);
                } else {
                    for (std::int64_t i = 0; i < n; ++i) out[i * to_step] = in[i * from_step];
                }
            });
        });
    });
}

void gather_kernel(const KernelCall& call) {
    visit_dtype(call.results[0].dtype, [&]<class T>(TypeTag<T>) { gather_kernel_of<T>(call); });
}

// ---- how updates meet what is there

template <class T> bool is_nan(const T& value) {
    if constexpr (std::is_floating_point_v<T>) return std::isnan(value);
    else return false;
}

struct Set {
    template <class T> static T apply(T, T update) { return update; }
};
struct Add {
    template <class T> static T apply(T old, T update) {
        if constexpr (std::is_same_v<T, bool>) return old || update;
        else if constexpr (std::is_integral_v<T>) return static_cast<T>(static_cast<std::uint64_t>(old) + static_cast<std::uint64_t>(update));
        else return old + update;
    }
};
struct Multiply {
    template <class T> static T apply(T old, T update) {
        if constexpr (std::is_same_v<T, bool>) return old && update;
        else if constexpr (std::is_integral_v<T>) return static_cast<T>(static_cast<std::uint64_t>(old) * static_cast<std::uint64_t>(update));
        else if constexpr (is_complex_type<T>) return T(old.real() * update.real() - old.imag() * update.imag(), old.real() * update.imag() + old.imag() * update.real());
        else return old * update;
    }
};
struct Min { // NaN wins, as in minimum
    template <class T> static T apply(T old, T update) { return is_nan(old) ? old : (is_nan(update) || update < old) ? update : old; }
};
struct Max {
    template <class T> static T apply(T old, T update) { return is_nan(old) ? old : (is_nan(update) || old < update) ? update : old; }
};

// f(TypeTag<T>, Mode) for the dtype and mode; a pair that the type rule refuses is never met.
template <class F> void visit_update(DType dtype, const std::string& mode, F&& f) {
    visit_dtype(dtype, [&]<class T>(TypeTag<T> tag) {
        if constexpr (!std::is_same_v<T, KeyWords>) {
            if (mode == "add") return f(tag, Add{});
            if (mode == "multiply") return f(tag, Multiply{});
            if constexpr (!is_complex_type<T>) {
                if (mode == "min") return f(tag, Min{});
                if (mode == "max") return f(tag, Max{});
            }
        }
        f(tag, Set{});
    });
}

// Lanes of the call, each whole.
std::int64_t lane_count(const KernelCall& call) { return element_count(call.lanes); }

// ---- index_update

template <class T, class Mode> void index_update_of(const KernelCall& call, Mode) {
    const std::size_t result = call.operands.size();
    copy_in_parts(call.parallel, call.operands[0], call.results[0]);
    const Positions positions(call, 2, result, 1);
    const LaneIteration& walk = positions.walk();
    const std::int64_t rows = walk.rows();
    run_in_parts(call.parallel, lane_count(call), grain_for(rows * positions.whole().size()), [&](std::int64_t begin, std::int64_t end) {
        std::int64_t reported = -1;
        walk.range(begin * rows, end * rows, [&](std::int64_t row, std::byte* const* at) {
            std::int64_t offset = 0;
            if (!positions.offset(at, offset)) {
                if (!call.clamp_indices && reported != row / rows) {
                    reported = row / rows;
                    positions.report(reported);
                }
                return;
            }
            T* target = lane_data<T>(at, result) + offset;
            const T* update = lane_data<T>(at, 1);
            positions.whole().walk([&](std::int64_t to, std::int64_t from, std::int64_t n, std::int64_t to_step, std::int64_t from_step) {
                for (std::int64_t i = 0; i < n; ++i) target[to + i * to_step] = Mode::apply(target[to + i * to_step], update[from + i * from_step]);
            });
        });
    });
}

void index_update_kernel(const KernelCall& call) {
    visit_update(call.results[0].dtype, call.node->text(2), [&]<class T, class Mode>(TypeTag<T>, Mode mode) { index_update_of<T>(call, mode); });
}

// ---- slice_update

std::vector<TensorType> slice_update_type(std::span<const TensorType> operands, const Attributes& attributes) {
    check_update_mode(std::get<std::string>(attributes[3]), operands[0].dtype);
    const Dims& lengths = dims_of(attributes, 1);
    bool fits = operands[1].rank() == lengths.size();
    for (std::size_t i = 0; fits && i < lengths.size(); ++i) fits = can_agree(lengths[i], operands[1].shape[i]);
    if (!fits) throw UserError(error("E301", "the updates are " + shape_words(operands[1].shape) + ", and the slice is " + shape_words(lengths)));
    return {{operands[0].dtype, operands[0].shape}};
}

// The part of the result that the slice means, lanes included.
View slice_region(const KernelCall& call) {
    View region = call.results[0];
    const auto starts = call.node->integers(0), steps = call.node->integers(2);
    const std::size_t lanes = call.lanes.size();
    const bool empty = call.operands[1].size() == 0;
    region.shape = call.operands[1].shape;
    for (std::size_t axis = 0; axis < starts.size(); ++axis) {
        std::int64_t& stride = region.strides[lanes + axis];
        if (!empty) region.data += starts[axis] * stride * static_cast<std::int64_t>(size_of(region.dtype));
        stride *= steps[axis];
    }
    return region;
}

// No two updates of a slice meet, so there is no order to keep.
template <class T, class Mode> void slice_update_of(const KernelCall& call, const View& region, Mode) {
    const View& updates = call.operands[1];
    Subspace whole;
    for (std::size_t axis = 0; axis < region.rank(); ++axis) whole.add_axis(region.shape[axis], region.strides[axis], updates.strides[axis]);
    T* target = region.as<T>();
    const T* update = updates.as<T>();
    whole.walk([&](std::int64_t to, std::int64_t from, std::int64_t n, std::int64_t to_step, std::int64_t from_step) {
        for (std::int64_t i = 0; i < n; ++i) target[to + i * to_step] = Mode::apply(target[to + i * to_step], update[from + i * from_step]);
    });
}

void slice_update_kernel(const KernelCall& call) {
    copy_in_parts(call.parallel, call.operands[0], call.results[0]);
    if (call.operands[1].size() == 0) return;
    const View region = slice_region(call);
    if (call.node->text(3) == "set") return copy_in_parts(call.parallel, call.operands[1], region);
    visit_update(region.dtype, call.node->text(3), [&]<class T, class Mode>(TypeTag<T>, Mode mode) { slice_update_of<T>(call, region, mode); });
}

} // namespace

std::string out_of_range_text(std::int64_t position, std::int64_t axis, Dim size) {
    return "index " + std::to_string(position) + " is out of range for axis " + std::to_string(axis) + " of size " + size.text();
}

void check_position(Dim position, std::int64_t axis, Dim size) {
    const bool below = position.value() < 0 && surely_greater(Dim(0) - position, size);
    const bool above = position.value() >= 0 && surely_greater(position, size - 1);
    if (!below && !above) return;
    Diagnostic diagnostic = error("E306", position.is_symbolic() ? "index " + position.text() + " is out of range for axis " + std::to_string(axis) + " of size " + size.text()
                                                                 : out_of_range_text(position.value(), axis, size));
    if (size == Dim(0)) diagnostic.helps.push_back("the axis is empty: nothing in it can be indexed");
    else if (!size.is_symbolic()) diagnostic.helps.push_back("positions go from 0 to " + (size - 1).text() + ", or from -" + size.text() + " to -1 counted from the end");
    throw UserError(std::move(diagnostic));
}

void check_positions(Builder& builder, Value positions, std::int64_t axis, Dim size) {
    if (builder.from_data(positions)) return; // computed: found out of range where it is needed, in its lane
    if (const auto number = builder.static_int(positions)) return check_position(*number, axis, size);
    const auto constant = builder.static_value(positions);
    if (!constant) return;
    visit_dtype(constant->dtype(), [&]<class T>(TypeTag<T>) {
        if constexpr (std::is_integral_v<T> && !std::is_same_v<T, bool>) {
            for (std::int64_t i = 0; i < constant->size(); ++i) {
                const T position = constant->as<T>()[i];
                if constexpr (std::is_same_v<T, std::uint64_t>) {
                    if (position > static_cast<std::uint64_t>(INT64_MAX)) {
                        throw UserError(error("E306", "index " + std::to_string(position) + " is out of range for axis " + std::to_string(axis) + " of size " + size.text()));
                    }
                }
                check_position(static_cast<std::int64_t>(position), axis, size);
            }
        }
    });
}

void check_update_mode(const std::string& mode, DType dtype) {
    const bool ordered = mode == "min" || mode == "max";
    if (mode != "set" && mode != "add" && mode != "multiply" && !ordered) throw InternalError("selection: no update mode " + mode);
    if (dtype == DType::key && mode != "set") throw UserError(error("E302", "a key can be set, and not updated by `" + mode + "`"));
    if (ordered && is_complex(dtype)) throw UserError(error("E302", "complex numbers have no order: `" + mode + "` can't update a tensor of `" + std::string(name_of(dtype)) + "`"));
}

std::span<const Op> selection_index_rows() {
    static constexpr std::array rows = {
        // operands: x, index arrays (i64, one shape). attributes: 0: Dims axes of x, one an index array; 1: position of the
        // index shape among the axes of x that are left; 2: clamp: positions out of range are no fault, in every run
        Op{.signature = "index_gather", .family = Family::selection, .type = gather_type, .independence = gather_along, .kernel = gather_kernel, .derivative = Derivative::linear(transpose_gather), .effect = Effect::fault, .weak_operands = 1},
        // operands: x, updates (x's dtype, the shape of x[indices]), index arrays. attributes: 0: Dims axes, 1: position, 2: mode
        Op{.signature = "index_update", .family = Family::selection, .type = update_type, .independence = update_along, .kernel = index_update_kernel, .derivative = Derivative::rules(jvp_update, vjp_update), .effect = Effect::fault, .weak_operands = 2},
        // operands: x, updates (x's dtype, shape `lengths`). attributes: 0: Dims starts, 1: Dims lengths, 2: Dims steps, 3: mode
        Op{.signature = "slice_update", .family = Family::selection, .type = slice_update_type, .independence = slice_update_along, .kernel = slice_update_kernel, .derivative = Derivative::rules(jvp_update, vjp_update)},
    };
    return rows;
}

} // namespace vmaprun
