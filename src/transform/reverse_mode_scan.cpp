// Reverse mode through a scan. Forward, the body gives as further ys what going back may recall of each step; what of that is
// not needed after all is not computed (exec/liveness.hpp looks into bodies) and is dropped by the pass `dead`. Back, a scan
// the other way round carries the cotangents of the carries and the sums of those of the captures.
//
// Two things are left for after the scan, so that a step does little more than the step forward did. What a captured matrix has from
// a product with a vector is an outer product in each step: not it is carried and added, but the cotangents of the products
// are collected, and one product of matrices over all steps (and over the mapped axes that the captured one is without) is
// the sum. And what looks at a capture through views has a sum of its own, which goes back through them once.
#include <algorithm>
#include <functional>
#include <map>
#include <optional>
#include <set>

#include "ir/structural.hpp"
#include "ops/contraction.hpp"
#include "ops/control.hpp"
#include "ops/derivative.hpp"
#include "transform/dead.hpp"
#include "transform/forward_mode.hpp"
#include "transform/loops.hpp"
#include "transform/reverse_mode.hpp"

namespace vmaprun {
namespace {

constexpr std::size_t most_made_again = 16;               // nodes, for one value of a step
constexpr double largest_viewed = 65536;                  // elements of a sum that a view of a capture has for itself

double elements_of(const TensorType& type) {
    double count = 1;
    for (const Dim dim : type.shape) count *= dim.is_symbolic() ? 1e6 : static_cast<double>(dim.value());
    return count;
}

// Which values of a step are made again, going back, because that costs less than saving them: views, and what a few cheap
// operations make of the slices, the captures and one carry, which is saved.
class MadeAgain {
  public:
    using Maker = std::function<const Node*(Value)>; // of a value of the body; null: it is of another graph
    MadeAgain(Maker maker, std::span<const Value> carries) : maker_(std::move(maker)), carries_(carries.begin(), carries.end()) {}

    bool operator()(const Node& node) const {
        if (is(node, lane_op) || is(node, unlane_op) || is(node, lane_index_op)) return true;
        if (!node.bodies.empty() || node.op->effect != Effect::none || is(node, parameter_op)) return false;
        if ((node.op->view != nullptr && node.op->tile == nullptr) || node.operands.empty()) return true;
        std::set<Value> carries;
        std::size_t nodes = 0;
        return is_cheap(node, carries, nodes);
    }

  private:
    bool is_cheap(const Node& node, std::set<Value>& carries, std::size_t& nodes) const {
        if (++nodes > most_made_again || node.op->effect != Effect::none || !node.bodies.empty()) return false;
        const bool looks = node.op->view != nullptr || node.operands.empty();
        if (!looks && (node.op->tile == nullptr || node.op->costly)) return false;
        return std::ranges::all_of(node.operands, [&](Value operand) {
            const Node* maker = maker_(operand);
            if (maker == nullptr) return true;
            if (!is(*maker, parameter_op)) return is_cheap(*maker, carries, nodes);
            if (carries_.contains(operand)) carries.insert(operand);
            return carries.size() <= 1;
        });
    }

    Maker maker_;
    std::set<Value> carries_;
};

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

    MadeAgain made_again() const {
        const std::size_t carries = parts_of(*node).carries;
        return {[this](Value value) { return value.graph == body->id ? &body->maker(value) : nullptr; }, std::span(body->inputs).first(carries)};
    }
};

// What is known of the values of one step, in the body that goes back.
class StepRecall {
  public:
    StepRecall(Builder& builder, const ForwardScan& scan, const std::map<Value, Value>& outside) : builder_(builder), scan_(scan), made_again_(scan.made_again()), outside_(outside) {}

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
        if (!scan_.place.contains(value) && made_again_(node)) return again(node, value);
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
        if (is(node, lane_index_op)) return builder_.lane_index(static_cast<LaneId>(node.integer(0)), node.attributes.size() > 1);
        return builder_.add_all(*node.op, operands, node.attributes).at(scan_.body->info(value).output);
    }

    Builder& builder_;
    const ForwardScan& scan_;
    MadeAgain made_again_;
    const std::map<Value, Value>& outside_;
    std::map<Value, Value> known_;
    std::vector<Item> items_;
};

