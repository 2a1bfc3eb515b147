// A graph as text (one node a line), as JSON for tools, and as DOT for Graphviz.
//
//     %0: f32[100, 4] = parameter("x")
//     %1: f32[4] lanes[n=100] = lane(%0; axis=0, lane=n)  # line 3
//     output y = %1
//
// Values are numbered through the whole text, sub-graphs included. A sub-graph stands indented below its node; its head
// lists its inputs, and `from` says which outer value an input stands for.
#pragma once

#include <string>
#include <vector>

#include "ir/graph.hpp"

namespace vmaprun {

struct GraphNames {
    std::vector<std::string> outputs; // of graph.outputs, in order; missing or empty: no name
};

// Each ends in a newline.
std::string graph_text(const Graph& graph, const GraphNames& names = {});
// {"lanes": [{id, name, size}], "inputs": [value], "nodes": [...], "outputs": [{name, value}]}. A node: {op, operands: [value],
// attributes: [...], results: [{value, dtype, shape, weak, lanes: [id]}], file, line, column, bodies: [graph]}; a body also has
// "captured": [value]. An unknown size is a string; an array attribute is {dtype, shape, data}, data null when it is large.
std::string graph_json(const Graph& graph, const GraphNames& names = {});
std::string graph_dot(const Graph& graph, const GraphNames& names = {});

} // namespace vmaprun
