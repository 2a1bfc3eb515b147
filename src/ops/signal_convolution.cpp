// conv, and the node it is made of.
#include <algorithm>

#include "base/text.hpp"
#include "ops/call.hpp"
#include "ops/derivative.hpp"
#include "ops/kernels/convolution.hpp"
#include "ops/lowering.hpp"
#include "ops/movement.hpp"
#include "ops/signal.hpp"

namespace vmaprun {
namespace {

// What is left of a size between padding, spread out.
Dim padded_size(Dim size, Dim spread, Dim before, Dim behind) {
    const Dim reach = spread == Dim(1) || size == Dim(0) ? size : (size - 1) * spread + 1;
    return reach + before + behind;
}

Dim dilated(Dim size, Dim dilation) { return dilation == Dim(1) ? size : (size - 1) * dilation + 1; }

std::vector<TensorType> convolution_type(std::span<const TensorType> operands, const Attributes& attributes) {
    const Dims &x = operands[0].shape, &w = operands[1].shape;
    const auto &strides = std::get<Dims>(attributes[0]), &padding = std::get<Dims>(attributes[1]), &dilation = std::get<Dims>(attributes[2]), &spread = std::get<Dims>(attributes[3]);
    TensorType type{operands[0].dtype, {x[0], w[0]}};
    for (std::size_t i = 0; i < strides.size(); ++i) {
        type.shape.push_back(window_count(padded_size(x[2 + i], spread[i], padding[2 * i], padding[2 * i + 1]), dilated(w[2 + i], dilation[i]), strides[i]));
    }
    check_shape(type.shape);
    return {type};
}

// ---- derivative: both transposes are convolutions again

struct Sizes {
    Convolution how;
    Dims x, w, out; // spatial

