// A segment over a mapped axis, block by block: each block of lanes goes through all steps while its values are in cache.
// Values that are needed afterwards have their full arrays from the start, and each block fills its part of them.
#include <algorithm>
#include <atomic>
#include <mutex>
#include <optional>

#include "array/memory_limit.hpp"
#include "base/error.hpp"
#include "base/profile.hpp"
#include "exec/evaluate.hpp"
#include "exec/fused_step.hpp"
#include "exec/lane_folds.hpp"
#include "exec/memory.hpp"
#include "exec/stream.hpp"
#include "exec/threads.hpp"
#include "ir/structural.hpp"
#include "ops/kernels/contraction_table.hpp"

namespace vmaprun {
namespace {

constexpr std::int64_t block_bytes = 512 << 10;         // half of a second-level cache
constexpr std::int64_t slice_bytes = 128 << 20;         // of what a block reads and writes where it streams: a scan goes through long slices
constexpr double worth_bytes = 1 << 20; // bytes times steps: about 200 µs

// The number of steps that move or compute data; control flow counts for many.
std::int64_t weight(const Graph& graph, const Segment& segment) {
    std::int64_t weight = 0;
    for (const Step& step : segment.steps) {
        const Node& node = graph.nodes[step.nodes.front()];
        if (is(node, lane_op) || is(node, unlane_op) || (node.op->view && !node.op->tile)) continue;
        weight += node.bodies.empty() ? 1 : 16;
    }
    return weight;
}

bool worth_all_threads(const Graph& graph, const Segment& segment, int threads) {
    const double lanes = static_cast<double>(graph.program->lanes[*segment.lane].size.value());
    return threads > 1 && lanes * static_cast<double>(segment.lane_bytes) * static_cast<double>(weight(graph, segment)) >= worth_bytes;
}

std::uint64_t next_series() {
    static std::atomic<std::uint64_t> last{0};
    return ++last;
}

class Blocks {
  public:
    // `group`: the lanes that folds take at once; 0: there are none, or they wait for all.
    Blocks(const Work& work, const Segment& segment, std::int64_t lanes, std::int64_t block, std::int64_t group)
        : work_(work), segment_(segment), lanes_(lanes), block_(block), group_(group), full_(work.slots.size()) {
        if (work.state.streaming == &segment) streamed_ = work.state.streamed;
        if (group > 0) folding_.emplace(work, segment, lanes, group);
        for (const std::uint32_t value : segment.writes) {
            if (!goes_to_sink(value) && !is_grouped(value)) full_[value] = work.result_array(value);
        }
    }

    // `parts`: each goes to one thread, which runs it block by block; 0: threads take blocks as they come.
    void run(bool threaded, std::int64_t parts) {
        const std::int64_t unit = group_ > 0 ? group_ : block_, count = parts > 0 ? parts : (lanes_ + unit - 1) / unit;
        const auto task = [&](std::int64_t i) {
            if (parts > 0) run_range(lanes_ * i / parts, lanes_ * (i + 1) / parts, full_, 0);
            else if (group_ > 0) run_group(i * group_, std::min((i + 1) * group_, lanes_));
            else run_block(i * block_, std::min(block_, lanes_ - i * block_), full_, 0);
        };
        if (threaded) {
            work_.state.pool->each(count, task);
        } else {
            for (std::int64_t i = 0; i < count; ++i) task(i);
        }
        for (const std::uint32_t value : segment_.writes) {
            if (full_[value]) work_.set(value, full_[value]);
        }
        if (folding_) folding_->finish();
    }

  private:
    // `targets` have the lanes from `start` on: whole arrays, or those of a group.
    void run_range(std::int64_t begin, std::int64_t end, const Slots& targets, std::int64_t start) {
        for (std::int64_t first = begin; first < end; first += block_) run_block(first, std::min(block_, end - first), targets, start);
    }

    void run_group(std::int64_t begin, std::int64_t end) {
        Slots targets(work_.slots.size());
        for (const std::uint32_t value : segment_.writes) {
            if (full_[value]) targets[value] = part_of(full_[value], begin, end - begin);
            if (is_grouped(value)) targets[value] = new_array(work_.info(value).type.dtype, work_.frame.block(*segment_.lane, begin, end - begin).shape(work_.info(value).lanes, work_.info(value).type.shape));
        }
        run_range(begin, end, targets, begin);
        folding_->add(begin, end - begin, targets);
    }

