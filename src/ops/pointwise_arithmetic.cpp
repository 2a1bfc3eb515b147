// Arithmetic rows: operators, rounding, signs, and the cast that promotion inserts.
//
// Whole numbers wrap. `//` and `%` floor as in Python, by zero they give 0 for whole numbers; for floats they are NumPy's.
// `**` of whole numbers: a negative exponent gives the exact value truncated (0, or 1 and -1 for those bases); a constant
// one is an error. x ** 2 is x * x for every way in which the 2 may arrive, so that a lane's bits don't depend on it.
#include <algorithm>

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
constexpr Op row_unless_unchanged(std::string_view signature, std::string_view doc, std::string_view example, TypeRule type = same_dtype) {
    return Op{.signature = signature, .doc = doc, .example = example, .lower = lower_unless_unchanged<domain, unchanged_on>, .type = type, .tile = tile_of<op>};
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

constexpr auto bools_too = on_anything;

constexpr auto make_rows() {
    using enum PointwiseOp;
    return std::array{
        // attributes: 0: DType, 1 (optional): bool: a weak operand gives a weak result.
        // Floats to whole numbers truncate and saturate, NaN is 0; whole numbers wrap; to bool: x != 0.
        Op{.signature = "cast", .type = cast_type, .tile = cast_tile, .stays_weak = cast_stays_weak},
        with_dims(elementwise_row<add, 2, bools_too>("add(x1, x2)", "The sum (of bools: or).", "add([1, 2], 3) => [4, 5]"), add_dims),
        with_dims(elementwise_row<subtract, 2, on_number>("subtract(x1, x2)", "The difference.", "subtract([1, 2], 3) => [-2, -1]"), subtract_dims),
        with_dims(with_lowering(elementwise_row<multiply, 2, bools_too>("multiply(x1, x2)", "The product (of bools: and).", "multiply([1, 2], 3) => [3, 6]"),
                                lower_with_neutral_one<bools_too>), multiply_dims),
        with_lowering(elementwise_row<divide, 2, on_floats>("divide(x1, x2)", "The quotient; of whole numbers in f64.", "divide(1, 4) => 0.25"), lower_with_neutral_one<on_floats>),
        with_dims(elementwise_row<floor_divide, 2, on_real>("floor_divide(x1, x2)", "The quotient rounded down; whole numbers by 0 give 0.", "floor_divide(-7, 2) => -4"), floor_divide_dims),
        with_dims(elementwise_row<remainder, 2, on_real>("remainder(x1, x2)", "What floor_divide leaves, with the sign of x2; whole numbers by 0 give 0.", "remainder(-7, 3) => 2"), remainder_dims),
        with_lowering(elementwise_row<pow, 2, on_number>("pow(x1, x2)", "x1 to the power of x2; whole numbers wrap.", "pow(2, 10) => 1024"), lower_pow),
        with_dims(elementwise_row<maximum, 2, on_bool | on_real>("maximum(x1, x2)", "The larger one; NaN when either is.", "maximum([1, 5], 3) => [3, 5]"), maximum_dims),
        with_dims(elementwise_row<minimum, 2, on_bool | on_real>("minimum(x1, x2)", "The smaller one; NaN when either is.", "minimum([1, 5], 3) => [1, 3]"), minimum_dims),
        Op{.signature = "clip(x, min = none, max = none)", .doc = "x limited to min … max; either may be missing.", .example = "clip([1, 5, 9], 2, 6) => [2, 5, 6]", .lower = lower_clip},
        with_dims(elementwise_row<negative, 1, on_number>("negative(x)", "x with its sign turned.", "negative([1, -2]) => [-1, 2]"), negative_dims),
        Op{.signature = "positive(x)", .doc = "x itself.", .example = "positive(-2) => -2", .lower = lower_positive},
        row_unless_unchanged<abs, on_number, on_bool>("abs(x)", "The absolute value; of a complex number its length.", "abs(-2.5) => 2.5", real_part),
        elementwise_row<sign, 1, on_number>("sign(x)", "-1, 0 or 1 by the sign of x; NaN stays; a complex x divided by its length.", "sign([-3, 0, 2]) => [-1, 0, 1]"),
        with_dims(elementwise_row<square, 1, on_number>("square(x)", "x times x.", "square(-3) => 9"), square_dims),
        elementwise_row<reciprocal, 1, on_floats>("reciprocal(x)", "1 / x.", "reciprocal(4.0) => 0.25"),
        elementwise_row<sqrt, 1, on_floats>("sqrt(x)", "The square root.", "sqrt(9.0) => 3.0"),
        elementwise_row<hypot, 2, on_float>("hypot(x1, x2)", "sqrt(x1**2 + x2**2) without overflow on the way.", "hypot(3.0, 4.0) => 5.0"),
        row_unless_unchanged<floor, on_float, on_int | on_bool>("floor(x)", "The largest whole number that is not above x.", "floor(-1.5) => -2.0"),
        row_unless_unchanged<ceil, on_float, on_int | on_bool>("ceil(x)", "The smallest whole number that is not below x.", "ceil(1.2) => 2.0"),
        row_unless_unchanged<trunc, on_float, on_int | on_bool>("trunc(x)", "x without its fraction.", "trunc(-1.5) => -1.0"),
        row_unless_unchanged<round, on_floats, on_int | on_bool>("round(x)", "The nearest whole number; halves go to the even one.", "round([0.5, 1.5, 2.5]) => [0.0, 2.0, 2.0]"),
        elementwise_row<copysign, 2, on_float>("copysign(x1, x2)", "The size of x1 with the sign of x2.", "copysign(3.0, -0.0) => -3.0"),
        elementwise_row<nextafter, 2, on_float>("nextafter(x1, x2)", "The next number that the dtype has after x1 in the direction of x2.", "nextafter(1.0, 2.0) => 1.0000000000000002"),
        row_unless_unchanged<conj, on_complex, on_bool | on_real>("conj(x)", "The complex conjugate.", "conj(2.0) => 2.0"),
        row_unless_unchanged<real, on_complex, on_bool | on_real>("real(x)", "The real part.", "real(2.0) => 2.0", real_part),
        elementwise_row<imag, 1, on_number>("imag(x)", "The imaginary part.", "imag(2.0) => 0.0", real_part),
    };
}

} // namespace

std::span<const Op> pointwise_arithmetic_rows() {
    static constexpr auto rows = make_rows();
    return rows;
}

} // namespace vmaprun
