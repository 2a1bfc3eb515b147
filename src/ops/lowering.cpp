#include "ops/lowering.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "base/error.hpp"
#include "base/text.hpp"

namespace vmaprun {
namespace {

std::string type_list(std::span<const TensorType> types) {
    std::vector<std::string> words;
    for (const TensorType& type : types) words.push_back(type.text());
    return join_and(words);
}

[[noreturn]] void fail_promotion(DType a, DType b, std::span<const TensorType> types) {
    const std::string first(name_of(a)), second(name_of(b));
    Diagnostic diagnostic = error("E302", "`" + first + "` and `" + second + "` have no common dtype");
    diagnostic.notes.push_back("the operands are " + type_list(types));
    if (a == DType::key || b == DType::key) diagnostic.helps.push_back("a key is no number: draw numbers from it, as in uniform(k)");
    else diagnostic.helps.push_back("cast one of them, as in `x as i64` or `x as f64`");
    throw UserError(std::move(diagnostic));
}

DType default_dtype(Kind kind) {
    switch (kind) {
    case Kind::integer: return DType::i64;
    case Kind::floating: return DType::f64;
    case Kind::complex: return DType::c128;
    default: return DType::boolean;
    }
}

// The dtype that a strong dtype and the highest weak kind meet at.
DType meet_weak(DType strong, Kind weak) {
    if (kind_of(strong) == Kind::key || weak <= kind_of(strong)) return strong;
    if (weak == Kind::complex) return strong == DType::f32 ? DType::c64 : DType::c128;
    return default_dtype(weak);
}

template <class T> bool fits(std::int64_t number) {
    if constexpr (std::is_same_v<T, std::uint64_t>) return number >= 0;
    else return number >= static_cast<std::int64_t>(std::numeric_limits<T>::min()) && number <= static_cast<std::int64_t>(std::numeric_limits<T>::max());
}

// A literal must not lose its value by taking the dtype of what it meets.
void check_literal(Builder& builder, Value value, DType dtype) {
    if (!is_integer(dtype)) return;
    std::string text;
    if (const auto number = builder.static_int(value); number && !number->is_symbolic()) {
        const bool good = visit_dtype(dtype, [&]<class T>(TypeTag<T>) {
            if constexpr (std::is_integral_v<T>) return fits<T>(number->value());
            else return true;
        });
        if (good) return;
        text = std::to_string(number->value());
    } else if (const auto array = builder.static_value(value); array && array->dtype() == DType::u64 && array->size() == 1 && dtype != DType::u64) {
        text = std::to_string(*array->as<std::uint64_t>()); // beyond i64, or it were a static_int
    } else {
        return;
    }
    throw UserError(error("E305", "the literal " + text + " does not fit `" + std::string(name_of(dtype)) + "`")
                        .help("cast the other operand to a wider dtype, as in `x as i64`"));
}

} // namespace

Promoted promote_types(std::span<const TensorType> types) {
    std::optional<DType> strong;
    std::optional<Kind> weak;
    for (const TensorType& type : types) {
        if (type.weak) {
            weak = std::max(weak.value_or(Kind::boolean), kind_of(type.dtype));
        } else if (!strong) {
            strong = type.dtype;
        } else {
            const auto common = promote(*strong, type.dtype);
            if (!common) fail_promotion(*strong, type.dtype, types);
            strong = *common;
        }
    }
    if (strong && weak) {
        if (kind_of(*strong) == Kind::key) fail_promotion(*strong, default_dtype(*weak), types);
        return {meet_weak(*strong, *weak), false};
    }
    if (strong) return {*strong, false};
    // All weak: the widest of their kind; beside a literal that only u64 holds, other whole ones take that.
    std::optional<DType> dtype;
    for (const TensorType& type : types) dtype = dtype ? promote(*dtype, type.dtype).value_or(DType::u64) : type.dtype;
    return {dtype.value_or(DType::f64), true};
}

namespace {

[[noreturn]] void fail_broadcast(std::span<const Dims> shapes, std::size_t axis, Dim a, Dim b) {
    std::vector<std::string> words;
    for (const Dims& shape : shapes) words.push_back(shape.empty() ? "a scalar" : dims_text(shape));
    const std::string place = axis == 0 ? "the last axis" : "the " + ordinal(static_cast<std::int64_t>(axis) + 1) + " axis from the end";
    throw UserError(error("E301", "shapes " + join_and(words) + " do not broadcast: " + place + " is " + a.text() + " in one and " + b.text() + " in the other")
                        .note("sizes are matched from the last axis; they must be equal, or one of them 1"));
}

Dim meet_sizes(std::span<const Dims> shapes, std::size_t axis, Dim a, Dim b) {
    if (a == b) return a;
    if (!a.is_symbolic() && a.value() == 1) return b;
    if (!b.is_symbolic() && b.value() == 1) return a;
    if (surely_different(a, b) && surely_different(a, 1) && surely_different(b, 1)) fail_broadcast(shapes, axis, a, b);
    return a.is_symbolic() ? b : a;
}

} // namespace

Dims broadcast_shapes(std::span<const Dims> shapes) {
    std::size_t rank = 0;
    for (const Dims& shape : shapes) rank = std::max(rank, shape.size());
    Dims result(rank, 1);
    for (const Dims& shape : shapes) {
        for (std::size_t i = 0; i < shape.size(); ++i) {
            Dim& size = result[rank - 1 - i];
            size = meet_sizes(shapes, i, size, shape[shape.size() - 1 - i]);
        }
    }
    return result;
}

Value cast(Builder& builder, Value value, DType dtype) {
    const TensorType& type = builder.type(value);
    if (type.dtype == dtype && !type.weak) return value;
    if (type.weak) check_literal(builder, value, dtype);
    if (type.dtype == dtype) {
        // The same bits, but no literal any more.
        if (const auto array = builder.static_value(value)) {
            if (const auto number = builder.static_int(value); number && number->is_symbolic()) return builder.constant(*number, false);
            return builder.constant(*array, false);
        }
    }
    return builder.add(op_named("cast"), {value}, {dtype});
}

Value broadcast_to(Builder& builder, Value value, const Dims& shape) {
    if (builder.type(value).shape == shape) return value;
    return builder.add(op_named("broadcast_to"), {value}, {shape});
}

std::vector<Value> promote_values(Builder& builder, std::vector<Value> values) {
    std::vector<TensorType> types;
    for (const Value value : values) types.push_back(builder.type(value));
    const Promoted common = promote_types(types);
    for (Value& value : values) {
        if (common.weak && builder.type(value).dtype == common.dtype) continue;
        if (common.weak) check_literal(builder, value, common.dtype);
        if (common.weak) value = builder.add(op_named("cast"), {value}, {common.dtype, true});
        else value = cast(builder, value, common.dtype);
    }
    return values;
}

std::vector<Value> broadcast_values(Builder& builder, std::vector<Value> values) {
    std::vector<Dims> shapes;
    for (const Value value : values) shapes.push_back(builder.type(value).shape);
    const Dims common = broadcast_shapes(shapes);
    for (Value& value : values) value = broadcast_to(builder, value, common);
    return values;
}

Value node(Builder& builder, std::string_view op, std::vector<Value> operands, Attributes attributes) {
    return builder.add(op_named(op), std::move(operands), std::move(attributes));
}

Value scalar(Builder& builder, double number, DType dtype) {
    return cast(builder, builder.constant(Array::scalar(number), true), dtype);
}

Value scalar(Builder& builder, std::int64_t number, DType dtype) {
    return cast(builder, builder.constant(Array::scalar(number), true), dtype);
}

} // namespace vmaprun
