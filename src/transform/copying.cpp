#include "transform/copying.hpp"

#include <algorithm>

#include "ir/op.hpp"
#include "ir/structural.hpp"
#include "transform/replay.hpp"
#include "ops/lowering.hpp"
#include "transform/pass.hpp"

namespace vmaprun {
namespace {

bool looks_at(const Graph& graph, Value value, const std::vector<bool>& inputs) {
    while (is_view(graph.maker(value))) value = graph.maker(value).operands[0];
    const auto input = std::ranges::find(graph.inputs, value);
    return input != graph.inputs.end() && inputs[static_cast<std::size_t>(input - graph.inputs.begin())];
}

Value copied(Graph& graph, Value value) {
    const Lanes lanes = graph.lanes(value);
    return add_beside(graph, graph.maker(value), *find_op("cast"), value, {graph.type(value).dtype}, lanes, graph.type(value), lanes);
}

} // namespace

std::shared_ptr<Graph> copy_looks(const std::shared_ptr<Graph>& graph, const std::vector<bool>& inputs) {
    auto result = std::make_shared<Graph>(*graph);
    bool any = false;
    for (Value& output : result->outputs) {
        if (!looks_at(*graph, output, inputs) || graph->type(output).dtype == DType::key) continue;
        any = true;
        const Node& leaves = graph->maker(output);
        if (!is(leaves, unlane_op)) output = copied(*result, output);
        else output = add_beside(*result, leaves, unlane_op, copied(*result, leaves.operands[0]), leaves.attributes, leaves.lanes, graph->type(output), graph->lanes(output));
    }
    return any ? result : graph;
}

std::shared_ptr<Graph> copy_slices(const std::shared_ptr<Graph>& graph, std::size_t input) {
    const Value slices = graph->inputs[input];
    const TensorType& type = graph->type(slices);
    if (type.rank() == 0 || type.dtype == DType::key || !graph->lanes(slices).empty()) return nullptr;
    Builder builder(graph->program);
    Replay again(builder, *graph, 0);
    again.add_inputs();
    const PlaceOf place(builder, graph->maker(slices), 0, Builder::PlaceAs::derived);
    const auto entered = std::ranges::find_if(graph->nodes, [&](const Node& node) { return is(node, lane_op) && node.operands[0] == slices && node.integer(0) == 0; });
    LaneAxis axis;
    axis.size = type.shape[0];
    axis.is_cut = true;
    const LaneId lane = entered != graph->nodes.end() ? static_cast<LaneId>(entered->integer(1)) : builder.new_lane(std::move(axis));
    again.set(slices, builder.unlane(builder.add(*find_op("cast"), {builder.lane(again.at(slices), lane, 0)}, {type.dtype}), lane, 0));
    for (const Node& node : graph->nodes) again.add(node);
    return builder.finish(again.outputs());
}

} // namespace vmaprun
