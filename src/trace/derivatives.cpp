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
#include "transform/derivative.hpp"
#include "transform/replay.hpp"

namespace vmaprun {
namespace {

// ---- trees

Datum tree_of(const Datum& tree, const std::vector<Value>& leaves) {
    std::size_t next = 0;
    return with_leaves(tree, leaves, next);
}

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

Value zero_of(Builder& builder, const TensorType& type) { return broadcast_to(builder, builder.constant(Array::zeros(type.dtype, {}), type.weak), type.shape); }

// ---- the function as a graph

// Calls f with parameters in place of the chosen arguments.
struct Traced1 {
    TracedFunction function;
    std::vector<Value> arguments; // leaves of the chosen arguments
    Datum result;                 // its tree, with values of the traced graph
};

class Chosen {
  public:
    Chosen(Tracer& tracer, const FunctionPtr& function, const CallArguments& arguments, std::vector<std::size_t> which, Span span)
        : tracer_(tracer), builder_(tracer.builder()), function_(function), parameters_(function->parameters()), which_(std::move(which)), span_(span),
          given_(arguments), bound_(bind_arguments(function->name(), parameters_, given_, span)) {
        for (const std::size_t i : which_) {
            if (bound_[i]) continue;
            throw UserError(error("E413", "the derivative by `" + parameters_[i].name + "` needs its value, and here its default stands in").at(span).help("give it: " + parameters_[i].name + "=…"));
        }
        for (const std::size_t i : which_) {
            Datum& value = given_[static_cast<std::size_t>(bound_[i] - given_.data())].value;
            value = function->with_declared_literals(tracer, i, value);
        }
    }
    Chosen(const Chosen&) = delete;
    Chosen& operator=(const Chosen&) = delete;

    const CallArgument& argument(std::size_t k) const { return *bound_[which_[k]]; }
    std::size_t count() const { return which_.size(); }
    const std::string& parameter(std::size_t k) const { return parameters_[which_[k]].name; }

    Traced1 trace() const {
        Traced1 traced;
        for (std::size_t k = 0; k < count(); ++k) {
            for (const Value leaf : tensor_leaves(tracer_, argument(k).value, argument(k).span, "what a derivative is taken by")) traced.arguments.push_back(leaf);
        }
        traced.function.depth = builder_.nesting_depth();
        NewBody body(builder_);
        std::vector<Value> parameters;
        for (const Value leaf : traced.arguments) parameters.push_back(builder_.parameter(builder_.type(leaf), builder_.lanes(leaf)));
        traced.result = function_->call(tracer_, inner_arguments(parameters), span_);
        if (traced.result.poison()) throw AlreadyReported{};
        std::vector<Value> outputs = tensor_leaves(tracer_, traced.result, span_, "the result of what is differentiated");
        traced.function.graph = body.finish(std::move(outputs));
        traced.result = tree_of(traced.result, traced.function.graph->outputs); // a result from outside has a place in the graph now
        return traced;
    }

  private:
    // Arguments go on by position as far as there is no gap, then by keyword.
    CallArguments inner_arguments(const std::vector<Value>& parameters) const {
        CallArguments inner;
        std::size_t next = 0;
        bool gap = false;
        std::vector<Datum> replaced(parameters_.size());
        for (const std::size_t i : which_) replaced[i] = with_leaves(bound_[i]->value, parameters, next);
        for (std::size_t i = 0; i < parameters_.size(); ++i) {
            if (!bound_[i]) {
                gap = true;
                continue;
            }
            CallArgument argument = *bound_[i];
            argument.keyword = gap ? std::optional(parameters_[i].name) : std::nullopt;
            if (std::ranges::find(which_, i) != which_.end()) argument.value = replaced[i];
            inner.push_back(std::move(argument));
        }
        return inner;
    }

