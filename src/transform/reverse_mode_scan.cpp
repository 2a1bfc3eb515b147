// Reverse mode through a scan. Forward, the body gives as further ys what going back may recall of each step; what of that is
// not needed after all is not computed (exec/liveness.hpp looks into bodies) and is dropped by the pass `dead`. Back, a scan
// the other way round carries the cotangents of the carries and the sums of those of the captures.
#include <algorithm>
#include <map>

#include "ir/structural.hpp"
#include "ops/control.hpp"
#include "ops/derivative.hpp"
#include "transform/dead.hpp"
#include "transform/forward_mode.hpp"
#include "transform/loops.hpp"
#include "transform/reverse_mode.hpp"

namespace vmaprun {
namespace {

// What a value of a step can be made from again, going back, for less than saving it costs.
bool is_made_again(const Node& node) {
    if (is(node, lane_op) || is(node, unlane_op) || is(node, lane_index_op)) return true;
    if (!node.bodies.empty() || node.op->effect != Effect::none || is(node, parameter_op)) return false;
    return (node.op->view != nullptr && node.op->tile == nullptr) || node.operands.empty();
}

// A scan as the forward way left it.
struct ForwardScan {
    const Node* node = nullptr;               // the original
    const Graph* graph = nullptr;             // which holds it
    std::shared_ptr<ReverseMode> mode;        // over the body
    std::shared_ptr<Graph> body;              // forward
    std::vector<Value> operands;              // forward values outside
    std::map<Value, std::size_t> place;       // a value of the body that is saved -> among `saved`
    std::vector<Value> saved;                 // outside: stacked
    std::vector<bool> active;                 // inputs of the body
};

// What is known of the values of one step, in the body that goes back.
class StepRecall {
  public:
    StepRecall(Builder& builder, const ForwardScan& scan, const std::map<Value, Value>& outside) : builder_(builder), scan_(scan), outside_(outside) {}

    Value operator()(Value value) {
        if (const auto known = known_.find(value); known != known_.end()) return known->second;
        const Value found = find(value);
        known_.emplace(value, found);
        return found;
    }

    struct Item {
        Value parameter;          // of the body that goes back
        std::size_t saved;   // among what the forward scan saved, or SIZE_MAX:
        std::size_t operand; // one of its xs
    };
    const std::vector<Item>& items() const { return items_; }

  private:
    Value find(Value value) {
        if (const auto outer = outside_.find(value); outer != outside_.end()) return outer->second;
        if (value.graph != scan_.body->id) throw InternalError("derivative: a value of a step is not known going back");
        const Graph& body = *scan_.body;
        const Node& node = body.maker(value);
        if (is(node, constant_op)) return builder_.copy_constant(body, value);
        if (is(node, parameter_op)) return parameter(value);
        if (is_made_again(node) && !scan_.place.contains(value)) return again(node, value);
        return item(value, scan_.place.at(value), SIZE_MAX);
    }

    Value parameter(Value value) {
        const auto input = static_cast<std::size_t>(std::ranges::find(scan_.body->inputs, value) - scan_.body->inputs.begin());
        const std::size_t own = scan_.body->inputs.size() - scan_.body->captured.size(), carries = parts_of(*scan_.node).carries;
        if (input >= own) return outside_.at(scan_.body->captured[input - own]);
        if (input >= carries) return item(value, SIZE_MAX, input);
        return item(value, scan_.place.at(value), SIZE_MAX);
    }

    Value item(Value value, std::size_t saved, std::size_t operand) {
        const Value made = builder_.parameter(scan_.body->type(value), scan_.body->lanes(value));
        items_.push_back({made, saved, operand});
        return made;
    }

    Value again(const Node& node, Value value) {
        std::vector<Value> operands;
        for (const Value operand : node.operands) operands.push_back((*this)(operand));
        if (is(node, lane_op)) return builder_.lane(operands[0], static_cast<LaneId>(node.integer(1)), node.integer(0));
        if (is(node, unlane_op)) return builder_.unlane(operands[0], static_cast<LaneId>(node.integer(1)), node.integer(0));
        if (is(node, lane_index_op)) return builder_.lane_index(static_cast<LaneId>(node.integer(0)));
        return builder_.add_all(*node.op, operands, node.attributes).at(scan_.body->info(value).output);
    }

