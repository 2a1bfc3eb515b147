#include "io/json_reader.hpp"

#include <charconv>
#include <cmath>
#include <limits>

#include "io/json_writer.hpp"
#include "support.hpp"

using namespace vmaprun;
using namespace vmaprun::testing;

namespace {

Array read(std::string_view text, Declared declared = {}) { return to_array(parse_json(text, "t"), declared, "$"); }
Array read_as(std::string_view text, DType dtype, int rank = -1) { return read(text, {dtype, rank}); }
std::string parse_message(std::string_view text) {
    return message_of([&] { parse_json(text, "t"); });
}
std::string read_message(std::string_view text, Declared declared = {}) {
    return message_of([&] { read(text, declared); });
}
std::string read_message_as(std::string_view text, DType dtype) { return read_message(text, {dtype}); }

template <class T> T one(std::string_view text) {
    const Array array = read_as(text, dtype_of<T>());
    REQUIRE(array.rank() == 0);
    return *array.as<T>();
}

} // namespace

TEST_CASE("without a declared type whole numbers are i64, u64 where one needs it, and a point makes floats") {
    CHECK(read("[1, 2, -3]").dtype() == DType::i64);
    CHECK(read("[1, 2.0]").dtype() == DType::f64);
    CHECK(read("[1, 1e3]").dtype() == DType::f64);
    CHECK(read("[1, null]").dtype() == DType::f64);
    CHECK(read("[\"NaN\", 1]").dtype() == DType::f64);
    CHECK(read("[true, false]").dtype() == DType::boolean);
    CHECK(read("[true, 2]").dtype() == DType::i64);
    CHECK(values_of<std::int64_t>(read("[true, 2]")) == std::vector<std::int64_t>{1, 2});
    CHECK(read("[]").dtype() == DType::f64);
    CHECK(values_of<std::uint64_t>(read("[18446744073709551615, 0]")) == std::vector<std::uint64_t>{18446744073709551615U, 0});
    CHECK(read("9223372036854775807").dtype() == DType::i64);
    CHECK(read("-9223372036854775808").dtype() == DType::i64);
    CHECK(read("9223372036854775808").dtype() == DType::u64);
    CHECK(read("[18446744073709551616, 0.5]").dtype() == DType::f64);
    CHECK(read_message("[[1, 18446744073709551616]]") ==
          "E506 `$[0][1]` is 18446744073709551616, which neither i64 nor u64 holds | help: declare the input as f64 to read it rounded");
    CHECK(read_message("[-1, 18446744073709551615]") ==
          "E506 `$[1]` is 18446744073709551615, which i64 does not hold, and u64 holds no negative number beside it | help: declare the input as "
          "f64 to read it rounded");
}

TEST_CASE("rectangular nested lists have a shape, empty ones too") {
    CHECK(read("3").shape() == Shape{});
    CHECK(read("[[1,2,3],[4,5,6]]").shape() == Shape{2, 3});
    CHECK(read(" [ [ [ 1 ] ] , [ [ 2 ] ] ] ").shape() == Shape{2, 1, 1});
    CHECK(read("[[],[]]").shape() == Shape{2, 0});
    CHECK(read("[]", {DType::f32, 2}).shape() == Shape{0, 0});
    CHECK(read("[]", {DType::f32, 2, {-1, 3}}).shape() == Shape{0, 3});
    CHECK(read("[[], []]", {DType::f32, 3, {-1, -1, 4}}).shape() == Shape{2, 0, 4});
    CHECK(values_of<std::int64_t>(read("[[1,2,3],[4,5,6]]")) == std::vector<std::int64_t>{1, 2, 3, 4, 5, 6});
}

TEST_CASE("null and the special words are floats") {
    const auto values = values_of<double>(read("[null, NaN, \"NaN\", Infinity, \"Infinity\", -Infinity, \"-Infinity\", -0.0]"));
    for (int i = 0; i < 3; ++i) CHECK(std::isnan(values[static_cast<std::size_t>(i)]));
    CHECK(values[3] == std::numeric_limits<double>::infinity());
    CHECK(values[4] == std::numeric_limits<double>::infinity());
    CHECK(values[5] == -std::numeric_limits<double>::infinity());
    CHECK(values[6] == -std::numeric_limits<double>::infinity());
    CHECK(std::signbit(values[7]));
    CHECK(std::signbit(one<double>("-0")));
}

