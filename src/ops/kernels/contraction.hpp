// The kernels of dot_general and squared_distance. Node attributes: 0: number of batch axes, 1: number of contracted axes.
//
// The one order of every element, be it a lone dot product or one of a large batched product: the contracted elements in
// row-major order are cut into blocks of 256; each block is a chain of fused multiply-adds from 0, in order (multiplied,
// then added, on instruction sets that have no fused one); the blocks' sums are added in order. Whole numbers wrap;
// booleans are "any of both"; complex products are formed by the schoolbook rule, each operation rounded. Squared
// distances (floats alone) go the same way: the difference is rounded, its square added by the multiply-add.
#pragma once

#include "ir/op.hpp"

namespace vmaprun {

void dot_general_kernel(const KernelCall& call);
void squared_distance_kernel(const KernelCall& call);

// The same over the rows of tiles (ir/op.hpp); null where the dtype has none.
RowProductKernel dot_rows(DType dtype);
RowProductKernel squared_distance_rows(DType dtype);

} // namespace vmaprun
