// The random family: keys, and what is drawn from them. The numbers are those of JAX's default generator (threefry2x32 in
// the partitionable scheme) in its 64-bit mode: bit for bit for key, split, fold_in, bits and uniform, and to rounding for
// the others, which follow its algorithms.
#include <array>
#include <cmath>

#include "ops/call.hpp"
#include "ops/composite.hpp"
#include "ops/families.hpp"
#include "ops/kernels/random.hpp"
#include "ops/lowering.hpp"
#include "ops/movement.hpp"
#include "ops/pointwise.hpp"
#include "ops/reduction.hpp"

namespace vmaprun {
namespace {

bool never_weak(const Attributes&) { return false; }

// ---- what operands must be

void check_key(std::span<const TensorType> operands, std::string_view row) {
    const TensorType& key = operands[0];
    if (key.dtype != DType::key) {
        throw UserError(error("E302", "`" + std::string(row) + "` draws from a key, not from `" + std::string(name_of(key.dtype)) + "`").help("make one of a whole number: key(seed)"));
    }
    if (key.rank() != 0) {
        throw UserError(error("E307", "`" + std::string(row) + "` draws from one key, not from " + shape_words(key.shape) + " of them")
                            .help("map over them, as in vmap(k => " + std::string(row) + "(k))(keys)"));
    }
}

void check_whole_scalar(const TensorType& type, const std::string& what) {
    if (!is_integer(type.dtype)) throw UserError(error("E302", what + " is a whole number, not `" + std::string(name_of(type.dtype)) + "`"));
    if (type.rank() != 0) throw UserError(error("E307", what + " is one number, not " + shape_words(type.shape)).help("map over them, as in vmap(key)(seeds)"));
}

// ---- type rules. Attributes of all that have a shape: 0: Dims, 1: DType (but split)

std::vector<TensorType> key_type(std::span<const TensorType> operands, const Attributes&) {
    check_whole_scalar(operands[0], "a seed");
    return {{DType::key, {}}};
}

std::vector<TensorType> split_type(std::span<const TensorType> operands, const Attributes& attributes) {
    check_key(operands, "split");
    check_shape(std::get<Dims>(attributes[0]));
    return {{DType::key, std::get<Dims>(attributes[0])}};
}

std::vector<TensorType> fold_in_type(std::span<const TensorType> operands, const Attributes&) {
    check_key(operands, "fold_in");
    check_whole_scalar(operands[1], "what is folded into a key");
    return {{DType::key, {}}};
}

std::vector<TensorType> drawn_type(std::span<const TensorType>, const Attributes& attributes) {
    check_shape(std::get<Dims>(attributes[0]));
    return {{std::get<DType>(attributes[1]), std::get<Dims>(attributes[0])}};
}

std::vector<TensorType> integers_type(std::span<const TensorType> operands, const Attributes& attributes) {
    return {{std::get<DType>(attributes[0]), operands[1].shape}};
}

std::vector<TensorType> gamma_type(std::span<const TensorType> operands, const Attributes&) {
    return {{operands[1].dtype, operands[1].shape}};
}

// ---- lowerings

// The key of a call, which is its first argument.
Value key_of(Builder& builder, const BuiltinCall& call) {
    const Value key = call.tensor(0);
    check_key(std::array{builder.type(key)}, call.op().name());
    return key;
}

DType float_dtype(const BuiltinCall& call, std::size_t i) {
    const DType dtype = *call.dtype(i);
    if (!is_floating(dtype)) call.fail(i, error("E305", std::string(call.op().name()) + " draws f32 or f64, not `" + std::string(name_of(dtype)) + "`"));
    return dtype;
}

Lowered lower_key(Builder& builder, const BuiltinCall& call) {
    check_whole_scalar(builder.type(call.tensor(0)), "a seed");
    return node(builder, "key", {call.tensor(0)});
}

Lowered lower_split(Builder& builder, const BuiltinCall& call) { return node(builder, "split", {key_of(builder, call)}, {call.integers(1)}); }

Lowered lower_fold_in(Builder& builder, const BuiltinCall& call) {
    const Value key = key_of(builder, call), number = call.tensor(1);
    check_whole_scalar(builder.type(number), "what is folded into a key");
    return node(builder, "fold_in", {key, cast(builder, number, DType::i64)});
}

Lowered lower_bits(Builder& builder, const BuiltinCall& call) {
    const DType dtype = *call.dtype(2);
    if (!is_unsigned_integer(dtype)) call.fail(2, error("E305", "bits are drawn as u8, u16, u32 or u64, not `" + std::string(name_of(dtype)) + "`"));
    return node(builder, "bits", {key_of(builder, call)}, {call.integers(1), dtype});
}

Value unit(Builder& builder, Value key, const Dims& shape, DType dtype) { return node(builder, "random_unit", {key}, {shape, dtype}); }

// A parameter of a distribution: in the dtype of the draw, and of its shape.
Value parameter(Builder& builder, const BuiltinCall& call, std::size_t i, double standard, const Dims& shape, DType dtype) {
    const Value given = tensor_or_number(builder, call, i, standard);
    const TensorType type = builder.type(given);
    if (kind_of(type.dtype) > Kind::floating) call.fail(i, error("E302", "a real number is wanted here, not `" + std::string(name_of(type.dtype)) + "`"));
    const std::array shapes{type.shape, shape};
    if (broadcast_shapes(shapes) != shape) call.fail(i, error("E301", "this parameter is " + shape_words(type.shape) + ", and what is drawn is " + shape_words(shape)));
    return broadcast_to(builder, cast(builder, given, dtype), shape);
}

Lowered lower_uniform(Builder& builder, const BuiltinCall& call) {
    const DType dtype = float_dtype(call, 4);
    const Dims& shape = call.integers(1);
    const Value drawn = unit(builder, key_of(builder, call), shape, dtype);
    const auto is_number = [&](std::size_t i, double number) { return !call.given(i) || (builder.type(call.tensor(i)).weak && constant_number(builder, call.tensor(i)) == number); };
    if (is_number(2, 0) && is_number(3, 1)) return drawn;
    return node(builder, "random_between", {drawn, parameter(builder, call, 2, 0, shape, dtype), parameter(builder, call, 3, 1, shape, dtype)});
}

Lowered lower_normal(Builder& builder, const BuiltinCall& call) {
    const DType dtype = float_dtype(call, 2);
    return node(builder, "random_normal", {key_of(builder, call)}, {call.integers(1), dtype});
}

Lowered lower_randint(Builder& builder, const BuiltinCall& call) {
    const Value key = key_of(builder, call);
    const DType dtype = *call.dtype(4);
    if (!is_integer(dtype)) call.fail(4, error("E305", "randint draws whole numbers, not `" + std::string(name_of(dtype)) + "`").help("uniform(k) draws floats"));
    const Dims& shape = call.integers(1);
    const auto bound = [&](std::size_t i) {
        const TensorType type = builder.type(call.tensor(i));
        if (!is_integer(type.dtype)) call.fail(i, error("E302", "a bound of randint is a whole number, not `" + std::string(name_of(type.dtype)) + "`"));
        const std::array shapes{type.shape, shape};
        if (broadcast_shapes(shapes) != shape) call.fail(i, error("E301", "this bound is " + shape_words(type.shape) + ", and what is drawn is " + shape_words(shape)));
        return broadcast_to(builder, cast(builder, call.tensor(i), type.dtype == DType::u64 ? DType::u64 : DType::i64), shape);
    };
    return node(builder, "random_integers", {key, bound(2), bound(3)}, {dtype});
}

// Without a shape: that of the parameter.
Dims shape_or(Builder& builder, const BuiltinCall& call, std::size_t shape, std::size_t parameter) {
    if (call.given(shape) && !call.is_none(shape)) return call.integers(shape);
    return call.given(parameter) ? builder.type(call.tensor(parameter)).shape : Dims{};
}

Lowered lower_bernoulli(Builder& builder, const BuiltinCall& call) {
    const Value key = key_of(builder, call);
    const Dims shape = shape_or(builder, call, 2, 1);
    DType dtype = DType::f32;
    if (call.given(1)) {
        const TensorType type = builder.type(call.tensor(1));
        if (type.dtype == DType::f64 && !type.weak) dtype = DType::f64;
    }
    return pointwise(builder, "less", {unit(builder, key, shape, dtype), parameter(builder, call, 1, 0.5, shape, dtype)});
}

// The place of the largest of logits that are shifted by Gumbel's distribution, -log(-log(u)).
Lowered lower_categorical(Builder& builder, const BuiltinCall& call) {
    const Value key = key_of(builder, call), logits = as_floating(builder, call.tensor(1));
    const TensorType type = builder.type(logits);
    if (!is_floating(type.dtype)) call.fail(1, error("E302", "logits are real numbers, not `" + std::string(name_of(type.dtype)) + "`"));
    if (type.rank() == 0) call.fail(1, error("E307", "logits need an axis of categories, and this is a scalar"));
    const std::int64_t axis = call.axis(2, type.rank());
    Dims shape = type.shape, prefix;
    if (!call.is_none(3)) {
        Dims rest = type.shape;
        rest.erase(rest.begin() + axis);
        const Dims& wanted = call.integers(3);
        if (wanted.size() < rest.size() || !std::equal(rest.begin(), rest.end(), wanted.end() - static_cast<std::ptrdiff_t>(rest.size()))) {
            call.fail(3, error("E301", "the shape of the draws must end in " + shape_words(rest) + ", that of the logits without their categories, not be " + shape_words(wanted)));
        }
        prefix.assign(wanted.begin(), wanted.end() - static_cast<std::ptrdiff_t>(rest.size()));
        shape.insert(shape.begin(), prefix.begin(), prefix.end());
    }
    const double tiny = type.dtype == DType::f32 ? 0x1p-126 : 0x1p-1022;
    const auto minus_log = [&](Value x) { return pointwise(builder, "negative", {pointwise(builder, "log", {x})}); };
    const Value drawn = pointwise(builder, "maximum", {unit(builder, key, shape, type.dtype), scalar(builder, tiny, type.dtype)});
    const Value shifted = pointwise(builder, "add", {minus_log(minus_log(drawn)), cast(builder, logits, type.dtype)});
    return call_row(builder, "argmax", {shifted}, {{"axis", {Dim(axis + static_cast<std::int64_t>(prefix.size())), {}, true}}});
}

// Sorts by random words as often as makes a tie in all of them unlikely.
Value random_order(Builder& builder, Value key, Dim size) {
    const double rounds = std::ceil(3 * std::log(static_cast<double>(std::max<std::int64_t>(1, size.value()))) / std::log(4294967295.0));
    Value order = iota_values(builder, {size}, 0, DType::i64);
    const auto part = [&](Value keys, std::int64_t i) { return squeeze_at(builder, slice_axis(builder, keys, 0, i, 1), {0}); };
    for (int round = 0; round < static_cast<int>(rounds); ++round) {
        const Value keys = node(builder, "split", {key}, {Dims{2}});
        key = part(keys, 0);
        const Value words = node(builder, "bits", {part(keys, 1)}, {Dims{size}, DType::u32});
        order = gather(builder, order, {node(builder, "argsort", {words}, {false})}, {0}, 0);
    }
    return order;
}

Lowered lower_permutation(Builder& builder, const BuiltinCall& call) {
    const Value key = key_of(builder, call), x = call.tensor(1);
    const TensorType type = builder.type(x);
    if (type.rank() > 0) return gather(builder, x, {random_order(builder, key, type.shape[0])}, {0}, 0);
    if (!is_integer(type.dtype)) call.fail(1, error("E302", "a permutation is of 0 … n - 1 or of the rows of a tensor, and this is `" + std::string(name_of(type.dtype)) + "`"));
    const auto size = builder.static_int(x);
    if (!size) call.fail(1, error("E209", "the length of a permutation must be a constant when the graph is built"));
    check_shape({*size});
    return random_order(builder, key, *size);
}

Lowered lower_exponential(Builder& builder, const BuiltinCall& call) {
    const DType dtype = float_dtype(call, 2);
    const Value drawn = unit(builder, key_of(builder, call), call.integers(1), dtype);
    const auto negative = [&](Value x) { return pointwise(builder, "negative", {x}); };
    return negative(pointwise(builder, "log1p", {negative(drawn)}));
}

Lowered lower_gamma(Builder& builder, const BuiltinCall& call) {
    const DType dtype = float_dtype(call, 3);
    const Value key = key_of(builder, call);
    const Dims shape = shape_or(builder, call, 2, 1);
    check_shape(shape);
    return node(builder, "random_gamma", {key, parameter(builder, call, 1, 1, shape, dtype)});
}

// ---- derivatives: low + x (high - low) by x, low and high

Value of_unit(Builder& builder, std::span<const Value> x, Value) { return pointwise(builder, "subtract", {x[2], x[1]}); }
Value of_low(Builder& builder, std::span<const Value> x, Value) { return pointwise(builder, "subtract", {builder.constant(Array::scalar(1.0), true), x[0]}); }
Value of_high(Builder&, std::span<const Value> x, Value) { return x[0]; }

// By its shape a variate moves as its distribution does (with the probability below it held), not as the trials that drew it.
Value gamma_slope(const Primal& at) { return node(at.builder, "random_gamma_slope", {at.operands[1], at.results[0]}); }
std::vector<Value> jvp_gamma(const Primal& at, std::span<const Value> tangents) { return {pointwise(at.builder, "multiply", {tangents[1], gamma_slope(at)})}; }
std::vector<Value> vjp_gamma(const Primal& at, std::span<const Value> cotangents, const std::vector<bool>&) {
    return {Value{}, pointwise(at.builder, "multiply", {cotangents[0], gamma_slope(at)})};
}

[[noreturn]] void fail_gamma() {
    throw UserError(error("E415", "the second derivative of a gamma draw by its shape is not known").help("keep it out of the derivative with stop_gradient(a)"));
}
std::vector<Value> gamma_has_no_second(const Primal&, std::span<const Value>) { fail_gamma(); }
std::vector<Value> gamma_has_no_second(const Primal&, std::span<const Value>, const std::vector<bool>&) { fail_gamma(); }

} // namespace

std::span<const Op> random_ops() {
    using enum PointwiseOp;
    static constexpr std::array rows = {
        Op{.signature = "key(seed)", .doc = "A random key made of a whole number: equal seeds give equal numbers, on every machine.",
           .example = "uniform(key(0)) => 0.947667", .family = Family::random, .lower = lower_key, .type = key_type, .kernel = key_kernel, .derivative = Derivative::none(), .stays_weak = never_weak},
        // operand: key. attributes: 0: Dims
        Op{.signature = "split(k, n: shape = 2)", .doc = "n independent keys made of one (a shape: that many); draw from each key but once.",
           .example = "split(key(0), 3).size => 3", .family = Family::random, .lower = lower_split, .type = split_type, .kernel = split_kernel, .derivative = Derivative::none(), .stays_weak = never_weak},
        // operands: key, i64
        Op{.signature = "fold_in(k, i)", .doc = "A new key made of a key and a whole number (its lower 32 bits).",
           .example = "bits(fold_in(key(0), 1)) => 31327077", .family = Family::random, .lower = lower_fold_in, .type = fold_in_type, .kernel = fold_in_kernel, .derivative = Derivative::none(), .stays_weak = never_weak},
        // operand: key. attributes: 0: Dims, 1: DType
        Op{.signature = "bits(k, shape: shape = (), dtype: dtype = u32)", .doc = "Random whole numbers, every bit of which is fair.",
           .example = "bits(key(0)) => 4070199207", .family = Family::random, .lower = lower_bits, .type = drawn_type, .kernel = bits_kernel, .derivative = Derivative::none(), .stays_weak = never_weak},
        // operand: key. attributes: 0: Dims, 1: DType
        Op{.signature = "random_unit", .family = Family::random, .type = drawn_type, .kernel = unit_kernel, .derivative = Derivative::none(), .stays_weak = never_weak},
        // operands: in [0, 1), low, high: low + x (high - low), rounded once, as JAX's backend does
        Op{.signature = "random_between", .family = Family::random, .type = same_dtype, .tile = tile_of<between>, .derivative = Derivative::pointwise(of_unit, of_low, of_high)},
        Op{.signature = "uniform(k, shape: shape = (), low = 0.0, high = 1.0, dtype: dtype = f32)", .doc = "Numbers spread evenly over low … high, without high.",
           .example = "uniform(key(0), high=2.0) => 1.895334", .family = Family::random, .lower = lower_uniform},
        // operand: key. attributes: 0: Dims, 1: DType
        Op{.signature = "random_normal", .family = Family::random, .type = drawn_type, .kernel = normal_kernel, .derivative = Derivative::none(), .stays_weak = never_weak},
        Op{.signature = "normal(k, shape: shape = (), dtype: dtype = f32)", .doc = "Numbers of the normal distribution of mean 0 and deviation 1.",
           .example = "normal(key(0)) => 1.6226422", .family = Family::random, .lower = lower_normal},
        // operands: key, low, high (i64 or u64). attributes: 0: DType
        Op{.signature = "random_integers", .family = Family::random, .type = integers_type, .kernel = integers_kernel, .derivative = Derivative::none(), .stays_weak = never_weak},
        Op{.signature = "randint(k, shape: shape, low, high, dtype: dtype = i64)", .doc = "Whole numbers from low up to but without high.",
           .example = "randint(key(0), (3,), 0, 10) => [5, 1, 5]", .family = Family::random, .lower = lower_randint},
        Op{.signature = "bernoulli(k, p = 0.5, shape: shape = ())", .doc = "True with probability p (without a shape: one for each p).",
           .example = "bernoulli(key(0), 1.0, (2,)) => [true, true]", .family = Family::random, .lower = lower_bernoulli},
        Op{.signature = "categorical(k, logits, axis: axis = -1, shape: shape = none)", .doc = "The number of a category, whose probabilities are softmax(logits) along an axis.",
           .example = "categorical(key(0), [-inf, 0.0]) => 1", .family = Family::random, .lower = lower_categorical},
        Op{.signature = "permutation(k, n)", .doc = "The numbers 0 … n - 1 in random order; of a tensor, its slices along the first axis.",
           .example = "permutation(key(0), 4) => [0, 1, 3, 2]", .family = Family::random, .lower = lower_permutation},
        Op{.signature = "exponential(k, shape: shape = (), dtype: dtype = f32)", .doc = "Numbers of the exponential distribution of mean 1.",
           .example = "exponential(key(0)) => 2.950128", .family = Family::random, .lower = lower_exponential},
        // operands: key, shape parameter
        Op{.signature = "random_gamma", .family = Family::random, .type = gamma_type, .kernel = gamma_kernel, .derivative = Derivative::rules(jvp_gamma, vjp_gamma), .stays_weak = never_weak},
        // operands: shape parameter, variate
        Op{.signature = "random_gamma_slope", .family = Family::random, .type = same_dtype, .tile = gamma_slope_tile, .derivative = Derivative::rules(gamma_has_no_second, gamma_has_no_second), .costly = true},
        Op{.signature = "gamma(k, a, shape: shape = (), dtype: dtype = f32)", .doc = "Numbers of the gamma distribution of shape a and scale 1 (without a shape: one for each a).",
           .example = "gamma(key(0), 2.0) => 1.5897877", .family = Family::random, .lower = lower_gamma},
    };
    return rows;
}

} // namespace vmaprun
