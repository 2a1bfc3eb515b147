#include "io/csv.hpp"

#include <cmath>

#include "support.hpp"

using namespace vmaprun;
using namespace vmaprun::testing;

namespace {

CsvTable table_of(std::string_view text, char separator = ',') { return CsvTable(FileBytes("t.csv", text), separator); }

std::string type_of(const JsonValue& value) {
    const ScannedType type = tensor_type_of(value, {}, "$");
    return std::string(name_of(type.dtype)) + shape_text(type.shape);
}
// The dtype and shape that a table arrives as, and its numbers.
std::string type_of(std::string_view text, char separator = ',') { return type_of(table_of(text, separator).numbers()); }
Array array_of_text(std::string_view text, char separator = ',') { return to_array(table_of(text, separator).numbers(), {}, "$"); }
template <class T> std::vector<T> numbers(std::string_view text, char separator = ',') { return values_of<T>(array_of_text(text, separator)); }

std::string table_message(std::string_view text, char separator = ',') {
    return message_of([&] { table_of(text, separator).numbers(); });
}

using Doubles = std::vector<double>;
using Integers = std::vector<std::int64_t>;
using Names = std::vector<std::string>;

} // namespace

TEST_CASE("rows of numbers are a matrix, with columns 0, 1, …") {
    const CsvTable table = table_of("1,2,3\n4,5,6\n");
    CHECK(table.columns() == Names{"0", "1", "2"});
    CHECK(!table.has_header());
    CHECK(table.rows() == 2);
    CHECK(type_of(table.numbers()) == "i64[2, 3]");
    CHECK(numbers<std::int64_t>("1,2,3\n4,5,6\n") == Integers{1, 2, 3, 4, 5, 6});
    CHECK(type_of(table.numbers(1)) == "i64[2]");
    CHECK(values_of<std::int64_t>(to_array(table.numbers(table.column("2")), {}, "$")) == Integers{3, 6});
    CHECK(type_of("1\n2\n") == "i64[2, 1]");
    CHECK(type_of("7") == "i64[1, 1]");
}

TEST_CASE("a first row with a field that is no number is a header") {
    const CsvTable table = table_of("width, name,7\n1.5,2,3\n");
    CHECK(table.columns() == Names{"width", "name", "7"});
    CHECK(table.has_header());
    CHECK(table.rows() == 1);
    CHECK(values_of<double>(to_array(table.numbers(table.column("width")), {}, "$")) == Doubles{1.5});
    CHECK(table_of("nan,NA,true,,Infinity\n").has_header() == false);
    CHECK(table_of("\"1\",\"2\"\n").has_header() == false);
    CHECK(table_of("1,-\n").has_header());
    CHECK(table_of(",a\n0,1\n").columns() == Names{"", "a"});
    CHECK(table_of("x,\"a,b\",\"say \"\"x\"\"\"\n1,2,3\n").columns() == Names{"x", "a,b", "say \"x\""});
}

TEST_CASE("a header without rows gives empty arrays") {
    for (const std::string_view text : {"a,b", "a,b\n", "a,b\r\n\r\n \n"}) {
        const CsvTable table = table_of(text);
        CHECK(table.rows() == 0);
        CHECK(type_of(table.numbers()) == "f64[0, 2]");
        CHECK(type_of(table.numbers(1)) == "f64[0]");
    }
}

TEST_CASE("lines end in LF or CRLF, the last one or not; empty lines and a byte order mark count for nothing") {
    for (const std::string_view text : {"1,2\n3,4\n", "1,2\n3,4", "1,2\r\n3,4\r\n", "1,2\r\n3,4", "\xEF\xBB\xBF" "1,2\n3,4", "\n1,2\n\n \n3,4\n\t\n\r\n", "  1 ,\t2\r\n 3, 4  "}) {
        CHECK(numbers<std::int64_t>(text) == Integers{1, 2, 3, 4});
    }
    CHECK(table_of("\xEF\xBB\xBF" "a,b\n1,2").columns() == Names{"a", "b"});
    CHECK(table_of("\n\r\na,b\n1,2").columns() == Names{"a", "b"});
}

TEST_CASE("fields may stand in quotes") {
    CHECK(numbers<double>("\"1\",\"2.5\"\r\n \"3\" ,\"\"\n").at(1) == 2.5);
    const CsvTable table = table_of("\"a\nb\",\"c\"\"d\"\n1,\"2\"\n\"3\",4\n");
    CHECK(table.columns() == Names{"a\nb", "c\"d"});
    CHECK(values_of<std::int64_t>(to_array(table.numbers(), {}, "$")) == Integers{1, 2, 3, 4});
    CHECK(type_of("\"\"\n\"\"\n") == "f64[2, 1]");
    CHECK(table_message("a\n\"1\n2\"\n") == "E517 `1 2` in line 2, column `a` of `t.csv` is no number");
    CHECK(table_message("a,b\n\"1\n,2\n") == "E517 line 2 of `t.csv` has a quote without its end");
    CHECK(table_message("a,\"b\n\n") == "E517 line 1 of `t.csv` has a quote without its end");
    CHECK(table_message("1,2\n\"1\"2,3\n") == "E517 line 2 of `t.csv` goes on behind a closing quote");
    CHECK(table_message("\"x\ny\",2\n1,\"2\"3\n") == "E517 line 3 of `t.csv` goes on behind a closing quote");
}

