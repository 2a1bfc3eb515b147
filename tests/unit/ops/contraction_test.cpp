#include "evaluate.hpp"

#include <cmath>

#include "ops/contraction.hpp"
#include "ops/kernels/contraction_table.hpp"
#include "ops/kernels/dispatch.hpp"

namespace vmaprun::testing {
namespace {

using Numbers = std::vector<std::int64_t>;

Array numbers(Shape shape, Numbers values) { return array<std::int64_t>(std::move(shape), std::move(values)); }
Numbers run(Bench& bench, std::string_view row, std::vector<BoundArgument> arguments) { return elements<std::int64_t>(bench.run(bench.call(row, std::move(arguments))[0])); }

template <class T> Array noise(Shape shape, unsigned seed) {
    Array made(dtype_of<T>(), std::move(shape));
    for (std::int64_t i = 0; i < made.size(); ++i) {
        seed = seed * 1664525u + 1013904223u;
        made.as<T>()[i] = static_cast<T>(static_cast<double>(seed >> 8) / 16777216.0 - 0.5);
    }
    return made;
}

// The order that kernels/contraction.hpp states. (On a machine without fused multiply-adds the table says otherwise.)
template <class T> T stated_dot(const T* a, std::int64_t a_step, const T* b, std::int64_t b_step, std::int64_t n, bool distance = false) {
    T total = 0;
    for (std::int64_t begin = 0; begin < n; begin += 256) {
        T sum = 0;
        for (std::int64_t s = begin; s < std::min(n, begin + 256); ++s) {
            const T x = a[s * a_step], y = b[s * b_step];
            sum = distance ? std::fma(x - y, x - y, sum) : std::fma(x, y, sum);
        }
        total = begin == 0 ? sum : total + sum;
    }
    return total;
}

TEST_CASE_TEMPLATE("a product of matrices has the stated order in every element, whatever its size and layout", T, float, double) {
    for (const auto& [m, k, n] : std::vector<std::array<std::int64_t, 3>>{{1, 1, 1}, {1, 700, 1}, {3, 5, 2}, {8, 8, 8}, {16, 16, 16}, {1, 300, 70}, {70, 300, 1}, {33, 257, 65}, {150, 40, 300}, {5, 513, 33}, {300, 600, 40}, {150, 40, 70}, {3, 4096, 5}, {40, 5000, 70}, {200, 9001, 20}}) {
        CAPTURE(m);
        CAPTURE(k);
        CAPTURE(n);
        for (const auto& [left_turned, right_turned] : std::vector<std::array<bool, 2>>{{false, false}, {false, true}, {true, false}, {true, true}}) {
            CAPTURE(left_turned);
            CAPTURE(right_turned);
            Bench bench;
            const Array left = noise<T>(left_turned ? Shape{k, m} : Shape{m, k}, 1), right = noise<T>(right_turned ? Shape{n, k} : Shape{k, n}, 2);
            const auto operand = [&](const Array& array, bool turned) { return turned ? bench.call("permute_dims", {given(bench.input(array)), given(Dims{1, 0})})[0] : bench.input(array); };
            const Value a = operand(left, left_turned), b = operand(right, right_turned);
            const std::vector<T> product = elements<T>(bench.run(bench.call("matmul", {given(a), given(b)})[0]));
            bool same = true;
            for (std::int64_t i = 0; i < m; ++i) {
                for (std::int64_t j = 0; j < n; ++j) {
                    const T wanted = stated_dot(left.as<T>() + (left_turned ? i : i * k), left_turned ? m : 1, right.as<T>() + (right_turned ? j * k : j), right_turned ? 1 : n, k);
                    same = same && product[static_cast<std::size_t>(i * n + j)] == wanted;
                }
            }
            CHECK(same);
        }
    }
}

#if defined(__x86_64__)
TEST_CASE("instruction sets with fused multiply-adds give the same bits") {
    if (!runs_here(InstructionSet::avx2)) return;
    std::vector<const ContractionTable*> tables{&avx2::contraction_table()};
    if (runs_here(InstructionSet::avx512)) tables.push_back(&avx512::contraction_table());
    for (const auto& [m, k, n] : std::vector<std::array<std::int64_t, 3>>{{1, 300, 47}, {13, 8, 8}, {40, 600, 90}, {7, 3, 3}}) {
        const Array a = noise<float>({m, k}, 1), b = noise<float>({k, n}, 2);
        constexpr std::int64_t start = 0;
        std::vector<std::int64_t> a_rows, b_columns, c_rows;
        for (std::int64_t i = 0; i < m; ++i) a_rows.push_back(i * k), c_rows.push_back(i * n);
        for (std::int64_t j = 0; j < std::max(m, n); ++j) b_columns.push_back(j);
        for (const ContractionTable* table : tables) {
            Array c(DType::f32, {m, n});
            std::vector<float> scratch(static_cast<std::size_t>(table->scratch_f32));
            table->f32[0].products({a.as<float>(), b.as<float>(), c.as<float>(), m, n, k, a_rows.data(), nullptr, nullptr, b_columns.data(), c_rows.data(), b_columns.data(), k, 1, n, 1, n, 1, 1, &start,
                                    &start, &start, m <= 28, 0, false},
                                   scratch.data());
            bool same = true;
            for (std::int64_t i = 0; i < m * n; ++i) same = same && c.as<float>()[i] == stated_dot(a.as<float>() + i / n * k, 1, b.as<float>() + i % n, n, k);
            CHECK(same);
            std::vector<float> dots(static_cast<std::size_t>(m));
            table->f32[0].dots({a.as<float>(), a.as<float>(), dots.data(), m, k, a_rows.data(), a_rows.data(), b_columns.data(), nullptr, nullptr, 1, 1});
            for (std::int64_t i = 0; i < m; ++i) CHECK(dots[static_cast<std::size_t>(i)] == stated_dot(a.as<float>() + i * k, 1, a.as<float>() + i * k, 1, k));
        }
    }
}
#endif

TEST_CASE("every lane of a product is what it is alone, whichever operand varies") {
    for (const std::int64_t size : {1, 3, 40}) {
        check_lanes({noise<float>({size, 3, 7}, 1), noise<float>({size, 7, 5}, 2)},
                    [&](Bench& bench, const std::vector<Value>& x) { return bench.call("matmul", {given(x[0]), given(x[1])}); });
        check_lanes({noise<double>({size, 300}, 1), noise<double>({size, 300}, 2)},
                    [&](Bench& bench, const std::vector<Value>& x) { return bench.call("vecdot", {given(x[0]), given(x[1])}); });
        check_lanes({noise<float>({size, 20}, 1), noise<float>({size, 20, 33}, 2)},
                    [&](Bench& bench, const std::vector<Value>& x) { return bench.call("matmul", {given(x[0]), given(x[1])}); });
    }
}

TEST_CASE("the order of a long dot product alone is that of every other") {
    for (const std::int64_t n : {4095, 4096, 70'001}) {
        const Array x = noise<float>({n}, 1), y = noise<float>({n}, 2);
        Bench bench;
        CHECK(elements<float>(bench.run(bench.call("vecdot", {given(bench.input(x)), given(bench.input(y))})[0]))[0] == stated_dot(x.as<float>(), 1, y.as<float>(), 1, n));
    }
}

TEST_CASE("a sum of products or of squared differences is a contraction, in its order") {
    const std::int64_t rows = 3, n = 300;
    const Array x = noise<float>({rows, n}, 1), y = noise<float>({rows, n}, 2), v = noise<float>({n}, 3);
    Bench bench;
    const Value a = bench.input(x), b = bench.input(y), c = bench.input(v);
    const Value difference = bench.call("subtract", {given(a), given(b)})[0], spread = bench.call("subtract", {given(a), given(c)})[0];
    const auto sums = [&](Value products) { return elements<float>(bench.run(bench.call("sum", {given(products), given(Dims{1})})[0])); };
    const auto products = sums(bench.call("multiply", {given(a), given(b)})[0]), squares = sums(bench.call("square", {given(difference)})[0]),
               by_hand = sums(bench.call("multiply", {given(spread), given(spread)})[0]);
    for (std::int64_t i = 0; i < rows; ++i) {
        const float *left = x.as<float>() + i * n, *right = y.as<float>() + i * n;
        CHECK(products[static_cast<std::size_t>(i)] == stated_dot(left, 1, right, 1, n));
        CHECK(squares[static_cast<std::size_t>(i)] == stated_dot(left, 1, right, 1, n, true));
        CHECK(by_hand[static_cast<std::size_t>(i)] == stated_dot(left, 1, v.as<float>(), 1, n, true));
    }
}

TEST_CASE("every lane of a squared distance is what it is alone, also when both sides vary over other lanes") {
    for (const std::int64_t size : {1, 3, 40}) {
        const auto distance = [](Bench& bench, const std::vector<Value>& x) {
            const Value difference = bench.call("subtract", {given(x[0]), given(x[1])})[0];
            return bench.call("sum", {given(bench.call("square", {given(difference)})[0]), given(Dims{0})});
        };
        check_lanes({noise<float>({size, 70}, 1), noise<float>({size, 70}, 2)}, distance);
        check_lanes({noise<double>({size, 9}, 1), noise<double>({size, 9}, 2)}, distance);
    }
}

TEST_CASE("matmul takes vectors and stacks by NumPy's rule") {
    Bench bench;
    const Value v = bench.input(numbers({2}, {1, 2})), m = bench.input(numbers({2, 2}, {1, 2, 3, 4})), stack = bench.input(numbers({2, 2, 2}, {1, 2, 3, 4, 5, 6, 7, 8}));
    CHECK(run(bench, "matmul", {given(v), given(v)}) == Numbers{5});
    CHECK(run(bench, "matmul", {given(v), given(m)}) == Numbers{7, 10});
    CHECK(run(bench, "matmul", {given(m), given(v)}) == Numbers{5, 11});
    CHECK(run(bench, "matmul", {given(stack), given(v)}) == Numbers{5, 11, 17, 23});
    CHECK(run(bench, "matmul", {given(v), given(stack)}) == Numbers{7, 10, 19, 22});
    CHECK(run(bench, "matmul", {given(m), given(stack)}) == Numbers{7, 10, 15, 22, 19, 22, 43, 50});
    CHECK(run(bench, "matmul", {given(stack), given(m)}) == Numbers{7, 10, 15, 22, 23, 34, 31, 46});
    CHECK(elements<bool>(bench.run(bench.call("matmul", {given(bench.input(array<bool>({1, 2}, {true, true}))), given(bench.input(array<bool>({2, 1}, {true, true})))})[0])) == std::vector<bool>{true});
    CHECK(elements<std::int8_t>(bench.run(bench.call("matmul", {given(bench.input(array<std::int8_t>({1}, {100}))), given(bench.input(array<std::int8_t>({1}, {3})))})[0])) == std::vector<std::int8_t>{44});
    const Value nothing = bench.call("matmul", {given(bench.input(Array::zeros(DType::f32, {2, 0}))), given(bench.input(Array::zeros(DType::f32, {0, 2})))})[0];
    CHECK(elements<float>(bench.run(nothing)) == std::vector<float>(4));
}

TEST_CASE("operands that do not fit are told by axis and size") {
    Bench bench;
    const Value a = bench.input(Array::zeros(DType::f32, {2, 5})), b = bench.input(Array::zeros(DType::f32, {4, 3}));
    CHECK(failure_of([&] { bench.call("matmul", {given(a), given(b)}); }) == "E301: `@` needs axis 1 of the left operand (5) to equal axis 0 of the right one (4)");
    CHECK(failure_of([&] { bench.call("matmul", {given(bench.number(2)), given(b)}); }) == "E307: `@` needs an axis on both sides, and the left operand is a scalar");
    CHECK(failure_of([&] { bench.call("tensordot", {given(a), given(b), given(Dims{1})}); }) == "E301: tensordot needs axis 1 of the left operand (5) to equal axis 0 of the right one (4)");
    CHECK(failure_of([&] { bench.call("einsum", {given("ij,jk->ik"), given(std::vector{a, b})}); }) == "E301: einsum: index `j` is 5 in operand 0 and 4 in operand 1");
    CHECK(failure_of([&] { bench.call("cross", {given(a), given(a)}); }) == "E301: cross needs vectors of 3, and axis 1 of [2, 5] is 5");
}

TEST_CASE("einsum: products, traces, diagonals, ellipses, many operands, no arrow") {
    Bench bench;
    const Value m = bench.input(numbers({2, 2}, {1, 2, 3, 4})), v = bench.input(numbers({2}, {5, 6})), stack = bench.input(numbers({2, 2, 2}, {1, 2, 3, 4, 5, 6, 7, 8}));
    const auto einsum = [&](const char* equation, std::vector<Value> operands) { return run(bench, "einsum", {given(equation), given(std::move(operands))}); };
    CHECK(einsum("ij,jk->ik", {m, m}) == Numbers{7, 10, 15, 22});
    CHECK(einsum("ij,jk", {m, m}) == Numbers{7, 10, 15, 22});
    CHECK(einsum("ii", {m}) == Numbers{5});
    CHECK(einsum("ii->i", {m}) == Numbers{1, 4});
    CHECK(einsum("ij->ji", {m}) == Numbers{1, 3, 2, 4});
    CHECK(einsum("ij->j", {m}) == Numbers{4, 6});
    CHECK(einsum("i,j->ij", {v, v}) == Numbers{25, 30, 30, 36});
    CHECK(einsum("i,ij,j->", {v, m, v}) == Numbers{5 * 17 + 6 * 39});
    CHECK(einsum("...ij,jk->...ik", {stack, m}) == Numbers{7, 10, 15, 22, 23, 34, 31, 46});
    CHECK(einsum("...i,...i->...", {m, m}) == Numbers{5, 25});
    CHECK(einsum("bij,bjk->kib", {stack, stack}) == Numbers{7, 67, 15, 91, 10, 78, 22, 106});
    CHECK(failure_of([&] { bench.call("einsum", {given("ij->ik"), given(std::vector{m})}); }) == "E310: no operand of einsum has the index `k` of the output");
}

TEST_CASE("vecdot, tensordot, outer, cross, diagonal, trace") {
    Bench bench;
    const Value m = bench.input(numbers({2, 2}, {1, 2, 3, 4})), v = bench.input(numbers({2}, {5, 6}));
    CHECK(run(bench, "vecdot", {given(m), given(v)}) == Numbers{17, 39});
    CHECK(run(bench, "tensordot", {given(m), given(m), given(Dims{2})}) == Numbers{30});
    CHECK(run(bench, "tensordot", {given(m), given(m), given(Dims{0, 1})}) == Numbers{7, 15, 10, 22});
    CHECK(run(bench, "tensordot", {given(v), given(v), given(Dims{0})}) == Numbers{25, 30, 30, 36});
    CHECK(run(bench, "outer", {given(v), given(v)}) == Numbers{25, 30, 30, 36});
    CHECK(run(bench, "cross", {given(bench.input(numbers({3}, {1, 2, 3}))), given(bench.input(numbers({3}, {4, 5, 6})))}) == Numbers{-3, 6, -3});
    CHECK(run(bench, "diagonal", {given(m), given(1)}) == Numbers{2});
    CHECK(run(bench, "trace", {given(m)}) == Numbers{5});
}

} // namespace
} // namespace vmaprun::testing
