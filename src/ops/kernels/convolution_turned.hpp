// The other way to run a convolution of floats, for few results of many steps each, as in gradients by the weights: x and w
// are copied with what is summed outermost. Then the samples that meet one place in w lie side by side, with those of
// neighbouring results, and so do the outputs of w: one of the two gives the columns of a tile, the other the rows. The order of
// every element is the same (kernels/convolution.hpp).
#pragma once

#include "ops/kernels/convolution_parts.hpp"

namespace vmaprun {

// Multiply-adds of one row with one tile, those of half-empty tiles too, and elements copied.
template <class T> double turned_cost(const ConvolutionPart& part);
template <class T> void run_turned(const KernelCall& call, const ConvolutionPart& part);

extern template double turned_cost<float>(const ConvolutionPart&);
extern template double turned_cost<double>(const ConvolutionPart&);
extern template void run_turned<float>(const KernelCall&, const ConvolutionPart&);
extern template void run_turned<double>(const KernelCall&, const ConvolutionPart&);

} // namespace vmaprun
