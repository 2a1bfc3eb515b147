// The plan of a graph in words: segments, their blocks, their steps. The same functions decide here and when it runs, so
// what is said is what happens. What nodes are is read off their rows, never off their names.
#include <algorithm>
#include <set>
#include <string>

#include "base/text.hpp"
#include "exec/evaluate.hpp"
#include "exec/lane_folds.hpp"
#include "exec/run.hpp"
#include "exec/segments.hpp"
#include "exec/threads.hpp"
#include "exec/tile.hpp"
#include "ir/op.hpp"
#include "ir/structural.hpp"

namespace vmaprun {
namespace {

std::int64_t line_of(Span span) { return span ? static_cast<std::int64_t>(span.source->position(span.begin).line) : 0; }
std::string place_of(Span span) { return span ? " at line " + std::to_string(line_of(span)) : std::string(); }

// "16.8 MB"
std::string bytes_text(double bytes) {
    static constexpr const char* units[] = {"bytes", "kB", "MB", "GB", "TB"};
    std::size_t unit = 0;
    for (; bytes >= 1000 && unit + 1 < std::size(units); ++unit) bytes /= 1000;
    char text[48];
    std::snprintf(text, sizeof text, unit == 0 || bytes >= 100 ? "%.0f %s" : "%.1f %s", bytes, unit == 0 && bytes == 1 ? "byte" : units[unit]);
    return text;
}

bool is_quiet(const Node& node) { return is(node, parameter_op) || is(node, constant_op); }
bool is_door(const Node& node) { return is(node, lane_op) || is(node, unlane_op); }
bool can_fuse(const Graph& graph, const Node& node) { return node.op->tile != nullptr || row_work(graph, node); }
bool is_fused(const Step& step) { return step.nodes.size() > 1; }

class Explanation {
  public:
    explicit Explanation(const RunOptions& options) : options_(options), threads_(threads_of(options)) {}

    std::string text(const GraphPlan& plan) {
        const bool eager = options_.mode == RunOptions::Mode::eager;
        line(0, std::string(eager ? "eager: one operation after another" : "graph: fused, block by block") + ", on " + count_of(threads_, "thread"));
        std::size_t skipped = 0;
        for (const Value input : plan.graph->inputs) skipped += plan.needed[input.index] ? 0 : 1;
        if (skipped > 0) line(0, count_of(static_cast<std::int64_t>(skipped), "input tensor") + " not needed");
        for (const Pipe& pipe : plan.graph->program->pipes) {
            if (!pipe.outcome.empty() && !eager) line(0, "vmapipe" + place_of(pipe.span) + ": " + (options_.deals_work ? pipe.outcome : "not cut: strategy=none deals no work"));
        }
        graph(plan, 0);
        return std::move(text_);
    }

  private:
    void line(std::size_t depth, const std::string& words) { text_ += std::string(2 * depth, ' ') + words + "\n"; }

    void graph(const GraphPlan& plan, std::size_t depth) {
        const Segment* before = nullptr;
        for (const Segment& each : plan.segments) {
            segment(plan, each, before, depth);
            before = &each;
        }
    }

    // ---- segments

    void segment(const GraphPlan& plan, const Segment& segment, const Segment* before, std::size_t depth) {
        const bool quiet = std::ranges::all_of(segment.steps, [&](const Step& step) { return is_quiet(plan.graph->nodes[step.nodes.front()]); });
        if (quiet) return;
        // A body inside of blocks runs on what the block holds.
        const bool inside = segment.lane && std::ranges::find(blocked_, *segment.lane) != blocked_.end();
        if (!inside) line(depth, heading(plan, segment, before));
        if (segment.lane) blocked_.push_back(*segment.lane);
        for (const Step& each : segment.steps) step(plan, segment, each, inside ? depth : depth + 1);
        if (segment.lane) blocked_.pop_back();
        if (!inside) traffic(*plan.graph, segment, depth + 1);
    }

    // The lanes that the folds of a segment take at once; 0: none, or all.
    std::int64_t group_of(const Graph& graph, const Segment& segment) const {
        if (segment.folds.empty() || parts_of(graph, segment, options_, threads_) > 0) return 0;
        const std::int64_t block = lanes_a_block(graph, segment, options_, threads_);
        return block < graph.program->lanes[*segment.lane].size.value() ? lanes_a_group(segment, block) : 0;
    }

    static std::string axis_words(const LaneAxis& axis) {
        return (axis.is_cut ? "an axis that is cut" : "the mapped axis") + (axis.name.empty() ? "" : " \"" + axis.name + "\"") + place_of(axis.span);
    }

