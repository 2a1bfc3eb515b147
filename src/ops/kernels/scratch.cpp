#include "ops/kernels/scratch.hpp"

#include <memory>
#include <vector>

#include "array/array.hpp"

namespace vmaprun {

std::byte* scratch_bytes(std::size_t place, std::size_t bytes) {
    thread_local std::vector<std::unique_ptr<Buffer>> kept;
    if (kept.size() <= place) kept.resize(place + 1);
    std::unique_ptr<Buffer>& buffer = kept[place];
    if (!buffer || buffer->size() < bytes) {
        buffer.reset();
        buffer = std::make_unique<Buffer>(bytes);
    }
    return buffer->data();
}

} // namespace vmaprun
