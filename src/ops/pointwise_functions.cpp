// Rows of elementary and neural functions: each one kernel on floats (whole numbers are computed in f64).
#include <limits>

#include "ops/pointwise.hpp"

namespace vmaprun {
namespace {

constexpr double log_of_two = 0.69314718055994530942, log_of_ten = 2.30258509299404568402, two_over_root_pi = 1.12837916709551257390;
constexpr double pi = 3.14159265358979323846;

// exp(x - y), the part that x has in y = logaddexp(x, …); of infinities 0 stands in, as in JAX.
Formula share(Formula x, Formula y) {
    const auto finite = [](Formula z) { return select(call("equal", z, number_like(z, std::numeric_limits<double>::infinity())), number_like(z, 0), z); };
    return call("exp", finite(x) - finite(y));
}

// The derivative of digamma: up to 10 by the recurrence, from there by the asymptotic series; below 1/2 by reflection.
Formula trigamma(Formula x) {
    const Formula reflected = call("less", x, number_like(x, 0.5));
    Formula z = select(reflected, 1.0 - x, x);
    Formula sum = 1.0 / (z * z);
    for (int i = 1; i < 10; ++i) {
        z = z + 1.0;
        sum = sum + 1.0 / (z * z);
    }
    z = z + 1.0;
    const Formula r = 1.0 / z, s = r * r;
    Formula series = number_like(s, 7.0 / 6);
    for (const double coefficient : {-691.0 / 2730, 5.0 / 66, -1.0 / 30, 1.0 / 42, -1.0 / 30, 1.0 / 6}) series = coefficient + s * series;
    const Formula above = sum + r + 0.5 * s + r * (s * series);
    // What is not reflected gets an angle whose sine is no 0: its infinities would reach the next derivative.
    const Formula sine = call("sin", pi * select(reflected, x - call("round", x), number_like(x, 0.25))) * (1 / pi);
    return select(reflected, 1.0 / (sine * sine) - above, above);
}

Formula gelu_slope(Formula x) {
    constexpr double scale = 0.79788456080286535588, cubic = 0.044715; // sqrt(2 / pi)
    const Formula square = x * x;
    const Formula t = call("tanh", scale * (x + cubic * (square * x)));
    return 0.5 * (1.0 + t) + 0.5 * x * (1.0 - t * t) * (scale * (1.0 + (3 * cubic) * square));
}

constexpr auto make_rows() {
    using enum PointwiseOp;
    constexpr Domain complex_too = on_floats, real_only = on_float;
    std::array rows{
        elementwise_row<exp, 1, complex_too>("exp(x)", "e to the power of x.", "exp(0.0) => 1.0",
            derivative_of<[](auto, auto y) { return y; }>()),
        elementwise_row<exp2, 1, complex_too>("exp2(x)", "2 to the power of x.", "exp2(3.0) => 8.0",
            derivative_of<[](auto, auto y) { return log_of_two * y; }>()),
        elementwise_row<expm1, 1, complex_too>("expm1(x)", "exp(x) - 1, exact near 0.", "expm1(0.0) => 0.0",
            derivative_of<[](auto, auto y) { return y + 1.0; }>()),
        elementwise_row<log, 1, complex_too>("log(x)", "The natural logarithm.", "log(1.0) => 0.0",
            derivative_of<[](auto x, auto) { return 1.0 / x; }>()),
        elementwise_row<log1p, 1, complex_too>("log1p(x)", "log(1 + x), exact near 0.", "log1p(0.0) => 0.0",
            derivative_of<[](auto x, auto) { return 1.0 / (x + 1.0); }>()),
        elementwise_row<log2, 1, complex_too>("log2(x)", "The logarithm to base 2.", "log2(8.0) => 3.0",
            derivative_of<[](auto x, auto) { return 1.0 / (log_of_two * x); }>()),
        elementwise_row<log10, 1, complex_too>("log10(x)", "The logarithm to base 10.", "log10(1000.0) => 3.0",
            derivative_of<[](auto x, auto) { return 1.0 / (log_of_ten * x); }>()),
        elementwise_row<logaddexp, 2, real_only>("logaddexp(x1, x2)", "log(exp(x1) + exp(x2)) without overflow.", "logaddexp(-inf, 1.0) => 1.0",
            derivatives_of<[](auto a, auto, auto y) { return share(a, y); }, [](auto, auto b, auto y) { return share(b, y); }>()),
        elementwise_row<sin, 1, complex_too>("sin(x)", "The sine of an angle in radians.", "sin(0.0) => 0.0",
            derivative_of<[](auto x, auto) { return call("cos", x); }>()),
        elementwise_row<cos, 1, complex_too>("cos(x)", "The cosine of an angle in radians.", "cos(0.0) => 1.0",
            derivative_of<[](auto x, auto) { return -call("sin", x); }>()),
        elementwise_row<tan, 1, complex_too>("tan(x)", "The tangent of an angle in radians.", "tan(0.0) => 0.0",
            derivative_of<[](auto, auto y) { return 1.0 + y * y; }>()),
        elementwise_row<asin, 1, complex_too>("asin(x)", "The angle whose sine is x.", "asin(0.0) => 0.0",
            derivative_of<[](auto x, auto) { return 1.0 / call("sqrt", 1.0 - x * x); }>()),
        elementwise_row<acos, 1, complex_too>("acos(x)", "The angle whose cosine is x.", "acos(1.0) => 0.0",
            derivative_of<[](auto x, auto) { return -1.0 / call("sqrt", 1.0 - x * x); }>()),
        elementwise_row<atan, 1, complex_too>("atan(x)", "The angle whose tangent is x.", "atan(0.0) => 0.0",
            derivative_of<[](auto x, auto) { return 1.0 / (1.0 + x * x); }>()),
        elementwise_row<atan2, 2, real_only>("atan2(x1, x2)", "The angle of the point (x2, x1).", "atan2(0.0, 1.0) => 0.0",
            derivatives_of<[](auto a, auto b, auto) { return b / (a * a + b * b); }, [](auto a, auto b, auto) { return -a / (a * a + b * b); }>()),
        elementwise_row<sinh, 1, complex_too>("sinh(x)", "The hyperbolic sine.", "sinh(0.0) => 0.0",
            derivative_of<[](auto x, auto) { return call("cosh", x); }>()),
        elementwise_row<cosh, 1, complex_too>("cosh(x)", "The hyperbolic cosine.", "cosh(0.0) => 1.0",
            derivative_of<[](auto x, auto) { return call("sinh", x); }>()),
        elementwise_row<tanh, 1, complex_too>("tanh(x)", "The hyperbolic tangent.", "tanh(0.0) => 0.0",
            derivative_of<[](auto, auto y) { return 1.0 - y * y; }>()),
        elementwise_row<asinh, 1, complex_too>("asinh(x)", "The number whose hyperbolic sine is x.", "asinh(0.0) => 0.0",
            derivative_of<[](auto x, auto) { return 1.0 / call("sqrt", x * x + 1.0); }>()),
        elementwise_row<acosh, 1, complex_too>("acosh(x)", "The number whose hyperbolic cosine is x.", "acosh(1.0) => 0.0",
            derivative_of<[](auto x, auto) { return 1.0 / call("sqrt", (x - 1.0) * (x + 1.0)); }>()),
        elementwise_row<atanh, 1, complex_too>("atanh(x)", "The number whose hyperbolic tangent is x.", "atanh(0.0) => 0.0",
            derivative_of<[](auto x, auto) { return 1.0 / ((1.0 + x) * (1.0 - x)); }>()),
        elementwise_row<cbrt, 1, real_only>("cbrt(x)", "The cube root.", "cbrt(-8.0) => -2.0",
            derivative_of<[](auto, auto y) { return (1.0 / 3) * ((1.0 / y) * (1.0 / y)); }>()),
        elementwise_row<erf, 1, real_only>("erf(x)", "The error function.", "erf(0.0) => 0.0",
            derivative_of<[](auto x, auto) { return two_over_root_pi * call("exp", -(x * x)); }>()),
        elementwise_row<erfc, 1, real_only>("erfc(x)", "1 - erf(x), exact where it is small.", "erfc(0.0) => 1.0",
            derivative_of<[](auto x, auto) { return -two_over_root_pi * call("exp", -(x * x)); }>()),
        elementwise_row<erfinv, 1, real_only>("erfinv(x)", "The number whose error function is x.", "erfinv(0.0) => 0.0",
            derivative_of<[](auto, auto y) { return (1.0 / two_over_root_pi) * call("exp", y * y); }>()),
        elementwise_row<lgamma, 1, real_only>("lgamma(x)", "The logarithm of the absolute value of the gamma function.", "lgamma(1.0) => 0.0",
            derivative_of<[](auto x, auto) { return call("digamma", x); }>()),
        elementwise_row<digamma, 1, real_only>("digamma(x)", "The derivative of lgamma.", "isnan(digamma(-1.0)) => true",
            derivative_of<[](auto x, auto) { return trigamma(x); }>()),
        elementwise_row<relu, 1, on_real>("relu(x)", "x where it is positive, else 0.", "relu([-1.0, 2.0]) => [0.0, 2.0]",
            derivative_of<[](auto, auto y) { return select(call("greater", y, number_like(y, 0)), number_like(y, 1), number_like(y, 0)); }>()),
        elementwise_row<sigmoid, 1, real_only>("sigmoid(x)", "1 / (1 + exp(-x)).", "sigmoid(0.0) => 0.5",
            derivative_of<[](auto, auto y) { return y * (1.0 - y); }>()),
        elementwise_row<log_sigmoid, 1, real_only>("log_sigmoid(x)", "log(sigmoid(x)) without overflow.", "log_sigmoid(-1000.0) => -1000.0",
            derivative_of<[](auto x, auto) { return call("sigmoid", -x); }>()),
        elementwise_row<softplus, 1, real_only>("softplus(x)", "log(1 + exp(x)) without overflow.", "softplus(1000.0) => 1000.0",
            derivative_of<[](auto x, auto) { return call("sigmoid", x); }>()),
        elementwise_row<silu, 1, real_only>("silu(x)", "x * sigmoid(x).", "silu(0.0) => 0.0",
            derivative_of<[](auto x, auto y) { return call("sigmoid", x) * (1.0 + (x - y)); }>()),
        elementwise_row<gelu, 1, real_only>("gelu(x)", "x times the normal distribution at x, in the tanh form.", "gelu(0.0) => 0.0",
            derivative_of<[](auto x, auto) { return gelu_slope(x); }>()),
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
