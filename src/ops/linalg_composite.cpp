// Linear algebra that is said in terms of other rows: pseudo-inverse, least squares, powers, ranks and norms of matrices.
#include <array>
#include <cmath>
#include <limits>

#include "ops/composite.hpp"
#include "ops/contraction.hpp"
#include "ops/linalg.hpp"
#include "ops/lowering.hpp"
#include "ops/movement.hpp"
#include "ops/reduction.hpp"

namespace vmaprun {
namespace {

Value matrix_of(Builder& builder, const BuiltinCall& call) {
    const TensorType type = builder.type(call.tensor(0));
    if (type.dtype == DType::key) call.fail(0, error("E302", "`" + std::string(call.op().name()) + "` needs numbers, not keys"));
    if (type.rank() < 2) call.fail(0, error("E307", "`" + std::string(call.op().name()) + "` needs a matrix, not " + shape_words(type.shape)));
    return as_floating(builder, call.tensor(0));
}

// Below this part of the largest singular value, one counts as 0: given, or max(rows, columns) times the dtype's precision.
Value cutoff(Builder& builder, const BuiltinCall& call, std::size_t i, Value x, Value largest) {
    const TensorType type = builder.type(x);
    const DType dtype = builder.type(largest).dtype;
    if (!call.is_none(i)) return pointwise(builder, "multiply", {largest, cast(builder, expand_at(builder, call.tensor(i), {static_cast<std::int64_t>(builder.type(call.tensor(i)).rank())}), dtype)});
    const Dim rows = type.shape[type.rank() - 2], columns = type.shape.back();
    const Value size = builder.constant(rows.value() < columns.value() ? columns : rows);
    const double precision = dtype == DType::f32 ? std::numeric_limits<float>::epsilon() : std::numeric_limits<double>::epsilon();
    return pointwise(builder, "multiply", {largest, pointwise(builder, "multiply", {size, scalar(builder, precision, dtype)})});
}

// Along the last axis, kept as an axis of 1; 0 where there is none.
Value largest_of(Builder& builder, Value s) {
    const TensorType type = builder.type(s);
    const auto last = static_cast<std::int64_t>(type.rank()) - 1;
    if (type.shape.back() == Dim(0)) {
        Dims shape = type.shape;
        shape.back() = 1;
        return broadcast_to(builder, scalar(builder, 0.0, type.dtype), shape);
    }
    return reduce(builder, "max", s, {last}, true);
}

// v diag(1/s) u^H over the singular values that count.
Lowered lower_pinv(Builder& builder, const BuiltinCall& call) {
    const Value x = matrix_of(builder, call);
    const std::vector<Value> parts = builder.add_all(op_named("svd"), {x}, {false});
    const Value u = parts[0], s = parts[1], vh = parts[2];
    const auto rank = static_cast<std::int64_t>(builder.type(x).rank());
    const Value counts = pointwise(builder, "greater", {s, cutoff(builder, call, 1, x, largest_of(builder, s))});
    const Value one = literal(builder, 1), safe = pointwise(builder, "where", {counts, s, one});
    const Value inverse = pointwise(builder, "where", {counts, pointwise(builder, "divide", {one, safe}), literal(builder, 0)});
    const Value scaled = pointwise(builder, "multiply", {adjoint(builder, vh), expand_at(builder, inverse, {rank - 2})});
    return matmul(builder, scaled, adjoint(builder, u));
}

Lowered lower_lstsq(Builder& builder, const BuiltinCall& call) {
    const Value a = matrix_of(builder, call);
    const Dims left = builder.type(a).shape, right = builder.type(call.tensor(1)).shape;
    if (right.empty()) call.fail(1, error("E307", "lstsq needs a vector or matrix on the right, not a scalar"));
    const Dim rows = left[left.size() - 2], given = right.size() == 1 ? right[0] : right[right.size() - 2];
    if (!can_agree(rows, given)) call.fail(1, error("E301", "lstsq: the matrix has " + rows.text() + " rows and the right-hand side " + given.text()));
    std::vector<std::pair<std::string_view, BoundArgument>> named;
    if (!call.is_none(2)) named.push_back({"rtol", call.argument(2)});
    return matmul(builder, call_row(builder, "pinv", {a}, named), call.tensor(1));
}

// By repeated squaring; the factors are multiplied from the lowest bit up.
Lowered lower_matrix_power(Builder& builder, const BuiltinCall& call) {
    const TensorType type = builder.type(call.tensor(0));
    if (type.rank() < 2) call.fail(0, error("E307", "matrix_power needs a matrix, not " + shape_words(type.shape)));
    if (!can_agree(type.shape[type.rank() - 2], type.shape.back())) call.fail(0, error("E301", "matrix_power needs a square matrix, and this one is " + type.shape[type.rank() - 2].text() + " by " + type.shape.back().text()));
    std::int64_t exponent = call.integer(1).value();
    Value x = call.tensor(0);
    if (exponent == 0) return identity_like(builder, x);
    if (exponent < 0) {
        x = call_row(builder, "inv", {x});
        exponent = exponent == INT64_MIN ? INT64_MAX : -exponent;
    }
    Value result;
    for (; exponent > 0; exponent /= 2) {
        if (exponent % 2 == 1) result = result ? matmul(builder, result, x) : x;
        if (exponent > 1) x = matmul(builder, x, x);
    }
    return result;
}

Lowered lower_matrix_rank(Builder& builder, const BuiltinCall& call) {
    const Value x = matrix_of(builder, call), s = node(builder, "svdvals", {x});
    const Value counts = pointwise(builder, "greater", {s, cutoff(builder, call, 1, x, largest_of(builder, s))});
    return reduce(builder, "count_nonzero", counts, {static_cast<std::int64_t>(builder.type(s).rank()) - 1}, false);
}

// "fro", "nuc", 1, -1, 2, -2, inf or -inf.
Lowered lower_matrix_norm(Builder& builder, const BuiltinCall& call) {
    const Value x = matrix_of(builder, call);
    const auto rank = static_cast<std::int64_t>(builder.type(x).rank());
    const bool keepdims = call.boolean(1);
    const auto kept = [&](Value result, std::int64_t) { return keepdims ? result : squeeze_at(builder, result, {rank - 2, rank - 1}); };
    const auto fail = [&] { call.fail(2, error("E310", "ord of matrix_norm is \"fro\", \"nuc\", 1, -1, 2, -2, inf or -inf")); };
    const BoundArgument& given = call.argument(2);
    std::string word = "fro";
    double order = 0;
    if (const auto* text = std::get_if<std::string>(&given.value)) {
        word = *text;
    } else if (const auto* value = std::get_if<Value>(&given.value)) {
        const auto constant = builder.static_value(*value);
        if (!constant || constant->rank() != 0) fail();
        order = visit_dtype(constant->dtype(), [&]<class T>(TypeTag<T>) -> double {
            if constexpr (std::is_arithmetic_v<T>) return static_cast<double>(*constant->as<T>());
            else return 0;
        });
        word = "";
    }
    if (word == "fro") return kept(pointwise(builder, "sqrt", {reduce(builder, "sum", squared_magnitude(builder, x), {rank - 2, rank - 1}, true)}), 0);
    if (word == "nuc" || std::fabs(order) == 2) {
        const Value s = expand_at(builder, node(builder, "svdvals", {x}), {rank - 1});
        return kept(reduce(builder, word == "nuc" ? "sum" : order > 0 ? "max" : "min", s, {rank - 2}, true), 0);
    }
    if (std::fabs(order) != 1 && !std::isinf(order)) fail();
    const std::int64_t summed = std::isinf(order) ? rank - 1 : rank - 2, met = std::isinf(order) ? rank - 2 : rank - 1;
    const Value sums = reduce(builder, "sum", pointwise(builder, "abs", {x}), {summed}, true);
    return kept(reduce(builder, order > 0 ? "max" : "min", sums, {met}, true), 0);
}

} // namespace

std::span<const Op> linalg_composite_rows() {
    static constexpr std::array rows = {
        Op{.signature = "pinv(x, rtol = none)", .doc = "The pseudo-inverse; singular values below rtol times the largest count as 0 (max(rows, columns) times the dtype's precision unless told).",
           .example = "pinv([[2.0, 0.0], [0.0, 0.0]]) => [[0.5, 0.0], [0.0, 0.0]]", .family = Family::linalg, .lower = lower_pinv},
        Op{.signature = "lstsq(a, b, rtol = none)", .doc = "The x of least length with the smallest |a @ x - b|, b a vector or a stack of matrices.",
           .example = "lstsq([[1.0, 0.0], [1.0, 1.0], [1.0, 2.0]], [1.0, 3.0, 5.0]) => [1.0, 2.0]", .family = Family::linalg, .lower = lower_lstsq},
        Op{.signature = "matrix_power(x, n: int)", .doc = "Square matrices multiplied by themselves n times; a negative n: their inverses.",
           .example = "matrix_power([[1, 1], [0, 1]], 5) => [[1, 5], [0, 1]]", .family = Family::linalg, .lower = lower_matrix_power},
        Op{.signature = "matrix_rank(x, rtol = none)", .doc = "The number of singular values above rtol times the largest (as in pinv unless told).",
           .example = "matrix_rank([[1.0, 2.0], [2.0, 4.0]]) => 1", .family = Family::linalg, .lower = lower_matrix_rank},
        Op{.signature = "matrix_norm(x, keepdims: bool = false, ord: any = \"fro\")", .doc = "The norm of matrices; ord \"fro\", \"nuc\", 1, -1, 2, -2, inf or -inf.",
           .example = "matrix_norm([[3.0, 0.0], [0.0, 4.0]]) => 5.0", .family = Family::linalg, .lower = lower_matrix_norm},
    };
    return rows;
}

} // namespace vmaprun
