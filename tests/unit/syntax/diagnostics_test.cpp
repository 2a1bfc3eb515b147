#include "syntax/diagnostics.hpp"

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>
#include <random>

using namespace vmaprun;

namespace {

// The span of the `occurrence`-th place (from 0) where `words` stand.
Span find(const Source& source, std::string_view words, int occurrence = 0) {
    std::size_t at = source.text().find(words);
    for (; occurrence > 0; --occurrence) at = source.text().find(words, at + 1);
    REQUIRE(at != std::string_view::npos);
    return {&source, static_cast<std::uint32_t>(at), static_cast<std::uint32_t>(at + words.size())};
}

Span characters(const Source& source, std::size_t begin, std::size_t end) {
    return {&source, static_cast<std::uint32_t>(begin), static_cast<std::uint32_t>(end)};
}

std::string plain(const Diagnostic& diagnostic) { return render(diagnostic, {}); }

std::string repeated(std::string_view text, int count) {
    std::string all;
    for (int i = 0; i < count; ++i) all += text;
    return all;
}

} // namespace

TEST_CASE("two sizes that disagree are shown with the call first and then both places that set the size") {
    const Source source("seed.vm", "fn matmul_add(x: float[m, k], y: float[k, n]) = x @ y + 1\n\n\n\n\n\n\n\n"
                                   "let r = map(forward, ((d1, d2), (d2, d3)))\n");
    const Diagnostic diagnostic = error("E301", "axis `k` is 4 in one argument and 2 in another")
                                      .at(find(source, "(d2, d3)"), "pair 1 calls forward(x = f32[5, 4], y = f32[2, 5])")
                                      .label(characters(source, 26, 27), "first `k` = 4, axis 1 of `x`")
                                      .label(characters(source, 38, 39), "then `k` = 2, axis 0 of `y`")
                                      .help("the pair fits the other way round: (d3, d2) gives x = f32[2, 5], y = f32[5, 4]");
    CHECK(plain(diagnostic) == R"(error[E301]: axis `k` is 4 in one argument and 2 in another
 --> seed.vm:9:33
  |
9 | let r = map(forward, ((d1, d2), (d2, d3)))
  |                                 ^^^^^^^^ pair 1 calls forward(x = f32[5, 4], y = f32[2, 5])
  :
1 | fn matmul_add(x: float[m, k], y: float[k, n]) = x @ y + 1
  |                           -           - then `k` = 2, axis 0 of `y`
  |                           first `k` = 4, axis 1 of `x`
  |
  = help: the pair fits the other way round: (d3, d2) gives x = f32[2, 5], y = f32[5, 4]
)");
}

TEST_CASE("a diagnostic without a place has a header and remarks alone") {
    CHECK(plain(error("E501", "input `x` is missing").note("it is a f32[3]").help("give it with -i x=FILE\nor with --set x=JSON")) ==
          "error[E501]: input `x` is missing\n"
          "  = note: it is a f32[3]\n"
          "  = help: give it with -i x=FILE\n"
          "          or with --set x=JSON\n");
    Diagnostic warning;
    warning.severity = Severity::warning;
    warning.message = "no code";
    CHECK(plain(warning) == "warning: no code\n");
}

TEST_CASE("three labels on one line hang below their marks, joined by lines") {
    const Source source("s.vm", "f(a, b, c)");
    CHECK(plain(error("E201", "m").at(find(source, "a"), "first").label(find(source, "b"), "second").label(find(source, "c"), "third")) ==
          "error[E201]: m\n"
          " --> s.vm:1:3\n"
          "  |\n"
          "1 | f(a, b, c)\n"
          "  |   ^  -  - third\n"
          "  |   |  second\n"
          "  |   first\n");
}

TEST_CASE("a mark inside another mark keeps its own text") {
    const Source source("s.vm", "sum(x + 1)");
    CHECK(plain(error("E201", "m").at(find(source, "x"), "this").label(find(source, "sum(x + 1)"), "all of it")) ==
          "error[E201]: m\n"
          " --> s.vm:1:5\n"
          "  |\n"
          "1 | sum(x + 1)\n"
          "  | ----^----- all of it\n"
          "  |     this\n");
}

