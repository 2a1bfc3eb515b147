// Dense tensors in memory: an Array owns (shares) its bytes, a View only looks at them.
//
// Strides count elements, may be zero (a broadcast axis) or negative (a flipped one). A tensor of rank 0 has one element.
// Shapes here are whole numbers that are known; sizes that are symbols live in ir/dim.hpp.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "array/dtype.hpp"
#include "base/small_vector.hpp"

namespace vmaprun {

using Shape = SmallVector<std::int64_t, 6>;
using Strides = Shape;

// The number of elements; InternalError past 2^62 (callers check untrusted shapes with checked_product before).
std::int64_t element_count(std::span<const std::int64_t> shape);
Strides row_major_strides(std::span<const std::int64_t> shape);
// "[4, 5]"; rank 0 is "".
std::string shape_text(std::span<const std::int64_t> shape);

// Bytes, 64-byte aligned, not zeroed. Large buffers ask for huge pages. Throws UserError E602 when memory is out.
class Buffer {
  public:
    explicit Buffer(std::size_t bytes);
    // Memory that somebody else owns (a mapped file): `keeper` lives as long as the buffer.
    Buffer(std::byte* data, std::size_t bytes, std::shared_ptr<void> keeper);
    ~Buffer();
    Buffer(const Buffer&) = delete;
    Buffer& operator=(const Buffer&) = delete;
    std::byte* data() const { return data_; }
    std::size_t size() const { return bytes_; }

  private:
    std::byte* data_ = nullptr;
    std::size_t bytes_ = 0;
    std::shared_ptr<void> keeper_;
    bool owned_ = true;
};

// Invariant: shape.size() == strides.size(); every element that shape and strides reach lies inside what `data` points into.
struct View {
    DType dtype = DType::f64;
    std::byte* data = nullptr; // the first element
    Shape shape;
    Strides strides;

    std::int64_t size() const { return element_count(shape); }
    std::size_t rank() const { return shape.size(); }
    bool is_contiguous() const; // row-major without gaps (axes of extent 1 don't matter; empty tensors are)
    template <class T> T* as() const { return reinterpret_cast<T*>(data); }
};

class Array {
  public:
    Array() = default;
    // Fresh, contiguous, not initialised.
    Array(DType dtype, Shape shape);
    Array(std::shared_ptr<Buffer> buffer, View view) : buffer_(std::move(buffer)), view_(std::move(view)) {}

    static Array zeros(DType dtype, Shape shape);
    template <class T> static Array scalar(T value) {
        Array array(dtype_of<T>(), {});
        *array.view_.template as<T>() = value;
        return array;
    }

    const View& view() const { return view_; }
    DType dtype() const { return view_.dtype; }
    const Shape& shape() const { return view_.shape; }
    std::int64_t size() const { return view_.size(); }
    std::size_t rank() const { return view_.rank(); }
    template <class T> T* as() const { return view_.as<T>(); }
    const std::shared_ptr<Buffer>& buffer() const { return buffer_; }
    // The same elements in row-major order without gaps; itself when it already is.
    Array contiguous() const;
    // Becomes one that has nothing.
    void release() {
        buffer_.reset();
        view_.data = nullptr;
    }
    // Another way to look at the same buffer.
    Array with_view(View view) const { return Array(buffer_, std::move(view)); }
    explicit operator bool() const { return buffer_ != nullptr; }

  private:
    std::shared_ptr<Buffer> buffer_;
    View view_;
};

// The slices [first, first + extent) along the leading axis of an array.
Array part_of(const Array& array, std::int64_t first, std::int64_t extent);

// Copies elements between views of one dtype and one shape (any strides; must not overlap unless equal).
void copy_elements(const View& from, const View& to);

// Same dtype, shape and bits (all NaNs are one).
bool same_bits(const Array& a, const Array& b);

} // namespace vmaprun
