#include "ops/kernels/turn.hpp"

#include "ops/kernels/dispatch.hpp"

namespace vmaprun {

const TurnTable& turn_table() {
    switch (instruction_set()) {
#if defined(__x86_64__)
    case InstructionSet::avx512: return avx512::turn_table();
    case InstructionSet::avx2: return avx2::turn_table();
    default: return sse42::turn_table();
#else
    default: return neon::turn_table();
#endif
    }
}

} // namespace vmaprun
