#include "io/safetensors.hpp"

#include <bit>
#include <cmath>

#include "support.hpp"

using namespace vmaprun;
using namespace vmaprun::testing;

namespace {

const std::string malformed = "E508 `t.safetensors` is no well-formed .safetensors file: ";
const std::string in_header = "E508 `t.safetensors` is no well-formed .safetensors file | note: ";

// A file of that header, with what follows it.
std::string file_of(std::string_view header, std::string_view data = "") {
    std::string text;
    for (std::size_t i = 0; i < 8; ++i) text += static_cast<char>(header.size() >> (8 * i) & 0xFFU);
    return text + std::string(header) + std::string(data);
}
std::string entry(const std::string& name, const std::string& dtype, const std::string& shape, std::size_t begin, std::size_t end) {
    return "\"" + name + R"(": {"dtype": ")" + dtype + R"(", "shape": )" + shape + R"(, "data_offsets": [)" + std::to_string(begin) + ", " + std::to_string(end) + "]}";
}

// A message with the path of the test's file as `t.safetensors`.
std::string shortened(std::string message, const std::string& path) {
    for (std::size_t at = message.find(path); at != std::string::npos; at = message.find(path)) message.replace(at, path.size(), "t.safetensors");
    return message;
}

// Every tensor, by name, read.
std::vector<std::pair<std::string, Array>> read(std::string_view text) {
    const Folder folder;
    write_text(folder / "t.safetensors", text);
    std::vector<std::pair<std::string, Array>> arrays;
    for (const auto& [name, tensor] : stored_safetensors(folder / "t.safetensors")) {
        arrays.emplace_back(name, tensor->read(1));
        CHECK(tensor->dtype() == arrays.back().second.dtype());
        CHECK(tensor->shape() == arrays.back().second.shape());
    }
    return arrays;
}
Array read_one(const std::string& dtype, const std::string& shape, std::string_view data) {
    return read(file_of("{" + entry("x", dtype, shape, 0, data.size()) + "}", data)).at(0).second;
}
std::string message_of_file(std::string_view text) {
    const Folder folder;
    write_text(folder / "t.safetensors", text);
    return shortened(message_of([&] { stored_safetensors(folder / "t.safetensors"); }), folder / "t.safetensors");
}
std::string header_message(const std::string& header, std::string_view data = "") { return message_of_file(file_of(header, data)); }
std::string entry_message(const std::string& dtype, const std::string& shape, const std::string& offsets, std::string_view data = "") {
    return header_message(R"({"x": {"dtype": )" + dtype + R"(, "shape": )" + shape + R"(, "data_offsets": )" + offsets + "}}", data);
}

// Every 16-bit word, in order, as elements.
std::string all_words() {
    std::string data;
    for (unsigned word = 0; word < 65536; ++word) {
        data += static_cast<char>(word & 0xFFU);
        data += static_cast<char>(word >> 8U);
    }
    return data;
}

// sign * 1.fraction * 2^(exponent - bias), or sign * 0.fraction * 2^(1 - bias), as the standard says it.
double value_of(unsigned word, unsigned fraction_bits, int bias) {
    const unsigned exponent_bits = 15 - fraction_bits, largest = (1U << exponent_bits) - 1;
    const unsigned exponent = word >> fraction_bits & largest, fraction = word & ((1U << fraction_bits) - 1);
    const double sign = (word & 0x8000U) != 0 ? -1 : 1;
    if (exponent == largest) return fraction == 0 ? sign * INFINITY : std::nan("");
    if (exponent == 0) return sign * std::ldexp(fraction, 1 - bias - static_cast<int>(fraction_bits));
    return sign * std::ldexp((1U << fraction_bits) + fraction, static_cast<int>(exponent) - bias - static_cast<int>(fraction_bits));
}

void check_all_values(const std::string& dtype, unsigned fraction_bits, int bias) {
    const std::vector<float> values = values_of<float>(read_one(dtype, "[65536]", all_words()));
    for (unsigned word = 0; word < 65536; ++word) {
        const double expected = value_of(word, fraction_bits, bias);
        const float found = values[word];
        const bool is_right = std::isnan(expected) ? std::isnan(found) : static_cast<double>(found) == expected && std::signbit(found) == std::signbit(expected);
        if (!is_right) FAIL(dtype, word, found, expected);
        // NaNs keep their sign and payload.
        if (std::isnan(expected) && std::bit_cast<std::uint32_t>(found) >> (23 - fraction_bits) != ((word & 0x8000U) << (fraction_bits + 8 - 15) | 0xFFU << fraction_bits | (word & ((1U << fraction_bits) - 1)))) FAIL(dtype, word);
    }
}

} // namespace

