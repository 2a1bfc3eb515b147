// The tree of a parsed script. Plain data: every node has the span of its text, and nothing here knows a builtin.
// Invariant after a parse without errors: no pointer marked "never null" is null; the height of a tree is at most
// max_tree_height, so walks may recurse.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "base/source.hpp"

namespace vmaprun::ast {

inline constexpr int max_tree_height = 400;

struct Expr;
using ExprPtr = std::unique_ptr<Expr>; // never null unless said

struct Name {
    std::string text;
    Span span;
};

// A pattern: a name, `_`, or a tuple of patterns.
struct Pattern {
    enum class Form { name, ignore, tuple } form = Form::name;
    std::string name;
    std::vector<Pattern> items;
    Span span;
};

// ---- types -----------------------------------------------------------------------------------------------------------

struct Dim {
    enum class Form { rest, any, expression } form = Form::any; // `...`, `_`, `2*n`
    ExprPtr expression;                                         // null unless Form::expression
    Span span;
};

struct Type;
using TypePtr = std::unique_ptr<Type>;

struct TypeField {
    Name name;
    TypePtr type;
};

struct Type {
    enum class Form { word, tuple, record } form = Form::word;
    Name word;                     // "f32", "float", or the name of a `type` item
    bool has_dims = false;         // `f32[...]`: brackets were written
    std::vector<Dim> dims;
    std::vector<TypePtr> items;    // tuple
    std::vector<TypeField> fields; // record
    Span span;
};

// ---- expressions -----------------------------------------------------------------------------------------------------

enum class UnaryOp { negate, plus, invert, logical_not };
enum class BinaryOp {
    add, subtract, multiply, divide, floor_divide, remainder, matmul, power,
    bit_and, bit_or, shift_left, shift_right,
    equal, not_equal, less, less_equal, greater, greater_equal,
    logical_and, logical_or
};
std::string_view text_of(UnaryOp op);
std::string_view text_of(BinaryOp op);

struct Argument {
    std::optional<Name> keyword;
    ExprPtr value;
};

struct Param {
    Pattern pattern;
    TypePtr type;          // may be null
    ExprPtr default_value; // may be null
    Span span;
};

// A statement of a block: `let` (pattern, type may be null) or a lone expression.
struct Statement {
    bool is_let = false;
    Pattern pattern;
    TypePtr type;
    ExprPtr value;
    Span span;
};

struct Block {
    std::vector<Statement> statements; // never empty; the last is an expression
    Span span;
};

struct Number {
    bool is_float = false;
    bool overflows = false;      // an integer literal beyond u64
    std::uint64_t integer = 0;   // exact, when not is_float
    double real = 0;             // correctly rounded, when is_float
};
struct String { std::string value; };
struct Identifier { std::string name; };
struct Boolean { bool value; };
struct None {};
struct Unary { UnaryOp op; ExprPtr operand; Span op_span; };
struct Binary { BinaryOp op; ExprPtr left, right; Span op_span; };
struct Cast { ExprPtr operand; Name type; };                // x as f32
struct Range { ExprPtr first, last; };                      // a .. b
struct Call { ExprPtr callee; std::vector<Argument> arguments; };
struct Pipe { ExprPtr value, stage; };                      // value |> stage; the stage may be a Call
struct Member { ExprPtr object; Name name; };
struct IndexItem {
    enum class Form { expression, slice, rest } form = Form::expression;
    ExprPtr value;            // expression
    ExprPtr start, stop, step; // slice; each may be null
    Span span;
};
struct Index { ExprPtr object; std::vector<IndexItem> items; };
struct Tuple { std::vector<ExprPtr> items; };               // (a, b), (a,), (); parentheses alone leave no node
struct List { std::vector<ExprPtr> items; };
struct Generator { Pattern pattern; ExprPtr sequence; };
struct Comprehension { ExprPtr body; std::vector<Generator> generators; }; // one or two
struct RecordField {
    enum class Form { value, shorthand, spread } form = Form::value; // `a: e`, `a`, `..e`
    Name name;     // not for spread
    ExprPtr value; // for shorthand an Identifier
};
struct Record { std::vector<RecordField> fields; };
struct BlockExpr { Block block; };
struct If { ExprPtr condition; Block then_block; ExprPtr otherwise; }; // otherwise: a BlockExpr or another If
struct Loop {
    Pattern pattern; // the carry
    ExprPtr init;
    ExprPtr condition; // while; null for the counted form
    ExprPtr limit;     // may be null; only with while
    std::optional<Pattern> counter; // for PATTERN in sequence
    ExprPtr sequence;  // null for while
    Block body;
};
struct Lambda { std::vector<Param> params; ExprPtr body; };

struct Expr {
    Span span;
    std::variant<Number, String, Identifier, Boolean, None, Unary, Binary, Cast, Range, Call, Pipe, Member, Index, Tuple, List,
                 Comprehension, Record, BlockExpr, If, Loop, Lambda>
        node;
    bool parenthesized = false; // written in parentheses of its own (the formatter keeps them; `|> (f(x))` differs from `|> f(x)`)
    int height = 1;             // of the tree that this is the root of; the parser keeps it at most max_tree_height
};

// ---- items -----------------------------------------------------------------------------------------------------------

struct Decorator {
    Name name;
    bool has_arguments = false;
    std::vector<Argument> arguments;
    Span span;
};

struct Import { std::string path; Span path_span; std::optional<Name> alias; };
struct TypeItem { Name name; TypePtr type; };
struct Input { Name name; TypePtr type; ExprPtr default_value; };         // type and default may be null
struct Output { std::optional<Name> name; ExprPtr value; };               // output [name =] value
struct Test { std::string name; Span name_span; Block block; bool is_bench = false; };
struct Context { std::vector<Argument> arguments; };
struct Function {
    std::vector<Decorator> decorators; // in written order
    Name name;
    std::vector<Param> params;
    TypePtr result; // may be null
    ExprPtr body;   // a block body is a BlockExpr
    Span signature; // from `fn` to before the body
};

struct Item {
    Span span;
    std::string doc; // the text of the `##` lines right above (or trailing on the first line), joined by newlines
    std::variant<Import, TypeItem, Input, Output, Test, Context, Function, Statement> node;
};

struct Script {
    const Source* source = nullptr;
    std::vector<Item> items;
};

} // namespace vmaprun::ast
