#include "transform/independence.hpp"

#include <algorithm>
#include <map>
#include <set>

#include "base/error.hpp"
#include "ir/structural.hpp"
#include "transform/pass.hpp"

namespace vmaprun {
namespace {

// Rules speak of nodes as one sample has them; a node inside of a vmap is on its way in blocks already.
bool may_be_cut(const Node& node) {
    return node.lanes.empty() && node.bodies.empty() && !node.results.empty() && node.op->effect != Effect::visible;
}

std::optional<AlongAxis> rule_of(const Graph& graph, const Node& node, std::size_t axis) {
    if (node.op->tile != nullptr) return AlongAxis{std::vector(node.operands.size(), static_cast<std::int64_t>(axis)), node.attributes};
    if (node.op->independence == nullptr) return std::nullopt;
    std::vector<TensorType> operands;
    for (const Value operand : node.operands) operands.push_back(graph.type(operand));
    return node.op->independence(operands, node.attributes, axis);
}

// One cut axis as it grows.
class Following {
  public:
    Following(const Graph& graph, Value seed, std::int64_t axis, const Region& region) : graph_(graph), region_(region) {
        cut_.size = graph.type(seed).shape[static_cast<std::size_t>(axis)];
        cut_.seed = seed;
        cut_.seed_axis = axis;
        cut_.axis.assign(graph.values.size(), Cut::none);
        cut_.is_view.assign(graph.values.size(), false);
    }

    Cut followed() {
        for (const Node& node : graph_.nodes) {
            if (is_candidate(node)) follow(node);
        }
        demands_.resize(graph_.values.size());
        for (std::size_t n = graph_.nodes.size(); n-- > 0;) gather(graph_.nodes[n]);
        return std::move(cut_);
    }

  private:
    struct Demand {
        std::int64_t axis = Cut::none;
        bool is_whole = false; // or along several axes
    };

    bool is_candidate(const Node& node) const { return may_be_cut(node) && (!region_ || region_(node)); }

    // The axis that a value is known to be cut along; soft: it is there whole too.
    std::int64_t known_axis(Value value) const { return value == cut_.seed ? cut_.seed_axis : cut_.axis[value.index]; }
    bool is_soft(Value value) const { return value == cut_.seed || cut_.is_view[value.index]; }

    // Whether the operands that are cut are cut so; `some` of them are.
    bool fits(const Node& node, const AlongAxis& along, bool& some) const {
        some = false;
        for (std::size_t i = 0; i < node.operands.size(); ++i) {
            const std::int64_t known = known_axis(node.operands[i]);
            if (known == Cut::none) continue;
            if (known == along.operands[i]) some = true;
            else if (!is_soft(node.operands[i])) return false;
        }
        return true;
    }

    void follow(const Node& node) {
        const bool touches = std::ranges::any_of(node.operands, [&](Value operand) { return known_axis(operand) != Cut::none; });
        if (!touches) return;
        const std::size_t rank = graph_.values[node.results[0]].type.rank();
        for (std::size_t axis = 0; axis < rank; ++axis) {
            if (graph_.values[node.results[0]].type.shape[axis] != cut_.size) continue;
            const auto along = along_axis(graph_, node, axis);
            bool some = false;
            if (along && fits(node, *along, some) && some) return mark(node, axis);
        }
    }

    void mark(const Node& node, std::size_t axis) {
        const bool views = node.op->view != nullptr && node.op->tile == nullptr &&
                           std::ranges::all_of(node.operands, [&](Value operand) { return known_axis(operand) == Cut::none || is_soft(operand); });
        for (const std::uint32_t result : node.results) {
            cut_.axis[result] = static_cast<std::int64_t>(axis);
            cut_.is_view[result] = views;
        }
    }

    // Users come before makers: what of a node's results is wanted is known when it is met.
    void gather(const Node& node) {
        if (node.results.empty() || cut_.axis[node.results[0]] == Cut::none) try_to_join(node);
        const bool is_cut = !node.results.empty() && cut_.axis[node.results[0]] != Cut::none;
        std::optional<AlongAxis> along;
        if (is_cut) along = along_axis(graph_, node, static_cast<std::size_t>(cut_.axis[node.results[0]]));
        for (std::size_t i = 0; i < node.operands.size(); ++i) {
            Demand& demand = demands_[node.operands[i].index];
            const std::int64_t wanted = along ? along->operands[i] : AlongAxis::whole;
            if (wanted == AlongAxis::whole || (demand.axis != Cut::none && demand.axis != wanted)) demand.is_whole = true;
            else demand.axis = wanted;
        }
    }

