#include "evaluate.hpp"

namespace vmaprun::testing {
namespace {

using Numbers = std::vector<std::int64_t>;
using Arguments = std::vector<BoundArgument>;

Array counted(Shape shape) {
    Array made(DType::i64, std::move(shape));
    for (std::int64_t i = 0; i < made.size(); ++i) made.as<std::int64_t>()[i] = i;
    return made;
}

struct Reading {
    Shape shape;
    Numbers elements;
    bool operator==(const Reading&) const = default;
};

// A row on 0, 1, 2 … in the given shape.
Reading moved(std::string_view name, Shape shape, Arguments more) {
    Bench bench;
    more.insert(more.begin(), given(bench.input(counted(std::move(shape)))));
    const Array result = bench.run(bench.call(name, std::move(more))[0]);
    return {result.shape(), elements<std::int64_t>(result)};
}

std::string refused(std::string_view name, Shape shape, Arguments more) {
    return failure_of([&] { moved(name, std::move(shape), std::move(more)); });
}

TEST_CASE("views look at the same elements in another way") {
    CHECK(moved("reshape", {2, 3}, {given(Dims{3, -1})}) == Reading{{3, 2}, {0, 1, 2, 3, 4, 5}});
    CHECK(moved("permute_dims", {2, 3}, {given(Dims{1, 0})}) == Reading{{3, 2}, {0, 3, 1, 4, 2, 5}});
    CHECK(moved("matrix_transpose", {2, 1, 2}, {}) == Reading{{2, 2, 1}, {0, 1, 2, 3}});
    CHECK(moved("moveaxis", {1, 2, 3}, {given(Dims{-1}), given(Dims{0})}).shape == Shape{3, 1, 2});
    CHECK(moved("swapaxes", {1, 2, 3}, {given(0), given(-1)}).shape == Shape{3, 2, 1});
    CHECK(moved("expand_dims", {2, 3}, {}).shape == Shape{1, 2, 3});
    CHECK(moved("expand_dims", {2}, {given(Dims{0, -1})}).shape == Shape{1, 2, 1});
    CHECK(moved("squeeze", {1, 2, 1}, {given(Dims{0, 2})}).shape == Shape{2});
    CHECK(moved("flip", {2, 2}, {BoundArgument{}}) == Reading{{2, 2}, {3, 2, 1, 0}});
    CHECK(moved("flip", {2, 2}, {given(-1)}) == Reading{{2, 2}, {1, 0, 3, 2}});
    CHECK(moved("broadcast_to", {2, 1}, {given(Dims{2, 2, 2})}) == Reading{{2, 2, 2}, {0, 0, 1, 1, 0, 0, 1, 1}});
    CHECK(moved("ravel", {2, 2}, {}) == Reading{{4}, {0, 1, 2, 3}});
}

TEST_CASE("rows that copy") {
    CHECK(moved("roll", {4}, {given(Dims{1})}) == Reading{{4}, {3, 0, 1, 2}});
    CHECK(moved("roll", {2, 3}, {given(Dims{-1}), given(Dims{1})}) == Reading{{2, 3}, {1, 2, 0, 4, 5, 3}});
    CHECK(moved("roll", {2, 2}, {given(Dims{1}), BoundArgument{}}) == Reading{{2, 2}, {3, 0, 1, 2}});
    CHECK(moved("tile", {2}, {given(Dims{2, 2})}) == Reading{{2, 4}, {0, 1, 0, 1, 0, 1, 0, 1}});
    CHECK(moved("repeat", {2, 2}, {given(Dims{2}), given(0)}) == Reading{{4, 2}, {0, 1, 0, 1, 2, 3, 2, 3}});
    CHECK(moved("pad", {2}, {given(Dims{1, 2})}) == Reading{{5}, {0, 0, 1, 0, 0}});
    CHECK(moved("pad", {3}, {given(Dims{2}), given("edge")}) == Reading{{7}, {0, 0, 0, 1, 2, 2, 2}});
    CHECK(moved("pad", {3}, {given(Dims{4}), given("reflect")}) == Reading{{11}, {0, 1, 2, 1, 0, 1, 2, 1, 0, 1, 2}});
    CHECK(moved("pad", {3}, {given(Dims{4}), given("wrap")}) == Reading{{11}, {2, 0, 1, 2, 0, 1, 2, 0, 1, 2, 0}});
    CHECK(moved("tril", {2, 2}, {given(0)}) == Reading{{2, 2}, {0, 0, 2, 3}});
    CHECK(moved("triu", {2, 3}, {given(1)}) == Reading{{2, 3}, {0, 1, 2, 0, 0, 5}});
}

TEST_CASE("concat, stack, split_at and meshgrid take tensors together and apart") {
    Bench bench;
    const Value x = bench.input(counted({2, 2})), y = bench.input(array<float>({1, 2}, {8, 9}));
    CHECK(elements<float>(bench.run(bench.call("concat", {given(std::vector{x, y})})[0])) == std::vector<float>{0, 1, 2, 3, 8, 9});
    CHECK(elements<float>(bench.run(bench.call("concat", {given(std::vector{x, y}), BoundArgument{}})[0])).size() == 6);
    CHECK(elements<std::int64_t>(bench.run(bench.call("stack", {given(std::vector{x, x}), given(-1)})[0])) == Numbers{0, 0, 1, 1, 2, 2, 3, 3});
    CHECK(failure_of([&] { bench.call("stack", {given(std::vector{x, y})}); }) == "E301: only equal shapes can be stacked to one tensor, and these are [2, 2] and [1, 2]");
    CHECK(failure_of([&] { bench.call("concat", {given(std::vector{x, bench.input(counted({2, 3}))})}); }) ==
          "E301: concat along axis 0 needs equal sizes on the other axes, and has [2, 2] and [2, 3]");
    const auto parts = bench.call("split_at", {given(bench.input(counted({5}))), given(Dims{2, -1, 9})});
    REQUIRE(parts.size() == 4);
    CHECK(elements<std::int64_t>(bench.run(parts[0])) == Numbers{0, 1});
    CHECK(elements<std::int64_t>(bench.run(parts[1])) == Numbers{2, 3});
    CHECK(elements<std::int64_t>(bench.run(parts[2])) == Numbers{4});
    CHECK(bench.run(parts[3]).size() == 0);
    const auto grids = bench.call("meshgrid", {given(std::vector{bench.input(counted({3})), bench.input(counted({2}))})});
    CHECK(elements<std::int64_t>(bench.run(grids[0])) == Numbers{0, 1, 2, 0, 1, 2});
    CHECK(elements<std::int64_t>(bench.run(grids[1])) == Numbers{0, 0, 0, 1, 1, 1});
}

TEST_CASE("movement that does not fit is refused") {
    CHECK(refused("reshape", {2, 3}, {given(Dims{4})}) == "E309: [2, 3] has 6 elements, and can't be reshaped to [4], which has 4");
    CHECK(refused("reshape", {2, 3}, {given(Dims{4, -1})}) == "E309: [2, 3] has 6 elements, which 4 does not divide");
    CHECK(refused("permute_dims", {2, 3}, {given(Dims{0, 0})}) == "E304: axis 0 is named twice");
    CHECK(refused("moveaxis", {2, 3}, {given(Dims{2}), given(Dims{0})}) == "E303: axis 2 is out of range for a tensor of rank 2");
    CHECK(refused("squeeze", {2, 1}, {given(Dims{0})}) == "E301: squeeze takes away axes of size 1, and axis 0 of [2, 1] is 2");
    CHECK(refused("broadcast_to", {2}, {given(Dims{3})}) == "E301: [2] can't be broadcast to [3]");
    CHECK(refused("tile", {2}, {given(Dims{-1})}) == "E310: a number of repetitions can't be negative: -1");
    CHECK(refused("pad", {2}, {given(Dims{1}), given("mirror")}) == "E310: pad has no mode \"mirror\"");
}

TEST_CASE("every lane of a movement is what it is alone") {
    const Array x = counted({3, 2, 3}), y = counted({3, 2, 3});
    const auto check = [&](std::string_view name, Arguments more) {
        CAPTURE(std::string(name));
        check_lanes({x}, [&](Bench& bench, const std::vector<Value>& in) {
            Arguments arguments = more;
            arguments.insert(arguments.begin(), given(in[0]));
            return bench.call(name, std::move(arguments));
        });
    };
    check("reshape", {given(Dims{3, 2})});
    check("permute_dims", {given(Dims{1, 0})});
    check("flip", {given(0)});
    check("expand_dims", {given(Dims{1})});
    check("broadcast_to", {given(Dims{2, 2, 3})});
    check("roll", {given(Dims{1}), BoundArgument{}});
    check("tile", {given(Dims{2, 2})});
    check("repeat", {given(Dims{2}), BoundArgument{}});
    check("pad", {given(Dims{1, 2, 0, 1}), given("reflect")});
    check("triu", {given(0)});
    check("split_at", {given(Dims{1}), given(1)});
    check_lanes({x, y}, [](Bench& bench, const std::vector<Value>& in) { return bench.call("concat", {given(in), given(1)}); });
    check_lanes({x, y}, [](Bench& bench, const std::vector<Value>& in) { return bench.call("stack", {given(in), given(1)}); });
    check_lanes({x}, [](Bench& bench, const std::vector<Value>& in) { // a reshape that must copy
        return bench.call("ravel", {given(bench.call("matrix_transpose", {given(in[0])})[0])});
    });
}

} // namespace
} // namespace vmaprun::testing
