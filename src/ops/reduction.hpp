// Reductions as functions on values: what composite lowerings and transforms build with.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "ir/builder.hpp"

namespace vmaprun {

// The node of a reduction: "sum", "prod", "max", "min", "all", "any" or "count_nonzero" over normal axes (ascending,
// distinct). A sum of products or of squared differences becomes a contraction (ops/contraction.hpp). No casts: sum and prod keep x's dtype here. No axes: x itself where the dtype stays.
// Attributes of the node: 0: Dims axes, 1: bool keepdims.
Value reduce(Builder& builder, std::string_view op, Value x, const std::vector<std::int64_t>& axes, bool keepdims);

// The dtype in which sum, prod and the cumulative ones work: small integers and bool in i64 (unsigned: u64).
DType accumulation_dtype(DType dtype);

// The same axes as a call's `axes` argument, and the number of elements over them.
Dim count_over(const Dims& shape, const std::vector<std::int64_t>& axes);

} // namespace vmaprun
