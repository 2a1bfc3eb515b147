// What goes wrong in lanes, and what debug prints: collected while work goes on in any order, told in program order.
//
// Every event has a key: where one sample after another, each in program order, would meet it. The key is the way from the
// top of the program to the event: for each mapped axis and control-flow node around it its place among the nodes and the
// index of the lane (or the iteration), then the node itself; keys compare step by step. The fault with the smallest key is
// the one reported, and only debug lines with smaller keys are printed. So what a user sees is the same in every mode,
// block size and thread count. A lane that has a fault goes on with whatever values it has; that never shows.
#pragma once

#include <atomic>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "exec/frame.hpp"
#include "ir/op.hpp"

namespace vmaprun {

using EventKey = std::vector<std::pair<std::uint32_t, std::int64_t>>;

class EventLog {
  public:
    void fault(EventKey key, const Node& node, const std::string& lanes, const char* code, std::string message);
    void debug(EventKey key, std::string line);
    // Whether whatever has this key, or a later one, comes too late to matter.
    bool is_late(const EventKey& key) const;
    bool has_fault() const { return has_fault_.load(std::memory_order_relaxed); }
    // Prints the debug lines before a key; whoever calls knows that no event before it is still to come.
    void settle(const EventKey& before, const std::function<void(std::string_view)>& print);
    // Prints the debug lines that come before the first fault; then throws it, if there is one.
    void finish(const std::function<void(std::string_view)>& print);

  private:
    struct Fault {
        EventKey key;
        const Node* node;
        std::string lanes, code, message;
    };
    [[noreturn]] static void raise(const Fault& fault);

    mutable std::mutex mutex_;
    std::atomic<bool> has_fault_{false};
    std::optional<Fault> first_;
    std::map<EventKey, std::string> lines_; // an event that several blocks meet is one
};

// The events of one node in one frame. Reported lanes count row-major over the frame's groups of `lanes`.
class NodeEvents final : public FaultSink {
  public:
    NodeEvents(EventLog& log, const Frame& frame, const Node& node, const Lanes& lanes);
    // Code "debug": a line to be printed; anything else is a fault.
    void report(std::int64_t lane, const char* code, std::string message) override;
    // The fault of a loop (the node) that goes past its limit.
    void report_limit(std::int64_t lane, std::int64_t limit) const;
    // The key of what this node does for a lane at iteration `iteration` of its own.
    EventKey key_at(std::int64_t lane, std::int64_t iteration) const;

  private:
    using Indices = std::vector<std::pair<LaneId, std::int64_t>>; // of the mapped axes around the node
    Indices indices(std::int64_t lane) const { return indices(lane, around_); }
    Indices indices(std::int64_t lane, const std::vector<LaneId>& ids) const;
    EventKey key(const Indices& indices) const;
    EventKey fault_key(std::int64_t lane, const Indices& indices) const; // the slices of a cut axis come after each other
    std::string lane_text(const Indices& indices) const;
    bool runs_at_all() const;

    EventLog& log_;
    const Frame& frame_;
    const Node& node_;
    Lanes leaders_;
    Shape extents_;
    std::vector<LaneId> around_; // mapped axes around the node, outermost first
    std::vector<LaneId> cut_;    // axes that were cut without the script's asking
};

// The diagnostic with its place and the calls that led there, where it has none.
void place(Diagnostic& diagnostic, const Origin* origin);

} // namespace vmaprun