TEST_CASE("tables of tabs have spaces and empty fields too") {
    CHECK(numbers<std::int64_t>("1\t2\r\n 3 \t 4\n", '\t') == Integers{1, 2, 3, 4});
    const Doubles missing = numbers<double>("a\tb\n\t\n1\t\n", '\t');
    CHECK(missing.size() == 4);
    CHECK((std::isnan(missing[0]) && std::isnan(missing[1]) && missing[2] == 1 && std::isnan(missing[3])));
}

TEST_CASE("numbers are decimal, with more freedom than JSON has") {
    CHECK(numbers<std::int64_t>("007,+5,-0010,0,-1,00") == Integers{7, 5, -10, 0, -1, 0});
    CHECK(numbers<double>(".5,5.,+.25,-.5,-5.,00.5,1e3,1E+3,1e-3,5.e1,.5e1,+0.0e0") == Doubles{0.5, 5, 0.25, -0.5, -5, 0.5, 1000, 1000, 0.001, 50, 5, 0});
    CHECK(numbers<double>("0.1,1e308,5e-324,123456789012345678901234567890") == Doubles{0.1, 1e308, 5e-324, 123456789012345678901234567890.0});
    CHECK(numbers<double>("inf,-inf,+Infinity,INF,-infinity") == Doubles{INFINITY, -INFINITY, INFINITY, INFINITY, -INFINITY});
    CHECK(std::signbit(numbers<double>("-0.0").at(0)));
    for (const std::string_view word : {"-", "+", ".", "e5", "1e", "1e+", "--1", "+-1", "1.2.3", "1 2", "0x10", "1_000", "1f", ".e1", "-nan", "+true", "infinit", "١"}) {
        CHECK(table_message("a\n" + std::string(word) + "\n").starts_with("E517 `" + std::string(word) + "` in line 2, column `a` of `t.csv` is no number"));
        CHECK(table_of(word).has_header());
    }
}

TEST_CASE("whole numbers keep all of 64 bits") {
    CHECK(numbers<std::int64_t>("9223372036854775807,-9223372036854775808,9007199254740993") == Integers{INT64_MAX, INT64_MIN, 9007199254740993});
    CHECK(numbers<std::uint64_t>("18446744073709551615,+9223372036854775808") == std::vector<std::uint64_t>{UINT64_MAX, std::uint64_t{1} << 63U});
    CHECK(numbers<std::int64_t>("0000000000000000000000000000001") == Integers{1});
    CHECK(message_of([] { array_of_text("18446744073709551616\n"); }) ==
          "E506 `$[0][0]` is 18446744073709551616, which neither i64 nor u64 holds | help: declare the input as f64 to read it rounded");
    const JsonValue wide = table_of("18446744073709551616\n").numbers(0);
    CHECK(values_of<double>(to_array(wide, {DType::f64, 1, {}}, "$")) == Doubles{18446744073709551616.0});
}

TEST_CASE("missing values are NaN, true and false are booleans") {
    const Doubles missing = numbers<double>("1,nan,NaN,NA,na,N/A,n/a,null,NULL,,\"\", \n");
    CHECK(missing.size() == 12);
    CHECK(missing[0] == 1);
    CHECK(std::ranges::count_if(missing, [](double x) { return std::isnan(x); }) == 11);
    CHECK(numbers<bool>("true,False,TRUE") == std::vector<bool>{true, false, true});
    CHECK(type_of(table_of("a,b\n1,true\n2,false\n").numbers(1)) == "bool[2]");
    CHECK(numbers<std::int64_t>("true,2") == Integers{1, 2});
}

TEST_CASE("rows of other lengths than the first are refused, by their line") {
    CHECK(table_message("1,2\n3\n") == "E517 line 2 of `t.csv` has 1 field, and the first row has 2");
    CHECK(table_message("a,b\n\n\"1\n\",2\n3,4,5\n") == "E517 line 5 of `t.csv` has 3 fields, and the header has 2");
    CHECK(table_message("1,2\n3,4,\n") == "E517 line 2 of `t.csv` has 3 fields, and the first row has 2");
    CHECK(table_message("a\n1,2\n") == "E517 line 2 of `t.csv` has 2 fields, and the header has 1");
}

