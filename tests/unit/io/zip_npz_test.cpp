#include <sys/mman.h>

#include <numeric>

#include "io/npz.hpp"
#include "io/zip.hpp"
#include "zip_archive.hpp"

using namespace vmaprun;
using namespace vmaprun::testing;

namespace {

const std::string malformed = "E508 `t.npz` is no well-formed zip archive: ";

// A message with the path of the test's file as `t.npz`.
std::string shortened(std::string message, const std::string& path) {
    for (std::size_t at = message.find(path); at != std::string::npos; at = message.find(path)) message.replace(at, path.size(), "t.npz");
    return message;
}

// Every array of an archive, read; by name.
std::vector<std::pair<std::string, Array>> arrays_of(const std::string& path) {
    std::vector<std::pair<std::string, Array>> arrays;
    for (const auto& [name, tensor] : stored_npz(path)) {
        arrays.emplace_back(name, tensor->read(1));
        CHECK(tensor->dtype() == arrays.back().second.dtype());
        CHECK(tensor->shape() == arrays.back().second.shape());
    }
    return arrays;
}
std::vector<std::pair<std::string, Array>> read(std::string_view text) {
    const Folder folder;
    write_text(folder / "t.npz", text);
    return arrays_of(folder / "t.npz");
}
std::string read_message(std::string_view text) {
    const Folder folder;
    write_text(folder / "t.npz", text);
    return shortened(message_of([&] { arrays_of(folder / "t.npz"); }), folder / "t.npz");
}
std::string read_message(const Archive& archive) { return read_message(text_of(archive)); }

// "a: 1 2 3; b: 4"
std::string shown(const std::vector<std::pair<std::string, Array>>& arrays) {
    std::string text;
    for (const auto& [name, array] : arrays) {
        text += (text.empty() ? "" : "; ") + name + ":";
        for (const std::int32_t value : values_of<std::int32_t>(array)) text += " " + std::to_string(value);
    }
    return text;
}

std::string npy_of(std::initializer_list<std::int32_t> values) { return npy_text(array_of<std::int32_t>({static_cast<std::int64_t>(values.size())}, values)); }
Member member(const std::string& name, std::initializer_list<std::int32_t> values) { return {name, npy_of(values)}; }
Member packed(const std::string& name, std::initializer_list<std::int32_t> values) { return {name, npy_of(values), true}; }

std::string npz_text(const std::vector<std::pair<std::string, Array>>& arrays, int threads = 1) {
    std::string text;
    write_npz(arrays, [&](std::string_view piece) { text += piece; }, threads);
    return text;
}

} // namespace

TEST_CASE("stored and deflated members are read, in the order of the directory") {
    CHECK(shown(read(text_of({{member("b.npy", {1, 2}), packed("a.npy", {3, 4, 5})}}))) == "b: 1 2; a: 3 4 5");
    CHECK(shown(read(text_of({{member("layers.0.w.npy", {7}), member("a/b:0.npy", {8})}}))) == "layers.0.w: 7; a/b:0: 8");
}

TEST_CASE("members with other endings are no arrays") {
    CHECK(shown(read(text_of({{{"README.txt", "hello"}, member("a.npy", {1}), {"folder/", ""}, {".npy", "no name"}, {"b.npy.txt", ""}}}))) == "a: 1");
}

TEST_CASE("an archive without members holds no arrays") {
    CHECK(read(text_of({})).empty());
    CHECK(npz_text({}) == text_of({}));
}

TEST_CASE("Zip64 fields and records are read, whether they are needed or not") {
    Member large = packed("a.npy", {1, 2}), stored = member("b.npy", {3}), third = member("c.npy", {4});
    large.has_zip64 = stored.has_zip64 = true;
    stored.local_extra = stored.extra = little(0x5455, 2) + little(5, 2) + "times"; // another field in front
    CHECK(shown(read(text_of({{large, stored, third}}))) == "a: 1 2; b: 3; c: 4");
    CHECK(shown(read(text_of({{large, stored, third}, "", true}))) == "a: 1 2; b: 3; c: 4");
    CHECK(shown(read(text_of({{third}, "a comment", true, "more"}))) == "c: 4");
}

