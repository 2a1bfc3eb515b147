// Graph + input arrays -> output arrays: the whole outside interface of the engine.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "ir/builder.hpp"
#include "ir/graph.hpp"

namespace vmaprun {

struct Streams; // exec/stream.hpp

void print_to_stderr(std::string_view line);

struct RunOptions {
    enum class Mode { graph, eager } mode = Mode::graph; // eager: one node after another in program order, the same bits
    int threads = 0;            // 0: as many as there are devices
    int devices = 0;            // what the parts of vmapipe are dealt to, here worker threads; 0: as many as the machine has CPUs
    bool deals_work = true;     // strategy auto_parallel; none: one thread does all, and vmapipe cuts nothing
    std::int64_t block = 0;     // lanes a block; 0: by cache size (or what the script's chunk says)
    bool clamp_indices = false; // --index clamp
    bool check_nan = false;     // fault E608 in the first lane whose operation makes a NaN or infinity out of finite operands
    // Where debug(x, "label") goes: whole lines, in order, as they become final.
    std::function<void(std::string_view)> debug = print_to_stderr;
};

int threads_of(const RunOptions& options); // that a run uses, this one included

// Runs a finished graph. Throws UserError E6xx for the first fault in program order of one sample after another
// (the first lane in row-major order, in it the first operation), the same in every mode, block size and thread count.
std::vector<Array> run(const Graph& graph, std::vector<Array> inputs, const RunOptions& options = {});
// The same; what is streamed has empty arrays, and an output that is streamed gives one. Mode::graph only.
std::vector<Array> run(const Graph& graph, std::vector<Array> inputs, const RunOptions& options, const Streams& streams);

// One node on constants, for the Builder's folding. Empty when it can't be run so.
std::vector<Array> fold_node(const Graph& graph, const Node& node, std::span<const Array> operands);

// The same, but not where a NaN or an infinity comes out, which is left to a run that looks for these.
std::vector<Array> fold_finite_node(const Graph& graph, const Node& node, std::span<const Array> operands);

// The plan in words, for `vmaprun explain SCRIPT` and debugging.
std::string explain_plan(const Graph& graph, const RunOptions& options = {});

} // namespace vmaprun
