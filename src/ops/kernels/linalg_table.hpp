// The factorisations that are ours, one table an instruction set (kernels/simd/linalg.cpp).
//
// Matrices are row-major with rows of `stride` elements, a whole number of vectors; what lies behind a row's elements is
// zeros before, and anything after. The order of every element's sums is the textbook's: one multiply-add (fused where the
// instruction set can) a step k = 0, 1, …, so it is set by the size of the matrix alone.
#pragma once

#include <cstdint>

namespace vmaprun {

struct ComplexFloat { float real, imag; };
struct ComplexDouble { double real, imag; };

template <class T> struct LinalgFunctions {
    // The rows' elements from the diagonal on, of a Hermitian matrix, become U with A = U^H U. Gives the number of the first
    // leading minor that isn't positive, or 0. NaN is carried on.
    std::int64_t (*cholesky)(T* rows, std::int64_t n, std::int64_t stride);
    // Gauss elimination with row pivoting of [A | B], whole rows at a time; A's upper triangle and B are what remains.
    // `odd`: whether an odd number of rows was exchanged. Gives the number of the first pivot that is 0, or 0.
    std::int64_t (*eliminate)(T* rows, std::int64_t n, std::int64_t stride, bool* odd);
    // B in place, where A is upper (lower) triangular: B lies at rows + column, in rows of b_stride. Gives the number of the
    // first diagonal element that is 0, or 0.
    std::int64_t (*solve_upper)(const T* a, std::int64_t n, std::int64_t stride, T* b, std::int64_t b_stride, std::int64_t columns);
    std::int64_t (*solve_lower)(const T* a, std::int64_t n, std::int64_t stride, T* b, std::int64_t b_stride, std::int64_t columns);
};

struct LinalgTable {
    LinalgFunctions<float> f32;
    LinalgFunctions<double> f64;
    LinalgFunctions<ComplexFloat> c64;
    LinalgFunctions<ComplexDouble> c128;
};

inline constexpr std::int64_t linalg_padding = 16; // elements that a row's length is a multiple of

const LinalgTable& linalg_table(); // of the best instruction set of this machine

namespace sse42 {
const LinalgTable& linalg_table();
}
namespace avx2 {
const LinalgTable& linalg_table();
}
namespace avx512 {
const LinalgTable& linalg_table();
}
namespace neon {
const LinalgTable& linalg_table();
}

} // namespace vmaprun