// The scan that goes back, under construction.
class ScanBack {
  public:
    ScanBack(Builder& builder, const ForwardScan& scan, const std::vector<Value>& cotangents, const std::vector<bool>& wanted, const Recall& recall, std::vector<Lanes>& summed)
        : builder_(builder), scan_(scan), node_(*scan.node), parts_(parts_of(node_)), cotangents_(cotangents), recall_(recall), summed_(summed), first_capture_(first_capture(node_, 0)) {
        const Graph& original = *node_.bodies[0];
        const std::size_t captures = first_capture_, first_input = original.inputs.size() - original.captured.size();
        for (std::size_t i = 0; i < parts_.carries; ++i) {
            if (scan.active[i]) carries_.push_back({i, original.inputs[i], {}, present(builder, cotangents[i], original.type(original.inputs[i])), {}});
        }
        for (std::size_t i = 0; i < original.captured.size(); ++i) {
            if (wanted[captures + i]) sums_.push_back({captures + i, original.inputs[first_input + i], {}, present(builder, {}, original.type(original.inputs[first_input + i])), {}});
        }
        add_viewed(wanted);
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
            deferred_.clear();
            bool settled = false;
            std::shared_ptr<Graph> body = step(settled);
            if (settled) return finish(std::move(body));
        }
    }

  private:
    using Views = std::vector<const Node*>;
    struct Carried {
        std::size_t operand; // of the scan: whose cotangent this becomes,
        Value of;            // as that of this value of the original body, which is its input,
        Views views;         // or what these make of it
        Value init;
        Lanes lanes;
    };

    // A product with what is made of a capture by views alone: what that has from it is summed after the scan.
    struct Deferred {
        const Node* product;
        std::size_t side;                // the captured one
        std::size_t operand;             // of the scan: the capture
        Views views;                     // from the capture to the product's operand
        Value cotangent, other;          // of a step, in the body that goes back
        Value saved;                     // the other of all steps, where the forward scan has it
        std::size_t cotangent_at, other_at; // among what is collected
    };

    const Graph& original() const { return *node_.bodies[0]; }
    TensorType type_of(const Carried& carried) const { return original().type(carried.of); }

    // Sums for what looks at captures through views.
    void add_viewed(const std::vector<bool>& wanted) {
        for (const Node& node : original().nodes) {
            if (node.operands.size() != 1 || node.results.size() != 1 || is(node, parameter_op) || scan_.mode->is_inside(node.lanes)) continue;
            const Value value = original().result(node);
            Views views;
            const auto capture = capture_of(value, views);
            if (!capture || views.empty() || !wanted[*capture]) continue;
            const double elements = elements_of(original().type(value));
            if (elements <= largest_viewed || elements <= elements_of(original().type(node.operands[0]))) sums_.push_back({*capture, value, std::move(views), present(builder_, {}, original().type(value)), {}});
        }
    }

    std::shared_ptr<Graph> step(bool& settled) {
        const Graph& graph = original();
        const std::uint32_t sequence = node_.sequence;
        NewBody open(builder_, sequence);
        std::vector<Value> cotangents(graph.outputs.size()), sums;
        std::map<Value, Value> given; // of what has a sum: what this step adds
        for (const Carried& carried : carries_) cotangents[carried.operand] = builder_.parameter(type_of(carried), carried.lanes);
        for (const Carried& carried : sums_) sums.push_back(builder_.parameter(type_of(carried), carried.lanes)), given[carried.of] = {};
        for (std::size_t i = parts_.carries; i < cotangents.size(); ++i) {
            if (cotangents_[i]) cotangents[i] = builder_.parameter(graph.type(graph.outputs[i]), builder_.lanes(cotangents_[i]));
        }
        StepRecall recall(builder_, scan_, outside_);
        const auto known = [&](Value forward) { return recall(forward); };
        const std::vector<Value> inputs = scan_.mode->backward(cotangents, known, [&](const Remembered& entry, std::size_t operand, const std::vector<Value>& of_results) {
            const auto own = entry.node->results.size() == 1 ? given.find(graph.result(*entry.node)) : given.end();
            if (own != given.end()) own->second = of_results[0];
            return own != given.end() || defer(entry, operand, of_results, known);
        });
        items_ = recall.items();
        for (std::size_t i = 0; i < graph.inputs.size(); ++i) {
            if (const auto own = given.find(graph.inputs[i]); own != given.end()) own->second = inputs[i];
        }
        // What nothing is added to isn't carried.
        if (std::erase_if(sums_, [&](const Carried& carried) { return !given[carried.of]; }) > 0) return nullptr;
        std::vector<Value> outputs;
        for (const Carried& carried : carries_) outputs.push_back(present(builder_, inputs[carried.operand], type_of(carried)));
        for (std::size_t k = 0; k < sums_.size(); ++k) outputs.push_back(add_cotangents(builder_, sums[k], given[sums_[k].of]));
        settled = true;
        const auto settle = [&](Carried& carried, Value output) {
            const Lanes grown = lanes_union(carried.lanes, builder_.lanes(output));
            settled = settled && grown == carried.lanes;
            carried.lanes = grown;
        };
        for (std::size_t k = 0; k < carries_.size(); ++k) settle(carries_[k], outputs[k]);
        for (std::size_t k = 0; k < sums_.size(); ++k) settle(sums_[k], outputs[carries_.size() + k]);
        x_lanes_.clear();
        for (const std::size_t i : xs_) {
            outputs.push_back(present(builder_, inputs[parts_.first_x_input + i], graph.type(graph.inputs[parts_.first_x_input + i])));
            x_lanes_.push_back(builder_.lanes(outputs.back()));
        }
        collected_.clear();
        for (Deferred& each : deferred_) {
            each.cotangent_at = collect(each.cotangent, outputs);
            const auto item = std::ranges::find(items_, each.other, &StepRecall::Item::parameter);
            each.saved = item == items_.end() ? Value{} : saved_of(*item);
            if (!each.saved) each.other_at = collect(each.other, outputs);
        }
        return open.finish(outputs);
    }

    // As one more output of the step, unless it is one of these already: which.
    std::size_t collect(Value value, std::vector<Value>& outputs) {
        const auto first = outputs.end() - static_cast<std::ptrdiff_t>(collected_.size()), known = std::find(first, outputs.end(), value);
        const auto at = static_cast<std::size_t>(known - first);
        if (known == outputs.end()) {
            outputs.push_back(value);
            collected_.emplace_back(builder_.type(value), builder_.lanes(value));
        }
        return at;
    }

    Value saved_of(const StepRecall::Item& item) const { return item.operand == SIZE_MAX ? scan_.saved[item.saved] : scan_.operands[item.operand]; }

    // The capture of which a value of the original body is made by views alone, and these.
    std::optional<std::size_t> capture_of(Value value, Views& views) const {
        const Graph& graph = original();
        for (;;) {
            const Node& node = graph.maker(value);
            if (is(node, parameter_op)) {
                const auto input = static_cast<std::size_t>(std::ranges::find(graph.inputs, value) - graph.inputs.begin()), own = graph.inputs.size() - graph.captured.size();
                return input < own ? std::nullopt : std::optional(first_capture_ + input - own);
            }
            if (node.op->view == nullptr || node.op->tile != nullptr || node.operands.size() != 1 || node.op->derivative.vjp == nullptr) return std::nullopt;
            views.insert(views.begin(), &node);
            value = node.operands[0];
        }
    }

    // Whether an outer product is much larger than the two vectors that it is of.
    bool is_large(const Node& product, std::size_t side) const {
        const auto elements = [&](Value value) { return elements_of(original().type(value)); };
        return elements(product.operands[side]) >= 2 * (elements(product.operands[1 - side]) + elements(original().result(product)));
    }

    bool defer(const Remembered& entry, std::size_t side, const std::vector<Value>& cotangents, const Recall& recall) {
        const Node& node = *entry.node;
        if (node.op->name() != "dot_general" || !cotangents[0] || scan_.mode->is_inside(node.lanes) || !is_large(node, side)) return false;
        const std::size_t other_rank = original().type(node.operands[1 - side]).rank();
        if (static_cast<std::int64_t>(other_rank) != node.integer(0) + node.integer(1)) return false; // a product with a matrix sums by itself
        Deferred deferred{&node, side, 0, {}, cotangents[0], {}, {}, 0, 0};
        Views none;
        const auto capture = capture_of(node.operands[side], deferred.views);
        if (!capture || capture_of(node.operands[1 - side], none)) return false;
        deferred.operand = *capture;
        deferred.other = recall(entry.operands[1 - side]);
        deferred_.push_back(std::move(deferred));
        return true;
    }

    std::vector<Value> finish(std::shared_ptr<Graph> body) {
        std::vector<Value> own;
        std::vector<TensorType> types;
        std::vector<Lanes> lanes;
        for (const auto* group : {&carries_, &sums_}) {
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
            own.push_back(recall_(saved_of(items_[i])));
        }
        body = pruned(*body, kept, everything);
        for (std::size_t k = 0; k < xs_.size(); ++k) {
            types.push_back(scan_.graph->type(node_.operands[parts_.first_x + xs_[k]]));
            lanes.push_back(x_lanes_[k]);
        }
        for (auto& [type, of] : collected_) {
            type.shape.insert(type.shape.begin(), node_.dims(3)[0]);
            types.push_back(type);
            lanes.push_back(of);
        }
        const Attributes attributes{static_cast<std::int64_t>(carries), static_cast<std::int64_t>(own.size() - carries), !node_.boolean(2), node_.attributes[3]};
        const std::vector<Value> results = builder_.add_control(scan_op, own, attributes, {body}, types, lanes, node_.sequence);
        std::vector<Value> operands(node_.operands.size());
        for (std::size_t k = 0; k < carries_.size(); ++k) operands[carries_[k].operand] = results[k];
        for (std::size_t k = 0; k < xs_.size(); ++k) operands[parts_.first_x + xs_[k]] = results[carries + k];
        add_sums(operands, std::span(results).subspan(carries_.size(), sums_.size()));
        add_deferred(operands, std::span(results).subspan(carries + xs_.size()));
        for (std::size_t i = first_capture_; i < summed_.size(); ++i) summed_[i].clear();
        return operands;
    }

    void add_sums(std::vector<Value>& operands, std::span<const Value> sums) {
        for (std::size_t k = 0; k < sums_.size(); ++k) {
            Value& sum = operands[sums_[k].operand];
            sum = add_cotangents(builder_, sum, back_through(sums_[k].views, sums_[k].operand, summed_over(sums[k], summed_[sums_[k].operand])));
        }
    }

    void add_deferred(std::vector<Value>& operands, std::span<const Value> collected) {
        for (const Deferred& each : deferred_) {
            const auto free = [&](std::size_t i) { return static_cast<std::int64_t>(original().type(each.product->operands[i]).rank()) - each.product->integer(0) - each.product->integer(1); };
            const ProductAxes axes{each.product->integer(0), {free(0), free(1)}};
            Lanes lanes = summed_[each.operand];
            const Value other = each.saved ? recall_(each.saved) : collected[each.other_at];
            const Value made = transposed_product(builder_, axes, collected[each.cotangent_at], other, each.side, 1, lanes);
            Value& sum = operands[each.operand];
            sum = add_cotangents(builder_, sum, back_through(each.views, each.operand, summed_over(made, lanes)));
        }
    }

    Value summed_over(Value cotangent, const Lanes& lanes) const {
        for (const LaneId lane : lanes) {
            if (cotangent) cotangent = sum_over_lane(builder_, cotangent, lane);
        }
        return cotangent;
    }

    // From the cotangent of what the views make of a capture to that of the capture.
    Value back_through(const Views& views, std::size_t capture, Value cotangent) const {
        if (views.empty()) return cotangent;
        std::vector<Value> values{outside_.at(scan_.operands[capture])};
        for (const Node* view : views) values.push_back(builder_.add(*view->op, {values.back()}, view->attributes));
        std::vector<Lanes> none(1);
        for (std::size_t i = views.size(); i-- > 0;) {
            const Primal at{builder_, *views[i], std::span(&values[i], 1), std::span(&values[i + 1], 1), &none};
            cotangent = views[i]->op->derivative.vjp(at, std::span(&cotangent, 1), {true})[0];
        }
        return cotangent;
    }

    Builder& builder_;
    const ForwardScan& scan_;
    const Node& node_;
    LoopParts parts_;
    const std::vector<Value>& cotangents_;
    const Recall& recall_;
    std::vector<Lanes>& summed_;
    std::size_t first_capture_;
    std::vector<Carried> carries_, sums_;
    std::vector<std::size_t> xs_;
    std::map<Value, Value> outside_;
    std::vector<StepRecall::Item> items_;
    std::vector<Lanes> x_lanes_;
    std::vector<Deferred> deferred_;
    std::vector<std::pair<TensorType, Lanes>> collected_;
};

