#include "transform/dead.hpp"

#include <algorithm>
#include <map>

#include "ir/op.hpp"
#include "transform/loops.hpp"
#include "transform/replay.hpp"

namespace vmaprun {
namespace {

using Flags = std::vector<bool>;

// What of one control node is needed: of its results, its operands, and of each body's inputs and outputs.
struct ControlNeeds {
    Flags results, operands;
    std::vector<Flags> inputs, outputs;
};

void need_captures(const Node& node, ControlNeeds& needs) {
    for (std::size_t b = 0; b < node.bodies.size(); ++b) {
        const std::size_t first = first_capture(node, b), own = node.bodies[b]->inputs.size() - node.bodies[b]->captured.size();
        for (std::size_t i = 0; i < node.bodies[b]->captured.size(); ++i) needs.operands[first + i] = needs.inputs[b][own + i];
    }
}

ControlNeeds needs_of_branches(const Node& node, Flags results) {
    ControlNeeds needs{std::move(results), Flags(node.operands.size(), false), {}, {}};
    for (std::size_t i = 0; i < own_operands(node); ++i) needs.operands[i] = true;
    for (const auto& body : node.bodies) {
        needs.outputs.push_back(needs.results);
        needs.inputs.push_back(needed_inputs(*body, needs.results));
    }
    need_captures(node, needs);
    return needs;
}

// What a body needs of the carries is needed from the step before as well.
ControlNeeds needs_of_loop(const Node& node, Flags results) {
    const LoopParts parts = parts_of(node);
    for (;;) {
        ControlNeeds needs{results, Flags(node.operands.size(), false), {}, {}};
        if (node.bodies.size() == 2) {
            needs.outputs.push_back({true});
            needs.inputs.push_back(needed_inputs(*node.bodies[0], needs.outputs[0]));
        }
        needs.outputs.push_back(results);
        needs.inputs.push_back(needed_inputs(*node.bodies.back(), results));
        bool grown = false;
        for (std::size_t b = 0; b < node.bodies.size(); ++b) {
            const std::size_t first = b + 1 == node.bodies.size() ? parts.first_input : 0;
            for (std::size_t i = 0; i < parts.carries; ++i) {
                if (results[i] || !needs.inputs[b][first + i]) continue;
                results[i] = grown = true;
            }
        }
        if (grown) continue;
        for (std::size_t i = 0; i < parts.first_carry; ++i) needs.operands[i] = true; // the ends of a range
        for (std::size_t i = 0; i < parts.first_input; ++i) needs.inputs.back()[i] = true;
        for (std::size_t i = 0; i < parts.carries; ++i) {
            needs.operands[parts.first_carry + i] = results[i];
            if (node.bodies.size() == 2) needs.inputs[0][i] = results[i];
            needs.inputs.back()[parts.first_input + i] = results[i];
        }
        for (std::size_t i = 0; i < parts.xs; ++i) needs.operands[parts.first_x + i] = needs.inputs.back()[parts.first_x_input + i];
        need_captures(node, needs);
        return needs;
    }
}

ControlNeeds needs_of(const Node& node, Flags results) { return is_loop(node) ? needs_of_loop(node, std::move(results)) : needs_of_branches(node, std::move(results)); }

// What is needed of a graph, value by value and node by node.
struct GraphNeeds {
    Flags values, nodes;
    std::map<std::size_t, ControlNeeds> controls; // by node
};

GraphNeeds needs_of(const Graph& graph, const Flags& outputs) {
    GraphNeeds needs{Flags(graph.values.size(), false), Flags(graph.nodes.size(), false), {}};
    for (std::size_t i = 0; i < outputs.size(); ++i) {
        if (outputs[i]) needs.values[graph.outputs[i].index] = true;
    }
    for (std::size_t n = graph.nodes.size(); n-- > 0;) {
        const Node& node = graph.nodes[n];
        Flags results;
        for (const std::uint32_t result : node.results) results.push_back(needs.values[result]);
        if (std::ranges::none_of(results, [](bool needed) { return needed; }) && !has_effect(node)) continue;
        needs.nodes[n] = true;
        Flags operands(node.operands.size(), true);
        if (!node.bodies.empty()) {
            ControlNeeds control = needs_of(node, results);
            operands = control.operands;
            needs.controls.emplace(n, std::move(control));
        }
        for (std::size_t i = 0; i < operands.size(); ++i) {
            if (operands[i]) needs.values[node.operands[i].index] = true;
        }
    }
    return needs;
}

template <class T> std::vector<T> chosen(const std::vector<T>& all, const Flags& flags) {
    std::vector<T> some;
    for (std::size_t i = 0; i < all.size(); ++i) {
        if (flags[i]) some.push_back(all[i]);
    }
    return some;
}

void prune_control(Node& node, const ControlNeeds& needs) {
    if (node.op == &scan_op) {
        const LoopParts parts = parts_of(node);
        const auto count = [](const Flags& flags, std::size_t first, std::size_t n) {
            return static_cast<std::int64_t>(std::count(flags.begin() + static_cast<std::ptrdiff_t>(first), flags.begin() + static_cast<std::ptrdiff_t>(first + n), true));
        };
        node.attributes[0] = count(needs.results, 0, parts.carries);
        node.attributes[1] = count(needs.operands, parts.first_x, parts.xs);
    }
    node.operands = chosen(node.operands, needs.operands);
    node.results = chosen(node.results, needs.results);
    for (std::size_t b = 0; b < node.bodies.size(); ++b) node.bodies[b] = pruned(*node.bodies[b], needs.inputs[b], needs.outputs[b]);
}

} // namespace

bool has_effect(const Node& node) {
    return node.op->effect == Effect::visible || std::ranges::any_of(node.bodies, [](const auto& body) { return body->has_effects; });
}

std::vector<bool> needed_inputs(const Graph& graph, const std::vector<bool>& outputs) {
    const GraphNeeds needs = needs_of(graph, outputs);
    Flags inputs;
    for (const Value input : graph.inputs) inputs.push_back(needs.values[input.index]);
    return inputs;
}

std::shared_ptr<Graph> pruned(const Graph& graph, const std::vector<bool>& inputs, const std::vector<bool>& outputs) {
    GraphNeeds needs = needs_of(graph, outputs);
    for (std::size_t i = 0; i < inputs.size(); ++i) {
        if (inputs[i]) needs.nodes[graph.info(graph.inputs[i]).node] = true;
    }
    auto result = std::make_shared<Graph>();
    result->id = graph.id;
    result->program = graph.program;
    result->has_effects = graph.has_effects;
    std::vector<Value> renumbered(graph.values.size());
    const auto renumber = [&](Value& value) { value = renumbered[value.index]; };
    for (std::size_t n = 0; n < graph.nodes.size(); ++n) {
        if (!needs.nodes[n]) continue;
        Node node = graph.nodes[n];
        if (const auto control = needs.controls.find(n); control != needs.controls.end()) prune_control(node, control->second);
        std::ranges::for_each(node.operands, renumber);
        for (const auto& body : node.bodies) std::ranges::for_each(body->captured, renumber);
        std::uint32_t position = 0;
        for (std::uint32_t& output : node.results) {
            ValueInfo info = graph.values[output];
            info.node = static_cast<std::uint32_t>(result->nodes.size());
            info.output = position++;
            const auto index = static_cast<std::uint32_t>(result->values.size());
            renumbered[output] = {graph.id, index};
            output = index;
            result->values.push_back(std::move(info));
        }
        result->nodes.push_back(std::move(node));
    }
    result->inputs = chosen(graph.inputs, inputs);
    result->outputs = chosen(graph.outputs, outputs);
    const std::size_t own = graph.inputs.size() - graph.captured.size();
    result->captured = chosen(graph.captured, Flags(inputs.begin() + static_cast<std::ptrdiff_t>(own), inputs.end()));
    std::ranges::for_each(result->inputs, renumber);
    std::ranges::for_each(result->outputs, renumber);
    return result;
}

std::shared_ptr<Graph> remove_dead_code(const std::shared_ptr<Graph>& graph) {
    return pruned(*graph, Flags(graph->inputs.size(), true), Flags(graph->outputs.size(), true));
}

} // namespace vmaprun
