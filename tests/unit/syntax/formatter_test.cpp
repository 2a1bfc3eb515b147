#include "syntax/formatter.hpp"

#include <doctest/doctest.h>
#include <map>
#include <random>

#include "syntax/lexer.hpp"
#include "syntax/parser.hpp"
#include "tree_text.hpp"

using namespace vmaprun;

namespace {

std::string formatted(const Source& source) {
    const ParseResult parsed = parse(source);
    INFO(source.text());
    REQUIRE_MESSAGE(parsed.errors.empty(), (parsed.errors.empty() ? "" : parsed.errors[0].message));
    return format(parsed.script, parsed.comments);
}

std::string formatted(std::string text) {
    const Source source("s.vm", std::move(text));
    return formatted(source);
}

// Tree and documentation; a block of a lone name gets parentheses, which aren't compared.
std::string tree_of(const Source& source) { return tree_text(parse(source).script); }

std::map<std::string, int> comments_of(const Source& source) {
    std::map<std::string, int> counts;
    for (const Comment& comment : parse(source).comments) {
        std::string_view text = comment.span.text();
        text.remove_prefix(std::min(text.find_first_not_of('#'), text.size()));
        ++counts[std::string(text)];
    }
    return counts;
}

// Formats once and twice; checks that meaning and comments stay, and that the second time changes nothing.
void check_laws(const std::string& text) {
    INFO(text);
    const Source source("s.vm", text);
    const Source once("s.vm", formatted(source));
    INFO(once.text());
    CHECK(tree_of(source) == tree_of(once));
    CHECK(comments_of(source) == comments_of(once));
    CHECK(formatted(once) == once.text());
    CHECK((once.text().empty() || once.text().ends_with('\n')));
    CHECK(once.text().find(" \n") == std::string::npos);
}

const char* const corpus[] = {
    "",
    "\n\n# only a comment",
    "#!/usr/bin/env vmaprun\n## One row times a matrix, plus one.\nfn matmul_add(x: float[k], w: float[k, m]) -> float[m] = x @ w + 1\n\n"
    "input x: f32[batch, k]   # from stdin\ninput w: f32[k, m] = ones((k, m))\nlet y = vmap(matmul_add, in_axes=(0, none))(x, w)\noutput y\n"
    "output total = sum(y)\n\n\n\ntest \"ones give k + 1\" { assert_eq(matmul_add(ones((5,)), ones((5, 4))), full((4,), 6.0)) }\n",
    "@vmapipe(model_parallel=2)\nfn forward(x: float[m, k], y: float[k, n]) = matmul_add(x, y)\nlet pairs = ((x[:2], y), (x[2:], y))\n"
    "output result = pairs |> map(forward) |> stack       # f32[2, 2, 4], all 6.0\noutput slices = unroll(result, axis=-1)\n",
    "import \"nn.vm\" as nn; type P = {w: float[k], b: float}; context(mode=eager, devices=2)",
    "let a = - -x ** -2 * ~ ~y as f32 as f64 + (1 as i32).T\nlet b = not not a and not (b or c)\nlet c = 1_000 + 0x1f - 1e-3 / 0.5 // (2.5) % \"x\\\"y\"",
    "let s = x[1:2, ::3, :, ..., none, a+1:b-1:c, i][t=>t(0)]\n",
    "let (a, (b, _)) : (f32, {x: int[...], y: any[_, 2*n]}) = f(g)\n(a, b)",
    "let f = () => 1; let g = (_) => 2; let h = ((a, b)) => a; let i = (a, b) => b; let j = (a) => a\n",
    "let r = {..r, w: c, d, ..{}}; let e = {}; let t = (); let u = (a,); let v = ((a, b)); let w = (((x)))",
    "let m = [[1, 2], [3, 4]]\nlet n = [\n  [1, 2],\n  [3, 4]]\nlet c = [e(x, y) for x in xs for (y, z) in 0 .. n]\nlet d = [ ]\n",
    "fn f(x) { let y = x\n\n\n y + 1 }\nfn g(x) {\n let y = x; y + 1 }\nfn h(x) = { let y = x; y }\nfn i(t) = {t}\nfn j(t) {t}\nfn k(t) = {t;}\nlet l = t => {t;}\n",
    "let z = if a { 1 } else if b { 2 } else { 3 }\nlet y = if a {\n 1 } else { 2 }\nlet x = if a { 1 }\n else {\n 2 }\n",
    "let q = loop (a, b) = (0, 1) while a < 10 limit 100 { (b, a + b) }\nlet p = loop s = 0 for i in 0 .. n {\n  s + i\n}\n",
    "x |> f |> g(a, k=b)\nlet y = x |> f\n   |> (t => t + 1)   # why\n   # and how\n   |> vmap(g)\n",
    "let y = x |>\n f\nlet z =\n   x ## no doc\n   |> f\n",
    "fn f( # first\n  a, # the a\n  # own line\n\n  b: f32 = 1 # the b\n  # dangling\n) = a\n",
    "let x = f(a, # one\n b # two\n # three\n)\nlet y = f( # nothing\n)\nlet z = (a + # odd\n b)\n",
    "fn f(x) { # opens\n  # own\n  let a = 1 # one\n\n  # two\n  a # three\n  # four\n}  # five\n# six\n\n# seven\n",
    "let x = {\n  # a record\n  a: 1, # one\n\n  b: 2\n  # end\n}\n",
    "fn f(x) { ## documented here\n x\n}\n## above\nfn g(x) = x ## and behind\n\n## alone\n\nlet x =\n  1 ## no doc\n",
    "@a # first\n# between\n@b(k = 1) @c\n\n\nfn f() = 1\n",
    "@a(\n # nothing\n)\nfn f() = 1\n",
    "bench \"b\" { f(1) }; test \"t\" {\n let a = 1; assert_eq(a, 1)\n}",
    "output {g, norms: n}\noutput\n y\noutput a = if x { 1 } else { 2 }\ncontext\n(mode=graph)\n",
    "let type = 1; let input = type + output\nlet k = \"a\\tb\"\n",
    "let x = if c { # then\n 1\n} # after\nelse { 2 }\n",
    "let x = {a: {b: [1, 2, # two\n 3]}}\n",
    "a # x\n; b; # y\nc ## z\n",
    "let long = first_function(argument_number_one, argument_number_two) + second_function(argument_number_three, argument_number_four)\n",
    "let long = aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa + bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb * cccccccccccccccccccccccccccccccccccccccc - d\n",
    "fn a_function_with_a_long_signature(first: float[batch, rows, columns], second: float[batch, columns, rows]) -> float[batch, rows, rows] = first @ second\n",
    "fn a_long_one(first: float[batch, rows, columns], second: float[batch, columns, rows]) -> float[b] = sum(first @ second)\n",
    "let y = vmap(x => { let a = x * 2; let b = a + some_function_with_a_long_name(a, x); a * b + another_function(b) }, in_axes=(0,))(xs)\n",
    "let y = scan(init, xs, (carry, x) => { let next = carry * 2 + x * some_function_with_a_long_name(carry); (next, next + x) })\n",
    "let table = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31]\n",
    "let y = data |> normalise(mean=0.0, deviation=1.0) |> vmap(the_function_that_is_applied) |> the_reduction |> the_last_one\n",
    "let z = [some_function_with_a_long_name(row, column) + another_function(row) for row in the_first_matrix for column in the_second]\n",
    "let s = \"a string that is much longer than the line may be, which nothing can break, so it stays as long as it is written here\"\n",
    "let y = x.at[idx].set(value).at[1].add(2)\n",
    "let 数据 = f(数据数据数据数据数据数据数据数据数据数据, 数据数据数据数据数据数据数据数据数据数据, 数据数据数据数据数据数据)\n",
};

} // namespace

