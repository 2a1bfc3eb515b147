#include "ops/indexing.hpp"

#include "evaluate.hpp"
#include "ops/movement.hpp"

namespace vmaprun::testing {
namespace {

using Form = IndexArgument::Form;
using Items = std::vector<IndexArgument>;

IndexArgument at(std::int64_t position) { return {.form = Form::integer, .integer = position, .tensor = {}, .start = {}, .stop = {}, .step = {}, .span = {}}; }
IndexArgument at(Value positions) { return {.form = Form::tensor, .integer = {}, .tensor = positions, .start = {}, .stop = {}, .step = {}, .span = {}}; }
IndexArgument form(Form which) { return {.form = which, .integer = {}, .tensor = {}, .start = {}, .stop = {}, .step = {}, .span = {}}; }
IndexArgument cut(std::optional<Dim> start = {}, std::optional<Dim> stop = {}, std::optional<Dim> step = {}) {
    return {.form = Form::slice, .integer = {}, .tensor = {}, .start = start, .stop = stop, .step = step, .span = {}};
}
const IndexArgument none = form(Form::new_axis), rest = form(Form::rest);

Array counted(Shape shape) {
    Array made(DType::i64, std::move(shape));
    for (std::int64_t i = 0; i < made.size(); ++i) made.as<std::int64_t>()[i] = i;
    return made;
}

struct Reading {
    Shape shape;
    std::vector<std::int64_t> elements;
    bool operator==(const Reading&) const = default;
};

Reading read(Shape shape, const std::function<Items(Bench&)>& items) {
    Bench bench;
    const Value x = bench.input(counted(std::move(shape)));
    const Array result = bench.run(index(bench.builder, x, items(bench), {}));
    CHECK(bench.faults.messages.empty());
    return {result.shape(), elements<std::int64_t>(result)};
}

TEST_CASE("basic indexing takes positions, slices, new axes and the rest as NumPy does") {
    CHECK(read({3, 4}, [](Bench&) { return Items{at(1)}; }) == Reading{{4}, {4, 5, 6, 7}});
    CHECK(read({3, 4}, [](Bench&) { return Items{at(-1), at(-4)}; }) == Reading{{}, {8}});
    CHECK(read({5}, [](Bench&) { return Items{cut(1, 4)}; }) == Reading{{3}, {1, 2, 3}});
    CHECK(read({5}, [](Bench&) { return Items{cut({}, {}, -2)}; }) == Reading{{3}, {4, 2, 0}});
    CHECK(read({5}, [](Bench&) { return Items{cut(3, {}, -1)}; }) == Reading{{4}, {3, 2, 1, 0}});
    CHECK(read({5}, [](Bench&) { return Items{cut(-2, 99)}; }) == Reading{{2}, {3, 4}});
    CHECK(read({5}, [](Bench&) { return Items{cut(4, 1)}; }) == Reading{{0}, {}});
    CHECK(read({2, 2}, [](Bench&) { return Items{rest, none, at(1)}; }) == Reading{{2, 1}, {1, 3}});
    CHECK(read({}, [](Bench&) { return Items{none, rest}; }) == Reading{{1}, {0}});
}

TEST_CASE("index arrays gather, and their shape stands where NumPy puts it") {
    const auto pair = [](Bench& bench) { return at(bench.input(array<std::int64_t>({2}, {0, -1}))); };
    CHECK(read({3}, [&](Bench& b) { return Items{pair(b)}; }) == Reading{{2}, {0, 2}});
    CHECK(read({2, 3}, [&](Bench& b) { return Items{cut(), pair(b)}; }) == Reading{{2, 2}, {0, 2, 3, 5}});
    CHECK(read({2, 3}, [&](Bench& b) { return Items{pair(b), pair(b)}; }) == Reading{{2}, {0, 5}});
    SUBCASE("next to each other: in their place") {
        CHECK(read({2, 3, 4}, [&](Bench& b) { return Items{cut(), pair(b), pair(b)}; }) == Reading{{2, 2}, {0, 11, 12, 23}});
        CHECK(read({2, 3, 4}, [&](Bench& b) { return Items{cut(), at(1), pair(b)}; }) == Reading{{2, 2}, {4, 7, 16, 19}});
        CHECK(read({2, 3, 2}, [&](Bench& b) { return Items{none, at(1), pair(b), cut(1)}; }) == Reading{{1, 2, 1}, {7, 11}});
    }
    SUBCASE("separated: in front") {
        CHECK(read({2, 3, 4}, [&](Bench& b) { return Items{at(0), cut(0, 2), pair(b)}; }) == Reading{{2, 2}, {0, 4, 3, 7}});
        CHECK(read({2, 2, 2}, [&](Bench& b) { return Items{cut(), pair(b), rest, pair(b)}; }) == Reading{{2, 2}, {0, 4, 3, 7}});
        CHECK(read({2, 2}, [&](Bench& b) { return Items{pair(b), none, pair(b)}; }) == Reading{{2, 1}, {0, 3}});
    }
    SUBCASE("a computed position takes its axis away") {
        const auto one = [](Bench& bench) { return at(bench.input(array<std::uint8_t>({}, {1}))); };
        CHECK(read({2, 3}, [&](Bench& b) { return Items{cut(), one(b)}; }) == Reading{{2}, {1, 4}});
        CHECK(read({2, 3, 2}, [&](Bench& b) { return Items{one(b), cut(), at(0)}; }) == Reading{{3}, {6, 8, 10}});
    }
    SUBCASE("arrays broadcast against each other") {
        const auto column = [](Bench& bench) { return at(bench.input(array<std::int64_t>({2, 1}, {0, 1}))); };
        CHECK(read({2, 3}, [&](Bench& b) { return Items{column(b), pair(b)}; }) == Reading{{2, 2}, {0, 2, 3, 5}});
    }
}

TEST_CASE("what can't be indexed is refused before anything runs") {
    Bench bench;
    const Value x = bench.input(counted({5, 4})), scalar = bench.input(counted({}));
    const auto failure = [&](Value value, const Items& items) { return failure_of([&] { index(bench.builder, value, items, {}); }); };
    CHECK(failure(x, {at(7)}) == "E306: index 7 is out of range for axis 0 of size 5");
    CHECK(failure(x, {rest, at(-5)}) == "E306: index -5 is out of range for axis 1 of size 4");
    CHECK(failure(x, {at(bench.builder.constant(array<std::int64_t>({2}, {1, 9})))}) == "E306: index 9 is out of range for axis 0 of size 5");
    CHECK(failure(x, {at(0), at(0), at(0)}) == "E307: too many indices: 3 positions for a tensor of rank 2");
    CHECK(failure(scalar, {at(0)}) == "E307: a scalar can't be indexed");
    CHECK(failure(x, {rest, rest}) == "E307: `...` can stand only once in an index");
    CHECK(failure(x, {cut(0, 1, 0)}) == "E310: the step of a slice can't be 0");
    CHECK(failure(x, {at(bench.input(array<bool>({5}, {true, false, true, false, true})))}) == "E308: an index must be of whole numbers, not `bool`");
    CHECK(failure(x, {at(bench.input(array<float>({}, {1.0F})))}) == "E308: an index must be of whole numbers, not `f32`");
}

TEST_CASE("slices of a size that is a symbol") {
    Bench bench;
    const Dim n = Dim::symbol("n", 7);
    const Value x = bench.builder.parameter({DType::f32, {n}, false});
    const auto text = [&](const Items& items) { return bench.builder.type(index(bench.builder, x, items, {})).text(); };
    CHECK(text({cut(1)}) == "f32[n - 1]");
    CHECK(text({cut({}, -1)}) == "f32[n - 1]");
    CHECK(text({cut({}, {}, -1)}) == "f32[n]");
    CHECK(text({cut({}, 5)}) == "f32[min(5, n)]");
    CHECK(text({at(100)}) == "f32");
}

TEST_CASE("a computed position out of range is a fault of its lane, named by the axis of the indexed tensor") {
    Bench bench;
    const LaneId lane = bench.lane(3);
    const Value x = bench.input(counted({2, 5})), i = bench.lane_input(array<std::int64_t>({3}, {4, 7, -6}), lane);
    const Value result = index(bench.builder, x, {at(1), at(i)}, {});
    SUBCASE("it stops the run") {
        bench.run(result);
        CHECK(bench.faults.messages == std::map<std::int64_t, std::string>{{1, "E601: index 7 is out of range for axis 1 of size 5"}, {2, "E601: index -6 is out of range for axis 1 of size 5"}});
    }
    SUBCASE("or is clamped") {
        bench.clamp_indices = true;
        CHECK(elements<std::int64_t>(bench.run(result)) == std::vector<std::int64_t>{9, 9, 5});
        CHECK(bench.faults.messages.empty());
    }
}

Reading write(Shape shape, std::string_view mode, const Array& update, const std::function<Items(Bench&)>& items) {
    Bench bench;
    const Value x = bench.input(counted(std::move(shape)));
    const Array result = bench.run(update_at(bench.builder, x, items(bench), mode, bench.input(update), {}));
    return {result.shape(), elements<std::int64_t>(result)};
}

TEST_CASE("updates go where the same index reads") {
    const auto pair = [](Bench& bench) { return at(bench.input(array<std::int64_t>({3}, {0, 1, 0}))); };
    const Array ten = array<std::int64_t>({}, {10});
    CHECK(write({4}, "set", ten, [](Bench&) { return Items{at(-1)}; }) == Reading{{4}, {0, 1, 2, 10}});
    CHECK(write({4}, "add", array<std::int64_t>({2}, {10, 20}), [](Bench&) { return Items{cut({}, {}, -2)}; }) == Reading{{4}, {0, 21, 2, 13}});
    CHECK(write({2, 2}, "multiply", ten, [](Bench&) { return Items{rest, at(1)}; }) == Reading{{2, 2}, {0, 10, 2, 30}});
    CHECK(write({2, 2}, "min", array<std::int64_t>({2}, {2, 2}), [](Bench&) { return Items{at(1), none}; }) == Reading{{2, 2}, {0, 1, 2, 2}});
    SUBCASE("of repeated positions the last is kept, and all are added") {
        const Array three = array<std::int64_t>({3}, {10, 20, 30});
        CHECK(write({3}, "set", three, [&](Bench& b) { return Items{pair(b)}; }) == Reading{{3}, {30, 20, 2}});
        CHECK(write({3}, "add", three, [&](Bench& b) { return Items{pair(b)}; }) == Reading{{3}, {40, 21, 2}});
    }
    SUBCASE("slices and arrays together") {
        CHECK(write({2, 2, 3}, "add", ten, [&](Bench& b) { return Items{at(1), pair(b), cut(1)}; }) == Reading{{2, 2, 3}, {0, 1, 2, 3, 4, 5, 6, 27, 28, 9, 20, 21}});
        CHECK(write({2, 3}, "max", array<std::int64_t>({3, 2}, {9, 1, 1, 9, 1, 1}), [&](Bench& b) { return Items{pair(b), cut({}, 2)}; }) == Reading{{2, 3}, {9, 1, 2, 3, 9, 5}});
    }
}

TEST_CASE("an update takes the dtype of the tensor, unless it is of a higher kind") {
    Bench bench;
    const Value x = bench.input(array<float>({2}, {1, 2})), whole = bench.input(counted({2})), literal = bench.input(array<double>({2}, {0, 0}), true);
    const auto type = [&](Value target, Value update) { return bench.builder.type(update_at(bench.builder, target, {at(0)}, "set", update, {})).text(); };
    CHECK(type(x, bench.input(array<double>({}, {1}))) == "f32[2]");
    CHECK(type(x, bench.number(1)) == "f32[2]");
    CHECK(type(literal, bench.input(array<float>({}, {1}))) == "f32[2]");
    CHECK(failure_of([&] { type(whole, bench.input(array<float>({}, {1}))); }) == "E302: an update of `f32` does not fit a tensor of `i64`");
    CHECK(failure_of([&] { type(x, bench.input(array<float>({2}, {1, 2}))); }) == "E301: [2] can't be broadcast to a scalar");
}

TEST_CASE("a tensor of literals stays weak under constant and computed positions alike") {
    Bench bench;
    const Value table = bench.input(array<double>({3}, {1, 2, 3}), true), i = bench.input(array<std::int64_t>({}, {1}));
    CHECK(bench.builder.type(index(bench.builder, table, {at(1)}, {})).weak);
    CHECK(bench.builder.type(index(bench.builder, table, {at(i)}, {})).weak);
    CHECK(bench.builder.type(bench.call("window", {given(table), given(i), given(Dims{2})})[0]).weak);
    CHECK(bench.builder.type(bench.call("tril", {given(bench.call("reshape", {given(table), given(Dims{3, 1})})[0])})[0]).weak);
    CHECK_FALSE(bench.builder.type(bench.call("argsort", {given(table)})[0]).weak);
}

TEST_CASE("every lane of an index or update is what it is alone") {
    const Array x = counted({3, 2, 4}), i = array<std::int64_t>({3, 3}, {0, 3, -1, 2, 2, 1, 3, 4, 0}), v = counted({3, 2, 3});
    check_lanes({x, i}, [](Bench& bench, const std::vector<Value>& in) { return std::vector{index(bench.builder, in[0], {cut(), at(in[1])}, {})}; });
    check_lanes({x, i}, [](Bench& bench, const std::vector<Value>& in) { return std::vector{index(bench.builder, in[0], {at(1), cut(1, 3)}, {}), index(bench.builder, in[0], {at(0), none, at(in[1])}, {})}; });
    check_lanes({x, i, v}, [](Bench& bench, const std::vector<Value>& in) { return std::vector{update_at(bench.builder, in[0], {cut(), at(in[1])}, "add", in[2], {})}; });
    check_lanes({x, v}, [](Bench& bench, const std::vector<Value>& in) { return std::vector{update_at(bench.builder, in[0], {cut(), cut(1)}, "max", in[1], {})}; });
}

} // namespace
} // namespace vmaprun::testing
