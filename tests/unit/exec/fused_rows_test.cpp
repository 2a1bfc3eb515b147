// Folds fused with what is pointwise around them: the same bits as node by node, whatever the length of rows.
#include <cmath>
#include <limits>

#include "ops/lowering.hpp"
#include "ops/movement.hpp"
#include "support.hpp"

using namespace vmaprun;
using namespace vmaprun::testing;

namespace {

// Numbers among which are both zeros, infinities and NaN, a few to a row.
Array noise(DType dtype, Shape shape, unsigned seed) {
    Array array(DType::f64, std::move(shape));
    for (std::int64_t i = 0; i < array.size(); ++i) {
        seed = seed * 1664525u + 1013904223u;
        const unsigned dice = seed >> 8;
        double x = static_cast<double>(dice) / 8388608.0 - 1.0;
        if (dice % 61 == 0) x = 0.0;
        if (dice % 67 == 0) x = -0.0;
        if (dice % 1009 == 0) x = std::numeric_limits<double>::infinity();
        if (dice % 1013 == 0) x = std::numeric_limits<double>::quiet_NaN();
        array.as<double>()[i] = x;
    }
    if (dtype == DType::f64) return array;
    Array narrow(DType::f32, array.shape());
    for (std::int64_t i = 0; i < array.size(); ++i) narrow.as<float>()[i] = static_cast<float>(array.as<double>()[i]);
    return narrow;
}

// For every reduction: r = reduce(x * x - y), then x minus r along the rows (floats only), all outputs.
std::shared_ptr<Graph> around_folds(Making& make, DType dtype, Dims shape, std::int64_t axes, bool keepdims) {
    Builder& builder = make.builder;
    const Value x = builder.parameter({dtype, shape, false}), y = builder.parameter({dtype, {}, false});
    const Value z = pointwise(builder, "subtract", {pointwise(builder, "multiply", {x, x}), y});
    Dims folded;
    for (std::int64_t axis = static_cast<std::int64_t>(shape.size()) - axes; axis < static_cast<std::int64_t>(shape.size()); ++axis) folded.emplace_back(axis);
    std::vector<Value> outputs;
    for (const char* name : {"sum", "prod", "max", "min", "all", "any", "count_nonzero"}) {
        const Value fold = builder.add(op_named(name), {z}, {folded, keepdims});
        outputs.push_back(fold);
        if (keepdims && builder.type(fold).dtype == dtype) {
            outputs.push_back(pointwise(builder, "subtract", {z, fold}));
            outputs.push_back(pointwise(builder, "divide", {fold, pointwise(builder, "add", {z, y})}));
        }
    }
    for (const char* name : {"argmax", "argmin"}) outputs.push_back(builder.add(op_named(name), {z}, {std::int64_t{axes == 1 ? static_cast<std::int64_t>(shape.size()) - 1 : -1}, false}));
    return builder.finish(outputs);
}

void check(DType dtype, const Shape& shape, std::int64_t axes, bool keepdims) {
    CAPTURE(shape_text(shape));
    CAPTURE(name_of(dtype));
    Making make;
    const auto graph = around_folds(make, dtype, Dims(shape.begin(), shape.end()), axes, keepdims);
    const std::vector<Array> inputs{noise(dtype, shape, 7), noise(dtype, {}, 3)};
    RunOptions eager;
    eager.mode = RunOptions::Mode::eager;
    const auto expected = run(*graph, inputs, eager);
    for (const RunOptions& options : every_way()) {
        const auto results = run(*graph, inputs, options);
        for (std::size_t i = 0; i < results.size(); ++i) {
            CAPTURE(i);
            CHECK(same_bits(results[i], expected[i]));
        }
    }
}

} // namespace

TEST_CASE("folds of rows have the bits of the kernels, at every length") {
    for (const DType dtype : {DType::f32, DType::f64}) {
        for (std::int64_t columns = 1; columns <= 40; ++columns) check(dtype, {7, columns}, 1, columns % 2 == 0);
        for (const std::int64_t columns : {63, 64, 65, 127, 128, 1000, 1024, 1025, 2047, 2048, 2049, 5000, 8192, 8193}) check(dtype, {6, columns}, 1, true);
    }
}