TEST_CASE("declared integers take whole numbers however they are written, exactly") {
    CHECK(one<std::int32_t>("1.0") == 1);
    CHECK(one<std::int32_t>("1e3") == 1000);
    CHECK(one<std::int32_t>("1.25e2") == 125);
    CHECK(one<std::int32_t>("12500e-2") == 125);
    CHECK(one<std::int32_t>("-0.0") == 0);
    CHECK(one<std::int32_t>("0e999999999999999999999") == 0);
    CHECK(one<std::int64_t>("9007199254740993.0") == 9007199254740993);
    CHECK(one<std::int64_t>("-9223372036854775808") == std::numeric_limits<std::int64_t>::min());
    CHECK(one<std::uint64_t>("1.8446744073709551615e19") == 18446744073709551615U);
    CHECK(one<std::uint8_t>("2.55E+2") == 255);
    CHECK(one<std::uint8_t>("true") == 1);
    CHECK(one<bool>("1"));
    CHECK(one<bool>("0.0") == false);
    CHECK(one<std::int64_t>("100000000000000000000000000000e-28") == 10);
}

TEST_CASE("a value that the declared dtype does not hold is named with its place") {
    CHECK(read_message_as("[[1, 2], [3, 300]]", DType::u8) == "E506 `$[1][1]` is 300, which u8 does not hold | note: u8 holds 0 to 255");
    CHECK(read_message_as("[-1]", DType::u64) == "E506 `$[0]` is -1, which u64 does not hold | note: u64 holds 0 to 18446744073709551615");
    CHECK(read_message_as("9223372036854775808", DType::i64) ==
          "E506 `$` is 9223372036854775808, which i64 does not hold | note: i64 holds -9223372036854775808 to 9223372036854775807");
    CHECK(read_message_as("[1.5]", DType::i32) ==
          "E506 `$[0]` is 1.5, and i32 takes whole numbers only | help: declare a float type, or round the data");
    CHECK(read_message_as("[1, null]", DType::i32) ==
          "E506 `$[1]` is null, which i32 does not hold | note: NaN, null and the infinities are values of the float types alone");
    CHECK(read_message_as("2", DType::boolean) == "E506 `$` is 2, which bool does not hold | note: bool holds true and false, 1 and 0");
    CHECK(read_message_as("1e999999999999", DType::i64) ==
          "E506 `$` is 1e999999999999, which i64 does not hold | note: i64 holds -9223372036854775808 to 9223372036854775807");
    CHECK(read_message_as("1e-999999999999", DType::i64).starts_with("E506 `$` is 1e-999999999999, and i64 takes whole numbers only"));
    CHECK(read_message("[1e400]") == "E506 `$[0]` is 1e400, which f64 does not hold | note: f64 ends at 1.7976931348623157e+308");
    CHECK(read_message_as("[1, -1e39]", DType::f32) == "E506 `$[1]` is -1e39, which f32 does not hold | note: f32 ends at 3.4028235e+38");
    CHECK(read_message_as("[[1, 2], [3, 1e39]]", DType::c64) == "E506 `$[1][1]` is 1e39, which c64 does not hold | note: f32 ends at 3.4028235e+38");
}

TEST_CASE("f32 is rounded once, from the text") {
    // Half way between two floats and a little more: by way of f64 it would round down.
    CHECK(one<float>("1.00000005960464477539062500001") == std::nextafterf(1.0F, 2.0F));
    CHECK(one<float>("1.000000059604644775390625") == 1.0F);
    CHECK(one<float>("16777217.0000000000000001") == 16777218.0F);
    CHECK(one<float>("16777217") == 16777216.0F);
    CHECK(one<float>("1e-46") == 0.0F);
    CHECK(one<float>("1.4e-45") == std::numeric_limits<float>::denorm_min());
    CHECK(one<float>("3.4028235e38") == std::numeric_limits<float>::max());
    CHECK(one<double>("5e-324") == std::numeric_limits<double>::denorm_min());
    CHECK(one<double>("1e-400") == 0.0);
}