    std::string heading(const GraphPlan& plan, const Segment& segment, const Segment* before) const {
        if (const std::int64_t group = before ? group_of(*plan.graph, *before) : 0; group > 0) return "reductions of these lanes, " + std::to_string(group) + " at a time:";
        if (!segment.lane) return "whole arrays:";
        const LaneAxis& axis = plan.graph->program->lanes[*segment.lane];
        std::string words = "over " + axis_words(axis) + " of " + axis.size.text() + " lanes, ";
        const std::int64_t lanes = axis.size.value(), block = lanes_a_block(*plan.graph, segment, options_, threads_);
        const std::int64_t parts = parts_of(*plan.graph, segment, options_, threads_);
        if (parts > 0) words += "in " + count_of(parts, "part") + ", one a device, each ";
        const std::int64_t longest = parts > 0 ? (lanes + parts - 1) / parts : lanes;
        if (block >= longest) words += "in one go";
        else words += "in " + count_of((longest + block - 1) / block, "block") + " of " + count_of(block, "lane");
        return words + " (" + bytes_text(static_cast<double>(segment.lane_bytes)) + " a lane):";
    }

    double bytes_of(const Graph& graph, std::uint32_t value) const {
        const ValueInfo& info = graph.values[value];
        double bytes = static_cast<double>(size_of(info.type.dtype));
        for (const Dim& dim : info.type.shape) bytes *= static_cast<double>(dim.value());
        for (const LaneId lane : info.lanes) bytes *= static_cast<double>(graph.program->lanes[lane].size.value());
        return bytes;
    }

    // What goes through memory, and what a block keeps near.
    void traffic(const Graph& graph, const Segment& segment, std::size_t depth) {
        if (!segment.lane) return;
        double read = 0, written = 0, kept = 0;
        for (const std::uint32_t value : segment.reads) read += bytes_of(graph, value);
        for (const std::uint32_t value : segment.writes) {
            if (group_of(graph, segment) == 0 || !is_folded(segment, value)) written += bytes_of(graph, value);
        }
        for (const Step& step : segment.steps) {
            if (is_view(graph.nodes[step.nodes.front()])) continue;
            for (const std::uint32_t value : made_by(graph, step)) {
                const bool is_kept = std::ranges::find(segment.writes, value) == segment.writes.end() || (group_of(graph, segment) > 0 && is_folded(segment, value));
                if (is_kept) kept += bytes_of(graph, value);
            }
        }
        std::string words = "reads " + bytes_text(read) + ", writes " + bytes_text(written);
        if (kept > 0) words += "; " + bytes_text(kept) + " between its steps, a block of it at a time";
        line(depth, words);
    }

    // ---- steps

    // The values that a step leaves in memory.
    static std::vector<std::uint32_t> made_by(const Graph& graph, const Step& step) {
        if (is_fused(step)) return step.stored;
        return graph.nodes[step.nodes.front()].results;
    }

    void step(const GraphPlan& plan, const Segment& segment, const Step& step, std::size_t depth) {
        const Graph& graph_of = *plan.graph;
        const Node& last = graph_of.nodes[step.nodes.back()];
        if (is_quiet(last)) return;
        std::string words;
        for (const std::uint32_t n : step.nodes) words += (words.empty() ? "" : ", ") + std::string(graph_of.nodes[n].op->name());
        if (is_fused(step)) words = "fused: " + words;
        std::string types;
        for (const std::uint32_t result : made_by(graph_of, step)) types += (types.empty() ? " -> " : ", ") + graph_of.values[result].type.text();
        line(depth, words + types + how(graph_of, step, last) + places(graph_of, step) + mapped(graph_of, segment, last));
        if (const std::string reason = why_apart(graph_of, segment, step); !reason.empty()) line(depth + 1, reason);
        if (last.bodies.empty()) return;
        for (const GraphPlan& body : plan.bodies.at(step.nodes.back())) {
            line(depth + 1, "body:");
            graph(body, depth + 2);
        }
    }

    // " (a view)", " (a kernel)", " (tiles of 1024)".
    static std::string how(const Graph& graph, const Step& step, const Node& last) {
        if (!last.bodies.empty()) return {};
        if (!is_fused(step) && is_view(last)) return " (a view)";
        if (!is_fused(step) && last.op->tile == nullptr) return " (a kernel)";
        std::size_t widest = 1;
        for (const std::uint32_t n : step.nodes) {
            for (const std::uint32_t result : graph.nodes[n].results) widest = std::max(widest, size_of(graph.values[result].type.dtype));
            for (const Value operand : graph.nodes[n].operands) widest = std::max(widest, size_of(graph.type(operand).dtype));
        }
        std::int64_t columns = 1;
        for (std::size_t i = step.space.size() - std::min(step.space.size(), step.column_axes); i < step.space.size(); ++i) columns *= step.space[i].value();
        const std::int64_t rows = TileProgram::rows_a_tile(columns, widest);
        return columns > 1 ? " (tiles of " + count_of(rows, "row") + " of " + std::to_string(columns) + ")" : " (tiles of " + std::to_string(rows) + ")";
    }

