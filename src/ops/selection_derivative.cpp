// The derivatives of index_gather, index_update and slice_update: reading at positions is transposed to adding there.
//
// Of several updates that meet at one position: set: the last one counts; multiply: each with the product of the others;
// min and max: shared evenly among all that are the extreme, the old value too.
#include "ops/derivative.hpp"
#include "ops/movement.hpp"
#include "ops/selection.hpp"

namespace vmaprun {
namespace {

// The positions of an update, whichever way they are given.
class Place {
  public:
    explicit Place(const Primal& at) : at_(at), sliced_(at.node.op->name() == "slice_update") {}

    Builder& builder() const { return at_.builder; }
    bool repeats() const { return !sliced_; } // a position may be met twice
    Value read(Value x) const {
        if (sliced_) return node(at_.builder, "slice", {x}, {at_.node.attributes[0], at_.node.attributes[1], at_.node.attributes[2]});
        return node(at_.builder, "index_gather", with_indices({x}), {at_.node.attributes[0], at_.node.attributes[1], false});
    }
    Value write(Value x, Value update, const char* mode) const {
        if (sliced_) return node(at_.builder, "slice_update", {x, update}, {at_.node.attributes[0], at_.node.attributes[1], at_.node.attributes[2], std::string(mode)});
        return node(at_.builder, "index_update", with_indices({x, update}), {at_.node.attributes[0], at_.node.attributes[1], std::string(mode)});
    }
    const std::string& mode() const { return at_.node.text(sliced_ ? 3 : 2); }

  private:
    std::vector<Value> with_indices(std::vector<Value> operands) const {
        operands.insert(operands.end(), at_.operands.begin() + 2, at_.operands.end());
        return operands;
    }
    const Primal& at_;
    bool sliced_;
};

// The derivatives of the result: by what stood at each element of x, and by each update.
struct Factors {
    Value of_old, of_update; // absent: 1
};

// Set: an update counts where it is the last one at its position.
Factors set_factors(const Primal& at, const Place& place) {
    Builder& builder = at.builder;
    const TensorType type = builder.type(at.operands[0]), update = builder.type(at.operands[1]);
    const Value one = scalar(builder, 1.0, type.dtype);
    Factors factors{place.write(broadcast_to(builder, one, type.shape), zeros_of(builder, type.dtype, update.shape), "set"), {}};
    if (!place.repeats()) return factors;
    const Value numbers = reshape_to(builder, iota_values(builder, {product_of(update.shape)}, 0, DType::i64), update.shape);
    const Value winners = place.write(zeros_of(builder, DType::i64, type.shape), numbers, "set");
    factors.of_update = cast(builder, pointwise(builder, "equal", {place.read(winners), numbers}), type.dtype);
    return factors;
}

Factors multiply_factors(const Primal& at, const Place& place) {
    const Value x = at.operands[0], update = at.operands[1];
    const TensorType type = at.builder.type(x);
    const Formula u{&at.builder, update}, ones{&at.builder, broadcast_to(at.builder, scalar(at.builder, 1.0, type.dtype), type.shape)};
    Factors factors{place.write(ones.value, update, "multiply"), place.read(x)};
    if (!place.repeats()) return factors;
    // The product of the other updates at the position, without dividing by a zero.
    const Formula is_zero = call("equal", u, number_like(u, 0)), one = number_like(u, 1), none = number_like(u, 0);
    const Formula product{&at.builder, place.read(place.write(ones.value, select(is_zero, one, u).value, "multiply"))};
    const Value zero_marks = select(is_zero, one, none).value;
    const Formula zeros{&at.builder, place.read(place.write(zeros_of(at.builder, type.dtype, type.shape), zero_marks, "add"))};
    const Formula of_zero = select(call("equal", zeros, one), product, none);
    const Formula of_other = select(call("equal", zeros, none), product / select(is_zero, one, u), none);
    factors.of_update = (Formula{&at.builder, factors.of_update} * select(is_zero, of_zero, of_other)).value;
    return factors;
}

Factors extreme_factors(const Primal& at, const Place& place) {
    Builder& builder = at.builder;
    const DType dtype = builder.type(at.operands[0]).dtype;
    const Value y = at.results[0];
    const Formula old{&builder, cast(builder, pointwise(builder, "equal", {at.operands[0], y}), dtype)};
    const Formula update{&builder, cast(builder, pointwise(builder, "equal", {at.operands[1], place.read(y)}), dtype)};
    const Formula count{&builder, place.write(old.value, update.value, "add")};
    return {(old / count).value, (update / Formula{&builder, place.read(count.value)}).value};
}

Factors factors_of(const Primal& at, const Place& place) {
    if (place.mode() == "add") return {};
    if (place.mode() == "set") return set_factors(at, place);
    if (place.mode() == "multiply") return multiply_factors(at, place);
    return extreme_factors(at, place);
}

Value times(Builder& builder, Value x, Value factor) { return x && factor ? pointwise(builder, "multiply", {x, factor}) : x; }

} // namespace

std::vector<Value> jvp_update(const Primal& at, std::span<const Value> tangents) {
    const Place place(at);
    if (place.mode() == "set") {
        const Value x = tangents[0] ? tangents[0] : zeros_like(at.builder, at.operands[0]), update = tangents[1] ? tangents[1] : zeros_like(at.builder, at.operands[1]);
        return {place.write(x, update, "set")};
    }
    const Factors factors = factors_of(at, place);
    const Value old = times(at.builder, tangents[0], factors.of_old);
    if (!tangents[1]) return {old};
    return {place.write(old ? old : zeros_like(at.builder, at.operands[0]), times(at.builder, tangents[1], factors.of_update), "add")};
}

std::vector<Value> vjp_update(const Primal& at, std::span<const Value> cotangents, const std::vector<bool>& wanted) {
    const Place place(at);
    const Factors factors = factors_of(at, place);
    std::vector<Value> result(at.operands.size());
    if (wanted[0]) {
        const Value nothing = place.mode() == "set" ? zeros_like(at.builder, at.operands[1]) : Value{};
        result[0] = nothing ? place.write(cotangents[0], nothing, "set") : times(at.builder, cotangents[0], factors.of_old);
    }
    if (wanted[1]) result[1] = times(at.builder, place.read(cotangents[0]), factors.of_update);
    return result;
}

std::vector<Value> transpose_gather(const Primal& at, std::span<const Value> cotangents, const std::vector<bool>&) {
    Builder& builder = at.builder;
    const Dims shape = builder.type(at.operands[0]).shape;
    std::vector<Value> result(at.operands.size()), operands{zeros_of(builder, builder.type(cotangents[0]).dtype, shape), cotangents[0]};
    const std::vector<std::int64_t> axes = at.node.integers(0);
    for (std::size_t i = 0; i < axes.size(); ++i) {
        Value index = at.operands[1 + i];
        if (at.node.boolean(2)) { // reads that were moved inside
            const Value last = builder.constant(shape[static_cast<std::size_t>(axes[i])] - 1);
            const Value from_end = pointwise(builder, "add", {index, builder.constant(shape[static_cast<std::size_t>(axes[i])])});
            index = pointwise(builder, "where", {pointwise(builder, "less", {index, builder.constant(Dim(0))}), from_end, index});
            index = pointwise(builder, "minimum", {pointwise(builder, "maximum", {index, builder.constant(Dim(0))}), last});
        }
        operands.push_back(index);
    }
    result[0] = node(builder, "index_update", std::move(operands), {at.node.attributes[0], at.node.attributes[1], std::string("add")});
    return result;
}

} // namespace vmaprun
