#include <cmath>

#include "evaluate.hpp"

namespace vmaprun::testing {
namespace {

using Numbers = std::vector<std::int64_t>;

TEST_CASE("sort and argsort are stable, with NaN as the largest") {
    Bench bench;
    const Value x = bench.input(array<double>({5}, {2, NAN, -0.0, 0.0, 2}));
    const auto sorted = elements<double>(bench.run(bench.call("sort", {given(x)})[0]));
    CHECK(std::signbit(sorted[0]));
    CHECK_FALSE(std::signbit(sorted[1]));
    CHECK(sorted[3] == 2);
    CHECK(std::isnan(sorted[4]));
    CHECK(elements<std::int64_t>(bench.run(bench.call("argsort", {given(x)})[0])) == Numbers{2, 3, 0, 4, 1});
    CHECK(elements<std::int64_t>(bench.run(bench.call("argsort", {given(x), given(-1), given(true)})[0])) == Numbers{1, 0, 4, 2, 3});
    CHECK(std::isnan(elements<double>(bench.run(bench.call("sort", {given(x), given(-1), given(true)})[0]))[0]));
}

TEST_CASE("sort goes along any axis, or over the flat row") {
    Bench bench;
    const Value x = bench.input(array<std::uint8_t>({2, 3}, {5, 1, 9, 4, 2, 0}));
    using Bytes = std::vector<std::uint8_t>;
    CHECK(elements<std::uint8_t>(bench.run(bench.call("sort", {given(x)})[0])) == Bytes{1, 5, 9, 0, 2, 4});
    CHECK(elements<std::uint8_t>(bench.run(bench.call("sort", {given(x), given(0)})[0])) == Bytes{4, 1, 0, 5, 2, 9});
    CHECK(elements<std::uint8_t>(bench.run(bench.call("sort", {given(x), BoundArgument{}})[0])) == Bytes{0, 1, 2, 4, 5, 9});
    CHECK(failure_of([&] { bench.call("sort", {given(bench.number(1))}); }) == "E307: a scalar has no axis to be sorted along");
    CHECK(failure_of([&] { bench.call("sort", {given(x), given(2)}); }) == "E303: axis 2 is out of range for a tensor of rank 2");
}

TEST_CASE("long rows are sorted as short ones are") {
    Bench bench;
    std::vector<std::int32_t> values;
    for (std::int32_t i = 0; i < 1000; ++i) values.push_back(i * 7919 % 101);
    const Value x = bench.input(array<std::int32_t>({1000}, values));
    std::vector<std::int32_t> sorted = values;
    std::stable_sort(sorted.begin(), sorted.end());
    CHECK(elements<std::int32_t>(bench.run(bench.call("sort", {given(x)})[0])) == sorted);
    const auto order = elements<std::int64_t>(bench.run(bench.call("argsort", {given(x)})[0]));
    for (std::size_t i = 1; i < order.size(); ++i) {
        const auto before = values[static_cast<std::size_t>(order[i - 1])], here = values[static_cast<std::size_t>(order[i])];
        CHECK((before < here || (before == here && order[i - 1] < order[i])));
    }
}

TEST_CASE("top_k gives the largest first, of equals the first, and their positions") {
    Bench bench;
    const Value x = bench.input(array<double>({2, 5}, {1, 7, 7, 3, 9, 0, NAN, 4, 4, 4}));
    const auto top = bench.call("top_k", {given(x), given(3)});
    REQUIRE(top.size() == 2);
    CHECK(elements<std::int64_t>(bench.run(top[1])) == Numbers{4, 1, 2, 1, 2, 3});
    CHECK(elements<double>(bench.run(top[0]))[1] == 7);
    CHECK(failure_of([&] { bench.call("top_k", {given(x), given(6)}); }) == "E310: top_k can't give 6 of the 5 elements along the last axis");
    CHECK(bench.builder.type(bench.call("top_k", {given(x), given(0)})[0]).text() == "f64[2, 0]");
}

TEST_CASE("unique gives distinct elements in order, all NaNs as one, filled with 0") {
    Bench bench;
    const Value x = bench.input(array<double>({2, 3}, {3, NAN, 1, 3, NAN, 1}));
    const auto found = elements<double>(bench.run(bench.call("unique", {given(x), given(4)})[0]));
    CHECK(found[0] == 1);
    CHECK(found[1] == 3);
    CHECK(std::isnan(found[2]));
    CHECK(found[3] == 0);
    CHECK(elements<double>(bench.run(bench.call("unique", {given(x), given(1)})[0])) == std::vector<double>{1});
}

TEST_CASE("every lane of a sort is what it is alone") {
    const Array x = array<float>({3, 2, 3}, {3, 1, 2, 2, 2, 1, NAN, 0, -1, -0.0F, 0, 5, 1, 1, 1, 9, 8, 7});
    for (const std::int64_t axis : {0, 1}) {
        check_lanes({x}, [&](Bench& bench, const std::vector<Value>& in) { return bench.call("sort", {given(in[0]), given(axis)}); });
        check_lanes({x}, [&](Bench& bench, const std::vector<Value>& in) { return bench.call("argsort", {given(in[0]), given(axis), given(true)}); });
    }
    check_lanes({x}, [](Bench& bench, const std::vector<Value>& in) { return bench.call("top_k", {given(in[0]), given(2)}); });
    check_lanes({x}, [](Bench& bench, const std::vector<Value>& in) { return bench.call("unique", {given(in[0]), given(4)}); });
}

} // namespace
} // namespace vmaprun::testing
