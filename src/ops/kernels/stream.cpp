#include "ops/kernels/stream.hpp"

#include <algorithm>
#include <cstdint>
#include <cstring>

#if defined(__x86_64__)
#include <immintrin.h>

#include "ops/kernels/dispatch.hpp"
#endif

namespace vmaprun {

#if defined(__x86_64__)
namespace {

constexpr std::size_t line = 64;

// A whole line in one store, where the machine has such: four would be as many steps on their way.
__attribute__((target("avx512f"))) void stream_lines_512(std::byte* to, const std::byte* from, std::size_t bytes) {
    for (std::size_t at = 0; at < bytes; at += line) _mm512_stream_si512(reinterpret_cast<__m512i*>(to + at), _mm512_loadu_si512(from + at));
}
void stream_lines_128(std::byte* to, const std::byte* from, std::size_t bytes) {
    for (std::size_t at = 0; at < bytes; at += 16) _mm_stream_si128(reinterpret_cast<__m128i*>(to + at), _mm_loadu_si128(reinterpret_cast<const __m128i*>(from + at)));
}

} // namespace
#endif

void stream_copy(std::byte* to, const std::byte* from, std::size_t bytes) {
#if defined(__x86_64__)
    static const auto stream_lines = instruction_set() == InstructionSet::avx512 ? stream_lines_512 : stream_lines_128;
    const std::size_t head = std::min(bytes, (line - reinterpret_cast<std::uintptr_t>(to) % line) % line);
    std::memcpy(to, from, head);
    const std::size_t lines = (bytes - head) / line * line; // a part of one would be read after all
    stream_lines(to + head, from + head, lines);
    to += head + lines, from += head + lines, bytes -= head + lines;
#endif
    std::memcpy(to, from, bytes);
}

void stream_fence() {
#if defined(__x86_64__)
    _mm_sfence();
#endif
}

} // namespace vmaprun
