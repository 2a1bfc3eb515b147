// Expressions down to calls and indices; operators by precedence climbing.
#include "syntax/parser_state.hpp"

namespace vmaprun {
namespace {

struct Infix {
    ast::BinaryOp op;
    Binding binding;
};

std::optional<Infix> infix(TokenKind kind) {
    using ast::BinaryOp;
    switch (kind) {
    case TokenKind::or_word: return Infix{BinaryOp::logical_or, Binding::logical_or};
    case TokenKind::and_word: return Infix{BinaryOp::logical_and, Binding::logical_and};
    case TokenKind::equal: return Infix{BinaryOp::equal, Binding::comparison};
    case TokenKind::not_equal: return Infix{BinaryOp::not_equal, Binding::comparison};
    case TokenKind::less: return Infix{BinaryOp::less, Binding::comparison};
    case TokenKind::less_equal: return Infix{BinaryOp::less_equal, Binding::comparison};
    case TokenKind::greater: return Infix{BinaryOp::greater, Binding::comparison};
    case TokenKind::greater_equal: return Infix{BinaryOp::greater_equal, Binding::comparison};
    case TokenKind::ampersand: return Infix{BinaryOp::bit_and, Binding::bits};
    case TokenKind::bar: return Infix{BinaryOp::bit_or, Binding::bits};
    case TokenKind::shift_left: return Infix{BinaryOp::shift_left, Binding::shift};
    case TokenKind::shift_right: return Infix{BinaryOp::shift_right, Binding::shift};
    case TokenKind::range: return Infix{BinaryOp::add, Binding::range}; // its own node: the operation is not read
    case TokenKind::plus: return Infix{BinaryOp::add, Binding::sum};
    case TokenKind::minus: return Infix{BinaryOp::subtract, Binding::sum};
    case TokenKind::star: return Infix{BinaryOp::multiply, Binding::product};
    case TokenKind::slash: return Infix{BinaryOp::divide, Binding::product};
    case TokenKind::double_slash: return Infix{BinaryOp::floor_divide, Binding::product};
    case TokenKind::percent: return Infix{BinaryOp::remainder, Binding::product};
    case TokenKind::at: return Infix{BinaryOp::matmul, Binding::product};
    default: return std::nullopt;
    }
}

Binding tighter(Binding binding) { return static_cast<Binding>(static_cast<int>(binding) + 1); }

} // namespace

ast::ExprPtr Parser::expression() {
    const Nesting nesting(*this);
    if (at_lambda()) return lambda();
    ast::ExprPtr value = operators(Binding::logical_or);
    while (take(TokenKind::pipe)) {
        ast::ExprPtr stage = postfix();
        const Span span = cover(value->span, stage->span);
        value = make(span, ast::Pipe{std::move(value), std::move(stage)});
    }
    return value;
}

// A name, or a group in parentheses, before `=>`.
bool Parser::at_lambda() const {
    std::size_t last = index_;
    if (at(TokenKind::left_paren)) {
        last = partner_of(index_);
    } else if (!at(TokenKind::name)) {
        return false;
    }
    return last != no_token && last + 1 < tokens_.size() && kind_at(last + 1) == TokenKind::fat_arrow;
}

ast::ExprPtr Parser::lambda() {
    const Span begin = token().span;
    ast::Lambda lambda;
    const auto add = [&lambda](ast::Pattern pattern) {
        ast::Param parameter;
        parameter.span = pattern.span;
        parameter.pattern = std::move(pattern);
        lambda.params.push_back(std::move(parameter));
    };
    if (at(TokenKind::left_paren)) {
        Bracket bracket(*this, Newlines::free);
        if (!at(TokenKind::right_paren)) {
            do {
                add(pattern());
            } while (take(TokenKind::comma));
        }
        if (at(TokenKind::colon) || at(TokenKind::assign)) {
            fail(error("E110", "the parameters of `=>` have no types and no defaults").at(token().span).help("define a `fn` for that"));
        }
        bracket.close("`,` or `)` in the parameters");
    } else {
        add(pattern());
    }
    advance(); // =>
    lambda.body = expression();
    return make(since(begin), std::move(lambda));
}

ast::ExprPtr Parser::operators(Binding loosest) {
    ast::ExprPtr left;
    if (at(TokenKind::not_word) && loosest <= Binding::logical_not) {
        const Nesting nesting(*this);
        const Span op_span = token().span;
        advance();
        ast::ExprPtr operand = operators(Binding::logical_not);
        left = make(since(op_span), ast::Unary{ast::UnaryOp::logical_not, std::move(operand), op_span});
    } else {
        left = cast();
    }
    Span chain = {}; // of the last comparison or `..`, neither of which chains
    Binding chain_binding = Binding::cast;
    for (auto op = infix(kind()); op && op->binding >= loosest; op = infix(kind())) {
        if (chain && op->binding == chain_binding) fail_chain(*left, chain);
        const Span op_span = token().span;
        advance();
        ast::ExprPtr right = operators(tighter(op->binding));
        const Span span = cover(left->span, right->span);
        const bool is_range = op->binding == Binding::range;
        if (is_range || op->binding == Binding::comparison) {
            chain = op_span;
            chain_binding = op->binding;
        }
        left = is_range ? make(span, ast::Range{std::move(left), std::move(right)})
                        : make(span, ast::Binary{op->op, std::move(left), std::move(right), op_span});
    }
    return left;
}

ast::ExprPtr Parser::cast() {
    ast::ExprPtr operand = unary();
    while (take(TokenKind::as_word)) {
        ast::Name type = name("of a dtype after `as`");
        const Span span = cover(operand->span, type.span);
        operand = make(span, ast::Cast{std::move(operand), std::move(type)});
    }
    return operand;
}

// `-`, `+`, `~` bind looser than `**` on their right and tighter than every other operator.
ast::ExprPtr Parser::unary() {
    const Span begin = token().span;
    std::optional<ast::UnaryOp> op;
    if (at(TokenKind::minus)) op = ast::UnaryOp::negate;
    if (at(TokenKind::plus)) op = ast::UnaryOp::plus;
    if (at(TokenKind::tilde)) op = ast::UnaryOp::invert;
    if (op) {
        const Nesting nesting(*this);
        advance();
        ast::ExprPtr operand = unary();
        return make(since(begin), ast::Unary{*op, std::move(operand), begin});
    }
    ast::ExprPtr base = postfix();
    if (!at(TokenKind::power)) return base;
    const Nesting nesting(*this);
    const Span op_span = token().span;
    advance();
    ast::ExprPtr exponent = unary();
    const Span span = cover(base->span, exponent->span);
    return make(span, ast::Binary{ast::BinaryOp::power, std::move(base), std::move(exponent), op_span});
}

ast::ExprPtr Parser::postfix() {
    ast::ExprPtr value = atom();
    for (;;) {
        if (at(TokenKind::left_paren)) {
            value = call(std::move(value));
        } else if (at(TokenKind::left_bracket)) {
            value = index(std::move(value));
        } else if (take(TokenKind::dot)) {
            ast::Name member = name("after `.`");
            const Span span = cover(value->span, member.span);
            value = make(span, ast::Member{std::move(value), std::move(member)});
        } else {
            return value;
        }
    }
}

ast::ExprPtr Parser::call(ast::ExprPtr callee) {
    const Span begin = callee->span;
    std::vector<ast::Argument> given = arguments();
    return make(since(begin), ast::Call{std::move(callee), std::move(given)});
}

// From `(` to `)`.
std::vector<ast::Argument> Parser::arguments() {
    std::vector<ast::Argument> arguments;
    Bracket bracket(*this, Newlines::free);
    while (!at(TokenKind::right_paren)) {
        ast::Argument argument;
        if (at(TokenKind::name) && next_kind() == TokenKind::assign) {
            argument.keyword = name("");
            advance();
        }
        argument.value = expression();
        if (!argument.keyword && !arguments.empty() && arguments.back().keyword && !at(TokenKind::assign)) {
            fail(error("E117", "a positional argument after a keyword argument")
                     .at(argument.value->span)
                     .label(arguments.back().keyword->span, "the keyword argument")
                     .help("positional arguments come first; or give this one by its name as well"));
        }
        arguments.push_back(std::move(argument));
        if (!take(TokenKind::comma)) break;
    }
    bracket.close("`,` or `)` after an argument");
    return arguments;
}

ast::ExprPtr Parser::index(ast::ExprPtr object) {
    const Span begin = object->span;
    std::vector<ast::IndexItem> items;
    {
        Bracket bracket(*this, Newlines::free);
        if (at(TokenKind::right_bracket)) fail(error("E110", "expected an index, found `]`").at(token().span).help("all of it is `x[:]`, or `x`"));
        do {
            items.push_back(index_item());
        } while (take(TokenKind::comma));
        bracket.close("`,` or `]` after an index");
    }
    return make(since(begin), ast::Index{std::move(object), std::move(items)});
}

ast::IndexItem Parser::index_item() {
    const Span begin = token().span;
    ast::IndexItem item;
    if (take(TokenKind::rest)) {
        item.form = ast::IndexItem::Form::rest;
        item.span = begin;
        return item;
    }
    ast::ExprPtr first;
    if (!at(TokenKind::colon)) first = expression();
    if (!take(TokenKind::colon)) {
        item.value = std::move(first);
        item.span = item.value->span;
        return item;
    }
    const auto ends = [this] { return at(TokenKind::colon) || at(TokenKind::comma) || at(TokenKind::right_bracket); };
    item.form = ast::IndexItem::Form::slice;
    item.start = std::move(first);
    if (!ends()) item.stop = expression();
    if (take(TokenKind::colon) && !ends()) item.step = expression();
    item.span = since(begin);
    return item;
}

} // namespace vmaprun
