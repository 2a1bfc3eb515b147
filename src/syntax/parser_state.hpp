// The parser's state, shared by the parser_*.cpp files; nothing outside them includes this.
//
// Invariants: index_ is that of a token (the last one is `end`, which is never passed); a rule's function stands at the
// rule's first token when called and after its last when it returns; it throws Abandon, with the error recorded, where
// the text breaks the rule.
#pragma once

#include <optional>
#include <string>
#include <utility>

#include "syntax/lexer.hpp"
#include "syntax/parser.hpp"

namespace vmaprun {

enum class Newlines : bool { free, matter };

// How tightly operators bind, loosest first.
enum class Binding : int { logical_or, logical_and, logical_not, comparison, bits, shift, range, sum, product, cast };

inline constexpr std::size_t no_token = static_cast<std::size_t>(-1);

class Parser {
  public:
    Parser(const Source& source, Lexed lexed);
    ParseResult run();

  private:
    struct Abandon {};

    // ---- tokens (parser.cpp)
    TokenKind kind_at(std::size_t index) const;
    TokenKind kind() const { return kind_at(index_); }
    TokenKind next_kind() const { return index_ + 1 < tokens_.size() ? kind_at(index_ + 1) : TokenKind::end; }
    bool at(TokenKind wanted) const { return kind() == wanted; }
    const Token& token() const { return tokens_[index_]; }
    const Token& previous() const { return tokens_[index_ == 0 ? 0 : index_ - 1]; }
    Span since(Span begin) const { return cover(begin, previous().span); }
    void advance() { index_ += index_ + 1 < tokens_.size(); }
    bool take(TokenKind wanted);
    void expect(TokenKind wanted, std::string_view what);
    bool at_word(std::string_view word) const { return at(TokenKind::name) && token().span.text() == word; }
    std::size_t partner_of(std::size_t bracket) const { return bracket == no_token ? no_token : partner_[bracket]; }
    void match_brackets();
    std::uint32_t line_of(std::uint32_t offset) const; // quicker than Source::position, which counts columns

    // An open bracket: newlines follow its rule until it is closed.
    class Bracket {
      public:
        Bracket(Parser& parser, Newlines newlines); // takes the opening token
        ~Bracket();
        Bracket(const Bracket&) = delete;
        Bracket& operator=(const Bracket&) = delete;
        void close(std::string_view expected); // `expected`: all that could stand here, as in "`,` or `)`"

      private:
        Parser& parser_;
        Newlines outer_newlines_;
        std::size_t outer_opener_;
    };
    // One level of nesting, against the limit.
    class Nesting {
      public:
        explicit Nesting(Parser& parser);
        ~Nesting() { --parser_.nesting_; }
        Nesting(const Nesting&) = delete;
        Nesting& operator=(const Nesting&) = delete;

      private:
        Parser& parser_;
    };

    // ---- script and statements (parser.cpp, parser_items.cpp)
    void separators();
    void recover(std::size_t start, std::size_t limit);
    bool starts_item(std::size_t index) const;
    ast::Item item();
    void attach_doc(ast::Item& item) const;
    ast::Import import_item();
    ast::TypeItem type_item();
    ast::Input input_item();
    ast::Output output_item();
    ast::Test test_item();
    ast::Context context_item();
    ast::Function function_item();
    ast::Decorator decorator();
    ast::Param parameter();
    ast::Statement statement();
    ast::Block block(std::string_view owner); // owner: "after the condition of `if`"
    void block_statement(ast::Block& block);

    // ---- names, patterns, types (parser_types.cpp)
    ast::Name name(std::string_view what);
    ast::Pattern pattern();
    ast::TypePtr type();
    void type_dims(ast::Type& type);
    ast::Dim dim();
    ast::Type record_type();

    // ---- expressions (parser_expressions.cpp)
    ast::ExprPtr expression();
    bool at_lambda() const;
    ast::ExprPtr lambda();
    ast::ExprPtr operators(Binding loosest);
    ast::ExprPtr cast();
    ast::ExprPtr unary();
    ast::ExprPtr postfix();
    ast::ExprPtr call(ast::ExprPtr callee);
    ast::ExprPtr index(ast::ExprPtr object);
    ast::IndexItem index_item();
    std::vector<ast::Argument> arguments();

    // ---- atoms (parser_atoms.cpp)
    ast::ExprPtr atom();
    ast::ExprPtr parentheses();
    ast::ExprPtr list();
    ast::ExprPtr comprehension(Bracket& bracket, ast::ExprPtr body, Span begin);
    bool at_record() const;
    ast::ExprPtr record();
    ast::RecordField record_field();
    ast::ExprPtr block_expression(std::string_view owner);
    ast::ExprPtr if_expression();
    ast::ExprPtr loop_expression();
    template <class Node> ast::ExprPtr make(Span span, Node node);

    // ---- errors (parser_errors.cpp)
    [[noreturn]] void fail(Diagnostic diagnostic);
    [[noreturn]] void fail_expected(std::string_view what);         // something other than this token
    [[noreturn]] void fail_after_expression(std::string_view what); // the same, where an expression has just ended
    [[noreturn]] void fail_expression();                            // no expression begins here
    [[noreturn]] void fail_name(std::string_view what);
    [[noreturn]] void fail_block(std::string_view owner);
    [[noreturn]] void fail_chain(const ast::Expr& left, Span first);
    [[noreturn]] void fail_else();
    [[noreturn]] void fail_separator(const ast::Expr* last);
    [[noreturn]] void fail_depth();
    [[noreturn]] void fail_output_colon(const std::string& output);
    void check_brackets();     // fails when a bracket is why the parser can't go on here
    void check_foreign_word(); // fails when the token before this one is a keyword of another language
    void check_block_item();   // fails where an item begins inside a block
    std::string found() const; // this token, in words
    Span found_span() const;

    const Source& source_;
    std::vector<Token> tokens_;
    std::vector<std::size_t> partner_; // of each bracket the index of the one that closes or opens it; else no_token
    ParseResult result_;
    std::size_t lexer_errors_ = 0;                 // how many of result_.errors are the lexer's: the first ones
    std::vector<std::uint32_t> lexer_error_lines_; // sorted
    std::size_t index_ = 0;
    std::size_t newline_taken_ = no_token; // the token whose newline has been read as a separator
    std::size_t opener_ = no_token;        // the innermost open bracket
    Newlines newlines_ = Newlines::matter;
    int nesting_ = 0;
};

// The greatest height among the children of a node.
int height_of_children(const ast::Expr& expression);

template <class Node> ast::ExprPtr Parser::make(Span span, Node node) {
    auto expression = std::make_unique<ast::Expr>(ast::Expr{span, std::move(node)});
    expression->height = 1 + height_of_children(*expression);
    if (expression->height > ast::max_tree_height) fail_depth();
    return expression;
}

} // namespace vmaprun