TEST_CASE("random decimals read as std::from_chars reads them") {
    Random random(7);
    for (int i = 0; i < 200000; ++i) {
        std::string text = random.below(2) == 0 ? "-" : "";
        text += std::to_string(random.next() >> random.below(64));
        if (random.below(3) > 0) text += "." + std::to_string(random.next() >> random.below(64));
        if (random.below(3) == 0) text += "e" + std::to_string(static_cast<int>(random.below(60)) - 30);
        float narrow = 0;
        double wide = 0;
        std::from_chars(text.data(), text.data() + text.size(), narrow);
        std::from_chars(text.data(), text.data() + text.size(), wide);
        const bool fits = read_message_as(text, DType::f32) == "no error";
        if (fits && one<float>(text) != narrow) FAIL(text);
        if (one<double>(text) != wide) FAIL(text);
    }
}

TEST_CASE("complex numbers are pairs under a declared complex type, and plain numbers where the rank says so") {
    using C = std::complex<double>;
    CHECK(values_of<C>(read_as("[[1, 2], [3, 4.5]]", DType::c128)) == std::vector<C>{{1, 2}, {3, 4.5}});
    CHECK(read_as("[[1, 2], [3, 4]]", DType::c128).shape() == Shape{2});
    CHECK(read_as("[[1, 2], [3, 4]]", DType::c128, 2).shape() == Shape{2, 2});
    CHECK(read_as("[1, 2]", DType::c64, 0).shape() == Shape{});
    CHECK(values_of<C>(read_as("[1, 2, 3]", DType::c128)) == std::vector<C>{{1, 0}, {2, 0}, {3, 0}});
    CHECK(read_as("[]", DType::c64).shape() == Shape{0});
    const Array keys = read_as("[[1, 4294967295]]", DType::key);
    CHECK(keys.shape() == Shape{1});
    CHECK(*keys.as<KeyWords>() == KeyWords{1, 4294967295U});
    CHECK(read_message_as("[1, 2, 3]", DType::key) == "E505 `$` is no key | help: a key is read from two words, `[high, low]`");
}

TEST_CASE("ragged lists name both places") {
    const std::string rest = " | note: the lists of a tensor have one length along each axis | help: declare the input as a tuple, `(f32[n], f32[m])`, to "
                             "keep parts of different shapes";
    CHECK(read_message("[[1,2,3,4],[1,2,3,4],[1,2,3]]") == "E504 `$[2]` has 3 elements, `$[0]` has 4" + rest);
    CHECK(read_message("[[1,2],[1]]") == "E504 `$[1]` has 1 element, `$[0]` has 2" + rest);
    CHECK(read_message("[[[1,2]],[[3]]]") == "E504 `$[1][0]` has 1 element, `$[0][0]` has 2" + rest);
    CHECK(read_message("[[[1,2],[3]],[[3]]]") == "E504 `$[0][1]` has 1 element, `$[0][0]` has 2" + rest);
    CHECK(read_message("[1,[2]]") == "E504 `$[1]` is a list of 1 element, `$[0]` a number" + rest);
    CHECK(read_message("[[1,2],2]") == "E504 `$[1]` is a number, `$[0]` a list of 2 elements" + rest);
    CHECK(read_message("[[],[1]]") == "E504 `$[1]` has 1 element, `$[0]` has 0" + rest);
    CHECK(read_message("[1,\"a\"]") == "E505 `$[1]` is the string \"a\", where numbers are expected");
    CHECK(read_message("\"a\"") == "E505 `$` is the string \"a\", where numbers are expected");
    CHECK(read_message("[[1],[{}]]") ==
          "E505 `$[1][0]` is an object, where numbers are expected | help: an object is a tensor when it has dtype, shape and data, and nothing else");
}

