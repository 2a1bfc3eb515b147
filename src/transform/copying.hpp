// Outputs that are nothing but another look at an input (x[:, 0], vmap(row => row[::-1])(x)) have no step that could go block
// by block from what is larger than memory: they get one, which copies.
#pragma once

#include <memory>
#include <vector>

#include "ir/graph.hpp"

namespace vmaprun {

// `inputs`: those of which the outputs that look at them are copied.
std::shared_ptr<Graph> copy_looks(const std::shared_ptr<Graph>& graph, const std::vector<bool>& inputs);

// The graph that reads the leading axis of an input, without lanes, by slices that are copied, and put together again for whoever
// reads the input: what sums over the axis needs no more. Null: it has none.
std::shared_ptr<Graph> copy_slices(const std::shared_ptr<Graph>& graph, std::size_t input);

} // namespace vmaprun
