// A tree as one line a node, without places: what two scripts of the same meaning have in common.
#pragma once

#include <string>

#include "syntax/ast.hpp"

namespace vmaprun {

class TreeText {
  public:
    std::string run(const ast::Script& script) {
        for (const ast::Item& item : script.items) {
            line("item " + item.doc);
            Level level(*this);
            std::visit([this](const auto& node) { walk(node); }, item.node);
        }
        return out_;
    }

  private:
    struct Level {
        explicit Level(TreeText& text) : text_(text) { ++text_.depth_; }
        ~Level() { --text_.depth_; }
        TreeText& text_;
    };

    void line(const std::string& text) { out_ += std::string(depth_, ' ') + text + "\n"; }
    void walk(const ast::ExprPtr& expression) {
        if (!expression) return line("-");
        // Parentheses around a lone name are what keeps a block from reading as a record.
        const bool name = std::holds_alternative<ast::Identifier>(expression->node);
        line(std::to_string(expression->node.index()) + (expression->parenthesized && !name ? " parenthesized" : ""));
        Level level(*this);
        std::visit([this](const auto& node) { walk(node); }, expression->node);
    }
    void walk(const ast::Name& name) { line("name " + name.text); }
    void walk(const std::optional<ast::Name>& name) { line("name " + (name ? name->text : "-")); }
    void walk(const ast::Pattern& pattern) {
        line("pattern " + std::to_string(static_cast<int>(pattern.form)) + " " + pattern.name);
        Level level(*this);
        for (const auto& item : pattern.items) walk(item);
    }
    void walk(const ast::TypePtr& type) {
        if (!type) return line("no type");
        line("type " + std::to_string(static_cast<int>(type->form)) + " " + type->word.text + (type->has_dims ? "[" : ""));
        Level level(*this);
        for (const auto& dim : type->dims) {
            line("dim " + std::to_string(static_cast<int>(dim.form)));
            if (dim.expression) walk(dim.expression);
        }
        for (const auto& item : type->items) walk(item);
        for (const auto& field : type->fields) {
            walk(field.name);
            walk(field.type);
        }
    }
    void walk(const ast::Param& param) {
        walk(param.pattern);
        walk(param.type);
        walk(param.default_value);
    }
    void walk(const ast::Statement& statement) {
        line(statement.is_let ? "let" : "value");
        if (statement.is_let) {
            walk(statement.pattern);
            walk(statement.type);
        }
        walk(statement.value);
    }
    void walk(const ast::Block& block) {
        line("block");
        Level level(*this);
        for (const auto& statement : block.statements) walk(statement);
    }
    void walk(const std::vector<ast::Argument>& arguments) {
        for (const auto& argument : arguments) {
            walk(argument.keyword);
            walk(argument.value);
        }
    }
    void walk(const std::vector<ast::ExprPtr>& items) {
        for (const auto& item : items) walk(item);
    }

    void walk(const ast::Number& node) { line(std::to_string(node.integer) + " " + std::to_string(node.real) + (node.is_float ? " float" : "")); }
    void walk(const ast::String& node) { line("\"" + node.value + "\""); }
    void walk(const ast::Identifier& node) { line(node.name); }
    void walk(const ast::Boolean& node) { line(node.value ? "true" : "false"); }
    void walk(const ast::None&) {}
    void walk(const ast::Unary& node) {
        line(std::to_string(static_cast<int>(node.op)));
        walk(node.operand);
    }
    void walk(const ast::Binary& node) {
        line(std::to_string(static_cast<int>(node.op)));
        walk(node.left);
        walk(node.right);
    }
    void walk(const ast::Cast& node) {
        walk(node.operand);
        walk(node.type);
    }
    void walk(const ast::Range& node) {
        walk(node.first);
        walk(node.last);
    }
    void walk(const ast::Call& node) {
        walk(node.callee);
        walk(node.arguments);
    }
    void walk(const ast::Pipe& node) {
        walk(node.value);
        walk(node.stage);
    }
    void walk(const ast::Member& node) {
        walk(node.object);
        walk(node.name);
    }
    void walk(const ast::Index& node) {
        walk(node.object);
        for (const auto& item : node.items) {
            line("index " + std::to_string(static_cast<int>(item.form)));
            walk(item.value);
            walk(item.start);
            walk(item.stop);
            walk(item.step);
        }
    }
    void walk(const ast::Tuple& node) { walk(node.items); }
    void walk(const ast::List& node) { walk(node.items); }
    void walk(const ast::Comprehension& node) {
        walk(node.body);
        for (const auto& generator : node.generators) {
            walk(generator.pattern);
            walk(generator.sequence);
        }
    }
    void walk(const ast::Record& node) {
        for (const auto& field : node.fields) {
            line("field " + std::to_string(static_cast<int>(field.form)) + " " + field.name.text);
            walk(field.value);
        }
    }
    void walk(const ast::BlockExpr& node) { walk(node.block); }
    void walk(const ast::If& node) {
        walk(node.condition);
        walk(node.then_block);
        walk(node.otherwise);
    }
    void walk(const ast::Loop& node) {
        walk(node.pattern);
        walk(node.init);
        walk(node.condition);
        walk(node.limit);
        if (node.counter) walk(*node.counter);
        walk(node.sequence);
        walk(node.body);
    }
    void walk(const ast::Lambda& node) {
        for (const auto& param : node.params) walk(param);
        walk(node.body);
    }

    void walk(const ast::Import& node) {
        line("import " + node.path);
        walk(node.alias);
    }
    void walk(const ast::TypeItem& node) {
        walk(node.name);
        walk(node.type);
    }
    void walk(const ast::Input& node) {
        walk(node.name);
        walk(node.type);
        walk(node.default_value);
    }
    void walk(const ast::Output& node) {
        walk(node.name);
        walk(node.value);
    }
    void walk(const ast::Test& node) {
        line((node.is_bench ? "bench " : "test ") + node.name);
        walk(node.block);
    }
    void walk(const ast::Context& node) { walk(node.arguments); }
    void walk(const ast::Function& node) {
        for (const auto& decorator : node.decorators) {
            walk(decorator.name);
            line(decorator.has_arguments ? "(" : "-");
            walk(decorator.arguments);
        }
        walk(node.name);
        for (const auto& param : node.params) walk(param);
        walk(node.result);
        walk(node.body);
    }

    std::string out_;
    std::size_t depth_ = 0;
};

inline std::string tree_text(const ast::Script& script) { return TreeText().run(script); }

} // namespace vmaprun
