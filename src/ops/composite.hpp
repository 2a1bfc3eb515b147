// What the composite rows share: calls of other rows by name, and the small formulas that several of them are made of.
#pragma once

#include <span>
#include <string_view>
#include <utility>
#include <vector>

#include "ops/call.hpp"

namespace vmaprun {

// A script's call of a row: tensors by position, the rest by name; what is not given has its default.
Value call_row(Builder& builder, std::string_view name, const std::vector<Value>& tensors,
               const std::vector<std::pair<std::string_view, BoundArgument>>& named = {});

// x as floats: whole numbers and booleans in f64.
Value as_floating(Builder& builder, Value x);
// x, through which no derivative flows.
Value without_gradient(Builder& builder, Value x);
// A literal.
Value literal(Builder& builder, double number);

Value mean_over(Builder& builder, Value x, const std::vector<std::int64_t>& axes, bool keepdims);
// |x|^2, real.
Value squared_magnitude(Builder& builder, Value x);
// The maximum over the axes, kept as axes of 1, as a number to shift by: 0 where it isn't finite.
Value finite_maximum(Builder& builder, Value x, const std::vector<std::int64_t>& axes);

std::span<const Op> statistics_rows(); // composite_statistics.cpp
std::span<const Op> neural_rows();     // composite_neural.cpp

} // namespace vmaprun
