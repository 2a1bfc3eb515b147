#include "io/zip.hpp"

#include <zlib.h>

#include <algorithm>
#include <cstring>
#include <limits>
#include <set>
#include <span>

#include "base/checked.hpp"
#include "base/error.hpp"
#include "exec/threads.hpp"

namespace vmaprun {
namespace {

constexpr std::uint32_t local_signature = 0x04034b50, member_signature = 0x02014b50, end_signature = 0x06054b50;
constexpr std::uint32_t end64_signature = 0x06064b50, locator64_signature = 0x07064b50;
constexpr std::size_t local_bytes = 30, member_bytes = 46, end_bytes = 22, end64_bytes = 56, locator64_bytes = 20;
constexpr std::uint16_t zip64_field = 0x0001;
constexpr std::uint32_t in_zip64 = 0xFFFFFFFF;      // of a size or an offset: it stands in the Zip64 field
constexpr std::int64_t largest_directory = std::int64_t{64} << 20U;
constexpr std::int64_t most_from_a_byte = 1040;     // deflate gives at most 1032 bytes for one
constexpr std::size_t chunk_bytes = std::size_t{256} << 10U;
constexpr std::size_t large_bytes = std::size_t{4} << 20U; // from here on, a checksum is made by several threads

[[noreturn]] void damaged(const std::string& name, const std::string& what) { throw UserError(error("E508", "`" + name + "` is no well-formed zip archive: " + what)); }
[[noreturn]] void unread(const std::string& name, const std::string& what) {
    throw UserError(error("E509", "`" + name + "` " + what).help("save it as np.savez or np.savez_compressed do"));
}

// ---- little-endian fields --------------------------------------------------------------------------------------------

std::uint64_t number_at(const std::byte* at, std::size_t bytes) {
    std::uint64_t value = 0;
    for (std::size_t i = bytes; i-- > 0;) value = value << 8U | std::to_integer<std::uint64_t>(at[i]);
    return value;
}
std::uint16_t word_at(const std::byte* at) { return static_cast<std::uint16_t>(number_at(at, 2)); }
std::uint32_t long_at(const std::byte* at) { return static_cast<std::uint32_t>(number_at(at, 4)); }

void append(std::string& text, std::uint64_t value, std::size_t bytes) {
    for (std::size_t i = 0; i < bytes; ++i) text += static_cast<char>(value >> (8 * i) & 0xFFU);
}

std::vector<std::byte> bytes_at(const InputFile& file, std::int64_t offset, std::int64_t count) {
    std::vector<std::byte> bytes(static_cast<std::size_t>(count));
    if (read_fully_at(file.descriptor(), bytes.data(), bytes.size(), offset, file.name()) < bytes.size()) damaged(file.name(), "it ends early");
    return bytes;
}

// ---- the directory ---------------------------------------------------------------------------------------------------

struct Directory {
    std::uint64_t members = 0, bytes = 0, offset = 0;
    std::int64_t end = 0; // where it must have ended
};

// The record at the end of the file, behind which only a comment may stand.
std::int64_t find_end(const InputFile& file) {
    const std::int64_t size = file.size();
    const std::int64_t searched = std::min<std::int64_t>(size, static_cast<std::int64_t>(end_bytes) + std::numeric_limits<std::uint16_t>::max());
    const std::vector<std::byte> tail = bytes_at(file, size - searched, searched);
    for (std::size_t at = tail.size() < end_bytes ? 0 : tail.size() - end_bytes + 1; at-- > 0;) {
        if (long_at(&tail[at]) == end_signature && at + end_bytes + word_at(&tail[at + 20]) == tail.size()) return size - searched + static_cast<std::int64_t>(at);
    }
    damaged(file.name(), "it has no directory at its end (was it cut off?)");
}

Directory find_directory(const InputFile& file) {
    if (file.size() < 0) damaged(file.name(), "it is empty, or a pipe");
    const std::int64_t end = find_end(file);
    const std::vector<std::byte> record = bytes_at(file, end, end_bytes);
    Directory found{word_at(&record[10]), long_at(&record[12]), long_at(&record[16]), end};
    if (word_at(&record[4]) != 0 && word_at(&record[4]) != 0xFFFF) unread(file.name(), "is one part of an archive that was split");
    const auto locator_at = end - static_cast<std::int64_t>(locator64_bytes);
    if (locator_at < 0) return found;
    const std::vector<std::byte> locator = bytes_at(file, locator_at, locator64_bytes);
    if (long_at(locator.data()) != locator64_signature) return found;
    const std::uint64_t at = number_at(&locator[8], 8);
    if (at + end64_bytes < at || at + end64_bytes > static_cast<std::uint64_t>(locator_at)) damaged(file.name(), "its Zip64 directory lies outside of it");
    const std::vector<std::byte> record64 = bytes_at(file, static_cast<std::int64_t>(at), end64_bytes);
    if (long_at(record64.data()) != end64_signature) damaged(file.name(), "its Zip64 directory is not where it should be");
    return {number_at(&record64[32], 8), number_at(&record64[40], 8), number_at(&record64[48], 8), static_cast<std::int64_t>(at)};
}

// The sizes and the offset that stand in the Zip64 field, because 32 bits don't hold them.
void take_zip64(ZipEntry& entry, std::span<const std::byte> extra, std::uint32_t bytes, std::uint32_t packed, std::uint32_t offset, const std::string& name) {
    while (extra.size() >= 4) {
        const std::size_t length = word_at(&extra[2]);
        if (length > extra.size() - 4) break;
        std::span<const std::byte> field = extra.subspan(4, length);
        if (word_at(extra.data()) == zip64_field) {
            const auto take = [&](std::uint32_t short_value, std::int64_t& value) {
                if (short_value != in_zip64) return;
                if (field.size() < 8) damaged(name, "the sizes of `" + entry.name + "` are missing");
                const std::uint64_t number = number_at(field.data(), 8);
                value = number > static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max()) ? -1 : static_cast<std::int64_t>(number);
                field = field.subspan(8);
            };
            take(bytes, entry.bytes);
            take(packed, entry.packed_bytes);
            take(offset, entry.offset);
            return;
        }
        extra = extra.subspan(4 + length);
    }
}

// The member whose record is at the front of `records`, which then begins with the next.
ZipEntry take_member(std::span<const std::byte>& records, const Directory& directory, const std::string& name) {
    if (records.size() < member_bytes || long_at(records.data()) != member_signature) damaged(name, "its directory breaks");
    const std::size_t name_bytes = word_at(&records[28]), extra_bytes = word_at(&records[30]), comment_bytes = word_at(&records[32]);
    if (records.size() - member_bytes < name_bytes + extra_bytes + comment_bytes) damaged(name, "its directory breaks");
    ZipEntry entry;
    entry.name.assign(reinterpret_cast<const char*>(&records[member_bytes]), name_bytes);
    const unsigned flags = word_at(&records[8]), method = word_at(&records[10]);
    if ((flags & 1U) != 0) unread(name, "is encrypted");
    if (method != 0 && method != 8) unread(name, "has `" + entry.name + "` compressed by method " + std::to_string(method) + ", and stored (0) and deflated (8) are read");
    entry.method = method == 0 ? ZipEntry::Method::stored : ZipEntry::Method::deflated;
    entry.checksum = long_at(&records[16]);
    entry.packed_bytes = long_at(&records[20]);
    entry.bytes = long_at(&records[24]);
    entry.offset = long_at(&records[42]);
    take_zip64(entry, records.subspan(member_bytes + name_bytes, extra_bytes), long_at(&records[24]), long_at(&records[20]), long_at(&records[42]), name);
    records = records.subspan(member_bytes + name_bytes + extra_bytes + comment_bytes);

    const bool lies_within = entry.packed_bytes >= 0 && entry.offset >= 0 && entry.offset <= static_cast<std::int64_t>(directory.offset) &&
                             entry.packed_bytes <= static_cast<std::int64_t>(directory.offset) - entry.offset;
    if (!lies_within) damaged(name, "`" + entry.name + "` lies outside of it");
    const bool can_be = entry.method == ZipEntry::Method::stored ? entry.bytes == entry.packed_bytes
                                                                 : entry.bytes >= 0 && entry.bytes / most_from_a_byte <= entry.packed_bytes;
    if (!can_be) damaged(name, "`" + entry.name + "` can't have " + std::to_string(entry.bytes) + " bytes in " + std::to_string(entry.packed_bytes));
    return entry;
}

} // namespace

