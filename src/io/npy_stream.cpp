#include "io/npy_stream.hpp"

#include "base/error.hpp"

namespace vmaprun {
namespace {

std::int64_t slice_bytes_of(DType dtype, const Shape& shape) {
    return element_count(std::span(shape).subspan(1)) * static_cast<std::int64_t>(size_of(dtype));
}

} // namespace

bool is_streamable(const NpyHeader& header) {
    const bool is_native = header.byte_order == ByteOrder::little || size_of(header.dtype) == 1;
    return !header.shape.empty() && is_native && header.order == ElementOrder::row_major && header.dtype != DType::boolean;
}

NpySource::NpySource(const std::string& path, const NpyHeader& header, std::int64_t file_bytes)
    : file_(path), offset_(header.data_offset), slice_bytes_(slice_bytes_of(header.dtype, header.shape)) {
    if (file_.size() != file_bytes) throw UserError(error("E501", "cannot read `" + file_.name() + "`: it changed while it was read"));
}

void NpySource::read(std::int64_t first, std::int64_t count, std::byte* target) const {
    const auto bytes = static_cast<std::size_t>(count * slice_bytes_);
    if (read_fully_at(file_.descriptor(), target, bytes, offset_ + first * slice_bytes_, file_.name()) == bytes) return;
    throw UserError(error("E501", "cannot read `" + file_.name() + "`: it changed while it was read"));
}

NpySink::NpySink(DType dtype, const Shape& shape, Place place) : place_(std::move(place)) {
    const bool is_key = dtype == DType::key;
    Shape written = shape;
    if (is_key) written.push_back(2);
    header_ = npy_header_text(is_key ? DType::u32 : dtype, written);
    offset_ = static_cast<std::int64_t>(header_.size());
    slice_bytes_ = slice_bytes_of(dtype, shape);
    bytes_ = shape[0] * slice_bytes_;
}

void NpySink::write(std::int64_t first, std::int64_t count, const std::byte* data) {
    place_(offset_ + first * slice_bytes_, {reinterpret_cast<const char*>(data), static_cast<std::size_t>(count * slice_bytes_)});
}

} // namespace vmaprun
