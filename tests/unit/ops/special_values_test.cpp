// The values of element-wise functions at zeros, infinities, NaN and subnormal numbers, as C's Annex F has them, on every
// instruction set of this machine and at every place of a vector.
#include <cmath>
#include <cstring>
#include <limits>
#include <numbers>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "ops/kernels/pointwise.hpp"

using namespace vmaprun;

namespace {

constexpr double infinity = std::numeric_limits<double>::infinity(), nan_ = std::numeric_limits<double>::quiet_NaN(), pi = std::numbers::pi;

std::vector<InstructionSet> sets() {
    std::vector<InstructionSet> all;
    for (const InstructionSet set : {InstructionSet::sse42, InstructionSet::avx2, InstructionSet::avx512, InstructionSet::neon}) {
        if (runs_here(set)) all.push_back(set);
    }
    return all;
}

template <class T> bool same(T a, T b) { return std::isnan(a) ? std::isnan(b) : a == b && std::signbit(a) == std::signbit(b); }

// f(x, y) alone, and among other numbers.
template <class T> void expect(const std::string& name, PointwiseOp op, double x, double y, double wanted) {
    const ElementType type = sizeof(T) == 4 ? ElementType::f32 : ElementType::f64;
    for (const InstructionSet set : sets()) {
        const TileFunction function = make_pointwise_table(set).at(op, type);
        for (const std::size_t place : {std::size_t{0}, std::size_t{5}, std::size_t{16}, std::size_t{18}}) {
            std::vector<T> xs(19, T(0.75)), ys(19, T(2)), out(19);
            xs[place] = static_cast<T>(x), ys[place] = static_cast<T>(y);
            const void* in[] = {xs.data(), ys.data()};
            function(out.data(), in, 19);
            INFO(name << "(" << x << ", " << y << ") of f" << 8 * sizeof(T) << ", " << std::string(name_of(set)) << ": " << out[place] << ", not " << wanted);
            CHECK(same(out[place], static_cast<T>(wanted)));
        }
    }
}

struct Case {
    double x, wanted;
};
struct PairCase {
    double x, y, wanted;
};

void check(const std::string& name, PointwiseOp op, const std::vector<Case>& cases) {
    for (const Case& each : cases) {
        expect<float>(name, op, each.x, 2, each.wanted);
        expect<double>(name, op, each.x, 2, each.wanted);
    }
}
void check(const std::string& name, PointwiseOp op, const std::vector<PairCase>& cases) {
    for (const PairCase& each : cases) {
        expect<float>(name, op, each.x, each.y, each.wanted);
        expect<double>(name, op, each.x, each.y, each.wanted);
    }
}

} // namespace

TEST_CASE("NaN gives NaN") {
    using enum PointwiseOp;
    for (const PointwiseOp op : {sqrt, cbrt, exp, exp2, expm1, log, log1p, log2, log10, sin, cos, tan, asin, acos, atan, sinh, cosh, tanh, asinh, acosh, atanh, erf, erfc, lgamma,
                                 digamma, sigmoid, silu, gelu, softplus, log_sigmoid, floor, ceil, trunc, round, relu}) {
        check("operation " + std::to_string(static_cast<int>(op)), op, std::vector<Case>{{nan_, nan_}});
    }
}

TEST_CASE("odd functions keep the sign of a zero") {
    using enum PointwiseOp;
    for (const PointwiseOp op : {sqrt, cbrt, expm1, log1p, sin, tan, asin, atan, sinh, tanh, asinh, atanh, erf, floor, ceil, trunc, round}) {
        check("operation " + std::to_string(static_cast<int>(op)), op, std::vector<Case>{{0.0, 0.0}, {-0.0, -0.0}});
    }
}