    std::size_t count() const { return x.size(); }
    Dim reach(std::size_t i) const { return padded_size(x[i], how.spread[i], 0, 0); }         // of x, spread out
    Dim steps(std::size_t i) const { return (w[i] - 1) * how.dilation[i]; }                   // from the first to the last place in w
    Dim walk(std::size_t i) const { return (out[i] - 1) * how.strides[i]; }                   // and of w over x
};

Sizes sizes_of(const Primal& at) {
    const auto spatial = [&](Value value) { return Dims(at.builder.type(value).shape.begin() + 2, at.builder.type(value).shape.end()); };
    return {{at.node.dims(0), at.node.dims(1), at.node.dims(2), at.node.dims(3), at.node.integer(4)}, spatial(at.operands[0]), spatial(at.operands[1]), spatial(at.results[0])};
}

// Axis `axis`, of groups * n, as n and groups exchanged with the axis before it … or behind it: reshape, permute, reshape.
Value regrouped(Builder& builder, Value value, std::int64_t axis, std::int64_t groups, const std::vector<std::int64_t>& front, Dims merged) {
    Dims shape = builder.type(value).shape;
    const auto at = static_cast<std::size_t>(axis);
    const Dim each = floor_divide(shape[at], groups);
    shape[at] = groups;
    shape.insert(shape.begin() + axis + 1, each);
    std::vector<std::int64_t> order = front;
    for (std::size_t i = 3; i < shape.size(); ++i) order.push_back(static_cast<std::int64_t>(i));
    merged.insert(merged.end(), shape.begin() + 3, shape.end());
    return reshape_to(builder, permute(builder, reshape_to(builder, value, shape), order), merged);
}

// Of x: the cotangent, as far spread out as the strides were, with w turned round and its channels exchanged.
Value transpose_for_x(const Primal& at, Value cotangent, Value w) {
    Builder& builder = at.builder;
    const Sizes sizes = sizes_of(at);
    Convolution how{sizes.how.spread, {}, sizes.how.dilation, sizes.how.strides, sizes.how.groups};
    std::vector<std::int64_t> spatial;
    for (std::size_t i = 0; i < sizes.count(); ++i) {
        const Dim before = sizes.steps(i) - sizes.how.padding[2 * i];
        how.padding.insert(how.padding.end(), {before, sizes.reach(i) + sizes.steps(i) - sizes.walk(i) - 1 - before});
        spatial.push_back(static_cast<std::int64_t>(i) + 2);
    }
    const Dims shape = builder.type(w).shape; // [groups * o, c, …] to [groups * c, o, …]
    const Dim outputs = floor_divide(shape[0], how.groups);
    const Value exchanged = regrouped(builder, flip_axes(builder, w, spatial), 0, how.groups, {0, 2, 1}, {shape[1] * how.groups, outputs});
    return convolution(builder, cotangent, exchanged, how);
}

// Of w: x with the cotangent as weights, samples taking the place of channels: strides and dilations change places.
Value transpose_for_w(const Primal& at, Value cotangent, Value x) {
    Builder& builder = at.builder;
    const Sizes sizes = sizes_of(at);
    Convolution how{sizes.how.dilation, {}, sizes.how.strides, sizes.how.spread, sizes.how.groups};
    for (std::size_t i = 0; i < sizes.count(); ++i) {
        const Dim before = sizes.how.padding[2 * i];
        how.padding.insert(how.padding.end(), {before, sizes.steps(i) + sizes.walk(i) + 1 - sizes.reach(i) - before});
    }
    const Dims shape = builder.type(x).shape; // [n, groups * c, …] to [c, groups * n, …]
    const Value exchanged = regrouped(builder, x, 1, how.groups, {2, 1, 0}, {floor_divide(shape[1], how.groups), shape[0] * how.groups});
    return move_axis(builder, convolution(builder, exchanged, move_axis(builder, cotangent, 0, 1), how), 0, 1);
}

// Mapped axes over which a gradient of w is to be summed become samples, so that no gradient a lane is written out.
Value gradient_of_w(const Primal& at, Value cotangent) {
    Builder& builder = at.builder;
    Value x = at.operands[0];
    Lanes left;
    for (const LaneId lane : (*at.summed)[1]) {
        if (!has_lane(builder.lanes(x), lane)) {
            cotangent = sum_over_lane(builder, cotangent, lane);
        } else if (!has_lane(builder.lanes(cotangent), lane)) {
            left.push_back(lane);
        } else {
            for (Value* value : {&x, &cotangent}) {
                *value = builder.unlane(*value, lane, 0);
                Dims shape = builder.type(*value).shape;
                shape[1] = shape[0] * shape[1];
                shape.erase(shape.begin());
                *value = reshape_to(builder, *value, shape);
            }
        }
    }
    (*at.summed)[1] = left;
    return transpose_for_w(at, cotangent, x);
}

std::vector<Value> transpose_convolution(const Primal& at, std::span<const Value> cotangents, const std::vector<bool>& wanted) {
    std::vector<Value> result(2);
    const Dims& out = at.builder.type(at.results[0]).shape;
    if (std::ranges::find(out, Dim(0)) != out.end()) return result; // no results, no slopes
    if (wanted[0]) result[0] = transpose_for_x(at, cotangents[0], at.operands[1]);
    if (wanted[1]) result[1] = gradient_of_w(at, cotangents[0]);
    return result;
}

// ---- the call

// An argument that is one number, or one for each of the spatial axes; each at least 1.
Dims a_number_each(const BuiltinCall& call, std::size_t argument, std::size_t spatial, std::string_view name) {
    Dims numbers = call.integers(argument);
    if (numbers.size() == 1) numbers.resize(spatial, numbers[0]);
    if (numbers.size() != spatial) {
        call.fail(argument, error("E310", std::string(name) + " has " + count_of(static_cast<std::int64_t>(numbers.size()), "number") + " for " + std::to_string(spatial) + " spatial axes"));
    }
    for (const Dim& number : numbers) {
        if (surely_greater(1, number)) call.fail(argument, error("E310", std::string(name) + " is " + number.text() + ", but must be at least 1"));
    }
    return numbers;
}

// Padding that keeps ceil(size / stride) positions: the odd zero goes behind.
void pad_same(Dims& padding, Dim size, Dim window, Dim stride) {
    const Dim count = floor_divide(size + stride - 1, stride), wanted = (count - 1) * stride + window - size;
    const Dim total = wanted.value() > 0 ? wanted : Dim(0), before = floor_divide(total, 2);
    padding.insert(padding.end(), {before, total - before});
}

Dims padding_of(const BuiltinCall& call, const Dims& sizes, const Dims& windows, const Dims& strides) {
    constexpr std::size_t argument = 3;
    const std::size_t spatial = sizes.size();
    Dims padding;
    if (const auto* text = std::get_if<std::string>(&call.argument(argument).value)) {
        if (*text != "valid" && *text != "same") call.fail(argument, error("E310", "padding is \"" + *text + "\", but must be \"valid\", \"same\", or numbers"));
        for (std::size_t i = 0; i < spatial; ++i) {
            if (*text == "same") pad_same(padding, sizes[i], windows[i], strides[i]);
            else padding.insert(padding.end(), {Dim(0), Dim(0)});
        }
        return padding;
    }
    const Dims& given = call.integers(argument);
    if (given.size() == 2 * spatial) padding = given;
    else if (given.size() == 1 || given.size() == spatial) {
        for (std::size_t i = 0; i < spatial; ++i) padding.insert(padding.end(), 2, given[given.size() == 1 ? 0 : i]);
    } else {
        call.fail(argument, error("E310", "padding has " + count_of(static_cast<std::int64_t>(given.size()), "number") + " for " + std::to_string(spatial) + " spatial axes")
                                .help("one number for all, one for each axis, or a pair (before, behind) for each"));
    }
    for (const Dim& number : padding) {
        if (surely_greater(0, number)) call.fail(argument, error("E310", "padding is " + number.text() + ", but can't be negative"));
    }
    return padding;
}

struct Shapes {
    Dims x, w; // x with its n
    bool batched;
};

Shapes shapes_of(Builder& builder, const BuiltinCall& call) {
    Shapes shapes{builder.type(call.tensor(0)).shape, builder.type(call.tensor(1)).shape, true};
    const std::size_t rank = shapes.w.size();
    if (rank < 3 || rank > 5) {
        call.fail(1, error("E307", "w of conv is [o, c / groups, …] with 1 to 3 spatial axes, not " + shape_words(shapes.w)));
    }
    if (shapes.x.size() + 1 == rank) {
        shapes.batched = false;
        shapes.x.insert(shapes.x.begin(), 1);
    }
    if (shapes.x.size() != rank) {
        const std::string spatial = std::to_string(rank - 2);
        call.fail(0, error("E307", "conv with w of " + dims_text(shapes.w) + " takes x of rank " + std::to_string(rank) + ", or " + std::to_string(rank - 1) + " without n: [n, c, …] with as many spatial axes as w (" + spatial + ")"));
    }
    return shapes;
}

std::int64_t groups_of(const BuiltinCall& call, const Shapes& shapes) {
    constexpr std::size_t argument = 5;
    const std::int64_t groups = call.integer(argument).value();
    if (groups < 1) call.fail(argument, error("E310", "groups is " + std::to_string(groups) + ", but must be at least 1"));
    if (!can_agree(shapes.w[1] * groups, shapes.x[1])) {
        const std::size_t axis = shapes.batched ? 1 : 0;
        call.fail(error("E301", "conv needs axis " + std::to_string(axis) + " of x (" + shapes.x[1].text() + " channels) to be " + (groups == 1 ? "" : std::to_string(groups) + " times ") + "axis 1 of w (" + shapes.w[1].text() + ")"));
    }
    if (!shapes.w[0].is_symbolic() && shapes.w[0].value() % groups != 0) {
        call.fail(argument, error("E301", "conv can't share " + shapes.w[0].text() + " results (axis 0 of w) among " + std::to_string(groups) + " groups"));
    }
    return groups;
}

Lowered lower_conv(Builder& builder, const BuiltinCall& call) {
    for (std::size_t i = 0; i < 2; ++i) {
        if (builder.type(call.tensor(i)).dtype == DType::key) call.fail(i, error("E302", "conv needs numbers, not keys"));
    }
    const Shapes shapes = shapes_of(builder, call);
    const std::size_t spatial = shapes.w.size() - 2;
    Convolution how;
    how.groups = groups_of(call, shapes);
    how.strides = a_number_each(call, 2, spatial, "stride");
    how.dilation = a_number_each(call, 4, spatial, "dilation");
    how.spread = Dims(spatial, 1);
    const Dims sizes(shapes.x.begin() + 2, shapes.x.end());
    Dims windows;
    for (std::size_t i = 0; i < spatial; ++i) {
        if (surely_greater(1, shapes.w[2 + i])) call.fail(1, error("E311", "w of conv has no elements along axis " + std::to_string(2 + i) + ": " + dims_text(shapes.w)));
        windows.push_back(dilated(shapes.w[2 + i], how.dilation[i]));
    }
    how.padding = padding_of(call, sizes, windows, how.strides);
    for (std::size_t i = 0; i < spatial; ++i) {
        const Dim padded = sizes[i] + how.padding[2 * i] + how.padding[2 * i + 1];
        if (!surely_greater(windows[i], padded)) continue;
        call.fail(error("E301", "w of conv reaches over " + windows[i].text() + " along axis " + std::to_string(2 + i) + ", and x has " + padded.text() + " there" + (padded == sizes[i] ? "" : " with its padding")));
    }
    std::vector<Value> both = promote_values(builder, {call.tensor(0), call.tensor(1)});
    if (!shapes.batched) both[0] = expand_at(builder, both[0], {0});
    const Value result = convolution(builder, both[0], both[1], how);
    return shapes.batched ? result : squeeze_at(builder, result, {0});
}

} // namespace

Dim window_count(Dim size, Dim window, Dim stride) {
    if (size.value() < window.value()) return 0;
    return stride == Dim(1) ? size - window + 1 : floor_divide(size - window, stride) + 1;
}

Value convolution(Builder& builder, Value x, Value w, const Convolution& how) {
    return node(builder, "convolution", {x, w}, {how.strides, how.padding, how.dilation, how.spread, how.groups});
}

std::span<const Op> convolution_rows() {
    static constexpr std::array rows = {
        // attributes: kernels/convolution.hpp
        Op{.signature = "convolution", .family = Family::signal, .type = convolution_type, .kernel = convolution_kernel, .derivative = Derivative::multilinear(transpose_convolution)},
        Op{.signature = "conv(x, w, stride: ints = 1, padding: padding = \"valid\", dilation: ints = 1, groups: int = 1)",
           .doc = "Sums of products of w (not flipped) with every window of x: x [n, c, …] or [c, …] and w [o, c / groups, …] give [n, o, …] or [o, …]; padding is \"valid\" (none), \"same\", a number, one for each axis, or pairs.",
           .example = "conv([[1, 2, 3, 4]], [[[1, -1]]]) => [[-1, -1, -1]]", .family = Family::signal, .lower = lower_conv},
    };
    return rows;
}

} // namespace vmaprun
