// Tokens, brackets, separators, recovery.
#include "syntax/parser.hpp"

#include <algorithm>

#include "syntax/lexer_tables.hpp"
#include "syntax/parser_state.hpp"

namespace vmaprun {
namespace {

bool is_opener(TokenKind kind) { return kind == TokenKind::left_paren || kind == TokenKind::left_bracket || kind == TokenKind::left_brace; }
bool is_closer(TokenKind kind) { return kind == TokenKind::right_paren || kind == TokenKind::right_bracket || kind == TokenKind::right_brace; }
// In the enumeration a closing bracket follows its opening one.
TokenKind closer_of(TokenKind opener) { return static_cast<TokenKind>(static_cast<int>(opener) + 1); }

} // namespace

Parser::Parser(const Source& source, Lexed lexed) : source_(source), tokens_(std::move(lexed.tokens)) {
    result_.script.source = &source;
    result_.errors = std::move(lexed.errors);
    result_.comments = std::move(lexed.comments);
    lexer_errors_ = result_.errors.size();
    for (const Diagnostic& diagnostic : result_.errors) lexer_error_lines_.push_back(line_of(diagnostic.primary.span.begin));
    std::ranges::sort(lexer_error_lines_);
    match_brackets();
}

// A closing bracket closes the nearest open one of its kind; those opened in between stay unclosed.
void Parser::match_brackets() {
    partner_.assign(tokens_.size(), no_token);
    std::vector<std::size_t> open;
    std::size_t open_of_kind[3] = {}; // so that a long run of stray closers isn't quadratic
    const auto which = [](TokenKind opener) { return (static_cast<std::size_t>(opener) - static_cast<std::size_t>(TokenKind::left_paren)) / 2; };
    for (std::size_t i = 0; i < tokens_.size(); ++i) {
        const TokenKind kind = tokens_[i].kind;
        if (is_opener(kind)) {
            open.push_back(i);
            ++open_of_kind[which(kind)];
        }
        if (!is_closer(kind)) continue;
        const auto opener = static_cast<TokenKind>(static_cast<int>(kind) - 1);
        if (open_of_kind[which(opener)] == 0) continue;
        while (tokens_[open.back()].kind != opener) {
            --open_of_kind[which(tokens_[open.back()].kind)];
            open.pop_back();
        }
        partner_[i] = open.back();
        partner_[open.back()] = i;
        --open_of_kind[which(opener)];
        open.pop_back();
    }
}

// ---- tokens ----------------------------------------------------------------------------------------------------------

TokenKind Parser::kind_at(std::size_t index) const {
    const Token& wanted = tokens_[index];
    const bool ends_statement = wanted.separated && newlines_ == Newlines::matter && newline_taken_ != index;
    return ends_statement && wanted.kind != TokenKind::end ? TokenKind::newline : wanted.kind;
}

std::uint32_t Parser::line_of(std::uint32_t offset) const {
    std::uint32_t first = 1, count = source_.line_count();
    while (count > 1) {
        const std::uint32_t half = count / 2;
        if (source_.line_start(first + half) <= offset) {
            first += half;
            count -= half;
        } else {
            count = half;
        }
    }
    return first;
}

bool Parser::take(TokenKind wanted) {
    if (!at(wanted)) return false;
    advance();
    return true;
}

void Parser::expect(TokenKind wanted, std::string_view what) {
    if (!take(wanted)) fail_expected("`" + std::string(spelling(wanted)) + "`" + std::string(what));
}

Parser::Bracket::Bracket(Parser& parser, Newlines newlines)
    : parser_(parser), outer_newlines_(parser.newlines_), outer_opener_(parser.opener_) {
    parser_.opener_ = parser_.index_;
    parser_.newlines_ = newlines;
    parser_.advance();
}

Parser::Bracket::~Bracket() {
    parser_.newlines_ = outer_newlines_;
    parser_.opener_ = outer_opener_;
}

void Parser::Bracket::close(std::string_view expected) {
    if (!parser_.take(closer_of(parser_.tokens_[parser_.opener_].kind))) parser_.fail_after_expression(expected);
}

Parser::Nesting::Nesting(Parser& parser) : parser_(parser) {
    if (parser_.nesting_ >= ast::max_tree_height) parser_.fail_depth();
    ++parser_.nesting_;
}

// ---- the script ------------------------------------------------------------------------------------------------------

ParseResult Parser::run() {
    const bool is_text = std::ranges::none_of(result_.errors, [](const Diagnostic& d) { return d.code == "E102"; });
    const bool only_separators = std::all_of(tokens_.begin(), tokens_.end() - 1, [](const Token& t) { return t.kind == TokenKind::semicolon; });
    if (only_separators) index_ = tokens_.size() - 1; // a script without items; before a first item no `;` stands
    while (is_text && !at(TokenKind::end) && result_.errors.size() < max_syntax_errors + lexer_errors_) {
        const std::size_t start = index_;
        try {
            ast::Item next = item();
            if (!at(TokenKind::newline) && !at(TokenKind::semicolon) && !at(TokenKind::end)) {
                const auto* last = std::get_if<ast::Statement>(&next.node);
                fail_separator(last && !last->is_let ? last->value.get() : nullptr);
            }
            result_.script.items.push_back(std::move(next));
        } catch (const Abandon&) {
            recover(start, tokens_.size() - 1);
        }
        separators();
    }
    if (!is_text) std::erase_if(result_.errors, [](const Diagnostic& d) { return d.code != "E102"; });
    std::ranges::stable_sort(result_.errors, {}, [](const Diagnostic& d) { return d.primary.span.begin; });
    if (result_.errors.size() > max_syntax_errors) result_.errors.resize(max_syntax_errors);
    return std::move(result_);
}

void Parser::separators() {
    for (;;) {
        if (at(TokenKind::newline)) {
            newline_taken_ = index_;
        } else if (!take(TokenKind::semicolon)) {
            return;
        }
    }
}

// After an error in the statement that begins at `start`: goes to the next statement, at most to `limit`. Whole groups in
// brackets are passed over; after a bracket that nothing closes, only a line that begins like an item is trusted.
void Parser::recover(std::size_t start, std::size_t limit) {
    const std::size_t failed_at = index_;
    bool broken = false;
    std::size_t i = start;
    for (; i < limit; ++i) {
        const Token& here = tokens_[i];
        if (i > start && i >= failed_at) {
            if (here.starts_line && starts_item(i)) break;
            const bool misplaced_block = i == failed_at && here.kind == TokenKind::left_brace; // on the line after its owner
            if (!broken && !misplaced_block && (here.separated || here.kind == TokenKind::semicolon)) break;
        }
        if (!is_opener(here.kind)) continue;
        if (partner_[i] == no_token) {
            broken = true;
        } else if (partner_[i] < limit) {
            i = partner_[i];
        }
    }
    index_ = std::max(i, std::min(start + 1, limit));
}

// Does a token begin something that only stands at the start of a statement?
bool Parser::starts_item(std::size_t index) const {
    const Token& first = tokens_[index];
    const bool goes_on = index + 1 < tokens_.size() && !tokens_[index + 1].separated; // in a block, `input` alone is a name
    const TokenKind next = goes_on ? tokens_[index + 1].kind : TokenKind::end;
    switch (first.kind) {
    case TokenKind::let_word:
    case TokenKind::fn_word:
    case TokenKind::import_word: return true;
    case TokenKind::at: return next == TokenKind::name;
    case TokenKind::name: break;
    default: return false;
    }
    const std::string_view word = first.span.text();
    if (word == "type" || word == "input") return next == TokenKind::name;
    if (word == "test" || word == "bench") return next == TokenKind::string;
    return word == "output" && next == TokenKind::name;
}

ParseResult parse(const Source& source) { return Parser(source, lex(source)).run(); }

bool is_reserved(std::string_view word) { return lexing::reserved_word(word).has_value(); }

} // namespace vmaprun
