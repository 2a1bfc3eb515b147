// Values, lanes and control flow, in every mode and block size.
#include "support.hpp"

using namespace vmaprun;
using namespace vmaprun::testing;

TEST_CASE("a lane enters at any axis and leaves at any axis") {
    Making make;
    const Value x = make.input({2, 3}), y = make.input({2});
    const LaneId lane = make.enter(3);
    const Value column = make.builder.lane(x, lane, 1);
    const Value moved = make.add(column, y);
    const Value index = make.builder.add(to_float_row, {make.builder.lane_index(lane)});
    const auto graph = make.builder.finish({make.builder.unlane(moved, lane, 0), make.builder.unlane(moved, lane, 1), make.builder.unlane(y, lane, 1),
                                            make.builder.unlane(make.sum(moved), lane, 0), make.builder.unlane(index, lane, 0)});
    verify(*graph);
    for (const RunOptions& options : every_way()) {
        const auto results = run(*graph, {counting({2, 3}), array_of({2}, {10, 20})}, options);
        CHECK(results[0].shape() == Shape{3, 2});
        CHECK(floats(results[0]) == Floats{10, 23, 11, 24, 12, 25});
        CHECK(floats(results[1]) == Floats{10, 11, 12, 23, 24, 25});
        CHECK(floats(results[2]) == Floats{10, 10, 10, 20, 20, 20});
        CHECK(floats(results[3]) == Floats{33, 35, 37});
        CHECK(floats(results[4]) == Floats{0, 1, 2});
    }
}

TEST_CASE("two lanes make a grid, and values vary over what they need") {
    Making make;
    const Value a = make.input({3}), b = make.input({4});
    const LaneId outer = make.enter(3);
    const Value x = make.builder.lane(a, outer, 0);
    const LaneId inner = make.enter(4);
    const Value y = make.builder.lane(b, inner, 0);
    const Value product = make.multiply(make.add(x, make.number(1)), make.add(y, make.number(0)));
    const Value row = make.builder.unlane(product, inner, 0);
    make.builder.pop_nesting();
    const Value total = make.sum(row);
    const auto graph = make.builder.finish({make.builder.unlane(row, outer, 1), make.builder.unlane(total, outer, 0)});
    for (const RunOptions& options : every_way()) {
        const auto results = run(*graph, {counting({3}), counting({4})}, options);
        CHECK(floats(results[0]) == Floats{0, 0, 0, 1, 2, 3, 2, 4, 6, 3, 6, 9});
        CHECK(floats(results[1]) == Floats{6, 12, 18});
    }
}

namespace {

// vmap over x: if x < limit { x + shift } else { checked(x) * x }, for captures without lanes.
std::shared_ptr<Graph> branching(Making& make, std::int64_t lanes) {
    const Value xs = make.input({lanes}), shift = make.input({});
    const LaneId lane = make.enter(lanes);
    const Value x = make.builder.lane(xs, lane, 0);
    const Value condition = make.less(x, make.number(2));
    const std::uint32_t sequence = make.builder.reserve_sequence();
    make.builder.begin_body(sequence);
    auto then = make.builder.finish_body({make.add(x, shift), shift});
    make.builder.begin_body(sequence);
    const Value good = make.checked(x);
    auto otherwise = make.builder.finish_body({make.multiply(good, x), make.number(7)});
    const TensorType scalar{DType::f64, {}, false};
    const auto results = make.builder.add_control(if_op, {condition}, {}, {then, otherwise}, {scalar, scalar}, {{lane}, {lane}}, sequence);
    return make.builder.finish({make.builder.unlane(results[0], lane, 0), make.builder.unlane(results[1], lane, 0)});
}

} // namespace

TEST_CASE("each lane takes its own branch") {
    Making make;
    const auto graph = branching(make, 5);
    for (const RunOptions& options : every_way()) {
        const auto results = run(*graph, {counting({5}), array_of({}, {100})}, options);
        CHECK(floats(results[0]) == Floats{100, 101, 4, 9, 16});
        CHECK(floats(results[1]) == Floats{100, 100, 7, 7, 7});
        CHECK(floats(run(*graph, {array_of({5}, {-1, -1, 0, 1, 0}), array_of({}, {1})}, options)[0]) == Floats{0, 0, 1, 2, 1});
        CHECK(floats(run(*graph, {array_of({5}, {3, 3, 3, 3, 2}), array_of({}, {1})}, options)[1]) == Floats{7, 7, 7, 7, 7});
    }
}

