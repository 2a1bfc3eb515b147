#include "exec/run.hpp"

#include <algorithm>
#include <cstdio>
#include <optional>

#include "base/error.hpp"
#include "exec/evaluate.hpp"
#include "exec/memory.hpp"
#include "exec/settling.hpp"
#include "exec/stream.hpp"
#include "exec/threads.hpp"

namespace vmaprun {
void print_to_stderr(std::string_view line) { std::fprintf(stderr, "%.*s\n", static_cast<int>(line.size()), line.data()); }

Planning planning_of(const RunOptions& options) {
    if (options.mode == RunOptions::Mode::eager) return Planning::in_order;
    return options.check_nan ? Planning::unfused : Planning::in_blocks;
}

int threads_of(const RunOptions& options) {
    if (!options.deals_work) return 1;
    return options.threads > 0 ? options.threads : thread_count(options.devices);
}

std::vector<Array> run(const Graph& graph, std::vector<Array> inputs, const RunOptions& options) { return run(graph, std::move(inputs), options, {}); }

std::vector<Array> run(const Graph& graph, std::vector<Array> inputs, const RunOptions& options, const Streams& streams) {
    if (inputs.size() != graph.inputs.size()) throw InternalError("run: the graph has another number of inputs");
    GraphPlan plan = make_plan(graph, std::vector<bool>(graph.outputs.size(), true), planning_of(options));
    const auto is_given = [](const auto* stream) { return stream != nullptr; };
    std::optional<StreamedSegment> streamed;
    if (std::ranges::any_of(streams.sources, is_given) || std::ranges::any_of(streams.sinks, is_given)) streamed = make_streamed(plan, streams);
    const MemoryScope memory;
    EventLog log;
    ThreadPool pool(threads_of(options));
    ThreadPool* threads = pool.threads() > 1 ? &pool : nullptr;
    RunState state{options, log, threads};
    if (streamed) {
        state.streaming = &plan.segments[streamed->segment];
        state.streamed = &*streamed;
    }
    std::optional<Settling> settling;
    if (Settling::prints(plan)) state.settling = &settling.emplace(plan, log, options.debug);
    std::vector<Array> outputs = GraphRunner(state, plan, threads, GraphRunner::Runs::once).run(Frame(*graph.program), std::move(inputs));
    log.finish(options.debug);
    return outputs;
}

std::vector<Array> fold_node(const Graph& graph, const Node& node, std::span<const Array> operands) {
    if (!node.bodies.empty() || (!node.op->tile && !node.op->view && !node.op->kernel)) return {};
    GraphPlan plan;
    plan.graph = &graph;
    Slots slots(graph.values.size());
    for (std::size_t i = 0; i < operands.size(); ++i) slots[node.operands[i].index] = operands[i];
    RunOptions options;
    EventLog log;
    RunState state{options, log};
    const Frame frame(*graph.program);
    const Step step{{static_cast<std::uint32_t>(&node - graph.nodes.data())}, {}, {}, node.op->tile ? graph.values[node.results[0]].type.shape : Dims(), 0, 0};
    run_step(Work{state, plan, frame, slots}, step);
    if (log.has_fault()) return {};
    std::vector<Array> results;
    for (const std::uint32_t result : node.results) results.push_back(slots[result].contiguous());
    return results;
}

std::vector<Array> fold_finite_node(const Graph& graph, const Node& node, std::span<const Array> operands) {
    std::vector<Array> results = fold_node(graph, node, operands);
    const bool finite = std::ranges::all_of(results, [](const Array& result) { return all_finite(result.view()); });
    return finite ? results : std::vector<Array>{};
}

} // namespace vmaprun
