// Rows that copy data into a larger result: concat and pad. Lanes are plain axes here: every operand is copied into its
// region of the result, a strided view.
#include <algorithm>
#include <array>

#include "ops/call.hpp"
#include "ops/derivative.hpp"
#include "ops/independence.hpp"
#include "ops/lane_iteration.hpp"
#include "ops/lowering.hpp"
#include "ops/movement.hpp"
#include "ops/reduction.hpp"

namespace vmaprun {
namespace {

// ---- concat

std::vector<TensorType> concat_type(std::span<const TensorType> operands, const Attributes& attributes) {
    const auto axis = static_cast<std::size_t>(std::get<std::int64_t>(attributes[0]));
    TensorType type{operands[0].dtype, operands[0].shape};
    for (std::size_t i = 1; i < operands.size(); ++i) {
        const Dims& shape = operands[i].shape;
        bool fits = shape.size() == type.rank();
        for (std::size_t k = 0; fits && k < shape.size(); ++k) fits = k == axis || can_agree(shape[k], operands[0].shape[k]);
        if (!fits) {
            throw UserError(error("E301", "concat along axis " + std::to_string(axis) + " needs equal sizes on the other axes, and has " +
                                              shape_words(operands[0].shape) + " and " + shape_words(shape)));
        }
        type.shape[axis] = type.shape[axis] + shape[axis];
    }
    check_shape(type.shape);
    return {type};
}

void concat_kernel(const KernelCall& call) {
    const std::size_t axis = call.lanes.size() + static_cast<std::size_t>(call.node->integer(0));
    View region = call.results[0];
    if (region.size() == 0) return; // beside an empty axis, steps may be beyond all counting
    for (const View& operand : call.operands) {
        region.shape[axis] = operand.shape[axis];
        copy_in_parts(call.parallel, operand, region);
        region.data += operand.shape[axis] * region.strides[axis] * static_cast<std::int64_t>(size_of(region.dtype));
    }
}

std::optional<AlongAxis> concat_along(std::span<const TensorType> operands, const Attributes& attributes, std::size_t axis) {
    const std::int64_t joined = std::get<std::int64_t>(attributes[0]), at = static_cast<std::int64_t>(axis);
    if (at == joined) return std::nullopt;
    return AlongAxis{std::vector(operands.size(), at), {axis_without(joined, at)}};
}

Lowered lower_concat(Builder& builder, const BuiltinCall& call) {
    std::vector<Value> arrays = call.tensors(0);
    if (arrays.empty()) call.fail(0, error("E310", "concat needs at least one tensor"));
    if (call.is_none(1)) {
        for (Value& array : arrays) array = reshape_to(builder, array, {product_of(builder.type(array).shape)});
        return concat_values(builder, std::move(arrays), 0);
    }
    const TensorType& first = builder.type(arrays[0]);
    if (first.rank() == 0) call.fail(0, error("E307", "scalars have no axis to be concatenated along").help("use stack"));
    return concat_values(builder, std::move(arrays), call.axis(1, first.rank()));
}

Lowered lower_stack(Builder& builder, const BuiltinCall& call) {
    std::vector<Value> arrays = call.tensors(0);
    if (arrays.empty()) call.fail(0, error("E310", "stack needs at least one tensor"));
    const Dims shape = builder.type(arrays[0]).shape;
    for (const Value array : arrays) {
        const Dims& other = builder.type(array).shape;
        bool same = other.size() == shape.size();
        for (std::size_t k = 0; same && k < shape.size(); ++k) same = can_agree(other[k], shape[k]);
        if (same) continue;
        call.fail(0, error("E301", "only equal shapes can be stacked to one tensor, and these are " + shape_words(shape) + " and " + shape_words(other))
                         .help("a tuple holds values of different shapes: write (a, b) instead of [a, b]"));
    }
    const std::int64_t axis = call.axis(1, shape.size() + 1);
    for (Value& array : arrays) array = expand_at(builder, array, {axis});
    return concat_values(builder, std::move(arrays), axis);
}

// ---- pad

std::vector<TensorType> pad_type(std::span<const TensorType> operands, const Attributes& attributes) {
    TensorType type{operands[0].dtype, operands[0].shape};
    const Dims &before = std::get<Dims>(attributes[0]), &after = std::get<Dims>(attributes[1]);
    for (std::size_t axis = 0; axis < type.rank(); ++axis) type.shape[axis] = type.shape[axis] + before[axis] + after[axis];
    check_shape(type.shape);
    return {type};
}

void fill(Parallel* parallel, const View& value, std::size_t lane_rank, const View& result) {
    View spread = value; // the scalar of each lane, at every position
    spread.shape = result.shape;
    spread.strides.resize(lane_rank);
    spread.strides.resize(result.rank(), 0);
    copy_in_parts(parallel, spread, result);
}

void pad_kernel(const KernelCall& call) {
    fill(call.parallel, call.operands[1], call.lanes.size(), call.results[0]);
    const View& x = call.operands[0];
    if (x.size() == 0) return;
    View region = call.results[0];
    region.shape = x.shape;
    for (std::size_t axis = 0; axis + call.lanes.size() < x.rank(); ++axis) {
        region.data += call.node->dims(0)[axis].value() * region.strides[call.lanes.size() + axis] * static_cast<std::int64_t>(size_of(x.dtype));
    }
    copy_in_parts(call.parallel, x, region);
}

// An axis to which nothing is added.
std::optional<AlongAxis> pad_along(std::span<const TensorType>, const Attributes& attributes, std::size_t axis) {
    const Dims &before = std::get<Dims>(attributes[0]), &after = std::get<Dims>(attributes[1]);
    if (before[axis] != Dim(0) || after[axis] != Dim(0)) return std::nullopt;
    return AlongAxis{{static_cast<std::int64_t>(axis), AlongAxis::whole}, {without_position(before, axis), without_position(after, axis)}};
}

struct Widths {
    Dims before, after;
};

// NumPy's forms: n; (before, after) for all axes; ((before, after), …), one pair an axis. Pairs arrive flattened.
Widths widths_of(const BuiltinCall& call, std::size_t rank) {
    const Dims& flat = call.integers(1);
    Widths widths;
    for (const Dim& width : flat) {
        if (surely_greater(0, width)) call.fail(1, error("E310", "a pad width can't be negative: " + width.text()));
    }
    for (std::size_t axis = 0; axis < rank; ++axis) {
        if (flat.size() == 1) {
            widths.before.push_back(flat[0]);
            widths.after.push_back(flat[0]);
        } else if (flat.size() == 2) {
            widths.before.push_back(flat[0]);
            widths.after.push_back(flat[1]);
        } else if (flat.size() == 2 * rank) {
            widths.before.push_back(flat[2 * axis]);
            widths.after.push_back(flat[2 * axis + 1]);
        } else {
            call.fail(1, error("E310", "pad_width must be one number, a pair, or one pair for each of the " + std::to_string(rank) + " axes"));
        }
    }
    return widths;
}

// The pieces that stand before or after x along an axis, nearest to x first; each is a view of x.
class Extension {
  public:
    Extension(Builder& builder, Value x, std::int64_t axis, std::string_view mode)
        : builder_(builder), x_(x), axis_(axis), size_(builder.type(x).shape[static_cast<std::size_t>(axis)]), mode_(mode) {}

