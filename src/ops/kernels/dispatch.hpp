// Which of the instruction sets that kernels are compiled for this machine runs: asked of the compiler's run-time library
// (which checks the operating system's part too), once.
#pragma once

#include <string_view>

namespace vmaprun {

enum class InstructionSet { sse42, avx2, avx512, neon };

InstructionSet instruction_set(); // the best one
std::string_view name_of(InstructionSet set);
bool runs_here(InstructionSet set); // for tests that compare them

} // namespace vmaprun