std::vector<ZipEntry> read_zip_directory(const InputFile& file) {
    const Directory directory = find_directory(file);
    const auto end = static_cast<std::uint64_t>(directory.end);
    if (directory.offset > end || directory.bytes > end - directory.offset) damaged(file.name(), "its directory lies outside of it");
    if (directory.bytes > static_cast<std::uint64_t>(largest_directory)) damaged(file.name(), "its directory has more than 64 MiB");
    const std::vector<std::byte> bytes = bytes_at(file, static_cast<std::int64_t>(directory.offset), static_cast<std::int64_t>(directory.bytes));
    std::span<const std::byte> records(bytes);
    std::vector<ZipEntry> entries;
    std::set<std::string> names;
    for (std::uint64_t i = 0; i < directory.members; ++i) {
        entries.push_back(take_member(records, directory, file.name()));
        if (!names.insert(entries.back().name).second) damaged(file.name(), "it has two members `" + entries.back().name + "`");
    }
    if (!records.empty()) damaged(file.name(), "its directory has more than its members");
    return entries;
}

std::int64_t data_offset_of(const ZipEntry& entry, const InputFile& file) {
    const std::vector<std::byte> header = bytes_at(file, entry.offset, local_bytes);
    if (long_at(header.data()) != local_signature) damaged(file.name(), "`" + entry.name + "` is not where the directory says");
    const std::int64_t offset = entry.offset + static_cast<std::int64_t>(local_bytes) + word_at(&header[26]) + word_at(&header[28]);
    if (offset > file.size() || entry.packed_bytes > file.size() - offset) damaged(file.name(), "`" + entry.name + "` lies outside of it");
    return offset;
}

