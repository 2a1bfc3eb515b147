// Reverse mode through branches and counted loops. A branch is computed again where its cotangents are taken: only what goes
// into it is saved, and a lane that didn't take it has no part in it. A counted loop is written as a scan first.
#include <algorithm>

#include "ops/control.hpp"
#include "ops/derivative.hpp"
#include "ops/movement.hpp"
#include "transform/forward_mode.hpp"
#include "transform/loops.hpp"
#include "transform/reverse_mode.hpp"

namespace vmaprun {
namespace {

std::vector<Value> recall_all(const Recall& recall, const std::vector<Value>& values) {
    std::vector<Value> result;
    for (const Value value : values) result.push_back(recall(value));
    return result;
}

std::vector<Value> results_again(const Replay& again, const Node& node) {
    std::vector<Value> results;
    for (std::size_t i = 0; i < node.results.size(); ++i) results.push_back(again.at(again.graph().result(node, i)));
    return results;
}

// ---- branches: `if`, and the one body of a checkpoint

// Cotangents of the captures of all bodies, in the order of the operands: each body gives those of its own, and zeros for
// the others'.
class BranchesBack {
  public:
    BranchesBack(Builder& builder, const Graph& graph, const Node& node, std::vector<Value> operands, const std::vector<Value>& cotangents, const std::vector<bool>& wanted)
        : builder_(builder), graph_(graph), node_(node), operands_(std::move(operands)), cotangents_(cotangents), own_(own_operands(node)) {
        for (std::size_t i = own_; i < wanted.size(); ++i) {
            if (wanted[i]) wanted_.push_back(i);
        }
        if (!operands_.empty() && own_ > 0) lanes_.assign(wanted_.size(), builder.lanes(operands_[0]));
        else lanes_.resize(wanted_.size());
    }

    std::vector<Value> add() {
        std::vector<Value> result(operands_.size());
        if (wanted_.empty()) return result;
        const std::uint32_t sequence = node_.sequence;
        std::vector<std::shared_ptr<Graph>> bodies;
        for (std::size_t b = 0; b < node_.bodies.size(); ++b) bodies.push_back(body(b, sequence));
        std::vector<TensorType> types;
        for (const std::size_t i : wanted_) types.push_back(builder_.type(operands_[i]));
        const std::vector<Value> own(operands_.begin(), operands_.begin() + static_cast<std::ptrdiff_t>(own_));
        const std::vector<Value> added = builder_.add_control(*node_.op, own, node_.attributes, std::move(bodies), types, lanes_, sequence);
        for (std::size_t k = 0; k < wanted_.size(); ++k) result[wanted_[k]] = added[k];
        return result;
    }

  private:
    std::shared_ptr<Graph> body(std::size_t b, std::uint32_t sequence) {
        const Graph& branch = *node_.bodies[b];
        const std::size_t first = first_capture(node_, b), count = branch.captured.size();
        NewBody open(builder_, sequence);
        std::vector<bool> active(count, false);
        for (const std::size_t i : wanted_) {
            if (i >= first && i < first + count) active[i - first] = true;
        }
        ReverseMode inner(builder_, branch, Replay::depth_of_bodies(node_), active, Effects::drop);
        inner.forward(std::span<const Value>(operands_).subspan(first, count));
        const std::vector<Value> taken = inner.backward(cotangents_, [](Value forward) { return forward; });
        std::vector<Value> outputs;
        for (std::size_t k = 0; k < wanted_.size(); ++k) {
            const std::size_t i = wanted_[k];
            const Value own = i >= first && i < first + count ? taken[i - first] : Value{};
            outputs.push_back(present(builder_, own, builder_.type(operands_[i])));
            lanes_[k] = lanes_union(lanes_[k], builder_.lanes(outputs.back()));
        }
        return open.finish(outputs);
    }

    Builder& builder_;
    const Graph& graph_;
    const Node& node_;
    std::vector<Value> operands_;
    const std::vector<Value>& cotangents_;
    std::size_t own_;
    std::vector<std::size_t> wanted_; // operands
    std::vector<Lanes> lanes_;
};

Remembered remember_branches(Builder& builder, Replay& again, const Node& node) {
    again.add(node);
    Remembered entry{&node, again.at(node.operands), results_again(again, node), {}, {}};
    entry.back = [&builder, &graph = again.graph(), &node, operands = entry.operands](const std::vector<Value>& cotangents, const std::vector<bool>& wanted, const Recall& recall, std::vector<Lanes>&) {
        return BranchesBack(builder, graph, node, recall_all(recall, operands), cotangents, wanted).add();
    };
    return entry;
}

// ---- counted loops

// A graph of one's own: what a loop means, written another way, on the same operands.
class Rewritten {
  public:
    Rewritten(Builder& builder) : builder_(builder), depth_(builder.nesting_depth()) { builder_.begin_function(); }
    ~Rewritten() {
        if (open_) builder_.discard_body();
    }
    Rewritten(const Rewritten&) = delete;
    Rewritten& operator=(const Rewritten&) = delete;
    TracedFunction finish(const std::vector<Value>& outputs) {
        open_ = false;
        return {builder_.finish_body(outputs), depth_};
    }

