// Text to tokens. `lex` never fails: what it can't read it reports, and puts the token that was meant in its place, so
// that the parser goes on. Any bytes are allowed.
//
// Newlines are no tokens but marks on the token that follows them: whether one ends a statement also depends on the
// innermost open bracket, which the parser knows.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.hpp"
#include "base/source.hpp"
#include "syntax/ast.hpp"

namespace vmaprun {

enum class TokenKind : std::uint8_t {
    end, newline, // newline: never in a token list, the parser's view of a mark
    name, underscore, number, string,
    // reserved words
    import_word, as_word, let_word, fn_word, if_word, else_word, loop_word, while_word, for_word, in_word, and_word, or_word,
    not_word, true_word, false_word, none_word,
    // brackets and punctuation
    left_paren, right_paren, left_bracket, right_bracket, left_brace, right_brace,
    comma, colon, semicolon, dot, range, rest, assign, arrow, fat_arrow, pipe,
    // operators
    at, plus, minus, star, slash, double_slash, percent, power, ampersand, bar, tilde, shift_left, shift_right,
    equal, not_equal, less, less_equal, greater, greater_equal
};

// How a kind with one spelling is written ("let", "|>"); empty for the others.
std::string_view spelling(TokenKind kind);

struct Token {
    TokenKind kind = TokenKind::end;
    Span span;
    bool starts_line = false; // a newline stands before it
    bool separated = false;   // that newline ends a statement where newlines matter: the token before it can end an
                              // expression, and this one is none of `|>`, `else`, `.`
    ast::Number number;       // of a number
    std::string string;       // of a string: its value
};

// `# …` or `## …` up to the end of the line. A `#!` line is a comment too.
struct Comment {
    Span span;
    bool is_doc = false;   // begins with exactly two `#`
    bool own_line = false; // nothing but space stands before it
};

struct Lexed {
    std::vector<Token> tokens; // the last, and only the last, is `end`
    std::vector<Comment> comments;
    std::vector<Diagnostic> errors; // in the order of the text
};

Lexed lex(const Source& source);

// Can an expression end in this token?
bool ends_expression(TokenKind kind);

} // namespace vmaprun
