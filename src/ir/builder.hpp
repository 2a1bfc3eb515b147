// The only way to add a node to a graph. Checks types by the op's rule, interns equal nodes, folds small constants,
// and passes values of outer graphs into sub-graphs as captures. Used by the tracer and by transforms alike.
#pragma once

#include <algorithm>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <vector>

#include "ir/graph.hpp"
#include "ir/op.hpp"

namespace vmaprun {

// Runs a node on constants; injected, since kernels live in a higher layer. Empty when it can't.
using Folder = std::function<std::vector<Array>(const Graph& graph, const Node& node, std::span<const Array> operands)>;

class Builder {
  public:
    explicit Builder(std::shared_ptr<Program> program, Folder folder = {});

    // ---- nodes
    std::vector<Value> add_all(const Op& op, std::vector<Value> operands, Attributes attributes = {});
    Value add(const Op& op, std::vector<Value> operands, Attributes attributes = {});
    Value constant(Array array, bool weak = false);
    Value constant(Dim number, bool weak = true, DType dtype = DType::i64); // a scalar of an integer dtype; keeps its symbol
    // A constant that came as data, as does what is folded from it: a size like any other, but as a position a computed one.
    Value data_constant(const Array& array, bool weak = false);
    Value parameter(TensorType type, Lanes lanes = {}, std::string name = {});
    // A control-flow node. `bodies` come from finish_body; their captures are appended to the operands, body after body.
    // `sequence`: what reserve_sequence gave and begin_body was told.
    std::vector<Value> add_control(const Op& op, std::vector<Value> operands, Attributes attributes,
                                   std::vector<std::shared_ptr<Graph>> bodies, std::vector<TensorType> types, std::vector<Lanes> lanes,
                                   std::uint32_t sequence = 0);

    // ---- lanes
    LaneId new_lane(LaneAxis axis); // sets its sequence
    Value lane(Value value, LaneId lane, std::int64_t axis);   // sample axis -> lane (axis in 0..rank-1)
    Value unlane(Value value, LaneId lane, std::int64_t axis); // lane -> sample axis at `axis`; broadcast when it doesn't vary
    Value lane_index(LaneId lane, bool weak = false);          // i64 scalar: the index of the lane itself

    // ---- sub-graphs: begin, add parameters and nodes, finish
    void begin_body(std::uint32_t control_sequence);
    std::shared_ptr<Graph> finish_body(std::vector<Value> outputs);
    void discard_body(); // after an error, or to trace again
    // A sub-graph that is no control flow: a function traced to be differentiated, whose nodes are then added again to the
    // graph around it. Ended by finish_body or discard_body.
    void begin_function();
    bool in_function() const { return std::ranges::find(is_function_, true) != is_function_.end(); }
    // Makes an output of a body that finish_body just gave another dtype, by a node of `cast` with these attributes.
    void cast_output(Graph& body, std::size_t output, const Op& cast, Attributes attributes);
    // From now on equal nodes are made again, as if nothing were there yet; gives the sequence number that the next one has.
    std::uint32_t begin_anew() {
        interned_.back().clear();
        return program_->next_sequence;
    }
    // Sequence number for a control node that is about to be traced.
    std::uint32_t reserve_sequence() { return program_->next_sequence++; }

    // ---- questions
    const TensorType& type(Value value) const;
    const Lanes& lanes(Value value) const;
    std::optional<Array> static_value(Value value) const; // a constant's array
    std::optional<Dim> static_int(Value value) const;     // a constant integer scalar
    // The numbers of an integer tensor in row-major order, where each is known, or is a symbol; nullopt: they aren't.
    std::optional<Dims> static_ints(Value value) const;
    bool from_data(Value value) const { return data_.contains(value); } // made by data_constant, or folded from what is
    const Node& maker(Value value) const;
    // The node that makes it, or that would have if it hadn't been folded to a constant (tensors of floats alone; only its
    // op, operands and attributes are set): what a lowering that looks at how a value is made must ask.
    Node made_by(Value value) const;
    Graph& graph() { return *stack_.back(); }
    Program& program() { return *program_; }
    std::size_t depth() const { return stack_.size(); }

    // ---- places: what the nodes added from now on come from
    void push_origin(Span span);          // an expression inside the current function
    void pop_origin();
    const Origin* origin() const { return origin_stack_.empty() ? nullptr : origin_stack_.back(); }
    void enter_call();                    // from now on origins are inside the function called at the current origin
    void leave_call();
    void enter_pipe(Span span, std::int64_t parts); // the same, of a call of vmapipe(f); ended by leave_pipe
    void leave_pipe();
    void push_nesting(Nesting nesting);   // inside a vmap's body (bodies of control nodes push theirs themselves)
    void pop_nesting();
    std::size_t nesting_depth() const { return nesting_.size(); }

    // ---- adding nodes of a finished graph again
    // A constant of another graph, with what is known of it (that it stands for a symbol, that it came as data).
    Value copy_constant(const Graph& from, Value constant);
    // From now on nodes come from where `node` does: its origin, and the mapped axes around it inside of its own graph, whose
    // nodes stand `depth` deep. As itself: the next node takes its place in program order too.
    enum class PlaceAs { itself, derived };
    void push_place(const Node& node, std::size_t depth, PlaceAs as);
    void pop_place();

    // Ends the main graph.
    std::shared_ptr<Graph> finish(std::vector<Value> outputs);

  private:
    struct Key {
        const Op* op;
        std::vector<Value> operands;
        Attributes attributes;
        bool operator<(const Key& other) const;
    };
    Value local(Value value);   // itself, or its stand-in inside the current graph
    Value local(Value value, std::size_t level);
    std::size_t level_of(Value value) const;
    Value capture(Value value, std::size_t level);
    Value new_constant(const Array& array, bool weak); // not interned
    Node& append(const Op& op, std::vector<Value> operands, Attributes attributes, Lanes lanes);
    std::optional<std::vector<Value>> fold(const Op& op, const std::vector<Value>& operands, const Attributes& attributes);
    const std::vector<Nesting>* nesting();

    std::shared_ptr<Program> program_;
    Folder folder_;
    std::vector<std::shared_ptr<Graph>> stack_;
    std::vector<std::map<Key, std::uint32_t>> interned_;            // a level; node indices
    std::vector<std::map<Value, Value>> captures_;                  // a level
    std::map<Value, Dim> symbolic_;                                 // constants that stand for symbols
    std::set<Value> data_;                                          // constants that came as data
    std::map<Value, Node> folded_;                                  // constants that were folded from others
    std::vector<const Origin*> origin_stack_;
    std::vector<const Origin*> callers_;
    std::vector<Nesting> nesting_;
    const std::vector<Nesting>* interned_nesting_ = nullptr;
    std::vector<bool> is_function_;                                 // a level
    struct Place {
        std::size_t depth;
        const std::vector<Nesting>* interned;
        std::uint32_t sequence;
    };
    std::vector<Place> places_;
    std::uint32_t sequence_ = 0; // of the next node; 0: a new one
};

} // namespace vmaprun
