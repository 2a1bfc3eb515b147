// Giles, An extended collection of matrix derivative results (2008), and Townsend, Differentiating the singular value
// decomposition (2016), where JAX's own rules have no shorter form.
#include "ops/linalg_derivative.hpp"

#include "ops/contraction.hpp"
#include "ops/derivative.hpp"
#include "ops/linalg.hpp"
#include "ops/movement.hpp"
#include "ops/reduction.hpp"

namespace vmaprun {
namespace {

// Matrices in a formula.
class Algebra {
  public:
    explicit Algebra(const Primal& at) : builder_(at.builder) {}

    Value times(Value a, Value b) const { return matmul(builder_, a, b); }
    Value turn(Value a) const { return transposed(builder_, a); }
    Value add(Value a, Value b) const { return add_cotangents(builder_, a, b); }
    Value subtract(Value a, Value b) const { return pointwise(builder_, "subtract", {a, b}); }
    Value each(Value a, Value b) const { return pointwise(builder_, "multiply", {a, b}); }
    Value over(Value a, Value b) const { return pointwise(builder_, "divide", {a, b}); }
    Value minus(Value a) const { return pointwise(builder_, "negative", {a}); }
    Value scale(double factor, Value a) const { return each(scalar(builder_, factor, type(a).dtype), a); }
    Value solve(Value a, Value b) const { return node(builder_, "solve", {a, b}); }
    Value solve_triangular(Value a, Value b, bool lower) const { return node(builder_, "triangular_solve", {a, b}, {lower}); }
    // b a^-1
    Value solve_right(Value a, Value b, bool lower) const { return turn(solve_triangular(turn(a), turn(b), !lower)); }
    Value identity(Value like) const { return identity_like(builder_, like); }
    Value inverse(Value a) const { return solve(a, identity(a)); }
    Value symmetric(Value a) const { return scale(0.5, add(a, turn(a))); }
    const TensorType& type(Value a) const { return builder_.type(a); }

    // column <= row + k
    Value lower_part(Value a, std::int64_t k = 0) const {
        const Dims& shape = type(a).shape;
        const Value mask = node(builder_, "triangle_mask", {}, {Dims{shape[shape.size() - 2], shape.back()}, k});
        return pointwise(builder_, "where", {mask, a, scalar(builder_, 0.0, type(a).dtype)});
    }
    Value upper_part(Value a) const { return turn(lower_part(turn(a))); }
    Value half_diagonal(Value a) const { // the lower part with half of the diagonal
        return scale(0.5, add(lower_part(a), lower_part(a, -1)));
    }
    Value diagonal(Value a) const { return sum_last(each(a, identity(a))); }
    Value diagonal_matrix(Value v) const { // of the vectors in the last axis
        const Dim n = type(v).shape.back();
        const auto rank = static_cast<std::int64_t>(type(v).rank());
        const Value mask = node(builder_, "eye", {scalar(builder_, 1.0, type(v).dtype)}, {Dims{n, n}, std::int64_t{0}});
        return each(expand_at(builder_, v, {rank - 1}), mask);
    }
    Value row(Value v) const { return expand_at(builder_, v, {static_cast<std::int64_t>(type(v).rank()) - 1}); }
    Value column(Value v) const { return expand_at(builder_, v, {static_cast<std::int64_t>(type(v).rank())}); }
    Value as_matrix(Value v) const { return column(column(v)); }
    Value trace(Value a) const { return sum_last(diagonal(a)); }
    Value sum_last(Value a) const { return reduce(builder_, "sum", a, {static_cast<std::int64_t>(type(a).rank()) - 1}, false); }
    // 1 / (w[j] - w[i]) off the diagonal, 0 on it
    Value inverse_gaps(Value w) const {
        const Value gaps = subtract(row(w), column(w)), one = identity(gaps);
        return subtract(over(scalar(builder_, 1.0, type(w).dtype), add(gaps, one)), one);
    }

