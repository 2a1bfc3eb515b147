#include "syntax/lexer_tables.hpp"

#include <algorithm>
#include <iterator>

namespace vmaprun {
namespace {

struct Spelling {
    TokenKind kind;
    std::string_view text;
};

constexpr Spelling words[] = {
    {TokenKind::import_word, "import"}, {TokenKind::as_word, "as"},     {TokenKind::let_word, "let"},     {TokenKind::fn_word, "fn"},
    {TokenKind::if_word, "if"},         {TokenKind::else_word, "else"}, {TokenKind::loop_word, "loop"},   {TokenKind::while_word, "while"},
    {TokenKind::for_word, "for"},       {TokenKind::in_word, "in"},     {TokenKind::and_word, "and"},     {TokenKind::or_word, "or"},
    {TokenKind::not_word, "not"},       {TokenKind::true_word, "true"}, {TokenKind::false_word, "false"}, {TokenKind::none_word, "none"},
};

// Longest first: the first that fits is the token.
constexpr Spelling operators[] = {
    {TokenKind::rest, "..."},        {TokenKind::range, ".."},        {TokenKind::arrow, "->"},       {TokenKind::fat_arrow, "=>"},
    {TokenKind::pipe, "|>"},         {TokenKind::double_slash, "//"}, {TokenKind::power, "**"},       {TokenKind::shift_left, "<<"},
    {TokenKind::shift_right, ">>"},  {TokenKind::equal, "=="},        {TokenKind::not_equal, "!="},   {TokenKind::less_equal, "<="},
    {TokenKind::greater_equal, ">="}, {TokenKind::left_paren, "("},   {TokenKind::right_paren, ")"},  {TokenKind::left_bracket, "["},
    {TokenKind::right_bracket, "]"}, {TokenKind::left_brace, "{"},    {TokenKind::right_brace, "}"},  {TokenKind::comma, ","},
    {TokenKind::colon, ":"},         {TokenKind::semicolon, ";"},     {TokenKind::dot, "."},          {TokenKind::assign, "="},
    {TokenKind::at, "@"},            {TokenKind::plus, "+"},          {TokenKind::minus, "-"},        {TokenKind::star, "*"},
    {TokenKind::slash, "/"},         {TokenKind::percent, "%"},       {TokenKind::ampersand, "&"},    {TokenKind::bar, "|"},
    {TokenKind::tilde, "~"},         {TokenKind::less, "<"},          {TokenKind::greater, ">"},
};

constexpr lexing::ForeignOperator foreign[] = {
    {"&&", TokenKind::and_word, "write `and`"},
    {"||", TokenKind::or_word, "write `or`"},
    {"!", TokenKind::not_word, "write `not`"},
    {"^", TokenKind::power, "a power is written `**`; exclusive or is `bitwise_xor(a, b)`"},
};

struct Meant {
    char32_t code;
    std::string_view ascii;
};
constexpr Meant typographic[] = {
    {0x00A0, " "},  {0x00D7, "*"},  {0x00F7, "/"},  {0x2010, "-"}, {0x2011, "-"}, {0x2012, "-"}, {0x2013, "-"},  {0x2014, "-"}, {0x2018, "\""},
    {0x2019, "\""}, {0x201C, "\""}, {0x201D, "\""}, {0x2026, "..."}, {0x2190, "="}, {0x2192, "->"}, {0x21D2, "=>"}, {0x2212, "-"}, {0x22C5, "*"},
    {0x2260, "!="}, {0x2264, "<="}, {0x2265, ">="}, {0x3000, " "}, {0x3001, ","}, {0x3002, "."}, {0x3010, "["},  {0x3011, "]"},
};

struct Letters {
    char32_t first, last;
};
// Letters of the scripts that names are likely to be written in, coarse blocks.
constexpr Letters letters[] = {{'A', 'Z'},         {'_', '_'},         {'a', 'z'},         {0x00C0, 0x00D6},   {0x00D8, 0x00F6},   {0x00F8, 0x024F},
                               {0x0370, 0x0373},   {0x0376, 0x0377},   {0x037B, 0x037D},   {0x0386, 0x0386},   {0x0388, 0x03F5},   {0x03F7, 0x0481},
                               {0x048A, 0x0556},   {0x0561, 0x0587},   {0x05D0, 0x05EA},   {0x0620, 0x064A},   {0x0904, 0x0939},   {0x1E00, 0x1FBC},
                               {0x3041, 0x3096},   {0x30A1, 0x30FA},   {0x3400, 0x4DBF},   {0x4E00, 0x9FFF},   {0xAC00, 0xD7A3},   {0x20000, 0x3134F}};

} // namespace

std::string_view spelling(TokenKind kind) {
    const auto is_kind = [kind](const Spelling& row) { return row.kind == kind; };
    if (const auto* row = std::ranges::find_if(words, is_kind); row != std::end(words)) return row->text;
    const auto* row = std::ranges::find_if(operators, is_kind);
    return row == std::end(operators) ? std::string_view{} : row->text;
}

namespace lexing {

std::optional<TokenKind> reserved_word(std::string_view text) {
    const auto* row = std::ranges::find(words, text, &Spelling::text);
    return row == std::end(words) ? std::nullopt : std::optional(row->kind);
}

std::optional<Operator> operator_at(std::string_view text) {
    const auto* row = std::ranges::find_if(operators, [text](const Spelling& s) { return text.starts_with(s.text); });
    return row == std::end(operators) ? std::nullopt : std::optional(Operator{row->kind, row->text.size()});
}

const ForeignOperator* foreign_operator_at(std::string_view text) {
    if (text.starts_with("!=")) return nullptr;
    const auto* row = std::ranges::find_if(foreign, [text](const ForeignOperator& f) { return text.starts_with(f.text); });
    return row == std::end(foreign) ? nullptr : row;
}

// UTF-8 as Unicode defines it: no overlong forms, no surrogates, nothing past U+10FFFF.
Character decode(std::string_view text) {
    const auto lead = static_cast<unsigned char>(text[0]);
    if (lead < 0x80) return {lead, 1};
    const std::size_t length = lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : 2;
    if (lead < 0xC2 || lead > 0xF4 || text.size() < length) return {};
    char32_t code = lead & (0xFFU >> (length + 1));
    for (std::size_t i = 1; i < length; ++i) {
        const auto byte = static_cast<unsigned char>(text[i]);
        if ((byte & 0xC0U) != 0x80U) return {};
        code = (code << 6U) | (byte & 0x3FU);
    }
    const char32_t least = length == 4 ? 0x10000 : length == 3 ? 0x800 : 0x80;
    if (code < least || code > 0x10FFFF || (code >= 0xD800 && code <= 0xDFFF)) return {};
    return {code, length};
}

bool is_full_width(char32_t code) { return (code >= 0xFF01 && code <= 0xFF5E) || (code >= 0x3000 && code <= 0x3011); }

std::string_view ascii_for(char32_t code) {
    static constexpr std::string_view ascii = "!\"#$%&'()*+,-./0123456789:;<=>?@ABCDEFGHIJKLMNOPQRSTUVWXYZ[\\]^_`abcdefghijklmnopqrstuvwxyz{|}~";
    if (code >= 0xFF01 && code <= 0xFF5E) return ascii.substr(code - 0xFF01, 1);
    const auto* row = std::ranges::find(typographic, code, &Meant::code);
    return row == std::end(typographic) ? std::string_view{} : row->ascii;
}

bool is_letter(char32_t code) {
    return std::ranges::any_of(letters, [code](Letters range) { return range.first <= code && code <= range.last; });
}

int hex_digit(char byte) {
    if (is_digit(byte)) return byte - '0';
    if (byte >= 'a' && byte <= 'f') return byte - 'a' + 10;
    if (byte >= 'A' && byte <= 'F') return byte - 'A' + 10;
    return -1;
}

} // namespace lexing
} // namespace vmaprun
