#include <doctest/doctest.h>

#include <set>

#include "support.hpp"
#include "syntax/codes.hpp"

using namespace vmaprun;
using namespace vmaprun::testing;

TEST_CASE("an expected thing that is missing is named with what was found") {
    CHECK(errors_of("let = 3") == "1:5 E110 expected a name, found `=` [=]");
    CHECK(errors_of("let x 3") == "1:7 E110 expected `=` after the name, found the number `3` [3]");
    CHECK(errors_of("let f(x) = 3") == "1:6 E110 expected `=` after the name, found `(` [(]; help: a function with a name is defined by `fn f(x) = …`");
    CHECK(errors_of("type P") == "1:7 E110 expected `=` after the name of the type, found the end of the script []");
    CHECK(errors_of("import nn") == "1:8 E110 expected the path of a file in quotes after `import`, found the name `nn` [nn]");
    CHECK(errors_of("input x: 3") == "1:10 E110 expected a type, found the number `3` [3]");
    CHECK(errors_of("input x: f32[]") == "1:14 E110 expected a size, found `]` []]; help: a scalar type has no brackets: `f32`; any rank is `f32[...]`");
    CHECK(errors_of("fn f = 3") == "1:6 E110 expected `(` and the parameters after the name of the function, found `=` [=]");
    CHECK(errors_of("fn f(x) x") == "1:9 E110 expected `=` or `{` before the body of the function, found the name `x` [x]");
    CHECK(errors_of("@foo 3") == "1:6 E110 expected `fn` after the attribute, found the number `3` [3]");
    CHECK(errors_of("context") == "1:8 E110 expected `(` after `context`, found the end of the script []");
    CHECK(errors_of("output") == "1:7 E110 expected an expression, found the end of the script []");
    CHECK(errors_of("f(1 2)") == "1:5 E110 expected `,` or `)` after an argument, found the number `2` [2]");
    CHECK(errors_of("[1 2]") == "1:4 E110 expected `,` or `]`, found the number `2` [2]");
    CHECK(errors_of("{a: 1 b: 2}") == "1:7 E110 expected `,` or `}` after a field, found the name `b` [b]");
    CHECK(errors_of("loop x = 1 { x }") == "1:12 E110 expected `while` or `for` after the first value of the carry, found `{` [{]; help: a record or block that is an argument of its own needs a comma before it");
    CHECK(errors_of("[x for x of y]") == "1:10 E110 expected `in` after the name of the element, found the name `of` [of]");
    CHECK(errors_of(";x") == "1:1 E110 expected an expression, found `;` [;]");
}

TEST_CASE("a missing expression at the end of a line is reported on that line") {
    CHECK(errors_of("let x =\nlet y = 2") == "1:7 E110 expected an expression after `=` [=]");
    CHECK(errors_of("let x = 1 +\nfn f(x) = x") == "1:11 E110 expected an expression after `+` [+]");
}

