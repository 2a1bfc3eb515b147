// The pointwise family: its shared lowering steps and type rules, and the table of its rows.
#include "ops/pointwise.hpp"

#include <algorithm>

#include "base/text.hpp"
#include "ops/families.hpp"

namespace vmaprun {

Domain domain_of(DType dtype) {
    switch (kind_of(dtype)) {
    case Kind::boolean: return on_bool;
    case Kind::integer: return on_int;
    case Kind::floating: return on_float;
    case Kind::complex: return on_complex;
    default: return 0;
    }
}

namespace {

std::string help_for(DType dtype, Domain domain) {
    switch (kind_of(dtype)) {
    case Kind::boolean: return "cast to a number first, as in `x as i64`";
    case Kind::integer:
    case Kind::floating: return (domain & on_int) != 0 ? "it works on whole numbers and bools: cast, as in `x as i64`" : "cast first, as in `x as f64`";
    case Kind::complex: return "take a real part of it first: real(x), imag(x) or abs(x)";
    default: return "a key is no number: draw numbers from it, as in uniform(k)";
    }
}

[[noreturn]] void refuse(std::string_view op, std::span<const TensorType> types, DType met, Domain domain) {
    std::vector<std::string> words;
    for (const TensorType& type : types) words.push_back("`" + std::string(name_of(type.dtype)) + "`");
    throw UserError(error("E302", "`" + std::string(op) + "` is not defined for " + join_and(words)).help(help_for(met, domain)));
}

} // namespace

std::vector<Value> elementwise_operands(Builder& builder, std::string_view op, std::vector<Value> operands, Domain domain) {
    std::vector<TensorType> types;
    for (const Value operand : operands) types.push_back(builder.type(operand));
    operands = promote_values(builder, std::move(operands));
    const DType met = builder.type(operands[0]).dtype;
    const Domain own = domain_of(met);
    if ((own & domain) == 0) {
        const bool lifts = own != 0 && own <= on_int && (domain & on_float) != 0 && (own != on_bool || (domain & on_int) == 0);
        if (!lifts) refuse(op, types, met, domain);
        for (Value& operand : operands) {
            operand = builder.type(operand).weak ? builder.add(op_named("cast"), {operand}, {DType::f64, true}) : cast(builder, operand, DType::f64);
        }
    }
    return broadcast_values(builder, std::move(operands));
}

Value tensor_or_number(Builder& builder, const BuiltinCall& call, std::size_t i, double default_number) {
    return call.given(i) && !call.is_none(i) ? call.tensor(i) : builder.constant(Array::scalar(default_number), true);
}

std::optional<double> constant_number(const Builder& builder, Value value) {
    if (builder.type(value).rank() != 0) return std::nullopt;
    if (const auto whole = builder.static_int(value); whole && whole->is_symbolic()) return std::nullopt;
    const auto array = builder.static_value(value);
    if (!array) return std::nullopt;
    return visit_dtype(array->dtype(), [&]<class T>(TypeTag<T>) -> std::optional<double> {
        if constexpr (std::is_arithmetic_v<T>) return static_cast<double>(*array->as<T>());
        else return std::nullopt;
    });
}

namespace {

// Lowerings broadcast and promote: anything else is a node that some code of ours built wrongly.
void check_operands(std::span<const TensorType> operands) {
    for (const TensorType& type : operands) {
        if (type.dtype != operands[0].dtype) throw InternalError("pointwise: operands of two dtypes, " + operands[0].text() + " and " + type.text());
        if (type.rank() != operands[0].rank()) throw InternalError("pointwise: operands of two ranks, " + operands[0].text() + " and " + type.text());
    }
}

} // namespace

std::vector<TensorType> same_dtype(std::span<const TensorType> operands, const Attributes&) {
    check_operands(operands);
    return {{operands[0].dtype, operands[0].shape}};
}

std::vector<TensorType> truth_values(std::span<const TensorType> operands, const Attributes&) {
    check_operands(operands);
    return {{DType::boolean, operands[0].shape}};
}

std::vector<TensorType> real_part(std::span<const TensorType> operands, const Attributes&) {
    const DType dtype = operands[0].dtype;
    return {{dtype == DType::c64 ? DType::f32 : dtype == DType::c128 ? DType::f64 : dtype, operands[0].shape}};
}

} // namespace vmaprun