    void try_to_join(const Node& node) {
        if (!is_candidate(node) || node.operands.empty()) return;
        std::int64_t axis = Cut::none;
        for (const std::uint32_t result : node.results) {
            const Demand& demand = demands_[result];
            if (demand.is_whole || (axis != Cut::none && demand.axis != axis)) return;
            axis = demand.axis;
        }
        if (axis == Cut::none) return;
        const auto along = along_axis(graph_, node, static_cast<std::size_t>(axis));
        bool some = false;
        if (!along || !fits(node, *along, some)) return;
        if (std::ranges::all_of(along->operands, [](std::int64_t each) { return each == AlongAxis::whole; })) return;
        for (const std::uint32_t result : node.results) cut_.axis[result] = axis;
    }

    const Graph& graph_;
    const Region& region_;
    Cut cut_;
    std::vector<Demand> demands_;
};

// Whether a node is a door of that mapped axis for what is cut, or for the seed, along the very axis.
bool enters(const Node& node, const Cut& cut, LaneId lane) {
    if (!is(node, lane_op) || static_cast<LaneId>(node.integer(1)) != lane) return false;
    const Value operand = node.operands[0];
    return node.integer(0) == (operand == cut.seed ? cut.seed_axis : cut.axis[operand.index]);
}

// The graph that a cut makes. The mapped axis may be one that the script has already. Each value has up to two forms there: whole, and slice by slice.
class Cutting {
  public:
    Cutting(const Graph& graph, const Cut& cut, LaneId lane) : graph_(graph), cut_(cut), lane_(lane), result_(std::make_shared<Graph>()) {
        result_->id = graph.id;
        result_->program = graph.program;
        result_->has_effects = graph.has_effects;
        whole_.resize(graph.values.size());
        sliced_.resize(graph.values.size());
    }

    std::shared_ptr<Graph> made() {
        for (const Node& node : graph_.nodes) {
            const bool is_cut = !node.results.empty() && cut_.axis[node.results[0]] != Cut::none;
            if (enters(node, cut_, lane_)) {
                whole_[node.results[0]] = sliced(node.operands[0], node.integer(0));
                continue;
            }
            if (!is_cut || cut_.is_view[node.results[0]]) copy(node);
            if (is_cut) slice(node);
        }
        for (const Value input : graph_.inputs) result_->inputs.push_back(whole_[input.index]);
        for (const Value output : graph_.outputs) result_->outputs.push_back(whole(output));
        result_->captured = graph_.captured;
        return result_;
    }

  private:
    Value add_result(TensorType type, Lanes lanes) {
        Node& node = result_->nodes.back();
        const auto index = static_cast<std::uint32_t>(result_->values.size());
        result_->values.push_back({std::move(type), std::move(lanes), static_cast<std::uint32_t>(result_->nodes.size() - 1), static_cast<std::uint32_t>(node.results.size())});
        node.results.push_back(index);
        return {graph_.id, index};
    }

    void copy(const Node& old) {
        Node node = old;
        for (Value& operand : node.operands) operand = whole(operand);
        for (auto& body : node.bodies) {
            auto own = std::make_shared<Graph>(*body);
            for (Value& captured : own->captured) captured = whole(captured);
            body = std::move(own);
        }
        node.results.clear();
        result_->nodes.push_back(std::move(node));
        for (const std::uint32_t result : old.results) whole_[result] = add_result(graph_.values[result].type, graph_.values[result].lanes);
    }

    void slice(const Node& old) {
        const auto axis = static_cast<std::size_t>(cut_.axis[old.results[0]]);
        const auto along = along_axis(graph_, old, axis);
        if (!along) throw InternalError("independence: " + std::string(old.op->name()) + " was cut along an axis that it does not go with");
        Node node = old;
        node.attributes = along->attributes;
        node.results.clear();
        node.lanes.clear();
        for (std::size_t i = 0; i < node.operands.size(); ++i) {
            const Value operand = old.operands[i];
            node.operands[i] = along->operands[i] == AlongAxis::whole ? whole(operand) : sliced(operand, along->operands[i]);
            node.lanes = lanes_union(node.lanes, result_->lanes(node.operands[i]));
        }
        const Lanes lanes = node.lanes;
        result_->nodes.push_back(std::move(node));
        for (const std::uint32_t result : old.results) {
            TensorType type = graph_.values[result].type;
            type.shape.erase(type.shape.begin() + static_cast<std::ptrdiff_t>(axis));
            sliced_[result] = add_result(std::move(type), lanes);
        }
    }