TEST_CASE("what is written otherwise here gets a help") {
    CHECK(errors_of("for i in 0 .. 3 { i }") == "1:1 E110 expected an expression, found `for` [for]; help: a loop is an expression with a carry: `loop c = 0 for i in 0 .. n { c + i }`");
    CHECK(errors_of("while x { 1 }") == "1:1 E110 expected an expression, found `while` [while]; help: a loop is an expression with a carry: `loop c = 1 while c < n { c * 2 }`");
    CHECK(errors_of("f(let x = 1)") == "1:3 E110 expected an expression, found `let` [let]; help: `let` begins a statement, at the top of the script or in a block");
    CHECK(errors_of("map(fn x = x)") == "1:5 E110 expected an expression, found `fn` [fn]; help: a function inside an expression is written `x => …`");
    CHECK(errors_of("f(*a)") == "1:3 E110 expected an expression, found `*` [*]; help: a tuple that is the only argument is spread by itself: `f(args)`");
    CHECK(errors_of("a == not b") == "1:6 E110 expected an expression, found `not` [not]; help: `not` binds loosely: put `(not …)` in parentheses here");
    CHECK(errors_of("let a = _") == "1:9 E110 expected an expression, found `_` [_]; help: `_` stands where a value gets a name, and in shapes; it has no value itself");
    CHECK(errors_of("f(...)") == "1:3 E110 expected an expression, found `...` [...]; help: `...` stands in an index or a shape");
    CHECK(errors_of("|> f") == "1:1 E110 expected an expression, found `|>` [|>]; help: the value that goes in stands before `|>`");
    CHECK(errors_of("x\n=> 3") == "2:1 E110 expected an expression, found `=>` [=>]; help: the parameters stand before `=>`: `x => …`, `(a, b) => …`, `() => …`");
    CHECK(errors_of("[1, 2,]") == "1:7 E110 expected an expression, found `]` []]; help: no comma stands before this `]`");
    CHECK(errors_of("x[]") == "1:3 E110 expected an index, found `]` []]; help: all of it is `x[:]`, or `x`");
    CHECK(errors_of("t.0") == "1:3 E110 expected a name after `.`, found the number `0` [0]; help: an element of a tuple is `t[0]`");
    CHECK(errors_of("x += 1") == "1:4 E110 expected an expression, found `=` [=]; help: what is bound does not change: bind a new name with `let`");
    CHECK(errors_of("map(x -> x, y)") == "1:7 E110 expected `,` or `)` after an argument, found `->` [->]; help: a function is written `x => …`");
    CHECK(errors_of("f(a: 1)") == "1:4 E110 expected `,` or `)` after an argument, found `:` [:]; help: a keyword argument is written `name=value`, a record `{name: value}`");
    CHECK(errors_of("(x: f32) => x") == "1:3 E110 the parameters of `=>` have no types and no defaults [:]; help: define a `fn` for that");
    CHECK(errors_of("x |> t => t") == "1:8 E119 expected the end of the statement, found `=>` [=>]; help: a function that is part of an expression stands in parentheses: `(x => …)`");
    CHECK(errors_of("[x for x in y if x > 0]") == "1:15 E110 a comprehension has no `if` [if]; help: choose elements with `compress(mask, x, size=n)`, or values with `where`");
    CHECK(errors_of("let y = a if c else b") == "1:11 E119 expected the end of the statement, found `if` [if]; help: a choice is written `if c { a } else { b }`");
}

TEST_CASE("a block that is asked for begins on the same line, in braces") {
    CHECK(errors_of("if c\n{ 1 } else { 2 }") == "1:5 E110 expected `{` after the condition of `if`, found the end of the line []; help: `{` stands on the same line");
    CHECK(errors_of("if c: 1") == "1:5 E110 expected `{` after the condition of `if`, found `:` [:]; help: a block stands in braces: `{ … }`");
    CHECK(errors_of("if c { 1 } else 2") == "1:17 E110 expected `{` after `else`, found the number `2` [2]");
    CHECK(errors_of("test \"t\" x") == "1:10 E110 expected `{` after the name of a test, found the name `x` [x]");
}

TEST_CASE("an unclosed bracket is shown where it was opened") {
    CHECK(errors_of("f(1, 2") == "1:2 E111 this `(` is never closed [(] (opened here)");
    CHECK(errors_of("let x = (1 + 2\nlet y = 3\nlet z = 4 5") == "1:9 E111 this `(` is never closed [(] (opened here); [let] (`)` expected before this)\n"
                                                              "3:11 E119 expected the end of the statement, found the number `5` [5]; help: a newline or `;` stands between two statements");
    CHECK(errors_of("fn f(x) { g([1 }\nlet y = 2") == "1:13 E111 this `[` is never closed [[] (opened here); [}] (`]` expected before this)");
    CHECK(errors_of("fn f(x) {\n  x\n\nfn g(x) = 1") == "1:9 E111 this `{` is never closed [{] (opened here); [fn] (`}` expected before this)");
    CHECK(errors_of("fn f(x { x }") == "1:5 E111 this `(` is never closed [(] (opened here); [{] (`)` expected before this)");
}

TEST_CASE("a closing bracket without an open one") {
    CHECK(errors_of("a ]") == "1:3 E112 `]` closes no bracket []]; help: remove it, or open one before it");
    CHECK(errors_of("(a]") == "1:3 E112 `]` does not close `(` []] (`)` expected); [(] (opened here)");
    CHECK(errors_of("}") == "1:1 E112 `}` closes no bracket [}]; help: remove it, or open one before it");
}

