// The items of a `map` as lanes.
#pragma once

#include <memory>
#include <vector>

#include "ir/graph.hpp"

namespace vmaprun {

// The graph with every scan that carries nothing, and goes over what comes from one of those inputs, as a mapped axis: its
// items know nothing of each other. Results, faults and what debug prints are the same; what goes on block by block
// under a mapped axis does so for it too.
std::shared_ptr<Graph> map_items(const std::shared_ptr<Graph>& graph, const std::vector<bool>& inputs);

} // namespace vmaprun