    Builder& builder_;
    const ForwardScan& scan_;
    const std::map<Value, Value>& outside_;
    std::map<Value, Value> known_;
    std::vector<Item> items_;
};

// The scan that goes back, under construction.
class ScanBack {
  public:
    ScanBack(Builder& builder, const ForwardScan& scan, const std::vector<Value>& cotangents, const std::vector<bool>& wanted, const Recall& recall)
        : builder_(builder), scan_(scan), node_(*scan.node), parts_(parts_of(node_)), cotangents_(cotangents), recall_(recall) {
        const Graph& original = *node_.bodies[0];
        const std::size_t captures = first_capture(node_, 0), first_input = original.inputs.size() - original.captured.size();
        for (std::size_t i = 0; i < parts_.carries; ++i) {
            if (scan.active[i]) carries_.push_back({i, i, present(builder, cotangents[i], original.type(original.inputs[i])), {}});
        }
        for (std::size_t i = 0; i < original.captured.size(); ++i) {
            if (wanted[captures + i]) captures_.push_back({captures + i, first_input + i, present(builder, {}, original.type(original.inputs[first_input + i])), {}});
        }
        for (Carried& carried : carries_) carried.lanes = lanes_union(scan.graph->values[node_.results[carried.operand]].lanes, builder.lanes(carried.init));
        for (std::size_t i = 0; i < parts_.xs; ++i) {
            if (wanted[parts_.first_x + i]) xs_.push_back(i);
        }
        // What is captured is recalled here, outside of the body that captures it.
        for (const Value captured : scan.body->captured) outside_.emplace(captured, recall(captured));
        for (std::size_t i = captures; i < scan.operands.size(); ++i) outside_.emplace(scan.operands[i], recall(scan.operands[i]));
    }

    std::vector<Value> add() {
        for (;;) {
            items_.clear();
            bool settled = false;
            std::shared_ptr<Graph> body = step(settled);
            if (settled) return finish(std::move(body));
        }
    }

  private:
    struct Carried {
        std::size_t operand; // of the scan: whose cotangent this becomes
        std::size_t input;   // of the body
        Value init;
        Lanes lanes;
    };

    const Graph& original() const { return *node_.bodies[0]; }
    TensorType type_of(const Carried& carried) const { return original().type(original().inputs[carried.input]); }

    std::shared_ptr<Graph> step(bool& settled) {
        const Graph& graph = original();
        const std::uint32_t sequence = node_.sequence;
        NewBody open(builder_, sequence);
        std::vector<Value> cotangents(graph.outputs.size()), sums;
        for (const Carried& carried : carries_) cotangents[carried.operand] = builder_.parameter(type_of(carried), carried.lanes);
        for (const Carried& carried : captures_) sums.push_back(builder_.parameter(type_of(carried), carried.lanes));
        for (std::size_t i = parts_.carries; i < cotangents.size(); ++i) {
            if (cotangents_[i]) cotangents[i] = builder_.parameter(graph.type(graph.outputs[i]), builder_.lanes(cotangents_[i]));
        }
        StepRecall recall(builder_, scan_, outside_);
        const std::vector<Value> inputs = scan_.mode->backward(cotangents, [&](Value forward) { return recall(forward); });
        items_ = recall.items();
        std::vector<Value> outputs;
        for (const Carried& carried : carries_) outputs.push_back(present(builder_, inputs[carried.input], type_of(carried)));
        for (std::size_t k = 0; k < captures_.size(); ++k) outputs.push_back(add_cotangents(builder_, sums[k], inputs[captures_[k].input]));
        settled = true;
        const auto settle = [&](Carried& carried, Value output) {
            const Lanes grown = lanes_union(carried.lanes, builder_.lanes(output));
            settled = settled && grown == carried.lanes;
            carried.lanes = grown;
        };
        for (std::size_t k = 0; k < carries_.size(); ++k) settle(carries_[k], outputs[k]);
        for (std::size_t k = 0; k < captures_.size(); ++k) settle(captures_[k], outputs[carries_.size() + k]);
        x_lanes_.clear();
        for (const std::size_t i : xs_) {
            outputs.push_back(present(builder_, inputs[parts_.first_x_input + i], graph.type(graph.inputs[parts_.first_x_input + i])));
            x_lanes_.push_back(builder_.lanes(outputs.back()));
        }
        return open.finish(outputs);
    }

    std::vector<Value> finish(std::shared_ptr<Graph> body) {
        std::vector<Value> own;
        std::vector<TensorType> types;
        std::vector<Lanes> lanes;
        for (const auto* group : {&carries_, &captures_}) {
            for (const Carried& carried : *group) {
                own.push_back(carried.init);
                types.push_back(type_of(carried));
                lanes.push_back(carried.lanes);
            }
        }
        const std::size_t carries = own.size();
        for (std::size_t i = parts_.carries; i < cotangents_.size(); ++i) {
            if (cotangents_[i]) own.push_back(cotangents_[i]);
        }
        // Of what was recalled only what the cotangents need goes in.
        const std::vector<bool> everything(body->outputs.size(), true);
        std::vector<bool> kept = needed_inputs(*body, everything);
        const std::size_t first_item = own.size();
        std::fill_n(kept.begin(), first_item, true);
        for (std::size_t i = 0; i < items_.size(); ++i) {
            if (!kept[first_item + i]) continue;
            own.push_back(recall_(items_[i].operand == SIZE_MAX ? scan_.saved[items_[i].saved] : scan_.operands[items_[i].operand]));
        }
        body = pruned(*body, kept, everything);
        for (std::size_t k = 0; k < xs_.size(); ++k) {
            types.push_back(scan_.graph->type(node_.operands[parts_.first_x + xs_[k]]));
            lanes.push_back(x_lanes_[k]);
        }
        const Attributes attributes{static_cast<std::int64_t>(carries), static_cast<std::int64_t>(own.size() - carries), !node_.boolean(2), node_.attributes[3]};
        const std::vector<Value> results = builder_.add_control(scan_op, own, attributes, {body}, types, lanes, node_.sequence);
        std::vector<Value> operands(node_.operands.size());
        for (std::size_t k = 0; k < carries_.size(); ++k) operands[carries_[k].operand] = results[k];
        for (std::size_t k = 0; k < captures_.size(); ++k) operands[captures_[k].operand] = results[carries_.size() + k];
        for (std::size_t k = 0; k < xs_.size(); ++k) operands[parts_.first_x + xs_[k]] = results[carries + k];
        return operands;
    }


