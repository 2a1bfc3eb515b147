// The movement family: its table, and the functions of ops/movement.hpp.
#include "ops/movement.hpp"

#include <algorithm>

#include "ops/call.hpp"
#include "ops/families.hpp"
#include "ops/lane_iteration.hpp"
#include "ops/lowering.hpp"

namespace vmaprun {

Dims to_dims(std::span<const std::int64_t> numbers) { return Dims(numbers.begin(), numbers.end()); }

std::string shape_words(const Dims& shape) { return shape.empty() ? "a scalar" : dims_text(shape); }

void check_shape(const Dims& shape) {
    for (const Dim& size : shape) {
        if (surely_greater(0, size)) {
            throw UserError(error("E310", "a size can't be negative: " + size.text() + " in the shape " + dims_text(shape)));
        }
    }
    check_countable(shape);
}

Value reshape_to(Builder& builder, Value x, const Dims& shape) {
    return builder.type(x).shape == shape ? x : node(builder, "reshape", {x}, {shape});
}

Value permute(Builder& builder, Value x, const std::vector<std::int64_t>& axes) {
    return std::ranges::is_sorted(axes) ? x : node(builder, "permute_dims", {x}, {to_dims(axes)});
}

Value move_axis(Builder& builder, Value x, std::int64_t from, std::int64_t to) {
    std::vector<std::int64_t> axes;
    for (std::size_t axis = 0; axis < builder.type(x).rank(); ++axis) {
        if (static_cast<std::int64_t>(axis) != from) axes.push_back(static_cast<std::int64_t>(axis));
    }
    axes.insert(axes.begin() + to, from);
    return permute(builder, x, axes);
}

Value expand_at(Builder& builder, Value x, const std::vector<std::int64_t>& positions) {
    return positions.empty() ? x : node(builder, "expand_dims", {x}, {to_dims(positions)});
}

Value squeeze_at(Builder& builder, Value x, const std::vector<std::int64_t>& axes) {
    return axes.empty() ? x : node(builder, "squeeze", {x}, {to_dims(axes)});
}

Value flip_axes(Builder& builder, Value x, const std::vector<std::int64_t>& axes) {
    return axes.empty() ? x : node(builder, "flip", {x}, {to_dims(axes)});
}

Value slice_axis(Builder& builder, Value x, std::int64_t axis, Dim start, Dim length, std::int64_t step) {
    const Dims& shape = builder.type(x).shape;
    const auto at = static_cast<std::size_t>(axis);
    if (start == Dim(0) && step == 1 && length == shape[at]) return x;
    Dims starts(shape.size(), 0), lengths = shape, steps(shape.size(), 1);
    starts[at] = start;
    lengths[at] = length;
    steps[at] = step;
    return node(builder, "slice", {x}, {starts, lengths, steps});
}

Value concat_values(Builder& builder, std::vector<Value> values, std::int64_t axis) {
    if (values.size() == 1) return values[0];
    return node(builder, "concat", promote_values(builder, std::move(values)), {axis});
}

Value stack_values(Builder& builder, std::vector<Value> values, std::int64_t axis) {
    std::vector<TensorType> types;
    for (const Value value : values) types.push_back(builder.type(value));
    const DType dtype = promote_types(types).dtype;
    for (Value& value : values) value = cast(builder, value, dtype);
    const BoundArgument list{values, {}, true};
    const BoundArgument place{Dim(axis), {}, true};
    const Op& stack = op_named("stack");
    return stack.lower(builder, BuiltinCall(stack, {list, place}, {})).values[0];
}

Value iota_values(Builder& builder, const Dims& shape, std::int64_t axis, DType dtype) {
    // Made along the one axis; the others are strides of 0.
    const Dims line{shape[static_cast<std::size_t>(axis)]};
    Value values = node(builder, "iota", {}, {line, std::int64_t{0}, dtype});
    if (shape.size() == 1) return values;
    Dims aligned(shape.size() - static_cast<std::size_t>(axis), 1);
    aligned[0] = line[0];
    return broadcast_to(builder, reshape_to(builder, values, aligned), shape);
}

Value index_values(Builder& builder, Value indices) {
    const TensorType type = builder.type(indices);
    const bool no_positions = is_floating(type.dtype) && type.shape == Dims{0}; // `[]` has no element to be whole
    if (!is_integer(type.dtype) && !no_positions) {
        Diagnostic diagnostic = error("E308", "an index must be of whole numbers, not `" + std::string(name_of(type.dtype)) + "`");
        if (type.dtype == DType::boolean) diagnostic.helps.push_back("to choose by a mask use where(mask, a, b), or compress(mask, x, size=n)");
        else diagnostic.helps.push_back("cast it, as in `i as i64`");
        throw UserError(std::move(diagnostic));
    }
    if (type.dtype == DType::u64 && !type.weak) {
        // Casting wraps: a huge index must not come out as a small negative one.
        const Value largest = builder.constant(Array::scalar(static_cast<std::uint64_t>(INT64_MAX)));
        indices = pointwise(builder, "minimum", {indices, largest});
    }
    return cast(builder, indices, DType::i64);
}

Value gather(Builder& builder, Value x, std::vector<Value> indices, const std::vector<std::int64_t>& axes, std::int64_t position) {
    indices = broadcast_values(builder, std::move(indices));
    std::vector<Value> operands{x};
    operands.insert(operands.end(), indices.begin(), indices.end());
    return node(builder, "index_gather", std::move(operands), {to_dims(axes), position, false});
}

Value take_along(Builder& builder, Value x, Value indices, std::int64_t axis) {
    const Dims shape = builder.type(x).shape, wanted = builder.type(indices).shape;
    Dims others = shape, chosen = wanted; // the axes that broadcast against each other
    others[static_cast<std::size_t>(axis)] = 1;
    chosen[static_cast<std::size_t>(axis)] = 1;
    Dims common = broadcast_shapes(std::vector{others, chosen});
    common[static_cast<std::size_t>(axis)] = wanted[static_cast<std::size_t>(axis)];
    std::vector<Value> positions;
    std::vector<std::int64_t> axes;
    for (std::size_t i = 0; i < shape.size(); ++i) {
        axes.push_back(static_cast<std::int64_t>(i));
        if (axes.back() == axis) positions.push_back(broadcast_to(builder, indices, common));
        else if (shape[i] == Dim(1)) positions.push_back(broadcast_to(builder, scalar(builder, std::int64_t{0}, DType::i64), common));
        else positions.push_back(iota_values(builder, common, axes.back(), DType::i64));
    }
    return gather(builder, x, std::move(positions), axes, 0);
}

std::vector<Value> values_of_argument(Builder& builder, const BuiltinCall& call, std::size_t i) {
    const auto& value = call.argument(i).value;
    if (const auto* one = std::get_if<Value>(&value)) return {*one};
    if (const auto* several = std::get_if<std::vector<Value>>(&value)) return *several;
    if (const auto* number = std::get_if<Dim>(&value)) return {builder.constant(*number)};
    if (const auto* numbers = std::get_if<Dims>(&value)) {
        std::vector<Value> values;
        for (const Dim& each : *numbers) values.push_back(builder.constant(each));
        return values;
    }
    call.fail(i, error("E308", "whole numbers are wanted here"));
}

Value tensor_or(Builder& builder, const BuiltinCall& call, std::size_t i, std::int64_t default_number) {
    const auto& value = call.argument(i).value;
    if (const auto* one = std::get_if<Value>(&value)) return *one;
    if (const auto* number = std::get_if<Dim>(&value)) return builder.constant(*number);
    if (const auto* real = std::get_if<double>(&value)) return builder.constant(Array::scalar(*real), true);
    return builder.constant(Dim(default_number));
}

void copy_in_parts(Parallel* parallel, const View& from, const View& to) {
    std::size_t axis = 0; // the first that can be cut
    while (axis < from.rank() && from.shape[axis] == 1) ++axis;
    if (parallel == nullptr || axis == from.rank()) return copy_elements(from, to);
    const std::int64_t extent = from.shape[axis];
    const auto part_of = [axis](const View& whole, std::int64_t begin, std::int64_t end) {
        View part = whole;
        part.data += begin * whole.strides[axis] * static_cast<std::int64_t>(size_of(whole.dtype));
        part.shape[axis] = end - begin;
        return part;
    };
    run_in_parts(parallel, extent, grain_for(from.size() / std::max<std::int64_t>(extent, 1), 1 << 16),
                 [&](std::int64_t begin, std::int64_t end) { copy_elements(part_of(from, begin, end), part_of(to, begin, end)); });
}

} // namespace vmaprun
