// Cholesky, solve, triangular_solve, det and slogdet on the factorisations of ours (kernels/linalg_table.hpp); the cofactors
// on one with complete pivoting.
#include <cmath>
#include <limits>
#include <numeric>

#include "ops/kernels/linalg.hpp"
#include "ops/kernels/linalg_stack.hpp"
#include "ops/kernels/linalg_table.hpp"

namespace vmaprun {
namespace {

template <class T> struct TableOf;
template <> struct TableOf<float> {
    using Element = float;
    static const auto& functions() { return linalg_table().f32; }
};
template <> struct TableOf<double> {
    using Element = double;
    static const auto& functions() { return linalg_table().f64; }
};
template <> struct TableOf<std::complex<float>> {
    using Element = ComplexFloat;
    static const auto& functions() { return linalg_table().c64; }
};
template <> struct TableOf<std::complex<double>> {
    using Element = ComplexDouble;
    static const auto& functions() { return linalg_table().c128; }
};

std::int64_t padded(std::int64_t n) { return (n + linalg_padding - 1) / linalg_padding * linalg_padding; }

// Rows of a whole number of vectors.
template <class T> class Rows {
  public:
    Rows(std::int64_t rows, std::int64_t columns) : stride_(padded(columns)), buffer_(static_cast<std::size_t>(std::max<std::int64_t>(1, rows * stride_)) * sizeof(T)) {
        std::fill_n(data(), rows * stride_, T{});
    }
    T* data() { return reinterpret_cast<T*>(buffer_.data()); }
    auto* elements() { return reinterpret_cast<typename TableOf<T>::Element*>(buffer_.data()); }
    std::int64_t stride() const { return stride_; }
    T* row(std::int64_t i) { return data() + i * stride_; }

    void take(const StridedMatrix<T>& from, std::int64_t column) {
        for (std::int64_t i = 0; i < from.rows; ++i) {
            T* to = row(i) + column;
            if (from.column_step == 1) std::copy_n(&from.at(i, 0), from.columns, to);
            else for (std::int64_t j = 0; j < from.columns; ++j) to[j] = from.at(i, j);
        }
    }
    void give(const StridedMatrix<T>& to, std::int64_t column) {
        for (std::int64_t i = 0; i < to.rows; ++i) std::copy_n(row(i) + column, to.columns, &to.at(i, 0));
    }
    void clear_row(std::int64_t i) { std::fill_n(row(i), stride_, T{}); }

  private:
    std::int64_t stride_;
    Buffer buffer_;
};

std::string minor_text(std::int64_t number) {
    return "the matrix is not positive definite: its leading minor of order " + std::to_string(number) + " is not positive";
}
std::string singular_text(std::int64_t) { return "the matrix is singular"; }

// The lower triangle is what is read; U^H is L.
template <class T> void cholesky_of(const KernelCall& call) {
    const MatrixStack stack(call, {2, 2});
    const std::int64_t n = stack.size(0, 1);
    stack.run(matrix_grain(n), "E606", [&] {
        return [&, rows = Rows<T>(n, n)](std::byte* const* at) mutable -> std::int64_t {
            const auto from = stack.matrix<T>(0, at), to = stack.matrix<T>(1, at);
            for (std::int64_t i = 0; i < n; ++i) {
                T* row = rows.row(i);
                for (std::int64_t j = i; j < n; ++j) row[j] = conjugate(from.at(j, i));
            }
            const std::int64_t wrong = TableOf<T>::functions().cholesky(rows.elements(), n, rows.stride());
            for (std::int64_t i = 0; i < n; ++i) {
                for (std::int64_t j = 0; j <= i; ++j) to.at(i, j) = conjugate(rows.row(j)[i]);
                for (std::int64_t j = i + 1; j < n; ++j) to.at(i, j) = T{};
            }
            return wrong;
        };
    }, minor_text);
}

// [A | B] by elimination. Right-hand sides of one A that follow each other could share it; each element's order is the same.
template <class T> void solve_of(const KernelCall& call) {
    const MatrixStack stack(call, {2, 2, 2});
    const std::int64_t n = stack.size(0, 1), columns = stack.size(1, 1), first = padded(n);
    stack.run(matrix_grain(n + columns / 4), "E604", [&] {
        return [&, rows = Rows<T>(n, first + columns)](std::byte* const* at) mutable -> std::int64_t {
            rows.take(stack.matrix<T>(0, at), 0);
            rows.take(stack.matrix<T>(1, at), first);
            const auto& functions = TableOf<T>::functions();
            bool odd = false;
            std::int64_t wrong = functions.eliminate(rows.elements(), n, rows.stride(), &odd);
            if (wrong == 0) wrong = functions.solve_upper(rows.elements(), n, rows.stride(), rows.elements() + first, rows.stride(), columns);
            rows.give(stack.matrix<T>(2, at), first);
            return wrong;
        };
    }, singular_text);
}

template <class T> void triangular_solve_of(const KernelCall& call) {
    const MatrixStack stack(call, {2, 2, 2});
    const std::int64_t n = stack.size(0, 1), columns = stack.size(1, 1), first = padded(n);
    const bool lower = call.node->boolean(0);
    stack.run(matrix_grain(n), "E604", [&] {
        return [&, rows = Rows<T>(n, first + columns)](std::byte* const* at) mutable -> std::int64_t {
            rows.take(stack.matrix<T>(0, at), 0);
            rows.take(stack.matrix<T>(1, at), first);
            const auto& functions = TableOf<T>::functions();
            const auto solve = lower ? functions.solve_lower : functions.solve_upper;
            const std::int64_t wrong = solve(rows.elements(), n, rows.stride(), rows.elements() + first, rows.stride(), columns);
            rows.give(stack.matrix<T>(2, at), first);
            return wrong;
        };
    }, singular_text);
}

// f(rows, odd, at) after the elimination of each matrix, which may be singular.
template <class T, class F> void eliminate_each(const KernelCall& call, std::vector<std::size_t> tails, const F& f) {
    const MatrixStack stack(call, std::move(tails));
    const std::int64_t n = stack.size(0, 1);
    stack.run(matrix_grain(n), "", [&] {
        return [&, rows = Rows<T>(n, n)](std::byte* const* at) mutable -> std::int64_t {
            rows.take(stack.matrix<T>(0, at), 0);
            bool odd = false;
            TableOf<T>::functions().eliminate(rows.elements(), n, rows.stride(), &odd);
            f(rows, n, odd, at);
            return 0;
        };
    }, singular_text);
}

template <class T> T product_of_numbers(T x, T y) {
    if constexpr (is_complex_type<T>) return {x.real() * y.real() - x.imag() * y.imag(), x.real() * y.imag() + x.imag() * y.real()};
    else return x * y;
}

// ---- cofactors: d det / d a, of singular matrices too
//
// With rows p and columns q exchanged such that each pivot is the largest element left, A[p, q] = L U, and
//     adj(A)[q, p] = sign adj(U) L^-1,   adj([[V, u], [0, d]]) = det(V) [[d V^-1, -V^-1 u], [0, 1]].
// No step divides by the last pivot d: a matrix of rank n - 1 has its cofactors as exactly as a regular one. Where a pivot
// before it is 0, the rank is lower and every cofactor 0.
template <class T> class Cofactors {
  public:
    explicit Cofactors(std::int64_t n) : n_(n), upper_(n, n), result_(n, n), rows_(static_cast<std::size_t>(n)), columns_(static_cast<std::size_t>(n)) {}

    void compute(const StridedMatrix<T>& from, const StridedMatrix<T>& to) {
        upper_.take(from, 0);
        std::iota(rows_.begin(), rows_.end(), 0);
        std::iota(columns_.begin(), columns_.end(), 0);
        for (std::int64_t i = 0; i < n_; ++i) {
            result_.clear_row(i);
            result_.row(i)[i] = T(1);
        }
        sign_ = T(1);
        const bool full = eliminate();
        if (full) solve();
        for (std::int64_t i = 0; i < n_; ++i) {
            for (std::int64_t j = 0; j < n_; ++j) to.at(rows_[static_cast<std::size_t>(j)], columns_[static_cast<std::size_t>(i)]) = full ? result_.row(i)[j] : T{};
        }
    }

  private:
    // U, and L^-1 in result_. False where a pivot other than the last is 0.
    bool eliminate() {
        for (std::int64_t k = 0; k + 1 < n_; ++k) {
            bring_largest(k);
            const T pivot = upper_.row(k)[k];
            if (pivot == T(0)) return false;
            for (std::int64_t i = k + 1; i < n_; ++i) {
                const T factor = upper_.row(i)[k] / pivot;
                subtract(upper_.row(i), factor, upper_.row(k), k, n_);
                subtract(result_.row(i), factor, result_.row(k), 0, k + 1);
            }
        }
        return true;
    }

    void bring_largest(std::int64_t k) {
        std::int64_t row = k, column = k;
        Real<T> largest = -1;
        for (std::int64_t i = k; i < n_; ++i) {
            for (std::int64_t j = k; j < n_; ++j) {
                const Real<T> size = std::abs(upper_.row(i)[j]);
                if (!(size <= largest)) largest = size, row = i, column = j; // NaN is brought up, and carried on
            }
        }
        if (row != k) {
            std::swap_ranges(upper_.row(k), upper_.row(k) + n_, upper_.row(row));
            // of L^-1 the rows so far, but for their own 1
            std::swap_ranges(result_.row(k), result_.row(k) + k, result_.row(row));
            exchange(rows_, k, row);
        }
        if (column != k) {
            for (std::int64_t i = 0; i < n_; ++i) std::swap(upper_.row(i)[k], upper_.row(i)[column]);
            exchange(columns_, k, column);
        }
    }

    void exchange(std::vector<std::int64_t>& order, std::int64_t i, std::int64_t j) {
        std::swap(order[static_cast<std::size_t>(i)], order[static_cast<std::size_t>(j)]);
        sign_ = -sign_;
    }

    // result_ becomes sign adj(U) result_.
    void solve() {
        if (n_ == 0) return;
        const std::int64_t last = n_ - 1;
        const T d = upper_.row(last)[last];
        T scale = sign_;
        for (std::int64_t i = last; i-- > 0;) {
            T* row = result_.row(i);
            for (std::int64_t j = 0; j < n_; ++j) row[j] = product_of_numbers(d, row[j]);
            for (std::int64_t k = i + 1; k < n_; ++k) subtract(row, upper_.row(i)[k], result_.row(k), 0, n_);
            const T pivot = upper_.row(i)[i];
            for (std::int64_t j = 0; j < n_; ++j) row[j] /= pivot;
            scale = product_of_numbers(scale, pivot);
        }
        for (std::int64_t i = 0; i < n_; ++i) {
            T* row = result_.row(i);
            for (std::int64_t j = 0; j < n_; ++j) row[j] = product_of_numbers(scale, row[j]);
        }
    }

    static void subtract(T* y, T factor, const T* x, std::int64_t begin, std::int64_t end) {
        for (std::int64_t j = begin; j < end; ++j) y[j] -= product_of_numbers(factor, x[j]);
    }

    std::int64_t n_;
    Rows<T> upper_, result_;
    std::vector<std::int64_t> rows_, columns_;
    T sign_{};
};

} // namespace

void cholesky_kernel(const KernelCall& call) {
    visit_floats(call.results[0].dtype, [&]<class T>(TypeTag<T>) { cholesky_of<T>(call); });
}
void solve_kernel(const KernelCall& call) {
    visit_floats(call.results[0].dtype, [&]<class T>(TypeTag<T>) { solve_of<T>(call); });
}
void triangular_solve_kernel(const KernelCall& call) {
    visit_floats(call.results[0].dtype, [&]<class T>(TypeTag<T>) { triangular_solve_of<T>(call); });
}

void det_kernel(const KernelCall& call) {
    visit_floats(call.results[0].dtype, [&]<class T>(TypeTag<T>) {
        eliminate_each<T>(call, {2, 0}, [](Rows<T>& rows, std::int64_t n, bool odd, std::byte* const* at) {
            T product(odd ? -1 : 1);
            for (std::int64_t i = 0; i < n; ++i) product = product_of_numbers(product, rows.row(i)[i]);
            *lane_data<T>(at, 1) = product;
        });
    });
}

void slogdet_kernel(const KernelCall& call) {
    visit_floats(call.operands[0].dtype, [&]<class T>(TypeTag<T>) {
        eliminate_each<T>(call, {2, 0, 0}, [](Rows<T>& rows, std::int64_t n, bool odd, std::byte* const* at) {
            T sign(odd ? -1 : 1);
            Real<T> logarithm = 0;
            for (std::int64_t i = 0; i < n; ++i) {
                const T pivot = rows.row(i)[i];
                const Real<T> size = std::abs(pivot);
                if (size == 0) {
                    sign = T(0), logarithm = -std::numeric_limits<Real<T>>::infinity();
                    break;
                }
                sign = product_of_numbers(sign, pivot / size);
                logarithm += std::log(size);
            }
            *lane_data<T>(at, 1) = sign;
            *lane_data<Real<T>>(at, 2) = logarithm;
        });
    });
}

void cofactors_kernel(const KernelCall& call) {
    visit_floats(call.results[0].dtype, [&]<class T>(TypeTag<T>) {
        const MatrixStack stack(call, {2, 2});
        const std::int64_t n = stack.size(0, 1);
        stack.run(matrix_grain(n), "", [&] {
            return [&, cofactors = Cofactors<T>(n)](std::byte* const* at) mutable -> std::int64_t {
                cofactors.compute(stack.matrix<T>(0, at), stack.matrix<T>(1, at));
                return 0;
            };
        }, singular_text);
    });
}

} // namespace vmaprun