TEST_CASE("formatting keeps tree and comments, and formatting again changes nothing") {
    for (const char* text : corpus) check_laws(text);
}

// Words that are keywords in some places.
const std::string keywords = " type input output test bench context limit ";

TEST_CASE("formatting keeps them wherever lines are broken and comments stand") {
    std::mt19937 random(20241);
    for (const char* text : corpus) {
        const Source source("s.vm", text);
        const Lexed lexed = lex(source);
        const bool shares_lines = source.text().find(';') != std::string_view::npos; // a `##` behind two items documents both
        for (int round = 0; round < 60; ++round) {
            std::string scattered;
            for (const Token& token : lexed.tokens) {
                if (token.kind == TokenKind::end) break;
                const auto dice = random() % 16;
                if (token.starts_line) scattered += dice < 4 ? " # c\n\n\n" : "\n";
                else if (dice == 0) scattered += "\n";
                else if (dice == 1) scattered += " # d\n";
                else if (dice == 2) scattered += "\n\n# e\n";
                else if (dice == 3) scattered += shares_lines ? " # f\n" : " ## f\n";
                else scattered += " ";
                scattered += token.span.text();
                // Long names in every other round, to reach the line's width in many ways.
                const bool keyword = keywords.find(" " + std::string(token.span.text()) + " ") != std::string::npos;
                if (token.kind == TokenKind::name && !keyword && round % 2 == 1) scattered += std::string(random() % 30, 'x');
            }
            const Source candidate("s.vm", scattered);
            if (parse(candidate).errors.empty()) check_laws(scattered);
        }
    }
}

