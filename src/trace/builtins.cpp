// Calls of the table's rows: arguments, which are trace-time values, become what the row's signature asks for.
#include <algorithm>
#include <charconv>

#include "base/text.hpp"
#include "ops/call.hpp"
#include "ops/lowering.hpp"
#include "trace/functions.hpp"
#include "trace/prelude.hpp"

namespace vmaprun {
namespace {

class ArgumentReader {
  public:
    ArgumentReader(Tracer& tracer, std::string_view function) : tracer_(tracer), builder_(tracer.builder()), function_(function) {}

    BoundArgument read(const Parameter& parameter, const Datum& datum, Span span, bool given) {
        BoundArgument bound{Absent{}, span, given};
        if (datum.none()) {
            if (given && parameter.required) fail(parameter, datum, span, "a value");
            return bound;
        }
        switch (parameter.kind) {
        case ParameterKind::tensor: bound.value = tensor(parameter, datum, span); break;
        case ParameterKind::tensors: bound.value = tensors(parameter, datum, span); break;
        case ParameterKind::variadic: throw InternalError("builtins: a variadic parameter is read on its own");
        case ParameterKind::axis: bound.value = Dim(tracer_.known_int(datum, span, "`" + std::string(parameter.name) + "` of `" + std::string(function_) + "`")); break;
        case ParameterKind::integer: bound.value = tracer_.constant_int(datum, span, "`" + std::string(parameter.name) + "` of `" + std::string(function_) + "`"); break;
        case ParameterKind::axes:
            if (is_sequence(datum)) bound.value = integers(parameter, datum, span);
            else bound.value = axis_of(datum, span);
            break;
        case ParameterKind::shape:
        case ParameterKind::integers:
        case ParameterKind::pairs: bound.value = integers(parameter, datum, span); break;
        case ParameterKind::padding:
            if (const auto* text = std::get_if<std::string>(&datum.is)) bound.value = *text;
            else bound.value = integers(parameter, datum, span);
            break;
        case ParameterKind::number: bound.value = number(parameter, datum, span); break;
        case ParameterKind::boolean: bound.value = boolean(parameter, datum, span); break;
        case ParameterKind::dtype:
            if (!std::holds_alternative<DType>(datum.is)) fail(parameter, datum, span, "a dtype, such as f32");
            bound.value = std::get<DType>(datum.is);
            break;
        case ParameterKind::string:
            if (!std::holds_alternative<std::string>(datum.is)) fail(parameter, datum, span, "a text in quotes");
            bound.value = std::get<std::string>(datum.is);
            break;
        case ParameterKind::any: bound.value = any(parameter, datum, span); break;
        }
        return bound;
    }

    Value tensor(const Parameter& parameter, const Datum& datum, Span span) {
        if (const Value* value = datum.tensor()) return *value;
        if (datum.poison()) throw AlreadyReported{};
        fail(parameter, datum, span, "a tensor");
    }

  private:
    [[noreturn]] void fail(const Parameter& parameter, const Datum& datum, Span span, const std::string& wanted) {
        Diagnostic diagnostic = error("E207", "`" + std::string(parameter.name) + "` of `" + std::string(function_) + "` must be " + wanted + ", not " + type_text(builder_, datum)).at(span);
        if (parameter.kind == ParameterKind::dtype && (function_ == "zeros" || function_ == "ones") && datum.tensor()) diagnostic.helps.push_back("a shape is one argument, a tuple: " + std::string(function_) + "((2, 3))");
        if (datum.tuple() && parameter.kind == ParameterKind::tensor) diagnostic.helps.push_back("stack(t) makes one tensor of a tuple of equal shapes");
        throw UserError(std::move(diagnostic));
    }

    std::vector<Value> tensors(const Parameter& parameter, const Datum& datum, Span span) {
        std::vector<Value> values;
        if (const TupleDatum* tuple = datum.tuple()) {
            for (std::size_t i = 0; i < tuple->items.size(); ++i) values.push_back(tensor(parameter, tuple->items[i], tuple->spans.empty() ? span : tuple->spans[i]));
            return values;
        }
        const Value whole = tensor(parameter, datum, span);
        const TensorType type = builder_.type(whole);
        if (type.rank() == 0) fail(parameter, datum, span, "a tuple of tensors");
        for (std::int64_t i = 0; i < type.shape[0].value(); ++i) values.push_back(tracer_.slice_at(whole, 0, i));
        return values;
    }