TEST_CASE("data descriptors, comments and extra fields don't hinder") {
    Member described = packed("a.npy", {1, 2}), commented = member("b.npy", {3});
    described.has_descriptor = true;
    commented.comment = "a member's comment";
    commented.local_extra = little(0xCAFE, 2) + little(3, 2) + "xyz";
    commented.extra = "not"; // too short for a field
    CHECK(shown(read(text_of({{described, commented}, "an archive's comment"}))) == "a: 1 2; b: 3");
    CHECK(shown(read(text_of({{commented}, std::string(65535, 'x')}))) == "b: 3");
    CHECK(shown(read(text_of({{commented}, "with PK\5\6 in it"}))) == "b: 3");
}

TEST_CASE("any byte order, any element order and every .npy version are read in an archive") {
    const auto file = [](const std::string& descr, const std::string& shape, const std::string& fortran, const std::string& data) {
        const std::string header = "{'descr': '" + descr + "', 'fortran_order': " + fortran + ", 'shape': " + shape + ", }\n";
        return std::string("\x93NUMPY\2\0", 8) + little(header.size(), 4) + header + data;
    };
    for (const bool is_deflated : {false, true}) {
        const auto arrays = read(text_of({{{"f.npy", file("<i4", "(2, 3)", "True", npy_of({1, 2, 3, 4, 5, 6}).substr(128)), is_deflated},
                                           {"b.npy", file(">i4", "(2,)", "False", std::string("\0\0\1\2\0\0\0\3", 8)), is_deflated},
                                           {"t.npy", file("|b1", "(3,)", "False", std::string("\0\2\1", 3)), is_deflated}}}));
        CHECK(values_of<std::int32_t>(arrays[0].second) == std::vector<std::int32_t>{1, 3, 5, 2, 4, 6});
        CHECK(values_of<std::int32_t>(arrays[1].second) == std::vector<std::int32_t>{258, 3});
        CHECK(values_of<bool>(arrays[2].second) == std::vector<bool>{false, true, true});
    }
}

TEST_CASE("files that are no archives are refused") {
    CHECK(read_message("") == malformed + "it is empty, or a pipe");
    CHECK(read_message("PK") == malformed + "it has no directory at its end (was it cut off?)");
    CHECK(read_message(npy_of({1})) == malformed + "it has no directory at its end (was it cut off?)");
    CHECK(read_message(text_of({{member("a.npy", {1})}}) + "x") == malformed + "it has no directory at its end (was it cut off?)");
    CHECK(message_of([] { stored_npz("nowhere/t.npz"); }) == "E501 cannot read `nowhere/t.npz`: there is no such file");
}

TEST_CASE("a directory that does not fit the file is refused") {
    const std::string text = text_of({{member("a.npy", {1}), member("b.npy", {2})}});
    const std::size_t end = end_of(text), first = directory_of(text);
    CHECK(read_message(with_number(text, end + 12, 0x7FFFFFFF, 4)) == malformed + "its directory lies outside of it");
    CHECK(read_message(with_number(text, end + 16, text.size(), 4)) == malformed + "its directory lies outside of it");
    CHECK(read_message(with_number(text, end + 16, 3, 4)) == malformed + "its directory breaks");
    CHECK(read_message(with_number(text, end + 10, 3, 2)) == malformed + "its directory breaks");
    CHECK(read_message(with_number(text, end + 10, 1, 2)) == malformed + "its directory has more than its members");
    CHECK(read_message(with_number(text, first + 28, 60000, 2)) == malformed + "its directory breaks");
    CHECK(read_message(with_number(text, first, 0, 4)) == malformed + "its directory breaks");
    CHECK(read_message(with_number(text, end + 4, 1, 2)) == "E509 `t.npz` is one part of an archive that was split | help: save it as np.savez or np.savez_compressed do");
    CHECK(read_message(text.substr(5)) == malformed + "its directory lies outside of it");
}