TEST_CASE("files of another separator are told from the two that are read") {
    const std::string help = " | help: the fields of a .csv file are separated by commas, those of a .tsv file by tabs";
    CHECK(table_message("a;b\n1;2\n") == "E517 `1;2` in line 2, column `a;b` of `t.csv` is no number" + help);
    CHECK(table_message("1|2\n3|4\n") == "E517 `3|4` in line 2, column `1|2` of `t.csv` is no number" + help);
    CHECK(table_message("1,2\n3,4\n", '\t') == "E517 `3,4` in line 2, column `1,2` of `t.csv` is no number" + help);
    CHECK(table_message("1;2\n") == "E517 `1;2` is all that `t.csv` has, and is no number" + help);
    CHECK(table_message("a|b|c", '\t') == "E517 `a|b|c` is all that `t.csv` has, and is no number" + help);
    CHECK(table_of("x").rows() == 0);
    CHECK(table_message("a;b\n1,5;2\n") == "E517 line 2 of `t.csv` has 2 fields, and the header has 1" + help);
    CHECK(message_of([] { (void)table_of("a;b\n1;2\n").column("b"); }) == "E517 `t.csv` has no column `b` | note: its column is a;b" + help);
}

TEST_CASE("files that are no tables are refused") {
    CHECK(table_message("") == "E517 `t.csv` has no rows");
    CHECK(table_message("\xEF\xBB\xBF\n \r\n") == "E517 `t.csv` has no rows");
    CHECK(table_message("1,2\r3,4\r") == "E517 `t.csv` has line ends of CR alone, and LF and CRLF are read");
    CHECK(table_message(std::string_view("\xFF\xFE" "1\0,\0002\0", 8)) == "E517 `t.csv` has NUL characters, and a table is text | help: save it as UTF-8, if it is UTF-16");
}

TEST_CASE("words beside numbers are named with their line and column, and how to leave them out") {
    const std::string text = "a,b\n1,2\n3,a word of more than the forty characters that are quoted\n";
    CHECK(table_message(text) == "E517 `a word of more than the forty characters...` in line 3, column `b` of `t.csv` is no number | help: `-i NAME=t.csv:COLUMN` takes one column; a record "
                                 "takes those that it names, `input r: {COLUMN: f64[n]}`");
    const CsvTable table = table_of(text);
    CHECK(values_of<std::int64_t>(to_array(table.numbers(0), {}, "$")) == Integers{1, 3});
    CHECK(message_of([&] { table.numbers(1); }) == "E517 `a word of more than the forty characters...` in line 3, column `b` of `t.csv` is no number");
    CHECK(type_of(table.each_column().at(0).value()) == "i64[2]");
    CHECK(!table.each_column().at(1));
    CHECK(type_of(table_of("a,b").each_column().at(1).value()) == "f64[0]");
    CHECK(table_message("a,a\tb\n\"x\t\x01y\",1\n").starts_with("E517 `x  y` in line 2, column `a` of `t.csv` is no number"));
}

TEST_CASE("columns are found by name") {
    const CsvTable table = table_of("width,height,x,x\n1,2,3,4\n");
    CHECK(table.column("height") == 1);
    CHECK(message_of([&] { (void)table.column("x"); }) == "E517 `t.csv` has 2 columns `x`");
    CHECK(message_of([&] { (void)table.column("heigth"); }) == "E517 `t.csv` has no column `heigth` | help: did you mean `height`?");
    CHECK(message_of([&] { (void)table.column("0"); }) == "E517 `t.csv` has no column `0` | note: its columns are width, height, x and x");
    CHECK(message_of([] { (void)table_of("1,2\n").column("2"); }) == "E517 `t.csv` has no column `2` | note: it has no header: its columns are 0 to 1");
    CHECK(message_of([] { (void)table_of("1\n").column("a"); }) == "E517 `t.csv` has no column `a` | note: it has no header: its column is 0");
    CHECK(message_of([] { (void)table_of("a,b,c,d,e,f,g,h,i,j,k,l,m\n").column("width"); }) == "E517 `t.csv` has no column `width` | help: `vmaprun info` lists its 13 columns");
}

TEST_CASE("a large table is read by several threads, to the same numbers") {
    std::string text = "a,b,c\n";
    Random random(9);
    Doubles expected;
    for (int row = 0; row < 200'000; ++row) {
        for (int column = 0; column < 3; ++column) {
            const auto number = static_cast<std::int64_t>(random.below(2'000'000)) - 1'000'000;
            expected.push_back(static_cast<double>(number) / 4);
            std::string digits = std::to_string(number / 4) + (number % 4 == 0 ? "" : number % 2 == 0 ? ".5" : std::abs(number % 4) == 1 ? ".25" : ".75");
            if (number < 0 && number / 4 == 0) digits = "-" + digits;
            text += digits + (column < 2 ? "," : "\n");
        }
    }
    const CsvTable table(FileBytes("t.csv", text), ',', 3);
    const auto columns = table.each_column();
    REQUIRE((columns.size() == 3 && columns[2]));
    CHECK(values_of<double>(to_array(*columns[2], {DType::f64, 1, {}}, "$")).at(7) == expected[3 * 7 + 2]);
    CHECK(table.rows() == 200'000);
    CHECK(values_of<double>(to_array(table.numbers(), {DType::f64, 2, {}}, "$")) == expected);
}
