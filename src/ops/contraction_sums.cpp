// Sums that are contractions: sum(x * y) becomes dot_general, and sum((x - y)^2) a node of its own, wherever the sum is
// written (sum, mean, norm …) and before any transform sees it. So pairwise patterns under nested vmaps, whose operands vary
// over different lanes, run as register-blocked products and are never written out.
//
// What decides is the sample's own graph alone: both factors must be there along every summed axis (a factor that is
// spread there scales the sum, and element-wise kernels do that better), and be different values (a sum of squares reads
// one tensor; it stays a fused pass over it). Constants that were folded count as what they were folded from.
#include <algorithm>

#include "ops/contraction.hpp"
#include "ops/lowering.hpp"
#include "ops/movement.hpp"

namespace vmaprun {
namespace {

struct Pair {
    const char* op; // of the node that takes them
    Value a, b;
};

std::optional<Pair> difference(Builder& builder, Value x) {
    const Node node = builder.made_by(x);
    if (node.op->name() != "subtract") return std::nullopt;
    return Pair{"squared_distance", node.operands[0], node.operands[1]};
}

std::optional<Pair> factors(Builder& builder, Value x) {
    const Node node = builder.made_by(x);
    if (node.op->name() == "square") return difference(builder, node.operands[0]);
    if (node.op->name() != "multiply") return std::nullopt;
    if (node.operands[0] == node.operands[1]) return difference(builder, node.operands[0]);
    return Pair{"dot_general", node.operands[0], node.operands[1]};
}

// Whether x has elements of its own along the axis (counted from the last), rather than one that is spread.
bool is_spread(Builder& builder, Value x, std::size_t from_last) {
    for (;;) {
        const Dims& shape = builder.type(x).shape;
        const Node node = builder.made_by(x);
        if (node.op->name() != "broadcast_to") return false;
        const Value source = node.operands[0];
        const Dims& before = builder.type(source).shape;
        if (before.size() <= from_last) return true;
        if (before[before.size() - 1 - from_last] == Dim(1) && !(shape[shape.size() - 1 - from_last] == Dim(1))) return true;
        x = source;
    }
}

} // namespace

std::optional<Value> sum_as_contraction(Builder& builder, Value x, const std::vector<std::int64_t>& axes, bool keepdims) {
    const TensorType type = builder.type(x);
    if (kind_of(type.dtype) != Kind::floating || axes.empty()) return std::nullopt;
    const auto pair = factors(builder, x);
    if (!pair) return std::nullopt;
    const std::size_t rank = type.rank();
    for (const Value side : {pair->a, pair->b}) {
        if (builder.type(side).dtype != type.dtype || builder.type(side).shape != type.shape) return std::nullopt;
        if (std::ranges::any_of(axes, [&](std::int64_t axis) { return is_spread(builder, side, rank - 1 - static_cast<std::size_t>(axis)); })) return std::nullopt;
    }
    std::vector<std::int64_t> order;
    for (std::int64_t axis = 0; axis < static_cast<std::int64_t>(rank); ++axis) {
        if (std::ranges::find(axes, axis) == axes.end()) order.push_back(axis);
    }
    const auto kept = static_cast<std::int64_t>(order.size());
    order.insert(order.end(), axes.begin(), axes.end());
    // Every axis that is kept is one of both sides; the kernel sees by the strides which side doesn't vary along it.
    const Value sum = node(builder, pair->op, {permute(builder, pair->a, order), permute(builder, pair->b, order)}, {kept, static_cast<std::int64_t>(axes.size())});
    return keepdims ? expand_at(builder, sum, axes) : sum;
}

} // namespace vmaprun
