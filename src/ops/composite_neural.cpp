// Layers of neural networks that the language can't say: layer_norm and rms_norm lay their weights along any axes, and
// cross_entropy goes by the kind of its labels. The others stand in trace/prelude.vm.
#include <algorithm>
#include <array>

#include "ops/composite.hpp"
#include "ops/contraction.hpp"
#include "ops/lowering.hpp"
#include "ops/movement.hpp"
#include "ops/reduction.hpp"

namespace vmaprun {
namespace {

// A weight or bias over the normalised axes, with axes of 1 for the others.
Value aligned(Builder& builder, const BuiltinCall& call, std::size_t argument, Value parameter, const Dims& shape, const std::vector<std::int64_t>& axes) {
    const Dims own = builder.type(parameter).shape;
    if (own.empty()) return parameter;
    bool fits = own.size() == axes.size();
    for (std::size_t i = 0; fits && i < axes.size(); ++i) fits = !surely_different(own[i], shape[static_cast<std::size_t>(axes[i])]);
    if (!fits) {
        Dims wanted;
        for (const std::int64_t axis : axes) wanted.push_back(shape[static_cast<std::size_t>(axis)]);
        call.fail(argument, error("E301", std::string(call.op().name()) + " normalises over axes of " + dims_text(wanted) + ", and this parameter is " + dims_text(own)));
    }
    Dims spread(shape.size(), 1);
    for (std::size_t i = 0; i < axes.size(); ++i) spread[static_cast<std::size_t>(axes[i])] = own[i];
    return reshape_to(builder, parameter, spread);
}

Value scaled(Builder& builder, Value x, Value mean_square, double epsilon) {
    const Value root = pointwise(builder, "sqrt", {pointwise(builder, "add", {mean_square, literal(builder, epsilon)})});
    return pointwise(builder, "divide", {x, root});
}

Lowered lower_layer_norm(Builder& builder, const BuiltinCall& call) {
    const Value x = as_floating(builder, call.tensor(0));
    const Dims shape = builder.type(x).shape;
    const std::vector<std::int64_t> axes = call.axes(3, shape.size());
    const Value centred = pointwise(builder, "subtract", {x, mean_over(builder, x, axes, true)});
    Value result = scaled(builder, centred, mean_over(builder, squared_magnitude(builder, centred), axes, true), call.number(4));
    if (const auto weight = call.optional_tensor(1)) result = pointwise(builder, "multiply", {result, aligned(builder, call, 1, *weight, shape, axes)});
    if (const auto bias = call.optional_tensor(2)) result = pointwise(builder, "add", {result, aligned(builder, call, 2, *bias, shape, axes)});
    return result;
}

Lowered lower_rms_norm(Builder& builder, const BuiltinCall& call) {
    const Value x = as_floating(builder, call.tensor(0));
    const Dims shape = builder.type(x).shape;
    const std::vector<std::int64_t> axes = call.axes(2, shape.size());
    Value result = scaled(builder, x, mean_over(builder, squared_magnitude(builder, x), axes, true), call.number(3));
    if (const auto weight = call.optional_tensor(1)) result = pointwise(builder, "multiply", {result, aligned(builder, call, 1, *weight, shape, axes)});
    return result;
}

// ---- cross_entropy

// By class: logsumexp(logits) - logits[label]. By probabilities p of the classes: sum(p * (logsumexp(logits) - logits)).
Lowered lower_cross_entropy(Builder& builder, const BuiltinCall& call) {
    const Value logits = as_floating(builder, call.tensor(0)), label = call.tensor(1);
    const Dims shape = builder.type(logits).shape;
    if (shape.empty()) call.fail(0, error("E307", "cross_entropy needs one logit for each class along the last axis, not a scalar"));
    const TensorType label_type = builder.type(label);
    const bool by_class = is_integer(label_type.dtype);
    Dims wanted = shape;
    if (by_class) wanted.pop_back();
    bool fits = label_type.rank() == wanted.size();
    for (std::size_t i = 0; fits && i < wanted.size(); ++i) fits = !surely_different(wanted[i], label_type.shape[i]);
    if (!fits) {
        call.fail(1, error("E301", "cross_entropy of logits " + dims_text(shape) + " needs " + (wanted.empty() ? "one label" : (by_class ? "labels of shape " : "probabilities of shape ") + dims_text(wanted)) + ", not " + shape_words(label_type.shape))
                         .help("whole numbers are classes; floats are the probabilities of every class"));
    }
    const auto last = static_cast<std::int64_t>(shape.size()) - 1;
    // Shifted first: the difference of two large numbers would lose the loss.
    const Value shifted = pointwise(builder, "subtract", {logits, finite_maximum(builder, logits, {last})});
    const Value total = pointwise(builder, "log", {reduce(builder, "sum", pointwise(builder, "exp", {shifted}), {last}, true)});
    if (by_class) {
        const Value chosen = take_along(builder, shifted, index_values(builder, expand_at(builder, label, {last})), last);
        return squeeze_at(builder, pointwise(builder, "subtract", {total, chosen}), {last});
    }
    const Value parts = pointwise(builder, "multiply", {label, pointwise(builder, "subtract", {total, shifted})});
    const Value none = pointwise(builder, "equal", {label, literal(builder, 0)}); // an impossible class costs nothing, whatever its logit
    return reduce(builder, "sum", pointwise(builder, "where", {none, literal(builder, 0), parts}), {last}, false);
}

} // namespace

std::span<const Op> neural_rows() {
    static constexpr std::array rows = {
        Op{.signature = "layer_norm(x, weight = none, bias = none, axis: axes = -1, eps: number = 1e-5)", .doc = "x with its mean taken off and scaled to variance 1 over axes; then times weight, plus bias.",
           .example = "layer_norm([1.0, 3.0], eps=0.0) => [-1.0, 1.0]", .family = Family::reduction, .lower = lower_layer_norm},
        Op{.signature = "rms_norm(x, weight = none, axis: axes = -1, eps: number = 1e-5)", .doc = "x scaled to a mean square of 1 over axes; then times weight.",
           .example = "rms_norm([3.0, 3.0], eps=0.0) => [1.0, 1.0]", .family = Family::reduction, .lower = lower_rms_norm},
        Op{.signature = "cross_entropy(logits, label)", .doc = "The loss of logits along the last axis against a class (a whole number) or the probabilities of all classes.",
           .example = "cross_entropy([0.0, 0.0], 1) => 0.6931471805599453", .family = Family::reduction, .lower = lower_cross_entropy},
    };
    return rows;
}

} // namespace vmaprun
