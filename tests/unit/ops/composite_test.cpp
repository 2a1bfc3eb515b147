#include "evaluate.hpp"

#include <cmath>
#include <limits>

namespace vmaprun::testing {
namespace {

BoundArgument real(double number) { return {number, {}, true}; }

std::vector<double> run(Bench& bench, std::string_view row, std::vector<BoundArgument> arguments) { return elements<double>(bench.run(bench.call(row, std::move(arguments))[0])); }

TEST_CASE("layer_norm and rms_norm scale by the axes that they are told") {
    Bench bench;
    const Value x = bench.input(array<double>({2, 2}, {1, 3, 10, 30})), weight = bench.input(array<double>({2}, {2, 4})), bias = bench.input(array<double>({2}, {1, 0}));
    CHECK(run(bench, "layer_norm", {given(x), given(weight), given(bias), given(-1), real(0)}) == std::vector<double>{-1, 4, -1, 4});
    CHECK(run(bench, "layer_norm", {given(x), given(weight), {}, given(0), real(0)}) == std::vector<double>{-2, -2, 4, 4});
    CHECK(run(bench, "rms_norm", {given(bench.input(array<double>({2}, {3, 3}))), given(weight), given(-1), real(0)}) == std::vector<double>{2, 4});
    CHECK(failure_of([&] { bench.call("rms_norm", {given(x), given(x), given(-1), real(0)}); }) == "E301: rms_norm normalises over axes of [2], and this parameter is [2, 2]");
}

TEST_CASE("cross_entropy is by class or by probabilities") {
    Bench bench;
    const Value logits = bench.input(array<double>({2, 2}, {0, 0, 0, std::log(3)})), labels = bench.input(array<std::int64_t>({2}, {1, 1}));
    const std::vector<double> losses = run(bench, "cross_entropy", {given(logits), given(labels)});
    CHECK(losses[0] == doctest::Approx(std::log(2)));
    CHECK(losses[1] == doctest::Approx(std::log(4.0 / 3)));
    const Value soft = bench.input(array<double>({2, 2}, {0.5, 0.5, 0, 1}));
    CHECK(run(bench, "cross_entropy", {given(logits), given(soft)})[1] == doctest::Approx(std::log(4.0 / 3)));
    CHECK(failure_of([&] { bench.call("cross_entropy", {given(logits), given(bench.number(1))}); }) == "E301: cross_entropy of logits [2, 2] needs labels of shape [2], not a scalar");
}

} // namespace
} // namespace vmaprun::testing