    // A door of the mapped axis, with the place of what made the value.
    Value door(const Op& op, Value old, Value operand, std::int64_t axis, TensorType type, Lanes lanes) {
        return add_beside(*result_, graph_.maker(old), op, operand, {axis, static_cast<std::int64_t>(lane_)}, lanes_union(lanes, {lane_}), std::move(type), lanes);
    }

    Value whole(Value old) {
        Value& known = whole_[old.index];
        if (!known) known = door(unlane_op, old, sliced_[old.index], cut_.axis[old.index], graph_.type(old), lanes_without(result_->lanes(sliced_[old.index]), lane_));
        return known;
    }

    Value sliced(Value old, std::int64_t axis) {
        if (cut_.axis[old.index] == axis) return sliced_[old.index];
        const auto [known, is_new] = doors_.try_emplace({old, axis});
        if (!is_new) return known->second;
        const Node& maker = graph_.maker(old); // it has just left that axis
        if (is(maker, unlane_op) && static_cast<LaneId>(maker.integer(1)) == lane_ && maker.integer(0) == axis) return known->second = whole(maker.operands[0]);
        TensorType type = graph_.type(old);
        type.shape.erase(type.shape.begin() + axis);
        return known->second = door(lane_op, old, whole(old), axis, std::move(type), lanes_union(graph_.lanes(old), {lane_}));
    }

    const Graph& graph_;
    const Cut& cut_;
    LaneId lane_;
    std::shared_ptr<Graph> result_;
    std::vector<Value> whole_, sliced_;
    std::map<std::pair<Value, std::int64_t>, Value> doors_;
};

} // namespace

bool Cut::is_empty() const {
    return std::ranges::all_of(axis, [](std::int64_t each) { return each == none; });
}

std::optional<AlongAxis> along_axis(const Graph& graph, const Node& node, std::size_t axis) {
    if (!may_be_cut(node)) return std::nullopt;
    return rule_of(graph, node, axis);
}

Cut follow_axis(const Graph& graph, Value seed, std::int64_t axis, const Region& region) { return Following(graph, seed, axis, region).followed(); }

std::shared_ptr<Graph> apply_cut(const Graph& graph, const Cut& cut, LaneAxis lane) {
    Program& program = *graph.program;
    lane.size = cut.size;
    lane.is_cut = true;
    lane.sequence = program.next_sequence++;
    program.lanes.push_back(std::move(lane));
    return Cutting(graph, cut, static_cast<LaneId>(program.lanes.size() - 1)).made();
}

namespace {

// The mapped axis of the script that what is cut comes from, or else the first one that it goes on to, if there is one: its
// slices are those of the cut.
std::optional<LaneId> axis_beside(const Graph& graph, const Cut& cut) {
    std::set<LaneId> lanes;
    for (const Node& node : graph.nodes) {
        if (is(node, lane_op) && enters(node, cut, static_cast<LaneId>(node.integer(1)))) lanes.insert(static_cast<LaneId>(node.integer(1)));
    }
    const Node& maker = graph.maker(cut.seed);
    const bool comes = is(maker, unlane_op) && maker.integer(0) == cut.seed_axis;
    if (!comes && lanes.empty()) return std::nullopt;
    const auto lane = comes ? static_cast<LaneId>(maker.integer(1)) : *lanes.begin();
    return graph.program->lanes[lane].parts == 0 ? std::optional(lane) : std::nullopt;
}

} // namespace

std::shared_ptr<Graph> cut_slices(const Graph& graph, Value seed) {
    if (graph.type(seed).rank() == 0 || !graph.lanes(seed).empty()) return nullptr;
    const Cut cut = follow_axis(graph, seed, 0);
    if (const std::optional<LaneId> lane = axis_beside(graph, cut)) return Cutting(graph, cut, *lane).made();
    if (cut.is_empty()) return nullptr;
    LaneAxis lane;
    lane.span = graph.maker(seed).origin ? graph.maker(seed).origin->span : Span{};
    return apply_cut(graph, cut, std::move(lane));
}

} // namespace vmaprun
