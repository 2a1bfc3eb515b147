#include "exec/segments.hpp"

#include <algorithm>
#include <functional>
#include <map>
#include <set>

#include "exec/lane_folds.hpp"
#include "ir/op.hpp"
#include "ir/structural.hpp"
#include "ops/control.hpp"

namespace vmaprun {
namespace {

constexpr std::size_t largest_fused = 64;

bool looks_across(const Graph& graph, LaneId lane) {
    return std::ranges::any_of(graph.nodes, [&](const Node& node) {
        if (is(node, unlane_op) && node.integer(1) == static_cast<std::int64_t>(lane)) return true;
        return std::ranges::any_of(node.bodies, [&](const auto& body) { return looks_across(*body, lane); });
    });
}

bool is_pointwise(const Node& node) { return node.op->tile != nullptr; }

using Axis = std::optional<LaneId>;

// ---- segments: the axis of each node, and the phase in which it can run

class Phases {
  public:
    Phases(const GraphPlan& plan, std::span<const std::uint32_t> nodes) : graph_(*plan.graph), made_(graph_.values.size()) {
        std::map<std::pair<std::size_t, Axis>, std::vector<std::uint32_t>> groups; // no axis comes before any axis
        for (const std::uint32_t n : nodes) {
            const Node& node = graph_.nodes[n];
            const Made made = place(node);
            for (const std::uint32_t result : node.results) made_[result] = made;
            groups[{made.phase, made.axis}].push_back(n);
        }
        for (auto& [key, members] : groups) segments_.push_back({key.second, std::move(members)});
    }

    struct Members {
        Axis axis;
        std::vector<std::uint32_t> nodes;
    };
    const std::vector<Members>& segments() const { return segments_; }

  private:
    struct Made {
        Axis axis;
        std::size_t phase = 0;
    };

    // Each change of axis on the way to a node starts a new phase; so nodes of one phase with different axes don't need each other.
    Made place(const Node& node) const {
        Made made{axis_of(node), 0};
        for (const Value operand : node.operands) {
            const Made& from = made_[operand.index];
            made.phase = std::max(made.phase, from.phase + (from.axis == made.axis ? 0 : 1));
        }
        return made;
    }

    // The outermost axis, if all of the node's work for one lane of it needs only that lane.
    Axis axis_of(const Node& node) const {
        if (node.lanes.empty() || is(node, parameter_op) || is(node, constant_op)) return {};
        const LaneId lane = node.lanes.front();
        if (is(node, unlane_op) && node.integer(1) == static_cast<std::int64_t>(lane)) return {};
        for (const std::uint32_t result : node.results) {
            if (!has_lane(graph_.values[result].lanes, lane)) return {};
        }
        for (const auto& body : node.bodies) {
            if (looks_across(*body, lane)) return {};
        }
        // A view of what is whole is as cheap as one of a block, and needs no place in memory.
        if (is_view(node) && made_[node.operands[0].index].axis != lane) return {};
        return lane;
    }

    const Graph& graph_;
    std::vector<Made> made_;
    std::vector<Members> segments_;
};

// ---- steps: which pointwise nodes, folds of rows and looks at their results run together

constexpr std::int64_t longest_row = 8192; // elements: so that a tile, which holds whole rows, stays near
constexpr std::int64_t longest_product = 128; // so that a tile has rows enough to work on side by side

std::int64_t elements(std::span<const Dim> dims) {
    double count = 1;
    for (const Dim dim : dims) count *= static_cast<double>(dim.value());
    return static_cast<std::int64_t>(std::min(count, 1e15));
}

class Fusing {
  public:
    explicit Fusing(const Graph& graph) : graph_(graph), step_of_(graph.values.size(), none) {}

    void add(std::uint32_t n) {
        const Node& node = graph_.nodes[n];
        const RowWork work = row_work(graph_, node);
        const bool fuses = is_pointwise(node) || work;
        std::size_t target = fuses || is_view(node) ? group_for(node, work) : none;
        if (target == none) {
            target = drafts_.size();
            Draft draft{next_position_++, {}, false, node.lanes, {}, work.axes, {}};
            if (fuses) draft.space = graph_.type(work ? node.operands[0] : graph_.result(node)).shape;
            drafts_.push_back(std::move(draft));
            // Views of what was there before the segment wait for nothing.
            const bool ready = std::ranges::all_of(node.operands, [&](Value operand) { return step_of_[operand.index] == none || drafts_[step_of_[operand.index]].position == 0; });
            if (ready && !fuses && (is_view(node) || node.operands.empty())) drafts_.back().position = 0;
            if (fuses) recent_.push_back(target);
            if (work) drafts_.back().rows.insert(node.results[0]);
        }
        drafts_[target].nodes.push_back(n);
        for (const Value operand : node.operands) {
            const std::size_t from = step_of_[operand.index];
            if (from != none && from != target) drafts_[from].is_read = true;
        }
        for (const std::uint32_t result : node.results) step_of_[result] = target;
    }

