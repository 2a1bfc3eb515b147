#include "ops/kernels/convolution_table.hpp"

#include "ops/kernels/dispatch.hpp"

namespace vmaprun {

const ConvolutionTable& convolution_table() {
    static const ConvolutionTable& table = []() -> const ConvolutionTable& {
#if defined(__x86_64__)
        switch (instruction_set()) {
        case InstructionSet::avx512: return avx512::convolution_table();
        case InstructionSet::avx2: return avx2::convolution_table();
        default: return sse42::convolution_table();
        }
#else
        return neon::convolution_table();
#endif
    }();
    return table;
}

} // namespace vmaprun
