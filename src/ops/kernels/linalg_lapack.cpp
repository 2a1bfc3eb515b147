// qr, svd and eigh by the reference LAPACK: geqrf with orgqr, gesdd, syevd (heevd), as NumPy calls them, so that signs and
// order are its. A matrix that holds NaN or an infinity gives NaN.
#include <algorithm>
#include <cstring>
#include <limits>

#include "ops/kernels/lapack.hpp"
#include "ops/kernels/linalg.hpp"
#include "ops/kernels/linalg_stack.hpp"

// What LAPACK wants of others: its complaint about wrong arguments, which would print by the Fortran run-time library, and
// that library's one function that the routines use. They stand in this file because it is linked before LAPACK; so the
// library isn't linked at all, and nothing of it runs when the program starts.
extern "C" {

// The routines return what was wrong anyway.
void xerbla_(const char*, const int*, std::size_t) {}

// a // b, in a text of a given length that is filled with spaces.
void _gfortran_concat_string(std::size_t length, char* text, std::size_t a_length, const char* a, std::size_t b_length, const char* b) {
    std::memset(text, ' ', length);
    std::memcpy(text, a, std::min(a_length, length));
    if (a_length < length) std::memcpy(text + a_length, b, std::min(b_length, length - a_length));
}

} // extern "C"

