#include "exec/stream.hpp"

#include <algorithm>
#include <iterator>
#include <set>

#include "base/error.hpp"
#include "exec/lane_folds.hpp"
#include "ir/op.hpp"
#include "ir/structural.hpp"

namespace vmaprun {
namespace {

// Finds the one lane, and the one segment over it, through which inputs and outputs can go by slices.
class Streaming {
  public:
    explicit Streaming(const GraphPlan& plan) : plan_(plan), graph_(*plan.graph) {
        for (std::size_t s = 0; s < plan.segments.size(); ++s) {
            for (const Step& step : plan.segments[s].steps) {
                for (const std::uint32_t n : step.nodes) segment_of_[n] = s;
            }
        }
    }

    // Whether all that is made of the input's slices is made in the segment, but for views that every block can take for itself.
    bool can_read(std::size_t input, std::size_t segment) const {
        const Value value = graph_.inputs[input];
        if (!plan_.needed_inputs[input] || !graph_.lanes(value).empty() || is_output(value)) return false;
        std::set<std::uint32_t> sliced{value.index};
        for (std::uint32_t n = 0; n < graph_.nodes.size(); ++n) {
            const Node& node = graph_.nodes[n];
            const bool uses = std::ranges::any_of(node.operands, [&](Value operand) { return sliced.contains(operand.index); });
            if (!uses || !segment_of_.contains(n)) continue;
            if (segment_of_.at(n) == segment) {
                if (std::ranges::find(node.operands, value) != node.operands.end()) return false; // as a whole, for every lane
                continue;
            }
            if (!is_view(node) || is(node, unlane_op) || node.results.size() != 1 || is_output(graph_.result(node))) return false;
            const bool enters = is(node, lane_op) && node.integer(0) == 0 && node.integer(1) == static_cast<std::int64_t>(lane(segment));
            if (node.operands[0] == value && !enters) return false;
            sliced.insert(node.results[0]);
        }
        return true;
    }

    // The value whose slices are those of the output, if nothing else needs it afterwards.
    std::optional<std::uint32_t> written_by(std::size_t output, std::size_t segment) const {
        const Value value = graph_.outputs[output];
        const Node& leaves = graph_.maker(value);
        const auto id = static_cast<std::int64_t>(lane(segment));
        if (!is(leaves, unlane_op) || leaves.integer(0) != 0 || leaves.integer(1) != id || std::ranges::count(graph_.outputs, value) != 1) return std::nullopt;
        const Value inner = leaves.operands[0];
        const bool is_made = std::ranges::find(plan_.segments[segment].writes, inner.index) != plan_.segments[segment].writes.end();
        if (!is_made || graph_.lanes(inner) != Lanes{lane(segment)}) return std::nullopt;
        for (std::uint32_t n = 0; n < graph_.nodes.size(); ++n) {
            const Node& node = graph_.nodes[n];
            if (!segment_of_.contains(n) || segment_of_.at(n) == segment || &node == &leaves) continue;
            for (const Value operand : node.operands) {
                if (operand == inner || operand == value) return std::nullopt;
            }
        }
        return inner.index;
    }

    // The segment through which the most can go; nothing: none.
    std::optional<std::size_t> best() const {
        std::optional<std::size_t> found;
        std::size_t most = 0;
        for (std::size_t s = 0; s < plan_.segments.size(); ++s) {
            if (!plan_.segments[s].lane) continue;
            std::size_t inputs = 0;
            for (std::size_t i = 0; i < graph_.inputs.size(); ++i) inputs += can_read(i, s) ? 1 : 0;
            if (inputs > most) found = s;
            most = std::max(most, inputs);
        }
        return found;
    }

    bool is_outside(std::uint32_t node, std::size_t segment) const { return segment_of_.contains(node) && segment_of_.at(node) != segment; }

  private:
    LaneId lane(std::size_t segment) const { return *plan_.segments[segment].lane; }
    bool is_output(Value value) const { return std::ranges::find(graph_.outputs, value) != graph_.outputs.end(); }

