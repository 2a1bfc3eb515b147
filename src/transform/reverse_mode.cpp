#include "transform/reverse_mode.hpp"

#include <algorithm>

#include "ir/structural.hpp"
#include "ops/derivative.hpp"
#include "ops/movement.hpp"
#include "ops/reduction.hpp"
#include "transform/forward_mode.hpp"

namespace vmaprun {
namespace {

Lanes lanes_entered_in(const Graph& graph, std::size_t depth) {
    Lanes entered;
    for (const Node& node : graph.nodes) {
        if (node.nesting == nullptr) continue;
        for (std::size_t i = depth; i < node.nesting->size(); ++i) {
            const Nesting& nesting = (*node.nesting)[i];
            if (nesting.kind == Nesting::Kind::lane && !has_lane(entered, nesting.id)) entered = lanes_union(entered, {nesting.id});
        }
    }
    return entered;
}

bool any_there(const std::vector<Value>& values) {
    return std::ranges::any_of(values, [](Value value) { return static_cast<bool>(value); });
}

} // namespace

ReverseMode::ReverseMode(Builder& builder, const Graph& graph, std::size_t depth, const std::vector<bool>& active, Effects effects)
    : builder_(builder), graph_(graph), again_(builder, graph, depth, effects), activity_(graph, active), own_lanes_(lanes_entered_in(graph, depth)) {}

void ReverseMode::forward(std::span<const Value> arguments) {
    again_.set_inputs(arguments);
    for (const Node& node : graph_.nodes) add(node);
}

void ReverseMode::add(const Node& node) {
    if (!activity_.any_result(node) || node.operands.empty()) return again_.add(node);
    if (!node.bodies.empty()) {
        tape_.push_back(remember_control(builder_, again_, node, activity_));
        return;
    }
    again_.add(node);
    Remembered entry{&node, again_.at(node.operands), {}, {}, {}};
    for (std::size_t i = 0; i < node.results.size(); ++i) entry.results.push_back(again_.at(graph_.result(node, i)));
    tape_.push_back(std::move(entry));
}

std::vector<Value> ReverseMode::recalled() const {
    std::vector<Value> values;
    const auto take = [&](const std::vector<Value>& some) { values.insert(values.end(), some.begin(), some.end()); };
    for (const Remembered& entry : tape_) {
        take(entry.operands);
        if (!entry.back) take(entry.results);
        take(entry.saved);
    }
    std::ranges::sort(values);
    values.erase(std::unique(values.begin(), values.end()), values.end());
    return values;
}

std::vector<Value> ReverseMode::backward(std::span<const Value> cotangents, const Recall& recall, const TakeOver& take_over) const {
    Sums sums(graph_.values.size());
    for (std::size_t i = 0; i < graph_.outputs.size(); ++i) {
        const std::uint32_t output = graph_.outputs[i].index;
        if (activity_.at(graph_.outputs[i])) sums[output] = add_cotangents(builder_, sums[output], cotangents[i]);
    }
    for (std::size_t i = tape_.size(); i-- > 0;) back_through(tape_[i], sums, recall, take_over);
    std::vector<Value> inputs;
    for (const Value input : graph_.inputs) inputs.push_back(sums[input.index]);
    return inputs;
}

Lanes ReverseMode::own_part(const Lanes& lanes) const {
    Lanes own;
    std::ranges::copy_if(lanes, std::back_inserter(own), [&](LaneId lane) { return is_own(lane); });
    return own;
}

// A cotangent as one that is summed over the axis later: the first lane has all of it.
Value ReverseMode::held(Value cotangent, LaneId lane) const {
    const Value first = pointwise(builder_, "equal", {builder_.lane_index(lane), builder_.constant(Dim(0))});
    return pointwise(builder_, "where", {first, cotangent, zeros_like(builder_, cotangent)});
}

void ReverseMode::back_through(const Remembered& entry, Sums& sums, const Recall& recall, const TakeOver& take_over) const {
    const Node& node = *entry.node;
    std::vector<Value> cotangents;
    for (const std::uint32_t result : node.results) cotangents.push_back(sums[result]);
    std::vector<bool> wanted = activity_.at(node.operands);
    if (!any_there(cotangents)) return;
    for (std::size_t i = 0; take_over && i < wanted.size(); ++i) wanted[i] = wanted[i] && !take_over(entry, i, cotangents);
    if (take_over && std::ranges::find(wanted, true) == wanted.end()) return;
    const PlaceOf place(builder_, node, again_.depth(), Builder::PlaceAs::derived);
    std::vector<Lanes> summed;
    for (const Value operand : node.operands) {
        Lanes lanes = own_part(node.lanes);
        erase_if(lanes, [&](LaneId lane) { return has_lane(graph_.lanes(operand), lane); });
        summed.push_back(std::move(lanes));
    }
    std::vector<Value> results = at_place_of(node, [&] { return rule(entry, cotangents, wanted, summed, recall); });
    for (std::size_t i = 0; i < results.size(); ++i) {
        if (!wanted[i] || !results[i]) continue;
        check_derivative(builder_, node, results[i], graph_.type(node.operands[i]));
        for (const LaneId lane : summed[i]) results[i] = sum_over_lane(builder_, results[i], lane);
        Value& sum = sums[node.operands[i].index];
        sum = add_cotangents(builder_, sum, results[i]);
    }
}

std::vector<Value> ReverseMode::back_through_lane(const Node& node, Value cotangent, Lanes& summed) const {
    const auto lane = static_cast<LaneId>(node.integer(1));
    const std::int64_t axis = node.integer(0);
    summed = lanes_without(summed, lane);
    if (is(node, lane_op)) {
        const Value whole = builder_.unlane(cotangent, lane, axis);
        return {is_own(lane) ? whole : held(whole, lane)};
    }
    if (!has_lane(graph_.lanes(node.operands[0]), lane)) return {reduce(builder_, "sum", cotangent, {axis}, false)};
    // A collective over an axis around the graph: every lane has a cotangent of its own for what all of them gathered.
    if (!is_own(lane)) cotangent = sum_over_lane(builder_, cotangent, lane);
    return {builder_.lane(cotangent, lane, axis)};
}

std::vector<Value> ReverseMode::rule(const Remembered& entry, const std::vector<Value>& cotangents, const std::vector<bool>& wanted, std::vector<Lanes>& summed,
                                     const Recall& recall) const {
    const Node& node = *entry.node;
    if (is(node, lane_op) || is(node, unlane_op)) return back_through_lane(node, cotangents[0], summed[0]);
    if (entry.back) {
        std::vector<Value> spread = cotangents;
        for (std::size_t i = 0; i < spread.size(); ++i) {
            for (const LaneId lane : own_part(node.lanes)) {
                if (spread[i] && !has_lane(graph_.values[node.results[i]].lanes, lane)) spread[i] = held(spread[i], lane);
            }
        }
        return entry.back(spread, wanted, recall, summed);
    }
    std::vector<Value> operands, results;
    for (const Value operand : entry.operands) operands.push_back(recall(operand));
    for (const Value result : entry.results) results.push_back(recall(result));
    const Primal at{builder_, node, operands, results, &summed};
    const Derivative& derivative = node.op->derivative;
    if (derivative.vjp != nullptr) return derivative.vjp(at, cotangents, wanted);
    if (derivative.kind != Derivative::Kind::pointwise) throw InternalError("derivative: the row of " + std::string(node.op->name()) + " has none");
    std::vector<Value> products(operands.size());
    for (std::size_t i = 0; i < operands.size(); ++i) {
        if (!wanted[i] || derivative.partials[i] == nullptr) continue;
        products[i] = scaled(builder_, cotangents[0], derivative.partials[i](builder_, operands, results[0]));
    }
    return products;
}

// ---- the interface

Pullback::Pullback(Builder& builder, const TracedFunction& function, std::span<const Value> arguments) : function_(function), arguments_(arguments.size()) {
    const Graph& graph = *function_.graph;
    std::vector<bool> active(graph.inputs.size(), false);
    std::fill_n(active.begin(), arguments.size(), true);
    std::vector<Value> inputs(arguments.begin(), arguments.end());
    inputs.insert(inputs.end(), graph.captured.begin(), graph.captured.end());
    mode_ = std::make_unique<ReverseMode>(builder, graph, function_.depth, active);
    mode_->forward(inputs);
}

Pullback::~Pullback() = default;

std::vector<Value> Pullback::values() const { return mode_->values(); }

std::vector<Value> Pullback::operator()(std::span<const Value> cotangents) const {
    std::vector<Value> all = mode_->backward(cotangents, [](Value forward) { return forward; });
    all.resize(arguments_);
    return all;
}

} // namespace vmaprun
