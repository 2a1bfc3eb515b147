// The kernels of Fourier transforms along one axis of a sample: fourier (complex to complex), fourier_real (real to the half
// with frequencies 0 … n/2) and fourier_half (that half to real numbers).
//
// Every result of a transform is computed in one order, which the plan of its length fixes (kernels/fourier_plan.hpp):
// vectors only put independent columns, rows or transforms side by side, and threads take some of them each. A real
// transform of even length is a complex one of half the length, then a recombination; of odd length a complex one.
#pragma once

#include "ir/op.hpp"
#include "ops/kernels/fourier_plan.hpp"

namespace vmaprun {

// Attributes: 0: axis; 1: how results are scaled: by n^(-a/2), a = 0, 1 or 2; 2: bool backward (fourier), Dims of one, the length n (fourier_half).
void fourier_kernel(const KernelCall& call);
void fourier_real_kernel(const KernelCall& call);
void fourier_half_kernel(const KernelCall& call);

// One transform between rows of pairs without gaps; in and out may not overlap.
template <class T> void fourier_transform(const FourierPlan<T>& plan, const T* in, T* out, FourierWay way, T scale, Parallel* parallel);

} // namespace vmaprun