    Dim axis_of(const Datum& datum, Span span) {
        try {
            return tracer_.known_int(datum, span, "an axis");
        } catch (UserError& failure) {
            if (function_ == "max" || function_ == "min") failure.diagnostics().front().helps = {"the " + std::string(function_ == "max" ? "larger" : "smaller") + " of two values, element by element, is " + std::string(function_) + "imum(a, b)"};
            throw;
        }
    }

    bool is_sequence(const Datum& datum) const { return datum.tuple() || (datum.tensor() && builder_.type(*datum.tensor()).rank() > 0); }

    static bool names_axes(const Parameter& parameter) {
        return parameter.kind == ParameterKind::axes || parameter.name == "axis" || parameter.name == "axes" || parameter.name == "source" || parameter.name == "destination";
    }

    // An int, a tuple of ints, a constant vector, or (for pairs) a tuple of pairs, flattened.
    Dims integers(const Parameter& parameter, const Datum& datum, Span span) {
        const std::string what = "`" + std::string(parameter.name) + "` of `" + std::string(function_) + "`";
        const auto one = [&](const Datum& item) { return names_axes(parameter) ? Dim(tracer_.known_int(item, span, what)) : tracer_.constant_int(item, span, what); };
        Dims numbers;
        if (const TupleDatum* tuple = datum.tuple()) {
            for (const Datum& item : tuple->items) {
                const Dims inner = is_sequence(item) ? integers(parameter, item, span) : Dims{one(item)};
                numbers.insert(numbers.end(), inner.begin(), inner.end());
            }
            return numbers;
        }
        if (is_sequence(datum)) {
            const TensorType& type = builder_.type(*datum.tensor());
            if (type.shape == Dims{0}) return {}; // `[]`, which has no dtype of its own
            const auto known = builder_.static_ints(*datum.tensor());
            if (known && !(names_axes(parameter) && any_symbolic(*known))) return *known;
        }
        numbers.push_back(one(datum));
        return numbers;
    }

    double number(const Parameter& parameter, const Datum& datum, Span span) {
        const Value* value = datum.tensor();
        const auto constant = value ? builder_.static_value(*value) : std::nullopt;
        if (!constant || constant->rank() != 0) {
            if (value) throw UserError(error("E209", "`" + std::string(parameter.name) + "` of `" + std::string(function_) + "` must be a constant number when the graph is built").at(span));
            fail(parameter, datum, span, "a number");
        }
        return visit_dtype(constant->dtype(), [&]<class T>(TypeTag<T>) -> double {
            if constexpr (std::is_arithmetic_v<T>) return static_cast<double>(*constant->as<T>());
            else fail(parameter, datum, span, "a real number");
        });
    }

    bool boolean(const Parameter& parameter, const Datum& datum, Span span) {
        const Value* value = datum.tensor();
        const auto constant = value ? builder_.static_value(*value) : std::nullopt;
        if (!constant || constant->rank() != 0 || constant->dtype() != DType::boolean) fail(parameter, datum, span, "true or false");
        return *constant->as<bool>();
    }

    std::variant<Absent, Value, std::vector<Value>, Dim, Dims, double, bool, DType, std::string> any(const Parameter& parameter, const Datum& datum, Span span) {
        if (const Value* value = datum.tensor()) return *value;
        if (const auto* text = std::get_if<std::string>(&datum.is)) return *text;
        if (const auto* dtype = std::get_if<DType>(&datum.is)) return *dtype;
        if (datum.tuple()) return tensors(parameter, datum, span);
        fail(parameter, datum, span, "a value");
    }

    Tracer& tracer_;
    Builder& builder_;
    std::string_view function_;
};

class BuiltinFunction : public Function {
  public:
    explicit BuiltinFunction(const Op& op) : op_(op), signature_(parse_signature(op.signature)) {
        for (const vmaprun::Parameter& parameter : signature_.parameters) parameters_.push_back({std::string(parameter.name), parameter.required});
        variadic_ = std::ranges::find(signature_.parameters, ParameterKind::variadic, &vmaprun::Parameter::kind) - signature_.parameters.begin();
    }
    std::string name() const override { return std::string(op_.name()); }
    std::vector<Parameter> parameters() const override { return parameters_; }
    std::vector<Parameter> parameters_of(const CallArguments& arguments) const override {
        if (!has_variadic()) return parameters_;
        const auto positionals = std::ranges::count_if(arguments, [](const CallArgument& argument) { return !argument.keyword; });
        std::vector<Parameter> all = parameters_;
        const Parameter each{all[static_cast<std::size_t>(variadic_)].name, false};
        all.erase(all.begin() + variadic_);
        if (positionals > variadic_) all.insert(all.begin() + variadic_, static_cast<std::size_t>(positionals - variadic_), each);
        return all;
    }

