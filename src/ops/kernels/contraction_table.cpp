#include "ops/kernels/contraction_table.hpp"

#include "ops/kernels/dispatch.hpp"

namespace vmaprun {

const ContractionTable& contraction_table() {
    static const ContractionTable& table = []() -> const ContractionTable& {
#if defined(__x86_64__)
        switch (instruction_set()) {
        case InstructionSet::avx512: return avx512::contraction_table();
        case InstructionSet::avx2: return avx2::contraction_table();
        default: return sse42::contraction_table();
        }
#else
        return neon::contraction_table();
#endif
    }();
    return table;
}

} // namespace vmaprun
