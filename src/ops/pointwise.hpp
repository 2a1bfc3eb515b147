// What the files of the pointwise rows share. A pointwise node has operands of equal sample shapes and of one dtype, which
// the lowerings here see to: promote, lift whole numbers to f64 where the function needs floats, broadcast.
#pragma once

#include <array>
#include <span>
#include <string_view>
#include <vector>

#include "ops/call.hpp"
#include "ops/derivative.hpp"
#include "ops/kernels/pointwise.hpp"
#include "ops/lowering.hpp"

namespace vmaprun {

// The kinds that an operation computes in.
using Domain = unsigned;
inline constexpr Domain on_bool = 1, on_int = 2, on_float = 4, on_complex = 8;
inline constexpr Domain on_real = on_int | on_float, on_number = on_real | on_complex, on_floats = on_float | on_complex;
inline constexpr Domain on_anything = on_bool | on_number;
Domain domain_of(DType dtype); // its one bit; 0 for keys

// Operands promoted to one dtype of the domain (whole numbers and bools become f64 where only floats will do; weak stays
// weak), then broadcast. E302 naming the dtypes where there is no way.
std::vector<Value> elementwise_operands(Builder& builder, std::string_view op, std::vector<Value> operands, Domain domain);

// The single operand of a number parameter that a script may also give as a computed value.
Value tensor_or_number(Builder& builder, const BuiltinCall& call, std::size_t i, double default_number);
// The value of a constant scalar (not one that stands for a symbolic size).
std::optional<double> constant_number(const Builder& builder, Value value);

template <std::size_t arity, Domain domain> Lowered lower_elementwise(Builder& builder, const BuiltinCall& call) {
    std::vector<Value> operands;
    for (std::size_t i = 0; i < arity; ++i) operands.push_back(call.tensor(i));
    return builder.add(call.op(), elementwise_operands(builder, call.op().name(), std::move(operands), domain));
}

// Type rules.
std::vector<TensorType> same_dtype(std::span<const TensorType> operands, const Attributes& attributes);   // that of the operands
std::vector<TensorType> truth_values(std::span<const TensorType> operands, const Attributes& attributes); // bool
std::vector<TensorType> real_part(std::span<const TensorType> operands, const Attributes& attributes);    // c64 -> f32, c128 -> f64

template <PointwiseOp op> TileKernel tile_of(std::span<const DType> operands, DType) { return pointwise_kernel(op, operands[0]); }

// A row whose lowering is the plain one.
template <PointwiseOp op, std::size_t arity, Domain domain>
constexpr Op elementwise_row(std::string_view signature, std::string_view doc, std::string_view example, Derivative derivative, TypeRule type = same_dtype) {
    return Op{.signature = signature, .doc = doc, .example = example, .lower = lower_elementwise<arity, domain>, .type = type, .tile = tile_of<op>, .derivative = derivative};
}

// The rows, by file.
std::span<const Op> pointwise_arithmetic_rows();
std::span<const Op> pointwise_comparison_rows();
std::span<const Op> pointwise_function_rows();
std::span<const Op> pointwise_composite_rows();

} // namespace vmaprun
