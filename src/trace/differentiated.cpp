#include "trace/differentiated.hpp"

#include <algorithm>

#include "base/text.hpp"
#include "ops/call.hpp"
#include "ops/derivative.hpp"
#include "ops/movement.hpp"
#include "trace/arguments.hpp"
#include "transform/replay.hpp"

namespace vmaprun {

Datum tree_of(const Datum& tree, const std::vector<Value>& leaves) {
    std::size_t next = 0;
    return with_leaves(tree, leaves, next);
}

Value zero_of(Builder& builder, const TensorType& type) { return broadcast_to(builder, builder.constant(Array::zeros(type.dtype, {}), type.weak), type.shape); }

std::vector<Value> or_zeros(Builder& builder, std::vector<Value> values, const std::vector<Value>& like) {
    for (std::size_t i = 0; i < values.size(); ++i) values[i] = values[i] ? values[i] : zero_of(builder, builder.type(like[i]));
    return values;
}

Chosen::Chosen(Tracer& tracer, const FunctionPtr& function, const CallArguments& arguments, std::vector<std::size_t> which, Span span)
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

TracedCall Chosen::trace() const {
    TracedCall traced;
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

// Arguments go on by position as far as there is no gap, then by keyword.
CallArguments Chosen::inner_arguments(const std::vector<Value>& parameters) const {
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

// ---- wrt

namespace {

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

} // namespace

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

Datum wrt_tree(const Chosen& chosen, const Wrt& wrt, const std::vector<Value>& leaves) {
    std::size_t next = 0;
    std::vector<Datum> trees;
    for (std::size_t k = 0; k < chosen.count(); ++k) trees.push_back(with_leaves(chosen.argument(k).value, leaves, next));
    return wrt.single ? trees[0] : Datum::tuple(std::move(trees));
}

} // namespace vmaprun
