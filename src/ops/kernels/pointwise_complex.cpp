// Pointwise kernels of complex numbers that are more than plain arithmetic: the C library's, or a formula of ours where it
// has none or a less exact one.
#include <cmath>
#include <complex>
#include <limits>
#include <numbers>

#include "ops/kernels/pointwise_table.hpp"

namespace vmaprun {
namespace {

template <class T> using Complex = std::complex<T>;

template <class Out, class In, auto function> void unary(void* out, const void* const* in, long n) {
    Out* y = static_cast<Out*>(out);
    const In* a = static_cast<const In*>(in[0]);
    for (long i = 0; i < n; ++i) y[i] = function(a[i]);
}

template <class T, auto function> void binary(void* out, const void* const* in, long n) {
    T* y = static_cast<T*>(out);
    const T* a = static_cast<const T*>(in[0]);
    const T* b = static_cast<const T*>(in[1]);
    for (long i = 0; i < n; ++i) y[i] = function(a[i], b[i]);
}

// Smith's method, as NumPy: no overflow on the way.
template <class T> Complex<T> quotient(Complex<T> a, Complex<T> b) {
    const T size_re = std::fabs(b.real()), size_im = std::fabs(b.imag());
    if (size_re == 0 && size_im == 0) return {a.real() / size_re, a.imag() / size_re};
    if (size_re >= size_im) {
        const T ratio = b.imag() / b.real(), scale = 1 / (b.real() + b.imag() * ratio);
        return {(a.real() + a.imag() * ratio) * scale, (a.imag() - a.real() * ratio) * scale};
    }
    const T ratio = b.real() / b.imag(), scale = 1 / (b.imag() + b.real() * ratio);
    return {(a.real() * ratio + a.imag()) * scale, (a.imag() * ratio - a.real()) * scale};
}

// The textbook formula, which doesn't repair infinities: NumPy's.
template <class T> Complex<T> product(Complex<T> a, Complex<T> b) {
    return {a.real() * b.real() - a.imag() * b.imag(), a.real() * b.imag() + a.imag() * b.real()};
}

// Small whole exponents by products (exact for whole numbers), as NumPy; others by the logarithm.
template <class T> Complex<T> power(Complex<T> base, Complex<T> exponent) {
    if (exponent == T(0)) return T(1);
    if (base == T(0)) {
        if (exponent.real() > 0) return T(0);
        return {std::numeric_limits<T>::quiet_NaN(), std::numeric_limits<T>::quiet_NaN()};
    }
    const T whole = std::trunc(exponent.real());
    if (exponent.imag() != 0 || whole != exponent.real() || !(std::fabs(whole) < 100)) return std::pow(base, exponent);
    Complex<T> result(1), factor = base;
    for (int left = static_cast<int>(std::fabs(whole)); left != 0; left >>= 1) {
        if ((left & 1) != 0) result = product(result, factor);
        factor = product(factor, factor);
    }
    return whole < 0 ? quotient(Complex<T>(1), result) : result;
}

// e^x cos y - 1 = expm1(x) cos y - 2 sin²(y/2)
template <class T> Complex<T> exp_minus_one(Complex<T> z) {
    const T half = std::sin(z.imag() / 2);
    return {std::expm1(z.real()) * std::cos(z.imag()) - 2 * half * half, std::exp(z.real()) * std::sin(z.imag())};
}

// |1 + z|² - 1 = x (2 + x) + y², which keeps what adding 1 would lose.
template <class T> Complex<T> log_one_plus(Complex<T> z) {
    const T x = z.real(), y = z.imag(), angle = std::atan2(y, 1 + x);
    if (std::fabs(x) > T(0.5) || std::fabs(y) > T(0.5)) return {std::log(std::hypot(1 + x, y)), angle};
    return {std::log1p(x * (2 + x) + y * y) / 2, angle};
}

// z / |z|. Beside one infinite part the other counts for nothing; two have no direction.
template <class T> Complex<T> sign(Complex<T> z) {
    const T length = std::hypot(z.real(), z.imag());
    if (length == 0) return Complex<T>(0);
    if (std::isinf(length)) {
        const bool first = std::isinf(z.real()), second = std::isinf(z.imag());
        if (first && second) return {std::numeric_limits<T>::quiet_NaN(), std::numeric_limits<T>::quiet_NaN()};
        if (first) return {std::copysign(T(1), z.real()), 0};
        if (second) return {0, std::copysign(T(1), z.imag())};
        return vmaprun::sign(z * T(0.5)); // the length alone is too large
    }
    return {z.real() / length, z.imag() / length};
}

template <class T> void fill_arithmetic(PointwiseTable& table, ElementType type) {
    using enum PointwiseOp;
    using C = Complex<T>;
    table.at(multiply, type) = binary<C, [](C a, C b) { return product(a, b); }>;
    table.at(square, type) = unary<C, C, [](C a) { return product(a, a); }>;
    table.at(divide, type) = binary<C, [](C a, C b) { return quotient(a, b); }>;
    table.at(pow, type) = binary<C, [](C a, C b) { return power(a, b); }>;
    table.at(abs, type) = unary<T, C, [](C a) { return std::hypot(a.real(), a.imag()); }>;
    table.at(PointwiseOp::sign, type) = unary<C, C, [](C a) { return vmaprun::sign(a); }>;
    table.at(reciprocal, type) = unary<C, C, [](C a) { return quotient(C(1), a); }>;
    table.at(round, type) = unary<C, C, [](C a) { return C(std::rint(a.real()), std::rint(a.imag())); }>;
    table.at(sqrt, type) = unary<C, C, [](C a) { return std::sqrt(a); }>;
}

template <class T> void fill_functions(PointwiseTable& table, ElementType type) {
    using enum PointwiseOp;
    using C = Complex<T>;
    table.at(exp, type) = unary<C, C, [](C a) { return std::exp(a); }>;
    table.at(exp2, type) = unary<C, C, [](C a) { return std::exp(C(a.real() * std::numbers::ln2_v<T>, a.imag() * std::numbers::ln2_v<T>)); }>;
    table.at(expm1, type) = unary<C, C, [](C a) { return exp_minus_one(a); }>;
    table.at(log, type) = unary<C, C, [](C a) { return std::log(a); }>;
    table.at(log1p, type) = unary<C, C, [](C a) { return log_one_plus(a); }>;
    table.at(log2, type) = unary<C, C, [](C a) { const C natural = std::log(a); return C(natural.real() * std::numbers::log2e_v<T>, natural.imag() * std::numbers::log2e_v<T>); }>;
    table.at(log10, type) = unary<C, C, [](C a) { const C natural = std::log(a); return C(natural.real() * std::numbers::log10e_v<T>, natural.imag() * std::numbers::log10e_v<T>); }>;
    table.at(sin, type) = unary<C, C, [](C a) { return std::sin(a); }>;
    table.at(cos, type) = unary<C, C, [](C a) { return std::cos(a); }>;
    table.at(tan, type) = unary<C, C, [](C a) { return std::tan(a); }>;
    table.at(asin, type) = unary<C, C, [](C a) { return std::asin(a); }>;
    table.at(acos, type) = unary<C, C, [](C a) { return std::acos(a); }>;
    table.at(atan, type) = unary<C, C, [](C a) { return std::atan(a); }>;
    table.at(sinh, type) = unary<C, C, [](C a) { return std::sinh(a); }>;
    table.at(cosh, type) = unary<C, C, [](C a) { return std::cosh(a); }>;
    table.at(tanh, type) = unary<C, C, [](C a) { return std::tanh(a); }>;
    table.at(asinh, type) = unary<C, C, [](C a) { return std::asinh(a); }>;
    table.at(acosh, type) = unary<C, C, [](C a) { return std::acosh(a); }>;
    table.at(atanh, type) = unary<C, C, [](C a) { return std::atanh(a); }>;
}

} // namespace

void fill_portable_complex(PointwiseTable& table) {
    fill_arithmetic<float>(table, ElementType::c64);
    fill_functions<float>(table, ElementType::c64);
    fill_arithmetic<double>(table, ElementType::c128);
    fill_functions<double>(table, ElementType::c128);
}

} // namespace vmaprun
