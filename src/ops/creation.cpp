// The creation family. Constant tensors are one scalar looked at with strides of 0 (broadcast_to), so zeros((n, m)) costs
// nothing until somebody writes into it. Without a dtype the results of weak arguments are weak: such rows have a weak
// constant operand, from which the Builder takes the weakness.
#include <algorithm>
#include <array>
#include <cmath>

#include "ops/call.hpp"
#include "ops/families.hpp"
#include "ops/lane_iteration.hpp"
#include "ops/lowering.hpp"
#include "ops/movement.hpp"

namespace vmaprun {
namespace {

// ---- one value everywhere

Value one_number(Builder& builder, std::int64_t number, std::optional<DType> dtype) {
    if (!dtype) return builder.constant(Array::scalar(static_cast<double>(number)), true);
    if (*dtype == DType::key) throw UserError(error("E305", "a key can't be made of a number").help("use key(seed)"));
    if (*dtype == DType::boolean) return builder.constant(Array::scalar(number != 0));
    return scalar(builder, number, *dtype);
}

Value everywhere(Builder& builder, Value value, const Dims& shape) {
    check_shape(shape);
    return broadcast_to(builder, value, shape);
}

Lowered lower_zeros(Builder& builder, const BuiltinCall& call) { return everywhere(builder, one_number(builder, 0, call.dtype(1)), call.integers(0)); }
Lowered lower_ones(Builder& builder, const BuiltinCall& call) { return everywhere(builder, one_number(builder, 1, call.dtype(1)), call.integers(0)); }

Lowered lower_full(Builder& builder, const BuiltinCall& call) {
    Value value = call.tensor(1);
    if (const auto dtype = call.dtype(2)) value = cast(builder, value, *dtype);
    return everywhere(builder, value, call.integers(0));
}

Value like(Builder& builder, const BuiltinCall& call, std::int64_t number) {
    const TensorType type = builder.type(call.tensor(0));
    const auto dtype = call.dtype(1);
    if (!dtype && type.dtype == DType::key) call.fail(0, error("E302", "a key has no zero and no one"));
    Value value = one_number(builder, number, dtype.value_or(type.dtype));
    if (!dtype && type.weak) value = builder.constant(*builder.static_value(value), true);
    return everywhere(builder, value, type.shape);
}

Lowered lower_zeros_like(Builder& builder, const BuiltinCall& call) { return like(builder, call, 0); }
Lowered lower_ones_like(Builder& builder, const BuiltinCall& call) { return like(builder, call, 1); }

Lowered lower_full_like(Builder& builder, const BuiltinCall& call) {
    const TensorType type = builder.type(call.tensor(0));
    const Value value = call.tensor(1);
    const bool stays_weak = !call.dtype(2) && type.weak && builder.type(value).weak;
    return everywhere(builder, stays_weak ? builder.add(op_named("cast"), {value}, {type.dtype, true}) : cast(builder, value, call.dtype(2).value_or(type.dtype)), type.shape);
}

// ---- iota

std::vector<TensorType> iota_type(std::span<const TensorType>, const Attributes& attributes) {
    const Dims& shape = std::get<Dims>(attributes[0]);
    check_shape(shape);
    return {{std::get<DType>(attributes[2]), shape}};
}

template <class T> T number_as(std::int64_t number) {
    if constexpr (std::is_same_v<T, bool>) return number != 0;
    else if constexpr (std::is_same_v<T, KeyWords>) return {};
    else if constexpr (is_complex_type<T>) return T(static_cast<typename T::value_type>(number));
    else return static_cast<T>(number);
}

void iota_kernel(const KernelCall& call) {
    const View& result = call.results[0];
    const auto axis = call.lanes.size() + static_cast<std::size_t>(call.node->integer(1));
    const std::int64_t inner = element_count(std::span<const std::int64_t>(result.shape).subspan(axis + 1)), extent = result.shape[axis];
    visit_dtype(result.dtype, [&]<class T>(TypeTag<T>) {
        T* out = result.as<T>();
        run_in_parts(call.parallel, result.size(), 1 << 16, [&](std::int64_t begin, std::int64_t end) {
            if (inner == 1) {
                std::int64_t number = begin % extent;
                for (std::int64_t i = begin; i < end; ++i) {
                    out[i] = number_as<T>(number);
                    if (++number == extent) number = 0;
                }
            } else {
                for (std::int64_t i = begin; i < end; ++i) out[i] = number_as<T>(i / inner % extent);
            }
        });
    });
}

// ---- arange: start + i * step, each element by itself

std::vector<TensorType> arange_type(std::span<const TensorType>, const Attributes& attributes) {
    check_shape(std::get<Dims>(attributes[0]));
    return {{std::get<DType>(attributes[1]), std::get<Dims>(attributes[0])}};
}

template <class Number, class T> T arange_element(Number start, Number step, std::int64_t i) {
    if constexpr (std::is_same_v<T, KeyWords>) {
        return {};
    } else if constexpr (std::is_same_v<Number, double>) {
        const double number = start + static_cast<double>(i) * step;
        if constexpr (is_complex_type<T>) return T(static_cast<typename T::value_type>(number));
        else if constexpr (std::is_same_v<T, bool>) return number != 0;
        else if constexpr (std::is_floating_point_v<T>) return static_cast<T>(number);
        else return std::fabs(number) < 9.2e18 ? static_cast<T>(static_cast<std::int64_t>(number)) : T{}; // out of range is no number: 0
    } else {
        return number_as<T>(static_cast<std::int64_t>(static_cast<std::uint64_t>(start) + static_cast<std::uint64_t>(i) * static_cast<std::uint64_t>(step)));
    }
}

void arange_kernel(const KernelCall& call) {
    const std::int64_t length = result_shape(call, 0)[0];
    visit_dtype(call.results[0].dtype, [&]<class T>(TypeTag<T>) {
        const auto run = [&]<class Number>(TypeTag<Number>) {
            for_each_lane(call, grain_for(length), [&](std::int64_t, std::byte* const* at) {
                const Number start = *lane_data<Number>(at, 0), step = *lane_data<Number>(at, 1);
                T* out = lane_data<T>(at, 2);
                for (std::int64_t i = 0; i < length; ++i) out[i] = arange_element<Number, T>(start, step, i);
            });
        };
        if (call.operands[0].dtype == DType::i64) run(TypeTag<std::int64_t>{});
        else run(TypeTag<double>{});
    });
}

// A bound of arange or linspace: a constant scalar.
struct Bound {
    Value value;
    std::optional<Dim> whole;
    double number = 0;
};

Bound bound_of(Builder& builder, const BuiltinCall& call, std::size_t i, Value value) {
    const TensorType& type = builder.type(value);
    if (type.rank() != 0) call.fail(i, error("E307", "a scalar is wanted here, not " + shape_words(type.shape)));
    Bound bound{value, builder.static_int(value)};
    const auto constant = builder.static_value(value);
    if (!bound.whole && !constant) {
        call.fail(i, error("E310", "the length of a tensor must be known before anything runs: this bound is computed").help("use a constant, or a scalar int input"));
    }
    if (kind_of(type.dtype) > Kind::floating) call.fail(i, error("E302", "a bound must be a real number, not `" + std::string(name_of(type.dtype)) + "`"));
    bound.number = bound.whole ? static_cast<double>(bound.whole->value()) : visit_dtype(constant->dtype(), [&]<class T>(TypeTag<T>) {
        if constexpr (std::is_arithmetic_v<T>) return static_cast<double>(*constant->as<T>());
        else return 0.0;
    });
    return bound;
}

// The number of whole steps from start until stop is reached or passed.
Dim arange_length(const BuiltinCall& call, const Bound& start, const Bound& stop, const Bound& step) {
    if (step.number == 0) call.fail(2, error("E310", "the step of arange can't be 0"));
    if (start.whole && stop.whole && step.whole) {
        const bool up = step.number > 0;
        const std::int64_t stride = std::max(step.whole->value(), -INT64_MAX);
        const Dim distance = up ? *stop.whole - *start.whole : *start.whole - *stop.whole;
        if ((up ? stop.number - start.number : start.number - stop.number) <= 0) return 0;
        if (distance.value() <= 0) call.fail(error("E310", "arange has more elements than can be counted"));
        return stride == 1 || stride == -1 ? distance : floor_divide(distance - 1, up ? stride : -stride) + 1;
    }
    const double length = std::ceil((stop.number - start.number) / step.number);
    if (!(length < 4e18)) call.fail(error("E310", "arange has no finite length"));
    return length > 0 ? static_cast<std::int64_t>(length) : 0;
}

// The bound as an operand: i64 or f64, strong exactly when the result has to be.
Value arange_operand(Builder& builder, const Bound& bound, bool whole, bool weak) {
    if (whole) return builder.constant(Array::scalar(bound.whole->value()), weak);
    return builder.constant(Array::scalar(bound.number), weak);
}

Lowered lower_arange(Builder& builder, const BuiltinCall& call) {
    Bound start = bound_of(builder, call, 0, call.tensor(0));
    Bound stop = start;
    if (call.is_none(1)) start = bound_of(builder, call, 0, builder.constant(Dim(0)));
    else stop = bound_of(builder, call, 1, tensor_or(builder, call, 1, 0));
    const Bound step = bound_of(builder, call, 2, tensor_or(builder, call, 2, 1));
    const Dim length = arange_length(call, start, stop, step);
    const Promoted common = promote_types(std::vector{builder.type(start.value), builder.type(stop.value), builder.type(step.value)});
    const bool whole = start.whole && step.whole, weak = common.weak && !call.dtype(3);
    const DType dtype = call.dtype(3).value_or(common.dtype);
    return node(builder, "arange", {arange_operand(builder, start, whole, weak), arange_operand(builder, step, whole, weak)}, {Dims{length}, dtype});
}

// ---- linspace: start + i * step with step = (stop - start) / (num - 1), and exactly stop at the end, as NumPy

Lowered lower_linspace(Builder& builder, const BuiltinCall& call) {
    const Dim count = call.integer(2);
    check_shape({count});
    std::vector<Value> bounds = promote_values(builder, {call.tensor(0), call.tensor(1)});
    for (std::size_t i = 0; i < 2; ++i) {
        const TensorType type = builder.type(bounds[i]);
        if (type.rank() != 0) call.fail(i, error("E307", "linspace goes between scalars, not from or to " + shape_words(type.shape)));
        if (kind_of(type.dtype) < Kind::floating) bounds[i] = pointwise(builder, "multiply", {bounds[i], builder.constant(Array::scalar(1.0), true)});
    }
    const bool endpoint = call.boolean(4);
    const Dim steps = endpoint ? count - 1 : count;
    Value result;
    const auto line = [&](Dim length) {
        const auto number = [&](double value) { return builder.constant(Array::scalar(value), true); };
        const Value index = node(builder, "arange", {number(0), number(1)}, {Dims{length}, DType::f64});
        const Value span = pointwise(builder, "subtract", {bounds[1], bounds[0]});
        const Value parts = pointwise(builder, "multiply", {builder.constant(steps), number(1)});
        const Value step = pointwise(builder, "divide", {span, parts});
        return pointwise(builder, "add", {pointwise(builder, "multiply", {index, step}), bounds[0]});
    };
    if (count.value() <= 0) result = broadcast_to(builder, bounds[0], {count});
    else if (count == Dim(1)) result = expand_at(builder, bounds[0], {0});
    else if (!endpoint) result = line(count);
    else result = concat_values(builder, {line(count - 1), expand_at(builder, bounds[1], {0})}, 0);
    if (const auto dtype = call.dtype(3)) {
        if (is_integer(*dtype) && is_floating(builder.type(result).dtype)) result = pointwise(builder, "floor", {result});
        result = cast(builder, result, *dtype);
    }
    return result;
}

// ---- eye, triangle_mask, one_hot

std::vector<TensorType> eye_type(std::span<const TensorType> operands, const Attributes& attributes) {
    check_shape(std::get<Dims>(attributes[0]));
    return {{operands[0].dtype, std::get<Dims>(attributes[0])}};
}

void eye_kernel(const KernelCall& call) {
    const auto shape = result_shape(call, 0);
    const std::int64_t rows = shape[0], columns = shape[1], k = call.node->integer(1);
    visit_dtype(call.results[0].dtype, [&]<class T>(TypeTag<T>) {
        for_each_lane(call, grain_for(rows * columns), [&](std::int64_t, std::byte* const* at) {
            const T one = *lane_data<T>(at, 0);
            T* out = lane_data<T>(at, 1);
            std::fill_n(out, rows * columns, T{});
            for (std::int64_t row = std::max<std::int64_t>(0, -k); row < rows && row + k < columns; ++row) out[row * columns + row + k] = one;
        });
    });
}

Lowered lower_eye(Builder& builder, const BuiltinCall& call) {
    const Dim rows = call.integer(0), columns = call.is_none(1) ? rows : call.integer(1);
    const std::int64_t limit = std::int64_t{1} << 61;
    const std::int64_t k = std::clamp(call.integer(2).value(), -limit, limit);
    return node(builder, "eye", {one_number(builder, 1, call.dtype(3))}, {Dims{rows, columns}, k});
}

std::vector<TensorType> mask_type(std::span<const TensorType>, const Attributes& attributes) {
    check_shape(std::get<Dims>(attributes[0]));
    return {{DType::boolean, std::get<Dims>(attributes[0])}};
}

void mask_kernel(const KernelCall& call) {
    const auto shape = result_shape(call, 0);
    const std::int64_t rows = shape[0], columns = shape[1], k = call.node->integer(1);
    for_each_lane(call, grain_for(rows * columns), [&](std::int64_t, std::byte* const* at) {
        bool* out = lane_data<bool>(at, 0);
        for (std::int64_t row = 0; row < rows; ++row) {
            const std::int64_t ones = std::clamp<std::int64_t>(row + k + 1, 0, columns);
            std::fill_n(std::fill_n(out + row * columns, ones, true), columns - ones, false);
        }
    });
}

// JAX's, with f32 for its float: 0 and 1 are exact in it, and it never widens what it meets.
Lowered lower_one_hot(Builder& builder, const BuiltinCall& call) {
    const Value x = index_values(builder, call.tensor(0));
    const Dim classes = call.integer(1);
    check_shape({classes});
    Dims shape = builder.type(x).shape;
    shape.push_back(classes);
    check_shape(shape);
    const auto last = static_cast<std::int64_t>(shape.size()) - 1;
    const Value numbers = iota_values(builder, shape, last, DType::i64);
    const Value hits = pointwise(builder, "equal", {broadcast_to(builder, expand_at(builder, x, {last}), shape), numbers});
    return cast(builder, hits, call.dtype(2).value_or(DType::f32));
}

} // namespace

std::span<const Op> creation_ops() {
    static constexpr std::array rows = {
        Op{.signature = "zeros(shape: shape, dtype: dtype = none)", .doc = "A tensor of zeros.", .example = "zeros((2,)) => [0.0, 0.0]",
           .family = Family::creation, .lower = lower_zeros},
        Op{.signature = "ones(shape: shape, dtype: dtype = none)", .doc = "A tensor of ones.", .example = "ones((2,)) => [1.0, 1.0]",
           .family = Family::creation, .lower = lower_ones},
        Op{.signature = "full(shape: shape, fill_value, dtype: dtype = none)", .doc = "A tensor of one value.", .example = "full((2,), 7) => [7, 7]",
           .family = Family::creation, .lower = lower_full},
        Op{.signature = "zeros_like(x, dtype: dtype = none)", .doc = "Zeros in the shape and dtype of x.", .example = "zeros_like([1, 2]) => [0, 0]",
           .family = Family::creation, .lower = lower_zeros_like},
        Op{.signature = "ones_like(x, dtype: dtype = none)", .doc = "Ones in the shape and dtype of x.", .example = "ones_like([1, 2]) => [1, 1]",
           .family = Family::creation, .lower = lower_ones_like},
        Op{.signature = "full_like(x, fill_value, dtype: dtype = none)", .doc = "One value in the shape and dtype of x.", .example = "full_like([1, 2], 7) => [7, 7]",
           .family = Family::creation, .lower = lower_full_like},
        // no operands. attributes: 0: Dims shape, 1: axis along which it counts, 2: DType
        Op{.signature = "iota", .family = Family::creation, .type = iota_type, .kernel = iota_kernel, .derivative = Derivative::none()},
        // operands: start, step (scalars, both i64 or both f64). attributes: 0: Dims of the length alone, 1: DType of the result
        Op{.signature = "arange(start, stop = none, step = 1, dtype: dtype = none)", .doc = "Numbers from start (or 0) up to but without stop, in steps.",
           .example = "arange(3) => [0, 1, 2]", .family = Family::creation, .lower = lower_arange, .type = arange_type, .kernel = arange_kernel, .derivative = Derivative::none()},
        Op{.signature = "linspace(start, stop, num: int, dtype: dtype = none, endpoint: bool = true)", .doc = "num numbers evenly spaced from start to stop.",
           .example = "linspace(0, 1, 3) => [0.0, 0.5, 1.0]", .family = Family::creation, .lower = lower_linspace},
        // operand: the one (a scalar). attributes: 0: Dims rows and columns, 1: k
        Op{.signature = "eye(n_rows: int, n_cols: int = none, k: int = 0, dtype: dtype = none)", .doc = "A matrix with ones on the k-th diagonal and zeros elsewhere.",
           .example = "eye(2) => [[1.0, 0.0], [0.0, 1.0]]", .family = Family::creation, .lower = lower_eye, .type = eye_type, .kernel = eye_kernel, .derivative = Derivative::none()},
        // no operands. attributes: 0: Dims rows and columns, 1: k: true where column <= row + k
        Op{.signature = "triangle_mask", .family = Family::creation, .type = mask_type, .kernel = mask_kernel, .derivative = Derivative::none()},
        Op{.signature = "one_hot(x, num_classes: int, dtype: dtype = none)", .doc = "A new last axis that is 1 at the position x says and 0 elsewhere (f32 unless told).",
           .example = "one_hot(1, 3) => [0.0, 1.0, 0.0]", .family = Family::creation, .lower = lower_one_hot},
    };
    return rows;
}

} // namespace vmaprun
