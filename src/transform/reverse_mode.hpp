// Reverse mode over one graph: every node again, remembered; then back, adding cotangents. Interface: transform/derivative.hpp.
//
// Going back happens in the same graph, or in the body of the loop that goes back (then forward values come to it as saved
// ones): a Recall says what stands for a forward value there.
#pragma once

#include <functional>
#include <memory>

#include "transform/activity.hpp"
#include "transform/derivative.hpp"
#include "transform/replay.hpp"

namespace vmaprun {

// What stands, in the graph under construction, for a value of the forward graph.
using Recall = std::function<Value(Value forward)>;

class ReverseMode;

// A node as the forward way left it.
struct Remembered {
    const Node* node = nullptr;
    std::vector<Value> operands, results; // forward values
    // Control flow: goes back through it. The cotangents are those of the results; gives those of the operands. `summed`: for each
    // operand the mapped axes over which its cotangent will be summed; those that it is summed over already are taken off.
    using Back = std::function<std::vector<Value>(const std::vector<Value>& cotangents, const std::vector<bool>& wanted, const Recall& recall, std::vector<Lanes>& summed)>;
    Back back;
    std::vector<Value> saved; // further forward values that `back` recalls
};

// Takes over what an operand of a node of the graph has from the cotangents of its results: true, or declines.
using TakeOver = std::function<bool(const Remembered& entry, std::size_t operand, const std::vector<Value>& cotangents)>;

class ReverseMode {
  public:
    // `active`: the inputs (captures included) whose cotangents will be wanted.
    ReverseMode(Builder& builder, const Graph& graph, std::size_t depth, const std::vector<bool>& active, Effects effects = Effects::keep);

    void forward(std::span<const Value> arguments);
    std::vector<Value> values() const { return again_.outputs(); }
    // The forward values that going back may recall.
    std::vector<Value> recalled() const;
    // From the cotangents of the outputs those of the inputs. The same builder level as `recall` speaks of.
    std::vector<Value> backward(std::span<const Value> cotangents, const Recall& recall, const TakeOver& take_over = {}) const;
    // Whether nodes of the graph run over axes that are entered inside of it.
    bool is_inside(const Lanes& lanes) const { return !own_part(lanes).empty(); }

  private:
    using Sums = std::vector<Value>; // a value of the graph: its cotangent so far
    void add(const Node& node);
    void back_through(const Remembered& entry, Sums& sums, const Recall& recall, const TakeOver& take_over) const;
    std::vector<Value> rule(const Remembered& entry, const std::vector<Value>& cotangents, const std::vector<bool>& wanted, std::vector<Lanes>& summed, const Recall& recall) const;
    std::vector<Value> back_through_lane(const Node& node, Value cotangent, Lanes& summed) const;
    bool is_own(LaneId lane) const { return has_lane(own_lanes_, lane); }
    Lanes own_part(const Lanes& lanes) const;
    Value held(Value cotangent, LaneId lane) const;

    Builder& builder_;
    const Graph& graph_;
    Replay again_;
    Activity activity_;
    Lanes own_lanes_; // mapped axes that are entered inside of the graph: the others are never summed over here
    std::vector<Remembered> tape_;
};

// Adds a control node again in a form that can go back, and says how (reverse_mode_control.cpp, reverse_mode_scan.cpp).
Remembered remember_control(Builder& builder, Replay& again, const Node& node, const Activity& activity);
Remembered remember_scan(Builder& builder, Replay& again, const Node& node, const Activity& activity);

} // namespace vmaprun
