// A graph cut in two at a moment of its program: what was there before, and what goes on from it. So a `bench` block is timed without
// what the script binds around it.
#pragma once

#include <cstdint>
#include <memory>

#include "ir/graph.hpp"

namespace vmaprun {

struct Split {
    std::shared_ptr<Graph> before; // the inputs of the whole; gives what the rest takes of it
    std::shared_ptr<Graph> after;  // the inputs of the whole, then what `before` gives; the outputs of the whole
};

// `sequence`: of the first node that belongs to the rest (Node::sequence). What was made before it inside of a vmap, and constants, are
// made again by the rest that needs them.
Split split_at(const Graph& graph, std::uint32_t sequence);

} // namespace vmaprun