// ---- members ---------------------------------------------------------------------------------------------------------

struct ZipReader::State {
    const InputFile& file;
    const ZipEntry& entry;
    std::int64_t at, end; // the packed bytes that are still to be read
    std::uint32_t checksum = 0;
    std::int64_t given = 0;
    z_stream stream{};
    bool inflates = false, ended = false;
    std::vector<std::byte> packed;

    State(const InputFile& from, const ZipEntry& of) : file(from), entry(of), at(data_offset_of(of, from)), end(at + of.packed_bytes) {
        if (of.method == ZipEntry::Method::stored) return;
        if (inflateInit2(&stream, -MAX_WBITS) != Z_OK) throw std::bad_alloc();
        inflates = true;
    }
    ~State() {
        if (inflates) inflateEnd(&stream);
    }
    State(const State&) = delete;
    State& operator=(const State&) = delete;

    std::size_t take(std::byte* target, std::size_t count) {
        const auto wanted = static_cast<std::size_t>(std::min<std::int64_t>(end - at, static_cast<std::int64_t>(count)));
        if (read_fully_at(file.descriptor(), target, wanted, at, file.name()) < wanted) damaged(file.name(), "it ends early");
        at += static_cast<std::int64_t>(wanted);
        return wanted;
    }

    std::size_t inflated(std::byte* target, std::size_t count) {
        std::size_t done = 0;
        while (done < count && !ended) {
            if (stream.avail_in == 0 && at < end) {
                packed.resize(chunk_bytes);
                stream.avail_in = static_cast<uInt>(take(packed.data(), packed.size()));
                stream.next_in = reinterpret_cast<Bytef*>(packed.data());
            }
            const auto room = static_cast<uInt>(std::min<std::size_t>(count - done, std::numeric_limits<uInt>::max() / 2));
            stream.next_out = reinterpret_cast<Bytef*>(target + done);
            stream.avail_out = room;
            const int status = inflate(&stream, Z_NO_FLUSH);
            if (status == Z_MEM_ERROR) throw std::bad_alloc();
            const bool stuck = status == Z_BUF_ERROR && at == end;
            if (stuck || (status != Z_OK && status != Z_STREAM_END && status != Z_BUF_ERROR)) damaged(file.name(), "what is packed in `" + entry.name + "` is damaged");
            done += room - stream.avail_out;
            ended = status == Z_STREAM_END;
        }
        return done;
    }
};

