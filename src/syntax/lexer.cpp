#include "syntax/lexer.hpp"

#include "syntax/lexer_tables.hpp"

namespace vmaprun {

using namespace lexing;

bool ends_expression(TokenKind kind) {
    switch (kind) {
    case TokenKind::name:
    case TokenKind::underscore:
    case TokenKind::number:
    case TokenKind::string:
    case TokenKind::true_word:
    case TokenKind::false_word:
    case TokenKind::none_word:
    case TokenKind::right_paren:
    case TokenKind::right_bracket:
    case TokenKind::right_brace: return true;
    default: return false;
    }
}

namespace {

class Lexer {
  public:
    explicit Lexer(const Source& source) : source_(source), text_(source.text()) {}

    Lexed run() {
        check_bytes();
        if (text_.starts_with("\xEF\xBB\xBF")) at_ = 3;
        while (at_ < text_.size()) step();
        push(TokenKind::end, 0);
        return std::move(lexed_);
    }

  private:
    void step();
    void comment();
    void name();
    void number();
    void string();
    void other();
    void lookalike(Character character);
    void unknown();
    void check_bytes();

    std::string_view rest() const { return text_.substr(at_); }
    Span here(std::size_t length) const { return place(at_, at_ + length); }
    Span place(std::size_t begin, std::size_t end) const { return {&source_, static_cast<std::uint32_t>(begin), static_cast<std::uint32_t>(end)}; }
    Token& push(TokenKind kind, std::size_t length);
    void report(Diagnostic diagnostic) { lexed_.errors.push_back(std::move(diagnostic)); }
    void report(const Literal& literal) {
        if (literal.message.empty()) return;
        report(error(literal.code, literal.message).at(place(at_ + literal.wrong_begin, at_ + literal.wrong_end)).help(literal.help));
    }
    bool previous_ends_expression() const { return !lexed_.tokens.empty() && ends_expression(lexed_.tokens.back().kind); }

