// .npy files by slices of their leading axis: what the engine streams from and to (exec/stream.hpp).
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "exec/stream.hpp"
#include "io/file.hpp"
#include "io/npy.hpp"

namespace vmaprun {

// Reads slices of a file whose elements lie as an Array has them. E501 when the file is another by now.
class NpySource final : public SliceSource {
  public:
    NpySource(const std::string& path, const NpyHeader& header, std::int64_t file_bytes);
    void read(std::int64_t first, std::int64_t count, std::byte* target) const override;

  private:
    InputFile file_;
    std::int64_t offset_, slice_bytes_;
};

// Whether a file with this header can be read so.
bool is_streamable(const NpyHeader& header);

// Puts slices where they belong in a file of this type and shape. Keys, as in write_npy, are two words each.
class NpySink final : public SliceSink {
  public:
    using Place = std::function<void(std::int64_t offset, std::string_view bytes)>; // called from several threads
    NpySink(DType dtype, const Shape& shape, Place place);
    std::int64_t file_bytes() const { return offset_ + bytes_; }
    void write_header() const { place_(0, header_); }
    void write(std::int64_t first, std::int64_t count, const std::byte* data) override;

  private:
    std::string header_;
    std::int64_t offset_, bytes_, slice_bytes_;
    Place place_;
};

} // namespace vmaprun
