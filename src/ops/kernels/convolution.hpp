// The kernel of the node `convolution`: x [n, c, spatial…] and w [o, c / groups, spatial…] to [n, o, spatial…], 1 to 3 spatial
// axes, no flip. Attributes, a number a spatial axis each: 0: Dims strides; 1: Dims padding, pairs before and behind (a
// negative one cuts); 2: Dims dilation of w; 3: Dims dilation of x; and 4: the number of groups.
//
// The order of every element is that of a dot product (kernels/contraction.hpp) over channel and then position in w, both
// row-major; padding counts as zeros that are multiplied too. So it is the bits of a product of matrices of windows. The
// zeros that a dilation of x puts between its elements are left out, with the places in w that meet them
// (kernels/convolution_parts.hpp).
//
// Each sample is first copied with its padding, so that what one stride apart becomes neighbours: the positions that a
// place in w meets then lie side by side, whatever stride, dilation and padding are. Where there are few results of many
// products each, what is summed goes outermost instead (kernels/convolution_turned.hpp).
#pragma once

#include "ir/op.hpp"

namespace vmaprun {

void convolution_kernel(const KernelCall& call);

} // namespace vmaprun
