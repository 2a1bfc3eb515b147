#include "base/text.hpp"
#include "io/json_writer.hpp"

#include <charconv>
#include <cmath>
#include <cstdio>
#include <limits>

#include "io/json_reader.hpp"
#include "io/number_text.hpp"
#include "support.hpp"

using namespace vmaprun;
using namespace vmaprun::testing;

namespace {

constexpr JsonStyle compact{Layout::compact, NanPolicy::string};

template <class T> std::string number(T value) {
    char text[number_text_capacity];
    return std::string(text, write_number(text, value));
}

// Python's repr of a float, the slow and obvious way: the fewest digits that read back, by trying.
template <class T> std::string brute_force(T value) {
    char text[64];
    for (int digits = 1;; ++digits) {
        std::snprintf(text, sizeof text, "%.*e", digits - 1, static_cast<double>(value));
        T back = 0;
        std::from_chars(text, text + std::strlen(text), back);
        if (back != value) continue;
        std::string mantissa(text, std::strchr(text, 'e'));
        const int exponent = std::atoi(std::strchr(text, 'e') + 1);
        if (exponent < -4 || exponent >= 16) {
            while (mantissa.find('.') != std::string::npos && (mantissa.ends_with('0') || mantissa.ends_with('.'))) mantissa.pop_back();
            std::snprintf(text, sizeof text, "e%c%02d", exponent < 0 ? '-' : '+', std::abs(exponent));
            return mantissa + text;
        }
        std::snprintf(text, sizeof text, "%.*f", std::max(1, digits - 1 - exponent), static_cast<double>(std::stod(text)));
        return text;
    }
}

template <class T, class Bits> T random_float(Random& random) {
    for (;;) {
        const auto bits = static_cast<Bits>(random.next());
        T value = 0;
        std::memcpy(&value, &bits, sizeof value);
        if (std::isfinite(value)) return value;
    }
}

} // namespace

TEST_CASE("floats are the shortest text of their own dtype, as Python writes it") {
    CHECK(number(6.0F) == "6.0");
    CHECK(number(0.1F) == "0.1");
    CHECK(number(0.1) == "0.1");
    CHECK(number(1e-7F) == "1e-07");
    CHECK(number(1e16) == "1e+16");
    CHECK(number(1e15) == "1000000000000000.0");
    CHECK(number(123456789012345680.0) == "1.2345678901234568e+17");
    CHECK(number(0.0001) == "0.0001");
    CHECK(number(0.00001) == "1e-05");
    CHECK(number(-0.0) == "-0.0");
    CHECK(number(1.5e300) == "1.5e+300");
    CHECK(number(16777216.0F) == "16777216.0");
    CHECK(number(1e10F) == "10000000000.0");
    CHECK(number(3.4028235e38F) == "3.4028235e+38");
    CHECK(number(5e-324) == "5e-324");
    CHECK(number(1.0F / 3) == "0.33333334");
    CHECK(number(1.0 / 3) == "0.3333333333333333");
    CHECK(number(-2.2250738585072014e-308) == "-2.2250738585072014e-308");
    CHECK(number(std::numeric_limits<std::int64_t>::min()) == "-9223372036854775808");
    CHECK(number(std::numeric_limits<std::uint64_t>::max()) == "18446744073709551615");
}

TEST_CASE("100,000 random floats print as the brute force does, and read back") {
    Random random(3);
    for (int i = 0; i < 100000; ++i) {
        const auto value = random_float<float, std::uint32_t>(random);
        const std::string text = number(value);
        float back = 0;
        std::from_chars(text.data(), text.data() + text.size(), back);
        if (back != value || text.size() != brute_force(value).size()) FAIL(text, " and ", brute_force(value));
    }
    for (int i = 0; i < 30000; ++i) {
        const auto value = random_float<double, std::uint64_t>(random);
        const std::string text = number(value);
        double back = 0;
        std::from_chars(text.data(), text.data() + text.size(), back);
        if (back != value || text.size() != brute_force(value).size()) FAIL(text, " and ", brute_force(value));
    }
    for (int i = 0; i < 100000; ++i) {
        // Numbers of everyday size, where both forms meet.
        const float value = static_cast<float>(static_cast<double>(random.next() >> 40U) * std::pow(10.0, static_cast<int>(random.below(24)) - 14));
        const std::string text = number(value);
        float back = 0;
        std::from_chars(text.data(), text.data() + text.size(), back);
        if (back != value || text.size() != brute_force(value).size()) FAIL(text, " and ", brute_force(value));
    }
}