TEST_CASE("tensors are read in the order of their names, wherever they lie") {
    const auto arrays = read(file_of("{" + entry("b", "I32", "[2]", 0, 8) + ", " + entry("a", "U8", "[3, 1]", 8, 11) + R"(, "__metadata__": {"format": "pt"}}   )",
                                     std::string_view("\1\0\0\0\xff\xff\xff\xff\7\10\11", 11)));
    REQUIRE(arrays.size() == 2);
    CHECK(arrays[0].first == "a");
    CHECK(arrays[0].second.shape() == Shape{3, 1});
    CHECK(values_of<std::uint8_t>(arrays[0].second) == std::vector<std::uint8_t>{7, 8, 9});
    CHECK(arrays[1].first == "b");
    CHECK(values_of<std::int32_t>(arrays[1].second) == std::vector<std::int32_t>{1, -1});
}

TEST_CASE("every dtype that is read is, with scalars and empty tensors") {
    using namespace std::string_view_literals;
    CHECK(values_of<bool>(read_one("BOOL", "[3]", "\0\1\2"sv)) == std::vector<bool>{false, true, true});
    CHECK(values_of<std::int8_t>(read_one("I8", "[1]", "\xfe"sv)) == std::vector<std::int8_t>{-2});
    CHECK(values_of<std::int16_t>(read_one("I16", "[1]", "\xfe\xff"sv)) == std::vector<std::int16_t>{-2});
    CHECK(values_of<std::int64_t>(read_one("I64", "[1]", "\xfe\xff\xff\xff\xff\xff\xff\xff"sv)) == std::vector<std::int64_t>{-2});
    CHECK(values_of<std::uint16_t>(read_one("U16", "[1]", "\1\2"sv)) == std::vector<std::uint16_t>{513});
    CHECK(values_of<std::uint32_t>(read_one("U32", "[]", "\1\2\0\0"sv)) == std::vector<std::uint32_t>{513});
    CHECK(values_of<std::uint64_t>(read_one("U64", "[1, 1]", "\1\2\0\0\0\0\0\x80"sv)) == std::vector<std::uint64_t>{0x8000000000000201U});
    CHECK(values_of<float>(read_one("F32", "[1]", "\0\0\x80\x3f"sv)) == std::vector<float>{1});
    CHECK(values_of<double>(read_one("F64", "[1]", "\0\0\0\0\0\0\xf0\x3f"sv)) == std::vector<double>{1});
    CHECK(values_of<std::complex<float>>(read_one("C64", "[1]", "\0\0\x80\x3f\0\0\0\x40"sv)) == std::vector<std::complex<float>>{{1, 2}});
    CHECK(read_one("F64", "[0, 3]", "").shape() == Shape{0, 3});
    CHECK(read_one("BF16", "[2, 0]", "").dtype() == DType::f32);
}

TEST_CASE("all values of F16 are f32, exactly") { check_all_values("F16", 10, 15); }
TEST_CASE("all values of BF16 are f32, exactly") { check_all_values("BF16", 7, 127); }

TEST_CASE("files without tensors and empty tensors between others are well-formed") {
    CHECK(read(file_of("{}")).empty());
    CHECK(read(file_of(R"({"__metadata__": {}})")).empty());
    const auto arrays = read(file_of("{" + entry("a", "U8", "[1]", 0, 1) + "," + entry("b", "U8", "[0]", 1, 1) + "," + entry("c", "U8", "[2]", 1, 3) + "," + entry("d", "F64", "[0]", 3, 3) + "}", "xyz"));
    CHECK(arrays.size() == 4);
    CHECK(values_of<std::uint8_t>(arrays[2].second) == std::vector<std::uint8_t>{'y', 'z'});
}

