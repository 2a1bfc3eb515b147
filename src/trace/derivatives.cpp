// Derivatives as a script asks for them: trees of arguments become leaves, the function is traced into a graph of its own,
// transform/derivative.hpp adds it with its derivative, and the results become trees again.
#include "trace/derivatives.hpp"

#include <algorithm>
#include <array>

#include "base/text.hpp"
#include "ops/call.hpp"
#include "ops/control.hpp"
#include "ops/derivative.hpp"
#include "ops/movement.hpp"
#include "trace/arguments.hpp"
#include "trace/differentiated.hpp"
#include "trace/directional.hpp"
#include "transform/derivative.hpp"
#include "transform/replay.hpp"

namespace vmaprun {
namespace {

// ---- trees

// The tree with each tensor replaced by what f gives for its place among the leaves.
Datum map_leaves(const Datum& tree, std::size_t& next, const std::function<Datum(std::size_t)>& f) {
    if (tree.tensor() != nullptr) return f(next++);
    if (const TupleDatum* tuple = tree.tuple()) {
        std::vector<Datum> items;
        for (const Datum& item : tuple->items) items.push_back(map_leaves(item, next, f));
        return Datum::tuple(std::move(items));
    }
    if (const RecordDatum* record = tree.record()) {
        std::vector<std::pair<std::string, Datum>> fields;
        for (const auto& [name, value] : record->fields) fields.emplace_back(name, map_leaves(value, next, f));
        return Datum::record(std::move(fields));
    }
    return tree;
}

// ---- checks

void check_real_arguments(Tracer& tracer, const Chosen& chosen, std::string_view transform) {
    Builder& builder = tracer.builder();
    for (std::size_t k = 0; k < chosen.count(); ++k) {
        for (const Value leaf : tensor_leaves(tracer, chosen.argument(k).value, chosen.argument(k).span, "what a derivative is taken by")) {
            const TensorType& type = builder.type(leaf);
            if (is_floating(type.dtype)) continue;
            const std::string name = "`" + std::string(name_of(type.dtype)) + "`";
            Diagnostic diagnostic = error("E412", std::string(transform) + " by `" + chosen.parameter(k) + "` needs floats, and " + (chosen.argument(k).value.tensor() ? "it is " : "in it is ") + name).at(chosen.argument(k).span, "this is " + type_text(builder, chosen.argument(k).value));
            if (is_complex(type.dtype)) diagnostic.helps.push_back("take the real and the imaginary part as two arguments, or use jvp or vjp");
            else if (is_integer(type.dtype)) diagnostic.helps.push_back(type.weak ? "write the number with a point, as in 2.0" : "cast it, as in `x as f64`, or take the derivative by another argument, with wrt");
            else diagnostic.helps.push_back("take the derivative by another argument, with wrt");
            throw UserError(std::move(diagnostic));
        }
    }
}

std::string quoted_call(const std::string& name) { return name == unnamed_function ? "f" : name; }

// The outputs' types are those of the traced graph, which is closed: texts are made from it.
std::string result_text(const TracedCall& traced, const Datum& result) {
    const Value* value = result.tensor();
    return value ? traced.function.graph->type(*value).text() : result.tuple() ? "a tuple" : result.record() ? "a record" : "no tensor";
}

// has_aux: f gives (value, aux).
const Datum& main_result(const TracedCall& traced, bool has_aux, std::string_view transform, Span span) {
    if (!has_aux) return traced.result;
    const TupleDatum* tuple = traced.result.tuple();
    if (tuple && tuple->items.size() == 2) return tuple->items[0];
    const std::string given = tuple ? "a tuple of " + count_of(static_cast<std::int64_t>(tuple->items.size()), "item") : result_text(traced, traced.result);
    throw UserError(error("E210", "with has_aux the function of " + std::string(transform) + " gives (value, aux), but here it gives " + given).at(span));
}

void check_scalar_result(const TracedCall& traced, const Datum& result, const Function& function, std::string_view transform, Span span) {
    const Value* value = result.tensor();
    const std::string f = quoted_call(function.name()), as_value = &result == &traced.result ? "" : " as its value";
    if (value == nullptr) {
        Diagnostic diagnostic = error("E410", std::string(transform) + " takes the derivative of one number, and " + said_name(function.name()) + " gives " + result_text(traced, result) + as_value).at(span);
        diagnostic.helps.push_back(result.tuple() ? "to give more beside the value, use has_aux=true; for the derivative of every part, jacobian(" + f + ")" : "for the derivative of every part, jacobian(" + f + ")");
        throw UserError(std::move(diagnostic));
    }
    const TensorType& type = traced.function.graph->type(*value);
    if (type.rank() > 0) {
        throw UserError(error("E410", std::string(transform) + " takes the derivative of one number, and " + said_name(function.name()) + " gives " + type.text() + as_value)
                            .at(span)
                            .help("for the derivative of every element, jacobian(" + f + "); for a batch of inputs, vmap(" + std::string(transform) + "(" + f + "))"));
    }
    if (is_floating(type.dtype)) return;
    Diagnostic diagnostic = error("E412", std::string(transform) + " needs a function with a float result, and " + said_name(function.name()) + " gives `" + std::string(name_of(type.dtype)) + "`").at(span);
    diagnostic.helps.push_back(is_complex(type.dtype) ? "take a real number of it: real(y), imag(y) or abs(y)" : "whole numbers and bools don't change smoothly: their derivative is nothing");
    throw UserError(std::move(diagnostic));
}

// ---- grad, value_and_grad

enum class Gives { gradient, both };

Datum run_gradient(Tracer& tracer, const FunctionPtr& function, const Wrt& wrt, bool has_aux, Gives gives, std::string_view transform, const CallArguments& arguments, Span span) {
    Builder& builder = tracer.builder();
    const Chosen chosen(tracer, function, arguments, wrt.which, span);
    check_real_arguments(tracer, chosen, transform);
    const Tracer::Origin origin(builder, span);
    const TracedCall traced = chosen.trace();
    const Datum& result = main_result(traced, has_aux, transform, span);
    check_scalar_result(traced, result, *function, transform, span);
    const Pullback pullback(builder, traced.function, traced.arguments);
    const std::vector<Value> values = pullback.values();
    std::vector<Value> cotangents(values.size());
    const TensorType type = builder.type(values[0]);
    const Value one = builder.constant(Array::scalar(1.0), true);
    cotangents[0] = type.weak ? one : cast(builder, one, type.dtype);
    const std::vector<Value> gradients = or_zeros(builder, pullback(cotangents), traced.arguments);
    const Datum gradient = wrt_tree(chosen, wrt, gradients);
    if (!has_aux) return gives == Gives::gradient ? gradient : Datum::tuple({values[0], gradient});
    const Datum whole = tree_of(traced.result, values);
    return Datum::tuple(gives == Gives::gradient ? std::vector<Datum>{gradient, whole.tuple()->items[1]} : std::vector<Datum>{whole, gradient});
}

NativeFunction::Body gradient_native(std::string_view transform, Gives gives) {
    return [transform, gives](Tracer& tracer, const Slots& slots, Span span) -> Datum {
        const FunctionPtr function = function_argument(tracer, slots[0], transform);
        const Wrt wrt = read_wrt(tracer, *function, slots[1], span);
        const bool has_aux = boolean_argument(tracer, slots[2], "has_aux");
        return FunctionPtr(std::make_shared<DerivedFunction>(function, [=](Tracer& inner, const CallArguments& arguments, Span at) {
            return run_gradient(inner, function, wrt, has_aux, gives, transform, arguments, at);
        }));
    };
}

// ---- jacobians: directions (or cotangents) along a mapped axis of their own

// The leaves' elements counted through: where each leaf begins.
struct Numbering {
    std::vector<Dim> first;
    Dim total = 0;
};
Numbering number_elements(const std::vector<TensorType>& types) {
    Numbering numbering;
    for (const TensorType& type : types) {
        numbering.first.push_back(numbering.total);
        numbering.total = numbering.total + product_of(type.shape);
    }
    return numbering;
}

// Of one leaf: 1 at the element that has the number of the lane, else 0.
Value unit(Builder& builder, LaneId lane, const TensorType& type, Dim first) {
    const Dim count = product_of(type.shape);
    Value number = builder.lane_index(lane);
    if (first != Dim(0)) number = pointwise(builder, "subtract", {number, builder.constant(first)});
    const Value hit = pointwise(builder, "equal", {iota_values(builder, {count}, 0, DType::i64), number});
    return reshape_to(builder, cast(builder, hit, type.dtype), type.shape);
}

class Directions {
  public:
    Directions(Builder& builder, Dim count, Span span) : builder_(builder), lane_(builder.new_lane({count, {}, span, 0, 0, 0, false, true})) { builder_.push_nesting({Nesting::Kind::lane, lane_}); }
    ~Directions() { builder_.pop_nesting(); }
    Directions(const Directions&) = delete;
    Directions& operator=(const Directions&) = delete;
    LaneId lane() const { return lane_; }

