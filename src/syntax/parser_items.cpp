// Items, statements, blocks.
#include <algorithm>

#include "syntax/parser_state.hpp"

namespace vmaprun {

// The words of items are keywords only where the grammar has them: `output` and `context` at the start of an item, the
// others when what the grammar wants follows on the line.
ast::Item Parser::item() {
    const Span begin = token().span;
    const TokenKind next = next_kind();
    ast::Item item;
    if (at(TokenKind::import_word)) {
        item.node = import_item();
    } else if (at(TokenKind::fn_word) || at(TokenKind::at)) {
        item.node = function_item();
    } else if (at_word("output")) {
        item.node = output_item();
    } else if (at_word("context")) {
        item.node = context_item();
    } else if (at_word("type") && next == TokenKind::name) {
        item.node = type_item();
    } else if (at_word("input") && next == TokenKind::name) {
        item.node = input_item();
    } else if ((at_word("test") || at_word("bench")) && next == TokenKind::string) {
        item.node = test_item();
    } else {
        item.node = statement();
    }
    item.span = since(begin);
    attach_doc(item);
    return item;
}

// The `##` lines right above the item, and those behind its first line.
void Parser::attach_doc(ast::Item& item) const {
    const auto& comments = result_.comments;
    const auto after = std::ranges::lower_bound(comments, item.span.begin, {}, [](const Comment& c) { return c.span.begin; });
    const std::uint32_t first_line = line_of(item.span.begin);
    auto first = after;
    for (std::uint32_t line = first_line; first != comments.begin() && std::prev(first)->own_line && line_of(std::prev(first)->span.begin) + 1 == line; --line) --first;
    auto last = after;
    while (last != comments.end() && line_of(last->span.begin) == first_line) ++last;
    for (auto comment = first; comment != last; ++comment) {
        if (!comment->is_doc) continue;
        std::string_view text = comment->span.text().substr(2);
        if (text.starts_with(' ')) text.remove_prefix(1);
        if (!item.doc.empty()) item.doc += '\n';
        item.doc += text;
    }
}

ast::Import Parser::import_item() {
    advance();
    if (!at(TokenKind::string)) fail_expected("the path of a file in quotes after `import`");
    ast::Import import{token().string, token().span, std::nullopt};
    advance();
    if (take(TokenKind::as_word)) import.alias = name("after `as`");
    return import;
}

ast::TypeItem Parser::type_item() {
    advance();
    ast::TypeItem item{name("after `type`"), nullptr};
    expect(TokenKind::assign, " after the name of the type");
    item.type = type();
    return item;
}

ast::Input Parser::input_item() {
    advance();
    ast::Input input{name("after `input`"), nullptr, nullptr};
    if (take(TokenKind::colon)) input.type = type();
    if (take(TokenKind::assign)) input.default_value = expression();
    return input;
}

ast::Output Parser::output_item() {
    advance();
    if (at(TokenKind::newline)) newline_taken_ = index_; // the keyword can't end an expression
    ast::Output output;
    if (at(TokenKind::name) && next_kind() == TokenKind::assign) {
        output.name = name("after `output`");
        advance();
    }
    output.value = expression();
    if (const auto* named = std::get_if<ast::Identifier>(&output.value->node); named && at(TokenKind::colon)) fail_output_colon(named->name);
    return output;
}

ast::Test Parser::test_item() {
    ast::Test test;
    test.is_bench = at_word("bench");
    advance();
    test.name = token().string;
    test.name_span = token().span;
    advance();
    test.block = block(test.is_bench ? "after the name of a bench" : "after the name of a test");
    return test;
}

ast::Context Parser::context_item() {
    advance();
    if (at(TokenKind::newline)) newline_taken_ = index_;
    if (!at(TokenKind::left_paren)) fail_expected("`(` after `context`");
    return {arguments()};
}

ast::Decorator Parser::decorator() {
    const Span begin = token().span;
    advance();
    ast::Decorator decorator;
    decorator.name = name("after `@`");
    if (at(TokenKind::left_paren)) {
        decorator.has_arguments = true;
        decorator.arguments = arguments();
    }
    decorator.span = since(begin);
    if (at(TokenKind::newline)) newline_taken_ = index_; // newlines are free after an attribute
    return decorator;
}

ast::Function Parser::function_item() {
    ast::Function function;
    while (at(TokenKind::at)) function.decorators.push_back(decorator());
    const Span begin = token().span;
    expect(TokenKind::fn_word, " after the attribute");
    function.name = name("after `fn`");
    if (!at(TokenKind::left_paren)) fail_expected("`(` and the parameters after the name of the function");
    {
        Bracket bracket(*this, Newlines::free);
        if (!at(TokenKind::right_paren)) {
            do {
                function.params.push_back(parameter());
            } while (take(TokenKind::comma));
        }
        bracket.close("`,` or `)` after a parameter");
    }
    if (take(TokenKind::arrow)) function.result = type();
    function.signature = since(begin);
    if (take(TokenKind::assign)) {
        function.body = expression();
    } else {
        if (!at(TokenKind::left_brace)) fail_expected("`=` or `{` before the body of the function");
        function.body = block_expression("");
    }
    return function;
}

ast::Param Parser::parameter() {
    const Span begin = token().span;
    ast::Param parameter;
    parameter.pattern = pattern();
    if (take(TokenKind::colon)) parameter.type = type();
    if (take(TokenKind::assign)) parameter.default_value = expression();
    parameter.span = since(begin);
    return parameter;
}

ast::Statement Parser::statement() {
    const Span begin = token().span;
    ast::Statement statement;
    statement.is_let = take(TokenKind::let_word);
    if (statement.is_let) {
        statement.pattern = pattern();
        if (take(TokenKind::colon)) statement.type = type();
        if (at(TokenKind::left_paren) && !statement.type) {
            fail(error("E110", "expected `=` after the name, found `(`").at(token().span).help("a function with a name is defined by `fn f(x) = …`"));
        }
        expect(TokenKind::assign, statement.type ? " after the type" : " after the name");
    }
    statement.value = expression();
    statement.span = since(begin);
    return statement;
}

ast::Block Parser::block(std::string_view owner) {
    if (!at(TokenKind::left_brace)) fail_block(owner);
    const Span begin = token().span;
    const std::size_t opener = index_;
    ast::Block block;
    Bracket bracket(*this, Newlines::matter);
    while (!at(TokenKind::right_brace)) {
        const std::size_t start = index_;
        try {
            block_statement(block);
        } catch (const Abandon&) {
            if (partner_of(opener) == no_token || result_.errors.size() >= max_syntax_errors + lexer_errors_) throw;
            recover(start, partner_of(opener));
            block.statements.emplace_back(); // never seen: the script is wrong
        }
        separators();
    }
    bracket.close("`}`");
    block.span = since(begin);
    if (block.statements.empty()) {
        fail(error("E115", "this block is empty").at(block.span).help("a block's value is its last expression; for no value write `()`"));
    }
    if (const ast::Statement& last = block.statements.back(); last.is_let) {
        fail(error("E115", "this block ends in a `let`, so it has no value").at(last.span).help("end it with an expression, such as the name that was bound"));
    }
    return block;
}

void Parser::block_statement(ast::Block& block) {
    check_block_item();
    ast::Statement next = statement();
    if (!at(TokenKind::newline) && !at(TokenKind::semicolon) && !at(TokenKind::right_brace)) fail_separator(next.is_let ? nullptr : next.value.get());
    block.statements.push_back(std::move(next));
}

} // namespace vmaprun
