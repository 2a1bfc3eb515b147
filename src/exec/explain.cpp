// The plan of a graph in words: segments, their blocks, their steps. The same functions decide here and when it runs.
#include <algorithm>
#include <string>

#include "base/text.hpp"
#include "exec/evaluate.hpp"
#include "exec/run.hpp"
#include "exec/threads.hpp"
#include "ir/op.hpp"
#include "ir/structural.hpp"

namespace vmaprun {
namespace {

std::string place_of(Span span) {
    if (!span) return {};
    return " at line " + std::to_string(span.source->position(span.begin).line);
}

class Explanation {
  public:
    explicit Explanation(const RunOptions& options) : options_(options), threads_(threads_of(options)) {}

    std::string text(const GraphPlan& plan) {
        const bool eager = options_.mode == RunOptions::Mode::eager;
        line(0, std::string(eager ? "eager: one operation after another" : "graph: fused, block by block") + ", on " + count_of(threads_, "thread"));
        std::size_t skipped = 0;
        for (const Value input : plan.graph->inputs) skipped += plan.needed[input.index] ? 0 : 1;
        if (skipped > 0) line(0, count_of(static_cast<std::int64_t>(skipped), "input tensor") + " not needed");
        graph(plan, 0);
        return std::move(text_);
    }

  private:
    void line(std::size_t depth, const std::string& words) { text_ += std::string(2 * depth, ' ') + words + "\n"; }

    void graph(const GraphPlan& plan, std::size_t depth) {
        for (const Segment& each : plan.segments) segment(plan, each, depth);
    }

    void segment(const GraphPlan& plan, const Segment& segment, std::size_t depth) {
        const bool quiet = std::ranges::all_of(segment.steps, [&](const Step& step) { return is_quiet(plan.graph->nodes[step.nodes.front()]); });
        if (quiet) return;
        // A body inside of blocks runs on what the block holds.
        const bool inside = segment.lane && std::ranges::find(blocked_, *segment.lane) != blocked_.end();
        if (!inside) line(depth, heading(plan, segment));
        if (segment.lane) blocked_.push_back(*segment.lane);
        for (const Step& each : segment.steps) step(plan, each, inside ? depth : depth + 1);
        if (segment.lane) blocked_.pop_back();
    }

    static bool is_quiet(const Node& node) { return is(node, parameter_op) || is(node, constant_op); }

    std::string heading(const GraphPlan& plan, const Segment& segment) const {
        if (!segment.lane) return "whole arrays:";
        const LaneAxis& axis = plan.graph->program->lanes[*segment.lane];
        std::string words = "over the mapped axis" + (axis.name.empty() ? "" : " \"" + axis.name + "\"") + place_of(axis.span) + " of " + axis.size.text() + " lanes, ";
        const std::int64_t lanes = axis.size.value(), block = lanes_a_block(*plan.graph, segment, options_, threads_);
        if (block >= lanes) words += "in one go";
        else words += "in " + count_of((lanes + block - 1) / block, "block") + " of " + count_of(block, "lane");
        words += " (" + std::to_string(segment.lane_bytes) + " bytes a lane)";
        if (axis.parts > 0) words += ", dealt to " + count_of(axis.parts, "part");
        return words + ":";
    }

    void step(const GraphPlan& plan, const Step& step, std::size_t depth) {
        const Graph& graph_of = *plan.graph;
        const Node& last = graph_of.nodes[step.nodes.back()];
        if (is_quiet(last)) return;
        std::string words;
        for (const std::uint32_t n : step.nodes) words += (words.empty() ? "" : ", ") + std::string(graph_of.nodes[n].op->name());
        if (step.nodes.size() > 1) words = "fused: " + words;
        std::string types;
        for (const std::uint32_t n : step.nodes) {
            for (const std::uint32_t result : graph_of.nodes[n].results) {
                const bool stored = step.keeps(result);
                if (stored) types += (types.empty() ? " -> " : ", ") + graph_of.values[result].type.text();
            }
        }
        if (last.op->view && !last.op->tile) types += " (a view)";
        line(depth, words + types + place_of(last.origin ? last.origin->span : Span{}));
        if (last.bodies.empty()) return;
        for (const GraphPlan& body : plan.bodies.at(step.nodes.back())) {
            line(depth + 1, "body:");
            graph(body, depth + 2);
        }
    }

    const RunOptions& options_;
    int threads_;
    std::vector<LaneId> blocked_;
    std::string text_;
};

} // namespace

std::string explain_plan(const Graph& graph, const RunOptions& options) {
    const Planning planning = options.mode == RunOptions::Mode::eager ? Planning::in_order : Planning::in_blocks;
    return Explanation(options).text(make_plan(graph, std::vector<bool>(graph.outputs.size(), true), planning));
}

} // namespace vmaprun
