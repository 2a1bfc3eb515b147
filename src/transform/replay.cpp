#include "transform/replay.hpp"

#include <algorithm>

#include "ir/structural.hpp"

namespace vmaprun {

std::size_t own_operands(const Node& node) { return first_capture(node, 0); }

std::size_t first_capture(const Node& node, std::size_t body) {
    std::size_t first = node.operands.size();
    for (std::size_t b = body; b < node.bodies.size(); ++b) first -= node.bodies[b]->captured.size();
    return first;
}

std::vector<TensorType> result_types(const Graph& graph, const Node& node) {
    std::vector<TensorType> types;
    for (const std::uint32_t result : node.results) types.push_back(graph.values[result].type);
    return types;
}

std::vector<Lanes> result_lanes(const Graph& graph, const Node& node) {
    std::vector<Lanes> lanes;
    for (const std::uint32_t result : node.results) lanes.push_back(graph.values[result].lanes);
    return lanes;
}

Replay::Replay(Builder& builder, const Graph& graph, std::size_t depth, Effects effects)
    : builder_(builder), graph_(graph), depth_(depth), effects_(effects), values_(graph.values.size()) {}

void Replay::set_inputs(std::span<const Value> arguments) {
    for (std::size_t i = 0; i < graph_.inputs.size(); ++i) set(graph_.inputs[i], arguments[i]);
}

void Replay::add_inputs() {
    for (const Value input : graph_.inputs) set(input, builder_.parameter(graph_.type(input), graph_.lanes(input), std::get<std::string>(graph_.maker(input).attributes[0])));
}

std::vector<Value> Replay::at(std::span<const Value> values) const {
    std::vector<Value> result;
    for (const Value value : values) result.push_back(at(value));
    return result;
}

void Replay::add(const Node& node) {
    if (is(node, parameter_op)) return;
    if (is(node, constant_op)) return set(graph_.result(node), builder_.copy_constant(graph_, graph_.result(node)));
    if (effects_ == Effects::drop && node.op->effect == Effect::visible) return;
    if (!node.bodies.empty()) return add_control(node);
    const PlaceOf place(builder_, node, depth_, Builder::PlaceAs::itself);
    const auto lane = [&] { return static_cast<LaneId>(node.integer(1)); };
    if (is(node, lane_op)) return set(graph_.result(node), builder_.lane(at(node.operands[0]), lane(), node.integer(0)));
    if (is(node, unlane_op)) return set(graph_.result(node), builder_.unlane(at(node.operands[0]), lane(), node.integer(0)));
    if (is(node, lane_index_op)) return set(graph_.result(node), builder_.lane_index(static_cast<LaneId>(node.integer(0)), node.attributes.size() > 1));
    const std::vector<Value> results = builder_.add_all(*node.op, at(node.operands), node.attributes);
    for (std::size_t i = 0; i < results.size(); ++i) set(graph_.result(node, i), results[i]);
}

void Replay::add_control(const Node& node) {
    const PlaceOf place(builder_, node, depth_, Builder::PlaceAs::derived);
    std::vector<std::shared_ptr<Graph>> bodies;
    for (std::size_t b = 0; b < node.bodies.size(); ++b) {
        const Graph& body = *node.bodies[b];
        const std::size_t captures = first_capture(node, b), own = body.inputs.size() - body.captured.size();
        NewBody open(builder_, node.sequence);
        std::vector<Value> inputs;
        for (std::size_t i = 0; i < own; ++i) inputs.push_back(builder_.parameter(body.type(body.inputs[i]), body.lanes(body.inputs[i])));
        for (std::size_t i = 0; i < body.captured.size(); ++i) inputs.push_back(at(node.operands[captures + i]));
        bodies.push_back(open.finish(replay(builder_, body, depth_of_bodies(node), inputs, effects_)));
    }
    std::vector<Value> operands = at(node.operands);
    operands.resize(own_operands(node));
    const std::vector<Value> results = builder_.add_control(*node.op, std::move(operands), node.attributes, std::move(bodies), result_types(graph_, node), result_lanes(graph_, node), node.sequence);
    for (std::size_t i = 0; i < results.size(); ++i) set(graph_.result(node, i), results[i]);
}

std::vector<Value> replay(Builder& builder, const Graph& graph, std::size_t depth, std::span<const Value> arguments, Effects effects) {
    Replay again(builder, graph, depth, effects);
    again.set_inputs(arguments);
    for (const Node& node : graph.nodes) again.add(node);
    return again.outputs();
}

} // namespace vmaprun
