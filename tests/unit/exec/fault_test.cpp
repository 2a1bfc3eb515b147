// Which fault is told, and what debug prints: that of one sample after another, in every mode.
#include "support.hpp"

using namespace vmaprun;
using namespace vmaprun::testing;

TEST_CASE("the first lane's fault comes first, in it the first operation") {
    Making make;
    const Value xs = make.input({6}), ys = make.input({6});
    const LaneId lane = make.enter(6);
    const Value x = make.builder.lane(xs, lane, 0), y = make.builder.lane(ys, lane, 0);
    const Value first = make.checked(x), second = make.checked(y);
    const auto graph = make.builder.finish({make.builder.unlane(make.add(first, second), lane, 0)});
    for (const RunOptions& options : every_way()) {
        CHECK(outcome(*graph, {array_of({6}, {0, 0, 0, -4, 0, 0}), array_of({6}, {0, 0, -3, -5, 0, -7})}, options) == "E601 negative -3, in lane 2");
        CHECK(outcome(*graph, {array_of({6}, {0, 0, 0, -4, 0, -1}), array_of({6}, {0, 0, 0, -5, 0, -7})}, options) == "E601 negative -4, in lane 3");
        CHECK(outcome(*graph, {counting({6}), counting({6})}, options) == "");
    }
}

TEST_CASE("a fault in a grid names every axis") {
    Making make;
    const Value xs = make.input({3, 2});
    const LaneId outer = make.enter(3);
    const Value row = make.builder.lane(xs, outer, 0);
    const LaneId inner = make.enter(2);
    const Value x = make.builder.lane(row, inner, 0);
    const auto graph = make.builder.finish({make.builder.unlane(make.builder.unlane(make.checked(x), inner, 0), outer, 0)});
    for (const RunOptions& options : every_way()) {
        CHECK(outcome(*graph, {array_of({3, 2}, {0, 1, 2, -3, -4, 5})}, options) == "E601 negative -3, in lane (1, 1)");
    }
}

TEST_CASE("what nobody needs can't fail, and checks are always run") {
    Making make;
    const Value x = make.input({});
    make.checked(x);
    const auto graph = make.builder.finish({make.add(x, x)});
    Making seen;
    const Value y = seen.input({});
    seen.debug(seen.checked(y));
    const auto checks = seen.builder.finish({y});
    for (const RunOptions& options : every_way()) {
        CHECK(floats(run(*graph, {array_of({}, {-2})}, options)[0]) == Floats{-4});
        CHECK(outcome(*checks, {array_of({}, {-2})}, options) == "E601 negative -2");
        CHECK(outcome(*checks, {array_of({}, {2})}, options) == "x = 2; ");
    }
}

TEST_CASE("a carry that nobody needs is not computed") {
    Making make;
    const Value xs = make.input({3}), bad = make.input({});
    const TensorType scalar{DType::f64, {}, false};
    const std::uint32_t sequence = make.builder.reserve_sequence();
    make.builder.begin_body(sequence);
    const Value total = make.builder.parameter(scalar), other = make.builder.parameter(scalar), item = make.builder.parameter(scalar);
    auto body = make.builder.finish_body({make.add(total, item), make.checked(make.add(other, make.checked(bad)))});
    const auto results = make.builder.add_control(scan_op, {make.number(0), make.number(-5), xs}, {std::int64_t{2}, std::int64_t{1}, false, Dims{3}}, {body}, {scalar, scalar}, {{}, {}}, sequence);
    const auto graph = make.builder.finish({results[0]});
    for (const RunOptions& options : every_way()) CHECK(floats(run(*graph, {counting({3}), array_of({}, {-1})}, options)[0]) == Floats{3});
}

TEST_CASE("debug prints lane after lane in program order, only in lanes that are there, and stops at the first fault") {
    Making make;
    const Value xs = make.input({4});
    const LaneId lane = make.enter(4);
    const Value x = make.builder.lane(xs, lane, 0);
    make.debug(make.add(x, make.number(10)));
    const std::uint32_t sequence = make.builder.reserve_sequence();
    make.builder.begin_body(sequence);
    make.debug(x);
    make.debug(make.number(99));
    auto then = make.builder.finish_body({make.checked(make.add(x, make.number(-1)))});
    make.builder.begin_body(sequence);
    auto otherwise = make.builder.finish_body({x});
    const TensorType scalar{DType::f64, {}, false};
    const Value result = make.builder.add_control(if_op, {make.less(x, make.number(2))}, {}, {then, otherwise}, {scalar}, {{lane}}, sequence)[0];
    const auto graph = make.builder.finish({make.builder.unlane(result, lane, 0)});
    for (const RunOptions& options : every_way()) {
        CHECK(outcome(*graph, {array_of({4}, {5, 1, 6, 1})}, options) ==
              "x = 15 [lane 0]; x = 11 [lane 1]; x = 1 [lane 1]; x = 99 [lane 1]; x = 16 [lane 2]; x = 11 [lane 3]; x = 1 [lane 3]; x = 99 [lane 3]; ");
        CHECK(outcome(*graph, {array_of({4}, {5, 0, 6, 0})}, options) == "x = 15 [lane 0]; x = 10 [lane 1]; x = 0 [lane 1]; x = 99 [lane 1]; E601 negative -1, in lane 1");
    }
}

TEST_CASE("a vmap over no lanes does nothing that can be seen") {
    Making make;
    const Value xs = make.input({0}), y = make.input({});
    const LaneId lane = make.enter(0);
    const Value x = make.builder.lane(xs, lane, 0);
    make.debug(y);
    const auto graph = make.builder.finish({make.builder.unlane(make.add(x, make.checked(y)), lane, 0)});
    for (const RunOptions& options : every_way()) {
        CHECK(outcome(*graph, {Array(DType::f64, {0}), array_of({}, {-1})}, options) == "");
        CHECK(run(*graph, {Array(DType::f64, {0}), array_of({}, {-1})}, options)[0].shape() == Shape{0});
    }
}

TEST_CASE("a result that no machine can hold is an error with its place") {
    Making make;
    const Value xs = make.input({1});
    const LaneId first = make.enter(std::int64_t{1} << 20), second = make.enter(std::int64_t{1} << 20);
    const Value i = make.builder.lane_index(first), j = make.builder.lane_index(second);
    const auto graph = make.builder.finish({make.builder.unlane(make.builder.unlane(make.add(i, j), second, 0), first, 0), xs});
    RunOptions options;
    options.mode = RunOptions::Mode::eager;
    CHECK(outcome(*graph, {counting({1})}, options).substr(0, 5) == "E602 ");
}

TEST_CASE("one node on constants is folded by the engine") {
    auto program = std::make_shared<Program>();
    Builder builder(program, fold_node);
    const Value a = builder.constant(array_of({2}, {1, 2})), b = builder.constant(array_of({2}, {3, 5}));
    const auto sum = builder.static_value(builder.add(add_row, {a, b}));
    REQUIRE(sum);
    CHECK(floats(*sum) == Floats{4, 7});
}
