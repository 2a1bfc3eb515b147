#include "reference.hpp"

#include <cmath>
#include <limits>
#include <numbers>

#ifdef VMAPRUN_MPFR
#include <mpfr.h>
#endif

namespace accuracy {
namespace {

#ifdef VMAPRUN_MPFR

// A number of 256 bits.
class Wide {
  public:
    Wide() { mpfr_init2(value, 256); }
    Wide(long double x) : Wide() { mpfr_set_ld(value, x, MPFR_RNDN); } // NOLINT: a number is one
    Wide(const Wide& other) : Wide() { mpfr_set(value, other.value, MPFR_RNDN); }
    Wide& operator=(const Wide& other) {
        mpfr_set(value, other.value, MPFR_RNDN);
        return *this;
    }
    ~Wide() { mpfr_clear(value); }
    long double rounded() const { return mpfr_get_ld(value, MPFR_RNDN); }
    mpfr_t value;
};

template <int (*f)(mpfr_ptr, mpfr_srcptr, mpfr_rnd_t)> Wide apply(const Wide& x) {
    Wide result;
    f(result.value, x.value, MPFR_RNDN);
    return result;
}
template <int (*f)(mpfr_ptr, mpfr_srcptr, mpfr_srcptr, mpfr_rnd_t)> Wide apply(const Wide& x, const Wide& y) {
    Wide result;
    f(result.value, x.value, y.value, MPFR_RNDN);
    return result;
}
Wide operator+(const Wide& x, const Wide& y) { return apply<mpfr_add>(x, y); }
Wide operator-(const Wide& x) { return apply<mpfr_neg>(x); }
Wide operator*(const Wide& x, const Wide& y) { return apply<mpfr_mul>(x, y); }
Wide operator/(const Wide& x, const Wide& y) { return apply<mpfr_div>(x, y); }

Wide exp_of(const Wide& x) { return apply<mpfr_exp>(x); }
Wide log1p_of(const Wide& x) { return apply<mpfr_log1p>(x); }
Wide larger(const Wide& x, const Wide& y) { return mpfr_cmp(x.value, y.value) > 0 ? x : y; }
Wide smaller(const Wide& x, const Wide& y) { return mpfr_cmp(x.value, y.value) > 0 ? y : x; }
Wide root_two_over_pi() {
    Wide pi;
    mpfr_const_pi(pi.value, MPFR_RNDN);
    return apply<mpfr_sqrt>(Wide(2) / pi);
}
Wide lgamma_of(const Wide& x) {
    Wide result;
    int sign = 0;
    mpfr_lgamma(result.value, &sign, x.value, MPFR_RNDN);
    return result;
}

#define ONE(name, f) long double name(long double x, long double) { return apply<f>(Wide(x)).rounded(); }
#define TWO(name, f) long double name(long double x, long double y) { return apply<f>(Wide(x), Wide(y)).rounded(); }
ONE(sqrt_, mpfr_sqrt) ONE(cbrt_, mpfr_cbrt) ONE(exp_, mpfr_exp) ONE(exp2_, mpfr_exp2) ONE(expm1_, mpfr_expm1)
ONE(log_, mpfr_log) ONE(log1p_, mpfr_log1p) ONE(log2_, mpfr_log2) ONE(log10_, mpfr_log10)
ONE(sin_, mpfr_sin) ONE(cos_, mpfr_cos) ONE(tan_, mpfr_tan) ONE(asin_, mpfr_asin) ONE(acos_, mpfr_acos) ONE(atan_, mpfr_atan)
ONE(sinh_, mpfr_sinh) ONE(cosh_, mpfr_cosh) ONE(tanh_, mpfr_tanh) ONE(asinh_, mpfr_asinh) ONE(acosh_, mpfr_acosh) ONE(atanh_, mpfr_atanh)
ONE(erf_, mpfr_erf) ONE(erfc_, mpfr_erfc) ONE(digamma_, mpfr_digamma)
TWO(pow_, mpfr_pow) TWO(atan2_, mpfr_atan2) TWO(hypot_, mpfr_hypot)
#undef ONE
#undef TWO
long double lgamma_(long double x, long double) { return lgamma_of(x).rounded(); }

#else

using Wide = long double;
Wide exp_of(Wide x) { return std::exp(x); }
Wide log1p_of(Wide x) { return std::log1p(x); }
Wide larger(Wide x, Wide y) { return x > y ? x : y; }
Wide smaller(Wide x, Wide y) { return x > y ? y : x; }
Wide root_two_over_pi() { return std::sqrt(2 / std::numbers::pi_v<long double>); }

#define ONE(name, f) long double name(long double x, long double) { return f(x); }
#define TWO(name, f) long double name(long double x, long double y) { return f(x, y); }
ONE(sqrt_, std::sqrt) ONE(cbrt_, std::cbrt) ONE(exp_, std::exp) ONE(exp2_, std::exp2) ONE(expm1_, std::expm1)
ONE(log_, std::log) ONE(log1p_, std::log1p) ONE(log2_, std::log2) ONE(log10_, std::log10)
ONE(sin_, std::sin) ONE(cos_, std::cos) ONE(tan_, std::tan) ONE(asin_, std::asin) ONE(acos_, std::acos) ONE(atan_, std::atan)
ONE(sinh_, std::sinh) ONE(cosh_, std::cosh) ONE(tanh_, std::tanh) ONE(asinh_, std::asinh) ONE(acosh_, std::acosh) ONE(atanh_, std::atanh)
ONE(erf_, std::erf) ONE(erfc_, std::erfc)
TWO(pow_, std::pow) TWO(atan2_, std::atan2) TWO(hypot_, std::hypot)
#undef ONE
#undef TWO
long double lgamma_(long double x, long double) {
    int sign = 0;
    return lgammal_r(x, &sign);
}
// Recurrence up to 40, then the asymptotic series, which there has 22 digits.
long double digamma_(long double x, long double) {
    long double result = 0;
    for (; x < 40; ++x) result -= 1 / x;
    const long double z = 1 / (x * x);
    const long double series = z * (1.0L / 12 - z * (1.0L / 120 - z * (1.0L / 252 - z * (1.0L / 240 - z * (1.0L / 132 - z * (691.0L / 32760 - z * (1.0L / 12)))))));
    return result + (std::log(x) - 0.5L / x - series);
}

#endif

#ifdef VMAPRUN_MPFR
long double rounded(const Wide& x) { return x.rounded(); }
#else
long double rounded(Wide x) { return x; }
#endif

Wide one_over(const Wide& x) { return Wide(1) / x; }
long double sigmoid_(long double x, long double) { return rounded(one_over(Wide(1) + exp_of(-Wide(x)))); }
long double silu_(long double x, long double) { return rounded(Wide(x) / (Wide(1) + exp_of(-Wide(x)))); }
Wide softplus_of(const Wide& x) { return larger(x, Wide(0)) + log1p_of(exp_of(smaller(x, -x))); }
long double softplus_(long double x, long double) { return rounded(softplus_of(x)); }
long double log_sigmoid_(long double x, long double) { return rounded(-softplus_of(-Wide(x))); }
long double gelu_(long double x, long double) {
    const Wide w(x), inner = root_two_over_pi() * (w + Wide(44715) / Wide(1000000) * w * w * w);
    return rounded(w / (Wide(1) + exp_of(-(inner + inner))));
}
long double logaddexp_(long double x, long double y) {
    const Wide a = larger(Wide(x), Wide(y)), b = smaller(Wide(x), Wide(y));
    return rounded(a + log1p_of(exp_of(b + -a)));
}

constexpr double pi = std::numbers::pi, huge32 = std::numeric_limits<float>::max(), huge64 = std::numeric_limits<double>::max();
constexpr double tiny32 = 1.401298464324817e-45, tiny64 = 4.9406564584124654e-324;

// Everywhere that a function is defined for every number.
const std::vector<Range> everywhere32 = {{-huge32, huge32}}, everywhere64 = {{-huge64, huge64}};

std::vector<Function> make() {
    using enum vmaprun::PointwiseOp;
    const auto wide = [](std::string name, vmaprun::PointwiseOp op, auto exact, double goal, std::vector<Range> primary) {
        return Function{std::move(name), op, exact, false, goal, std::move(primary), everywhere32, everywhere64};
    };
    return {
        {"sqrt", sqrt, sqrt_, false, 0.5, {{0, 4}}, {{0, huge32}}, {{0, huge64}}},
        {"cbrt", cbrt, cbrt_, false, 4, {{-8, 8}}, everywhere32, everywhere64},
        {"exp", exp, exp_, false, 1.1, {{-10, 10}}, {{-104, 88.7}}, {{-745, 709.7}}},
        {"exp2", exp2, exp2_, false, 1.1, {{-10, 10}}, {{-150, 127.9}}, {{-1075, 1023.9}}},
        {"expm1", expm1, expm1_, false, 4, {{-2, 2}}, {{-50, 88.7}}, {{-50, 709.7}}},
        {"log", log, log_, false, 1.1, {{0.1, 10}}, {{tiny32, huge32}}, {{tiny64, huge64}}},
        {"log1p", log1p, log1p_, false, 4, {{-0.5, 2}}, {{-0.99999, huge32}}, {{-0.99999, huge64}}},
        {"log2", log2, log2_, false, 1.1, {{0.1, 10}}, {{tiny32, huge32}}, {{tiny64, huge64}}},
        {"log10", log10, log10_, false, 1.1, {{0.1, 10}}, {{tiny32, huge32}}, {{tiny64, huge64}}},
        wide("sin", sin, sin_, 1.1, {{-2 * pi, 2 * pi}}),
        wide("cos", cos, cos_, 1.1, {{-2 * pi, 2 * pi}}),
        wide("tan", tan, tan_, 1.1, {{-pi / 2, pi / 2}}),
        {"asin", asin, asin_, false, 1.1, {{-1, 1}}, {{-1, 1}}, {{-1, 1}}},
        {"acos", acos, acos_, false, 1.1, {{-1, 1}}, {{-1, 1}}, {{-1, 1}}},
        wide("atan", atan, atan_, 1.1, {{-4, 4}}),
        {"sinh", sinh, sinh_, false, 4, {{-4, 4}}, {{-89.4, 89.4}}, {{-710.4, 710.4}}},
        {"cosh", cosh, cosh_, false, 4, {{-4, 4}}, {{-89.4, 89.4}}, {{-710.4, 710.4}}},
        wide("tanh", tanh, tanh_, 4, {{-10, 10}}),
        wide("asinh", asinh, asinh_, 4, {{-4, 4}}),
        {"acosh", acosh, acosh_, false, 4, {{1, 4}}, {{1, huge32}}, {{1, huge64}}},
        {"atanh", atanh, atanh_, false, 4, {{-0.5, 0.5}}, {{-0.9999999, 0.9999999}}, {{-0.9999999, 0.9999999}}},
        wide("erf", erf, erf_, 4, {{-2, 2}}),
        {"erfc", erfc, erfc_, false, 4, {{-2, 2}}, {{-6, 10}}, {{-6, 26.5}}},
        {"lgamma", lgamma, lgamma_, false, 4, {{0.01, 10}}, {{tiny32, 1e36}}, {{tiny64, 1e305}}},
        {"digamma", digamma, digamma_, false, 4, {{0.1, 40}}, {{1e-30, 1e30}}, {{1e-30, 1e300}}},
        {"sigmoid", sigmoid, sigmoid_, false, 4, {{-4, 4}}, {{-87, 90}}, {{-708, 710}}},
        {"softplus", softplus, softplus_, false, 4, {{-4, 4}}, {{-87, huge32}}, {{-708, huge64}}},
        {"log_sigmoid", log_sigmoid, log_sigmoid_, false, 4, {{-4, 4}}, {{-huge32, 87}}, {{-huge64, 708}}},
        {"silu", silu, silu_, false, 4, {{-4, 4}}, {{-80, huge32}}, {{-700, huge64}}},
        {"gelu", gelu, gelu_, false, 4, {{-1, 4}}, {{-1, 1e12}}, {{-1, 1e100}}},
        {"pow", pow, pow_, true, 4, {{0.1, 10}}, {{1e-3, 1e3}}, {{1e-3, 1e3}}},
        {"atan2", atan2, atan2_, true, 4, {{-4, 4}}, {{-1e30, 1e30}}, {{-1e200, 1e200}}},
        {"hypot", hypot, hypot_, true, 4, {{-4, 4}}, {{-1e38, 1e38}}, {{-1e308, 1e308}}},
        {"logaddexp", logaddexp, logaddexp_, true, 4, {{1, 4}}, {{1, 1e30}}, {{1, 1e300}}},
    };
}

} // namespace

const std::vector<Function>& functions() {
    static const std::vector<Function> all = make();
    return all;
}

bool by_mpfr() {
#ifdef VMAPRUN_MPFR
    return true;
#else
    return false;
#endif
}

} // namespace accuracy
