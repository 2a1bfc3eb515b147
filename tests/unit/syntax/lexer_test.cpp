#include <doctest/doctest.h>

#include <random>

#include "support.hpp"

using namespace vmaprun;
using namespace vmaprun::testing;

namespace {

ast::Number number(std::string text) {
    const Source source("t.vm", std::move(text));
    return lex(source).tokens.at(0).number;
}

std::string string(std::string text) {
    const Source source("t.vm", std::move(text));
    return lex(source).tokens.at(0).string;
}

} // namespace

TEST_CASE("whole numbers are exact up to u64, and say when they are larger") {
    CHECK(number("1_000").integer == 1000);
    CHECK(number("0x1f").integer == 31);
    CHECK(number("0xFFFF_ffff_ffff_ffff").integer == 0xFFFFFFFFFFFFFFFFU);
    CHECK(number("18446744073709551615").integer == 18446744073709551615U);
    CHECK_FALSE(number("18446744073709551615").overflows);
    CHECK(number("18446744073709551616").overflows);
    CHECK(number("0x1_0000_0000_0000_0000").overflows);
    CHECK(parsed("0 00") == "1:3 E119 expected the end of the statement, found the number `00` [00]; help: a newline or `;` stands between two statements");
}

TEST_CASE("decimal numbers are correctly rounded f64") {
    CHECK(number("2.5").real == 2.5);
    CHECK(number("1e-3").real == 1e-3);
    CHECK(number("1E+3").real == 1000.0);
    CHECK(number("1_0.2_5e1_0").real == 10.25e10);
    CHECK(number("5e-324").real == 5e-324);
    CHECK(number("1e-400").real == 0.0);
    CHECK(number("0.1").is_float);
    CHECK(number("9007199254740993.0").real == 9007199254740992.0);
}

TEST_CASE("a range after a whole number needs no space") { CHECK(parsed("1..5") == "(.. 1 5)"); }

TEST_CASE("malformed numbers say what is wrong with them") {
    CHECK(errors_of("1.") == "1:1 E107 `1.` is no number [1.]; help: a digit follows the point: `1.0`");
    CHECK(errors_of("let y = 1.T") == "1:9 E107 `1.T` is no number [1.T]; help: a digit follows the point: `1.0`");
    CHECK(errors_of("f(.5)") == "1:3 E107 `.5` is no number [.5]; help: a digit stands before the point: `0.5`");
    CHECK(errors_of("0x") == "1:1 E107 `0x` without digits is no number [0x]; help: hexadecimal digits follow: `0x1f`");
    CHECK(errors_of("0xfg") == "1:1 E107 `0xfg` is no number [0xfg]; help: hexadecimal digits are 0 to 9 and a to f: `0x1f`");
    CHECK(errors_of("1__0") == "1:1 E107 `1__0` is no number [1__0]; help: `_` stands between two digits: `1_000`");
    CHECK(errors_of("1_") == "1:1 E107 `1_` is no number [1_]; help: `_` stands between two digits: `1_000`");
    CHECK(errors_of("1e") == "1:1 E107 `1e` is no number [1e]; help: digits follow the `e`: `1e3`");
    CHECK(errors_of("1e+") == "1:1 E107 `1e+` is no number [1e+]; help: digits follow the exponent's sign: `1e-3`");
    CHECK(errors_of("3x") == "1:1 E107 `3x` is neither a number nor a name [3x]; help: a product is written `3 * x`; a name does not begin with a digit");
    CHECK(errors_of("1e400") == "1:1 E107 `1e400` is beyond the largest f64 [1e400]; help: infinity is written `inf`");
    CHECK(errors_of("010") == "1:1 E107 `010` begins with a 0 [010]; help: a whole number other than 0 begins with another digit; octal is not read");
}

TEST_CASE("strings read their escapes") {
    CHECK(string(R"("a\n\t\"\\b")") == "a\n\t\"\\b");
    CHECK(string(R"("\u{e9}\u{1F600}\u{41}")") == "é😀A");
    CHECK(string("\"数 # no comment\"") == "数 # no comment");
}

TEST_CASE("malformed strings say what is wrong with them") {
    CHECK(errors_of("f(\"abc)\nlet x = 1") == "1:3 E105 this string has no closing quote [\"abc)]; help: a string ends on its line; a line break inside is `\\n`");
    CHECK(errors_of("'abc'") == "1:1 E105 strings stand in double quotes ['abc']; help: write `\"` in place of `'`");
    CHECK(errors_of(R"("a\q\z")") == "1:3 E106 `\\q` is no escape [\\q]; help: escapes are `\\n`, `\\t`, `\\\"`, `\\\\` and `\\u{e9}`; a backslash itself is `\\\\`");
    CHECK(errors_of(R"("\u12")") == "1:2 E106 `\\u` is not followed by a code in braces [\\u]; help: write it like `\\u{e9}`, with the character's hexadecimal code");
    CHECK(errors_of(R"("\u{D800}")") == "1:2 E106 no character has the code of `\\u{D800}` [\\u{D800}]; help: codes go up to 10FFFF, without D800 to DFFF");
    CHECK(errors_of(R"("\u{99999999999}")") == "1:2 E106 no character has the code of `\\u{99999999999}` [\\u{99999999999}]; help: codes go up to 10FFFF, without D800 to DFFF");
}