TEST_CASE("millions of floats have the digits that to_chars finds") {
    Random random(17);
    const auto agrees = []<class T>(T value) {
        char known[64];
        const char* end = std::to_chars(known, known + sizeof known, value, std::chars_format::scientific).ptr;
        const auto digits = [](const std::string& text) {
            std::string result;
            for (const char c : text.substr(0, text.find('e'))) {
                if (c >= '0' && c <= '9' && !(c == '0' && result.empty())) result += c;
            }
            while (result.ends_with('0')) result.pop_back();
            return result;
        };
        const std::string text = number(value);
        T back = 0;
        std::from_chars(text.data(), text.data() + text.size(), back);
        return back == value && digits(text) == digits(std::string(static_cast<const char*>(known), end));
    };
    for (int i = 0; i < 1000000; ++i) {
        const auto narrow = random_float<float, std::uint32_t>(random);
        if (!agrees(narrow)) FAIL(number(narrow));
        const auto wide = random_float<double, std::uint64_t>(random);
        if (!agrees(wide)) FAIL(number(wide));
    }
    for (int exponent = -1074; exponent < 1024; ++exponent) {
        // Powers of two, whose neighbours are not evenly far, and those neighbours.
        const double power = std::ldexp(1.0, exponent);
        for (const double value : {std::nextafter(power, 0.0), power, std::nextafter(power, 1e308)}) {
            if (value != 0 && !agrees(value)) FAIL(number(value));
        }
        const auto narrow = static_cast<float>(power);
        for (const float value : {std::nextafter(narrow, 0.0F), narrow, std::nextafter(narrow, 1e38F)}) {
            if (value != 0 && std::isfinite(value) && !agrees(value)) FAIL(number(value));
        }
    }
}

TEST_CASE("the innermost axis stays on one line, outer axes are broken over lines") {
    Tree::Record record;
    record.emplace_back("result", array_of<float>({2, 1, 2}, {6, 6, 6, 7.5F}));
    record.emplace_back("total", Array::scalar<double>(25.5));
    record.emplace_back("pair", Tree::Tuple{array_of<std::int64_t>({2}, {1, 2}), Tree::Tuple{}, Tree::Record{}});
    record.emplace_back("none", Array(DType::f32, {2, 0}));
    record.emplace_back("z", array_of<std::complex<float>>({2, 1}, {{1, 2}, {3, -4}}));
    CHECK(json_text(record) == R"({
  "result": [
    [
      [6.0, 6.0]
    ],
    [
      [6.0, 7.5]
    ]
  ],
  "total": 25.5,
  "pair": [
    [1, 2],
    [],
    {}
  ],
  "none": [[], []],
  "z": [
    [[1.0, 2.0]],
    [[3.0, -4.0]]
  ]
})");
    CHECK(json_text(record, compact) ==
          R"({"result": [[[6.0, 6.0]], [[6.0, 7.5]]], "total": 25.5, "pair": [[1, 2], [], {}], "none": [[], []], "z": [[[1.0, 2.0]], [[3.0, -4.0]]]})");
    CHECK(json_text(Array(DType::f32, {0, 3})) == "[]");
    CHECK(json_text(Array(DType::f32, {2, 0, 3}), compact) == "[[], []]");
    CHECK(json_text(array_of<bool>({2}, {true, false})) == "[true, false]");
    CHECK(json_text(array_of<KeyWords>({}, {{7, 9}})) == "[7, 9]");
}

TEST_CASE("strided views print their own elements") {
    const Array array = array_of<std::int32_t>({2, 3}, {1, 2, 3, 4, 5, 6});
    CHECK(json_text(array.with_view({DType::i32, array.view().data, {3, 2}, {1, 3}}), compact) == "[[1, 4], [2, 5], [3, 6]]");
    CHECK(json_text(array.with_view({DType::i32, array.view().data + 8, {3}, {-1}}), compact) == "[3, 2, 1]");
    CHECK(json_text(array.with_view({DType::i32, array.view().data, {2, 2}, {0, 0}}), compact) == "[[1, 1], [1, 1]]");
}

