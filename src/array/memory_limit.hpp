// How much memory buffers may take.
#pragma once

#include <cstdint>

namespace vmaprun {

// While one lives, buffers together hold at most so many bytes (0: as many as there is memory); beyond that Buffer throws E602.
// For the whole process: the last one made counts.
class MemoryLimit {
  public:
    explicit MemoryLimit(std::int64_t bytes);
    ~MemoryLimit();
    MemoryLimit(const MemoryLimit&) = delete;
    MemoryLimit& operator=(const MemoryLimit&) = delete;

  private:
    std::int64_t before_;
};

std::int64_t memory_allowed(); // bytes, of all buffers together; 0: no limit

} // namespace vmaprun
