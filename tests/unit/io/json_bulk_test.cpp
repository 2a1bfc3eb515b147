#include "io/json_bulk.hpp"

#include <charconv>
#include <cmath>
#include <cstdio>
#include <limits>

#include "io/json_number.hpp"
#include "io/json_reader.hpp"
#include "io/json_writer.hpp"
#include "io/plain_number.hpp"
#include "support.hpp"

using namespace vmaprun;
using namespace vmaprun::testing;

namespace {

JsonValue parsed(const std::string& text, int threads) { return parse_json(FileBytes("test", text), 1, threads); }

// A list long enough for the fast way, written by a function of the index; `columns` 0: one axis.
template <class F> std::string list_of(std::int64_t count, std::int64_t columns, F&& number) {
    std::string text = columns > 0 ? "[[" : "[";
    for (std::int64_t i = 0; i < count; ++i) {
        if (i > 0) text += columns > 0 && i % columns == 0 ? "],\n [" : ", ";
        text += number(i);
    }
    return text + (columns > 0 ? "]]" : "]");
}

std::string padding() { return list_of(30000, 0, [](std::int64_t i) { return std::to_string(i) + ".25"; }); }

template <class T, class Bits> T float_of(Bits bits) {
    T value = 0;
    std::memcpy(&value, &bits, sizeof value);
    return value;
}

} // namespace

TEST_CASE("plain numbers are read as from_chars reads them, bit for bit") {
    Random random(11);
    std::size_t plain = 0;
    for (int i = 0; i < 2000000; ++i) {
        char text[96] = {};
        const auto fraction = static_cast<int>(random.below(17));
        if (i % 3 == 0) std::snprintf(text, sizeof text - 64, "%s%lu.%0*lu", i % 2 == 0 ? "-" : "", random.below(1000), std::max(fraction, 1), random.next() % 100000);
        else if (i % 3 == 1) std::snprintf(text, sizeof text - 64, "%.*g", 1 + fraction, std::ldexp(static_cast<double>(random.next() >> 11U), static_cast<int>(random.below(40)) - 63));
        else std::snprintf(text, sizeof text - 64, "%ld", static_cast<std::int64_t>(random.next()) >> random.below(63));
        double value = 0, expected = 0;
        JsonContent content;
        const char* end = read_plain_number(text, value, content);
        if (end == nullptr) continue;
        ++plain;
        const auto known = std::from_chars(text, text + std::strlen(text), expected);
        if (end != known.ptr || std::memcmp(&value, &expected, 8) != 0) FAIL(text);
        JsonContent scanned;
        ScalarFault fault;
        if (scan_scalar(text, scanned, fault) != end || scanned.integer != content.integer || scanned.negative != content.negative || scanned.fraction != content.fraction) FAIL(text);
    }
    CHECK(plain > 1000000);
}

TEST_CASE("large lists give the shape, the content and the numbers that small ones give, on any number of threads") {
    Random random(5);
    const auto number = [&](std::int64_t i) {
        char text[40];
        std::snprintf(text, sizeof text, "%.*g", static_cast<int>(1 + random.below(17)), std::ldexp(static_cast<double>(random.next()) - 9e18, static_cast<int>(i % 120) - 120));
        return std::string(text);
    };
    const std::int64_t count = 120000;
    const std::string text = list_of(count, 40, number);
    for (const int threads : {1, 2, 5}) {
        const JsonValue value = parsed(text, threads);
        REQUIRE(value.numbers() != nullptr);
        REQUIRE(value.numbers()->read != nullptr);
        CHECK(value.numbers()->shape == Shape{3000, 40});
        const Array wide = to_array(value, {DType::f64, 2}, "$"), narrow = to_array(value, {DType::f32, 2}, "$");
        const char* at = text.data();
        for (std::int64_t i = 0; i < count; ++i) {
            at = next_scalar(at);
            const char* again = at;
            double f64 = 0;
            float f32 = 0;
            REQUIRE(read_scalar(at, f64) == Conversion::done);
            REQUIRE(read_scalar(again, f32) == Conversion::done);
            if (std::memcmp(&f64, wide.as<double>() + i, 8) != 0 || std::memcmp(&f32, narrow.as<float>() + i, 4) != 0) FAIL("number ", i);
        }
    }
}

