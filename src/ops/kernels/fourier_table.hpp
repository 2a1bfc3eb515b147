// The parts of Fourier transforms that are compiled once per instruction set (kernels/simd/fourier.cpp). What transform is
// computed how is said in kernels/fourier.hpp. Complex numbers lie as pairs (re, im); "width" counts the lanes of a vector.
#pragma once

#include <cstdint>

namespace vmaprun {

// A transform that is done in one go, on as many neighbours as a vector has lanes: one pass a radix, in order.
// Twiddles, pass after pass: of an odd radix first cos and sin of 2 pi j / radix for j < radix; then, with m the length left
// after it, for p = 1 … m-1 and k = 1 … radix-1 the pair exp(-2 pi i p k / (m radix)).
template <class T> struct FourierLeaf {
    std::int64_t length = 0;
    std::int64_t passes = 0;
    const int* radices = nullptr;
    const T* twiddles = nullptr;
};

// A transform of length n1 * n2: n2 columns of length n1, then n1 rows of length n2. Between them element (k1, j2) is
// multiplied by exp(-2 pi i k1 j2 / n), the product of coarse[k1][j2 / width] (a pair) and fine[k1] (re of a vector's lanes, then im).
template <class T> struct FourierSplit {
    FourierLeaf<T> first, second; // second.length 0: rows are transforms of their own, and `between` is plain rows
    std::int64_t n1 = 0, n2 = 0;
    const T* coarse = nullptr;
    const T* fine = nullptr;
};

// Which way: backward exchanges the parts of what is read and of what is written.
enum class FourierWay : unsigned char { forward, backward };

template <class T> struct FourierKernels {
    std::int64_t width; // lanes of a vector
    // Up to `width` transforms side by side. Steps count complex numbers. Scratch: 4 * width * length.
    void (*lines)(const FourierLeaf<T>& leaf, const T* const* in, std::int64_t in_step, T* const* out, std::int64_t out_step, std::int64_t count, FourierWay way, T scale, T* scratch);
    // Groups [begin, end) of `width` columns, from n1 * n2 numbers in order to `between`. Scratch: 4 * width * n1.
    void (*columns)(const FourierSplit<T>& split, const T* in, T* between, std::int64_t begin, std::int64_t end, FourierWay way, T* scratch);
    // Groups [begin, end) of `width` rows, from `between` to the result. Scratch: 4 * width * n2.
    void (*rows)(const FourierSplit<T>& split, const T* between, T* out, std::int64_t begin, std::int64_t end, FourierWay way, T scale, T* scratch);
    // The transform of 2 h real numbers from that of h complex ones (the same numbers as pairs), to h + 1 numbers; and back.
    // coarse[g] is exp(-2 pi i g width / 2h), fine as above with k1 = 1.
    void (*untangle)(const T* pairs, T* out, std::int64_t h, const T* coarse, const T* fine);
    void (*tangle)(const T* half, T* pairs, std::int64_t h, const T* coarse, const T* fine);
};

struct FourierTable {
    FourierKernels<float> f32;
    FourierKernels<double> f64;
};

const FourierTable& fourier_table(); // of the best instruction set of this machine

namespace sse42 {
const FourierTable& fourier_table();
}
namespace avx2 {
const FourierTable& fourier_table();
}
namespace avx512 {
const FourierTable& fourier_table();
}
namespace neon {
const FourierTable& fourier_table();
}

} // namespace vmaprun
