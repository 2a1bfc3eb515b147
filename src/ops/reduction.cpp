// The reduction family: sum, prod, max, min, all, any, count_nonzero, argmax, argmin. What is made of several of them
// stands in trace/prelude.vm (mean, var, norm …) or composite_statistics.cpp (quantile …). The order of float sums: kernels/reduce.hpp.
#include "ops/reduction.hpp"

#include <algorithm>
#include <array>
#include <limits>

#include "ops/call.hpp"
#include "ops/contraction.hpp"
#include "ops/derivative.hpp"
#include "ops/families.hpp"
#include "ops/independence.hpp"
#include "ops/kernels/reduce.hpp"
#include "ops/lowering.hpp"
#include "ops/movement.hpp"

namespace vmaprun {

Dim count_over(const Dims& shape, const std::vector<std::int64_t>& axes) {
    Dim count = 1;
    for (const std::int64_t axis : axes) count = count * shape[static_cast<std::size_t>(axis)];
    return count;
}

DType accumulation_dtype(DType dtype) {
    if (dtype == DType::boolean || is_signed_integer(dtype)) return DType::i64;
    return is_unsigned_integer(dtype) ? DType::u64 : dtype;
}

Value reduce(Builder& builder, std::string_view op, Value x, const std::vector<std::int64_t>& axes, bool keepdims) {
    if (op == "sum") {
        if (const auto contraction = sum_as_contraction(builder, x, axes, keepdims)) return *contraction;
    }
    return node(builder, op, {x}, {to_dims(axes), keepdims});
}

namespace {

// ---- types

Dims without_axes(const Dims& shape, const Dims& axes, bool keepdims) {
    Dims rest;
    for (std::size_t axis = 0; axis < shape.size(); ++axis) {
        if (std::ranges::find(axes, Dim(static_cast<std::int64_t>(axis))) == axes.end()) rest.push_back(shape[axis]);
        else if (keepdims) rest.emplace_back(1);
    }
    return rest;
}

Dims reduced_shape(std::span<const TensorType> operands, const Attributes& attributes) {
    return without_axes(operands[0].shape, std::get<Dims>(attributes[0]), std::get<bool>(attributes[1]));
}

std::vector<TensorType> same_dtype(std::span<const TensorType> operands, const Attributes& attributes) {
    return {{operands[0].dtype, reduced_shape(operands, attributes)}};
}
std::vector<TensorType> boolean(std::span<const TensorType> operands, const Attributes& attributes) {
    return {{DType::boolean, reduced_shape(operands, attributes)}};
}
std::vector<TensorType> count(std::span<const TensorType> operands, const Attributes& attributes) {
    return {{DType::i64, reduced_shape(operands, attributes)}};
}

std::vector<TensorType> position(std::span<const TensorType> operands, const Attributes& attributes) {
    const Dims& shape = operands[0].shape;
    Dims axes;
    if (const std::int64_t axis = std::get<std::int64_t>(attributes[0]); axis >= 0) axes.emplace_back(axis);
    else for (std::size_t i = 0; i < shape.size(); ++i) axes.emplace_back(static_cast<std::int64_t>(i));
    return {{DType::i64, without_axes(shape, axes, std::get<bool>(attributes[1]))}};
}

// The last axes, all of them in order: those that an operand's rows are made of.
template <RowKernel (*Kernel)(DType)> RowWork fold_of_rows(const Node& node, std::span<const TensorType> operands) {
    const TensorType& operand = operands[0];
    const Dims& axes = node.dims(0);
    for (std::size_t i = 0; i < axes.size(); ++i) {
        if (axes[i].value() != static_cast<std::int64_t>(operand.rank() - axes.size() + i)) return {};
    }
    return axes.empty() ? RowWork{} : RowWork{Kernel(operand.dtype), nullptr, axes.size()};
}
// As kernels/reduce.hpp has it.
Chunked chunks_of_sum(const Node& node, std::span<const TensorType> operands) {
    const TensorType& operand = operands[0];
    if ((operand.dtype != DType::f32 && operand.dtype != DType::f64) || node.dims(0).empty()) return {};
    Chunked chunked{{{}}, sum_chunk(operand.dtype), Chunked::Order::in_pairs};
    for (const Dim& axis : node.dims(0)) chunked.axes[0].push_back(static_cast<std::size_t>(axis.value()));
    return chunked;
}
template <RowKernel (*Kernel)(DType)> RowWork position_in_rows(const Node& node, std::span<const TensorType> operands) {
    const TensorType& operand = operands[0];
    const std::int64_t axis = node.integer(0), rank = static_cast<std::int64_t>(operand.rank());
    if (rank == 0 || (axis >= 0 && axis != rank - 1)) return {};
    return {Kernel(operand.dtype), nullptr, axis < 0 ? operand.rank() : 1};
}

bool never_weak(const Attributes&) { return false; }

// Along every axis that is not reduced. Position -1 of argmax and argmin: all are.
std::optional<AlongAxis> along_kept_axis(std::span<const TensorType> operands, const Attributes& attributes, std::size_t axis) {
    Dims reduced;
    if (const auto* axes = std::get_if<Dims>(&attributes[0])) reduced = *axes;
    else if (const std::int64_t one = std::get<std::int64_t>(attributes[0]); one >= 0) reduced = {one};
    else return std::nullopt;
    const auto is_reduced = [&](std::size_t i) { return std::ranges::find(reduced, Dim(static_cast<std::int64_t>(i))) != reduced.end(); };
    std::size_t from = 0, kept = 0; // the operand's axis that the result's axis is
    for (; from < operands[0].rank(); ++from) {
        if (is_reduced(from) && !std::get<bool>(attributes[1])) continue;
        if (kept++ == axis) break;
    }
    if (is_reduced(from)) return std::nullopt;
    const Dims rest = axes_without(reduced, static_cast<std::int64_t>(from));
    const bool several = std::holds_alternative<Dims>(attributes[0]);
    return AlongAxis{{static_cast<std::int64_t>(from)}, {several ? Attribute(rest) : Attribute(rest[0].value()), attributes[1]}};
}

// ---- lowerings

[[noreturn]] void fail_dtype(const BuiltinCall& call, DType dtype, const char* wanted) {
    call.fail(0, error("E302", std::string(call.op().name()) + " needs " + wanted + ", not `" + std::string(name_of(dtype)) + "`"));
}

// Axes of argument 1 of the call, of x.
std::vector<std::int64_t> axes_of(Builder& builder, const BuiltinCall& call) { return call.axes(1, builder.type(call.tensor(0)).rank()); }

Lowered lower_accumulating(Builder& builder, const BuiltinCall& call) {
    const Value x = call.tensor(0);
    const TensorType type = builder.type(x);
    if (type.dtype == DType::key) fail_dtype(call, type.dtype, "numbers");
    const std::vector<std::int64_t> axes = axes_of(builder, call);
    const DType natural = accumulation_dtype(type.dtype);
    if (const auto dtype = call.dtype(3)) return reduce(builder, call.op().name(), cast(builder, x, *dtype), axes, call.boolean(2));
    const Value wide = natural == type.dtype ? x : cast(builder, x, natural);
    return reduce(builder, call.op().name(), wide, axes, call.boolean(2));
}

void check_not_empty(const BuiltinCall& call, const Dims& shape, const std::vector<std::int64_t>& axes) {
    for (const std::int64_t axis : axes) {
        if (shape[static_cast<std::size_t>(axis)] != Dim(0)) continue;
        call.fail(0, error("E311", std::string(call.op().name()) + " over no elements: axis " + std::to_string(axis) + " of " + dims_text(shape) + " is empty"));
    }
}

// A literal, as `-inf` is.
bool is_infinity(Builder& builder, Value value, int sign) {
    const auto constant = builder.static_value(value);
    return constant && constant->dtype() == DType::f64 && *constant->as<double>() == sign * std::numeric_limits<double>::infinity();
}

Lowered lower_extreme(Builder& builder, const BuiltinCall& call) {
    const Value x = call.tensor(0);
    const TensorType type = builder.type(x);
    if (kind_of(type.dtype) > Kind::floating) fail_dtype(call, type.dtype, "real numbers");
    const std::vector<std::int64_t> axes = axes_of(builder, call);
    if (call.is_none(3)) {
        check_not_empty(call, type.shape, axes);
        return reduce(builder, call.op().name(), x, axes, call.boolean(2));
    }
    const Value initial = call.tensor(3);
    if (const TensorType own = builder.type(initial); own.rank() != 0) call.fail(3, error("E307", "`initial` must be one number, not " + shape_words(own.shape)));
    const bool empty = std::ranges::any_of(axes, [&](std::int64_t axis) { return type.shape[static_cast<std::size_t>(axis)] == Dim(0); });
    if (empty) return broadcast_to(builder, promote_values(builder, {x, initial})[1], without_axes(type.shape, to_dims(axes), call.boolean(2)));
    const bool is_max = call.op().name() == "max";
    const Value extreme = reduce(builder, call.op().name(), x, axes, call.boolean(2));
    if (is_infinity(builder, initial, is_max ? -1 : 1)) return promote_values(builder, {extreme, initial})[0]; // never chosen
    return pointwise(builder, is_max ? "maximum" : "minimum", {extreme, initial});
}

Lowered lower_logical(Builder& builder, const BuiltinCall& call) {
    const Value x = call.tensor(0);
    if (builder.type(x).dtype == DType::key) fail_dtype(call, DType::key, "numbers or booleans");
    return reduce(builder, call.op().name(), x, axes_of(builder, call), call.boolean(2));
}

Lowered lower_position(Builder& builder, const BuiltinCall& call) {
    const Value x = call.tensor(0);
    const TensorType type = builder.type(x);
    if (kind_of(type.dtype) > Kind::floating) fail_dtype(call, type.dtype, "real numbers");
    std::int64_t axis = -1;
    std::vector<std::int64_t> axes;
    if (call.is_none(1)) {
        axes = call.axes(1, type.rank());
    } else {
        axis = call.axis(1, type.rank());
        axes = {axis};
    }
    check_not_empty(call, type.shape, axes);
    return node(builder, call.op().name(), {x}, {axis, call.boolean(2)});
}

// ---- derivatives

// A reduced value (a result or what belongs to it) with axes of 1 where x was reduced, spread over x's shape.
Value spread_back(const Primal& at, Value reduced) {
    const std::vector<std::int64_t> axes = at.node.integers(0);
    const Dims& shape = at.builder.type(at.operands[0]).shape;
    return broadcast_to(at.builder, at.node.boolean(1) ? reduced : expand_at(at.builder, reduced, axes), shape);
}

Value reduce_again(const Primal& at, Value x) { return reduce(at.builder, "sum", x, at.node.integers(0), at.node.boolean(1)); }

std::vector<Value> transpose_sum(const Primal& at, std::span<const Value> cotangents, const std::vector<bool>&) { return {spread_back(at, cotangents[0])}; }

// max and min: shared evenly among the elements that are the extreme, as in JAX.
struct Shares {
    Value is_extreme, count; // of x's shape; of the result's
};
Shares shares_of(const Primal& at) {
    Builder& builder = at.builder;
    const Value is_extreme = pointwise(builder, "equal", {at.operands[0], spread_back(at, at.results[0])});
    return {is_extreme, reduce_again(at, cast(builder, is_extreme, builder.type(at.results[0]).dtype))};
}

std::vector<Value> jvp_extreme(const Primal& at, std::span<const Value> tangents) {
    const Shares shares = shares_of(at);
    const Value chosen = pointwise(at.builder, "where", {shares.is_extreme, tangents[0], zeros_like(at.builder, tangents[0])});
    return {pointwise(at.builder, "divide", {reduce_again(at, chosen), shares.count})};
}

std::vector<Value> vjp_extreme(const Primal& at, std::span<const Value> cotangents, const std::vector<bool>&) {
    const Shares shares = shares_of(at);
    const Value share = spread_back(at, pointwise(at.builder, "divide", {cotangents[0], shares.count}));
    return {pointwise(at.builder, "where", {shares.is_extreme, share, zeros_like(at.builder, share)})};
}

// d prod / d x_i: the product of the others, from running products of both sides, so that zeros are no trouble.
Value product_of_others(const Primal& at) {
    Builder& builder = at.builder;
    const std::vector<std::int64_t> axes = at.node.integers(0);
    const Dims shape = builder.type(at.operands[0]).shape;
    std::vector<std::int64_t> order;
    Dims moved, flat;
    for (std::int64_t axis = 0; axis < static_cast<std::int64_t>(shape.size()); ++axis) {
        if (std::ranges::find(axes, axis) == axes.end()) order.push_back(axis);
    }
    order.insert(order.end(), axes.begin(), axes.end());
    for (const std::int64_t axis : order) moved.push_back(shape[static_cast<std::size_t>(axis)]);
    flat.assign(moved.begin(), moved.end() - static_cast<std::ptrdiff_t>(axes.size()));
    const Dim count = count_over(shape, axes);
    const auto last = static_cast<std::int64_t>(flat.size());
    Dims first = flat;
    flat.push_back(count);
    first.emplace_back(1);
    const Value x = reshape_to(builder, permute(builder, at.operands[0], order), flat);
    const Value one = broadcast_to(builder, scalar(builder, 1.0, builder.type(x).dtype), first);
    const auto before = [&](Value values) { // the product of all elements before each
        const Value running = node(builder, "cumulative_prod", {slice_axis(builder, values, last, 0, count - 1)}, {last});
        return concat_values(builder, {one, running}, last);
    };
    const Value others = pointwise(builder, "multiply", {before(x), flip_axes(builder, before(flip_axes(builder, x, {last})), {last})});
    return permute(builder, reshape_to(builder, others, moved), inverse_of(order));
}

std::vector<Value> jvp_prod(const Primal& at, std::span<const Value> tangents) {
    if (count_over(at.builder.type(at.operands[0]).shape, at.node.integers(0)) == Dim(0)) return {Value{}};
    return {reduce_again(at, pointwise(at.builder, "multiply", {tangents[0], product_of_others(at)}))};
}

std::vector<Value> vjp_prod(const Primal& at, std::span<const Value> cotangents, const std::vector<bool>&) {
    if (count_over(at.builder.type(at.operands[0]).shape, at.node.integers(0)) == Dim(0)) return {Value{}};
    return {pointwise(at.builder, "multiply", {spread_back(at, cotangents[0]), product_of_others(at)})};
}

} // namespace

std::span<const Op> reduction_ops() {
    // Nodes: operand x. attributes: 0: Dims axes (ascending), 1: bool keepdims; of argmax and argmin 0: axis, or -1 for all.
    static constexpr std::array rows = independent_by(along_kept_axis, std::array{
        Op{.signature = "sum(x, axis: axes = none, keepdims: bool = false, dtype: dtype = none)", .doc = "The sum over axes; small integers and booleans add up in i64 or u64.",
           .example = "sum([1, 2, 3]) => 6", .family = Family::reduction, .lower = lower_accumulating, .type = same_dtype, .rows = fold_of_rows<sum_rows>, .chunks = chunks_of_sum, .kernel = sum_kernel, .derivative = Derivative::linear(transpose_sum)},
        Op{.signature = "prod(x, axis: axes = none, keepdims: bool = false, dtype: dtype = none)", .doc = "The product over axes; small integers and booleans multiply in i64 or u64.",
           .example = "prod([2, 3, 4]) => 24", .family = Family::reduction, .lower = lower_accumulating, .type = same_dtype, .rows = fold_of_rows<prod_rows>, .kernel = prod_kernel, .derivative = Derivative::rules(jvp_prod, vjp_prod)},
        Op{.signature = "max(x, axis: axes = none, keepdims: bool = false, initial = none)", .doc = "The largest element over axes, and `initial` where it is given; NaN where there is one.",
           .example = "max([1.0, 3.0, 2.0]) => 3.0", .family = Family::reduction, .lower = lower_extreme, .type = same_dtype, .rows = fold_of_rows<max_rows>, .kernel = max_kernel, .derivative = Derivative::rules(jvp_extreme, vjp_extreme)},
        Op{.signature = "min(x, axis: axes = none, keepdims: bool = false, initial = none)", .doc = "The smallest element over axes, and `initial` where it is given; NaN where there is one.",
           .example = "min([[1, 4], [3, 2]], axis=1) => [1, 2]", .family = Family::reduction, .lower = lower_extreme, .type = same_dtype, .rows = fold_of_rows<min_rows>, .kernel = min_kernel, .derivative = Derivative::rules(jvp_extreme, vjp_extreme)},
        Op{.signature = "all(x, axis: axes = none, keepdims: bool = false)", .doc = "Whether every element over axes is true (not 0); true over none.",
           .example = "all([true, false]) => false", .family = Family::reduction, .lower = lower_logical, .type = boolean, .rows = fold_of_rows<all_rows>, .kernel = all_kernel, .derivative = Derivative::none()},
        Op{.signature = "any(x, axis: axes = none, keepdims: bool = false)", .doc = "Whether some element over axes is true (not 0); false over none.",
           .example = "any([true, false]) => true", .family = Family::reduction, .lower = lower_logical, .type = boolean, .rows = fold_of_rows<any_rows>, .kernel = any_kernel, .derivative = Derivative::none()},
        Op{.signature = "count_nonzero(x, axis: axes = none, keepdims: bool = false)", .doc = "The number of elements over axes that are not 0.",
           .example = "count_nonzero([3, 0, 5]) => 2", .family = Family::reduction, .lower = lower_logical, .type = count, .rows = fold_of_rows<count_nonzero_rows>, .kernel = count_nonzero_kernel, .derivative = Derivative::none(), .stays_weak = never_weak},
        Op{.signature = "argmax(x, axis: axis = none, keepdims: bool = false)", .doc = "The position of the first largest element along an axis (none: of all, flattened); a NaN counts as largest.",
           .example = "argmax([1, 7, 7]) => 1", .family = Family::reduction, .lower = lower_position, .type = position, .rows = position_in_rows<argmax_rows>, .kernel = argmax_kernel, .derivative = Derivative::none(), .stays_weak = never_weak},
        Op{.signature = "argmin(x, axis: axis = none, keepdims: bool = false)", .doc = "The position of the first smallest element along an axis (none: of all, flattened); a NaN counts as smallest.",
           .example = "argmin([[2, 1], [0, 5]], axis=0) => [1, 0]", .family = Family::reduction, .lower = lower_position, .type = position, .rows = position_in_rows<argmin_rows>, .kernel = argmin_kernel, .derivative = Derivative::none(), .stays_weak = never_weak},
    });
    return rows;
}

} // namespace vmaprun
