#include "io/file.hpp"

#include <unistd.h>

#include <cmath>
#include <limits>
#include <thread>

#include "io/codes.hpp"
#include "io/convert.hpp"
#include "io/info.hpp"
#include "io/npy.hpp"
#include "support.hpp"

using namespace vmaprun;
using namespace vmaprun::testing;

TEST_CASE("a file is read whole, with zeros behind its end") {
    const Folder folder;
    for (const std::size_t size : {std::size_t{0}, std::size_t{1}, std::size_t{65535}, std::size_t{65536}, std::size_t{5000000}}) {
        std::string text(size, 'x');
        for (std::size_t i = 0; i < size; ++i) text[i] = static_cast<char>(i * 7);
        write_text(folder / "a", text);
        const FileBytes bytes = read_file(folder / "a");
        CHECK(bytes.view() == text);
        for (std::size_t i = 0; i < file_bytes_padding; ++i) CHECK(bytes.data()[size + i] == 0);
        int ends[2];
        REQUIRE(pipe(ends) == 0);
        std::thread writer([&] {
            for (std::size_t at = 0; at < size;) at += static_cast<std::size_t>(write(ends[1], text.data() + at, size - at));
            close(ends[1]);
        });
        CHECK(read_descriptor(ends[0], "stdin").view() == text);
        writer.join();
        close(ends[0]);
    }
    CHECK(read_file("/proc/self/status").size() > 100);
}

TEST_CASE("a file that cannot be read says why, and offers the nearest name") {
    const Folder folder;
    write_text(folder / "data.npy", "x");
    const auto read_message = [](const std::string& path) {
        return message_of([&] { read_file(path); });
    };
    CHECK(read_message(folder / "dta.npy") == "E501 cannot read `" + (folder / "dta.npy") + "`: there is no such file | help: did you mean `" + (folder / "data.npy") + "`?");
    CHECK(read_message(folder / "else") == "E501 cannot read `" + (folder / "else") + "`: there is no such file");
    CHECK(read_message(folder / "no/data.npy") == "E501 cannot read `" + (folder / "no/data.npy") + "`: there is no such file");
    CHECK(read_message(folder / "") == "E501 cannot read `" + (folder / "") + "`: it is a folder");
    CHECK(read_message(folder / "data.npy/x") == "E501 cannot read `" + (folder / "data.npy/x") + "`: Not a directory");
    CHECK(read_message(std::string("a\0b", 3)) == "E501 cannot read `a`: its name contains a NUL character");
}

TEST_CASE("info says what a file holds") {
    const Folder folder;
    std::string npy;
    write_npy(Array::zeros(DType::f32, {1000, 128}), [&](std::string_view piece) { npy += piece; });
    write_text(folder / "data.npy", npy);
    CHECK(info(folder / "data.npy").text() == (folder / "data.npy") + ": f32[1000, 128], 512000 bytes, C order, npy 1.0\n");
    write_text(folder / "data.json", R"({"x": [[1, 2], [3, 4]], "y z": {"a": 1}, "s": "t", "r": [[1], [1, 2]], "e": {"dtype": "f32", "shape": [0, 3], "data": []}})");
    CHECK(info(folder / "data.json").text() == (folder / "data.json") + ": record of 5 members, 122 bytes, JSON\n"
                                               "  x: i64[2, 2]\n  y z: record of 1 member\n  s: string\n  r: list of 2, no tensor\n  e: f32[0, 3]\n");
    write_text(folder / "one.json", "[1.5]");
    CHECK(info(folder / "one.json").text() == (folder / "one.json") + ": f64[1], 5 bytes, JSON\n");
    CHECK(message_of([&] { info(folder / "a.txt"); }) == "E511 `" + (folder / "a.txt") + "` is no file that is known by its ending | help: known are .npy, .npz, .json, .csv, .tsv and .safetensors");
}

TEST_CASE("an input converts where every value fits its dtype") {
    const Array floats = array_of<double>({3}, {1, -2, 3});
    CHECK(values_of<std::int32_t>(convert_input(floats, DType::i32, "x")) == std::vector<std::int32_t>{1, -2, 3});
    CHECK(values_of<float>(convert_input(floats, DType::f32, "x")) == std::vector<float>{1, -2, 3});
    CHECK(values_of<std::complex<float>>(convert_input(array_of<bool>({2}, {true, false}), DType::c64, "x")) == std::vector<std::complex<float>>{{1, 0}, {0, 0}});
    CHECK(values_of<std::int64_t>(convert_input(array_of<double>({1}, {-9223372036854775808.0}), DType::i64, "x")) ==
          std::vector<std::int64_t>{std::numeric_limits<std::int64_t>::min()});
    CHECK(values_of<bool>(convert_input(array_of<std::int64_t>({2}, {1, 0}), DType::boolean, "x")) == std::vector<bool>{true, false});
    CHECK(std::isinf(values_of<float>(convert_input(array_of<double>({1}, {std::numeric_limits<double>::infinity()}), DType::f32, "x"))[0]));
    CHECK(convert_input(floats, DType::f64, "x").buffer() == floats.buffer());
    const Array words = array_of<std::uint32_t>({2, 2}, {1, 2, 3, 4});
    CHECK(values_of<KeyWords>(convert_input(words, DType::key, "k")) == std::vector<KeyWords>{{1, 2}, {3, 4}});
}

TEST_CASE("an input that does not fit names the first value that does not") {
    const auto convert_message = [](const Array& array, DType dtype) {
        return message_of([&] { convert_input(array, dtype, "x"); });
    };
    CHECK(convert_message(array_of<double>({2, 2}, {1, 2, 3, 2.5}), DType::i8) ==
          "E506 `x[1][1]` is 2.5, and i8 takes whole numbers only | help: declare a float type, or round the data");
    CHECK(convert_message(array_of<double>({1}, {9223372036854775808.0}), DType::i64).starts_with("E506 `x[0]` is 9.223372036854776e+18, which i64 does not hold"));
    CHECK(convert_message(array_of<std::int64_t>({1}, {-1}), DType::u64) == "E506 `x[0]` is -1, which u64 does not hold | note: u64 holds 0 to 18446744073709551615");
    CHECK(convert_message(array_of<double>({}, {NAN}), DType::i64) ==
          "E506 `x` is NaN, which i64 does not hold | note: NaN, null and the infinities are values of the float types alone");
    CHECK(convert_message(array_of<double>({1}, {1e39}), DType::f32) == "E506 `x[0]` is 1e+39, which f32 does not hold | note: f32 ends at 3.4028235e+38");
    CHECK(convert_message(array_of<std::int64_t>({1}, {2}), DType::boolean) == "E506 `x[0]` is 2, which bool does not hold | note: bool holds true and false, 1 and 0");
    CHECK(convert_message(array_of<std::complex<float>>({1}, {{1, 0}}), DType::f32).starts_with("E512 `x` has dtype c64, which does not convert to f32"));
    CHECK(convert_message(array_of<std::uint32_t>({3}, {1, 2, 3}), DType::key) == "E512 `x` is u32[3], and keys need a last axis of length 2");
    CHECK(convert_message(array_of<std::int64_t>({2}, {1, 2}), DType::key).starts_with("E512 `x` has dtype i64, which does not convert to key"));
}

TEST_CASE("every code of this layer is explained, in order") {
    std::string_view before;
    for (const CodeExplanation& explanation : io_codes()) {
        CHECK(before < explanation.code);
        CHECK(!explanation.title.ends_with("."));
        CHECK(explanation.text.ends_with("\n"));
        before = explanation.code;
    }
}
