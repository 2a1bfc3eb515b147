// Pointwise kernels that call the C library or a formula of ours for one element after another: what no instruction set
// has vectorised. Deterministic: a function of the element alone.
#include <cmath>
#include <cstdint>
#include <limits>
#include <numbers>

#include "ops/kernels/pointwise_table.hpp"

namespace vmaprun {
namespace {

template <class T, auto function> void unary(void* out, const void* const* in, long n) {
    T* y = static_cast<T*>(out);
    const T* a = static_cast<const T*>(in[0]);
    for (long i = 0; i < n; ++i) y[i] = static_cast<T>(function(a[i]));
}

template <class T, auto function> void binary(void* out, const void* const* in, long n) {
    T* y = static_cast<T*>(out);
    const T* a = static_cast<const T*>(in[0]);
    const T* b = static_cast<const T*>(in[1]);
    for (long i = 0; i < n; ++i) y[i] = static_cast<T>(function(a[i], b[i]));
}

void keep(TileFunction& entry, TileFunction function) {
    if (entry == nullptr) entry = function;
}

// NumPy's: exact where the remainder is, and a whole number always. By zero: the quotient, infinite or NaN.
template <class T> T floor_divide(T a, T b) {
    if (b == 0) return a / b;
    T rest = std::fmod(a, b);
    T quotient = (a - rest) / b;
    if (rest != 0 && (b < 0) != (rest < 0)) quotient -= 1;
    if (quotient == 0) return std::copysign(T(0), a / b);
    const T below = std::floor(quotient);
    return quotient - below > T(0.5) ? below + 1 : below;
}

// With the sign of the divisor; a zero has it too.
template <class T> T remainder(T a, T b) {
    const T rest = std::fmod(a, b);
    if (rest == 0) return std::copysign(T(0), b);
    return (b < 0) != (rest < 0) ? rest + b : rest;
}

// The squares keep x ** 2 the same bits as x * x.
template <class T> T power(T base, T exponent) { return exponent == 2 ? base * base : std::pow(base, exponent); }

template <class T> T log_add_exp(T a, T b) {
    if (a == b) return a + std::numbers::ln2_v<T>; // equal infinities too
    const T larger = a > b ? a : b, distance = std::fabs(a - b);
    return std::isnan(distance) ? distance : larger + std::log1p(std::exp(-distance));
}

// The C library's variant that doesn't write a global sign.
inline float log_gamma(float x) {
    int sign = 0;
    return lgammaf_r(x, &sign);
}
inline double log_gamma(double x) {
    int sign = 0;
    return lgamma_r(x, &sign);
}

// Of 1 <= x <= 2: (x - root) (1 + P(x - 1) / Q(x - 1)), so that it is exact near the root too. The root is the sum of three
// numbers; P / Q interpolates at Chebyshev's points (1.7e-17).
double digamma_near_root(double x) {
    const double y = x - 1;
    const double top = 0.2503801375034054 + y * (-0.30957408825968885 + y * (-0.6919409437403516 + y * (-0.35473150019898825 + y * (-0.07115493979151359 + y * (-0.005519862186036254 + y * -0.00011934204387003062)))));
    const double bottom = 1 + y * (2.1771665986671342 + y * (1.6630736963665909 + y * (0.5710455727133128 + y * (0.09111902253303285 + y * (0.006100975692434821 + y * 0.00012043151172286901)))));
    const double distance = ((x - 1569415565.0 / 1073741824.0) - 381566830.0 / 1073741824.0 / 1073741824.0) - 9.0163120932586959186e-20;
    return distance + distance * (top / bottom);
}

// Reflection for negative arguments, recurrence to 1 … 2, or from 10 on the asymptotic series (Abramowitz & Stegun 6.3.18).
double digamma(double x) {
    if (std::isnan(x) || x == std::numeric_limits<double>::infinity()) return x;
    if (x == 0) return std::copysign(std::numeric_limits<double>::infinity(), -x);
    double result = 0;
    if (x < 0) {
        if (x == std::floor(x)) return std::numeric_limits<double>::quiet_NaN();
        const double fraction = x - std::round(x); // exact: the tangent has period 1 here
        result = -std::numbers::pi / std::tan(std::numbers::pi * fraction);
        x = 1 - x;
    }
    if (x < 10) {
        double sum = 0;
        for (; x > 2; --x) sum += 1 / (x - 1);
        if (x < 1) return result + (digamma_near_root(x + 1) - 1 / x);
        return result + (digamma_near_root(x) + sum);
    }
    const double inverse = 1 / x, square = inverse * inverse;
    const double series =
        square * (1.0 / 12 - square * (1.0 / 120 - square * (1.0 / 252 - square * (1.0 / 240 - square * (1.0 / 132 - square * (691.0 / 32760 - square * (1.0 / 12)))))));
    return result + (std::log(x) - 0.5 * inverse - series);
}

template <class T> T positive_part_log1p_exp(T x) { return (x > 0 ? x : T(0)) + std::log1p(std::exp(-std::fabs(x))); }
template <class T> T softplus(T x) { return std::isnan(x) ? x : positive_part_log1p_exp(x); }
template <class T> T log_sigmoid(T x) { return -softplus(-x); }

template <class T> T sigmoid(T x) {
    const T small = std::exp(-std::fabs(x)); // never overflows
    return (x >= 0 ? T(1) : small) / (1 + small);
}
template <class T> T silu(T x) { return x * sigmoid(x); }
// 0.5 * x * (1 + tanh(u)) is x * sigmoid(2 u), which does not cancel for negative x.
template <class T> T gelu(T x) { return x * sigmoid(T(1.5957691216057308) * (x + T(0.044715) * x * x * x)); }

template <class T> void fill_binary(PointwiseTable& table, ElementType type) {
    using enum PointwiseOp;
    keep(table.at(PointwiseOp::floor_divide, type), binary<T, [](T a, T b) { return vmaprun::floor_divide(a, b); }>);
    keep(table.at(PointwiseOp::remainder, type), binary<T, [](T a, T b) { return vmaprun::remainder(a, b); }>);
    keep(table.at(pow, type), binary<T, [](T a, T b) { return power(a, b); }>);
    keep(table.at(atan2, type), binary<T, [](T a, T b) { return std::atan2(a, b); }>);
    keep(table.at(hypot, type), binary<T, [](T a, T b) { return std::hypot(a, b); }>);
    keep(table.at(nextafter, type), binary<T, [](T a, T b) { return std::nextafter(a, b); }>);
    keep(table.at(logaddexp, type), binary<T, [](T a, T b) { return log_add_exp(a, b); }>);
}

template <class T> void fill_elementary(PointwiseTable& table, ElementType type) {
    using enum PointwiseOp;
    keep(table.at(exp, type), unary<T, [](T a) { return std::exp(a); }>);
    keep(table.at(exp2, type), unary<T, [](T a) { return std::exp2(a); }>);
    keep(table.at(expm1, type), unary<T, [](T a) { return std::expm1(a); }>);
    keep(table.at(log, type), unary<T, [](T a) { return std::log(a); }>);
    keep(table.at(log1p, type), unary<T, [](T a) { return std::log1p(a); }>);
    keep(table.at(log2, type), unary<T, [](T a) { return std::log2(a); }>);
    keep(table.at(log10, type), unary<T, [](T a) { return std::log10(a); }>);
    keep(table.at(sin, type), unary<T, [](T a) { return std::sin(a); }>);
    keep(table.at(cos, type), unary<T, [](T a) { return std::cos(a); }>);
    keep(table.at(tan, type), unary<T, [](T a) { return std::tan(a); }>);
    keep(table.at(asin, type), unary<T, [](T a) { return std::asin(a); }>);
    keep(table.at(acos, type), unary<T, [](T a) { return std::acos(a); }>);
    keep(table.at(atan, type), unary<T, [](T a) { return std::atan(a); }>);
    keep(table.at(sinh, type), unary<T, [](T a) { return std::sinh(a); }>);
    keep(table.at(cosh, type), unary<T, [](T a) { return std::cosh(a); }>);
    keep(table.at(tanh, type), unary<T, [](T a) { return std::tanh(a); }>);
    keep(table.at(asinh, type), unary<T, [](T a) { return std::asinh(a); }>);
    keep(table.at(acosh, type), unary<T, [](T a) { return std::acosh(a); }>);
    keep(table.at(atanh, type), unary<T, [](T a) { return std::atanh(a); }>);
    keep(table.at(cbrt, type), unary<T, [](T a) { return std::cbrt(a); }>);
}

template <class T> void fill_special(PointwiseTable& table, ElementType type) {
    using enum PointwiseOp;
    keep(table.at(erf, type), unary<T, [](T a) { return std::erf(a); }>);
    keep(table.at(erfc, type), unary<T, [](T a) { return std::erfc(a); }>);
    keep(table.at(lgamma, type), unary<T, [](T a) { return log_gamma(a); }>);
    keep(table.at(PointwiseOp::digamma, type), unary<T, [](T a) { return vmaprun::digamma(static_cast<double>(a)); }>);
    keep(table.at(PointwiseOp::sigmoid, type), unary<T, [](T a) { return vmaprun::sigmoid(a); }>);
    keep(table.at(PointwiseOp::silu, type), unary<T, [](T a) { return vmaprun::silu(a); }>);
    keep(table.at(PointwiseOp::gelu, type), unary<T, [](T a) { return vmaprun::gelu(a); }>);
    keep(table.at(PointwiseOp::softplus, type), unary<T, [](T a) { return vmaprun::softplus(a); }>);
    keep(table.at(PointwiseOp::log_sigmoid, type), unary<T, [](T a) { return vmaprun::log_sigmoid(a); }>);
}

template <class T> void fill(PointwiseTable& table, ElementType type) {
    fill_binary<T>(table, type);
    fill_elementary<T>(table, type);
    fill_special<T>(table, type);
}

} // namespace

void fill_portable_real(PointwiseTable& table) {
    fill<float>(table, ElementType::f32);
    fill<double>(table, ElementType::f64);
}

} // namespace vmaprun
