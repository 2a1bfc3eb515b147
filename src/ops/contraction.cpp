// The contraction family's primitive, dot_general, and its table. Everything else that multiplies and sums (matmul,
// einsum …) is lowered to it in contraction_products.cpp and contraction_einsum.cpp.
#include "ops/contraction.hpp"

#include <algorithm>

#include "ops/call.hpp"
#include "ops/contraction_rows.hpp"
#include "ops/families.hpp"
#include "ops/kernels/contraction.hpp"
#include "ops/lowering.hpp"
#include "ops/movement.hpp"

namespace vmaprun {
namespace {

std::vector<TensorType> dot_general_type(std::span<const TensorType> operands, const Attributes& attributes) {
    const Dims &a = operands[0].shape, &b = operands[1].shape;
    const auto batch = static_cast<std::size_t>(std::get<std::int64_t>(attributes[0]));
    const auto contracted = static_cast<std::size_t>(std::get<std::int64_t>(attributes[1]));
    const auto check = [&](std::size_t i, std::size_t j, const char* what) {
        if (!surely_different(a[i], b[j])) return;
        throw UserError(error("E301", std::string("a product of ") + shape_words(a) + " and " + shape_words(b) + ": " + what + " axes are " + a[i].text() + " and " + b[j].text()));
    };
    for (std::size_t i = 0; i < batch; ++i) check(i, i, "batch");
    for (std::size_t i = 0; i < contracted; ++i) check(a.size() - contracted + i, b.size() - contracted + i, "contracted");
    TensorType type{operands[0].dtype, {}};
    type.shape.assign(a.begin(), a.end() - static_cast<std::ptrdiff_t>(contracted));
    for (std::size_t i = 0; i < batch; ++i) {
        if (a[i].is_symbolic()) type.shape[i] = b[i]; // a number says more than a symbol
    }
    type.shape.insert(type.shape.end(), b.begin() + static_cast<std::ptrdiff_t>(batch), b.end() - static_cast<std::ptrdiff_t>(contracted));
    check_shape(type.shape);
    return {type};
}

// Dot products of rows: b is contracted whole, or both sides have a vector for each place of the batch.
template <RowProductKernel (*Kernel)(DType)> RowWork product_of_rows(const Node& node, std::span<const TensorType> operands) {
    const auto batch = static_cast<std::size_t>(node.integer(0)), contracted = static_cast<std::size_t>(node.integer(1));
    const std::size_t a = operands[0].rank(), b = operands[1].rank();
    const bool one_row = batch == 0 && b == contracted, row_by_row = a == batch + contracted && b == a && same_sizes(operands[0].shape, operands[1].shape);
    return contracted > 0 && (one_row || row_by_row) ? RowWork{nullptr, Kernel(operands[0].dtype), contracted} : RowWork{};
}

// The axes of a tensor of that rank as [batch..., free..., contracted...].
std::vector<std::int64_t> in_order(std::size_t rank, const std::vector<std::int64_t>& batch, const std::vector<std::int64_t>& contracted) {
    std::vector<std::int64_t> order = batch;
    for (std::int64_t axis = 0; axis < static_cast<std::int64_t>(rank); ++axis) {
        if (std::ranges::find(batch, axis) == batch.end() && std::ranges::find(contracted, axis) == contracted.end()) order.push_back(axis);
    }
    order.insert(order.end(), contracted.begin(), contracted.end());
    return order;
}

// Nothing is summed: element-wise work, which fuses with what is around it.
Value outer_product(Builder& builder, Value a, Value b, std::int64_t batch) {
    const auto a_rank = static_cast<std::int64_t>(builder.type(a).rank()), b_rank = static_cast<std::int64_t>(builder.type(b).rank());
    std::vector<std::int64_t> after, between;
    for (std::int64_t i = a_rank; i < a_rank + b_rank - batch; ++i) after.push_back(i);
    for (std::int64_t i = batch; i < a_rank; ++i) between.push_back(i);
    return pointwise(builder, "multiply", {after.empty() ? a : expand_at(builder, a, after), between.empty() ? b : expand_at(builder, b, between)});
}

} // namespace

Value dot_general(Builder& builder, Value a, Value b, std::int64_t batch, std::int64_t contracted) {
    if (contracted == 0 && kind_of(builder.type(a).dtype) >= Kind::floating) return outer_product(builder, a, b, batch);
    return node(builder, "dot_general", {a, b}, {batch, contracted});
}

Value contract(Builder& builder, Value a, Value b, const ContractedAxes& axes) {
    const std::vector<Value> both = promote_values(builder, {a, b});
    const Value left = permute(builder, both[0], in_order(builder.type(both[0]).rank(), axes.batch_a, axes.contracted_a));
    const Value right = permute(builder, both[1], in_order(builder.type(both[1]).rank(), axes.batch_b, axes.contracted_b));
    return dot_general(builder, left, right, static_cast<std::int64_t>(axes.batch_a.size()), static_cast<std::int64_t>(axes.contracted_a.size()));
}

std::span<const Op> contraction_ops() {
    static constexpr Op rows[] = {
        {.signature = "dot_general", .family = Family::contraction, .type = dot_general_type, .rows = product_of_rows<dot_rows>, .kernel = dot_general_kernel},
        {.signature = "squared_distance", .family = Family::contraction, .type = dot_general_type, .rows = product_of_rows<squared_distance_rows>, .kernel = squared_distance_kernel},
    };
    return rows;
}

} // namespace vmaprun
