// What of a graph its outputs, checks and debug need, and the graph without the rest. It looks into the bodies of control
// flow: a carry that nobody reads, a result of a scan that nobody collects, a capture that nothing uses are left out too.
#pragma once

#include <memory>
#include <vector>

#include "ir/graph.hpp"

namespace vmaprun {

// Whether a node is a check or debug, or holds one.
bool has_effect(const Node& node);

// For each input of the graph, captures included: whether it is needed for the outputs that are told.
std::vector<bool> needed_inputs(const Graph& graph, const std::vector<bool>& outputs);

// The graph with these inputs and outputs alone, and nothing that they don't need. Inputs that are needed must be kept.
std::shared_ptr<Graph> pruned(const Graph& graph, const std::vector<bool>& inputs, const std::vector<bool>& outputs);

std::shared_ptr<Graph> remove_dead_code(const std::shared_ptr<Graph>& graph);

} // namespace vmaprun
