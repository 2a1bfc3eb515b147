// if, loop and scan: nodes with sub-graphs. A body is traced with the types of its carry; where what comes back is of
// another dtype (a literal met a tensor) or varies over more lanes, it is traced again until nothing changes.
#include <algorithm>

#include "base/text.hpp"
#include "ops/call.hpp"
#include "ops/control.hpp"
#include "ops/lowering.hpp"
#include "ops/movement.hpp"
#include "trace/arguments.hpp"
#include "trace/tracer.hpp"
#include "transform/replay.hpp"

namespace vmaprun {
namespace {

// Marks the condition that code stands under, for collectives.
class Under {
  public:
    Under(Tracer& tracer, Lanes lanes, Span span) : tracer_(tracer) { tracer_.divergences().push_back({std::move(lanes), span}); }
    ~Under() { tracer_.divergences().pop_back(); }
    Under(const Under&) = delete;
    Under& operator=(const Under&) = delete;

  private:
    Tracer& tracer_;
};

bool same_shape(const Dims& a, const Dims& b) {
    if (a.size() != b.size()) return false;
    for (std::size_t i = 0; i < a.size(); ++i) {
        if (surely_different(a[i], b[i])) return false;
    }
    return true;
}

// The type that two values of one leaf take: equal, or one a literal of a kind that the other can hold.
// nullopt: they don't meet.
std::optional<TensorType> meet(const TensorType& a, const TensorType& b) {
    if (!same_shape(a.shape, b.shape)) return std::nullopt;
    if (a.dtype == b.dtype) return TensorType{a.dtype, a.shape, a.weak && b.weak};
    if (a.weak && b.weak) return TensorType{promote_types(std::vector{a, b}).dtype, a.shape, true};
    if (a.weak || b.weak) {
        const TensorType &weak = a.weak ? a : b, &strong = a.weak ? b : a;
        if (kind_of(weak.dtype) <= kind_of(strong.dtype) && kind_of(strong.dtype) != Kind::key && kind_of(strong.dtype) != Kind::boolean) return TensorType{strong.dtype, a.shape, false};
    }
    return std::nullopt;
}

Attributes cast_to(const TensorType& type) { return {type.dtype, type.weak}; }

Value take_type(Builder& builder, Value value, const TensorType& type) {
    const TensorType& own = builder.type(value);
    if (own.dtype == type.dtype && own.weak == type.weak) return value;
    if (!type.weak) return cast(builder, value, type.dtype);
    return builder.add(op_named("cast"), {value}, cast_to(type));
}

void fit_outputs(Builder& builder, Graph& body, std::size_t first, std::span<const TensorType> types) {
    for (std::size_t i = 0; i < types.size(); ++i) {
        const TensorType& own = body.type(body.outputs[first + i]);
        if (own.dtype != types[i].dtype) builder.cast_output(body, first + i, op_named("cast"), cast_to(types[i]));
    }
}

// The state of a loop while its type settles.
struct Carry {
    Datum tree;                     // with the initial values
    std::vector<Value> init;
    std::vector<TensorType> types;
    std::vector<Lanes> lanes;
};

Carry carry_of(Tracer& tracer, const Datum& init, Span span) {
    Carry carry{init, tensor_leaves(tracer, init, span, "the carry"), {}, {}};
    carry.types = types_of(tracer.builder(), carry.init);
    for (const Value value : carry.init) carry.lanes.push_back(tracer.builder().lanes(value));
    return carry;
}

Datum carry_parameters(Builder& builder, const Carry& carry) {
    std::vector<Value> parameters;
    for (std::size_t i = 0; i < carry.types.size(); ++i) parameters.push_back(builder.parameter(carry.types[i], carry.lanes[i]));
    std::size_t next = 0;
    return with_leaves(carry.tree, parameters, next);
}

// What a body gave back for the carry. True when the carry is what it was: else its types and lanes have grown, and the
// body is to be traced again.
bool settle(Tracer& tracer, Carry& carry, const Datum& result, const Lanes& condition_lanes, Span span) {
    Builder& builder = tracer.builder();
    if (!same_structure(carry.tree, result)) {
        throw UserError(error("E302", "the carry begins as " + type_text(builder, carry.tree) + ", but a step makes it " + type_text(builder, result)).at(span, "this is " + type_text(builder, result)));
    }
    const std::vector<Value> leaves = tensor_leaves(tracer, result, span, "the carry");
    bool settled = true;
    for (std::size_t i = 0; i < leaves.size(); ++i) {
        const TensorType after = builder.type(leaves[i]);
        const auto common = meet(carry.types[i], after);
        // What began strong keeps its dtype.
        if (!common || (!carry.types[i].weak && common->dtype != carry.types[i].dtype)) {
            const bool shapes = !same_shape(carry.types[i].shape, after.shape);
            throw UserError(error(shapes ? "E301" : "E302", "the carry begins as " + carry.types[i].text() + ", but a step makes it " + after.text())
                                .at(span, "this is " + type_text(builder, result))
                                .help(shapes ? "a loop keeps the shape of its carry" : "cast it, as in `x as " + std::string(name_of(carry.types[i].dtype)) + "`, or begin with a value of the wider dtype"));
        }
        const Lanes lanes = lanes_union(lanes_union(carry.lanes[i], builder.lanes(leaves[i])), condition_lanes);
        settled = settled && common->dtype == carry.types[i].dtype && common->weak == carry.types[i].weak && lanes == carry.lanes[i];
        carry.types[i] = *common;
        carry.lanes[i] = lanes;
    }
    return settled;
}

std::vector<Value> initial_values(Builder& builder, const Carry& carry) {
    std::vector<Value> values;
    for (std::size_t i = 0; i < carry.init.size(); ++i) values.push_back(take_type(builder, carry.init[i], carry.types[i]));
    return values;
}

Datum results_tree(const Carry& carry, const std::vector<Value>& values) {
    std::size_t next = 0;
    return with_leaves(carry.tree, values, next);
}

ScopePtr inner_scope(const ScopePtr& outer) {
    auto scope = std::make_shared<Scope>();
    scope->outer = outer;
    return scope;
}

} // namespace

// ---- if --------------------------------------------------------------------------------------------------------------

Value Tracer::condition_value(const ast::Expr& expression, const ScopePtr& scope, std::string_view what) {
    const Value condition = evaluate_tensor(expression, scope, what);
    const TensorType type = builder_->type(condition);
    if (type.dtype == DType::boolean && type.rank() == 0) return condition;
    Diagnostic diagnostic = error(type.rank() == 0 ? "E302" : "E307", std::string(what) + " must be one bool, not " + type.text()).at(expression.span, "this is " + type.text());
    if (type.dtype != DType::boolean) diagnostic.helps.push_back("compare it, as in `x != 0`");
    else diagnostic.helps.push_back("choose element by element with where(c, a, b), map the `if` with vmap, or reduce with any() or all()");
    throw UserError(std::move(diagnostic));
}

Datum Tracer::if_expression(const ast::If& node, Span span, const ScopePtr& scope) {
    const Value condition = condition_value(*node.condition, scope, "the condition of `if`");
    const auto known = builder_->static_value(condition);
    return known ? decided(*known->as<bool>(), node, span, scope) : conditional(condition, node, span, scope);
}

namespace {

[[noreturn]] void branches_differ(const char* code, const std::string& first, Span first_span, const std::string& second, Span second_span) {
    throw UserError(error(code, "the branches of `if` differ: one is " + first + ", the other " + second)
                        .at(second_span, "this is " + second)
                        .label(first_span, "this is " + first)
                        .help(std::string(code) == "E302" ? "both branches give one type: cast one of them, as in `x as f32`" : "both branches give one shape"));
}

} // namespace

// A condition that is known now. The other branch must give the same type too, unless it can't be traced at all, as
// code for another rank can't.
Datum Tracer::decided(bool condition, const ast::If& node, Span span, const ScopePtr& scope) {
    const Span then_span = node.then_block.statements.back().value->span, else_span = node.otherwise->span;
    const auto branch = [&](bool first) { return first ? evaluate_block(node.then_block, scope) : evaluate(*node.otherwise, scope); };
    const Datum taken = branch(condition);
    if (in_prelude(span)) return taken; // there it tells forms of arguments apart, as `mask == none`
    std::vector<TensorType> types;
    std::string other_text;
    Datum other;
    try {
        const Under under(*this, {}, node.condition->span);
        const NewBody dead(*builder_, 0);
        const SizeFacts::Pause pause;
        other = branch(!condition);
        other_text = type_text(*builder_, other);
        types = types_of(*builder_, tensor_leaves(*this, other, condition ? else_span : then_span, "the value of a branch"));
    } catch (const UserError&) {
        return taken;
    } catch (const AlreadyReported&) {
        return taken;
    }
    std::vector<Value> leaves;
    const Datum* no_tensor = nullptr;
    collect_leaves(taken, leaves, &no_tensor);
    if (no_tensor) return taken; // a function, chosen while the graph is built
    const std::string taken_text = type_text(*builder_, taken);
    const auto differ = [&](const char* code) {
        branches_differ(code, condition ? taken_text : other_text, then_span, condition ? other_text : taken_text, else_span);
    };
    if (!same_structure(taken, other)) differ("E302");
    const Origin origin(*builder_, span);
    for (std::size_t i = 0; i < leaves.size(); ++i) {
        const TensorType own = builder_->type(leaves[i]);
        const auto common = meet(own, types[i]);
        if (!common) differ(same_shape(own.shape, types[i].shape) ? "E302" : "E301");
        leaves[i] = take_type(*builder_, leaves[i], *common);
    }
    std::size_t next = 0;
    return with_leaves(taken, leaves, next);
}

Datum Tracer::conditional(Value condition, const ast::If& node, Span span, const ScopePtr& scope) {
    const Origin origin(*builder_, span);
    const Lanes condition_lanes = builder_->lanes(condition);
    const std::uint32_t sequence = builder_->reserve_sequence();
    struct Branch {
        Datum tree;
        std::shared_ptr<Graph> body;
        Span span;
        std::string type;
    };
    const auto trace_branch = [&](Span place, const std::function<Datum()>& evaluate_it) {
        const Under under(*this, condition_lanes, node.condition->span);
        const SizeFacts::Pause pause; // the condition may ask for sizes
        NewBody body(*builder_, sequence);
        Branch branch{evaluate_it(), nullptr, place, {}};
        branch.type = type_text(*builder_, branch.tree);
        branch.body = body.finish(tensor_leaves(*this, branch.tree, place, "the value of a branch"));
        return branch;
    };
    Branch first = trace_branch(node.then_block.statements.back().value->span, [&] { return evaluate_block(node.then_block, scope); });
    Branch second = trace_branch(node.otherwise->span, [&] { return evaluate(*node.otherwise, scope); });
    const auto differ = [&](const char* code) { branches_differ(code, first.type, first.span, second.type, second.span); };
    if (!same_structure(first.tree, second.tree)) differ("E302");
    std::vector<TensorType> types;
    std::vector<Lanes> lanes;
    for (std::size_t i = 0; i < first.body->outputs.size(); ++i) {
        const Value a = first.body->outputs[i], b = second.body->outputs[i];
        const TensorType &type_a = first.body->type(a), &type_b = second.body->type(b);
        const auto common = meet(type_a, type_b);
        if (!common) differ(same_shape(type_a.shape, type_b.shape) ? "E302" : "E301");
        types.push_back(*common);
        lanes.push_back(lanes_union(condition_lanes, lanes_union(first.body->lanes(a), second.body->lanes(b))));
    }
    fit_outputs(*builder_, *first.body, 0, types);
    fit_outputs(*builder_, *second.body, 0, types);
    const std::vector<Value> results = builder_->add_control(if_op, {condition}, {}, {first.body, second.body}, types, lanes, sequence);
    std::size_t next = 0;
    return with_leaves(first.tree, results, next);
}

// ---- loop ------------------------------------------------------------------------------------------------------------

Datum Tracer::loop_expression(const ast::Loop& node, Span span, const ScopePtr& scope) {
    const Datum init = evaluate(*node.init, scope);
    if (init.poison()) throw AlreadyReported{};
    const Origin origin(*builder_, span);
    if (node.condition) return while_loop(node, init, span, scope);
    const Datum sequence = evaluate(*node.sequence, scope);
    const auto step = [&](const Datum& carry, const Datum& item) {
        const ScopePtr inner = inner_scope(scope);
        bind_pattern(node.pattern, carry, inner, node.init->span);
        const ScopePtr body_scope = inner_scope(inner); // the counter may share a name with nothing but shadows all
        bind_pattern(*node.counter, item, body_scope, node.sequence->span);
        return evaluate_block(node.body, body_scope);
    };
    if (const auto* range = std::get_if<RangeDatum>(&sequence.is)) return range_loop(node, *range, init, span, scope);
    if (const TupleDatum* tuple = sequence.tuple()) {
        Datum carry = init;
        for (const Datum& item : tuple->items) carry = step(carry, item);
        return carry;
    }
    if (!sequence.tensor() && !sequence.record()) {
        throw UserError(error("E207", "`for` goes over a range, a tensor or a tuple, not " + type_text(*builder_, sequence)).at(node.sequence->span).help("count with a range, as in `for i in 0 .. n`"));
    }
    ScanOptions options;
    options.collect = false;
    options.form = "`for`";
    options.items_span = node.sequence->span;
    return scan(step, init, sequence, options, node.body.statements.back().value->span);
}

std::int64_t Tracer::constant_limit(const ast::Loop& node, const ScopePtr& scope) {
    if (!node.limit) return -1;
    const Dim limit = constant_int(evaluate(*node.limit, scope), node.limit->span, "the limit of a loop");
    if (limit.value() < 0) throw UserError(error("E310", "the limit of a loop is " + limit.text() + ", but it counts steps").at(node.limit->span));
    return limit.value();
}

Datum Tracer::while_loop(const ast::Loop& node, const Datum& init, Span span, const ScopePtr& scope) {
    const std::int64_t limit = constant_limit(node, scope);
    const Span step_span = node.body.statements.back().value->span;
    Carry carry = carry_of(*this, init, node.init->span);
    const std::uint32_t sequence = builder_->reserve_sequence();
    for (;;) {
        NewBody open_condition(*builder_, sequence);
        ScopePtr inner = inner_scope(scope);
        bind_pattern(node.pattern, carry_parameters(*builder_, carry), inner, node.init->span);
        const Value condition = condition_value(*node.condition, inner, "the condition of `loop`");
        const Lanes condition_lanes = builder_->lanes(condition);
        const std::shared_ptr<Graph> condition_body = open_condition.finish({condition});

        const Under under(*this, condition_lanes, node.condition->span);
        NewBody open_body(*builder_, sequence);
        inner = inner_scope(scope);
        bind_pattern(node.pattern, carry_parameters(*builder_, carry), inner, node.init->span);
        const Datum result = evaluate_block(node.body, inner);
        if (!settle(*this, carry, result, condition_lanes, step_span)) continue;
        const std::shared_ptr<Graph> body = open_body.finish(tensor_leaves(*this, result, step_span, "the carry"));
        fit_outputs(*builder_, *body, 0, carry.types);
        return results_tree(carry, builder_->add_control(while_op, initial_values(*builder_, carry), {limit}, {condition_body, body}, carry.types, carry.lanes, sequence));
    }
    (void)span;
}

namespace {

// A bound of a range as an i64.
Value bound_value(Builder& builder, Value bound, Span span) {
    const TensorType type = builder.type(bound);
    if (!is_integer(type.dtype) || type.rank() != 0) throw UserError(error("E308", "the ends of a range are whole numbers, not " + type.text()).at(span));
    return type.dtype == DType::i64 ? bound : cast(builder, bound, DType::i64);
}

} // namespace

// `for i in a .. b`. Ends that vary over lanes make it a loop in which each lane stops by itself.
Datum Tracer::range_loop(const ast::Loop& node, const RangeDatum& range, const Datum& init, Span span, const ScopePtr& scope) {
    const bool weak = builder_->type(range.first).weak && builder_->type(range.last).weak;
    const Value first = bound_value(*builder_, range.first, node.sequence->span), last = bound_value(*builder_, range.last, node.sequence->span);
    const Lanes bound_lanes = lanes_union(builder_->lanes(first), builder_->lanes(last));
    const Span step_span = node.body.statements.back().value->span;
    const std::uint32_t sequence = builder_->reserve_sequence();
    Carry carry = carry_of(*this, init, node.init->span);
    const auto step = [&](const Datum& state, Value counter) {
        const ScopePtr inner = inner_scope(scope);
        bind_pattern(node.pattern, state, inner, node.init->span);
        const ScopePtr body_scope = inner_scope(inner);
        bind_pattern(*node.counter, counter, body_scope, node.sequence->span);
        return evaluate_block(node.body, body_scope);
    };
    for (;;) {
        std::shared_ptr<Graph> condition;
        if (!bound_lanes.empty()) {
            NewBody open(*builder_, sequence);
            const Value counter = builder_->parameter({DType::i64, {}, weak}, bound_lanes);
            carry_parameters(*builder_, carry);
            condition = open.finish({pointwise(*builder_, "less", {counter, last})});
        }
        const Under under(*this, bound_lanes, node.sequence->span);
        NewBody open(*builder_, sequence);
        const Value counter = builder_->parameter({DType::i64, {}, weak}, bound_lanes);
        const Datum result = step(carry_parameters(*builder_, carry), counter);
        if (!settle(*this, carry, result, bound_lanes, step_span)) continue;
        std::vector<Value> outputs = tensor_leaves(*this, result, step_span, "the carry");
        std::vector<TensorType> types = carry.types;
        std::vector<Lanes> lanes = carry.lanes;
        if (bound_lanes.empty()) {
            const std::shared_ptr<Graph> body = open.finish(outputs);
            fit_outputs(*builder_, *body, 0, carry.types);
            std::vector<Value> operands = initial_values(*builder_, carry);
            operands.insert(operands.begin(), {first, last});
            return results_tree(carry, builder_->add_control(for_op, operands, {}, {body}, types, lanes, sequence));
        }
        outputs.insert(outputs.begin(), pointwise(*builder_, "add", {counter, builder_->constant(Dim(1))}));
        const std::shared_ptr<Graph> body = open.finish(outputs);
        fit_outputs(*builder_, *body, 1, carry.types);
        std::vector<Value> operands = initial_values(*builder_, carry);
        operands.insert(operands.begin(), first);
        types.insert(types.begin(), TensorType{DType::i64, {}, weak});
        lanes.insert(lanes.begin(), bound_lanes);
        std::vector<Value> results = builder_->add_control(while_op, operands, {std::int64_t{-1}}, {condition, body}, types, lanes, sequence);
        results.erase(results.begin());
        return results_tree(carry, results);
    }
    (void)span;
}

// ---- scan ------------------------------------------------------------------------------------------------------------

namespace {

Dim scan_length(Builder& builder, const std::vector<Value>& xs, const Tracer::ScanOptions& options, Span call) {
    const Span span = options.items_span ? options.items_span : call;
    const std::string form(options.form);
    std::optional<Dim> size = options.length;
    for (const Value x : xs) {
        const TensorType type = builder.type(x);
        if (type.rank() == 0) {
            Diagnostic diagnostic = error("E307", form + " goes along the leading axis, and " + type.text() + " has none").at(span);
            if (is_integer(type.dtype)) diagnostic.helps.push_back(form == "`for`" ? "count with a range, as in `for i in 0 .. n`" : "count with `loop`, as in `loop p = init for i in 0 .. n { … }`");
            throw UserError(std::move(diagnostic));
        }
        if (size && !can_agree(*size, type.shape[0])) {
            throw UserError(error("E401", "the leading axes of " + form + " differ: one is " + size->text() + ", another " + type.shape[0].text()).at(span).help("all of xs (and `length`, where it is given) have one length"));
        }
        if (!size || size->is_symbolic()) size = type.shape[0];
    }
    if (!size) throw UserError(error("E404", form + " over nothing needs its `length`").at(span).help("write scan(f, init, length=n)"));
    return *size;
}

} // namespace

Datum Tracer::scan(const StepFunction& step, const Datum& init, const Datum& xs, const ScanOptions& options, Span span) {
    const Origin origin(*builder_, span);
    Carry carry = carry_of(*this, init, span);
    const std::vector<Value> items = tensor_leaves(*this, xs, span, "what a scan goes over");
    const Dim length = scan_length(*builder_, items, options, span);
    const std::uint32_t sequence = builder_->reserve_sequence();
    for (;;) {
        NewBody open(*builder_, sequence);
        const Datum state = carry_parameters(*builder_, carry);
        std::vector<Value> slices;
        for (const Value item : items) {
            TensorType type = builder_->type(item);
            type.shape.erase(type.shape.begin());
            slices.push_back(builder_->parameter(type, builder_->lanes(item)));
        }
        std::size_t next = 0;
        const Datum result = step(state, with_leaves(xs, slices, next));
        if (result.poison()) throw AlreadyReported{};
        if (options.collect && (!result.tuple() || result.tuple()->items.size() != 2)) {
            throw UserError(error("E210", "the function of a scan gives (carry, y), but here it gives " + type_text(*builder_, result)).at(span).help("`fold` takes a function that gives the carry alone"));
        }
        const Datum& after = options.collect ? result.tuple()->items[0] : result;
        if (!settle(*this, carry, after, {}, span)) continue;
        std::vector<Value> outputs = tensor_leaves(*this, after, span, "the carry"), ys;
        if (options.collect) ys = tensor_leaves(*this, result.tuple()->items[1], span, "what a scan collects");
        std::vector<TensorType> types = carry.types;
        std::vector<Lanes> lanes = carry.lanes;
        for (const Value y : ys) {
            TensorType type = builder_->type(y);
            type.shape.insert(type.shape.begin(), length);
            types.push_back(std::move(type));
            lanes.push_back(builder_->lanes(y));
        }
        outputs.insert(outputs.end(), ys.begin(), ys.end());
        const std::shared_ptr<Graph> body = open.finish(outputs);
        fit_outputs(*builder_, *body, 0, carry.types);
        std::vector<Value> operands = initial_values(*builder_, carry);
        operands.insert(operands.end(), items.begin(), items.end());
        const Attributes attributes{static_cast<std::int64_t>(carry.init.size()), static_cast<std::int64_t>(items.size()), options.reverse, Dims{length}};
        std::vector<Value> results = builder_->add_control(scan_op, operands, attributes, {body}, types, lanes, sequence);
        const auto split = results.begin() + static_cast<std::ptrdiff_t>(carry.init.size());
        const Datum final_carry = results_tree(carry, std::vector<Value>(results.begin(), split));
        if (!options.collect) return final_carry;
        next = 0;
        return Datum::tuple({final_carry, with_leaves(result.tuple()->items[1], std::vector<Value>(split, results.end()), next)});
    }
}

} // namespace vmaprun