    Builder& builder_;
    const ForwardScan& scan_;
    const Node& node_;
    LoopParts parts_;
    const std::vector<Value>& cotangents_;
    const Recall& recall_;
    std::vector<Carried> carries_, captures_;
    std::vector<std::size_t> xs_;
    std::map<Value, Value> outside_;
    std::vector<StepRecall::Item> items_;
    std::vector<Lanes> x_lanes_;
};

// What must be saved so that each of the values can be recalled.
class Saving {
  public:
    explicit Saving(const Builder& builder, std::uint32_t body, std::size_t carries, const std::vector<Value>& inputs) : builder_(builder), body_(body), carries_(carries), inputs_(inputs) {}

    void need(Value value) {
        if (value.graph != body_ || !seen_.emplace(value, true).second) return;
        const Node& node = builder_.maker(value);
        if (is(node, constant_op)) return;
        if (is(node, parameter_op)) {
            const auto input = std::ranges::find(inputs_, value) - inputs_.begin();
            if (static_cast<std::size_t>(input) < carries_) values.push_back(value);
            return;
        }
        if (!is_made_again(node)) return values.push_back(value);
        for (const Value operand : std::vector<Value>(node.operands)) need(operand);
    }

    std::vector<Value> values;

  private:
    const Builder& builder_;
    std::uint32_t body_;
    std::size_t carries_;
    const std::vector<Value>& inputs_;
    std::map<Value, bool> seen_;
};

} // namespace

Remembered remember_scan(Builder& builder, Replay& again, const Node& node, const Activity& activity) {
    const LoopParts parts = parts_of(node);
    const Graph& original = *node.bodies[0];
    const auto scan = std::make_shared<ForwardScan>();
    scan->node = &node;
    scan->graph = &again.graph();
    scan->operands = again.at(node.operands);
    scan->active = loop_activity(node, activity.at(node.operands)).inputs;
    scan->mode = std::make_shared<ReverseMode>(builder, original, Replay::depth_of_bodies(node), scan->active, again.effects());
    std::vector<TensorType> types = result_types(again.graph(), node);
    std::vector<Lanes> lanes = result_lanes(again.graph(), node);
    std::vector<std::size_t> saved; // among the results
    {
        NewBody open(builder, node.sequence);
        std::vector<Value> inputs;
        for (std::size_t i = 0; i < parts.carries + parts.xs; ++i) inputs.push_back(builder.parameter(original.type(original.inputs[i]), original.lanes(original.inputs[i])));
        inputs.insert(inputs.end(), scan->operands.begin() + static_cast<std::ptrdiff_t>(first_capture(node, 0)), scan->operands.end());
        scan->mode->forward(inputs);
        std::vector<Value> outputs = scan->mode->values();
        Saving saving(builder, builder.graph().id, parts.carries, inputs);
        for (const Value value : scan->mode->recalled()) saving.need(value);
        for (const Value value : saving.values) {
            scan->place.emplace(value, scan->place.size());
            const auto given = std::find(outputs.begin() + static_cast<std::ptrdiff_t>(parts.carries), outputs.end(), value); // stacked anyway
            saved.push_back(static_cast<std::size_t>(given - outputs.begin()));
            if (given != outputs.end() && lanes[saved.back()] == builder.lanes(value)) continue;
            saved.back() = outputs.size();
            outputs.push_back(value);
            TensorType type = builder.type(value);
            type.shape.insert(type.shape.begin(), node.dims(3)[0]);
            types.push_back(std::move(type));
            lanes.push_back(builder.lanes(value));
        }
        scan->body = open.finish(outputs);
    }
    const std::vector<Value> own(scan->operands.begin(), scan->operands.begin() + static_cast<std::ptrdiff_t>(parts.carries + parts.xs));
    const std::vector<Value> results = builder.add_control(scan_op, own, node.attributes, {scan->body}, types, lanes, node.sequence);
    for (std::size_t i = 0; i < node.results.size(); ++i) again.set(again.graph().result(node, i), results[i]);
    for (const std::size_t which : saved) scan->saved.push_back(results[which]);
    Remembered entry{&node, scan->operands, {}, {}, scan->saved};
    entry.back = [&builder, scan](const std::vector<Value>& cotangents, const std::vector<bool>& wanted, const Recall& recall) {
        return ScanBack(builder, *scan, cotangents, wanted, recall).add();
    };
    return entry;
}

} // namespace vmaprun
