// The linear algebra family's primitives: factorisations and solutions of square systems. What is said in terms of them
// stands in linalg_composite.cpp.
#include "ops/linalg.hpp"

#include <algorithm>
#include <array>

#include "ops/call.hpp"
#include "ops/composite.hpp"
#include "ops/kernels/linalg.hpp"
#include "ops/linalg_derivative.hpp"
#include "ops/lowering.hpp"
#include "ops/movement.hpp"

namespace vmaprun {

Value transposed(Builder& builder, Value x) {
    const auto rank = static_cast<std::int64_t>(builder.type(x).rank());
    return move_axis(builder, x, rank - 1, rank - 2);
}

Value adjoint(Builder& builder, Value x) {
    const Value turned = transposed(builder, x);
    return is_complex(builder.type(x).dtype) ? pointwise(builder, "conj", {turned}) : turned;
}

Value identity_like(Builder& builder, Value x) {
    const TensorType type = builder.type(x);
    const Value one = node(builder, "eye", {scalar(builder, std::int64_t{1}, type.dtype)}, {Dims{type.shape.back(), type.shape.back()}, std::int64_t{0}});
    return broadcast_to(builder, one, type.shape);
}

DType real_dtype(DType dtype) { return dtype == DType::c64 ? DType::f32 : dtype == DType::c128 ? DType::f64 : dtype; }

Dims matrix_shape(const Dims& like, Dim rows, Dim columns) {
    Dims shape(like.begin(), like.end() - 2);
    shape.push_back(rows);
    shape.push_back(columns);
    return shape;
}

namespace {

// ---- what operands must be

void check_matrix(const TensorType& type, std::string_view row) {
    if (type.dtype == DType::key) throw UserError(error("E302", "`" + std::string(row) + "` needs numbers, not keys"));
    if (type.rank() < 2) throw UserError(error("E307", "`" + std::string(row) + "` needs a matrix, not " + shape_words(type.shape)));
}

void check_square(const TensorType& type, std::string_view row) {
    check_matrix(type, row);
    const Dim rows = type.shape[type.rank() - 2], columns = type.shape.back();
    if (!can_agree(rows, columns)) throw UserError(error("E301", "`" + std::string(row) + "` needs a square matrix, and this one is " + rows.text() + " by " + columns.text()));
}

Dim smaller(Dim a, Dim b) { return a.value() < b.value() ? a : b; }

// ---- type rules

std::vector<TensorType> same_matrix(std::span<const TensorType> operands, const Attributes&) { return {{operands[0].dtype, operands[0].shape}}; }

// The solution has the size of the right-hand side.
std::vector<TensorType> solution_type(std::span<const TensorType> operands, const Attributes&) { return {{operands[1].dtype, operands[1].shape}}; }

Dims stack_of(const Dims& shape) { return Dims(shape.begin(), shape.end() - 2); }
Dims with_last(Dims shape, Dim size) {
    shape.push_back(size);
    return shape;
}

std::vector<TensorType> det_type(std::span<const TensorType> operands, const Attributes&) { return {{operands[0].dtype, stack_of(operands[0].shape)}}; }

std::vector<TensorType> slogdet_type(std::span<const TensorType> operands, const Attributes&) {
    const Dims stack = stack_of(operands[0].shape);
    return {{operands[0].dtype, stack}, {real_dtype(operands[0].dtype), stack}};
}

std::vector<TensorType> qr_type(std::span<const TensorType> operands, const Attributes& attributes) {
    const Dims& shape = operands[0].shape;
    const Dim rows = shape[shape.size() - 2], columns = shape.back(), inner = std::get<bool>(attributes[0]) ? rows : smaller(rows, columns);
    return {{operands[0].dtype, matrix_shape(shape, rows, inner)}, {operands[0].dtype, matrix_shape(shape, inner, columns)}};
}

std::vector<TensorType> svd_type(std::span<const TensorType> operands, const Attributes& attributes) {
    const Dims& shape = operands[0].shape;
    const bool full = std::get<bool>(attributes[0]);
    const Dim rows = shape[shape.size() - 2], columns = shape.back(), least = smaller(rows, columns);
    return {{operands[0].dtype, matrix_shape(shape, rows, full ? rows : least)},
            {real_dtype(operands[0].dtype), with_last(stack_of(shape), least)},
            {operands[0].dtype, matrix_shape(shape, full ? columns : least, columns)}};
}

std::vector<TensorType> svdvals_type(std::span<const TensorType> operands, const Attributes&) {
    const Dims& shape = operands[0].shape;
    return {{real_dtype(operands[0].dtype), with_last(stack_of(shape), smaller(shape[shape.size() - 2], shape.back()))}};
}

std::vector<TensorType> eigh_type(std::span<const TensorType> operands, const Attributes&) {
    const Dims& shape = operands[0].shape;
    return {{real_dtype(operands[0].dtype), with_last(stack_of(shape), shape.back())}, {operands[0].dtype, shape}};
}

std::vector<TensorType> eigvalsh_type(std::span<const TensorType> operands, const Attributes&) {
    const Dims& shape = operands[0].shape;
    return {{real_dtype(operands[0].dtype), with_last(stack_of(shape), shape.back())}};
}

// ---- lowerings

Value matrix_of(Builder& builder, const BuiltinCall& call) {
    check_matrix(builder.type(call.tensor(0)), call.op().name());
    return as_floating(builder, call.tensor(0));
}
Value square_of(Builder& builder, const BuiltinCall& call) {
    check_square(builder.type(call.tensor(0)), call.op().name());
    return as_floating(builder, call.tensor(0));
}

// The lower triangle of x, or the upper one, which is the lower of its adjoint.
Lowered lower_cholesky(Builder& builder, const BuiltinCall& call) {
    const Value x = square_of(builder, call);
    if (!call.boolean(1)) return node(builder, "cholesky", {x});
    return adjoint(builder, node(builder, "cholesky", {adjoint(builder, x)}));
}

// a and b of one dtype and one stack; a b of one axis is a column, whose axis the result loses again.
Lowered solve_with(Builder& builder, const BuiltinCall& call, std::string_view row, Attributes attributes) {
    check_square(builder.type(call.tensor(0)), row);
    const Dims given = builder.type(call.tensor(1)).shape;
    if (given.empty()) call.fail(1, error("E307", "`" + std::string(row) + "` needs a vector or matrix on the right, not a scalar"));
    std::vector<Value> both = promote_values(builder, {as_floating(builder, call.tensor(0)), as_floating(builder, call.tensor(1))});
    if (given.size() == 1) both[1] = expand_at(builder, both[1], {1});
    const Dims a = builder.type(both[0]).shape, b = builder.type(both[1]).shape;
    const Dim size = a.back(), rows = b[b.size() - 2];
    if (!can_agree(size, rows)) call.fail(1, error("E301", "`" + std::string(row) + "`: the matrix has " + size.text() + " rows and the right-hand side " + rows.text()));
    const Dims stack = broadcast_shapes(std::array{stack_of(a), stack_of(b)});
    const auto spread = [&](Value x, const Dims& shape) {
        Dims wanted = stack;
        wanted.insert(wanted.end(), shape.end() - 2, shape.end());
        return broadcast_to(builder, x, wanted);
    };
    const Value solution = node(builder, row, {spread(both[0], a), spread(both[1], b)}, std::move(attributes));
    if (given.size() > 1) return solution;
    return squeeze_at(builder, solution, {static_cast<std::int64_t>(builder.type(solution).rank()) - 1});
}

Lowered lower_solve(Builder& builder, const BuiltinCall& call) { return solve_with(builder, call, "solve", {}); }
Lowered lower_triangular_solve(Builder& builder, const BuiltinCall& call) { return solve_with(builder, call, "triangular_solve", {call.boolean(2)}); }

Lowered lower_inv(Builder& builder, const BuiltinCall& call) {
    const Value x = square_of(builder, call);
    return node(builder, "solve", {x, identity_like(builder, x)});
}

Lowered lower_square(Builder& builder, const BuiltinCall& call) {
    std::vector<Value> results = builder.add_all(call.op(), {square_of(builder, call)});
    if (results.size() == 1) return results[0];
    return Lowered(std::move(results));
}

Lowered lower_qr(Builder& builder, const BuiltinCall& call) {
    const std::string& mode = call.text(1);
    if (mode != "reduced" && mode != "complete") call.fail(1, error("E310", "the mode of qr is \"reduced\" or \"complete\", not \"" + mode + "\""));
    return Lowered(builder.add_all(call.op(), {matrix_of(builder, call)}, {mode == "complete"}));
}

Lowered lower_svd(Builder& builder, const BuiltinCall& call) { return Lowered(builder.add_all(call.op(), {matrix_of(builder, call)}, {call.boolean(1)})); }
Lowered lower_svdvals(Builder& builder, const BuiltinCall& call) { return node(builder, "svdvals", {matrix_of(builder, call)}); }

} // namespace

std::span<const Op> linalg_factor_rows() {
    static constexpr std::array rows = {
        // operand: of which the lower triangle is read
        Op{.signature = "cholesky(x, upper: bool = false)", .doc = "The lower triangular L with x = L @ L.T (adjoint when complex), of which the lower triangle is read; upper: its adjoint, from the upper one. E606 where x is not positive definite.",
           .example = "cholesky([[4.0, 2.0], [2.0, 5.0]]) => [[2.0, 0.0], [1.0, 2.0]]", .family = Family::linalg, .lower = lower_cholesky, .type = same_matrix, .kernel = cholesky_kernel, .derivative = Derivative::rules(jvp_cholesky, vjp_cholesky), .effect = Effect::fault},
        // operands: a [..., n, n], b [..., n, m]
        Op{.signature = "solve(x1, x2)", .doc = "The x with x1 @ x = x2, x2 a vector or a stack of matrices. E604 where x1 is singular.",
           .example = "solve([[2.0, 0.0], [0.0, 4.0]], [2.0, 8.0]) => [1.0, 2.0]", .family = Family::linalg, .lower = lower_solve, .type = solution_type, .kernel = solve_kernel, .derivative = Derivative::rules(jvp_solve, vjp_solve), .effect = Effect::fault},
        // operands: as solve. attributes: 0: lower
        Op{.signature = "triangular_solve(a, b, lower: bool = true)", .doc = "The x with a @ x = b, where only the lower (or upper) triangle of a counts. E604 where its diagonal has a 0.",
           .example = "triangular_solve([[2.0, 9.0], [1.0, 4.0]], [2.0, 9.0]) => [1.0, 2.0]", .family = Family::linalg, .lower = lower_triangular_solve, .type = solution_type, .kernel = triangular_solve_kernel, .derivative = Derivative::rules(jvp_triangular_solve, vjp_triangular_solve), .effect = Effect::fault},
        Op{.signature = "inv(x)", .doc = "The inverse of square matrices. E604 where one is singular.",
           .example = "inv([[2.0, 0.0], [0.0, 4.0]]) => [[0.5, 0.0], [0.0, 0.25]]", .family = Family::linalg, .lower = lower_inv},
        Op{.signature = "det(x)", .doc = "The determinant of square matrices.",
           .example = "det([[1.0, 2.0], [3.0, 4.0]]) => -2.0", .family = Family::linalg, .lower = lower_square, .type = det_type, .kernel = det_kernel, .derivative = Derivative::rules(jvp_det, vjp_det)},
        // the matrix of d det / d x
        Op{.signature = "cofactors", .family = Family::linalg, .type = same_matrix, .kernel = cofactors_kernel, .derivative = Derivative::rules(jvp_cofactors, vjp_cofactors)},
        Op{.signature = "slogdet(x)", .doc = "The sign of the determinant and the logarithm of its absolute value.",
           .example = "slogdet([[2.0, 0.0], [0.0, -3.0]]) => (-1.0, 1.791759469228055)", .family = Family::linalg, .lower = lower_square, .type = slogdet_type, .kernel = slogdet_kernel, .derivative = Derivative::rules(jvp_slogdet, vjp_slogdet)},
        // operand. attributes: 0: complete
        Op{.signature = "qr(x, mode: string = \"reduced\")", .doc = "(q, r): orthonormal columns and an upper triangle with x = q @ r; mode \"complete\": a square q.",
           .example = "qr([[-3.0, 1.0], [-4.0, 2.0]])[1][0] => [5.0, -2.2]", .family = Family::linalg, .lower = lower_qr, .type = qr_type, .kernel = qr_kernel, .derivative = Derivative::rules(jvp_qr, vjp_qr)},
        // operand. attributes: 0: full matrices
        Op{.signature = "svd(x, full_matrices: bool = true)", .doc = "(u, s, vh): x = u @ diag(s) @ vh with the singular values s from the largest down. E607 where it doesn't converge.",
           .example = "svd([[0.0, 2.0], [3.0, 0.0]])[1] => [3.0, 2.0]", .family = Family::linalg, .lower = lower_svd, .type = svd_type, .kernel = svd_kernel, .derivative = Derivative::rules(jvp_svd, vjp_svd), .effect = Effect::fault},
        Op{.signature = "svdvals(x)", .doc = "The singular values from the largest down.",
           .example = "svdvals([[0.0, 2.0], [3.0, 0.0]]) => [3.0, 2.0]", .family = Family::linalg, .lower = lower_svdvals, .type = svdvals_type, .kernel = svdvals_kernel, .derivative = Derivative::rules(jvp_svdvals, vjp_svdvals), .effect = Effect::fault},
        // operand: of which the lower triangle is read
        Op{.signature = "eigh(x)", .doc = "(w, v): the eigenvalues of symmetric (Hermitian) matrices in ascending order, and the vectors as columns; the lower triangle is read.",
           .example = "eigh([[2.0, 0.0], [0.0, 1.0]])[0] => [1.0, 2.0]", .family = Family::linalg, .lower = lower_square, .type = eigh_type, .kernel = eigh_kernel, .derivative = Derivative::rules(jvp_eigh, vjp_eigh), .effect = Effect::fault},
        Op{.signature = "eigvalsh(x)", .doc = "The eigenvalues of symmetric (Hermitian) matrices in ascending order.",
           .example = "eigvalsh([[2.0, 0.0], [0.0, 1.0]]) => [1.0, 2.0]", .family = Family::linalg, .lower = lower_square, .type = eigvalsh_type, .kernel = eigvalsh_kernel, .derivative = Derivative::rules(jvp_eigvalsh, vjp_eigvalsh), .effect = Effect::fault},
        Op{.signature = "expm(x)", .doc = "The exponential of square matrices: the sum of x to the k over k!.",
           .example = "expm([[0.0, 1.0], [0.0, 0.0]]) => [[1.0, 1.0], [0.0, 1.0]]", .family = Family::linalg, .lower = lower_square, .type = same_matrix, .kernel = expm_kernel, .derivative = Derivative::rules(jvp_expm, vjp_expm)},
    };
    return rows;
}

} // namespace vmaprun