TEST_CASE("exponentials and logarithms at their ends") {
    using enum PointwiseOp;
    check("exp", exp, std::vector<Case>{{0.0, 1}, {-0.0, 1}, {infinity, infinity}, {-infinity, 0.0}, {1e5, infinity}, {-1e5, 0.0}});
    check("exp2", exp2, std::vector<Case>{{0.0, 1}, {-0.0, 1}, {infinity, infinity}, {-infinity, 0.0}, {3, 8}, {-126, 0x1p-126}});
    check("expm1", expm1, std::vector<Case>{{infinity, infinity}, {-infinity, -1}, {-1e5, -1}});
    check("log", log, std::vector<Case>{{0.0, -infinity}, {-0.0, -infinity}, {1, 0.0}, {-1, nan_}, {infinity, infinity}, {-infinity, nan_}});
    check("log1p", log1p, std::vector<Case>{{-1, -infinity}, {-2, nan_}, {infinity, infinity}, {-infinity, nan_}});
    check("log2", log2, std::vector<Case>{{0.0, -infinity}, {-0.0, -infinity}, {1, 0.0}, {8, 3}, {0x1p-126, -126}, {-1, nan_}, {infinity, infinity}});
    check("log10", log10, std::vector<Case>{{0.0, -infinity}, {-0.0, -infinity}, {1, 0.0}, {1000, 3}, {-1, nan_}, {infinity, infinity}});
    check("sqrt", sqrt, std::vector<Case>{{infinity, infinity}, {-1, nan_}, {-infinity, nan_}, {4, 2}});
    check("cbrt", cbrt, std::vector<Case>{{infinity, infinity}, {-infinity, -infinity}});
}

TEST_CASE("circular and hyperbolic functions at their ends") {
    using enum PointwiseOp;
    check("sin", sin, std::vector<Case>{{infinity, nan_}, {-infinity, nan_}});
    check("cos", cos, std::vector<Case>{{0.0, 1}, {-0.0, 1}, {infinity, nan_}, {-infinity, nan_}});
    check("tan", tan, std::vector<Case>{{infinity, nan_}, {-infinity, nan_}});
    check("asin", asin, std::vector<Case>{{1, pi / 2}, {-1, -pi / 2}, {2, nan_}, {-2, nan_}, {infinity, nan_}});
    check("acos", acos, std::vector<Case>{{1, 0.0}, {-1, pi}, {2, nan_}, {-2, nan_}, {-infinity, nan_}});
    check("atan", atan, std::vector<Case>{{infinity, pi / 2}, {-infinity, -pi / 2}});
    check("sinh", sinh, std::vector<Case>{{infinity, infinity}, {-infinity, -infinity}});
    check("cosh", cosh, std::vector<Case>{{0.0, 1}, {-0.0, 1}, {infinity, infinity}, {-infinity, infinity}});
    check("tanh", tanh, std::vector<Case>{{infinity, 1}, {-infinity, -1}, {50, 1}, {-50, -1}});
    check("asinh", asinh, std::vector<Case>{{infinity, infinity}, {-infinity, -infinity}});
    check("acosh", acosh, std::vector<Case>{{1, 0.0}, {0.5, nan_}, {-infinity, nan_}, {infinity, infinity}});
    check("atanh", atanh, std::vector<Case>{{1, infinity}, {-1, -infinity}, {2, nan_}, {-infinity, nan_}});
}

TEST_CASE("error and gamma functions at their ends") {
    using enum PointwiseOp;
    check("erf", erf, std::vector<Case>{{infinity, 1}, {-infinity, -1}});
    check("erfc", erfc, std::vector<Case>{{infinity, 0.0}, {-infinity, 2}, {0.0, 1}, {-0.0, 1}});
    check("lgamma", lgamma, std::vector<Case>{{1, 0.0}, {2, 0.0}, {0.0, infinity}, {-0.0, infinity}, {-3, infinity}, {infinity, infinity}, {-infinity, infinity}});
    check("digamma", digamma, std::vector<Case>{{0.0, -infinity}, {-0.0, infinity}, {-2, nan_}, {infinity, infinity}});
    check("sigmoid", sigmoid, std::vector<Case>{{0.0, 0.5}, {infinity, 1}, {-infinity, 0.0}});
    check("softplus", softplus, std::vector<Case>{{infinity, infinity}, {-infinity, 0.0}});
}

TEST_CASE("roundings of infinities and halves") {
    using enum PointwiseOp;
    for (const PointwiseOp op : {floor, ceil, trunc, round}) check("operation " + std::to_string(static_cast<int>(op)), op, std::vector<Case>{{infinity, infinity}, {-infinity, -infinity}});
    check("ceil", ceil, std::vector<Case>{{-0.5, -0.0}, {0.5, 1}});
    check("trunc", trunc, std::vector<Case>{{-0.5, -0.0}, {1.5, 1}});
    check("round", round, std::vector<Case>{{-0.5, -0.0}, {0.5, 0.0}, {1.5, 2}, {2.5, 2}});
}

