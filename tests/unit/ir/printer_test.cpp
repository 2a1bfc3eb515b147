#include "ir/printer.hpp"

#include <doctest/doctest.h>
#include <limits>

#include "ir/builder.hpp"

using namespace vmaprun;

namespace {

std::vector<TensorType> same_type(std::span<const TensorType> operands, const Attributes&) { return {operands[0]}; }
std::vector<TensorType> comparison_type(std::span<const TensorType>, const Attributes&) { return {{DType::boolean, {}}}; }
std::vector<TensorType> no_type(std::span<const TensorType>, const Attributes&) { return {}; }

const Op multiply{.signature = "multiply(x, y)", .type = same_type};
const Op less{.signature = "less(x, y)", .type = comparison_type};
const Op everything{.signature = "everything(x)", .type = same_type};
const Op check{.signature = "check(x)", .type = no_type, .effect = Effect::visible};
const Op while_loop{.signature = "while", .family = Family::control, .type = same_type};

Span line_of(const Source& source, std::uint32_t line) { return {&source, source.line_start(line), source.line_start(line) + 1}; }

struct Mapped {
    Source source{"s.vm", "input x\n\nlet y = vmap(f)(x)\noutput y\n"};
    std::shared_ptr<Graph> graph;

    Mapped() {
        Builder builder(std::make_shared<Program>());
        const Value x = builder.parameter({DType::f32, {100, 4}}, {}, "x");
        builder.push_origin(line_of(source, 3));
        const LaneId lane = builder.new_lane({.size = 100, .name = "n", .span = {}});
        const Value row = builder.lane(x, lane, 0);
        const Value product = builder.add(multiply, {row, row});
        builder.add_all(check, {product});
        builder.pop_origin();
        graph = builder.finish({builder.unlane(product, lane, 0)});
    }
};

// for (i = c; i < captured; ) by a while of one carry.
std::shared_ptr<Graph> looping() {
    Builder builder(std::make_shared<Program>());
    const Value start = builder.parameter({DType::i64, {}}, {}, "start"), bound = builder.parameter({DType::i64, {Dim::symbol("k", 3)}}, {}, "bound");
    const std::uint32_t sequence = builder.reserve_sequence();
    builder.begin_body(sequence);
    const Value carry = builder.parameter({DType::i64, {}});
    auto condition = builder.finish_body({builder.add(less, {carry, bound})});
    builder.begin_body(sequence);
    const Value next = builder.parameter({DType::i64, {}});
    auto body = builder.finish_body({builder.add(multiply, {next, next})});
    const auto result = builder.add_control(while_loop, {start}, {std::int64_t{-1}}, {condition, body}, {{DType::i64, {}}}, {{}}, sequence);
    return builder.finish({result});
}

std::shared_ptr<Graph> with_all_attributes() {
    Builder builder(std::make_shared<Program>());
    const Value x = builder.constant(Array::scalar(0.5), true);
    const auto pair = std::make_shared<const Array>(Array::zeros(DType::i8, {2, 2}));
    const auto large = std::make_shared<const Array>(Array::zeros(DType::f32, {5, 5}));
    const auto empty = std::make_shared<const Array>(Array::zeros(DType::c64, {0, 3}));
    const Attributes attributes{Absent{}, true, std::int64_t{-3}, 1e-7, std::numeric_limits<double>::infinity(), std::string("a\"\n"), DType::u8, Dims{}, Dims{2, Dim::symbol("k", 3)}, pair, large, empty};
    return builder.finish({builder.add(everything, {x}, attributes)});
}

} // namespace

TEST_CASE("a mapped program prints one node a line, with lanes, places and named outputs") {
    const Mapped mapped;
    CHECK(graph_text(*mapped.graph, {.outputs = {"y"}}) == R"(%0: f32[100, 4] = parameter("x")
%1: f32[4] lanes[n=100] = lane(%0; axis=0, lane=n)  # line 3
%2: f32[4] lanes[n=100] = multiply(%1, %1)  # line 3
check(%2)  # line 3
%3: f32[100, 4] = unlane(%2; axis=0, lane=n)
output y = %3
)");
}

TEST_CASE("bodies stand below their node and say what their inputs stand for") {
    CHECK(graph_text(*looping()) == R"(%0: i64 = parameter("start")
%1: i64[k] = parameter("bound")
%2: i64 = while(%0, %1; -1)
    condition(%3: i64, %4: i64[k] from %1):
        %5: bool = less(%3, %4)
        give %5
    body(%6: i64):
        %7: i64 = multiply(%6, %6)
        give %7
output %2
)");
}

