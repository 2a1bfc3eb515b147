#include "array/array.hpp"

#include <sys/mman.h>

#include <algorithm>
#include <atomic>
#include <cmath>
#include <cstdlib>
#include <cstring>

#include "array/memory_limit.hpp"
#include "array/words.hpp"
#include "base/checked.hpp"
#include "base/error.hpp"

namespace vmaprun {
namespace {

constexpr std::size_t huge_page = std::size_t{2} << 20U;

std::atomic<std::int64_t> held{0}, limit{0};

// Counts the bytes of a buffer, or refuses it.
void take(std::size_t bytes) {
    const auto more = static_cast<std::int64_t>(bytes);
    const std::int64_t most = limit.load(std::memory_order_relaxed), now = held.fetch_add(more, std::memory_order_relaxed) + more;
    if (most == 0 || now <= most) return;
    held.fetch_sub(more, std::memory_order_relaxed);
    throw UserError(error("E602", "out of memory: " + std::to_string(bytes) + " bytes for one tensor, beside the " + std::to_string(now - more) + " in use")
                        .note("`--memory` allows " + std::to_string(most) + " bytes")
                        .help("an input that is used by slices of its leading axis alone goes from .npy to .npy without being in memory"));
}

std::byte* allocate(std::size_t bytes) {
    take(bytes);
    const bool large = bytes >= 2 * huge_page;
    const std::size_t alignment = large ? huge_page : 64;
    const std::size_t rounded = (std::max<std::size_t>(bytes, 1) + alignment - 1) / alignment * alignment;
    void* memory = std::aligned_alloc(alignment, rounded);
    if (memory == nullptr) {
        held.fetch_sub(static_cast<std::int64_t>(bytes), std::memory_order_relaxed);
        throw UserError(error("E602", "out of memory: " + std::to_string(bytes) + " bytes for one tensor")
                            .help("work on smaller blocks, or give the run more memory"));
    }
    if (large) madvise(memory, rounded, MADV_HUGEPAGE);
    return static_cast<std::byte*>(memory);
}

// Row-major walk over all axes but the last `inner` ones; calls f(offset_from, offset_to).
template <class F> void walk(const View& from, const View& to, std::size_t outer, F&& f) {
    Shape index(outer, 0);
    std::int64_t at_from = 0, at_to = 0;
    for (;;) {
        f(at_from, at_to);
        std::size_t axis = outer;
        for (;;) {
            if (axis == 0) return;
            --axis;
            at_from += from.strides[axis];
            at_to += to.strides[axis];
            if (++index[axis] < from.shape[axis]) break;
            at_from -= from.strides[axis] * from.shape[axis];
            at_to -= to.strides[axis] * from.shape[axis];
            index[axis] = 0;
        }
    }
}

template <class Word> void copy_words(const View& from, const View& to) {
    auto* source = reinterpret_cast<const Word*>(from.data);
    auto* target = reinterpret_cast<Word*>(to.data);
    if (from.rank() == 0) {
        *target = *source;
        return;
    }
    const std::size_t last = from.rank() - 1;
    const std::int64_t length = from.shape[last], step_from = from.strides[last], step_to = to.strides[last];
    walk(from, to, last, [&](std::int64_t at_from, std::int64_t at_to) {
        const Word* in = source + at_from;
        Word* out = target + at_to;
        if (step_from == 1 && step_to == 1) {
            std::memcpy(out, in, static_cast<std::size_t>(length) * sizeof(Word));
        } else {
            for (std::int64_t i = 0; i < length; ++i) out[i * step_to] = in[i * step_from];
        }
    });
}

// Drops axes of extent 1 and joins neighbours that both views step through evenly.
void collapse(View& from, View& to) {
    View a{from.dtype, from.data, {}, {}}, b{to.dtype, to.data, {}, {}};
    for (std::size_t axis = 0; axis < from.rank(); ++axis) {
        const std::int64_t extent = from.shape[axis];
        if (extent == 1) continue;
        const bool joins = !a.shape.empty() && a.strides.back() == from.strides[axis] * extent && b.strides.back() == to.strides[axis] * extent;
        if (joins) {
            a.shape.back() *= extent;
            a.strides.back() = from.strides[axis];
            b.strides.back() = to.strides[axis];
        } else {
            a.shape.push_back(extent);
            a.strides.push_back(from.strides[axis]);
            b.strides.push_back(to.strides[axis]);
        }
    }
    b.shape = a.shape;
    from = std::move(a);
    to = std::move(b);
}

} // namespace

std::int64_t element_count(std::span<const std::int64_t> shape) {
    const auto count = checked_product(shape);
    if (!count) throw InternalError("the element count of a shape overflows");
    return *count;
}

Strides row_major_strides(std::span<const std::int64_t> shape) {
    Strides strides(shape.size());
    std::int64_t step = 1;
    for (std::size_t axis = shape.size(); axis-- > 0;) {
        strides[axis] = step;
        step *= std::max<std::int64_t>(shape[axis], 1);
    }
    return strides;
}

std::string shape_text(std::span<const std::int64_t> shape) {
    if (shape.empty()) return "";
    std::string text = "[";
    for (const std::int64_t extent : shape) {
        if (text.size() > 1) text += ", ";
        text += std::to_string(extent);
    }
    return text + "]";
}

Buffer::Buffer(std::size_t bytes) : data_(allocate(bytes)), bytes_(bytes) {}
Buffer::Buffer(std::byte* data, std::size_t bytes, std::shared_ptr<void> keeper)
    : data_(data), bytes_(bytes), keeper_(std::move(keeper)), owned_(false) {}
Buffer::~Buffer() {
    if (!owned_) return;
    std::free(data_);
    held.fetch_sub(static_cast<std::int64_t>(bytes_), std::memory_order_relaxed);
}

MemoryLimit::MemoryLimit(std::int64_t bytes) : before_(limit.exchange(bytes)) {}
MemoryLimit::~MemoryLimit() { limit.store(before_); }
std::int64_t memory_allowed() { return limit.load(std::memory_order_relaxed); }

bool View::is_contiguous() const {
    std::int64_t expected = 1;
    for (std::size_t axis = rank(); axis-- > 0;) {
        if (shape[axis] == 0) return true;
        if (shape[axis] != 1 && strides[axis] != expected) return false;
        expected *= shape[axis];
    }
    return true;
}

Array::Array(DType dtype, Shape shape) {
    const std::size_t bytes = static_cast<std::size_t>(element_count(shape)) * size_of(dtype);
    buffer_ = std::make_shared<Buffer>(bytes);
    Strides strides = row_major_strides(shape);
    view_ = View{dtype, buffer_->data(), std::move(shape), std::move(strides)};
}

Array Array::zeros(DType dtype, Shape shape) {
    Array array(dtype, std::move(shape));
    std::memset(array.buffer_->data(), 0, array.buffer_->size());
    return array;
}

Array Array::contiguous() const {
    if (view_.is_contiguous()) return *this;
    Array copy(dtype(), shape());
    copy_elements(view_, copy.view_);
    return copy;
}

Array part_of(const Array& array, std::int64_t first, std::int64_t extent) {
    View view = array.view();
    view.data += first * view.strides[0] * static_cast<std::int64_t>(size_of(view.dtype));
    view.shape[0] = extent;
    return array.with_view(std::move(view));
}

void copy_elements(const View& from, const View& to) {
    if (from.size() == 0) return;
    View source = from, target = to;
    collapse(source, target);
    visit_word(size_of(from.dtype), [&]<class Word>(Word) { copy_words<Word>(source, target); });
}

bool same_bits(const Array& a, const Array& b) {
    if (a.dtype() != b.dtype() || a.shape() != b.shape()) return false;
    const Array x = a.contiguous(), y = b.contiguous();
    const auto bytes = static_cast<std::size_t>(a.size()) * size_of(a.dtype());
    if (std::memcmp(x.view().data, y.view().data, bytes) == 0) return true;
    const auto equal = [&]<class T>(TypeTag<T>) {
        for (std::int64_t i = 0; i < a.size() * (is_complex(a.dtype()) ? 2 : 1); ++i) {
            const T u = x.as<T>()[i], v = y.as<T>()[i];
            if (std::memcmp(&u, &v, sizeof(T)) != 0 && !(std::isnan(u) && std::isnan(v))) return false;
        }
        return true;
    };
    if (a.dtype() == DType::f32 || a.dtype() == DType::c64) return equal(TypeTag<float>{});
    if (a.dtype() == DType::f64 || a.dtype() == DType::c128) return equal(TypeTag<double>{});
    return false;
}

} // namespace vmaprun