    std::vector<Step> steps() {
        std::ranges::stable_sort(drafts_, {}, &Draft::position);
        std::vector<Step> steps;
        for (Draft& draft : drafts_) steps.push_back({std::move(draft.nodes), {}, {}, std::move(draft.space), draft.column_axes, 0});
        return steps;
    }

  private:
    static constexpr std::size_t none = SIZE_MAX;
    struct Draft {
        std::size_t position;
        std::vector<std::uint32_t> nodes;
        bool is_read; // by another step
        Lanes lanes;
        Dims space;              // the sample shape of its full values (exec/tile.hpp)
        std::size_t column_axes; // the last so many of it are folded; 0: none yet
        std::set<std::uint32_t> rows; // its values that have one element a row
    };
    enum class Fit { no, full, row };

    // Whether a shape is that of one element a row, with or without axes of 1 for the columns.
    bool is_row_shape(const Draft& draft, const Dims& shape) const {
        Dims rows(draft.space.begin(), draft.space.end() - static_cast<std::ptrdiff_t>(draft.column_axes));
        if (same_sizes(shape, rows)) return true;
        rows.insert(rows.end(), draft.column_axes, Dim(1));
        return same_sizes(shape, rows);
    }

    Fit fit_of(const Draft& draft, const Node& node, const RowWork& work) const {
        if (node.lanes != draft.lanes || node.results.size() != 1) return Fit::no;
        const Dims& shape = graph_.values[node.results[0]].type.shape;
        const auto is_row = [&](Value value) { return draft.rows.contains(value.index); };
        if (work) {
            const bool same_columns = draft.column_axes == 0 || draft.column_axes == work.axes;
            return same_columns && same_sizes(graph_.type(node.operands[0]).shape, draft.space) ? Fit::row : Fit::no;
        }
        if (is_pointwise(node)) {
            if (same_sizes(shape, draft.space)) return Fit::full;
            return draft.column_axes > 0 && is_row_shape(draft, shape) && std::ranges::any_of(node.operands, is_row) ? Fit::row : Fit::no;
        }
        // A view: of a row value, in the other row shape or along the columns.
        if (node.op->view == nullptr || node.operands.size() != 1 || !is_row(node.operands[0])) return Fit::no;
        if (node.op->family != Family::movement || !keeps_order(node)) return Fit::no;
        if (is_row_shape(draft, shape)) return Fit::row;
        const Dims& from = graph_.type(node.operands[0]).shape;
        const bool lies_along = from.size() == draft.space.size() || from.empty();
        return node.op->name() == "broadcast_to" && lies_along && same_sizes(shape, draft.space) ? Fit::row : Fit::no;
    }

    static bool keeps_order(const Node& node) {
        static constexpr std::string_view views[] = {"broadcast_to", "reshape", "expand_dims", "squeeze"};
        return std::ranges::find(views, node.op->name()) != std::end(views);
    }

    // The latest steps; those that make an operand of the node come first, before all that fold rows, which may be long.
    std::vector<std::size_t> candidates(const Node& node) const {
        std::vector<std::size_t> groups(recent_.rbegin(), recent_.rbegin() + static_cast<std::ptrdiff_t>(std::min<std::size_t>(recent_.size(), 8)));
        const auto rank = [&](std::size_t group) {
            const bool makes = std::ranges::any_of(node.operands, [&](Value operand) { return step_of_[operand.index] == group; });
            return !makes ? 2 : drafts_[group].column_axes == 0 ? 1 : 0;
        };
        std::ranges::stable_sort(groups, {}, rank);
        return groups;
    }

    // Whether a product takes as its one row for all what the step makes an element a row of: it would read ahead of the tile.
    bool needs_all_rows(const Node& node, const RowWork& work, std::size_t group) const {
        if (work.product == nullptr) return false;
        return std::ranges::any_of(node.operands, [&](Value operand) { return step_of_[operand.index] == group && !same_sizes(graph_.type(operand).shape, drafts_[group].space); });
    }