    static std::string places(const Graph& graph, const Step& step) {
        std::set<std::int64_t> lines;
        for (const std::uint32_t n : step.nodes) {
            const Origin* origin = graph.nodes[n].origin;
            if (origin && origin->span) lines.insert(line_of(origin->span));
        }
        if (lines.empty()) return {};
        std::vector<std::string> words;
        for (const std::int64_t each : lines) words.push_back(std::to_string(each));
        return (words.size() > 1 ? " at lines " : " at line ") + join_and(words);
    }

    // Mapped axes beside that of the segment; and those around the operation over which it does not vary.
    static std::string mapped(const Graph& graph, const Segment& segment, const Node& node) {
        const auto axes = [&](const std::vector<LaneId>& lanes) {
            std::vector<std::string> words;
            for (const LaneId lane : lanes) {
                const LaneAxis& axis = graph.program->lanes[lane];
                words.push_back(axis.name.empty() ? "the one" + place_of(axis.span) : "\"" + axis.name + "\"");
            }
            return join_and(words);
        };
        if (is_door(node)) return {};
        std::vector<LaneId> inner, hoisted;
        for (const LaneId lane : node.lanes) {
            if (lane != segment.lane) inner.push_back(lane);
        }
        for (std::size_t i = 0; node.nesting != nullptr && i < node.nesting->size(); ++i) {
            const Nesting& around = (*node.nesting)[i];
            if (around.kind == Nesting::Kind::lane && !has_lane(node.lanes, around.id)) hoisted.push_back(around.id);
        }
        std::string words;
        if (!inner.empty()) words += "; mapped axes inside: " + axes(inner);
        if (!hoisted.empty()) words += "; once for all lanes of " + axes(hoisted);
        return words;
    }

    // ---- why a step is not one with the step whose result it reads

    std::string why_apart(const Graph& graph, const Segment& segment, const Step& step) const {
        const Node& node = graph.nodes[step.nodes.front()];
        if (options_.mode == RunOptions::Mode::eager || (node.op->tile == nullptr && node.op->rows == nullptr)) return {};
        for (const std::uint32_t n : step.nodes) {
            for (const Value operand : graph.nodes[n].operands) {
                const Step* from = maker_of(graph, segment, operand, step);
                if (from == nullptr) continue;
                const Node& maker = graph.maker(operand);
                const std::string name = "`" + std::string(maker.op->name()) + "`";
                const std::string reason = reason_apart(graph, *from, maker, step, graph.nodes[n], operand);
                if (!reason.empty()) return "apart from " + name + ": " + reason;
            }
        }
        return {};
    }

    // The step of this segment that makes a value, through views.
    static const Step* maker_of(const Graph& graph, const Segment& segment, Value value, const Step& reader) {
        const std::uint32_t maker = graph.info(value).node;
        for (const Step& step : segment.steps) {
            if (&step == &reader) return nullptr; // its own, or of a step behind it
            if (std::ranges::find(step.nodes, maker) != step.nodes.end()) return is_quiet(graph.nodes[maker]) ? nullptr : &step;
        }
        return nullptr;
    }

    // Why what could work on the rows of a tile has a kernel instead.
    static std::string whole_axes(const Node& node) {
        return node.op->family == Family::contraction ? "is no product of two rows, or one of rows too long for a tile" : "folds an axis that is not the last, or rows too long for a tile";
    }

    static std::string reason_apart(const Graph& graph, const Step& from, const Node& maker, const Step& step, const Node& node, Value operand) {
        if (!maker.bodies.empty()) return "control flow ends a chain";
        if (is_view(maker)) return can_fuse(graph, graph.nodes[from.nodes.front()]) || !is_view(graph.nodes[from.nodes.front()]) ? "its result is looked at in another shape" : "";
        if (!can_fuse(graph, maker)) return maker.op->rows == nullptr ? "it has a kernel of its own" : "it " + whole_axes(maker);
        if (maker.lanes != node.lanes) return "it varies over other mapped axes";
        const std::string there = TensorType{DType::f32, graph.type(operand).shape}.text().substr(3), here = TensorType{DType::f32, step.space}.text().substr(3);
        if (there != here) return "its result is " + (there.empty() ? "a scalar" : there) + " and this goes over " + (here.empty() ? "a scalar" : here);
        if (!can_fuse(graph, node)) return "this " + whole_axes(node);
        return "something between them is needed first";
    }

    const RunOptions& options_;
    int threads_;
    std::vector<LaneId> blocked_;
    std::string text_;
};

} // namespace

std::string explain_plan(const Graph& graph, const RunOptions& options) {
    return Explanation(options).text(make_plan(graph, std::vector<bool>(graph.outputs.size(), true), planning_of(options)));
}

} // namespace vmaprun
