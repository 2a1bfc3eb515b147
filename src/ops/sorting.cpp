// The sorting family. Every row here is stable: equal elements keep their order, so results have one answer, bit for bit.
// Order: ops/sorting_order.hpp; NaN counts as the largest, so it comes last ascending, and first descending and in top_k.
//
// The nodes work along the last axis; their lowerings move another axis there and back (views).
#include <algorithm>
#include <array>
#include <memory>
#include <vector>

#include "ops/call.hpp"
#include "ops/derivative.hpp"
#include "ops/families.hpp"
#include "ops/lane_iteration.hpp"
#include "ops/lowering.hpp"
#include "ops/movement.hpp"
#include "ops/radix_sort.hpp"
#include "ops/sorting_order.hpp"

namespace vmaprun {
namespace {

bool never_weak(const Attributes&) { return false; }

void check_sortable(const TensorType& type) {
    if (type.dtype == DType::key) throw UserError(error("E302", "keys have no order"));
    if (type.rank() == 0) throw UserError(error("E307", "a scalar has no axis to be sorted along"));
}

std::vector<TensorType> sort_type(std::span<const TensorType> operands, const Attributes&) {
    check_sortable(operands[0]);
    return {{operands[0].dtype, operands[0].shape}};
}

std::vector<TensorType> argsort_type(std::span<const TensorType> operands, const Attributes&) {
    check_sortable(operands[0]);
    return {{DType::i64, operands[0].shape}};
}

std::vector<TensorType> top_k_type(std::span<const TensorType> operands, const Attributes& attributes) {
    check_sortable(operands[0]);
    TensorType type{DType::i64, operands[0].shape};
    const Dim k = std::get<Dims>(attributes[0])[0];
    check_shape({k});
    if (surely_greater(k, type.shape.back())) {
        throw UserError(error("E310", "top_k can't give " + k.text() + " of the " + type.shape.back().text() + " elements along the last axis"));
    }
    type.shape.back() = k;
    return {type};
}

// ---- kernels

// The rows along the last axis of all lanes; f(row, step, out) on the first elements of operand and result.
template <class T, class Out, class F> void for_each_row(const KernelCall& call, const F& f) {
    LaneIteration walk(call);
    const auto shape = sample_shape(call, 0), from = sample_strides(call, 0), to = result_strides(call, 0);
    for (std::size_t axis = 0; axis + 1 < shape.size(); ++axis) walk.add_axis(call, shape[axis], std::array{from[axis], to[axis]});
    walk.run(call, grain_for(shape.back(), 4096), [&](std::int64_t, std::byte* const* at) { f(lane_data<T>(at, 0), from.back(), lane_data<Out>(at, 1)); });
}

// Stable. A few elements are inserted one by one, without the buffer that a merge wants.
template <class T, class Before> void stable_sort_range(T* first, std::int64_t count, const Before& before) {
    if (count > 24) {
        std::stable_sort(first, first + count, before);
        return;
    }
    for (std::int64_t i = 1; i < count; ++i) {
        const T moving = first[i];
        std::int64_t at = i;
        for (; at > 0 && before(moving, first[at - 1]); --at) first[at] = first[at - 1];
        first[at] = moving;
    }
}

// f(before) with the order that the node asks for.
template <class T, class F> void with_order(bool descending, const F& f) {
    if (descending) f([](const T& a, const T& b) { return comes_before(b, a); });
    else f([](const T& a, const T& b) { return comes_before(a, b); });
}

template <class T, class Before> void sort_row(const T* row, std::int64_t step, std::int64_t length, bool descending, const Before& before, T* out) {
    if constexpr (has_digits<T>) {
        if (sorts_by_digits<T>(length)) return sort_by_digits(row, step, length, descending, out);
    }
    for (std::int64_t i = 0; i < length; ++i) out[i] = row[i * step];
    stable_sort_range(out, length, before);
}

void sort_kernel(const KernelCall& call) {
    const std::int64_t length = result_shape(call, 0).back();
    visit_dtype(call.results[0].dtype, [&]<class T>(TypeTag<T>) {
        with_order<T>(call.node->boolean(0), [&](const auto& before) {
            for_each_row<T, T>(call, [&](const T* row, std::int64_t step, T* out) {
                sort_row(row, step, length, call.node->boolean(0), before, out);
            });
        });
    });
}

void argsort_kernel(const KernelCall& call) {
    const std::int64_t length = result_shape(call, 0).back();
    visit_dtype(call.operands[0].dtype, [&]<class T>(TypeTag<T>) {
        with_order<T>(call.node->boolean(0), [&](const auto& before) {
            for_each_row<T, std::int64_t>(call, [&](const T* row, std::int64_t step, std::int64_t* out) {
                if constexpr (has_digits<T>) {
                    if (sorts_by_digits<T>(length)) return argsort_by_digits(row, step, length, call.node->boolean(0), out);
                }
                for (std::int64_t i = 0; i < length; ++i) out[i] = i;
                stable_sort_range(out, length, [&](std::int64_t a, std::int64_t b) { return before(row[a * step], row[b * step]); });
            });
        });
    });
}

void top_k_kernel(const KernelCall& call) {
    const std::int64_t length = sample_shape(call, 0).back(), k = result_shape(call, 0).back();
    visit_dtype(call.operands[0].dtype, [&]<class T>(TypeTag<T>) {
        for_each_row<T, std::int64_t>(call, [&](const T* row, std::int64_t step, std::int64_t* out) {
            if (k == 0) return;
            // A heap of the best k so far, the worst on top: ties go to the lower position, so the order has no equals.
            const auto better = [&](std::int64_t a, std::int64_t b) {
                const T &x = row[a * step], &y = row[b * step];
                return comes_before(y, x) || (!comes_before(x, y) && a < b);
            };
            for (std::int64_t i = 0; i < k; ++i) out[i] = i;
            std::make_heap(out, out + k, better);
            for (std::int64_t i = k; i < length; ++i) {
                if (!better(i, out[0])) continue;
                std::pop_heap(out, out + k, better);
                out[k - 1] = i;
                std::push_heap(out, out + k, better);
            }
            std::sort_heap(out, out + k, better);
        });
    });
}

// ---- unique

std::vector<TensorType> unique_type(std::span<const TensorType> operands, const Attributes& attributes) {
    check_sortable(operands[0]);
    check_shape(std::get<Dims>(attributes[0]));
    return {{operands[0].dtype, std::get<Dims>(attributes[0])}};
}

void unique_kernel(const KernelCall& call) {
    const std::int64_t length = sample_shape(call, 0)[0], step = sample_strides(call, 0)[0], size = result_shape(call, 0)[0];
    visit_dtype(call.results[0].dtype, [&]<class T>(TypeTag<T>) {
        const LaneIteration walk(call);
        run_in_parts(call.parallel, walk.count(), grain_for(length, 4096), [&](std::int64_t begin, std::int64_t end) {
            const std::unique_ptr<T[]> sorted(new T[static_cast<std::size_t>(length)]);
            walk.range(begin, end, [&](std::int64_t, std::byte* const* at) {
                const T* x = lane_data<T>(at, 0);
                T* out = lane_data<T>(at, 1);
                T* const first = sorted.get();
                const auto before = [](const T& a, const T& b) { return comes_before(a, b); };
                sort_row(x, step, length, false, before, first);
                std::int64_t count = 0;
                for (std::int64_t i = 0; i < length && count < size; ++i) {
                    if (i == 0 || before(first[i - 1], first[i])) out[count++] = first[i];
                }
                std::fill(out + count, out + size, T{});
            });
        });
    });
}

// Rows that work along the last axis of x.
std::optional<AlongAxis> along_leading_axes(std::span<const TensorType> operands, const Attributes& attributes, std::size_t axis) {
    if (axis + 1 >= operands[0].rank()) return std::nullopt;
    return AlongAxis{{static_cast<std::int64_t>(axis)}, attributes};
}

// ---- lowerings

struct AlongLast {
    Value value;       // with the axis last
    std::int64_t axis; // where it came from
    std::int64_t last;
};

// Axis `none`: x as one flat row.
AlongLast along_last(Builder& builder, const BuiltinCall& call) {
    Value x = call.tensor(0);
    if (call.is_none(1)) x = reshape_to(builder, x, {product_of(builder.type(x).shape)});
    check_sortable(builder.type(x));
    const std::size_t rank = builder.type(x).rank();
    const auto last = static_cast<std::int64_t>(rank) - 1;
    const std::int64_t axis = call.is_none(1) ? 0 : call.axis(1, rank);
    return {move_axis(builder, x, axis, last), axis, last};
}

Lowered lower_ordering(Builder& builder, const BuiltinCall& call) { // `stable` asks for what is always so
    const AlongLast x = along_last(builder, call);
    return move_axis(builder, node(builder, call.op().name(), {x.value}, {call.boolean(2)}), x.last, x.axis);
}

Lowered lower_top_k(Builder& builder, const BuiltinCall& call) {
    const Value x = call.tensor(0);
    check_sortable(builder.type(x));
    const Value positions = node(builder, "top_k", {x}, {Dims{call.integer(1)}});
    const Value values = take_along(builder, x, positions, static_cast<std::int64_t>(builder.type(x).rank()) - 1);
    return Lowered(std::vector{values, positions});
}

Lowered lower_unique(Builder& builder, const BuiltinCall& call) {
    const Value flat = reshape_to(builder, call.tensor(0), {product_of(builder.type(call.tensor(0)).shape)});
    return node(builder, "unique", {flat}, {Dims{call.integer(1)}});
}

// ---- derivatives: the elements stay what they are, at other places

std::int64_t last_axis(const Primal& at) { return static_cast<std::int64_t>(at.builder.type(at.operands[0]).rank()) - 1; }

std::vector<Value> jvp_sort(const Primal& at, std::span<const Value> tangents) {
    const Value order = node(at.builder, "argsort", {at.operands[0]}, {at.node.boolean(0)});
    return {take_along(at.builder, tangents[0], order, last_axis(at))};
}

std::vector<Value> vjp_sort(const Primal& at, std::span<const Value> cotangents, const std::vector<bool>&) {
    const Value order = node(at.builder, "argsort", {at.operands[0]}, {at.node.boolean(0)});
    return {take_along(at.builder, cotangents[0], node(at.builder, "argsort", {order}, {false}), last_axis(at))};
}

// Where in x each distinct element first stands, and which results there are (the others are fill).
struct Firsts {
    Value places, is_there;
};
Firsts firsts_of(const Primal& at) {
    Builder& builder = at.builder;
    const Value x = at.operands[0];
    const Dim length = builder.type(x).shape[0], size = at.node.dims(0)[0];
    const Value order = node(builder, "argsort", {x}, {false}), sorted = take_along(builder, x, order, 0);
    const Value differs = pointwise(builder, "not_equal", {slice_axis(builder, sorted, 0, 1, length - 1), slice_axis(builder, sorted, 0, 0, length - 1)});
    const Value is_first = concat_values(builder, {broadcast_to(builder, builder.constant(Array::scalar(true)), {Dim(1)}), differs}, 0);
    const std::vector<Value> found = builder.add_all(op_named("nonzero_positions"), {is_first}, {Dims{size}});
    return {gather(builder, order, {found[0]}, {0}, 0), pointwise(builder, "less", {iota_values(builder, {size}, 0, DType::i64), found[1]})};
}

std::vector<Value> jvp_unique(const Primal& at, std::span<const Value> tangents) {
    if (at.builder.type(at.operands[0]).shape[0] == Dim(0)) return {Value{}};
    const Firsts firsts = firsts_of(at);
    const Value moved = gather(at.builder, tangents[0], {firsts.places}, {0}, 0);
    return {pointwise(at.builder, "where", {firsts.is_there, moved, zeros_like(at.builder, moved)})};
}

std::vector<Value> vjp_unique(const Primal& at, std::span<const Value> cotangents, const std::vector<bool>&) {
    if (at.builder.type(at.operands[0]).shape[0] == Dim(0)) return {Value{}};
    const Firsts firsts = firsts_of(at);
    const Value there = pointwise(at.builder, "where", {firsts.is_there, cotangents[0], zeros_like(at.builder, cotangents[0])});
    const Value zeros = zeros_of(at.builder, at.builder.type(there).dtype, at.builder.type(at.operands[0]).shape);
    return {node(at.builder, "index_update", {zeros, there, firsts.places}, {Dims{0}, std::int64_t{0}, std::string("add")})};
}

} // namespace

std::span<const Op> sorting_ops() {
    static constexpr std::array rows = {
        // operand: x, along its last axis. attributes: 0: descending
        Op{.signature = "sort(x, axis: axis = -1, descending: bool = false, stable: bool = true)",
           .doc = "The elements of x in order along an axis (none: of x as one flat row); NaN counts as the largest.",
           .example = "sort([3, 1, 2]) => [1, 2, 3]", .family = Family::selection, .lower = lower_ordering, .type = sort_type, .independence = along_leading_axes, .kernel = sort_kernel, .derivative = Derivative::rules(jvp_sort, vjp_sort)},
        // operand: x, along its last axis. attributes: 0: descending
        Op{.signature = "argsort(x, axis: axis = -1, descending: bool = false, stable: bool = true)",
           .doc = "The positions that put x in order along an axis; equal elements keep their order.",
           .example = "argsort([3, 1, 2]) => [1, 2, 0]", .family = Family::selection, .lower = lower_ordering, .type = argsort_type, .independence = along_leading_axes, .kernel = argsort_kernel, .derivative = Derivative::none(), .stays_weak = never_weak},
        // operand: x, along its last axis; result: positions. attributes: 0: Dims of k
        Op{.signature = "top_k(x, k: int)", .doc = "The k largest elements along the last axis, largest first, and their positions; of equals the first. NaN counts as the largest: take where(isnan(x), -inf, x) to leave it out.",
           .example = "top_k([3, 1, 2], 2) => ([3, 2], [0, 2])", .family = Family::selection, .lower = lower_top_k, .type = top_k_type, .independence = along_leading_axes, .kernel = top_k_kernel, .derivative = Derivative::none(), .stays_weak = never_weak},
        // operand: x of one axis. attributes: 0: Dims of the size
        Op{.signature = "unique(x, size: int)", .doc = "The first `size` distinct elements of x in order, filled with 0; all NaNs are one, the last.",
           .example = "unique([3, 1, 3], size=3) => [1, 3, 0]", .family = Family::selection, .lower = lower_unique, .type = unique_type, .kernel = unique_kernel, .derivative = Derivative::rules(jvp_unique, vjp_unique)},
    };
    return rows;
}

} // namespace vmaprun
