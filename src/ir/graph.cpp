#include "ir/graph.hpp"

#include <algorithm>

#include "base/error.hpp"
#include "ir/op.hpp"
#include "ir/structural.hpp"

namespace vmaprun {

std::string TensorType::text() const { return std::string(name_of(dtype)) + dims_text(shape); }

Lanes lanes_union(const Lanes& a, const Lanes& b) {
    Lanes all;
    std::set_union(a.begin(), a.end(), b.begin(), b.end(), std::back_inserter(all));
    return all;
}

bool has_lane(const Lanes& lanes, LaneId lane) { return std::binary_search(lanes.begin(), lanes.end(), lane); }

Lanes lanes_without(const Lanes& lanes, LaneId lane) {
    Lanes rest;
    std::ranges::copy_if(lanes, std::back_inserter(rest), [&](LaneId other) { return other != lane; });
    return rest;
}

bool lanes_subset(const Lanes& inner, const Lanes& outer) { return std::ranges::includes(outer, inner); }

namespace {

[[noreturn]] void broken(const Node& node, const std::string& what) {
    throw InternalError("graph: node " + std::string(node.op->name()) + ": " + what);
}

void verify_lanes(const Graph& graph, const Node& node) {
    Lanes expected;
    for (const Value operand : node.operands) expected = lanes_union(expected, graph.lanes(operand));
    const bool door = is(node, lane_op) || is(node, unlane_op) || is(node, lane_index_op) || is(node, parameter_op);
    if (!door && node.bodies.empty() && expected != node.lanes) broken(node, "its lanes are not those of its operands");
}

void verify_types(const Graph& graph, const Node& node) {
    if (node.op->type == nullptr || !node.bodies.empty() || node.results.empty()) return;
    std::vector<TensorType> operands;
    for (const Value operand : node.operands) operands.push_back(graph.type(operand));
    const std::vector<TensorType> expected = node.op->type(operands, node.attributes);
    for (std::size_t i = 0; i < expected.size(); ++i) {
        const TensorType& actual = graph.values[node.results[i]].type;
        if (actual.dtype != expected[i].dtype || actual.shape != expected[i].shape) broken(node, "result has type " + actual.text() + ", the rule gives " + expected[i].text());
    }
}

} // namespace

void verify(const Graph& graph) {
    std::vector<bool> made(graph.values.size(), false);
    for (const Node& node : graph.nodes) {
        for (const Value operand : node.operands) {
            if (operand.graph != graph.id || operand.index >= made.size() || !made[operand.index]) broken(node, "an operand is not made before");
        }
        verify_lanes(graph, node);
        verify_types(graph, node);
        for (const std::uint32_t result : node.results) made[result] = true;
        for (const auto& body : node.bodies) verify(*body);
    }
    for (const Value output : graph.outputs) {
        if (output.graph != graph.id || !made[output.index]) throw InternalError("graph: an output is not made");
    }
}

} // namespace vmaprun
