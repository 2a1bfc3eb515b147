// Linear algebra as functions on values: what the rows, and the rules of their derivatives, build with. Matrices are the
// last two axes.
#pragma once

#include <span>

#include "ir/builder.hpp"
#include "ir/op.hpp"

namespace vmaprun {

Value transposed(Builder& builder, Value x);          // of every matrix
Value adjoint(Builder& builder, Value x);             // transposed and conjugated
Value identity_like(Builder& builder, Value x);       // an n by n one for x of [..., n, n]
DType real_dtype(DType dtype);                        // c64 -> f32, c128 -> f64
Dims matrix_shape(const Dims& like, Dim rows, Dim columns); // like[:-2] + [rows, columns]

std::span<const Op> linalg_factor_rows();    // linalg.cpp
std::span<const Op> linalg_composite_rows(); // linalg_composite.cpp

} // namespace vmaprun
