#include "evaluate.hpp"

#include <cmath>
#include <limits>

namespace vmaprun::testing {
namespace {

using Numbers = std::vector<std::int64_t>;

Array numbers(Shape shape, Numbers values) { return array<std::int64_t>(std::move(shape), std::move(values)); }
Numbers run(Bench& bench, std::string_view row, std::vector<BoundArgument> arguments) { return elements<std::int64_t>(bench.run(bench.call(row, std::move(arguments))[0])); }

TEST_CASE("running sums and products go along any axis, from the first element on") {
    Bench bench;
    const Value x = bench.input(numbers({2, 3}, {1, 2, 3, 4, 5, 6}));
    CHECK(run(bench, "cumulative_sum", {given(x), given(0)}) == Numbers{1, 2, 3, 5, 7, 9});
    CHECK(run(bench, "cumulative_sum", {given(x), given(-1)}) == Numbers{1, 3, 6, 4, 9, 15});
    CHECK(run(bench, "cumulative_prod", {given(x), given(1)}) == Numbers{1, 2, 6, 4, 20, 120});
    CHECK(run(bench, "cumulative_sum", {given(x), given(1), {}, given(true)}) == Numbers{0, 1, 3, 6, 0, 4, 9, 15});
    CHECK(run(bench, "cumulative_prod", {given(x), given(0), {}, given(true)}) == Numbers{1, 1, 1, 1, 2, 3, 4, 10, 18});
    CHECK(failure_of([&] { bench.call("cumulative_sum", {given(x)}); }) == "E310: cumulative_sum of a tensor of rank 2 needs an axis");
    CHECK(failure_of([&] { bench.call("cummax", {given(bench.number(3))}); }) == "E307: cummax goes along an axis, and a scalar has none");
    const Value turned = bench.call("permute_dims", {given(x), given(Dims{1, 0})})[0];
    CHECK(run(bench, "cumulative_sum", {given(turned), given(0)}) == Numbers{1, 4, 3, 9, 6, 15});
}

TEST_CASE("running extremes keep a NaN once they met it") {
    Bench bench;
    const double nan = std::numeric_limits<double>::quiet_NaN();
    const std::vector<double> high = elements<double>(bench.run(bench.call("cummax", {given(bench.input(array<double>({4}, {1, 3, nan, 9})))})[0]));
    CHECK(high[1] == 3);
    CHECK(std::isnan(high[2]));
    CHECK(std::isnan(high[3]));
    CHECK(run(bench, "cummin", {given(bench.input(numbers({3}, {3, 1, 2})))}) == Numbers{3, 1, 1});
}

TEST_CASE("diff takes neighbours apart, n times, with what is put in front and behind") {
    Bench bench;
    const Value x = bench.input(numbers({4}, {1, 4, 9, 16}));
    CHECK(run(bench, "diff", {given(x)}) == Numbers{3, 5, 7});
    CHECK(run(bench, "diff", {given(x), given(-1), given(2)}) == Numbers{2, 2});
    CHECK(run(bench, "diff", {given(x), given(0), given(9)}).empty());
    CHECK(run(bench, "diff", {given(x), given(0), given(1), given(bench.number(0)), given(bench.input(numbers({1}, {25})))}) == Numbers{1, 3, 5, 7, 9});
}

TEST_CASE("every lane of a running sum is what it is alone") {
    Array x(DType::f32, {3, 4, 5});
    for (std::int64_t i = 0; i < x.size(); ++i) x.as<float>()[i] = 0.1f * static_cast<float>(i % 7) + 0.3f;
    for (const char* row : {"cumulative_sum", "cumulative_prod", "cummax", "diff"}) {
        check_lanes({x}, [&](Bench& bench, const std::vector<Value>& values) {
            return std::vector<Value>{bench.call(row, {given(values[0]), given(0)})[0], bench.call(row, {given(values[0]), given(1)})[0]};
        });
    }
}

} // namespace
} // namespace vmaprun::testing
