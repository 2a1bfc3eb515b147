#include "feed.hpp"

#include <string_view>

#include "vmaprun.tab.hh"

namespace vmaprun::grammar {
namespace {

using Symbol = Recognizer::token;

bool is_opener(TokenKind kind) { return kind == TokenKind::left_paren || kind == TokenKind::left_bracket || kind == TokenKind::left_brace; }
bool is_closer(TokenKind kind) { return kind == TokenKind::right_paren || kind == TokenKind::right_bracket || kind == TokenKind::right_brace; }

// Of tokens whose symbol doesn't depend on their place.
int plain_symbol(TokenKind kind) {
    switch (kind) {
    case TokenKind::end: return Symbol::TOKEN_END;
    case TokenKind::underscore: return Symbol::TOKEN_UNDERSCORE;
    case TokenKind::number: return Symbol::TOKEN_NUMBER;
    case TokenKind::string: return Symbol::TOKEN_STRING;
    case TokenKind::import_word: return Symbol::TOKEN_IMPORT;
    case TokenKind::as_word: return Symbol::TOKEN_AS;
    case TokenKind::let_word: return Symbol::TOKEN_LET;
    case TokenKind::fn_word: return Symbol::TOKEN_FN;
    case TokenKind::if_word: return Symbol::TOKEN_IF;
    case TokenKind::else_word: return Symbol::TOKEN_ELSE;
    case TokenKind::loop_word: return Symbol::TOKEN_LOOP;
    case TokenKind::while_word: return Symbol::TOKEN_WHILE;
    case TokenKind::for_word: return Symbol::TOKEN_FOR;
    case TokenKind::in_word: return Symbol::TOKEN_IN;
    case TokenKind::and_word: return Symbol::TOKEN_AND;
    case TokenKind::or_word: return Symbol::TOKEN_OR;
    case TokenKind::not_word: return Symbol::TOKEN_NOT;
    case TokenKind::true_word: return Symbol::TOKEN_TRUE;
    case TokenKind::false_word: return Symbol::TOKEN_FALSE;
    case TokenKind::none_word: return Symbol::TOKEN_NONE;
    case TokenKind::range: return Symbol::TOKEN_RANGE;
    case TokenKind::rest: return Symbol::TOKEN_REST;
    case TokenKind::arrow: return Symbol::TOKEN_ARROW;
    case TokenKind::fat_arrow: return Symbol::TOKEN_FAT_ARROW;
    case TokenKind::pipe: return Symbol::TOKEN_PIPE;
    case TokenKind::power: return Symbol::TOKEN_POWER;
    case TokenKind::double_slash: return Symbol::TOKEN_DOUBLE_SLASH;
    case TokenKind::shift_left: return Symbol::TOKEN_SHIFT_LEFT;
    case TokenKind::shift_right: return Symbol::TOKEN_SHIFT_RIGHT;
    case TokenKind::equal: return Symbol::TOKEN_EQUAL;
    case TokenKind::not_equal: return Symbol::TOKEN_NOT_EQUAL;
    case TokenKind::less_equal: return Symbol::TOKEN_LESS_EQUAL;
    case TokenKind::greater_equal: return Symbol::TOKEN_GREATER_EQUAL;
    default: return static_cast<unsigned char>(spelling(kind).front()); // one character, which the grammar writes as itself
    }
}

// Of each token: is it an opening bracket whose partner stands right before `=>`?
std::vector<bool> find_parameters(const std::vector<Token>& tokens) {
    std::vector<bool> result(tokens.size(), false);
    std::vector<std::size_t> open;
    for (std::size_t i = 0; i < tokens.size(); ++i) {
        if (is_opener(tokens[i].kind)) open.push_back(i);
        if (!is_closer(tokens[i].kind) || open.empty()) continue;
        result[open.back()] = i + 1 < tokens.size() && tokens[i + 1].kind == TokenKind::fat_arrow;
        open.pop_back();
    }
    return result;
}

} // namespace

Feed::Feed(const Lexed& lexed) : before_fat_arrow_(find_parameters(lexed.tokens)) {
    for (std::size_t i = 0; i < lexed.tokens.size(); ++i) add(lexed.tokens, i);
}

int Feed::next() { return position_ < symbols_.size() ? symbols_[position_++] : static_cast<int>(Symbol::TOKEN_END); }

bool Feed::after_operand() const {
    if (symbols_.empty()) return false;
    switch (symbols_.back()) {
    case Symbol::TOKEN_NAME:
    case Symbol::TOKEN_UNDERSCORE:
    case Symbol::TOKEN_NUMBER:
    case Symbol::TOKEN_STRING:
    case Symbol::TOKEN_TRUE:
    case Symbol::TOKEN_FALSE:
    case Symbol::TOKEN_NONE:
    case ')':
    case ']':
    case '}': return true;
    default: return false;
    }
}

void Feed::add(const std::vector<Token>& tokens, std::size_t index) {
    const Token& token = tokens[index];
    if (token.separated && newlines_matter() && after_operand() && token.kind != TokenKind::end) symbols_.push_back(Symbol::TOKEN_NEWLINE);
    const bool after_separator = symbols_.empty() || symbols_.back() == Symbol::TOKEN_NEWLINE || symbols_.back() == ';';
    int symbol = 0;
    switch (token.kind) {
    case TokenKind::name: symbol = name(tokens, index, after_separator); break;
    case TokenKind::left_paren: symbol = before_fat_arrow_[index] ? static_cast<int>(Symbol::TOKEN_LAMBDA_PAREN) : '('; break;
    case TokenKind::left_brace: symbol = left_brace(tokens, index); break;
    default: symbol = plain_symbol(token.kind);
    }
    if (is_opener(token.kind)) open_.push_back(symbol == Symbol::TOKEN_BLOCK_BRACE);
    if (is_closer(token.kind) && !open_.empty()) open_.pop_back();
    symbols_.push_back(symbol);
}

// The words of items, and `limit`, are keywords by their place.
int Feed::name(const std::vector<Token>& tokens, std::size_t index, bool after_separator) const {
    const std::string_view word = tokens[index].span.text();
    const Token& next = tokens[index + 1]; // the last token is no name
    if (open_.empty() && after_separator) {
        const bool before_name = next.kind == TokenKind::name && !next.separated;
        const bool before_string = next.kind == TokenKind::string && !next.separated;
        if (word == "output") return Symbol::TOKEN_OUTPUT;
        if (word == "context") return Symbol::TOKEN_CONTEXT;
        if (word == "type" && before_name) return Symbol::TOKEN_TYPE;
        if (word == "input" && before_name) return Symbol::TOKEN_INPUT;
        if (word == "test" && before_string) return Symbol::TOKEN_TEST;
        if (word == "bench" && before_string) return Symbol::TOKEN_BENCH;
    }
    return word == "limit" && after_operand() ? Symbol::TOKEN_LIMIT : Symbol::TOKEN_NAME;
}

int Feed::left_brace(const std::vector<Token>& tokens, std::size_t index) const {
    const bool asked_for = after_operand() || (!symbols_.empty() && symbols_.back() == Symbol::TOKEN_ELSE);
    if (asked_for) return Symbol::TOKEN_BLOCK_BRACE;
    const TokenKind first = tokens[index + 1].kind;
    if (first == TokenKind::right_brace || first == TokenKind::range) return Symbol::TOKEN_RECORD_BRACE;
    if (first != TokenKind::name) return Symbol::TOKEN_BLOCK_BRACE;
    const TokenKind second = tokens[index + 2].kind;
    const bool field = second == TokenKind::colon || second == TokenKind::comma || second == TokenKind::right_brace;
    return field ? Symbol::TOKEN_RECORD_BRACE : Symbol::TOKEN_BLOCK_BRACE;
}

int yylex(int*, Feed& feed) { return feed.next(); }

bool recognizes(const std::string& text) {
    const Source source("script", text);
    const Lexed lexed = lex(source);
    if (!lexed.errors.empty()) return false;
    Feed feed(lexed);
    return Recognizer(feed).parse() == 0;
}

} // namespace vmaprun::grammar
