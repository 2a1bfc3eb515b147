// What the parser says when it can't go on. Every function here ends in fail(), or finds that its case is not this one.
#include <algorithm>
#include <iterator>

#include "syntax/parser_state.hpp"

namespace vmaprun {
namespace {

struct Hint {
    TokenKind kind;
    std::string_view help;
};

// Tokens that can't begin an expression, and what is usually meant by them.
constexpr Hint expression_hints[] = {
    {TokenKind::for_word, "a loop is an expression with a carry: `loop c = 0 for i in 0 .. n { c + i }`"},
    {TokenKind::while_word, "a loop is an expression with a carry: `loop c = 1 while c < n { c * 2 }`"},
    {TokenKind::let_word, "`let` begins a statement, at the top of the script or in a block"},
    {TokenKind::fn_word, "a function inside an expression is written `x => …`"},
    {TokenKind::star, "a tuple that is the only argument is spread by itself: `f(args)`"},
    {TokenKind::power, "a keyword argument is written `f(name=value)`"},
    {TokenKind::not_word, "`not` binds loosely: put `(not …)` in parentheses here"},
    {TokenKind::underscore, "`_` stands where a value gets a name, and in shapes; it has no value itself"},
    {TokenKind::rest, "`...` stands in an index or a shape"},
    {TokenKind::pipe, "the value that goes in stands before `|>`"},
    {TokenKind::fat_arrow, "the parameters stand before `=>`: `x => …`, `(a, b) => …`, `() => …`"},
};

// Tokens that can't go on an expression.
constexpr Hint continuation_hints[] = {
    {TokenKind::fat_arrow, "a function that is part of an expression stands in parentheses: `(x => …)`"},
    {TokenKind::arrow, "a function is written `x => …`"},
    {TokenKind::if_word, "a choice is written `if c { a } else { b }`"},
    {TokenKind::left_brace, "a record or block that is an argument of its own needs a comma before it"},
};

struct ForeignWord {
    std::string_view word, help;
};
constexpr ForeignWord foreign_words[] = {
    {"def", "a function is written `fn f(x) = …` or `fn f(x) { … }`"},
    {"func", "a function is written `fn f(x) = …` or `fn f(x) { … }`"},
    {"fun", "a function is written `fn f(x) = …` or `fn f(x) { … }`"},
    {"function", "a function is written `fn f(x) = …` or `fn f(x) { … }`"},
    {"return", "the last expression of a block is its value: leave the word out"},
    {"yield", "the last expression of a block is its value: leave the word out"},
    {"var", "a name is bound with `let`"},
    {"const", "a name is bound with `let`"},
    {"val", "a name is bound with `let`"},
    {"lambda", "a function inside an expression is written `x => …`"},
    {"elif", "write `else if`"},
    {"elseif", "write `else if`"},
    {"elsif", "write `else if`"},
    {"then", "the branches of an `if` are blocks: `if c { a } else { b }`"},
    {"from", "a file is brought in by `import \"nn.vm\"` or `import \"nn.vm\" as nn`"},
    {"class", "a type gets a name by `type P = {w: float[k], b: float}`"},
    {"struct", "a type gets a name by `type P = {w: float[k], b: float}`"},
    {"assert", "a check is `assert_eq(a, b)`, `assert_close(a, b)` or `assert_finite(x)`"},
    {"print", "`output x` gives a result; `debug(x, \"label\")` shows a value on the way"},
};

const ForeignWord* foreign_word(std::string_view text) {
    const auto* row = std::ranges::find(foreign_words, text, &ForeignWord::word);
    return row == std::end(foreign_words) ? nullptr : row;
}

template <std::size_t N> void add_hint(Diagnostic& diagnostic, const Hint (&hints)[N], TokenKind kind) {
    const auto* row = std::ranges::find(hints, kind, &Hint::kind);
    if (row != std::end(hints)) diagnostic.helps.emplace_back(row->help);
}

std::string code_text(std::string_view text) { return "`" + std::string(text) + "`"; }

bool is_closer(TokenKind kind) { return kind == TokenKind::right_paren || kind == TokenKind::right_bracket || kind == TokenKind::right_brace; }

bool is_short(std::string_view text) { return text.size() <= 40 && text.find('\n') == std::string_view::npos; }

Diagnostic foreign_word_error(Span place, const ForeignWord& row) {
    return error("E122", code_text(row.word) + " is no keyword").at(place).help(std::string(row.help));
}

Diagnostic lone_else(Span place) {
    return error("E116", "this `else` belongs to no `if`").at(place).help("`else` follows the block of its `if`: `if c { a } else { b }`");
}

} // namespace

// Errors that follow from another one are not told: those on a line that the lexer has complained about, and a second one
// in the same place.
void Parser::fail(Diagnostic diagnostic) {
    const Span place = diagnostic.primary.span;
    const bool follows = std::ranges::binary_search(lexer_error_lines_, line_of(place.begin)) ||
                         std::ranges::binary_search(lexer_error_lines_, line_of(found_span().begin));
    const auto own = result_.errors.begin() + static_cast<std::ptrdiff_t>(lexer_errors_);
    const bool repeated = std::any_of(own, result_.errors.end(), [place](const Diagnostic& earlier) { return earlier.primary.span == place; });
    if (!follows && !repeated) result_.errors.push_back(std::move(diagnostic));
    throw Abandon{};
}

std::string Parser::found() const {
    switch (kind()) {
    case TokenKind::newline: return "the end of the line";
    case TokenKind::end: return "the end of the script";
    case TokenKind::string: return "a string";
    case TokenKind::name: return "the name " + code_text(token().span.text());
    case TokenKind::number: return "the number " + code_text(token().span.text());
    default: return code_text(token().span.text());
    }
}

// Where the token is; for the end of a line or of the script, right behind the last token.
Span Parser::found_span() const {
    if ((!at(TokenKind::newline) && !at(TokenKind::end)) || index_ == 0) return token().span;
    return {&source_, previous().span.end, previous().span.end};
}

void Parser::check_brackets() {
    const bool closes = is_closer(token().kind);
    if (opener_ == no_token) {
        if (!closes) return;
        fail(error("E112", found() + " closes no bracket").at(token().span).help("remove it, or open one before it"));
    }
    const Token& opener = tokens_[opener_];
    const std::string open = code_text(opener.span.text());
    const std::string missing = opener.kind == TokenKind::left_paren ? "`)`" : opener.kind == TokenKind::left_bracket ? "`]`" : "`}`";
    if (closes && partner_[index_] == no_token) {
        fail(error("E112", found() + " does not close " + open).at(token().span, missing + " expected").label(opener.span, "opened here"));
    }
    const bool goes_on_outside = closes || at(TokenKind::end) || token().starts_line || at(TokenKind::left_brace) || at(TokenKind::arrow);
    if (partner_[opener_] != no_token || !goes_on_outside) return;
    Diagnostic diagnostic = error("E111", "this " + open + " is never closed").at(opener.span, "opened here");
    if (!at(TokenKind::end)) diagnostic.labels.push_back({token().span, missing + " expected before this"});
    fail(std::move(diagnostic));
}

void Parser::check_foreign_word() {
    const bool on_one_line = index_ > 0 && !token().starts_line && previous().kind == TokenKind::name;
    const ForeignWord* row = on_one_line ? foreign_word(previous().span.text()) : nullptr;
    const bool begins_operand = at(TokenKind::name) || at(TokenKind::number) || at(TokenKind::string) || at(TokenKind::underscore) ||
                                at(TokenKind::left_brace) || at(TokenKind::colon) || at(TokenKind::if_word) || at(TokenKind::not_word) ||
                                at(TokenKind::true_word) || at(TokenKind::false_word) || at(TokenKind::none_word);
    if (row && begins_operand) fail(foreign_word_error(previous().span, *row));
}

void Parser::check_block_item() {
    const bool begins = at(TokenKind::fn_word) || at(TokenKind::import_word) || at(TokenKind::at) || (at(TokenKind::name) && starts_item(index_));
    if (!begins) return;
    if (token().starts_line) check_brackets(); // more likely, the block before it was never closed
    const std::string word = at(TokenKind::at) ? "an attribute" : code_text(token().span.text());
    Diagnostic diagnostic = error("E121", word + " stands at the top of a script, not in a block").at(token().span);
    if (at(TokenKind::fn_word)) diagnostic.helps.emplace_back("in a block, give a function a name with `let f = x => …`");
    if (at_word("input")) diagnostic.helps.emplace_back("move it to the top; a `fn` gets what it needs as a parameter");
    if (at_word("output")) diagnostic.helps.emplace_back("the last expression of a block is its value");
    fail(std::move(diagnostic));
}

void Parser::fail_expected(std::string_view what) {
    check_brackets();
    check_foreign_word();
    Diagnostic diagnostic = error("E110", "expected " + std::string(what) + ", found " + found()).at(found_span());
    if (previous().kind == TokenKind::dot && token().kind == TokenKind::number) {
        diagnostic.helps.push_back("an element of a tuple is `t[" + std::string(token().span.text()) + "]`");
    }
    fail(std::move(diagnostic));
}

void Parser::fail_after_expression(std::string_view what) {
    check_brackets();
    check_foreign_word();
    if (at(TokenKind::assign) && previous().kind == TokenKind::right_bracket) {
        fail(error("E113", "a tensor does not change").at(token().span).help("one that differs at a position is `x.at[i].set(value)`: give it a name with `let`; to compare, write `==`"));
    }
    if (at(TokenKind::assign)) fail(error("E113", "`=` does not compare").at(token().span).help("write `==` to compare two values"));
    if (at(TokenKind::else_word)) fail(lone_else(token().span));
    Diagnostic diagnostic = error("E110", "expected " + std::string(what) + ", found " + found()).at(found_span());
    add_hint(diagnostic, continuation_hints, kind());
    if (at(TokenKind::colon)) diagnostic.helps.emplace_back("a keyword argument is written `name=value`, a record `{name: value}`");
    fail(std::move(diagnostic));
}

void Parser::fail_expression() {
    check_brackets();
    if (at(TokenKind::else_word)) fail(lone_else(token().span));
    if (index_ > 0 && token().starts_line && starts_item(index_)) {
        fail(error("E110", "expected an expression after " + code_text(previous().span.text())).at(previous().span));
    }
    Diagnostic diagnostic = error("E110", "expected an expression, found " + found()).at(found_span());
    // `*args` and `**options` are meant only where an argument begins.
    const bool begins_argument = index_ > 0 && (previous().kind == TokenKind::comma || previous().kind == TokenKind::left_paren);
    if (begins_argument || !(at(TokenKind::star) || at(TokenKind::power))) add_hint(diagnostic, expression_hints, kind());
    if (is_closer(kind()) && previous().kind == TokenKind::comma) diagnostic.helps.push_back("no comma stands before this " + found());
    if (at(TokenKind::assign) && index_ > 0 && !spelling(previous().kind).empty()) {
        diagnostic.helps.emplace_back("what is bound does not change: bind a new name with `let`");
    }
    fail(std::move(diagnostic));
}

void Parser::fail_name(std::string_view what) {
    const std::string wanted = what.empty() ? "a name" : "a name " + std::string(what);
    if (is_reserved(token().span.text()) && !at(TokenKind::newline) && !token().starts_line) {
        fail(error("E118", found() + " is a reserved word, and no name").at(token().span).help("choose another, such as `" + std::string(token().span.text()) + "_`"));
    }
    fail_expected(wanted);
}

void Parser::fail_block(std::string_view owner) {
    const std::string place = owner.empty() ? "" : " " + std::string(owner);
    if (at(TokenKind::name) && foreign_word(token().span.text())) fail(foreign_word_error(token().span, *foreign_word(token().span.text())));
    if (at(TokenKind::newline) || at(TokenKind::colon)) {
        check_brackets();
        fail(error("E110", "expected `{`" + place + ", found " + found())
                 .at(found_span())
                 .help(at(TokenKind::colon) ? "a block stands in braces: `{ … }`" : "`{` stands on the same line"));
    }
    fail_after_expression("`{`" + place);
}

// `left` is a comparison or a range, `first` its operator; another of its kind follows.
void Parser::fail_chain(const ast::Expr& left, Span first) {
    if (std::holds_alternative<ast::Range>(left.node)) {
        fail(error("E114", "a range has two ends").at(token().span, "a second `..`").label(first, "the first"));
    }
    const auto& comparison = std::get<ast::Binary>(left.node);
    const std::string_view both = left.span.text(), middle = comparison.right->span.text();
    const bool quotable = is_short(both) && is_short(middle);
    const std::string shown = quotable ? std::string(both) + " and " + std::string(middle) : "a < b and b";
    fail(error("E114", "comparisons do not chain")
             .at(token().span, "a second comparison")
             .label(first, "the first")
             .help("join two with `and`: `" + shown + " " + (quotable ? std::string(token().span.text()) : "<") + " …`"));
}

void Parser::fail_else() {
    if (at(TokenKind::name) && foreign_word(token().span.text())) fail(foreign_word_error(token().span, *foreign_word(token().span.text())));
    fail(error("E116", "this `if` has no `else`").at(previous().span).help("an `if` is an expression, so both branches give a value: `if c { a } else { b }`"));
}

// A statement has been read (`last`: when it is an expression), and something else than its end follows.
void Parser::fail_separator(const ast::Expr* last) {
    check_brackets();
    check_foreign_word();
    const auto* name = last ? std::get_if<ast::Identifier>(&last->node) : nullptr;
    if (at(TokenKind::assign) && name) {
        fail(error("E113", "a name is bound with `let`").at(token().span).help("write `let " + name->name + " = …`; to compare, write `==`"));
    }
    if (at(TokenKind::assign) || at(TokenKind::else_word)) fail_after_expression("the end of the statement");
    Diagnostic diagnostic = error("E119", "expected the end of the statement, found " + found()).at(found_span());
    if (at(TokenKind::colon) && name) {
        diagnostic.helps.push_back("a name is bound with `let " + name->name + ": type = …`, an input declared with `input " + name->name + ": type`");
    } else if (at(TokenKind::fat_arrow) || at(TokenKind::arrow) || at(TokenKind::if_word)) {
        add_hint(diagnostic, continuation_hints, kind());
    } else {
        diagnostic.helps.emplace_back("a newline or `;` stands between two statements");
    }
    fail(std::move(diagnostic));
}

void Parser::fail_output_colon(const std::string& output) {
    fail(error("E119", "expected the end of the statement, found " + found()).at(found_span()).help("an output is named with `=`: write `output " + output + " = …`"));
}

void Parser::fail_depth() {
    fail(error("E120", "this is nested more than " + std::to_string(ast::max_tree_height) + " deep")
             .at(found_span())
             .help("give parts of it names with `let`; many terms are added by `sum([…])`"));
}

} // namespace vmaprun
