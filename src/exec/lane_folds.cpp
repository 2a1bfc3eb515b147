#include "exec/lane_folds.hpp"

#include <algorithm>
#include <numeric>
#include <set>

#include "base/error.hpp"
#include "exec/memory.hpp"
#include "ir/op.hpp"
#include "ir/structural.hpp"
#include "ops/lane_iteration.hpp"

namespace vmaprun {
namespace {

constexpr std::int64_t worth_bytes = std::int64_t{4} << 20;   // of what need not be there for all lanes
constexpr std::int64_t most_of_a_group = std::int64_t{256} << 20; // bytes
constexpr std::int64_t largest_result = 65536;                // elements: adding one is little beside making it
constexpr std::int64_t fewest_groups = 8;

bool is_permute(const Node& node) { return node.op->name() == "permute_dims"; }

std::int64_t elements_of(const TensorType& type) {
    double count = 1;
    for (const Dim dim : type.shape) count *= static_cast<double>(dim.value());
    return static_cast<std::int64_t>(std::min(count, 1e15));
}

// ---- planning

class Finder {
  public:
    Finder(const GraphPlan& plan, const std::vector<Segment>& segments) : graph_(*plan.graph), readers_(graph_.values.size()), segment_of_(graph_.values.size(), before_all) {
        for (const Value output : graph_.outputs) readers_[output.index].push_back(outside);
        for (std::size_t s = 0; s < segments.size(); ++s) {
            for (const Step& step : segments[s].steps) {
                for (const std::uint32_t n : step.nodes) {
                    for (const Value operand : graph_.nodes[n].operands) readers_[operand.index].push_back(n);
                    for (const std::uint32_t result : graph_.nodes[n].results) segment_of_[result] = static_cast<std::ptrdiff_t>(s);
                    if (step.nodes.size() == 1 && !segments[s].lane) alone_.insert(n);
                }
            }
        }
    }

    // The folds over the lanes of a segment, in program order; `nodes`: they and the views on the way to them.
    std::vector<LaneFold> folds_of(std::size_t segment, LaneId lane, std::set<std::uint32_t>& nodes) const {
        std::vector<LaneFold> folds;
        for (const std::uint32_t n : alone_) {
            if (auto fold = fold_at(n, static_cast<std::ptrdiff_t>(segment), lane)) folds.push_back(std::move(*fold));
        }
        while (leave_out_shared(folds)) {}
        for (const LaneFold& fold : folds) {
            nodes.insert(fold.node);
            for (const LaneFold::Operand& operand : fold.operands) nodes.insert(operand.views.begin(), operand.views.end());
        }
        return pays(folds, lane) ? folds : std::vector<LaneFold>{};
    }

  private:
    static constexpr std::ptrdiff_t before_all = -1;
    static constexpr std::uint32_t outside = UINT32_MAX;

    std::optional<LaneFold> fold_at(std::uint32_t n, std::ptrdiff_t segment, LaneId lane) const {
        const Node& node = graph_.nodes[n];
        if (node.op->chunks == nullptr || !node.lanes.empty()) return std::nullopt;
        std::vector<TensorType> types;
        for (const Value operand : node.operands) types.push_back(graph_.type(operand));
        const Chunked chunked = node.op->chunks(node, types);
        if (chunked.axes.empty() || elements_of(graph_.type(graph_.result(node))) > largest_result) return std::nullopt;
        std::int64_t inner = 1;
        for (std::size_t i = 1; i < chunked.axes[0].size(); ++i) inner *= types[0].shape[chunked.axes[0][i]].value();
        if (inner < 1) return std::nullopt;
        LaneFold fold{n, {}, chunked.chunk, inner, chunked.chunk / std::gcd(chunked.chunk, inner), chunked.order == Chunked::Order::in_pairs};
        bool any = false;
        for (std::size_t i = 0; i < node.operands.size(); ++i) {
            LaneFold::Operand operand = operand_of(node.operands[i].index, chunked.axes[i], segment, lane);
            if (!operand.is_made && segment_of_[operand.value] >= segment) return std::nullopt;
            any = any || operand.is_made;
            fold.operands.push_back(std::move(operand));
        }
        return any ? std::optional(fold) : std::nullopt;
    }

