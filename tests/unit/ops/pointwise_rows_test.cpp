// The pointwise rows as scripts call them: promotion, refusals, whole-number rules, sizes that are symbols, lanes.
#include <cmath>
#include <limits>

#include "evaluate.hpp"

namespace vmaprun::testing {
namespace {

template <class T> Array row(std::vector<T> numbers) {
    const auto size = static_cast<std::int64_t>(numbers.size());
    return array<T>({size}, std::move(numbers));
}

template <class T> Array binary(std::string_view name, std::vector<T> a, std::vector<T> b) {
    Bench bench;
    const Value x = bench.input(row(std::move(a))), y = bench.input(row(std::move(b)));
    return bench.run(pointwise(bench.builder, name, {x, y}));
}

template <class T> Array unary(std::string_view name, std::vector<T> a) {
    Bench bench;
    return bench.run(pointwise(bench.builder, name, {bench.input(row(std::move(a)))}));
}

using I8 = std::vector<std::int8_t>;
using I64 = std::vector<std::int64_t>;
using F32 = std::vector<float>;
using F64 = std::vector<double>;

TensorType type_of(std::string_view name, std::vector<TensorType> types) {
    Builder builder(std::make_shared<Program>());
    std::vector<Value> values;
    for (TensorType& type : types) values.push_back(builder.parameter(std::move(type)));
    return builder.type(pointwise(builder, name, values));
}

std::string refused(std::string_view name, std::vector<DType> dtypes) {
    std::vector<TensorType> types;
    for (const DType dtype : dtypes) types.push_back({dtype, {}});
    return failure_of([&] { type_of(name, std::move(types)); });
}

TEST_CASE("whole numbers wrap, and divide rounding down; by zero they give 0") {
    CHECK(elements<std::int8_t>(binary("add", I8{127, -128}, I8{1, -1})) == I8{-128, 127});
    CHECK(elements<std::int8_t>(binary("multiply", I8{100, -128}, I8{3, -1})) == I8{44, -128});
    CHECK(elements<std::int64_t>(binary("floor_divide", I64{7, -7, 7, -7, 5, INT64_MIN}, I64{2, 2, -2, -2, 0, -1})) == I64{3, -4, -4, 3, 0, INT64_MIN});
    CHECK(elements<std::int64_t>(binary("remainder", I64{7, -7, 7, -7, 5, INT64_MIN}, I64{3, 3, -3, -3, 0, -1})) == I64{1, 2, -2, -1, 0, 0});
    CHECK(elements<std::int64_t>(binary("pow", I64{3, 2, 2, 1, -1, 0}, I64{4, 64, -1, -5, -3, 0})) == I64{81, 0, 0, 1, -1, 1});
    CHECK(elements<std::int8_t>(unary("abs", I8{-128, -3})) == I8{-128, 3});
    CHECK(elements<std::int8_t>(binary("bitwise_left_shift", I8{1, 1, 1, -1}, I8{3, 8, -1, 1})) == I8{8, 0, 0, -2});
    CHECK(elements<std::int8_t>(binary("bitwise_right_shift", I8{-8, -8, 8, 8}, I8{1, 9, 9, -1})) == I8{-4, -1, 0, 0});
}

TEST_CASE("floats divide and round as NumPy does") {
    const double inf = INFINITY;
    CHECK(elements<double>(binary("floor_divide", F64{7, -7, 1, -1}, F64{2, 2, 0, inf})) == F64{3, -4, inf, -1});
    CHECK(elements<double>(binary("remainder", F64{5.5, -5.5, 5.5, -1}, F64{2, 2, -2, inf})) == F64{1.5, 0.5, -0.5, inf});
    CHECK(elements<double>(unary("round", F64{0.5, 1.5, 2.5, -0.5})) == F64{0, 2, 2, -0.0});
    const auto larger = elements<double>(binary("maximum", F64{1, NAN, 1, 3}, F64{2, 1, NAN, 2}));
    CHECK(larger[0] == 2);
    CHECK(std::isnan(larger[1]));
    CHECK(std::isnan(larger[2]));
    CHECK(larger[3] == 3);
    CHECK(std::isnan(elements<double>(unary("sign", F64{NAN}))[0]));
}

TEST_CASE("casts truncate, saturate, wrap and know no undefined value") {
    Bench bench;
    const auto as = [&](const Array& from, DType to) { return bench.run(cast(bench.builder, bench.input(from), to)); };
    CHECK(elements<std::int8_t>(as(row(F64{1.9, -1.9, 1000, -1000, NAN, INFINITY}), DType::i8)) == I8{1, -1, 127, -128, 0, 127});
    CHECK(elements<std::uint64_t>(as(row(F32{-1, 2.5f, 1e30f}), DType::u64)) == std::vector<std::uint64_t>{0, 2, UINT64_MAX});
    CHECK(elements<std::int64_t>(as(row(F64{9.3e18, -9.3e18, 9007199254740993.0}), DType::i64)) == I64{INT64_MAX, INT64_MIN, 9007199254740992});
    CHECK(elements<std::int8_t>(as(row(I64{300, -129}), DType::i8)) == I8{44, 127});
    CHECK(elements<bool>(as(row(F64{0, -0.0, 0.1, NAN}), DType::boolean)) == std::vector<bool>{false, false, true, true});
    CHECK(failure_of([&] { cast(bench.builder, bench.input(Array::zeros(DType::c64, {})), DType::f32); }) == "E302: `c64` can't be cast to `f32`");
}

TEST_CASE("dtypes meet by promotion, and whole numbers become f64 where only floats will do") {
    CHECK(type_of("add", {{DType::f32, {}}, {DType::i64, {}}}).dtype == DType::f32);
    CHECK(type_of("add", {{DType::u8, {}}, {DType::i8, {}}}).dtype == DType::i16);
    CHECK(type_of("divide", {{DType::i8, {}}, {DType::i8, {}}}).dtype == DType::f64);
    CHECK(type_of("sin", {{DType::i32, {}}}) == TensorType{DType::f64, {}});
    CHECK(type_of("sin", {{DType::i64, {}, true}}) == TensorType{DType::f64, {}, true});
    CHECK(type_of("multiply", {{DType::f32, {4}}, {DType::f64, {}, true}}) == TensorType{DType::f32, {4}});
    CHECK(type_of("less", {{DType::i64, {}, true}, {DType::i64, {}, true}}) == TensorType{DType::boolean, {}});
    CHECK(type_of("abs", {{DType::c64, {}}}).dtype == DType::f32);
    CHECK(type_of("floor", {{DType::i8, {}}}).dtype == DType::i8);
}

TEST_CASE("an operation that has no meaning for a dtype says so") {
    CHECK(refused("negative", {DType::boolean}) == "E302: `negative` is not defined for `bool`");
    CHECK(refused("subtract", {DType::boolean, DType::boolean}) == "E302: `subtract` is not defined for `bool` and `bool`");
    CHECK(refused("less", {DType::c64, DType::f32}) == "E302: `less` is not defined for `c64` and `f32`");
    CHECK(refused("bitwise_and", {DType::f32, DType::i8}) == "E302: `bitwise_and` is not defined for `f32` and `i8`");
    CHECK(refused("add", {DType::u64, DType::i64}) == "E302: `u64` and `i64` have no common dtype");
    CHECK(refused("exp", {DType::key}) == "E302: `exp` is not defined for `key`");
    CHECK(refused("where", {DType::i64, DType::i64, DType::i64}) == "E302: the condition of `where` must be `bool`, not `i64`");
    CHECK(failure_of([] {
        Bench bench;
        pointwise(bench.builder, "pow", {bench.input(row(I64{2})), bench.number(-1)});
    }) == "E310: a whole number can't be raised to a negative power: the result is no whole number");
}

TEST_CASE("sizes that are symbols stay so through whole-number arithmetic") {
    Builder builder(std::make_shared<Program>());
    const Dim k = Dim::symbol("k", 6);
    const Value size = builder.constant(k), two = builder.constant(Dim(2));
    const auto text = [&](std::string_view name, Value a, Value b) { return builder.static_int(pointwise(builder, name, {a, b}))->text(); };
    CHECK(text("add", size, two) == "k + 2");
    CHECK(text("multiply", two, size) == "2*k");
    CHECK(text("subtract", size, size) == "0");
    CHECK(text("floor_divide", pointwise(builder, "multiply", {size, two}), two) == "k");
    CHECK(text("maximum", size, pointwise(builder, "add", {size, two})) == "k + 2");
}

TEST_CASE("an operation that changes nothing adds no node, and a square is a product") {
    Builder builder(std::make_shared<Program>());
    const Value x = builder.parameter({DType::f32, {3}}), one = builder.constant(Dim(1)), two = builder.constant(Dim(2));
    CHECK(pointwise(builder, "multiply", {x, one}) == x);
    CHECK(pointwise(builder, "divide", {x, one}) == x);
    CHECK(pointwise(builder, "pow", {x, one}) == x);
    CHECK(builder.maker(pointwise(builder, "pow", {x, two})).op->name() == "square");
}

TEST_CASE("clip, where, isclose and nan_to_num") {
    Bench bench;
    const auto value = [&](double number) { return given(bench.builder.constant(Array::scalar(number), true)); };
    const Value x = bench.input(row(F64{-5, 0.5, 5, NAN, INFINITY}));
    const auto clipped = elements<double>(bench.run(bench.call("clip", {given(x), value(-1), value(1)})[0]));
    CHECK(clipped[0] == -1);
    CHECK(clipped[1] == 0.5);
    CHECK(clipped[4] == 1);
    CHECK(std::isnan(clipped[3]));
    CHECK(elements<double>(bench.run(bench.call("clip", {given(x), BoundArgument{}, value(0)})[0]))[2] == 0);
    const auto plain = elements<double>(bench.run(bench.call("nan_to_num", {given(x), value(7), BoundArgument{}, BoundArgument{}})[0]));
    CHECK(plain[3] == 7);
    CHECK(plain[4] == std::numeric_limits<double>::max());
    const Value near = bench.input(row(F64{-5, 0.500001, 5.1, NAN, INFINITY}));
    CHECK(elements<bool>(bench.run(bench.call("isclose", {given(x), given(near), value(1e-5), value(1e-8), given(false)})[0])) == std::vector<bool>{true, true, false, false, true});
    CHECK(elements<bool>(bench.run(bench.call("isclose", {given(x), given(near), value(1e-5), value(1e-8), given(true)})[0])) == std::vector<bool>{true, true, false, true, true});
}

TEST_CASE("pointwise rows give each lane what it gets alone") {
    const Array a = array<float>({3, 2}, {1, -2, 3.5f, 0, -0.25f, 9}), b = array<float>({3, 2}, {2, 2, -1, 0.5f, 3, 2});
    for (const std::string_view name : {"add", "divide", "pow", "maximum", "remainder", "atan2", "less", "logaddexp"}) {
        CAPTURE(name);
        check_lanes({a, b}, [&](Bench& bench, const std::vector<Value>& values) { return std::vector{pointwise(bench.builder, name, values)}; });
    }
}

} // namespace
} // namespace vmaprun::testing