    const Source& source_;
    std::string_view text_;
    std::size_t at_ = 0;
    bool newline_ = false;        // one stands between the last token and here
    bool line_is_blank_ = true;   // no token since the line began
    Lexed lexed_;
};

Token& Lexer::push(TokenKind kind, std::size_t length) {
    Token token;
    token.kind = kind;
    token.span = here(length);
    token.starts_line = newline_;
    const bool continues = kind == TokenKind::pipe || kind == TokenKind::else_word || kind == TokenKind::dot;
    token.separated = newline_ && previous_ends_expression() && !continues;
    newline_ = line_is_blank_ = false;
    at_ += length;
    lexed_.tokens.push_back(std::move(token));
    return lexed_.tokens.back();
}

void Lexer::step() {
    const char byte = text_[at_];
    if (byte == '\n') {
        newline_ = line_is_blank_ = true;
        ++at_;
    } else if (byte == ' ' || byte == '\t' || byte == '\r') {
        ++at_;
    } else if (byte == '#') {
        comment();
    } else if (is_digit(byte) || (byte == '.' && at_ + 1 < text_.size() && is_digit(text_[at_ + 1]) && !previous_ends_expression())) {
        number();
    } else if (byte == '"' || byte == '\'') {
        string();
    } else if (const Character character = decode(rest()); character.length > 0 && is_letter(character.code)) {
        name();
    } else {
        other();
    }
}

void Lexer::comment() {
    std::size_t end = std::min(text_.find('\n', at_), text_.size());
    const std::size_t next = end;
    while (end > at_ && (text_[end - 1] == '\r' || text_[end - 1] == ' ' || text_[end - 1] == '\t')) --end;
    const std::string_view body = text_.substr(at_, end - at_);
    const bool is_doc = body.starts_with("##") && !body.starts_with("###");
    lexed_.comments.push_back({place(at_, end), is_doc, line_is_blank_});
    at_ = next;
}

void Lexer::name() {
    std::size_t length = 0;
    while (at_ + length < text_.size()) {
        const Character character = decode(text_.substr(at_ + length));
        if (character.length == 0 || !(is_letter(character.code) || (character.code < 0x80 && is_digit(static_cast<char>(character.code))))) break;
        length += character.length;
    }
    const std::string_view word = text_.substr(at_, length);
    push(word == "_" ? TokenKind::underscore : reserved_word(word).value_or(TokenKind::name), length);
}

void Lexer::number() {
    const Literal literal = number_at(rest());
    report(literal);
    push(TokenKind::number, literal.length).number = literal.number;
}

void Lexer::string() {
    Literal literal = string_at(rest());
    report(literal);
    push(TokenKind::string, literal.length).string = std::move(literal.string);
}

void Lexer::other() {
    if (const ForeignOperator* foreign = foreign_operator_at(rest())) {
        report(error("E103", "`" + std::string(foreign->text) + "` is no operator").at(here(foreign->text.size())).help(std::string(foreign->help)));
        push(foreign->meant, foreign->text.size());
    } else if (const auto found = operator_at(rest())) {
        push(found->kind, found->length);
    } else if (const Character character = decode(rest()); !ascii_for(character.code).empty() && character.code >= 0x80) {
        lookalike(character);
    } else {
        unknown();
    }
}

void Lexer::lookalike(Character character) {
    const std::string ascii(ascii_for(character.code));
    const std::string kind = is_full_width(character.code) ? "a full-width character" : "no ASCII character";
    report(error("E104", "`" + std::string(text_.substr(at_, character.length)) + "` is " + kind)
               .at(here(character.length))
               .help(ascii == " " ? std::string("write a plain space") : "write the ASCII `" + ascii + "`"));
    if (const auto found = operator_at(ascii)) {
        push(found->kind, character.length);
    } else if (const ForeignOperator* foreign = foreign_operator_at(ascii)) {
        push(foreign->meant, character.length);
    } else if (is_digit(ascii[0])) {
        push(TokenKind::number, character.length);
    } else if (is_letter(static_cast<unsigned char>(ascii[0]))) {
        push(TokenKind::name, character.length);
    } else {
        at_ += character.length; // a space, a quote: what it begins or ends can't be told
    }
}

// A run of characters that begin no token; one error for all of them.
void Lexer::unknown() {
    std::size_t end = at_;
    const std::size_t first = std::max<std::size_t>(1, decode(rest()).length);
    bool visible = false;
    while (end < text_.size()) {
        const std::string_view remaining = text_.substr(end);
        const Character character = decode(remaining);
        const bool known = character.length > 0 && (is_letter(character.code) || is_digit(remaining[0]) || operator_at(remaining) ||
                                                    foreign_operator_at(remaining) || !ascii_for(character.code).empty() ||
                                                    std::string_view(" \t\r\n#\"'").find(remaining[0]) != std::string_view::npos);
        if (known) break;
        visible = visible || (character.length > 0 && character.code > 0x20 && character.code != 0x7F);
        end += std::max<std::size_t>(1, character.length);
    }
    if (visible) {
        Diagnostic diagnostic = error("E101", "unknown character `" + std::string(text_.substr(at_, first)) + "`").at(place(at_, end));
        if (text_[at_] == '\\') diagnostic.helps.push_back("a line goes on by itself inside `(` and `[`, after an operator, and before `|>`");
        if (text_[at_] == '?') diagnostic.helps.push_back("a choice is written `if c { a } else { b }`");
        if (decode(rest()).length > 0) report(std::move(diagnostic)); // else it is no text, which check_bytes says
    } else if (decode(rest()).length > 0 && text_[at_] != '\0') {
        static constexpr char digits[] = "0123456789abcdef";
        const auto byte = static_cast<unsigned char>(text_[at_]);
        report(error("E101", std::string("unknown control character 0x") + digits[byte >> 4U] + digits[byte & 0xFU]).at(place(at_, end)));
    }
    at_ = std::max(end, at_ + 1);
}

// A file that isn't text is told once, not once a byte.
void Lexer::check_bytes() {
    if (text_.starts_with("\xFF\xFE") || text_.starts_with("\xFE\xFF")) {
        report(error("E102", "the script is UTF-16, not UTF-8").at(place(0, 2)).help("save it as UTF-8"));
        return;
    }
    for (std::size_t i = 0; i < text_.size();) {
        const Character character = decode(text_.substr(i));
        if (character.length == 0) {
            report(error("E102", "the script is not valid UTF-8").at(place(i, i + 1)).help("save it as UTF-8"));
            return;
        }
        if (character.code == 0) {
            report(error("E102", "the script holds a NUL byte").at(place(i, i + 1)).help("remove it; is this a script?"));
            return;
        }
        i += character.length;
    }
}

} // namespace

Lexed lex(const Source& source) { return Lexer(source).run(); }

} // namespace vmaprun
