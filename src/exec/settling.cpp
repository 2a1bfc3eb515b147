#include "exec/settling.hpp"

#include <algorithm>

#include "ops/check.hpp"

namespace vmaprun {
namespace {

// The first part of the keys of a node's events (exec/fault.hpp).
std::uint32_t first_place(const Graph& graph, const Node& node) {
    if (node.nesting == nullptr || node.nesting->empty()) return node.sequence;
    const Nesting& outermost = node.nesting->front();
    return outermost.kind == Nesting::Kind::lane ? graph.program->lanes[outermost.id].sequence : outermost.id;
}

} // namespace

bool Settling::prints(const GraphPlan& plan) {
    for (const Segment& segment : plan.segments) {
        for (const Step& step : segment.steps) {
            if (std::ranges::any_of(step.nodes, [&](std::uint32_t n) { return plan.graph->nodes[n].op == &debug_op(); })) return true;
        }
    }
    return std::ranges::any_of(plan.bodies, [](const auto& bodies) { return std::ranges::any_of(bodies.second, prints); });
}

Settling::Settling(const GraphPlan& top, EventLog& log, const Print& print) : top_(top), log_(log), print_(print) {
    for (const Segment& segment : top.segments) {
        for (const Step& step : segment.steps) {
            std::uint32_t first = UINT32_MAX;
            for (const std::uint32_t n : step.nodes) first = std::min(first, first_place(*top.graph, top.graph->nodes[n]));
            earliest_.push_back(first);
        }
    }
    earliest_.push_back(UINT32_MAX);
    for (std::size_t i = earliest_.size() - 1; i-- > 0;) earliest_[i] = std::min(earliest_[i], earliest_[i + 1]);
}

void Settling::passed(const GraphPlan& plan, std::size_t steps) {
    if (&plan != &top_) return;
    done_ = steps;
    log_.settle({{earliest_[done_], INT64_MIN}}, print_);
}

void Settling::iterates(const GraphPlan& plan, const Node& node, std::int64_t iteration) {
    const bool alone = &plan == &top_ && (node.nesting == nullptr || node.nesting->empty());
    if (alone && node.sequence <= earliest_[done_ + 1]) log_.settle({{node.sequence, iteration}}, print_);
}

} // namespace vmaprun