TEST_CASE("folds of several last axes, and of all of them") {
    for (const DType dtype : {DType::f32, DType::f64}) {
        check(dtype, {5, 3, 4}, 2, true);
        check(dtype, {2, 9, 16}, 2, false);
        check(dtype, {3, 4}, 2, false);
        check(dtype, {17}, 1, true);
        check(dtype, {0, 4}, 1, true);
    }
}

TEST_CASE("what is one element a row, one row for all, or one number is read as such") {
    for (const std::int64_t columns : {3, 8, 130}) {
        Making make;
        Builder& builder = make.builder;
        const Value x = builder.parameter({DType::f32, {9, columns}, false}), row = builder.parameter({DType::f32, {9, 1}, false});
        const Value weight = builder.parameter({DType::f32, {columns}, false}), number = builder.parameter({DType::f32, {}, false});
        const Value z = pointwise(builder, "add", {pointwise(builder, "multiply", {x, weight}), pointwise(builder, "multiply", {row, number})});
        const Value fold = builder.add(op_named("sum"), {z}, {Dims{1}, true});
        const Value scaled = pointwise(builder, "divide", {pointwise(builder, "subtract", {z, pointwise(builder, "maximum", {fold, row})}), weight});
        const auto graph = builder.finish({fold, scaled});
        const std::vector<Array> inputs{noise(DType::f32, {9, columns}, 1), noise(DType::f32, {9, 1}, 2), noise(DType::f32, {columns}, 3), noise(DType::f32, {}, 4)};
        const auto expected = run(*graph, inputs, every_way()[0]);
        for (const RunOptions& options : every_way()) {
            const auto results = run(*graph, inputs, options);
            CHECK(same_bits(results[0], expected[0]));
            CHECK(same_bits(results[1], expected[1]));
        }
    }
}

TEST_CASE("large cheap results, which go past the caches, are whole") {
    Making make;
    Builder& builder = make.builder;
    const std::int64_t size = 3'000'017;
    const Value x = builder.parameter({DType::f32, {size}, false});
    const auto graph = builder.finish({pointwise(builder, "subtract", {pointwise(builder, "multiply", {x, x}), x})});
    const Array input = noise(DType::f32, {size}, 5);
    RunOptions two;
    two.threads = 2;
    CHECK(same_bits(run(*graph, {input}, two)[0], run(*graph, {input}, every_way()[0])[0]));
}

TEST_CASE("long folds of which there are few are shared among threads, with the same bits") {
    struct Form {
        Dims shape;
        std::vector<std::int64_t> axes; // permuted so
        Dims folded;
    };
    const std::vector<Form> forms = {
        {{300'001}, {0}, {0}},                 // one row
        {{3, 100'003}, {0, 1}, {1}},           // a few rows
        {{100'003, 3}, {1, 0}, {1}},           // a few columns, as the rows of a transposed one
        {{100'003, 5}, {0, 1}, {0}},           // a few columns
        {{2'003, 70}, {0, 1}, {0, 1}},         // all of it
        {{401, 3, 211}, {1, 0, 2}, {1, 2}},    // rows in pieces
    };
    for (const Form& form : forms) {
        for (const DType dtype : {DType::f32, DType::f64}) {
            Making make;
            Builder& builder = make.builder;
            const Value x = permute(builder, builder.parameter({dtype, form.shape, false}), form.axes);
            std::vector<Value> outputs;
            for (const char* name : {"sum", "prod", "max", "min", "all", "any", "count_nonzero"}) outputs.push_back(builder.add(op_named(name), {x}, {form.folded, false}));
            const auto graph = builder.finish(outputs);
            Shape shape;
            for (const Dim dim : form.shape) shape.push_back(dim.value());
            Array input = noise(dtype, shape, 11);
            visit_dtype(dtype, [&]<class T>(TypeTag<T>) {
                if constexpr (std::is_floating_point_v<T>) std::replace_if(input.as<T>(), input.as<T>() + input.size(), [](T value) { return !std::isfinite(value); }, T{1});
            });
            RunOptions one, many;
            one.threads = 1;
            many.threads = 3;
            const auto expected = run(*graph, {input}, one), results = run(*graph, {input}, many);
            for (std::size_t i = 0; i < outputs.size(); ++i) {
                CAPTURE(i);
                CHECK(same_bits(results[i], expected[i]));
            }
        }
    }
}
