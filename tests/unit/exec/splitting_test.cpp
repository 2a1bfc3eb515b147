// A graph cut in two: the second part makes of what the first gives what the whole makes, and each effect is in one of them.
#include "transform/splitting.hpp"

#include "support.hpp"

using namespace vmaprun;
using namespace vmaprun::testing;

namespace {

struct Outcome {
    std::vector<Array> arrays;
    std::string said;
};
Outcome run_with(const Graph& graph, const std::vector<Array>& inputs) {
    Outcome outcome;
    RunOptions options;
    options.debug = [&](std::string_view line) { outcome.said += std::string(line) + "; "; };
    outcome.arrays = run(graph, inputs, options);
    return outcome;
}

// total = sum(x), said; then, in a vmap begun before, row * total + total, said.
struct Example : Making {
    Value x = input({2, 3}), total;
    std::uint32_t moment = 0;

    std::shared_ptr<Graph> finish() {
        total = sum(builder.lane(x, enter(2), 0));
        total = builder.unlane(total, 0, 0);
        builder.pop_nesting();
        total = sum(total);
        debug(total);
        const LaneId lane = enter(2);
        const Value row = add(builder.lane(x, lane, 0), builder.lane(x, lane, 0));
        moment = builder.begin_anew();
        const Value again = add(builder.lane(x, lane, 0), builder.lane(x, lane, 0));
        const Value first = sum(row), scaled = multiply(first, total);
        debug(scaled);
        const Value result = builder.unlane(add(scaled, sum(again)), lane, 0);
        builder.pop_nesting();
        return builder.finish({result});
    }
};

std::size_t count_of(const Graph& graph, const Op& op) {
    return static_cast<std::size_t>(std::ranges::count(graph.nodes, &op, &Node::op));
}

} // namespace

TEST_CASE("two parts of a graph make what the whole makes, and say each thing once") {
    Example example;
    const std::shared_ptr<Graph> whole = example.finish();
    const Split split = split_at(*whole, example.moment);
    verify(*split.before);
    verify(*split.after);

    std::vector<Array> inputs{counting({2, 3})};
    const Outcome expected = run_with(*whole, inputs);
    const Outcome before = run_with(*split.before, inputs);
    REQUIRE(before.arrays.size() == 1); // the total; what has lanes is made again
    inputs.push_back(before.arrays[0]);
    const Outcome rest = run_with(*split.after, inputs);
    CHECK(floats(rest.arrays[0]) == floats(expected.arrays[0]));
    CHECK(before.said + rest.said == expected.said);
    CHECK(!before.said.empty());
    CHECK(!rest.said.empty());
}

TEST_CASE("what equals an earlier value is made again after the cut") {
    Example example;
    const Split split = split_at(*example.finish(), example.moment);
    CHECK(count_of(*split.after, add_row) == 3);
    CHECK(count_of(*split.before, multiply_row) == 0);
}