ZipReader::ZipReader(const InputFile& file, const ZipEntry& entry) : state_(std::make_unique<State>(file, entry)) {}
ZipReader::~ZipReader() = default;

std::size_t ZipReader::read(std::byte* target, std::size_t count) {
    const auto left = static_cast<std::size_t>(state_->entry.bytes - state_->given);
    const std::size_t wanted = std::min(count, left);
    const std::size_t got = state_->inflates ? state_->inflated(target, wanted) : state_->take(target, wanted);
    state_->checksum = checksum_of({reinterpret_cast<const char*>(target), got}, state_->checksum);
    state_->given += static_cast<std::int64_t>(got);
    return got;
}

void ZipReader::require_end() {
    const ZipEntry& entry = state_->entry;
    std::byte extra{};
    if (state_->given != entry.bytes || (state_->inflates && state_->inflated(&extra, 1) != 0)) {
        damaged(state_->file.name(), "`" + entry.name + "` has not the " + std::to_string(entry.bytes) + " bytes that it should have");
    }
    if (state_->checksum != entry.checksum) damaged(state_->file.name(), "`" + entry.name + "` has another checksum than it should have: its bytes have changed");
}

std::uint32_t checksum_of(std::string_view bytes, std::uint32_t before, int threads) {
    const auto of = [](std::string_view part, std::uint32_t first) { return static_cast<std::uint32_t>(crc32_z(first, reinterpret_cast<const Bytef*>(part.data()), part.size())); };
    if (threads <= 1 || bytes.size() < large_bytes) return bytes.empty() ? before : of(bytes, before);
    const std::size_t parts = (bytes.size() + large_bytes - 1) / large_bytes;
    std::vector<std::uint32_t> sums(parts);
    ThreadPool(threads).each(static_cast<std::int64_t>(parts), [&](std::int64_t i) { sums[static_cast<std::size_t>(i)] = of(bytes.substr(static_cast<std::size_t>(i) * large_bytes, large_bytes), 0); });
    for (std::size_t i = 0; i < parts; ++i) {
        const std::size_t length = std::min(large_bytes, bytes.size() - i * large_bytes);
        before = static_cast<std::uint32_t>(crc32_combine(before, sums[i], static_cast<z_off_t>(length)));
    }
    return before;
}

// ---- writing ---------------------------------------------------------------------------------------------------------

