#include "exec/codes.hpp"

namespace vmaprun {
namespace {

constexpr CodeExplanation explanations[] = {
    {"E601", "a computed index is out of range",
     "Constant indices are checked before anything runs (E306); this one came out of a computation. The message gives the\n"
     "index, the axis and its size, and under vmap the lane. Of several such faults the one that is told is what running one\n"
     "lane after another, each in program order, would meet first: the same in every mode and on any number of threads.\n"
     "    let last = x[n - 1]          n = 0 asks for position -1\n"
     "Guard it with `if`, whose branches act only in lanes that take them, keep it in range with clip(), or run with\n"
     "`--index clamp`: reads take the nearest element, writes outside are dropped.\n"},
    {"E602", "not enough memory",
     "A result is larger than the memory of the machine, or than what the system still gives. The message gives its shape and\n"
     "size. Often an axis was meant to be reduced, or two vmaps make a grid of all pairs:\n"
     "    [[f(a, b) for b in ys] for a in xs]          len(xs) * len(ys) results\n"
     "Reduce inside of the vmap, so that only the reduced value leaves it, or work on fewer lanes at a time.\n"},
    {"E603", "a loop is past its limit",
     "`loop … while c limit n` stops with this error when c still holds after n iterations; under vmap each lane counts for\n"
     "itself, and the first one to fail is named. Either the limit is too small, or the iteration does not converge: NaN in a\n"
     "condition such as `err > 1e-6` ends a loop, but `not (err <= 1e-6)` goes on for ever.\n"
     "    loop x = 1.0 while abs(x * x - a) > 1e-9 limit 100 { 0.5 * (x + a / x) }          never ends for a < 0\n"},
    {"E604", "a matrix is singular",
     "solve, inv and triangular_solve need a matrix whose rows are independent; this one has a pivot that is exactly 0. Under\n"
     "vmap the lane is named, in a stack of matrices the place. A least-squares answer exists always: lstsq(a, b) or pinv(a);\n"
     "a small multiple of the identity makes a matrix regular:\n"
     "    solve(a + 1e-9 * eye(n), b)\n"},
    {"E605", "the run took longer than `--timeout`",
     "The run was given a number of seconds and stopped when they were over. Nothing was written: outputs appear whole or not\n"
     "at all. Give it more time, or a `limit` to the loop that goes on.\n"},
    {"E606", "a matrix is not positive definite",
     "cholesky(x) needs a symmetric (Hermitian) matrix with positive eigenvalues; the message gives the order of the first\n"
     "leading minor that is not positive. Covariances that are so in theory lose it by rounding: add a small multiple of the\n"
     "identity. Only the lower triangle is read, so a matrix that is not symmetric isn't noticed.\n"
     "    cholesky(k + 1e-6 * eye(n))\n"},
    {"E607", "a decomposition does not converge",
     "The iteration for singular values or eigenvalues (svd, svdvals, eigh, eigvalsh and what is made of them) gave up, which\n"
     "hardly happens with finite numbers; NaN and infinities make NaN, not this error. Scale the matrix, or use f64.\n"},
    {"E608", "a NaN or an infinity came out of finite numbers",
     "With `--check-nan` the run stops at the first operation that makes a NaN or an infinity of operands that are finite: the\n"
     "place where it begins, not the one where it shows. Element by element for what works so, by whole samples for sums,\n"
     "products of matrices and the like. Of several lanes the first in row-major order is told, the same in every mode.\n"
     "    log(x)                     x = 0.0 gives -inf\n"
     "    where(x > 0, log(x), 0.0)  so does this: log sees every x; write log(where(x > 0, x, 1.0))\n"},
    {"E610", "an assertion does not hold",
     "assert_eq compares values and shapes (NaN equals NaN), assert_close allows |a - b| <= tol * (1 + |b|), assert_finite\n"
     "refuses NaN and infinities. The message gives the first element that fails, and under vmap the lane. The exit code is 1,\n"
     "as for a failed test. Checks run even when nothing uses what they look at, but only in lanes that reach them.\n"},
};

} // namespace

std::span<const CodeExplanation> run_codes() { return explanations; }

} // namespace vmaprun
