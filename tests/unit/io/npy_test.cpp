#include "io/npy.hpp"

#include <unistd.h>

#include <thread>

#include "io/file.hpp"
#include "io/stored_tensor.hpp"
#include "support.hpp"

using namespace vmaprun;
using namespace vmaprun::testing;

namespace {

// A file of version 1.0 with that header (padded as little as the format asks) and those elements.
std::string npy_file(std::string header, std::string_view data, char major = 1) {
    header += "\n";
    std::string text = std::string("\x93NUMPY") + major + '\0';
    for (int i = 0; i < (major == 1 ? 2 : 4); ++i) text += static_cast<char>(header.size() >> (8 * i) & 0xFFU);
    return text + header + std::string(data);
}

std::string header_of(const std::string& descr, const std::string& shape, const std::string& fortran = "False") {
    return "{'descr': " + descr + ", 'fortran_order': " + fortran + ", 'shape': " + shape + ", }";
}

Array read(std::string_view bytes) { return read_npy_bytes(bytes, "t.npy"); }
std::string read_message(std::string_view bytes) {
    return message_of([&] { read(bytes); });
}
std::string header_message(const std::string& header) { return read_message(npy_file(header, "")); }

Array random_array(DType dtype, Shape shape, Random& random) {
    Array array(dtype, std::move(shape));
    const std::size_t bytes = static_cast<std::size_t>(array.size()) * size_of(dtype);
    for (std::size_t i = 0; i < bytes; ++i) {
        array.view().data[i] = static_cast<std::byte>(dtype == DType::boolean ? random.next() % 2 : random.next() % 256);
    }
    return array;
}

const std::string unsupported_note = " | note: read are bool, i1 to i8, u1 to u8, f4, f8, c8 and c16, in either byte order";

} // namespace

TEST_CASE("an array is written as NumPy writes it") {
    const std::string text = npy_text(array_of<float>({2, 3}, {1, 2, 3, 4, 5, 6}));
    CHECK(text.size() == 128 + 24);
    CHECK(text.substr(0, 10) == std::string("\x93NUMPY\x01\x00\x76\x00", 10));
    CHECK(text.substr(10, 60) == "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), } ");
    CHECK(text[127] == '\n');
    CHECK(npy_header_text(DType::boolean, {}).substr(10, 60) == "{'descr': '|b1', 'fortran_order': False, 'shape': (), }     ");
    CHECK(npy_header_text(DType::c128, {3}).substr(10, 60) == "{'descr': '<c16', 'fortran_order': False, 'shape': (3,), }  ");
    CHECK(npy_header_text(DType::i8, Shape(40, 1)).size() % 64 == 0);
    CHECK(npy_header_text(DType::i8, Shape(30000, 1)).substr(6, 2) == std::string("\x02\x00", 2));
    CHECK(npy_header_text(DType::i8, Shape(30000, 1)).size() % 64 == 0);
}

TEST_CASE("every dtype and shape reads back to the same bits, from memory, a file and a pipe") {
    const Folder folder;
    Random random(2);
    const DType all[] = {DType::boolean, DType::i8,  DType::i16, DType::i32, DType::i64, DType::u8,  DType::u16,
                         DType::u32,     DType::u64, DType::f32, DType::f64, DType::c64, DType::c128};
    for (const DType dtype : all) {
        for (const Shape& shape : {Shape{}, Shape{5}, Shape{3, 4}, Shape{0, 3}, Shape{2, 1, 3, 1}}) {
            const Array array = random_array(dtype, shape, random);
            const std::string text = npy_text(array);
            CHECK(same_bits(read(text), array));
            write_text(folder / "a.npy", text);
            CHECK(same_bits(stored_npy(folder / "a.npy")->read(1), array));
            const NpyHeader header = read_npy_header(folder / "a.npy");
            CHECK(header.dtype == dtype);
            CHECK(header.shape == shape);
            int ends[2];
            REQUIRE(pipe(ends) == 0);
            REQUIRE(write(ends[1], text.data(), text.size()) == static_cast<ssize_t>(text.size()));
            close(ends[1]);
            CHECK(same_bits(read_npy_descriptor(ends[0], -1, "stdin"), array));
            close(ends[0]);
        }
    }
}

TEST_CASE("a pipe of more than its first buffer arrives whole") {
    const std::int64_t count = (std::int64_t{150} << 20U) / 8;
    Array array(DType::i64, {count});
    for (std::int64_t i = 0; i < count; ++i) array.as<std::int64_t>()[i] = i * 7;
    int ends[2];
    REQUIRE(pipe(ends) == 0);
    std::thread writer([&] {
        write_npy(array, [&](std::string_view piece) {
            while (!piece.empty()) {
                const ssize_t written = write(ends[1], piece.data(), piece.size());
                if (written <= 0) break;
                piece.remove_prefix(static_cast<std::size_t>(written));
            }
        });
        close(ends[1]);
    });
    const Array back = read_npy_descriptor(ends[0], -1, "stdin");
    writer.join();
    close(ends[0]);
    CHECK(same_bits(back, array));
}

