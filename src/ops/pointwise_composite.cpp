// Element-wise functions that are said in terms of other rows: their derivatives follow from those.
#include <cmath>
#include <limits>

#include "ops/pointwise.hpp"

namespace vmaprun {
namespace {

Value literal(Builder& builder, double number) { return builder.constant(Array::scalar(number), true); }

// x, with whole numbers and bools as f64; complex numbers and keys are refused.
Value real_operand(Builder& builder, const BuiltinCall& call) { return elementwise_operands(builder, call.op().name(), {call.tensor(0)}, on_float)[0]; }

Lowered lower_leaky_relu(Builder& builder, const BuiltinCall& call) {
    const Value x = real_operand(builder, call);
    const Value scaled = pointwise(builder, "multiply", {x, tensor_or_number(builder, call, 1, 0.01)});
    return pointwise(builder, "where", {pointwise(builder, "greater_equal", {x, literal(builder, 0)}), x, scaled});
}

// expm1 sees only what is not positive, so that its overflow can't reach a derivative.
Lowered lower_elu(Builder& builder, const BuiltinCall& call) {
    const Value x = real_operand(builder, call), zero = literal(builder, 0);
    const Value positive = pointwise(builder, "greater", {x, zero});
    const Value below = pointwise(builder, "expm1", {pointwise(builder, "where", {positive, zero, x})});
    return pointwise(builder, "where", {positive, x, pointwise(builder, "multiply", {below, tensor_or_number(builder, call, 1, 1)})});
}

Lowered lower_softsign(Builder& builder, const BuiltinCall& call) {
    const Value x = real_operand(builder, call);
    return pointwise(builder, "divide", {x, pointwise(builder, "add", {pointwise(builder, "abs", {x}), literal(builder, 1)})});
}

Lowered lower_deg2rad(Builder& builder, const BuiltinCall& call) {
    return pointwise(builder, "multiply", {real_operand(builder, call), literal(builder, 3.14159265358979323846 / 180)});
}

Lowered lower_rad2deg(Builder& builder, const BuiltinCall& call) {
    return pointwise(builder, "multiply", {real_operand(builder, call), literal(builder, 180 / 3.14159265358979323846)});
}

Lowered lower_nan_to_num(Builder& builder, const BuiltinCall& call) {
    const Value given = call.tensor(0);
    if (kind_of(builder.type(given).dtype) < Kind::floating) return given;
    const Value x = real_operand(builder, call);
    const double largest = builder.type(x).dtype == DType::f32 ? static_cast<double>(std::numeric_limits<float>::max()) : std::numeric_limits<double>::max();
    const Value infinity = literal(builder, std::numeric_limits<double>::infinity());
    const auto replace = [&](Value where_true, Value by, Value otherwise) { return pointwise(builder, "where", {where_true, by, otherwise}); };
    const auto is = [&](Value what) { return pointwise(builder, "equal", {x, what}); };
    Value result = replace(is(pointwise(builder, "negative", {infinity})), tensor_or_number(builder, call, 3, -largest), x);
    result = replace(is(infinity), tensor_or_number(builder, call, 2, largest), result);
    return replace(pointwise(builder, "isnan", {x}), tensor_or_number(builder, call, 1, 0), result);
}

// NumPy's: |a - b| <= atol + rtol * |b|, infinities only when equal.
Lowered lower_isclose(Builder& builder, const BuiltinCall& call) {
    const auto operands = elementwise_operands(builder, "isclose", {call.tensor(0), call.tensor(1)}, on_floats);
    const Value a = operands[0], b = operands[1];
    const Value distance = pointwise(builder, "abs", {pointwise(builder, "subtract", {a, b})});
    const Value scaled = pointwise(builder, "multiply", {pointwise(builder, "abs", {b}), tensor_or_number(builder, call, 2, 1e-5)});
    const Value near = pointwise(builder, "less_equal", {distance, pointwise(builder, "add", {scaled, tensor_or_number(builder, call, 3, 1e-8)})});
    const Value finite = pointwise(builder, "logical_and", {near, pointwise(builder, "isfinite", {b})});
    Value result = pointwise(builder, "logical_or", {finite, pointwise(builder, "equal", {a, b})});
    if (call.boolean(4)) {
        const Value both_nan = pointwise(builder, "logical_and", {pointwise(builder, "isnan", {a}), pointwise(builder, "isnan", {b})});
        result = pointwise(builder, "logical_or", {result, both_nan});
    }
    return result;
}

} // namespace

std::span<const Op> pointwise_composite_rows() {
    static constexpr std::array rows = {
        Op{.signature = "leaky_relu(x, negative_slope = 0.01)", .doc = "x where it is positive, else negative_slope times x.", .example = "leaky_relu([-100.0, 2.0]) => [-1.0, 2.0]", .lower = lower_leaky_relu},
        Op{.signature = "elu(x, alpha = 1.0)", .doc = "x where it is positive, else alpha * (exp(x) - 1).", .example = "elu([0.0, 2.0]) => [0.0, 2.0]", .lower = lower_elu},
        Op{.signature = "softsign(x)", .doc = "x / (1 + |x|).", .example = "softsign(1.0) => 0.5", .lower = lower_softsign},
        Op{.signature = "deg2rad(x)", .doc = "Degrees as radians.", .example = "deg2rad(180.0) => pi", .lower = lower_deg2rad},
        Op{.signature = "rad2deg(x)", .doc = "Radians as degrees.", .example = "rad2deg(pi) => 180.0", .lower = lower_rad2deg},
        Op{.signature = "nan_to_num(x, nan = 0.0, posinf = none, neginf = none)", .doc = "x with NaN and the infinities replaced (these by the largest numbers of the dtype unless told).",
           .example = "nan_to_num([nan, 1.0]) => [0.0, 1.0]", .lower = lower_nan_to_num},
        Op{.signature = "isclose(a, b, rtol = 1e-5, atol = 1e-8, equal_nan: bool = false)", .doc = "True where |a - b| <= atol + rtol * |b|.",
           .example = "isclose([1.0, 2.0], [1.0, 2.1]) => [true, false]", .lower = lower_isclose},
    };
    return rows;
}

} // namespace vmaprun
