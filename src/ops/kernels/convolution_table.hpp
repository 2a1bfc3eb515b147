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

template <class T> struct ConvolutionKernels {
    void (*run)(const ConvolutionBlock<T>& block);
    std::int64_t panel_rows, tile; // rows of a packed group; columns that are computed at once
};

struct ConvolutionTable {
    ConvolutionKernels<float> f32;
    ConvolutionKernels<double> f64;
};

const ConvolutionTable& convolution_table(); // of the best instruction set of this machine

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
