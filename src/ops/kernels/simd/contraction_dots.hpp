// Many dot products side by side, each a chain of its own in the one order (kernels/contraction.hpp).
#pragma once

#include "ops/kernels/simd/contraction_micro.hpp"

namespace vmaprun {
namespace {

template <class T, class Inner> T block_dot(const DotProducts<T>& d, const T* a, const T* b, std::int64_t begin) {
    const std::int64_t end = d.steps - begin < contraction_block ? d.steps : begin + contraction_block;
    T sum = 0;
    for (std::int64_t s = begin; s < end; ++s) sum = Inner::template step<T, 1>(a[step_at(d.a_steps, d.a_step, s)], b[step_at(d.b_steps, d.b_step, s)], sum);
    return sum;
}

template <class T, class Inner> T lone_dot(const DotProducts<T>& d, const T* a, const T* b) {
    T total = 0;
    for (std::int64_t begin = 0; begin < d.steps; begin += contraction_block) {
        const T sum = block_dot<T, Inner>(d, a, b, begin);
        total = begin == 0 ? sum : total + sum;
    }
    return total;
}

// N products whose elements lie side by side: a vector has one element of each of them. With one b for all, it is spread.
template <class T, class Inner, bool OneB> void vector_dots(const DotProducts<T>& d, std::int64_t first) {
    constexpr int N = full<T>;
    using V = Vector<T, N>;
    const T *a[N], *b[N];
    for (int r = 0; r < N; ++r) a[r] = d.a + d.a_starts[first + r], b[r] = d.b + d.b_starts[first + r];
    // The rows after the next ones, as far as they follow evenly.
    const std::int64_t later = first + 3 * N <= d.count ? 2 * (d.a_starts[first + N] - d.a_starts[first]) : 0;
    V total{};
    for (std::int64_t begin = 0; begin < d.steps; begin += contraction_block) {
        const std::int64_t end = d.steps - begin < contraction_block ? d.steps : begin + contraction_block;
        V sum{};
        std::int64_t s = begin;
        for (; s + N <= end; s += N) {
            V x[N], y[N];
#pragma GCC unroll 16
            for (int r = 0; r < N; ++r) x[r] = load<T, N>(a[r] + s);
            if (later != 0) {
                for (int r = 0; r < N; ++r) __builtin_prefetch(a[r] + s + later);
            }
            transpose<T, N>(x);
            if constexpr (!OneB) {
#pragma GCC unroll 16
                for (int r = 0; r < N; ++r) y[r] = load<T, N>(b[r] + s);
                transpose<T, N>(y);
            }
#pragma GCC unroll 16
            for (int r = 0; r < N; ++r) sum = Inner::template step<T, N>(x[r], OneB ? spread<T, N>(b[0][s + r]) : y[r], sum);
        }
        for (; s < end; ++s) {
            V x, y;
            for (int r = 0; r < N; ++r) x[r] = a[r][s], y[r] = b[r][s];
            sum = Inner::template step<T, N>(x, y, sum);
        }
        total = begin == 0 ? sum : total + sum;
    }
    for (int r = 0; r < N; ++r) d.c[d.c_starts[first + r]] = total[r];
}

template <class T> bool one_b(const DotProducts<T>& d, std::int64_t first) {
    for (int r = 1; r < full<T>; ++r) {
        if (d.b_starts[first + r] != d.b_starts[first]) return false;
    }
    return true;
}

constexpr int chains = 8;

template <class T, class Inner> void dots(const DotProducts<T>& d) {
    std::int64_t i = 0;
    if (d.a_step == 1 && d.b_step == 1) {
        for (; i + full<T> <= d.count; i += full<T>) {
            if (one_b(d, i)) vector_dots<T, Inner, true>(d, i);
            else vector_dots<T, Inner, false>(d, i);
        }
    }
    if (d.a_step != 0 && d.b_step != 0) {
        for (; i + chains <= d.count; i += chains) {
            const T *a[chains], *b[chains];
            T total[chains] = {};
#pragma GCC unroll 16
            for (int c = 0; c < chains; ++c) a[c] = d.a + d.a_starts[i + c], b[c] = d.b + d.b_starts[i + c];
            for (std::int64_t begin = 0; begin < d.steps; begin += contraction_block) {
                const std::int64_t end = d.steps - begin < contraction_block ? d.steps : begin + contraction_block;
                T sum[chains] = {};
                std::int64_t x = begin * d.a_step, y = begin * d.b_step;
                for (std::int64_t s = begin; s < end; ++s, x += d.a_step, y += d.b_step) {
#pragma GCC unroll 16
                    for (int c = 0; c < chains; ++c) sum[c] = Inner::template step<T, 1>(a[c][x], b[c][y], sum[c]);
                }
#pragma GCC unroll 16
                for (int c = 0; c < chains; ++c) total[c] = begin == 0 ? sum[c] : total[c] + sum[c];
            }
#pragma GCC unroll 16
            for (int c = 0; c < chains; ++c) d.c[d.c_starts[i + c]] = total[c];
        }
    }
    for (; i < d.count; ++i) d.c[d.c_starts[i]] = lone_dot<T, Inner>(d, d.a + d.a_starts[i], d.b + d.b_starts[i]);
}

} // namespace
} // namespace vmaprun