TEST_CASE("attributes are shown by value, large constants by their beginning") {
    CHECK(graph_text(*with_all_attributes()) ==
          "%0: weak f64 = constant(0.5)\n"
          "%1: weak f64 = everything(%0; none, true, -3, 1e-07, Infinity, \"a\\\"\\n\", u8, [], [2, k], [[0, 0], [0, 0]], "
          "f32[5, 5]{0.0, 0.0, 0.0, …}, c64[0, 3]{})\n"
          "output %1\n");
}

TEST_CASE("lanes without a name, or with one that another lane has, are told apart") {
    Builder builder(std::make_shared<Program>());
    const Value x = builder.parameter({DType::f32, {2, 3, 4}}, {}, "x");
    Value row = x;
    for (const char* name : {"i", "i", ""}) row = builder.lane(row, builder.new_lane({.size = builder.type(row).shape[0], .name = name, .span = {}}), 0);
    const std::string text = graph_text(*builder.finish({row}));
    CHECK(text.find("%3: f32 lanes[i.0=2, i.1=3, lane2=4] = lane(%2; axis=0, lane=lane2)\n") != std::string::npos);
}

TEST_CASE("the JSON form holds lanes, nodes, bodies and outputs") {
    const Mapped mapped;
    CHECK(graph_json(*mapped.graph, {.outputs = {"y"}}) == R"({"lanes": [{"id": 0, "name": "n", "size": 100}],
"inputs": [0], "nodes": [
{"op": "parameter", "operands": [], "attributes": ["x"], "results": [{"value": 0, "dtype": "f32", "shape": [100, 4], "weak": false, "lanes": []}]},
{"op": "lane", "operands": [0], "attributes": [0, 0], "results": [{"value": 1, "dtype": "f32", "shape": [4], "weak": false, "lanes": [0]}], "file": "s.vm", "line": 3, "column": 1},
{"op": "multiply", "operands": [1, 1], "attributes": [], "results": [{"value": 2, "dtype": "f32", "shape": [4], "weak": false, "lanes": [0]}], "file": "s.vm", "line": 3, "column": 1},
{"op": "check", "operands": [2], "attributes": [], "results": [], "file": "s.vm", "line": 3, "column": 1},
{"op": "unlane", "operands": [2], "attributes": [0, 0], "results": [{"value": 3, "dtype": "f32", "shape": [100, 4], "weak": false, "lanes": []}]}],
"outputs": [{"name": "y", "value": 3}]}
)");
    CHECK(graph_json(*looping()).find("\"bodies\": [{\"name\": \"condition\", \"captured\": [1], \"inputs\": [3, 4], \"nodes\": [") != std::string::npos);
    const std::string attributes = graph_json(*with_all_attributes());
    CHECK(attributes.find(R"([null, true, -3, 1e-07, "Infinity", "a\"\n", "u8", [], [2, "k"], {"dtype": "i8", "shape": [2, 2], "data": [[0, 0], [0, 0]]}, )"
                          R"({"dtype": "f32", "shape": [5, 5], "data": null}, {"dtype": "c64", "shape": [0, 3], "data": []}])") != std::string::npos);
}

TEST_CASE("the DOT form has boxes, coloured by lanes, clusters for bodies, and outputs") {
    const Mapped mapped;
    const std::string text = graph_dot(*mapped.graph, {.outputs = {"y"}});
    CHECK(text.starts_with("digraph vmaprun {\n"));
    CHECK(text.find("    n2 [label=\"multiply\\n%2: f32[4]\\nlanes n=100\\nline 3\", fillcolor=\"#cfe8ff\"];\n    n1 -> n2;\n") != std::string::npos);
    CHECK(text.find("    n0 [label=\"x\\n%0: f32[100, 4]\"];\n") != std::string::npos);
    CHECK(text.find("    output0 [label=\"y\", shape=ellipse];\n    n4 -> output0;\n}\n") != std::string::npos);
    const std::string loop = graph_dot(*looping());
    CHECK(loop.find("    subgraph cluster_n2_0_ {\n        label=\"while: condition\";\n") != std::string::npos);
    CHECK(loop.find("    n1 -> n2_0_1 [style=dotted];\n") != std::string::npos);
    CHECK(loop.find("    n2_1_1 -> n2 [style=dashed];\n") != std::string::npos);
}