    // From the operand of a fold back to what the segment makes, if the lanes are the first of its axes `axes`.
    LaneFold::Operand operand_of(std::uint32_t value, const std::vector<std::size_t>& axes, std::ptrdiff_t segment, LaneId lane) const {
        const LaneFold::Operand whole{value, false, {}, axes};
        LaneFold::Operand made{value, true, {}, axes};
        std::size_t at = axes[0];
        for (;;) {
            const std::uint32_t n = graph_.values[made.value].node;
            const Node& node = graph_.nodes[n];
            if (!alone_.contains(n) || (!node.lanes.empty() && !is(node, unlane_op))) return whole;
            made.views.insert(made.views.begin(), n);
            made.value = node.operands.empty() ? value : node.operands[0].index;
            if (is(node, unlane_op)) {
                const bool fits = node.integer(0) == static_cast<std::int64_t>(at) && node.integer(1) == static_cast<std::int64_t>(lane);
                return fits && segment_of_[made.value] == segment && graph_.values[made.value].lanes == Lanes{lane} ? made : whole;
            }
            if (!is_permute(node)) return whole;
            at = static_cast<std::size_t>(node.dims(0)[at].value());
        }
    }

    // Drops the folds that read what others need for all lanes as well. Whether there were such.
    bool leave_out_shared(std::vector<LaneFold>& folds) const {
        std::set<std::uint32_t> inside;
        for (const LaneFold& fold : folds) {
            inside.insert(fold.node);
            for (const LaneFold::Operand& operand : fold.operands) inside.insert(operand.views.begin(), operand.views.end());
        }
        const auto read_elsewhere = [&](std::uint32_t value, std::ptrdiff_t segment) {
            return std::ranges::any_of(readers_[value], [&](std::uint32_t reader) {
                if (reader == outside) return true;
                const Node& node = graph_.nodes[reader];
                return !inside.contains(reader) && (node.results.empty() || segment_of_[node.results[0]] != segment);
            });
        };
        const auto is_shared = [&](const LaneFold::Operand& operand) {
            if (!operand.is_made) return false;
            if (read_elsewhere(operand.value, segment_of_[operand.value])) return true;
            return std::ranges::any_of(operand.views, [&](std::uint32_t view) { return read_elsewhere(graph_.nodes[view].results[0], before_all); });
        };
        return std::erase_if(folds, [&](const LaneFold& fold) { return std::ranges::any_of(fold.operands, is_shared); }) > 0;
    }

    bool pays(const std::vector<LaneFold>& folds, LaneId lane) const {
        std::set<std::uint32_t> values;
        std::int64_t unit = 1;
        for (const LaneFold& fold : folds) {
            unit = std::lcm(unit, fold.unit);
            for (const LaneFold::Operand& operand : fold.operands) {
                if (operand.is_made) values.insert(operand.value);
            }
        }
        double bytes = 0; // a lane
        for (const std::uint32_t value : values) bytes += static_cast<double>(elements_of(graph_.values[value].type)) * static_cast<double>(size_of(graph_.values[value].type.dtype));
        const double lanes = static_cast<double>(graph_.program->lanes[lane].size.value()), group = static_cast<double>(unit);
        return bytes * lanes >= static_cast<double>(worth_bytes) && bytes * group <= static_cast<double>(most_of_a_group) && lanes >= static_cast<double>(fewest_groups) * group;
    }

