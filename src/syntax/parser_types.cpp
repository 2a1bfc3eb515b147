// Names, patterns, types.
#include "syntax/parser_state.hpp"

namespace vmaprun {

ast::Name Parser::name(std::string_view what) {
    if (!at(TokenKind::name)) fail_name(what);
    ast::Name name{std::string(token().span.text()), token().span};
    advance();
    return name;
}

// Parentheses around one pattern only group, as around one expression.
ast::Pattern Parser::pattern() {
    const Nesting nesting(*this);
    const Span begin = token().span;
    ast::Pattern pattern;
    if (at(TokenKind::left_paren)) {
        pattern.form = ast::Pattern::Form::tuple;
        Bracket bracket(*this, Newlines::free);
        do {
            pattern.items.push_back(this->pattern());
        } while (take(TokenKind::comma));
        bracket.close("`,` or `)` in the pattern");
        if (pattern.items.size() == 1) {
            ast::Pattern inner = std::move(pattern.items.front());
            pattern = std::move(inner);
        }
    } else if (take(TokenKind::underscore)) {
        pattern.form = ast::Pattern::Form::ignore;
    } else {
        pattern.name = name("").text;
    }
    pattern.span = since(begin);
    return pattern;
}

ast::TypePtr Parser::type() {
    const Nesting nesting(*this);
    const Span begin = token().span;
    auto type = std::make_unique<ast::Type>();
    if (at(TokenKind::left_paren)) {
        type->form = ast::Type::Form::tuple;
        Bracket bracket(*this, Newlines::free);
        do {
            type->items.push_back(this->type());
        } while (take(TokenKind::comma));
        bracket.close("`,` or `)` in the tuple of types");
        if (type->items.size() == 1) {
            ast::TypePtr inner = std::move(type->items.front());
            type = std::move(inner);
        }
    } else if (at(TokenKind::left_brace)) {
        *type = record_type();
    } else {
        if (!at(TokenKind::name)) fail_expected("a type");
        type->word = name("");
        if (at(TokenKind::left_bracket)) type_dims(*type);
    }
    type->span = since(begin);
    return type;
}

void Parser::type_dims(ast::Type& type) {
    type.has_dims = true;
    Bracket bracket(*this, Newlines::free);
    do {
        type.dims.push_back(dim());
    } while (take(TokenKind::comma));
    bracket.close("`,` or `]` in the shape");
}

ast::Dim Parser::dim() {
    ast::Dim dim;
    dim.span = token().span;
    if (take(TokenKind::rest)) {
        dim.form = ast::Dim::Form::rest;
    } else if (take(TokenKind::underscore)) {
        dim.form = ast::Dim::Form::any;
    } else {
        if (at(TokenKind::right_bracket)) {
            fail(error("E110", "expected a size, found `]`").at(token().span).help("a scalar type has no brackets: `f32`; any rank is `f32[...]`"));
        }
        dim.form = ast::Dim::Form::expression;
        dim.expression = operators(Binding::sum);
        dim.span = dim.expression->span;
    }
    return dim;
}

ast::Type Parser::record_type() {
    ast::Type type;
    type.form = ast::Type::Form::record;
    Bracket bracket(*this, Newlines::free);
    do {
        ast::TypeField field{name("of a field"), nullptr};
        expect(TokenKind::colon, " after the name of the field");
        field.type = this->type();
        type.fields.push_back(std::move(field));
    } while (take(TokenKind::comma));
    bracket.close("`,` or `}` in the record type");
    return type;
}

} // namespace vmaprun