    std::vector<Value> before(Dim width) { return pieces(width, true); }
    std::vector<Value> after(Dim width) { return pieces(width, false); }

  private:
    std::vector<Value> pieces(Dim width, bool is_before) {
        std::vector<Value> parts;
        if (width == Dim(0)) return parts;
        if (mode_ == "edge" || (mode_ == "reflect" && size_ == Dim(1))) {
            const Value edge = slice_axis(builder_, x_, axis_, is_before ? Dim(0) : size_ - 1, 1);
            Dims shape = builder_.type(x_).shape;
            shape[static_cast<std::size_t>(axis_)] = width;
            parts.push_back(broadcast_to(builder_, edge, shape));
            return parts;
        }
        const bool mirrors = mode_ == "reflect" || mode_ == "symmetric";
        const Dim period = mode_ == "reflect" ? size_ - 1 : size_;
        bool mirrored = mirrors;
        while (true) {
            const bool last = width.value() <= period.value();
            parts.push_back(piece(last ? width : period, is_before, mirrored));
            if (last) return parts;
            width = width - period;
            if (mirrors) mirrored = !mirrored;
        }
    }

    // `length` elements. Read away from x they go, not mirrored, on from x's far end (wrap), or, mirrored, back from
    // the near edge, which is not repeated (reflect) or is (symmetric); reflections
    // follow each other in turns.
    Value piece(Dim length, bool is_before, bool mirrored) {
        const Dim inner = mode_ == "reflect" ? 1 : 0;
        if (mirrored) {
            const Value part = slice_axis(builder_, x_, axis_, is_before ? inner : size_ - inner - length, length);
            return flip_axes(builder_, part, {axis_});
        }
        return slice_axis(builder_, x_, axis_, is_before ? size_ - inner - length : inner, length);
    }

