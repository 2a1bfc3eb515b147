#include "ops/derivative.hpp"

#include "ops/reduction.hpp"

namespace vmaprun {

Formula apply(std::string_view row, std::initializer_list<Formula> operands) {
    std::vector<Value> values;
    for (const Formula& operand : operands) values.push_back(operand.value);
    Builder& builder = *operands.begin()->builder;
    return {&builder, pointwise(builder, row, std::move(values))};
}

Formula number_like(Formula x, double number) { return {x.builder, x.builder->constant(Array::scalar(number), true)}; }

Value zeros_of(Builder& builder, DType dtype, const Dims& shape) { return broadcast_to(builder, builder.constant(Array::zeros(dtype, {})), shape); }

Value zeros_like(Builder& builder, Value value) {
    const TensorType type = builder.type(value);
    return broadcast_to(builder, builder.constant(Array::zeros(type.dtype, {}), type.weak), type.shape);
}

Value add_cotangents(Builder& builder, Value a, Value b) {
    if (!a || !b) return a ? a : b;
    return pointwise(builder, "add", {a, b});
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
