// How a Fourier transform of a length is computed: factors and twiddles, made once a length and kept.
//
// The plan follows from the length alone:
//  - lengths below 256, and those up to 2048 with no divisors near their root: one go, a pass a radix (8, 4, 2, 3, 5, 7, primes to 61);
//  - others: n1 columns and n2 rows, whichever divisors cost least on vectors; rows longer than 2048 by a plan of their own;
//  - lengths with a prime factor above 61: a convolution with a chirp of the next length 2^a 3^b 5^c that holds it
//    (Bluestein), in f64.
#pragma once

#include <memory>
#include <vector>

#include "ops/kernels/fourier_table.hpp"

namespace vmaprun {

enum class FourierScheme { leaf, split, chirp };

template <class T> struct FourierPlan {
    FourierScheme scheme = FourierScheme::leaf;
    std::int64_t length = 0;
    FourierLeaf<T> leaf;
    FourierSplit<T> split;
    std::shared_ptr<const FourierPlan<T>> row;          // split: of rows that are too long for one go
    std::shared_ptr<const FourierPlan<double>> padded;  // chirp: of the convolution
    std::vector<double> chirp, chirp_transform;         // pairs: exp(-pi i j² / n); the transform of its conjugate over the padded length
    std::vector<std::vector<T>> numbers;                // what leaf and split point into
    std::vector<std::vector<int>> radices;
};

// For the best instruction set of this machine; kept for the next call.
template <class T> std::shared_ptr<const FourierPlan<T>> fourier_plan(std::int64_t length);

// exp(-2 pi i k / 2h), as `untangle` and `tangle` want it.
template <class T> struct RealTwiddles {
    std::vector<T> coarse, fine;
};
template <class T> std::shared_ptr<const RealTwiddles<T>> real_twiddles(std::int64_t h);

template <class T> const FourierKernels<T>& fourier_kernels() {
    if constexpr (sizeof(T) == 4) return fourier_table().f32;
    else return fourier_table().f64;
}

} // namespace vmaprun
