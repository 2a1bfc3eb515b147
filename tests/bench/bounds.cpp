#include "bounds.hpp"

#include "ops/kernels/simd/exponential.hpp"
#include "ops/kernels/simd/vectors.hpp"

namespace bounds {
namespace {

using V = vmaprun::Batch<float>;
constexpr std::int64_t width = static_cast<std::int64_t>(V::size);

inline V load(const float* from) { return V::load_unaligned(from); }
inline V fma(V x, V y, V z) { return vmaprun::fma(x, y, z); }

// Past the caches; `to` is aligned.
inline void stream(float* to, V value) {
#if defined(__AVX512F__)
    _mm512_stream_ps(to, value);
#elif defined(__AVX__)
    _mm256_stream_ps(to, value);
#elif defined(__SSE__)
    _mm_stream_ps(to, value);
#else
    value.store_aligned(to);
#endif
}

inline void prefetch(const float* from) { __builtin_prefetch(from + 1024); }

// Calls f(i, is_aligned) for every batch and every single element around them.
template <class Wide, class Single> inline void walk(float* to, std::int64_t count, Wide wide, Single single) {
    std::int64_t i = 0;
    for (; i < count && reinterpret_cast<std::uintptr_t>(to + i) % sizeof(V) != 0; ++i) single(i);
    for (; i + width <= count; i += width) wide(i);
    for (; i < count; ++i) single(i);
}

// The tanh of the project's kernels: within 1 unit in the last place.
inline V tanh(V x) {
    static constexpr float top[] = {1.2347861192105674e-08f, 1.9832707882827845e-05f, 3.446784479673199e-03f, 0.13339538769f, 1.0f};
    static constexpr float bottom[] = {7.348819527010287e-07f, 3.2068645924117535e-04f, 2.569001524676913e-02f, 0.46672847187f, 1.0f};
    const V size = xsimd::min(V(9.0f), vmaprun::absolute<float>(x)), square = size * size;
    const V ratio = size * vmaprun::polynomial<float>(square, top) / vmaprun::polynomial<float>(square, bottom);
    return vmaprun::with_sign_of<float>(xsimd::min(V(1.0f), ratio), x);
}

inline V chain_of(V x, V a, V b) { return tanh(fma(a, x, b)) * vmaprun::Exp::apply<float>(-(x * x)); }

} // namespace

void copy(const float* from, float* to, std::int64_t count) {
    walk(to, count, [&](std::int64_t i) { prefetch(from + i); stream(to + i, load(from + i)); }, [&](std::int64_t i) { to[i] = from[i]; });
}

void write(float* to, std::int64_t count) {
    walk(to, count, [&](std::int64_t i) { stream(to + i, V(1.0f)); }, [&](std::int64_t i) { to[i] = 1; });
}

void triad(const float* x, const float* y, float* to, std::int64_t count) {
    const V three(3.0f);
    walk(to, count, [&](std::int64_t i) { prefetch(x + i); prefetch(y + i); stream(to + i, fma(three, load(y + i), load(x + i))); }, [&](std::int64_t i) { to[i] = x[i] + 3 * y[i]; });
}

float read(const float* from, std::int64_t count) {
    V sums[4] = {V(0.0f), V(0.0f), V(0.0f), V(0.0f)};
    std::int64_t i = 0;
    for (; i + 4 * width <= count; i += 4 * width) {
        for (int k = 0; k < 4; ++k) {
            prefetch(from + i + k * width);
            sums[k] += load(from + i + k * width);
        }
    }
    float sum = xsimd::hadd(sums[0] + sums[1] + sums[2] + sums[3]);
    for (; i < count; ++i) sum += from[i];
    return sum;
}

constexpr int chains = 12; // enough to fill the pipelines, few enough for the registers of AVX2

float multiply_adds(std::int64_t rounds) {
    constexpr int N = static_cast<int>(width);
    using Sums = vmaprun::Vector<float, N>;
    Sums sums[chains], x = vmaprun::spread<float, N>(0.999f), y = vmaprun::spread<float, N>(0.001f);
#pragma GCC unroll 16
    for (int k = 0; k < chains; ++k) sums[k] = vmaprun::spread<float, N>(static_cast<float>(k));
    for (std::int64_t r = 0; r < rounds; ++r) {
#pragma GCC unroll 16
        for (int k = 0; k < chains; ++k) sums[k] = vmaprun::multiply_add<float, N>(sums[k], x, y);
    }
    Sums sum = sums[0];
#pragma GCC unroll 16
    for (int k = 1; k < chains; ++k) sum += sums[k];
    return sum[0];
}

std::int64_t operations_a_round() { return 2 * chains * width; }

void chain(const float* x, float a, float b, float* to, std::int64_t count) {
    const V factor(a), offset(b);
    walk(to, count, [&](std::int64_t i) { prefetch(x + i); chain_of(load(x + i), factor, offset).store_unaligned(to + i); },
         [&](std::int64_t i) {
             float all[width];
             chain_of(V(x[i]), factor, offset).store_unaligned(all);
             to[i] = all[0];
         });
}

void arithmetic(const float* x, const float* y, const float* z, float* to, std::int64_t count) {
    walk(to, count,
         [&](std::int64_t i) {
             for (const float* at : {x + i, y + i, z + i}) prefetch(at);
             stream(to + i, load(x + i) * load(y + i) + load(z + i) - load(x + i) * load(z + i));
         },
         [&](std::int64_t i) { to[i] = x[i] * y[i] + z[i] - x[i] * z[i]; });
}

// Four batches side by side; they end when every point of theirs has left. Steps are counted where a point is still inside.
void mandelbrot(const float* re, std::int64_t points, float im, float limit, float* steps) {
    constexpr int side_by_side = 4;
    const V four(4.0f), one(1.0f), ci(im), most(limit);
    for (std::int64_t at = 0; at + side_by_side * width <= points; at += side_by_side * width) {
        V cr[side_by_side], zr[side_by_side], zi[side_by_side], n[side_by_side];
#pragma GCC unroll 8
        for (int k = 0; k < side_by_side; ++k) cr[k] = load(re + at + k * width), zr[k] = zi[k] = n[k] = V(0.0f);
        for (float step = 0; step < limit; ++step) {
            bool some = false;
#pragma GCC unroll 8
            for (int k = 0; k < side_by_side; ++k) {
                const V rr = zr[k] * zr[k], ii = zi[k] * zi[k];
                const auto inside = rr + ii <= four;
                some = some || xsimd::any(inside);
                zi[k] = fma(zr[k] + zr[k], zi[k], ci);
                zr[k] = rr - ii + cr[k];
                n[k] = xsimd::select(inside, n[k] + one, n[k]);
            }
            if (!some) break;
        }
#pragma GCC unroll 8
        for (int k = 0; k < side_by_side; ++k) xsimd::min(n[k], most).store_unaligned(steps + at + k * width);
    }
}

} // namespace bounds
