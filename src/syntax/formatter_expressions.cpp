// Expressions.
#include <algorithm>

#include "syntax/formatter_state.hpp"
#include "syntax/lexer_tables.hpp"

namespace vmaprun {

using namespace layout;

namespace {

template <class Node> bool is(const ast::Expr& expression) { return std::holds_alternative<Node>(expression.node); }

bool holds_block(const ast::Expr& value) { return is<ast::BlockExpr>(value) || is<ast::If>(value) || is<ast::Loop>(value); }

bool is_bracketed(const ast::Expr& value) {
    return is<ast::List>(value) || is<ast::Tuple>(value) || is<ast::Record>(value) || is<ast::Comprehension>(value) || is<ast::Call>(value);
}

// May it stand as a last argument that is opened on the line of the call? Blocks do; brackets only as the sole argument.
bool opens_in_place(const ast::Expr& value, bool sole) {
    const auto* lambda = std::get_if<ast::Lambda>(&value.node);
    const ast::Expr& body = lambda ? *lambda->body : value;
    if (value.parenthesized || body.parenthesized) return false;
    return holds_block(body) || (sole && is_bracketed(body) && (lambda || !is<ast::Call>(body)));
}

// Does it read as one word, so that `**` binds visibly without spaces?
bool is_word(const ast::Expr& value) {
    if (value.parenthesized) return false;
    if (const auto* member = std::get_if<ast::Member>(&value.node)) return is_word(*member->object);
    if (const auto* unary = std::get_if<ast::Unary>(&value.node)) return unary->op != ast::UnaryOp::logical_not && is_word(*unary->operand);
    if (const auto* power = std::get_if<ast::Binary>(&value.node)) return power->op == ast::BinaryOp::power && is_word(*power->left) && is_word(*power->right);
    return is<ast::Identifier>(value) || is<ast::Number>(value);
}

// Operators that share a level read as one chain.
int level_of(ast::BinaryOp op) {
    using enum ast::BinaryOp;
    switch (op) {
    case add:
    case subtract: return 1;
    case multiply:
    case divide:
    case floor_divide:
    case remainder:
    case matmul: return 2;
    case bit_and:
    case bit_or: return 3;
    case shift_left:
    case shift_right: return 4;
    case logical_and: return 5;
    case logical_or: return 6;
    default: return 0; // comparisons don't chain
    }
}

} // namespace

DocPtr Formatter::expression(const ast::Expr& expression) {
    DocPtr doc = bare(expression);
    if (!expression.parenthesized) return doc;
    return group(concat({text("("), indent(concat({soft_line(), doc})), soft_line(), text(")")}));
}

// A number or string as written.
std::string_view Formatter::literal(const ast::Expr& expression) const {
    std::uint32_t begin = expression.span.begin;
    while (expression.parenthesized) {
        const char here = text_[begin];
        if (here == '#') begin = static_cast<std::uint32_t>(std::min(text_.find('\n', begin), text_.size()));
        else if (here == '(' || here == ' ' || here == '\t' || here == '\r' || here == '\n') ++begin;
        else break;
    }
    if (!expression.parenthesized) return expression.span.text();
    const std::string_view rest = text_.substr(begin);
    return rest.substr(0, is<ast::Number>(expression) ? lexing::number_at(rest).length : lexing::string_at(rest).length);
}

DocPtr Formatter::bare(const ast::Expr& outer) {
    const Span span = outer.span;
    return std::visit(
        [&](const auto& node) -> DocPtr {
            using T = std::decay_t<decltype(node)>;
            if constexpr (std::is_same_v<T, ast::Number> || std::is_same_v<T, ast::String>) return text(literal(outer));
            else if constexpr (std::is_same_v<T, ast::Identifier>) return text(node.name);
            else if constexpr (std::is_same_v<T, ast::Boolean>) return text(node.value ? "true" : "false");
            else if constexpr (std::is_same_v<T, ast::None>) return text("none");
            else if constexpr (std::is_same_v<T, ast::Unary>) {
                const auto* inner = std::get_if<ast::Unary>(&node.operand->node);
                const bool spaced = node.op == ast::UnaryOp::logical_not || (inner && !node.operand->parenthesized); // no `--`
                return concat({text(std::string(text_of(node.op)) + (spaced ? " " : "")), expression(*node.operand)});
            } else if constexpr (std::is_same_v<T, ast::Binary>) return chain(outer);
            else if constexpr (std::is_same_v<T, ast::Cast>) return concat({expression(*node.operand), text(" as " + node.type.text)});
            else if constexpr (std::is_same_v<T, ast::Range>) return concat({expression(*node.first), text(" .. "), expression(*node.last)});
            else if constexpr (std::is_same_v<T, ast::Call>) {
                DocPtr callee = expression(*node.callee);
                return concat({callee, arguments(node.arguments, node.callee->span.end, span.end, "")});
            } else if constexpr (std::is_same_v<T, ast::Pipe>) return pipe(outer);
            else if constexpr (std::is_same_v<T, ast::Member>) {
                const bool number = is<ast::Number>(*node.object) && !node.object->parenthesized; // `1.T` would read as a number
                return concat({expression(*node.object), text((number ? " ." : ".") + node.name.text)});
            } else if constexpr (std::is_same_v<T, ast::Index>) return index(node, span.end);
            else if constexpr (std::is_same_v<T, ast::Tuple>) return list("(", node.items, node.items.size() == 1 ? ",)" : ")", span);
            else if constexpr (std::is_same_v<T, ast::List>) return list("[", node.items, "]", span);
            else if constexpr (std::is_same_v<T, ast::Comprehension>) return comprehension(node);
            else if constexpr (std::is_same_v<T, ast::Record>) return record(node, span);
            else if constexpr (std::is_same_v<T, ast::BlockExpr>) {
                const ast::Statement& first = node.block.statements.front();
                const bool reads_as_record = node.block.statements.size() == 1 && is<ast::Identifier>(*first.value) && !first.value->parenthesized;
                return reads_as_record ? concat({text("{ ("), statement(first), text(") }")}) : group(block(node.block));
            } else if constexpr (std::is_same_v<T, ast::If>) return group(if_expression(node));
            else if constexpr (std::is_same_v<T, ast::Loop>) return loop(node);
            else return lambda(node);
        },
        outer.node);
}

DocPtr Formatter::arguments(const std::vector<ast::Argument>& arguments, std::uint32_t begin, std::uint32_t end, std::string_view name) {
    const std::string open = std::string(name) + "(";
    if (arguments.empty()) return text(open + ")");
    std::vector<Piece> pieces;
    for (const ast::Argument& argument : arguments) {
        const std::uint32_t from = argument.keyword ? argument.keyword->span.begin : argument.value->span.begin;
        pieces.push_back({from, argument.value->span.end, [this, &argument] {
                              DocPtr value = expression(*argument.value);
                              return argument.keyword ? concat({text(argument.keyword->text + "="), value}) : value;
                          }});
    }
    const Sequence inner = sequence(pieces, begin, end, Separator::comma);
    DocPtr one_a_line = group(concat({text(open), indent(concat({soft_line(), inner.doc})), soft_line(), text(")")}), inner.broken);
    if (inner.broken || inner.has_comments || !opens_in_place(*arguments.back().value, arguments.size() == 1)) return one_a_line;
    return call(std::move(one_a_line), open, inner.elements, ")");
}

DocPtr Formatter::chain(const ast::Expr& outer) {
    const auto& last = std::get<ast::Binary>(outer.node);
    if (last.op == ast::BinaryOp::power) return concat({expression(*last.left), text(is_word(*last.left) && is_word(*last.right) ? "**" : " ** "), expression(*last.right)});
    // Down the left side; operands are built in the order of the text, since they take comments.
    std::vector<const ast::Binary*> links{&last};
    const int level = level_of(last.op);
    for (const ast::Expr* left = last.left.get(); level > 0 && !left->parenthesized; left = links.back()->left.get()) {
        const auto* binary = std::get_if<ast::Binary>(&left->node);
        if (binary == nullptr || level_of(binary->op) != level) break;
        links.push_back(binary);
    }
    std::vector<DocPtr> operands{expression(*links.back()->left)};
    std::vector<std::string> operators;
    for (auto link = links.rbegin(); link != links.rend(); ++link) {
        operators.emplace_back(text_of((*link)->op));
        operands.push_back(expression(*(*link)->right));
    }
    return layout::chain(std::move(operands), std::move(operators));
}

DocPtr Formatter::pipe(const ast::Expr& outer) {
    std::vector<const ast::Pipe*> links{&std::get<ast::Pipe>(outer.node)};
    for (const ast::Expr* value = links[0]->value.get(); !value->parenthesized && is<ast::Pipe>(*value); value = links.back()->value.get()) {
        links.push_back(&std::get<ast::Pipe>(value->node));
    }
    DocPtr first = expression(*links.back()->value);
    std::vector<DocPtr> stages;
    bool broken = false;
    for (auto link = links.rbegin(); link != links.rend(); ++link) {
        const std::uint32_t end = (*link)->value->span.end, begin = (*link)->stage->span.begin;
        const std::string_view gap = between(end, begin);
        broken = broken || gap.substr(0, gap.rfind("|>")).find('\n') != std::string_view::npos;
        if (const Comment* trailing = take_on_line(end, begin)) stages.push_back(suffix(plain_text(*trailing)));
        for (const Comment* comment : take(end, begin)) {
            stages.push_back(new_line());
            stages.push_back(text(comment->span.text()));
        }
        stages.push_back(line());
        stages.push_back(text("|> "));
        stages.push_back(expression(*(*link)->stage));
    }
    return group(concat({first, indent(concat(std::move(stages)))}), broken);
}

DocPtr Formatter::index(const ast::Index& node, std::uint32_t end) {
    DocPtr object = expression(*node.object);
    std::vector<Piece> pieces;
    for (const ast::IndexItem& item : node.items) {
        pieces.push_back({item.span.begin, item.span.end, [this, &item]() -> DocPtr {
                              if (item.form == ast::IndexItem::Form::rest) return text("...");
                              if (item.form == ast::IndexItem::Form::expression) return expression(*item.value);
                              std::vector<DocPtr> parts;
                              if (item.start) parts.push_back(expression(*item.start));
                              parts.push_back(text(":"));
                              if (item.stop) parts.push_back(expression(*item.stop));
                              if (item.step) parts.push_back(concat({text(":"), expression(*item.step)}));
                              return concat(std::move(parts));
                          }});
    }
    return concat({object, brackets("[", pieces, "]", node.object->span.end, end)});
}

DocPtr Formatter::list(std::string_view open, const std::vector<ast::ExprPtr>& items, std::string_view close, Span span) {
    std::vector<Piece> pieces;
    for (const ast::ExprPtr& item : items) pieces.push_back({item->span.begin, item->span.end, [this, &item] { return expression(*item); }});
    return brackets(open, pieces, close, span.begin, span.end);
}

DocPtr Formatter::record(const ast::Record& node, Span span) {
    std::vector<Piece> pieces;
    for (const ast::RecordField& field : node.fields) {
        const bool spread = field.form == ast::RecordField::Form::spread;
        const std::uint32_t value = field.value->span.begin;
        // The span of a spread's dots isn't kept: they are the last ones before its value.
        const auto dots = static_cast<std::uint32_t>(spread ? std::max<std::size_t>(span.begin, text_.substr(0, value).rfind("..")) : 0);
        pieces.push_back({spread ? dots : field.name.span.begin, field.value->span.end, [this, &field]() -> DocPtr {
                              if (field.form == ast::RecordField::Form::shorthand) return text(field.name.text);
                              if (field.form == ast::RecordField::Form::spread) return concat({text(".."), expression(*field.value)});
                              return concat({text(field.name.text + ": "), expression(*field.value)});
                          }});
    }
    return brackets("{", pieces, "}", span.begin, span.end);
}

DocPtr Formatter::comprehension(const ast::Comprehension& node) {
    std::vector<DocPtr> parts{soft_line(), expression(*node.body)};
    for (const ast::Generator& generator : node.generators) {
        parts.push_back(line());
        parts.push_back(concat({text("for "), pattern(generator.pattern), text(" in "), expression(*generator.sequence)}));
    }
    return group(concat({text("["), indent(concat(std::move(parts))), soft_line(), text("]")}));
}

// The blocks of one `if` are broken together.
DocPtr Formatter::if_expression(const ast::If& node) {
    DocPtr condition = expression(*node.condition);
    DocPtr then_block = block(node.then_block);
    const auto* next = std::get_if<ast::If>(&node.otherwise->node);
    DocPtr otherwise = next ? if_expression(*next) : block(std::get<ast::BlockExpr>(node.otherwise->node).block);
    return concat({text("if "), condition, text(" "), then_block, text(" else "), otherwise});
}

DocPtr Formatter::loop(const ast::Loop& node) {
    std::vector<DocPtr> parts{text("loop "), pattern(node.pattern), text(" = "), expression(*node.init)};
    if (node.condition) {
        parts.push_back(text(" while "));
        parts.push_back(expression(*node.condition));
    }
    if (node.limit) {
        parts.push_back(text(" limit "));
        parts.push_back(expression(*node.limit));
    }
    if (node.sequence) {
        parts.push_back(concat({text(" for "), pattern(*node.counter), text(" in ")}));
        parts.push_back(expression(*node.sequence));
    }
    parts.push_back(text(" "));
    parts.push_back(group(block(node.body)));
    return concat(std::move(parts));
}

DocPtr Formatter::lambda(const ast::Lambda& node) {
    if (node.params.size() == 1 && node.params[0].pattern.form == ast::Pattern::Form::name) {
        return concat({text(node.params[0].pattern.name + " => "), expression(*node.body)});
    }
    std::vector<DocPtr> parts;
    for (const ast::Param& param : node.params) {
        if (!parts.empty()) parts.push_back(text(", "));
        parts.push_back(pattern(param.pattern));
    }
    return concat({text("("), concat(std::move(parts)), text(") => "), expression(*node.body)});
}

} // namespace vmaprun
