// Which axes of a graph's values are independent: slice i of what is computed needs only slice i of some values, and others
// whole. Such an axis is as good as a mapped one, and is made one: `lane` where the cut values go in, the same nodes on
// slices between, `unlane` where they come out. So the engine runs hand-written batched code (`x @ w` over rows,
// `sum(x, axis=1)`) block by block, deals the parts of vmapipe to devices, and reads what is larger than memory piece by
// piece, all by the one mechanism that vmap has. Never a bit of a result changes.
//
// What each primitive does along an axis is said by its row (IndependenceRule in ir/op.hpp). Nodes that have lanes already,
// control flow, checks and debug are left as they are.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include "ir/graph.hpp"
#include "ir/op.hpp"

namespace vmaprun {

// What a node without lanes does along an axis of its results; nullopt: it is not independent along it.
std::optional<AlongAxis> along_axis(const Graph& graph, const Node& node, std::size_t axis);

// An axis of several values that is cut.
struct Cut {
    static constexpr std::int64_t none = -1;
    Dim size;
    Value seed;                     // the value from which it was followed,
    std::int64_t seed_axis = 0;     // and its axis
    std::vector<std::int64_t> axis; // of each value of the graph that is made slice by slice, or none
    // Made from the seed by looking at it in another way: it is there whole as well, at no cost.
    std::vector<bool> is_view;

    bool is_cut(Value value) const { return axis[value.index] != none; }
    bool is_empty() const;
};

// Follows an axis of a value without lanes through the graph: every node of the region (null: any) that is independent
// along it is cut, and so is every node whose results only cut ones use, along an axis that fits.
using Region = std::function<bool(const Node&)>;
Cut follow_axis(const Graph& graph, Value seed, std::int64_t axis, const Region& region = {});

// The graph with the cut axis as a mapped one, described by `lane` (whose size and is_cut are set here).
std::shared_ptr<Graph> apply_cut(const Graph& graph, const Cut& cut, LaneAxis lane);

// The graph with the leading axis of a value, an input or what has left a mapped axis, as a mapped axis for all that is
// independent along it: that from which it has come, or the one to which it goes on, or a new one. What isn't reads the
// whole. Null: nothing is cut so.
std::shared_ptr<Graph> cut_slices(const Graph& graph, Value seed);

// ---- passes

// Each call of vmapipe(f) is cut along an axis on which all of its results are independent, the leading one first; the
// outcome is told in Program::pipes.
std::shared_ptr<Graph> cut_pipes(const std::shared_ptr<Graph>& graph);

// Batched code that is written by hand: where it pays to go through several steps block by block.
std::shared_ptr<Graph> cut_batches(const std::shared_ptr<Graph>& graph);

} // namespace vmaprun
