// matmul, vecdot, tensordot, outer, cross, diagonal and trace, lowered to dot_general, gathers and sums.
#include <algorithm>
#include <array>
#include <limits>

#include "ops/call.hpp"
#include "ops/contraction.hpp"
#include "ops/contraction_rows.hpp"
#include "ops/lowering.hpp"
#include "ops/movement.hpp"
#include "ops/reduction.hpp"

namespace vmaprun {
namespace {

[[noreturn]] void fail_contracted(std::string_view what, std::size_t left_axis, Dim left, std::size_t right_axis, Dim right) {
    throw UserError(error("E301", std::string(what) + " needs axis " + std::to_string(left_axis) + " of the left operand (" + left.text() + ") to equal axis " +
                                      std::to_string(right_axis) + " of the right one (" + right.text() + ")"));
}

void check_numbers(const BuiltinCall& call, DType dtype, std::size_t argument) {
    if (dtype == DType::key) call.fail(argument, error("E302", std::string(call.op().name()) + " needs numbers, not keys"));
}

} // namespace

Value matmul(Builder& builder, Value a, Value b) {
    const Dims left = builder.type(a).shape, right = builder.type(b).shape;
    if (left.empty() || right.empty()) {
        throw UserError(error("E307", std::string("`@` needs an axis on both sides, and the ") + (left.empty() ? "left" : "right") + " operand is a scalar").help("use `*` to scale by a number"));
    }
    const std::size_t left_axis = left.size() - 1, right_axis = right.size() == 1 ? 0 : right.size() - 2;
    if (!can_agree(left[left_axis], right[right_axis])) fail_contracted("`@`", left_axis, left[left_axis], right_axis, right[right_axis]);
    ContractedAxes axes{{}, {}, {static_cast<std::int64_t>(left_axis)}, {static_cast<std::int64_t>(right_axis)}};
    // A stack of matrices times one: the stack's axes are free axes of the left operand.
    if (right.size() <= 2 || left.size() == 1) {
        const Value product = contract(builder, a, b, axes);
        return product; // one vector times a stack: [..., n], the stack's axes free on the right
    }
    const Dims left_batch(left.begin(), left.end() - 2), right_batch(right.begin(), right.end() - 2);
    const Dims batch = broadcast_shapes(std::vector{left_batch, right_batch});
    const auto spread = [&](Value x, const Dims& shape) {
        Dims wanted = batch;
        wanted.insert(wanted.end(), shape.end() - 2, shape.end());
        return broadcast_to(builder, x, wanted);
    };
    const auto rank = static_cast<std::int64_t>(batch.size());
    for (std::int64_t i = 0; i < rank; ++i) {
        axes.batch_a.push_back(i);
        axes.batch_b.push_back(i);
    }
    axes.contracted_a = {rank + 1};
    axes.contracted_b = {rank};
    return contract(builder, spread(a, left), spread(b, right), axes);
}

namespace {

Lowered lower_matmul(Builder& builder, const BuiltinCall& call) {
    for (std::size_t i = 0; i < 2; ++i) check_numbers(call, builder.type(call.tensor(i)).dtype, i);
    return matmul(builder, call.tensor(0), call.tensor(1));
}

// ---- vecdot: conj(x1) . x2 along an axis

Value conjugate(Builder& builder, Value x) { return is_complex(builder.type(x).dtype) ? pointwise(builder, "conj", {x}) : x; }

Lowered lower_vecdot(Builder& builder, const BuiltinCall& call) {
    std::array<Value, 2> sides{call.tensor(0), call.tensor(1)};
    std::array<Dims, 2> others;
    std::array<Dim, 2> sizes;
    std::array<std::int64_t, 2> places{};
    for (std::size_t i = 0; i < 2; ++i) {
        const TensorType type = builder.type(sides[i]);
        check_numbers(call, type.dtype, i);
        if (type.rank() == 0) call.fail(i, error("E307", "vecdot needs vectors, not a scalar"));
        places[i] = call.axis(2, type.rank());
        sizes[i] = type.shape[static_cast<std::size_t>(places[i])];
        sides[i] = move_axis(builder, sides[i], places[i], static_cast<std::int64_t>(type.rank()) - 1);
        others[i] = builder.type(sides[i]).shape;
        others[i].pop_back();
    }
    if (!can_agree(sizes[0], sizes[1])) fail_contracted("vecdot", static_cast<std::size_t>(places[0]), sizes[0], static_cast<std::size_t>(places[1]), sizes[1]);
    const Dims batch = broadcast_shapes(others);
    for (std::size_t i = 0; i < 2; ++i) {
        Dims wanted = batch;
        wanted.push_back(sizes[i]);
        sides[i] = broadcast_to(builder, sides[i], wanted);
    }
    sides[0] = conjugate(builder, sides[0]);
    const std::vector<Value> both = promote_values(builder, {sides[0], sides[1]});
    return dot_general(builder, both[0], both[1], static_cast<std::int64_t>(batch.size()), 1);
}

// ---- tensordot

Lowered lower_tensordot(Builder& builder, const BuiltinCall& call) {
    const Value a = call.tensor(0), b = call.tensor(1);
    const Dims left = builder.type(a).shape, right = builder.type(b).shape;
    for (std::size_t i = 0; i < 2; ++i) check_numbers(call, builder.type(call.tensor(i)).dtype, i);
    const Dims& given = call.integers(2); // n, or the axes of x1, then those of x2
    ContractedAxes axes;
    if (given.size() == 1) {
        const std::int64_t count = given[0].value();
        if (count < 0 || count > static_cast<std::int64_t>(std::min(left.size(), right.size()))) {
            call.fail(2, error("E310", "tensordot over " + std::to_string(count) + " axes needs tensors that have them, not " + shape_words(left) + " and " + shape_words(right)));
        }
        for (std::int64_t i = 0; i < count; ++i) {
            axes.contracted_a.push_back(static_cast<std::int64_t>(left.size()) - count + i);
            axes.contracted_b.push_back(i);
        }
    } else {
        if (given.size() % 2 != 0) call.fail(2, error("E310", "axes of tensordot are a number, or as many axes of x1 as of x2: ((0, 1), (1, 2))"));
        try {
            for (std::size_t i = 0; i < given.size() / 2; ++i) {
                axes.contracted_a.push_back(normal_axis(given[i].value(), left.size()));
                axes.contracted_b.push_back(normal_axis(given[given.size() / 2 + i].value(), right.size()));
            }
        } catch (UserError& failure) {
            call.fail(2, failure.diagnostics().front());
        }
    }
    for (const auto* side : {&axes.contracted_a, &axes.contracted_b}) {
        std::vector<std::int64_t> sorted = *side;
        std::ranges::sort(sorted);
        if (const auto twice = std::ranges::adjacent_find(sorted); twice != sorted.end()) call.fail(2, error("E304", "axis " + std::to_string(*twice) + " is named twice"));
    }
    for (std::size_t i = 0; i < axes.contracted_a.size(); ++i) {
        const auto p = static_cast<std::size_t>(axes.contracted_a[i]), q = static_cast<std::size_t>(axes.contracted_b[i]);
        if (!can_agree(left[p], right[q])) fail_contracted("tensordot", p, left[p], q, right[q]);
    }
    return contract(builder, a, b, axes);
}

Lowered lower_outer(Builder& builder, const BuiltinCall& call) {
    for (std::size_t i = 0; i < 2; ++i) {
        const TensorType type = builder.type(call.tensor(i));
        check_numbers(call, type.dtype, i);
        if (type.rank() != 1) call.fail(i, error("E307", "outer takes vectors, not " + shape_words(type.shape)).help("ravel(x) makes a vector of any tensor"));
    }
    return pointwise(builder, "multiply", {expand_at(builder, call.tensor(0), {1}), expand_at(builder, call.tensor(1), {0})});
}

// ---- cross

Lowered lower_cross(Builder& builder, const BuiltinCall& call) {
    std::array<Value, 2> sides{call.tensor(0), call.tensor(1)};
    for (std::size_t i = 0; i < 2; ++i) {
        const TensorType type = builder.type(sides[i]);
        check_numbers(call, type.dtype, i);
        const std::int64_t axis = call.axis(2, type.rank());
        const Dim size = type.shape[static_cast<std::size_t>(axis)];
        if (!can_agree(size, 3)) call.fail(i, error("E301", "cross needs vectors of 3, and axis " + std::to_string(axis) + " of " + dims_text(type.shape) + " is " + size.text()));
        sides[i] = move_axis(builder, sides[i], axis, static_cast<std::int64_t>(type.rank()) - 1);
    }
    const auto part = [&](std::size_t side, std::int64_t i) {
        return slice_axis(builder, sides[side], static_cast<std::int64_t>(builder.type(sides[side]).rank()) - 1, i, 1);
    };
    const auto product = [&](std::int64_t i, std::int64_t j) { return pointwise(builder, "multiply", {part(0, i), part(1, j)}); };
    std::vector<Value> parts;
    for (std::int64_t i = 0; i < 3; ++i) {
        const std::int64_t j = (i + 1) % 3, k = (i + 2) % 3;
        parts.push_back(pointwise(builder, "subtract", {product(j, k), product(k, j)}));
    }
    const auto rank = static_cast<std::int64_t>(builder.type(parts[0]).rank());
    const Value result = concat_values(builder, parts, rank - 1);
    return move_axis(builder, result, rank - 1, normal_axis(call.integer(2).value(), static_cast<std::size_t>(rank)));
}

// ---- diagonal and trace

Value diagonal(Builder& builder, const BuiltinCall& call) {
    const Value x = call.tensor(0);
    const Dims shape = builder.type(x).shape;
    if (shape.size() < 2) call.fail(0, error("E307", std::string(call.op().name()) + " needs a matrix, not " + shape_words(shape)));
    const std::int64_t offset = std::max(call.integer(1).value(), -std::numeric_limits<std::int64_t>::max());
    const Dim rows = shape[shape.size() - 2], columns = shape.back();
    const Dim down = offset < 0 ? Dim(-offset) : Dim(0), right = offset > 0 ? Dim(offset) : Dim(0);
    const Dim height = rows - down, width = columns - right;
    Dim length = height.value() < width.value() ? height : width;
    if (length.value() < 0) length = 0;
    const auto line = [&](Dim start) {
        const Value indices = iota_values(builder, {length}, 0, DType::i64);
        return start == Dim(0) ? indices : pointwise(builder, "add", {indices, builder.constant(start)});
    };
    const auto rank = static_cast<std::int64_t>(shape.size());
    return gather(builder, x, {line(down), line(right)}, {rank - 2, rank - 1}, rank - 2);
}

Lowered lower_diagonal(Builder& builder, const BuiltinCall& call) { return diagonal(builder, call); }

Lowered lower_trace(Builder& builder, const BuiltinCall& call) {
    const Value line = diagonal(builder, call);
    const TensorType type = builder.type(line);
    check_numbers(call, type.dtype, 0);
    const DType dtype = call.dtype(2).value_or(accumulation_dtype(type.dtype));
    const Value wide = dtype == type.dtype ? line : cast(builder, line, dtype);
    return reduce(builder, "sum", wide, {static_cast<std::int64_t>(type.rank()) - 1}, false);
}

} // namespace

std::span<const Op> product_rows() {
    static constexpr std::array rows = {
        Op{.signature = "matmul(x1, x2)", .doc = "The product of matrices, or of stacks of them (the operator `@`); vectors are rows on the left and columns on the right.",
           .example = "matmul([[1, 2], [3, 4]], [1, 1]) => [3, 7]", .family = Family::contraction, .lower = lower_matmul},
        Op{.signature = "vecdot(x1, x2, axis: axis = -1)", .doc = "Dot products along an axis; of complex vectors, with the first conjugated.",
           .example = "vecdot([1, 2], [3, 4]) => 11", .family = Family::contraction, .lower = lower_vecdot},
        Op{.signature = "tensordot(x1, x2, axes: pairs = 2)", .doc = "The sum of products over the last axes of x1 and the first of x2, or over given pairs of axes.",
           .example = "tensordot([1, 2], [3, 4], axes=1) => 11", .family = Family::contraction, .lower = lower_tensordot},
        Op{.signature = "outer(x1, x2)", .doc = "Every product of an element of x1 with one of x2.",
           .example = "outer([1, 2], [3, 4]) => [[3, 4], [6, 8]]", .family = Family::contraction, .lower = lower_outer},
        Op{.signature = "cross(x1, x2, axis: axis = -1)", .doc = "The cross product of vectors of 3.",
           .example = "cross([1, 0, 0], [0, 1, 0]) => [0, 0, 1]", .family = Family::contraction, .lower = lower_cross},
        Op{.signature = "diagonal(x, offset: int = 0)", .doc = "The diagonals of the matrices in the last two axes, `offset` above the main one.",
           .example = "diagonal([[1, 2], [3, 4]]) => [1, 4]", .family = Family::contraction, .lower = lower_diagonal},
        Op{.signature = "trace(x, offset: int = 0, dtype: dtype = none)", .doc = "The sum of the diagonal of the matrices in the last two axes.",
           .example = "trace([[1, 2], [3, 4]]) => 5", .family = Family::contraction, .lower = lower_trace},
    };
    return rows;
}

} // namespace vmaprun