    Datum call(Tracer& tracer, const CallArguments& arguments, Span span) const override {
        const Tracer::Origin origin(tracer.builder(), span);
        std::vector<std::pair<Span, Datum>> places;
        for (const CallArgument& argument : arguments) {
            std::vector<Value> leaves; // sizes and axes say nothing that the text doesn't
            collect_leaves(argument.value, leaves);
            const bool data = std::ranges::any_of(leaves, [&](Value leaf) { return tracer.builder().type(leaf).rank() > 0; });
            if (argument.value.tensor() || data) places.emplace_back(argument.span, argument.value);
        }
        std::vector<BoundArgument> bound = has_variadic() ? bind_variadic(tracer, arguments, span) : bind_plain(tracer, arguments, span);
        try {
            Lowered lowered = op_.lower(tracer.builder(), BuiltinCall(op_, std::move(bound), span));
            if (!lowered.is_tuple) return lowered.values.at(0);
            std::vector<Datum> items(lowered.values.begin(), lowered.values.end());
            return Datum::tuple(std::move(items));
        } catch (UserError& failure) {
            tracer.place(failure, span, places);
        }
    }

  private:
    bool has_variadic() const { return static_cast<std::size_t>(variadic_) < signature_.parameters.size(); }

    std::vector<BoundArgument> bind_plain(Tracer& tracer, const CallArguments& arguments, Span span) const {
        const auto slots = bind_arguments(name(), parameters_, arguments, span);
        ArgumentReader reader(tracer, op_.name());
        std::vector<BoundArgument> bound;
        for (std::size_t i = 0; i < slots.size(); ++i) {
            if (slots[i]) bound.push_back(reader.read(signature_.parameters[i], slots[i]->value, slots[i]->span, true));
            else bound.push_back(reader.read(signature_.parameters[i], default_datum(tracer.builder(), signature_.parameters[i]), span, false));
        }
        return bound;
    }

    // Positionals: those before `*xs` first, then all of the rest; what follows `*xs` is by keyword.
    std::vector<BoundArgument> bind_variadic(Tracer& tracer, const CallArguments& arguments, Span span) const {
        const auto before = static_cast<std::size_t>(variadic_);
        CallArguments plain;
        std::vector<const CallArgument*> rest;
        for (const CallArgument& argument : arguments) {
            if (!argument.keyword && plain.size() >= before) rest.push_back(&argument);
            else plain.push_back(argument);
        }
        const auto slots = bind_arguments(name(), parameters_, plain, span);
        ArgumentReader reader(tracer, op_.name());
        std::vector<BoundArgument> bound;
        for (std::size_t i = 0; i < slots.size(); ++i) {
            const vmaprun::Parameter& parameter = signature_.parameters[i];
            if (i == before) {
                std::vector<Value> values;
                for (const CallArgument* argument : rest) {
                    if (const TupleDatum* tuple = argument->value.tuple(); tuple && rest.size() == 1) {
                        for (const Datum& item : tuple->items) values.push_back(reader.tensor(parameter, item, argument->span));
                    } else {
                        values.push_back(reader.tensor(parameter, argument->value, argument->span));
                    }
                }
                bound.push_back({std::move(values), span, true});
            } else if (slots[i]) {
                bound.push_back(reader.read(parameter, slots[i]->value, slots[i]->span, true));
            } else {
                bound.push_back(reader.read(parameter, default_datum(tracer.builder(), parameter), span, false));
            }
        }
        return bound;
    }

    const Op& op_;
    Signature signature_;
    std::vector<Parameter> parameters_;
    std::ptrdiff_t variadic_ = 0;
};

// A function of the prelude, its arguments held to its signature as those of a row are.
class PreludeFunctionCall : public Function {
  public:
    PreludeFunctionCall(std::string_view signature, FunctionPtr function) : signature_(parse_signature(signature)), function_(std::move(function)) {}
    std::string name() const override { return function_->name(); }
    std::vector<Parameter> parameters() const override { return function_->parameters(); }

