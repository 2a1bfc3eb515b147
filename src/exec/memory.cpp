#include "exec/memory.hpp"

#include <unistd.h>

#include <bit>
#include <string>
#include <vector>

#include "base/checked.hpp"
#include "base/error.hpp"

namespace vmaprun {
namespace {

constexpr std::int64_t most_viewed = std::int64_t{1} << 50; // bytes: what goes through a machine's memory in a day or so
constexpr std::size_t smallest_kept = 256;

std::int64_t physical_memory() {
    static const std::int64_t bytes = static_cast<std::int64_t>(sysconf(_SC_PHYS_PAGES)) * sysconf(_SC_PAGESIZE);
    return bytes;
}

std::int64_t checked_bytes(DType dtype, const Shape& shape, std::int64_t most) {
    const auto elements = checked_product(shape);
    const auto bytes = elements ? checked_multiply(*elements, static_cast<std::int64_t>(size_of(dtype))) : std::nullopt;
    if (bytes && *bytes <= most) return *bytes;
    const std::string size = bytes ? std::to_string(*bytes) + " bytes" : std::string("more bytes than can be counted");
    throw UserError(error("E602", "a result of " + std::string(name_of(dtype)) + shape_text(shape) + " needs " + size)
                        .note("this machine has " + std::to_string(physical_memory()) + " bytes of memory"));
}

// Buffers of this thread that nobody uses, by size class: four classes an octave, so that at most a fifth is wasted.
struct Kept {
    std::vector<std::vector<std::unique_ptr<Buffer>>> classes;
    int scopes = 0;
    std::size_t bytes = 0, most = 0;
};
thread_local Kept kept;
thread_local bool thread_ends = false;
struct Ending {
    ~Ending() { thread_ends = true; }
};
thread_local Ending ending;

std::size_t class_of(std::size_t bytes) {
    const auto octave = static_cast<std::size_t>(std::bit_width(bytes - 1));
    const std::size_t quarter = octave >= 3 ? ((bytes - 1) >> (octave - 3)) & 3U : 0;
    return octave * 4 + quarter;
}
std::size_t bytes_of_class(std::size_t which) {
    const std::size_t octave = which / 4, quarter = which % 4;
    return octave >= 3 ? (std::size_t{1} << (octave - 1)) + ((quarter + 1) << (octave - 3)) : std::size_t{1} << octave;
}

void take_back(std::unique_ptr<Buffer> buffer) {
    if (thread_ends || kept.scopes == 0) return;
    const std::size_t which = class_of(buffer->size());
    if (kept.classes.size() <= which) kept.classes.resize(which + 1);
    if (kept.bytes + buffer->size() > kept.most) return;
    kept.bytes += buffer->size();
    kept.classes[which].push_back(std::move(buffer));
}

// Kept buffers go first where memory is short.
std::unique_ptr<Buffer> new_buffer(std::size_t bytes) {
    if (kept.bytes == 0) return std::make_unique<Buffer>(bytes);
    try {
        return std::make_unique<Buffer>(bytes);
    } catch (const UserError&) {
        kept.classes.clear();
        kept.bytes = 0;
        return std::make_unique<Buffer>(bytes);
    }
}

std::shared_ptr<Buffer> kept_buffer(std::size_t bytes) {
    const std::size_t which = class_of(bytes);
    std::unique_ptr<Buffer> owner;
    if (which < kept.classes.size() && !kept.classes[which].empty()) {
        owner = std::move(kept.classes[which].back());
        kept.classes[which].pop_back();
        kept.bytes -= owner->size();
    } else {
        owner = new_buffer(bytes_of_class(which));
    }
    Buffer* raw = owner.release();
    return std::shared_ptr<Buffer>(raw, [](Buffer* dropped) { take_back(std::unique_ptr<Buffer>(dropped)); });
}

} // namespace

Array new_array(DType dtype, Shape shape) {
    const auto bytes = static_cast<std::size_t>(checked_bytes(dtype, shape, physical_memory()));
    if (kept.scopes == 0 || bytes < smallest_kept) return Array(dtype, std::move(shape));
    (void)&ending; // makes the thread note its end before `kept` is gone
    auto buffer = kept_buffer(bytes);
    Strides strides = row_major_strides(shape);
    View view{dtype, buffer->data(), std::move(shape), std::move(strides)};
    return Array(std::move(buffer), std::move(view));
}

void check_view_size(DType dtype, const Shape& shape) { checked_bytes(dtype, shape, most_viewed); }

MemoryScope::MemoryScope(std::size_t most) {
    if (kept.scopes++ == 0) kept.most = most != 0 ? most : static_cast<std::size_t>(physical_memory() / 4);
}

MemoryScope::~MemoryScope() {
    if (--kept.scopes > 0) return;
    kept.classes.clear();
    kept.bytes = 0;
}

} // namespace vmaprun