  private:
    Builder& builder_;
};

void only_real(const Primal& at) {
    if (is_complex(at.builder.type(at.operands[0]).dtype)) throw UserError(error("E415", "the derivative of `" + std::string(at.node.op->name()) + "` is known for real matrices alone"));
}

Value matrix_of_last(const Primal& at, Value x, std::int64_t axis, Dim start, Dim length) { return slice_axis(at.builder, x, axis, start, length); }

} // namespace

// ---- cholesky: L^-1 dA L^-T has in its lower half what L^-1 dL is

std::vector<Value> jvp_cholesky(const Primal& at, Tangents tangents) {
    only_real(at);
    const Algebra m(at);
    const Value l = at.results[0], inner = m.solve_right(m.turn(l), m.solve_triangular(l, m.symmetric(tangents[0]), true), false);
    return {m.times(l, m.half_diagonal(inner))};
}

std::vector<Value> vjp_cholesky(const Primal& at, Tangents cotangents, const std::vector<bool>&) {
    only_real(at);
    const Algebra m(at);
    const Value l = at.results[0], inner = m.half_diagonal(m.times(m.turn(l), cotangents[0]));
    return {m.symmetric(m.solve_right(l, m.solve_triangular(m.turn(l), inner, false), true))};
}

// ---- a x = b

std::vector<Value> jvp_solve(const Primal& at, Tangents tangents) {
    const Algebra m(at);
    Value right = tangents[1];
    if (tangents[0]) right = m.add(right, m.minus(m.times(tangents[0], at.results[0])));
    return {m.solve(at.operands[0], right)};
}

std::vector<Value> vjp_solve(const Primal& at, Tangents cotangents, const std::vector<bool>& wanted) {
    const Algebra m(at);
    const Value right = m.solve(m.turn(at.operands[0]), cotangents[0]);
    return {wanted[0] ? m.minus(m.times(right, m.turn(at.results[0]))) : Value{}, right};
}

std::vector<Value> jvp_triangular_solve(const Primal& at, Tangents tangents) {
    const Algebra m(at);
    const bool lower = at.node.boolean(0);
    Value right = tangents[1];
    if (tangents[0]) right = m.add(right, m.minus(m.times(lower ? m.lower_part(tangents[0]) : m.upper_part(tangents[0]), at.results[0])));
    return {m.solve_triangular(at.operands[0], right, lower)};
}

std::vector<Value> vjp_triangular_solve(const Primal& at, Tangents cotangents, const std::vector<bool>& wanted) {
    const Algebra m(at);
    const bool lower = at.node.boolean(0);
    const Value right = m.solve_triangular(m.turn(at.operands[0]), cotangents[0], !lower);
    if (!wanted[0]) return {Value{}, right};
    const Value whole = m.minus(m.times(right, m.turn(at.results[0])));
    return {lower ? m.lower_part(whole) : m.upper_part(whole), right};
}

// ---- determinants

std::vector<Value> jvp_det(const Primal& at, Tangents tangents) {
    const Algebra m(at);
    return {m.each(at.results[0], m.trace(m.solve(at.operands[0], tangents[0])))};
}

std::vector<Value> vjp_det(const Primal& at, Tangents cotangents, const std::vector<bool>&) {
    const Algebra m(at);
    return {m.each(m.as_matrix(m.each(cotangents[0], at.results[0])), m.turn(m.inverse(at.operands[0])))};
}

// The sign of a real determinant doesn't change.
std::vector<Value> jvp_slogdet(const Primal& at, Tangents tangents) {
    only_real(at);
    const Algebra m(at);
    return {Value{}, m.trace(m.solve(at.operands[0], tangents[0]))};
}

std::vector<Value> vjp_slogdet(const Primal& at, Tangents cotangents, const std::vector<bool>&) {
    only_real(at);
    if (!cotangents[1]) return {Value{}};
    const Algebra m(at);
    return {m.each(m.as_matrix(cotangents[1]), m.turn(m.inverse(at.operands[0])))};
}

// ---- qr

namespace {

void only_full_rank_qr(const Primal& at) {
    only_real(at);
    const Dims& shape = at.builder.type(at.operands[0]).shape;
    const Dim rows = shape[shape.size() - 2], columns = shape.back();
    const bool square = rows == columns;
    if (surely_greater(columns, rows) || (at.node.boolean(0) && !square)) {
        throw UserError(error("E415", "the derivative of qr is known where the matrix has no more columns than rows, in mode \"reduced\" or of a square one"));
    }
}

} // namespace

std::vector<Value> jvp_qr(const Primal& at, Tangents tangents) {
    only_full_rank_qr(at);
    const Algebra m(at);
    const Value q = at.results[0], r = at.results[1];
    const Value moved = m.solve_right(r, tangents[0], false), inner = m.times(m.turn(q), moved), below = m.lower_part(inner, -1);
    const Value turning = m.subtract(below, m.turn(below)), rest = m.subtract(inner, turning); // antisymmetric, and upper
    return {m.add(m.times(q, m.minus(rest)), moved), m.times(rest, r)};
}

std::vector<Value> vjp_qr(const Primal& at, Tangents cotangents, const std::vector<bool>&) {
    only_full_rank_qr(at);
    const Algebra m(at);
    const Value q = at.results[0], r = at.results[1];
    Value inner;
    if (cotangents[1]) inner = m.times(r, m.turn(cotangents[1]));
    if (cotangents[0]) inner = m.add(inner, m.minus(m.times(m.turn(cotangents[0]), q)));
    const Value both = m.add(m.lower_part(inner), m.turn(m.lower_part(inner, -1)));
    return {m.turn(m.solve_triangular(r, m.turn(m.add(cotangents[0], m.times(q, both))), false))};
}

// ---- singular values

namespace {

// u, s, v with the columns that have a singular value.
struct Singular {
    Value u, s, v;
    bool tall, wide;
};

Singular singular_of(const Primal& at) {
    only_real(at);
    const Algebra m(at);
    const Dims& shape = at.builder.type(at.operands[0]).shape;
    const Dim rows = shape[shape.size() - 2], columns = shape.back();
    if (at.node.boolean(0) && !(rows == columns)) throw UserError(error("E415", "the derivative of svd is known for full_matrices=false, or a square matrix").help("svd(x, full_matrices=false)"));
    return {at.results[0], at.results[1], m.turn(at.results[2]), surely_greater(rows, columns), surely_greater(columns, rows)};
}

// 1 / (s[j]² - s[i]²)
Value square_gaps(const Algebra& m, Value s) { return m.inverse_gaps(m.each(s, s)); }

} // namespace

std::vector<Value> jvp_svd(const Primal& at, Tangents tangents) {
    const auto [u, s, v, tall, wide] = singular_of(at);
    const Algebra m(at);
    const Value moved = m.times(tangents[0], v), inner = m.times(m.turn(u), moved), gaps = square_gaps(m, s);
    const Value by_row = m.each(inner, m.row(s)), by_column = m.each(inner, m.column(s));
    Value du = m.times(u, m.each(gaps, m.add(by_row, m.turn(by_row))));
    Value dv = m.times(v, m.each(gaps, m.add(by_column, m.turn(by_column))));
    if (tall) du = m.add(du, m.over(m.subtract(moved, m.times(u, inner)), m.row(s)));
    if (wide) {
        const Value turned = m.times(m.turn(tangents[0]), u);
        dv = m.add(dv, m.over(m.subtract(turned, m.times(v, m.turn(inner))), m.row(s)));
    }
    return {du, m.diagonal(inner), m.turn(dv)};
}

std::vector<Value> vjp_svd(const Primal& at, Tangents cotangents, const std::vector<bool>&) {
    const auto [u, s, v, tall, wide] = singular_of(at);
    const Algebra m(at);
    const Value gaps = square_gaps(m, s);
    const auto balanced = [&](Value basis, Value cotangent) {
        const Value part = m.each(gaps, m.times(m.turn(basis), cotangent));
        return m.add(part, m.turn(part));
    };
    Value inner, outer;
    if (cotangents[1]) inner = m.diagonal_matrix(cotangents[1]);
    if (cotangents[0]) inner = m.add(inner, m.each(balanced(u, cotangents[0]), m.row(s)));
    if (cotangents[2]) inner = m.add(inner, m.each(m.column(s), balanced(v, m.turn(cotangents[2]))));
    if (cotangents[0] && tall) {
        const Value rest = m.subtract(cotangents[0], m.times(u, m.times(m.turn(u), cotangents[0])));
        outer = m.times(m.over(rest, m.row(s)), m.turn(v));
    }
    if (cotangents[2] && wide) {
        const Value rest = m.subtract(cotangents[2], m.times(m.times(cotangents[2], v), m.turn(v)));
        outer = m.add(outer, m.times(u, m.over(rest, m.column(s))));
    }
    return {m.add(m.times(m.times(u, inner), m.turn(v)), outer)};
}

std::vector<Value> jvp_svdvals(const Primal& at, Tangents tangents) {
    only_real(at);
    const Algebra m(at);
    const std::vector<Value> parts = at.builder.add_all(op_named("svd"), {at.operands[0]}, {false});
    return {m.diagonal(m.times(m.times(m.turn(parts[0]), tangents[0]), m.turn(parts[2])))};
}

std::vector<Value> vjp_svdvals(const Primal& at, Tangents cotangents, const std::vector<bool>&) {
    only_real(at);
    const Algebra m(at);
    const std::vector<Value> parts = at.builder.add_all(op_named("svd"), {at.operands[0]}, {false});
    return {m.times(m.each(parts[0], m.row(cotangents[0])), parts[2])};
}

// ---- eigenvalues

std::vector<Value> jvp_eigh(const Primal& at, Tangents tangents) {
    only_real(at);
    const Algebra m(at);
    const Value w = at.results[0], v = at.results[1];
    const Value inner = m.times(m.times(m.turn(v), m.symmetric(tangents[0])), v);
    return {m.diagonal(inner), m.times(v, m.each(m.inverse_gaps(w), inner))};
}

std::vector<Value> vjp_eigh(const Primal& at, Tangents cotangents, const std::vector<bool>&) {
    only_real(at);
    const Algebra m(at);
    const Value w = at.results[0], v = at.results[1];
    Value inner;
    if (cotangents[0]) inner = m.diagonal_matrix(cotangents[0]);
    if (cotangents[1]) inner = m.add(inner, m.each(m.inverse_gaps(w), m.times(m.turn(v), cotangents[1])));
    return {m.symmetric(m.times(m.times(v, inner), m.turn(v)))};
}

std::vector<Value> jvp_eigvalsh(const Primal& at, Tangents tangents) {
    only_real(at);
    const Algebra m(at);
    const Value v = at.builder.add_all(op_named("eigh"), {at.operands[0]})[1];
    return {m.diagonal(m.times(m.times(m.turn(v), m.symmetric(tangents[0])), v))};
}

std::vector<Value> vjp_eigvalsh(const Primal& at, Tangents cotangents, const std::vector<bool>&) {
    only_real(at);
    const Algebra m(at);
    const Value v = at.builder.add_all(op_named("eigh"), {at.operands[0]})[1];
    return {m.times(m.each(v, m.row(cotangents[0])), m.turn(v))};
}

// ---- expm: the exponential of [[a, b], [0, a]] has the derivative at a along b above its diagonal

namespace {

Value exponential_along(const Primal& at, Value a, Value b) {
    const auto rank = static_cast<std::int64_t>(at.builder.type(a).rank());
    const Dim n = at.builder.type(a).shape.back();
    const Value above = concat_values(at.builder, {a, b}, rank - 1), below = concat_values(at.builder, {zeros_like(at.builder, a), a}, rank - 1);
    const Value whole = node(at.builder, "expm", {concat_values(at.builder, {above, below}, rank - 2)});
    return matrix_of_last(at, matrix_of_last(at, whole, rank - 2, 0, n), rank - 1, n, n);
}

} // namespace

std::vector<Value> jvp_expm(const Primal& at, Tangents tangents) { return {exponential_along(at, at.operands[0], tangents[0])}; }

std::vector<Value> vjp_expm(const Primal& at, Tangents cotangents, const std::vector<bool>&) {
    return {exponential_along(at, transposed(at.builder, at.operands[0]), cotangents[0])};
}

} // namespace vmaprun
