// Cuts the nodes that are to be computed into segments and steps (exec/liveness.hpp says what these are).
#pragma once

#include <span>

#include "exec/liveness.hpp"

namespace vmaprun {

// `nodes`: what is needed of the plan's graph, in program order. Planning::in_order: one segment, one step a node; unfused: one step a node.
std::vector<Segment> make_segments(const GraphPlan& plan, std::span<const std::uint32_t> nodes, Planning planning);

} // namespace vmaprun