TEST_CASE("both byte orders, Fortran order, any key order and Python 2 headers are read") {
    CHECK(values_of<float>(read(npy_file(header_of("'>f4'", "(2,)"), std::string_view("\x3f\x80\0\0\x40\0\0\0", 8)))) == std::vector<float>{1, 2});
    CHECK(values_of<std::complex<float>>(read(npy_file(header_of("'>c8'", "(1,)"), std::string_view("\x3f\x80\0\0\x40\0\0\0", 8)))) ==
          std::vector<std::complex<float>>{{1, 2}});
    CHECK(values_of<std::int16_t>(read(npy_file(header_of("'>i2'", "()"), std::string_view("\1\2", 2)))) == std::vector<std::int16_t>{258});
    const Array fortran = read(npy_file(header_of("'|u1'", "(2, 3)", "True"), "\1\2\3\4\5\6"));
    CHECK(fortran.shape() == Shape{2, 3});
    CHECK(fortran.view().strides == Strides{1, 2});
    CHECK(values_of<std::uint8_t>(fortran) == std::vector<std::uint8_t>{1, 3, 5, 2, 4, 6});
    CHECK(read(npy_file("{\"shape\":(2L,),'fortran_order':False , 'descr':'u1'}", "ab")).shape() == Shape{2});
    CHECK(read(npy_file(header_of("'|u1'", "(2,)"), "ab", 2)).shape() == Shape{2});
    CHECK(read(npy_file(header_of("'|u1'", "(2,)"), "ab", 3)).shape() == Shape{2});
    CHECK(values_of<bool>(read(npy_file(header_of("'|b1'", "(3,)"), std::string_view("\0\2\1", 3)))) == std::vector<bool>{false, true, true});
}

TEST_CASE("a strided array is written in row-major order, also in blocks") {
    const Array array = array_of<std::int32_t>({2, 3}, {1, 2, 3, 4, 5, 6});
    const Array transposed = array.with_view({DType::i32, array.view().data, {3, 2}, {1, 3}});
    CHECK(values_of<std::int32_t>(read(npy_text(transposed))) == std::vector<std::int32_t>{1, 4, 2, 5, 3, 6});
    Random random(8);
    const Array large = random_array(DType::f64, {1200, 1100}, random);
    const Array flipped = large.with_view({DType::f64, large.view().data, {1100, 1200}, {1, 1100}});
    CHECK(same_bits(read(npy_text(flipped)), flipped.contiguous()));
    const Array wide = large.with_view({DType::f64, large.view().data, {1, 660000}, {1, 2}});
    CHECK(same_bits(read(npy_text(wide)), wide.contiguous()));
    const Array keys = array_of<KeyWords>({2}, {{1, 2}, {3, 4}});
    CHECK(values_of<std::uint32_t>(read(npy_text(keys))) == std::vector<std::uint32_t>{1, 2, 3, 4});
    CHECK(read(npy_text(keys)).shape() == Shape{2, 2});
    const Array backwards = keys.with_view({DType::key, keys.view().data + 8, {2}, {-1}});
    CHECK(values_of<std::uint32_t>(read(npy_text(backwards))) == std::vector<std::uint32_t>{3, 4, 1, 2});
}

TEST_CASE("a contiguous array is handed over without a copy") {
    const Array array = array_of<float>({4}, {1, 2, 3, 4});
    bool same = false;
    write_npy(array, [&](std::string_view piece) { same = same || piece.data() == reinterpret_cast<const char*>(array.view().data); });
    CHECK(same);
}

TEST_CASE("dtypes that are not read are named") {
    CHECK(header_message(header_of("'<f2'", "(1,)")) ==
          "E509 `t.npy` holds elements of dtype '<f2', which is not read" + unsupported_note + " | help: convert it first, `x.astype('f4')` or `x.astype('f8')`");
    CHECK(header_message(header_of("'|O'", "(1,)")) == "E509 `t.npy` holds elements of dtype '|O', which is not read" + unsupported_note +
                                                          " | help: these are pickled Python objects, which are never run; save a plain array, "
                                                          "`np.save(path, np.array(x, 'f8'))`");
    CHECK(header_message(header_of("[('a', '<f4')]", "(1,)")).starts_with("E509 `t.npy` holds elements of dtype [('a', '<f4')], which is not read"));
    CHECK(header_message(header_of("'<U5'", "(1,)")).starts_with("E509 `t.npy` holds elements of dtype '<U5', which is not read"));
    CHECK(read_message(npy_file("{}", "", 4)) == "E509 `t.npy` has .npy version 4.0, and 1.0, 2.0 and 3.0 are read");
}

