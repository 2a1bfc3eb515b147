// Vectors of 16, 32 or 64 bytes as the compiler has them, with multiply-adds that are fused wherever the instruction set
// can (xsimd 8.1 multiplies and adds on AVX-512). Internal linkage: each instruction set has its own.
#pragma once

#include <cstdint>

#if defined(__x86_64__)
#pragma GCC diagnostic ignored "-Wuninitialized" // g++ 12 takes the undefined operands of its own intrinsics for mistakes
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#include <immintrin.h>
#elif defined(__aarch64__)
#include <arm_neon.h>
#endif

namespace vmaprun {
namespace {

#if defined(__AVX512F__)
constexpr int vector_bytes = 64, panel_rows = 14;
#elif defined(__AVX2__)
constexpr int vector_bytes = 32, panel_rows = 6;
#elif defined(__aarch64__)
constexpr int vector_bytes = 16, panel_rows = 12;
#else
constexpr int vector_bytes = 16, panel_rows = 6;
#endif

template <class T, int N> struct VectorOf {
    typedef T type __attribute__((vector_size(N * sizeof(T))));
};
template <class T> struct VectorOf<T, 1> {
    using type = T;
};
template <class T, int N> using Vector = typename VectorOf<T, N>::type;

template <class T, int N> inline Vector<T, N> load(const T* from) {
    Vector<T, N> value;
    __builtin_memcpy(&value, from, sizeof value);
    return value;
}
template <class T, int N> inline void store(T* to, Vector<T, N> value) { __builtin_memcpy(to, &value, sizeof value); }
// The first `count` elements alone, 0 < count < N; the others are 0 when loaded.
template <class T, int N> inline Vector<T, N> load_part(const T* from, int count) {
    [[maybe_unused]] constexpr int bytes = N * static_cast<int>(sizeof(T));
    using V = Vector<T, N>;
#if defined(__AVX512VL__)
    const unsigned mask = (1U << count) - 1;
    if constexpr (bytes == 64 && sizeof(T) == 4) return V(_mm512_maskz_loadu_ps(static_cast<__mmask16>(mask), from));
    if constexpr (bytes == 64 && sizeof(T) == 8) return V(_mm512_maskz_loadu_pd(static_cast<__mmask8>(mask), from));
    if constexpr (bytes == 32 && sizeof(T) == 4) return V(_mm256_maskz_loadu_ps(static_cast<__mmask8>(mask), from));
    if constexpr (bytes == 32 && sizeof(T) == 8) return V(_mm256_maskz_loadu_pd(static_cast<__mmask8>(mask), from));
#endif
    V value{};
    if constexpr (N == 1) value = *from;
    else for (int i = 0; i < count; ++i) value[i] = from[i];
    return value;
}
template <class T, int N> inline void store_part(T* to, Vector<T, N> value, int count) {
    [[maybe_unused]] constexpr int bytes = N * static_cast<int>(sizeof(T));
#if defined(__AVX512VL__)
    const unsigned mask = (1U << count) - 1;
    if constexpr (bytes == 64 && sizeof(T) == 4) return _mm512_mask_storeu_ps(to, static_cast<__mmask16>(mask), __m512(value));
    if constexpr (bytes == 64 && sizeof(T) == 8) return _mm512_mask_storeu_pd(to, static_cast<__mmask8>(mask), __m512d(value));
    if constexpr (bytes == 32 && sizeof(T) == 4) return _mm256_mask_storeu_ps(to, static_cast<__mmask8>(mask), __m256(value));
    if constexpr (bytes == 32 && sizeof(T) == 8) return _mm256_mask_storeu_pd(to, static_cast<__mmask8>(mask), __m256d(value));
#endif
    if constexpr (N == 1) *to = value;
    else for (int i = 0; i < count; ++i) to[i] = value[i];
}
// Past the caches, where the instruction set has that; `to` is aligned to the vector.
template <class T, int N> inline void stream(T* to, Vector<T, N> value) {
    [[maybe_unused]] constexpr int bytes = N * static_cast<int>(sizeof(T));
#if defined(__x86_64__)
    if constexpr (bytes == 16) return _mm_stream_si128(reinterpret_cast<__m128i*>(to), __m128i(value));
#if defined(__AVX__)
    if constexpr (bytes == 32) return _mm256_stream_si256(reinterpret_cast<__m256i*>(to), __m256i(value));
#endif
#if defined(__AVX512F__)
    if constexpr (bytes == 64) return _mm512_stream_si512(reinterpret_cast<__m512i*>(to), __m512i(value));
#endif
#endif
    store<T, N>(to, value);
}
template <class T, int N> inline Vector<T, N> spread(T value) {
    if constexpr (N == 1) return value;
    else return value - Vector<T, N>{}; // x - 0 is x, -0.0 too
}

template <class T, int N> inline Vector<T, N> multiply_add(Vector<T, N> x, Vector<T, N> y, Vector<T, N> sum) {
    using V [[maybe_unused]] = Vector<T, N>;
    [[maybe_unused]] constexpr bool single = sizeof(T) == 4;
    [[maybe_unused]] constexpr int bytes = N * static_cast<int>(sizeof(T));
#if defined(__FMA__)
    if constexpr (N == 1 && single) return __builtin_fmaf(x, y, sum);
    else if constexpr (N == 1) return __builtin_fma(x, y, sum);
    else if constexpr (bytes == 16 && single) return V(_mm_fmadd_ps(__m128(x), __m128(y), __m128(sum)));
    else if constexpr (bytes == 16) return V(_mm_fmadd_pd(__m128d(x), __m128d(y), __m128d(sum)));
    else if constexpr (bytes == 32 && single) return V(_mm256_fmadd_ps(__m256(x), __m256(y), __m256(sum)));
    else if constexpr (bytes == 32) return V(_mm256_fmadd_pd(__m256d(x), __m256d(y), __m256d(sum)));
#if defined(__AVX512F__)
    else if constexpr (single) return V(_mm512_fmadd_ps(__m512(x), __m512(y), __m512(sum)));
    else return V(_mm512_fmadd_pd(__m512d(x), __m512d(y), __m512d(sum)));
#else
    else return sum + x * y;
#endif
#elif defined(__aarch64__)
    if constexpr (N == 1 && single) return __builtin_fmaf(x, y, sum);
    else if constexpr (N == 1) return __builtin_fma(x, y, sum);
    else if constexpr (single) return V(vfmaq_f32(sum, x, y));
    else return V(vfmaq_f64(sum, x, y));
#else
    return sum + x * y;
#endif
}

// ---- transposes of N vectors of N elements, by exchanging off-diagonal blocks of 1, 2, 4 … elements

template <class T> struct IntegerOf { using type = std::int32_t; };
template <> struct IntegerOf<double> { using type = std::int64_t; };

template <int... Numbers> struct Sequence {};
template <int Count, int... Numbers> struct Counting : Counting<Count - 1, Count - 1, Numbers...> {};
template <int... Numbers> struct Counting<0, Numbers...> { using type = Sequence<Numbers...>; };

template <class T, int N, int Block, int... At> inline void exchange(Vector<T, N>& low, Vector<T, N>& high, Sequence<At...>) {
    const Vector<T, N> a = low, b = high;
    low = __builtin_shufflevector(a, b, ((At & Block) != 0 ? N + At - Block : At)...);
    high = __builtin_shufflevector(a, b, ((At & Block) != 0 ? N + At : At + Block)...);
}

template <class T, int N, int Block = 1> inline void transpose(Vector<T, N>* rows) {
    if constexpr (Block < N) {
#pragma GCC unroll 16
        for (int i = 0; i < N; ++i) {
            if ((i & Block) == 0) exchange<T, N, Block>(rows[i], rows[i + Block], typename Counting<N>::type{});
        }
        transpose<T, N, 2 * Block>(rows);
    }
}

} // namespace
} // namespace vmaprun
