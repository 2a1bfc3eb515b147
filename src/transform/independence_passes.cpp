// Where independent axes are cut: the calls of vmapipe, and batched code that is written by hand.
#include <algorithm>
#include <map>
#include <set>

#include "base/text.hpp"
#include "ir/structural.hpp"
#include "transform/dead.hpp"
#include "transform/independence.hpp"

namespace vmaprun {
namespace {

std::string place_of(const Origin* origin) {
    if (origin == nullptr || !origin->span) return {};
    return " at line " + std::to_string(origin->span.source->position(origin->span.begin).line);
}

// ---- vmapipe

// The nodes that one call of vmapipe traced, and what of them is used outside of it.
class PipeRegion {
  public:
    PipeRegion(const Graph& graph, std::uint32_t pipe) : graph_(graph), pipe_(pipe) {
        std::set<Value> used;
        for (const Node& node : graph.nodes) {
            if (!holds(node)) used.insert(node.operands.begin(), node.operands.end());
        }
        used.insert(graph.outputs.begin(), graph.outputs.end());
        for (const Node& node : graph.nodes) {
            if (!holds(node)) continue;
            for (const std::uint32_t result : node.results) {
                if (used.contains({graph.id, result})) results_.push_back({graph.id, result});
            }
            for (const Value operand : node.operands) {
                if (!holds(graph.maker(operand)) && std::ranges::find(operands_, operand) == operands_.end()) operands_.push_back(operand);
            }
        }
    }

    bool holds(const Node& node) const {
        if (is(node, constant_op) || is(node, parameter_op)) return false;
        const auto [known, is_new] = origins_.try_emplace(node.origin, false);
        if (is_new) {
            for (const Origin* origin = node.origin; origin != nullptr && !known->second; origin = origin->caller) known->second = origin->pipe == pipe_;
        }
        return known->second;
    }
    const std::vector<Value>& results() const { return results_; }
    const std::vector<Value>& operands() const { return operands_; }

