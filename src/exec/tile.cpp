#include "exec/tile.hpp"

#include <algorithm>
#include <cstring>
#include <memory>

#include "base/error.hpp"

namespace vmaprun {
namespace {

constexpr std::size_t slot_bytes = 8192;
constexpr std::size_t no_slot = SIZE_MAX;

struct Wide {
    std::uint64_t low, high;
};

// One element many times: what is there is doubled.
template <class Word> void spread(const Word& word, std::int64_t count, Word* out) {
    constexpr std::int64_t first = 8;
    for (std::int64_t i = 0; i < std::min(count, first); ++i) out[i] = word;
    for (std::int64_t have = first; have < count; have *= 2) {
        std::memcpy(out + have, out, static_cast<std::size_t>(std::min(have, count - have)) * sizeof(Word));
    }
}

template <class Word> void read_strided(const std::byte* from, std::int64_t stride, std::int64_t count, std::byte* to) {
    const auto* in = reinterpret_cast<const Word*>(from);
    auto* out = reinterpret_cast<Word*>(to);
    if (stride == 1) std::memcpy(out, in, static_cast<std::size_t>(count) * sizeof(Word));
    else if (stride == 0) spread(*in, count, out);
    else for (std::int64_t i = 0; i < count; ++i) out[i] = in[i * stride];
}

// Row-major walk over joined axes from element `begin` on: runs along the last axis.
template <class Word>
void read_tile(const std::byte* data, const Shape& shape, const Strides& strides, std::int64_t begin, std::int64_t count, std::byte* to) {
    const std::size_t last = shape.size() - 1;
    Shape index(shape.size());
    std::int64_t rest = begin, at = 0;
    for (std::size_t axis = shape.size(); axis-- > 0;) {
        index[axis] = rest % shape[axis];
        rest /= shape[axis];
        at += index[axis] * strides[axis];
    }
    while (count > 0) {
        const std::int64_t length = std::min(count, shape[last] - index[last]);
        read_strided<Word>(data + at * static_cast<std::int64_t>(sizeof(Word)), strides[last], length, to);
        to += length * static_cast<std::int64_t>(sizeof(Word));
        count -= length;
        index[last] += length;
        at += length * strides[last];
        for (std::size_t axis = last; axis > 0 && index[axis] == shape[axis]; --axis) {
            at += strides[axis - 1] - shape[axis] * strides[axis];
            index[axis] = 0;
            ++index[axis - 1];
        }
    }
}

void read_any(std::size_t width, const std::byte* data, const Shape& shape, const Strides& strides, std::int64_t begin, std::int64_t count, std::byte* to) {
    switch (width) {
    case 1: return read_tile<std::uint8_t>(data, shape, strides, begin, count, to);
    case 2: return read_tile<std::uint16_t>(data, shape, strides, begin, count, to);
    case 4: return read_tile<std::uint32_t>(data, shape, strides, begin, count, to);
    case 8: return read_tile<std::uint64_t>(data, shape, strides, begin, count, to);
    default: return read_tile<Wide>(data, shape, strides, begin, count, to);
    }
}

} // namespace

TileProgram::TileProgram(Shape shape) : shape_(std::move(shape)), size_(element_count(shape_)) {}

std::size_t TileProgram::add_input(const View& view) {
    Register input;
    input.width = size_of(view.dtype);
    input.data = view.data;
    for (std::size_t axis = 0; axis < view.rank(); ++axis) {
        const std::int64_t extent = view.shape[axis], stride = view.strides[axis];
        if (extent == 1) continue;
        if (!input.shape.empty() && input.strides.back() == stride * extent) {
            input.shape.back() *= extent;
            input.strides.back() = stride;
        } else {
            input.shape.push_back(extent);
            input.strides.push_back(stride);
        }
    }
    if (input.shape.empty() || (input.shape.size() == 1 && input.strides[0] == 0)) input.access = Access::spread;
    else if (input.shape.size() == 1 && input.strides[0] == 1) input.access = Access::direct;
    else input.access = Access::gathered;
    if (size_ == 1) input.access = Access::direct;
    registers_.push_back(std::move(input));
    return registers_.size() - 1;
}

std::size_t TileProgram::add_step(TileKernel kernel, std::vector<std::size_t> operands, DType dtype, Target target) {
    Register made;
    made.access = target == Target::memory ? Access::stored : Access::computed;
    made.width = size_of(dtype);
    registers_.push_back(std::move(made));
    instructions_.push_back({kernel, std::move(operands), registers_.size() - 1});
    return registers_.size() - 1;
}

// Scratch tiles are used again after the last step that reads them, so that few of them are hot.
void TileProgram::prepare() {
    std::size_t widest = 1;
    for (const Register& each : registers_) widest = std::max(widest, each.width);
    tile_ = static_cast<std::int64_t>(std::min<std::size_t>(1024, slot_bytes / widest));
    std::vector<std::size_t> last_use(registers_.size(), 0);
    for (std::size_t i = 0; i < instructions_.size(); ++i) {
        for (const std::size_t operand : instructions_[i].operands) last_use[operand] = i;
    }
    std::vector<std::size_t> free_slots;
    const auto take = [&](Register& target) {
        if (free_slots.empty()) free_slots.push_back(slots_++);
        target.slot = free_slots.back();
        free_slots.pop_back();
    };
    for (Register& each : registers_) each.slot = no_slot;
    for (Register& each : registers_) {
        if (each.access == Access::spread || each.access == Access::gathered) take(each);
    }
    for (std::size_t i = 0; i < instructions_.size(); ++i) {
        // Slots of spread inputs keep their content over tiles; gathered ones are filled again in each.
        Register& target = registers_[instructions_[i].target];
        if (target.access == Access::computed) take(target);
        for (const std::size_t operand : instructions_[i].operands) {
            const Register& used = registers_[operand];
            if (last_use[operand] != i || used.access != Access::computed) continue;
            if (std::ranges::find(free_slots, used.slot) == free_slots.end()) free_slots.push_back(used.slot);
        }
    }
}

void TileProgram::gather(const Register& input, std::int64_t begin, std::int64_t count, std::byte* out) {
    read_any(input.width, input.data, input.shape, input.strides, begin, count, out);
}

void TileProgram::run(std::int64_t begin, std::int64_t end) const {
    if (begin >= end) return;
    alignas(64) thread_local std::vector<std::byte> scratch_memory;
    const std::size_t wanted = (slots_ + 1) * slot_bytes + 64;
    if (scratch_memory.size() < wanted) scratch_memory.resize(wanted);
    void* start = scratch_memory.data();
    std::size_t space = scratch_memory.size();
    auto* scratch = static_cast<std::byte*>(std::align(64, wanted - 64, start, space));
    std::vector<std::byte*> at(registers_.size());
    for (std::size_t r = 0; r < registers_.size(); ++r) {
        const Register& each = registers_[r];
        if (each.slot != no_slot) at[r] = scratch + each.slot * slot_bytes;
        if (each.access == Access::spread) read_any(each.width, each.data, {tile_}, {0}, 0, std::min(tile_, end - begin), at[r]);
    }
    std::vector<const void*> operands;
    for (std::int64_t first = begin; first < end; first += tile_) {
        const std::int64_t count = std::min(tile_, end - first);
        for (std::size_t r = 0; r < registers_.size(); ++r) {
            const Register& each = registers_[r];
            if (each.access == Access::direct || each.access == Access::stored) at[r] = each.data + first * static_cast<std::int64_t>(each.width);
            else if (each.access == Access::gathered) gather(each, first, count, at[r]);
        }
        for (const Instruction& instruction : instructions_) {
            operands.clear();
            for (const std::size_t operand : instruction.operands) operands.push_back(at[operand]);
            instruction.kernel(at[instruction.target], operands.data(), count);
        }
    }
}

} // namespace vmaprun