    // A step that the node can join: its operands are there before it, or the step can wait until they are.
    std::size_t group_for(const Node& node, const RowWork& work) {
        for (const std::size_t group : candidates(node)) {
            Draft& draft = drafts_[group];
            const Fit fit = draft.nodes.size() < largest_fused ? fit_of(draft, node, work) : Fit::no;
            if (fit == Fit::no || needs_all_rows(node, work, group)) continue;
            const bool in_time = std::ranges::all_of(node.operands, [&](Value operand) {
                const std::size_t from = step_of_[operand.index];
                return from == none || from == group || drafts_[from].position < draft.position;
            });
            if (!in_time && draft.is_read) continue;
            if (!in_time) draft.position = next_position_++;
            if (work) draft.column_axes = work.axes;
            if (fit == Fit::row) draft.rows.insert(node.results[0]);
            return group;
        }
        return none;
    }

    const Graph& graph_;
    std::vector<std::size_t> step_of_;
    std::vector<Draft> drafts_;
    std::vector<std::size_t> recent_;
    std::size_t next_position_ = 1;
};

// ---- what each step stores and releases, what each segment reads and writes

class Uses {
  public:
    Uses(const GraphPlan& plan, std::vector<Segment>& segments) : graph_(*plan.graph), segments_(segments), used_later_(graph_.values.size(), false) {
        for (std::size_t i = 0; i < graph_.outputs.size(); ++i) {
            if (plan.needed_outputs[i]) used_later_[graph_.outputs[i].index] = true;
        }
    }

    void set() {
        for (std::size_t s = segments_.size(); s-- > 0;) {
            Segment& segment = segments_[s];
            const std::set<std::uint32_t> made = made_in(segment);
            for (const std::uint32_t value : made) {
                if (used_later_[value]) segment.writes.push_back(value);
            }
            for (std::size_t k = segment.steps.size(); k-- > 0;) {
                release(segment, segment.steps[k], made);
                store_what_is_viewed(segment.steps[k]);
            }
            for (const std::uint32_t value : made) used_later_[value] = false; // a view between segments is made again before them
        }
    }

  private:
    std::set<std::uint32_t> made_in(const Segment& segment) const {
        std::set<std::uint32_t> made;
        for (const Step& step : segment.steps) {
            for (const std::uint32_t n : step.nodes) made.insert(graph_.nodes[n].results.begin(), graph_.nodes[n].results.end());
        }
        return made;
    }

    void release(Segment& segment, Step& step, const std::set<std::uint32_t>& made) {
        std::set<std::uint32_t> own, touched;
        for (const std::uint32_t n : step.nodes) {
            own.insert(graph_.nodes[n].results.begin(), graph_.nodes[n].results.end());
            for (const Value operand : graph_.nodes[n].operands) touched.insert(operand.index);
        }
        for (const std::uint32_t value : own) {
            if (used_later_[value]) step.stored.push_back(value);
        }
        touched.insert(own.begin(), own.end());
        for (const std::uint32_t value : touched) {
            const bool foreign = !made.contains(value);
            if (foreign && std::ranges::find(segment.reads, value) == segment.reads.end()) segment.reads.push_back(value);
            if (used_later_[value]) continue;
            used_later_[value] = true;
            // What a block reads is held by all blocks until the last is done.
            (foreign && segment.lane ? segment.released : step.released).push_back(value);
        }
    }

    // What a fused step keeps as a view, it keeps as what the view looks at too.
    void store_what_is_viewed(Step& step) const {
        for (std::size_t i = step.nodes.size(); step.nodes.size() > 1 && i-- > 0;) {
            const Node& node = graph_.nodes[step.nodes[i]];
            const auto is_stored = [&](std::uint32_t value) { return std::ranges::find(step.stored, value) != step.stored.end(); };
            if (is_view(node) && is_stored(node.results[0]) && !is_stored(node.operands[0].index)) step.stored.push_back(node.operands[0].index);
        }
    }

