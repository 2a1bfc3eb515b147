#include "transform/simplify.hpp"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <map>
#include <optional>
#include <vector>

#include "ir/op.hpp"
#include "ir/structural.hpp"

namespace vmaprun {
namespace {

// ---- identities ------------------------------------------------------------------------------------------------------

// The one number that an array holds, small arrays that are folded broadcasts included.
bool is_uniform(const Array& array) {
    constexpr std::int64_t largest = 4096;
    if (array.size() == 0 || array.size() > largest || !array.view().is_contiguous()) return false;
    const std::size_t width = size_of(array.dtype());
    const auto* bytes = array.as<std::byte>();
    for (std::int64_t i = 1; i < array.size(); ++i) {
        if (std::memcmp(bytes, bytes + static_cast<std::size_t>(i) * width, width) != 0) return false;
    }
    return true;
}

// The number that every element of a value is, where that is plain to see: what a gradient begins with goes through vmaps too.
std::optional<double> uniform_number(const Graph& graph, Value value) {
    const Node* node = &graph.maker(value);
    const auto is_spread = [](const Node& by) {
        const std::string_view name = by.op->name();
        return is(by, lane_op) || is(by, unlane_op) || name == "broadcast_to" || name == "reshape" || name == "expand_dims";
    };
    while (is_spread(*node)) node = &graph.maker(node->operands[0]);
    if (!is(*node, constant_op)) return std::nullopt;
    const Array& array = *std::get<std::shared_ptr<const Array>>(node->attributes[0]);
    if (!is_uniform(array)) return std::nullopt;
    return visit_dtype(array.dtype(), [&]<class T>(TypeTag<T>) -> std::optional<double> {
        if constexpr (std::is_arithmetic_v<T>) return static_cast<double>(*array.as<T>());
        else return std::nullopt;
    });
}

bool is_zero(const Graph& graph, Value value) { return uniform_number(graph, value) == 0.0 && !is_floating(graph.type(value).dtype); }
bool is_one(const Graph& graph, Value value) { return uniform_number(graph, value) == 1.0; }
// x - 0.0 is x, also where x is -0.0; x - (-0.0) is not.
bool is_positive_zero(const Graph& graph, Value value) {
    const auto number = uniform_number(graph, value);
    return number == 0.0 && !std::signbit(*number);
}

// The value whose bits this node's result has; nullopt: it is its own.
std::optional<Value> same_as(const Graph& graph, const Node& node) {
    const std::string_view name = node.op->name();
    const auto& x = node.operands;
    const auto inner = [&](std::string_view wanted) -> const Node* {
        const Node& maker = graph.maker(x[0]);
        return maker.op->name() == wanted ? &maker : nullptr;
    };
    if (name == "multiply" && is_one(graph, x[1])) return x[0];
    if (name == "multiply" && is_one(graph, x[0])) return x[1];
    if ((name == "divide" || name == "pow") && is_one(graph, x[1])) return x[0];
    if (name == "subtract" && is_positive_zero(graph, x[1])) return x[0];
    if (name == "add" && is_zero(graph, x[1])) return x[0];
    if (name == "add" && is_zero(graph, x[0])) return x[1];
    if (name == "positive" || name == "stop_gradient" || is(node, opaque_op)) return x[0];
    if (name == "negative" || name == "logical_not" || name == "bitwise_invert") {
        if (const Node* before = inner(name)) return before->operands[0];
    }
    if (name == "flip") {
        if (const Node* before = inner(name); before && before->attributes == node.attributes) return before->operands[0];
    }
    if (is(node, unlane_op) || is(node, lane_op)) { // in again where it has just come out, or the reverse
        if (const Node* before = inner(is(node, lane_op) ? "unlane" : "lane"); before && before->attributes == node.attributes) return before->operands[0];
    }
    return std::nullopt;
}

// A replacement stands only for a value of the same type over the same lanes.
bool fits(const Graph& graph, Value from, Value to) {
    const TensorType &a = graph.type(from), &b = graph.type(to);
    return a.dtype == b.dtype && a.shape == b.shape && graph.lanes(from) == graph.lanes(to);
}

// Nodes that come to the same: joined axes and the identities themselves make some equal that were not when they were added.
class EqualNodes {
  public:
    // The one that was met first; `node` itself where it is the first, or is no such node.
    const Node& first_of(const Graph& graph, const Node& node) {
        if (node.op->effect != Effect::none || !node.bodies.empty() || node.operands.empty()) return node;
        std::vector<std::uint32_t>& alike = met_[{node.op, node.operands}];
        const auto same = std::ranges::find_if(alike, [&](std::uint32_t n) { return graph.nodes[n].attributes == node.attributes && graph.nodes[n].lanes == node.lanes; });
        if (same != alike.end()) return graph.nodes[*same];
        alike.push_back(static_cast<std::uint32_t>(&node - graph.nodes.data()));
        return node;
    }

  private:
    std::map<std::pair<const Op*, std::vector<Value>>, std::vector<std::uint32_t>> met_;
};

} // namespace

std::shared_ptr<Graph> apply_identities(const std::shared_ptr<Graph>& graph) {
    auto result = std::make_shared<Graph>(*graph);
    std::vector<Value> stands_for(graph->values.size());
    for (std::uint32_t i = 0; i < stands_for.size(); ++i) stands_for[i] = {graph->id, i};
    const auto replace = [&](Value& value) { value = stands_for[value.index]; };
    EqualNodes equal;
    for (Node& node : result->nodes) {
        std::ranges::for_each(node.operands, replace);
        for (auto& body : node.bodies) {
            body = apply_identities(body);
            auto own = std::make_shared<Graph>(*body);
            std::ranges::for_each(own->captured, replace);
            body = std::move(own);
        }
        const Node& first = equal.first_of(*result, node);
        for (std::size_t i = 0; i < node.results.size(); ++i) stands_for[node.results[i]] = stands_for[first.results[i]];
        if (&first != &node || node.results.size() != 1) continue;
        const Value self{graph->id, node.results[0]};
        if (const auto same = same_as(*result, node); same && fits(*result, self, *same)) stands_for[self.index] = *same;
    }
    std::ranges::for_each(result->outputs, replace);
    return result;
}

} // namespace vmaprun
