// The pointwise kernels as the rows ask for them: chosen once for the machine.
#pragma once

#include "array/dtype.hpp"
#include "ir/op.hpp"
#include "ops/kernels/dispatch.hpp"
#include "ops/kernels/pointwise_table.hpp"

namespace vmaprun {

const PointwiseTable& pointwise_table();                     // of this machine
PointwiseTable make_pointwise_table(InstructionSet set);     // of one that runs_here; for tests

// Null where the operation has no kernel for the type.
TileKernel pointwise_kernel(PointwiseOp op, DType dtype);
// The forms of a binary kernel with an operand of one element a row; null: there are none.
const RowPair* row_pair_of(TileKernel kernel);
// The kernel of outer(left(a, b), right(c, d)); left or right may be null, for a plain operand. Null: there is none.
TileKernel composed_kernel(TileKernel outer, TileKernel left, TileKernel right);
TileKernel cast_kernel(DType from, DType to);

} // namespace vmaprun
