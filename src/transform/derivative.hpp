// Derivatives: Graph in, nodes out. A function is traced into a graph of its own (Builder::begin_function), and is then
// added to the graph under construction together with its derivative, row by row (Derivative in ir/op.hpp).
//
// Forward mode carries (value, tangent) through the nodes in order. Reverse mode adds the nodes again, remembers them, and
// walks back adding cotangents. Both are plain nodes when done, so they batch, fuse and differentiate again.
//
// Lanes. A tangent varies over the lanes of its value and those of the directions. A cotangent belongs to one lane of its
// value: where a node varies over a mapped axis that was entered inside the function and its operand doesn't, the operand's
// cotangent is the sum over that axis. Axes around the function are never summed over: each lane has its own gradient.
#pragma once

#include <memory>
#include <span>
#include <vector>

#include "ir/builder.hpp"
#include "transform/replay.hpp"

namespace vmaprun {

// A function as a graph, not yet part of the graph under construction. Inputs: the arguments, then what it captures.
struct TracedFunction {
    std::shared_ptr<Graph> graph;
    std::size_t depth = 0; // Builder::nesting_depth where it was traced
};

struct Linearized {
    std::vector<Value> values, tangents; // of the outputs; an absent tangent is zero
};
// `tangents`: one for each argument, absent where zero (captures have none).
Linearized jvp(Builder& builder, const TracedFunction& function, std::span<const Value> arguments, std::span<const Value> tangents, Effects effects = Effects::keep);

class ReverseMode;

// The function's values now, its cotangents any number of times.
class Pullback {
  public:
    Pullback(Builder& builder, const TracedFunction& function, std::span<const Value> arguments);
    ~Pullback();
    Pullback(const Pullback&) = delete;
    Pullback& operator=(const Pullback&) = delete;

    std::vector<Value> values() const;
    // From the cotangents of the outputs those of the arguments; absent ones are zero.
    std::vector<Value> operator()(std::span<const Value> cotangents) const;

  private:
    TracedFunction function_;
    std::unique_ptr<ReverseMode> mode_;
    std::size_t arguments_;
};

} // namespace vmaprun