namespace {

constexpr unsigned stored_version = 20, zip64_version = 45;
constexpr std::uint64_t first_of_1980 = (0U << 9U | 1U << 5U | 1U) << 16U; // date and time
constexpr unsigned name_is_utf8 = 1U << 11U;

bool is_long(std::int64_t value) { return value >= static_cast<std::int64_t>(in_zip64); }

// What the local and the directory's header have in common.
std::string common_fields(const ZipEntry& entry, std::size_t extra_bytes, bool needs_zip64) {
    std::string text;
    append(text, needs_zip64 ? zip64_version : stored_version, 2);
    append(text, name_is_utf8, 2);
    append(text, 0, 2);
    append(text, first_of_1980, 4);
    append(text, entry.checksum, 4);
    const std::uint64_t short_bytes = is_long(entry.bytes) ? in_zip64 : static_cast<std::uint64_t>(entry.bytes);
    append(text, short_bytes, 4);
    append(text, short_bytes, 4);
    append(text, entry.name.size(), 2);
    append(text, extra_bytes, 2);
    return text;
}

std::string local_header(const ZipEntry& entry) {
    std::string extra, text;
    if (is_long(entry.bytes)) {
        append(extra, zip64_field, 2);
        append(extra, 16, 2);
        append(extra, static_cast<std::uint64_t>(entry.bytes), 8);
        append(extra, static_cast<std::uint64_t>(entry.bytes), 8);
    }
    append(text, local_signature, 4);
    return text + common_fields(entry, extra.size(), !extra.empty()) + entry.name + extra;
}

std::string directory_record(const ZipEntry& entry) {
    std::string fields, extra, text;
    if (is_long(entry.bytes)) {
        append(fields, static_cast<std::uint64_t>(entry.bytes), 8);
        append(fields, static_cast<std::uint64_t>(entry.bytes), 8);
    }
    if (is_long(entry.offset)) append(fields, static_cast<std::uint64_t>(entry.offset), 8);
    if (!fields.empty()) {
        append(extra, zip64_field, 2);
        append(extra, fields.size(), 2);
        extra += fields;
    }
    append(text, member_signature, 4);
    append(text, zip64_version, 2);
    text += common_fields(entry, extra.size(), !extra.empty());
    text.append(2 + 2 + 2 + 4, '\0'); // comment, disk, attributes
    append(text, is_long(entry.offset) ? in_zip64 : static_cast<std::uint64_t>(entry.offset), 4);
    return text + entry.name + extra;
}

std::string end_records(std::uint64_t members, std::int64_t offset, std::int64_t bytes) {
    std::string text;
    const bool needs_zip64 = members >= 0xFFFF || is_long(offset) || is_long(bytes);
    if (needs_zip64) {
        append(text, end64_signature, 4);
        append(text, end64_bytes - 12, 8);
        append(text, zip64_version, 2);
        append(text, zip64_version, 2);
        append(text, 0, 8);
        append(text, members, 8);
        append(text, members, 8);
        append(text, static_cast<std::uint64_t>(bytes), 8);
        append(text, static_cast<std::uint64_t>(offset), 8);
        append(text, locator64_signature, 4);
        append(text, 0, 4);
        append(text, static_cast<std::uint64_t>(offset + bytes), 8);
        append(text, 1, 4);
    }
    append(text, end_signature, 4);
    append(text, 0, 4);
    for (int i = 0; i < 2; ++i) append(text, needs_zip64 ? 0xFFFF : members, 2);
    append(text, needs_zip64 ? in_zip64 : static_cast<std::uint64_t>(bytes), 4);
    append(text, needs_zip64 ? in_zip64 : static_cast<std::uint64_t>(offset), 4);
    append(text, 0, 2);
    return text;
}

} // namespace

void ZipWriter::put(std::string_view bytes) {
    sink_(bytes);
    written_ += static_cast<std::int64_t>(bytes.size());
}

void ZipWriter::begin(const std::string& name, std::int64_t bytes, std::uint32_t checksum) {
    if (name.size() > std::numeric_limits<std::uint16_t>::max()) throw UserError(error("E520", "a member of an archive has a name of more than 65535 bytes").exits(5));
    entries_.push_back({ZipEntry::Method::stored, name, checksum, bytes, bytes, written_});
    put(local_header(entries_.back()));
}

void ZipWriter::write(std::string_view bytes) { put(bytes); }

void ZipWriter::finish() {
    const std::int64_t offset = written_;
    for (const ZipEntry& entry : entries_) put(directory_record(entry));
    put(end_records(entries_.size(), offset, written_ - offset));
}

} // namespace vmaprun
