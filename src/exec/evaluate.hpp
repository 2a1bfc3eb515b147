// Runs graphs by their plans: segment after segment, step after step, in one frame (exec/frame.hpp).
#pragma once

#include <vector>

#include "exec/fault.hpp"
#include "exec/frame.hpp"
#include "exec/liveness.hpp"
#include "exec/run.hpp"

namespace vmaprun {

class ThreadPool;

// What all of one run shares.
struct RunState {
    const RunOptions& options;
    EventLog& log;
    ThreadPool* pool = nullptr; // null: one thread
};

// The values of one graph, by their index; empty where not computed (yet, or any more).
using Slots = std::vector<Array>;

// One graph at work in one frame.
struct Work {
    RunState& state;
    const GraphPlan& plan;
    const Frame& frame;
    Slots& slots;
    const Slots* places = nullptr;  // where some results are to be written: contiguous slices of larger arrays
    Parallel* parallel = nullptr;   // null: everything stays on this thread (inside a block)

    const Graph& graph() const { return *plan.graph; }
    const ValueInfo& info(std::uint32_t value) const { return graph().values[value]; }
    const Array& operand(const Node& node, std::size_t i) const { return slots[node.operands[i].index]; }
    // An operand as a value with the lanes `lanes`.
    View aligned(const Node& node, std::size_t i, const Lanes& lanes) const;
    // Memory for a result: its place, or new.
    Array result_array(std::uint32_t value) const;
    // Sets a value, which has the lanes `lanes` (perhaps fewer than the value's own).
    void set(std::uint32_t value, const Array& array, const Lanes& lanes) const;
    void set(std::uint32_t value, const Array& array) const { set(value, array, info(value).lanes); }
};

// The graph's outputs (empty where not needed) from its inputs (which are laid out by the lanes of the parameters).
std::vector<Array> run_graph(RunState& state, const GraphPlan& plan, const Frame& frame, std::vector<Array> inputs, Parallel* parallel);

void run_step(const Work& work, const Step& step);
void run_control(const Work& work, std::uint32_t node); // exec/control.cpp
// Block by block (exec/blocks.cpp). False: not worth it, or its axis is not whole here; nothing was done.
bool run_in_blocks(const Work& work, const Segment& segment);
// How many lanes of the segment's axis one block takes; as many as there are, or more: no blocks.
std::int64_t lanes_a_block(const Graph& graph, const Segment& segment, const RunOptions& options, int threads);

} // namespace vmaprun
