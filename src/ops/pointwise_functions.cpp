// Rows of elementary and neural functions: each one kernel on floats (whole numbers are computed in f64).
#include "ops/pointwise.hpp"

namespace vmaprun {
namespace {

constexpr auto make_rows() {
    using enum PointwiseOp;
    constexpr Domain complex_too = on_floats, real_only = on_float;
    std::array rows{
        elementwise_row<exp, 1, complex_too>("exp(x)", "e to the power of x.", "exp(0.0) => 1.0"),
        elementwise_row<exp2, 1, complex_too>("exp2(x)", "2 to the power of x.", "exp2(3.0) => 8.0"),
        elementwise_row<expm1, 1, complex_too>("expm1(x)", "exp(x) - 1, exact near 0.", "expm1(0.0) => 0.0"),
        elementwise_row<log, 1, complex_too>("log(x)", "The natural logarithm.", "log(1.0) => 0.0"),
        elementwise_row<log1p, 1, complex_too>("log1p(x)", "log(1 + x), exact near 0.", "log1p(0.0) => 0.0"),
        elementwise_row<log2, 1, complex_too>("log2(x)", "The logarithm to base 2.", "log2(8.0) => 3.0"),
        elementwise_row<log10, 1, complex_too>("log10(x)", "The logarithm to base 10.", "log10(1000.0) => 3.0"),
        elementwise_row<logaddexp, 2, real_only>("logaddexp(x1, x2)", "log(exp(x1) + exp(x2)) without overflow.", "logaddexp(-inf, 1.0) => 1.0"),
        elementwise_row<sin, 1, complex_too>("sin(x)", "The sine of an angle in radians.", "sin(0.0) => 0.0"),
        elementwise_row<cos, 1, complex_too>("cos(x)", "The cosine of an angle in radians.", "cos(0.0) => 1.0"),
        elementwise_row<tan, 1, complex_too>("tan(x)", "The tangent of an angle in radians.", "tan(0.0) => 0.0"),
        elementwise_row<asin, 1, complex_too>("asin(x)", "The angle whose sine is x.", "asin(0.0) => 0.0"),
        elementwise_row<acos, 1, complex_too>("acos(x)", "The angle whose cosine is x.", "acos(1.0) => 0.0"),
        elementwise_row<atan, 1, complex_too>("atan(x)", "The angle whose tangent is x.", "atan(0.0) => 0.0"),
        elementwise_row<atan2, 2, real_only>("atan2(x1, x2)", "The angle of the point (x2, x1).", "atan2(0.0, 1.0) => 0.0"),
        elementwise_row<sinh, 1, complex_too>("sinh(x)", "The hyperbolic sine.", "sinh(0.0) => 0.0"),
        elementwise_row<cosh, 1, complex_too>("cosh(x)", "The hyperbolic cosine.", "cosh(0.0) => 1.0"),
        elementwise_row<tanh, 1, complex_too>("tanh(x)", "The hyperbolic tangent.", "tanh(0.0) => 0.0"),
        elementwise_row<asinh, 1, complex_too>("asinh(x)", "The number whose hyperbolic sine is x.", "asinh(0.0) => 0.0"),
        elementwise_row<acosh, 1, complex_too>("acosh(x)", "The number whose hyperbolic cosine is x.", "acosh(1.0) => 0.0"),
        elementwise_row<atanh, 1, complex_too>("atanh(x)", "The number whose hyperbolic tangent is x.", "atanh(0.0) => 0.0"),
        elementwise_row<cbrt, 1, real_only>("cbrt(x)", "The cube root.", "cbrt(-8.0) => -2.0"),
        elementwise_row<erf, 1, real_only>("erf(x)", "The error function.", "erf(0.0) => 0.0"),
        elementwise_row<erfc, 1, real_only>("erfc(x)", "1 - erf(x), exact where it is small.", "erfc(0.0) => 1.0"),
        elementwise_row<erfinv, 1, real_only>("erfinv(x)", "The number whose error function is x.", "erfinv(0.0) => 0.0"),
        elementwise_row<lgamma, 1, real_only>("lgamma(x)", "The logarithm of the absolute value of the gamma function.", "lgamma(1.0) => 0.0"),
        elementwise_row<digamma, 1, real_only>("digamma(x)", "The derivative of lgamma.", "isnan(digamma(-1.0)) => true"),
        elementwise_row<relu, 1, on_real>("relu(x)", "x where it is positive, else 0.", "relu([-1.0, 2.0]) => [0.0, 2.0]"),
        elementwise_row<sigmoid, 1, real_only>("sigmoid(x)", "1 / (1 + exp(-x)).", "sigmoid(0.0) => 0.5"),
        elementwise_row<log_sigmoid, 1, real_only>("log_sigmoid(x)", "log(sigmoid(x)) without overflow.", "log_sigmoid(-1000.0) => -1000.0"),
        elementwise_row<softplus, 1, real_only>("softplus(x)", "log(1 + exp(x)) without overflow.", "softplus(1000.0) => 1000.0"),
        elementwise_row<silu, 1, real_only>("silu(x)", "x * sigmoid(x).", "silu(0.0) => 0.0"),
        elementwise_row<gelu, 1, real_only>("gelu(x)", "x times the normal distribution at x, in the tanh form.", "gelu(0.0) => 0.0"),
    };
    for (Op& row : rows) row.costly = !row.signature.starts_with("relu(");
    return rows;
}

} // namespace

std::span<const Op> pointwise_function_rows() {
    static constexpr auto rows = make_rows();
    return rows;
}

} // namespace vmaprun