TEST_CASE("any list can be taken element by element") {
    const auto parts = parse_json("[[1,2],[3],4,\"a\",{\"b\":5}]", "t").items();
    REQUIRE(parts.size() == 5);
    CHECK(to_array(parts[1], {}, "$").shape() == Shape{1});
    CHECK(*parts[3].text() == "a");
    CHECK(parts[4].member("b") != nullptr);
    const auto rows = parse_json(" [ [1, 2] , [3, 4.5] ] ", "t").items();
    REQUIRE(rows.size() == 2);
    CHECK(to_array(rows[0], {}, "$").dtype() == DType::i64);
    CHECK(to_array(rows[1], {}, "$").dtype() == DType::f64);
    CHECK(parse_json("[]", "t").items().empty());
}

TEST_CASE("an object of exactly dtype, shape and data is a tensor") {
    const Array array = read(R"({"dtype": "f32", "shape": [2, 2], "data": [1, 2, 3, 4.5]})");
    CHECK(array.shape() == Shape{2, 2});
    CHECK(values_of<float>(array) == std::vector<float>{1, 2, 3, 4.5F});
    CHECK(read(R"({"data": [], "dtype": "f32", "shape": [0, 3]})").shape() == Shape{0, 3});
    CHECK(read(R"({"dtype": "c64", "shape": [1, 2], "data": [[1, 2], [3, 4]]})").shape() == Shape{1, 2});
    CHECK(read(R"({"dtype": "u8", "shape": [], "data": [7]})").shape() == Shape{});
    CHECK(read_as(R"({"dtype": "f64", "shape": [1], "data": [7]})", DType::i32).dtype() == DType::i32);
    CHECK(read(R"({"dtype": "key", "shape": [2, 1], "data": [[1, 2], [3, 4]]})").shape() == Shape{2, 1});
    CHECK(!is_tensor_envelope(parse_json(R"({"dtype": "u8", "shape": [], "data": [7], "x": 1})", "t")));
}

TEST_CASE("a malformed tensor object is refused") {
    CHECK(read_message(R"({"dtype": "f32", "shape": [2, 2], "data": [1, 2, 3]})") == "E507 `$.data` has 3 elements, but shape [2, 2] has 4");
    CHECK(read_message(R"({"dtype": "f16", "shape": [2], "data": [1, 2]})") ==
          "E507 `$.dtype` is \"f16\", which is no dtype | help: the dtypes are bool, i8 to i64, u8 to u64, f32, f64, c64 and c128");
    CHECK(read_message(R"({"dtype": "f32", "shape": [-2], "data": [1, 2]})") == "E507 `$.shape[0]` is -2, a negative size");
    CHECK(read_message(R"({"dtype": "f32", "shape": 2, "data": [1, 2]})") == "E507 `$.shape` is no list of whole numbers");
    CHECK(read_message(R"({"dtype": "f32", "shape": [4294967296, 4294967296], "data": []})") ==
          "E507 `$.shape` is [4294967296, 4294967296], more elements than 64 bits count");
    CHECK(read_message(R"({"dtype": "f32", "shape": [2, 2], "data": [[1, 2], [3, 4]]})") ==
          "E507 `$.data` is no flat list: the elements stand in it one after another, row by row");
    CHECK(read_message(R"({"dtype": 1, "shape": [1], "data": [1]})") == "E507 `$.dtype` is not a string: expected the name of a dtype, \"f32\"");
    CHECK(read_message(R"({"dtype": "u8", "shape": [1], "data": [256]})") == "E506 `$.data[0]` is 256, which u8 does not hold | note: u8 holds 0 to 255");
    CHECK(read_message_as(R"({"dtype": "c64", "shape": [1], "data": [[1, 2]]})", DType::f32) ==
          "E512 `$` has dtype c64, which does not convert to f32 | help: declare c64 or c128, and take the real part in the script");
}

TEST_CASE("the type of a value is known without converting it") {
    const ScannedType type = tensor_type_of(parse_json("[[1, 2], [3, 1e400]]", "t"), {}, "$");
    CHECK(type.dtype == DType::f64);
    CHECK(type.shape == Shape{2, 2});
    CHECK(tensor_type_of(parse_json("[[1, 2], [3, 4]]", "t"), {DType::c64}, "$").shape == Shape{2});
}

