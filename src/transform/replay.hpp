// Adding the nodes of a finished graph again to the graph under construction: what derivatives, and loops written another
// way, begin with. A node that is added again keeps its origin, its mapped axes and its place in program order, so that
// faults, checks and `explain` speak of the script.
#pragma once

#include <memory>
#include <span>
#include <vector>

#include "ir/builder.hpp"

namespace vmaprun {

// Marks where nodes come from while it lives.
class PlaceOf {
  public:
    PlaceOf(Builder& builder, const Node& node, std::size_t depth, Builder::PlaceAs as) : builder_(builder) { builder_.push_place(node, depth, as); }
    ~PlaceOf() { builder_.pop_place(); }
    PlaceOf(const PlaceOf&) = delete;
    PlaceOf& operator=(const PlaceOf&) = delete;

  private:
    Builder& builder_;
};

// A body under construction; thrown away unless finished.
class NewBody {
  public:
    NewBody(Builder& builder, std::uint32_t sequence) : builder_(builder) { builder_.begin_body(sequence); }
    explicit NewBody(Builder& builder) : builder_(builder) { builder_.begin_function(); } // of a function by itself
    ~NewBody() {
        if (open_) builder_.discard_body();
    }
    NewBody(const NewBody&) = delete;
    NewBody& operator=(const NewBody&) = delete;
    std::shared_ptr<Graph> finish(std::vector<Value> outputs) {
        open_ = false;
        return builder_.finish_body(std::move(outputs));
    }

  private:
    Builder& builder_;
    bool open_ = true;
};

enum class Effects { keep, drop }; // drop: checks and debug are left out, because they are done elsewhere

// Values of a finished graph and what stands for them in the graph under construction.
class Replay {
  public:
    // `depth`: of the nesting of the graph's own nodes (Builder::nesting_depth when its first was added).
    Replay(Builder& builder, const Graph& graph, std::size_t depth, Effects effects = Effects::keep);

    // Of a whole program: its parameters again.
    void add_inputs();
    // What stands for the graph's inputs, captures included.
    void set_inputs(std::span<const Value> arguments);
    Value at(Value value) const { return values_[value.index]; }
    std::vector<Value> at(std::span<const Value> values) const;
    void set(Value value, Value stands_for) { values_[value.index] = stands_for; }
    // Adds one node; parameters are nothing to add.
    void add(const Node& node);
    std::vector<Value> outputs() const { return at(graph_.outputs); }

    Builder& builder() const { return builder_; }
    const Graph& graph() const { return graph_; }
    std::size_t depth() const { return depth_; }
    Effects effects() const { return effects_; }
    // Of the nodes in the bodies of a control node.
    static std::size_t depth_of_bodies(const Node& node) { return (node.nesting ? node.nesting->size() : 0) + 1; }

  private:
    void add_control(const Node& node);

    Builder& builder_;
    const Graph& graph_;
    std::size_t depth_;
    Effects effects_;
    std::vector<Value> values_;
};

// All of a graph again; gives what stands for its outputs.
std::vector<Value> replay(Builder& builder, const Graph& graph, std::size_t depth, std::span<const Value> arguments, Effects effects = Effects::keep);

// ---- control nodes taken apart (ops/control.hpp)

// The operands that are no captures.
std::size_t own_operands(const Node& node);
// Where the captures of a body begin among the operands.
std::size_t first_capture(const Node& node, std::size_t body);
std::vector<TensorType> result_types(const Graph& graph, const Node& node);
std::vector<Lanes> result_lanes(const Graph& graph, const Node& node);

} // namespace vmaprun