TEST_CASE("a directory of more than 64 MiB is refused before it is read") {
    const Folder folder;
    const std::string path = folder / "t.npz";
    const std::size_t directory = (std::size_t{64} << 20U) + 1;
    write_text(path, "");
    std::filesystem::resize_file(path, directory); // without a byte on the disk
    std::ofstream(path, std::ios::binary | std::ios::app) << "PK\5\6" << little(0, 4) << little(1, 2) << little(1, 2) << little(directory, 4) << little(0, 4) << little(0, 2);
    CHECK(shortened(message_of([&] { stored_npz(path); }), path) == malformed + "its directory has more than 64 MiB");
}

TEST_CASE("Zip64 records that don't fit the file are refused") {
    const std::string text = text_of({{member("a.npy", {1})}, "", true});
    const std::size_t locator = end_of(text) - 20, record = locator - 56;
    CHECK(read_message(with_number(text, locator + 8, text.size(), 8)) == malformed + "its Zip64 directory lies outside of it");
    CHECK(read_message(with_number(text, locator + 8, ~std::uint64_t{0}, 8)) == malformed + "its Zip64 directory lies outside of it");
    CHECK(read_message(with_number(text, locator + 8, record - 1, 8)) == malformed + "its Zip64 directory is not where it should be");
    CHECK(read_message(with_number(text, record + 48, ~std::uint64_t{0}, 8)) == malformed + "its directory lies outside of it");
    CHECK(read_message(with_number(text, record + 40, ~std::uint64_t{0}, 8)) == malformed + "its directory lies outside of it");
    CHECK(read_message(with_number(text, record + 32, ~std::uint64_t{0}, 8)) == malformed + "its directory breaks");
    Member none = member("a.npy", {1});
    none.has_zip64 = true;
    const std::string fields = text_of({{none}});
    const std::size_t extra = directory_of(fields) + 46 + 5;
    CHECK(read_message(with_number(fields, extra + 2, 20, 2)) == malformed + "the sizes of `a.npy` are missing");
    CHECK(read_message(with_number(fields, extra, 9, 2)) == malformed + "`a.npy` lies outside of it");
    CHECK(read_message(with_number(fields, extra + 2, 25, 2)) == malformed + "`a.npy` lies outside of it");
    CHECK(read_message(with_number(fields, extra + 4, ~std::uint64_t{0}, 8)) == malformed + "`a.npy` can't have -1 bytes in 132");
    CHECK(read_message(with_number(fields, extra + 12, ~std::uint64_t{0}, 8)) == malformed + "`a.npy` lies outside of it");
    CHECK(read_message(with_number(fields, extra + 20, ~std::uint64_t{0}, 8)) == malformed + "`a.npy` lies outside of it");
}

TEST_CASE("members that lie outside of the file, or not where the directory says, are refused") {
    const std::string text = text_of({{member("a.npy", {1}), member("b.npy", {2})}});
    const std::size_t first = directory_of(text), second = text.find("PK\1\2", first + 1);
    CHECK(read_message(with_number(text, first + 42, first + 1, 4)) == malformed + "`a.npy` lies outside of it");
    CHECK(read_message(with_number(text, second + 42, 1, 4)) == malformed + "`b.npy` is not where the directory says");
    CHECK(read_message(with_number(with_number(text, first + 20, 400, 4), first + 24, 400, 4)) == malformed + "`a.npy` lies outside of it");
    CHECK(read_message(with_number(text, text.find("PK\3\4", 1) + 28, 60000, 2)) == malformed + "`b.npy` lies outside of it");
}

TEST_CASE("sizes that can't be are refused before anything is allocated") {
    const std::string stored = text_of({{member("a.npy", {1})}}), small = text_of({{packed("a.npy", {1})}});
    CHECK(read_message(with_number(stored, directory_of(stored) + 24, 131, 4)) == malformed + "`a.npy` can't have 131 bytes in 132");
    const std::string bytes = std::to_string(deflated(npy_of({1})).size());
    CHECK(read_message(with_number(small, directory_of(small) + 24, 0xFFFFFFFE, 4)) == malformed + "`a.npy` can't have 4294967294 bytes in " + bytes);
    // The header of the array says how many bytes it takes.
    const std::string huge = "{'descr': '<f8', 'fortran_order': False, 'shape': (1000000, 1000000), }\n";
    const std::string array = std::string("\x93NUMPY\1\0", 8) + little(huge.size(), 2) + huge;
    for (const bool is_deflated : {false, true}) {
        CHECK(read_message({{{"a.npy", array + "abcd", is_deflated}}}) == "E510 `t.npz:a` is truncated: it has 4 bytes of elements, f64[1000000, 1000000] takes 8000000000000");
        CHECK(read_message({{{"a.npy", npy_of({1}) + "abcd", is_deflated}}}) == "E510 `t.npz:a` is too long: it has 8 bytes of elements, i32[1] takes 4");
    }
}

