// The float kernels against the C library in long double: error in units in the last place, special values, thresholds.
#include <doctest/doctest.h>

#include <bit>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <limits>
#include <numbers>
#include <string>
#include <vector>

#include "ops/kernels/pointwise.hpp"

using namespace vmaprun;

namespace {

using Real = long double;

// A small generator: the test must not depend on a library's distributions.
struct Random {
    std::uint64_t state = 0x9e3779b97f4a7c15u;
    std::uint64_t next() {
        state ^= state << 13, state ^= state >> 7, state ^= state << 17;
        return state;
    }
    double unit() { return static_cast<double>(next() >> 11) * 0x1p-53; }
};

template <class T> std::vector<T> samples() {
    using Limits = std::numeric_limits<T>;
    std::vector<T> numbers = {0, T(-0.0), 1, -1, T(0.5), T(-0.5), 2, -2, 10, -10, Limits::infinity(), -Limits::infinity(), Limits::quiet_NaN(), Limits::min(), -Limits::min(),
                              Limits::denorm_min(), Limits::max(), Limits::lowest(), T(88.72), T(88.73), T(-87.3), T(-103.9), T(-104), T(709.78), T(709.79), T(-745.1), T(-745.2),
                              T(-708.4), 127, 128, T(127.9), -126, -149, T(-149.5), -150, -151, 1023, 1024, -1022, -1074, -1075, -1076, T(89.4), T(89.5), T(710.4), T(710.5), 1600000, 1e9};
    Random random;
    for (int i = 0; i < 6000; ++i) {
        if constexpr (sizeof(T) == 4) numbers.push_back(std::bit_cast<float>(static_cast<std::uint32_t>(random.next() >> 32)));
        else numbers.push_back(std::bit_cast<double>(random.next()));
        numbers.push_back(static_cast<T>(random.unit() * 20 - 10));
        numbers.push_back(static_cast<T>(random.unit() * 2 - 1));
        numbers.push_back(static_cast<T>(1 + (random.unit() - 0.5) * 1e-2));
        numbers.push_back(static_cast<T>(std::exp((random.unit() - 0.5) * 40) * (i % 2 == 0 ? 1 : -1)));
        numbers.push_back(static_cast<T>((random.unit() - 0.5) * (sizeof(T) == 4 ? 220 : 1600)));
    }
    return numbers;
}

// How far `got` is from the exact value, in units in the last place of T; infinity where special values disagree.
template <class T> double distance(T got, Real exact) {
    const T expected = static_cast<T>(exact);
    if (std::isnan(expected)) return std::isnan(got) ? 0 : INFINITY;
    if (expected == got && std::signbit(expected) == std::signbit(got)) return std::isinf(got) ? 0 : static_cast<double>(std::fabs(exact - static_cast<Real>(got)) / (std::nextafter(std::fabs(expected), std::numeric_limits<T>::infinity()) - std::fabs(expected)));
    if (std::isinf(expected) || std::isinf(got)) {
        // Where rounding alone decides between the largest number and infinity, either will do.
        return std::fabs(std::fabs(exact) / static_cast<Real>(std::numeric_limits<T>::max()) - 1) < (sizeof(T) == 4 ? 1e-6L : 1e-15L) ? 1 : INFINITY;
    }
    if (expected == 0 && got == 0) return exact == 0 ? INFINITY : 0; // the sign of an exact zero is wrong
    const Real unit = static_cast<Real>(std::nextafter(std::fabs(expected), std::numeric_limits<T>::infinity())) - static_cast<Real>(std::fabs(expected));
    return static_cast<double>(std::fabs(static_cast<Real>(got) - exact) / unit);
}

struct Unary {
    const char* name;
    PointwiseOp op;
    Real (*exact)(Real);
    double units; // allowed
};

Real sigmoid(Real x) { return x >= 0 ? 1 / (1 + std::exp(-x)) : std::exp(x) / (1 + std::exp(x)); }
Real softplus(Real x) { return std::isnan(x) ? x : (x > 0 ? x : 0) + std::log1p(std::exp(-std::fabs(x))); }

using P = PointwiseOp;
const Unary unaries[] = {
    {"exp", P::exp, [](Real x) { return std::exp(x); }, 1.5},
    {"exp2", P::exp2, [](Real x) { return std::exp2(x); }, 1.5},
    {"expm1", P::expm1, [](Real x) { return std::expm1(x); }, 2},
    {"log", P::log, [](Real x) { return std::log(x); }, 1.5},
    {"log1p", P::log1p, [](Real x) { return std::log1p(x); }, 2},
    {"log2", P::log2, [](Real x) { return std::log2(x); }, 1.5},
    {"log10", P::log10, [](Real x) { return std::log10(x); }, 1.5},
    {"sin", P::sin, [](Real x) { return std::sin(x); }, 1.5},
    {"cos", P::cos, [](Real x) { return std::cos(x); }, 1.5},
    {"tan", P::tan, [](Real x) { return std::tan(x); }, 3},
    {"asin", P::asin, [](Real x) { return std::asin(x); }, 1.5},
    {"acos", P::acos, [](Real x) { return std::acos(x); }, 1.5},
    {"atan", P::atan, [](Real x) { return std::atan(x); }, 1.5},
    {"sinh", P::sinh, [](Real x) { return std::sinh(x); }, 3},
    {"cosh", P::cosh, [](Real x) { return std::cosh(x); }, 2.5},
    {"tanh", P::tanh, [](Real x) { return std::tanh(x); }, 5},
    {"asinh", P::asinh, [](Real x) { return std::asinh(x); }, 4},
    {"acosh", P::acosh, [](Real x) { return std::acosh(x); }, 4},
    {"atanh", P::atanh, [](Real x) { return std::atanh(x); }, 4},
    {"cbrt", P::cbrt, [](Real x) { return std::cbrt(x); }, 3},
    {"erf", P::erf, [](Real x) { return std::erf(x); }, 2},
    {"erfc", P::erfc, [](Real x) { return std::erfc(x); }, 4},
    {"sigmoid", P::sigmoid, sigmoid, 3},
    {"softplus", P::softplus, softplus, 3},
    {"log_sigmoid", P::log_sigmoid, [](Real x) { return -softplus(-x); }, 3},
    {"sqrt", P::sqrt, [](Real x) { return std::sqrt(x); }, 0.5001},
    {"reciprocal", P::reciprocal, [](Real x) { return 1 / x; }, 0.5001},
    {"round", P::round, [](Real x) { return std::rint(x); }, 0},
    {"floor", P::floor, [](Real x) { return std::floor(x); }, 0},
};

template <class T> void check_unary(const PointwiseTable& table, const Unary& unary, const std::string& set) {
    const std::vector<T> numbers = samples<T>();
    std::vector<T> results(numbers.size());
    const void* in[] = {numbers.data()};
    table.at(unary.op, sizeof(T) == 4 ? ElementType::f32 : ElementType::f64)(results.data(), in, static_cast<long>(numbers.size()));
    double worst = 0;
    T at = 0, got = 0;
    for (std::size_t i = 0; i < numbers.size(); ++i) {
        const double units = distance<T>(results[i], unary.exact(static_cast<Real>(numbers[i])));
        if (units > worst) worst = units, at = numbers[i], got = results[i];
    }
    if (std::getenv("SHOW_UNITS") != nullptr) std::printf("%-12s %s %s %.3f\n", unary.name, sizeof(T) == 4 ? "f32" : "f64", set.c_str(), worst);
    INFO(unary.name << " on " << set << ", " << 8 * sizeof(T) << " bits, at " << static_cast<double>(at) << " gives " << static_cast<double>(got));
    CHECK(worst <= unary.units);
}

template <class F> void for_each_set(F&& f) {
    for (const InstructionSet set : {InstructionSet::sse42, InstructionSet::avx2, InstructionSet::avx512, InstructionSet::neon}) {
        if (runs_here(set)) f(make_pointwise_table(set), std::string(name_of(set)));
    }
}

template <class T> T apply2(const PointwiseTable& table, PointwiseOp op, T a, T b) {
    T out = 0;
    const void* in[] = {&a, &b};
    table.at(op, sizeof(T) == 4 ? ElementType::f32 : ElementType::f64)(&out, in, 1);
    return out;
}

template <class T> T apply1(const PointwiseTable& table, PointwiseOp op, T a) { return apply2<T>(table, op, a, a); }

} // namespace

