// Forward mode through control flow: the same node, whose bodies carry tangents beside values. A condition looks at values
// alone. What is active is known before the bodies are built (transform/activity.hpp); over which axes the tangents of a
// carry vary is found by building the body again until that is settled, as when it was traced.
#include <algorithm>

#include "transform/activity.hpp"
#include "transform/forward_mode.hpp"
#include "transform/loops.hpp"

namespace vmaprun {
namespace {

std::vector<bool> presence(const std::vector<Value>& tangents) {
    std::vector<bool> present;
    for (const Value tangent : tangents) present.push_back(static_cast<bool>(tangent));
    return present;
}

std::vector<std::size_t> positions(const std::vector<bool>& flags) {
    std::vector<std::size_t> set;
    for (std::size_t i = 0; i < flags.size(); ++i) {
        if (flags[i]) set.push_back(i);
    }
    return set;
}

std::span<const Value> captures_of(const Node& node, std::size_t body, const std::vector<Value>& values) {
    return std::span<const Value>(values).subspan(first_capture(node, body), node.bodies[body]->captured.size());
}

void append(std::vector<Value>& to, std::span<const Value> from) { to.insert(to.end(), from.begin(), from.end()); }

} // namespace

void ForwardMode::set_results(const Node& node, const std::vector<Value>& results, const std::vector<std::size_t>& active, std::size_t first_tangent) {
    for (std::size_t i = 0; i < node.results.size(); ++i) again_.set(graph_.result(node, i), results[i]);
    for (std::size_t k = 0; k < active.size(); ++k) tangents_[node.results[active[k]]] = results[first_tangent + k];
}

void ForwardMode::add_branches(const Node& node, const std::vector<Value>& tangents) {
    std::vector<bool> any(node.results.size(), false);
    for (std::size_t b = 0; b < node.bodies.size(); ++b) {
        const auto captured = captures_of(node, b, tangents);
        const std::vector<bool> outputs = Activity(*node.bodies[b], presence({captured.begin(), captured.end()})).at(node.bodies[b]->outputs);
        for (std::size_t i = 0; i < any.size(); ++i) any[i] = any[i] || outputs[i];
    }
    const std::vector<std::size_t> active = positions(any);
    if (active.empty()) return again_.add(node);
    const PlaceOf place(builder_, node, again_.depth(), Builder::PlaceAs::derived);
    const std::vector<Value> operands = again_.at(node.operands);
    std::vector<TensorType> types = result_types(graph_, node);
    std::vector<Lanes> lanes = result_lanes(graph_, node);
    for (const std::size_t i : active) {
        types.push_back(types[i]);
        lanes.push_back(lanes[i]);
    }
    std::vector<std::shared_ptr<Graph>> bodies;
    for (std::size_t b = 0; b < node.bodies.size(); ++b) {
        NewBody open(builder_, node.sequence);
        ForwardMode inner(builder_, *node.bodies[b], Replay::depth_of_bodies(node), again_.effects());
        inner.run(captures_of(node, b, operands), captures_of(node, b, tangents));
        std::vector<Value> outputs = inner.values();
        const std::vector<Value> directions = inner.tangents();
        for (const std::size_t i : active) outputs.push_back(present(builder_, directions[i], types[i]));
        for (std::size_t i = 0; i < outputs.size(); ++i) lanes[i] = lanes_union(lanes[i], builder_.lanes(outputs[i]));
        bodies.push_back(open.finish(outputs));
    }
    std::vector<Value> own(operands.begin(), operands.begin() + static_cast<std::ptrdiff_t>(own_operands(node)));
    const std::vector<Value> results = builder_.add_control(*node.op, own, node.attributes, bodies, types, lanes, node.sequence);
    set_results(node, results, active, node.results.size());
}

namespace {

// One loop with tangents, under construction.
class TangentLoop {
  public:
    TangentLoop(Builder& builder, const Graph& graph, const Node& node, std::vector<Value> operands, std::vector<Value> tangents, Effects effects)
        : builder_(builder), graph_(graph), node_(node), parts_(parts_of(node)), operands_(std::move(operands)), tangents_(std::move(tangents)), effects_(effects) {
        const LoopActivity activity = loop_activity(node, presence(tangents_));
        carries_ = positions(activity.carries);
        xs_ = positions(std::vector<bool>(activity.inputs.begin() + static_cast<std::ptrdiff_t>(parts_.first_x_input), activity.inputs.begin() + static_cast<std::ptrdiff_t>(parts_.first_x_input + parts_.xs)));
        ys_ = positions(std::vector<bool>(activity.outputs.begin() + static_cast<std::ptrdiff_t>(parts_.carries), activity.outputs.end()));
        for (const std::size_t i : carries_) {
            const Value init = operands_[parts_.first_carry + i];
            inits_.push_back(present(builder_, tangents_[parts_.first_carry + i], builder_.type(init)));
            lanes_.push_back(lanes_union(graph.values[node.results[i]].lanes, builder_.lanes(inits_.back())));
        }
    }

