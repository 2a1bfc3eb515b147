// Calls: how arguments find parameters, what a user function does when called, and pipes.
#include <algorithm>
#include <mutex>

#include "base/text.hpp"
#include "ops/lowering.hpp"
#include "syntax/parser.hpp"
#include "trace/functions.hpp"
#include "trace/prelude.hpp"

namespace vmaprun {

std::string said_name(const std::string& name) { return name == unnamed_function ? name : "`" + name + "`"; }

namespace {

[[noreturn]] void fail_keyword(const std::string& function, std::span<const Function::Parameter> parameters, const CallArgument& argument) {
    std::vector<std::string_view> names;
    std::vector<std::string> all;
    for (const auto& parameter : parameters) {
        names.push_back(parameter.name);
        all.push_back("`" + parameter.name + "`");
    }
    Diagnostic diagnostic = error("E205", said_name(function) + " has no parameter `" + *argument.keyword + "`").at(argument.keyword_span);
    if (const auto near = nearest(*argument.keyword, names); !near.empty()) diagnostic.helps.push_back("did you mean `" + std::string(near) + "`?");
    diagnostic.notes.push_back(all.empty() ? "it has no parameters" : "its parameters are " + join_and(all));
    throw UserError(std::move(diagnostic));
}

[[noreturn]] void fail_count(const std::string& function, std::span<const Function::Parameter> parameters, std::size_t given, Span span, Span extra) {
    const auto most = static_cast<std::int64_t>(parameters.size());
    const auto least = static_cast<std::int64_t>(std::ranges::count_if(parameters, [](const auto& p) { return p.required; }));
    std::vector<std::string> names;
    for (const auto& parameter : parameters) names.push_back(parameter.name + (parameter.required ? "" : "=…"));
    const std::string takes = least == most ? count_of(most, "argument") : std::to_string(least) + " to " + count_of(most, "argument");
    throw UserError(error("E204", said_name(function) + " takes " + takes + ", but " + std::to_string(given) + (given == 1 ? " is" : " are") + " given")
                        .at(extra ? extra : span)
                        .note("its parameters are " + (function == unnamed_function ? std::string() : function) + "(" + join(names, ", ") + ")"));
}

} // namespace

std::vector<const CallArgument*> bind_arguments(const std::string& function, std::span<const Function::Parameter> parameters,
                                                const CallArguments& arguments, Span span) {
    std::vector<const CallArgument*> bound(parameters.size(), nullptr);
    std::size_t next = 0;
    const auto positional = static_cast<std::size_t>(std::ranges::count_if(arguments, [](const auto& a) { return !a.keyword; }));
    for (const CallArgument& argument : arguments) {
        if (argument.keyword) {
            const auto found = std::ranges::find(parameters, *argument.keyword, &Function::Parameter::name);
            if (found == parameters.end()) fail_keyword(function, parameters, argument);
            const auto slot = static_cast<std::size_t>(found - parameters.begin());
            if (bound[slot]) throw UserError(error("E205", "`" + *argument.keyword + "` of " + said_name(function) + " is given twice").at(argument.keyword_span));
            bound[slot] = &argument;
        } else {
            if (next >= parameters.size()) fail_count(function, parameters, positional, span, argument.span);
            bound[next++] = &argument;
        }
    }
    const auto required = static_cast<std::size_t>(std::ranges::count_if(parameters, [](const auto& p) { return p.required; }));
    for (std::size_t i = 0; i < parameters.size(); ++i) {
        if (bound[i] || !parameters[i].required) continue;
        if (arguments.size() == positional && positional < required) fail_count(function, parameters, positional, span, {});
        throw UserError(error("E204", said_name(function) + " needs its argument `" + parameters[i].name + "`").at(span));
    }
    return bound;
}

namespace {

std::string parameter_name(const ast::Param& parameter) {
    return parameter.pattern.form == ast::Pattern::Form::name ? parameter.pattern.name : std::string(parameter.pattern.span.text());
}

// A `fn` or a lambda with the scope that it closes over.
class UserFunction : public Function {
  public:
    UserFunction(std::string name, const std::vector<ast::Param>& params, const ast::Type* result, const ast::Expr& body, Span span, ScopePtr scope)
        : name_(std::move(name)), params_(params), result_(result), body_(body), span_(span), scope_(std::move(scope)) {}

    std::string name() const override { return name_; }
    std::vector<Parameter> parameters() const override {
        std::vector<Parameter> parameters;
        for (const ast::Param& param : params_) parameters.push_back({parameter_name(param), !param.default_value});
        return parameters;
    }

