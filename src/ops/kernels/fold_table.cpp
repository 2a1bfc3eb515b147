#include "ops/kernels/fold_table.hpp"

#include "ops/kernels/dispatch.hpp"

namespace vmaprun {

const FoldTable& fold_table() {
    static const FoldTable& table = []() -> const FoldTable& {
#if defined(__x86_64__)
        switch (instruction_set()) {
        case InstructionSet::avx512: return avx512::fold_table();
        case InstructionSet::avx2: return avx2::fold_table();
        default: return sse42::fold_table();
        }
#else
        return neon::fold_table();
#endif
    }();
    return table;
}

} // namespace vmaprun
