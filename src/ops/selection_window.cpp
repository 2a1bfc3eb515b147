// Windows at computed places: window, dynamic_slice, dynamic_update_slice. A start belongs to each of the leading axes; the
// axes after those are taken whole. Negative starts count from the end. A window that would leave its axis is a fault of
// the lane (E601; E306 when the start is a constant); the dynamic_ ones move it back inside, as JAX does.
#include <algorithm>
#include <array>

#include "base/text.hpp"
#include "ops/call.hpp"
#include "ops/derivative.hpp"
#include "ops/lane_iteration.hpp"
#include "ops/lowering.hpp"
#include "ops/movement.hpp"
#include "ops/selection.hpp"

namespace vmaprun {
namespace {

std::string window_text(std::int64_t start, Dim length, std::size_t axis, Dim size) {
    return "a window of size " + length.text() + " at " + std::to_string(start) + " leaves axis " + std::to_string(axis) + " of size " + size.text();
}

// ---- types

std::vector<TensorType> window_type(std::span<const TensorType> operands, const Attributes& attributes) {
    TensorType type{operands[0].dtype, operands[0].shape};
    const Dims& sizes = std::get<Dims>(attributes[0]);
    for (std::size_t axis = 0; axis < sizes.size(); ++axis) {
        if (surely_greater(sizes[axis], type.shape[axis])) {
            throw UserError(error("E301", "a window of size " + sizes[axis].text() + " does not fit axis " + std::to_string(axis) + " of size " + type.shape[axis].text()));
        }
        type.shape[axis] = sizes[axis];
    }
    check_shape(type.shape);
    return {type};
}

std::vector<TensorType> window_update_type(std::span<const TensorType> operands, const Attributes&) {
    const Dims &shape = operands[0].shape, &update = operands[1].shape;
    const std::size_t starts = operands.size() - 2;
    bool fits = shape.size() == update.size();
    for (std::size_t axis = 0; fits && axis < shape.size(); ++axis) {
        fits = axis < starts ? !surely_greater(update[axis], shape[axis]) : !surely_different(update[axis], shape[axis]);
    }
    if (!fits) throw UserError(error("E301", "an update of shape " + shape_words(update) + " does not fit into a tensor of shape " + shape_words(shape)));
    return {{operands[0].dtype, shape}};
}

// An axis behind those that have a start.
std::optional<AlongAxis> window_along(std::span<const TensorType> operands, const Attributes& attributes, std::size_t axis) {
    if (axis + 1 < operands.size()) return std::nullopt;
    AlongAxis along{std::vector(operands.size(), AlongAxis::whole), attributes};
    along.operands[0] = static_cast<std::int64_t>(axis);
    return along;
}

std::optional<AlongAxis> window_update_along(std::span<const TensorType> operands, const Attributes& attributes, std::size_t axis) {
    if (axis + 2 < operands.size()) return std::nullopt;
    AlongAxis along{std::vector(operands.size(), AlongAxis::whole), attributes};
    along.operands[0] = along.operands[1] = static_cast<std::int64_t>(axis);
    return along;
}

// ---- kernels

// Where windows begin: for one lane, the offset (in elements of the big tensor) of the window's first element.
struct Starts {
    std::size_t first;                  // operand of the first start
    std::vector<std::int64_t> sizes;    // of the axes that have a start
    std::vector<std::int64_t> lengths;  // of the window along them
    std::vector<std::int64_t> strides;