TEST_CASE("functions of floats are within their units in the last place, special values included") {
    for_each_set([](const PointwiseTable& table, const std::string& set) {
        for (const Unary& unary : unaries) {
            check_unary<float>(table, unary, set);
            check_unary<double>(table, unary, set);
        }
    });
}

TEST_CASE("exp overflows, goes denormal and vanishes where it has to") {
    for_each_set([](const PointwiseTable& table, const std::string&) {
        CHECK(std::isfinite(apply1(table, P::exp, 88.7228f)));
        CHECK(std::isinf(apply1(table, P::exp, 88.7229f)));
        CHECK(apply1(table, P::exp, -103.0f) == 1.401298464e-45f);
        CHECK(apply1(table, P::exp, -104.5f) == 0);
        CHECK(std::isfinite(apply1(table, P::exp, 709.78)));
        CHECK(std::isinf(apply1(table, P::exp, 709.79)));
        CHECK(apply1(table, P::exp, -745.0) == 4.9406564584124654e-324);
        CHECK(apply1(table, P::tanh, 20.0f) == 1.0f);
        CHECK(apply1(table, P::tanh, -1e30) == -1.0);
        CHECK(apply1(table, P::cbrt, 27.0f) == 3.0f);
        CHECK(apply1(table, P::log2, 8.0f) == 3.0f);
        CHECK(apply1(table, P::log10, 1000.0) == 3.0);
        CHECK(apply1(table, P::exp2, -149.0f) == 0x1p-149f);
    });
}

