// Factorisations by whole rows. A row is walked in vectors that begin at a multiple of their width, so parts of the matrix
// that are not needed any more are computed along; nobody reads them.
#include "ops/kernels/linalg_table.hpp"
#include "ops/kernels/simd/vectors.hpp"

namespace vmaprun {
namespace {

using Size = std::int64_t;

// ---- numbers: what real and complex elements have in common

template <class T> struct Element { // real
    using Real = T;
    static constexpr Size width = vector_bytes / static_cast<int>(sizeof(T));
    static Real size(T x) { return x < 0 ? -x : x; }
    static bool is_zero(T x) { return x == 0; }
    static Real real(T x) { return x; }
    static T conjugate(T x) { return x; }
    static T of(Real x) { return x; }
    static T reciprocal(T x) { return T(1) / x; }
    static T product(T x, T y) { return x * y; }
    static T quotient(T x, T y) { return x / y; }
};

template <class C, class R> struct ComplexElement {
    using Real = R;
    static constexpr Size width = 1;
    static R part(R x) { return x < 0 ? -x : x; }
    static R size(C x) { return part(x.real) + part(x.imag); } // LAPACK's, for pivots
    static bool is_zero(C x) { return x.real == 0 && x.imag == 0; }
    static R real(C x) { return x.real; }
    static C conjugate(C x) { return {x.real, -x.imag}; }
    static C of(R x) { return {x, 0}; }
    static C product(C x, C y) { return {x.real * y.real - x.imag * y.imag, x.real * y.imag + x.imag * y.real}; }
    static C quotient(C x, C y) { // Smith's
        if (part(y.real) >= part(y.imag)) {
            const R ratio = y.imag / y.real, below = y.real + y.imag * ratio;
            return {(x.real + x.imag * ratio) / below, (x.imag - x.real * ratio) / below};
        }
        const R ratio = y.real / y.imag, below = y.real * ratio + y.imag;
        return {(x.real * ratio + x.imag) / below, (x.imag * ratio - x.real) / below};
    }
    static C reciprocal(C x) { return quotient({1, 0}, x); }
};
template <> struct Element<ComplexFloat> : ComplexElement<ComplexFloat, float> {};
template <> struct Element<ComplexDouble> : ComplexElement<ComplexDouble, double> {};

inline float root(float x) { return __builtin_sqrtf(x); }
inline double root(double x) { return __builtin_sqrt(x); }

// ---- rows: elements [begin, end), of which whole vectors are taken

template <class T> inline void subtract_product(T* y, T factor, const T* x, Size begin, Size end) {
    using E = Element<T>;
    if constexpr (E::width > 1) {
        constexpr int N = static_cast<int>(E::width);
        const Vector<T, N> f = spread<T, N>(-factor);
        for (Size j = begin / N * N; j < end; j += N) store<T, N>(y + j, multiply_add<T, N>(f, load<T, N>(x + j), load<T, N>(y + j)));
    } else {
        for (Size j = begin; j < end; ++j) {
            y[j].real = (y[j].real - factor.real * x[j].real) + factor.imag * x[j].imag;
            y[j].imag = (y[j].imag - factor.real * x[j].imag) - factor.imag * x[j].real;
        }
    }
}

// Four rows of factors at once: the sums of each element in the same order.
template <class T> inline void subtract_products(T* y, const T* factors, const T* x, Size stride, Size begin, Size end) {
    if constexpr (Element<T>::width > 1) {
        constexpr int N = static_cast<int>(Element<T>::width);
        const Vector<T, N> f0 = spread<T, N>(-factors[0]), f1 = spread<T, N>(-factors[1]), f2 = spread<T, N>(-factors[2]), f3 = spread<T, N>(-factors[3]);
        for (Size j = begin / N * N; j < end; j += N) {
            Vector<T, N> sum = multiply_add<T, N>(f0, load<T, N>(x + j), load<T, N>(y + j));
            sum = multiply_add<T, N>(f1, load<T, N>(x + stride + j), sum);
            sum = multiply_add<T, N>(f2, load<T, N>(x + 2 * stride + j), sum);
            store<T, N>(y + j, multiply_add<T, N>(f3, load<T, N>(x + 3 * stride + j), sum));
        }
    } else {
        for (int i = 0; i < 4; ++i) subtract_product(y, factors[i], x + i * stride, begin, end);
    }
}

template <class T> inline void scale(T* y, T factor, Size begin, Size end) {
    if constexpr (Element<T>::width > 1) {
        constexpr int N = static_cast<int>(Element<T>::width);
        const Vector<T, N> f = spread<T, N>(factor);
        for (Size j = begin / N * N; j < end; j += N) store<T, N>(y + j, load<T, N>(y + j) * f);
    } else {
        for (Size j = begin; j < end; ++j) y[j] = Element<T>::product(y[j], factor);
    }
}

template <class T> inline void divide(T* y, T divisor, Size end) {
    if constexpr (Element<T>::width > 1) {
        constexpr int N = static_cast<int>(Element<T>::width);
        const Vector<T, N> f = spread<T, N>(divisor);
        for (Size j = 0; j < end; j += N) store<T, N>(y + j, load<T, N>(y + j) / f);
    } else {
        for (Size j = 0; j < end; ++j) y[j] = Element<T>::quotient(y[j], divisor);
    }
}

template <class T> inline void exchange_rows(T* a, T* b, Size begin, Size end) {
    for (Size j = begin; j < end; ++j) {
        const T held = a[j];
        a[j] = b[j], b[j] = held;
    }
}

// ---- factorisations

// Row k finished by rows above it, four at a time; then divided by the root of its diagonal.
template <class T> Size cholesky(T* rows, Size n, Size stride) {
    using E = Element<T>;
    for (Size k = 0; k < n; ++k) {
        T* row = rows + k * stride;
        Size i = 0;
        for (; i + 4 <= k; i += 4) {
            const T* above = rows + i * stride;
            const T factors[4] = {E::conjugate(above[k]), E::conjugate(above[stride + k]), E::conjugate(above[2 * stride + k]), E::conjugate(above[3 * stride + k])};
            subtract_products(row, factors, above, stride, k, n);
        }
        for (; i < k; ++i) subtract_product(row, E::conjugate(rows[i * stride + k]), rows + i * stride, k, n);
        const auto diagonal = E::real(row[k]);
        if (diagonal <= 0) return k + 1;
        const auto length = root(diagonal);
        scale(row, E::of(1 / length), k + 1, n);
        row[k] = E::of(length);
    }
    return 0;
}

template <class T> Size eliminate(T* rows, Size n, Size stride, bool* odd) {
    using E = Element<T>;
    *odd = false;
    Size singular = 0;
    for (Size k = 0; k < n; ++k) {
        Size best = k;
        auto largest = E::size(rows[k * stride + k]);
        for (Size i = k + 1; i < n; ++i) {
            const auto size = E::size(rows[i * stride + k]);
            if (size > largest) largest = size, best = i;
        }
        T* pivot = rows + k * stride;
        if (best != k) {
            exchange_rows(pivot, rows + best * stride, k, stride);
            *odd = !*odd;
        }
        if (E::is_zero(pivot[k])) {
            if (singular == 0) singular = k + 1;
            continue;
        }
        const T reciprocal = E::reciprocal(pivot[k]);
        for (Size i = k + 1; i < n; ++i) {
            T* row = rows + i * stride;
            subtract_product(row, E::product(row[k], reciprocal), pivot, k + 1, stride);
        }
    }
    return singular;
}

template <class T> Size solve_upper(const T* a, Size n, Size stride, T* b, Size b_stride, Size columns) {
    for (Size k = n; k-- > 0;) {
        const T diagonal = a[k * stride + k];
        if (Element<T>::is_zero(diagonal)) return k + 1;
        T* row = b + k * b_stride;
        divide(row, diagonal, columns);
        for (Size i = 0; i < k; ++i) subtract_product(b + i * b_stride, a[i * stride + k], row, 0, columns);
    }
    return 0;
}

template <class T> Size solve_lower(const T* a, Size n, Size stride, T* b, Size b_stride, Size columns) {
    for (Size k = 0; k < n; ++k) {
        const T diagonal = a[k * stride + k];
        if (Element<T>::is_zero(diagonal)) return k + 1;
        T* row = b + k * b_stride;
        divide(row, diagonal, columns);
        for (Size i = k + 1; i < n; ++i) subtract_product(b + i * b_stride, a[i * stride + k], row, 0, columns);
    }
    return 0;
}

} // namespace

namespace VMAPRUN_ARCH {

const LinalgTable& linalg_table() {
    static constexpr LinalgTable table = {{cholesky<float>, eliminate<float>, solve_upper<float>, solve_lower<float>},
                                          {cholesky<double>, eliminate<double>, solve_upper<double>, solve_lower<double>},
                                          {cholesky<ComplexFloat>, eliminate<ComplexFloat>, solve_upper<ComplexFloat>, solve_lower<ComplexFloat>},
                                          {cholesky<ComplexDouble>, eliminate<ComplexDouble>, solve_upper<ComplexDouble>, solve_lower<ComplexDouble>}};
    return table;
}

} // namespace VMAPRUN_ARCH
} // namespace vmaprun
