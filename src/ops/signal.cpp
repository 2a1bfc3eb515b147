// The signal family: Fourier transforms, convolution, pooling, interpolation.
#include "ops/signal.hpp"

#include "ops/families.hpp"

namespace vmaprun {

std::span<const Op> signal_ops() {
    static const std::vector<Op> rows = [] {
        std::vector<Op> all;
        for (const std::span<const Op> part : {fourier_rows(), convolution_rows(), pooling_rows()}) all.insert(all.end(), part.begin(), part.end());
        return all;
    }();
    return rows;
}

} // namespace vmaprun
