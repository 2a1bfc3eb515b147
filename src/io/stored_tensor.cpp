#include "io/stored_tensor.hpp"

#include "io/npy_header.hpp"
#include "io/npy_stream.hpp"

namespace vmaprun {
namespace {

constexpr std::int64_t worth_streaming = std::int64_t{4} << 20U; // bytes

[[noreturn]] void changed(const std::string& path) { throw UserError(error("E501", "cannot read `" + path + "`: it changed while it was read")); }

// An .npy file that can be read only once, or whose size is not known: as a whole.
class StoredPipe final : public StoredTensor {
  public:
    explicit StoredPipe(Array array) : StoredTensor(array.dtype(), array.shape()), array_(std::move(array)) {}
    Array read(int) const override { return array_; }

  private:
    Array array_;
};

} // namespace

StoredElements::StoredElements(std::string path, NpyHeader header, std::int64_t file_bytes)
    : StoredTensor(header.dtype, header.shape), path_(std::move(path)), header_(std::move(header)), file_bytes_(file_bytes) {}

Array StoredElements::read(int threads) const {
    const InputFile file(path_);
    if (file.size() != file_bytes_) changed(path_);
    const auto bytes = static_cast<std::size_t>(header_.data_bytes);
    auto buffer = std::make_shared<Buffer>(bytes);
    if (read_in_parts(file.descriptor(), buffer->data(), bytes, header_.data_offset, threads, file.name()) < bytes) changed(path_);
    check({reinterpret_cast<const char*>(buffer->data()), bytes}, threads);
    return array_of_elements(std::move(buffer), header_);
}

std::unique_ptr<SliceSource> StoredElements::slices() const {
    if (header_.data_bytes < worth_streaming || !is_streamable(header_)) return nullptr;
    return std::make_unique<NpySource>(path_, header_, file_bytes_);
}

std::shared_ptr<const StoredTensor> stored_npy(const std::string& path) {
    const InputFile file(path);
    if (file.size() < 0) return std::make_shared<StoredPipe>(read_npy_descriptor(file.descriptor(), -1, file.name()));
    const NpyHeader header = read_npy_header(file);
    return std::make_shared<StoredElements>(path, header, header.data_offset + header.data_bytes);
}

} // namespace vmaprun