    const Graph& graph_;
    std::vector<Segment>& segments_;
    std::vector<bool> used_later_;
};

// ---- views that later segments look at

Step lone_step(const Graph& graph, std::uint32_t n) {
    const Node& node = graph.nodes[n];
    return {{n}, {}, {}, is_pointwise(node) ? graph.values[node.results[0]].type.shape : Dims(), 0, 0};
}

// A block would copy what it shows of a view to the array of the whole. Where blocks of later segments alone look at it, it
// shows the array of what it views instead, between the segments.
class ViewsBetween {
  public:
    ViewsBetween(const GraphPlan& plan, const std::vector<Segment>& segments) : graph_(*plan.graph), uses_(graph_.values.size(), Use::none) {
        for (const Value output : graph_.outputs) uses_[output.index] = Use::otherwise;
        for (std::size_t s = segments.size(); s-- > 0;) {
            if (segments[s].lane) between_.emplace(s, views_of(segments[s]));
            for (const Step& step : segments[s].steps) note(step, segments[s].lane ? Use::in_blocks : Use::otherwise);
        }
    }

    std::vector<Segment> inserted_in(std::vector<Segment> segments) const {
        std::vector<Segment> all;
        std::vector<Step> views; // of the segment before
        const auto begin_whole = [&] {
            all.emplace_back().steps = std::move(views);
            views.clear();
        };
        for (std::size_t s = 0; s < segments.size(); ++s) {
            const bool whole = !segments[s].lane;
            if (whole || !views.empty()) begin_whole();
            if (whole) std::ranges::move(segments[s].steps, std::back_inserter(all.back().steps));
            else all.push_back(std::move(segments[s]));
            if (const auto found = between_.find(s); found != between_.end()) {
                for (const std::uint32_t n : found->second) views.push_back(lone_step(graph_, n));
            }
        }
        return all;
    }

  private:
    enum class Use : std::uint8_t { none, in_blocks, otherwise }; // by later segments

    void note(const Step& step, Use use) {
        for (const std::uint32_t n : step.nodes) {
            for (const Value operand : graph_.nodes[n].operands) uses_[operand.index] = std::max(uses_[operand.index], use);
        }
    }

    // In program order. What such a view looks at may be one too.
    std::vector<std::uint32_t> views_of(const Segment& segment) {
        std::vector<std::uint32_t> nodes, views;
        for (const Step& step : segment.steps) nodes.insert(nodes.end(), step.nodes.begin(), step.nodes.end());
        std::ranges::sort(nodes, std::greater());
        for (const std::uint32_t n : nodes) {
            const Node& node = graph_.nodes[n];
            if (!is_view(node) || node.operands.size() != 1 || uses_[node.results[0]] != Use::in_blocks) continue;
            const Value viewed = node.operands[0];
            if (graph_.lanes(viewed) != node.lanes || elements(graph_.type(viewed).shape) > elements(graph_.values[node.results[0]].type.shape)) continue;
            views.push_back(n);
            uses_[viewed.index] = std::max(uses_[viewed.index], Use::in_blocks);
        }
        std::ranges::reverse(views);
        return views;
    }

