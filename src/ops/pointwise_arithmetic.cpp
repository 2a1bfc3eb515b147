// Arithmetic rows: operators, rounding, signs, and the cast that promotion inserts.
//
// Whole numbers wrap. `//` and `%` floor as in Python, by zero they give 0 for whole numbers; for floats they are NumPy's.
// `**` of whole numbers: a negative exponent gives the exact value truncated (0, or 1 and -1 for those bases); a constant
// one is an error. x ** 2 is x * x for every way in which the 2 may arrive, so that a lane's bits don't depend on it.
#include <algorithm>
#include <complex>

#include "ops/pointwise.hpp"

namespace vmaprun {
namespace {

// ---- rules for sizes that are symbols

std::optional<Dim> add_dims(std::span<const Dim> x) { return x[0] + x[1]; }
std::optional<Dim> subtract_dims(std::span<const Dim> x) { return x[0] - x[1]; }
std::optional<Dim> multiply_dims(std::span<const Dim> x) { return x[0] * x[1]; }
std::optional<Dim> negative_dims(std::span<const Dim> x) { return Dim(0) - x[0]; }
std::optional<Dim> square_dims(std::span<const Dim> x) { return x[0] * x[0]; }
std::optional<Dim> floor_divide_dims(std::span<const Dim> x) { return floor_divide(x[0], x[1]); }

std::optional<Dim> remainder_dims(std::span<const Dim> x) {
    if (x[1].value() == 0) return Dim(0);
    return x[0] - floor_divide(x[0], x[1]) * x[1];
}

// Known only where one is the larger for every choice of the symbols.
std::optional<Dim> maximum_dims(std::span<const Dim> x) {
    if (x[0] == x[1] || surely_greater(x[0], x[1])) return x[0];
    if (surely_greater(x[1], x[0])) return x[1];
    return std::nullopt;
}

std::optional<Dim> minimum_dims(std::span<const Dim> x) {
    if (x[0] == x[1] || surely_greater(x[1], x[0])) return x[0];
    if (surely_greater(x[0], x[1])) return x[1];
    return std::nullopt;
}

// ---- lowerings that are more than the plain one

// The first operand, when an operation with this constant as the second leaves every bit of it.
std::optional<Value> unchanged(Builder& builder, const std::vector<Value>& operands, const BuiltinCall& call, double neutral) {
    if (constant_number(builder, call.tensor(1)) != neutral || is_complex(builder.type(operands[0]).dtype)) return std::nullopt;
    return operands[0];
}

template <Domain domain> Lowered lower_with_neutral_one(Builder& builder, const BuiltinCall& call) {
    const auto operands = elementwise_operands(builder, call.op().name(), {call.tensor(0), call.tensor(1)}, domain);
    if (const auto same = unchanged(builder, operands, call, 1)) return *same;
    return builder.add(call.op(), operands);
}

bool any_negative(const Array& array) {
    return visit_dtype(array.dtype(), [&]<class T>(TypeTag<T>) {
        if constexpr (std::is_integral_v<T> && std::is_signed_v<T>) {
            const Array flat = array.contiguous();
            return std::any_of(flat.as<T>(), flat.as<T>() + flat.size(), [](T number) { return number < 0; });
        }
        return false;
    });
}

Lowered lower_pow(Builder& builder, const BuiltinCall& call) {
    const auto operands = elementwise_operands(builder, "pow", {call.tensor(0), call.tensor(1)}, on_number);
    const DType dtype = builder.type(operands[0]).dtype;
    if (is_integer(dtype)) {
        const auto exponent = builder.static_value(call.tensor(1));
        if (exponent && !builder.from_data(call.tensor(1)) && any_negative(*exponent)) {
            call.fail(1, error("E310", "a whole number can't be raised to a negative power: the result is no whole number").help("make the base a float, as in `(x as f64) ** n`"));
        }
    }
    if (const auto same = unchanged(builder, operands, call, 1)) return *same;
    if (constant_number(builder, call.tensor(1)) == 2.0 && !is_complex(dtype)) return builder.add(op_named("square"), {operands[0]});
    return builder.add(call.op(), operands);
}

// Functions that leave some kinds as they are: floor of a whole number, conj of a real one.
template <Domain domain, Domain unchanged_on> Lowered lower_unless_unchanged(Builder& builder, const BuiltinCall& call) {
    const Value x = call.tensor(0);
    if ((domain_of(builder.type(x).dtype) & unchanged_on) != 0) return x;
    return builder.add(call.op(), elementwise_operands(builder, call.op().name(), {x}, domain));
}

template <PointwiseOp op, Domain domain, Domain unchanged_on>
constexpr Op row_unless_unchanged(std::string_view signature, std::string_view doc, std::string_view example, Derivative derivative, TypeRule type = same_dtype) {
    return Op{.signature = signature, .doc = doc, .example = example, .lower = lower_unless_unchanged<domain, unchanged_on>, .type = type, .tile = tile_of<op>, .derivative = derivative};
}

constexpr Op with_dims(Op row, DimRule dims) {
    row.dims = dims;
    return row;
}

constexpr Op with_lowering(Op row, Lowering lower) {
    row.lower = lower;
    return row;
}

// Either part of a clip may be missing.
Lowered lower_clip(Builder& builder, const BuiltinCall& call) {
    Value result = call.tensor(0);
    if (!call.is_none(1)) result = pointwise(builder, "maximum", {result, call.tensor(1)});
    if (!call.is_none(2)) result = pointwise(builder, "minimum", {result, call.tensor(2)});
    return result;
}

Lowered lower_positive(Builder& builder, const BuiltinCall& call) {
    return elementwise_operands(builder, "positive", {call.tensor(0)}, on_number)[0];
}

// ---- cast

std::vector<TensorType> cast_type(std::span<const TensorType> operands, const Attributes& attributes) {
    const DType from = operands[0].dtype, to = std::get<DType>(attributes[0]);
    if (kind_of(from) != kind_of(to) && (from == DType::key || to == DType::key)) {
        throw UserError(error("E302", "`" + std::string(name_of(from)) + "` can't be cast to `" + std::string(name_of(to)) + "`")
                            .help(from == DType::key ? "draw numbers from a key, as in uniform(k)" : "make a key of a number with key(seed)"));
    }
    if (is_complex(from) && !is_complex(to) && to != DType::boolean) {
        throw UserError(error("E302", "`" + std::string(name_of(from)) + "` can't be cast to `" + std::string(name_of(to)) + "`").help("take real(x), imag(x) or abs(x)"));
    }
    return {{to, operands[0].shape}};
}

TileKernel cast_tile(std::span<const DType> operands, DType result) { return cast_kernel(operands[0], result); }

bool cast_stays_weak(const Attributes& attributes) { return attributes.size() > 1 && std::get<bool>(attributes[1]); }

// ---- derivatives

using Cotangents = std::span<const Value>;

std::vector<Value> jvp_add(const Primal& at, std::span<const Value> t) { return {add_cotangents(at.builder, t[0], t[1])}; }
std::vector<Value> vjp_add(const Primal&, Cotangents c, const std::vector<bool>&) { return {c[0], c[0]}; }
std::vector<Value> jvp_subtract(const Primal& at, std::span<const Value> t) {
    if (t[0] && t[1]) return {pointwise(at.builder, "subtract", {t[0], t[1]})};
    return {t[0] ? t[0] : pointwise(at.builder, "negative", {t[1]})};
}
std::vector<Value> vjp_subtract(const Primal& at, Cotangents c, const std::vector<bool>& wanted) {
    return {c[0], wanted[1] ? pointwise(at.builder, "negative", {c[0]}) : Value{}};
}
std::vector<Value> transpose_negative(const Primal& at, Cotangents c, const std::vector<bool>&) { return {pointwise(at.builder, "negative", {c[0]})}; }

// da / b - db * (y / b): a quotient is divided again rather than multiplied by 1 / b, which may overflow.
std::vector<Value> jvp_divide(const Primal& at, std::span<const Value> t) {
    const auto over = [&](Value x) { return pointwise(at.builder, "divide", {x, at.operands[1]}); };
    const Value first = t[0] ? over(t[0]) : Value{};
    if (!t[1]) return {first};
    const Value second = pointwise(at.builder, "multiply", {t[1], over(at.results[0])});
    return {first ? pointwise(at.builder, "subtract", {first, second}) : pointwise(at.builder, "negative", {second})};
}
std::vector<Value> vjp_divide(const Primal& at, Cotangents c, const std::vector<bool>& wanted) {
    const auto over = [&](Value x) { return pointwise(at.builder, "divide", {x, at.operands[1]}); };
    std::vector<Value> result(2);
    if (wanted[0]) result[0] = over(c[0]);
    // Of a quotient of the two that is there already, rather than of another.
    if (wanted[1]) result[1] = pointwise(at.builder, "negative", {wanted[0] ? pointwise(at.builder, "multiply", {result[0], at.results[0]}) : pointwise(at.builder, "multiply", {c[0], over(at.results[0])})});
    return result;
}

// 1 for the operand that is the result, 1/2 for each where both are.
Formula part_of_extreme(Formula own, Formula other, Formula y) {
    const Formula one = number_like(y, 1), zero = number_like(y, 0);
    return select(call("equal", own, other), number_like(y, 0.5), select(call("equal", own, y), one, zero));
}

Formula zero_to_one(Formula x) { return select(call("equal", x, number_like(x, 0)), number_like(x, 1), x); }

// The number that a value is made of, where it is one constant all over.
std::optional<double> constant_all_over(const Builder& builder, Value value) {
    const Node* node = &builder.maker(value);
    while (node->op->view != nullptr && node->operands.size() == 1 && (node->op->name() == "broadcast_to" || node->op->name() == "reshape")) node = &builder.maker(value = node->operands[0]);
    return constant_number(builder, value);
}

// y * x**(y - 1); a constant y keeps what its own row knows of it (a square, a power of 0).
Value slope_of_base(Builder& builder, std::span<const Value> x, Value) {
    if (const auto exponent = constant_all_over(builder, x[1])) {
        if (*exponent == 0) return zeros_like(builder, x[0]);
        const Formula power{&builder, pointwise(builder, "pow", {x[0], builder.constant(Array::scalar(*exponent - 1), true)})};
        return (*exponent * power).value;
    }
    const Formula base{&builder, x[0]}, exponent{&builder, x[1]};
    return (exponent * call("pow", base, exponent - 1.0)).value;
}

// Of a complex number x: the real part of conj(x / |x|) times the tangent; at 0 it is 0.
Value complex_direction(const Primal& at) {
    const Formula x{&at.builder, at.operands[0]}, length = zero_to_one({&at.builder, at.results[0]});
    return (call("conj", x) / length).value;
}
// The slope of |x|: at 0 it is 1, as in JAX.
Formula slope_of_abs(Formula x) { return select(call("greater_equal", x, number_like(x, 0)), number_like(x, 1), number_like(x, -1)); }

std::vector<Value> jvp_abs(const Primal& at, std::span<const Value> t) {
    if (is_complex(at.builder.type(at.operands[0]).dtype)) return {pointwise(at.builder, "real", {pointwise(at.builder, "multiply", {t[0], complex_direction(at)})})};
    return {pointwise(at.builder, "multiply", {t[0], slope_of_abs({&at.builder, at.operands[0]}).value})};
}
std::vector<Value> vjp_abs(const Primal& at, Cotangents c, const std::vector<bool>&) {
    if (is_complex(at.builder.type(at.operands[0]).dtype)) return {pointwise(at.builder, "multiply", {c[0], complex_direction(at)})};
    return {pointwise(at.builder, "multiply", {c[0], slope_of_abs({&at.builder, at.operands[0]}).value})};
}

// |x1| with the sign of x2.
Formula slope_of_copysign(Formula a, Formula b) { return select(call("signbit", b), -slope_of_abs(a), slope_of_abs(a)); }

// x1 over the length; where both are 0 each has a half, as in JAX.
Formula part_of_length(Formula own, Formula y) { return select(call("equal", y, number_like(y, 0)), number_like(y, 0.5), own / zero_to_one(y)); }

// Cotangents of complex numbers pair with tangents as Re(c * t).
DType complex_of(DType real) { return real == DType::f32 ? DType::c64 : DType::c128; }
std::vector<Value> transpose_conj(const Primal& at, Cotangents c, const std::vector<bool>&) { return {pointwise(at.builder, "conj", {c[0]})}; }
std::vector<Value> transpose_real(const Primal& at, Cotangents c, const std::vector<bool>&) { return {cast(at.builder, c[0], at.builder.type(at.operands[0]).dtype)}; }
std::vector<Value> transpose_imag(const Primal& at, Cotangents c, const std::vector<bool>&) {
    if (!is_complex(at.builder.type(at.operands[0]).dtype)) return {Value{}};
    const DType dtype = complex_of(at.builder.type(c[0]).dtype);
    const Value turn = cast(at.builder, at.builder.constant(Array::scalar(std::complex<double>(0, -1)), true), dtype);
    return {pointwise(at.builder, "multiply", {cast(at.builder, c[0], dtype), turn})};
}

// Between floats a cast is linear; what passes through whole numbers or bools has no derivative.
std::vector<Value> jvp_cast(const Primal& at, std::span<const Value> t) {
    const TensorType type = at.builder.type(at.results[0]);
    return {differentiable(type.dtype) ? cast(at.builder, t[0], type.dtype) : Value{}};
}
std::vector<Value> vjp_cast(const Primal& at, Cotangents c, const std::vector<bool>&) {
    const DType dtype = at.builder.type(at.operands[0]).dtype;
    const bool to_real = is_complex(at.builder.type(c[0]).dtype) && !is_complex(dtype);
    return {cast(at.builder, to_real ? pointwise(at.builder, "real", {c[0]}) : c[0], dtype)};
}

constexpr auto bools_too = on_anything;

constexpr auto make_rows() {
    using enum PointwiseOp;
    return std::array{
        // attributes: 0: DType, 1 (optional): bool: a weak operand gives a weak result.
        // Floats to whole numbers truncate and saturate, NaN is 0; whole numbers wrap; to bool: x != 0.
        Op{.signature = "cast", .type = cast_type, .tile = cast_tile, .derivative = Derivative::rules(jvp_cast, vjp_cast), .stays_weak = cast_stays_weak},
        with_dims(elementwise_row<add, 2, bools_too>("add(x1, x2)", "The sum (of bools: or).", "add([1, 2], 3) => [4, 5]", Derivative::rules(jvp_add, vjp_add)), add_dims),
        with_dims(elementwise_row<subtract, 2, on_number>("subtract(x1, x2)", "The difference.", "subtract([1, 2], 3) => [-2, -1]", Derivative::rules(jvp_subtract, vjp_subtract)), subtract_dims),
        with_dims(with_lowering(elementwise_row<multiply, 2, bools_too>("multiply(x1, x2)", "The product (of bools: and).", "multiply([1, 2], 3) => [3, 6]", derivatives_of<[](auto, auto b, auto) { return b; }, [](auto a, auto, auto) { return a; }>()),
                                lower_with_neutral_one<bools_too>), multiply_dims),
        with_lowering(elementwise_row<divide, 2, on_floats>("divide(x1, x2)", "The quotient; of whole numbers in f64.", "divide(1, 4) => 0.25", Derivative::rules(jvp_divide, vjp_divide)), lower_with_neutral_one<on_floats>),
        with_dims(elementwise_row<floor_divide, 2, on_real>("floor_divide(x1, x2)", "The quotient rounded down; whole numbers by 0 give 0.", "floor_divide(-7, 2) => -4", Derivative::none()), floor_divide_dims),
        with_dims(elementwise_row<remainder, 2, on_real>("remainder(x1, x2)", "What floor_divide leaves, with the sign of x2; whole numbers by 0 give 0.", "remainder(-7, 3) => 2", derivatives_of<[](auto a, auto, auto) { return number_like(a, 1); }, [](auto a, auto b, auto) { return -call("floor_divide", a, b); }>()), remainder_dims),
        with_lowering(elementwise_row<pow, 2, on_number>("pow(x1, x2)", "x1 to the power of x2; whole numbers wrap.", "pow(2, 10) => 1024", Derivative::pointwise(slope_of_base, partial_of_two<[](auto a, auto, auto y) { return call("log", zero_to_one(a)) * y; }>)), lower_pow),
        with_dims(elementwise_row<maximum, 2, on_bool | on_real>("maximum(x1, x2)", "The larger one; NaN when either is.", "maximum([1, 5], 3) => [3, 5]", derivatives_of<[](auto a, auto b, auto y) { return part_of_extreme(a, b, y); }, [](auto a, auto b, auto y) { return part_of_extreme(b, a, y); }>()), maximum_dims),
        with_dims(elementwise_row<minimum, 2, on_bool | on_real>("minimum(x1, x2)", "The smaller one; NaN when either is.", "minimum([1, 5], 3) => [1, 3]", derivatives_of<[](auto a, auto b, auto y) { return part_of_extreme(a, b, y); }, [](auto a, auto b, auto y) { return part_of_extreme(b, a, y); }>()), minimum_dims),
        Op{.signature = "clip(x, min = none, max = none)", .doc = "x limited to min … max; either may be missing.", .example = "clip([1, 5, 9], 2, 6) => [2, 5, 6]", .lower = lower_clip},
        with_dims(elementwise_row<negative, 1, on_number>("negative(x)", "x with its sign turned.", "negative([1, -2]) => [-1, 2]", Derivative::linear(transpose_negative)), negative_dims),
        Op{.signature = "positive(x)", .doc = "x itself.", .example = "positive(-2) => -2", .lower = lower_positive},
        row_unless_unchanged<abs, on_number, on_bool>("abs(x)", "The absolute value; of a complex number its length.", "abs(-2.5) => 2.5", Derivative::rules(jvp_abs, vjp_abs), real_part),
        elementwise_row<sign, 1, on_number>("sign(x)", "-1, 0 or 1 by the sign of x; NaN stays; a complex x divided by its length.", "sign([-3, 0, 2]) => [-1, 0, 1]", Derivative::none()),
        with_dims(elementwise_row<square, 1, on_number>("square(x)", "x times x.", "square(-3) => 9", derivative_of<[](auto x, auto) { return 2.0 * x; }>()), square_dims),
        elementwise_row<reciprocal, 1, on_floats>("reciprocal(x)", "1 / x.", "reciprocal(4.0) => 0.25", derivative_of<[](auto, auto y) { return -(y * y); }>()),
        elementwise_row<sqrt, 1, on_floats>("sqrt(x)", "The square root.", "sqrt(9.0) => 3.0", derivative_of<[](auto, auto y) { return 0.5 / y; }>()),
        elementwise_row<hypot, 2, on_float>("hypot(x1, x2)", "sqrt(x1**2 + x2**2) without overflow on the way.", "hypot(3.0, 4.0) => 5.0", derivatives_of<[](auto a, auto, auto y) { return part_of_length(a, y); }, [](auto, auto b, auto y) { return part_of_length(b, y); }>()),
        row_unless_unchanged<floor, on_float, on_int | on_bool>("floor(x)", "The largest whole number that is not above x.", "floor(-1.5) => -2.0", Derivative::none()),
        row_unless_unchanged<ceil, on_float, on_int | on_bool>("ceil(x)", "The smallest whole number that is not below x.", "ceil(1.2) => 2.0", Derivative::none()),
        row_unless_unchanged<trunc, on_float, on_int | on_bool>("trunc(x)", "x without its fraction.", "trunc(-1.5) => -1.0", Derivative::none()),
        row_unless_unchanged<round, on_floats, on_int | on_bool>("round(x)", "The nearest whole number; halves go to the even one.", "round([0.5, 1.5, 2.5]) => [0.0, 2.0, 2.0]", Derivative::none()),
        elementwise_row<copysign, 2, on_float>("copysign(x1, x2)", "The size of x1 with the sign of x2.", "copysign(3.0, -0.0) => -3.0", Derivative::pointwise(partial_of_two<[](auto a, auto b, auto) { return slope_of_copysign(a, b); }>)),
        elementwise_row<nextafter, 2, on_float>("nextafter(x1, x2)", "The next number that the dtype has after x1 in the direction of x2.", "nextafter(1.0, 2.0) => 1.0000000000000002", Derivative::none()),
        row_unless_unchanged<conj, on_complex, on_bool | on_real>("conj(x)", "The complex conjugate.", "conj(2.0) => 2.0", Derivative::linear(transpose_conj)),
        row_unless_unchanged<real, on_complex, on_bool | on_real>("real(x)", "The real part.", "real(2.0) => 2.0", Derivative::linear(transpose_real), real_part),
        elementwise_row<imag, 1, on_number>("imag(x)", "The imaginary part.", "imag(2.0) => 0.0", Derivative::linear(transpose_imag), real_part),
    };
}

} // namespace

std::span<const Op> pointwise_arithmetic_rows() {
    static constexpr auto rows = make_rows();
    return rows;
}

} // namespace vmaprun
