#include "ops/kernels/linalg_table.hpp"

#include "ops/kernels/dispatch.hpp"

namespace vmaprun {

const LinalgTable& linalg_table() {
    static const LinalgTable& table = []() -> const LinalgTable& {
#if defined(__x86_64__)
        switch (instruction_set()) {
        case InstructionSet::avx512: return avx512::linalg_table();
        case InstructionSet::avx2: return avx2::linalg_table();
        default: return sse42::linalg_table();
        }
#else
        return neon::linalg_table();
#endif
    }();
    return table;
}

} // namespace vmaprun
