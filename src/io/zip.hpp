// ZIP archives, as far as .npz files need them: members that are stored or deflated, Zip64 included.
//
// Source: PKWARE's APPNOTE.TXT 6.3.10; RFC 1951 for what is deflated (by zlib). Nothing that an archive says of itself is believed unless it
// fits the file: every offset and size is checked, and a member gives the bytes that its checksum (CRC-32) says.
// Errors: E508 for archives that are damaged, E509 for kinds of them that are not read (encrypted, split, other compressions).
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "io/file.hpp"
#include "io/json_writer.hpp"

namespace vmaprun {

struct ZipEntry {
    enum class Method { stored, deflated } method = Method::stored;
    std::string name;
    std::uint32_t checksum = 0;
    std::int64_t packed_bytes = 0; // in the archive
    std::int64_t bytes = 0;        // unpacked; at most what as many packed bytes can give
    std::int64_t offset = 0;       // of its local header
};

// The members, in the order of the archive's directory; their names are distinct. The file must have a size (no pipe).
std::vector<ZipEntry> read_zip_directory(const InputFile& file);

// Where the bytes of a member begin. All of its packed bytes lie in the file.
std::int64_t data_offset_of(const ZipEntry& entry, const InputFile& file);

// The bytes of a member, from its first to its last, unpacked on the way. The file must outlive it.
class ZipReader {
  public:
    ZipReader(const InputFile& file, const ZipEntry& entry);
    ~ZipReader();
    ZipReader(const ZipReader&) = delete;
    ZipReader& operator=(const ZipReader&) = delete;

    // Up to `count` bytes, fewer only at the end of the member; E508 where what is packed is damaged.
    std::size_t read(std::byte* target, std::size_t count);
    // After the last byte: E508 unless they were as many as the archive says, with the checksum that it says.
    void require_end();

  private:
    struct State;
    std::unique_ptr<State> state_;
};

// Continues a checksum; the first is 0. The same of large bytes, on up to `threads` threads.
std::uint32_t checksum_of(std::string_view bytes, std::uint32_t before = 0, int threads = 1);

// Writes an archive of stored members, one after another, to a sink. The same members give the same bytes: they are all of 1980-01-01.
class ZipWriter {
  public:
    explicit ZipWriter(Sink sink) : sink_(std::move(sink)) {}
    // Announces a member; its bytes then follow through write.
    void begin(const std::string& name, std::int64_t bytes, std::uint32_t checksum);
    void write(std::string_view bytes);
    void finish();

  private:
    void put(std::string_view bytes);

    Sink sink_;
    std::vector<ZipEntry> entries_;
    std::int64_t written_ = 0;
};

} // namespace vmaprun