    void run_block(std::int64_t first, std::int64_t extent, const Slots& targets, std::int64_t start) {
        const ProfileSpan span("block", [&] { return ProfileSpan::What{"lanes " + std::to_string(first) + " to " + std::to_string(first + extent - 1), {}, {}}; });
        const Frame frame = work_.frame.block(*segment_.lane, first, extent);
        Slots slots(work_.slots.size()), places(work_.slots.size());
        for (const std::uint32_t value : segment_.reads) {
            const Array& array = work_.slots[value];
            if (array) slots[value] = has_lane(work_.info(value).lanes, *segment_.lane) ? part_of(array, first, extent) : array;
        }
        for (const std::uint32_t value : segment_.writes) {
            if (targets[value]) places[value] = part_of(targets[value], first - start, extent);
        }
        std::unique_ptr<PreparedSteps> prepared = extent == block_ ? prepared_steps() : nullptr;
        const Work inner{work_.state, work_.plan, frame, slots, &places, nullptr, prepared.get(), streamed_ ? 0 : series_, *segment_.lane};
        if (streamed_) read_slices(inner, places, first, extent);
        for (const Step& step : segment_.steps) run_step(inner, step);
        if (streamed_) {
            for (const StreamedSegment::Sink& each : streamed_->sinks) each.sink->write(first, extent, places[each.value].view().data);
        }
        slots.clear(); // nobody looks any more at what the steps keep
        if (prepared) keep(std::move(prepared));
    }

    // Fused steps that another whole block was run with: they are made once for each thread, not for each block.
    std::unique_ptr<PreparedSteps> prepared_steps() const {
        const std::lock_guard lock(mutex_);
        if (idle_.empty()) return std::make_unique<PreparedSteps>(work_.plan.step_count);
        std::unique_ptr<PreparedSteps> steps = std::move(idle_.back());
        idle_.pop_back();
        return steps;
    }
    void keep(std::unique_ptr<PreparedSteps> steps) const {
        const std::lock_guard lock(mutex_);
        idle_.push_back(std::move(steps));
    }

    bool is_grouped(std::uint32_t value) const { return folding_ && is_folded(segment_, value); }
    bool goes_to_sink(std::uint32_t value) const {
        return streamed_ && std::ranges::any_of(streamed_->sinks, [&](const StreamedSegment::Sink& each) { return each.value == value; });
    }

    // The block's slices of what is streamed in, seen as by the whole input, and memory for those of what is streamed out.
    void read_slices(const Work& inner, Slots& places, std::int64_t first, std::int64_t extent) const {
        for (const StreamedSegment::Source& each : streamed_->sources) {
            Shape shape = inner.frame.shape({}, inner.info(each.value).type.shape);
            shape[0] = extent;
            const Array slices = new_array(inner.info(each.value).type.dtype, std::move(shape));
            each.source->read(first, extent, slices.view().data);
            View whole = slices.view();
            whole.shape[0] = lanes_;
            whole.data -= first * whole.strides[0] * static_cast<std::int64_t>(size_of(whole.dtype));
            inner.slots[each.value] = slices.with_view(std::move(whole));
        }
        for (const Step& view : streamed_->views) run_step(inner, view);
        for (const StreamedSegment::Sink& each : streamed_->sinks) places[each.value] = inner.result_array(each.value);
    }

