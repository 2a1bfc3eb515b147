#include "exec/segments.hpp"

#include <algorithm>

namespace vmaprun {
namespace {

// Sets what each step releases: values made in the segment whose last use it is.
void set_releases(const GraphPlan& plan, std::vector<Segment>& segments) {
    const Graph& graph = *plan.graph;
    std::vector<bool> is_output(graph.values.size(), false);
    for (const Value output : graph.outputs) is_output[output.index] = true;
    std::vector<bool> used_later = is_output;
    for (std::size_t s = segments.size(); s-- > 0;) {
        Segment& segment = segments[s];
        for (std::size_t k = segment.steps.size(); k-- > 0;) {
            Step& step = segment.steps[k];
            const auto release = [&](std::uint32_t value) {
                if (used_later[value]) return;
                used_later[value] = true;
                step.released.push_back(value);
            };
            for (const std::uint32_t n : step.nodes) {
                for (const std::uint32_t result : graph.nodes[n].results) release(result);
            }
            for (const std::uint32_t n : step.nodes) {
                for (const Value operand : graph.nodes[n].operands) release(operand.index);
            }
        }
    }
}

} // namespace

std::vector<Segment> make_segments(const GraphPlan& plan, std::span<const std::uint32_t> nodes, Planning) {
    std::vector<Segment> segments(1);
    for (const std::uint32_t n : nodes) segments[0].steps.push_back({{n}, {}, {}});
    set_releases(plan, segments);
    return segments;
}

} // namespace vmaprun
