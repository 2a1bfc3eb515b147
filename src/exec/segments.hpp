// Cuts the nodes that are to be computed into segments and steps (exec/liveness.hpp says what these are).
#pragma once

#include <span>

#include "exec/liveness.hpp"
#include "ir/op.hpp"

namespace vmaprun {

// What a node does to the rows of a tile, if it can be fused as a fold of rows: of its last axes, and of rows short enough.
RowWork row_work(const Graph& graph, const Node& node);

// `nodes`: what is needed of the plan's graph, in program order. Planning::in_order: one segment, one step a node; unfused: one step a node.
std::vector<Segment> make_segments(const GraphPlan& plan, std::span<const std::uint32_t> nodes, Planning planning);

} // namespace vmaprun
