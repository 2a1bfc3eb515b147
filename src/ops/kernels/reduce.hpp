// Kernels of the reductions. Node attributes: 0: Dims axes, 1: bool keepdims (argmax, argmin: 0: axis or -1 for all, 1: keepdims).
//
// The one order of a float sum or product, whatever the strides, lanes, threads or instruction set: the reduced elements
// of a sample are numbered in row-major order and cut into chunks of 128 rows of W = 64 / sizeof(element) elements. In a
// chunk element i belongs to partial i % W, and each partial takes its elements in order, from 0 (or 1). The W partials
// meet in a fixed tree (j with j + W/2, then j + W/4 …). The chunks' results meet in pairs, as a binary counter carries:
// the sum of chunks 0 and 1 meets that of 2 and 3, and so on; what is left over at the end meets from the last to the first.
#pragma once

#include "ir/op.hpp"

namespace vmaprun {

void sum_kernel(const KernelCall& call);
void prod_kernel(const KernelCall& call);
void max_kernel(const KernelCall& call);
void min_kernel(const KernelCall& call);
void all_kernel(const KernelCall& call);
void any_kernel(const KernelCall& call);
void count_nonzero_kernel(const KernelCall& call);
void argmax_kernel(const KernelCall& call);
void argmin_kernel(const KernelCall& call);

} // namespace vmaprun
