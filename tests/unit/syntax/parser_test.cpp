#include <doctest/doctest.h>

#include "support.hpp"

using namespace vmaprun;
using namespace vmaprun::testing;

TEST_CASE("operators bind as the grammar says, loosest to tightest") {
    CHECK(parsed("a or b and not c == d & e << f .. g + h * i as f32") == "(or a (and b (not (== c (& d (<< e (.. f (+ g (* h (as i f32))))))))))");
    CHECK(parsed("a * b + c .. d >> e | f < g and h or i") == "(or (and (< (| (>> (.. (+ (* a b) c) d) e) f) g) h) i)");
    CHECK(parsed("not not a == b and c") == "(and (not (not (== a b))) c)");
    CHECK(parsed("a and not b or c") == "(or (and a (not b)) c)");
}

TEST_CASE("operators of one level group to the left") {
    CHECK(parsed("a - b + c") == "(+ (- a b) c)");
    CHECK(parsed("a / b // c % d @ e * f") == "(* (@ (% (// (/ a b) c) d) e) f)");
    CHECK(parsed("a & b | c & d") == "(& (| (& a b) c) d)");
    CHECK(parsed("a << b >> c") == "(>> (<< a b) c)");
    CHECK(parsed("a |> f |> g(1)") == "(|> (|> a f) (call g 1))");
    CHECK(parsed("x as f32 as i8") == "(as (as x f32) i8)");
}

TEST_CASE("a power groups to the right and binds tighter than a sign before it") {
    CHECK(parsed("-x ** 2") == "(- (** x 2))");
    CHECK(parsed("a ** b ** c") == "(** a (** b c))");
    CHECK(parsed("2 ** -x ** ~y") == "(** 2 (- (** x (~ y))))");
    CHECK(parsed("-x as f32") == "(as (- x) f32)");
    CHECK(parsed("a.b[0](c) ** 2") == "(** (call (index (. a b) 0) c) 2)");
    CHECK(parsed("- + ~x") == "(- (+ (~ x)))");
}

TEST_CASE("a pipe takes everything before it, and its stage is a call or a name") {
    CHECK(parsed("a or b |> f") == "(|> (or a b) f)");
    CHECK(parsed("x |> vmap(f)(y) |> (t => t + 1)") == "(|> (|> x (call (call vmap f) y)) (=> t: (+ t 1)))");
    CHECK(parsed("x => x |> f") == "(=> x: (|> x f))");
}

TEST_CASE("functions take a name, or patterns in parentheses") {
    CHECK(parsed("x => y => x + y") == "(=> x: (=> y: (+ x y)))");
    CHECK(parsed("() => 1") == "(=>: 1)");
    CHECK(parsed("((a, _), b) => a") == "(=> (a _) b: a)");
    CHECK(parsed("f((a, b), (c) => c)") == "(call f (tuple a b) (=> c: c))");
}

TEST_CASE("tuples, lists and parentheses") {
    CHECK(parsed("((), (a,), (a), (a, b), (a, b,))") == "(tuple (tuple) (tuple a) a (tuple a b) (tuple a b))");
    CHECK(parsed("[[], [1, 2], [x * y for x in a for (y, _) in 0 .. 3]]") == "(list (list) (list 1 2) (list (* x y) for x in a for (y _) in (.. 0 3)))");
}

TEST_CASE("indices") {
    CHECK(parsed("x[i, ..., :, a:, :b, ::s, a:b:s, none]") == "(index x i ... -:-:- a:-:- -:b:- -:-:s a:b:s none)");
    CHECK(parsed("x.at[0].set(v).T") == "(. (call (. (index (. x at) 0) set) v) T)");
}

TEST_CASE("arguments: positional, by keyword, and a last comma") {
    CHECK(parsed("f(a, b=c, limit=2,)") == "(call f a b=c limit=2)");
    CHECK(parsed("f()") == "(call f)");
    CHECK(parsed("f(a == b)") == "(call f (== a b))");
}