TEST_CASE("deflate's largest ratio is not mistaken for damage") {
    const Array zeros(DType::u8, {std::int64_t{16} << 20U});
    std::fill_n(zeros.view().data, zeros.size(), std::byte{0});
    const std::string text = text_of({{{"a.npy", npy_text(zeros), true}}});
    CHECK(text.size() < (std::size_t{20} << 10U));
    CHECK(same_bits(read(text)[0].second, zeros));
}

TEST_CASE("bytes that have changed are found by their checksum") {
    for (const bool is_deflated : {false, true}) {
        const std::string text = text_of({{{"a.npy", npy_of({1, 2, 3}), is_deflated}}});
        const std::string changed = malformed + "`a.npy` has another checksum than it should have: its bytes have changed";
        CHECK(read_message(with_number(text, directory_of(text) + 16, 1, 4)) == changed);
        if (!is_deflated) CHECK(read_message(with_number(text, directory_of(text) - 4, 9, 4)) == changed);
    }
}

TEST_CASE("damaged deflate streams are refused") {
    const std::string text = text_of({{packed("a.npy", {1, 2, 3})}}), content = npy_of({1, 2, 3});
    const std::size_t begin = 30 + 5, directory = directory_of(text);
    CHECK(read_message(with_number(text, begin, 0xFFFF, 2)) == malformed + "what is packed in `a.npy` is damaged");
    CHECK(read_message(with_number(text, directory + 20, directory - begin - 1, 4)) == malformed + "what is packed in `a.npy` is damaged");
    CHECK(read_message(with_number(text, directory + 20, 0, 4)) == malformed + "what is packed in `a.npy` is damaged");
    // A stream that gives another number of bytes than the directory says, where the array's header agrees with that.
    const std::string longer = text_of({{{"a.npy", content + "more", true}}}), shorter = text_of({{{"a.npy", content.substr(0, 136), true}}});
    const std::string misses = malformed + "`a.npy` has not the 140 bytes that it should have";
    CHECK(read_message(with_number(longer, directory_of(longer) + 24, 140, 4)) == misses);
    CHECK(read_message(with_number(shorter, directory_of(shorter) + 24, 140, 4)) == misses);
}

TEST_CASE("kinds of archives that are not read are named") {
    const std::string help = " | help: save it as np.savez or np.savez_compressed do";
    Member secret = member("a.npy", {1}), other = member("a.npy", {1});
    secret.flags = 1;
    other.method = 12;
    CHECK(read_message({{secret}}) == "E509 `t.npz` is encrypted" + help);
    CHECK(read_message({{other}}) == "E509 `t.npz` has `a.npy` compressed by method 12, and stored (0) and deflated (8) are read" + help);
    CHECK(read_message({{member("a.npy", {1}), member("a.npy", {2})}}) == malformed + "it has two members `a.npy`");
}

TEST_CASE("members that are no .npy files are refused") {
    for (const bool is_deflated : {false, true}) {
        CHECK(read_message({{{"a.npy", "hello, world", is_deflated}}}) == "E508 `t.npz:a` is no well-formed .npy file: it does not begin with \\x93NUMPY");
        CHECK(read_message({{{"a.npy", "", is_deflated}}}) == "E508 `t.npz:a` is no well-formed .npy file: it is empty");
        CHECK(read_message({{{"a.npy", npy_of({1}).substr(0, 50), is_deflated}}}) == "E510 `t.npz:a` is truncated: it ends after 50 bytes, inside its header");
    }
}