TEST_CASE("pow is C99's, and x ** 2 is x * x bit for bit") {
    const double inf = INFINITY, nan = NAN;
    for_each_set([&](const PointwiseTable& table, const std::string& set) {
        const double specials[] = {0.0, -0.0, 1, -1, 2, -2, 3, -3, 0.5, -0.5, 0.1, 1e10, -1e10, inf, -inf, nan, 7, 1e30, 16777217, 1e-30};
        for (const double x : specials) {
            for (const double y : specials) {
                INFO(set << " pow(" << x << ", " << y << ")");
                const float wide = apply2(table, P::pow, static_cast<float>(x), static_cast<float>(y));
                CHECK(distance<float>(wide, std::pow(static_cast<Real>(static_cast<float>(x)), static_cast<Real>(static_cast<float>(y)))) <= 1);
                CHECK(distance<double>(apply2(table, P::pow, x, y), std::pow(static_cast<Real>(x), static_cast<Real>(y))) <= 1);
            }
        }
        Random random;
        for (int i = 0; i < 3000; ++i) {
            const auto x = static_cast<float>(std::exp((random.unit() - 0.5) * 160) * (i % 2 == 0 ? 1 : -1)), y = static_cast<float>(i % 3 == 0 ? std::rint(random.unit() * 20 - 10) : random.unit() * 20 - 10);
            INFO(set << " pow(" << x << ", " << y << ")");
            CHECK(distance<float>(apply2(table, P::pow, x, y), std::pow(static_cast<Real>(x), static_cast<Real>(y))) <= 1);
            CHECK(apply2(table, P::pow, x, 2.0f) == x * x);
            CHECK(apply2(table, P::pow, static_cast<double>(x) / 3, 2.0) == static_cast<double>(x) / 3 * (static_cast<double>(x) / 3));
        }
    });
}

TEST_CASE("gelu, silu and logaddexp keep their values at both ends") {
    for_each_set([](const PointwiseTable& table, const std::string&) {
        Random random;
        for (int i = 0; i < 2000; ++i) {
            const double x = random.unit() * 24 - 12;
            const Real u = std::numbers::sqrt2_v<Real> / std::sqrt(std::numbers::pi_v<Real>) * (static_cast<Real>(x) + 0.044715L * static_cast<Real>(x) * static_cast<Real>(x) * static_cast<Real>(x));
            const Real exact = static_cast<Real>(x) * sigmoid(2 * u);
            CHECK(static_cast<double>(apply1(table, P::gelu, x)) == doctest::Approx(static_cast<double>(exact)).epsilon(1e-13));
            CHECK(static_cast<double>(apply1(table, P::gelu, static_cast<float>(x))) == doctest::Approx(static_cast<double>(exact)).epsilon(2e-5));
            CHECK(apply1(table, P::silu, x) == doctest::Approx(static_cast<double>(static_cast<Real>(x) * sigmoid(static_cast<Real>(x)))).epsilon(1e-14));
        }
        const double inf = INFINITY;
        CHECK(apply2(table, P::logaddexp, -inf, -inf) == -inf);
        CHECK(apply2(table, P::logaddexp, inf, inf) == inf);
        CHECK(apply2(table, P::logaddexp, -inf, 1.5) == 1.5);
        CHECK(apply2(table, P::logaddexp, inf, -inf) == inf);
        CHECK(apply2(table, P::logaddexp, 1000.0, 1000.0) == doctest::Approx(1000.69314718055994));
        CHECK(std::isnan(apply2(table, P::logaddexp, static_cast<double>(NAN), 1.0)));
        CHECK(std::isnan(apply2(table, P::logaddexp, 1.0, static_cast<double>(NAN))));
    });
}

TEST_CASE("digamma: known values, reflection, poles") {
    for_each_set([](const PointwiseTable& table, const std::string&) {
        CHECK(apply1(table, P::digamma, 1.0) == doctest::Approx(-0.57721566490153286061).epsilon(1e-15));
        CHECK(apply1(table, P::digamma, 0.5) == doctest::Approx(-1.96351002602142347944).epsilon(1e-15));
        CHECK(apply1(table, P::digamma, -0.5) == doctest::Approx(0.03648997397857652056).epsilon(1e-12));
        CHECK(apply1(table, P::digamma, 1e10) == doctest::Approx(23.02585092989045684).epsilon(1e-15));
        CHECK(std::isnan(apply1(table, P::digamma, -3.0)));
        CHECK(apply1(table, P::digamma, 0.0) == -INFINITY);
        CHECK(apply1(table, P::lgamma, 10.0) == doctest::Approx(12.8018274800814696));
    });
}