TEST_CASE("floats half way between two neighbours are rounded from their text") {
    // 1 + 2^-24 is half way; the digits that follow decide, and a double does not hold them.
    const std::string above = "1.000000059604644775390625000000000000000001", below = "1.000000059604644775390624999999999999999999";
    const std::string text = list_of(30000, 0, [&](std::int64_t i) { return i % 3 == 0 ? above : i % 3 == 1 ? below : std::string("1.5"); });
    const Array array = to_array(parsed(text, 2), {DType::f32, 1}, "$");
    CHECK(array.as<float>()[0] == std::nextafter(1.0F, 2.0F));
    CHECK(array.as<float>()[1] == 1.0F);
    CHECK(array.as<float>()[29997] == std::nextafter(1.0F, 2.0F));
}

TEST_CASE("large lists of whole numbers keep every digit") {
    const auto number = [](std::int64_t i) { return i == 77777 ? std::string("9007199254740993") : i == 50 ? std::string("-0") : std::to_string(i - 40000); };
    const std::string text = list_of(100000, 0, number);
    const Array array = to_array(parsed(text, 2), {}, "$");
    REQUIRE(array.dtype() == DType::i64);
    CHECK(array.as<std::int64_t>()[77777] == 9007199254740993);
    CHECK(array.as<std::int64_t>()[50] == 0);
    CHECK(array.as<std::int64_t>()[99999] == 59999);
    CHECK(message_of([&] { to_array(parsed(text, 2), {DType::i16, 1}, "$"); }) == "E506 `$[0]` is -40000, which i16 does not hold | note: i16 holds -32768 to 32767");
    CHECK(message_of([&] { to_array(parsed(text, 2), {DType::u64, 1}, "$"); }) ==
          "E506 `$[0]` is -40000, which u64 does not hold | note: u64 holds 0 to 18446744073709551615");
}

TEST_CASE("the first number of a large list that the dtype can't hold is named") {
    const auto number = [](std::int64_t i) { return i == 60000 ? std::string("0.5") : i == 90000 ? std::string("1e400") : std::to_string(i); };
    const std::string text = list_of(100000, 100, number);
    CHECK(message_of([&] { to_array(parsed(text, 2), {DType::i64, 2}, "$"); }) ==
          "E506 `$[600][0]` is 0.5, and i64 takes whole numbers only | help: declare a float type, or round the data");
    CHECK(message_of([&] { to_array(parsed(text, 2), {DType::f64, 2}, "$"); }) ==
          "E506 `$[900][0]` is 1e400, which f64 does not hold | note: f64 ends at 1.7976931348623157e+308");
}

TEST_CASE("large lists hold specials and booleans as small ones do") {
    const std::string text = list_of(50000, 0, [](std::int64_t i) { return std::string(i % 4 == 0 ? "null" : i % 4 == 1 ? "1.5" : i % 4 == 2 ? "\"-Infinity\"" : "NaN"); });
    const Array array = to_array(parsed("[1.0," + text.substr(1), 2), {}, "$");
    REQUIRE(array.dtype() == DType::f64);
    CHECK(std::isnan(array.as<double>()[1]));
    CHECK(array.as<double>()[2] == 1.5);
    CHECK(array.as<double>()[3] == -std::numeric_limits<double>::infinity());
    const std::string flags = list_of(50000, 0, [](std::int64_t i) { return std::string(i % 3 == 0 ? "true" : i % 3 == 1 ? "false" : "1"); });
    const Array truths = to_array(parsed("[0," + flags.substr(1), 2), {DType::boolean, 1}, "$");
    CHECK(!truths.as<bool>()[0]);
    CHECK(truths.as<bool>()[1]);
    CHECK(!truths.as<bool>()[2]);
    CHECK(truths.as<bool>()[3]);
}