    Builder& builder_;
    Value x_;
    std::int64_t axis_;
    Dim size_;
    std::string_view mode_;
};

Value extend(Builder& builder, const BuiltinCall& call, Value x, const Widths& widths, std::string_view mode) {
    for (std::size_t axis = 0; axis < widths.before.size(); ++axis) {
        if (widths.before[axis] == Dim(0) && widths.after[axis] == Dim(0)) continue;
        const Dim size = builder.type(x).shape[axis];
        if (size == Dim(0)) call.fail(0, error("E310", "axis " + std::to_string(axis) + " is empty: there is nothing to pad it with in mode \"" + std::string(mode) + "\""));
        // Each piece is a node: past this, the pad is no padding but a mistake.
        if (widths.before[axis].value() / size.value() > 1000 || widths.after[axis].value() / size.value() > 1000) {
            if (mode != "edge" && size != Dim(1)) call.fail(1, error("E310", "a pad more than 1000 times as wide as its axis").help("use tile"));
        }
        Extension extension(builder, x, static_cast<std::int64_t>(axis), mode);
        std::vector<Value> parts = extension.before(widths.before[axis]);
        std::ranges::reverse(parts);
        parts.push_back(x);
        for (const Value part : extension.after(widths.after[axis])) parts.push_back(part);
        x = concat_values(builder, std::move(parts), static_cast<std::int64_t>(axis));
    }
    return x;
}

Lowered lower_pad(Builder& builder, const BuiltinCall& call) {
    Value x = call.tensor(0);
    const Widths widths = widths_of(call, builder.type(x).rank());
    const std::string& mode = call.text(2);
    if (mode == "edge" || mode == "reflect" || mode == "symmetric" || mode == "wrap") return extend(builder, call, x, widths, mode);
    if (mode != "constant") call.fail(2, error("E310", "pad has no mode \"" + mode + "\"").help("modes: \"constant\", \"edge\", \"reflect\", \"symmetric\", \"wrap\""));
    Value value = tensor_or(builder, call, 3, 0);
    if (!call.given(3) && builder.type(x).dtype == DType::boolean) value = builder.constant(Array::scalar(false));
    const TensorType x_type = builder.type(x), value_type = builder.type(value);
    if (value_type.rank() != 0) call.fail(3, error("E307", "the value to pad with must be a scalar, not " + shape_words(value_type.shape)));
    if (x_type.dtype != value_type.dtype) {
        if (kind_of(value_type.dtype) > kind_of(x_type.dtype)) {
            call.fail(3, error("E302", "the value to pad with is `" + std::string(name_of(value_type.dtype)) + "`, which does not fit a tensor of `" + std::string(name_of(x_type.dtype)) + "`"));
        }
        value = cast(builder, value, x_type.dtype);
    } else if (!x_type.weak) {
        value = cast(builder, value, x_type.dtype);
    }
    return node(builder, "pad", {x, value}, {widths.before, widths.after});
}

// ---- derivatives

std::vector<Value> transpose_concat(const Primal& at, std::span<const Value> cotangents, const std::vector<bool>& wanted) {
    const std::int64_t axis = at.node.integer(0);
    std::vector<Value> parts(at.operands.size());
    Dim start = 0;
    for (std::size_t i = 0; i < parts.size(); ++i) {
        const Dim length = at.builder.type(at.operands[i]).shape[static_cast<std::size_t>(axis)];
        if (wanted[i]) parts[i] = slice_axis(at.builder, cotangents[0], axis, start, length);
        start = start + length;
    }
    return parts;
}

// x gets its part, the value all the rest.
std::vector<Value> transpose_pad(const Primal& at, std::span<const Value> cotangents, const std::vector<bool>& wanted) {
    Builder& builder = at.builder;
    const Dims lengths = builder.type(at.operands[0]).shape;
    const Attributes region{at.node.attributes[0], lengths, Dims(lengths.size(), 1)};
    std::vector<Value> result(2);
    if (wanted[0]) result[0] = node(builder, "slice", {cotangents[0]}, region);
    if (!wanted[1]) return result;
    const Value zeros = zeros_of(builder, builder.type(cotangents[0]).dtype, lengths);
    const Value rest = node(builder, "slice_update", {cotangents[0], zeros}, {region[0], region[1], region[2], std::string("set")});
    std::vector<std::int64_t> axes;
    for (std::size_t axis = 0; axis < lengths.size(); ++axis) axes.push_back(static_cast<std::int64_t>(axis));
    result[1] = reduce(builder, "sum", rest, axes, false);
    return result;
}

} // namespace

std::span<const Op> movement_copy_rows() {
    static constexpr std::array rows = {
        // operands: any number, one dtype. attributes: 0: axis
        Op{.signature = "concat(arrays: tensors, axis: axis = 0)", .doc = "Tensors joined along an existing axis (none: flattened first).",
           .example = "concat(([1, 2], [3])) => [1, 2, 3]", .family = Family::movement, .lower = lower_concat, .type = concat_type, .independence = concat_along, .kernel = concat_kernel, .derivative = Derivative::linear(transpose_concat)},
        Op{.signature = "stack(arrays: tensors, axis: axis = 0)", .doc = "Tensors of one shape joined along a new axis.",
           .example = "stack(([1, 2], [3, 4]), axis=1) => [[1, 3], [2, 4]]", .family = Family::movement, .lower = lower_stack},
        // operands: x, the value (a scalar of x's dtype). attributes: 0: Dims before, 1: Dims after; one each for every axis
        Op{.signature = "pad(x, pad_width: pairs, mode: string = \"constant\", constant_values = 0)",
           .doc = "x with elements added before and after along its axes; modes constant, edge, reflect, symmetric, wrap.",
           .example = "pad([1, 2], (1, 2)) => [0, 1, 2, 0, 0]", .family = Family::movement, .lower = lower_pad, .type = pad_type, .independence = pad_along, .kernel = pad_kernel, .derivative = Derivative::linear(transpose_pad)},
    };
    return rows;
}

} // namespace vmaprun
