// The outputs of a traced script: their types in words, their names in a graph, and whether what is asked for is among them.
#pragma once

#include <string>
#include <vector>

#include "ir/printer.hpp"
#include "trace/trace.hpp"
#include "vmaprun.hpp"

namespace vmaprun {

std::string type_text(const OutputTree& tree, const Graph& graph); // "(f32[3], {a: i64})"

// The names of the graph's outputs, for its printers: those of the script, with the path inside a tree.
GraphNames graph_names(const Traced& traced);

// Throws UserError E515 (exit 2) where the script doesn't give what is wanted.
void require_wanted(const Traced& traced, const std::vector<WantedOutput>& wanted);

} // namespace vmaprun
