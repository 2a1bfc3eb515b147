// The derivatives of the linear algebra rows: forward and reverse, as JAX defines them (symmetric operands of cholesky and
// eigh count as symmetric, though only one triangle is read).
#pragma once

#include "ir/op.hpp"

namespace vmaprun {

using Tangents = std::span<const Value>;

#define VMAPRUN_RULES(name)                                                                                                    \
    std::vector<Value> jvp_##name(const Primal& at, Tangents tangents);                                                        \
    std::vector<Value> vjp_##name(const Primal& at, Tangents cotangents, const std::vector<bool>& wanted);
VMAPRUN_RULES(cholesky)
VMAPRUN_RULES(solve)
VMAPRUN_RULES(triangular_solve)
VMAPRUN_RULES(det)
VMAPRUN_RULES(cofactors)
VMAPRUN_RULES(slogdet)
VMAPRUN_RULES(qr)
VMAPRUN_RULES(svd)
VMAPRUN_RULES(svdvals)
VMAPRUN_RULES(eigh)
VMAPRUN_RULES(eigvalsh)
VMAPRUN_RULES(expm)
#undef VMAPRUN_RULES

} // namespace vmaprun