TEST_CASE("a single `=` is told from `==` and from `let`") {
    CHECK(errors_of("x = 3") == "1:3 E113 a name is bound with `let` [=]; help: write `let x = …`; to compare, write `==`");
    CHECK(errors_of("x: f32 = 3") == "1:2 E119 expected the end of the statement, found `:` [:]; help: a name is bound with `let x: type = …`, an input declared with `input x: type`");
    CHECK(errors_of("if x = 3 { 1 } else { 2 }") == "1:6 E113 `=` does not compare [=]; help: write `==` to compare two values");
    CHECK(errors_of("(a = b)") == "1:4 E113 `=` does not compare [=]; help: write `==` to compare two values");
    CHECK(errors_of("f(x)[0] = 3") == "1:9 E113 a tensor does not change [=]; help: one that differs at a position is `x.at[i].set(value)`: give it a name with `let`; to compare, write `==`");
    CHECK(errors_of("f(k=1, a + b = 2)") == "1:14 E113 `=` does not compare [=]; help: write `==` to compare two values");
}

TEST_CASE("comparisons and ranges do not chain") {
    CHECK(errors_of("let x = a < b + 1 <= c") == "1:19 E114 comparisons do not chain [<=] (a second comparison); [<] (the first); help: join two with `and`: `a < b + 1 and b + 1 <= …`");
    CHECK(errors_of("1 .. 2 .. 3") == "1:8 E114 a range has two ends [..] (a second `..`); [..] (the first)");
    CHECK(parsed("(a < b) == c") == "(== (< a b) c)");
}

TEST_CASE("a block ends in an expression") {
    CHECK(errors_of("fn f(x) { }") == "1:9 E115 this block is empty [{ }]; help: a block's value is its last expression; for no value write `()`");
    CHECK(errors_of("{ let y = 1 }") == "1:3 E115 this block ends in a `let`, so it has no value [let y = 1]; help: end it with an expression, such as the name that was bound");
    CHECK(errors_of("{ 1 } { 2 }") == "1:7 E119 expected the end of the statement, found `{` [{]; help: a newline or `;` stands between two statements");
}

TEST_CASE("an if and its else belong together") {
    CHECK(errors_of("fn f(x) { if x { 1 } }") == "1:20 E116 this `if` has no `else` [}]; help: an `if` is an expression, so both branches give a value: `if c { a } else { b }`");
    CHECK(errors_of("else { 1 }") == "1:1 E116 this `else` belongs to no `if` [else]; help: `else` follows the block of its `if`: `if c { a } else { b }`");
    CHECK(errors_of("1 else { 1 }") == "1:3 E116 this `else` belongs to no `if` [else]; help: `else` follows the block of its `if`: `if c { a } else { b }`");
}

TEST_CASE("positional arguments come first") {
    CHECK(errors_of("f(a=1, 2)") == "1:8 E117 a positional argument after a keyword argument [2]; [a] (the keyword argument); help: positional arguments come first; or give this one by its name as well");
}

TEST_CASE("reserved words are no names") {
    CHECK(errors_of("let for = 3") == "1:5 E118 `for` is a reserved word, and no name [for]; help: choose another, such as `for_`");
    CHECK(errors_of("fn f(in) = 3") == "1:6 E118 `in` is a reserved word, and no name [in]; help: choose another, such as `in_`");
    CHECK(errors_of("x.as") == "1:3 E118 `as` is a reserved word, and no name [as]; help: choose another, such as `as_`");
}

TEST_CASE("statements stand apart") {
    CHECK(errors_of("1 2") == "1:3 E119 expected the end of the statement, found the number `2` [2]; help: a newline or `;` stands between two statements");
    CHECK(errors_of("let f = \"a\" x") == "1:13 E119 expected the end of the statement, found the name `x` [x]; help: a newline or `;` stands between two statements");
}

TEST_CASE("items stand at the top of a script") {
    CHECK(errors_of("fn f(x) {\n  fn g(x) = 1\n  y\n}") == "2:3 E121 `fn` stands at the top of a script, not in a block [fn]; help: in a block, give a function a name with `let f = x => …`");
    CHECK(errors_of("fn f(x) { input y: f32; y }") == "1:11 E121 `input` stands at the top of a script, not in a block [input]; help: move it to the top; a `fn` gets what it needs as a parameter");
    CHECK(errors_of("{ let a = 1; output a }") == "1:14 E121 `output` stands at the top of a script, not in a block [output]; help: the last expression of a block is its value");
    CHECK(errors_of("fn f(x) { @vmap\n x }") == "1:11 E121 an attribute stands at the top of a script, not in a block [@]");
}