TEST_CASE("every nesting of a large rectangle is found, and what is none is left to the parser") {
    const auto cube = [](std::int64_t a, std::int64_t b, std::int64_t c) {
        std::string text = "[";
        for (std::int64_t i = 0; i < a; ++i) {
            text += i > 0 ? " , [" : "[";
            for (std::int64_t j = 0; j < b; ++j) text += (j > 0 ? "\n,\t" : "") + list_of(c, 0, [&](std::int64_t k) { return std::to_string((i * b + j) * c + k); });
            text += "]";
        }
        return text + "]";
    };
    for (const auto& [a, b, c] : {std::tuple{3, 500, 40}, {60000, 1, 1}, {1, 1, 60000}, {1, 60000, 1}, {300, 20, 10}, {2, 2, 15000}}) {
        const JsonValue value = parsed("{\"x\": " + cube(a, b, c) + ", \"y\": " + padding() + "}", 2);
        const JsonNumbers* numbers = value.member("x")->numbers();
        REQUIRE(numbers != nullptr);
        CHECK(numbers->read != nullptr);
        CHECK(numbers->shape == Shape{a, b, c});
        const Array array = to_array(*value.member("x"), {DType::i32, 3}, "$.x");
        for (std::int64_t i = 0; i < array.size(); ++i) {
            if (array.as<std::int32_t>()[i] != i) FAIL(a, " ", b, " ", c, " ", i);
        }
        CHECK(value.member("y")->numbers()->shape == Shape{30000});
    }
    const std::string row = padding();
    CHECK(message_of([&] { to_array(parsed("[" + row + ", " + row.substr(0, row.size() - 1) + ", 1]]", 2), {}, "$"); }).starts_with("E504 `$[1]` has 30001 elements, `$[0]` has 30000"));
    CHECK(message_of([&] { parsed(row.substr(0, row.size() - 1) + ", 1.2.3]", 2); }) == "E502 test, line 1, column 288895: expected `,` or `]`, found `.`");
    CHECK(message_of([&] { parsed(row.substr(0, row.size() - 1) + ", 01]", 2); }) == "E502 test, line 1, column 288893: expected no digit after a leading 0, found `1`");
    CHECK(message_of([&] { parsed(row.substr(0, row.size() - 1), 2); }) == "E502 test, line 1, column 288890: expected `,` or `]`, found the end of the document");
    CHECK(message_of([&] { parsed(row + " 7", 2); }).starts_with("E502 test, line 1, column 288892: the document goes on after its value"));
    CHECK(parsed("[" + row + ", [\"a\"]]", 2).list() != nullptr);
    CHECK(parsed("[" + row + ", []]", 2).list() != nullptr);
    CHECK(parsed("[[], " + row + "]", 2).list() != nullptr);
}

TEST_CASE("a document of many small lists costs no more than one of a large one") {
    std::string text = "[";
    for (int i = 0; i < 40000; ++i) text += std::string(i > 0 ? "," : "") + "{\"x\": [" + std::to_string(i) + ", 2, 3]}";
    CHECK(parsed(text + "]", 2).list()->size() == 40000);
}

TEST_CASE("large tensors print the same text on any number of threads") {
    Random random(9);
    for (const Shape& shape : {Shape{200000}, Shape{50000, 4}, Shape{10, 100, 200}, Shape{1, 3, 70000}, Shape{70000, 1, 2}}) {
        Array array(DType::f32, shape);
        for (std::int64_t i = 0; i < array.size(); ++i) array.as<float>()[i] = float_of<float>(static_cast<std::uint32_t>(random.next()));
        Tree::Record record;
        record.emplace_back("x", array);
        record.emplace_back("t", array.with_view({DType::f32, array.view().data, {shape.back(), array.size() / shape.back()}, {1, shape.back()}}));
        for (const Layout layout : {Layout::lines, Layout::compact}) {
            const std::string one = json_text(record, {layout, NanPolicy::string, 1});
            CHECK(one == json_text(record, {layout, NanPolicy::string, 2}));
            CHECK(one == json_text(record, {layout, NanPolicy::string, 5}));
        }
    }
}

TEST_CASE("a sink that refuses ends a large output with its own error") {
    const Array array = Array::zeros(DType::f64, {500000});
    int taken = 0;
    CHECK(message_of([&] { write_json(array, {Layout::lines, NanPolicy::string, 3}, [&](std::string_view) {
        if (++taken == 3) throw UserError(error("E520", "the disk is full"));
    }); }) == "E520 the disk is full");
    CHECK(taken == 3);
}
