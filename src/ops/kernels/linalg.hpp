// The kernels of the linear algebra family. Operands have their matrices in the last two axes; results are row-major.
// One matrix at a time, in an order that its own size sets: stacks, lanes, blocks and threads never show in a bit.
#pragma once

#include "ir/op.hpp"

namespace vmaprun {

// Those of ours (linalg_factor.cpp).
void cholesky_kernel(const KernelCall& call);
void solve_kernel(const KernelCall& call);
void triangular_solve_kernel(const KernelCall& call); // attributes: 0: lower
void det_kernel(const KernelCall& call);
void slogdet_kernel(const KernelCall& call);
void cofactors_kernel(const KernelCall& call); // the signed minors, of any rank

// Those of the reference LAPACK (linalg_lapack.cpp).
void qr_kernel(const KernelCall& call);   // attributes: 0: complete
void svd_kernel(const KernelCall& call);  // attributes: 0: full matrices
void svdvals_kernel(const KernelCall& call);
void eigh_kernel(const KernelCall& call);
void eigvalsh_kernel(const KernelCall& call);

void expm_kernel(const KernelCall& call); // linalg_expm.cpp

} // namespace vmaprun