    const std::vector<std::size_t>& carries() const { return carries_; }
    const std::vector<std::size_t>& ys() const { return ys_; }

    // Results: carries, their tangents, ys, their tangents.
    std::vector<Value> add() {
        for (;;) {
            std::vector<std::shared_ptr<Graph>> bodies;
            if (node_.bodies.size() == 2) bodies.push_back(condition());
            bool settled = false;
            bodies.push_back(step(settled));
            if (settled) return finish(std::move(bodies));
        }
    }

  private:
    const Graph& body() const { return *node_.bodies.back(); }
    TensorType carry_type(std::size_t i) const { return body().type(body().inputs[parts_.first_input + i]); }

    Value parameter_like(const Graph& graph, Value value) { return builder_.parameter(graph.type(value), graph.lanes(value)); }

    std::shared_ptr<Graph> condition() {
        const Graph& graph = *node_.bodies[0];
        NewBody open(builder_, node_.sequence);
        std::vector<Value> inputs;
        for (std::size_t i = 0; i < parts_.carries; ++i) inputs.push_back(parameter_like(graph, graph.inputs[i]));
        for (std::size_t k = 0; k < carries_.size(); ++k) builder_.parameter(carry_type(carries_[k]), lanes_[k]);
        append(inputs, captures_of(node_, 0, operands_));
        return open.finish(replay(builder_, graph, Replay::depth_of_bodies(node_), inputs, effects_));
    }

    std::shared_ptr<Graph> step(bool& settled) {
        const Graph& graph = body();
        NewBody open(builder_, node_.sequence);
        std::vector<Value> inputs, directions(graph.inputs.size());
        for (std::size_t i = 0; i < parts_.first_input + parts_.carries; ++i) inputs.push_back(parameter_like(graph, graph.inputs[i]));
        for (std::size_t k = 0; k < carries_.size(); ++k) directions[parts_.first_input + carries_[k]] = builder_.parameter(carry_type(carries_[k]), lanes_[k]);
        for (std::size_t i = 0; i < parts_.xs; ++i) inputs.push_back(parameter_like(graph, graph.inputs[parts_.first_x_input + i]));
        for (const std::size_t i : xs_) {
            directions[parts_.first_x_input + i] = builder_.parameter(graph.type(graph.inputs[parts_.first_x_input + i]), builder_.lanes(tangents_[parts_.first_x + i]));
        }
        append(inputs, captures_of(node_, node_.bodies.size() - 1, operands_));
        const auto captured = captures_of(node_, node_.bodies.size() - 1, tangents_);
        std::ranges::copy(captured, directions.end() - static_cast<std::ptrdiff_t>(captured.size()));
        ForwardMode inner(builder_, graph, Replay::depth_of_bodies(node_), effects_);
        inner.run(inputs, directions);
        return open.finish(outputs_of(inner, settled));
    }

