// Contractions as functions on values: what lowerings and transforms build with. Axes are normal (0..rank-1).
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "ir/builder.hpp"

namespace vmaprun {

// The node `dot_general`: a [batch..., free..., contracted...] and b [batch..., free..., contracted...], of one dtype, to
// [batch..., free of a..., free of b...]. Attributes: 0: number of batch axes, 1: number of contracted axes.
// The order of every element's sum is stated in kernels/contraction.hpp.
Value dot_general(Builder& builder, Value a, Value b, std::int64_t batch, std::int64_t contracted);

struct ContractedAxes {
    std::vector<std::int64_t> batch_a, batch_b;           // pairs
    std::vector<std::int64_t> contracted_a, contracted_b; // pairs
};
// The same with the axes anywhere: the result has the batch axes (as paired), then the free ones of a, then those of b.
// Promotes to a common dtype; pairs whose sizes disagree are E301.
Value contract(Builder& builder, Value a, Value b, const ContractedAxes& axes);

// How many axes of each kind a dot_general has beside the contracted ones.
struct ProductAxes {
    std::int64_t batch;
    std::int64_t free[2];
    static ProductAxes of(const Primal& at);
};
// The cotangent of the operand `side` of a dot_general. Mapped axes over which it is to be summed are contracted too, where the
// product runs over them (and taken off `summed`), so that a batch of gradients is never written out. `leading`: so many axes, the
// first ones of the cotangent and of the other operand, are contracted as well.
Value transposed_product(Builder& builder, const ProductAxes& product, Value cotangent, Value other, std::size_t side, std::int64_t leading, Lanes& summed);

// Sum of x over the axes, where x is a product of two tensors or the square of a difference of two (f32, f64), as the
// contraction that it is; else none. `squared_distance` takes two tensors [kept…, summed…] of one shape, attributes as
// dot_general: the sum of (a - b)^2 in the same order, the square and the sum rounded once.
std::optional<Value> sum_as_contraction(Builder& builder, Value x, const std::vector<std::int64_t>& axes, bool keepdims);

Value matmul(Builder& builder, Value a, Value b); // by NumPy's rule, as `@`

} // namespace vmaprun
