#include "ops/kernels/random_table.hpp"

#include "ops/kernels/dispatch.hpp"

namespace vmaprun {

const RandomTable& random_table() {
    static const RandomTable& table = []() -> const RandomTable& {
#if defined(__x86_64__)
        switch (instruction_set()) {
        case InstructionSet::avx512: return avx512::random_table();
        case InstructionSet::avx2: return avx2::random_table();
        default: return sse42::random_table();
        }
#else
        return neon::random_table();
#endif
    }();
    return table;
}

} // namespace vmaprun
