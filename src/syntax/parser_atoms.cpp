// Atoms: literals, names, everything in brackets, `if` and `loop`.
#include "syntax/parser_state.hpp"

namespace vmaprun {

ast::ExprPtr Parser::atom() {
    const Token& first = token();
    switch (kind()) {
    case TokenKind::number: advance(); return make(first.span, first.number);
    case TokenKind::string: advance(); return make(first.span, ast::String{first.string});
    case TokenKind::name: advance(); return make(first.span, ast::Identifier{std::string(first.span.text())});
    case TokenKind::true_word: advance(); return make(first.span, ast::Boolean{true});
    case TokenKind::false_word: advance(); return make(first.span, ast::Boolean{false});
    case TokenKind::none_word: advance(); return make(first.span, ast::None{});
    case TokenKind::left_paren: return parentheses();
    case TokenKind::left_bracket: return list();
    case TokenKind::left_brace: return at_record() ? record() : block_expression("");
    case TokenKind::if_word: return if_expression();
    case TokenKind::loop_word: return loop_expression();
    default: fail_expression();
    }
}

// A tuple, or one expression in parentheses, whose span is widened to them.
ast::ExprPtr Parser::parentheses() {
    const Span begin = token().span;
    ast::Tuple tuple;
    bool has_comma = false;
    {
        Bracket bracket(*this, Newlines::free);
        while (!at(TokenKind::right_paren)) {
            tuple.items.push_back(expression());
            if (!take(TokenKind::comma)) break;
            has_comma = true;
        }
        bracket.close("`,` or `)`");
    }
    if (has_comma || tuple.items.empty()) return make(since(begin), std::move(tuple));
    ast::ExprPtr inner = std::move(tuple.items.front());
    inner->span = since(begin);
    inner->parenthesized = true;
    return inner;
}

ast::ExprPtr Parser::list() {
    const Span begin = token().span;
    ast::List list;
    {
        Bracket bracket(*this, Newlines::free);
        if (!at(TokenKind::right_bracket)) {
            list.items.push_back(expression());
            if (at(TokenKind::for_word)) return comprehension(bracket, std::move(list.items.front()), begin);
            while (take(TokenKind::comma)) list.items.push_back(expression());
        }
        bracket.close("`,` or `]`");
    }
    return make(since(begin), std::move(list));
}

ast::ExprPtr Parser::comprehension(Bracket& bracket, ast::ExprPtr body, Span begin) {
    ast::Comprehension comprehension{std::move(body), {}};
    while (take(TokenKind::for_word)) {
        ast::Generator generator;
        generator.pattern = pattern();
        if (!take(TokenKind::in_word)) fail_expected("`in` after the name of the element");
        generator.sequence = expression();
        comprehension.generators.push_back(std::move(generator));
    }
    if (at(TokenKind::if_word)) {
        fail(error("E110", "a comprehension has no `if`").at(token().span).help("choose elements with `compress(mask, x, size=n)`, or values with `where`"));
    }
    bracket.close("`for` or `]`");
    return make(since(begin), std::move(comprehension));
}

// Where no block is asked for, `{` opens a record when `}`, `..`, `name:`, `name,` or `name}` follows (newlines between
// them don't count), else a block.
bool Parser::at_record() const {
    const auto raw = [this](std::size_t ahead) { return index_ + ahead < tokens_.size() ? tokens_[index_ + ahead].kind : TokenKind::end; };
    if (raw(1) == TokenKind::right_brace || raw(1) == TokenKind::range) return true;
    if (raw(1) != TokenKind::name) return false;
    return raw(2) == TokenKind::colon || raw(2) == TokenKind::comma || raw(2) == TokenKind::right_brace;
}

ast::ExprPtr Parser::record() {
    const Span begin = token().span;
    ast::Record record;
    {
        Bracket bracket(*this, Newlines::free);
        if (!at(TokenKind::right_brace)) {
            do {
                record.fields.push_back(record_field());
            } while (take(TokenKind::comma));
        }
        bracket.close("`,` or `}` after a field");
    }
    return make(since(begin), std::move(record));
}

ast::RecordField Parser::record_field() {
    ast::RecordField field;
    if (take(TokenKind::range)) {
        field.form = ast::RecordField::Form::spread;
        field.value = expression();
        return field;
    }
    field.name = name("of a field");
    if (take(TokenKind::colon)) {
        field.form = ast::RecordField::Form::value;
        field.value = expression();
    } else {
        field.form = ast::RecordField::Form::shorthand;
        field.value = make(field.name.span, ast::Identifier{field.name.text});
    }
    return field;
}

ast::ExprPtr Parser::block_expression(std::string_view owner) {
    const Span begin = token().span;
    ast::Block inner = block(owner);
    return make(since(begin), ast::BlockExpr{std::move(inner)});
}

ast::ExprPtr Parser::if_expression() {
    const Nesting nesting(*this);
    const Span begin = token().span;
    advance();
    ast::If node;
    node.condition = expression();
    node.then_block = block("after the condition of `if`");
    if (!take(TokenKind::else_word)) fail_else();
    node.otherwise = at(TokenKind::if_word) ? if_expression() : block_expression("after `else`");
    return make(since(begin), std::move(node));
}

ast::ExprPtr Parser::loop_expression() {
    const Span begin = token().span;
    advance();
    ast::Loop node;
    node.pattern = pattern();
    expect(TokenKind::assign, " and the first value of the carry");
    node.init = expression();
    if (take(TokenKind::while_word)) {
        node.condition = expression();
        if (at_word("limit")) {
            advance();
            if (at(TokenKind::newline)) newline_taken_ = index_; // the keyword can't end an expression
            node.limit = expression();
        }
        node.body = block(node.limit ? "after the limit of the loop" : "after the condition of the loop");
    } else if (take(TokenKind::for_word)) {
        node.counter = pattern();
        if (!take(TokenKind::in_word)) fail_expected("`in` after the name of the counter");
        node.sequence = expression();
        node.body = block("after the range of the loop");
    } else {
        fail_after_expression("`while` or `for` after the first value of the carry");
    }
    return make(since(begin), std::move(node));
}

} // namespace vmaprun