TEST_CASE("an undeclared value is a tree of records, tuples and tensors") {
    const auto tree_of = [](std::string_view text) { return to_tree(parse_json(text, "t"), "$"); };
    const Tree tree = tree_of(R"({"a": [1, 2], "b": {"c": [{"d": 1}, [2, 3]]}, "e": {"dtype": "f32", "shape": [], "data": [1]}})");
    CHECK(json_text(tree, {Layout::compact}) == R"({"a": [1, 2], "b": {"c": [{"d": 1}, [2, 3]]}, "e": 1.0})");
    CHECK(message_of([&] { tree_of("{\"a\": [[1, 2], [1]]}"); }).starts_with("E504 `$.a[1]` has 1 element, `$.a[0]` has 2"));
    CHECK(message_of([&] { tree_of("[[[1, 2], [1]], {}]"); }).starts_with("E504 `$[0][1]` has 1 element, `$[0][0]` has 2"));
    CHECK(message_of([&] { tree_of("{\"a b\": \"x\"}"); }) == "E505 `$[\"a b\"]` is the string \"x\", where numbers are expected");
}

TEST_CASE("what breaks the syntax is said with line and column") {
    CHECK(parse_message("") == "E502 t, line 1, column 1: nothing but white space");
    CHECK(parse_message("[1,\n 2,, 3]") == "E502 t, line 2, column 4: expected a value, found `,`");
    CHECK(parse_message("[1, 2") == "E502 t, line 1, column 6: expected `,` or `]`, found the end of the document" );
    CHECK(parse_message("[1, 2,]") == "E502 t, line 1, column 6: a comma before `]` | help: JSON has no comma after the last element");
    CHECK(parse_message("{\"a\": 1,}") == "E502 t, line 1, column 8: a comma before `}` | help: JSON has no comma after the last element");
    CHECK(parse_message("{a: 1}") == "E502 t, line 1, column 2: expected a name in double quotes, found `a`");
    CHECK(parse_message("{\"é\" 1}") == "E502 t, line 1, column 6: expected `:`, found `1`");
    CHECK(parse_message("{\"a\": 1, \"a\": 2}") == "E503 t, line 1, column 10: the name \"a\" stands twice in one object");
    CHECK(parse_message("1 2") == "E502 t, line 1, column 3: the document goes on after its value | help: a document holds one value");
    CHECK(parse_message(std::string_view("1\0", 2)) == "E502 t, line 1, column 2: the document goes on after its value | help: a document holds one value");
    CHECK(parse_message("01") == "E502 t, line 1, column 2: expected no digit after a leading 0, found `1`");
    CHECK(parse_message("[1.]") == "E502 t, line 1, column 4: expected a digit after the decimal point, found `]`");
    CHECK(parse_message("1e+") == "E502 t, line 1, column 4: expected a digit in the exponent, found the end of the document");
    CHECK(parse_message("-") == "E502 t, line 1, column 2: expected a digit after `-`, found the end of the document");
    CHECK(parse_message("+1") == "E502 t, line 1, column 1: expected a value, found `+` | help: numbers have no `+` in front");
    CHECK(parse_message(".5") == "E502 t, line 1, column 1: expected a value, found `.` | help: write a 0 before the decimal point");
    CHECK(parse_message("[True]") == "E502 t, line 1, column 2: expected a value, found `T` | help: JSON writes true, false and null");
    CHECK(parse_message("'a'") == "E502 t, line 1, column 1: expected a value, found `'` | help: strings stand in double quotes");
    CHECK(parse_message("\"a") == "E502 t, line 1, column 1: a string without its closing quote");
    CHECK(parse_message("\"a\nb\"") == "E502 t, line 1, column 3: a control character in a string | help: write it as an escape, `\\n`");
    CHECK(parse_message("\"\xC0\x80\"") == "E502 t, line 1, column 2: a byte that is not UTF-8 in a string");
    CHECK(parse_message("\"\\x\"") == "E502 t, line 1, column 3: expected one of `\"\\/bfnrtu` after `\\`, found `x`");
    CHECK(parse_message("\"\\ud800\"") == "E502 t, line 1, column 2: half of a surrogate pair");
    CHECK(parse_message("[nullx]") == "E502 t, line 1, column 6: expected `,` or `]`, found `x`");
    CHECK(message_of([] { parse_json(FileBytes("s", "[1"), 41); }) == "E502 s, line 41, column 3: expected `,` or `]`, found the end of the document");
    CHECK(parse_message(std::string(513, '[')) == "E502 t, line 1, column 513: more than 512 nested lists and objects");
    CHECK(parse_message(std::string(512, '[') + std::string(512, ']')) == "no error");
    CHECK(parse_message(std::string(1000000, '[')) == "E502 t, line 1, column 513: more than 512 nested lists and objects");
    std::string objects;
    for (int i = 0; i < 513; ++i) objects += "{\"a\":";
    CHECK(parse_message(objects) == "E502 t, line 1, column 2561: more than 512 nested lists and objects");
}

