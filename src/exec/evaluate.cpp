#include "exec/evaluate.hpp"

#include <algorithm>
#include <cstring>

#include "base/error.hpp"
#include "base/profile.hpp"
#include "exec/memory.hpp"
#include "exec/fused_step.hpp"
#include "exec/kernel_step.hpp"
#include "exec/settling.hpp"
#include "ir/structural.hpp"
#include "ops/check.hpp"
#include "ops/lane_iteration.hpp"

namespace vmaprun {

View Work::aligned(const Node& node, std::size_t i, const Lanes& lanes) const {
    const Array& array = operand(node, i);
    if (!array) throw InternalError("exec: an operand of " + std::string(node.op->name()) + " was not computed");
    return align(frame, array.view(), graph().lanes(node.operands[i]), lanes);
}

Array Work::result_array(std::uint32_t value) const {
    if (places && (*places)[value]) return (*places)[value];
    try {
        Shape shape = frame.shape(info(value).lanes, info(value).type.shape);
        if (std::ranges::find(plan.by_steps, value) == plan.by_steps.end()) return new_array(info(value).type.dtype, std::move(shape));
        std::swap(shape[0], shape[1]); // one lane, then the steps
        const Array array = new_array(info(value).type.dtype, std::move(shape));
        View view = array.view();
        std::swap(view.shape[0], view.shape[1]);
        std::swap(view.strides[0], view.strides[1]);
        return array.with_view(std::move(view));
    } catch (UserError& failure) {
        place(failure.diagnostics().front(), graph().nodes[info(value).node].origin);
        throw;
    }
}

void Work::set(std::uint32_t value, const Array& array, const Lanes& lanes) const {
    slots[value] = align(frame, array, lanes, info(value).lanes);
    if (places == nullptr || !(*places)[value]) return;
    const View& place = (*places)[value].view();
    if (place.data != slots[value].view().data) copy_elements(slots[value].view(), place);
}

namespace {

void run_lane(const Work& work, const Node& node) {
    const auto axis = static_cast<std::size_t>(node.integer(0));
    const auto lane = static_cast<LaneId>(node.integer(1));
    const Frame& frame = work.frame;
    const Array& array = work.operand(node, 0);
    const Lanes from = frame.leaders(work.graph().lanes(node.operands[0])), to = frame.leaders(node.lanes);
    const LaneGroup* group = frame.group_of(lane);
    const LaneId leader = group ? group->ids.front() : lane;
    const bool joins = has_lane(from, leader); // packed together with a lane that the operand has already
    const View& view = array.view();
    const std::size_t taken = from.size() + axis;
    View result{view.dtype, view.data, {}, {}};
    for (const LaneId other : to) {
        const bool is_new = other == leader && !joins;
        const auto at = is_new ? taken : static_cast<std::size_t>(std::ranges::find(from, other) - from.begin());
        result.shape.push_back(frame.extent(other));
        result.strides.push_back(view.strides[at]);
    }
    for (std::size_t k = from.size(); k < view.rank(); ++k) {
        if (k == taken) continue;
        result.shape.push_back(view.shape[k]);
        result.strides.push_back(view.strides[k]);
    }
    const auto width = static_cast<std::int64_t>(size_of(view.dtype));
    if (group && !group->packed()) result.data += group->first * view.strides[taken] * width;
    if (!group || !group->packed()) return work.set(node.results[0], array.with_view(std::move(result)));
    // A table of places: each position takes its own index of the axis.
    Array packed = new_array(view.dtype, result.shape);
    const auto position_axis = static_cast<std::size_t>(std::ranges::find(to, leader) - to.begin());
    View source = result, target = packed.view();
    source.shape[position_axis] = target.shape[position_axis] = 1;
    for (std::int64_t p = 0; p < group->extent; ++p) {
        const std::int64_t along = joins ? p * result.strides[position_axis] : 0;
        source.data = result.data + (along + group->index(lane, p) * view.strides[taken]) * width;
        target.data = packed.view().data + p * packed.view().strides[position_axis] * width;
        copy_elements(source, target);
    }
    work.set(node.results[0], packed);
}

void run_unlane(const Work& work, const Node& node) {
    const auto axis = static_cast<std::size_t>(node.integer(0));
    const auto lane = static_cast<LaneId>(node.integer(1));
    const Array& array = work.operand(node, 0);
    const Lanes from = work.frame.leaders(work.graph().lanes(node.operands[0]));
    const std::int64_t size = work.frame.program().lanes[lane].size.value();
    View result = array.view();
    std::int64_t stride = 0;
    std::size_t lane_rank = from.size();
    if (has_lane(work.graph().lanes(node.operands[0]), lane)) {
        if (!work.frame.is_whole(lane)) throw InternalError("exec: a look across lanes of which only some are here");
        const auto at = std::ranges::find(from, lane) - from.begin();
        stride = result.strides[static_cast<std::size_t>(at)];
        result.shape.erase(result.shape.begin() + at);
        result.strides.erase(result.strides.begin() + at);
        --lane_rank;
    }
    const auto place = static_cast<std::ptrdiff_t>(lane_rank + axis);
    result.shape.insert(result.shape.begin() + place, size);
    result.strides.insert(result.strides.begin() + place, stride);
    check_view_size(result.dtype, result.shape);
    work.set(node.results[0], array.with_view(std::move(result)));
}

void run_lane_index(const Work& work, const Node& node) {
    const auto lane = static_cast<LaneId>(node.integer(0));
    const LaneId leader = work.frame.leaders({lane}).front();
    Array indices = work.result_array(node.results[0]);
    for (std::int64_t p = 0; p < work.frame.extent(leader); ++p) indices.as<std::int64_t>()[p] = work.frame.index(lane, p);
    work.set(node.results[0], indices);
}

} // namespace

bool run_view(const Work& work, const Node& node) {
    const std::uint32_t value = node.results[0];
    const std::size_t lane_rank = work.frame.leaders(node.lanes).size();
    const auto look = [&](const Array& array) {
        View result{work.info(value).type.dtype, nullptr, work.frame.shape(node.lanes, work.info(value).type.shape), {}};
        check_view_size(result.dtype, result.shape);
        if (!node.op->view(node, lane_rank, array.view(), result)) return false;
        work.set(value, array.with_view(std::move(result)));
        return true;
    };
    const Array& array = work.operand(node, 0);
    if (look(array)) return true;
    if (node.op->kernel != nullptr) return false;
    Array copy = new_array(array.dtype(), array.shape());
    copy_elements(array.view(), copy.view());
    if (!look(copy)) throw InternalError("exec: the view rule of " + std::string(node.op->name()) + " takes no strides");
    return true;
}

namespace {

void run_kernel(const Work& work, const Step& step) {
    const Node& node = work.graph().nodes[step.nodes.front()];
    if (work.prepared == nullptr) return KernelStep(work, node).run(work, KeptMemory::Keeps::nothing);
    auto& prepared = (*work.prepared)[step.index].kernel;
    if (!prepared || !prepared->fits(work)) prepared = std::make_unique<KernelStep>(work, node);
    prepared->run(work, KeptMemory::Keeps::small);
}

// Prints its operand for each lane that is here.
void run_debug(const Work& work, const Node& node) {
    const View view = work.aligned(node, 0, node.lanes);
    const Lanes leaders = work.frame.leaders(node.lanes);
    const auto lane_rank = static_cast<std::ptrdiff_t>(leaders.size());
    const Shape extents = work.frame.extents(leaders);
    NodeEvents events(work.state.log, work.frame, node, node.lanes);
    View sample{view.dtype, view.data, {view.shape.begin() + lane_rank, view.shape.end()}, {view.strides.begin() + lane_rank, view.strides.end()}};
    const std::int64_t lanes = element_count(extents);
    for (std::int64_t lane = 0; lane < lanes; ++lane) {
        std::int64_t rest = lane, offset = 0;
        for (std::size_t k = extents.size(); k-- > 0; rest /= extents[k]) offset += rest % extents[k] * view.strides[k];
        sample.data = view.data + offset * static_cast<std::int64_t>(size_of(view.dtype));
        events.report(lane, "debug", debug_text(node, sample));
    }
}

void run_fused(const Work& work, const Step& step) {
    if (work.prepared == nullptr) return FusedStep(work, step).run(work, KeptMemory::Keeps::nothing);
    auto& prepared = (*work.prepared)[step.index].fused;
    if (!prepared || !prepared->fits(work)) prepared = std::make_unique<FusedStep>(work, step);
    prepared->run(work, KeptMemory::Keeps::small);
}

void run_node(const Work& work, const Step& step) {
    const Node& node = work.graph().nodes[step.nodes.front()];
    if (is(node, parameter_op)) return;
    if (is(node, constant_op)) return work.set(node.results[0], *std::get<std::shared_ptr<const Array>>(node.attributes[0]));
    if (is(node, lane_op)) return run_lane(work, node);
    if (is(node, unlane_op)) return run_unlane(work, node);
    if (is(node, lane_index_op)) return run_lane_index(work, node);
    if (node.op == &debug_op()) return run_debug(work, node);
    if (!node.bodies.empty()) return run_control(work, step.nodes.front());
    if (step.nodes.size() > 1 || node.op->tile != nullptr) return run_fused(work, step);
    if (node.op->view != nullptr && run_view(work, node)) return;
    run_kernel(work, step);
}

} // namespace

namespace {

// What a span of a trace says of a step.
ProfileSpan::What span_of(const Graph& graph, const Step& step) {
    ProfileSpan::What what;
    for (const std::uint32_t n : step.nodes) what.name += (what.name.empty() ? "" : " + ") + std::string(graph.nodes[n].op->name());
    for (const std::uint32_t n : step.nodes) {
        const Origin* origin = graph.nodes[n].origin;
        if (origin == nullptr || !origin->span) continue;
        what.place = origin->span.source->name() + ":" + std::to_string(origin->span.source->position(origin->span.begin).line);
        what.detail = graph.type(graph.result(graph.nodes[n])).text();
    }
    return what;
}

} // namespace

void run_step(const Work& work, const Step& step) {
    const ProfileSpan span(work.graph().nodes[step.nodes.front()].bodies.empty() ? "kernel" : "control", [&] { return span_of(work.graph(), step); });
    try {
        run_node(work, step);
        if (work.state.options.check_nan) check_finite(work, work.graph().nodes[step.nodes.front()]);
    } catch (UserError& failure) {
        place(failure.diagnostics().front(), work.graph().nodes[step.nodes.front()].origin);
        throw;
    }
    for (const std::uint32_t value : step.released) work.drop(value);
}

GraphRunner::GraphRunner(RunState& state, const GraphPlan& plan, Parallel* parallel, Runs runs)
    : state_(state), plan_(plan), parallel_(parallel), slots_(plan.graph->values.size()), prepared_(runs == Runs::many ? plan.step_count : 0), pinned_(slots_.size(), 0) {}

GraphRunner::~GraphRunner() = default;
PreparedStep::PreparedStep() = default;
PreparedStep::PreparedStep(PreparedStep&&) noexcept = default;
PreparedStep& PreparedStep::operator=(PreparedStep&&) noexcept = default;
PreparedStep::~PreparedStep() = default;

void GraphRunner::forget() {
    for (PreparedStep& step : prepared_) step = {};
}

void GraphRunner::pin(std::size_t input, Array array) {
    if (!plan_.needed_inputs[input]) return;
    pinned_[plan_.graph->inputs[input].index] = 1;
    give(input, std::move(array));
}

void GraphRunner::give(std::size_t input, Array array) {
    if (plan_.needed_inputs[input]) slots_[plan_.graph->inputs[input].index] = std::move(array);
}

void GraphRunner::run(const Frame& frame) {
    const Work work{state_, plan_, frame, slots_, nullptr, parallel_, prepared_.empty() ? nullptr : &prepared_, 0, 0, &pinned_};
    std::size_t begun = 0;
    InBlocks done = InBlocks::no; // how the segment before ran
    for (const Segment& segment : plan_.segments) {
        const bool is_folded = done == InBlocks::folded;
        done = segment.lane ? run_in_blocks(work, segment) : InBlocks::no;
        if (done == InBlocks::no && !is_folded) {
            for (std::size_t i = 0; i < segment.steps.size(); ++i) {
                run_step(work, segment.steps[i]);
                if (state_.settling) state_.settling->passed(plan_, begun + i + 1);
            }
        }
        begun += segment.steps.size();
        if (state_.settling) state_.settling->passed(plan_, begun);
        for (const std::uint32_t value : segment.released) work.drop(value);
    }
}

Array GraphRunner::take(std::size_t output) {
    if (!plan_.needed_outputs[output]) return Array();
    const std::uint32_t value = plan_.graph->outputs[output].index;
    if (pinned_[value] != 0) return slots_[value];
    Array array = std::move(slots_[value]);
    slots_[value].release();
    return array;
}

void GraphRunner::drop_outputs() {
    for (const Value output : plan_.graph->outputs) {
        if (pinned_[output.index] == 0) slots_[output.index].release();
    }
}

std::vector<Array> GraphRunner::run(const Frame& frame, std::vector<Array> inputs) {
    for (std::size_t i = 0; i < inputs.size(); ++i) give(i, std::move(inputs[i]));
    inputs.clear();
    run(frame);
    std::vector<Array> outputs;
    outputs.reserve(plan_.graph->outputs.size());
    for (std::size_t i = 0; i < plan_.graph->outputs.size(); ++i) outputs.push_back(plan_.needed_outputs[i] ? output(i) : Array());
    drop_outputs();
    return outputs;
}

} // namespace vmaprun
