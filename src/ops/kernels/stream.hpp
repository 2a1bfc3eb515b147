// Stores that go past the caches: for results that are larger than these and not read again soon, memory is then written
// without being read first. Plain copies where the machine has no such stores.
#pragma once

#include <cstddef>

namespace vmaprun {

void stream_copy(std::byte* to, const std::byte* from, std::size_t bytes); // must not overlap
void stream_fence(); // after the last stream_copy, before another thread looks

// Asks for a cache line that is to be written.
inline void prefetch_for_writing(const std::byte* line) {
#if defined(__x86_64__)
    asm volatile("prefetchw %0" : : "m"(*line)); // a no-operation where the processor hasn't got it
#else
    __builtin_prefetch(line, 1);
#endif
}

} // namespace vmaprun
