// Memory for tiles and other small buffers: it begins where a cache line does, so that no vector lies across two of them.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <new>

namespace vmaprun {

struct AlignedFree {
    void operator()(std::byte* memory) const { std::free(memory); }
};
using AlignedBytes = std::unique_ptr<std::byte[], AlignedFree>;

// Of at least `bytes` bytes, not set to anything; throws std::bad_alloc.
inline AlignedBytes aligned_bytes(std::size_t bytes, std::size_t alignment = 64) {
    AlignedBytes memory(static_cast<std::byte*>(std::aligned_alloc(alignment, (std::max<std::size_t>(bytes, 1) + alignment - 1) / alignment * alignment)));
    if (!memory) throw std::bad_alloc();
    return memory;
}

inline AlignedBytes aligned_zeros(std::size_t bytes) {
    AlignedBytes memory = aligned_bytes(bytes);
    std::memset(memory.get(), 0, bytes);
    return memory;
}

} // namespace vmaprun
