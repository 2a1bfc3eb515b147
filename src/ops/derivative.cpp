#include "ops/derivative.hpp"

#include "ops/pointwise.hpp"
#include "ops/reduction.hpp"

namespace vmaprun {

Formula apply(std::string_view row, std::initializer_list<Formula> operands) {
    std::vector<Value> values;
    for (const Formula& operand : operands) values.push_back(operand.value);
    Builder& builder = *operands.begin()->builder;
    return {&builder, pointwise(builder, row, std::move(values))};
}

Formula number_like(Formula x, double number) {
    Builder& builder = *x.builder;
    const TensorType& type = builder.type(x.value);
    const Value literal = builder.constant(Array::scalar(number), true);
    return {x.builder, type.weak || !differentiable(type.dtype) ? literal : cast(builder, literal, type.dtype)};
}

Value zeros_of(Builder& builder, DType dtype, const Dims& shape) { return broadcast_to(builder, builder.constant(Array::zeros(dtype, {})), shape); }

Value zeros_like(Builder& builder, Value value) {
    const TensorType type = builder.type(value);
    return broadcast_to(builder, builder.constant(Array::zeros(type.dtype, {}), type.weak), type.shape);
}

Value add_cotangents(Builder& builder, Value a, Value b) {
    if (!a || !b) return a ? a : b;
    // With a negated one a difference: the same bits for one operation less.
    const auto negated = [&](Value value) { return builder.maker(value).op->name() == "negative" ? builder.maker(value).operands[0] : Value{}; };
    if (const Value taken = negated(b)) return pointwise(builder, "subtract", {a, taken});
    if (const Value taken = negated(a)) return pointwise(builder, "subtract", {b, taken});
    return pointwise(builder, "add", {a, b});
}

namespace {

// A number, broadcast or not.
bool is_everywhere(const Builder& builder, Value value, double number) {
    while (builder.made_by(value).op->name() == "broadcast_to") value = builder.made_by(value).operands[0];
    return constant_number(builder, value) == number;
}

} // namespace

Value scaled(Builder& builder, Value cotangent, Value slope) {
    const TensorType type = builder.type(cotangent);
    if (type.shape.empty() && type == builder.type(slope) && !is_complex(type.dtype)) { // what begins a gradient is 1
        const auto number = constant_number(builder, cotangent);
        if (number == 1.0) return slope;
        if (number == -1.0) return pointwise(builder, "negative", {slope});
    }
    if (const Node& made = builder.maker(slope); made.op->name() == "where" && is_everywhere(builder, made.operands[1], 1) && is_everywhere(builder, made.operands[2], 0)) {
        return pointwise(builder, "where", {made.operands[0], cotangent, zeros_like(builder, cotangent)}); // no slope is made
    }
    return pointwise(builder, "multiply", {cotangent, slope});
}

Value sum_over_lane(Builder& builder, Value value, LaneId lane) {
    if (has_lane(builder.lanes(value), lane)) return reduce(builder, "sum", builder.unlane(value, lane, 0), {0}, false);
    const Dim size = builder.program().lanes[lane].size;
    if (size == Dim(1)) return value;
    return pointwise(builder, "multiply", {value, cast(builder, builder.constant(size), builder.type(value).dtype)});
}

std::vector<std::int64_t> inverse_of(const std::vector<std::int64_t>& axes) {
    std::vector<std::int64_t> inverse(axes.size());
    for (std::size_t i = 0; i < axes.size(); ++i) inverse[static_cast<std::size_t>(axes[i])] = static_cast<std::int64_t>(i);
    return inverse;
}

} // namespace vmaprun
