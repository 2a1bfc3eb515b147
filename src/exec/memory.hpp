// The memory of a run's intermediate values: buffers are kept and given out again, because fresh pages cost far more than
// the work on them. Kept buffers belong to a thread, so that a block works where its data is still in cache.
#pragma once

#include "array/array.hpp"

namespace vmaprun {

// Contiguous, not initialised. UserError E602 (without a place) when its size can't be counted or passes the memory of the machine.
Array new_array(DType dtype, Shape shape);

// A view needs no memory of its own, but work on one of a pebibyte or more never ends: E602 too.
void check_view_size(DType dtype, const Shape& shape);

// While one lives, buffers that the thread drops are kept for its next ones, up to `most` bytes (0: a quarter of the
// machine's memory, beyond which they would only stand in the way of others); the last one gives them back to the system.
class MemoryScope {
  public:
    explicit MemoryScope(std::size_t most = 0);
    ~MemoryScope();
    MemoryScope(const MemoryScope&) = delete;
    MemoryScope& operator=(const MemoryScope&) = delete;
};

} // namespace vmaprun
