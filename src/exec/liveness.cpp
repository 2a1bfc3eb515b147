#include "exec/liveness.hpp"

#include <algorithm>

#include "base/error.hpp"
#include "exec/segments.hpp"
#include "ir/op.hpp"
#include "ir/structural.hpp"
#include "ops/control.hpp"

namespace vmaprun {
namespace {

// Finds what of one control node is needed: plans its bodies and says which operands they want.
class ControlNeeds {
  public:
    ControlNeeds(const GraphPlan& plan, const Node& node, Planning planning) : plan_(plan), node_(node), planning_(planning) {
        for (const std::uint32_t result : node.results) results_.push_back(plan.needed[result]);
        std::size_t captures = 0;
        for (const auto& body : node.bodies) captures += body->captured.size();
        own_ = node.operands.size() - captures;
        operands_.assign(node.operands.size(), false);
    }

    std::vector<GraphPlan> plans() {
        if (node_.op == &if_op || node_.op == &call_op) return branches();
        if (node_.op == &while_op) return repeated(0, 2, 0, own_);
        if (node_.op == &for_op) {
            operands_[0] = operands_[1] = true;
            return repeated(2, 1, 1, own_ - 2);
        }
        return repeated(0, 1, 0, static_cast<std::size_t>(node_.integer(0)));
    }
    const std::vector<bool>& operands() const { return operands_; }

  private:
    std::vector<GraphPlan> branches() {
        for (std::size_t i = 0; i < own_; ++i) operands_[i] = true;
        std::vector<GraphPlan> plans;
        for (const auto& body : node_.bodies) plans.push_back(make_plan(*body, results_, planning_));
        need_captures(plans);
        return plans;
    }

    // A loop: carries stand at operands_[first_operand...] and at the body's inputs [first_input...]. What of the carries a
    // body needs is needed from the iteration before as well.
    std::vector<GraphPlan> repeated(std::size_t first_operand, std::size_t bodies, std::size_t first_input, std::size_t carries) {
        for (;;) {
            std::vector<GraphPlan> plans;
            if (bodies == 2) plans.push_back(make_plan(*node_.bodies[0], {true}, planning_));
            plans.push_back(make_plan(*node_.bodies.back(), results_, planning_));
            bool grown = false;
            for (const GraphPlan& plan : plans) {
                for (std::size_t i = 0; i < carries; ++i) {
                    if (!plan.needed_inputs[first_input + i] || results_[i]) continue;
                    results_[i] = grown = true;
                }
            }
            if (grown) continue;
            for (std::size_t i = 0; i < carries; ++i) operands_[first_operand + i] = results_[i];
            // scan: what follows the carries are the xs.
            for (std::size_t i = carries; first_operand + i < own_; ++i) operands_[first_operand + i] = plans.back().needed_inputs[first_input + i];
            need_captures(plans);
            return plans;
        }
    }

    void need_captures(const std::vector<GraphPlan>& plans) {
        std::size_t operand = own_;
        for (std::size_t b = 0; b < node_.bodies.size(); ++b) {
            const std::size_t captured = node_.bodies[b]->captured.size();
            const std::size_t first = plans[b].needed_inputs.size() - captured;
            for (std::size_t i = 0; i < captured; ++i) operands_[operand++] = plans[b].needed_inputs[first + i];
        }
    }

    const GraphPlan& plan_;
    const Node& node_;
    Planning planning_;
    std::vector<bool> results_, operands_;
    std::size_t own_ = 0;
};

bool has_effects(const Node& node) {
    if (node.op->effect == Effect::visible) return true;
    return std::ranges::any_of(node.bodies, [](const auto& body) { return body->has_effects; });
}

// What scans collect for one mapped axis that is put behind the steps as soon as it is left (out_axes=1): whoever reads it
// wants the lanes of a step to be neighbours.
std::vector<std::uint32_t> taken_by_steps(const Graph& graph, std::span<const std::uint32_t> nodes) {
    std::vector<std::uint32_t> collected;
    for (const std::uint32_t n : nodes) {
        const Node& node = graph.nodes[n];
        if (node.op != &scan_op) continue;
        for (std::size_t i = static_cast<std::size_t>(node.integer(0)); i < node.results.size(); ++i) {
            if (graph.values[node.results[i]].lanes.size() == 1) collected.push_back(node.results[i]);
        }
    }
    for (const std::uint32_t n : nodes) {
        const Node& node = graph.nodes[n];
        const bool behind = is(node, unlane_op) && node.integer(0) >= 1;
        if (behind) continue;
        for (const Value operand : node.operands) std::erase(collected, operand.index);
    }
    for (const Value output : graph.outputs) std::erase(collected, output.index);
    return collected;
}

} // namespace

GraphPlan make_plan(const Graph& graph, std::vector<bool> outputs, Planning planning) {
    GraphPlan plan;
    plan.graph = &graph;
    plan.needed.assign(graph.values.size(), false);
    plan.needed_outputs = std::move(outputs);
    for (std::size_t i = 0; i < graph.outputs.size(); ++i) {
        if (plan.needed_outputs[i]) plan.needed[graph.outputs[i].index] = true;
    }
    std::vector<std::uint32_t> kept;
    for (std::size_t n = graph.nodes.size(); n-- > 0;) {
        const Node& node = graph.nodes[n];
        const bool wanted = std::ranges::any_of(node.results, [&](std::uint32_t result) { return plan.needed[result]; });
        if (!wanted && !has_effects(node)) continue;
        kept.push_back(static_cast<std::uint32_t>(n));
        if (node.bodies.empty()) {
            for (const Value operand : node.operands) plan.needed[operand.index] = true;
            continue;
        }
        ControlNeeds needs(plan, node, planning);
        plan.bodies.emplace(static_cast<std::uint32_t>(n), needs.plans());
        for (std::size_t i = 0; i < node.operands.size(); ++i) {
            if (needs.operands()[i]) plan.needed[node.operands[i].index] = true;
        }
    }
    for (const Value input : graph.inputs) plan.needed_inputs.push_back(plan.needed[input.index]);
    std::ranges::reverse(kept);
    plan.by_steps = taken_by_steps(graph, kept);
    plan.segments = make_segments(plan, kept, planning);
    for (Segment& segment : plan.segments) {
        for (Step& step : segment.steps) step.index = static_cast<std::uint32_t>(plan.step_count++);
    }
    for (const std::uint32_t n : kept) plan.is_total = plan.is_total && graph.nodes[n].op->effect == Effect::none;
    for (const auto& [node, bodies] : plan.bodies) {
        for (const GraphPlan& body : bodies) plan.is_total = plan.is_total && body.is_total;
    }
    return plan;
}

} // namespace vmaprun