TEST_CASE("a tensor of a dtype that is not read is refused once it is wanted, and no other is") {
    const Folder folder;
    const std::string path = folder / "t.safetensors";
    write_text(path, file_of("{" + entry("q", "F8_E4M3", "[2, 1]", 0, 2) + ", " + entry("w", "U8", "[1]", 2, 3) + "}", "abc"));
    const StoredTensors tensors = stored_safetensors(path);
    CHECK(tensors[0].second->shape() == Shape{2, 1});
    CHECK(tensors[0].second->description() == "holds elements of dtype F8_E4M3, which is not read");
    CHECK(shortened(message_of([&] { tensors[0].second->read(1); }), path) ==
          "E509 `t.safetensors:q` holds elements of dtype F8_E4M3, which is not read | note: read are BOOL, I8 to I64, U8 to U64, BF16, F16, F32, F64 and C64");
    CHECK(values_of<std::uint8_t>(tensors[1].second->read(1)) == std::vector<std::uint8_t>{'c'});
    CHECK(tensors[1].second->description() == "u8[1]");
}

TEST_CASE("large tensors are read by slices, those of half precision as a whole") {
    const Folder folder;
    const std::string path = folder / "t.safetensors";
    const std::size_t half = std::size_t{4} << 20U;
    write_text(path, file_of("{" + entry("a", "U8", "[4, 1048576]", 0, half) + ", " + entry("b", "BF16", "[2, 1048576]", half, 2 * half) + "}", std::string(half, '\1') + std::string(half, '\2')));
    const StoredTensors tensors = stored_safetensors(path);
    CHECK(tensors[0].second->slices() != nullptr);
    CHECK(tensors[1].second->slices() == nullptr);
    CHECK(values_of<float>(tensors[1].second->read(2)).back() == std::bit_cast<float>(0x02020000U));
    std::filesystem::resize_file(path, 100);
    CHECK(shortened(message_of([&] { tensors[0].second->read(1); }), path) == "E501 cannot read `t.safetensors`: it changed while it was read");
}

TEST_CASE("files that are cut off, or go on, are refused") {
    const std::string begin = malformed + "it is shorter than the 8 bytes that it begins with, or a pipe";
    CHECK(message_of_file("") == begin);
    CHECK(message_of_file("1234567") == begin);
    CHECK(message_of_file("12345678") == malformed + "its header would have 4050765991979987505 bytes");
    CHECK(message_of_file(std::string_view("\x01\xe1\xf5\x05\0\0\0\0", 8)) == malformed + "its header would have 100000001 bytes");
    CHECK(message_of_file(std::string_view("\x00\xe1\xf5\x05\0\0\0\0", 8)) == "E510 `t.safetensors` is truncated: its header has 100000000 bytes, and the file ends after 8");
    const std::string one = "{" + entry("x", "U8", "[3]", 0, 3) + "}";
    CHECK(header_message(one, "ab") == "E510 `t.safetensors` is truncated: `x` ends 1 byte behind its end");
    CHECK(header_message(one, "abcd") == "E510 `t.safetensors` is too long: it has 1 byte behind its last tensor");
    CHECK(header_message("{}", "a") == "E510 `t.safetensors` is too long: it has 1 byte behind its last tensor");
    CHECK(message_of([] { stored_safetensors("nowhere/t.safetensors"); }) == "E501 cannot read `nowhere/t.safetensors`: there is no such file");
}

TEST_CASE("tensors may not overlap, nor leave gaps") {
    CHECK(header_message("{" + entry("a", "U8", "[2]", 0, 2) + ", " + entry("b", "U8", "[2]", 1, 3) + "}", "abc") == malformed + "two of its tensors overlap");
    CHECK(header_message("{" + entry("a", "U8", "[2]", 0, 2) + ", " + entry("b", "U8", "[0]", 1, 1) + "}", "ab") == malformed + "two of its tensors overlap");
    CHECK(header_message("{" + entry("a", "U8", "[1]", 0, 1) + ", " + entry("b", "U8", "[1]", 2, 3) + "}", "abc") == malformed + "there are bytes between its tensors");
    CHECK(header_message("{" + entry("a", "U8", "[1]", 1, 2) + "}", "ab") == malformed + "there are bytes between its tensors");
}