    const Work& work_;
    const Segment& segment_;
    std::int64_t lanes_, block_, group_;
    Slots full_;
    std::optional<LaneFolding> folding_;
    const StreamedSegment* streamed_ = nullptr;
    std::uint64_t series_ = next_series();
    mutable std::mutex mutex_;
    mutable std::vector<std::unique_ptr<PreparedSteps>> idle_;
};

// Of a segment that streams: what its steps work on stays in the second-level cache, and the blocks of all threads
// together well below the memory that is allowed.
std::int64_t streamed_block(const Work& work, const Segment& segment, int threads) {
    const Graph& graph = work.graph();
    const LaneAxis& axis = graph.program->lanes[*segment.lane];
    const std::int64_t lanes = std::max<std::int64_t>(1, axis.size.value());
    std::int64_t slices = 1; // bytes of those that go with one lane
    const auto add = [&](std::uint32_t value) {
        const ValueInfo& info = work.info(value);
        slices += element_count(work.frame.shape(info.lanes, info.type.shape)) / lanes * static_cast<std::int64_t>(size_of(info.type.dtype));
    };
    for (const StreamedSegment::Source& each : work.state.streamed->sources) add(each.value);
    for (const StreamedSegment::Sink& each : work.state.streamed->sinks) add(each.value);
    const auto allowed = [&](std::int64_t wanted) { return memory_allowed() > 0 ? std::min(wanted, memory_allowed() / (8 * threads)) : wanted; };
    const std::int64_t chunk = work.state.options.block > 0 ? work.state.options.block : axis.chunk;
    const std::int64_t block = chunk > 0 ? chunk : std::min(allowed(block_bytes) / segment.lane_bytes, allowed(slice_bytes) / slices);
    return std::clamp<std::int64_t>(block, 1, lanes);
}

// Lanes that are the rows of a product are multiplied a group at a time: no block should end within one.
std::int64_t whole_groups(const Graph& graph, const Segment& segment, std::int64_t block) {
    const auto is_product = [&](std::uint32_t n) { return graph.nodes[n].op->family == Family::contraction; };
    if (std::ranges::none_of(segment.steps, [&](const Step& step) { return std::ranges::any_of(step.nodes, is_product); })) return block;
    const std::int64_t group = contraction_table().row_group;
    return block < group ? block : (block + group / 2) / group * group;
}

InBlocks run_blocks(const Work& work, const Segment& segment, std::int64_t lanes, std::int64_t block, bool threaded, std::int64_t parts) {
    const std::int64_t group = segment.folds.empty() || parts > 0 ? 0 : lanes_a_group(segment, block);
    Blocks(work, segment, lanes, block, group).run(threaded, parts);
    return group > 0 ? InBlocks::folded : InBlocks::yes;
}

// So many blocks as a group of lanes needs, all of one size.
std::int64_t alike(std::int64_t group, std::int64_t block) {
    const std::int64_t count = (group + block - 1) / block;
    return (group + count - 1) / count;
}

} // namespace

std::int64_t parts_of(const Graph& graph, const Segment& segment, const RunOptions& options, int threads) {
    const LaneAxis& axis = graph.program->lanes[*segment.lane];
    if (axis.parts == 0 || !options.deals_work) return 0;
    return std::min<std::int64_t>(axis.parts > 0 ? axis.parts : options.devices > 0 ? options.devices : threads, axis.size.value());
}

std::int64_t lanes_a_block(const Graph& graph, const Segment& segment, const RunOptions& options, int threads) {
    const LaneAxis& axis = graph.program->lanes[*segment.lane];
    const std::int64_t lanes = axis.size.value();
    if (options.block > 0) return options.block;
    if (axis.chunk > 0) return axis.chunk;
    if (weight(graph, segment) <= 1 && segment.folds.empty()) return lanes; // its one kernel deals with its threads itself
    std::int64_t block = std::max<std::int64_t>(1, block_bytes / segment.lane_bytes);
    if (worth_all_threads(graph, segment, threads)) block = std::min(block, std::max<std::int64_t>(1, (lanes + 2 * threads - 1) / (2 * threads)));
    block = whole_groups(graph, segment, block);
    return segment.folds.empty() || block >= lanes ? block : alike(lanes_a_group(segment, block), block);
}

InBlocks run_in_blocks(const Work& work, const Segment& segment) {
    if (!work.frame.is_everything()) return InBlocks::no;
    const std::int64_t lanes = work.frame.extent(*segment.lane);
    const int threads = work.parallel && work.state.pool ? work.state.pool->threads() : 1;
    if (work.state.streaming == &segment) {
        const std::int64_t block = streamed_block(work, segment, threads);
        return run_blocks(work, segment, lanes, block, threads > 1, 0);
    }
    const std::int64_t block = lanes_a_block(work.graph(), segment, work.state.options, threads);
    const std::int64_t parts = parts_of(work.graph(), segment, work.state.options, threads);
    if (block >= lanes && parts <= 1) return InBlocks::no;
    return run_blocks(work, segment, lanes, block, worth_all_threads(work.graph(), segment, threads), parts);
}

} // namespace vmaprun