TEST_CASE("an array of a dtype that is not read is refused once it is wanted, and no other is") {
    const Folder folder;
    const std::string header = "{'descr': '<U2', 'fortran_order': False, 'shape': (1,), }\n";
    const std::string words = std::string("\x93NUMPY\1\0", 8) + little(header.size(), 2) + header + "12345678";
    write_text(folder / "t.npz", text_of({{{"words.npy", words}, member("a.npy", {1})}}));
    const StoredTensors tensors = stored_npz(folder / "t.npz");
    CHECK(values_of<std::int32_t>(tensors.at(1).second->read(1)) == std::vector<std::int32_t>{1});
    CHECK(tensors[1].second->description() == "i32[1]");
    CHECK(tensors[0].second->description() == "holds elements of dtype '<U2', which is not read");
    CHECK(shortened(message_of([&] { tensors[0].second->read(1); }), folder / "t.npz") ==
          "E509 `t.npz:words` holds elements of dtype '<U2', which is not read | note: read are bool, i1 to i8, u1 to u8, f4, f8, c8 and c16, in either byte order");
}

TEST_CASE("a file that changes between its header and its elements is refused") {
    const Folder folder;
    const std::string path = folder / "t.npz";
    write_text(path, text_of({{member("a.npy", {1}), packed("b.npy", {1, 2})}}));
    const StoredTensors tensors = stored_npz(path);
    write_text(path, text_of({{member("a.npy", {1}), packed("b.npy", {1, 2})}, "longer"}));
    CHECK(shortened(message_of([&] { tensors[0].second->read(1); }), path) == "E501 cannot read `t.npz`: it changed while it was read");
    std::string other = npy_of({1, 2});
    other.replace(other.find("<i4"), 3, "<f4");
    write_text(path, text_of({{member("a.npy", {1}), {"b.npy", other, true}}}));
    CHECK(shortened(message_of([&] { tensors[1].second->read(1); }), path) == "E501 cannot read `t.npz`: it changed while it was read");
}

TEST_CASE("every truncation of an archive is an error") {
    const std::string text = text_of({{member("a.npy", {1}), packed("b.npy", {2})}, "", true});
    for (std::size_t length = 0; length < text.size(); ++length) {
        if (!read_message(text.substr(0, length)).starts_with("E508")) FAIL(length);
    }
}

TEST_CASE("what is written reads back to the same bits, for every dtype and shape") {
    Random random(5);
    const DType all[] = {DType::boolean, DType::i8,  DType::i16, DType::i32, DType::i64, DType::u8,  DType::u16,
                         DType::u32,     DType::u64, DType::f32, DType::f64, DType::c64, DType::c128};
    std::vector<std::pair<std::string, Array>> arrays;
    for (const DType dtype : all) {
        for (const Shape& shape : {Shape{}, Shape{5}, Shape{3, 4}, Shape{0, 3}, Shape{2, 1, 3, 1}}) {
            Array array(dtype, shape);
            const std::size_t bytes = static_cast<std::size_t>(array.size()) * size_of(dtype);
            for (std::size_t i = 0; i < bytes; ++i) array.view().data[i] = static_cast<std::byte>(random.next() % (dtype == DType::boolean ? 2 : 256));
            arrays.emplace_back("x" + std::to_string(arrays.size()), array);
        }
    }
    const Array numbers = array_of<std::int32_t>({2, 3}, {1, 2, 3, 4, 5, 6});
    arrays.emplace_back("turned", numbers.with_view({DType::i32, numbers.view().data, {3, 2}, {1, 3}}));
    const auto back = read(npz_text(arrays));
    REQUIRE(back.size() == arrays.size());
    for (std::size_t i = 0; i < arrays.size(); ++i) {
        CHECK(back[i].first == arrays[i].first);
        CHECK(same_bits(back[i].second, arrays[i].second.contiguous()));
    }
    CHECK(npz_text(arrays) == npz_text(arrays, 2));
    const auto keys = read(npz_text({{"k", array_of<KeyWords>({1}, {{1, 2}})}}));
    CHECK(values_of<std::uint32_t>(keys[0].second) == std::vector<std::uint32_t>{1, 2});
    CHECK(keys[0].second.shape() == Shape{1, 2});
}