    // Moves windows back inside; `outside` is the first axis along which that was needed, or -1.
    std::int64_t offset(std::byte* const* at, std::int64_t& outside) const {
        std::int64_t elements = 0;
        outside = -1;
        for (std::size_t axis = 0; axis < sizes.size(); ++axis) {
            std::int64_t start = *lane_data<std::int64_t>(at, first + axis);
            if (start < 0) start += sizes[axis];
            const std::int64_t inside = std::clamp<std::int64_t>(start, 0, sizes[axis] - lengths[axis]);
            if (inside != start && outside < 0) outside = static_cast<std::int64_t>(axis);
            elements += inside * strides[axis];
        }
        return elements;
    }
};

Starts starts_of(const KernelCall& call, std::size_t first, std::span<const std::int64_t> shape, std::span<const std::int64_t> strides, std::span<const std::int64_t> window) {
    Starts starts{first, {}, {}, {}};
    for (std::size_t axis = 0; axis < call.operands.size() - first; ++axis) {
        starts.sizes.push_back(shape[axis]);
        starts.lengths.push_back(window[axis]);
        starts.strides.push_back(strides[axis]);
    }
    return starts;
}

enum class Outside { fault, move };

void read_windows(const KernelCall& call, Outside outside_is) {
    const std::size_t result = call.operands.size();
    const auto shape = sample_shape(call, 0), window = result_shape(call, 0);
    const Starts starts = starts_of(call, 1, shape, sample_strides(call, 0), window);
    Subspace whole;
    for (std::size_t axis = 0; axis < window.size(); ++axis) whole.add_axis(window[axis], sample_strides(call, 0)[axis], result_strides(call, 0)[axis]);
    visit_dtype(call.results[0].dtype, [&]<class T>(TypeTag<T>) {
        for_each_lane(call, grain_for(whole.size()), [&](std::int64_t lane, std::byte* const* at) {
            std::int64_t outside = -1;
            const T* from = lane_data<T>(at, 0) + starts.offset(at, outside);
            if (outside >= 0 && outside_is == Outside::fault) {
                const auto axis = static_cast<std::size_t>(outside);
                call.faults->report(lane, "E601", window_text(*lane_data<std::int64_t>(at, 1 + axis), window[axis], axis, shape[axis]));
            }
            T* to = lane_data<T>(at, result);
            whole.walk([&](std::int64_t from_offset, std::int64_t to_offset, std::int64_t n, std::int64_t from_step, std::int64_t to_step) {
                for (std::int64_t i = 0; i < n; ++i) to[to_offset + i * to_step] = from[from_offset + i * from_step];
            });
        });
    });
}

void window_kernel(const KernelCall& call) { read_windows(call, call.clamp_indices ? Outside::move : Outside::fault); }
void dynamic_slice_kernel(const KernelCall& call) { read_windows(call, Outside::move); }

void dynamic_update_kernel(const KernelCall& call) {
    copy_in_parts(call.parallel, call.operands[0], call.results[0]);
    const std::size_t result = call.operands.size();
    const auto window = sample_shape(call, 1);
    const Starts starts = starts_of(call, 2, result_shape(call, 0), result_strides(call, 0), window);
    Subspace whole;
    for (std::size_t axis = 0; axis < window.size(); ++axis) whole.add_axis(window[axis], sample_strides(call, 1)[axis], result_strides(call, 0)[axis]);
    visit_dtype(call.results[0].dtype, [&]<class T>(TypeTag<T>) {
        for_each_lane(call, grain_for(whole.size()), [&](std::int64_t, std::byte* const* at) {
            std::int64_t outside = -1;
            T* to = lane_data<T>(at, result) + starts.offset(at, outside);
            const T* from = lane_data<T>(at, 1);
            whole.walk([&](std::int64_t from_offset, std::int64_t to_offset, std::int64_t n, std::int64_t from_step, std::int64_t to_step) {
                for (std::int64_t i = 0; i < n; ++i) to[to_offset + i * to_step] = from[from_offset + i * from_step];
            });
        });
    });
}

// ---- lowerings

// The starts that a call gives: a scalar, a tuple of scalars, or a tensor of one axis (of unknown size: taken for `wanted`).
std::vector<Value> starts_of_call(Builder& builder, const BuiltinCall& call, std::size_t i, std::size_t rank, std::size_t wanted) {
    const auto check_count = [&](std::int64_t count) {
        if (count > static_cast<std::int64_t>(rank)) call.fail(i, error("E307", count_of(count, "start") + " for a tensor of rank " + std::to_string(rank)));
    };
    std::vector<Value> starts = values_of_argument(builder, call, i);
    if (starts.size() == 1 && builder.type(starts[0]).rank() == 1) {
        const Value all = starts[0];
        const Dim size = builder.type(all).shape[0];
        const std::int64_t count = size.is_symbolic() ? static_cast<std::int64_t>(wanted) : size.value();
        check_count(count);
        starts.clear();
        for (std::int64_t axis = 0; axis < count; ++axis) starts.push_back(squeeze_at(builder, slice_axis(builder, all, 0, axis, 1), {0}));
    }
    check_count(static_cast<std::int64_t>(starts.size()));
    for (Value& start : starts) {
        const TensorType type = builder.type(start);
        if (type.rank() != 0) call.fail(i, error("E307", "a start is a scalar, not " + shape_words(type.shape)));
        try {
            start = builder.static_int(start) ? start : index_values(builder, start);
        } catch (UserError& failure) {
            call.fail(i, failure.diagnostics().front());
        }
    }
    return starts;
}

// A constant start as 0.. size - length; nullopt when it is computed. Outside: E306, or moved inside.
std::optional<Dim> constant_start(Builder& builder, const BuiltinCall& call, Value start, Dim length, std::size_t axis, Dim size, Outside outside) {
    const auto number = builder.static_int(start);
    if (!number || builder.from_data(start)) return std::nullopt;
    const Dim at = number->value() < 0 ? size + *number : *number;
    const bool before = surely_greater(0, at), behind = surely_greater(at + length, size);
    if (!before && !behind) return at;
    if (outside == Outside::move) return before ? Dim(0) : size - length;
    call.fail(1, error("E306", window_text(number->value(), length, axis, size)));
}

Value read_window(Builder& builder, const BuiltinCall& call, Outside outside) {
    const Value x = call.tensor(0);
    const TensorType type = builder.type(x);
    const Dims& sizes = call.integers(2);
    check_shape(sizes);
    std::vector<Value> starts = starts_of_call(builder, call, 1, type.rank(), sizes.size());
    if (sizes.size() != starts.size()) {
        call.fail(2, error("E310", count_of(static_cast<std::int64_t>(sizes.size()), "size") + " for " + count_of(static_cast<std::int64_t>(starts.size()), "start")));
    }
    window_type(std::array{type}, {sizes}); // sizes that can't fit, before starts are judged by them
    Dims at(type.rank(), 0), lengths = type.shape;
    std::copy(sizes.begin(), sizes.end(), lengths.begin());
    bool constant = true;
    for (std::size_t axis = 0; axis < starts.size(); ++axis) {
        const auto start = constant_start(builder, call, starts[axis], sizes[axis], axis, type.shape[axis], outside);
        constant = constant && start.has_value();
        if (start) at[axis] = *start;
    }
    if (constant) return lengths == type.shape ? x : node(builder, "slice", {x}, {at, lengths, Dims(type.rank(), 1)});
    for (Value& start : starts) start = index_values(builder, start);
    starts.insert(starts.begin(), x);
    return node(builder, call.op().name(), std::move(starts), {sizes});
}

Lowered lower_window(Builder& builder, const BuiltinCall& call) { return read_window(builder, call, Outside::fault); }
Lowered lower_dynamic_slice(Builder& builder, const BuiltinCall& call) { return read_window(builder, call, Outside::move); }

Lowered lower_dynamic_update(Builder& builder, const BuiltinCall& call) {
    Value x = call.tensor(0), update = call.tensor(1);
    const TensorType type = builder.type(x), update_type = builder.type(update);
    if (type.weak) {
        const std::vector<Value> both = promote_values(builder, {x, update});
        x = both[0];
        update = both[1];
    } else {
        if (kind_of(update_type.dtype) > kind_of(type.dtype)) {
            call.fail(1, error("E302", "an update of `" + std::string(name_of(update_type.dtype)) + "` does not fit a tensor of `" + std::string(name_of(type.dtype)) + "`")
                             .help("cast it, as in `update as " + std::string(name_of(type.dtype)) + "`"));
        }
        update = cast(builder, update, type.dtype);
    }
    std::vector<Value> operands{x, update};
    for (const Value start : starts_of_call(builder, call, 2, type.rank(), type.rank())) operands.push_back(index_values(builder, start));
    return node(builder, "dynamic_update_slice", std::move(operands));
}

// ---- derivatives

std::vector<Value> transpose_window(const Primal& at, std::span<const Value> cotangents, const std::vector<bool>&) {
    std::vector<Value> result(at.operands.size());
    std::vector<Value> operands{zeros_of(at.builder, at.builder.type(cotangents[0]).dtype, at.builder.type(at.operands[0]).shape), cotangents[0]};
    operands.insert(operands.end(), at.operands.begin() + 1, at.operands.end());
    result[0] = node(at.builder, "dynamic_update_slice", std::move(operands));
    return result;
}

std::vector<Value> transpose_window_update(const Primal& at, std::span<const Value> cotangents, const std::vector<bool>& wanted) {
    std::vector<Value> result(at.operands.size());
    const std::span<const Value> starts = at.operands.subspan(2);
    const Dims update = at.builder.type(at.operands[1]).shape;
    if (wanted[0]) {
        std::vector<Value> operands{cotangents[0], zeros_of(at.builder, at.builder.type(cotangents[0]).dtype, update)};
        operands.insert(operands.end(), starts.begin(), starts.end());
        result[0] = node(at.builder, "dynamic_update_slice", std::move(operands));
    }
    if (wanted[1]) {
        std::vector<Value> operands{cotangents[0]};
        operands.insert(operands.end(), starts.begin(), starts.end());
        result[1] = node(at.builder, "dynamic_slice", std::move(operands), {Dims(update.begin(), update.begin() + static_cast<std::ptrdiff_t>(starts.size()))});
    }
    return result;
}

} // namespace

std::span<const Op> selection_window_rows() {
    static constexpr std::array rows = {
        // operands: x, a start (i64 scalar) for each of the leading axes. attributes: 0: Dims sizes along those axes
        Op{.signature = "window(x, start: any, size: shape)",
           .doc = "The part of x of the given size that begins at start, along the leading axes; a negative start counts from the end, and a window that leaves x stops the run.",
           .example = "window([1, 2, 3, 4], 1, size=2) => [2, 3]", .family = Family::selection, .lower = lower_window, .type = window_type, .independence = window_along, .kernel = window_kernel, .derivative = Derivative::linear(transpose_window), .effect = Effect::fault, .weak_operands = 1},
        // the same operands and attributes
        Op{.signature = "dynamic_slice(x, start: any, size: shape)",
           .doc = "The part of x of the given size that begins at start, along the leading axes; a start too far out is moved back inside.",
           .example = "dynamic_slice([1, 2, 3, 4], 9, 2) => [3, 4]", .family = Family::selection, .lower = lower_dynamic_slice, .type = window_type, .independence = window_along, .kernel = dynamic_slice_kernel, .derivative = Derivative::linear(transpose_window), .weak_operands = 1},
        // operands: x, update (x's dtype and rank), a start for each of the leading axes
        Op{.signature = "dynamic_update_slice(x, update, start: any)",
           .doc = "x with the part that begins at start replaced by update; a start too far out is moved back inside.",
           .example = "dynamic_update_slice([1, 2, 3, 4], [7, 8], 1) => [1, 7, 8, 4]", .family = Family::selection, .lower = lower_dynamic_update, .type = window_update_type, .independence = window_update_along,
           .kernel = dynamic_update_kernel, .derivative = Derivative::linear(transpose_window_update), .weak_operands = 2},
    };
    return rows;
}

} // namespace vmaprun