    const GraphPlan& plan_;
    const Graph& graph_;
    std::map<std::uint32_t, std::size_t> segment_of_; // of the nodes that are run
};

} // namespace

std::optional<Streamable> streamable(const Graph& graph) {
    const GraphPlan plan = make_plan(graph, std::vector<bool>(graph.outputs.size(), true), Planning::in_blocks);
    const Streaming streaming(plan);
    const std::optional<std::size_t> segment = streaming.best();
    if (!segment) return std::nullopt;
    Streamable result;
    for (std::size_t i = 0; i < graph.inputs.size(); ++i) result.inputs.push_back(streaming.can_read(i, *segment));
    for (std::size_t i = 0; i < graph.outputs.size(); ++i) result.outputs.push_back(streaming.written_by(i, *segment).has_value());
    return result;
}

namespace {

double bytes_of(const Graph& graph, std::uint32_t value) {
    const ValueInfo& info = graph.values[value];
    double bytes = static_cast<double>(size_of(info.type.dtype));
    for (const Dim& dim : info.type.shape) bytes *= static_cast<double>(dim.value());
    for (const LaneId lane : info.lanes) bytes *= static_cast<double>(graph.program->lanes[lane].size.value());
    return bytes;
}

// What a segment leaves behind, or, where it doesn't go block by block, makes at all.
std::vector<std::uint32_t> whole_values(const Graph& graph, const Segment& segment) {
    std::vector<std::uint32_t> values;
    if (segment.lane) {
        std::ranges::copy_if(segment.writes, std::back_inserter(values), [&](std::uint32_t value) { return !is_folded(segment, value); });
        return values;
    }
    for (const Step& step : segment.steps) {
        for (const std::uint32_t n : step.nodes) {
            if (is_view(graph.nodes[n])) continue;
            std::ranges::copy_if(graph.nodes[n].results, std::back_inserter(values), [&](std::uint32_t value) { return step.keeps(value); });
        }
    }
    return values;
}

} // namespace

double bytes_in_memory(const Graph& graph, const std::vector<bool>& inputs) {
    const GraphPlan plan = make_plan(graph, std::vector<bool>(graph.outputs.size(), true), Planning::in_blocks);
    const Streaming streaming(plan);
    const std::optional<std::size_t> segment = streaming.best();
    std::set<std::uint32_t> written;
    for (std::size_t i = 0; segment && i < graph.outputs.size(); ++i) {
        if (const auto value = streaming.written_by(i, *segment)) written.insert(*value);
    }
    double bytes = 0;
    for (std::size_t i = 0; i < graph.inputs.size(); ++i) {
        if (inputs[i] && !(segment && streaming.can_read(i, *segment))) bytes += bytes_of(graph, graph.inputs[i].index);
    }
    for (const Segment& each : plan.segments) {
        for (const std::uint32_t value : whole_values(graph, each)) bytes += written.contains(value) ? 0 : bytes_of(graph, value);
    }
    return bytes;
}

StreamedSegment make_streamed(GraphPlan& plan, const Streams& streams) {
    const Graph& graph = *plan.graph;
    const Streaming streaming(plan);
    const std::optional<std::size_t> segment = streaming.best();
    if (!segment) throw InternalError("stream: no segment can stream");
    StreamedSegment result;
    result.segment = *segment;
    std::set<std::uint32_t> sliced, left; // values there only as slices; nodes that no whole array is there for
    for (std::size_t i = 0; i < streams.sources.size(); ++i) {
        if (streams.sources[i] == nullptr) continue;
        if (!streaming.can_read(i, *segment)) throw InternalError("stream: an input that is needed as a whole");
        result.sources.push_back({graph.inputs[i].index, streams.sources[i]});
        sliced.insert(graph.inputs[i].index);
    }
    for (std::size_t i = 0; i < streams.sinks.size(); ++i) {
        if (streams.sinks[i] == nullptr) continue;
        const auto value = streaming.written_by(i, *segment);
        if (!value) throw InternalError("stream: an output that is not made of slices");
        result.sinks.push_back({*value, streams.sinks[i]});
        left.insert(graph.info(graph.outputs[i]).node);
    }
    for (std::uint32_t n = 0; n < graph.nodes.size(); ++n) {
        const Node& node = graph.nodes[n];
        const bool uses = std::ranges::any_of(node.operands, [&](Value operand) { return sliced.contains(operand.index); });
        if (!uses || !streaming.is_outside(n, *segment)) continue;
        result.views.emplace_back().nodes = {n};
        sliced.insert(node.results[0]);
        left.insert(n);
    }
    for (Segment& each : plan.segments) {
        std::erase_if(each.steps, [&](const Step& step) { return left.contains(step.nodes.front()); });
    }
    return result;
}

} // namespace vmaprun
