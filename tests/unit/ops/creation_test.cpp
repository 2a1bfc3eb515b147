#include "evaluate.hpp"

namespace vmaprun::testing {
namespace {

using Numbers = std::vector<std::int64_t>;

TEST_CASE("zeros, ones and full are one number looked at everywhere, weak without a dtype") {
    Bench bench;
    const Value zeros = bench.call("zeros", {given(Dims{2, 2})})[0], ones = bench.call("ones", {given(Dims{2}), BoundArgument{DType::i32, {}, true}})[0];
    const Value full = bench.call("full", {given(Dims{2}), given(bench.number(7))})[0];
    CHECK(bench.builder.type(zeros) == TensorType{DType::f64, {2, 2}, true});
    CHECK(bench.builder.type(ones) == TensorType{DType::i32, {2}, false});
    CHECK(bench.builder.type(full) == TensorType{DType::i64, {2}, true});
    CHECK(elements<double>(bench.run(zeros)) == std::vector<double>{0, 0, 0, 0});
    CHECK(elements<std::int32_t>(bench.run(ones)) == std::vector<std::int32_t>{1, 1});
    CHECK(elements<std::int64_t>(bench.run(full)) == Numbers{7, 7});
    CHECK(failure_of([&] { bench.call("zeros", {given(Dims{-1})}); }) == "E310: a size can't be negative: -1 in the shape [-1]");
    CHECK(failure_of([&] { bench.call("zeros", {given(Dims{std::int64_t{1} << 40, std::int64_t{1} << 40})}); }).starts_with("E310: a tensor of shape"));
}

TEST_CASE("the _like rows take shape and dtype of another tensor") {
    Bench bench;
    const Value x = bench.input(array<float>({2}, {5, 6}));
    CHECK(elements<float>(bench.run(bench.call("zeros_like", {given(x)})[0])) == std::vector<float>{0, 0});
    CHECK(elements<float>(bench.run(bench.call("ones_like", {given(x)})[0])) == std::vector<float>{1, 1});
    CHECK(elements<float>(bench.run(bench.call("full_like", {given(x), given(bench.number(3))})[0])) == std::vector<float>{3, 3});
    CHECK(bench.builder.type(bench.call("ones_like", {given(x), BoundArgument{DType::i8, {}, true}})[0]).text() == "i8[2]");
}

TEST_CASE("arange counts in steps of either sign") {
    Bench bench;
    const auto line = [&](std::vector<BoundArgument> arguments) { return elements<std::int64_t>(bench.run(bench.call("arange", std::move(arguments))[0])); };
    CHECK(line({given(bench.number(3))}) == Numbers{0, 1, 2});
    CHECK(line({given(bench.number(2)), given(bench.number(9)), given(bench.number(3))}) == Numbers{2, 5, 8});
    CHECK(line({given(bench.number(3)), given(bench.number(0)), given(bench.number(-2))}) == Numbers{3, 1});
    CHECK(line({given(bench.number(3)), given(bench.number(3))}).empty());
    CHECK(failure_of([&] { line({given(bench.number(0)), given(bench.number(1)), given(bench.number(0))}); }) == "E310: the step of arange can't be 0");
    CHECK(failure_of([&] { line({given(bench.input(array<std::int64_t>({}, {1})))}); }).starts_with("E310: the length of a tensor must be known"));
}

TEST_CASE("linspace has num numbers, the last of them exactly the end") {
    Bench bench;
    const auto line = [&](std::vector<BoundArgument> more) {
        more.insert(more.begin(), {given(bench.number(0)), given(bench.input(array<double>({}, {0.3})))});
        return elements<double>(bench.run(bench.call("linspace", std::move(more))[0]));
    };
    CHECK(line({given(4)}).back() == 0.3);
    CHECK(line({given(1)}) == std::vector<double>{0});
    CHECK(line({given(0)}).empty());
    CHECK(line({given(2), BoundArgument{}, given(false)}) == std::vector<double>{0, 0.15});
    CHECK(bench.builder.type(bench.call("linspace", {given(bench.number(0)), given(bench.number(1)), given(3)})[0]) == TensorType{DType::f64, {3}, true});
}

TEST_CASE("eye puts ones on the k-th diagonal") {
    Bench bench;
    CHECK(elements<double>(bench.run(bench.call("eye", {given(2), given(3), given(1)})[0])) == std::vector<double>{0, 1, 0, 0, 0, 1});
    CHECK(elements<double>(bench.run(bench.call("eye", {given(2), BoundArgument{}, given(-1)})[0])) == std::vector<double>{0, 0, 1, 0});
}

TEST_CASE("one_hot marks positions, and nothing for what is outside") {
    Bench bench;
    const Value x = bench.input(array<std::int64_t>({3}, {1, 5, -1}));
    CHECK(elements<float>(bench.run(bench.call("one_hot", {given(x), given(2)})[0])) == std::vector<float>{0, 1, 0, 0, 0, 0});
    CHECK(failure_of([&] { bench.call("one_hot", {given(bench.input(array<float>({}, {1}))), given(2)}); }) == "E308: an index must be of whole numbers, not `f32`");
}

TEST_CASE("every lane of what is created from data is what it is alone") {
    const Array x = array<std::int64_t>({2, 3}, {0, 1, 2, 2, 1, 9});
    check_lanes({x}, [](Bench& bench, const std::vector<Value>& in) { return bench.call("one_hot", {given(in[0]), given(3)}); });
    check_lanes({array<double>({3}, {1, 2, 3})}, [](Bench& bench, const std::vector<Value>& in) { return bench.call("full", {given(Dims{2, 2}), given(in[0])}); });
}

} // namespace
} // namespace vmaprun::testing
