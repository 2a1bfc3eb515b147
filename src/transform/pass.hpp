// Graph -> Graph. A pass is a value: a name for `vmaprun graph --after NAME`, what it does in a sentence, and its function.
// A finished graph is never changed; a pass builds a new one, and in debug builds the verifier looks at each result.
#pragma once

#include <functional>
#include <memory>
#include <span>
#include <string_view>

#include "ir/graph.hpp"

namespace vmaprun {

struct Pass {
    std::string_view name;
    std::string_view doc;
    std::shared_ptr<Graph> (*run)(const std::shared_ptr<Graph>& graph);
};

// A node of one operand and one result in the graph that a pass is building, at the place of `like` in the script.
Value add_beside(Graph& graph, const Node& like, const Op& op, Value operand, Attributes attributes, Lanes lanes, TensorType type, Lanes result_lanes);

// In the order in which they run. (Equal nodes are one node, and small constants are folded, as soon as the Builder adds
// them: ir/builder.hpp.)
std::span<const Pass> passes();

// All passes; or, where `after` names one, those up to it ("trace": none).
std::shared_ptr<Graph> run_passes(std::shared_ptr<Graph> graph, std::string_view after = {});

} // namespace vmaprun
