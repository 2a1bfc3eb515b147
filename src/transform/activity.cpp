#include "transform/activity.hpp"

#include <algorithm>

#include "ops/control.hpp"
#include "ops/derivative.hpp"
#include "transform/loops.hpp"
#include "transform/replay.hpp"

namespace vmaprun {

Activity::Activity(const Graph& graph, const std::vector<bool>& inputs) : graph_(graph), active_(graph.values.size(), false) {
    for (std::size_t i = 0; i < graph.inputs.size(); ++i) active_[graph.inputs[i].index] = inputs[i] && differentiable(graph.type(graph.inputs[i]).dtype);
    for (const Node& node : graph.nodes) visit(node);
}

std::vector<bool> Activity::at(const std::vector<Value>& values) const {
    std::vector<bool> result;
    for (const Value value : values) result.push_back(at(value));
    return result;
}

bool Activity::any_result(const Node& node) const {
    return std::ranges::any_of(node.results, [&](std::uint32_t result) { return active_[result]; });
}

void Activity::visit(const Node& node) {
    if (std::ranges::none_of(node.operands, [&](Value operand) { return at(operand); })) return;
    if (!node.bodies.empty()) return visit_control(node);
    if (node.op->derivative.kind == Derivative::Kind::none) return;
    for (const std::uint32_t result : node.results) active_[result] = differentiable(graph_.values[result].type.dtype);
}

void Activity::visit_control(const Node& node) {
    const std::vector<bool> operands = at(node.operands);
    std::vector<bool> results(node.results.size(), false);
    if (is_loop(node)) {
        const LoopActivity loop = loop_activity(node, operands);
        results.assign(loop.outputs.begin(), loop.outputs.end());
        std::copy(loop.carries.begin(), loop.carries.end(), results.begin());
    } else {
        for (std::size_t b = 0; b < node.bodies.size(); ++b) {
            const auto first = operands.begin() + static_cast<std::ptrdiff_t>(first_capture(node, b));
            const Activity branch(*node.bodies[b], {first, first + static_cast<std::ptrdiff_t>(node.bodies[b]->captured.size())});
            const std::vector<bool> outputs = branch.at(node.bodies[b]->outputs);
            for (std::size_t i = 0; i < results.size(); ++i) results[i] = results[i] || outputs[i];
        }
    }
    for (std::size_t i = 0; i < results.size(); ++i) active_[node.results[i]] = results[i];
}

LoopActivity loop_activity(const Node& node, const std::vector<bool>& operands) {
    const LoopParts parts = parts_of(node);
    const Graph& body = *node.bodies.back();
    LoopActivity loop;
    loop.inputs.assign(body.inputs.size(), false);
    for (std::size_t i = 0; i < parts.carries; ++i) loop.inputs[parts.first_input + i] = operands[parts.first_carry + i];
    for (std::size_t i = 0; i < parts.xs; ++i) loop.inputs[parts.first_x_input + i] = operands[parts.first_x + i];
    const std::size_t captures = first_capture(node, node.bodies.size() - 1), first = body.inputs.size() - body.captured.size();
    for (std::size_t i = 0; i < body.captured.size(); ++i) loop.inputs[first + i] = operands[captures + i];
    for (bool grown = true; grown;) {
        grown = false;
        loop.outputs = Activity(body, loop.inputs).at(body.outputs);
        for (std::size_t i = 0; i < parts.carries; ++i) {
            if (!loop.outputs[i] || loop.inputs[parts.first_input + i]) continue;
            loop.inputs[parts.first_input + i] = grown = true;
        }
    }
    for (std::size_t i = 0; i < parts.carries; ++i) loop.carries.push_back(loop.inputs[parts.first_input + i] && differentiable(body.type(body.inputs[parts.first_input + i]).dtype));
    return loop;
}

} // namespace vmaprun
