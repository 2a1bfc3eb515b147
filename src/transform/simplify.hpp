// The simplifying pass.
#pragma once

#include <memory>

#include "ir/graph.hpp"

namespace vmaprun {

// Values that are another value, bit for bit, are replaced by it, in bodies too: x * 1, x / 1, x - 0, x ** 1, -(-x), not not x,
// positive(x), flips and reversals that cancel, the doors of a vmap that nothing passes between. Never x + 0 (of -0.0) nor
// x * 0 (of NaN). Equal nodes are one, too. Leaves the replaced nodes standing: remove_dead_code (dead.hpp) takes them.
std::shared_ptr<Graph> apply_identities(const std::shared_ptr<Graph>& graph);

} // namespace vmaprun
