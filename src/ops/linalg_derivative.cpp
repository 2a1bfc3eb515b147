// Of complex matrices: functions that are holomorphic (solve, det, expm) have one rule for both. The others are written with
// adjoints, and their reverse rules in the pairing Re(conj(c) t); cotangents here pair as Re(c t), so these rules conjugate
// what comes and what goes.
//
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
    // The complex conjugate; real values stay as they are.
    Value conj(Value a) const { return a && is_complex(type(a).dtype) ? pointwise(builder_, "conj", {a}) : a; }
    Value real(Value a) const { return is_complex(type(a).dtype) ? pointwise(builder_, "real", {a}) : a; }
    Value adjoint(Value a) const { return conj(turn(a)); }
    Value symmetric(Value a) const { return scale(0.5, add(a, adjoint(a))); }
    std::vector<Value> conj(std::span<const Value> values) const {
        std::vector<Value> conjugates;
        for (const Value value : values) conjugates.push_back(conj(value));
        return conjugates;
    }
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
    Value imaginary_diagonal(Value a) const { return each(subtract(a, real(a)), identity(a)); }
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

Value matrix_of_last(const Primal& at, Value x, std::int64_t axis, Dim start, Dim length) { return slice_axis(at.builder, x, axis, start, length); }

} // namespace

// ---- cholesky: L^-1 dA L^-T has in its lower half what L^-1 dL is

std::vector<Value> jvp_cholesky(const Primal& at, Tangents tangents) {
    const Algebra m(at);
    const Value l = at.results[0], inner = m.solve_right(m.adjoint(l), m.solve_triangular(l, m.symmetric(tangents[0]), true), false);
    return {m.times(l, m.half_diagonal(inner))};
}

