// Batches of the instruction set that this file is being compiled for, their bits, and the walks of a tile in batches.
//
// A tail runs the same code on a batch padded with zeros, so the bits of an element never depend on where it stands.
// Everything has internal linkage (see loops.hpp), and only those parts of xsimd are used that are templates over the
// instruction set. Its own mathematical functions are not used: some overflow early or flush denormals, some choose a path
// by what stands in the neighbouring lanes.
#pragma once

// g++ 12 takes the deliberately undefined operands inside of its own AVX-512 intrinsics for mistakes.
#pragma GCC diagnostic ignored "-Wuninitialized"
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"

#include <utility>

#include <xsimd/xsimd.hpp>

#include "ops/kernels/simd/loops.hpp"

namespace vmaprun {
namespace {

#if defined(__AVX512BW__)
using Arch = xsimd::avx512bw;
#elif defined(__AVX2__) && defined(__FMA__)
using Arch = xsimd::fma3<xsimd::avx2>;
#elif defined(__SSE4_2__)
using Arch = xsimd::sse4_2;
#else
using Arch = xsimd::neon64;
#endif

template <class T> using Batch = xsimd::batch<T, Arch>;
template <class T> using Mask = typename Batch<T>::batch_bool_type;
template <class T> inline constexpr long lanes_of = static_cast<long>(Batch<T>::size);

using xsimd::select;

// a * b + c and c - a * b, rounded once where the instruction set can (xsimd 8.1 multiplies and adds on AVX-512).
#if defined(__AVX512F__)
inline Batch<float> fma(Batch<float> a, Batch<float> b, Batch<float> c) { return Batch<float>(_mm512_fmadd_ps(a, b, c)); }
inline Batch<double> fma(Batch<double> a, Batch<double> b, Batch<double> c) { return Batch<double>(_mm512_fmadd_pd(a, b, c)); }
inline Batch<float> fnma(Batch<float> a, Batch<float> b, Batch<float> c) { return Batch<float>(_mm512_fnmadd_ps(a, b, c)); }
inline Batch<double> fnma(Batch<double> a, Batch<double> b, Batch<double> c) { return Batch<double>(_mm512_fnmadd_pd(a, b, c)); }
#else
template <class T> inline Batch<T> fma(Batch<T> a, Batch<T> b, Batch<T> c) { return xsimd::fma(a, b, c); }
template <class T> inline Batch<T> fnma(Batch<T> a, Batch<T> b, Batch<T> c) { return xsimd::fnma(a, b, c); }
#endif

template <class T> struct Format; // of IEEE numbers
template <> struct Format<float> {
    using Bits = uint32_t;
    static constexpr int fraction = 23, bias = 127;
    static constexpr float to_whole = 0x1.8p23f; // adding it rounds to a whole number
    static constexpr float infinity = __builtin_inff(), least_normal = 0x1p-126f;
};
template <> struct Format<double> {
    using Bits = uint64_t;
    static constexpr int fraction = 52, bias = 1023;
    static constexpr double to_whole = 0x1.8p52;
    static constexpr double infinity = __builtin_inf(), least_normal = 0x1p-1022;
};

template <class T> using BitBatch = Batch<typename Format<T>::Bits>;

template <class T> inline BitBatch<T> bits_of(Batch<T> x) {
    return BitBatch<T>((typename BitBatch<T>::register_type)x.data);
}
template <class T> inline Batch<T> from_bits(BitBatch<T> x) {
    return Batch<T>((typename Batch<T>::register_type)x.data);
}

// Half to even; |x| < 2^22 (2^51).
template <class T> inline Batch<T> nearest(Batch<T> x) {
    const Batch<T> shift(Format<T>::to_whole);
    return (x + shift) - shift;
}

template <class T> inline Batch<T> absolute(Batch<T> x) { return xsimd::abs(x); }

// xsimd's own minus is 0 - x in some instruction sets, which loses the sign of a zero.
template <class T> inline Batch<T> negated(Batch<T> x) { return xsimd::bitwise_xor(x, Batch<T>(T(-0.0))); }

template <class T> inline Batch<T> with_sign_of(Batch<T> size, Batch<T> sign) {
    return xsimd::bitwise_or(absolute<T>(size), xsimd::bitwise_and(sign, Batch<T>(T(-0.0))));
}

// The first, where the second is no number: NaN passes through limits.
template <class T> inline Batch<T> limited(Batch<T> x, T lowest, T largest) { return xsimd::max(Batch<T>(lowest), xsimd::min(Batch<T>(largest), x)); }

// 2^n for whole n whose power is a normal number.
template <class T> inline Batch<T> power_of_two(Batch<T> n) {
    return from_bits<T>(bits_of<T>(n + Batch<T>(Format<T>::to_whole + T(Format<T>::bias))) << Format<T>::fraction);
}

// x * 2^n, rounded once, for whole n down to where it is 0 and up to where it is infinite.
template <class T> inline Batch<T> scaled(Batch<T> x, Batch<T> n) {
#if defined(__AVX512F__)
    if constexpr (sizeof(T) == 4) return Batch<T>(_mm512_scalef_ps(x, n));
    else return Batch<T>(_mm512_scalef_pd(x, n));
#else
    const Batch<T> half = nearest<T>(n * Batch<T>(T(0.5)));
    return x * power_of_two<T>(half) * power_of_two<T>(n - half);
#endif
}

// Horner's rule; coefficients from the highest power down.
template <class T> inline Batch<T> polynomial(Batch<T>, T coefficient) { return Batch<T>(coefficient); }
template <class T, std::size_t count> inline Batch<T> polynomial(Batch<T> x, const T (&coefficients)[count]) {
    Batch<T> sum(coefficients[0]);
#pragma GCC unroll 16
    for (std::size_t i = 1; i < count; ++i) sum = vmaprun::fma(sum, x, Batch<T>(coefficients[i]));
    return sum;
}

// Lanes that the batch's path doesn't serve are computed one by one; which lanes, each lane decides alone.
template <class T, class Function> inline Batch<T> where_not(Mask<T> served, Batch<T> x, Batch<T> result, Function function) {
    if (xsimd::all(served)) return result;
    alignas(64) T from[lanes_of<T>], to[lanes_of<T>], good[lanes_of<T>];
    x.store_aligned(from);
    result.store_aligned(to);
    select(served, Batch<T>(T(1)), Batch<T>(T(0))).store_aligned(good);
    for (long i = 0; i < lanes_of<T>; ++i) {
        if (good[i] == 0) to[i] = function(from[i]);
    }
    return Batch<T>::load_aligned(to);
}

// ---- walks

template <class T, class Function, std::size_t... k> inline void walk_batches(void* out, const void* const* in, long n, std::index_sequence<k...>) {
    constexpr long width = lanes_of<T>;
    T* y = static_cast<T*>(out);
    const T* operands[] = {static_cast<const T*>(in[k])...};
    long i = 0;
    for (; i + width <= n; i += width) Function::template apply<T>(Batch<T>::load_unaligned(operands[k] + i)...).store_unaligned(y + i);
    if (i == n) return;
    alignas(64) T padded[sizeof...(k)][width] = {};
    const auto bytes = static_cast<unsigned long>(n - i) * sizeof(T);
    (__builtin_memcpy(padded[k], operands[k] + i, bytes), ...);
    Function::template apply<T>(Batch<T>::load_aligned(padded[k])...).store_aligned(padded[0]);
    __builtin_memcpy(y + i, padded[0], bytes);
}
// A function of so many operands.
template <class T, class Function, std::size_t operands = 1> void batches(void* out, const void* const* in, long n) {
    walk_batches<T, Function>(out, in, n, std::make_index_sequence<operands>{});
}

// f32 computed in f64: as many floats at a time as a batch of doubles has lanes.
using DoubleVector = double __attribute__((vector_size(8 * lanes_of<double>)));
using FloatVector = float __attribute__((vector_size(4 * lanes_of<double>)));

inline Batch<double> widened(const float* at) {
    FloatVector floats;
    __builtin_memcpy(&floats, at, sizeof floats);
    return Batch<double>((typename Batch<double>::register_type)__builtin_convertvector(floats, DoubleVector));
}
inline void store_narrowed(Batch<double> x, float* at) {
    const FloatVector floats = __builtin_convertvector((DoubleVector)x.data, FloatVector);
    __builtin_memcpy(at, &floats, sizeof floats);
}

template <class Function> void unary_through_double(void* out, const void* const* in, long n) {
    constexpr long width = lanes_of<double>;
    float* y = static_cast<float*>(out);
    const float* a = static_cast<const float*>(in[0]);
    long i = 0;
    for (; i + width <= n; i += width) store_narrowed(Function::template apply<double>(widened(a + i)), y + i);
    if (i == n) return;
    float padded[width] = {};
    __builtin_memcpy(padded, a + i, static_cast<unsigned long>(n - i) * sizeof(float));
    store_narrowed(Function::template apply<double>(widened(padded)), padded);
    __builtin_memcpy(y + i, padded, static_cast<unsigned long>(n - i) * sizeof(float));
}

template <class Function> void binary_through_double(void* out, const void* const* in, long n) {
    constexpr long width = lanes_of<double>;
    float* y = static_cast<float*>(out);
    const float* a = static_cast<const float*>(in[0]);
    const float* b = static_cast<const float*>(in[1]);
    long i = 0;
    for (; i + width <= n; i += width) store_narrowed(Function::template apply<double>(widened(a + i), widened(b + i)), y + i);
    if (i == n) return;
    float first[width] = {}, second[width] = {};
    const auto bytes = static_cast<unsigned long>(n - i) * sizeof(float);
    __builtin_memcpy(first, a + i, bytes);
    __builtin_memcpy(second, b + i, bytes);
    store_narrowed(Function::template apply<double>(widened(first), widened(second)), first);
    __builtin_memcpy(y + i, first, bytes);
}

} // namespace
} // namespace vmaprun