TEST_CASE("spaces, empty lines and comments have one form") {
    CHECK(formatted("\n\nlet   a=-x**2   *y+f ( k = 1,b=2 )# c\n\n\n\n  # own\nlet b = a[1 : 2]as f32..3; b") ==
          "let a = -x**2 * y + f(k=1, b=2)  # c\n\n# own\nlet b = a[1:2] as f32 .. 3\nb\n");
}

TEST_CASE("comments of neighbouring lines stand below each other") {
    CHECK(formatted("let a = 1 # one\nlet bcd = f(2) # two\nlet e = 3\nlet f = 4 # four\n\nlet ghi = 5 # five\n") ==
          "let a = 1       # one\nlet bcd = f(2)  # two\nlet e = 3\nlet f = 4  # four\n\nlet ghi = 5  # five\n");
    CHECK(formatted("let 数 = f(1, # a\n  2000 # b\n) # c\n") == "let 数 = f(\n    1,    # a\n    2000  # b\n)  # c\n");
}

TEST_CASE("a power has spaces where an operand is more than a word") {
    CHECK(formatted("x ** 2 + (a-b)**2 + x.size**-1**f(y)\nfn f(x, axis = -1, y: f32=2) = (x**2)") ==
          "x**2 + (a - b) ** 2 + x.size ** -1 ** f(y)\nfn f(x, axis=-1, y: f32 = 2) = (x**2)\n");
}

TEST_CASE("brackets and blocks that the author broke stay broken, others are joined") {
    CHECK(formatted("let a = [\n[1,2],\n\n\n[3,4]]\nlet b = [[1,2],\n[3,4]]\nfn f(x) {\nlet y = x; y }\nfn g(x) { let y = x\n y }\n") ==
          "let a = [\n    [1, 2],\n\n    [3, 4]\n]\nlet b = [[1, 2], [3, 4]]\nfn f(x) {\n    let y = x\n    y\n}\nfn g(x) { let y = x; y }\n");
}

TEST_CASE("a long line breaks at its brackets, and a last block or list opens in place") {
    CHECK(formatted(corpus[33]) == "let y = vmap(\n"
                                   "    x => {\n"
                                   "        let a = x * 2\n"
                                   "        let b = a + some_function_with_a_long_name(a, x)\n"
                                   "        a * b + another_function(b)\n"
                                   "    },\n"
                                   "    in_axes=(0,)\n"
                                   ")(xs)\n");
    CHECK(formatted(corpus[34]) == "let y = scan(init, xs, (carry, x) => {\n"
                                   "    let next = carry * 2 + x * some_function_with_a_long_name(carry)\n"
                                   "    (next, next + x)\n"
                                   "})\n");
    CHECK(formatted(corpus[36]) == "let y = data\n"
                                   "    |> normalise(mean=0.0, deviation=1.0)\n"
                                   "    |> vmap(the_function_that_is_applied)\n"
                                   "    |> the_reduction\n"
                                   "    |> the_last_one\n");
    CHECK(formatted(corpus[29]) == "let long = first_function(argument_number_one, argument_number_two) +\n"
                                   "    second_function(argument_number_three, argument_number_four)\n");
}

TEST_CASE("the deepest trees and many items are formatted") {
    const auto nested = [](int depth, const std::string& open, const std::string& inner, const std::string& close) {
        std::string text = "let x = ";
        for (int i = 0; i < depth; ++i) text += open;
        text += inner;
        for (int i = 0; i < depth; ++i) text += close;
        return text + "\n";
    };
    check_laws(nested(190, "f(", "a", ")"));
    check_laws(nested(190, "[", "1", "]"));
    check_laws(nested(120, "f(t => { ", "a + 1", " })"));
    check_laws(nested(390, "a + ", "b", ""));
    check_laws(nested(120, "if a { 1 } else { ", "b", " }"));
    std::string items;
    for (int i = 0; i < 3000; ++i) items += "let a" + std::to_string(i) + " = f(1) # c\n";
    check_laws(items);
}

TEST_CASE("lines fit the width wherever brackets allow it") {
    for (const char* text : corpus) {
        const std::string once = formatted(text);
        INFO(once);
        for (std::size_t begin = 0; begin < once.size(); begin = once.find('\n', begin) + 1) {
            const std::string line = once.substr(begin, once.find('\n', begin) - begin);
            CHECK((line.size() <= 100 || line.find("a string that is much longer") != std::string::npos));
        }
    }
}