TEST_CASE("pow") {
    check("pow", PointwiseOp::pow,
          std::vector<PairCase>{{0.0, -3, infinity},      {-0.0, -3, -infinity},     {0.0, -2, infinity},     {-0.0, -2, infinity},       {0.0, -2.5, infinity},     {-0.0, -infinity, infinity}, {0.0, 3, 0.0},
                                {-0.0, 3, -0.0},          {-0.0, 2, 0.0},            {-0.0, 2.5, 0.0},        {-1, infinity, 1},          {-1, -infinity, 1},        {1, nan_, 1},                {1, infinity, 1},
                                {nan_, 0.0, 1},           {nan_, -0.0, 1},           {infinity, 0.0, 1},      {-2, 0.5, nan_},            {0.5, -infinity, infinity}, {2, -infinity, 0.0},         {0.5, infinity, 0.0},
                                {2, infinity, infinity},  {-infinity, -3, -0.0},     {-infinity, -2, 0.0},    {-infinity, 3, -infinity},  {-infinity, 2, infinity},  {infinity, -1.5, 0.0},       {infinity, 1.5, infinity},
                                {nan_, 1, nan_},          {2, nan_, nan_},           {-8, 3, -512},           {2, 10, 1024}});
}

TEST_CASE("atan2 and hypot") {
    check("atan2", PointwiseOp::atan2,
          std::vector<PairCase>{{0.0, -0.0, pi},      {-0.0, -0.0, -pi},          {0.0, 0.0, 0.0},           {-0.0, 0.0, -0.0},           {0.0, -1, pi},                     {-0.0, -1, -pi},
                                {0.0, 1, 0.0},        {-0.0, 1, -0.0},            {-1, 0.0, -pi / 2},        {1, -0.0, pi / 2},           {1, -infinity, pi},                {-1, -infinity, -pi},
                                {1, infinity, 0.0},   {-1, infinity, -0.0},       {infinity, 1, pi / 2},     {-infinity, -1, -pi / 2},    {infinity, -infinity, 3 * pi / 4}, {-infinity, infinity, -pi / 4},
                                {nan_, 1, nan_},      {1, nan_, nan_}});
    check("hypot", PointwiseOp::hypot, std::vector<PairCase>{{infinity, nan_, infinity}, {nan_, -infinity, infinity}, {3, -4, 5}, {-0.0, 0.0, 0.0}, {nan_, 1, nan_}});
}

namespace {

template <class T> void check_subnormal(T x) {
    using enum PointwiseOp;
    for (const PointwiseOp op : {expm1, log1p, sin, tan, asin, atan, sinh, tanh, asinh, atanh}) {
        expect<T>("operation " + std::to_string(static_cast<int>(op)), op, x, 2, x);
        expect<T>("operation " + std::to_string(static_cast<int>(op)), op, -x, 2, -x);
    }
    for (const PointwiseOp op : {exp, exp2, cos, cosh, erfc}) expect<T>("operation " + std::to_string(static_cast<int>(op)), op, x, 2, 1);
    expect<T>("sqrt", sqrt, x, 2, std::sqrt(x));
    expect<T>("log2", log2, x, 2, std::log2(x));
}

} // namespace

TEST_CASE("subnormal numbers go in and come out") {
    check_subnormal<float>(0x1p-149f);
    check_subnormal<float>(0x1p-130f);
    check_subnormal<double>(0x1p-1074);
    check_subnormal<double>(0x1p-1030);
    expect<float>("exp2", PointwiseOp::exp2, -149, 2, 0x1p-149);
    expect<float>("exp2", PointwiseOp::exp2, -130, 2, 0x1p-130);
    expect<double>("exp2", PointwiseOp::exp2, -1074, 2, 0x1p-1074);
    expect<double>("exp2", PointwiseOp::exp2, -1030, 2, 0x1p-1030);
    expect<float>("erf", PointwiseOp::erf, 0x1p-140, 2, 1.1283791670955126 * 0x1p-140);
}
