// The row of the primitive table. Everything about a builtin or primitive stands in its one row, in the file of its family
// under ops/; a row without its type rule or without a way to run does not pass the table's own test.
//
// The batching rule of every row is the same and lives in the representation (ir/graph.hpp): a node runs once for all of
// its lanes; views and kernels get the lanes as leading axes of every operand (stride 0 where an operand doesn't vary).
#pragma once

#include <array>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "base/error.hpp"
#include "ir/graph.hpp"

namespace vmaprun {

class Builder;
class BuiltinCall; // ops/call.hpp: the bound arguments of one call in a script

enum class Family : std::uint8_t { creation, pointwise, reduction, cumulative, movement, selection, contraction, control, check, linalg, signal, random };

// What of a node can go wrong, or be seen, while it runs.
enum class Effect : std::uint8_t {
    none,   // total: equal nodes are one node
    fault,  // can fault for a lane (index out of range …): not interned, not folded
    visible // a check or debug: kept even when nothing uses it
};

// The types of a node's results from the types of its operands (samples: no lanes here).
// Throws UserError with code, message and helps but no place: the tracer adds place, operands and call chain.
// `weak` of the results is set by the Builder: weak when every operand that counts is (a bool has no weak form: it doesn't).
using TypeRule = std::vector<TensorType> (*)(std::span<const TensorType> operands, const Attributes& attributes);

// How a node works along one axis of its results (the same axis of each, where there are several): slice i of a result is
// what the node gives, with `attributes`, from slice i of each operand along the axis that `operands` says (`whole`: from
// all of that operand). The same bits, by the order of accumulation that each kernel states.
struct AlongAxis {
    static constexpr std::int64_t whole = -1;
    std::vector<std::int64_t> operands;
    Attributes attributes;
};
// nullopt: a slice of the results needs more than that. A row that can fault says only axes along which the first slice that
// faults tells what the whole would tell. Null in a row: along no axis ("none" is a rule). Pointwise rows,
// whose operands all have the shape of the result, need none of their own. Rules that families share: ops/independence.hpp.
using IndependenceRule = std::optional<AlongAxis> (*)(std::span<const TensorType> operands, const Attributes& attributes, std::size_t axis);

// A fault of one lane, as kernels report it. `lane` counts row-major over KernelCall::lanes.
// `values` fill the {} of the op's fault text in order (for example the index and the extent).
struct FaultSink {
    virtual ~FaultSink() = default;
    virtual void report(std::int64_t lane, const char* code, std::string message) = 0;
};

// Runs f(begin, end) over parts of [0, count), perhaps on several threads; parts are multiples of `grain` (but the last).
struct Parallel {
    virtual ~Parallel() = default;
    virtual void run(std::int64_t count, std::int64_t grain, void (*part)(void* context, std::int64_t begin, std::int64_t end), void* context) = 0;
};

struct KernelCall {
    const Node* node = nullptr;
    Shape lanes;                       // extents of the node's lanes (perhaps a block of them, perhaps joined)
    std::span<const View> operands;    // each: lanes axes (stride 0 where it doesn't vary), then its sample axes
    std::span<const View> results;     // each: lanes axes, then its sample axes; row-major without gaps; not initialised
    FaultSink* faults = nullptr;       // never null
    Parallel* parallel = nullptr;      // null: stay on this thread
    bool clamp_indices = false;        // --index clamp
    // Not 0: the calls of this node with the same series see the same elements in the operands whose bits are set in `fixed`,
    // so that what is prepared of those may be kept (blocks of lanes against one matrix).
    std::uint64_t series = 0, fixed = 0;
};
using Kernel = void (*)(const KernelCall& call);

// The result as another way to look at operand 0 (no data moved): fills strides and data of `result`, whose dtype and
// shape (lanes, then sample) are given. False: can't be done for these strides; the kernel runs instead.
using ViewRule = bool (*)(const Node& node, std::size_t lane_rank, const View& operand, View& result);

// A pointwise kernel over flat tiles: out[i] = f(in0[i], in1[i], ...), any n >= 0, any alignment, out may be any of the
// inputs. The bits of out[i] depend on the inputs at i alone, never on i or n.
using TileKernel = void (*)(void* out, const void* const* in, std::int64_t n);
// Chosen once for a node from the dtypes of operands and result.
using TileRule = TileKernel (*)(std::span<const DType> operands, DType result);

// Work on whole rows of a tile: `rows` rows of `columns` >= 1 elements, row-major without gaps; writes one element a row.
// The bits of a row's result depend on that row alone.
using RowKernel = void (*)(void* out, const void* in, std::int64_t rows, std::int64_t columns);
// The same of the rows of two tiles; those of b begin `b_step` elements after each other (0: one row for all of a's).
using RowProductKernel = void (*)(void* out, const void* a, const void* b, std::int64_t b_step, std::int64_t rows, std::int64_t columns);
struct RowWork {
    RowKernel kernel = nullptr;         // of one operand,
    RowProductKernel product = nullptr; // or of two; neither: this node doesn't fold rows
    std::size_t axes = 0;               // the last so many axes of its operands are the columns
    explicit operator bool() const { return kernel != nullptr || product != nullptr; }
};
// Folds over the last axes: fused by the engine with what is pointwise before and after them. A second operand has the
// shape of the first, or of its columns alone.
using RowRule = RowWork (*)(const Node& node, std::span<const TensorType> operands);

// A reduction of floats that goes chunk by chunk, `chunk` of its elements in row-major order, before the chunks' results are
// added in an order of their own. So it can be done as the elements are made, a part of its outermost reduced axis at a
// time (exec/lane_folds.hpp).
struct Chunked {
    enum class Order : std::uint8_t { one_by_one, in_pairs };  // in_pairs: as a binary counter carries
    std::vector<std::vector<std::size_t>> axes; // the reduced ones of each operand, from the outermost on; empty: not this node
    std::int64_t chunk = 0;
    Order order = Order::one_by_one;
};
using ChunkRule = Chunked (*)(const Node& node, std::span<const TensorType> operands);

// How a call in a script becomes nodes: promotes, broadcasts, normalises axes, adds nodes. Several values: a tuple.
struct Lowered {
    std::vector<Value> values;
    bool is_tuple = false;
    Lowered(Value value) : values{value} {} // NOLINT
    explicit Lowered(std::vector<Value> tuple) : values(std::move(tuple)), is_tuple(true) {}
};
using Lowering = Lowered (*)(Builder& builder, const BuiltinCall& call);

// For whole-number scalars of unknown size: the same operation on Dims (nullopt: none).
using DimRule = std::optional<Dim> (*)(std::span<const Dim> operands);

// ---- derivatives: one entry a row, for both modes
//
// A rule adds the nodes of a derivative to the graph under construction, by the Builder and the functions of ops/*.hpp. So it
// batches and differentiates again by itself. Values of whole-number, bool and key types have no derivative. A tangent or
// cotangent has the dtype and sample shape of its value; one that is zero is no Value at all (`Value{}`, false as a bool):
// absent ones make absent ones, and no work. Lanes need no care: a rule speaks of one sample. Complex numbers: as JAX, the
// derivative of a holomorphic function; cotangents are transposed, never conjugated.

// d result / d operand i of a pointwise row, with the shape of the operands, from the operands and the result.
using PartialRule = Value (*)(Builder& builder, std::span<const Value> operands, Value result);

// A node that is being differentiated. `operands` and `results` are its primal values, in the graph under construction.
struct Primal {
    Builder& builder;
    const Node& node; // for its attributes; the values that it names are of another graph
    std::span<const Value> operands, results;
    // Transposing: axes over which the result varies and operand i doesn't: what a rule gives for operand i is summed over
    // them afterwards. A rule that does it better itself (a contraction) takes the lane off the list.
    std::vector<Lanes>* summed = nullptr;
};
// The tangents of the results, from those of the operands (at least one is there).
using JvpRule = std::vector<Value> (*)(const Primal& at, std::span<const Value> tangents);
// The cotangents of the operands, from those of the results (at least one is there). What isn't wanted may be left absent.
using VjpRule = std::vector<Value> (*)(const Primal& at, std::span<const Value> cotangents, const std::vector<bool>& wanted);

struct Derivative {
    enum class Kind : std::uint8_t {
        missing,     // forbidden for a row with a type rule
        none,        // zero everywhere: comparisons, floor, argmax, what has no float operands …
        pointwise,   // partials; none for an operand: its derivative is zero
        linear,      // in all of its float operands together (sum, concat, where …): jvp is the node itself on tangents
        multilinear, // in each of its float operands (dot_general …): jvp is a sum over operands of the node with one replaced
        rules,       // both modes written out
        structural   // lane, unlane, control flow: transform/derivative.cpp knows them
    } kind = Kind::missing;
    std::array<PartialRule, 3> partials{};
    JvpRule jvp = nullptr;
    VjpRule vjp = nullptr;

