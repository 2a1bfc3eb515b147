// Stores that go past the caches: for results that are larger than these and not read again soon, memory is then written
// without being read first. Plain copies where the machine has no such stores. And what is asked for ahead of its use.
#pragma once

#include <cstddef>
#include <cstdint>

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

// Asks for the lines of so many bytes, which come while other work is done.
inline void ask_for_lines(const std::byte* from, std::int64_t bytes, bool for_writing) {
    constexpr std::int64_t line = 64;
    for (std::int64_t at = 0; at < bytes; at += line) {
        if (for_writing) prefetch_for_writing(from + at);
        else __builtin_prefetch(from + at, 0, 2); // to the second-level cache: the first has no room for so many on their way
    }
}

} // namespace vmaprun
