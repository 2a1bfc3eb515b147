#include "ir/structural.hpp"

namespace vmaprun {
namespace {

std::vector<TensorType> constant_type(std::span<const TensorType>, const Attributes& attributes) {
    const auto& array = std::get<std::shared_ptr<const Array>>(attributes[0]);
    return {{array->dtype(), Dims(array->shape().begin(), array->shape().end())}};
}

std::vector<TensorType> lane_type(std::span<const TensorType> operands, const Attributes& attributes) {
    TensorType type = operands[0];
    type.shape.erase(type.shape.begin() + std::get<std::int64_t>(attributes[0]));
    return {type};
}

std::vector<TensorType> same_type(std::span<const TensorType> operands, const Attributes&) { return {operands[0]}; }

bool same_view(const Node&, std::size_t, const View& operand, View& result) {
    result.data = operand.data;
    result.strides = operand.strides;
    return true;
}

std::vector<Value> same_cotangent(const Primal&, std::span<const Value> cotangents, const std::vector<bool>&) { return {cotangents[0]}; }

std::optional<AlongAxis> same_axis(std::span<const TensorType>, const Attributes& attributes, std::size_t axis) {
    return AlongAxis{{static_cast<std::int64_t>(axis)}, attributes};
}

} // namespace

const Op constant_op{.signature = "constant", .family = Family::creation, .type = constant_type, .derivative = Derivative::none()};
const Op parameter_op{.signature = "parameter", .family = Family::creation, .derivative = Derivative::none()};
const Op lane_op{.signature = "lane", .family = Family::movement, .type = lane_type, .derivative = Derivative::structural()};
const Op unlane_op{.signature = "unlane", .family = Family::movement, .derivative = Derivative::structural()};
const Op opaque_op{.signature = "opaque", .family = Family::movement, .type = same_type, .independence = same_axis, .view = same_view, .derivative = Derivative::linear(same_cotangent)};
const Op lane_index_op{.signature = "lane_index", .family = Family::creation, .derivative = Derivative::none()};

} // namespace vmaprun