    Tracer& tracer_;
    Builder& builder_;
    const FunctionPtr& function_;
    std::vector<Function::Parameter> parameters_;
    std::vector<std::size_t> which_;
    Span span_;
    CallArguments given_;
    std::vector<const CallArgument*> bound_; // into given_
};

// ---- wrt

struct Wrt {
    std::vector<std::size_t> which;
    bool single = true; // else results are tuples
};

std::size_t wrt_parameter(Tracer& tracer, const Function& function, const std::vector<Function::Parameter>& parameters, const Datum& datum, Span span) {
    std::vector<std::string> all;
    for (const Function::Parameter& parameter : parameters) all.push_back("`" + parameter.name + "`");
    const auto fail = [&](const std::string& what) -> UserError {
        Diagnostic diagnostic = error("E413", what).at(span);
        diagnostic.notes.push_back(all.empty() ? said_name(function.name()) + " has no parameters" : (all.size() == 1 ? "the parameter of " + said_name(function.name()) + " is " : "the parameters of " + said_name(function.name()) + " are ") + join_and(all));
        return UserError(std::move(diagnostic));
    };
    if (const auto* name = std::get_if<std::string>(&datum.is)) {
        const auto found = std::ranges::find(parameters, *name, &Function::Parameter::name);
        if (found != parameters.end()) return static_cast<std::size_t>(found - parameters.begin());
        UserError failure = fail("wrt names `" + *name + "`, which is no parameter of " + said_name(function.name()));
        std::vector<std::string_view> names;
        for (const Function::Parameter& parameter : parameters) names.push_back(parameter.name);
        if (const auto near = nearest(*name, names); !near.empty()) failure.diagnostics().front().helps.push_back("did you mean \"" + std::string(near) + "\"?");
        throw failure;
    }
    if (datum.tensor() == nullptr) throw fail("wrt must be the position of a parameter, its name in quotes, or a tuple of them, not " + type_text(tracer.builder(), datum));
    const std::int64_t given = tracer.known_int(datum, span, "wrt"), count = static_cast<std::int64_t>(parameters.size());
    const std::int64_t position = given < 0 ? given + count : given;
    if (position < 0 || position >= count) throw fail("wrt is " + std::to_string(given) + ", and " + said_name(function.name()) + " has " + count_of(count, "parameter"));
    return static_cast<std::size_t>(position);
}

Wrt read_wrt(Tracer& tracer, const Function& function, const CallArgument* argument, Span span) {
    const auto parameters = function.parameters();
    Wrt wrt;
    if (argument == nullptr) {
        wrt.which = {wrt_parameter(tracer, function, parameters, tracer.builder().constant(Dim(0)), span)};
    } else if (const TupleDatum* tuple = argument->value.tuple()) {
        wrt.single = false;
        for (const Datum& item : tuple->items) {
            const std::size_t parameter = wrt_parameter(tracer, function, parameters, item, argument->span);
            if (std::ranges::find(wrt.which, parameter) != wrt.which.end()) throw UserError(error("E413", "wrt names `" + parameters[parameter].name + "` twice").at(argument->span));
            wrt.which.push_back(parameter);
        }
    } else {
        wrt.which = {wrt_parameter(tracer, function, parameters, argument->value, argument->span)};
    }
    return wrt;
}

// Each chosen argument's tree filled with leaves; one alone, or a tuple.
Datum wrt_tree(const Chosen& chosen, const Wrt& wrt, const std::vector<Value>& leaves) {
    std::size_t next = 0;
    std::vector<Datum> trees;
    for (std::size_t k = 0; k < chosen.count(); ++k) trees.push_back(with_leaves(chosen.argument(k).value, leaves, next));
    return wrt.single ? trees[0] : Datum::tuple(std::move(trees));
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
std::string result_text(const Traced1& traced, const Datum& result) {
    const Value* value = result.tensor();
    return value ? traced.function.graph->type(*value).text() : result.tuple() ? "a tuple" : result.record() ? "a record" : "no tensor";
}

// has_aux: f gives (value, aux).
const Datum& main_result(const Traced1& traced, bool has_aux, std::string_view transform, Span span) {
    if (!has_aux) return traced.result;
    const TupleDatum* tuple = traced.result.tuple();
    if (tuple && tuple->items.size() == 2) return tuple->items[0];
    const std::string given = tuple ? "a tuple of " + count_of(static_cast<std::int64_t>(tuple->items.size()), "item") : result_text(traced, traced.result);
    throw UserError(error("E210", "with has_aux the function of " + std::string(transform) + " gives (value, aux), but here it gives " + given).at(span));
}

void check_scalar_result(const Traced1& traced, const Datum& result, const Function& function, std::string_view transform, Span span) {
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
    const Traced1 traced = chosen.trace();
    const Datum& result = main_result(traced, has_aux, transform, span);
    check_scalar_result(traced, result, *function, transform, span);
    const Pullback pullback(builder, traced.function, traced.arguments);
    const std::vector<Value> values = pullback.values();
    std::vector<Value> cotangents(values.size());
    const TensorType type = builder.type(values[0]);
    const Value one = builder.constant(Array::scalar(1.0), true);
    cotangents[0] = type.weak ? one : cast(builder, one, type.dtype);
    std::vector<Value> gradients = pullback(cotangents);
    for (std::size_t i = 0; i < gradients.size(); ++i) gradients[i] = gradients[i] ? gradients[i] : zero_of(builder, builder.type(traced.arguments[i]));
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

std::vector<TensorType> types_of(const Builder& builder, const std::vector<Value>& values) {
    std::vector<TensorType> types;
    for (const Value value : values) types.push_back(builder.type(value));
    return types;
}

class Directions {
  public:
    Directions(Builder& builder, Dim count, Span span) : builder_(builder), lane_(builder.new_lane({count, {}, span, 0, 0, 0})) { builder_.push_nesting({Nesting::Kind::lane, lane_}); }
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
std::vector<std::vector<Value>> jacobian_blocks(Builder& builder, const Traced1& traced, std::size_t outputs, Mode mode, std::vector<Value>& values, Span span) {
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
        const Directions directions(builder, numbering.total, span);
        std::vector<Value> tangents;
        for (std::size_t i = 0; i < inputs.size(); ++i) tangents.push_back(unit(builder, directions.lane(), inputs[i], numbering.first[i]));
        const Linearized linearized = jvp(builder, traced.function, traced.arguments, tangents);
        values = linearized.values;
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
    const Traced1 traced = chosen.trace();
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

// ---- jvp, vjp

// One argument may stand without a tuple.
CallArguments primals_of(const CallArgument& given, bool& is_tuple) {
    CallArguments arguments;
    const TupleDatum* tuple = given.value.tuple();
    is_tuple = tuple != nullptr;
    if (!tuple) return {{std::nullopt, {}, given.value, given.span}};
    for (std::size_t i = 0; i < tuple->items.size(); ++i) arguments.push_back({std::nullopt, {}, tuple->items[i], tuple->spans.empty() ? given.span : tuple->spans[i]});
    return arguments;
}

// Tangents or cotangents beside the values that they belong to: one tree, leaves of the same dtypes and shapes; `none` is zero.
class Beside {
  public:
    Beside(Tracer& tracer, std::string_view what, std::string_view of, Span span) : builder_(tracer.builder()), what_(what), of_(of), span_(span) {}

    // `type_of`: of the values, which may be of a graph that is closed.
    void match(const Datum& values, const Datum& given, const std::function<TensorType(Value)>& type_of, const std::string& path) {
        if (given.poison()) throw AlreadyReported{};
        if (given.none()) return skip(values);
        if (const Value* value = values.tensor()) {
            const Value* own = given.tensor();
            if (own == nullptr) fail(path, "is " + type_text(builder_, given) + ", and the " + of_ + " is " + type_of(*value).text());
            return leaves.push_back(fit(*own, type_of(*value), path));
        }
        if (const TupleDatum* tuple = values.tuple()) {
            if (!given.tuple() || given.tuple()->items.size() != tuple->items.size()) fail(path, "is " + type_text(builder_, given) + ", and the " + of_ + " is a tuple of " + count_of(static_cast<std::int64_t>(tuple->items.size()), "item"), "`none` stands for zero");
            for (std::size_t i = 0; i < tuple->items.size(); ++i) match(tuple->items[i], given.tuple()->items[i], type_of, path + "[" + std::to_string(i) + "]");
        } else if (const RecordDatum* record = values.record()) {
            if (!given.record() || given.record()->fields.size() != record->fields.size()) fail(path, "is " + type_text(builder_, given) + ", and the " + of_ + " is a record of " + count_of(static_cast<std::int64_t>(record->fields.size()), "field"));
            for (const auto& [name, value] : record->fields) {
                const Datum* own = given.record()->find(name);
                if (own == nullptr) fail(path, "has no field `" + name + "`, which the " + of_ + " has");
                match(value, *own, type_of, path + "." + name);
            }
        }
    }
    std::vector<Value> leaves;

  private:
    void skip(const Datum& values) {
        std::vector<Value> none;
        collect_leaves(values, none);
        leaves.insert(leaves.end(), none.size(), Value{});
    }

    Value fit(Value own, const TensorType& type, const std::string& path) {
        const TensorType given = builder_.type(own);
        if (!differentiable(type.dtype)) {
            fail(path, "is " + given.text() + ", but a value of `" + std::string(name_of(type.dtype)) + "` has none", type.weak && is_integer(type.dtype) ? "write the number with a point, as in 2.0" : "write `none` there");
        }
        bool fits = given.rank() == type.rank();
        for (std::size_t i = 0; fits && i < type.rank(); ++i) fits = !surely_different(given.shape[i], type.shape[i]);
        const bool takes_dtype = (given.weak && kind_of(given.dtype) <= kind_of(type.dtype) && given.dtype != DType::boolean) || (type.weak && kind_of(given.dtype) == kind_of(type.dtype));
        if (!fits || (given.dtype != type.dtype && !takes_dtype)) fail(path, "is " + given.text() + ", and the " + of_ + " is " + type.text(), "they have one shape and one dtype");
        if (given.dtype == type.dtype) return own;
        return type.weak ? builder_.add(op_named("cast"), {own}, {type.dtype, true}) : cast(builder_, own, type.dtype);
    }

    [[noreturn]] void fail(const std::string& path, const std::string& text, const std::string& help = {}) {
        Diagnostic diagnostic = error("E414", "the " + what_ + path + " " + text).at(span_);
        if (!help.empty()) diagnostic.helps.push_back(help);
        throw UserError(std::move(diagnostic));
    }

    Builder& builder_;
    std::string what_, of_;
    Span span_;
};

std::vector<std::size_t> all_of(std::size_t count) {
    std::vector<std::size_t> which;
    for (std::size_t i = 0; i < count; ++i) which.push_back(i);
    return which;
}

// Positional arguments go to the first parameters.
Chosen choose_all(Tracer& tracer, const FunctionPtr& function, const CallArguments& primals, Span span) {
    bind_arguments(function->name(), function->parameters(), primals, span); // too many, too few
    return Chosen(tracer, function, primals, all_of(primals.size()), span);
}

// The primals in the form in which they were given.
Datum primals_as_given(const Chosen& chosen, bool is_tuple) {
    if (!is_tuple) return chosen.argument(0).value;
    std::vector<Datum> items;
    for (std::size_t k = 0; k < chosen.count(); ++k) items.push_back(chosen.argument(k).value);
    return Datum::tuple(std::move(items));
}

// The leaves of a primal, literals in the dtype of the tangent that they meet.
void meet(Builder& builder, const Datum& primal, const Datum& tangent, std::vector<Value>& leaves) {
    const Value *value = primal.tensor(), *beside = tangent.tensor();
    if (value != nullptr && beside != nullptr) {
        const TensorType own = builder.type(*value), given = builder.type(*beside);
        const bool takes = own.weak && !given.weak && is_floating(own.dtype) && is_floating(given.dtype);
        return leaves.push_back(takes ? cast(builder, *value, given.dtype) : *value);
    }
    const TupleDatum *items = primal.tuple(), *others = tangent.tuple();
    const RecordDatum* record = primal.record();
    if (items != nullptr && others != nullptr && items->items.size() == others->items.size()) {
        for (std::size_t i = 0; i < items->items.size(); ++i) meet(builder, items->items[i], others->items[i], leaves);
    } else if (record != nullptr && tangent.record() != nullptr) {
        for (const auto& [name, field] : record->fields) {
            const Datum* other = tangent.record()->find(name);
            meet(builder, field, other != nullptr ? *other : Datum(), leaves);
        }
    } else {
        collect_leaves(primal, leaves); // `none`, or what does not fit: told afterwards
    }
}

CallArguments meeting_tangents(Tracer& tracer, const FunctionPtr& function, CallArguments primals, const Datum& tangents, bool is_tuple, Span span) {
    const Chosen declared = choose_all(tracer, function, primals, span);
    std::vector<Value> leaves;
    std::size_t next = 0;
    const Datum as_given = primals_as_given(declared, is_tuple);
    meet(tracer.builder(), as_given, tangents, leaves);
    const Datum met = with_leaves(as_given, leaves, next);
    for (std::size_t k = 0; k < primals.size(); ++k) primals[k].value = is_tuple ? met.tuple()->items[k] : met;
    return primals;
}

Datum jvp_native(Tracer& tracer, const Slots& slots, Span span) {
    Builder& builder = tracer.builder();
    const FunctionPtr function = function_argument(tracer, slots[0], "jvp");
    const Tracer::Origin origin(builder, span);
    bool is_tuple = false;
    const CallArguments given = primals_of(*slots[1], is_tuple);
    const CallArguments primals = meeting_tangents(tracer, function, given, slots[2]->value, is_tuple, span);
    const Chosen chosen = choose_all(tracer, function, primals, span);
    Beside tangents(tracer, "tangent", "primal", slots[2]->span);
    tangents.match(primals_as_given(chosen, is_tuple), slots[2]->value, [&](Value value) { return builder.type(value); }, "");
    const Traced1 traced = chosen.trace();
    const Linearized linearized = jvp(builder, traced.function, traced.arguments, tangents.leaves);
    std::vector<Value> directions = linearized.tangents;
    for (std::size_t i = 0; i < directions.size(); ++i) directions[i] = directions[i] ? directions[i] : zero_of(builder, builder.type(linearized.values[i]));
    return Datum::tuple({tree_of(traced.result, linearized.values), tree_of(traced.result, directions)});
}

Datum vjp_native(Tracer& tracer, const Slots& slots, Span span) {
    Builder& builder = tracer.builder();
    const FunctionPtr function = function_argument(tracer, slots[0], "vjp");
    const Tracer::Origin origin(builder, span);
    bool is_tuple = false;
    const CallArguments primals = primals_of(*slots[1], is_tuple);
    const Chosen chosen = choose_all(tracer, function, primals, span);
    const Traced1 traced = chosen.trace();
    Beside cotangents(tracer, "cotangent", "result", slots[2]->span);
    // A tuple of the one cotangent stands beside the one result, as the tuple of primals beside the parameters.
    const TupleDatum* given = slots[2]->value.tuple();
    const bool one_in_tuple = given && given->items.size() == 1 && !traced.result.tuple();
    cotangents.match(traced.result, one_in_tuple ? given->items[0] : slots[2]->value, [&](Value value) { return traced.function.graph->type(value); }, "");
    const Pullback pullback(builder, traced.function, traced.arguments);
    std::vector<Value> taken = pullback(cotangents.leaves);
    for (std::size_t i = 0; i < taken.size(); ++i) taken[i] = taken[i] ? taken[i] : zero_of(builder, builder.type(traced.arguments[i]));
    return Datum::tuple({tree_of(traced.result, pullback.values()), tree_of(primals_as_given(chosen, is_tuple), taken)});
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