TEST_CASE("a brace opens a record before a field, a spread or its end, else a block") {
    CHECK(parsed("{}") == "(record)");
    CHECK(parsed("{ t }") == "(record t)");
    CHECK(parsed("{\n  t\n}") == "(record t)");
    CHECK(parsed("{a: 1}") == "(record a:1)");
    CHECK(parsed("{a, b}") == "(record a b)");
    CHECK(parsed("{..r, w: c}") == "(record ..r w:c)");
    CHECK(parsed("t => { t }") == "(=> t: (record t))");
    CHECK(parsed("t => { t + 1 }") == "(=> t: {(+ t 1)})");
    CHECK(parsed("{ let y = 1; y }") == "{let y = 1; y}");
    CHECK(parsed("{ f(x) }") == "{(call f x)}");
    CHECK(parsed("{ true }") == "{true}");
    CHECK(parsed("output {g, norms: n}") == "output (record g norms:n)");
}

TEST_CASE("where a block is asked for, a brace opens one whatever follows") {
    CHECK(parsed("if c { t } else { u }") == "(if c {t} {u})");
    CHECK(parsed("fn f(x) { x }") == "fn f ( x) = {x}");
    CHECK(parsed("fn f(x) = { x }") == "fn f ( x) = (record x)");
    CHECK(parsed("if {a: 1}.a > 0 { 1 } else if d { 2 } else { 3 }") == "(if (> (. (record a:1) a) 0) {1} (if d {2} {3}))");
    CHECK(parsed("test \"t\" { x }") == "test t {x}");
}

TEST_CASE("loops") {
    CHECK(parsed("loop (a, b) = (1, 2) while a < 10 limit 100 { (b, a) }") == "(loop (a b) = (tuple 1 2) while (< a 10) limit 100 {(tuple b a)})");
    CHECK(parsed("loop c = 0 while c < limit { c + 1 }") == "(loop c = 0 while (< c limit) {(+ c 1)})");
    CHECK(parsed("loop c = 0 for _ in 0 .. n { c }") == "(loop c = 0 for _ in (.. 0 n) {c})");
}

TEST_CASE("a newline ends a statement") {
    CHECK(parsed("a\n-b") == "a\n(- b)");
    CHECK(parsed("f\n(x)") == "f\nx");
    CHECK(parsed("f\n[x]") == "f\n(list x)");
    CHECK(parsed("{ let f = g\n(x, y) }") == "{let f = g; (tuple x y)}");
    CHECK(parsed("\n\n a ;\n\n; b\n") == "a\nb");
    CHECK(parsed("(x => {\n let y = x\n y })") == "(=> x: {let y = x; y})");
}

TEST_CASE("a newline does not end a statement inside parentheses and brackets") {
    CHECK(parsed("f(a\n-b\n,\nc\n)") == "(call f (- a b) c)");
    CHECK(parsed("[f\n(x)\n]") == "(list (call f x))");
    CHECK(parsed("x[a\n+ b]") == "(index x (+ a b))");
    CHECK(parsed("(a\n => a)") == "(=> a: a)");
}

TEST_CASE("a newline does not end a statement after a token that cannot end an expression, or before a pipe, else or dot") {
    CHECK(parsed("a +\n b") == "(+ a b)");
    CHECK(parsed("let x =\n\n 1") == "let x = 1");
    CHECK(parsed("x =>\n x") == "(=> x: x)");
    CHECK(parsed("a # note\n  # note\n  |> f\n  .T") == "(|> a (. f T))");
    CHECK(parsed("if c { 1 }\nelse { 2 }") == "(if c {1} {2})");
    CHECK(parsed("output\n x") == "output x");
}

TEST_CASE("newlines are free inside a record and after an attribute") {
    CHECK(parsed("{a\n: 1\n + 2\n, b\n}") == "(record a:(+ 1 2) b)");
    CHECK(parsed("type P = {\n w: f32\n, b: f32\n}") == "type P = {w:f32 b:f32}");
    CHECK(parsed("@vmap\n\n@t(2, k=3)\n\nfn f(x) = x") == "@vmap @t( 2 k=3) fn f ( x) = x");
    CHECK(parsed("{a: {let y = 1\n y}\n, b}") == "(record a:{let y = 1; y} b)");
}

