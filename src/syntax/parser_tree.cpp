// What the tree knows about itself: the spelling of its operators, the height of its nodes.
#include <algorithm>

#include "syntax/parser_state.hpp"

namespace vmaprun {
namespace ast {

std::string_view text_of(UnaryOp op) {
    static constexpr std::string_view texts[] = {"-", "+", "~", "not"};
    return texts[static_cast<std::size_t>(op)];
}

std::string_view text_of(BinaryOp op) {
    static constexpr std::string_view texts[] = {"+", "-",  "*",  "/",  "//", "%", "@",  "**", "&",  "|",
                                                 "<<", ">>", "==", "!=", "<",  "<=", ">", ">=", "and", "or"};
    return texts[static_cast<std::size_t>(op)];
}

} // namespace ast

namespace {

using ast::ExprPtr;

int height(const ExprPtr& child) { return child ? child->height : 0; }

int height(const ast::Block& block) {
    int highest = 0;
    for (const ast::Statement& statement : block.statements) highest = std::max(highest, height(statement.value));
    return highest;
}

template <class Items, class Child> int highest(const Items& items, Child child) {
    int result = 0;
    for (const auto& item : items) result = std::max(result, height(child(item)));
    return result;
}

const auto itself = [](const ExprPtr& child) -> const ExprPtr& { return child; };
const auto value_of = [](const auto& holder) -> const ExprPtr& { return holder.value; };

struct HeightOfChildren {
    template <class Leaf> int operator()(const Leaf&) const { return 0; }
    int operator()(const ast::Unary& n) const { return height(n.operand); }
    int operator()(const ast::Binary& n) const { return std::max(height(n.left), height(n.right)); }
    int operator()(const ast::Cast& n) const { return height(n.operand); }
    int operator()(const ast::Range& n) const { return std::max(height(n.first), height(n.last)); }
    int operator()(const ast::Call& n) const { return std::max(height(n.callee), highest(n.arguments, value_of)); }
    int operator()(const ast::Pipe& n) const { return std::max(height(n.value), height(n.stage)); }
    int operator()(const ast::Member& n) const { return height(n.object); }
    int operator()(const ast::Index& n) const {
        int result = height(n.object);
        for (const ast::IndexItem& item : n.items) result = std::max({result, height(item.value), height(item.start), height(item.stop), height(item.step)});
        return result;
    }
    int operator()(const ast::Tuple& n) const { return highest(n.items, itself); }
    int operator()(const ast::List& n) const { return highest(n.items, itself); }
    int operator()(const ast::Comprehension& n) const {
        return std::max(height(n.body), highest(n.generators, [](const ast::Generator& g) -> const ExprPtr& { return g.sequence; }));
    }
    int operator()(const ast::Record& n) const { return highest(n.fields, value_of); }
    int operator()(const ast::BlockExpr& n) const { return height(n.block); }
    int operator()(const ast::If& n) const { return std::max({height(n.condition), height(n.then_block), height(n.otherwise)}); }
    int operator()(const ast::Loop& n) const {
        return std::max({height(n.init), height(n.condition), height(n.limit), height(n.sequence), height(n.body)});
    }
    int operator()(const ast::Lambda& n) const { return height(n.body); }
};

} // namespace

int height_of_children(const ast::Expr& expression) { return std::visit(HeightOfChildren{}, expression.node); }

} // namespace vmaprun