    const Graph& graph_;
    std::vector<std::vector<std::uint32_t>> readers_;
    std::vector<std::ptrdiff_t> segment_of_;
    std::set<std::uint32_t> alone_; // nodes that are a step by themselves, outside of blocks
};

void take_out(std::vector<Segment>& segments, const std::set<std::uint32_t>& nodes) {
    for (Segment& segment : segments) {
        std::erase_if(segment.steps, [&](const Step& step) { return nodes.contains(step.nodes.front()); });
    }
}

} // namespace

std::vector<Segment> with_lane_folds(const GraphPlan& plan, std::vector<Segment> segments) {
    for (std::size_t s = 0; s < segments.size(); ++s) {
        if (!segments[s].lane) continue;
        std::set<std::uint32_t> nodes;
        std::vector<LaneFold> folds = Finder(plan, segments).folds_of(s, *segments[s].lane, nodes);
        if (folds.empty()) continue;
        take_out(segments, nodes);
        segments[s].folds = std::move(folds);
        Segment behind;
        for (const std::uint32_t n : nodes) behind.steps.push_back({{n}, {}, {}, {}, 0, 0});
        segments.insert(segments.begin() + static_cast<std::ptrdiff_t>(s) + 1, std::move(behind));
        ++s;
    }
    return segments;
}

std::int64_t lanes_a_group(const Segment& segment, std::int64_t block) {
    std::int64_t unit = 1;
    for (const LaneFold& fold : segment.folds) unit = std::lcm(unit, fold.unit);
    return (block + unit - 1) / unit * unit;
}

bool is_folded(const Segment& segment, std::uint32_t value) {
    return std::ranges::any_of(segment.folds, [&](const LaneFold& fold) {
        return std::ranges::any_of(fold.operands, [&](const LaneFold::Operand& operand) { return operand.is_made && operand.value == value; });
    });
}

// ---- running

LaneFolding::LaneFolding(const Work& work, const Segment& segment, std::int64_t lanes, std::int64_t group)
    : work_(work), segment_(segment), lanes_(lanes), group_(group), totals_(segment.folds.size()) {}

void LaneFolding::add(std::int64_t first, std::int64_t extent, const Slots& made) {
    std::vector<Parts> parts;
    for (const LaneFold& fold : segment_.folds) parts.push_back(parts_of(fold, first, extent, made));
    const std::lock_guard lock(mutex_);
    waiting_.emplace(first / group_, std::move(parts));
    for (auto turn = waiting_.find(next_); turn != waiting_.end(); turn = waiting_.find(++next_)) {
        for (std::size_t i = 0; i < segment_.folds.size(); ++i) {
            for (const Array& each : turn->second[i]) totals_[i].add(each, segment_.folds[i].in_pairs);
        }
        waiting_.erase(turn);
    }
}

void LaneFolding::finish() const {
    for (std::size_t i = 0; i < segment_.folds.size(); ++i) work_.set(work_.graph().nodes[segment_.folds[i].node].results[0], totals_[i].finish());
}

LaneFolding::Parts LaneFolding::parts_of(const LaneFold& fold, std::int64_t first, std::int64_t extent, const Slots& made) const {
    std::vector<Array> operands;
    for (const LaneFold::Operand& operand : fold.operands) operands.push_back(slice_of(operand, first, extent, made));
    Parts parts;
    const std::int64_t whole = extent * fold.inner / fold.chunk, rest = extent * fold.inner % fold.chunk;
    if (whole > 0) parts.push_back(chunks_of(fold, operands, 0, whole, fold.chunk));
    if (rest > 0) parts.push_back(chunks_of(fold, operands, whole * fold.chunk, 1, rest));
    return parts;
}

namespace {

// The lanes, which come first in memory, as an axis of the array; or its axes in another order.
View look(const Node& node, const View& view) {
    const bool is_unlane = is(node, unlane_op);
    View result{view.dtype, view.data, {}, {}};
    for (std::size_t axis = 0; axis < view.rank(); ++axis) {
        std::size_t from = axis;
        if (!is_unlane) from = static_cast<std::size_t>(node.dims(0)[axis].value());
        else if (const auto to = static_cast<std::size_t>(node.integer(0)); axis <= to) from = axis == to ? 0 : axis + 1;
        result.shape.push_back(view.shape[from]);
        result.strides.push_back(view.strides[from]);
    }
    return result;
}

bool are_even(const View& view, const std::vector<std::size_t>& axes) {
    for (std::size_t i = 0; i + 1 < axes.size(); ++i) {
        if (view.strides[axes[i]] != view.shape[axes[i + 1]] * view.strides[axes[i + 1]]) return false;
    }
    return true;
}

// With the axes `axes` behind each other in memory.
Array with_even(const View& view, const std::vector<std::size_t>& axes) {
    std::vector<std::size_t> order;
    for (std::size_t axis = 0; axis < view.rank(); ++axis) {
        if (std::ranges::find(axes, axis) == axes.end()) order.push_back(axis);
    }
    order.insert(order.end(), axes.begin(), axes.end());
    View from{view.dtype, view.data, {}, {}};
    for (const std::size_t axis : order) from.shape.push_back(view.shape[axis]), from.strides.push_back(view.strides[axis]);
    const Array copy = new_array(view.dtype, from.shape);
    copy_elements(from, copy.view());
    View result = view;
    result.data = copy.view().data;
    for (std::size_t i = 0; i < order.size(); ++i) result.strides[order[i]] = copy.view().strides[i];
    return copy.with_view(std::move(result));
}

} // namespace

// The lanes from `first` on, as the node sees them, with reduced axes that one stride goes through.
Array LaneFolding::slice_of(const LaneFold::Operand& operand, std::int64_t first, std::int64_t extent, const Slots& made) const {
    const Array& array = operand.is_made ? made[operand.value] : work_.slots[operand.value];
    View view = array.view();
    for (const std::uint32_t n : operand.views) view = look(work_.graph().nodes[n], view);
    const std::size_t lanes = operand.axes[0];
    if (!operand.is_made) view.data += first * view.strides[lanes] * static_cast<std::int64_t>(size_of(view.dtype));
    view.shape[lanes] = extent;
    return are_even(view, operand.axes) ? array.with_view(std::move(view)) : with_even(view, operand.axes);
}

// Chunks of `length` elements each from the element `begin` on: the kernel of the node sees them as lanes.
Array LaneFolding::chunks_of(const LaneFold& fold, std::span<const Array> operands, std::int64_t begin, std::int64_t chunks, std::int64_t length) const {
    const Node& node = work_.graph().nodes[fold.node];
    std::vector<View> parts;
    for (std::size_t i = 0; i < operands.size(); ++i) {
        View& part = parts.emplace_back(operands[i].view());
        const std::vector<std::size_t>& axes = fold.operands[i].axes;
        const std::int64_t stride = part.strides[axes.back()];
        for (const std::size_t axis : axes) part.shape[axis] = 1;
        part.shape[axes.back()] = length;
        part.data += begin * stride * static_cast<std::int64_t>(size_of(part.dtype));
        part.shape.insert(part.shape.begin(), chunks);
        part.strides.insert(part.strides.begin(), length * stride);
    }
    const TensorType& type = work_.graph().type(work_.graph().result(node));
    Shape shape{chunks};
    for (const Dim dim : type.shape) shape.push_back(dim.value());
    Array results = new_array(type.dtype, std::move(shape));
    const View view = results.view();
    NodeEvents events(work_.state.log, work_.frame, node, node.lanes);
    KernelCall call;
    call.node = &node;
    call.lanes = {chunks};
    call.operands = parts;
    call.results = std::span(&view, 1);
    call.faults = &events;
    node.op->kernel(call);
    return results;
}

// ---- sums of parts

namespace {

void add_to(const View& total, const View& part) {
    const auto add = [&]<class T>(T* to, const T* from) {
        const std::int64_t count = total.size();
        for (std::int64_t i = 0; i < count; ++i) to[i] += from[i];
    };
    if (total.dtype == DType::f32) add(total.as<float>(), part.as<float>());
    else add(total.as<double>(), part.as<double>());
}

} // namespace

void LaneFolding::Total::add(const Array& parts, bool in_pairs) {
    View part = parts.view();
    const std::int64_t count = part.shape.front(), step = part.strides.front() * static_cast<std::int64_t>(size_of(part.dtype));
    part.shape.erase(part.shape.begin());
    part.strides.erase(part.strides.begin());
    for (std::int64_t i = 0; i < count; ++i, part.data += step) push(part, in_pairs);
}

void LaneFolding::Total::push(const View& part, bool in_pairs) {
    if (!in_pairs && !levels_.empty()) return add_to(levels_[0].view(), part);
    Array level = new_array(part.dtype, part.shape);
    std::copy_n(part.data, static_cast<std::size_t>(part.size()) * size_of(part.dtype), level.view().data);
    levels_.push_back(std::move(level));
    for (std::int64_t carry = taken_++; in_pairs && (carry & 1) != 0; carry >>= 1) {
        add_to(levels_[levels_.size() - 2].view(), levels_.back().view());
        levels_.pop_back();
    }
}

Array LaneFolding::Total::finish() {
    for (; levels_.size() > 1; levels_.pop_back()) add_to(levels_[levels_.size() - 2].view(), levels_.back().view());
    return levels_.front();
}

} // namespace vmaprun
