#include "evaluate.hpp"

#include <limits>

#include "ops/check.hpp"

namespace vmaprun::testing {
namespace {

// What a check reports, lane by lane; operands are given with their lanes in front.
std::map<std::int64_t, std::string> report(std::string_view row, std::vector<Array> operands, std::int64_t lanes = -1, Attributes attributes = {}) {
    Faults faults;
    Node node;
    node.op = &op_named(row);
    node.attributes = std::move(attributes);
    std::vector<View> views;
    for (const Array& operand : operands) views.push_back(operand.view());
    node.op->kernel({.node = &node, .lanes = lanes < 0 ? Shape{} : Shape{lanes}, .operands = views, .results = {}, .faults = &faults});
    return faults.messages;
}

using Messages = std::map<std::int64_t, std::string>;

TEST_CASE("assert_eq compares values and shapes, not dtypes, and names the first difference of each lane") {
    const double nan = std::numeric_limits<double>::quiet_NaN();
    CHECK(report("assert_eq", {array<std::int64_t>({2}, {1, 2}), array<double>({2}, {1, 2})}).empty());
    CHECK(report("assert_eq", {array<double>({1}, {nan}), array<double>({1}, {nan})}).empty());
    CHECK(report("assert_eq", {array<double>({2, 3}, {1, 2, 3, 4, 5, 3}), array<double>({2, 3}, {1, 2, 3, 4, 5, 4})}) == Messages{{0, "E610: assert_eq: 3.0 is not 4.0, at [1, 2]"}});
    CHECK(report("assert_eq", {array<std::int64_t>({}, {3}), array<std::int64_t>({}, {4})}) == Messages{{0, "E610: assert_eq: 3 is not 4"}});
    CHECK(report("assert_eq", {array<double>({2}, {1, 2}), array<double>({1}, {1})}) == Messages{{0, "E610: assert_eq: shape [2] is not shape [1]"}});
    CHECK(report("assert_eq", {array<double>({2, 1}, {1, 2}), array<double>({2, 1}, {1, 5})}, 2) == Messages{{1, "E610: assert_eq: 2.0 is not 5.0, at [0]"}});
    CHECK(report("assert_eq", {array<std::uint64_t>({}, {18446744073709551615u}), array<std::int64_t>({}, {-1})}) == Messages{{0, "E610: assert_eq: 18446744073709551615 is not -1"}});
}

TEST_CASE("assert_close allows tol * (1 + |b|), and a scalar beside any shape") {
    CHECK(report("assert_close", {array<double>({2}, {1, 100.00001}), array<double>({2}, {1, 100})}, -1, {1e-6}).empty());
    CHECK(report("assert_close", {array<double>({2}, {1, 1.1}), array<double>({}, {1})}, -1, {1e-6}) == Messages{{0, "E610: assert_close: 1.1 is not close to 1.0, at [1]"}});
    const double infinity = std::numeric_limits<double>::infinity();
    CHECK(report("assert_close", {array<double>({}, {infinity}), array<double>({}, {infinity})}, -1, {1e-6}).empty());
    CHECK(report("assert_close", {array<double>({}, {1}), array<double>({}, {infinity})}, -1, {1e-6}).size() == 1);
}

TEST_CASE("assert_finite names what is not") {
    CHECK(report("assert_finite", {array<float>({2}, {1, -std::numeric_limits<float>::infinity()})}) == Messages{{0, "E610: assert_finite: -inf is not finite, at [1]"}});
    CHECK(report("assert_finite", {array<std::int32_t>({1}, {7})}).empty());
}

TEST_CASE("debug prints nested lists on one line, and leaves out the middle of large ones") {
    Node node;
    node.attributes = {std::string("x")};
    CHECK(debug_text(node, array<float>({2, 2}, {1, 0.1f, 1e-7f, 3}).view()) == "x: [[1.0, 0.1], [1e-07, 3.0]]");
    node.attributes = {std::string()};
    CHECK(debug_text(node, array<std::int64_t>({}, {7}).view()) == "7");
    CHECK(debug_text(node, Array::zeros(DType::i8, {2000}).view()) == "[0, 0, 0, ..., 0, 0, 0]");
}

} // namespace
} // namespace vmaprun::testing