TEST_CASE("items") {
    CHECK(parsed("import \"nn.vm\"; import \"a.vm\" as b") == "import nn.vm\nimport a.vm as b");
    CHECK(parsed("input x; input y: f32[n, 2*n, _, ...]; input z = 3; input w: (f32, {a: any}) = q") ==
          "input x\ninput y: f32[n (* 2 n) _ ...]\ninput z = 3\ninput w: (f32 {a:any}) = q");
    CHECK(parsed("fn f(x: float[k], (a, b): (f32, f32) = c, _ = 2) -> f32 = x") == "fn f ( x: float[k] (a b): (f32 f32)=c _=2) -> f32 = x");
    CHECK(parsed("context(mode=eager)") == "context mode=eager");
    CHECK(parsed("output y\noutput z = y + 1\noutput y == 2") == "output y\noutput z = (+ y 1)\noutput (== y 2)");
    CHECK(parsed("let (a, (b, _)): (f32, any) = q") == "let (a (b _)): (f32 any) = q");
    CHECK(parsed("bench \"b\" { x }") == "bench b {x}");
    CHECK(parsed("") == "");
    CHECK(parsed("\n# nothing\n") == "");
}

TEST_CASE("words of items are names wherever the grammar has no item") {
    CHECK(parsed("let type = input + test * bench; type\ninput\ntest") == "let type = (+ input (* test bench))\ntype\ninput\ntest");
    CHECK(parsed("let limit = 2; limit(output, context=3)") == "let limit = 2\n(call limit output context=3)");
    CHECK(parsed("input(x)") == "(call input x)");
    CHECK(parsed("fn test(x) = x.output") == "fn test ( x) = (. x output)");
}

TEST_CASE("reserved words") {
    for (const auto* word : {"import", "as", "let", "fn", "if", "else", "loop", "while", "for", "in", "and", "or", "not", "true", "false", "none"}) CHECK(is_reserved(word));
    for (const auto* word : {"type", "input", "output", "test", "bench", "context", "limit", "pi", "x", ""}) CHECK_FALSE(is_reserved(word));
}

TEST_CASE("an item's doc is the doc lines right above it and behind its first line") {
    const Source source("t.vm", "## far\n\n## one\n# no doc\n##  two\n@vmap\nfn f(x) = x\nlet y = 1 ## three\nlet z = 2\n");
    const auto items = parse(source).script.items;
    REQUIRE(items.size() == 3);
    CHECK(items[0].doc == "one\n two");
    CHECK(items[1].doc == "three");
    CHECK(items[2].doc == "");
}

TEST_CASE("spans are exact") {
    const Source source("t.vm", "let y = -( a + b ) * f (1, k=2)[0].T as f32\n@t(1)\nfn g(x) -> f32 = x;");
    const auto script = parse(source).script;
    const auto& let = std::get<ast::Statement>(script.items.at(0).node);
    CHECK(script.items[0].span.text() == "let y = -( a + b ) * f (1, k=2)[0].T as f32");
    CHECK(let.pattern.span.text() == "y");
    const auto& product = std::get<ast::Binary>(let.value->node);
    CHECK(product.op_span.text() == "*");
    CHECK(product.left->span.text() == "-( a + b )");
    const auto& sum = *std::get<ast::Unary>(product.left->node).operand;
    CHECK(sum.span.text() == "( a + b )");
    CHECK(sum.parenthesized);
    CHECK_FALSE(product.left->parenthesized);
    const auto& member = *std::get<ast::Cast>(product.right->node).operand;
    CHECK(member.span.text() == "f (1, k=2)[0].T");
    const auto& index = *std::get<ast::Member>(member.node).object;
    CHECK(std::get<ast::Index>(index.node).object->span.text() == "f (1, k=2)");
    CHECK(script.items[1].span.text() == "@t(1)\nfn g(x) -> f32 = x");
    const auto& function = std::get<ast::Function>(script.items[1].node);
    CHECK(function.signature.text() == "fn g(x) -> f32");
    CHECK(function.decorators.at(0).span.text() == "@t(1)");
}

TEST_CASE("the height of a tree is kept in its root") {
    const Source source("t.vm", "f(a + (b), [x => { let y = -x; y }])");
    const auto script = parse(source).script;
    CHECK(std::get<ast::Statement>(script.items.at(0).node).value->height == 6);
}
