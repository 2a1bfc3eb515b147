// Measures how far every element-wise function of floats is from the true value, in units of the last place, on every
// instruction set that this machine runs.
//     test_accuracy [SAMPLES]          checks the goals of reference.cpp (a few samples a range), for the test suite
//     test_accuracy --table SAMPLES    prints docs/accuracy.md; `make accuracy`
// Half of the samples of a range are uniform in value, half uniform in the order of floats, so that every binade has its share.
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <limits>
#include <random>

#include "ops/kernels/dispatch.hpp"
#include "reference.hpp"

namespace {

using namespace vmaprun;
using accuracy::Function;
using accuracy::Range;

std::vector<InstructionSet> sets() {
    std::vector<InstructionSet> all;
    for (const InstructionSet set : {InstructionSet::sse42, InstructionSet::avx2, InstructionSet::avx512, InstructionSet::neon}) {
        if (runs_here(set)) all.push_back(set);
    }
    return all;
}

// Floats in order as whole numbers.
template <class T> struct Word;
template <> struct Word<float> { using type = std::int32_t; };
template <> struct Word<double> { using type = std::int64_t; };
template <class T> std::int64_t ordered(T x) {
    typename Word<T>::type bits;
    std::memcpy(&bits, &x, sizeof x);
    return bits >= 0 ? bits : std::int64_t{std::numeric_limits<typename Word<T>::type>::min()} - bits;
}
template <class T> T from_ordered(std::int64_t place) {
    const auto bits = static_cast<typename Word<T>::type>(place >= 0 ? place : std::int64_t{std::numeric_limits<typename Word<T>::type>::min()} - place);
    T x;
    std::memcpy(&x, &bits, sizeof x);
    return x;
}

template <class T> std::vector<T> samples(const std::vector<Range>& ranges, std::int64_t count, std::mt19937_64& random) {
    std::vector<T> numbers;
    for (const Range& range : ranges) {
        const T low = static_cast<T>(range.low), high = static_cast<T>(range.high);
        numbers.insert(numbers.end(), {low, high});
        std::uniform_int_distribution<std::int64_t> place(ordered(low), ordered(high));
        std::uniform_real_distribution<double> part(0, 1);
        for (std::int64_t i = 0; i < count; ++i) {
            const double p = part(random);
            numbers.push_back(i % 2 == 0 ? static_cast<T>(range.low * (1 - p) + range.high * p) : from_ordered<T>(place(random)));
        }
    }
    return numbers;
}

template <class T> double distance(T got, long double exact) {
    if (std::isnan(got)) return std::isnan(exact) ? 0 : INFINITY;
    const long double largest = std::numeric_limits<T>::max();
    if (std::isinf(got)) return std::fabs(exact) > largest * (1 - std::numeric_limits<T>::epsilon() / 2) ? 0 : INFINITY;
    int exponent = 0;
    std::frexp(exact, &exponent);
    exponent = std::max(exponent, std::numeric_limits<T>::min_exponent);
    return static_cast<double>(std::fabs(static_cast<long double>(got) - exact) / std::ldexp(1.0L, exponent - std::numeric_limits<T>::digits));
}

struct Worst {
    double ulps = 0, x = 0, y = 0;
};

// Of each instruction set.
template <class T> std::vector<Worst> measure(const Function& function, const std::vector<Range>& ranges, std::int64_t count) {
    std::mt19937_64 random(20241);
    const std::vector<T> xs = samples<T>(ranges, count, random);
    std::vector<T> ys = function.binary ? samples<T>(ranges, count, random) : std::vector<T>(xs.size(), T(0)), got(xs.size());
    std::vector<long double> exact;
    for (std::size_t i = 0; i < xs.size(); ++i) exact.push_back(function.exact(xs[i], ys[i]));
    std::vector<Worst> worst;
    for (const InstructionSet set : sets()) {
        const void* operands[] = {xs.data(), ys.data()};
        make_pointwise_table(set).at(function.op, sizeof(T) == 4 ? ElementType::f32 : ElementType::f64)(got.data(), operands, static_cast<long>(xs.size()));
        Worst of_set;
        for (std::size_t i = 0; i < xs.size(); ++i) {
            if (const double ulps = distance(got[i], exact[i]); ulps > of_set.ulps) of_set = {ulps, xs[i], ys[i]};
        }
        worst.push_back(of_set);
    }
    return worst;
}

struct Measured {
    std::vector<Worst> primary, rest;
};

template <class T> Measured measure_all(const Function& function, std::int64_t count) {
    return {measure<T>(function, function.primary, count), measure<T>(function, sizeof(T) == 4 ? function.f32 : function.f64, count)};
}

int check(const Function& function, const char* dtype, const char* where, const std::vector<Worst>& worst, double goal) {
    int failures = 0;
    for (std::size_t i = 0; i < worst.size(); ++i) {
        if (worst[i].ulps <= goal) continue;
        std::printf("%s of %s, %s, %s: %.3f ulp at (%.17g, %.17g), the goal is %.1f\n", function.name.c_str(), dtype, where, std::string(name_of(sets()[i])).c_str(), worst[i].ulps, worst[i].x, worst[i].y, goal);
        ++failures;
    }
    return failures;
}

int check_all(std::int64_t count) {
    int failures = 0;
    for (const Function& function : accuracy::functions()) {
        const Measured f32 = measure_all<float>(function, count), f64 = measure_all<double>(function, count);
        const double rest = function.goal == 0.5 ? 0.5 : 4;
        failures += check(function, "f32", "primary range", f32.primary, function.goal) + check(function, "f32", "domain", f32.rest, rest);
        failures += check(function, "f64", "primary range", f64.primary, function.goal) + check(function, "f64", "domain", f64.rest, rest);
    }
    std::printf("%d of the goals are missed\n", failures);
    return failures == 0 ? 0 : 1;
}

std::string text_of(double x) {
    char text[32];
    std::snprintf(text, sizeof text, "%.4g", x);
    return text;
}

std::string text_of(const std::vector<Range>& ranges) {
    std::string text;
    for (const Range& range : ranges) text += (text.empty() ? "" : ", ") + text_of(range.low) + " … " + text_of(range.high);
    return text;
}

void print_row(const Function& function, const char* dtype, const Measured& measured) {
    std::printf("| %s | %s |", function.name.c_str(), dtype);
    for (std::size_t i = 0; i < measured.primary.size(); ++i) std::printf(" %.2f / %.2f |", measured.primary[i].ulps, measured.rest[i].ulps);
    std::printf("\n");
}

void print_table(std::int64_t count) {
    std::printf("# How exact the element-wise functions are\n\n"
                "The largest distance from the true value that was met, in units of the last place of the result (0.5 is exact\n"
                "rounding), on the primary range / on the whole domain, for each instruction set. Half of %lld samples a range are uniform in\n"
                "value, half uniform over floats; the true values are %s. Written by `make accuracy`; the tests\n"
                "hold all functions to the goals: sqrt is exact, exp, log and the trigonometric functions are within 1.1 on their primary\n"
                "range, everything within 4. At ±0, ±inf, NaN and subnormal numbers functions have the values of C's Annex F.\n\n| function | dtype |",
                static_cast<long long>(count), accuracy::by_mpfr() ? "MPFR's" : "the C library's in long double");
    for (const InstructionSet set : sets()) std::printf(" %s |", std::string(name_of(set)).c_str());
    std::printf("\n| --- | --- |");
    for (std::size_t i = 0; i < sets().size(); ++i) std::printf(" --- |");
    std::printf("\n");
    for (const Function& function : accuracy::functions()) {
        print_row(function, "f32", measure_all<float>(function, count));
        print_row(function, "f64", measure_all<double>(function, count));
    }
    std::printf("\nThe ranges:\n\n| function | primary | f32 | f64 |\n| --- | --- | --- | --- |\n");
    for (const Function& function : accuracy::functions()) {
        std::printf("| %s | %s | %s | %s |\n", function.name.c_str(), text_of(function.primary).c_str(), text_of(function.f32).c_str(), text_of(function.f64).c_str());
    }
}

} // namespace

int main(int count, char** arguments) {
    if (count == 3 && std::strcmp(arguments[1], "--table") == 0) {
        print_table(std::atoll(arguments[2]));
        return 0;
    }
    return check_all(count == 2 ? std::atoll(arguments[1]) : 4000);
}
