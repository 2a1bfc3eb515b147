// Forward mode over one graph: every node again, and beside each value its tangent. Interface: transform/derivative.hpp.
#pragma once

#include "transform/derivative.hpp"
#include "transform/replay.hpp"

namespace vmaprun {

class ForwardMode {
  public:
    ForwardMode(Builder& builder, const Graph& graph, std::size_t depth, Effects effects = Effects::keep);

    // For all inputs of the graph, captures included.
    void run(std::span<const Value> arguments, std::span<const Value> tangents);
    std::vector<Value> values() const { return again_.outputs(); }
    std::vector<Value> tangents() const { return tangents_of(graph_.outputs); }

  private:
    std::vector<Value> tangents_of(std::span<const Value> values) const;
    void add(const Node& node);
    std::vector<Value> rule(const Node& node, const std::vector<Value>& tangents);
    // Control flow (forward_mode_control.cpp): the node again with the tangents as further results.
    void add_branches(const Node& node, const std::vector<Value>& tangents);
    void add_loop(const Node& node, const std::vector<Value>& tangents);
    void set_results(const Node& node, const std::vector<Value>& results, const std::vector<std::size_t>& active, std::size_t first_tangent);

    Builder& builder_;
    const Graph& graph_;
    Replay again_;
    std::vector<Value> tangents_; // a value
};

// A rule's answer must have the dtype and sample shape of its value; anything else is a rule that is wrong.
void check_derivative(const Builder& builder, const Node& node, Value value, const TensorType& type);
// A tangent that is there: itself, or zeros.
Value present(Builder& builder, Value tangent, const TensorType& type);
// Runs a rule; what it can't do is said of the place of the node.
template <class Rule> std::vector<Value> at_place_of(const Node& node, Rule&& rule) {
    try {
        return rule();
    } catch (UserError& failure) {
        Diagnostic& diagnostic = failure.diagnostics().front();
        if (!diagnostic.primary.span && node.origin) diagnostic.primary.span = node.origin->span;
        throw;
    }
}

} // namespace vmaprun
