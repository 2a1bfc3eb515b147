// Runs graphs by their plans: segment after segment, step after step, in one frame (exec/frame.hpp).
#pragma once

#include <memory>
#include <vector>

#include "exec/fault.hpp"
#include "exec/frame.hpp"
#include "exec/liveness.hpp"
#include "exec/run.hpp"

namespace vmaprun {

class Settling;
class ThreadPool;
class FusedStep;
class KernelStep;
struct StreamedSegment;

constexpr std::int64_t worth_threads = std::int64_t{1} << 18; // elements: from here on a thread pays for being woken

// What all of one run shares.
struct RunState {
    const RunOptions& options;
    EventLog& log;
    ThreadPool* pool = nullptr; // null: one thread
    const Segment* streaming = nullptr; // the segment that reads from sources and writes to sinks (exec/stream.hpp),
    const StreamedSegment* streamed = nullptr; // and how
    Settling* settling = nullptr; // null: nothing is printed on the way
};

// The values of one graph, by their index; empty where not computed (yet, or any more).
using Slots = std::vector<Array>;

// What is kept of a step from run to run: one of the two, or nothing.
struct PreparedStep {
    PreparedStep();
    PreparedStep(PreparedStep&&) noexcept;
    PreparedStep& operator=(PreparedStep&&) noexcept;
    ~PreparedStep();

    std::unique_ptr<FusedStep> fused;
    std::unique_ptr<KernelStep> kernel;
};
using PreparedSteps = std::vector<PreparedStep>; // by Step::index

// One graph at work in one frame.
struct Work {
    RunState& state;
    const GraphPlan& plan;
    const Frame& frame;
    Slots& slots;
    const Slots* places = nullptr;  // where some results are to be written: contiguous slices of larger arrays
    Parallel* parallel = nullptr;   // null: everything stays on this thread (inside a block)
    PreparedSteps* prepared = nullptr; // null: this is the only run
    std::uint64_t series = 0;          // of the blocks over `block_lane` that this is one of; 0: it is none
    LaneId block_lane = 0;
    const std::vector<char>* pinned = nullptr; // by value: what stays when nobody in this run needs it any more; null: nothing

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
    // Nobody in this run needs a value any more.
    void drop(std::uint32_t value) const {
        if (pinned == nullptr || (*pinned)[value] == 0) slots[value].release();
    }
};

// Runs one graph, once or many times.
class GraphRunner {
  public:
    enum class Runs { once, many };
    GraphRunner(RunState& state, const GraphPlan& plan, Parallel* parallel, Runs runs);
    ~GraphRunner();
    // The graph's outputs (empty where not needed) from its inputs (which are laid out by the lanes of the parameters).
    std::vector<Array> run(const Frame& frame, std::vector<Array> inputs);

    // The same piece by piece, for what runs again and again. An input for all the runs that follow, or for the next one:
    void pin(std::size_t input, Array array);
    void give(std::size_t input, Array array);
    void run(const Frame& frame);
    // What the run gave; `take`: for good, from an output that is not looked at any more.
    const Array& output(std::size_t output) const { return slots_[plan_.graph->outputs[output].index]; }
    Array take(std::size_t output);
    void drop_outputs();

    // To be called when the next frame has other groups than the last one.
    void forget();

  private:
    RunState& state_;
    const GraphPlan& plan_;
    Parallel* parallel_;
    Slots slots_;
    PreparedSteps prepared_;   // empty: once
    std::vector<char> pinned_; // by value
};

// The kernel of a pointwise node for the dtypes of its operands and result.
TileKernel tile_kernel(const Graph& graph, const Node& node);

Planning planning_of(const RunOptions& options);
void run_step(const Work& work, const Step& step);
void check_finite(const Work& work, const Node& node); // exec/nan_check.cpp
bool all_finite(const View& view);
// The result as a look at its operand. False: a view rule may need other strides than these, and the kernel is to run.
bool run_view(const Work& work, const Node& node);
void run_control(const Work& work, std::uint32_t node); // exec/control.cpp
// Block by block (exec/blocks.cpp). `no`: not worth it, or its axis is not whole here; nothing was done. `folded`: what the next
// segment does is done as well (exec/lane_folds.hpp).
enum class InBlocks { no, yes, folded };
InBlocks run_in_blocks(const Work& work, const Segment& segment);
// How many lanes of the segment's axis one block takes; as many as there are, or more: no blocks.
std::int64_t lanes_a_block(const Graph& graph, const Segment& segment, const RunOptions& options, int threads);
// Into how many parts vmapipe cuts it, one a device; 0: it doesn't.
std::int64_t parts_of(const Graph& graph, const Segment& segment, const RunOptions& options, int threads);

} // namespace vmaprun