// What must be saved so that each of the values can be recalled.
class Saving {
  public:
    Saving(const Builder& builder, std::uint32_t body, std::span<const Value> carries)
        : builder_(builder), body_(body), carries_(carries.begin(), carries.end()),
          made_again_([this](Value value) { return value.graph == body_ ? &builder_.maker(value) : nullptr; }, carries) {}

    void need(Value value) {
        if (value.graph != body_ || !seen_.emplace(value, true).second) return;
        const Node& node = builder_.maker(value);
        if (is(node, constant_op)) return;
        if (is(node, parameter_op)) {
            if (carries_.contains(value)) values.push_back(value);
            return;
        }
        if (!made_again_(node)) return values.push_back(value);
        for (const Value operand : std::vector<Value>(node.operands)) need(operand);
    }

    std::vector<Value> values;

  private:
    const Builder& builder_;
    std::uint32_t body_;
    std::set<Value> carries_;
    MadeAgain made_again_;
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
        Saving saving(builder, builder.graph().id, std::span(inputs).first(parts.carries));
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
    entry.back = [&builder, scan](const std::vector<Value>& cotangents, const std::vector<bool>& wanted, const Recall& recall, std::vector<Lanes>& summed) {
        return ScanBack(builder, *scan, cotangents, wanted, recall, summed).add();
    };
    return entry;
}

} // namespace vmaprun
