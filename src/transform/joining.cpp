#include "transform/joining.hpp"

#include <algorithm>
#include <map>
#include <numeric>
#include <set>

#include "ir/op.hpp"
#include "ir/structural.hpp"

namespace vmaprun {
namespace {

// What stands in the way of joining an axis, and which one each is by now.
class Axes {
  public:
    explicit Axes(const Graph& graph) : program_(*graph.program), now_(program_.lanes.size()), fixed_(program_.lanes.size(), false), beside_(program_.lanes.size()) {
        std::iota(now_.begin(), now_.end(), LaneId{0});
        for (LaneId lane = 0; lane < program_.lanes.size(); ++lane) fixed_[lane] = program_.lanes[lane].is_cut || program_.lanes[lane].parts != 0;
        look_at(graph);
    }

    LaneId operator[](LaneId lane) const { return now_[lane]; }

    bool join(LaneId first, LaneId second) {
        const LaneId kept = std::min(now_[first], now_[second]), gone = std::max(now_[first], now_[second]);
        const LaneAxis &a = program_.lanes[kept], &b = program_.lanes[gone];
        if (kept == gone || fixed_[kept] || fixed_[gone] || !(a.size == b.size) || a.chunk != b.chunk || beside_[kept].contains(gone)) return false;
        for (LaneId& each : now_) {
            if (each == gone) each = kept;
        }
        for (std::set<LaneId>& others : beside_) {
            if (others.erase(gone) > 0) others.insert(kept);
        }
        beside_[kept].merge(beside_[gone]);
        return true;
    }

  private:
    void look_at(const Graph& graph) {
        for (const ValueInfo& value : graph.values) meet(value.lanes);
        for (const Node& node : graph.nodes) {
            meet(node.lanes);
            const bool is_in_pipe = [&] {
                const Origin* origin = node.origin;
                while (origin != nullptr && origin->pipe == 0) origin = origin->caller;
                return origin != nullptr;
            }();
            if (node.op->effect != Effect::none || is_in_pipe) {
                for (const LaneId lane : node.lanes) fixed_[lane] = true;
                for (std::size_t i = 0; node.nesting != nullptr && i < node.nesting->size(); ++i) { // also where it is the same in all lanes
                    const Nesting& around = (*node.nesting)[i];
                    if (around.kind == Nesting::Kind::lane) fixed_[around.id] = true;
                }
            }
            for (const auto& body : node.bodies) look_at(*body);
        }
    }

    void meet(const Lanes& lanes) {
        for (const LaneId a : lanes) {
            for (const LaneId b : lanes) {
                if (a != b) beside_[a].insert(b);
            }
        }
    }

    const Program& program_;
    std::vector<LaneId> now_;
    std::vector<bool> fixed_;
    std::vector<std::set<LaneId>> beside_; // those along which a value lies too
};

LaneId lane_of(const Node& door) { return static_cast<LaneId>(door.integer(1)); }

// Joins what enters an axis with what has left one, or with what entered one before. True: some were.
bool join_in(const Graph& graph, Axes& axes) {
    bool any = false;
    std::map<std::pair<std::uint32_t, std::int64_t>, LaneId> entered; // by a value along an axis
    for (const Node& node : graph.nodes) {
        for (const auto& body : node.bodies) any |= join_in(*body, axes);
        if (!is(node, lane_op)) continue;
        const Node& maker = graph.maker(node.operands[0]);
        if (is(maker, unlane_op) && maker.integer(0) == node.integer(0)) any |= axes.join(lane_of(maker), lane_of(node));
        const auto [known, is_new] = entered.try_emplace({node.operands[0].index, node.integer(0)}, lane_of(node));
        if (!is_new) any |= axes.join(known->second, lane_of(node));
    }
    return any;
}

// The graph with each axis under the name it has now.
class Renaming {
  public:
    Renaming(Program& program, const Axes& axes) : program_(program), axes_(axes) {}

    std::shared_ptr<Graph> operator()(const Graph& graph) {
        auto result = std::make_shared<Graph>(graph);
        for (ValueInfo& value : result->values) rename(value.lanes);
        for (Node& node : result->nodes) {
            rename(node);
            for (auto& body : node.bodies) body = (*this)(*body);
        }
        return result;
    }

  private:
    void rename(Lanes& lanes) const {
        for (LaneId& lane : lanes) lane = axes_[lane];
        std::ranges::sort(lanes);
    }

    void rename(Node& node) {
        rename(node.lanes);
        if (is(node, lane_op) || is(node, unlane_op)) node.attributes[1] = static_cast<std::int64_t>(axes_[lane_of(node)]);
        if (is(node, lane_index_op)) node.attributes[0] = static_cast<std::int64_t>(axes_[static_cast<LaneId>(node.integer(0))]);
        if (node.nesting == nullptr) return;
        const auto [known, is_new] = nestings_.try_emplace(node.nesting, nullptr);
        if (is_new) {
            std::vector<Nesting>& nesting = program_.nestings.emplace_back(*node.nesting);
            for (Nesting& each : nesting) {
                if (each.kind == Nesting::Kind::lane) each.id = axes_[each.id];
            }
            known->second = &nesting;
        }
        node.nesting = known->second;
    }

    Program& program_;
    const Axes& axes_;
    std::map<const std::vector<Nesting>*, const std::vector<Nesting>*> nestings_;
};

} // namespace

std::shared_ptr<Graph> join_lanes(const std::shared_ptr<Graph>& graph) {
    if (graph->program->lanes.size() < 2) return graph;
    Axes axes(*graph);
    return join_in(*graph, axes) ? Renaming(*graph->program, axes)(*graph) : graph;
}

} // namespace vmaprun