    Datum call(Tracer& tracer, const CallArguments& arguments, Span span) const override {
        const auto known = parameters();
        const auto bound = bind_arguments(name_, known, arguments, span);
        forbid_recursion(tracer, span);
        tracer.active_calls().push_back(&body_);
        const struct Leave {
            Tracer& tracer;
            ~Leave() { tracer.active_calls().pop_back(); }
        } leave{tracer};
        const Tracer::Origin origin(tracer.builder(), span);
        const auto scope = std::make_shared<Scope>();
        DimBindings dims;
        dims.names_of_scope = false;
        try {
            bind_parameters(tracer, bound, arguments, dims, scope, span);
            return run_body(tracer, dims, scope, span);
        } catch (UserError& failure) {
            if (in_prelude(span_)) tell_of_call(failure, bound, span);
            throw;
        }
    }

    Datum with_declared_literals(Tracer& tracer, std::size_t parameter, const Datum& argument) const override {
        const ast::Param& param = params_[parameter];
        return param.type ? tracer.declared_literals(*param.type, argument, scope_) : argument;
    }

  private:
    void forbid_recursion(Tracer& tracer, Span span) const {
        if (std::ranges::find(tracer.active_calls(), static_cast<const void*>(&body_)) == tracer.active_calls().end()) return;
        throw UserError(error("E203", said_name(name_) + " calls itself, and there is no recursion")
                            .at(span)
                            .label(span_, "inside the body of this function")
                            .help("repeat with `loop`, `scan` or `fold`"));
    }

    std::vector<Datum> check_parameters(Tracer& tracer, const std::vector<const CallArgument*>& bound, DimBindings& dims, const ScopePtr& scope, Span span) const {
        std::vector<Datum> values;
        for (std::size_t i = 0; i < params_.size(); ++i) {
            const ast::Param& param = params_[i];
            Datum value = bound[i] ? bound[i]->value : default_value(tracer, *param.default_value, dims);
            const Span value_span = bound[i] ? bound[i]->span : param.default_value->span;
            if (value.poison()) throw AlreadyReported{};
            // A default of none stands for "not given", whatever the annotation says.
            if (param.type && !(value.none() && !bound[i])) value = tracer.check_annotation(*param.type, value, value_span ? value_span : span, "`" + parameter_name(param) + "`", dims, scope);
            values.push_back(std::move(value));
        }
        tracer.solve_pending(dims, span);
        return values;
    }

    // A default may use the sizes that the arguments before it have bound.
    Datum default_value(Tracer& tracer, const ast::Expr& expression, const DimBindings& dims) const {
        const auto scope = std::make_shared<Scope>();
        scope->outer = scope_;
        for (const auto& [name, entry] : dims.names) scope->names.emplace(name, tracer.builder().constant(entry.size));
        return tracer.evaluate(expression, scope);
    }

    // Two arguments that fit in the other order are the commonest slip with matrices.
    void offer_swap(Tracer& tracer, const std::vector<const CallArgument*>& bound, Span span, UserError& failure) const {
        if (bound.size() != 2 || !bound[0] || !bound[1] || failure.diagnostics().front().code != "E301") return;
        try {
            const auto scope = std::make_shared<Scope>();
            scope->outer = scope_;
            DimBindings dims;
            dims.names_of_scope = false;
            check_parameters(tracer, {bound[1], bound[0]}, dims, scope, span);
        } catch (...) {
            return;
        }
        const auto written = [](Span s) { return std::string(s.text()); };
        const std::string first = written(bound[1]->span), second = written(bound[0]->span);
        const std::string order = first.empty() || second.empty() || first == second ? "" : " (" + first + ", " + second + ")";
        failure.diagnostics().front().helps.push_back("the pair fits the other way round:" + order + (order.empty() ? " that" : "") + " gives " + parameter_name(params_[0]) + " = " +
                                                      type_text(tracer.builder(), bound[1]->value) + ", " + parameter_name(params_[1]) + " = " +
                                                      type_text(tracer.builder(), bound[0]->value));
    }

    void bind_parameters(Tracer& tracer, const std::vector<const CallArgument*>& bound, const CallArguments&, DimBindings& dims, const ScopePtr& scope, Span span) const {
        const auto dim_scope = std::make_shared<Scope>();
        dim_scope->outer = scope_;
        std::vector<Datum> values;
        try {
            values = check_parameters(tracer, bound, dims, dim_scope, span);
        } catch (UserError& failure) {
            offer_swap(tracer, bound, span, failure);
            throw;
        }
        for (const auto& [name, entry] : dims.names) dim_scope->names.emplace(name, tracer.builder().constant(entry.size));
        scope->outer = dim_scope;
        for (std::size_t i = 0; i < params_.size(); ++i) tracer.bind_pattern(params_[i].pattern, values[i], scope, bound[i] ? bound[i]->span : params_[i].span);
    }