  private:
    Builder& builder_;
    std::size_t depth_;
    bool open_ = true;
};

Value parameter_like(Builder& builder, const Graph& graph, Value value) { return builder.parameter(graph.type(value), graph.lanes(value)); }

// for i in first .. first + length as a scan over the counters. Inputs: the operands of the loop.
TracedFunction for_as_scan(Builder& builder, const Graph& graph, const Node& node, Dim first, Dim length) {
    Rewritten function(builder);
    std::vector<Value> operands;
    for (const Value operand : node.operands) operands.push_back(parameter_like(builder, graph, operand));
    const Graph& body = *node.bodies[0];
    const std::size_t carries = node.results.size();
    Value counters = iota_values(builder, {length}, 0, DType::i64);
    if (first != Dim(0)) counters = pointwise(builder, "add", {counters, builder.constant(first)});
    std::shared_ptr<Graph> step;
    {
        NewBody open(builder, node.sequence);
        std::vector<Value> inputs{Value{}};
        for (std::size_t i = 0; i < carries; ++i) inputs.push_back(parameter_like(builder, body, body.inputs[1 + i]));
        inputs[0] = parameter_like(builder, body, body.inputs[0]);
        inputs.insert(inputs.end(), operands.begin() + static_cast<std::ptrdiff_t>(2 + carries), operands.end());
        step = open.finish(replay(builder, body, Replay::depth_of_bodies(node), inputs));
    }
    std::vector<Value> own(operands.begin() + 2, operands.begin() + static_cast<std::ptrdiff_t>(2 + carries));
    own.push_back(counters);
    const Attributes attributes{static_cast<std::int64_t>(carries), std::int64_t{1}, false, Dims{length}};
    return function.finish(builder.add_control(scan_op, own, attributes, {step}, result_types(graph, node), result_lanes(graph, node), node.sequence));
}

[[noreturn]] void fail_unbounded(const Node& node, const std::string& what, const std::string& bound) {
    throw UserError(error("E411", "reverse mode needs to know how often a loop goes round, and " + what)
                        .at(node.origin ? node.origin->span : Span{})
                        .note("to go back through a loop, what its steps were given is saved, and that takes a bound")
                        .help(bound + ", write the loop as a `scan`, or differentiate it forward, with jvp or jacfwd"));
}

Remembered remember_for(Builder& builder, Replay& again, const Node& node, const Activity& activity) {
    const std::vector<Value> operands = again.at(node.operands);
    const auto first = builder.static_int(operands[0]), last = builder.static_int(operands[1]);
    if (!first || !last) {
        again.add(node);
        Remembered entry{&node, operands, results_again(again, node), {}, {}};
        entry.back = [&node](const std::vector<Value>&, const std::vector<bool>&, const Recall&, std::vector<Lanes>&) -> std::vector<Value> { fail_unbounded(node, "the ends of this range are computed", "give the range constant ends"); };
        return entry;
    }
    const Dim length = surely_greater(*first, *last) ? Dim(0) : *last - *first;
    const TracedFunction function = for_as_scan(builder, again.graph(), node, *first, length);
    const auto mode = std::make_shared<ReverseMode>(builder, *function.graph, function.depth, activity.at(node.operands), again.effects());
    mode->forward(operands);
    const std::vector<Value> results = mode->values();
    for (std::size_t i = 0; i < results.size(); ++i) again.set(again.graph().result(node, i), results[i]);
    Remembered entry{&node, operands, results, {}, mode->recalled()};
    entry.back = [mode, graph = function.graph](const std::vector<Value>& cotangents, const std::vector<bool>&, const Recall& recall, std::vector<Lanes>&) { return mode->backward(cotangents, recall); };
    return entry;
}

// ---- loops with a limit: the forward loop counts its steps; going back, they are done again as a scan of `limit` steps,
// each behind an `if` that a lane takes as long as it was going

// Operands, results and body of the loop with one more carry, the count.
std::vector<Value> add_counting(Builder& builder, const Graph& graph, const Node& node, const std::vector<Value>& operands, Effects effects) {
    const std::size_t carries = node.results.size();
    const Lanes lanes = node.bodies[0]->lanes(node.bodies[0]->outputs[0]);
    std::vector<std::shared_ptr<Graph>> bodies;
    for (std::size_t b = 0; b < 2; ++b) {
        const Graph& body = *node.bodies[b];
        NewBody open(builder, node.sequence);
        std::vector<Value> inputs;
        for (std::size_t i = 0; i < carries; ++i) inputs.push_back(parameter_like(builder, body, body.inputs[i]));
        const Value count = builder.parameter({DType::i64, {}, false}, lanes);
        const auto first = operands.begin() + static_cast<std::ptrdiff_t>(first_capture(node, b));
        inputs.insert(inputs.end(), first, first + static_cast<std::ptrdiff_t>(body.captured.size()));
        std::vector<Value> outputs = replay(builder, body, Replay::depth_of_bodies(node), inputs, effects);
        if (b == 1) outputs.push_back(pointwise(builder, "add", {count, builder.constant(Dim(1))}));
        bodies.push_back(open.finish(outputs));
    }
    std::vector<Value> own(operands.begin(), operands.begin() + static_cast<std::ptrdiff_t>(carries));
    own.push_back(cast(builder, builder.constant(Dim(0)), DType::i64));
    std::vector<TensorType> types = result_types(graph, node);
    types.push_back({DType::i64, {}, false});
    std::vector<Lanes> result_lane_sets = result_lanes(graph, node);
    result_lane_sets.push_back(lanes);
    return builder.add_control(while_op, own, node.attributes, bodies, types, result_lane_sets, node.sequence);
}

// Inputs: the count, then the operands of the loop.
TracedFunction while_as_scan(Builder& builder, const Graph& graph, const Node& node) {
    Rewritten function(builder);
    const std::size_t carries = node.results.size();
    const Graph& body = *node.bodies[1];
    const Lanes count_lanes = node.bodies[0]->lanes(node.bodies[0]->outputs[0]);
    const Value count = builder.parameter({DType::i64, {}, false}, count_lanes);
    std::vector<Value> operands;
    for (const Value operand : node.operands) operands.push_back(parameter_like(builder, graph, operand));
    const Dim limit(node.integer(0));
    const std::vector<TensorType> types = result_types(graph, node);
    const std::vector<Lanes> lanes = result_lanes(graph, node);
    std::shared_ptr<Graph> step;
    {
        NewBody open(builder, node.sequence);
        std::vector<Value> state;
        for (std::size_t i = 0; i < carries; ++i) state.push_back(parameter_like(builder, body, body.inputs[i]));
        const Value number = builder.parameter({DType::i64, {}, false}, {});
        const Value going = pointwise(builder, "less", {number, count});
        std::vector<std::shared_ptr<Graph>> branches;
        {
            NewBody taken(builder, node.sequence);
            std::vector<Value> inputs = state;
            inputs.insert(inputs.end(), operands.begin() + static_cast<std::ptrdiff_t>(first_capture(node, 1)), operands.end());
            branches.push_back(taken.finish(replay(builder, body, Replay::depth_of_bodies(node), inputs, Effects::drop)));
        }
        {
            NewBody kept(builder, node.sequence);
            branches.push_back(kept.finish(state));
        }
        step = open.finish(builder.add_control(if_op, {going}, {}, branches, types, lanes, node.sequence));
    }
    std::vector<Value> own(operands.begin(), operands.begin() + static_cast<std::ptrdiff_t>(carries));
    own.push_back(iota_values(builder, {limit}, 0, DType::i64));
    const Attributes attributes{static_cast<std::int64_t>(carries), std::int64_t{1}, false, Dims{limit}};
    return function.finish(builder.add_control(scan_op, own, attributes, {step}, types, lanes, node.sequence));
}

Remembered remember_while(Builder& builder, Replay& again, const Node& node, const Activity& activity) {
    const std::vector<Value> operands = again.at(node.operands);
    Remembered entry{&node, operands, {}, {}, {}};
    if (node.integer(0) < 0) {
        again.add(node);
        entry.back = [&node](const std::vector<Value>&, const std::vector<bool>&, const Recall&, std::vector<Lanes>&) -> std::vector<Value> { fail_unbounded(node, "this one has no limit", "give a `while` a `limit` and a range constant ends"); };
        return entry;
    }
    std::vector<Value> results = add_counting(builder, again.graph(), node, operands, again.effects());
    entry.saved = {results.back()};
    results.pop_back();
    for (std::size_t i = 0; i < results.size(); ++i) again.set(again.graph().result(node, i), results[i]);
    entry.back = [&builder, &graph = again.graph(), &node, operands, count = entry.saved[0], active = activity.at(node.operands)](const std::vector<Value>& cotangents, const std::vector<bool>&, const Recall& recall, std::vector<Lanes>&) {
        std::vector<Value> inputs{recall(count)};
        for (const Value operand : operands) inputs.push_back(recall(operand));
        std::vector<bool> wanted{false};
        wanted.insert(wanted.end(), active.begin(), active.end());
        const TracedFunction function = while_as_scan(builder, graph, node);
        ReverseMode mode(builder, *function.graph, function.depth, wanted, Effects::drop);
        mode.forward(inputs);
        std::vector<Value> all = mode.backward(cotangents, [](Value forward) { return forward; });
        all.erase(all.begin());
        return all;
    };
    return entry;
}

} // namespace

Remembered remember_control(Builder& builder, Replay& again, const Node& node, const Activity& activity) {
    const PlaceOf place(builder, node, again.depth(), Builder::PlaceAs::derived);
    if (node.op == &scan_op) return remember_scan(builder, again, node, activity);
    if (node.op == &for_op) return remember_for(builder, again, node, activity);
    if (node.op == &while_op) return remember_while(builder, again, node, activity);
    return remember_branches(builder, again, node);
}

} // namespace vmaprun
