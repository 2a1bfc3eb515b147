// The cumulative family: running sums, products, maxima and minima along one axis, and differences.
//
// The one order: every running result is the one before it combined with the next element, from the first element on.
// So element i never depends on what comes after it, on lanes, or on how the work was cut.
#include <array>
#include <cmath>

#include "ops/call.hpp"
#include "ops/control.hpp"
#include "ops/derivative.hpp"
#include "ops/families.hpp"
#include "ops/independence.hpp"
#include "ops/kernels/fold.hpp"
#include "ops/lane_iteration.hpp"
#include "ops/lowering.hpp"
#include "ops/movement.hpp"
#include "ops/reduction.hpp"

namespace vmaprun {
namespace {

std::vector<TensorType> same_type(std::span<const TensorType> operands, const Attributes&) { return {{operands[0].dtype, operands[0].shape}}; }

// ---- kernel

// Rows of `inner` neighbours, `extent` of them: each row is the row before it combined with x's.
template <class F, class T> void accumulate_rows(const T* x, T* out, std::int64_t extent, std::int64_t inner) {
    for (std::int64_t c = 0; c < inner; ++c) out[c] = x[c];
    for (std::int64_t i = 1; i < extent; ++i) {
        const T *before = out + (i - 1) * inner, *next = x + i * inner;
        T* now = out + i * inner;
        for (std::int64_t c = 0; c < inner; ++c) now[c] = F::meet(before[c], next[c]);
    }
}

template <class F, class T> void accumulate_line(const T* x, T* out, std::int64_t extent, std::int64_t x_stride, std::int64_t out_stride) {
    T running = *x;
    *out = running;
    for (std::int64_t i = 1; i < extent; ++i) {
        running = F::meet(running, x[i * x_stride]);
        out[i * out_stride] = running;
    }
}

// True when everything inside of the axis is without gaps in x (as it always is in the result).
bool inner_is_dense(std::span<const std::int64_t> shape, std::span<const std::int64_t> strides, std::size_t axis) {
    std::int64_t wanted = 1;
    for (std::size_t i = shape.size(); i-- > axis;) {
        if (shape[i] != 1 && strides[i] != wanted) return false;
        wanted *= shape[i];
    }
    return true;
}

template <class F, class T> void accumulate(const KernelCall& call) {
    const auto shape = result_shape(call, 0), out_strides = result_strides(call, 0), x_strides = sample_strides(call, 0);
    const auto axis = static_cast<std::size_t>(call.node->integer(0));
    const std::int64_t extent = shape[axis], inner = out_strides[axis];
    if (call.results[0].size() == 0) return;
    LaneIteration lines(call);
    const bool dense = inner > 1 && inner_is_dense(shape, x_strides, axis);
    for (std::size_t i = 0; i < shape.size(); ++i) {
        if (i == axis || (dense && i > axis)) continue;
        lines.add_axis(call, shape[i], std::array{x_strides[i], out_strides[i]});
    }
    const std::int64_t elements = dense ? extent * inner : extent;
    lines.run(call, grain_for(elements), [&](std::int64_t, std::byte* const* at) {
        const T* x = lane_data<T>(at, 0);
        T* out = lane_data<T>(at, 1);
        if (dense) accumulate_rows<F>(x, out, extent, inner);
        else accumulate_line<F>(x, out, extent, x_strides[axis], out_strides[axis]);
    });
}

template <template <class> class Fold, bool RealOnly> void cumulative_kernel(const KernelCall& call) {
    visit_dtype(call.operands[0].dtype, [&]<class T>(TypeTag<T>) {
        if constexpr (!std::is_same_v<T, KeyWords> && !(RealOnly && is_complex_type<T>)) accumulate<Fold<T>, T>(call);
    });
}

std::optional<AlongAxis> along_other_axis(std::span<const TensorType>, const Attributes& attributes, std::size_t axis) {
    const std::int64_t running = std::get<std::int64_t>(attributes[0]), other = static_cast<std::int64_t>(axis);
    if (other == running) return std::nullopt;
    return AlongAxis{{other}, {axis_without(running, other)}};
}

// ---- lowerings

// The axis argument; none is good for one axis alone, as the standard has it.
std::int64_t axis_of(const BuiltinCall& call, std::size_t rank) {
    const std::string name(call.op().name());
    if (rank == 0) call.fail(0, error("E307", name + " goes along an axis, and a scalar has none"));
    if (!call.is_none(1)) return call.axis(1, rank);
    if (rank == 1) return 0;
    call.fail(0, error("E310", name + " of a tensor of rank " + std::to_string(rank) + " needs an axis").help("say axis=0, or flatten it with ravel"));
}

Lowered lower_running(Builder& builder, const BuiltinCall& call) {
    Value x = call.tensor(0);
    const TensorType type = builder.type(x);
    if (type.dtype == DType::key) call.fail(0, error("E302", std::string(call.op().name()) + " needs numbers, not keys"));
    const std::int64_t axis = axis_of(call, type.rank());
    const DType dtype = call.dtype(2).value_or(accumulation_dtype(type.dtype));
    if (dtype != type.dtype || call.dtype(2)) x = cast(builder, x, dtype);
    const Value running = node(builder, call.op().name(), {x}, {axis});
    if (!call.boolean(3)) return running;
    Dims first = type.shape;
    first[static_cast<std::size_t>(axis)] = 1;
    const std::int64_t identity = call.op().name() == "cumulative_prod" ? 1 : 0;
    const Value initial = scalar(builder, identity, dtype);
    return concat_values(builder, {broadcast_to(builder, initial, first), running}, axis);
}

Lowered lower_extreme(Builder& builder, const BuiltinCall& call) {
    const Value x = call.tensor(0);
    const TensorType type = builder.type(x);
    if (kind_of(type.dtype) > Kind::floating) call.fail(0, error("E302", std::string(call.op().name()) + " needs real numbers, not `" + std::string(name_of(type.dtype)) + "`"));
    return node(builder, call.op().name(), {x}, {axis_of(call, type.rank())});
}

Value with_ends(Builder& builder, const BuiltinCall& call, Value x, std::int64_t axis) {
    const std::size_t rank = builder.type(x).rank();
    std::vector<Value> parts{x};
    for (const std::size_t end : {std::size_t{3}, std::size_t{4}}) {
        const auto given = call.optional_tensor(end);
        if (!given) continue;
        Value part = *given;
        if (builder.type(part).rank() == 0) { // one value for the whole slice
            Dims slice = builder.type(x).shape;
            slice[static_cast<std::size_t>(axis)] = 1;
            part = broadcast_to(builder, part, slice);
        } else if (builder.type(part).rank() != rank) {
            call.fail(end, error("E307", "what is joined to x must have its rank, " + std::to_string(rank) + ", or be a scalar"));
        }
        parts.insert(end == 3 ? parts.begin() : parts.end(), part);
    }
    return concat_values(builder, std::move(parts), axis);
}

Lowered lower_diff(Builder& builder, const BuiltinCall& call) {
    Value x = call.tensor(0);
    const TensorType type = builder.type(x);
    if (type.rank() == 0) call.fail(0, error("E307", "diff goes along an axis, and a scalar has none"));
    if (type.dtype == DType::key) call.fail(0, error("E302", "diff needs numbers, not keys"));
    const std::int64_t axis = call.axis(1, type.rank()), times = call.integer(2).value();
    if (times < 0) call.fail(2, error("E310", "n of diff can't be negative: " + std::to_string(times)));
    if (times == 0) return x;
    x = with_ends(builder, call, x, axis);
    for (std::int64_t i = 0; i < times; ++i) {
        const Dim size = builder.type(x).shape[static_cast<std::size_t>(axis)];
        const Dim length = size.value() > 0 ? size - 1 : Dim(0);
        const Value high = slice_axis(builder, x, axis, size.value() > 0 ? Dim(1) : Dim(0), length), low = slice_axis(builder, x, axis, 0, length);
        x = pointwise(builder, builder.type(x).dtype == DType::boolean ? "not_equal" : "subtract", {high, low});
        if (length == Dim(0)) break;
    }
    return x;
}

// ---- derivatives

std::vector<Value> transpose_cumulative_sum(const Primal& at, std::span<const Value> cotangents, const std::vector<bool>&) {
    const std::int64_t axis = at.node.integer(0);
    const Value turned = flip_axes(at.builder, cotangents[0], {axis});
    return {flip_axes(at.builder, node(at.builder, "cumulative_sum", {turned}, {axis}), {axis})};
}

enum class Direction { forward, backward };

// r[i] = factor[i] * r[i - 1] + term[i] along the axis (backward: from r[i + 1]), beginning with 0.
Value linear_recurrence(Builder& builder, Value factor, Value term, std::int64_t axis, Direction direction) {
    const Value terms = move_axis(builder, term, axis, 0);
    TensorType type = builder.type(terms);
    const Value factors = cast(builder, move_axis(builder, factor, axis, 0), type.dtype); // numbers alone are weak
    const Dim length = type.shape[0];
    TensorType item = type;
    item.shape.erase(item.shape.begin());
    item.weak = type.weak = false;
    const Lanes lanes = lanes_union(builder.lanes(factors), builder.lanes(terms));
    const std::uint32_t sequence = builder.reserve_sequence();
    builder.begin_body(sequence);
    const Value before = builder.parameter(item, lanes), a = builder.parameter(item, builder.lanes(factors)), b = builder.parameter(item, builder.lanes(terms));
    const Value now = pointwise(builder, "add", {pointwise(builder, "multiply", {a, before}), b});
    const std::shared_ptr<Graph> body = builder.finish_body({now, now});
    const Value zeros = zeros_of(builder, item.dtype, item.shape);
    const Attributes attributes{std::int64_t{1}, std::int64_t{2}, direction == Direction::backward, Dims{length}};
    const std::vector<Value> results = builder.add_control(scan_op, {zeros, factors, terms}, attributes, {body}, {item, type}, {lanes, lanes}, sequence);
    return move_axis(builder, results[1], 0, axis);
}

// x moved one place on along the axis, `filler` coming in at the other end.
Value shifted(Builder& builder, Value x, std::int64_t axis, double filler, Direction direction) {
    Dims edge = builder.type(x).shape;
    const Dim length = edge[static_cast<std::size_t>(axis)];
    edge[static_cast<std::size_t>(axis)] = 1;
    const Value fill = broadcast_to(builder, scalar(builder, filler, builder.type(x).dtype), edge);
    if (direction == Direction::forward) return concat_values(builder, {fill, slice_axis(builder, x, axis, 0, length - 1)}, axis);
    return concat_values(builder, {slice_axis(builder, x, axis, 1, length - 1), fill}, axis);
}

// Every running result is y[i] = f(y[i - 1], x[i]); the weights are the derivatives of f by its two arguments.
struct Weights {
    Value of_running, of_element;
};

Weights product_weights(const Primal& at) { return {at.operands[0], shifted(at.builder, at.results[0], at.node.integer(0), 1, Direction::forward)}; }

// Shared evenly where the element equals what ran before; the first element has nothing before it.
Weights extreme_weights(const Primal& at) {
    Builder& builder = at.builder;
    const Formula y{&builder, at.results[0]}, x{&builder, at.operands[0]};
    const Formula before{&builder, shifted(builder, y.value, at.node.integer(0), std::nan(""), Direction::forward)}; // equals nothing
    const Formula one = number_like(y, 1), zero = number_like(y, 0);
    const Formula kept = select(call("equal", before, y), select(call("equal", x, y), number_like(y, 0.5), one), zero);
    return {kept.value, (1.0 - kept).value};
}

bool has_nothing(const Primal& at) { return at.builder.type(at.operands[0]).shape[static_cast<std::size_t>(at.node.integer(0))] == Dim(0); }

template <Weights weights_of(const Primal&)> std::vector<Value> jvp_running(const Primal& at, std::span<const Value> tangents) {
    if (has_nothing(at)) return {tangents[0]};
    const Weights weights = weights_of(at);
    return {linear_recurrence(at.builder, weights.of_running, pointwise(at.builder, "multiply", {weights.of_element, tangents[0]}), at.node.integer(0), Direction::forward)};
}

template <Weights weights_of(const Primal&)> std::vector<Value> vjp_running(const Primal& at, std::span<const Value> cotangents, const std::vector<bool>&) {
    if (has_nothing(at)) return {cotangents[0]};
    const Weights weights = weights_of(at);
    const Value next = shifted(at.builder, weights.of_running, at.node.integer(0), 0, Direction::backward);
    const Value reaching = linear_recurrence(at.builder, next, cotangents[0], at.node.integer(0), Direction::backward);
    return {pointwise(at.builder, "multiply", {weights.of_element, reaching})};
}

} // namespace

std::span<const Op> cumulative_ops() {
    // Nodes: operand x. attributes: 0: axis
    static constexpr std::array rows = independent_by(along_other_axis, std::array{
        Op{.signature = "cumulative_sum(x, axis: axis = none, dtype: dtype = none, include_initial: bool = false)", .doc = "Running sums along an axis; include_initial puts a 0 in front.",
           .example = "cumulative_sum([1, 2, 3]) => [1, 3, 6]", .family = Family::cumulative, .lower = lower_running, .type = same_type, .kernel = cumulative_kernel<fold::Sum, false>, .derivative = Derivative::linear(transpose_cumulative_sum)},
        Op{.signature = "cumulative_prod(x, axis: axis = none, dtype: dtype = none, include_initial: bool = false)", .doc = "Running products along an axis; include_initial puts a 1 in front.",
           .example = "cumulative_prod([1, 2, 3]) => [1, 2, 6]", .family = Family::cumulative, .lower = lower_running, .type = same_type, .kernel = cumulative_kernel<fold::Product, false>, .derivative = Derivative::rules(jvp_running<product_weights>, vjp_running<product_weights>)},
        Op{.signature = "cummax(x, axis: axis = none)", .doc = "Running maxima along an axis; NaN from the first one on.",
           .example = "cummax([1, 3, 2]) => [1, 3, 3]", .family = Family::cumulative, .lower = lower_extreme, .type = same_type, .kernel = cumulative_kernel<fold::Max, true>, .derivative = Derivative::rules(jvp_running<extreme_weights>, vjp_running<extreme_weights>)},
        Op{.signature = "cummin(x, axis: axis = none)", .doc = "Running minima along an axis; NaN from the first one on.",
           .example = "cummin([3, 1, 2]) => [3, 1, 1]", .family = Family::cumulative, .lower = lower_extreme, .type = same_type, .kernel = cumulative_kernel<fold::Min, true>, .derivative = Derivative::rules(jvp_running<extreme_weights>, vjp_running<extreme_weights>)},
        Op{.signature = "diff(x, axis: axis = -1, n: int = 1, prepend = none, append = none)", .doc = "Differences of neighbours along an axis, n times over.",
           .example = "diff([1, 4, 9]) => [3, 5]", .family = Family::cumulative, .lower = lower_diff},
    });
    return rows;
}

} // namespace vmaprun
