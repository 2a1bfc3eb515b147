#include "exec/fault.hpp"

#include <algorithm>
#include <cstring>

#include "base/error.hpp"

namespace vmaprun {

void EventLog::fault(EventKey key, const Node& node, const std::string& lanes, const char* code, std::string message) {
    const std::lock_guard lock(mutex_);
    if (first_ && first_->key <= key) return;
    first_ = Fault{std::move(key), &node, lanes, code, std::move(message)};
    has_fault_.store(true, std::memory_order_relaxed);
}

void EventLog::debug(EventKey key, std::string line) {
    const std::lock_guard lock(mutex_);
    lines_.try_emplace(std::move(key), std::move(line));
}

bool EventLog::is_late(const EventKey& key) const {
    const std::lock_guard lock(mutex_);
    return first_ && first_->key < key;
}

void EventLog::settle(const EventKey& before, const std::function<void(std::string_view)>& print) {
    const std::lock_guard lock(mutex_);
    while (!lines_.empty() && lines_.begin()->first < before) {
        if (!first_ || lines_.begin()->first < first_->key) print(lines_.begin()->second);
        lines_.erase(lines_.begin());
    }
}

void EventLog::finish(const std::function<void(std::string_view)>& print) {
    for (const auto& [key, line] : lines_) {
        if (first_ && first_->key < key) break;
        print(line);
    }
    lines_.clear();
    if (first_) raise(*first_);
}

void EventLog::raise(const Fault& fault) {
    Diagnostic diagnostic = error(fault.code, fault.message + (fault.lanes.empty() ? "" : ", in " + fault.lanes));
    if (fault.code == "E610") diagnostic.exit_code = 1;
    if (fault.code == "E601") diagnostic.helps.emplace_back("`--index clamp` reads the nearest position, and leaves out writes");
    if (fault.code == "E603") diagnostic.helps.emplace_back("raise the limit, or mend the condition");
    place(diagnostic, fault.node->origin);
    throw UserError(std::move(diagnostic));
}

void place(Diagnostic& diagnostic, const Origin* origin) {
    if (origin == nullptr || diagnostic.primary.span) return;
    diagnostic.primary.span = origin->span;
    for (const Origin* call = origin->caller; call != nullptr; call = call->caller) {
        if (call->pipe != 0) continue; // vmapipe(f) is f itself
        diagnostic.labels.push_back({call->span, "called from here"});
    }
}

NodeEvents::NodeEvents(EventLog& log, const Frame& frame, const Node& node, const Lanes& lanes)
    : log_(log), frame_(frame), node_(node), leaders_(frame.leaders(lanes)), extents_(frame.extents(leaders_)) {
    if (node.nesting == nullptr) return;
    for (const Nesting& nesting : *node.nesting) {
        if (nesting.kind == Nesting::Kind::lane) around_.push_back(nesting.id);
    }
    std::ranges::copy_if(lanes, std::back_inserter(cut_), [&](LaneId lane) { return frame.program().lanes[lane].is_cut; });
}

// A node that varies over no lane is run once even where there is no lane at all: then nobody meets what it does.
bool NodeEvents::runs_at_all() const {
    return std::ranges::none_of(around_, [&](LaneId lane) { return frame_.program().lanes[lane].size.value() == 0; });
}

NodeEvents::Indices NodeEvents::indices(std::int64_t lane, const std::vector<LaneId>& ids) const {
    Shape positions(leaders_.size());
    for (std::size_t k = leaders_.size(); k-- > 0;) {
        positions[k] = lane % extents_[k];
        lane /= extents_[k];
    }
    Indices indices;
    for (const LaneId id : ids) {
        const LaneGroup* group = frame_.group_of(id);
        const LaneId leader = group ? group->ids.front() : id;
        const auto found = std::ranges::find(leaders_, leader);
        // Where it doesn't vary, the first lane is the one that meets it first.
        const std::int64_t position = found == leaders_.end() ? 0 : positions[static_cast<std::size_t>(found - leaders_.begin())];
        indices.emplace_back(id, frame_.index(id, position));
    }
    return indices;
}

EventKey NodeEvents::key(const Indices& indices) const {
    EventKey key;
    std::size_t lane = 0;
    if (node_.nesting != nullptr) {
        for (const Nesting& nesting : *node_.nesting) {
            if (nesting.kind == Nesting::Kind::lane) key.emplace_back(frame_.program().lanes[nesting.id].sequence, indices[lane++].second);
            else key.emplace_back(nesting.id, frame_.iteration(nesting.id));
        }
    }
    key.emplace_back(node_.sequence, 0);
    return key;
}

EventKey NodeEvents::key_at(std::int64_t lane, std::int64_t iteration) const {
    EventKey result = key(indices(lane));
    result.back().second = iteration;
    return result;
}

std::string NodeEvents::lane_text(const Indices& indices) const {
    std::string text;
    std::size_t count = 0;
    for (const auto& [id, index] : indices) {
        if (frame_.program().lanes[id].is_item) continue;
        text += (count++ == 0 ? "" : ", ") + std::to_string(index);
    }
    return count == 0 ? "" : count == 1 ? "lane " + text : "lane (" + text + ")";
}

EventKey NodeEvents::fault_key(std::int64_t lane, const Indices& where) const {
    EventKey result = key(where);
    for (const auto& [id, index] : indices(lane, cut_)) result.emplace_back(0, index);
    return result;
}

void NodeEvents::report(std::int64_t lane, const char* code, std::string message) {
    if (!runs_at_all()) return;
    Indices first = indices(lane);
    if (code != nullptr && std::strcmp(code, "debug") != 0) return log_.fault(fault_key(lane, first), node_, lane_text(first), code, std::move(message));
    // Every lane prints, also where all print the same: those over which the node doesn't vary are counted through.
    Shape counts;
    for (auto& [id, index] : first) {
        const LaneGroup* group = frame_.group_of(id);
        const bool varies = has_lane(leaders_, group ? group->ids.front() : id);
        counts.push_back(varies ? 1 : group ? group->extent : frame_.program().lanes[id].size.value());
    }
    const std::int64_t total = element_count(counts);
    for (std::int64_t i = 0; i < total; ++i) {
        Indices each = first;
        std::int64_t rest = i;
        for (std::size_t k = counts.size(); k-- > 0; rest /= counts[k]) {
            if (counts[k] > 1) each[k].second = frame_.index(each[k].first, rest % counts[k]);
        }
        const std::string lanes = lane_text(each);
        log_.debug(key(each), lanes.empty() ? message : message + " [" + lanes + "]");
    }
}

void NodeEvents::report_limit(std::int64_t lane, std::int64_t limit) const {
    if (!runs_at_all()) return;
    const Indices where = indices(lane);
    EventKey result = key(where);
    result.back().second = limit;
    result.emplace_back(UINT32_MAX, 0); // after everything that the last iteration does
    log_.fault(std::move(result), node_, lane_text(where), "E603", "the loop is still going after its limit of " + std::to_string(limit) + (limit == 1 ? " iteration" : " iterations"));
}

} // namespace vmaprun
