// Which values of a graph depend on chosen inputs in a way that has a derivative.
#pragma once

#include <vector>

#include "ir/graph.hpp"

namespace vmaprun {

class Activity {
  public:
    // `inputs`: whether each input of the graph (captures included) is active.
    Activity(const Graph& graph, const std::vector<bool>& inputs);

    bool at(Value value) const { return active_[value.index]; }
    std::vector<bool> at(const std::vector<Value>& values) const;
    bool any_result(const Node& node) const;

  private:
    void visit(const Node& node);
    void visit_control(const Node& node);

    const Graph& graph_;
    std::vector<bool> active_;
};

// The carries of a loop that are active, when those of the `first` operands and the captures are as told.
// (A carry is active when it begins so, or when a step makes it so.)
struct LoopActivity {
    std::vector<bool> carries;
    std::vector<bool> inputs;  // of the body that steps
    std::vector<bool> outputs; // of it
};
LoopActivity loop_activity(const Node& node, const std::vector<bool>& operands);

} // namespace vmaprun