std::vector<Value> vjp_cholesky(const Primal& at, Tangents cotangents, const std::vector<bool>&) {
    const Algebra m(at);
    const Value l = at.results[0], inner = m.half_diagonal(m.times(m.adjoint(l), m.conj(cotangents[0])));
    return {m.conj(m.symmetric(m.solve_right(l, m.solve_triangular(m.adjoint(l), inner, false), true)))};
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

namespace {

// d det / d a: the cofactors. Of small matrices as determinants of minors, which have every derivative again.
Value det_gradient(const Primal& at) {
    const Algebra m(at);
    const Value a = at.operands[0];
    const auto rank = static_cast<std::int64_t>(m.type(a).rank());
    const Dim n = m.type(a).shape.back();
    if (n.is_symbolic() || n.value() == 0 || n.value() > 4) return node(at.builder, "cofactors", {a});
    const std::int64_t size = n.value();
    Array others(DType::i64, {size, size - 1}), signs(DType::f64, {size, size}); // others[i]: the rows but i
    for (std::int64_t i = 0; i < size; ++i) {
        for (std::int64_t k = 0; k + 1 < size; ++k) others.as<std::int64_t>()[i * (size - 1) + k] = k < i ? k : k + 1;
        for (std::int64_t k = 0; k < size; ++k) signs.as<double>()[i * size + k] = (i + k) % 2 == 0 ? 1 : -1;
    }
    const Value index = at.builder.constant(others);
    const Dims all{n, n, n - 1, n - 1};
    const Value rows = broadcast_to(at.builder, reshape_to(at.builder, index, {n, 1, n - 1, 1}), all);
    const Value columns = broadcast_to(at.builder, reshape_to(at.builder, index, {1, n, 1, n - 1}), all);
    const Value minors = node(at.builder, "det", {gather(at.builder, a, {rows, columns}, {rank - 2, rank - 1}, rank - 2)});
    return m.each(minors, cast(at.builder, at.builder.constant(signs), m.type(a).dtype));
}

} // namespace

std::vector<Value> jvp_det(const Primal& at, Tangents tangents) {
    const Algebra m(at);
    return {m.sum_last(m.sum_last(m.each(det_gradient(at), tangents[0])))};
}

std::vector<Value> vjp_det(const Primal& at, Tangents cotangents, const std::vector<bool>&) {
    const Algebra m(at);
    return {m.each(m.as_matrix(cotangents[0]), det_gradient(at))};
}

namespace {

// How the cofactors C = det(a) B, B = a^-T, move with t: det(a) (<B, t> B - B t' B). The map is its own transpose.
Value moved_cofactors(const Primal& at, Value t) {
    const Algebra m(at);
    const Value b = m.turn(m.inverse(at.operands[0]));
    const Value along = m.each(m.as_matrix(m.sum_last(m.sum_last(m.each(b, t)))), at.results[0]);
    return m.subtract(along, m.times(at.results[0], m.times(m.turn(t), b)));
}

} // namespace

std::vector<Value> jvp_cofactors(const Primal& at, Tangents tangents) { return {moved_cofactors(at, tangents[0])}; }
std::vector<Value> vjp_cofactors(const Primal& at, Tangents cotangents, const std::vector<bool>&) { return {moved_cofactors(at, cotangents[0])}; }

// With t = trace(a^-1 da): the logarithm moves by Re t, and the sign, if complex, turns by i Im t.
std::vector<Value> jvp_slogdet(const Primal& at, Tangents tangents) {
    const Algebra m(at);
    const Value trace = m.trace(m.solve(at.operands[0], tangents[0])), length = m.real(trace);
    const bool turns = is_complex(m.type(trace).dtype);
    return {turns ? m.each(m.subtract(trace, length), at.results[0]) : Value{}, length};
}

std::vector<Value> vjp_slogdet(const Primal& at, Tangents cotangents, const std::vector<bool>&) {
    const Algebra m(at);
    const DType dtype = m.type(at.operands[0]).dtype;
    Value trace = cotangents[1] ? cast(at.builder, cotangents[1], dtype) : Value{};
    if (cotangents[0] && is_complex(dtype)) {
        const Value turned = m.each(cotangents[0], at.results[0]);
        trace = m.add(trace, m.subtract(turned, m.real(turned)));
    }
    if (!trace) return {Value{}};
    return {m.each(m.as_matrix(trace), m.turn(m.inverse(at.operands[0])))};
}

// ---- qr

namespace {

void only_full_rank_qr(const Primal& at) {
    const Dims& shape = at.builder.type(at.operands[0]).shape;
    const Dim rows = shape[shape.size() - 2], columns = shape.back();
    const bool square = rows == columns;
    if (surely_greater(columns, rows) || (at.node.boolean(0) && !square)) {
        throw UserError(error("E415", "the derivative of qr is known where the matrix has no more columns than rows, in mode \"reduced\" or of a square one").help("a wider matrix has its square part: qr(x[:, :n]); keep a complete q out of the derivative with stop_gradient"));
    }
}

} // namespace

std::vector<Value> jvp_qr(const Primal& at, Tangents tangents) {
    only_full_rank_qr(at);
    const Algebra m(at);
    const Value q = at.results[0], r = at.results[1];
    const Value moved = m.solve_right(r, tangents[0], false), inner = m.times(m.adjoint(q), moved), below = m.lower_part(inner, -1);
    Value turning = m.subtract(below, m.adjoint(below)); // antihermitian
    if (is_complex(m.type(q).dtype)) turning = m.add(turning, m.imaginary_diagonal(inner));
    const Value rest = m.subtract(inner, turning); // upper, with a real diagonal
    return {m.add(m.times(q, m.minus(rest)), moved), m.times(rest, r)};
}

std::vector<Value> vjp_qr(const Primal& at, Tangents cotangents, const std::vector<bool>&) {
    only_full_rank_qr(at);
    const Algebra m(at);
    const std::vector<Value> c = m.conj(cotangents);
    const Value q = at.results[0], r = at.results[1];
    Value inner;
    if (c[1]) inner = m.times(r, m.adjoint(c[1]));
    if (c[0]) inner = m.add(inner, m.minus(m.times(m.adjoint(c[0]), q)));
    const Value half = m.half_diagonal(inner), both = m.add(half, m.adjoint(half));
    return {m.conj(m.adjoint(m.solve_triangular(r, m.adjoint(m.add(c[0], m.times(q, both))), false)))};
}

// ---- singular values

namespace {

// u, s, v with the columns that have a singular value.
struct Singular {
    Value u, s, v;
    bool tall, wide;
};

Singular singular_of(const Primal& at) {
    const Algebra m(at);
    const Dims& shape = at.builder.type(at.operands[0]).shape;
    const Dim rows = shape[shape.size() - 2], columns = shape.back();
    if (at.node.boolean(0) && !(rows == columns)) throw UserError(error("E415", "the derivative of svd is known for full_matrices=false, or a square matrix").help("svd(x, full_matrices=false)"));
    return {at.results[0], at.results[1], m.adjoint(at.results[2]), surely_greater(rows, columns), surely_greater(columns, rows)};
}

// 1 / (s[j]² - s[i]²)
Value square_gaps(const Algebra& m, Value s) { return m.inverse_gaps(m.each(s, s)); }

} // namespace

// Complex vectors may turn by a phase; as in JAX all of the turn that da makes is given to u.
std::vector<Value> jvp_svd(const Primal& at, Tangents tangents) {
    const auto [u, s, v, tall, wide] = singular_of(at);
    const Algebra m(at);
    const Value moved = m.times(tangents[0], v), inner = m.times(m.adjoint(u), moved), gaps = square_gaps(m, s);
    const Value by_row = m.each(inner, m.row(s)), by_column = m.each(inner, m.column(s));
    Value du = m.each(gaps, m.add(by_row, m.adjoint(by_row)));
    if (is_complex(m.type(u).dtype)) du = m.add(du, m.over(m.imaginary_diagonal(inner), m.row(s)));
    du = m.times(u, du);
    Value dv = m.times(v, m.each(gaps, m.add(by_column, m.adjoint(by_column))));
    if (tall) du = m.add(du, m.over(m.subtract(moved, m.times(u, inner)), m.row(s)));
    if (wide) {
        const Value turned = m.times(m.adjoint(tangents[0]), u);
        dv = m.add(dv, m.over(m.subtract(turned, m.times(v, m.adjoint(inner))), m.row(s)));
    }
    return {du, m.real(m.diagonal(inner)), m.adjoint(dv)};
}

std::vector<Value> vjp_svd(const Primal& at, Tangents cotangents, const std::vector<bool>&) {
    const auto [u, s, v, tall, wide] = singular_of(at);
    const Algebra m(at);
    const std::vector<Value> c = m.conj(cotangents);
    const Value gaps = square_gaps(m, s);
    const auto balanced = [&](Value along) {
        const Value part = m.each(gaps, along);
        return m.add(part, m.adjoint(part));
    };
    Value inner, outer;
    if (c[1]) inner = m.diagonal_matrix(cast(at.builder, c[1], m.type(u).dtype));
    if (c[0]) {
        const Value along = m.times(m.adjoint(u), c[0]);
        inner = m.add(inner, m.each(balanced(along), m.row(s)));
        if (is_complex(m.type(u).dtype)) inner = m.add(inner, m.over(m.imaginary_diagonal(along), m.row(s)));
    }
    if (c[2]) inner = m.add(inner, m.each(m.column(s), balanced(m.times(m.adjoint(v), m.adjoint(c[2])))));
    if (c[0] && tall) {
        const Value rest = m.subtract(c[0], m.times(u, m.times(m.adjoint(u), c[0])));
        outer = m.times(m.over(rest, m.row(s)), m.adjoint(v));
    }
    if (c[2] && wide) {
        const Value rest = m.subtract(c[2], m.times(m.times(c[2], v), m.adjoint(v)));
        outer = m.add(outer, m.times(u, m.over(rest, m.column(s))));
    }
    return {m.conj(m.add(m.times(m.times(u, inner), m.adjoint(v)), outer))};
}

std::vector<Value> jvp_svdvals(const Primal& at, Tangents tangents) {
    const Algebra m(at);
    const std::vector<Value> parts = at.builder.add_all(op_named("svd"), {at.operands[0]}, {false});
    return {m.real(m.diagonal(m.times(m.times(m.adjoint(parts[0]), tangents[0]), m.adjoint(parts[2]))))};
}

std::vector<Value> vjp_svdvals(const Primal& at, Tangents cotangents, const std::vector<bool>&) {
    const Algebra m(at);
    const std::vector<Value> parts = at.builder.add_all(op_named("svd"), {at.operands[0]}, {false});
    return {m.conj(m.times(m.each(parts[0], m.row(cotangents[0])), parts[2]))};
}

// ---- eigenvalues

std::vector<Value> jvp_eigh(const Primal& at, Tangents tangents) {
    const Algebra m(at);
    const Value w = at.results[0], v = at.results[1];
    const Value inner = m.times(m.times(m.adjoint(v), m.symmetric(tangents[0])), v);
    return {m.real(m.diagonal(inner)), m.times(v, m.each(m.inverse_gaps(w), inner))};
}

std::vector<Value> vjp_eigh(const Primal& at, Tangents cotangents, const std::vector<bool>&) {
    const Algebra m(at);
    const Value w = at.results[0], v = at.results[1];
    Value inner;
    if (cotangents[0]) inner = m.diagonal_matrix(cast(at.builder, cotangents[0], m.type(v).dtype));
    if (cotangents[1]) inner = m.add(inner, m.each(m.inverse_gaps(w), m.times(m.adjoint(v), m.conj(cotangents[1]))));
    return {m.conj(m.symmetric(m.times(m.times(v, inner), m.adjoint(v))))};
}

std::vector<Value> jvp_eigvalsh(const Primal& at, Tangents tangents) {
    const Algebra m(at);
    const Value v = at.builder.add_all(op_named("eigh"), {at.operands[0]})[1];
    return {m.real(m.diagonal(m.times(m.times(m.adjoint(v), m.symmetric(tangents[0])), v)))};
}

std::vector<Value> vjp_eigvalsh(const Primal& at, Tangents cotangents, const std::vector<bool>&) {
    const Algebra m(at);
    const Value v = at.builder.add_all(op_named("eigh"), {at.operands[0]})[1];
    return {m.conj(m.times(m.each(v, m.row(cotangents[0])), m.adjoint(v)))};
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