    Datum call(Tracer& tracer, const CallArguments& arguments, Span span) const override {
        const auto bound = bind_arguments(name(), parameters(), arguments, span);
        ArgumentReader reader(tracer, signature_.name);
        for (std::size_t i = 0; i < bound.size(); ++i) {
            if (bound[i]) reader.read(signature_.parameters[i], bound[i]->value, bound[i]->span, true);
        }
        return function_->call(tracer, arguments, span);
    }

  private:
    Signature signature_;
    FunctionPtr function_;
};

} // namespace

FunctionPtr make_prelude_function(std::string_view signature, FunctionPtr function) { return std::make_shared<PreludeFunctionCall>(signature, std::move(function)); }

Datum default_datum(Builder& builder, const Parameter& parameter) {
    const std::string_view text = parameter.default_text;
    if (text.empty() || text == "none") return {};
    if (text == "true" || text == "false") return builder.constant(Array::scalar(text == "true"));
    if (text.starts_with('"')) return Datum::of(std::string(text.substr(1, text.size() - 2)));
    if (text == "()") return Datum::tuple({});
    if (const auto dtype = dtype_named(text)) return Datum::of(*dtype);
    std::int64_t whole = 0;
    const auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), whole);
    if (code == std::errc() && end == text.data() + text.size()) return builder.constant(Array::scalar(whole), true);
    double real = 0;
    if (std::from_chars(text.data(), text.data() + text.size(), real).ec != std::errc()) throw InternalError("signature: default " + std::string(text));
    return builder.constant(Array::scalar(real), true);
}

FunctionPtr make_builtin(const Op& op) { return std::make_shared<BuiltinFunction>(op); }

FunctionPtr make_update(std::shared_ptr<const AtIndexDatum> at, const std::string& method) {
    static constexpr std::pair<std::string_view, std::string_view> modes[] = {{"set", "set"}, {"add", "add"}, {"mul", "multiply"}, {"min", "min"}, {"max", "max"}};
    const auto* mode = std::ranges::find(modes, method, [](const auto& entry) { return entry.first; });
    if (mode == std::end(modes)) return nullptr;
    const std::string_view how = mode->second;
    return std::make_shared<NativeFunction>(mode->first == "set" ? "set(v)" : mode->first == "add" ? "add(v)" : mode->first == "mul" ? "mul(v)" : mode->first == "min" ? "min(v)" : "max(v)",
                                            [at, how](Tracer& tracer, const std::vector<const CallArgument*>& arguments, Span span) -> Datum {
                                                const Value* update = arguments[0]->value.tensor();
                                                if (!update) throw UserError(error("E207", "an update must be a tensor, not " + type_text(tracer.builder(), arguments[0]->value)).at(arguments[0]->span));
                                                const Tracer::Origin origin(tracer.builder(), span);
                                                try {
                                                    return update_at(tracer.builder(), at->x, at->items, how, *update, span);
                                                } catch (UserError& failure) {
                                                    tracer.place(failure, span, {{arguments[0]->span, arguments[0]->value}});
                                                }
                                            });
}

NativeFunction::NativeFunction(std::string_view signature, Body body, Sort sort) : signature_(parse_signature(signature)), body_(std::move(body)), sort_(sort) {
    for (const vmaprun::Parameter& parameter : signature_.parameters) parameters_.push_back({std::string(parameter.name), parameter.required});
}

Datum NativeFunction::call(Tracer& tracer, const CallArguments& arguments, Span span) const {
    return body_(tracer, bind_arguments(name(), parameters_, arguments, span), span);
}

const std::vector<std::string_view>& builtin_names() {
    static const std::vector<std::string_view> names = [] {
        std::vector<std::string_view> all = native_names();
        for (const std::span<const Op> family : all_ops()) {
            for (const Op& op : family) {
                if (op.lower != nullptr) all.push_back(op.name());
            }
        }
        for (const std::string_view name : prelude_names()) all.push_back(name);
        for (const std::string_view name : {"pi", "e", "inf", "nan"}) all.push_back(name);
        return all;
    }();
    return names;
}

bool is_builtin_name(std::string_view name) {
    if (name == "pi" || name == "e" || name == "inf" || name == "nan") return true;
    if (const Op* op = find_op(name)) return op->lower != nullptr;
    const std::vector<std::string_view> natives = native_names();
    return std::ranges::find(natives, name) != natives.end() || prelude_function(name) != nullptr;
}

bool is_known_word(std::string_view name) {
    return is_builtin_name(name) || dtype_named(name).has_value() || name == "auto" || name == "graph" || name == "eager" || name == "cpu";
}

} // namespace vmaprun
