// Statistics that the language can't say: median and quantile join any axes to one, and check q while the graph is built. The
// others (mean, var, std, ptp, norm, logsumexp) stand in trace/prelude.vm. Axes and keepdims as for every reduction; whole numbers are taken as f64, f32 stays f32.
#include <algorithm>
#include <array>
#include <cmath>

#include "ops/composite.hpp"
#include "ops/families.hpp"
#include "ops/lowering.hpp"
#include "ops/movement.hpp"
#include "ops/reduction.hpp"

namespace vmaprun {
namespace {

std::vector<std::int64_t> axes_of(Builder& builder, const BuiltinCall& call, std::size_t argument) {
    return call.axes(argument, builder.type(call.tensor(0)).rank());
}

// ---- quantile and median, by NumPy's linear interpolation

struct Sorted {
    Value values; // [kept..., n], ascending
    Value has_nan; // [kept...]
    Dim count;
    Dims kept_shape; // as the result's sample has it, by keepdims
};

Sorted sorted_over(Builder& builder, const BuiltinCall& call, const std::vector<std::int64_t>& axes, bool keepdims) {
    Value x = as_floating(builder, call.tensor(0));
    const TensorType type = builder.type(x);
    if (is_complex(type.dtype)) call.fail(0, error("E302", std::string(call.op().name()) + " needs real numbers, not `" + std::string(name_of(type.dtype)) + "`"));
    Sorted sorted;
    sorted.count = count_over(type.shape, axes);
    if (sorted.count == Dim(0)) call.fail(0, error("E311", std::string(call.op().name()) + " over no elements"));
    std::vector<std::int64_t> order;
    Dims flat;
    for (std::size_t axis = 0; axis < type.rank(); ++axis) {
        const bool reduced = std::ranges::binary_search(axes, static_cast<std::int64_t>(axis));
        if (!reduced) {
            order.push_back(static_cast<std::int64_t>(axis));
            flat.push_back(type.shape[axis]);
            sorted.kept_shape.push_back(type.shape[axis]);
        } else if (keepdims) {
            sorted.kept_shape.emplace_back(1);
        }
    }
    order.insert(order.end(), axes.begin(), axes.end());
    flat.push_back(sorted.count);
    x = reshape_to(builder, permute(builder, x, order), flat);
    const auto last = static_cast<std::int64_t>(flat.size()) - 1;
    sorted.values = call_row(builder, "sort", {x});
    sorted.has_nan = reduce(builder, "any", pointwise(builder, "isnan", {x}), {last}, false);
    return sorted;
}

// q as f64, of rank 0 or 1, and in [0, 1] where that is known.
Value checked_quantile(Builder& builder, const BuiltinCall& call, Value q) {
    const TensorType type = builder.type(q);
    if (kind_of(type.dtype) > Kind::floating) call.fail(1, error("E302", "q must be real, not `" + std::string(name_of(type.dtype)) + "`"));
    if (type.rank() > 1) call.fail(1, error("E307", "q must be a number or a vector of them, not " + shape_words(type.shape)));
    q = cast(builder, q, DType::f64);
    if (const auto constant = builder.static_value(q)) {
        const Array numbers = constant->contiguous();
        for (std::int64_t i = 0; i < numbers.size(); ++i) {
            const double number = numbers.as<double>()[i];
            if (!(number >= 0 && number <= 1)) call.fail(1, error("E310", "q must be from 0 to 1"));
        }
    }
    return q;
}

// By NumPy's linear interpolation; b's share of the way from a is `part`.
Value on_the_line(Builder& builder, Value a, Value b, Value part) {
    const auto apply = [&](std::string_view op, std::vector<Value> operands) { return pointwise(builder, op, std::move(operands)); };
    const Value step = apply("subtract", {b, a});
    const Value from_below = apply("add", {a, apply("multiply", {step, part})});
    const Value from_above = apply("subtract", {b, apply("multiply", {step, apply("subtract", {literal(builder, 1), part})})});
    const Value between = apply("where", {apply("less", {part, literal(builder, 0.5)}), from_below, from_above});
    // Where a and b are one infinity there is no step between them. (Equal ones that are finite keep both their shares in derivatives.)
    const Value no_step = apply("logical_and", {apply("equal", {a, b}), apply("isinf", {a})});
    return apply("where", {no_step, a, between});
}

// (a + b) / 2, also where a + b is too large.
Value mean_of_two(Builder& builder, Value a, Value b) {
    const auto apply = [&](std::string_view op, std::vector<Value> operands) { return pointwise(builder, op, std::move(operands)); };
    const Value sum = apply("add", {a, b}), half = literal(builder, 0.5);
    return apply("where", {apply("isfinite", {sum}), apply("multiply", {sum, half}), apply("add", {apply("multiply", {a, half}), apply("multiply", {b, half})})});
}

enum class Between { line, mean };

Value quantile_of(Builder& builder, const BuiltinCall& call, Value q, Between between, std::size_t axis_argument, bool keepdims) {
    const Sorted sorted = sorted_over(builder, call, axes_of(builder, call, axis_argument), keepdims);
    const auto apply = [&](std::string_view op, std::vector<Value> operands) { return pointwise(builder, op, std::move(operands)); };
    const auto last = static_cast<std::int64_t>(builder.type(sorted.values).rank()) - 1;
    const Value top = builder.constant(sorted.count - 1);
    const Value position = apply("multiply", {q, top});
    const Value low = cast(builder, apply("floor", {apply("minimum", {apply("maximum", {position, literal(builder, 0)}), top})}), DType::i64);
    const Value high = apply("minimum", {apply("add", {low, builder.constant(Dim(1))}), top});
    const DType dtype = builder.type(sorted.values).dtype;
    const Value a = gather(builder, sorted.values, {low}, {last}, 0), b = gather(builder, sorted.values, {high}, {last}, 0);
    Value part = cast(builder, apply("subtract", {position, low}), dtype);
    Dims aligned = builder.type(q).shape; // q's axes first, then the kept ones
    aligned.resize(builder.type(a).rank(), 1);
    part = reshape_to(builder, part, aligned);
    Value result = between == Between::line ? on_the_line(builder, a, b, part) : mean_of_two(builder, a, b);
    result = apply("where", {apply("equal", {part, literal(builder, 0)}), a, result});
    const Value outside = apply("logical_not", {apply("logical_and", {apply("greater_equal", {q, literal(builder, 0)}), apply("less_equal", {q, literal(builder, 1)})})});
    const Value bad = apply("logical_or", {sorted.has_nan, reshape_to(builder, outside, aligned)});
    result = apply("where", {bad, literal(builder, std::nan("")), result});
    Dims shape = builder.type(q).shape;
    shape.insert(shape.end(), sorted.kept_shape.begin(), sorted.kept_shape.end());
    return reshape_to(builder, result, shape);
}

Lowered lower_quantile(Builder& builder, const BuiltinCall& call) {
    const Value q = checked_quantile(builder, call, call.tensor(1));
    const TensorType& type = builder.type(call.tensor(0));
    const std::vector<std::int64_t> axes = axes_of(builder, call, 2);
    if (is_complex(type.dtype) || count_over(type.shape, axes) != Dim(0)) return quantile_of(builder, call, q, Between::line, 2, call.boolean(3));
    const Value none = mean_over(builder, call.tensor(0), axes, call.boolean(3)); // NaN
    Dims shape = builder.type(q).shape;
    shape.insert(shape.end(), builder.type(none).shape.begin(), builder.type(none).shape.end());
    return broadcast_to(builder, none, shape);
}

Lowered lower_median(Builder& builder, const BuiltinCall& call) {
    const TensorType& type = builder.type(call.tensor(0));
    const std::vector<std::int64_t> axes = axes_of(builder, call, 1);
    if (!is_complex(type.dtype) && count_over(type.shape, axes) == Dim(0)) return mean_over(builder, call.tensor(0), axes, call.boolean(2)); // NaN
    return quantile_of(builder, call, scalar(builder, 0.5, DType::f64), Between::mean, 1, call.boolean(2));
}

} // namespace

std::span<const Op> statistics_rows() {
    static constexpr std::array rows = {
        Op{.signature = "median(x, axis: axes = none, keepdims: bool = false)", .doc = "The middle element over axes in order of size, or the mean of the two in the middle; NaN where there is one.",
           .example = "median([5, 1, 2, 4]) => 3.0", .family = Family::reduction, .lower = lower_median},
        Op{.signature = "quantile(x, q, axis: axes = none, keepdims: bool = false)", .doc = "The value below which the part q of the elements over axes lies, between two elements by linear interpolation; of several q, one after another along a new first axis.",
           .example = "quantile([0.0, 10.0], 0.25) => 2.5", .family = Family::reduction, .lower = lower_quantile},
    };
    return rows;
}

} // namespace vmaprun
