// Convolutions of floats, one table an instruction set (kernels/simd/convolution.cpp).
#pragma once

#include <cstdint>

namespace vmaprun {

// out[r, j] = sum over s of weight[r, s] * image[start of j + offsets[s]], in the order of kernels/contraction.hpp.
template <class T> struct ConvolutionBlock {
    const T* image = nullptr;
    const std::int64_t* starts = nullptr;  // of each column; null: column j starts at j
    const std::int64_t* offsets = nullptr; // of each step
    std::int64_t steps = 0, columns = 0;
    // Rows in groups of `group_rows` (the last one perhaps smaller), each packed as [step][panel_rows].
    const T* weights = nullptr;
    std::int64_t rows = 0, group_rows = 0;
    T* out = nullptr; // [row][out_columns]; columns up to a multiple of `tile` are written, and read from the image where there are no starts
    std::int64_t out_columns = 0;
    T* panel = nullptr; // with starts: contraction_block * tile
};

// One tile of sums, c[r, j] = sum over s of a[a_offsets[s] + r] * b[b_offsets[s] + j], over steps that lie in one block of
// the order of kernels/contraction.hpp. A block may be cut into several calls.
template <class T> struct TurnedTile {
    const T *a, *b;
    const std::int64_t *a_offsets, *b_offsets;
    std::int64_t steps, rows;
    bool resumed;                // not from 0, but from what the call before has left in `partial`
    bool paused;                 // leave the sums in `partial`: the block goes on
    bool first;                  // store rather than add, to `total`
    T *total, *partial;          // [row][tile]
    const std::int64_t* a_rows;  // not null: the element of a that meets column j of b lies beside it: a[a_offsets[s] + a_rows[r] + j]
};

template <class T> struct ConvolutionKernels {
    void (*run)(const ConvolutionBlock<T>& block);
    void (*turned)(const TurnedTile<T>& tile); // reads whole tiles of b (and of a, by a_rows)
    std::int64_t panel_rows, tile; // rows of a packed group; columns that are computed at once
};

struct ConvolutionTable {
    ConvolutionKernels<float> f32;
    ConvolutionKernels<double> f64;
};

const ConvolutionTable& convolution_table(); // of the best instruction set of this machine

template <class T> const ConvolutionKernels<T>& convolution_kernels() {
    if constexpr (sizeof(T) == 4) return convolution_table().f32;
    else return convolution_table().f64;
}

// So many rows in panels that are filled evenly: the rows of a panel.
template <class T> std::int64_t rows_of_a_panel(std::int64_t rows) {
    const std::int64_t panels = (rows + convolution_kernels<T>().panel_rows - 1) / convolution_kernels<T>().panel_rows;
    return (rows + panels - 1) / panels;
}

namespace sse42 {
const ConvolutionTable& convolution_table();
}
namespace avx2 {
const ConvolutionTable& convolution_table();
}
namespace avx512 {
const ConvolutionTable& convolution_table();
}
namespace neon {
const ConvolutionTable& convolution_table();
}

} // namespace vmaprun