TEST_CASE("neighbouring lines need no gap and line numbers are aligned") {
    const Source source("s.vm", repeated("let a = 1\n", 8) + "let b = 2\nlet c = 3\nlet d = 4\n");
    CHECK(plain(error("E201", "m").at(find(source, "b"), "").label(find(source, "c"), "next").label(find(source, "a", 1), "far")) ==
          "error[E201]: m\n"
          "  --> s.vm:9:5\n"
          "   |\n"
          " 9 | let b = 2\n"
          "   |     ^\n"
          "10 | let c = 3\n"
          "   |     - next\n"
          "   :\n"
          " 2 | let a = 1\n"
          "   |     - far\n");
}

TEST_CASE("a label in another file names that file") {
    const Source source("a.vm", "import \"b.vm\"\nf(1)\n"), other("b.vm", "\nfn f() = 1\n");
    CHECK(plain(error("E201", "m").at(find(source, "1"), "one too many").label(find(other, "f()"), "takes none").note("n")) ==
          "error[E201]: m\n"
          " --> a.vm:2:3\n"
          "  |\n"
          "2 | f(1)\n"
          "  |   ^ one too many\n"
          "  |\n"
          " ::: b.vm:2:4\n"
          "  |\n"
          "2 | fn f() = 1\n"
          "  |    --- takes none\n"
          "  |\n"
          "  = note: n\n");
}

TEST_CASE("marks stand below wide, combined and tabbed text") {
    const Source source("s.vm", "\tlet 数据 = e\u0301 + y");
    CHECK(plain(error("E201", "m").at(find(source, "y"), "").label(find(source, "数据"), "")) ==
          "error[E201]: m\n"
          " --> s.vm:1:16\n"
          "  |\n"
          "1 |     let 数据 = e\u0301 + y\n"
          "  |         ----       ^\n");
}

TEST_CASE("a span of several lines is marked up to the end of its first line") {
    const Source source("s.vm", "let x = f(1,  \r\n  2)\n");
    CHECK(plain(error("E201", "m").at(find(source, "f(1,  \r\n  2)"), "here")) ==
          "error[E201]: m\n"
          " --> s.vm:1:9\n"
          "  |\n"
          "1 | let x = f(1,\n"
          "  |         ^^^^ here\n");
}

TEST_CASE("the end of a file, an empty line and a newline can be marked") {
    const Source source("s.vm", "x +\n");
    const std::string at_end = "error[E101]: m\n"
                               " --> s.vm:2:1\n"
                               "  |\n"
                               "2 |\n"
                               "  | ^ here\n";
    CHECK(plain(error("E101", "m").at(characters(source, 4, 4), "here")) == at_end);
    CHECK(plain(error("E101", "m").at(characters(source, 4, 5), "here")) == at_end);
    CHECK(plain(error("E101", "m").at(characters(source, 3, 4), "here")) == "error[E101]: m\n"
                                                                           " --> s.vm:1:4\n"
                                                                           "  |\n"
                                                                           "1 | x +\n"
                                                                           "  |    ^ here\n");
    const Source empty("e.vm", "");
    CHECK(plain(error("E101", "m").at(characters(empty, 0, 0))) == "error[E101]: m\n --> e.vm:1:1\n  |\n1 |\n  | ^\n");
}

TEST_CASE("what could harm a terminal is shown by stand-ins") {
    const Source source("a\nb.vm", std::string("x\033[2J\u202Ey\xff\0z", 12));
    CHECK(plain(error("E101", "tab\there \a").at(find(source, "z"), "\x7f")) ==
          "error[E101]: tab    here \u2407\n"
          " --> a\u240Ab.vm:1:10\n"
          "  |\n"
          "1 | x\u241B[2J\uFFFDy\uFFFD\u2400z\n"
          "  |          ^ \u2421\n");
}

