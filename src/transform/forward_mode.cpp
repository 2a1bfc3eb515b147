#include "transform/forward_mode.hpp"

#include <algorithm>

#include "ir/structural.hpp"
#include "ops/derivative.hpp"
#include "transform/loops.hpp"

namespace vmaprun {

void check_derivative(const Builder& builder, const Node& node, Value value, const TensorType& type) {
    if (!value) return;
    const TensorType& own = builder.type(value);
    bool fits = own.dtype == type.dtype && own.rank() == type.rank();
    for (std::size_t i = 0; fits && i < type.rank(); ++i) fits = !surely_different(own.shape[i], type.shape[i]);
    if (!fits) throw InternalError("derivative of " + std::string(node.op->name()) + ": " + own.text() + " for a value of " + type.text());
}

Value present(Builder& builder, Value tangent, const TensorType& type) {
    return tangent ? tangent : broadcast_to(builder, builder.constant(Array::zeros(type.dtype, {}), type.weak), type.shape);
}

ForwardMode::ForwardMode(Builder& builder, const Graph& graph, std::size_t depth, Effects effects)
    : builder_(builder), graph_(graph), again_(builder, graph, depth, effects), tangents_(graph.values.size()) {}

std::vector<Value> ForwardMode::tangents_of(std::span<const Value> values) const {
    std::vector<Value> tangents;
    for (const Value value : values) tangents.push_back(tangents_[value.index]);
    return tangents;
}

void ForwardMode::run(std::span<const Value> arguments, std::span<const Value> tangents) {
    again_.set_inputs(arguments);
    for (std::size_t i = 0; i < tangents.size(); ++i) tangents_[graph_.inputs[i].index] = tangents[i];
    for (const Node& node : graph_.nodes) add(node);
}

void ForwardMode::add(const Node& node) {
    const std::vector<Value> tangents = tangents_of(node.operands);
    const bool active = std::ranges::any_of(tangents, [](Value tangent) { return static_cast<bool>(tangent); });
    if (active && is_loop(node)) return add_loop(node, tangents);
    if (active && !node.bodies.empty()) return add_branches(node, tangents);
    again_.add(node);
    if (!active || node.results.empty()) return;
    const PlaceOf place(builder_, node, again_.depth(), Builder::PlaceAs::derived);
    const std::vector<Value> results = at_place_of(node, [&] { return rule(node, tangents); });
    for (std::size_t i = 0; i < results.size(); ++i) {
        check_derivative(builder_, node, results[i], graph_.values[node.results[i]].type);
        tangents_[node.results[i]] = results[i];
    }
}

namespace {

std::vector<Value> linear_tangents(const Primal& at, std::span<const Value> tangents) {
    std::vector<Value> operands(at.operands.begin(), at.operands.end());
    for (std::size_t i = 0; i < operands.size(); ++i) {
        if (differentiable(at.builder.type(operands[i]).dtype)) operands[i] = tangents[i] ? tangents[i] : zeros_like(at.builder, operands[i]);
    }
    return at.builder.add_all(*at.node.op, std::move(operands), at.node.attributes);
}

std::vector<Value> multilinear_tangents(const Primal& at, std::span<const Value> tangents) {
    std::vector<Value> sums(at.results.size());
    for (std::size_t i = 0; i < tangents.size(); ++i) {
        if (!tangents[i]) continue;
        std::vector<Value> operands(at.operands.begin(), at.operands.end());
        operands[i] = tangents[i];
        const std::vector<Value> part = at.builder.add_all(*at.node.op, std::move(operands), at.node.attributes);
        for (std::size_t k = 0; k < sums.size(); ++k) sums[k] = add_cotangents(at.builder, sums[k], part[k]);
    }
    return sums;
}

std::vector<Value> pointwise_tangents(const Primal& at, std::span<const Value> tangents) {
    Value sum;
    for (std::size_t i = 0; i < tangents.size(); ++i) {
        if (!tangents[i] || at.node.op->derivative.partials[i] == nullptr) continue;
        const Value slope = at.node.op->derivative.partials[i](at.builder, at.operands, at.results[0]);
        sum = add_cotangents(at.builder, sum, scaled(at.builder, tangents[i], slope));
    }
    return {sum};
}

} // namespace

std::vector<Value> ForwardMode::rule(const Node& node, const std::vector<Value>& tangents) {
    if (is(node, lane_op)) return {builder_.lane(tangents[0], static_cast<LaneId>(node.integer(1)), node.integer(0))};
    if (is(node, unlane_op)) return {builder_.unlane(tangents[0], static_cast<LaneId>(node.integer(1)), node.integer(0))};
    std::vector<Value> results;
    for (std::size_t i = 0; i < node.results.size(); ++i) results.push_back(again_.at(graph_.result(node, i)));
    const std::vector<Value> operands = again_.at(node.operands);
    const Primal at{builder_, node, operands, results};
    switch (node.op->derivative.kind) {
    case Derivative::Kind::none: return {};
    case Derivative::Kind::pointwise: return pointwise_tangents(at, tangents);
    case Derivative::Kind::linear: return linear_tangents(at, tangents);
    case Derivative::Kind::multilinear: return multilinear_tangents(at, tangents);
    case Derivative::Kind::rules: return node.op->derivative.jvp(at, tangents);
    default: throw InternalError("derivative: the row of " + std::string(node.op->name()) + " has none");
    }
}

Linearized jvp(Builder& builder, const TracedFunction& function, std::span<const Value> arguments, std::span<const Value> tangents, Effects effects) {
    std::vector<Value> inputs(arguments.begin(), arguments.end());
    inputs.insert(inputs.end(), function.graph->captured.begin(), function.graph->captured.end());
    ForwardMode mode(builder, *function.graph, function.depth, effects);
    mode.run(inputs, tangents);
    return {mode.values(), mode.tangents()};
}

} // namespace vmaprun
