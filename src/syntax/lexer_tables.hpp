// The fixed tables of the lexer: spellings, characters of other scripts, letters.
#pragma once

#include <cstddef>
#include <optional>
#include <string_view>

#include "syntax/lexer.hpp"

namespace vmaprun::lexing {

// The reserved word that `text` is.
std::optional<TokenKind> reserved_word(std::string_view text);

// The longest operator or bracket that `text` begins with.
struct Operator {
    TokenKind kind;
    std::size_t length;
};
std::optional<Operator> operator_at(std::string_view text);

// An operator of other languages that `text` begins with, and what it means here.
struct ForeignOperator {
    std::string_view text;
    TokenKind meant;
    std::string_view help;
};
const ForeignOperator* foreign_operator_at(std::string_view text);

// The first character of a text, which isn't empty. length 0: no valid UTF-8.
struct Character {
    char32_t code = 0;
    std::size_t length = 0;
};
Character decode(std::string_view text);

// The ASCII text that is meant by a full-width or typographic character; empty when there is none.
std::string_view ascii_for(char32_t code);
bool is_full_width(char32_t code);

bool is_letter(char32_t code); // begins a name (`_` too)
inline bool is_digit(char byte) { return byte >= '0' && byte <= '9'; }
inline bool is_name_byte(char byte) { return is_digit(byte) || (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') || byte == '_'; }
int hex_digit(char byte); // -1: none

// ---- literals (lexer_literals.cpp) -----------------------------------------------------------------------------------

// A literal at the start of a text: how far it reaches, its value, and what is wrong with it (message empty: nothing).
struct Literal {
    std::size_t length = 0;
    ast::Number number;
    std::string string;
    std::string code = {}, message = {}, help = {};
    std::size_t wrong_begin = 0, wrong_end = 0; // of the text: the part that is wrong
};
Literal number_at(std::string_view text); // begins with a digit, or with `.` and a digit
Literal string_at(std::string_view text); // begins with a quote

} // namespace vmaprun::lexing