TEST_CASE("a large array is held to its checksum by several threads, and is read by slices too") {
    Array large(DType::i32, {3, std::int64_t{1} << 20U});
    std::iota(large.as<std::int32_t>(), large.as<std::int32_t>() + large.size(), 0);
    const Folder folder;
    write_text(folder / "t.npz", npz_text({{"a", array_of<float>({1}, {1})}, {"b", large}}, 3));
    const StoredTensors tensors = stored_npz(folder / "t.npz");
    CHECK(same_bits(tensors[1].second->read(3), large));
    CHECK(tensors[0].second->slices() == nullptr);
    const auto slices = tensors[1].second->slices();
    REQUIRE(slices);
    std::vector<std::int32_t> slice(std::size_t{1} << 20U);
    slices->read(2, 1, reinterpret_cast<std::byte*>(slice.data()));
    CHECK(std::ranges::equal(slice, std::span(large.as<std::int32_t>() + (std::int64_t{2} << 20U), slice.size())));
    std::string text = read_text(folder / "t.npz");
    text[directory_of(text) - 1] ^= 1;
    CHECK(read_message(text) == malformed + "`b.npy` has another checksum than it should have: its bytes have changed");
}

TEST_CASE("checksums are CRC-32, in one piece, in several, and on several threads") {
    CHECK(checksum_of("") == 0);
    CHECK(checksum_of("123456789") == 0xCBF43926U);
    CHECK(checksum_of("6789", checksum_of("12345")) == 0xCBF43926U);
    std::string large((std::size_t{9} << 20U) + 7, '\0');
    Random random(6);
    for (char& c : large) c = static_cast<char>(random.next());
    CHECK(checksum_of(large, 77, 3) == checksum_of(large, 77));
}

TEST_CASE("an archive of more than 4 GiB has Zip64 fields, and is read by slices") {
    constexpr std::int64_t rows = 5, row_bytes = std::int64_t{1} << 30U, bytes = rows * row_bytes;
    // Five GiB of zeros, that no memory and no disk holds.
    void* zeros = mmap(nullptr, static_cast<std::size_t>(bytes), PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    REQUIRE(zeros != MAP_FAILED);
    const Folder folder;
    std::ofstream file(folder / "t.npz", std::ios::binary);
    ZipWriter writer([&](std::string_view piece) {
        if (piece.size() < static_cast<std::size_t>(bytes)) file << piece;
        else file.seekp(bytes, std::ios::cur);
    });
    const std::string header = npy_header_text(DType::u8, {rows, row_bytes}), small = npy_of({42});
    writer.begin("large.npy", static_cast<std::int64_t>(header.size()) + bytes, 0);
    writer.write(header);
    writer.write({static_cast<const char*>(zeros), static_cast<std::size_t>(bytes)});
    writer.begin("small.npy", static_cast<std::int64_t>(small.size()), checksum_of(small));
    writer.write(small);
    writer.finish();
    file.close();
    munmap(zeros, static_cast<std::size_t>(bytes));
    const StoredTensors tensors = stored_npz(folder / "t.npz");
    REQUIRE(tensors.size() == 2);
    CHECK(tensors[0].second->shape() == Shape{rows, row_bytes});
    CHECK(tensors[0].second->slices() != nullptr);
    CHECK(values_of<std::int32_t>(tensors[1].second->read(1)) == std::vector<std::int32_t>{42});
}

TEST_CASE("more than 65535 members have Zip64 records, and longer names than 65535 bytes are refused") {
    std::string text;
    ZipWriter writer([&](std::string_view piece) { text += piece; });
    for (int i = 0; i < 70000; ++i) writer.begin(std::to_string(i), 0, 0);
    writer.finish();
    const Folder folder;
    write_text(folder / "t.npz", text);
    const std::vector<ZipEntry> entries = read_zip_directory(InputFile(folder / "t.npz"));
    CHECK(entries.size() == 70000);
    CHECK(entries.back().name == "69999");
    CHECK(message_of([&] { writer.begin(std::string(65536, 'n'), 0, 0); }) == "E520 a member of an archive has a name of more than 65535 bytes");
}
