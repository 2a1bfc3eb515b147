#include "ops/kernels/dispatch.hpp"

// What the C library found out as it started is asked, where it tells: the compiler's own __builtin_cpu_supports asks the
// processor again before main, at the price of a tenth of a millisecond on a virtual machine, which traps every question.
// (The C library's header says `_Bool`, which clang doesn't know in C++.)
#if defined(__x86_64__) && !defined(__clang__) && __has_include(<sys/platform/x86.h>)
#include <sys/platform/x86.h>
#define VMAPRUN_CPU_HAS(library_name, builtin_name) CPU_FEATURE_ACTIVE(library_name)
#elif defined(__x86_64__)
#define VMAPRUN_CPU_HAS(library_name, builtin_name) (__builtin_cpu_init(), __builtin_cpu_supports(builtin_name) != 0)
#endif

namespace vmaprun {

bool runs_here([[maybe_unused]] InstructionSet set) {
#if defined(__x86_64__)
    switch (set) {
    case InstructionSet::avx512:
        return runs_here(InstructionSet::avx2) && VMAPRUN_CPU_HAS(AVX512F, "avx512f") && VMAPRUN_CPU_HAS(AVX512CD, "avx512cd") && VMAPRUN_CPU_HAS(AVX512DQ, "avx512dq") &&
               VMAPRUN_CPU_HAS(AVX512BW, "avx512bw") && VMAPRUN_CPU_HAS(AVX512VL, "avx512vl");
    case InstructionSet::avx2: return VMAPRUN_CPU_HAS(AVX2, "avx2") && VMAPRUN_CPU_HAS(FMA, "fma");
    case InstructionSet::sse42: return VMAPRUN_CPU_HAS(SSE4_2, "sse4.2");
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
