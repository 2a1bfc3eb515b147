#include "evaluate.hpp"

#include <cmath>
#include <limits>

#include "ops/kernels/dispatch.hpp"
#include "ops/kernels/fold_table.hpp"
#include "ops/reduction.hpp"

namespace vmaprun::testing {
namespace {

constexpr double nan = std::numeric_limits<double>::quiet_NaN();
constexpr double infinity = std::numeric_limits<double>::infinity();

BoundArgument none() { return {}; }

template <class T> Array noise(Shape shape, unsigned seed = 1) {
    Array made(dtype_of<T>(), std::move(shape));
    unsigned state = seed;
    for (std::int64_t i = 0; i < made.size(); ++i) {
        state = state * 1664525u + 1013904223u;
        made.as<T>()[i] = static_cast<T>(static_cast<double>(state >> 8) / 16777216.0 - 0.5);
    }
    return made;
}

double one(Bench& bench, const std::string& row, std::vector<BoundArgument> arguments) {
    return elements<double>(bench.run(bench.call(row, std::move(arguments))[0])).at(0);
}

// The order that kernels/reduce.hpp states, written down once more.
template <class T> T stated_sum(const T* x, std::int64_t n) {
    const std::int64_t width = 64 / static_cast<std::int64_t>(sizeof(T)), chunk = 128 * width;
    std::vector<T> stack;
    for (std::int64_t begin = 0, taken = 0; begin < n; begin += chunk, ++taken) {
        std::vector<T> part(static_cast<std::size_t>(width), T{0});
        for (std::int64_t i = begin; i < std::min(n, begin + chunk); ++i) part[static_cast<std::size_t>((i - begin) % width)] += x[i];
        for (std::size_t half = part.size() / 2; half > 0; half /= 2) {
            for (std::size_t j = 0; j < half; ++j) part[j] += part[j + half];
        }
        stack.push_back(part[0]);
        for (std::int64_t carry = taken; carry & 1; carry >>= 1) {
            const T last = stack.back();
            stack.pop_back();
            stack.back() += last;
        }
    }
    while (stack.size() > 1) {
        const T last = stack.back();
        stack.pop_back();
        stack.back() += last;
    }
    return stack.empty() ? T{0} : stack[0];
}

TEST_CASE_TEMPLATE("a sum has the stated order, however the elements lie", T, float, double) {
    for (const std::int64_t n : {1, 7, 16, 33, 1000, 2048, 2049, 20000}) {
        CAPTURE(n);
        const Array rows = noise<T>({3, n});
        Bench bench;
        const Value x = bench.input(rows);
        const std::vector<T> sums = elements<T>(bench.run(bench.call("sum", {given(x), given(1)})[0]));
        // The same numbers, but now the reduced axis lies outside.
        const Value columns = bench.input(noise<T>({n, 5}, 9));
        const Array turned = bench.run(bench.call("permute_dims", {given(columns), given(Dims{1, 0})})[0]).contiguous();
        const std::vector<T> down = elements<T>(bench.run(bench.call("sum", {given(columns), given(0)})[0]));
        for (std::int64_t i = 0; i < 3; ++i) CHECK(sums[static_cast<std::size_t>(i)] == stated_sum(rows.as<T>() + i * n, n));
        for (std::int64_t i = 0; i < 5; ++i) CHECK(down[static_cast<std::size_t>(i)] == stated_sum(turned.as<T>() + i * n, n));
    }
}

#if defined(__x86_64__)
TEST_CASE("every instruction set folds in the same order") {
    std::vector<const FoldTable*> tables;
    if (runs_here(InstructionSet::sse42)) tables.push_back(&sse42::fold_table());
    if (runs_here(InstructionSet::avx2)) tables.push_back(&avx2::fold_table());
    if (runs_here(InstructionSet::avx512)) tables.push_back(&avx512::fold_table());
    const Array x = noise<float>({2048}), y = noise<double>({2048});
    for (const std::int64_t n : {0, 1, 5, 15, 16, 31, 200, 1024}) {
        CAPTURE(n);
        for (const FoldTable* table : tables) {
            CHECK(table->f32.sum_row(x.as<float>(), n) == stated_sum(x.as<float>(), n));
            CHECK(table->f64.sum_row(y.as<double>(), n) == stated_sum(y.as<double>(), n));
            CHECK(table->f32.max_row(x.as<float>(), n) == tables[0]->f32.max_row(x.as<float>(), n));
            CHECK(table->f64.product_row(y.as<double>(), n) == tables[0]->f64.product_row(y.as<double>(), n));
        }
    }
    for (const std::int64_t n : {1, 3, 16, 21, 100, 128}) { // nine rows at once: twice four, and one
        CAPTURE(n);
        for (const FoldTable* table : tables) {
            float f32[4][9];
            double f64[4][9];
            table->f32.sum_rows(x.as<float>(), 9, n, f32[0]), table->f32.product_rows(x.as<float>(), 9, n, f32[1]);
            table->f32.max_rows(x.as<float>(), 9, n, f32[2]), table->f32.min_rows(x.as<float>(), 9, n, f32[3]);
            table->f64.sum_rows(y.as<double>(), 9, n, f64[0]), table->f64.product_rows(y.as<double>(), 9, n, f64[1]);
            table->f64.max_rows(y.as<double>(), 9, n, f64[2]), table->f64.min_rows(y.as<double>(), 9, n, f64[3]);
            for (int r = 0; r < 9; ++r) {
                const float* a = x.as<float>() + r * n;
                const double* b = y.as<double>() + r * n;
                CHECK(f32[0][r] == stated_sum(a, n));
                CHECK(f32[1][r] == tables[0]->f32.product_row(a, n));
                CHECK(f32[2][r] == tables[0]->f32.max_row(a, n));
                CHECK(f32[3][r] == tables[0]->f32.min_row(a, n));
                CHECK(f64[0][r] == stated_sum(b, n));
                CHECK(f64[1][r] == tables[0]->f64.product_row(b, n));
                CHECK(f64[2][r] == tables[0]->f64.max_row(b, n));
                CHECK(f64[3][r] == tables[0]->f64.min_row(b, n));
            }
        }
    }
    float mixed[40];
    for (int i = 0; i < 40; ++i) mixed[i] = i % 2 == 0 ? -0.0f : 0.0f;
    for (const FoldTable* table : tables) {
        CHECK(!std::signbit(table->f32.max_row(mixed, 40)));
        CHECK(std::signbit(table->f32.min_row(mixed, 40)));
        float holed[40] = {};
        holed[37] = std::numeric_limits<float>::quiet_NaN();
        CHECK(std::isnan(table->f32.max_row(holed, 40)));
        CHECK(std::isnan(table->f32.min_row(holed, 38)));
        float extremes[8];
        table->f32.max_rows(mixed, 4, 10, extremes), table->f32.min_rows(mixed, 4, 10, extremes + 4);
        for (int r = 0; r < 4; ++r) CHECK((!std::signbit(extremes[r]) && std::signbit(extremes[4 + r])));
        table->f32.max_rows(holed, 4, 10, extremes), table->f32.min_rows(holed, 4, 10, extremes + 4);
        CHECK((std::isnan(extremes[3]) && std::isnan(extremes[7]) && extremes[2] == 0 && extremes[6] == 0));
    }
}
#endif

TEST_CASE("sums of small whole numbers and booleans are as wide as i64 and u64, f32 stays f32") {
    Bench bench;
    CHECK(elements<std::int64_t>(bench.run(bench.call("sum", {given(bench.input(array<std::int8_t>({2}, {127, 127})))})[0])) == std::vector<std::int64_t>{254});
    CHECK(elements<std::uint64_t>(bench.run(bench.call("prod", {given(bench.input(array<std::uint8_t>({2}, {200, 2})))})[0])) == std::vector<std::uint64_t>{400});
    CHECK(elements<std::int64_t>(bench.run(bench.call("sum", {given(bench.input(array<bool>({3}, {true, false, true})))})[0])) == std::vector<std::int64_t>{2});
    CHECK(elements<float>(bench.run(bench.call("sum", {given(bench.input(array<float>({2}, {1, 2})))})[0])) == std::vector<float>{3});
    CHECK(elements<std::int8_t>(bench.run(bench.call("sum", {given(bench.input(array<std::int8_t>({2}, {127, 127}))), none(), given(false), {DType::i8, {}, true}})[0])) == std::vector<std::int8_t>{-2});
}

TEST_CASE("axes may be several, negative, and kept") {
    Bench bench;
    const Value x = bench.input(array<std::int64_t>({2, 2, 2}, {0, 1, 2, 3, 4, 5, 6, 7}));
    const Value kept = bench.call("sum", {given(x), given(Dims{0, -1}), given(true)})[0];
    CHECK(bench.builder.type(kept).shape == Dims{1, 2, 1});
    CHECK(elements<std::int64_t>(bench.run(kept)) == std::vector<std::int64_t>{10, 18});
    CHECK(elements<std::int64_t>(bench.run(bench.call("max", {given(x), given(1)})[0])) == std::vector<std::int64_t>{2, 3, 6, 7});
    CHECK(failure_of([&] { bench.call("sum", {given(x), given(3)}); }) == "E303: axis 3 is out of range for a tensor of rank 3");
    CHECK(failure_of([&] { bench.call("sum", {given(x), given(Dims{0, -3})}); }) == "E304: axis 0 is named twice");
}

TEST_CASE("extremes: NaN wins, nothing has none, argmax takes the first") {
    Bench bench;
    const Value x = bench.input(array<double>({4}, {1, nan, 3, nan}));
    CHECK(std::isnan(one(bench, "max", {given(x)})));
    CHECK(std::isnan(one(bench, "min", {given(x)})));
    CHECK(elements<std::int64_t>(bench.run(bench.call("argmin", {given(x)})[0])) == std::vector<std::int64_t>{1});
    CHECK(elements<std::int64_t>(bench.run(bench.call("argmax", {given(bench.input(array<double>({2, 2}, {1, 5, 5, 0})))})[0])) == std::vector<std::int64_t>{1});
    CHECK(one(bench, "max", {given(bench.input(array<double>({2}, {-infinity, -infinity})))}) == -infinity);
    CHECK(failure_of([&] { bench.call("max", {given(bench.input(Array::zeros(DType::f32, {2, 0})))}); }) == "E311: max over no elements: axis 1 of [2, 0] is empty");
    CHECK(bench.run(bench.call("max", {given(bench.input(Array::zeros(DType::f32, {2, 0}))), given(0)})[0]).size() == 0);
    CHECK(failure_of([&] { bench.call("argmax", {given(bench.input(Array::zeros(DType::c64, {2})))}); }) == "E302: argmax needs real numbers, not `c64`");
}

TEST_CASE("reductions of nothing: sum 0, prod 1, all true, any false") {
    Bench bench;
    const Value x = bench.input(Array::zeros(DType::f64, {0}));
    CHECK(one(bench, "sum", {given(x)}) == 0);
    CHECK(one(bench, "prod", {given(x)}) == 1);
    CHECK(elements<bool>(bench.run(bench.call("all", {given(x)})[0])) == std::vector<bool>{true});
    CHECK(elements<bool>(bench.run(bench.call("any", {given(x)})[0])) == std::vector<bool>{false});
}

TEST_CASE("quantile and median interpolate as NumPy does, and NaN spreads") {
    Bench bench;
    const Value x = bench.input(array<double>({5}, {4, 0, 1, 3, 2}));
    CHECK(one(bench, "median", {given(x)}) == 2);
    CHECK(one(bench, "quantile", {given(x), given(bench.input(array<double>({}, {0.1})))}) == doctest::Approx(0.4));
    CHECK(elements<double>(bench.run(bench.call("quantile", {given(x), given(bench.input(array<double>({3}, {0, 0.5, 1})))})[0])) == std::vector<double>{0, 2, 4});
    CHECK(std::isnan(one(bench, "median", {given(bench.input(array<double>({3}, {1, nan, 2})))})));
    CHECK(one(bench, "median", {given(bench.input(array<double>({2}, {infinity, infinity})))}) == infinity);
    const Value grid = bench.input(array<double>({2, 3}, {3, 1, 2, 9, 7, 8}));
    const Value rows = bench.call("median", {given(grid), given(1), given(true)})[0];
    CHECK(bench.builder.type(rows).shape == Dims{2, 1});
    CHECK(elements<double>(bench.run(rows)) == std::vector<double>{2, 8});
    CHECK(failure_of([&] { bench.call("quantile", {given(x), given(bench.builder.constant(Array::scalar(1.5)))}); }) == "E310: q must be from 0 to 1");
}

TEST_CASE("every lane of a reduction is what it is alone") {
    for (const char* row : {"sum", "prod", "max", "argmax", "any", "count_nonzero", "median"}) {
        CAPTURE(row);
        check_lanes({noise<float>({3, 4, 40})}, [&](Bench& bench, const std::vector<Value>& x) {
            std::vector<Value> all = bench.call(row, {given(x[0]), given(0)});
            all.push_back(bench.call(row, {given(x[0]), given(1)})[0]);
            all.push_back(bench.call(row, {given(x[0])})[0]);
            return all;
        });
    }
}

} // namespace
} // namespace vmaprun::testing
