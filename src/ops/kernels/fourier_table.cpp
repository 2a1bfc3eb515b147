#include "ops/kernels/fourier_table.hpp"

#include "ops/kernels/dispatch.hpp"

namespace vmaprun {

const FourierTable& fourier_table() {
    static const FourierTable& table = []() -> const FourierTable& {
#if defined(__x86_64__)
        switch (instruction_set()) {
        case InstructionSet::avx512: return avx512::fourier_table();
        case InstructionSet::avx2: return avx2::fourier_table();
        default: return sse42::fourier_table();
        }
#else
        return neon::fourier_table();
#endif
    }();
    return table;
}

} // namespace vmaprun
