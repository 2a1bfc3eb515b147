#include "io/npz.hpp"

#include "base/error.hpp"
#include "io/npy_header.hpp"
#include "io/zip.hpp"

namespace vmaprun {
namespace {

constexpr std::string_view ending = ".npy";

std::string member_name(const std::string& path, const ZipEntry& entry) { return path + ":" + entry.name.substr(0, entry.name.size() - ending.size()); }

// The header of a member, whose elements begin at data_offset from the member's first byte.
NpyHeader header_of(ZipReader& reader, const ZipEntry& entry, const std::string& name) {
    const NpyHeader header = read_npy_header([&](std::byte* target, std::size_t count) { return reader.read(target, count); }, name);
    const std::int64_t held = entry.bytes - header.data_offset;
    if (held == header.data_bytes) return header;
    throw UserError(error("E510", "`" + name + "` " + (held < header.data_bytes ? "is truncated" : "is too long") + ": it has " + std::to_string(held) +
                                      " bytes of elements, " + std::string(name_of(header.dtype)) + shape_text(header.shape) + " takes " + std::to_string(header.data_bytes)));
}

class StoredMember final : public StoredElements {
  public:
    StoredMember(const std::string& path, NpyHeader header, std::int64_t file_bytes, std::uint32_t before, const ZipEntry& entry)
        : StoredElements(path, std::move(header), file_bytes), path_(path), before_(before), entry_(entry) {}

  private:
    void check(std::string_view bytes, int threads) const override {
        if (checksum_of(bytes, before_, threads) == entry_.checksum) return;
        throw UserError(error("E508", "`" + path_ + "` is no well-formed zip archive: `" + entry_.name + "` has another checksum than it should have: its bytes have changed"));
    }

    std::string path_;
    std::uint32_t before_; // the checksum of the header
    ZipEntry entry_;
};

class DeflatedMember final : public StoredTensor {
  public:
    DeflatedMember(std::string path, const NpyHeader& header, ZipEntry entry) : StoredTensor(header.dtype, header.shape), path_(std::move(path)), entry_(std::move(entry)) {}

    Array read(int) const override {
        const InputFile file(path_);
        ZipReader reader(file, entry_);
        const NpyHeader header = header_of(reader, entry_, member_name(path_, entry_));
        if (header.shape != shape() || header.dtype != dtype()) throw UserError(error("E501", "cannot read `" + path_ + "`: it changed while it was read"));
        const auto bytes = static_cast<std::size_t>(header.data_bytes);
        auto buffer = std::make_shared<Buffer>(bytes);
        reader.read(buffer->data(), bytes);
        reader.require_end();
        return array_of_elements(std::move(buffer), header);
    }

  private:
    std::string path_;
    ZipEntry entry_;
};

std::shared_ptr<const StoredTensor> stored_member(const std::string& path, const InputFile& file, const ZipEntry& entry) {
    ZipReader reader(file, entry);
    NpyHeader header = header_of(reader, entry, member_name(path, entry));
    if (entry.method == ZipEntry::Method::deflated) return std::make_shared<DeflatedMember>(path, header, entry);
    const std::int64_t begin = data_offset_of(entry, file);
    std::string text(static_cast<std::size_t>(header.data_offset), '\0');
    read_fully_at(file.descriptor(), reinterpret_cast<std::byte*>(text.data()), text.size(), begin, file.name());
    header.data_offset += begin;
    return std::make_shared<StoredMember>(path, header, file.size(), checksum_of(text), entry);
}

// An array of strings does not stand in the way of the others.
std::shared_ptr<const StoredTensor> member_or_refusal(const std::string& path, const InputFile& file, const ZipEntry& entry) {
    try {
        return stored_member(path, file, entry);
    } catch (const UserError& failure) {
        if (failure.diagnostics().front().code != "E509") throw;
        return std::make_shared<RefusedTensor>(member_name(path, entry), failure.diagnostics().front());
    }
}

} // namespace

StoredTensors stored_npz(const std::string& path) {
    const InputFile file(path);
    StoredTensors tensors;
    for (const ZipEntry& entry : read_zip_directory(file)) {
        if (entry.name.size() <= ending.size() || !entry.name.ends_with(ending)) continue;
        tensors.emplace_back(entry.name.substr(0, entry.name.size() - ending.size()), member_or_refusal(path, file, entry));
    }
    return tensors;
}

void write_npz(const std::vector<std::pair<std::string, Array>>& arrays, const Sink& sink, int threads) {
    ZipWriter writer(sink);
    for (const auto& [name, array] : arrays) {
        std::uint32_t checksum = 0;
        std::int64_t bytes = 0;
        write_npy(array, [&](std::string_view piece) {
            checksum = checksum_of(piece, checksum, threads);
            bytes += static_cast<std::int64_t>(piece.size());
        });
        writer.begin(name + std::string(ending), bytes, checksum);
        write_npy(array, [&](std::string_view piece) { writer.write(piece); });
    }
    writer.finish();
}

} // namespace vmaprun
