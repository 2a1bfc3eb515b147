// Mapped axes that are one: vmap(g)(vmap(f)(x)) maps twice along the same slices, and so do vmap(f)(x) and vmap(g)(x). The
// later axis is then the earlier one, and what the two compute goes side by side through the same blocks: nothing between
// them is ever in memory as a whole, and what is larger than memory is read once.
//
// Two axes are joined when they have one size, no value lies along both, one is entered by what has just left the other (or
// both by the same array, along the same axis), and nothing along them can fault or be seen: faults are told in the order of
// the script, in which all of the one axis comes before the other.
#pragma once

#include <memory>

#include "ir/graph.hpp"

namespace vmaprun {

std::shared_ptr<Graph> join_lanes(const std::shared_ptr<Graph>& graph);

} // namespace vmaprun
