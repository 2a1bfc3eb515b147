// The signal family: what its files share.
#pragma once

#include <span>

#include "ir/op.hpp"

#include "ir/builder.hpp"

namespace vmaprun {

// The node `convolution` (attributes: kernels/convolution.hpp): x [n, c, spatial…] and w [o, c / groups, spatial…] of one dtype.
struct Convolution {
    Dims strides, padding, dilation, spread; // padding: pairs; spread: dilation of x
    std::int64_t groups = 1;
};
Value convolution(Builder& builder, Value x, Value w, const Convolution& how);
// Sizes of windows over a size, as many as fit: (size - window) // stride + 1, or 0.
Dim window_count(Dim size, Dim window, Dim stride);

// The rows, by file.
std::span<const Op> fourier_rows();     // signal_fourier.cpp
std::span<const Op> convolution_rows(); // signal_convolution.cpp
std::span<const Op> pooling_rows();     // signal_pooling.cpp; with interp

} // namespace vmaprun
