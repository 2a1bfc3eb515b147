// The contraction family's primitive, dot_general, and its table. Everything else that multiplies and sums (matmul,
// einsum …) is lowered to it in contraction_products.cpp and contraction_einsum.cpp.
#include "ops/contraction.hpp"

#include <algorithm>

#include "ops/call.hpp"
#include "ops/contraction_rows.hpp"
#include "ops/derivative.hpp"
#include "ops/families.hpp"
#include "ops/kernels/contraction.hpp"
#include "ops/kernels/contraction_table.hpp"
#include "ops/lowering.hpp"
#include "ops/movement.hpp"
#include "ops/reduction.hpp"

namespace vmaprun {
namespace {

std::vector<TensorType> dot_general_type(std::span<const TensorType> operands, const Attributes& attributes) {
    const Dims &a = operands[0].shape, &b = operands[1].shape;
    const auto batch = static_cast<std::size_t>(std::get<std::int64_t>(attributes[0]));
    const auto contracted = static_cast<std::size_t>(std::get<std::int64_t>(attributes[1]));
    const auto check = [&](std::size_t i, std::size_t j, const char* what) {
        if (can_agree(a[i], b[j])) return;
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

// As kernels/contraction.hpp has it.
Chunked chunks_of_product(const Node& node, std::span<const TensorType> operands) {
    const auto contracted = static_cast<std::size_t>(node.integer(1));
    if ((operands[0].dtype != DType::f32 && operands[0].dtype != DType::f64) || contracted == 0) return {};
    Chunked chunked{{}, contraction_block, Chunked::Order::one_by_one};
    for (const TensorType& operand : operands) {
        std::vector<std::size_t>& axes = chunked.axes.emplace_back();
        for (std::size_t i = contracted; i > 0; --i) axes.push_back(operand.rank() - i);
    }
    return chunked;
}

std::optional<AlongAxis> along_batch_or_free_axis(std::span<const TensorType> operands, const Attributes& attributes, std::size_t axis) {
    const std::int64_t batch = std::get<std::int64_t>(attributes[0]), contracted = std::get<std::int64_t>(attributes[1]);
    const std::int64_t of_a = static_cast<std::int64_t>(operands[0].rank()) - contracted, at = static_cast<std::int64_t>(axis);
    AlongAxis along{{at, at}, attributes};
    if (at < batch) along.attributes[0] = batch - 1;
    else if (at < of_a) along.operands[1] = AlongAxis::whole;
    else along.operands = {AlongAxis::whole, at - of_a + batch};
    return along;
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

// ---- derivative: the transposed product is one again, of the cotangent with the other operand

// Axes first..first+count.
std::vector<std::int64_t> axes_from(std::int64_t first, std::int64_t count) {
    std::vector<std::int64_t> axes;
    for (std::int64_t i = 0; i < count; ++i) axes.push_back(first + i);
    return axes;
}

std::vector<Value> transpose_dot_general(const Primal& at, std::span<const Value> cotangents, const std::vector<bool>& wanted) {
    std::vector<Value> result(2);
    for (std::size_t side = 0; side < 2; ++side) {
        if (wanted[side]) result[side] = transposed_product(at.builder, ProductAxes::of(at), cotangents[0], at.operands[1 - side], side, 0, (*at.summed)[side]);
    }
    return result;
}

// ---- squared_distance: d/da is twice the difference, summed over what the operand doesn't have; d/db the negative of it

// a and b with the axes that only the other has as axes of 1: [batch…, free of a…, free of b…, contracted…].
std::pair<Value, Value> side_by_side(const Primal& at, Value a, Value b) {
    const std::int64_t batch = at.node.integer(0), contracted = at.node.integer(1);
    const auto rank = [&](std::size_t i) { return static_cast<std::int64_t>(at.builder.type(at.operands[i]).rank()); };
    const std::int64_t free_a = rank(0) - batch - contracted, free_b = rank(1) - batch - contracted;
    return {expand_at(at.builder, a, axes_from(batch + free_a, free_b)), expand_at(at.builder, b, axes_from(batch, free_a))};
}

Value twice_the_difference(const Primal& at) {
    const auto [a, b] = side_by_side(at, at.operands[0], at.operands[1]);
    const Value difference = pointwise(at.builder, "subtract", {a, b});
    return pointwise(at.builder, "add", {difference, difference});
}

std::vector<Value> jvp_squared_distance(const Primal& at, std::span<const Value> tangents) {
    const auto given = [&](std::size_t i) { return tangents[i] ? tangents[i] : zeros_like(at.builder, at.operands[i]); };
    const auto [a, b] = side_by_side(at, given(0), given(1));
    const Value slope = twice_the_difference(at);
    const std::int64_t contracted = at.node.integer(1), rank = static_cast<std::int64_t>(at.builder.type(slope).rank());
    return {reduce(at.builder, "sum", pointwise(at.builder, "multiply", {slope, pointwise(at.builder, "subtract", {a, b})}), axes_from(rank - contracted, contracted), false)};
}

std::vector<Value> vjp_squared_distance(const Primal& at, std::span<const Value> cotangents, const std::vector<bool>& wanted) {
    const std::int64_t batch = at.node.integer(0), contracted = at.node.integer(1);
    const Value slope = twice_the_difference(at);
    const auto rank = static_cast<std::int64_t>(at.builder.type(slope).rank());
    const std::int64_t free_a = static_cast<std::int64_t>(at.builder.type(at.operands[0]).rank()) - batch - contracted;
    const Value all = pointwise(at.builder, "multiply", {slope, expand_at(at.builder, cotangents[0], axes_from(rank - contracted, contracted))});
    const auto over = [&](std::int64_t first, std::int64_t count) { return count == 0 ? all : reduce(at.builder, "sum", all, axes_from(first, count), false); };
    std::vector<Value> result(2);
    if (wanted[0]) result[0] = over(batch + free_a, rank - contracted - batch - free_a);
    if (wanted[1]) result[1] = pointwise(at.builder, "negative", {over(batch, free_a)});
    return result;
}

} // namespace

Value dot_general(Builder& builder, Value a, Value b, std::int64_t batch, std::int64_t contracted) {
    if (contracted == 0 && kind_of(builder.type(a).dtype) >= Kind::floating) return outer_product(builder, a, b, batch);
    return node(builder, "dot_general", {a, b}, {batch, contracted});
}

ProductAxes ProductAxes::of(const Primal& at) {
    const std::int64_t batch = at.node.integer(0), contracted = at.node.integer(1);
    const auto free = [&](std::size_t i) { return static_cast<std::int64_t>(at.builder.type(at.operands[i]).rank()) - batch - contracted; };
    return {batch, {free(0), free(1)}};
}

Value transposed_product(Builder& builder, const ProductAxes& product, Value cotangent, Value other, std::size_t side, std::int64_t leading, Lanes& summed) {
    Lanes left;
    for (const LaneId lane : summed) {
        if (!has_lane(builder.lanes(other), lane)) {
            cotangent = sum_over_lane(builder, cotangent, lane);
        } else if (!has_lane(builder.lanes(cotangent), lane)) {
            left.push_back(lane);
        } else {
            cotangent = builder.unlane(cotangent, lane, 0);
            other = builder.unlane(other, lane, 0);
            ++leading;
        }
    }
    summed = left;
    // The cotangent is [leading…, batch…, free of a…, free of b…].
    const std::int64_t batch = product.batch, first_free = leading + batch + (side == 0 ? product.free[0] : 0);
    ContractedAxes axes{axes_from(leading, batch), axes_from(leading, batch), axes_from(0, leading), axes_from(0, leading)};
    for (std::int64_t i = 0; i < product.free[1 - side]; ++i) {
        axes.contracted_a.push_back(first_free + i);
        axes.contracted_b.push_back(leading + batch + i);
    }
    return contract(builder, cotangent, other, axes); // [batch…, own free…, contracted…], as the operand is
}

Value contract(Builder& builder, Value a, Value b, const ContractedAxes& axes) {
    const std::vector<Value> both = promote_values(builder, {a, b});
    const Value left = permute(builder, both[0], in_order(builder.type(both[0]).rank(), axes.batch_a, axes.contracted_a));
    const Value right = permute(builder, both[1], in_order(builder.type(both[1]).rank(), axes.batch_b, axes.contracted_b));
    return dot_general(builder, left, right, static_cast<std::int64_t>(axes.batch_a.size()), static_cast<std::int64_t>(axes.contracted_a.size()));
}

std::span<const Op> contraction_ops() {
    static constexpr Op rows[] = {
        {.signature = "dot_general", .family = Family::contraction, .type = dot_general_type, .independence = along_batch_or_free_axis, .rows = product_of_rows<dot_rows>, .chunks = chunks_of_product, .kernel = dot_general_kernel, .derivative = Derivative::multilinear(transpose_dot_general)},
        {.signature = "squared_distance", .family = Family::contraction, .type = dot_general_type, .independence = along_batch_or_free_axis, .rows = product_of_rows<squared_distance_rows>, .chunks = chunks_of_product, .kernel = squared_distance_kernel,
         .derivative = Derivative::rules(jvp_squared_distance, vjp_squared_distance)},
    };
    return rows;
}

} // namespace vmaprun