    const Graph& graph_;
    std::vector<Use> uses_; // of each value
    std::map<std::size_t, std::vector<std::uint32_t>> between_;
};

// ---- how much one lane takes

std::int64_t bytes_of(const Graph& graph, std::uint32_t value, LaneId outermost) {
    const ValueInfo& info = graph.values[value];
    double bytes = static_cast<double>(size_of(info.type.dtype));
    for (const Dim dim : info.type.shape) bytes *= static_cast<double>(dim.value());
    for (const LaneId lane : info.lanes) {
        if (lane != outermost) bytes *= static_cast<double>(graph.program->lanes[lane].size.value());
    }
    return static_cast<std::int64_t>(std::min(bytes, 1e15));
}

bool makes(const Graph& graph, const Step& step, std::uint32_t value) {
    return std::ranges::find(step.nodes, graph.values[value].node) != step.nodes.end();
}

// What scans alone read or write goes by a slice at a time: of each value, the bytes of that, or a cache line.
std::map<std::uint32_t, std::int64_t> streamed(const Graph& graph, const Segment& segment) {
    std::map<std::uint32_t, std::int64_t> bytes;
    std::set<std::uint32_t> elsewhere;
    const auto add = [&](const Node& scan, std::uint32_t value) {
        const std::int64_t length = std::max<std::int64_t>(1, scan.integers(3)[0]);
        bytes[value] = std::max<std::int64_t>(64, bytes_of(graph, value, *segment.lane) / length);
    };
    for (const Step& step : segment.steps) {
        for (const std::uint32_t n : step.nodes) {
            const Node& node = graph.nodes[n];
            const bool is_scan = node.op == &scan_op;
            const std::size_t carries = is_scan ? static_cast<std::size_t>(node.integer(0)) : 0, xs = is_scan ? static_cast<std::size_t>(node.integer(1)) : 0;
            for (std::size_t i = 0; i < node.operands.size(); ++i) {
                if (is_scan && i >= carries && i < carries + xs) add(node, node.operands[i].index);
                else elsewhere.insert(node.operands[i].index);
            }
            for (std::size_t i = carries; is_scan && i < node.results.size(); ++i) add(node, node.results[i]);
        }
    }
    for (const std::uint32_t value : elsewhere) bytes.erase(value);
    return bytes;
}

std::int64_t lane_bytes(const Graph& graph, const Segment& segment) {
    std::int64_t live = 0, most = 0;
    const auto streams = streamed(graph, segment);
    const auto bytes_in = [&](std::uint32_t value) {
        const auto stream = streams.find(value);
        return stream != streams.end() ? stream->second : bytes_of(graph, value, *segment.lane);
    };
    for (const std::uint32_t value : segment.reads) {
        if (has_lane(graph.values[value].lanes, *segment.lane)) live += bytes_in(value);
    }
    for (const Step& step : segment.steps) {
        const Node& first = graph.nodes[step.nodes.front()];
        if (step.nodes.size() == 1 && is_view(first)) continue;
        std::int64_t inside = 0; // a body has values of its own, about as large as what goes in and comes out
        for (const std::uint32_t n : step.nodes) {
            for (const std::uint32_t result : graph.nodes[n].results) {
                const bool stored = step.keeps(result);
                if (stored) live += bytes_in(result);
                if (!first.bodies.empty()) inside += 2 * bytes_in(result);
            }
        }
        most = std::max(most, live + inside);
        for (const std::uint32_t value : step.released) {
            const auto is_counted = [&](const std::vector<std::uint32_t>& values) { return std::ranges::find(values, value) != values.end(); };
            const bool in_register = step.nodes.size() > 1 && !is_counted(step.stored) && makes(graph, step, value);
            if (is_view(graph.nodes[graph.values[value].node]) || is_counted(segment.reads) || in_register) continue;
            live = std::max<std::int64_t>(0, live - bytes_in(value));
        }
    }
    return std::max<std::int64_t>(most, 1);
}

} // namespace

RowWork row_work(const Graph& graph, const Node& node) {
    if (node.op->rows == nullptr) return {};
    std::vector<TensorType> operands;
    for (const Value operand : node.operands) operands.push_back(graph.type(operand));
    const RowWork work = node.op->rows(node, operands);
    // A row against every other row is a matrix product in truth, and has a kernel that keeps both near.
    const auto is_everywhere = [&](Value operand) { return graph.lanes(operand) == node.lanes; };
    if (work.product && std::ranges::none_of(node.operands, is_everywhere)) return {};
    const std::int64_t length = elements(std::span(operands[0].shape).last(work.axes));
    return work && length >= 1 && length <= (work.product ? longest_product : longest_row) ? work : RowWork{};
}

std::vector<Segment> make_segments(const GraphPlan& plan, std::span<const std::uint32_t> nodes, Planning planning) {
    std::vector<Segment> segments;
    if (planning == Planning::in_order) {
        Segment& all = segments.emplace_back();
        for (const std::uint32_t n : nodes) all.steps.push_back(lone_step(*plan.graph, n));
    } else {
        const Phases phases(plan, nodes);
        for (const auto& members : phases.segments()) {
            Fusing fusing(*plan.graph);
            Segment& segment = segments.emplace_back();
            segment.lane = members.axis;
            for (const std::uint32_t n : members.nodes) {
                if (planning == Planning::unfused) segment.steps.push_back(lone_step(*plan.graph, n));
                else fusing.add(n);
            }
            if (planning != Planning::unfused) segment.steps = fusing.steps();
        }
        segments = ViewsBetween(plan, segments).inserted_in(std::move(segments));
        if (planning == Planning::in_blocks) segments = with_lane_folds(plan, std::move(segments));
    }
    Uses(plan, segments).set();
    for (Segment& segment : segments) {
        if (segment.lane) segment.lane_bytes = lane_bytes(*plan.graph, segment);
    }
    return segments;
}

} // namespace vmaprun
