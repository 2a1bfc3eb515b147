// Products of matrices of floats, one table an instruction set (kernels/simd/contraction.cpp).
#pragma once

#include <cstdint>

namespace vmaprun {

inline constexpr std::int64_t contraction_block = 256; // contracted elements a block: see kernels/contraction.hpp

// One product: c[i, j] = sum over s of a[i, s] * b[s, j], every matrix by tables of offsets (elements) of its rows and
// columns. Steps that have one stride have it in `a_step` and `b_step`, and then no table; 0: the table tells. The columns of
// b and c tell their stride in `b_column` and `c_column` where they have one (0: none).
template <class T> struct MatrixProduct {
    const T* a;
    const T* b;
    T* c;
    std::int64_t rows, columns, steps;
    const std::int64_t *a_rows, *a_steps, *b_steps, *b_columns, *c_rows, *c_columns;
    std::int64_t a_step, b_step, b_column, c_column;
};

// Dot products: c[i] = sum over s of a[i, s] * b[i, s], each i by the offsets at which it begins, the steps as above.
template <class T> struct DotProducts {
    const T* a;
    const T* b;
    T* c;
    std::int64_t count, steps;
    const std::int64_t *a_starts, *b_starts, *c_starts, *a_steps, *b_steps;
    std::int64_t a_step, b_step;
};

struct ContractionTable {
    void (*product_f32)(const MatrixProduct<float>& product, float* scratch);
    void (*product_f64)(const MatrixProduct<double>& product, double* scratch);
    void (*dots_f32)(const DotProducts<float>& dots);
    void (*dots_f64)(const DotProducts<double>& dots);
    // The largest block that one call should be given, and the elements of scratch that it needs then.
    std::int64_t row_block, column_block_f32, column_block_f64, scratch_f32, scratch_f64;
};

const ContractionTable& contraction_table(); // of the best instruction set of this machine

namespace sse42 {
const ContractionTable& contraction_table();
}
namespace avx2 {
const ContractionTable& contraction_table();
}
namespace avx512 {
const ContractionTable& contraction_table();
}
namespace neon {
const ContractionTable& contraction_table();
}

} // namespace vmaprun
