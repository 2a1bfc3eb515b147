// Rows about truth: comparisons, logic, predicates, bits, and the choice by a mask.
//
// logical_and … take numbers as x != 0. A shift by the width of the type or more (or by a negative number) gives 0, or the
// sign all over when shifting right.
#include "ops/pointwise.hpp"

namespace vmaprun {
namespace {

Value truth_of(Builder& builder, const BuiltinCall& call, std::size_t i) {
    const Value x = call.tensor(i);
    if (builder.type(x).dtype == DType::key) call.fail(i, error("E302", "`" + std::string(call.op().name()) + "` is not defined for `key`").help("a key is no number: draw numbers from it, as in uniform(k)"));
    return builder.type(x).dtype == DType::boolean ? x : builder.add(op_named("cast"), {x}, {DType::boolean});
}

template <std::size_t arity> Lowered lower_logical(Builder& builder, const BuiltinCall& call) {
    std::vector<Value> operands;
    for (std::size_t i = 0; i < arity; ++i) operands.push_back(truth_of(builder, call, i));
    return builder.add(call.op(), broadcast_values(builder, std::move(operands)));
}

std::vector<TensorType> where_type(std::span<const TensorType> operands, const Attributes&) {
    if (operands[0].dtype != DType::boolean || operands[1].dtype != operands[2].dtype) throw InternalError("where: operands " + operands[0].text() + ", " + operands[1].text() + ", " + operands[2].text());
    return {{operands[1].dtype, operands[1].shape}};
}

TileKernel where_tile(std::span<const DType>, DType result) { return pointwise_kernel(PointwiseOp::where, result); }

Lowered lower_where(Builder& builder, const BuiltinCall& call) {
    const Value condition = call.tensor(0);
    const DType dtype = builder.type(condition).dtype;
    if (dtype != DType::boolean) {
        call.fail(0, error("E302", "the condition of `where` must be `bool`, not `" + std::string(name_of(dtype)) + "`").help("compare, as in where(x != 0, a, b)"));
    }
    const auto branches = promote_values(builder, {call.tensor(1), call.tensor(2)});
    return builder.add(call.op(), broadcast_values(builder, {condition, branches[0], branches[1]}));
}

// Each branch gets the cotangent where it was taken, and zero elsewhere: never a product, which a NaN would survive.
std::vector<Value> transpose_where(const Primal& at, std::span<const Value> cotangents, const std::vector<bool>& wanted) {
    Builder& builder = at.builder;
    const Value zero = zeros_like(builder, cotangents[0]), condition = at.operands[0];
    std::vector<Value> result(3);
    if (wanted[1]) result[1] = pointwise(builder, "where", {condition, cotangents[0], zero});
    if (wanted[2]) result[2] = pointwise(builder, "where", {condition, zero, cotangents[0]});
    return result;
}

constexpr Op logical(Op row, Lowering lower) {
    row.lower = lower;
    return row;
}

constexpr Domain ordered = on_bool | on_real, bits = on_bool | on_int;

constexpr auto make_rows() {
    using enum PointwiseOp;
    return std::array{
        elementwise_row<equal, 2, on_anything>("equal(x1, x2)", "True where they are equal; NaN equals nothing.", "equal([1, 2], 2) => [false, true]", Derivative::none(), truth_values),
        elementwise_row<not_equal, 2, on_anything>("not_equal(x1, x2)", "True where they differ.", "not_equal([1, 2], 2) => [true, false]", Derivative::none(), truth_values),
        elementwise_row<less, 2, ordered>("less(x1, x2)", "True where x1 < x2.", "less([1, 2], 2) => [true, false]", Derivative::none(), truth_values),
        elementwise_row<less_equal, 2, ordered>("less_equal(x1, x2)", "True where x1 <= x2.", "less_equal([1, 2], 1) => [true, false]", Derivative::none(), truth_values),
        elementwise_row<greater, 2, ordered>("greater(x1, x2)", "True where x1 > x2.", "greater([1, 2], 1) => [false, true]", Derivative::none(), truth_values),
        elementwise_row<greater_equal, 2, ordered>("greater_equal(x1, x2)", "True where x1 >= x2.", "greater_equal([1, 2], 2) => [false, true]", Derivative::none(), truth_values),
        logical(elementwise_row<logical_and, 2, on_bool>("logical_and(x1, x2)", "True where both are; numbers count as x != 0.", "logical_and([true, false], true) => [true, false]", Derivative::none(), truth_values), lower_logical<2>),
        logical(elementwise_row<logical_or, 2, on_bool>("logical_or(x1, x2)", "True where either is; numbers count as x != 0.", "logical_or([true, false], false) => [true, false]", Derivative::none(), truth_values), lower_logical<2>),
        logical(elementwise_row<logical_xor, 2, on_bool>("logical_xor(x1, x2)", "True where exactly one is; numbers count as x != 0.", "logical_xor([true, false], true) => [false, true]", Derivative::none(), truth_values), lower_logical<2>),
        logical(elementwise_row<logical_not, 1, on_bool>("logical_not(x)", "True where x is not; numbers count as x != 0.", "logical_not([true, false]) => [false, true]", Derivative::none(), truth_values), lower_logical<1>),
        elementwise_row<isfinite, 1, on_anything>("isfinite(x)", "True where x is neither infinite nor NaN.", "isfinite([1.0, inf]) => [true, false]", Derivative::none(), truth_values),
        elementwise_row<isinf, 1, on_anything>("isinf(x)", "True where x is infinite.", "isinf([1.0, inf]) => [false, true]", Derivative::none(), truth_values),
        elementwise_row<isnan, 1, on_anything>("isnan(x)", "True where x is NaN.", "isnan([1.0, nan]) => [false, true]", Derivative::none(), truth_values),
        elementwise_row<signbit, 1, on_float>("signbit(x)", "True where the sign bit is set, as in -0.0.", "signbit([-0.0, 0.0]) => [true, false]", Derivative::none(), truth_values),
        elementwise_row<bitwise_and, 2, bits>("bitwise_and(x1, x2)", "The bits that both have.", "bitwise_and(6, 3) => 2", Derivative::none()),
        elementwise_row<bitwise_or, 2, bits>("bitwise_or(x1, x2)", "The bits that either has.", "bitwise_or(6, 3) => 7", Derivative::none()),
        elementwise_row<bitwise_xor, 2, bits>("bitwise_xor(x1, x2)", "The bits that exactly one has.", "bitwise_xor(6, 3) => 5", Derivative::none()),
        elementwise_row<bitwise_invert, 1, bits>("bitwise_invert(x)", "Every bit turned; of a bool: not.", "bitwise_invert(5) => -6", Derivative::none()),
        elementwise_row<bitwise_left_shift, 2, on_int>("bitwise_left_shift(x1, x2)", "x1 with its bits moved up by x2.", "bitwise_left_shift(1, 4) => 16", Derivative::none()),
        elementwise_row<bitwise_right_shift, 2, on_int>("bitwise_right_shift(x1, x2)", "x1 with its bits moved down by x2; the sign stays.", "bitwise_right_shift(-8, 1) => -4", Derivative::none()),
        // operands: bool, then two of one dtype
        Op{.signature = "where(condition, x1, x2)", .doc = "x1 where the condition is true, else x2.", .example = "where([true, false], 1, 2) => [1, 2]",
           .lower = lower_where, .type = where_type, .tile = where_tile, .derivative = Derivative::linear(transpose_where)},
    };
}

} // namespace

std::span<const Op> pointwise_comparison_rows() {
    static constexpr auto rows = make_rows();
    return rows;
}

} // namespace vmaprun
