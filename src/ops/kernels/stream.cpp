#include "ops/kernels/stream.hpp"

#include <algorithm>
#include <cstdint>
#include <cstring>

#if defined(__x86_64__)
#include <emmintrin.h>
#endif

namespace vmaprun {

void stream_copy(std::byte* to, const std::byte* from, std::size_t bytes) {
#if defined(__x86_64__)
    constexpr std::size_t line = 64;
    const std::size_t head = std::min(bytes, (line - reinterpret_cast<std::uintptr_t>(to) % line) % line);
    std::memcpy(to, from, head);
    to += head, from += head, bytes -= head;
    for (; bytes >= line; to += line, from += line, bytes -= line) { // whole lines: a part of one would be read after all
        for (std::size_t i = 0; i < line; i += 16) {
            _mm_stream_si128(reinterpret_cast<__m128i*>(to + i), _mm_loadu_si128(reinterpret_cast<const __m128i*>(from + i)));
        }
    }
#endif
    std::memcpy(to, from, bytes);
}

void stream_fence() {
#if defined(__x86_64__)
    _mm_sfence();
#endif
}

} // namespace vmaprun