TEST_CASE("malformed headers are refused") {
    const std::string malformed = "E508 `t.npy` is no well-formed .npy file: ";
    CHECK(read_message("") == malformed + "it is empty");
    CHECK(read_message("PK\3\4") == malformed + "it does not begin with \\x93NUMPY");
    CHECK(header_message(header_of("'<f4'", "(-1,)")) == malformed + "its shape has a negative size");
    CHECK(header_message(header_of("'<f4'", "(99999999999999999999,)")) == malformed + "its shape has a size of more than 64 bits");
    CHECK(header_message(header_of("'<f4'", "(4294967296, 4294967296)")) ==
          malformed + "its shape [4294967296, 4294967296] has more bytes than 64 bits count");
    CHECK(header_message(header_of("'<c16'", "(2305843009213693952,)")) == malformed + "its shape [2305843009213693952] has more bytes than 64 bits count");
    CHECK(header_message(header_of("'<f4'", "(3)")).starts_with(malformed + "its header breaks at byte 53 of `{'descr'"));
    CHECK(header_message(header_of("'<f4'", "(3 4)")).starts_with(malformed + "its header breaks"));
    CHECK(header_message(header_of("'<f\xe9'", "(3,)")).starts_with(malformed + "its header breaks"));
    CHECK(header_message("{'descr': '<f4', 'shape': (1,)}") == malformed + "its header has no 'fortran_order'");
    CHECK(header_message("{'descr': '<f4', 'descr': '<f4'}") == malformed + "its header has 'descr' twice");
    CHECK(header_message("{'descr': '<f4', 'x': 1}") == malformed + "its header has an unknown key 'x'");
    CHECK(header_message(header_of("'<f4'", "(1,)") + "x").starts_with(malformed + "its header breaks"));
    std::string axes;
    for (int i = 0; i < 65; ++i) axes += "1,";
    CHECK(header_message(header_of("'<f4'", "(" + axes + ")")) == malformed + "its shape has 65 axes, at most 64 are read");
    CHECK(read_message(std::string("\x93NUMPY\x02\x00\x00\x00\x01\x01", 12)) == malformed + "its header is 16842752 bytes long, at most 65536 are read");
}

TEST_CASE("files of the wrong length are refused before anything is allocated") {
    const Folder folder;
    const std::string file = npy_file(header_of("'<f4'", "(1000000, 1000000)"), "abcd");
    const std::string expected = "has 4 bytes of elements, f32[1000000, 1000000] takes 4000000000000";
    CHECK(read_message(file) == "E510 `t.npy` is truncated: it " + expected);
    write_text(folder / "a.npy", file);
    CHECK(message_of([&] { stored_npy(folder / "a.npy")->read(1); }) == "E510 `" + (folder / "a.npy") + "` is truncated: it " + expected);
    CHECK(message_of([&] { read_npy_header(folder / "a.npy"); }) == "E510 `" + (folder / "a.npy") + "` is truncated: it " + expected);
    CHECK(read_message(npy_file(header_of("'<f4'", "(1,)"), "abcdefgh")) ==
          "E510 `t.npy` is too long: it has 8 bytes of elements, f32[1] takes 4");
    int ends[2];
    REQUIRE(pipe(ends) == 0);
    const std::string longer = npy_file(header_of("'<f4'", "(1,)"), "abcdefgh");
    REQUIRE(write(ends[1], longer.data(), longer.size()) > 0);
    REQUIRE(write(ends[1], file.data(), file.size()) > 0);
    close(ends[1]);
    CHECK(message_of([&] { read_npy_descriptor(ends[0], -1, "stdin"); }) == "E510 `stdin` is too long: more follows the 4 bytes that f32[1] takes");
    close(ends[0]);
}

TEST_CASE("every truncation and 10,000 mutations of a file give a clean error or an array") {
    Random random(4);
    const std::string valid = npy_text(random_array(DType::f32, {3, 2}, random));
    for (std::size_t length = 0; length < valid.size(); ++length) {
        const std::string message = read_message(valid.substr(0, length));
        if (!message.starts_with("E508") && !message.starts_with("E510")) FAIL(length, message);
    }
    constexpr std::string_view favourites = "{}()',: 0123456789<>|=fiucbOTrue\n\x80L-";
    int good = 0;
    for (int round = 0; round < 10000; ++round) {
        std::string text = valid;
        for (std::size_t edits = 1 + random.below(3); edits > 0; --edits) {
            const std::size_t at = random.below(random.below(4) == 0 ? text.size() : 70);
            const char byte = random.below(2) == 0 ? favourites[random.below(favourites.size())] : static_cast<char>(random.next());
            if (random.below(3) > 0) text[at] = byte;
            else if (random.below(2) == 0) text.insert(at, 1, byte);
            else text.erase(at, 1);
        }
        good += message_of([&] {
                    const Array array = read(text);
                    array.contiguous();
                }) == "no error";
    }
    CHECK(good > 100);
}
