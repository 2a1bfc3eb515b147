#include "evaluate.hpp"

namespace vmaprun::testing {
namespace {

using Numbers = std::vector<std::int64_t>;

Array numbers(Shape shape, Numbers values) { return array<std::int64_t>(std::move(shape), std::move(values)); }

TEST_CASE("take chooses slices along an axis, or elements of the flat row") {
    Bench bench;
    const Value x = bench.input(numbers({2, 3}, {0, 1, 2, 3, 4, 5})), i = bench.input(array<std::int32_t>({2}, {2, -3}));
    CHECK(elements<std::int64_t>(bench.run(bench.call("take", {given(x), given(i), given(1)})[0])) == Numbers{2, 0, 5, 3});
    CHECK(elements<std::int64_t>(bench.run(bench.call("take", {given(x), given(i)})[0])) == Numbers{2, 3});
    CHECK(failure_of([&] { bench.call("take", {given(x), given(bench.number(6))}); }) == "E306: index 6 is out of range for axis 0 of size 6");
    CHECK(failure_of([&] { bench.call("take", {given(x), given(bench.input(array<double>({}, {0})))}); }) == "E308: an index must be of whole numbers, not `f64`");
}

TEST_CASE("take_along_axis follows the indices position by position, and broadcasts the other axes") {
    Bench bench;
    const Value x = bench.input(numbers({2, 3}, {0, 1, 2, 3, 4, 5}));
    CHECK(elements<std::int64_t>(bench.run(bench.call("take_along_axis", {given(x), given(bench.input(numbers({2, 2}, {2, 0, 1, 1})))})[0])) == Numbers{2, 0, 4, 4});
    CHECK(elements<std::int64_t>(bench.run(bench.call("take_along_axis", {given(x), given(bench.input(numbers({1, 3}, {0, 1, 0}))), given(0)})[0])) == Numbers{0, 4, 2});
    CHECK(elements<std::int64_t>(bench.run(bench.call("take_along_axis", {given(x), given(bench.input(numbers({1, 1}, {-1})))})[0])) == Numbers{2, 5});
}

TEST_CASE("a window reads where it is told, and faults where it would leave the tensor") {
    Bench bench;
    const LaneId lane = bench.lane(4);
    const Value x = bench.input(numbers({5}, {0, 1, 2, 3, 4})), start = bench.lane_input(numbers({4}, {0, 3, -2, -1}), lane);
    const Value result = bench.call("window", {given(x), given(start), given(Dims{2})})[0];
    SUBCASE("a run that stops") {
        const Array read = bench.run(result);
        CHECK(bench.faults.messages == std::map<std::int64_t, std::string>{{3, "E601: a window of size 2 at -1 leaves axis 0 of size 5"}});
        CHECK(elements<std::int64_t>(lane_of(read, 1)) == Numbers{3, 4});
        CHECK(elements<std::int64_t>(lane_of(read, 2)) == Numbers{3, 4});
    }
    SUBCASE("a run that clamps") {
        bench.clamp_indices = true;
        CHECK(elements<std::int64_t>(bench.run(result)) == Numbers{0, 1, 3, 4, 3, 4, 3, 4});
    }
    CHECK(failure_of([&] { bench.call("window", {given(x), given(bench.number(4)), given(Dims{2})}); }) == "E306: a window of size 2 at 4 leaves axis 0 of size 5");
    CHECK(failure_of([&] { bench.call("window", {given(x), given(start), given(Dims{6})}); }) == "E301: a window of size 6 does not fit axis 0 of size 5");
    CHECK(failure_of([&] { bench.call("window", {given(x), given(start), given(Dims{1, 1})}); }) == "E310: 2 sizes for 1 start");
}

TEST_CASE("dynamic_slice and dynamic_update_slice move a start back inside") {
    Bench bench;
    const Value x = bench.input(numbers({2, 3}, {0, 1, 2, 3, 4, 5})), far = bench.input(numbers({}, {9})), starts = bench.input(numbers({2}, {1, -2}));
    CHECK(elements<std::int64_t>(bench.run(bench.call("dynamic_slice", {given(x), given(far), given(Dims{1})})[0])) == Numbers{3, 4, 5});
    CHECK(elements<std::int64_t>(bench.run(bench.call("dynamic_slice", {given(x), given(starts), given(Dims{1, 2})})[0])) == Numbers{4, 5});
    CHECK(elements<std::int64_t>(bench.run(bench.call("dynamic_slice", {given(x), given(std::vector{bench.number(0), bench.number(7)}), given(Dims{2, 2})})[0])) == Numbers{1, 2, 4, 5});
    const Value update = bench.input(numbers({1, 2}, {7, 8}));
    CHECK(elements<std::int64_t>(bench.run(bench.call("dynamic_update_slice", {given(x), given(update), given(std::vector{far, far})})[0])) == Numbers{0, 1, 2, 3, 7, 8});
    CHECK(failure_of([&] { bench.call("dynamic_update_slice", {given(x), given(bench.input(numbers({3, 3}, Numbers(9)))), given(far)}); }) ==
          "E301: an update of shape [3, 3] does not fit into a tensor of shape [2, 3]");
}

TEST_CASE("nonzero and compress fill with 0 what they do not find, and drop what they have no room for") {
    Bench bench;
    const Value x = bench.input(numbers({2, 3}, {0, 5, 0, 7, 0, 8})), mask = bench.input(array<bool>({2, 3}, {true, false, false, false, true, true}));
    const auto found = bench.call("nonzero", {given(x), given(4)});
    REQUIRE(found.size() == 2);
    CHECK(elements<std::int64_t>(bench.run(found[0])) == Numbers{0, 1, 1, 0});
    CHECK(elements<std::int64_t>(bench.run(found[1])) == Numbers{1, 0, 2, 0});
    CHECK(elements<std::int64_t>(bench.run(bench.call("compress", {given(mask), given(x), given(2)})[0])) == Numbers{0, 0});
    CHECK(elements<std::int64_t>(bench.run(bench.call("compress", {given(mask), given(x), given(4)})[0])) == Numbers{0, 0, 8, 0});
    const Value rows = bench.input(array<bool>({2}, {false, true}));
    CHECK(elements<std::int64_t>(bench.run(bench.call("compress", {given(rows), given(x), given(2)})[0])) == Numbers{7, 0, 8, 0, 0, 0});
    CHECK(failure_of([&] { bench.call("compress", {given(x), given(x), given(2)}); }) == "E308: a mask is of bool, not `i64`");
    CHECK(failure_of([&] { bench.call("nonzero", {given(x), given(-1)}); }) == "E310: a size can't be negative: -1 in the shape [-1]");
}

TEST_CASE("bincount counts, leaves out what is too large and stops at what is negative") {
    Bench bench;
    const auto count = [&](Numbers values) { return elements<std::int64_t>(bench.run(bench.call("bincount", {given(bench.input(numbers({4}, std::move(values)))), given(3)})[0])); };
    CHECK(count({0, 1, 1, 9}) == Numbers{1, 2, 0});
    count({0, 2, -4, -1});
    CHECK(bench.faults.messages.at(0) == "E601: bincount counts numbers from 0 up, and position 2 holds -4");
}

TEST_CASE("segment_sum adds each slice to its segment and leaves out what belongs to none") {
    Bench bench;
    const Value data = bench.input(numbers({4, 2}, {1, 2, 3, 4, 5, 6, 7, 8})), ids = bench.input(numbers({4}, {1, -1, 1, 2}));
    CHECK(elements<std::int64_t>(bench.run(bench.call("segment_sum", {given(data), given(ids), given(2)})[0])) == Numbers{0, 0, 6, 8});
    CHECK(bench.faults.messages.empty());
    CHECK(failure_of([&] { bench.call("segment_sum", {given(data), given(bench.input(numbers({3}, {0, 0, 0}))), given(2)}); }) ==
          "E301: segment_ids are [3], and must go with the leading axes of data, which is [4, 2]");
}

TEST_CASE("searchsorted goes before equals or behind them, with NaN last") {
    Bench bench;
    const Value sorted = bench.input(array<double>({4}, {1, 2, 2, NAN})), wanted = bench.input(array<float>({4}, {0, 2, 9, NAN}));
    CHECK(elements<std::int64_t>(bench.run(bench.call("searchsorted", {given(sorted), given(wanted)})[0])) == Numbers{0, 1, 3, 3});
    CHECK(elements<std::int64_t>(bench.run(bench.call("searchsorted", {given(sorted), given(wanted), given("right")})[0])) == Numbers{0, 3, 3, 4});
    CHECK(failure_of([&] { bench.call("searchsorted", {given(sorted), given(wanted), given("top")}); }) == "E310: searchsorted has no side \"top\"");
}

TEST_CASE("every lane of a selection is what it is alone") {
    const Array x = array<double>({3, 4}, {1, 0, 3, -1, NAN, 2, 2, 0, 5, 6, 7, 8}), i = numbers({3, 4}, {0, 1, 2, 3, 3, 4, 1, 0, -1, -5, 2, 2});
    const Array mask = array<bool>({3, 4}, {true, false, true, true, false, false, false, false, true, true, true, true}), start = numbers({3}, {0, 1, 3});
    const auto row = [](std::string_view name, std::vector<BoundArgument> more) {
        return [name, more](Bench& bench, const std::vector<Value>& in) {
            std::vector<BoundArgument> arguments;
            for (const Value value : in) arguments.push_back(given(value));
            arguments.insert(arguments.end(), more.begin(), more.end());
            return bench.call(name, std::move(arguments));
        };
    };
    check_lanes({x, i}, row("take", {}));
    check_lanes({x, i}, row("take_along_axis", {}));
    check_lanes({x, start}, row("window", {given(Dims{2})}));
    check_lanes({x, start}, row("dynamic_slice", {given(Dims{2})}));
    check_lanes({x, array<double>({3, 1}, {7, 8, 9}), start}, row("dynamic_update_slice", {}));
    check_lanes({x}, row("nonzero", {given(3)}));
    check_lanes({mask, x}, row("compress", {given(3)}));
    check_lanes({i}, row("bincount", {given(3)}));
    check_lanes({x, i}, row("segment_sum", {given(3)}));
    check_lanes({x, x}, row("searchsorted", {}));
}

} // namespace
} // namespace vmaprun::testing
