#include "transform/splitting.hpp"

#include <algorithm>
#include <vector>

#include "ir/op.hpp"
#include "ir/structural.hpp"
#include "transform/dead.hpp"

namespace vmaprun {
namespace {

class Cut {
  public:
    Cut(const Graph& graph, std::uint32_t sequence) : graph_(graph), sequence_(sequence), in_rest_(graph.nodes.size(), false), needed_(graph.values.size(), false) {
        for (const Value output : graph.outputs) needed_[output.index] = true;
        for (std::size_t n = graph.nodes.size(); n-- > 0;) follow(n);
    }

    Split split() const {
        auto before = std::make_shared<Graph>(graph_), after = std::make_shared<Graph>(graph_);
        write_before(*before);
        write_after(*after);
        return {remove_dead_code(before), remove_dead_code(after)};
    }

  private:
    // Whether what a node makes is computed before, and handed on.
    bool is_handed_on(const Node& node) const { return node.sequence < sequence_ && node.lanes.empty() && !is(node, constant_op) && !is(node, parameter_op); }

    void follow(std::size_t n) {
        const Node& node = graph_.nodes[n];
        const bool acts = node.sequence >= sequence_ && has_effect(node);
        if (!acts && std::ranges::none_of(node.results, [&](std::uint32_t result) { return needed_[result]; })) return;
        if (is_handed_on(node)) return;
        in_rest_[n] = true;
        for (const Value operand : node.operands) needed_[operand.index] = true;
    }

    void write_before(Graph& before) const {
        before.nodes.clear();
        before.outputs.clear();
        before.has_effects = false;
        for (const Node& node : graph_.nodes) {
            if (node.sequence >= sequence_ && !is(node, constant_op) && !is(node, parameter_op)) continue;
            append(before, node);
            before.has_effects = before.has_effects || has_effect(node);
            for_each_handed_on(node, [&](std::uint32_t value) { before.outputs.push_back({graph_.id, value}); });
        }
    }

    void write_after(Graph& after) const {
        after.nodes.clear();
        after.has_effects = false;
        for (std::size_t n = 0; n < graph_.nodes.size(); ++n) {
            const Node& node = graph_.nodes[n];
            if (in_rest_[n] || is(node, parameter_op)) {
                append(after, node);
                after.has_effects = after.has_effects || has_effect(node);
            }
            for_each_handed_on(node, [&](std::uint32_t value) {
                Node parameter = node;
                parameter.op = &parameter_op;
                parameter.operands.clear();
                parameter.attributes = {std::string()};
                parameter.bodies.clear();
                parameter.results = {value};
                append(after, std::move(parameter));
                after.inputs.push_back({graph_.id, value});
            });
        }
    }

    template <class F> void for_each_handed_on(const Node& node, F&& f) const {
        if (!is_handed_on(node)) return;
        for (const std::uint32_t result : node.results) {
            if (needed_[result]) f(result);
        }
    }

    static void append(Graph& graph, Node node) {
        for (std::uint32_t position = 0; const std::uint32_t result : node.results) {
            graph.values[result].node = static_cast<std::uint32_t>(graph.nodes.size());
            graph.values[result].output = position++;
        }
        graph.nodes.push_back(std::move(node));
    }

    const Graph& graph_;
    std::uint32_t sequence_;
    std::vector<bool> in_rest_; // by node
    std::vector<bool> needed_;  // by value: by the rest
};

} // namespace

Split split_at(const Graph& graph, std::uint32_t sequence) { return Cut(graph, sequence).split(); }

} // namespace vmaprun
