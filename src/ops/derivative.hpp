// What derivative rules (ir/op.hpp) are written with: values as algebra, and the small pieces that many rules share.
//
//     Derivative::pointwise(partial<[](auto, auto y) { return 1.0 - y * y; }>)                  // tanh: from x and y
//     Derivative::pointwise(partials<[](auto a, auto b, auto y) { return b / …; }, …>)           // two operands
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "ir/builder.hpp"
#include "ops/lowering.hpp"

namespace vmaprun {

// A value in a formula. Numbers beside it are literals: they take its dtype.
struct Formula {
    Builder* builder;
    Value value;
};
Formula apply(std::string_view row, std::initializer_list<Formula> operands); // a pointwise row
Formula number_like(Formula x, double number);

inline Formula operator+(Formula a, Formula b) { return apply("add", {a, b}); }
inline Formula operator-(Formula a, Formula b) { return apply("subtract", {a, b}); }
inline Formula operator*(Formula a, Formula b) { return apply("multiply", {a, b}); }
inline Formula operator/(Formula a, Formula b) { return apply("divide", {a, b}); }
inline Formula operator-(Formula a) { return apply("negative", {a}); }
inline Formula operator+(Formula a, double b) { return a + number_like(a, b); }
inline Formula operator+(double a, Formula b) { return number_like(b, a) + b; }
inline Formula operator-(Formula a, double b) { return a - number_like(a, b); }
inline Formula operator-(double a, Formula b) { return number_like(b, a) - b; }
inline Formula operator*(double a, Formula b) { return number_like(b, a) * b; }
inline Formula operator*(Formula a, double b) { return b * a; }
inline Formula operator/(double a, Formula b) { return number_like(b, a) / b; }
inline Formula call(std::string_view row, Formula x) { return apply(row, {x}); }
inline Formula call(std::string_view row, Formula a, Formula b) { return apply(row, {a, b}); }
inline Formula select(Formula condition, Formula a, Formula b) { return apply("where", {condition, a, b}); }

// The derivative of a function of one operand, from x and y.
template <auto formula> Value partial(Builder& builder, std::span<const Value> x, Value y) {
    return formula(Formula{&builder, x[0]}, Formula{&builder, y}).value;
}
// One of the two derivatives of a function of two operands, from both and y.
template <auto formula> Value partial_of_two(Builder& builder, std::span<const Value> x, Value y) {
    return formula(Formula{&builder, x[0]}, Formula{&builder, x[1]}, Formula{&builder, y}).value;
}
template <auto formula> constexpr Derivative derivative_of() { return Derivative::pointwise(partial<formula>); }
template <auto first, auto second> constexpr Derivative derivatives_of() { return Derivative::pointwise(partial_of_two<first>, partial_of_two<second>); }

// ---- pieces of rules

// Zeros of a value's dtype and shape (no memory until somebody writes into them).
Value zeros_like(Builder& builder, Value value);
Value zeros_of(Builder& builder, DType dtype, const Dims& shape);
// The sum of two tangents or cotangents of one value, either of which may be absent.
Value add_cotangents(Builder& builder, Value a, Value b);
// A tangent or cotangent times a slope.
Value scaled(Builder& builder, Value cotangent, Value slope);
// A value over one more mapped axis summed over it (times the number of lanes where it doesn't vary).
Value sum_over_lane(Builder& builder, Value value, LaneId lane);
// The inverse of a permutation.
std::vector<std::int64_t> inverse_of(const std::vector<std::int64_t>& axes);
// True where a value of this type can have a derivative.
inline bool differentiable(DType dtype) { return is_floating(dtype) || is_complex(dtype); }

} // namespace vmaprun
