// What of a graph is to be computed, and how it is cut into steps.
//
// A value that no output, check or debug needs is not computed; this looks into the bodies of control flow too (a carry that
// nobody needs, the branch result that nobody reads). What remains is ordered as segments: a segment is work over one
// mapped axis that can be done block by block (all its nodes vary over `lane`, their outermost one, and none looks
// across it), or work outside of such. Inside a segment pointwise nodes of one shape, and folds of
// their last axes, are gathered into fused steps.
#pragma once

#include <algorithm>
#include <map>
#include <optional>
#include <vector>

#include "ir/graph.hpp"

namespace vmaprun {

struct Step {
    std::vector<std::uint32_t> nodes;    // one; or several pointwise ones, fused
    std::vector<std::uint32_t> stored;   // fused: values that are needed after it; the others stay in registers
    std::vector<std::uint32_t> released; // values of this segment's own that nobody needs after it
    Dims space;                          // fused: the sample shape of its widest values
    std::size_t column_axes = 0;         // fused: the last so many axes of it are rows that are folded
    std::uint32_t index = 0;             // among all steps of the plan

    // Whether a value that it makes is in memory after it.
    bool keeps(std::uint32_t value) const { return nodes.size() == 1 || std::ranges::find(stored, value) != stored.end(); }
};

// A reduction over the mapped axis of a segment, as outside of it the graph has it: of what the segment makes, and of what was
// there before (exec/lane_folds.hpp).
struct LaneFold {
    struct Operand {
        std::uint32_t value;
        bool is_made;                     // by the segment: its lanes become the first reduced axis by what `views` says
        std::vector<std::uint32_t> views; // nodes: unlane, then permute_dims
        std::vector<std::size_t> axes;    // the reduced ones
    };
    std::uint32_t node;
    std::vector<Operand> operands;
    std::int64_t chunk = 1; // elements, of which each lane has `inner`
    std::int64_t inner = 1;
    std::int64_t unit = 1;  // lanes that have a whole number of chunks
    bool in_pairs = false;  // Chunked::Order
};

struct Segment {
    std::optional<LaneId> lane;        // block by block over this axis
    std::vector<LaneFold> folds;       // what the next segment does, which is left out then
    std::vector<Step> steps;
    std::vector<std::uint32_t> reads;  // values from before
    std::vector<std::uint32_t> writes; // values needed after
    std::vector<std::uint32_t> released; // values of earlier segments that nobody needs after it
    std::int64_t lane_bytes = 0;       // of the values that live at once, for one lane
};

enum class Planning { in_order, in_blocks, unfused }; // unfused: in blocks, each node a step of its own

struct GraphPlan {
    const Graph* graph = nullptr;
    std::vector<Segment> segments;
    std::size_t step_count = 0;
    bool is_total = true;           // nothing in it, or in its bodies, can fault, be seen, or go on for ever
    std::vector<bool> needed;       // a value
    std::vector<bool> needed_outputs;
    std::vector<bool> needed_inputs; // in the order of graph->inputs
    std::map<std::uint32_t, std::vector<GraphPlan>> bodies; // of control nodes
    std::vector<std::uint32_t> by_steps; // what a scan collects and others look at step by step: laid out with the steps outermost
};

// `outputs`: which of the graph's outputs are needed.
GraphPlan make_plan(const Graph& graph, std::vector<bool> outputs, Planning planning);

} // namespace vmaprun
