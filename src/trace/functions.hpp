// The kinds of functions that a script can hold, and how arguments find their parameters.
#pragma once

#include <functional>
#include <span>

#include "ops/signature.hpp"
#include "trace/tracer.hpp"

namespace vmaprun {

// What errors call a function: its name in ticks, or "the function" where it has none.
std::string said_name(const std::string& name);
inline constexpr std::string_view unnamed_function = "the function";

// Arguments in the order of the parameters; null where a parameter got none. Throws E204 (too many, missing), E205
// (unknown keyword, or given twice), all at their places. The pointers are into `arguments`.
std::vector<const CallArgument*> bind_arguments(const std::string& function, std::span<const Function::Parameter> parameters,
                                                const CallArguments& arguments, Span span);

// A builtin that needs the tracer itself (transforms, collectives): its signature in the grammar of ops/signature.hpp.
class NativeFunction : public Function {
  public:
    using Body = std::function<Datum(Tracer& tracer, const std::vector<const CallArgument*>& arguments, Span span)>;
    enum class Sort { plain, transform };
    NativeFunction(std::string_view signature, Body body, Sort sort = Sort::plain);
    std::string name() const override { return std::string(signature_.name); }
    std::vector<Parameter> parameters() const override { return parameters_; }
    Datum call(Tracer& tracer, const CallArguments& arguments, Span span) const override;
    bool is_transform() const override { return sort_ == Sort::transform; }

  private:
    Signature signature_;
    std::vector<Parameter> parameters_;
    Body body_;
    Sort sort_;
};

// A function made from another one (vmap(f), map(f) ...): its parameters are given, its call is a C++ function.
class DerivedFunction : public Function {
  public:
    using Body = std::function<Datum(Tracer& tracer, const CallArguments& arguments, Span span)>;
    DerivedFunction(std::string name, std::vector<Parameter> parameters, Body body)
        : name_(std::move(name)), parameters_(std::move(parameters)), body_(std::move(body)) {}
    // With the name and the parameters of the function it is made from.
    DerivedFunction(FunctionPtr original, Body body) : name_(original->name()), parameters_(original->parameters()), original_(std::move(original)), body_(std::move(body)) {}
    std::string name() const override { return name_; }
    std::vector<Parameter> parameters() const override { return parameters_; }
    std::vector<Parameter> parameters_of(const CallArguments& arguments) const override { return original_ ? original_->parameters_of(arguments) : parameters_; }
    Datum call(Tracer& tracer, const CallArguments& arguments, Span span) const override { return body_(tracer, arguments, span); }
    Datum with_declared_literals(Tracer& tracer, std::size_t parameter, const Datum& argument) const override {
        return original_ ? original_->with_declared_literals(tracer, parameter, argument) : argument;
    }

  private:
    std::string name_;
    std::vector<Parameter> parameters_;
    FunctionPtr original_;
    Body body_;
};

FunctionPtr make_builtin(const Op& op);                                                        // builtins.cpp
FunctionPtr make_prelude_function(std::string_view signature, FunctionPtr function);            // builtins.cpp; of a `fn` of the prelude
FunctionPtr make_update(std::shared_ptr<const AtIndexDatum> at, const std::string& method);     // builtins.cpp; null: no such method
FunctionPtr native_function(std::string_view name);                                            // natives.cpp; null: none of that name
std::vector<std::string_view> native_names();
bool takes_function(std::string_view native);                                                  // first, and nothing else in its place
// What the reference says of the transforms and collectives.
struct NativeDoc {
    std::string_view signature, doc, example;
};
std::span<const NativeDoc> native_docs();
// The value of a parameter's default text as a trace-time value.
Datum default_datum(Builder& builder, const Parameter& parameter);
// Every name that a script can call, for "did you mean" and the resolver.
const std::vector<std::string_view>& builtin_names();
bool is_builtin_name(std::string_view name);
// A builtin, a dtype, or a word such as `auto`: what a script may say without defining it.
bool is_known_word(std::string_view name);

} // namespace vmaprun