  private:
    Builder& builder_;
    LaneId lane_;
};

Dims joined_shape(const Dims& outputs, const Dims& inputs) {
    Dims shape = outputs;
    shape.insert(shape.end(), inputs.begin(), inputs.end());
    return shape;
}

enum class Mode { forward, reverse };

// blocks[o][i]: the derivative of output o by input i.
std::vector<std::vector<Value>> jacobian_blocks(Builder& builder, const TracedCall& traced, std::size_t outputs, Mode mode, std::vector<Value>& values, Span span) {
    const std::vector<TensorType> inputs = types_of(builder, traced.arguments);
    std::vector<TensorType> results;
    for (std::size_t o = 0; o < outputs; ++o) results.push_back(traced.function.graph->type(traced.function.graph->outputs[o]));
    std::vector<std::vector<Value>> blocks(outputs, std::vector<Value>(inputs.size()));
    // Nothing has the type that something would have: of the cotangents of the argument, or the tangents of the result.
    const auto zeros = [&](std::size_t o, std::size_t i) {
        TensorType type = mode == Mode::forward && differentiable(results[o].dtype) ? results[o] : inputs[i];
        type.shape = joined_shape(results[o].shape, inputs[i].shape);
        return zero_of(builder, type);
    };
    if (mode == Mode::forward) {
        const Numbering numbering = number_elements(inputs);
        std::vector<Value> whole(traced.arguments);
        whole.insert(whole.end(), traced.function.graph->captured.begin(), traced.function.graph->captured.end());
        values = replay(builder, *traced.function.graph, traced.function.depth, whole); // once, with its checks and faults: directions are no lanes
        const Directions directions(builder, numbering.total, span);
        std::vector<Value> tangents;
        for (std::size_t i = 0; i < inputs.size(); ++i) tangents.push_back(unit(builder, directions.lane(), inputs[i], numbering.first[i]));
        const Linearized linearized = jvp(builder, traced.function, traced.arguments, tangents, Effects::drop);
        for (std::size_t o = 0; o < outputs; ++o) {
            const auto last = static_cast<std::int64_t>(results[o].rank());
            const Value all = linearized.tangents[o] ? builder.unlane(linearized.tangents[o], directions.lane(), last) : Value{};
            for (std::size_t i = 0; i < inputs.size(); ++i) {
                const Dim count = product_of(inputs[i].shape);
                blocks[o][i] = all ? reshape_to(builder, slice_axis(builder, all, last, numbering.first[i], count), joined_shape(results[o].shape, inputs[i].shape)) : zeros(o, i);
            }
        }
        return blocks;
    }
    const Pullback pullback(builder, traced.function, traced.arguments);
    values = pullback.values();
    std::vector<TensorType> counted = results; // only what can have a derivative is counted
    for (TensorType& type : counted) {
        if (!differentiable(type.dtype)) type.shape = {0};
    }
    const Numbering numbering = number_elements(counted);
    const Directions directions(builder, numbering.total, span);
    std::vector<Value> cotangents(values.size());
    for (std::size_t o = 0; o < outputs; ++o) {
        if (differentiable(results[o].dtype)) cotangents[o] = unit(builder, directions.lane(), results[o], numbering.first[o]);
    }
    const std::vector<Value> taken = pullback(cotangents);
    for (std::size_t i = 0; i < inputs.size(); ++i) {
        const Value all = taken[i] ? builder.unlane(taken[i], directions.lane(), 0) : Value{};
        for (std::size_t o = 0; o < outputs; ++o) {
            const Dim count = product_of(counted[o].shape);
            const bool there = all && differentiable(results[o].dtype);
            blocks[o][i] = there ? reshape_to(builder, slice_axis(builder, all, 0, numbering.first[o], count), joined_shape(results[o].shape, inputs[i].shape)) : zeros(o, i);
        }
    }
    return blocks;
}

Datum run_jacobian(Tracer& tracer, const FunctionPtr& function, const Wrt& wrt, bool has_aux, Mode mode, std::string_view transform, const CallArguments& arguments, Span span) {
    Builder& builder = tracer.builder();
    const Chosen chosen(tracer, function, arguments, wrt.which, span);
    check_real_arguments(tracer, chosen, transform);
    const Tracer::Origin origin(builder, span);
    const TracedCall traced = chosen.trace();
    const Datum& result = main_result(traced, has_aux, transform, span);
    std::vector<Value> outputs;
    collect_leaves(result, outputs);
    std::vector<Value> values;
    const auto blocks = jacobian_blocks(builder, traced, outputs.size(), mode, values, span);
    std::size_t next = 0;
    const Datum jacobian = map_leaves(result, next, [&](std::size_t o) { return wrt_tree(chosen, wrt, blocks[o]); });
    if (!has_aux) return jacobian;
    return Datum::tuple({jacobian, tree_of(traced.result, values).tuple()->items[1]});
}

FunctionPtr jacobian_of(const FunctionPtr& function, const Wrt& wrt, bool has_aux, Mode mode, std::string_view transform) {
    return std::make_shared<DerivedFunction>(function, [=](Tracer& inner, const CallArguments& arguments, Span at) {
        return run_jacobian(inner, function, wrt, has_aux, mode, transform, arguments, at);
    });
}

NativeFunction::Body jacobian_native(std::string_view transform, Mode mode) {
    return [transform, mode](Tracer& tracer, const Slots& slots, Span span) -> Datum {
        const FunctionPtr function = function_argument(tracer, slots[0], transform);
        return jacobian_of(function, read_wrt(tracer, *function, slots[1], span), boolean_argument(tracer, slots[2], "has_aux"), mode, transform);
    };
}

// Forward over reverse.
Datum hessian_native(Tracer& tracer, const Slots& slots, Span span) {
    const FunctionPtr function = function_argument(tracer, slots[0], "hessian");
    const Wrt wrt = read_wrt(tracer, *function, slots[1], span);
    const bool has_aux = boolean_argument(tracer, slots[2], "has_aux");
    return jacobian_of(jacobian_of(function, wrt, has_aux, Mode::reverse, "hessian"), wrt, has_aux, Mode::forward, "hessian");
}

// ---- stop_gradient, checkpoint

Datum stop_gradient_native(Tracer& tracer, const Slots& slots, Span span) {
    const Tracer::Origin origin(tracer.builder(), span);
    std::vector<Value> leaves = tensor_leaves(tracer, slots[0]->value, slots[0]->span, "what stop_gradient is of");
    for (Value& leaf : leaves) leaf = tracer.builder().add(op_named("stop_gradient"), {leaf});
    return tree_of(slots[0]->value, leaves);
}

// The function as one node: what is inside is computed again where its cotangents are taken, instead of being saved.
Datum checkpoint_native(Tracer& tracer, const Slots& slots, Span) {
    const FunctionPtr function = function_argument(tracer, slots[0], "checkpoint");
    return FunctionPtr(std::make_shared<DerivedFunction>(function, [function](Tracer& inner, const CallArguments& arguments, Span span) -> Datum {
        Builder& builder = inner.builder();
        const Tracer::Origin origin(builder, span);
        const std::uint32_t sequence = builder.reserve_sequence();
        NewBody open(builder, sequence);
        const Datum result = function->call(inner, arguments, span);
        if (result.poison()) throw AlreadyReported{};
        const std::vector<Value> outputs = tensor_leaves(inner, result, span, "the result of what is checkpointed");
        const std::vector<TensorType> types = types_of(builder, outputs);
        std::vector<Lanes> lanes;
        for (const Value output : outputs) lanes.push_back(builder.lanes(output));
        const std::shared_ptr<Graph> body = open.finish(outputs);
        return tree_of(result, builder.add_control(call_op, {}, {}, {body}, types, lanes, sequence));
    }));
}

} // namespace

std::span<const DerivativeNative> derivative_natives() {
    using enum NativeFunction::Sort;
    static const std::array natives = {
        DerivativeNative{{"grad(f: any, wrt: any = 0, has_aux: bool = false)", "The function that gives the gradient of f, which gives one number, by the arguments that wrt names.", "grad(x => x ** 2)(3.0) => 6.0"}, gradient_native("grad", Gives::gradient), transform},
        DerivativeNative{{"value_and_grad(f: any, wrt: any = 0, has_aux: bool = false)", "The function that gives (f's value, its gradient).", "value_and_grad(x => x ** 2)(3.0) => (9.0, 6.0)"}, gradient_native("value_and_grad", Gives::both), transform},
        DerivativeNative{{"jvp(f: any, primals: any, tangents: any)", "f's value at the primals, and how it changes in the direction of the tangents: (value, tangent).", "jvp((x, y) => x * y, (3.0, 4.0), (1.0, 0.0)) => (12.0, 4.0)"}, jvp_native, plain},
        DerivativeNative{{"vjp(f: any, primals: any, cotangents: any)", "f's value at the primals, and the cotangents of the primals from those of the value: (value, cotangents).", "vjp((x, y) => x * y, (3.0, 4.0), 1.0) => (12.0, (4.0, 3.0))"}, vjp_native, plain},
        DerivativeNative{{"jacfwd(f: any, wrt: any = 0, has_aux: bool = false)", "The function that gives the derivative of every element of f's result by every element of an argument, in forward mode: best for few inputs.", "jacfwd(x => x * x)([1.0, 2.0]) => [[2.0, 0.0], [0.0, 4.0]]"}, jacobian_native("jacfwd", Mode::forward), transform},
        DerivativeNative{{"jacrev(f: any, wrt: any = 0, has_aux: bool = false)", "The same as jacfwd in reverse mode: best for few results.", "jacrev(x => x * x)([1.0, 2.0]) => [[2.0, 0.0], [0.0, 4.0]]"}, jacobian_native("jacrev", Mode::reverse), transform},
        DerivativeNative{{"jacobian(f: any, wrt: any = 0, has_aux: bool = false)", "The same as jacrev.", "jacobian(x => x * x)([1.0, 2.0]) => [[2.0, 0.0], [0.0, 4.0]]"}, jacobian_native("jacobian", Mode::reverse), transform},
        DerivativeNative{{"hessian(f: any, wrt: any = 0, has_aux: bool = false)", "The function that gives the second derivatives of f: jacfwd(jacrev(f)).", "hessian(x => sum(x ** 3))([1.0, 2.0]) => [[6.0, 0.0], [0.0, 12.0]]"}, hessian_native, transform},
        DerivativeNative{{"stop_gradient(x: any)", "x itself, through which no derivative flows.", "grad(x => x * stop_gradient(x))(3.0) => 3.0"}, stop_gradient_native, plain},
        DerivativeNative{{"checkpoint(f: any)", "f itself; reverse mode computes what is inside again instead of saving it.", "grad(checkpoint(x => sin(x)))(0.0) => 1.0"}, checkpoint_native, transform},
    };
    return natives;
}

} // namespace vmaprun