TEST_CASE("a very long line is clipped around each mark") {
    const Source source("s.vm", repeated("0123456789", 50) + "X" + repeated("0123456789", 50) + "Y");
    const std::string text = plain(error("E101", "m").at(find(source, "X"), "x").label(find(source, "Y"), "y"));
    const std::string before = repeated("0123456789", 4);
    CHECK(text == "error[E101]: m\n"
                  " --> s.vm:1:501\n"
                  "  |\n"
                  "1 | …" + before + "X" + repeated("0123456789", 9) + "01234567…\n"
                  "  | " + std::string(41, ' ') + "^ x\n"
                  "  :\n"
                  "1 | …" + before + "Y\n"
                  "  | " + std::string(41, ' ') + "- y\n");
    const std::string wide = plain(error("E101", "m").at(characters(source, 0, 1001), "all"));
    CHECK(wide.find(std::string(139, '^') + " all\n") != std::string::npos);
    CHECK(wide.find(std::string(140, '^')) == std::string::npos);
}

TEST_CASE("colours are ANSI escapes around the same text") {
    const Source source("s.vm", "f(a, b)");
    const Diagnostic diagnostic = error("E201", "m").at(find(source, "a"), "this").label(find(source, "b"), "that").help("h");
    const std::string colored = render(diagnostic, {.color = true});
    CHECK(colored.starts_with("\033[1;31merror[E201]\033[0m\033[1m: m\033[0m\n"));
    CHECK(colored.find("\033[1;31m^\033[0m  \033[1;36m-\033[0m\033[1;36m that\033[0m\n") != std::string::npos);
    std::string stripped;
    for (std::size_t i = 0; i < colored.size(); ++i) {
        if (colored[i] == '\033') i = colored.find('m', i);
        else stripped += colored[i];
    }
    CHECK(stripped == plain(diagnostic));
}

TEST_CASE("the JSON form is one line with every field, whatever bytes it holds") {
    const Source source("s.vm", "let é = f(\n  1)\n");
    const std::string text = render_json(error("E201", "bad \xff\n").at(find(source, "f(\n  1)"), "here").label(find(source, "é"), "name").note("n").help("h"));
    CHECK(std::count(text.begin(), text.end(), '\n') == 1);
    const nlohmann::json json = nlohmann::json::parse(text);
    CHECK(json["severity"] == "error");
    CHECK(json["code"] == "E201");
    CHECK(json["message"] == "bad \uFFFD\n");
    CHECK(json["file"] == "s.vm");
    CHECK(json["line"] == 1);
    CHECK(json["column"] == 9);
    CHECK(json["end_line"] == 2);
    CHECK(json["end_column"] == 5);
    CHECK(json["label"] == "here");
    CHECK(json["labels"][0]["column"] == 5);
    CHECK(json["labels"][0]["text"] == "name");
    CHECK(json["notes"][0] == "n");
    CHECK(json["helps"][0] == "h");
    CHECK(nlohmann::json::parse(render_json(error("E501", "m")))["line"].is_null());
}

TEST_CASE("any spans of any bytes are shown, with marks as long as their text") {
    std::mt19937 random(7);
    const std::string pieces[] = {"a", "\n", "\t", "数", "\xff", "\x1b", "e\u0301", " ", "\r\n", std::string(150, 'z')};
    for (int round = 0; round < 500; ++round) {
        std::string text;
        for (auto count = random() % 30; count > 0; --count) text += pieces[random() % std::size(pieces)];
        const Source source("s.vm", text);
        const auto place = [&] {
            const std::size_t begin = random() % (text.size() + 1);
            return characters(source, begin, begin + random() % (text.size() - begin + 2));
        };
        const std::string shown = plain(error("E101", "m").at(place(), "p").label(place(), "q").label(place(), "r"));
        CHECK(shown.find('^') != std::string::npos);
        CHECK(shown.find_first_of("\t\r\x1b\xff") == std::string::npos);
        CHECK(shown.ends_with('\n'));
    }
}
