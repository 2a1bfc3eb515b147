// Numbers and strings.
#include <charconv>
#include <cmath>

#include "syntax/lexer_tables.hpp"

namespace vmaprun::lexing {
namespace {

// The number of bytes of digits and underscores at `at`.
std::size_t digits_at(std::string_view text, std::size_t at) {
    std::size_t end = at;
    while (end < text.size() && (is_digit(text[end]) || text[end] == '_')) ++end;
    return end - at;
}

bool well_separated(std::string_view digits) {
    return !digits.empty() && digits.front() != '_' && digits.back() != '_' && digits.find("__") == std::string_view::npos;
}

std::string without_underscores(std::string_view text) {
    std::string plain;
    for (const char byte : text) {
        if (byte != '_') plain += byte;
    }
    return plain;
}

Literal wrong(Literal literal, std::string message, std::string help) {
    literal.code = "E107";
    literal.message = std::move(message);
    literal.help = std::move(help);
    literal.wrong_end = literal.length;
    return literal;
}

std::string quoted(std::string_view text) { return "`" + std::string(text.substr(0, 40)) + (text.size() > 40 ? "…`" : "`"); }

void read_integer(std::string_view digits, int base, ast::Number& number) {
    const std::string plain = without_underscores(digits);
    const auto [end, status] = std::from_chars(plain.data(), plain.data() + plain.size(), number.integer, base);
    number.overflows = status == std::errc::result_out_of_range;
    if (number.overflows) number.integer = 0;
}

// Is a decimal text that no double holds too large (and not too small)?
bool is_huge(std::string_view plain) {
    const std::size_t exponent_at = plain.find_first_of("eE");
    const std::string_view mantissa = plain.substr(0, exponent_at);
    const std::size_t point = std::min(mantissa.find('.'), mantissa.size());
    const std::size_t first = mantissa.find_first_of("123456789");
    if (first == std::string_view::npos) return false;
    if (exponent_at != std::string_view::npos && plain[exponent_at + 1] == '-') return false;
    return first < point || exponent_at != std::string_view::npos;
}

// False: beyond f64.
bool read_real(std::string_view text, ast::Number& number) {
    const std::string plain = without_underscores(text);
    number.is_float = true;
    const auto [end, status] = std::from_chars(plain.data(), plain.data() + plain.size(), number.real);
    if (status == std::errc::result_out_of_range) number.real = is_huge(plain) ? HUGE_VAL : 0.0;
    return std::isfinite(number.real);
}

Literal hexadecimal_at(std::string_view text) {
    Literal literal;
    std::size_t end = 2;
    bool valid = true;
    while (end < text.size() && is_name_byte(text[end])) {
        valid = valid && (text[end] == '_' || hex_digit(text[end]) >= 0);
        ++end;
    }
    literal.length = end;
    const std::string_view digits = text.substr(2, end - 2);
    if (digits.empty()) return wrong(std::move(literal), "`0x` without digits is no number", "hexadecimal digits follow: `0x1f`");
    if (!valid || !well_separated(digits)) {
        return wrong(std::move(literal), quoted(text.substr(0, end)) + " is no number", "hexadecimal digits are 0 to 9 and a to f: `0x1f`");
    }
    read_integer(digits, 16, literal.number);
    return literal;
}

// How far the exponent at `at` reaches: 0 where there is none; `complete` says whether it has digits.
std::size_t exponent_at(std::string_view text, std::size_t at, bool& complete) {
    complete = true;
    if (at >= text.size() || (text[at] != 'e' && text[at] != 'E')) return 0;
    std::size_t end = at + 1;
    const bool has_sign = end < text.size() && (text[end] == '+' || text[end] == '-');
    if (has_sign) ++end;
    const std::size_t digits = digits_at(text, end);
    complete = digits > 0 && well_separated(text.substr(end, digits));
    // `3e` and `3ex` are taken for a name that begins with a digit, below; `3e+` is an exponent cut short.
    return complete ? end + digits - at : has_sign ? end - at : 0;
}

// What decimal text breaks after its digits, or nothing.
Literal decimal_tail(Literal literal, std::string_view text, bool is_float) {
    std::size_t end = literal.length;
    const bool point = end < text.size() && text[end] == '.' && !text.substr(end).starts_with("..") && !is_float;
    if (point) {
        const std::string digits(text.substr(0, end));
        ++end;
        while (end < text.size() && is_name_byte(text[end])) ++end;
        literal.length = end;
        return wrong(std::move(literal), quoted(text.substr(0, end)) + " is no number", "a digit follows the point: `" + digits + ".0`");
    }
    if (end >= text.size() || !is_name_byte(text[end])) return literal;
    const std::string number(text.substr(0, end));
    while (end < text.size() && is_name_byte(text[end])) ++end;
    const std::string rest(text.substr(number.size(), end - number.size()));
    literal.length = end;
    if (rest.starts_with('_')) return wrong(std::move(literal), quoted(text.substr(0, end)) + " is no number", "`_` stands between two digits: `1_000`");
    if (rest == "e" || rest == "E") return wrong(std::move(literal), quoted(text.substr(0, end)) + " is no number", "digits follow the `e`: `" + number + "e3`");
    return wrong(std::move(literal), quoted(text.substr(0, end)) + " is neither a number nor a name",
                 "a product is written `" + number + " * " + rest + "`; a name does not begin with a digit");
}

Literal decimal_at(std::string_view text) {
    Literal literal;
    std::size_t end = digits_at(text, 0);
    bool valid = well_separated(text.substr(0, end)), complete = true;
    const std::string_view whole = text.substr(0, end);
    bool is_float = false;
    if (end + 1 < text.size() && text[end] == '.' && is_digit(text[end + 1])) {
        const std::size_t fraction = digits_at(text, end + 1);
        valid = valid && well_separated(text.substr(end + 1, fraction));
        end += 1 + fraction;
        is_float = true;
    }
    if (const std::size_t exponent = exponent_at(text, end, complete); exponent > 0) {
        end += exponent;
        is_float = true;
    }
    literal.length = end;
    literal.number.is_float = is_float;
    const std::string shown = quoted(text.substr(0, end));
    if (!valid) return wrong(std::move(literal), shown + " is no number", "`_` stands between two digits: `1_000`");
    if (is_float && !complete && end > whole.size() && !is_name_byte(text[end - 1])) {
        return wrong(std::move(literal), shown + " is no number", "digits follow the exponent's sign: `1e-3`");
    }
    literal = decimal_tail(std::move(literal), text, is_float);
    if (!literal.message.empty()) return literal;
    if (is_float) {
        if (!read_real(text.substr(0, end), literal.number)) return wrong(std::move(literal), shown + " is beyond the largest f64", "infinity is written `inf`");
        return literal;
    }
    if (whole.size() > 1 && whole[0] == '0' && whole.find_first_not_of("0_") != std::string_view::npos) {
        return wrong(std::move(literal), shown + " begins with a 0", "a whole number other than 0 begins with another digit; octal is not read");
    }
    read_integer(whole, 10, literal.number);
    return literal;
}

void append_utf8(std::string& text, char32_t code) {
    const auto put = [&text](char32_t byte) { text += static_cast<char>(static_cast<unsigned char>(byte)); };
    if (code < 0x80) return put(code);
    if (code < 0x800) {
        put(0xC0U | (code >> 6U));
    } else {
        if (code < 0x10000) {
            put(0xE0U | (code >> 12U));
        } else {
            put(0xF0U | (code >> 18U));
            put(0x80U | ((code >> 12U) & 0x3FU));
        }
        put(0x80U | ((code >> 6U) & 0x3FU));
    }
    put(0x80U | (code & 0x3FU));
}

void wrong_escape(Literal& literal, std::size_t begin, std::size_t end, std::string message, std::string help) {
    if (!literal.message.empty()) return; // one a string
    literal.code = "E106";
    literal.message = std::move(message);
    literal.help = std::move(help);
    literal.wrong_begin = begin;
    literal.wrong_end = end;
}

// `\u{1F600}` at `at` (of the backslash); gives the offset after it.
std::size_t unicode_escape(std::string_view text, std::size_t at, Literal& literal) {
    std::size_t end = at + 3;
    char32_t code = 0;
    while (end < text.size() && hex_digit(text[end]) >= 0) {
        code = code > 0x10FFFF ? code : code * 16 + static_cast<char32_t>(hex_digit(text[end]));
        ++end;
    }
    const bool closed = text.substr(at).starts_with("\\u{") && end > at + 3 && end < text.size() && text[end] == '}';
    if (!closed) {
        wrong_escape(literal, at, at + 2, "`\\u` is not followed by a code in braces", "write it like `\\u{e9}`, with the character's hexadecimal code");
        return at + 2;
    }
    if (code > 0x10FFFF || (code >= 0xD800 && code <= 0xDFFF)) {
        wrong_escape(literal, at, end + 1, "no character has the code of " + quoted(text.substr(at, end + 1 - at)), "codes go up to 10FFFF, without D800 to DFFF");
    } else {
        append_utf8(literal.string, code);
    }
    return end + 1;
}

// An escape at `at` (of the backslash); gives the offset after it.
std::size_t escape_at(std::string_view text, std::size_t at, Literal& literal) {
    const char letter = text[at + 1];
    switch (letter) {
    case 'n': literal.string += '\n'; return at + 2;
    case 't': literal.string += '\t'; return at + 2;
    case '"': literal.string += '"'; return at + 2;
    case '\\': literal.string += '\\'; return at + 2;
    case 'u': return unicode_escape(text, at, literal);
    default: break;
    }
    const std::size_t length = 1 + std::max<std::size_t>(1, decode(text.substr(at + 1)).length);
    wrong_escape(literal, at, at + length, quoted(text.substr(at, length)) + " is no escape", "escapes are `\\n`, `\\t`, `\\\"`, `\\\\` and `\\u{e9}`; a backslash itself is `\\\\`");
    return at + length;
}

} // namespace

Literal number_at(std::string_view text) {
    if (text[0] == '.') {
        Literal literal;
        literal.length = 1 + digits_at(text, 1);
        literal.number.is_float = true;
        const std::string shown(text.substr(0, literal.length));
        return wrong(std::move(literal), quoted(shown) + " is no number", "a digit stands before the point: `0" + shown + "`");
    }
    return text.starts_with("0x") ? hexadecimal_at(text) : decimal_at(text);
}

Literal string_at(std::string_view text) {
    Literal literal;
    const char quote = text[0];
    std::size_t at = 1;
    while (at < text.size() && text[at] != '\n' && text[at] != quote) {
        if (text[at] == '\\' && at + 1 < text.size() && text[at + 1] != '\n') {
            at = escape_at(text, at, literal);
        } else {
            literal.string += text[at++];
        }
    }
    const bool closed = at < text.size() && text[at] == quote;
    literal.length = closed ? at + 1 : at;
    if (quote == '\'') {
        literal.code = "E105";
        literal.message = "strings stand in double quotes";
        literal.help = "write `\"` in place of `'`";
        literal.wrong_begin = 0;
        literal.wrong_end = literal.length;
    } else if (!closed) {
        literal.code = "E105";
        literal.message = "this string has no closing quote";
        literal.help = "a string ends on its line; a line break inside is `\\n`";
        literal.wrong_begin = 0;
        literal.wrong_end = text.substr(0, at).ends_with('\r') ? at - 1 : at;
    }
    return literal;
}

} // namespace vmaprun::lexing
