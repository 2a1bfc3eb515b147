// Choosing by positions and masks, counting and searching: take, take_along_axis, compress, nonzero, bincount,
// segment_sum, searchsorted. What depends on data has a size that the script says: results are cut, or filled with 0.
#include <algorithm>
#include <array>

#include "ops/call.hpp"
#include "ops/lane_iteration.hpp"
#include "ops/lowering.hpp"
#include "ops/movement.hpp"
#include "ops/selection.hpp"
#include "ops/sorting_order.hpp"

namespace vmaprun {
namespace {

// Positions, casts and the like are integers of their own, however weak the operands are.
bool never_weak(const Attributes&) { return false; }

// Runs f; an error without a place gets that of argument i.
template <class F> auto at_argument(const BuiltinCall& call, std::size_t i, F&& f) {
    try {
        return f();
    } catch (UserError& failure) {
        call.fail(i, failure.diagnostics().front());
    }
}

Value positions_argument(Builder& builder, const BuiltinCall& call, std::size_t i, std::int64_t axis, Dim size) {
    return at_argument(call, i, [&] {
        check_positions(builder, call.tensor(i), axis, size);
        return index_values(builder, call.tensor(i));
    });
}

// ---- take, take_along_axis

Lowered lower_take(Builder& builder, const BuiltinCall& call) {
    Value x = call.tensor(0);
    if (call.is_none(2)) x = reshape_to(builder, x, {product_of(builder.type(x).shape)});
    const std::int64_t axis = call.is_none(2) ? 0 : call.axis(2, builder.type(x).rank());
    const Dim size = builder.type(x).shape[static_cast<std::size_t>(axis)];
    return gather(builder, x, {positions_argument(builder, call, 1, axis, size)}, {axis}, axis);
}

Lowered lower_take_along_axis(Builder& builder, const BuiltinCall& call) {
    const Value x = call.tensor(0);
    const TensorType type = builder.type(x), index_type = builder.type(call.tensor(1));
    if (type.rank() != index_type.rank()) {
        call.fail(1, error("E307", "take_along_axis needs x and indices of one rank, and has " + shape_words(type.shape) + " and " + shape_words(index_type.shape)));
    }
    const std::int64_t axis = call.axis(2, type.rank());
    const Value indices = positions_argument(builder, call, 1, axis, type.shape[static_cast<std::size_t>(axis)]);
    return take_along(builder, x, indices, axis);
}

// ---- nonzero, compress: the positions of what is not zero, in row-major order

std::vector<TensorType> nonzero_positions_type(std::span<const TensorType>, const Attributes& attributes) {
    const Dims& size = std::get<Dims>(attributes[0]);
    check_shape(size);
    return {{DType::i64, size}, {DType::i64, {}}};
}

void nonzero_positions_kernel(const KernelCall& call) {
    const std::int64_t length = sample_shape(call, 0)[0], step = sample_strides(call, 0)[0], size = result_shape(call, 0)[0];
    visit_dtype(call.operands[0].dtype, [&]<class T>(TypeTag<T>) {
        for_each_lane(call, grain_for(length), [&](std::int64_t, std::byte* const* at) {
            const T* x = lane_data<T>(at, 0);
            std::int64_t* positions = lane_data<std::int64_t>(at, 1);
            std::int64_t count = 0;
            for (std::int64_t i = 0; i < length && count < size; ++i) {
                if (!(x[i * step] == T{})) positions[count++] = i;
            }
            std::fill(positions + count, positions + size, 0);
            *lane_data<std::int64_t>(at, 2) = count;
        });
    });
}

struct Found {
    Value positions; // [size], filled with 0
    Value is_there;  // bool[size]: false for the fill
};

Found find_nonzero(Builder& builder, Value x, Dim size) {
    const Value flat = reshape_to(builder, x, {product_of(builder.type(x).shape)});
    const std::vector<Value> found = builder.add_all(op_named("nonzero_positions"), {flat}, {Dims{size}});
    return {found[0], pointwise(builder, "less", {iota_values(builder, {size}, 0, DType::i64), found[1]})};
}

Lowered lower_nonzero(Builder& builder, const BuiltinCall& call) {
    const Value x = call.tensor(0);
    const TensorType type = builder.type(x);
    if (type.rank() == 0) call.fail(0, error("E307", "nonzero needs axes to find positions along, and this is a scalar").help("use where"));
    if (type.dtype == DType::key) call.fail(0, error("E302", "a key is neither zero nor nonzero"));
    Value rest = at_argument(call, 1, [&] { return find_nonzero(builder, x, call.integer(1)).positions; });
    std::vector<Value> indices(type.rank());
    for (std::size_t axis = type.rank(); axis-- > 1;) { // the fill, 0, is position 0 along every axis
        const Value size = builder.constant(type.shape[axis]);
        indices[axis] = pointwise(builder, "remainder", {rest, size});
        rest = pointwise(builder, "floor_divide", {rest, size});
    }
    indices[0] = rest;
    return Lowered(std::move(indices));
}

// x[mask] of NumPy with a size: the mask goes with the leading axes of x.
Lowered lower_compress(Builder& builder, const BuiltinCall& call) {
    const Value mask = call.tensor(0), x = call.tensor(1);
    const TensorType mask_type = builder.type(mask), type = builder.type(x);
    if (mask_type.dtype != DType::boolean) {
        call.fail(0, error("E308", "a mask is of bool, not `" + std::string(name_of(mask_type.dtype)) + "`").help("compare, as in `mask != 0`"));
    }
    bool fits = mask_type.rank() >= 1 && mask_type.rank() <= type.rank();
    for (std::size_t axis = 0; fits && axis < mask_type.rank(); ++axis) fits = can_agree(mask_type.shape[axis], type.shape[axis]);
    if (!fits) call.fail(0, error("E301", "the mask is " + shape_words(mask_type.shape) + ", and must go with the leading axes of x, which is " + shape_words(type.shape)));
    const Dim size = call.integer(2);
    const Found found = at_argument(call, 2, [&] { return find_nonzero(builder, mask, size); });
    Dims rows{product_of(mask_type.shape)}, chosen{size}, column{size};
    for (std::size_t axis = mask_type.rank(); axis < type.rank(); ++axis) {
        rows.push_back(type.shape[axis]);
        chosen.push_back(type.shape[axis]);
        column.emplace_back(1);
    }
    Value zero = builder.constant(Array::zeros(type.dtype, {}), type.weak);
    zero = broadcast_to(builder, zero, chosen);
    if (rows[0] == Dim(0)) return zero; // nothing to choose from
    const Value picked = node(builder, "index_gather", {reshape_to(builder, x, rows), found.positions}, {Dims{0}, std::int64_t{0}, true});
    const Value is_there = broadcast_to(builder, reshape_to(builder, found.is_there, column), chosen);
    return node(builder, "where", {is_there, picked, zero});
}

// ---- bincount

std::vector<TensorType> bincount_type(std::span<const TensorType>, const Attributes& attributes) {
    check_shape(std::get<Dims>(attributes[0]));
    return {{DType::i64, std::get<Dims>(attributes[0])}};
}

void bincount_kernel(const KernelCall& call) {
    const std::int64_t length = sample_shape(call, 0)[0], step = sample_strides(call, 0)[0], bins = result_shape(call, 0)[0];
    for_each_lane(call, grain_for(length + bins), [&](std::int64_t lane, std::byte* const* at) {
        const std::int64_t* x = lane_data<std::int64_t>(at, 0);
        std::int64_t* counts = lane_data<std::int64_t>(at, 1);
        std::fill_n(counts, bins, 0);
        bool reported = false;
        for (std::int64_t i = 0; i < length; ++i) {
            const std::int64_t bin = x[i * step];
            if (bin >= 0 && bin < bins) ++counts[bin];
            if (bin >= 0 || reported || call.clamp_indices) continue;
            call.faults->report(lane, "E601", "bincount counts numbers from 0 up, and position " + std::to_string(i) + " holds " + std::to_string(bin));
            reported = true;
        }
    });
}

Lowered lower_bincount(Builder& builder, const BuiltinCall& call) {
    const TensorType type = builder.type(call.tensor(0));
    if (type.rank() != 1) call.fail(0, error("E307", "bincount needs a tensor of one axis, not " + shape_words(type.shape)).help("ravel(x) makes one"));
    const Value x = at_argument(call, 0, [&] { return index_values(builder, call.tensor(0)); });
    return at_argument(call, 1, [&] { return node(builder, "bincount", {x}, {Dims{call.integer(1)}}); });
}

// ---- segment_sum: an update of one row more, which takes what belongs to no segment and is cut off

Lowered lower_segment_sum(Builder& builder, const BuiltinCall& call) {
    Value data = call.tensor(0);
    if (builder.type(data).dtype == DType::boolean) data = cast(builder, data, DType::i64); // as sum does
    const TensorType type = builder.type(data), id_type = builder.type(call.tensor(1));
    bool fits = id_type.rank() >= 1 && id_type.rank() <= type.rank();
    for (std::size_t axis = 0; fits && axis < id_type.rank(); ++axis) fits = can_agree(id_type.shape[axis], type.shape[axis]);
    if (!fits) call.fail(1, error("E301", "segment_ids are " + shape_words(id_type.shape) + ", and must go with the leading axes of data, which is " + shape_words(type.shape)));
    const Dim count = call.integer(2);
    at_argument(call, 2, [&] { check_shape({count}); });
    Value ids = at_argument(call, 1, [&] { return index_values(builder, call.tensor(1)); });
    const Value limit = scalar(builder, std::int64_t{0}, DType::i64), last = cast(builder, builder.constant(count), DType::i64);
    const Value outside = pointwise(builder, "logical_or", {pointwise(builder, "less", {ids, limit}), pointwise(builder, "greater_equal", {ids, last})});
    ids = pointwise(builder, "where", {outside, last, ids});
    Dims shape{count + 1};
    shape.insert(shape.end(), type.shape.begin() + static_cast<std::ptrdiff_t>(id_type.rank()), type.shape.end());
    const Value zeros = broadcast_to(builder, builder.constant(Array::zeros(type.dtype, {}), type.weak), shape);
    const Value sums = node(builder, "index_update", {zeros, data, ids}, {Dims{0}, std::int64_t{0}, std::string("add")});
    return slice_axis(builder, sums, 0, 0, count);
}

// ---- searchsorted

std::vector<TensorType> searchsorted_type(std::span<const TensorType> operands, const Attributes&) { return {{DType::i64, operands[1].shape}}; }

void searchsorted_kernel(const KernelCall& call) {
    const std::int64_t length = sample_shape(call, 0)[0], step = sample_strides(call, 0)[0];
    const bool right = call.node->boolean(0);
    LaneIteration walk(call);
    const auto shape = sample_shape(call, 1);
    for (std::size_t axis = 0; axis < shape.size(); ++axis) {
        walk.add_axis(call, shape[axis], std::array{std::int64_t{0}, sample_strides(call, 1)[axis], result_strides(call, 0)[axis]});
    }
    visit_dtype(call.operands[0].dtype, [&]<class T>(TypeTag<T>) {
        walk.run(call, 1024, [&](std::int64_t, std::byte* const* at) {
            const T* sorted = lane_data<T>(at, 0);
            const T wanted = *lane_data<T>(at, 1);
            std::int64_t low = 0, high = length;
            while (low < high) {
                const std::int64_t middle = low + (high - low) / 2;
                const T here = sorted[middle * step];
                const bool goes_on = right ? !comes_before(wanted, here) : comes_before(here, wanted);
                if (goes_on) low = middle + 1;
                else high = middle;
            }
            *lane_data<std::int64_t>(at, 2) = low;
        });
    });
}

std::optional<AlongAxis> along_wanted(std::span<const TensorType>, const Attributes& attributes, std::size_t axis) {
    return AlongAxis{{AlongAxis::whole, static_cast<std::int64_t>(axis)}, attributes};
}

Lowered lower_searchsorted(Builder& builder, const BuiltinCall& call) {
    Value sorted = call.tensor(0);
    const TensorType type = builder.type(sorted);
    if (type.rank() != 1) call.fail(0, error("E307", "searchsorted looks in a tensor of one axis, not " + shape_words(type.shape)));
    const std::string& side = call.text(2);
    if (side != "left" && side != "right") call.fail(2, error("E310", "searchsorted has no side \"" + side + "\"").help("side is \"left\" or \"right\""));
    if (!call.is_none(3)) {
        sorted = gather(builder, sorted, {positions_argument(builder, call, 3, 0, type.shape[0])}, {0}, 0);
    }
    const std::vector<Value> both = promote_values(builder, {sorted, call.tensor(1)});
    if (builder.type(both[0]).dtype == DType::key) call.fail(0, error("E302", "keys have no order"));
    return node(builder, "searchsorted", both, {side == "right"});
}

} // namespace

std::span<const Op> selection_search_rows() {
    static constexpr std::array rows = {
        Op{.signature = "take(x, indices, axis: axis = none)", .doc = "The slices of x at the given positions of an axis (none: of x as one flat row).",
           .example = "take([10, 20, 30], [2, 0]) => [30, 10]", .family = Family::selection, .lower = lower_take},
        Op{.signature = "take_along_axis(x, indices, axis: axis = -1)", .doc = "For each element of indices, the element of x at that position of the axis.",
           .example = "take_along_axis([[1, 2], [3, 4]], [[1], [0]]) => [[2], [3]]", .family = Family::selection, .lower = lower_take_along_axis},
        // operand: x of one axis. attributes: 0: Dims of the size. results: positions (filled with 0), how many there are
        Op{.signature = "nonzero_positions", .family = Family::selection, .type = nonzero_positions_type, .kernel = nonzero_positions_kernel, .derivative = Derivative::none(), .stays_weak = never_weak},
        Op{.signature = "nonzero(x, size: int)", .doc = "The positions of the first `size` nonzero elements, one tensor an axis, filled with 0.",
           .example = "nonzero([0, 5, 0, 7], size=2) => ([1, 3],)", .family = Family::selection, .lower = lower_nonzero},
        Op{.signature = "compress(mask, x, size: int)", .doc = "The first `size` parts of x at which the mask is true, filled with 0; the mask goes with the leading axes of x.",
           .example = "compress([true, false, true], [1, 2, 3], size=3) => [1, 3, 0]", .family = Family::selection, .lower = lower_compress},
        // operand: x (i64) of one axis. attributes: 0: Dims of the length
        Op{.signature = "bincount(x, length: int)", .doc = "How often each of 0 … length-1 occurs in x; larger numbers are not counted, negative ones stop the run.",
           .example = "bincount([0, 1, 1, 3], length=3) => [1, 2, 0]", .family = Family::selection, .lower = lower_bincount, .type = bincount_type, .kernel = bincount_kernel, .derivative = Derivative::none(),
           .effect = Effect::fault, .stays_weak = never_weak},
        Op{.signature = "segment_sum(data, segment_ids, num_segments: int)",
           .doc = "The sums of the slices of data that belong to each segment, added in order; ids outside 0 … num_segments-1 are left out.",
           .example = "segment_sum([1, 2, 3], [0, 0, 2], num_segments=3) => [3, 0, 3]", .family = Family::selection, .lower = lower_segment_sum},
        // operands: sorted x1 of one axis, x2 of the same dtype. attributes: 0: whether the right side is meant
        Op{.signature = "searchsorted(x1, x2, side: string = \"left\", sorter = none)",
           .doc = "Where in sorted x1 each element of x2 would go in: before (left) or behind (right) its equals; NaN comes last.",
           .example = "searchsorted([1, 3, 5], [3, 4]) => [1, 2]", .family = Family::selection, .lower = lower_searchsorted, .type = searchsorted_type, .independence = along_wanted,
           .kernel = searchsorted_kernel, .derivative = Derivative::none(), .stays_weak = never_weak},
    };
    return rows;
}

} // namespace vmaprun
