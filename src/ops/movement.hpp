// Moving data about, as functions on values: what lowerings, indexing and transforms build with instead of naming rows
// and writing attributes by hand. Axes here are already normal (0..rank-1); sizes may be symbols. A call that changes
// nothing gives the value itself.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "ir/builder.hpp"
#include "ir/op.hpp"

namespace vmaprun {

class BuiltinCall;

Value reshape_to(Builder& builder, Value x, const Dims& shape);
Value permute(Builder& builder, Value x, const std::vector<std::int64_t>& axes);
Value move_axis(Builder& builder, Value x, std::int64_t from, std::int64_t to);
// Axes of size 1 inserted; `positions` ascending, counted in the result.
Value expand_at(Builder& builder, Value x, const std::vector<std::int64_t>& positions);
// Axes of size 1 taken away; `axes` ascending.
Value squeeze_at(Builder& builder, Value x, const std::vector<std::int64_t>& axes);
Value flip_axes(Builder& builder, Value x, const std::vector<std::int64_t>& axes);
Value slice_axis(Builder& builder, Value x, std::int64_t axis, Dim start, Dim length, std::int64_t step = 1);
// Promoted to their common dtype; E301 where sizes other than along `axis` differ.
Value concat_values(Builder& builder, std::vector<Value> values, std::int64_t axis);
// The value of a list literal: promoted and strong; `axis` may be negative. Shapes that differ: E301 that offers a tuple.
Value stack_values(Builder& builder, std::vector<Value> values, std::int64_t axis);

// 0, 1, 2 … along `axis` of the shape.
Value iota_values(Builder& builder, const Dims& shape, std::int64_t axis, DType dtype);
// An array of indices as the primitives want it (i64). E308 for anything but whole numbers; u64 past i64 stay out of range.
Value index_values(Builder& builder, Value indices);
// x indexed by integer arrays of one shape along `axes`; the index shape goes to `position` among the remaining axes.
Value gather(Builder& builder, Value x, std::vector<Value> indices, const std::vector<std::int64_t>& axes, std::int64_t position);
// x[..., indices[...], ...] position by position along `axis`: both of one rank, other axes broadcast.
Value take_along(Builder& builder, Value x, Value indices, std::int64_t axis);

// ---- what the rows of the movement, creation and selection files share

// E310 for a negative size; E310 when the element count passes 2^62.
void check_shape(const Dims& shape);
// An `any` argument as values: a tensor, a tuple of tensors, or whole numbers.
std::vector<Value> values_of_argument(Builder& builder, const BuiltinCall& call, std::size_t i);
// A tensor argument whose default is a number.
Value tensor_or(Builder& builder, const BuiltinCall& call, std::size_t i, std::int64_t default_number);
// "[4, k]", or "a scalar".
std::string shape_words(const Dims& shape);
// A Dims attribute made of plain numbers, and back.
Dims to_dims(std::span<const std::int64_t> numbers);

// Copies one view into another of the same shape, in parts on the threads of the call.
void copy_in_parts(Parallel* parallel, const View& from, const View& to);

// The rows, by file.
std::span<const Op> movement_view_rows();
std::span<const Op> movement_copy_rows();
std::span<const Op> movement_composite_rows();

} // namespace vmaprun