    std::vector<Value> outputs_of(const ForwardMode& inner, bool& settled) {
        const std::vector<Value> values = inner.values(), directions = inner.tangents();
        std::vector<Value> outputs(values.begin(), values.begin() + static_cast<std::ptrdiff_t>(parts_.carries));
        settled = true;
        for (std::size_t k = 0; k < carries_.size(); ++k) {
            outputs.push_back(present(builder_, directions[carries_[k]], carry_type(carries_[k])));
            const Lanes grown = lanes_union(lanes_[k], builder_.lanes(outputs.back()));
            settled = settled && grown == lanes_[k];
            lanes_[k] = grown;
        }
        outputs.insert(outputs.end(), values.begin() + static_cast<std::ptrdiff_t>(parts_.carries), values.end());
        y_lanes_.clear();
        for (const std::size_t i : ys_) {
            const std::size_t output = parts_.carries + i;
            outputs.push_back(present(builder_, directions[output], body().type(body().outputs[output])));
            y_lanes_.push_back(builder_.lanes(outputs.back()));
        }
        return outputs;
    }

    std::vector<Value> finish(std::vector<std::shared_ptr<Graph>> bodies) {
        const std::vector<TensorType> known_types = result_types(graph_, node_);
        const std::vector<Lanes> known_lanes = result_lanes(graph_, node_);
        const auto carries = static_cast<std::ptrdiff_t>(parts_.carries);
        std::vector<TensorType> types(known_types.begin(), known_types.begin() + carries);
        std::vector<Lanes> lanes(known_lanes.begin(), known_lanes.begin() + carries);
        for (std::size_t k = 0; k < carries_.size(); ++k) {
            types.push_back(known_types[carries_[k]]);
            lanes.push_back(lanes_[k]);
        }
        types.insert(types.end(), known_types.begin() + carries, known_types.end());
        lanes.insert(lanes.end(), known_lanes.begin() + carries, known_lanes.end());
        for (std::size_t k = 0; k < ys_.size(); ++k) {
            types.push_back(known_types[parts_.carries + ys_[k]]);
            lanes.push_back(y_lanes_[k]);
        }
        std::vector<Value> own(operands_.begin(), operands_.begin() + static_cast<std::ptrdiff_t>(parts_.first_carry + parts_.carries));
        append(own, inits_);
        append(own, std::span<const Value>(operands_).subspan(parts_.first_x, parts_.xs));
        for (const std::size_t i : xs_) own.push_back(tangents_[parts_.first_x + i]);
        Attributes attributes = node_.attributes;
        if (node_.op == &scan_op) {
            attributes[0] = static_cast<std::int64_t>(parts_.carries + carries_.size());
            attributes[1] = static_cast<std::int64_t>(parts_.xs + xs_.size());
        }
        return builder_.add_control(*node_.op, own, attributes, std::move(bodies), types, lanes, node_.sequence);
    }

    Builder& builder_;
    const Graph& graph_;
    const Node& node_;
    LoopParts parts_;
    std::vector<Value> operands_, tangents_;
    Effects effects_;
    std::vector<std::size_t> carries_, xs_, ys_; // the active ones
    std::vector<Value> inits_;                   // tangents of the carries at the start
    std::vector<Lanes> lanes_, y_lanes_;         // of the tangents
};

} // namespace

void ForwardMode::add_loop(const Node& node, const std::vector<Value>& tangents) {
    const PlaceOf place(builder_, node, again_.depth(), Builder::PlaceAs::derived);
    const LoopParts parts = parts_of(node);
    TangentLoop loop(builder_, graph_, node, again_.at(node.operands), tangents, again_.effects());
    const std::vector<Value> results = loop.add();
    const auto take = [&](std::size_t first, std::size_t count) { return std::vector<Value>(results.begin() + static_cast<std::ptrdiff_t>(first), results.begin() + static_cast<std::ptrdiff_t>(first + count)); };
    std::vector<Value> ordered = take(0, parts.carries);
    const std::size_t ys = node.results.size() - parts.carries, after = parts.carries + loop.carries().size();
    append(ordered, take(after, ys));
    append(ordered, take(parts.carries, loop.carries().size()));
    append(ordered, take(after + ys, loop.ys().size()));
    std::vector<std::size_t> active = loop.carries();
    for (const std::size_t y : loop.ys()) active.push_back(parts.carries + y);
    set_results(node, ordered, active, node.results.size());
}

} // namespace vmaprun
