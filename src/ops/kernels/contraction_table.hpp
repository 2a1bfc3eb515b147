// Products of matrices of floats, one table an instruction set (kernels/simd/contraction.cpp).
#pragma once

#include <cstdint>

namespace vmaprun {

inline constexpr std::int64_t contraction_block = 256; // contracted elements a block: see kernels/contraction.hpp

// What is added up over the contracted elements.
enum class Inner { product, squared_difference };

// Products c[i, j] = sum over s of inner(a[i, s], b[s, j]), `count` of them, each beginning at its own offsets from a, b and c.
// Rows, columns and steps are told by tables of offsets (elements), and by a stride where they have one and it isn't 0
// (`a_row`, `a_step` …; steps that have one have no table).
template <class T> struct MatrixProduct {
    const T* a;
    const T* b;
    T* c;
    std::int64_t rows, columns, steps;
    const std::int64_t *a_rows, *a_steps, *b_steps, *b_columns, *c_rows, *c_columns;
    std::int64_t a_row, a_step, b_step, b_column, c_row, c_column;
    std::int64_t count;
    const std::int64_t *a_starts, *b_starts, *c_starts;
    bool few_rows;   // of all products with this b together: it isn't worth being packed
    std::int64_t panels; // the scratch holds this b packed already, as many columns wide as the call that packed it said; 0: it doesn't
    bool streamed;   // c is large and read much later: past the caches, where its alignment allows
};

// Dot products: c[i] = sum over s of inner(a[i, s], b[i, s]), each i by the offsets at which it begins, the steps as above.
template <class T> struct DotProducts {
    const T* a;
    const T* b;
    T* c;
    std::int64_t count, steps;
    const std::int64_t *a_starts, *b_starts, *c_starts, *a_steps, *b_steps;
    std::int64_t a_step, b_step;
};

template <class T> struct ContractionKernels {
    // Gives how wide the (last) b is that the scratch holds packed now; 0: it holds none.
    std::int64_t (*products)(const MatrixProduct<T>& product, T* scratch);
    void (*dots)(const DotProducts<T>& dots);
};

struct ContractionTable {
    ContractionKernels<float> f32[2]; // by Inner
    ContractionKernels<double> f64[2];
    // One call should be given at most so many columns; a multiple of so many rows; it needs so many elements of scratch.
    std::int64_t column_block_f32, column_block_f64, row_group, scratch_f32, scratch_f64;
    // Steps up to which the packed b of all of them fits the scratch, so that it may be kept from call to call.
    std::int64_t kept_steps;

    template <class T> const ContractionKernels<T>& kernels(Inner inner) const {
        if constexpr (sizeof(T) == 4) return f32[static_cast<int>(inner)];
        else return f64[static_cast<int>(inner)];
    }
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
