// The signal family: Fourier transforms.
#include "ops/signal.hpp"

#include "ops/families.hpp"

namespace vmaprun {

std::span<const Op> signal_ops() {
    static const std::vector<Op> rows = [] {
        std::vector<Op> all;
        for (const std::span<const Op> part : {fourier_rows()}) all.insert(all.end(), part.begin(), part.end());
        return all;
    }();
    return rows;
}

} // namespace vmaprun
