// The generator against its published vectors, and the samplers against their distributions at fixed seeds.
#include "evaluate.hpp"

#include <algorithm>
#include <cmath>

#include "ops/kernels/random.hpp"

namespace vmaprun::testing {
namespace {

TEST_CASE("Threefry-2x32 gives the vectors that Random123 publishes, alone and on vectors") {
    struct Vector {
        KeyWords key, counter, result;
    };
    const Vector vectors[] = {{{0, 0}, {0, 0}, {0x6b200159, 0x99ba4efe}},
                              {{0xffffffff, 0xffffffff}, {0xffffffff, 0xffffffff}, {0x1cb996fc, 0xbb002be7}},
                              {{0x13198a2e, 0x03707344}, {0x243f6a88, 0x85a308d3}, {0xc4923a9c, 0x483df7a0}}};
    for (const auto& [key, counter, result] : vectors) {
        const std::uint64_t joined = std::uint64_t{counter.high} << 32 | counter.low;
        CHECK(hash_counter(key, joined) == result);
        KeyWords found;
        random_table().hash(&key.high, &key.low, &counter.high, &counter.low, &found.high, &found.low, 1);
        CHECK(found == result);
        std::uint32_t pair[2];
        random_table().pairs(key.high, key.low, joined, 1, pair);
        CHECK((KeyWords{pair[0], pair[1]}) == result);
    }
}

TEST_CASE("counters go on past 32 bits, and any range of them is the same as one by one") {
    const KeyWords key{3, 5};
    for (const std::uint64_t first : {std::uint64_t{0}, (std::uint64_t{1} << 32) - 70}) {
        std::uint64_t words[200];
        random_table().long_words(key.high, key.low, first, 200, words);
        for (std::uint64_t i = 0; i < 200; ++i) {
            const KeyWords alone = hash_counter(key, first + i);
            CHECK(words[i] == (std::uint64_t{alone.high} << 32 | alone.low));
        }
    }
}

BoundArgument as(DType dtype) { return {dtype, {}, true}; }

// 50000 draws in f64; `parameters` stand between the shape and the dtype.
std::vector<double> draws(std::string_view row, const std::vector<double>& parameters, std::int64_t seed) {
    Bench bench;
    std::vector<BoundArgument> arguments{given(bench.call("key", {given(bench.number(seed))})[0]), given(Dims{50000})};
    for (const double number : parameters) arguments.push_back({bench.builder.constant(Array::scalar(number), true), {}, true});
    if (row == "gamma") std::swap(arguments[1], arguments[2]);
    arguments.push_back(as(DType::f64));
    std::vector<double> sorted = elements<double>(bench.run(bench.call(row, std::move(arguments))[0]));
    std::ranges::sort(sorted);
    return sorted;
}

// The largest distance of the empirical distribution from the exact one (Kolmogorov–Smirnov), times the root of the count:
// above 1.95 in one of a thousand experiments.
double distance(const std::vector<double>& sorted, double (*distribution)(double)) {
    double largest = 0;
    const auto n = static_cast<double>(sorted.size());
    for (std::size_t i = 0; i < sorted.size(); ++i) {
        const double exact = distribution(sorted[i]), at = static_cast<double>(i);
        largest = std::max({largest, exact - at / n, (at + 1) / n - exact});
    }
    return largest * std::sqrt(n);
}

struct Moments {
    double mean = 0, variance = 0;
};
Moments moments(const std::vector<double>& x) {
    Moments found;
    for (const double each : x) found.mean += each / static_cast<double>(x.size());
    for (const double each : x) found.variance += (each - found.mean) * (each - found.mean) / static_cast<double>(x.size());
    return found;
}

TEST_CASE("uniform, normal and exponential have their distributions") {
    for (const std::int64_t seed : {1, 2, 3}) {
        CHECK(distance(draws("uniform", {0, 1}, seed), [](double x) { return x; }) < 1.95);
        CHECK(distance(draws("normal", {}, seed), [](double x) { return 0.5 * std::erfc(-x / std::sqrt(2.0)); }) < 1.95);
        CHECK(distance(draws("exponential", {}, seed), [](double x) { return -std::expm1(-x); }) < 1.95);
    }
}

TEST_CASE("gamma has its distribution where that is elementary, and its moments elsewhere") {
    CHECK(distance(draws("gamma", {0.5}, 1), [](double x) { return std::erf(std::sqrt(x)); }) < 1.95);
    CHECK(distance(draws("gamma", {1}, 2), [](double x) { return -std::expm1(-x); }) < 1.95);
    CHECK(distance(draws("gamma", {2}, 3), [](double x) { return 1 - std::exp(-x) * (1 + x); }) < 1.95);
    for (const double a : {0.1, 3.7, 40.0}) {
        const auto [mean, variance] = moments(draws("gamma", {a}, 4));
        CHECK(mean == doctest::Approx(a).epsilon(0.03));
        CHECK(variance == doctest::Approx(a).epsilon(0.06));
    }
}

TEST_CASE("what can't be drawn from is told apart") {
    Bench bench;
    const Value number = bench.number(1), key = bench.call("key", {given(number)})[0];
    const Value keys = bench.call("split", {given(key)})[0];
    CHECK(failure_of([&] { bench.call("permutation", {given(number), given(number)}); }) == "E302: `permutation` draws from a key, not from `i64`");
    CHECK(failure_of([&] { bench.call("permutation", {given(keys), given(number)}); }) == "E307: `permutation` draws from one key, not from [2] of them");
    CHECK(failure_of([&] { bench.call("key", {given(bench.input(array<double>({}, {1})))}); }) == "E302: a seed is a whole number, not `f64`");
    CHECK(failure_of([&] { bench.call("bits", {given(key), given(Dims{}), as(DType::i32)}); }) == "E305: bits are drawn as u8, u16, u32 or u64, not `i32`");
    CHECK(failure_of([&] { bench.call("normal", {given(key), given(Dims{}), as(DType::i32)}); }) == "E305: normal draws f32 or f64, not `i32`");
    CHECK(failure_of([&] { bench.call("bernoulli", {given(key), given(bench.input(array<double>({3}, {0, 1, 1}))), given(Dims{2})}); }) ==
          "E301: shapes [3] and [2] do not broadcast: the last axis is 3 in one and 2 in the other");
}

} // namespace
} // namespace vmaprun::testing