TEST_CASE("keywords of other languages are recognized") {
    CHECK(errors_of("def f(x): return x") == "1:1 E122 `def` is no keyword [def]; help: a function is written `fn f(x) = …` or `fn f(x) { … }`");
    CHECK(errors_of("function f(x) { x }") == "1:1 E122 `function` is no keyword [function]; help: a function is written `fn f(x) = …` or `fn f(x) { … }`");
    CHECK(errors_of("fn f(x) { return x }") == "1:11 E122 `return` is no keyword [return]; help: the last expression of a block is its value: leave the word out");
    CHECK(errors_of("var x = 1") == "1:1 E122 `var` is no keyword [var]; help: a name is bound with `let`");
    CHECK(errors_of("map(lambda x: x, y)") == "1:5 E122 `lambda` is no keyword [lambda]; help: a function inside an expression is written `x => …`");
    CHECK(errors_of("if c { 1 } elif d { 2 } else { 3 }") == "1:12 E122 `elif` is no keyword [elif]; help: write `else if`");
    CHECK(errors_of("if c then 1") == "1:6 E122 `then` is no keyword [then]; help: the branches of an `if` are blocks: `if c { a } else { b }`");
    CHECK(parsed("let def = 3; def + 1; f(var, return=val)") == "let def = 3\n(+ def 1)\n(call f var return=val)");
}

TEST_CASE("one run finds several errors, each once, inside blocks too") {
    CHECK(errors_of("let a = 1 2\nfn f(x) {\n  let b = )\n  let c = [1 2]\n  c\n}\nlet d = f(,)\noutput d") ==
          "1:11 E119 expected the end of the statement, found the number `2` [2]; help: a newline or `;` stands between two statements\n"
          "3:11 E112 `)` does not close `{` [)] (`}` expected); [{] (opened here)\n"
          "4:14 E110 expected `,` or `]`, found the number `2` [2]\n"
          "7:11 E110 expected an expression, found `,` [,]");
}

TEST_CASE("a run tells at most max_syntax_errors errors") {
    std::string text;
    for (int i = 0; i < 100; ++i) text += "let x = 1 2\n";
    const Source source("t.vm", text);
    CHECK(parse(source).errors.size() == max_syntax_errors);
}

TEST_CASE("nesting of every kind stops at the limit with one error, and what follows is still read") {
    const auto repeat = [](std::string_view part, int times) {
        std::string text;
        for (int i = 0; i < times; ++i) text += part;
        return text;
    };
    constexpr int many = 100'000;
    const std::string deep[] = {
        "1" + repeat("+1", many), repeat("(", many) + "1" + repeat(")", many), repeat("[", many) + repeat("]", many), repeat("-", many) + "1",
        repeat("not ", many) + "a", repeat("x => ", many) + "1", repeat("2**", many) + "1", "x" + repeat("[0]", many), "x" + repeat(".T", many),
        "f" + repeat("()", many), "x" + repeat(" |> f", many), "x" + repeat(" as f32", many), repeat("{a: ", many) + "1" + repeat("}", many),
        repeat("{f(", many) + "1" + repeat(")}", many), repeat("if c {1} else ", many) + "{2}", repeat("(", many) + "a" + repeat(")", many) + " => a",
        repeat("(", many), repeat("{", many)};
    for (const std::string& expression : deep) {
        CAPTURE(expression.substr(0, 20));
        const Source source("t.vm", "let a = " + expression + "\nlet b = 1 2\n");
        const auto errors = parse(source).errors;
        REQUIRE(errors.size() == 2);
        CHECK(errors[0].code == "E120");
        CHECK(errors[0].message == "this is nested more than 400 deep");
        CHECK(errors[1].code == "E119");
    }
    const Source type("t.vm", "input a: " + repeat("(", many) + "f32" + repeat(")", many));
    CHECK(parse(type).errors.at(0).code == "E120");
    const Source wide("t.vm", "f(" + repeat("1, ", many) + "2)");
    CHECK(parse(wide).errors.empty());
    const Source allowed("t.vm", "1" + repeat("+1", ast::max_tree_height - 1));
    CHECK(parse(allowed).errors.empty());
}

TEST_CASE("every code of this layer is explained once, and in order") {
    std::set<std::string_view> codes;
    std::string_view before;
    for (const CodeExplanation& row : syntax_codes()) {
        CHECK(codes.insert(row.code).second);
        CHECK(before < row.code);
        CHECK(row.text.ends_with('\n'));
        before = row.code;
    }
}