    // Where the script wrote what `inner`, a place in the prelude, speaks of: the argument, where it is a parameter's name or type.
    Span place_in_script(Span inner, const std::vector<const CallArgument*>& bound) const {
        for (std::size_t i = 0; i < params_.size(); ++i) {
            const Span type = params_[i].type ? params_[i].type->span : Span{};
            const bool in_type = type && type.begin <= inner.begin && inner.end <= type.end;
            if (bound[i] && (in_type || inner.text() == parameter_name(params_[i]))) return bound[i]->span;
        }
        return {};
    }

    // A function of the prelude as if it were a row: what goes wrong in it goes wrong at the call, or at an argument of it.
    void tell_of_call(UserError& failure, const std::vector<const CallArgument*>& bound, Span span) const {
        Diagnostic& diagnostic = failure.diagnostics().front();
        if (in_prelude(diagnostic.primary.span)) {
            const Span inner = diagnostic.primary.span, argument = place_in_script(inner, bound);
            diagnostic.primary.span = argument ? argument : span;
            const bool call = inner.text().ends_with(')') && inner.text().find('\n') == std::string_view::npos;
            if (call && !in_prelude(span)) diagnostic.notes.push_back("in `" + name_ + "`, which computes " + std::string(inner.text()));
        }
        std::vector<Label> labels;
        for (Label label : diagnostic.labels) {
            if (in_prelude(label.span)) label.span = place_in_script(label.span, bound);
            const bool seen = label.span == diagnostic.primary.span || std::ranges::any_of(labels, [&](const Label& l) { return l.span == label.span; });
            if (label.span && !seen) labels.push_back(std::move(label));
        }
        diagnostic.labels = std::move(labels);
    }

    Datum run_body(Tracer& tracer, DimBindings& dims, const ScopePtr& scope, Span span) const {
        if (in_prelude(span_)) return tracer.evaluate(body_, scope);
        tracer.builder().enter_call();
        const struct Leave {
            Builder& builder;
            ~Leave() { builder.leave_call(); }
        } leave{tracer.builder()};
        try {
            Datum result = tracer.evaluate(body_, scope);
            if (result_ == nullptr) return result;
            result = tracer.check_annotation(*result_, result, body_.span, "the result of `" + name_ + "`", dims, scope);
            tracer.solve_pending(dims, body_.span);
            return result;
        } catch (UserError& failure) {
            Diagnostic& diagnostic = failure.diagnostics().front();
            const bool known = diagnostic.primary.span == span || std::ranges::any_of(diagnostic.labels, [&](const Label& label) { return label.span == span; });
            const Span primary = diagnostic.primary.span;
            const bool inside = primary.source == span.source && span.begin <= primary.begin && primary.end <= span.end; // plain to see
            if (!known && !inside && span && diagnostic.labels.size() < 6) diagnostic.labels.push_back({span, "in this call of " + said_name(name_)});
            throw;
        }
    }

