// Outputs that are nothing but another look at an input (x[:, 0], vmap(row => row[::-1])(x)) have no step that could go block
// by block from what is larger than memory: they get one, which copies.
#pragma once

#include <memory>
#include <vector>

#include "ir/graph.hpp"

namespace vmaprun {

// `inputs`: those of which the outputs that look at them are copied.
std::shared_ptr<Graph> copy_looks(const std::shared_ptr<Graph>& graph, const std::vector<bool>& inputs);

} // namespace vmaprun
