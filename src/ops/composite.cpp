// The composite family: rows that are made of other rows when the graph is built, because they need shapes and counts
// that the language can't speak of. Their batching and derivatives are those of their parts.
#include "ops/composite.hpp"

#include <charconv>

#include "ops/families.hpp"
#include "ops/lowering.hpp"
#include "ops/movement.hpp"
#include "ops/reduction.hpp"

namespace vmaprun {
namespace {

// What the tracer would make of a default's text.
void set_default(Builder& builder, const Parameter& parameter, BoundArgument& argument) {
    const std::string_view text = parameter.default_text;
    if (text.empty() || text == "none") return;
    if (text == "true" || text == "false") return void(argument.value.emplace<bool>(text == "true"));
    if (text.starts_with('"')) return void(argument.value.emplace<std::string>(text.substr(1, text.size() - 2)));
    if (text == "()") return void(argument.value.emplace<Dims>());
    if (const auto dtype = dtype_named(text)) return void(argument.value.emplace<DType>(*dtype));
    double number = 0;
    std::from_chars(text.data(), text.data() + text.size(), number);
    const auto whole = static_cast<std::int64_t>(number);
    switch (parameter.kind) {
    case ParameterKind::number: argument.value.emplace<double>(number); break;
    case ParameterKind::shape:
    case ParameterKind::integers:
    case ParameterKind::pairs: argument.value.emplace<Dims>({Dim(whole)}); break;
    case ParameterKind::tensor: argument.value.emplace<Value>(literal(builder, number)); break;
    default: argument.value.emplace<Dim>(whole);
    }
}

} // namespace

Value call_row(Builder& builder, std::string_view name, const std::vector<Value>& tensors, const std::vector<std::pair<std::string_view, BoundArgument>>& named) {
    const Op& op = op_named(name);
    const Signature signature = parse_signature(op.signature);
    std::vector<BoundArgument> arguments(signature.parameters.size());
    for (std::size_t i = 0; i < arguments.size(); ++i) {
        if (i < tensors.size()) {
            arguments[i].value.emplace<Value>(tensors[i]);
            arguments[i].given = true;
            continue;
        }
        set_default(builder, signature.parameters[i], arguments[i]);
        for (const auto& [keyword, value] : named) {
            if (keyword == signature.parameters[i].name) arguments[i] = value;
        }
    }
    return op.lower(builder, BuiltinCall(op, std::move(arguments), {})).values.at(0);
}

Value literal(Builder& builder, double number) { return builder.constant(Array::scalar(number), true); }

Value as_floating(Builder& builder, Value x) {
    const TensorType type = builder.type(x);
    if (type.dtype == DType::key) throw UserError(error("E302", "numbers are needed here, not keys"));
    if (kind_of(type.dtype) >= Kind::floating) return x;
    return builder.add(op_named("cast"), {x}, {DType::f64, type.weak});
}

Value without_gradient(Builder& builder, Value x) {
    const Op* op = find_op("stop_gradient"); // a row only where derivatives are
    return op != nullptr && op->type != nullptr ? builder.add(*op, {x}) : x;
}

Value mean_over(Builder& builder, Value x, const std::vector<std::int64_t>& axes, bool keepdims) {
    const Value sum = reduce(builder, "sum", as_floating(builder, x), axes, keepdims);
    return pointwise(builder, "divide", {sum, builder.constant(count_over(builder.type(x).shape, axes))});
}

Value squared_magnitude(Builder& builder, Value x) {
    if (!is_complex(builder.type(x).dtype)) return pointwise(builder, "multiply", {x, x});
    const Value real = pointwise(builder, "real", {x}), imaginary = pointwise(builder, "imag", {x});
    return pointwise(builder, "add", {pointwise(builder, "multiply", {real, real}), pointwise(builder, "multiply", {imaginary, imaginary})});
}

Value finite_maximum(Builder& builder, Value x, const std::vector<std::int64_t>& axes) {
    const TensorType type = builder.type(x);
    if (kind_of(type.dtype) > Kind::floating) throw UserError(error("E302", "real numbers are needed here, not `" + std::string(name_of(type.dtype)) + "`"));
    for (const std::int64_t axis : axes) {
        if (type.shape[static_cast<std::size_t>(axis)] == Dim(0)) { // a maximum of nothing: shift by nothing
            Dims shape = type.shape;
            for (const std::int64_t each : axes) shape[static_cast<std::size_t>(each)] = 1;
            return broadcast_to(builder, scalar(builder, 0.0, type.dtype), shape);
        }
    }
    const Value maximum = without_gradient(builder, reduce(builder, "max", x, axes, true));
    return pointwise(builder, "where", {pointwise(builder, "isfinite", {maximum}), maximum, literal(builder, 0)});
}

} // namespace vmaprun