  private:
    const Graph& graph_;
    std::uint32_t pipe_;
    std::vector<Value> results_, operands_;
    mutable std::map<const Origin*, bool> origins_;
};

// Which values of the region come from those, each by what it is computed of.
template <class IsSource> std::vector<bool> comes_from(const Graph& graph, const PipeRegion& region, IsSource&& is_source) {
    std::vector<bool> comes(graph.values.size(), false);
    for (const Node& node : graph.nodes) {
        if (!region.holds(node)) continue;
        const bool from = std::ranges::any_of(node.operands, [&](Value operand) { return comes[operand.index] || is_source(operand); });
        for (const std::uint32_t result : node.results) comes[result] = from;
    }
    return comes;
}

// Whether a result comes from what has lanes, though it has none itself.
bool varies(const Graph& graph, const PipeRegion& region, Value result) {
    return comes_from(graph, region, [&](Value operand) { return !graph.lanes(operand).empty(); })[result.index];
}

std::string parts_text(std::int64_t parts) { return parts < 0 ? "in one part a device" : "in " + count_of(parts, "part"); }

// The mapped axis on which all results lie already: that of a vmap around the call, or of one in it whose results they are.
// What is the same in all lanes is computed once.
std::optional<LaneId> mapped_axis(const Graph& graph, const PipeRegion& region) {
    std::optional<LaneId> common;
    for (const Value result : region.results()) {
        const Node& maker = graph.maker(result);
        const Lanes& lanes = graph.lanes(result);
        if (lanes.empty() && !is(maker, unlane_op)) {
            if (varies(graph, region, result)) return std::nullopt;
            continue;
        }
        const LaneId lane = lanes.empty() ? static_cast<LaneId>(maker.integer(1)) : lanes.front();
        if (common && *common != lane) return std::nullopt;
        common = lane;
    }
    return common;
}

// How good a cut is for the results, less being better: the innermost of their axes, then how many stay whole. None where one
// stays whole although it comes from what is cut. What doesn't (a part that another call shares, such as weights turned) may.
std::optional<std::pair<std::int64_t, std::size_t>> cost_of(const Graph& graph, const PipeRegion& region, const Cut& cut) {
    const std::vector<bool> comes = comes_from(graph, region, [&](Value value) { return value == cut.seed; });
    std::pair<std::int64_t, std::size_t> cost{0, 0};
    for (const Value result : region.results()) {
        if (cut.is_cut(result)) cost.first = std::max(cost.first, cut.axis[result.index]);
        else if (comes[result.index]) return std::nullopt;
        else ++cost.second;
    }
    if (cost.second == region.results().size()) return std::nullopt;
    return cost;
}

std::optional<Cut> best_cut(const Graph& graph, const PipeRegion& region) {
    constexpr std::size_t most_operands = 32;
    std::optional<Cut> best;
    std::optional<std::pair<std::int64_t, std::size_t>> least;
    for (std::size_t i = 0; i < std::min(most_operands, region.operands().size()); ++i) {
        const Value operand = region.operands()[i];
        if (!graph.lanes(operand).empty()) continue;
        for (std::size_t axis = 0; axis < graph.type(operand).rank(); ++axis) {
            if (graph.type(operand).shape[axis].value() < 2) continue;
            Cut cut = follow_axis(graph, operand, static_cast<std::int64_t>(axis), [&](const Node& node) { return region.holds(node); });
            const auto cost = cost_of(graph, region, cut);
            if (!cost || (least && *cost >= *least)) continue;
            least = cost;
            best = std::move(cut);
        }
    }
    return best;
}

// What stands in the way, of the axes of what goes in: the first operation that looks across the one that gets farthest.
std::string refusal(const Graph& graph, const PipeRegion& region) {
    for (const Value result : region.results()) {
        if (graph.type(result).rank() == 0 && result == region.results().back()) return "not cut: its result " + graph.type(result).text() + place_of(graph.maker(result).origin) + " has no axis";
    }
    std::string words = "not cut: there is no axis on which its results are independent";
    std::uint32_t farthest = 0;
    for (const Value operand : region.operands()) {
        if (graph.type(operand).rank() == 0 || !graph.lanes(operand).empty()) continue;
        const Cut cut = follow_axis(graph, operand, 0, [&](const Node& node) { return region.holds(node); });
        for (const Node& node : graph.nodes) {
            if (!region.holds(node) || (!node.results.empty() && cut.axis[node.results[0]] != Cut::none)) continue;
            const bool looks = std::ranges::any_of(node.operands, [&](Value each) { return each == operand || cut.is_cut(each); });
            if (!looks || node.sequence <= farthest) continue;
            farthest = node.sequence;
            words = "not cut: there is no axis on which its results are independent; `" + std::string(node.op->name()) + "`" + place_of(node.origin) + " looks across the leading one";
            break;
        }
    }
    return words;
}

std::shared_ptr<Graph> cut_pipe(const std::shared_ptr<Graph>& graph, std::uint32_t number) {
    Pipe& pipe = graph->program->pipes[number - 1];
    const PipeRegion region(*graph, number);
    if (region.results().empty()) {
        pipe.outcome = "nothing of it is left to be cut at the top of the script";
        return graph;
    }
    if (const auto mapped = mapped_axis(*graph, region)) {
        LaneAxis& lane = graph->program->lanes[*mapped];
        lane.parts = pipe.parts;
        const Origin at{lane.span};
        pipe.outcome = lane.is_cut ? "cut along with the vmapipe around it" : parts_text(pipe.parts) + " along the mapped axis" + place_of(&at) + ", of " + lane.size.text() + " lanes";
        return graph;
    }
    const std::optional<Cut> cut = best_cut(*graph, region);
    if (!cut) {
        pipe.outcome = refusal(*graph, region);
        return graph;
    }
    std::string results;
    for (const Value result : region.results()) {
        if (!cut->is_cut(result)) continue;
        results += (results.empty() ? "axis " : ", axis ") + std::to_string(cut->axis[result.index]) + " of " + graph->type(result).text();
    }
    pipe.outcome = parts_text(pipe.parts) + " along " + results;
    LaneAxis lane;
    lane.span = pipe.span;
    lane.parts = pipe.parts;
    return apply_cut(*graph, *cut, std::move(lane));
}

// ---- batched code

constexpr double worth_cutting = 1 << 20; // bytes that needn't leave the cache

double bytes_of(const Graph& graph, Value value) {
    double bytes = static_cast<double>(size_of(graph.type(value).dtype));
    for (const Dim& dim : graph.type(value).shape) bytes *= static_cast<double>(dim.value());
    return bytes;
}

bool moves_data(const Node& node) { return node.op->view == nullptr || node.op->tile != nullptr; }

bool is_fused(const Node& node) { return node.op->tile != nullptr || node.op->rows != nullptr; }

// The bytes of what goes from step to step in a block, instead of through memory. Chains of what is fused are one step.
double saved_bytes(const Graph& graph, const Cut& cut) {
    std::set<Value> saved;
    for (const Node& node : graph.nodes) {
        if (node.results.empty() || cut.axis[node.results[0]] == Cut::none || !moves_data(node)) continue;
        for (const Value operand : node.operands) {
            if (!cut.is_cut(operand) || cut.is_view[operand.index]) continue;
            if (!is_fused(node) || !is_fused(graph.maker(operand))) saved.insert(operand);
        }
    }
    double bytes = 0;
    for (const Value value : saved) bytes += bytes_of(graph, value);
    return bytes;
}

// Values whose leading axis may be one of samples: the large ones that come in, or come from what can't be cut.
std::vector<Value> seeds_of(const Graph& graph) {
    constexpr std::size_t most_seeds = 8;
    std::vector<Value> seeds;
    for (std::uint32_t i = 0; i < graph.values.size(); ++i) {
        const Value value{graph.id, i};
        if (graph.type(value).rank() == 0 || !graph.lanes(value).empty() || is(graph.maker(value), constant_op)) continue;
        if (bytes_of(graph, value) < worth_cutting || graph.type(value).shape[0].value() < 2) continue;
        if (!along_axis(graph, graph.maker(value), 0)) seeds.push_back(value);
    }
    std::ranges::stable_sort(seeds, std::greater{}, [&](Value value) { return bytes_of(graph, value); });
    if (seeds.size() > most_seeds) seeds.resize(most_seeds);
    return seeds;
}

} // namespace

std::shared_ptr<Graph> cut_pipes(const std::shared_ptr<Graph>& graph) {
    std::shared_ptr<Graph> result = graph;
    for (std::uint32_t number = 1; number <= graph->program->pipes.size(); ++number) result = cut_pipe(result, number);
    return result == graph ? graph : remove_dead_code(result);
}

std::shared_ptr<Graph> cut_batches(const std::shared_ptr<Graph>& graph) {
    constexpr int most_axes = 4;
    std::shared_ptr<Graph> result = graph;
    for (int i = 0; i < most_axes; ++i) {
        std::optional<Cut> best;
        double most = worth_cutting;
        for (const Value seed : seeds_of(*result)) {
            Cut cut = follow_axis(*result, seed, 0);
            const double saved = saved_bytes(*result, cut);
            if (saved < most) continue;
            most = saved;
            best = std::move(cut);
        }
        if (!best) break;
        LaneAxis lane;
        const Origin* origin = result->maker(best->seed).origin;
        lane.span = origin ? origin->span : Span{};
        result = remove_dead_code(apply_cut(*result, *best, std::move(lane)));
    }
    return result;
}

} // namespace vmaprun
