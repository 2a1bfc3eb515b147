// The typed graph: the program that transforms rewrite and the engine runs. A reader of this project starts here.
//
// A Graph is a list of Nodes in program order; each node applies an Op (a row of the primitive table, ir/op.hpp) to values
// and makes values. Every value has a type, which is what ONE SAMPLE sees: dtype and shape. What vmap adds stands beside
// the type: the value's LANES, the set of mapped axes over which it varies. So vmap rewrites nothing: a value that enters
// a vmap loses an axis of its shape and gains a lane (op `lane`), whatever is computed from it has that lane too, and what
// leaves the vmap gets the axis back (op `unlane`). Types are checked on samples alone, so what is illegal for one sample
// is illegal under vmap, whatever the batch size (law 1, by construction). A value without a lane is computed once.
//
// Physically a value is an array of shape [extent of each of its lanes, outermost first] + sample shape.
// Control flow is a node that holds sub-graphs (`bodies`); a sub-graph sees nothing but its inputs: what it needs from
// outside is passed as operands (captures). Lanes of outer axes pass into sub-graphs unchanged.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <variant>
#include <vector>

#include "array/array.hpp"
#include "base/absent.hpp"
#include "base/source.hpp"
#include "ir/dim.hpp"

namespace vmaprun {

struct Op;
struct Graph;

struct TensorType {
    DType dtype = DType::f64;
    Dims shape;
    bool weak = false; // made of literals alone: takes the dtype of what it meets

    std::size_t rank() const { return shape.size(); }
    bool operator==(const TensorType&) const = default;
    std::string text() const; // "f32[4, k]"
};

// A value of one graph. Plain and comparable; meaningless without its graph.
struct Value {
    std::uint32_t graph = 0; // the id of its graph; 0: no value
    std::uint32_t index = 0; // into Graph::values
    explicit operator bool() const { return graph != 0; }
    auto operator<=>(const Value&) const = default;
};

using LaneId = std::uint32_t;           // index into Program::lanes
using Lanes = SmallVector<LaneId, 4>;   // sorted; outermost first, because an outer vmap is met first

Lanes lanes_union(const Lanes& a, const Lanes& b);
bool has_lane(const Lanes& lanes, LaneId lane);
Lanes lanes_without(const Lanes& lanes, LaneId lane);
bool lanes_subset(const Lanes& inner, const Lanes& outer);

// One mapped axis: made by each vmap (comprehension, vmapipe …) that the tracer meets.
struct LaneAxis {
    Dim size;
    std::string name;           // axis_name, or empty
    Span span;                  // the vmap
    std::uint32_t sequence = 0; // its place in program order, among nodes
    std::int64_t chunk = 0;     // the block size that the script asks for; 0: auto
    std::int64_t parts = 0;     // vmapipe: number of parts; 0: none; -1: one a device
    // Made by cutting an axis that the script has as one of its arrays (transform/independence.hpp): no name of a lane.
    bool is_cut = false;
    bool is_item = false; // the items of a map (transform/items.hpp), the directions of a Jacobian: no name of a lane either
};

// One call of vmapipe(f). What was traced in it has it on the way of its origin.
struct Pipe {
    Span span;
    std::int64_t parts = -1; // as LaneAxis::parts
    std::string outcome;     // along which axis it is cut, or why along none: a sentence for `explain`
};

// Where a value came from: the expression, and the call that led there.
struct Origin {
    Span span;
    const Origin* caller = nullptr; // the call of the function whose body holds `span`; null at top level
    std::uint32_t pipe = 0;         // the call is that of vmapipe(f): its place in Program::pipes, plus 1
};

// What stands around a node, outermost first: mapped axes and control-flow nodes, in the order in which one sample's
// program meets them. Orders faults: see exec/fault.hpp.
struct Nesting {
    enum class Kind : std::uint8_t { lane, control } kind = Kind::lane;
    std::uint32_t id = 0; // LaneId, or the `sequence` of the control node
};

using Attribute = std::variant<Absent, bool, std::int64_t, double, std::string, DType, Dims, std::shared_ptr<const Array>>;
using Attributes = std::vector<Attribute>;

struct Node {
    const Op* op = nullptr;
    std::vector<Value> operands;
    Attributes attributes;                      // positional; each op documents its own
    std::vector<std::shared_ptr<Graph>> bodies; // control flow
    std::vector<std::uint32_t> results;         // indices of the values it makes
    Lanes lanes;                                // over which it runs: those of its operands together (ops lane/unlane differ)
    const Origin* origin = nullptr;
    const std::vector<Nesting>* nesting = nullptr;
    std::uint32_t sequence = 0;                 // place in program order over the whole script

    bool boolean(std::size_t i) const { return std::get<bool>(attributes[i]); }
    std::int64_t integer(std::size_t i) const { return std::get<std::int64_t>(attributes[i]); }
    double real(std::size_t i) const { return std::get<double>(attributes[i]); }
    const std::string& text(std::size_t i) const { return std::get<std::string>(attributes[i]); }
    DType dtype(std::size_t i) const { return std::get<DType>(attributes[i]); }
    const Dims& dims(std::size_t i) const { return std::get<Dims>(attributes[i]); }
    std::vector<std::int64_t> integers(std::size_t i) const { return values_of(dims(i)); }
};

struct ValueInfo {
    TensorType type;
    Lanes lanes;
    std::uint32_t node = 0;   // index into Graph::nodes
    std::uint32_t output = 0; // which result of the node
};

// What all graphs of one script share.
struct Program {
    std::vector<LaneAxis> lanes;
    std::deque<Pipe> pipes;
    std::deque<Origin> origins;
    std::deque<std::vector<Nesting>> nestings;
    std::uint32_t next_sequence = 1;
    std::uint32_t next_graph = 1;
};

// Invariant (checked by verify()): operands are made before they are used; types are what the rule of the op gives;
// a node's lanes are those of its operands together. Not changed any more once finished by its Builder.
struct Graph {
    std::uint32_t id = 0;
    std::shared_ptr<Program> program;
    std::vector<Node> nodes;
    std::deque<ValueInfo> values; // references stay valid while it grows
    std::vector<Value> inputs;   // results of `parameter` nodes, in order
    std::vector<Value> outputs;
    std::vector<Value> captured; // of the enclosing graph: what the last captured.size() inputs stand for
    bool has_effects = false;    // holds a check, a debug, or a control node that does

    const ValueInfo& info(Value value) const { return values[value.index]; }
    const TensorType& type(Value value) const { return values[value.index].type; }
    const Lanes& lanes(Value value) const { return values[value.index].lanes; }
    const Node& maker(Value value) const { return nodes[values[value.index].node]; }
    Value result(const Node& node, std::size_t output = 0) const { return {id, node.results[output]}; }
};

// Throws InternalError naming the node when an invariant is broken.
void verify(const Graph& graph);

} // namespace vmaprun
