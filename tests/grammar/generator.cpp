#include "generator.hpp"

#include <algorithm>
#include <array>
#include <cstring>
#include <string_view>
#include <utility>

#include "base/source.hpp"
#include "syntax/lexer.hpp"
#include "syntax/parser.hpp"

namespace vmaprun::grammar {
namespace {

constexpr const char* plain_names[] = {"x", "y", "w", "xs", "axis", "f32", "graph", "vmap", "a_1"};
constexpr const char* item_words[] = {"type", "input", "test", "bench", "limit", "output", "context"};
constexpr const char* numbers[] = {"0", "1", "42", "1_000", "0x1f", "2.5", "1e-3"};
constexpr const char* strings[] = {"\"i\"", "\"a b\"", "\"{\"", "\"\\n\""};
constexpr const char* literals[] = {"true", "false", "none"};

// From the loosest: or, and, not, comparison, bits, shift, range, sum, product, cast.
constexpr int not_level = 2, comparison_level = 3, range_level = 6, cast_level = 9;
constexpr std::array<std::string_view, 9> operators_of_level = {"or", "and", "", "== != < <= > >=", "& |", "<< >>", "..", "+ -", "* / // % @"};

std::string_view last_word(std::string_view text) {
    const std::size_t end = text.find_last_not_of(" \t\n");
    if (end == std::string_view::npos) return {};
    const std::size_t before = text.substr(0, end + 1).find_last_of(" \n([,");
    return text.substr(before + 1, end - before); // npos + 1 is 0
}

// Can an expression end in what the text ends in?
bool ends_in_operand(std::string_view text) {
    const std::string_view word = last_word(text);
    if (word.empty()) return false;
    if (std::ranges::find(literals, word) != std::end(literals)) return true;
    const char last = word.back();
    const bool operand = std::isalnum(static_cast<unsigned char>(last)) != 0 || std::strchr("_\")]}", last) != nullptr;
    return operand && !is_reserved(word);
}

} // namespace

void Generator::newline() {
    if (chance(0.04)) text_ += chance(0.3) ? " # so\n" : "\n";
}

void Generator::word(const std::string& text) {
    const bool may_continue = text == "|>" || text == "else" || text == ".";
    if (newlines_free_ || may_continue || !ends_in_operand(text_)) newline();
    const bool close = std::strchr("([,", text_.empty() ? ' ' : text_.back()) != nullptr || std::strchr(")],", text[0]) != nullptr;
    if (!text_.empty() && !(close && chance(0.7))) text_ += ' ';
    text_ += text;
}

void Generator::separator() {
    constexpr const char* separators[] = {"\n", ";", " ; ", "\n\n", ";\n", "\n;", " # so\n", ";;\n"};
    text_ += one_of(separators);
}

template <class Part> void Generator::list(std::size_t count, Part part) {
    for (std::size_t i = 0; i < count; ++i) {
        if (i > 0) word(",");
        part();
    }
}

std::string Generator::script() {
    text_ = chance(0.2) ? "\n" : "";
    newlines_free_ = false;
    const std::size_t items = below(5);
    for (std::size_t i = 0; i < items; ++i) {
        fuel_ = static_cast<int>(5 + below(30));
        if (i > 0) separator();
        item();
    }
    if (chance(0.3)) separator();
    return text_;
}

// ---- items -----------------------------------------------------------------------------------------------------------

void Generator::item() {
    switch (below(12)) {
    case 0:
        word("import");
        word(one_of(strings));
        if (chance(0.5)) word("as"), word(name());
        break;
    case 1: word("type"), word(name()), word("="), type(); break;
    case 2:
    case 3: word("input"), word(name()), type_and_value(); break;
    case 4:
    case 5:
        word("output");
        newline();
        if (chance(0.5)) word(name()), word("=");
        expression();
        break;
    case 6:
        word(chance(0.5) ? "test" : "bench");
        word(one_of(strings));
        block();
        break;
    case 7:
        word("context");
        newline();
        arguments();
        break;
    case 8:
    case 9: function(); break;
    case 10: let(); break;
    default: expression_item();
    }
}

// At the start of an item `output` and `context` are keywords: no expression begins there in one of those names.
void Generator::expression_item() {
    const std::string before = text_;
    expression();
    const Source source("item", text_.substr(before.size()));
    const std::string_view begin = lex(source).tokens.front().span.text();
    if (begin != "output" && begin != "context") return;
    text_ = before;
    word("x");
}

void Generator::function() {
    while (chance(0.2)) {
        word("@"), word(name());
        if (chance(0.5)) arguments();
        if (chance(0.7)) text_ += chance(0.3) ? "\n\n" : "\n";
    }
    word("fn"), word(name()), word("(");
    const bool outer = std::exchange(newlines_free_, true);
    list(below(4), [this] { parameter(); });
    word(")");
    newlines_free_ = outer;
    if (chance(0.4)) word("->"), type();
    if (chance(0.4)) {
        block();
    } else {
        word("="), expression();
    }
}

void Generator::parameter() {
    pattern();
    type_and_value();
}

void Generator::type_and_value() {
    if (chance(0.5)) word(":"), type();
    if (chance(0.4)) word("="), expression();
}

void Generator::arguments() {
    word("(");
    const bool outer = std::exchange(newlines_free_, true);
    const std::size_t positional = fuel_ > 0 ? below(3) : 0;
    const std::size_t named = fuel_ > 0 ? below(3) : 0;
    std::size_t given = 0;
    list(positional + named, [&] {
        if (given++ >= positional) word(name()), word("=");
        expression();
    });
    if (given > 0 && chance(0.2)) word(",");
    word(")");
    newlines_free_ = outer;
}

void Generator::let() {
    word("let"), pattern();
    if (chance(0.3)) word(":"), type();
    word("="), expression();
}

void Generator::block() {
    word("{");
    const bool outer = std::exchange(newlines_free_, false);
    const std::size_t leading = fuel_ > 0 ? below(3) : 0;
    for (std::size_t i = 0; i < leading; ++i) {
        if (chance(0.6)) {
            let();
        } else {
            expression();
        }
        separator();
    }
    expression();
    if (chance(0.2)) separator();
    word("}");
    newlines_free_ = outer;
}

// ---- names, patterns, types ------------------------------------------------------------------------------------------

std::string Generator::name() { return chance(0.15) ? one_of(item_words) : one_of(plain_names); }

void Generator::pattern() {
    if (--fuel_ > 0 && chance(0.2)) {
        word("(");
        const bool outer = std::exchange(newlines_free_, true);
        list(1 + below(3), [this] { pattern(); });
        word(")");
        newlines_free_ = outer;
    } else {
        word(chance(0.2) ? "_" : name());
    }
}

void Generator::type() {
    const std::size_t form = --fuel_ > 0 ? below(6) : 0;
    const char* open = form == 5 ? "{" : form == 4 ? "(" : "[";
    if (form < 4) word(name());
    if (form < 2) return;
    word(open);
    const bool outer = std::exchange(newlines_free_, true);
    list(1 + below(3), [&] {
        if (form < 4) return dim();
        if (form == 5) word(name()), word(":");
        type();
    });
    word(form == 5 ? "}" : form == 4 ? ")" : "]");
    newlines_free_ = outer;
}

void Generator::dim() {
    if (chance(0.15)) return word("...");
    if (chance(0.15)) return word("_");
    operators(range_level + 1);
}

// ---- expressions -----------------------------------------------------------------------------------------------------

void Generator::expression() {
    if (--fuel_ > 0 && chance(0.12)) return lambda();
    operators(0);
    while (fuel_ > 0 && chance(0.12)) word("|>"), postfix();
}

void Generator::lambda() {
    if (chance(0.5)) {
        word(name());
    } else {
        word("(");
        const bool outer = std::exchange(newlines_free_, true);
        list(below(3), [this] { pattern(); });
        word(")");
        newlines_free_ = outer;
    }
    text_ += " =>"; // on the same line
    expression();
}

void Generator::operators(int level) {
    if (level == cast_level) {
        unary();
        while (chance(0.08)) word("as"), word(name());
        return;
    }
    if (level == not_level) {
        if (!chance(0.08)) return operators(level + 1);
        word("not");
        return operators(not_level);
    }
    operators(level + 1);
    const bool chains = level != comparison_level && level != range_level;
    while (fuel_ > 0 && chance(0.07)) {
        std::vector<std::string> spellings{""};
        for (const char c : operators_of_level[static_cast<std::size_t>(level)]) {
            if (c == ' ') spellings.emplace_back();
            else spellings.back() += c;
        }
        word(spellings[below(spellings.size())]);
        operators(level + 1);
        if (!chains) break;
    }
}

void Generator::unary() {
    constexpr const char* signs[] = {"-", "+", "~"};
    --fuel_;
    if (chance(0.1)) {
        word(one_of(signs));
        return unary();
    }
    postfix();
    if (fuel_ > 0 && chance(0.08)) word("**"), unary();
}

void Generator::postfix() {
    atom();
    while (fuel_ > 0 && chance(0.25)) {
        switch (below(3)) {
        case 0: arguments(); break;
        case 1: {
            word("[");
            const bool outer = std::exchange(newlines_free_, true);
            list(1 + below(3), [this] { index(); });
            word("]");
            newlines_free_ = outer;
            break;
        }
        default: word("."), word(name());
        }
    }
}

void Generator::index() {
    if (chance(0.15)) return word("...");
    if (chance(0.5)) return expression();
    if (chance(0.5)) expression();
    word(":");
    if (chance(0.5)) expression();
    if (!chance(0.3)) return;
    word(":");
    if (chance(0.5)) expression();
}

void Generator::atom() {
    switch (--fuel_ > 0 ? below(12) : below(4)) {
    case 0: return word(one_of(numbers));
    case 1: return word(one_of(strings));
    case 2: return word(one_of(literals));
    case 6:
    case 7: return brackets();
    case 8: return record();
    case 9: return block();
    case 10: return if_expression();
    case 11: return loop();
    default: return word(name());
    }
}

void Generator::brackets() {
    const std::size_t form = below(4);
    const std::size_t count = below(4);
    word(form < 2 ? "(" : "[");
    const bool outer = std::exchange(newlines_free_, true);
    if (form == 3) {
        expression();
        do {
            word("for"), pattern(), word("in"), expression();
        } while (chance(0.3));
    } else {
        list(count, [this] { expression(); });
        if (form < 2 && count > 0 && chance(0.3)) word(",");
    }
    word(form < 2 ? ")" : "]");
    newlines_free_ = outer;
}

void Generator::record() {
    word("{");
    const bool outer = std::exchange(newlines_free_, true);
    list(below(4), [this] {
        if (chance(0.2)) {
            word(".."), expression();
        } else {
            word(name());
            if (chance(0.6)) word(":"), expression();
        }
    });
    word("}");
    newlines_free_ = outer;
}

void Generator::if_expression() {
    word("if"), expression(), block(), word("else");
    if (fuel_ > 0 && chance(0.3)) {
        if_expression();
    } else {
        block();
    }
}

void Generator::loop() {
    word("loop"), pattern(), word("="), expression();
    if (chance(0.5)) {
        word("while"), expression();
        if (chance(0.5)) word("limit"), expression();
    } else {
        word("for"), pattern(), word("in"), expression();
    }
    block();
}

// ---- mutations -------------------------------------------------------------------------------------------------------

namespace {

struct Word {
    std::string text;
    bool starts_line;
};

std::vector<Word> words_of(const std::string& text) {
    const Source source("script", text);
    std::vector<Word> words;
    for (const Token& token : lex(source).tokens) {
        if (token.kind != TokenKind::end) words.push_back({std::string(token.span.text()), token.starts_line});
    }
    return words;
}

// Every token that has one spelling, and some of the others.
const std::vector<std::string>& vocabulary() {
    static const std::vector<std::string> words = [] {
        std::vector<std::string> all{"x", "w", "limit", "output", "context", "input", "type", "test", "_", "1", "2.5", "\"i\""};
        for (int kind = 0; kind <= static_cast<int>(TokenKind::greater_equal); ++kind) {
            const std::string_view text = spelling(static_cast<TokenKind>(kind));
            if (!text.empty() && text != "\n") all.emplace_back(text);
        }
        return all;
    }();
    return words;
}

} // namespace

std::string mutate(const std::string& text, std::mt19937_64& random) {
    const auto below = [&random](std::size_t count) { return std::uniform_int_distribution<std::size_t>(0, count - 1)(random); };
    const auto any_word = [&] { return vocabulary()[below(vocabulary().size())]; };
    std::vector<Word> words = words_of(text);
    for (std::size_t changes = 1 + below(3); changes > 0 && !words.empty(); --changes) {
        const std::size_t at = below(words.size());
        const auto place = words.begin() + static_cast<std::ptrdiff_t>(at);
        switch (below(6)) {
        case 0: words.erase(place); break;
        case 1: words.insert(place, Word(*place)); break;
        case 2: std::swap(words[at], words[below(2) == 0 ? below(words.size()) : (at + 1) % words.size()]); break;
        case 3: place->text = any_word(); break;
        case 4: place->starts_line = !place->starts_line; break;
        default: words.insert(place, Word{any_word(), below(8) == 0}); break;
        }
    }
    std::string result;
    for (const Word& word : words) result += (word.starts_line ? "\n" : " ") + word.text;
    return result;
}

} // namespace vmaprun::grammar
