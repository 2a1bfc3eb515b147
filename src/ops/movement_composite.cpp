// Movement rows that are other rows put together: they lower to views and concat, and are never nodes themselves.
#include <algorithm>
#include <array>

#include "ops/call.hpp"
#include "ops/lowering.hpp"
#include "ops/movement.hpp"

namespace vmaprun {
namespace {

std::size_t rank_of(Builder& builder, Value x) { return builder.type(x).rank(); }

Dim size_at(Builder& builder, Value x, std::int64_t axis) { return builder.type(x).shape[static_cast<std::size_t>(axis)]; }

Lowered lower_matrix_transpose(Builder& builder, const BuiltinCall& call) {
    const auto rank = static_cast<std::int64_t>(rank_of(builder, call.tensor(0)));
    if (rank < 2) call.fail(0, error("E307", "matrix_transpose needs a matrix, not " + shape_words(builder.type(call.tensor(0)).shape)));
    return move_axis(builder, call.tensor(0), rank - 1, rank - 2);
}

Lowered lower_swapaxes(Builder& builder, const BuiltinCall& call) {
    const std::size_t rank = rank_of(builder, call.tensor(0));
    const std::int64_t a = call.axis(1, rank), b = call.axis(2, rank);
    std::vector<std::int64_t> axes;
    for (std::size_t axis = 0; axis < rank; ++axis) axes.push_back(static_cast<std::int64_t>(axis));
    std::swap(axes[static_cast<std::size_t>(a)], axes[static_cast<std::size_t>(b)]);
    return permute(builder, call.tensor(0), axes);
}

std::vector<std::int64_t> distinct_axes(const BuiltinCall& call, std::size_t i, std::size_t rank) {
    std::vector<std::int64_t> axes;
    for (const Dim axis : call.integers(i)) {
        try {
            axes.push_back(normal_axis(axis.value(), rank));
        } catch (UserError& failure) {
            call.fail(i, failure.diagnostics().front());
        }
        if (std::ranges::count(axes, axes.back()) > 1) call.fail(i, error("E304", "axis " + std::to_string(axes.back()) + " is named twice"));
    }
    return axes;
}

Lowered lower_moveaxis(Builder& builder, const BuiltinCall& call) {
    const std::size_t rank = rank_of(builder, call.tensor(0));
    const auto source = distinct_axes(call, 1, rank), destination = distinct_axes(call, 2, rank);
    if (source.size() != destination.size()) {
        call.fail(2, error("E310", "moveaxis needs as many destinations as sources, and has " + std::to_string(destination.size()) + " and " + std::to_string(source.size())));
    }
    std::vector<std::int64_t> order;
    for (std::size_t axis = 0; axis < rank; ++axis) {
        if (std::ranges::find(source, static_cast<std::int64_t>(axis)) == source.end()) order.push_back(static_cast<std::int64_t>(axis));
    }
    std::vector<std::size_t> by_destination(source.size());
    for (std::size_t i = 0; i < source.size(); ++i) by_destination[i] = i;
    std::ranges::sort(by_destination, [&](std::size_t a, std::size_t b) { return destination[a] < destination[b]; });
    for (const std::size_t i : by_destination) order.insert(order.begin() + destination[i], source[i]);
    return permute(builder, call.tensor(0), order);
}

Value roll_axis(Builder& builder, Value x, std::int64_t axis, Dim shift) {
    const Dim size = size_at(builder, x, axis);
    if (size.value() == 0) return x;
    std::int64_t amount = shift.value() % size.value(); // a shift is a plain number; the size perhaps a symbol
    if (amount < 0) amount += size.value();
    // A negative shift of a symbolic size is a distance from the end.
    const Dim cut = shift.value() >= 0 ? size - amount : Dim(size.value() - amount);
    if (amount == 0) return x;
    return concat_values(builder, {slice_axis(builder, x, axis, cut, size - cut), slice_axis(builder, x, axis, 0, cut)}, axis);
}

Lowered lower_roll(Builder& builder, const BuiltinCall& call) {
    const Value x = call.tensor(0);
    const Dims& shifts = call.integers(1);
    if (call.is_none(2)) {
        if (shifts.size() != 1) call.fail(1, error("E310", "roll with several shifts needs as many axes"));
        const Dims shape = builder.type(x).shape;
        const Value flat = reshape_to(builder, x, {product_of(shape)});
        return reshape_to(builder, roll_axis(builder, flat, 0, shifts[0]), shape);
    }
    const Dims& axes = call.integers(2);
    if (shifts.size() != axes.size() && shifts.size() != 1 && axes.size() != 1) {
        call.fail(1, error("E310", "roll has " + std::to_string(shifts.size()) + " shifts for " + std::to_string(axes.size()) + " axes"));
    }
    Value rolled = x;
    const std::size_t count = shifts.empty() || axes.empty() ? 0 : std::max(shifts.size(), axes.size());
    for (std::size_t i = 0; i < count; ++i) {
        std::int64_t axis = 0;
        try {
            axis = normal_axis(axes[axes.size() == 1 ? 0 : i].value(), rank_of(builder, x));
        } catch (UserError& failure) {
            call.fail(2, failure.diagnostics().front());
        }
        rolled = roll_axis(builder, rolled, axis, shifts[shifts.size() == 1 ? 0 : i]);
    }
    return rolled;
}

void check_repetitions(const BuiltinCall& call, const Dims& counts) {
    for (const Dim& count : counts) {
        if (surely_greater(0, count)) call.fail(1, error("E310", "a number of repetitions can't be negative: " + count.text()));
    }
}

// Each axis beside an axis of its repetitions, all merged by one reshape.
Lowered lower_tile(Builder& builder, const BuiltinCall& call) {
    Value x = call.tensor(0);
    Dims counts = call.integers(1);
    check_repetitions(call, counts);
    Dims shape = builder.type(x).shape;
    const std::size_t rank = std::max(shape.size(), counts.size());
    counts.insert(counts.begin(), rank - counts.size(), 1);
    shape.insert(shape.begin(), rank - shape.size(), 1);
    Dims aligned, spread, merged;
    for (std::size_t axis = 0; axis < rank; ++axis) {
        aligned.insert(aligned.end(), {Dim(1), shape[axis]});
        spread.insert(spread.end(), {counts[axis], shape[axis]});
        merged.push_back(counts[axis] * shape[axis]);
    }
    check_shape(spread);
    return reshape_to(builder, broadcast_to(builder, reshape_to(builder, x, aligned), spread), merged);
}

// Element i counts[i] times: the elements at 0, 0, 1, ... along the axis.
Value repeat_each(Builder& builder, const BuiltinCall& call, Value x, std::int64_t axis, const Dims& counts) {
    const Dim size = size_at(builder, x, axis);
    if (!can_agree(size, Dim(static_cast<std::int64_t>(counts.size())))) {
        call.fail(1, error("E301", std::to_string(counts.size()) + " numbers of repetitions for the " + size.text() + " elements of axis " + std::to_string(axis)));
    }
    std::int64_t total = 0;
    for (const Dim& count : counts) total += count.value();
    check_shape({Dim(total)});
    const Array positions(DType::i64, {total});
    std::int64_t* next = positions.as<std::int64_t>();
    for (std::size_t i = 0; i < counts.size(); ++i) next = std::fill_n(next, counts[i].value(), static_cast<std::int64_t>(i));
    return gather(builder, x, {builder.constant(positions)}, {axis}, axis);
}

Lowered lower_repeat(Builder& builder, const BuiltinCall& call) {
    Value x = call.tensor(0);
    const Dims& counts = call.integers(1);
    check_repetitions(call, counts);
    if (call.is_none(2)) x = reshape_to(builder, x, {product_of(builder.type(x).shape)});
    const std::int64_t axis = call.is_none(2) ? 0 : call.axis(2, rank_of(builder, x));
    if (counts.size() != 1) return repeat_each(builder, call, x, axis, counts);
    const Dim count = counts[0];
    Dims merged = builder.type(x).shape, spread = merged;
    spread.insert(spread.begin() + axis + 1, count);
    check_shape(spread);
    merged[static_cast<std::size_t>(axis)] = merged[static_cast<std::size_t>(axis)] * count;
    return reshape_to(builder, broadcast_to(builder, expand_at(builder, x, {axis + 1}), spread), merged);
}

// As NumPy's split at indices: they are cut like slices, so each clamps and may count from the end.
Lowered lower_split_at(Builder& builder, const BuiltinCall& call) {
    const Value x = call.tensor(0);
    const std::int64_t axis = call.axis(2, rank_of(builder, x));
    const Dim size = size_at(builder, x, axis);
    const auto clamped = [&](Dim at) {
        if (at.value() < 0) at = size + at;
        if (at.value() < 0) return Dim(0);
        return at.value() > size.value() ? size : at;
    };
    std::vector<Value> parts;
    Dim begin = 0;
    const auto cut = [&](Dim end) {
        const Dim length = end.value() > begin.value() ? end - begin : Dim(0);
        parts.push_back(slice_axis(builder, x, axis, length.value() == 0 ? Dim(0) : begin, length));
        begin = end;
    };
    for (const Dim at : call.integers(1)) cut(clamped(at));
    cut(size);
    return Lowered(std::move(parts));
}

// ---- triangles: chosen by a mask, so that what is not chosen never counts

Lowered lower_triangle(Builder& builder, const BuiltinCall& call, bool lower) {
    const Value x = call.tensor(0);
    const TensorType type = builder.type(x);
    if (type.rank() < 2) call.fail(0, error("E307", std::string(call.op().name()) + " needs a matrix, not " + shape_words(type.shape)));
    const std::int64_t limit = std::int64_t{1} << 62; // past any size: shifting k by one must not wrap
    const std::int64_t k = std::clamp(call.integer(1).value(), -limit, limit);
    const Dims matrix{type.shape[type.rank() - 2], type.shape.back()};
    const Value mask = broadcast_to(builder, node(builder, "triangle_mask", {}, {matrix, lower ? k : k - 1}), type.shape);
    Value zero = builder.constant(Array::zeros(type.dtype, {}), type.weak);
    zero = broadcast_to(builder, zero, type.shape);
    return node(builder, "where", lower ? std::vector{mask, x, zero} : std::vector{mask, zero, x});
}

Lowered lower_tril(Builder& builder, const BuiltinCall& call) { return lower_triangle(builder, call, true); }
Lowered lower_triu(Builder& builder, const BuiltinCall& call) { return lower_triangle(builder, call, false); }

Lowered lower_meshgrid(Builder& builder, const BuiltinCall& call) {
    const std::vector<Value>& arrays = call.tensors(0);
    const std::string& indexing = call.text(1);
    if (indexing != "xy" && indexing != "ij") call.fail(1, error("E310", "meshgrid has no indexing \"" + indexing + "\"").help("indexing is \"xy\" or \"ij\""));
    const std::size_t rank = arrays.size();
    const auto place = [&](std::size_t i) { return indexing == "xy" && rank >= 2 && i < 2 ? 1 - i : i; };
    Dims shape(rank, 1);
    std::vector<Value> lines;
    for (std::size_t i = 0; i < rank; ++i) {
        const Dims& own = builder.type(arrays[i]).shape;
        if (own.size() > 1) call.fail(0, error("E307", "meshgrid takes tensors of one axis, not " + shape_words(own)));
        shape[place(i)] = own.empty() ? Dim(1) : own[0];
    }
    for (std::size_t i = 0; i < rank; ++i) {
        Dims aligned(rank, 1);
        aligned[place(i)] = shape[place(i)];
        lines.push_back(broadcast_to(builder, reshape_to(builder, arrays[i], aligned), shape));
    }
    return Lowered(std::move(lines));
}

} // namespace

std::span<const Op> movement_composite_rows() {
    static constexpr std::array rows = {
        Op{.signature = "matrix_transpose(x)", .doc = "x with its last two axes exchanged.",
           .example = "matrix_transpose([[1, 2], [3, 4]]) => [[1, 3], [2, 4]]", .family = Family::movement, .lower = lower_matrix_transpose},
        Op{.signature = "moveaxis(x, source: ints, destination: ints)", .doc = "x with axes moved to new positions; the others keep their order.",
           .example = "moveaxis([[1, 2], [3, 4]], 0, 1) => [[1, 3], [2, 4]]", .family = Family::movement, .lower = lower_moveaxis},
        Op{.signature = "swapaxes(x, axis1: axis, axis2: axis)", .doc = "x with two axes exchanged.",
           .example = "swapaxes([[1, 2], [3, 4]], 0, 1) => [[1, 3], [2, 4]]", .family = Family::movement, .lower = lower_swapaxes},
        Op{.signature = "roll(x, shift: ints, axis: ints = none)", .doc = "x shifted cyclically along the given axes (none: as one flat row).",
           .example = "roll([1, 2, 3], 1) => [3, 1, 2]", .family = Family::movement, .lower = lower_roll},
        Op{.signature = "tile(x, repetitions: ints)", .doc = "Copies of x side by side along each axis.",
           .example = "tile([1, 2], 2) => [1, 2, 1, 2]", .family = Family::movement, .lower = lower_tile},
        Op{.signature = "repeat(x, repeats: ints, axis: axis = none)", .doc = "Each element of x repeated along an axis (none: flattened first); repeats is one number, or one for each element.",
           .example = "repeat([1, 2], 2) => [1, 1, 2, 2]", .family = Family::movement, .lower = lower_repeat},
        Op{.signature = "split_at(x, indices: ints, axis: axis = 0)", .doc = "The tuple of the parts of x between the given positions along an axis.",
           .example = "split_at([1, 2, 3], 1) => ([1], [2, 3])", .family = Family::movement, .lower = lower_split_at},
        Op{.signature = "tril(x, k: int = 0)", .doc = "The lower triangle of the matrices in the last two axes, zero above the k-th diagonal.",
           .example = "tril([[1, 2], [3, 4]]) => [[1, 0], [3, 4]]", .family = Family::movement, .lower = lower_tril},
        Op{.signature = "triu(x, k: int = 0)", .doc = "The upper triangle of the matrices in the last two axes, zero below the k-th diagonal.",
           .example = "triu([[1, 2], [3, 4]]) => [[1, 2], [0, 4]]", .family = Family::movement, .lower = lower_triu},
        Op{.signature = "meshgrid(*arrays, indexing: string = \"xy\")", .doc = "The tuple of coordinate grids over the given lines of coordinates.",
           .example = "meshgrid([1, 2], [3, 4]) => ([[1, 2], [1, 2]], [[3, 3], [4, 4]])", .family = Family::movement, .lower = lower_meshgrid},
    };
    return rows;
}

} // namespace vmaprun
