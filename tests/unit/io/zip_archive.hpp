// Zip archives built by hand, for tests of those that are right and of those that are not.
#pragma once

#include <zlib.h>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "array/array.hpp"
#include "io/npy.hpp"
#include "support.hpp"

namespace vmaprun::testing {

inline std::string little(std::uint64_t value, std::size_t bytes) {
    std::string text;
    for (std::size_t i = 0; i < bytes; ++i) text += static_cast<char>(value >> (8 * i) & 0xFFU);
    return text;
}
// The same bytes, but for a number at an offset.
inline std::string with_number(std::string text, std::size_t at, std::uint64_t value, std::size_t bytes) { return text.replace(at, bytes, little(value, bytes)); }

inline std::string deflated(std::string_view bytes) {
    z_stream stream{};
    REQUIRE(deflateInit2(&stream, 9, Z_DEFLATED, -MAX_WBITS, 8, Z_DEFAULT_STRATEGY) == Z_OK);
    std::string packed(deflateBound(&stream, bytes.size()), '\0');
    stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(bytes.data()));
    stream.avail_in = static_cast<uInt>(bytes.size());
    stream.next_out = reinterpret_cast<Bytef*>(packed.data());
    stream.avail_out = static_cast<uInt>(packed.size());
    REQUIRE(deflate(&stream, Z_FINISH) == Z_STREAM_END);
    packed.resize(stream.total_out);
    deflateEnd(&stream);
    return packed;
}

struct Member {
    std::string name, content; // unpacked
    bool is_deflated = false;
    bool has_zip64 = false;      // its sizes and its offset stand in Zip64 fields, 0xFFFFFFFF in their places
    bool has_descriptor = false; // its sizes and checksum follow its bytes, and are 0 in front of them
    std::string local_extra = {}, extra = {}, comment = {};
    unsigned flags = 0;
    int method = -1; // -1: as is_deflated says
};

inline std::string zip64_extra(std::vector<std::uint64_t> numbers) {
    std::string text = little(1, 2) + little(numbers.size() * 8, 2);
    for (const std::uint64_t number : numbers) text += little(number, 8);
    return text;
}

struct Archive {
    std::vector<Member> members;
    std::string comment = {};
    bool has_zip64_end = false;
    std::string end64_extra = {}; // of the Zip64 directory's end
};

// The fields that a member has in front of its bytes and in the directory: version, flags, method, time, checksum, sizes, lengths.
inline std::string fields_of(const Member& member, const std::string& packed, bool in_directory, std::size_t extra_bytes) {
    const unsigned flags = member.flags | (member.has_descriptor ? 8U : 0U);
    const bool is_empty = member.has_descriptor && !in_directory;
    const std::uint64_t checksum = crc32(0, reinterpret_cast<const Bytef*>(member.content.data()), static_cast<uInt>(member.content.size()));
    const auto size = [&](std::size_t bytes) { return little(is_empty ? 0 : member.has_zip64 ? 0xFFFFFFFFU : bytes, 4); };
    return little(20, 2) + little(flags, 2) + little(member.method >= 0 ? static_cast<unsigned>(member.method) : member.is_deflated ? 8U : 0U, 2) + little(0, 4) +
           little(is_empty ? 0 : checksum, 4) + size(packed.size()) + size(member.content.size()) + little(member.name.size(), 2) + little(extra_bytes, 2);
}

inline std::string text_of(const Archive& archive) {
    std::string text, directory;
    for (const Member& member : archive.members) {
        const std::string packed = member.is_deflated ? deflated(member.content) : member.content;
        const std::string sizes = zip64_extra({member.content.size(), packed.size()});
        const std::string local = member.local_extra + (member.has_zip64 && !member.has_descriptor ? sizes : "");
        const std::string extra = member.extra + (member.has_zip64 ? zip64_extra({member.content.size(), packed.size(), text.size()}) : "");
        directory += "PK\1\2" + little(20, 2) + fields_of(member, packed, true, extra.size()) + little(member.comment.size(), 2) + little(0, 8) +
                     little(member.has_zip64 ? 0xFFFFFFFFU : text.size(), 4) + member.name + extra + member.comment;
        text += "PK\3\4" + fields_of(member, packed, false, local.size()) + member.name + local + packed;
        if (member.has_descriptor) text += "PK\7\10" + little(0, 4) + little(packed.size(), 4) + little(member.content.size(), 4);
    }
    const std::size_t offset = text.size(), count = archive.members.size();
    text += directory;
    if (archive.has_zip64_end) {
        const std::size_t at = text.size();
        text += "PK\6\6" + little(44 + archive.end64_extra.size(), 8) + little(45, 2) + little(45, 2) + little(0, 8) + little(count, 8) + little(count, 8) + little(directory.size(), 8) +
                little(offset, 8) + archive.end64_extra;
        text += "PK\6\7" + little(0, 4) + little(at, 8) + little(1, 4);
    }
    const auto number = [&](std::uint64_t value, std::size_t bytes) { return little(archive.has_zip64_end ? ~std::uint64_t{0} : value, bytes); };
    return text + "PK\5\6" + little(0, 4) + number(count, 2) + number(count, 2) + number(directory.size(), 4) + number(offset, 4) + little(archive.comment.size(), 2) + archive.comment;
}

// Where the directory begins, and the records at the end, of an archive of these.
inline std::size_t directory_of(const std::string& text) { return text.find("PK\1\2"); }
inline std::size_t end_of(const std::string& text) { return text.rfind("PK\5\6"); }

} // namespace vmaprun::testing