TEST_CASE("a loop ends for each lane by itself") {
    Making make;
    const Value xs = make.input({5}), steps = make.input({5});
    const LaneId lane = make.enter(5);
    const Value x = make.builder.lane(xs, lane, 0), step = make.builder.lane(steps, lane, 0);
    const TensorType scalar{DType::f64, {}, false};
    const std::uint32_t sequence = make.builder.reserve_sequence();
    make.builder.begin_body(sequence);
    const Value c0 = make.builder.parameter(scalar, {lane});
    make.builder.parameter(scalar, {lane});
    auto condition = make.builder.finish_body({make.less(c0, make.number(10))});
    make.builder.begin_body(sequence);
    const Value b0 = make.builder.parameter(scalar, {lane}), b1 = make.builder.parameter(scalar, {lane});
    auto body = make.builder.finish_body({make.add(b0, step), make.add(b1, make.number(1))});
    const auto results = make.builder.add_control(while_op, {x, make.number(0)}, {std::int64_t{8}}, {condition, body}, {scalar, scalar}, {{lane}, {lane}}, sequence);
    const auto graph = make.builder.finish({make.builder.unlane(results[0], lane, 0), make.builder.unlane(results[1], lane, 0)});
    for (const RunOptions& options : every_way()) {
        const auto values = run(*graph, {array_of({5}, {0, 9, 20, 4, 8}), array_of({5}, {4, 1, 1, 3, 1})}, options);
        CHECK(floats(values[0]) == Floats{12, 10, 20, 10, 10});
        CHECK(floats(values[1]) == Floats{3, 1, 0, 2, 2});
        CHECK(outcome(*graph, {array_of({5}, {0, 0, 20, 0, 0}), array_of({5}, {2, 1, 1, 0, 0})}, options) == "E603 the loop is still going after its limit of 8 iterations, in lane 1");
    }
}

TEST_CASE("a loop whose condition has no lanes runs all lanes alike") {
    Making make;
    const Value xs = make.input({3});
    const LaneId lane = make.enter(3);
    const Value x = make.builder.lane(xs, lane, 0);
    const TensorType scalar{DType::f64, {}, false}, counter{DType::i64, {}, false};
    const std::uint32_t sequence = make.builder.reserve_sequence();
    make.builder.begin_body(sequence);
    const Value index = make.builder.parameter(counter, {});
    const Value carry = make.builder.parameter(scalar, {lane});
    const Value whole = make.sum(make.builder.unlane(carry, lane, 0)); // looks across the lanes, which all are here
    auto body = make.builder.finish_body({make.add(make.add(carry, make.builder.add(to_float_row, {index})), whole)});
    const auto from = make.builder.constant(Array::scalar<std::int64_t>(1)), to = make.builder.constant(Array::scalar<std::int64_t>(3));
    const auto results = make.builder.add_control(for_op, {from, to, x}, {}, {body}, {scalar}, {{lane}}, sequence);
    const auto graph = make.builder.finish({make.builder.unlane(results[0], lane, 0)});
    for (const RunOptions& options : every_way()) {
        // 0 1 2, sum 3 -> 4 5 6, sum 15 -> 21 22 23
        CHECK(floats(run(*graph, {counting({3})}, options)[0]) == Floats{21, 22, 23});
    }
}

TEST_CASE("scan takes apart and stacks, forwards and backwards") {
    for (const bool reverse : {false, true}) {
        Making make;
        const Value xs = make.input({2, 4}), start = make.input({});
        const LaneId lane = make.enter(2);
        const Value x = make.builder.lane(xs, lane, 0);
        const TensorType scalar{DType::f64, {}, false}, row{DType::f64, {4}, false};
        const std::uint32_t sequence = make.builder.reserve_sequence();
        make.builder.begin_body(sequence);
        const Value carry = make.builder.parameter(scalar, {lane}), item = make.builder.parameter(scalar, {lane});
        const Value next = make.add(carry, item);
        auto body = make.builder.finish_body({next, make.multiply(next, item)});
        const auto results = make.builder.add_control(scan_op, {start, x}, {std::int64_t{1}, std::int64_t{1}, reverse, Dims{4}}, {body}, {scalar, row}, {{lane}, {lane}}, sequence);
        const auto graph = make.builder.finish({make.builder.unlane(results[0], lane, 0), make.builder.unlane(results[1], lane, 0)});
        for (const RunOptions& options : every_way()) {
            const auto values = run(*graph, {counting({2, 4}), array_of({}, {1})}, options);
            CHECK(floats(values[0]) == Floats{7, 23});
            CHECK(floats(values[1]) == (reverse ? Floats{0, 7, 12, 12, 92, 95, 84, 56} : Floats{0, 2, 8, 21, 20, 50, 96, 161}));
        }
    }
}