TEST_CASE("a byte order mark is skipped, and escapes mean what they say") {
    CHECK(read("\xEF\xBB\xBF[1]").shape() == Shape{1});
    CHECK(*parse_json(R"("a\n\"\\\/\u00e9\ud83d\ude00é")", "t").text() == "a\n\"\\/é😀é");
    std::string many = "{";
    for (int i = 0; i < 40; ++i) many += "\"k" + std::to_string(i) + "\": 1, ";
    CHECK(parse_message(many + "\"k17\": 2}").starts_with("E503 "));
    CHECK(parse_message(many + "\"k40\": 2}") == "no error");
}

TEST_CASE("nesting that turns out ragged at every level is scanned in linear time") {
    std::string text = "1";
    for (int i = 0; i < 500; ++i) text = "[[0,0],[0,0]," + text + "]";
    CHECK(parse_json(text, "t").list() != nullptr);
    std::string wide = "[\"a\"";
    for (int i = 0; i < 200000; ++i) wide += ",[1,2]";
    CHECK(parse_json(wide + "]", "t").items().size() == 200001);
}

TEST_CASE("every truncation and 10,000 mutations of a document give a clean error or a value") {
    const std::string valid = R"({"x": [[1, 2.5, null], [-3e2, "NaN", 1e-7]], "y": {"dtype": "i32", "shape": [2, 1], "data": [3, 4]},
 "t": [[1, 2], [3], "é\u00e9", {"k": true}], "c": [[1, 2], [3, 4]], "n": 18446744073709551615, "e": [[], []]})";
    const auto exercise = [](const std::string& text) {
        message_of([&] {
            const JsonValue root = parse_json(text, "t");
            message_of([&] { to_tree(root, "$"); });
            if (root.record() == nullptr) return;
            for (const JsonMember& member : *root.record()) {
                for (const DType dtype : {DType::boolean, DType::i8, DType::u64, DType::f32, DType::f64, DType::c64, DType::key}) {
                    message_of([&] { to_array(member.value, {dtype}, member.name); });
                }
                if (member.value.is_list()) member.value.items();
            }
        });
    };
    CHECK(parse_message(valid) == "no error");
    for (std::size_t length = 0; length < valid.size(); ++length) {
        CHECK(parse_message(valid.substr(0, length)).starts_with("E50"));
        exercise(valid.substr(0, length));
    }
    Random random(1);
    using namespace std::string_view_literals;
    constexpr std::string_view favourites = "[]{},:\"0123456789.eE+-\\u nNtfI\x00\xff\xc3"sv;
    for (int round = 0; round < 10000; ++round) {
        std::string text = valid;
        for (std::size_t edits = 1 + random.below(4); edits > 0; --edits) {
            const std::size_t at = random.below(text.size());
            const char byte = favourites[random.below(favourites.size())];
            switch (random.below(4)) {
            case 0: text[at] = byte; break;
            case 1: text.insert(at, 1, byte); break;
            case 2: text.erase(at, 1 + random.below(5)); break;
            default: text.insert(at, text.substr(random.below(text.size()), random.below(30))); break;
            }
            if (text.empty()) text = "1";
        }
        exercise(text);
    }
}