    std::string name_;
    const std::vector<ast::Param>& params_;
    const ast::Type* result_;
    const ast::Expr& body_;
    Span span_;
    ScopePtr scope_;
};

} // namespace

FunctionPtr Tracer::make_user_function(const ast::Function& function, const ScopePtr& scope) {
    closures_.push_back(scope);
    FunctionPtr made = std::make_shared<UserFunction>(function.name.text, function.params, function.result.get(), *function.body, function.signature, scope);
    for (std::size_t i = function.decorators.size(); i-- > 0;) { // nearest first
        const ast::Decorator& decorator = function.decorators[i];
        const Datum* own = scope->find(decorator.name.text);
        FunctionPtr transform = own ? expect_function(*own, decorator.name.span, "a decorator") : builtin(decorator.name.text);
        if (!transform) throw UserError(unknown_name(decorator.name.text, decorator.name.span, scope));
        CallArguments arguments;
        arguments.push_back({std::nullopt, {}, made, function.name.span});
        for (CallArgument& argument : evaluate_arguments(decorator.arguments, scope)) arguments.push_back(std::move(argument));
        const Datum result = call(transform, std::move(arguments), decorator.span);
        made = expect_function(result, decorator.span, "what a decorator gives");
    }
    return made;
}

FunctionPtr Tracer::make_lambda(const ast::Lambda& lambda, Span span, const ScopePtr& scope) {
    closures_.push_back(scope);
    return std::make_shared<UserFunction>(std::string(unnamed_function), lambda.params, nullptr, *lambda.body, span, scope);
}

FunctionPtr Tracer::expect_function(const Datum& datum, Span span, std::string_view what) {
    if (const auto* function = std::get_if<FunctionPtr>(&datum.is)) return *function;
    if (datum.poison()) throw AlreadyReported{};
    Diagnostic diagnostic = error("E207", std::string(what) + " must be a function, not " + type_text(*builder_, datum)).at(span);
    if (const auto* dtype = std::get_if<DType>(&datum.is)) throw UserError(std::move(diagnostic).help("a cast is written `x as " + std::string(name_of(*dtype)) + "`"));
    throw UserError(std::move(diagnostic));
}

CallArguments Tracer::evaluate_arguments(const std::vector<ast::Argument>& arguments, const ScopePtr& scope) {
    CallArguments values;
    for (const ast::Argument& argument : arguments) {
        CallArgument value;
        if (argument.keyword) {
            value.keyword = argument.keyword->text;
            value.keyword_span = argument.keyword->span;
        }
        value.value = evaluate(*argument.value, scope);
        if (value.value.poison()) throw AlreadyReported{};
        value.span = argument.value->span;
        values.push_back(std::move(value));
    }
    return values;
}

Datum Tracer::call(const FunctionPtr& function, CallArguments arguments, Span span) {
    std::size_t required = 0;
    for (const Function::Parameter& parameter : function->parameters()) {
        const bool by_keyword = std::ranges::any_of(arguments, [&](const CallArgument& a) { return a.keyword == parameter.name; });
        required += parameter.required && !by_keyword ? 1 : 0;
    }
    const bool lone = !arguments.empty() && !arguments[0].keyword && (arguments.size() == 1 || arguments[1].keyword);
    if (lone && required >= 2) {
        if (const TupleDatum* tuple = arguments[0].value.tuple()) {
            CallArguments spread;
            const std::size_t count = tuple->may_have(required) ? required : tuple->items.size();
            for (std::size_t i = 0; i < count; ++i) {
                if (tuple->items[i].poison()) throw AlreadyReported{};
                spread.push_back({std::nullopt, {}, tuple->items[i], tuple->spans.empty() ? arguments[0].span : tuple->spans[i]});
            }
            spread.insert(spread.end(), arguments.begin() + 1, arguments.end());
            return function->call(*this, spread, span);
        }
    }
    return function->call(*this, arguments, span);
}

Datum Tracer::pipe(const ast::Pipe& pipe, Span span, const ScopePtr& scope) {
    const Datum value = evaluate(*pipe.value, scope);
    CallArguments arguments{{std::nullopt, {}, value, pipe.value->span}};
    const auto* stage = std::get_if<ast::Call>(&pipe.stage->node);
    if (stage == nullptr || pipe.stage->parenthesized) {
        const Datum callee = evaluate(*pipe.stage, scope);
        return call(expect_function(callee, pipe.stage->span, "the stage of a pipe"), std::move(arguments), span);
    }
    const FunctionPtr function = expect_function(evaluate(*stage->callee, scope), stage->callee->span, "what is called");
    CallArguments own = evaluate_arguments(stage->arguments, scope);
    const bool makes_function = function->is_transform() && !own.empty() && own[0].value.function() != nullptr;
    if (makes_function) {
        const Datum made = call(function, std::move(own), pipe.stage->span);
        return call(expect_function(made, pipe.stage->span, "the stage of a pipe"), std::move(arguments), span);
    }
    arguments.insert(arguments.end(), std::make_move_iterator(own.begin()), std::make_move_iterator(own.end()));
    return call(function, std::move(arguments), span);
}

namespace {

// Parsed once a process: messages and graphs point into its text for as long as they live.
const ast::Script& prelude_script(std::string_view name, std::string_view text) {
    static std::mutex mutex;
    static SourceMap sources;
    static std::map<std::string, ast::Script, std::less<>> scripts;
    const std::lock_guard lock(mutex);
    if (const auto known = scripts.find(name); known != scripts.end()) return known->second;
    ParseResult parsed = parse(sources.add(std::string(prelude_source), std::string(text)));
    if (!parsed.errors.empty()) throw InternalError("prelude: " + std::string(name) + ": " + parsed.errors.front().message);
    return scripts.emplace(std::string(name), std::move(parsed.script)).first->second;
}

} // namespace

FunctionPtr Tracer::builtin(std::string_view name) {
    if (const auto known = builtins_.find(name); known != builtins_.end()) return known->second;
    FunctionPtr function = native_function(name);
    if (!function) {
        const Op* op = find_op(name);
        if (op != nullptr && op->lower != nullptr) function = make_builtin(*op);
    }
    if (!function) {
        if (const PreludeFunction* known = prelude_function(name)) {
            const ast::Script& script = prelude_script(name, known->text);
            const auto scope = std::make_shared<Scope>();
            for (const ast::Item& item : script.items) {
                if (const auto* fn = std::get_if<ast::Function>(&item.node)) function = make_prelude_function(known->signature, make_user_function(*fn, scope));
            }
        }
    }
    builtins_.emplace(std::string(name), function);
    return function;
}

} // namespace vmaprun
