// Items, statements, blocks, patterns, types.
#include <algorithm>

#include "syntax/formatter_state.hpp"

namespace vmaprun {

using namespace layout;

namespace {

template <class Node> bool is(const ast::Expr& expression) { return std::holds_alternative<Node>(expression.node); }

// Does a value begin with a bracket of its own, which is where to break it?
bool breaks_inside(const ast::Expr& value) {
    return value.parenthesized || is<ast::Call>(value) || is<ast::List>(value) || is<ast::Tuple>(value) || is<ast::Record>(value) || is<ast::BlockExpr>(value) ||
           is<ast::If>(value) || is<ast::Loop>(value) || is<ast::Comprehension>(value) || is<ast::Lambda>(value) || is<ast::Pipe>(value) || is<ast::Index>(value);
}

bool has_block(const ast::Expr& value) { return is<ast::BlockExpr>(value) || is<ast::If>(value) || is<ast::Loop>(value) || is<ast::Pipe>(value); }

std::string quoted_as_written(Span span) { return std::string(span.text()); }

} // namespace

std::string Formatter::script(const ast::Script& script) {
    Printed out;
    std::uint32_t end = 0; // of what has been written
    const auto put = [&](std::uint32_t begin, const std::string& lines) {
        if (!out.text.empty() && blank_before(begin)) out.text += "\n";
        out.text += lines;
    };
    for (std::size_t i = 0; i < script.items.size(); ++i) {
        const ast::Item& next = script.items[i];
        const std::uint32_t limit = i + 1 < script.items.size() ? script.items[i + 1].span.begin : static_cast<std::uint32_t>(text_.size());
        for (const Comment* comment : take(end, next.span.begin)) {
            put(comment->span.begin, (comment->own_line ? std::string(comment->span.text()) : plain_text(*comment)) + "\n");
        }
        std::string above;
        for (const Comment* doc : take_docs(next, limit)) above += std::string(doc->span.text()) + "\n";
        DocPtr doc = std::visit([&](const auto& inner) { return node(next, inner); }, next.node);
        for (const Comment* inside : take(next.span.begin, next.span.end)) above += plain_text(*inside) + "\n";
        if (const Comment* trailing = take_on_line(next.span.end, limit)) doc = concat({doc, suffix(plain_text(*trailing))});
        put(next.span.begin, above);
        const Printed printed = print(doc);
        for (const std::size_t comment : printed.suffixes) out.suffixes.push_back(out.text.size() + comment);
        out.text += printed.text + "\n";
        end = next.span.end;
    }
    for (const Comment* comment : take(end, static_cast<std::uint32_t>(text_.size()))) put(comment->span.begin, std::string(comment->span.text()) + "\n");
    return align_suffixes(out);
}

// The `##` behind the first line of an item: they document it, which they would not behind its last line.
std::vector<const Comment*> Formatter::take_docs(const ast::Item& item, std::uint32_t end) {
    const std::size_t line_end = std::min(text_.find('\n', item.span.begin), text_.size());
    std::vector<const Comment*> docs;
    auto comment = std::ranges::lower_bound(comments_, item.span.begin, {}, [](const Comment& c) { return c.span.begin; });
    for (; comment != comments_.end() && comment->span.begin < std::min<std::size_t>(end, line_end); ++comment) {
        if (!comment->is_doc) continue;
        taken_[static_cast<std::size_t>(comment - comments_.begin())] = true;
        docs.push_back(&*comment);
    }
    return docs;
}

DocPtr Formatter::node(const ast::Item&, const ast::Import& import) {
    return text("import " + quoted_as_written(import.path_span) + (import.alias ? " as " + import.alias->text : ""));
}

DocPtr Formatter::node(const ast::Item&, const ast::TypeItem& item) { return concat({text("type " + item.name.text + " = "), type(*item.type)}); }

DocPtr Formatter::node(const ast::Item&, const ast::Input& input) {
    std::vector<DocPtr> parts{text("input " + input.name.text)};
    if (input.type) {
        parts.push_back(text(": "));
        parts.push_back(type(*input.type));
    }
    if (input.default_value) parts.push_back(assigned(*input.default_value));
    return concat(std::move(parts));
}

DocPtr Formatter::node(const ast::Item&, const ast::Output& output) {
    if (output.name) return concat({text("output " + output.name->text), assigned(*output.value)});
    return concat({text("output "), expression(*output.value)});
}

DocPtr Formatter::node(const ast::Item&, const ast::Test& test) {
    return group(concat({text((test.is_bench ? "bench " : "test ") + quoted_as_written(test.name_span) + " "), block(test.block)}));
}

DocPtr Formatter::node(const ast::Item& item, const ast::Context& context) { return arguments(context.arguments, item.span.begin, item.span.end, "context"); }

DocPtr Formatter::node(const ast::Item&, const ast::Statement& inner) { return statement(inner); }

DocPtr Formatter::node(const ast::Item& item, const ast::Function& function) {
    std::vector<DocPtr> parts;
    std::uint32_t end = item.span.begin;
    const auto comments = [&](std::uint32_t begin) {
        for (const Comment* comment : take(end, begin)) {
            parts.push_back(text(comment->span.text()));
            parts.push_back(new_line());
        }
    };
    for (const ast::Decorator& decorator : function.decorators) {
        comments(decorator.span.begin);
        const std::string name = "@" + decorator.name.text;
        parts.push_back(decorator.has_arguments ? arguments(decorator.arguments, decorator.name.span.end, decorator.span.end, name) : text(name));
        end = decorator.span.end;
        if (const Comment* trailing = take_on_line(end, function.signature.begin)) parts.push_back(suffix(trailing->span.text()));
        parts.push_back(new_line());
    }
    if (!function.decorators.empty()) comments(function.signature.begin);
    std::vector<Piece> parameters;
    for (const ast::Param& param : function.params) {
        parameters.push_back({param.span.begin, param.span.end, [this, &param] { return parameter(param); }});
    }
    const std::uint32_t close = function.result ? function.result->span.begin : function.signature.end;
    parts.push_back(text("fn " + function.name.text));
    parts.push_back(brackets("(", parameters, ")", function.name.span.end, close));
    if (function.result) {
        parts.push_back(text(" -> "));
        parts.push_back(type(*function.result));
    }
    const ast::Expr& body = *function.body;
    const auto* block_body = std::get_if<ast::BlockExpr>(&body.node);
    if (block_body && !body.parenthesized) {
        parts.push_back(text(" "));
        parts.push_back(group(block(block_body->block)));
    } else {
        parts.push_back(text(" ="));
        DocPtr value = expression(body);
        parts.push_back(has_block(body) ? concat({text(" "), value}) : assign(value));
    }
    return concat(std::move(parts));
}

DocPtr Formatter::statement(const ast::Statement& statement) {
    if (!statement.is_let) return expression(*statement.value);
    std::vector<DocPtr> parts{text("let "), pattern(statement.pattern)};
    if (statement.type) {
        parts.push_back(text(": "));
        parts.push_back(type(*statement.type));
    }
    parts.push_back(assigned(*statement.value));
    return concat(std::move(parts));
}

// ` = value`
DocPtr Formatter::assigned(const ast::Expr& value) {
    DocPtr doc = expression(value);
    return breaks_inside(value) ? concat({text(" = "), doc}) : concat({text(" ="), assign(doc)});
}

DocPtr Formatter::parameter(const ast::Param& param) {
    std::vector<DocPtr> parts{pattern(param.pattern)};
    if (param.type) {
        parts.push_back(text(": "));
        parts.push_back(type(*param.type));
    }
    if (param.default_value) {
        parts.push_back(text(param.type ? " = " : "="));
        parts.push_back(expression(*param.default_value));
    }
    return concat(std::move(parts));
}

DocPtr Formatter::pattern(const ast::Pattern& inner) {
    if (inner.form == ast::Pattern::Form::name) return text(inner.name);
    if (inner.form == ast::Pattern::Form::ignore) return text("_");
    std::vector<DocPtr> parts;
    for (const ast::Pattern& item : inner.items) {
        if (!parts.empty()) {
            parts.push_back(text(","));
            parts.push_back(line());
        }
        parts.push_back(pattern(item));
    }
    return group(concat({text("("), indent(concat({soft_line(), concat(std::move(parts))})), soft_line(), text(")")}));
}

DocPtr Formatter::type(const ast::Type& inner) {
    std::vector<Piece> pieces;
    if (inner.form == ast::Type::Form::word) {
        if (!inner.has_dims) return text(inner.word.text);
        for (const ast::Dim& size : inner.dims) pieces.push_back({size.span.begin, size.span.end, [this, &size] { return dim(size); }});
        return brackets(inner.word.text + "[", pieces, "]", inner.word.span.end, inner.span.end);
    }
    if (inner.form == ast::Type::Form::tuple) {
        for (const ast::TypePtr& item : inner.items) pieces.push_back({item->span.begin, item->span.end, [this, &item] { return type(*item); }});
        return brackets("(", pieces, ")", inner.span.begin, inner.span.end);
    }
    for (const ast::TypeField& field : inner.fields) {
        pieces.push_back({field.name.span.begin, field.type->span.end, [this, &field] { return concat({text(field.name.text + ": "), type(*field.type)}); }});
    }
    return brackets("{", pieces, "}", inner.span.begin, inner.span.end);
}

DocPtr Formatter::dim(const ast::Dim& size) {
    if (size.form == ast::Dim::Form::rest) return text("...");
    return size.form == ast::Dim::Form::any ? text("_") : expression(*size.expression);
}

DocPtr Formatter::block(const ast::Block& inner) {
    std::vector<Piece> pieces;
    for (const ast::Statement& next : inner.statements) pieces.push_back({next.span.begin, next.span.end, [this, &next] { return statement(next); }});
    const Sequence statements = sequence(pieces, inner.span.begin, inner.span.end, Separator::statement);
    // An empty suffix breaks the group around, which the author did.
    return concat({text("{"), statements.broken ? suffix("") : text(""), indent(concat({line(), statements.doc})), line(), text("}")});
}

} // namespace vmaprun
