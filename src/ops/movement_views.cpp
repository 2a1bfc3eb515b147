// Rows that move no data: the result is another way to look at operand 0 (strides alone). Only `reshape` may need a copy,
// when the strides of its operand can't express the new shape.
//
// In a view rule the leading `lane_rank` axes are lanes: they keep their strides; the rule acts on the axes after them.
#include <algorithm>
#include <array>

#include "base/checked.hpp"
#include "ops/call.hpp"
#include "ops/derivative.hpp"
#include "ops/independence.hpp"
#include "ops/lowering.hpp"
#include "ops/movement.hpp"
#include "ops/reduction.hpp"

namespace vmaprun {
namespace {

const Dims& dims_of(const Attributes& attributes, std::size_t i) { return std::get<Dims>(attributes[i]); }

std::int64_t element_bytes(const View& view) { return static_cast<std::int64_t>(size_of(view.dtype)); }

std::size_t index_of(Dim axis) { return static_cast<std::size_t>(axis.value()); }

// Starts a result: the lanes as they are, the rest to be filled in.
void keep_lanes(std::size_t lane_rank, const View& operand, View& result) {
    result.data = operand.data;
    result.strides.assign(operand.strides.begin(), operand.strides.begin() + static_cast<std::ptrdiff_t>(lane_rank));
}

// ---- broadcast_to

std::vector<TensorType> broadcast_type(std::span<const TensorType> operands, const Attributes& attributes) {
    const Dims& from = operands[0].shape;
    const Dims& to = dims_of(attributes, 0);
    check_shape(to);
    const auto fail = [&] {
        throw UserError(error("E301", shape_words(from) + " can't be broadcast to " + shape_words(to))
                            .note("sizes are matched from the last axis; each must be equal, or 1 before"));
    };
    if (from.size() > to.size()) fail();
    for (std::size_t i = 1; i <= from.size(); ++i) {
        const Dim size = from[from.size() - i];
        if (surely_different(size, to[to.size() - i]) && surely_different(size, 1)) fail();
    }
    return {{operands[0].dtype, to}};
}

bool broadcast_view(const Node&, std::size_t lane_rank, const View& operand, View& result) {
    keep_lanes(lane_rank, operand, result);
    const std::size_t added = result.rank() - operand.rank();
    for (std::size_t axis = lane_rank; axis < result.rank(); ++axis) {
        const bool is_new = axis < lane_rank + added;
        const bool stays = !is_new && operand.shape[axis - added] == result.shape[axis];
        result.strides.push_back(stays ? operand.strides[axis - added] : 0);
    }
    return true;
}

Lowered lower_broadcast(Builder& builder, const BuiltinCall& call) { return broadcast_to(builder, call.tensor(0), call.integers(1)); }

// An axis that the operand has too, or one that is new: then all of the operand is in each slice.
std::optional<AlongAxis> broadcast_along(std::span<const TensorType> operands, const Attributes& attributes, std::size_t axis) {
    const Dims &from = operands[0].shape, &to = dims_of(attributes, 0);
    const std::size_t added = to.size() - from.size();
    AlongAxis along{{AlongAxis::whole}, {without_position(to, axis)}};
    if (axis < added) return along;
    if (from[axis - added] != to[axis]) return std::nullopt;
    along.operands[0] = static_cast<std::int64_t>(axis - added);
    return along;
}

// ---- permute_dims

std::vector<TensorType> permute_type(std::span<const TensorType> operands, const Attributes& attributes) {
    TensorType type{operands[0].dtype, {}};
    for (const Dim axis : dims_of(attributes, 0)) type.shape.push_back(operands[0].shape[index_of(axis)]);
    return {type};
}

bool permute_view(const Node& node, std::size_t lane_rank, const View& operand, View& result) {
    keep_lanes(lane_rank, operand, result);
    for (const Dim axis : node.dims(0)) result.strides.push_back(operand.strides[lane_rank + index_of(axis)]);
    return true;
}

Lowered lower_permute(Builder& builder, const BuiltinCall& call) {
    const std::size_t rank = builder.type(call.tensor(0)).rank();
    const Dims& given = call.integers(1);
    if (given.size() != rank) {
        call.fail(1, error("E307", "permute_dims of a tensor of rank " + std::to_string(rank) + " needs " + std::to_string(rank) + " axes, not " +
                                       std::to_string(given.size())));
    }
    std::vector<std::int64_t> axes;
    std::vector<bool> seen(rank, false);
    for (const Dim axis : given) {
        try {
            axes.push_back(normal_axis(axis.value(), rank));
        } catch (UserError& failure) {
            call.fail(1, failure.diagnostics().front());
        }
        const auto at = static_cast<std::size_t>(axes.back());
        if (seen[at]) call.fail(1, error("E304", "axis " + std::to_string(axes.back()) + " is named twice"));
        seen[at] = true;
    }
    return permute(builder, call.tensor(0), axes);
}

std::optional<AlongAxis> permute_along(std::span<const TensorType>, const Attributes& attributes, std::size_t axis) {
    const Dims& axes = dims_of(attributes, 0);
    return AlongAxis{{axes[axis].value()}, {axes_without(without_position(axes, axis), axes[axis].value())}};
}

// ---- reshape

std::vector<TensorType> reshape_type(std::span<const TensorType> operands, const Attributes& attributes) {
    const Dims& from = operands[0].shape;
    const Dims& to = dims_of(attributes, 0);
    check_shape(to);
    const Dim before = product_of(from), after = product_of(to);
    if (!can_agree(before, after)) {
        throw UserError(error("E309", shape_words(from) + " has " + before.text() + " elements, and can't be reshaped to " + shape_words(to) + ", which has " + after.text()));
    }
    return {{operands[0].dtype, to}};
}

struct Extents {
    Shape shape;
    Strides strides;
};

// Axes of extent 1 take no part in the question.
Extents without_ones(const View& view, std::size_t lane_rank) {
    Extents extents;
    for (std::size_t axis = lane_rank; axis < view.rank(); ++axis) {
        if (view.shape[axis] == 1) continue;
        extents.shape.push_back(view.shape[axis]);
        extents.strides.push_back(view.strides[axis]);
    }
    return extents;
}

// NumPy's way: match groups of old and new axes of equal products; each group of old axes must step evenly.
bool reshape_strides(const Extents& old, std::span<const std::int64_t> wanted, Strides& strides) {
    strides.assign(wanted.size(), 0);
    std::size_t from = 0, to = 0;
    while (to < wanted.size()) {
        std::size_t to_end = to + 1, from_end = from;
        std::int64_t target = wanted[to], have = 1;
        while (have != target) {
            if (have < target) {
                if (from_end == old.shape.size()) return false;
                have *= old.shape[from_end++];
            } else {
                if (to_end == wanted.size()) return false;
                target *= wanted[to_end++];
            }
        }
        for (std::size_t axis = from; axis + 1 < from_end; ++axis) {
            if (old.strides[axis] != old.strides[axis + 1] * old.shape[axis + 1]) return false;
        }
        std::int64_t step = from_end > from ? old.strides[from_end - 1] : 0;
        for (std::size_t axis = to_end; axis-- > to;) {
            strides[axis] = step;
            step *= wanted[axis];
        }
        from = from_end;
        to = to_end;
    }
    return true;
}

bool reshape_view(const Node&, std::size_t lane_rank, const View& operand, View& result) {
    Strides sample;
    const auto wanted = std::span<const std::int64_t>(result.shape).subspan(lane_rank);
    if (operand.size() == 0) sample = row_major_strides(wanted);
    else if (!reshape_strides(without_ones(operand, lane_rank), wanted, sample)) return false;
    keep_lanes(lane_rank, operand, result);
    result.strides.insert(result.strides.end(), sample.begin(), sample.end());
    return true;
}

void reshape_kernel(const KernelCall& call) {
    View target = call.results[0]; // the result's elements in the shape of the operand: the same order
    target.shape = call.operands[0].shape;
    target.strides = row_major_strides(target.shape);
    copy_in_parts(call.parallel, call.operands[0], target);
}

Lowered lower_reshape(Builder& builder, const BuiltinCall& call) {
    const Value x = call.tensor(0);
    Dims shape = call.integers(1);
    std::optional<std::size_t> open;
    Dim known = 1;
    for (std::size_t i = 0; i < shape.size(); ++i) {
        if (shape[i] != Dim(-1)) {
            known = known * shape[i];
            continue;
        }
        if (open) call.fail(1, error("E310", "only one size of a shape can be -1"));
        open = i;
    }
    if (!open) return reshape_to(builder, x, shape);
    const Dim total = product_of(builder.type(x).shape);
    if (known == Dim(0)) call.fail(1, error("E309", "the size that -1 stands for is not determined: the other sizes have product 0"));
    shape[*open] = 1;
    check_shape(shape);
    const Dim size = floor_divide(total, known);
    if (!can_agree(size * known, total)) {
        call.fail(1, error("E309", shape_words(builder.type(x).shape) + " has " + total.text() + " elements, which " + known.text() + " does not divide"));
    }
    shape[*open] = size;
    return reshape_to(builder, x, shape);
}

Lowered lower_ravel(Builder& builder, const BuiltinCall& call) {
    return reshape_to(builder, call.tensor(0), {product_of(builder.type(call.tensor(0)).shape)});
}

// An axis before which as many slices lie as before the axis of the operand that it is.
std::optional<AlongAxis> reshape_along(std::span<const TensorType> operands, const Attributes& attributes, std::size_t axis) {
    const Dims &from = operands[0].shape, &to = dims_of(attributes, 0);
    Dim before = 1, wanted = 1;
    for (std::size_t i = 0; i < axis; ++i) wanted = wanted * to[i];
    for (std::size_t i = 0; i < from.size(); ++i) {
        if (before == wanted && from[i] == to[axis]) return AlongAxis{{static_cast<std::int64_t>(i)}, {without_position(to, axis)}};
        before = before * from[i];
    }
    return std::nullopt;
}

// ---- expand_dims, squeeze

std::vector<TensorType> expand_type(std::span<const TensorType> operands, const Attributes& attributes) {
    TensorType type{operands[0].dtype, operands[0].shape};
    for (const Dim position : dims_of(attributes, 0)) type.shape.insert(type.shape.begin() + position.value(), 1);
    return {type};
}

bool expand_view(const Node& node, std::size_t lane_rank, const View& operand, View& result) {
    result.data = operand.data;
    result.strides = operand.strides;
    for (const Dim position : node.dims(0)) result.strides.insert(result.strides.begin() + static_cast<std::ptrdiff_t>(lane_rank) + position.value(), 0);
    return true;
}

std::optional<AlongAxis> expand_along(std::span<const TensorType>, const Attributes& attributes, std::size_t axis) {
    const Dims& positions = dims_of(attributes, 0);
    const std::int64_t at = static_cast<std::int64_t>(axis);
    if (std::ranges::find(positions, Dim(at)) != positions.end()) return std::nullopt;
    const auto before = std::ranges::count_if(positions, [&](const Dim& position) { return position.value() < at; });
    return AlongAxis{{at - before}, {axes_without(positions, at)}};
}

std::vector<std::int64_t> normal_axes(const BuiltinCall& call, std::size_t i, std::size_t rank) {
    std::vector<std::int64_t> axes;
    try {
        for (const Dim axis : call.integers(i)) axes.push_back(normal_axis(axis.value(), rank));
    } catch (UserError& failure) {
        call.fail(i, failure.diagnostics().front());
    }
    std::ranges::sort(axes);
    if (const auto twice = std::ranges::adjacent_find(axes); twice != axes.end()) {
        call.fail(i, error("E304", "axis " + std::to_string(*twice) + " is named twice"));
    }
    return axes;
}

Lowered lower_expand(Builder& builder, const BuiltinCall& call) {
    const std::size_t rank = builder.type(call.tensor(0)).rank() + call.integers(1).size();
    return expand_at(builder, call.tensor(0), normal_axes(call, 1, rank));
}

std::vector<TensorType> squeeze_type(std::span<const TensorType> operands, const Attributes& attributes) {
    TensorType type{operands[0].dtype, {}};
    const Dims& axes = dims_of(attributes, 0);
    for (std::size_t axis = 0; axis < operands[0].rank(); ++axis) {
        const Dim size = operands[0].shape[axis];
        if (std::ranges::find(axes, Dim(static_cast<std::int64_t>(axis))) == axes.end()) {
            type.shape.push_back(size);
        } else if (!can_agree(size, 1)) {
            throw UserError(error("E301", "squeeze takes away axes of size 1, and axis " + std::to_string(axis) + " of " + dims_text(operands[0].shape) + " is " + size.text()));
        }
    }
    return {type};
}

bool squeeze_view(const Node& node, std::size_t lane_rank, const View& operand, View& result) {
    result.data = operand.data;
    result.strides = operand.strides;
    const Dims& axes = node.dims(0);
    for (std::size_t i = axes.size(); i-- > 0;) result.strides.erase(result.strides.begin() + static_cast<std::ptrdiff_t>(lane_rank) + axes[i].value());
    return true;
}

std::optional<AlongAxis> squeeze_along(std::span<const TensorType>, const Attributes& attributes, std::size_t axis) {
    const Dims& axes = dims_of(attributes, 0);
    std::int64_t from = static_cast<std::int64_t>(axis);
    for (const Dim& gone : axes) from += gone.value() <= from ? 1 : 0;
    return AlongAxis{{from}, {axes_without(axes, from)}};
}

Lowered lower_squeeze(Builder& builder, const BuiltinCall& call) {
    return squeeze_at(builder, call.tensor(0), normal_axes(call, 1, builder.type(call.tensor(0)).rank()));
}

// ---- slice, flip

std::vector<TensorType> slice_type(std::span<const TensorType> operands, const Attributes& attributes) {
    return {{operands[0].dtype, dims_of(attributes, 1)}};
}

bool slice_view(const Node& node, std::size_t lane_rank, const View& operand, View& result) {
    keep_lanes(lane_rank, operand, result);
    const bool empty = result.size() == 0; // then no element is there to point at
    for (std::size_t axis = 0; axis + lane_rank < operand.rank(); ++axis) {
        const std::int64_t stride = operand.strides[lane_rank + axis];
        if (!empty) result.data += node.dims(0)[axis].value() * stride * element_bytes(operand);
        result.strides.push_back(result.shape[lane_rank + axis] > 1 ? stride * node.dims(2)[axis].value() : 0);
    }
    return true;
}

// An axis that is taken whole.
std::optional<AlongAxis> slice_along(std::span<const TensorType> operands, const Attributes& attributes, std::size_t axis) {
    const Dims &starts = dims_of(attributes, 0), &lengths = dims_of(attributes, 1), &steps = dims_of(attributes, 2);
    if (starts[axis] != Dim(0) || steps[axis] != Dim(1) || lengths[axis] != operands[0].shape[axis]) return std::nullopt;
    return AlongAxis{{static_cast<std::int64_t>(axis)}, {without_position(starts, axis), without_position(lengths, axis), without_position(steps, axis)}};
}

std::optional<AlongAxis> flip_along(std::span<const TensorType>, const Attributes& attributes, std::size_t axis) {
    const Dims& axes = dims_of(attributes, 0);
    const std::int64_t at = static_cast<std::int64_t>(axis);
    if (std::ranges::find(axes, Dim(at)) != axes.end()) return std::nullopt;
    return AlongAxis{{at}, {axes_without(axes, at)}};
}

std::vector<TensorType> same_type(std::span<const TensorType> operands, const Attributes&) { return {{operands[0].dtype, operands[0].shape}}; }

bool flip_view(const Node& node, std::size_t lane_rank, const View& operand, View& result) {
    result.data = operand.data;
    result.strides = operand.strides;
    const bool empty = operand.size() == 0;
    for (const Dim axis : node.dims(0)) {
        std::int64_t& stride = result.strides[lane_rank + index_of(axis)];
        if (!empty) result.data += (operand.shape[lane_rank + index_of(axis)] - 1) * stride * element_bytes(operand);
        stride = -stride;
    }
    return true;
}

Lowered lower_flip(Builder& builder, const BuiltinCall& call) {
    return flip_axes(builder, call.tensor(0), call.axes(1, builder.type(call.tensor(0)).rank()));
}

// ---- stop_gradient

bool same_view(const Node&, std::size_t, const View& operand, View& result) {
    result.data = operand.data;
    result.strides = operand.strides;
    return true;
}

Lowered lower_stop_gradient(Builder& builder, const BuiltinCall& call) { return builder.add(call.op(), {call.tensor(0)}); }

// ---- derivatives: what moved one way moves back

using Cotangents = std::span<const Value>;
using Wanted = std::vector<bool>;

std::vector<Value> transpose_broadcast(const Primal& at, Cotangents c, const Wanted&) {
    const Dims from = at.builder.type(at.operands[0]).shape, to = at.builder.type(c[0]).shape;
    const std::size_t added = to.size() - from.size();
    std::vector<std::int64_t> gone, spread; // new axes, and those that were 1
    for (std::size_t axis = 0; axis < added; ++axis) gone.push_back(static_cast<std::int64_t>(axis));
    for (std::size_t axis = 0; axis < from.size(); ++axis) {
        if (from[axis] == Dim(1) && to[axis + added] != Dim(1)) spread.push_back(static_cast<std::int64_t>(axis + added));
    }
    std::vector<std::int64_t> all = gone;
    all.insert(all.end(), spread.begin(), spread.end());
    if (all.empty()) return {c[0]};
    return {reshape_to(at.builder, reduce(at.builder, "sum", c[0], all, false), from)};
}

std::vector<Value> transpose_permute(const Primal& at, Cotangents c, const Wanted&) { return {permute(at.builder, c[0], inverse_of(at.node.integers(0)))}; }

std::vector<Value> transpose_reshape(const Primal& at, Cotangents c, const Wanted&) { return {reshape_to(at.builder, c[0], at.builder.type(at.operands[0]).shape)}; }

std::vector<Value> transpose_expand(const Primal& at, Cotangents c, const Wanted&) { return {squeeze_at(at.builder, c[0], at.node.integers(0))}; }

std::vector<Value> transpose_squeeze(const Primal& at, Cotangents c, const Wanted&) { return {expand_at(at.builder, c[0], at.node.integers(0))}; }

std::vector<Value> transpose_slice(const Primal& at, Cotangents c, const Wanted&) {
    const Value zeros = zeros_of(at.builder, at.builder.type(c[0]).dtype, at.builder.type(at.operands[0]).shape);
    return {node(at.builder, "slice_update", {zeros, c[0]}, {at.node.attributes[0], at.node.attributes[1], at.node.attributes[2], std::string("set")})};
}

std::vector<Value> transpose_flip(const Primal& at, Cotangents c, const Wanted&) { return {flip_axes(at.builder, c[0], at.node.integers(0))}; }

} // namespace

std::span<const Op> movement_view_rows() {
    static constexpr std::array rows = {
        // attributes: 0: Dims shape
        Op{.signature = "broadcast_to(x, shape: shape)", .doc = "x repeated along axes of size 1 and new leading axes until it has the shape.",
           .example = "broadcast_to([1, 2], (2, 2)) => [[1, 2], [1, 2]]", .family = Family::movement, .lower = lower_broadcast, .type = broadcast_type, .independence = broadcast_along, .view = broadcast_view, .derivative = Derivative::linear(transpose_broadcast)},
        // attributes: 0: Dims axes: result axis i is operand axis axes[i]
        Op{.signature = "permute_dims(x, axes: ints)", .doc = "x with its axes in the given order.",
           .example = "permute_dims([[1, 2], [3, 4]], (1, 0)) => [[1, 3], [2, 4]]", .family = Family::movement, .lower = lower_permute, .type = permute_type, .independence = permute_along, .view = permute_view, .derivative = Derivative::linear(transpose_permute)},
        // attributes: 0: Dims shape
        Op{.signature = "reshape(x, shape: shape)", .doc = "The elements of x in row-major order in a new shape; one size may be -1.",
           .example = "reshape([1, 2, 3, 4], (2, -1)) => [[1, 2], [3, 4]]", .family = Family::movement, .lower = lower_reshape, .type = reshape_type, .independence = reshape_along, .view = reshape_view, .kernel = reshape_kernel, .derivative = Derivative::linear(transpose_reshape)},
        Op{.signature = "ravel(x)", .doc = "The elements of x in row-major order along one axis.",
           .example = "ravel([[1, 2], [3, 4]]) => [1, 2, 3, 4]", .family = Family::movement, .lower = lower_ravel},
        // attributes: 0: Dims positions of the new axes, ascending, counted in the result
        Op{.signature = "expand_dims(x, axis: ints = 0)", .doc = "x with new axes of size 1 at the given positions of the result.",
           .example = "expand_dims([1, 2], axis=1) => [[1], [2]]", .family = Family::movement, .lower = lower_expand, .type = expand_type, .independence = expand_along, .view = expand_view, .derivative = Derivative::linear(transpose_expand)},
        // attributes: 0: Dims axes, ascending
        Op{.signature = "squeeze(x, axis: ints)", .doc = "x without the given axes, which must be of size 1.",
           .example = "squeeze([[1], [2]], axis=1) => [1, 2]", .family = Family::movement, .lower = lower_squeeze, .type = squeeze_type, .independence = squeeze_along, .view = squeeze_view, .derivative = Derivative::linear(transpose_squeeze)},
        // attributes: 0: Dims starts, 1: Dims lengths, 2: Dims steps (perhaps negative); one each for every axis
        Op{.signature = "slice", .family = Family::movement, .type = slice_type, .independence = slice_along, .view = slice_view, .derivative = Derivative::linear(transpose_slice)},
        // attributes: 0: Dims axes
        Op{.signature = "flip(x, axis: axes = none)", .doc = "x in reverse order along the given axes (none: all).",
           .example = "flip([1, 2, 3]) => [3, 2, 1]", .family = Family::movement, .lower = lower_flip, .type = same_type, .independence = flip_along, .view = flip_view, .derivative = Derivative::linear(transpose_flip)},
        Op{.signature = "stop_gradient(x)", .doc = "x itself, through which no derivative flows.",
           .example = "stop_gradient(2.0) => 2.0", .family = Family::movement, .lower = lower_stop_gradient, .type = same_type, .view = same_view, .derivative = Derivative::none()},
    };
    return rows;
}

} // namespace vmaprun