namespace vmaprun {
namespace {

template <class T> using Column = std::vector<T>;

std::size_t count(std::int64_t rows, std::int64_t columns) { return static_cast<std::size_t>(std::max<std::int64_t>(1, rows * columns)); }

// False when something isn't finite.
template <class T> bool take(const StridedMatrix<T>& from, T* to) {
    bool finite = true;
    for (std::int64_t j = 0; j < from.columns; ++j) {
        for (std::int64_t i = 0; i < from.rows; ++i) {
            to[j * from.rows + i] = from.at(i, j);
            finite = finite && is_finite_number(from.at(i, j));
        }
    }
    return finite;
}
template <class T> void give(const T* from, std::int64_t stride, const StridedMatrix<T>& to) {
    for (std::int64_t i = 0; i < to.rows; ++i) {
        for (std::int64_t j = 0; j < to.columns; ++j) to.at(i, j) = from[j * stride + i];
    }
}
template <class T> void fill(const StridedMatrix<T>& matrix, T value) {
    for (std::int64_t i = 0; i < matrix.rows; ++i) {
        for (std::int64_t j = 0; j < matrix.columns; ++j) matrix.at(i, j) = value;
    }
}
template <class T> void fill_identity(const StridedMatrix<T>& matrix) {
    fill(matrix, T{});
    for (std::int64_t i = 0; i < std::min(matrix.rows, matrix.columns); ++i) matrix.at(i, i) = T(1);
}
template <class T> T not_a_number() { return T(std::numeric_limits<Real<T>>::quiet_NaN()); }

std::string convergence_text(std::int64_t) { return "the iteration for the singular values or eigenvalues does not converge"; }

// ---- qr

template <class T> void qr_of(const KernelCall& call) {
    const MatrixStack stack(call, {2, 2, 2});
    const std::int64_t m = stack.size(0, 2), n = stack.size(0, 1), k = std::min(m, n), wide = stack.size(1, 1); // columns of q
    stack.run(matrix_grain(std::max(m, n)), "", [&] {
        return [&, a = Column<T>(count(m, std::max(n, wide))), tau = Column<T>(count(k, 1)), work = Column<T>()](std::byte* const* at) mutable -> std::int64_t {
            const auto from = stack.matrix<T>(0, at), q = stack.matrix<T>(1, at), r = stack.matrix<T>(2, at);
            if (k == 0) {
                fill_identity(q), fill(r, T{});
                return 0;
            }
            if (!take(from, a.data())) {
                fill(q, not_a_number<T>()), fill(r, not_a_number<T>());
                return 0;
            }
            const int rows = static_cast<int>(m), columns = static_cast<int>(n), kept = static_cast<int>(wide), reflectors = static_cast<int>(k);
            int info = 0;
            if (work.empty()) {
                const int asking = -1;
                T first{}, second{};
                lapack::geqrf(&rows, &columns, a.data(), tau.data(), &first, &asking, &info);
                lapack::orgqr(&rows, &kept, &reflectors, a.data(), tau.data(), &second, &asking, &info);
                work.resize(static_cast<std::size_t>(std::max(std::real(first), std::real(second))) + 1);
            }
            const int size = static_cast<int>(work.size());
            lapack::geqrf(&rows, &columns, a.data(), tau.data(), work.data(), &size, &info);
            for (std::int64_t i = 0; i < r.rows; ++i) {
                for (std::int64_t j = 0; j < n; ++j) r.at(i, j) = j < i ? T{} : a[static_cast<std::size_t>(j * m + i)];
            }
            lapack::orgqr(&rows, &kept, &reflectors, a.data(), tau.data(), work.data(), &size, &info);
            give(a.data(), m, q);
            return 0;
        };
    }, convergence_text);
}

// ---- svd

template <class T> void svd_of(const KernelCall& call) {
    const MatrixStack stack(call, {2, 2, 1, 2});
    const std::int64_t m = stack.size(0, 2), n = stack.size(0, 1), k = std::min(m, n);
    const bool full = call.node->boolean(0);
    const std::int64_t left = full ? m : k, right = full ? n : k;
    stack.run(matrix_grain(2 * std::max(m, n)), "E607", [&] {
        return [&, a = Column<T>(count(m, n)), u = Column<T>(count(m, left)), vt = Column<T>(count(right, n)), space = lapack::SvdSpace()](std::byte* const* at) mutable -> std::int64_t {
            const auto from = stack.matrix<T>(0, at), to_u = stack.matrix<T>(1, at), to_vt = stack.matrix<T>(3, at);
            auto* s = lane_data<Real<T>>(at, 2);
            if (k == 0) {
                fill_identity(to_u), fill_identity(to_vt);
                return 0;
            }
            if (!take(from, a.data())) {
                fill(to_u, not_a_number<T>()), fill(to_vt, not_a_number<T>());
                std::fill_n(s, k, not_a_number<Real<T>>());
                return 0;
            }
            const int info = lapack::svd(full ? 'A' : 'S', static_cast<int>(m), static_cast<int>(n), a.data(), s, u.data(), static_cast<int>(m), vt.data(), static_cast<int>(right), space);
            give(u.data(), m, to_u), give(vt.data(), right, to_vt);
            return info;
        };
    }, convergence_text);
}

template <class T> void svdvals_of(const KernelCall& call) {
    const MatrixStack stack(call, {2, 1});
    const std::int64_t m = stack.size(0, 2), n = stack.size(0, 1), k = std::min(m, n);
    stack.run(matrix_grain(2 * std::max(m, n)), "E607", [&] {
        return [&, a = Column<T>(count(m, n)), none = T{}, space = lapack::SvdSpace()](std::byte* const* at) mutable -> std::int64_t {
            auto* s = lane_data<Real<T>>(at, 1);
            if (k == 0) return 0;
            if (!take(stack.matrix<T>(0, at), a.data())) {
                std::fill_n(s, k, not_a_number<Real<T>>());
                return 0;
            }
            return lapack::svd('N', static_cast<int>(m), static_cast<int>(n), a.data(), s, &none, 1, &none, 1, space);
        };
    }, convergence_text);
}

// ---- eigh

template <class T> void eigh_of(const KernelCall& call, bool vectors) {
    const MatrixStack stack(call, vectors ? std::vector<std::size_t>{2, 1, 2} : std::vector<std::size_t>{2, 1});
    const std::int64_t n = stack.size(0, 1);
    stack.run(matrix_grain(2 * n), "E607", [&] {
        return [&, a = Column<T>(count(n, n)), space = lapack::SvdSpace()](std::byte* const* at) mutable -> std::int64_t {
            if (n == 0) return 0;
            auto* w = lane_data<Real<T>>(at, 1);
            bool finite = true; // of the triangle that is read
            const auto from = stack.matrix<T>(0, at);
            for (std::int64_t j = 0; j < n; ++j) {
                for (std::int64_t i = j; i < n; ++i) {
                    a[static_cast<std::size_t>(j * n + i)] = from.at(i, j);
                    finite = finite && is_finite_number(from.at(i, j));
                }
            }
            int info = 0;
            if (finite) info = lapack::eigh(vectors ? 'V' : 'N', static_cast<int>(n), a.data(), w, space);
            else std::fill_n(w, n, not_a_number<Real<T>>()), std::ranges::fill(a, not_a_number<T>());
            if (vectors) give(a.data(), n, stack.matrix<T>(2, at));
            return info;
        };
    }, convergence_text);
}

} // namespace

void qr_kernel(const KernelCall& call) {
    visit_floats(call.operands[0].dtype, [&]<class T>(TypeTag<T>) { qr_of<T>(call); });
}
void svd_kernel(const KernelCall& call) {
    visit_floats(call.operands[0].dtype, [&]<class T>(TypeTag<T>) { svd_of<T>(call); });
}
void svdvals_kernel(const KernelCall& call) {
    visit_floats(call.operands[0].dtype, [&]<class T>(TypeTag<T>) { svdvals_of<T>(call); });
}
void eigh_kernel(const KernelCall& call) {
    visit_floats(call.operands[0].dtype, [&]<class T>(TypeTag<T>) { eigh_of<T>(call, true); });
}
void eigvalsh_kernel(const KernelCall& call) {
    visit_floats(call.operands[0].dtype, [&]<class T>(TypeTag<T>) { eigh_of<T>(call, false); });
}

} // namespace vmaprun
