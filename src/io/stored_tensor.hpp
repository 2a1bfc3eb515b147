// An array that lies in a file, of which the header alone is read until the elements are needed: an .npy file, a member of an .npz archive or of
// a .safetensors file.
#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "array/array.hpp"
#include "base/error.hpp"
#include "exec/stream.hpp"
#include "io/npy.hpp"

namespace vmaprun {

class StoredTensor {
  public:
    StoredTensor(DType dtype, Shape shape) : dtype_(dtype), shape_(std::move(shape)) {}
    virtual ~StoredTensor() = default;
    StoredTensor(const StoredTensor&) = delete;
    StoredTensor& operator=(const StoredTensor&) = delete;

    DType dtype() const { return dtype_; }
    const Shape& shape() const { return shape_; }
    // Up to `threads` threads read large arrays. E501 where the file is another by now, E508 where it is damaged.
    virtual Array read(int threads) const = 0;
    // Its slices along the leading axis, one by one; null where they can't be read so, or it isn't worth it.
    virtual std::unique_ptr<SliceSource> slices() const { return nullptr; }
    // "f32[2, 3]"; what hinders it, where it can't be read.
    virtual std::string description() const { return std::string(name_of(dtype_)) + shape_text(shape_); }

  private:
    DType dtype_;
    Shape shape_;
};

// The tensors of a file that has several, by name, in its order; no two have one name.
using StoredTensors = std::vector<std::pair<std::string, std::shared_ptr<const StoredTensor>>>;

// Elements as they are, from header.data_offset on, of a file of `file_bytes` bytes.
class StoredElements : public StoredTensor {
  public:
    StoredElements(std::string path, NpyHeader header, std::int64_t file_bytes);
    Array read(int threads) const override;
    std::unique_ptr<SliceSource> slices() const override;

  protected:
    // Called with the bytes as they are in the file.
    virtual void check(std::string_view, int /*threads*/) const {}

  private:
    std::string path_;
    NpyHeader header_;
    std::int64_t file_bytes_;
};

// Elements of a kind that is not read: that is said once they are wanted. `refusal` begins with `name`, in backticks.
class RefusedTensor final : public StoredTensor {
  public:
    RefusedTensor(std::string name, Diagnostic refusal, Shape shape = {}) : StoredTensor(DType::u8, std::move(shape)), name_(std::move(name)), refusal_(std::move(refusal)) {}
    Array read(int) const override { throw UserError(refusal_); }
    std::string description() const override { return refusal_.message.substr(name_.size() + 3); }

  private:
    std::string name_;
    Diagnostic refusal_;
};

// An .npy file; E501, E508 to E510 as read_npy_header.
std::shared_ptr<const StoredTensor> stored_npy(const std::string& path);

} // namespace vmaprun