    static constexpr Derivative none() { return {.kind = Kind::none}; }
    static constexpr Derivative pointwise(PartialRule first, PartialRule second = nullptr, PartialRule third = nullptr) { return {.kind = Kind::pointwise, .partials = {first, second, third}}; }
    static constexpr Derivative linear(VjpRule transpose) { return {.kind = Kind::linear, .vjp = transpose}; }
    static constexpr Derivative multilinear(VjpRule transpose) { return {.kind = Kind::multilinear, .vjp = transpose}; }
    static constexpr Derivative rules(JvpRule jvp, VjpRule vjp) { return {.kind = Kind::rules, .jvp = jvp, .vjp = vjp}; }
    static constexpr Derivative structural() { return {.kind = Kind::structural}; }
};

struct Op {
    // The call as a script writes it, the only statement of arity, kinds and defaults (grammar: ops/signature.hpp);
    // for a primitive that scripts can't name, just its name.
    std::string_view signature = {};
    std::string_view doc = {};     // one sentence; empty for what scripts can't name
    std::string_view example = {}; // "exp(0.0) => 1.0": executed by the tests
    Family family = Family::pointwise;
    Lowering lower = nullptr; // null: scripts can't call it
    TypeRule type = nullptr;  // null: never a node itself (lowers to others)
    IndependenceRule independence = nullptr;
    TileRule tile = nullptr;  // pointwise: fused by the engine
    RowRule rows = nullptr;   // folds of the last axes: fused too (beside a kernel, which does any axes)
    ChunkRule chunks = nullptr; // reductions that can be done a part at a time
    ViewRule view = nullptr;  // movement without data
    Kernel kernel = nullptr;
    Derivative derivative = {}; // of what can be a node
    Effect effect = Effect::none;
    DimRule dims = nullptr;
    bool costly = false;      // pointwise: many times an addition
    // Whether a result of weak operands is weak too (null: yes); only cast answers otherwise.
    bool (*stays_weak)(const Attributes& attributes) = nullptr;
    // How many leading operands decide whether results are weak: positions behind them never do.
    std::size_t weak_operands = SIZE_MAX;

    std::string_view name() const { return signature.substr(0, signature.find('(')); }
};

} // namespace vmaprun
