#include "ops/kernels/dispatch.hpp"

namespace vmaprun {

bool runs_here([[maybe_unused]] InstructionSet set) {
#if defined(__x86_64__)
    __builtin_cpu_init();
    switch (set) {
    case InstructionSet::avx512:
        return runs_here(InstructionSet::avx2) && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512cd") && __builtin_cpu_supports("avx512dq") &&
               __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vl");
    case InstructionSet::avx2: return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
    case InstructionSet::sse42: return __builtin_cpu_supports("sse4.2");
    default: return false;
    }
#else
    return set == InstructionSet::neon;
#endif
}

InstructionSet instruction_set() {
    static const InstructionSet best = [] {
        for (const InstructionSet set : {InstructionSet::avx512, InstructionSet::avx2, InstructionSet::sse42}) {
            if (runs_here(set)) return set;
        }
        return InstructionSet::neon;
    }();
    return best;
}

std::string_view name_of(InstructionSet set) {
    switch (set) {
    case InstructionSet::sse42: return "sse4.2";
    case InstructionSet::avx2: return "avx2";
    case InstructionSet::avx512: return "avx512";
    default: return "neon";
    }
}

} // namespace vmaprun
