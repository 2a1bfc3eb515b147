#include "transform/copying.hpp"

#include <algorithm>
#include <optional>

#include "ir/op.hpp"
#include "ir/structural.hpp"
#include "ops/lowering.hpp"

namespace vmaprun {
namespace {

bool looks_at(const Graph& graph, Value value, const std::vector<bool>& inputs) {
    while (is_view(graph.maker(value))) value = graph.maker(value).operands[0];
    const auto input = std::ranges::find(graph.inputs, value);
    return input != graph.inputs.end() && inputs[static_cast<std::size_t>(input - graph.inputs.begin())];
}

// A node like `like`, at its place in the script, with one operand and a result of that type.
Value add_after(Graph& graph, const Node& like, const Op& op, Value operand, Attributes attributes, Lanes node_lanes, ValueInfo result) {
    Node node;
    node.op = &op;
    node.operands = {operand};
    node.attributes = std::move(attributes);
    node.lanes = std::move(node_lanes);
    node.origin = like.origin;
    node.nesting = like.nesting;
    node.sequence = like.sequence;
    const auto index = static_cast<std::uint32_t>(graph.values.size());
    node.results = {index};
    result.node = static_cast<std::uint32_t>(graph.nodes.size());
    result.output = 0;
    graph.values.push_back(std::move(result));
    graph.nodes.push_back(std::move(node));
    return {graph.id, index};
}

Value copied(Graph& graph, Value value) {
    const Node like = graph.maker(value);
    return add_after(graph, like, *find_op("cast"), value, {graph.type(value).dtype}, graph.lanes(value), graph.info(value));
}

} // namespace

std::shared_ptr<Graph> copy_looks(const std::shared_ptr<Graph>& graph, const std::vector<bool>& inputs) {
    auto result = std::make_shared<Graph>(*graph);
    bool any = false;
    for (Value& output : result->outputs) {
        if (!looks_at(*graph, output, inputs) || graph->type(output).dtype == DType::key) continue;
        any = true;
        const Node leaves = graph->maker(output);
        if (!is(leaves, unlane_op)) output = copied(*result, output);
        else output = add_after(*result, leaves, unlane_op, copied(*result, leaves.operands[0]), leaves.attributes, leaves.lanes, graph->info(output));
    }
    return any ? result : graph;
}

} // namespace vmaprun
