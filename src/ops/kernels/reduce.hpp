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

std::int64_t sum_chunk(DType dtype); // elements of a chunk of f32 or f64

// The folds of rows of tiles (ir/op.hpp) by the names of the reductions; null where the dtype has none.
RowKernel sum_rows(DType dtype);
RowKernel prod_rows(DType dtype);
RowKernel max_rows(DType dtype);
RowKernel min_rows(DType dtype);
RowKernel all_rows(DType dtype);
RowKernel any_rows(DType dtype);
RowKernel count_nonzero_rows(DType dtype);
RowKernel argmax_rows(DType dtype);
RowKernel argmin_rows(DType dtype);

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
