#include "transform/pass.hpp"

#include "transform/dead.hpp"
#include "transform/independence.hpp"
#include "transform/joining.hpp"
#include "transform/simplify.hpp"

namespace vmaprun {

std::span<const Pass> passes() {
    static constexpr Pass all[] = {
        {"joined", "Mapped axes that are entered one from the other, or from one array, are one axis.", join_lanes},
        {"identities", "x * 1 is x, and other rewritings that keep every bit.", apply_identities},
        {"dead", "What no output, check or debug needs is left out.", remove_dead_code},
        {"pipes", "Each vmapipe is cut along an axis on which its results are independent.", cut_pipes},
        {"batches", "Batched code is taken apart along an independent axis, where it pays to run it block by block.", cut_batches},
    };
    return all;
}

Value add_beside(Graph& graph, const Node& like, const Op& op, Value operand, Attributes attributes, Lanes lanes, TensorType type, Lanes result_lanes) {
    const auto index = static_cast<std::uint32_t>(graph.values.size());
    graph.values.push_back({std::move(type), std::move(result_lanes), static_cast<std::uint32_t>(graph.nodes.size()), 0});
    graph.nodes.push_back({&op, {operand}, std::move(attributes), {}, {index}, std::move(lanes), like.origin, like.nesting, like.sequence});
    return {graph.id, index};
}

std::shared_ptr<Graph> run_passes(std::shared_ptr<Graph> graph, std::string_view after) {
    if (after == "trace") return graph;
    for (const Pass& pass : passes()) {
        graph = pass.run(graph);
#ifdef VMAPRUN_VERIFY
        verify(*graph);
#endif
        if (pass.name == after) break;
    }
    return graph;
}

} // namespace vmaprun