TEST_CASE("nested branches pack what is packed") {
    Making make;
    const Value rows = make.input({3}), columns = make.input({4});
    const LaneId outer = make.enter(3);
    const Value r = make.builder.lane(rows, outer, 0);
    const LaneId inner = make.enter(4);
    const Value c = make.builder.lane(columns, inner, 0);
    const TensorType scalar{DType::f64, {}, false};
    const Lanes both{outer, inner};
    const Value sum = make.add(r, c);
    const std::uint32_t sequence = make.builder.reserve_sequence();
    make.builder.begin_body(sequence);
    const std::uint32_t nested = make.builder.reserve_sequence();
    const Value condition = make.less(c, make.number(1));
    make.builder.begin_body(nested);
    auto then = make.builder.finish_body({make.multiply(r, r)});
    make.builder.begin_body(nested);
    auto otherwise = make.builder.finish_body({make.builder.add(to_float_row, {make.builder.lane_index(inner)})});
    const Value chosen = make.builder.add_control(if_op, {condition}, {}, {then, otherwise}, {scalar}, {both}, nested)[0];
    auto body = make.builder.finish_body({chosen});
    make.builder.begin_body(sequence);
    auto rest = make.builder.finish_body({make.number(-1)});
    const Value result = make.builder.add_control(if_op, {make.less(sum, make.number(3))}, {}, {body, rest}, {scalar}, {both}, sequence)[0];
    const Value row = make.builder.unlane(result, inner, 0);
    const auto graph = make.builder.finish({make.builder.unlane(row, outer, 0)});
    for (const RunOptions& options : every_way()) {
        CHECK(floats(run(*graph, {counting({3}), counting({4})}, options)[0]) == Floats{0, 1, 2, -1, 1, 1, -1, -1, 4, -1, -1, -1});
    }
}

TEST_CASE("the plan says what is fused and what is skipped") {
    Making make;
    const Value xs = make.input({1000, 8});
    make.input({3});
    const LaneId lane = make.enter(1000);
    const Value x = make.builder.lane(xs, lane, 0);
    const Value y = make.multiply(make.add(x, x), x);
    const Value total = make.multiply(make.sum(y), make.number(2));
    const auto graph = make.builder.finish({make.builder.unlane(total, lane, 0)});
    RunOptions options;
    options.threads = 1;
    options.block = 100;
    CHECK(explain_plan(*graph, options) == R"(graph: fused, block by block, on 1 thread
1 input tensor not needed
whole arrays:
  lane -> f64[8] (a view)
over the mapped axis of 1000 lanes, in 10 blocks of 100 lanes (136 bytes a lane):
  fused: test_add, test_multiply -> f64[8] (tiles of 1024)
  test_sum -> f64 (a kernel)
  test_multiply -> f64 (tiles of 1024)
    apart from `test_sum`: it has a kernel of its own
  reads 64.0 kB, writes 8.0 kB; 72.0 kB between its steps, a block of it at a time
whole arrays:
  unlane -> f64[1000] (a view)
)");
}

TEST_CASE("a scan over many lanes and steps is the scan of each lane") {
    for (const bool reverse : {false, true}) {
        for (const std::int64_t steps : {15, 16, 37}) {
            const std::int64_t lanes = 40;
            Making make;
            const Value xs = make.input({lanes, steps});
            const LaneId lane = make.enter(lanes);
            const Value x = make.builder.lane(xs, lane, 0);
            const TensorType scalar{DType::f64, {}, false}, row{DType::f64, {steps}, false};
            const std::uint32_t sequence = make.builder.reserve_sequence();
            make.builder.begin_body(sequence);
            const Value carry = make.builder.parameter(scalar, {lane}), item = make.builder.parameter(scalar, {lane});
            const Value next = make.add(make.multiply(carry, make.number(0.5)), item);
            auto body = make.builder.finish_body({next, next});
            const auto results = make.builder.add_control(scan_op, {make.number(1), x}, {std::int64_t{1}, std::int64_t{1}, reverse, Dims{steps}}, {body}, {scalar, row}, {{lane}, {lane}}, sequence);
            const auto graph = make.builder.finish({make.builder.unlane(results[0], lane, 0), make.builder.unlane(results[1], lane, 0)});
            const Array data = counting({lanes, steps});
            Floats last, all(static_cast<std::size_t>(lanes * steps));
            for (std::int64_t i = 0; i < lanes; ++i) {
                double value = 1;
                for (std::int64_t s = 0; s < steps; ++s) {
                    const std::int64_t t = reverse ? steps - 1 - s : s;
                    value = value * 0.5 + data.as<double>()[i * steps + t];
                    all[static_cast<std::size_t>(i * steps + t)] = value;
                }
                last.push_back(value);
            }
            for (const RunOptions& options : every_way()) {
                const auto values = run(*graph, {data}, options);
                CHECK(floats(values[0]) == last);
                CHECK(floats(values[1]) == all);
            }
        }
    }
}
