// The formatter's state, shared by the formatter*.cpp files; nothing outside them includes this.
//
// The tree is walked in the order of the text; each comment is taken once, by the smallest sequence (items, statements,
// elements in brackets) that holds it.
#pragma once

#include <functional>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "syntax/ast.hpp"
#include "syntax/layout.hpp"
#include "syntax/lexer.hpp"

namespace vmaprun {

class Formatter {
  public:
    Formatter(const Source& source, std::span<const Comment> comments) : text_(source.text()), comments_(comments), taken_(comments.size(), false) {}
    std::string script(const ast::Script& script);

  private:
    using DocPtr = layout::DocPtr;

    // One element of a sequence: where it stands and how to lay it out.
    struct Piece {
        std::uint32_t begin, end;
        std::function<DocPtr()> build;
    };
    enum class Separator { comma, statement };
    struct Sequence {
        DocPtr doc;                    // with separators and comments, to be put between two line breaks
        std::vector<DocPtr> elements;  // alone
        bool has_comments = false;
        bool broken = false;           // by the author
    };

    // ---- the text (formatter.cpp)
    bool begins_line(std::uint32_t offset) const;
    bool blank_before(std::uint32_t offset) const;
    std::string_view between(std::uint32_t begin, std::uint32_t end) const { return text_.substr(begin, end - begin); }

    // ---- comments (formatter.cpp)
    std::vector<const Comment*> take(std::uint32_t begin, std::uint32_t end);
    const Comment* take_on_line(std::uint32_t begin, std::uint32_t end);
    std::vector<const Comment*> take_docs(const ast::Item& item, std::uint32_t end);
    static std::string plain_text(const Comment& comment); // what documents nothing where it will stand begins with one `#`

    // ---- sequences (formatter.cpp)
    Sequence sequence(const std::vector<Piece>& pieces, std::uint32_t begin, std::uint32_t end, Separator separator);
    DocPtr brackets(std::string_view open, const std::vector<Piece>& pieces, std::string_view close, std::uint32_t begin, std::uint32_t end);

    // ---- items (formatter_items.cpp)
    DocPtr node(const ast::Item& item, const ast::Import& import);
    DocPtr node(const ast::Item& item, const ast::TypeItem& type);
    DocPtr node(const ast::Item& item, const ast::Input& input);
    DocPtr node(const ast::Item& item, const ast::Output& output);
    DocPtr node(const ast::Item& item, const ast::Test& test);
    DocPtr node(const ast::Item& item, const ast::Context& context);
    DocPtr node(const ast::Item& item, const ast::Function& function);
    DocPtr node(const ast::Item& item, const ast::Statement& statement);
    DocPtr statement(const ast::Statement& statement);
    DocPtr assigned(const ast::Expr& value);
    DocPtr pattern(const ast::Pattern& pattern);
    DocPtr parameter(const ast::Param& parameter);
    DocPtr type(const ast::Type& type);
    DocPtr dim(const ast::Dim& dim);
    DocPtr block(const ast::Block& block); // not grouped

    // ---- expressions (formatter_expressions.cpp)
    DocPtr expression(const ast::Expr& expression);
    DocPtr bare(const ast::Expr& expression); // without its own parentheses
    DocPtr arguments(const std::vector<ast::Argument>& arguments, std::uint32_t begin, std::uint32_t end, std::string_view name);
    DocPtr chain(const ast::Expr& expression);
    DocPtr pipe(const ast::Expr& expression);
    DocPtr index(const ast::Index& index, std::uint32_t end);
    DocPtr list(std::string_view open, const std::vector<ast::ExprPtr>& items, std::string_view close, Span span);
    DocPtr record(const ast::Record& record, Span span);
    DocPtr comprehension(const ast::Comprehension& comprehension);
    DocPtr if_expression(const ast::If& node);
    DocPtr loop(const ast::Loop& loop);
    DocPtr lambda(const ast::Lambda& lambda);
    std::string_view literal(const ast::Expr& expression) const;

    std::string_view text_;
    std::span<const Comment> comments_;
    std::vector<bool> taken_;
};

} // namespace vmaprun