TEST_CASE("NaN and the infinities follow the policy") {
    const float infinity = std::numeric_limits<float>::infinity(), nan = std::numeric_limits<float>::quiet_NaN();
    const Tree tree = array_of<float>({4}, {1, nan, infinity, -infinity});
    CHECK(json_text(tree) == R"([1.0, "NaN", "Infinity", "-Infinity"])");
    CHECK(json_text(tree, {Layout::lines, NanPolicy::null}) == "[1.0, null, null, null]");
    CHECK(json_text(tree, {Layout::lines, NanPolicy::literal}) == "[1.0, NaN, Infinity, -Infinity]");
    const Tree record = Tree::Record{{"a", array_of<float>({1}, {1})}, {"y", Tree::Tuple{tree, array_of<std::complex<double>>({2, 1}, {{1, 0}, {0, nan}})}}};
    std::string out;
    const auto write = [&](const Tree& what) {
        return message_of([&] { write_json(what, {Layout::lines, NanPolicy::error}, [&](std::string_view piece) { out += piece; }); });
    };
    CHECK(write(record) == "E650 `$.y[0][1]` is NaN, and `--nan error` lets none out | help: `--nan string`, `--nan null` and `--nan literal` print it");
    CHECK(out.empty());
    CHECK(write(Tree(array_of<std::complex<double>>({2, 1}, {{1, 0}, {0, nan}}))).starts_with("E650 `$[1][0]` is [0.0, NaN]"));
    CHECK(write(Tree(array_of<float>({1}, {1}))) == "no error");
    CHECK(out == "[1.0]\n");
}

TEST_CASE("strings are escaped") {
    CHECK(json_string("a\"\\\n\t\x01é😀") == "\"a\\\"\\\\\\n\\t\\u0001é😀\"");
    CHECK(json_string("a\xffz") == "\"a\xEF\xBF\xBDz\"");
    CHECK(*parse_json(json_string(std::string("\0\x1f\x7f/\r", 5)), "t").text() == std::string("\0\x1f\x7f/\r", 5));
}

TEST_CASE("what is printed reads back to the same bits in every dtype") {
    Random random(5);
    const DType all[] = {DType::boolean, DType::i8,  DType::i16, DType::i32, DType::i64, DType::u8,   DType::u16,
                         DType::u32,     DType::u64, DType::f32, DType::f64, DType::c64, DType::c128, DType::key};
    for (const DType dtype : all) {
        Array array(dtype, {7, 3, 11});
        visit_dtype(dtype, [&]<class T>(TypeTag<T>) {
            for (std::int64_t i = 0; i < array.size(); ++i) {
                std::uint64_t words[2] = {random.next(), random.next()};
                if constexpr (std::is_same_v<T, bool>) array.as<T>()[i] = words[0] % 2 == 0;
                else std::memcpy(array.as<T>() + i, words, sizeof(T));
            }
        });
        for (const JsonStyle style : {JsonStyle{}, compact, JsonStyle{Layout::lines, NanPolicy::literal}}) {
            CHECK(same_bits(array, to_array(parse_json(json_text(array, style), "t"), {dtype, 3}, "$")));
        }
    }
}

TEST_CASE("a large output leaves in pieces and is whole") {
    Array array(DType::f64, {300, 1000});
    for (std::int64_t i = 0; i < array.size(); ++i) array.as<double>()[i] = static_cast<double>(i) / 7;
    std::string whole;
    std::size_t pieces = 0, largest = 0;
    write_json(array, {}, [&](std::string_view piece) {
        whole += piece;
        largest = std::max(largest, piece.size());
        ++pieces;
    });
    CHECK(pieces > 10);
    CHECK(largest <= (std::size_t{256} << 10U));
    CHECK(whole == json_text(array) + "\n");
    CHECK(same_bits(array, to_array(parse_json(whole, "t"), {}, "$")));
    const std::string name(1000000, 'x');
    CHECK(json_text(Tree::Record{{name, Array::scalar(1.0)}}, compact) == "{\"" + name + "\": 1.0}");
}