TEST_CASE("entries of the header that say too little, or what can't be, are refused") {
    CHECK(header_message("[1]") == malformed + "its header is no JSON object");
    CHECK(header_message(R"({"x": 1})") == malformed + "`x` has no dtype, shape or data_offsets");
    CHECK(header_message(R"({"x": {"shape": [], "data_offsets": [0, 0]}})") == malformed + "`x` has no dtype, shape or data_offsets");
    CHECK(header_message(R"({"x": {"dtype": "U8", "data_offsets": [0, 0]}})") == malformed + "`x` has no dtype, shape or data_offsets");
    CHECK(header_message(R"({"x": {"dtype": "U8", "shape": []}})") == malformed + "`x` has no dtype, shape or data_offsets");
    CHECK(entry_message("8", "[]", "[0, 1]") == malformed + "`x` has no dtype, shape or data_offsets");
    const std::string no_sizes = malformed + "`x` has a shape that is no list of sizes", no_range = malformed + "`x` has data_offsets that are no range";
    CHECK(entry_message(R"("U8")", "1", "[0, 1]", "a") == no_sizes);
    CHECK(entry_message(R"("U8")", "[[1]]", "[0, 1]", "a") == no_sizes);
    CHECK(entry_message(R"("U8")", "[-1]", "[0, 1]", "a") == no_sizes);
    CHECK(entry_message(R"("U8")", "[1]", "0", "a") == no_range);
    CHECK(entry_message(R"("U8")", "[1]", "[1]", "a") == no_range);
    CHECK(entry_message(R"("U8")", "[1]", "[0, 1, 2]", "a") == no_range);
    CHECK(entry_message(R"("U8")", "[1]", "[1, 0]", "a") == no_range);
    CHECK(entry_message(R"("U8")", "[1]", "[-1, 0]", "a") == no_range);
    std::string axes = "[1";
    for (int i = 0; i < 64; ++i) axes += ",1";
    CHECK(entry_message(R"("U8")", axes + "]", "[0, 1]", "a") == malformed + "`x` has more than 64 axes");
    CHECK(entry_message(R"("U8")", "[2]", "[0, 1]", "a") == malformed + "`x` has 1 byte, and U8[2] takes 2");
    CHECK(entry_message(R"("BF16")", "[2]", "[0, 2]", "ab") == malformed + "`x` has 2 bytes, and BF16[2] takes 4");
    CHECK(entry_message(R"("F64")", "[4611686018427387904]", "[0, 0]") == malformed + "`x` has 0 bytes, and F64[4611686018427387904] takes more than 64 bits count");
    CHECK(entry_message(R"("U8")", "[4294967296, 4294967296]", "[0, 0]") == malformed + "`x` has 0 bytes, and U8[4294967296, 4294967296] takes more than 64 bits count");
    CHECK(entry_message(R"("F4")", "[4294967296, 4294967296]", "[0, 0]") == malformed + "`x` has more elements than 64 bits count");
    CHECK(entry_message(R"("U8")", "[1]", "[0, 9223372036854775807]", "a") == "E510 `t.safetensors` is truncated: `x` ends 9223372036854775806 bytes behind its end");
}

TEST_CASE("what breaks in the header as JSON breaks the file") {
    CHECK(header_message("") == in_header + "its header, line 1, column 1: nothing but white space");
    CHECK(header_message(R"({"x": 1)") == in_header + "its header, line 1, column 8: expected `,` or `}`, found the end of the document");
    CHECK(header_message(R"({"x": 1, "x": 2})") == in_header + "its header, line 1, column 10: the name \"x\" stands twice in one object");
    CHECK(header_message("{\"\xff\": 1}") == in_header + "its header, line 1, column 3: a byte that is not UTF-8 in a string");
    CHECK(entry_message(R"("U8")", "[1.5]", "[0, 1]", "a") == in_header + "in its header, `$.x.shape[0]` is 1.5, and i64 takes whole numbers only");
    CHECK(entry_message(R"("U8")", R"(["a"])", "[0, 1]", "a") == in_header + "in its header, `$.x.shape[0]` is the string \"a\", where numbers are expected");
    CHECK(entry_message(R"("U8")", "[1]", "[0, 9223372036854775808]", "a") == in_header + "in its header, `$.x.data_offsets[1]` is 9223372036854775808, which i64 does not hold");
}

TEST_CASE("every truncation of a file is an error") {
    const std::string text = file_of("{" + entry("a", "U8", "[3]", 0, 3) + ", " + entry("b", "F16", "[1]", 3, 5) + "}", "abcde");
    CHECK(message_of_file(text) == "no error");
    for (std::size_t length = 0; length < text.size(); ++length) {
        const std::string message = message_of_file(text.substr(0, length));
        if (!message.starts_with("E508") && !message.starts_with("E510")) FAIL(length, message);
    }
}
