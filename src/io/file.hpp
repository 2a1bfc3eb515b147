// Reading whole files and descriptors into memory.
//
// Every failure is a UserError E501 that names the path and the reason; a missing file offers the nearest name in its
// folder. The path "-" is standard input everywhere.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "array/array.hpp"

namespace vmaprun {

// The bytes of a file, shared and never changed. Invariant: a zero byte follows the last byte, and as many more as `file_bytes_padding` says can be
// read, so scanners need no bounds check and may load whole words.
class FileBytes {
  public:
    FileBytes() : FileBytes(nothing()) {}
    // A copy of `bytes`; `name` is what messages call it.
    FileBytes(std::string name, std::string_view bytes);
    FileBytes(std::string name, std::shared_ptr<Buffer> buffer, std::size_t size);

    const std::string& name() const { return *name_; }
    std::string_view view() const { return {data(), size_}; }
    const char* data() const { return reinterpret_cast<const char*>(buffer_->data()) + begin_; }
    std::size_t size() const { return size_; }
    // Some of the bytes, behind which a zero byte stands already.
    FileBytes part(std::size_t begin, std::size_t size) const {
        FileBytes some = *this;
        some.begin_ += begin;
        some.size_ = size;
        return some;
    }

  private:
    static const FileBytes& nothing(); // what all that are made of nothing share

    std::shared_ptr<const std::string> name_;
    std::shared_ptr<Buffer> buffer_;
    std::size_t begin_ = 0, size_ = 0;
};

inline constexpr std::size_t file_bytes_padding = 64;

// Up to `threads` threads read large files.
FileBytes read_file(const std::string& path, int threads = 1);
// Everything up to the end of a descriptor, seekable or not; the descriptor stays open.
FileBytes read_descriptor(int descriptor, const std::string& name, int threads = 1);

// What messages call a path: "stdin" for "-".
std::string display_name(const std::string& path);

// A descriptor open for reading, closed at the end of its life. Refuses folders.
class InputFile {
  public:
    explicit InputFile(const std::string& path);
    ~InputFile();
    InputFile(const InputFile&) = delete;
    InputFile& operator=(const InputFile&) = delete;
    int descriptor() const { return descriptor_; }
    const std::string& name() const { return name_; }
    // The size in bytes of a regular file; -1 for pipes and devices.
    std::int64_t size() const { return size_; }

  private:
    std::string name_;
    int descriptor_ = -1;
    std::int64_t size_ = -1;
    bool owned_ = false;
};

// Reads up to `count` bytes from where the descriptor stands; fewer only at its end. E501 when reading fails.
std::size_t read_fully(int descriptor, std::byte* target, std::size_t count, const std::string& name);
// The same from an offset of a regular file, wherever the descriptor stands.
std::size_t read_fully_at(int descriptor, std::byte* target, std::size_t count, std::int64_t offset, const std::string& name);
// The same in pieces, on up to `threads` threads.
std::size_t read_in_parts(int descriptor, std::byte* target, std::size_t count, std::int64_t offset, int threads, const std::string& name);

} // namespace vmaprun
