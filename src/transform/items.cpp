#include "transform/items.hpp"

#include <algorithm>

#include "ir/structural.hpp"
#include "transform/loops.hpp"
#include "transform/replay.hpp"

namespace vmaprun {
namespace {

class ItemMapper {
  public:
    ItemMapper(const std::shared_ptr<Graph>& graph, const std::vector<bool>& inputs) : graph_(graph), comes_(graph->values.size(), false) {
        for (std::size_t i = 0; i < inputs.size(); ++i) comes_[graph->inputs[i].index] = inputs[i];
        for (const Node& node : graph->nodes) {
            if (is(node, parameter_op)) continue;
            const bool comes = std::ranges::any_of(node.operands, [&](Value operand) { return comes_[operand.index]; });
            for (const std::uint32_t result : node.results) comes_[result] = comes;
        }
    }

    std::shared_ptr<Graph> run() const {
        if (std::ranges::none_of(graph_->nodes, [&](const Node& node) { return is_map(node); })) return graph_;
        Builder builder(graph_->program);
        Replay again(builder, *graph_, 0);
        again.add_inputs();
        for (const Node& node : graph_->nodes) {
            if (is_map(node)) map(builder, again, node);
            else again.add(node);
        }
        return builder.finish(again.outputs());
    }

  private:
    // Forward only: its faults are met in the order of its lanes.
    bool is_map(const Node& node) const {
        if (node.op != &scan_op || !node.lanes.empty() || node.boolean(2)) return false;
        const LoopParts parts = parts_of(node);
        const Graph& body = *node.bodies[0];
        if (parts.carries > 0 || parts.xs == 0 || std::ranges::none_of(node.operands, [&](Value operand) { return comes_[operand.index]; })) return false;
        for (std::size_t i = 0; i < node.results.size(); ++i) {
            if (body.type(body.outputs[i]).weak != graph_->values[node.results[i]].type.weak) return false;
        }
        return true;
    }

    void map(Builder& builder, Replay& again, const Node& node) const {
        const Graph& body = *node.bodies[0];
        const std::size_t items = parts_of(node).xs;
        std::vector<Value> inputs, outputs;
        {
            const PlaceOf place(builder, node, 0, Builder::PlaceAs::derived);
            LaneAxis axis;
            axis.size = graph_->type(node.operands[0]).shape[0];
            axis.span = node.origin ? node.origin->span : Span{};
            axis.is_item = true;
            const LaneId lane = builder.new_lane(std::move(axis));
            builder.push_nesting({Nesting::Kind::lane, lane});
            for (std::size_t i = 0; i < node.operands.size(); ++i) {
                const Value operand = again.at(node.operands[i]);
                inputs.push_back(i < items ? builder.lane(operand, lane, 0) : operand);
            }
            for (const Value output : replay(builder, body, Replay::depth_of_bodies(node), inputs)) outputs.push_back(builder.unlane(output, lane, 0));
            builder.pop_nesting();
        }
        for (std::size_t i = 0; i < outputs.size(); ++i) again.set(graph_->result(node, i), outputs[i]);
    }

    const std::shared_ptr<Graph>& graph_;
    std::vector<bool> comes_; // from one of the inputs
};

} // namespace

std::shared_ptr<Graph> map_items(const std::shared_ptr<Graph>& graph, const std::vector<bool>& inputs) { return ItemMapper(graph, inputs).run(); }

} // namespace vmaprun