TEST_CASE("operators of other languages get the one that is meant") {
    CHECK(errors_of("a && b || !c ^ 2") == "1:3 E103 `&&` is no operator [&&]; help: write `and`\n"
                                           "1:8 E103 `||` is no operator [||]; help: write `or`\n"
                                           "1:11 E103 `!` is no operator [!]; help: write `not`\n"
                                           "1:14 E103 `^` is no operator [^]; help: a power is written `**`; exclusive or is `bitwise_xor(a, b)`");
}

TEST_CASE("full-width and typographic characters get their ASCII one") {
    CHECK(errors_of("let r： f32 = f（x，y）") == "1:6 E104 `：` is a full-width character [：]; help: write the ASCII `:`\n"
                                                "1:15 E104 `（` is a full-width character [（]; help: write the ASCII `(`\n"
                                                "1:17 E104 `，` is a full-width character [，]; help: write the ASCII `,`\n"
                                                "1:19 E104 `）` is a full-width character [）]; help: write the ASCII `)`");
    CHECK(errors_of("a − b") == "1:3 E104 `−` is no ASCII character [−]; help: write the ASCII `-`");
    CHECK(errors_of("a +\u00A0b") == "1:4 E104 `\u00A0` is no ASCII character [\u00A0]; help: write a plain space");
}

TEST_CASE("characters that begin nothing are one error a run") {
    CHECK(errors_of("let a = $$$ 1\nlet b = 2 2") == "1:9 E101 unknown character `$` [$$$]\n"
                                                   "2:11 E119 expected the end of the statement, found the number `2` [2]; help: a newline or `;` stands between two statements");
    CHECK(errors_of("1 + \\\n 2") == "1:5 E101 unknown character `\\` [\\]; help: a line goes on by itself inside `(` and `[`, after an operator, and before `|>`");
    CHECK(errors_of("a\x01") == "1:2 E101 unknown control character 0x01 [\x01]");
    CHECK(parsed("let α_1 = größe + 数") == "let α_1 = (+ größe 数)");
}

TEST_CASE("bytes that are no text are one error") {
    using namespace std::string_literals;
    CHECK(errors_of("let x = 1\0\0 2 2 )"s) == "1:10 E102 the script holds a NUL byte [\0]; help: remove it; is this a script?"s);
    CHECK(errors_of("let x = \xC3( )") == "1:9 E102 the script is not valid UTF-8 [\xC3]; help: save it as UTF-8");
    CHECK(errors_of("# \xED\xA0\x80") == "1:3 E102 the script is not valid UTF-8 [\xED]; help: save it as UTF-8");
    CHECK(errors_of(std::string("\xFF\xFEl\0", 4)) == "1:1 E102 the script is UTF-16, not UTF-8 [\xFF\xFE]; help: save it as UTF-8");
}

TEST_CASE("a byte order mark and carriage returns are passed over") { CHECK(parsed("\xEF\xBB\xBFlet x = 1\r\nx\r\n") == "let x = 1\nx"); }

TEST_CASE("comments are kept with their kind and place") {
    const Source source("t.vm", "#!/usr/bin/env vmaprun\n## doc  \nx # note\n### rule\n\"# no\"");
    const auto comments = lex(source).comments;
    REQUIRE(comments.size() == 4);
    CHECK(comments[0].span.text() == "#!/usr/bin/env vmaprun");
    CHECK(comments[1].span.text() == "## doc");
    CHECK((comments[1].is_doc && comments[1].own_line));
    CHECK(comments[2].span.text() == "# note");
    CHECK_FALSE(comments[2].own_line);
    CHECK_FALSE(comments[3].is_doc);
}

TEST_CASE("no bytes make the parser fail, and every error lies in the text") {
    static constexpr std::string_view pieces[] = {"let ", "fn ", "f", "(", ")", "[", "]", "{", "}", "=", "=>", "|>", "..", "...", ",", ":", "\n", ";", "1", "1.", "\"", "x", "if ", "else ",
                                                  "loop ", "while ", "for ", "in ", "output ", "input ", "test ", "@", "-", "not ", "**", "as ", "<", "#", "_", ".", "（", "\xFF", "\\"};
    std::mt19937 random(1);
    for (int run = 0; run < 20000; ++run) {
        std::string text;
        for (unsigned length = static_cast<unsigned>(random()) % 40; length > 0; --length) text += pieces[random() % (std::size(pieces) - (run % 3 == 0 ? 0 : 3))];
        const Source source("t.vm", text);
        const ParseResult result = parse(source);
        CHECK(result.errors.size() <= max_syntax_errors);
        for (const Diagnostic& diagnostic : result.errors) {
            const Span span = diagnostic.primary.span;
            REQUIRE(span.source == &source);
            REQUIRE(span.begin <= span.end);
            REQUIRE(span.end <= text.size());
        }
    }
}
