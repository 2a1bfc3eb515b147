#include "support.hpp"

namespace vmaprun::testing {
namespace {

using ast::ExprPtr;

std::string show(const ExprPtr& expression) { return expression ? testing::show(*expression) : "-"; }

std::string show(const ast::Block& block) {
    std::string text = "{";
    for (const ast::Statement& statement : block.statements) {
        if (text.size() > 1) text += "; ";
        if (statement.is_let) text += "let " + testing::show(statement.pattern) + (statement.type ? ": " + testing::show(*statement.type) : "") + " = ";
        text += show(statement.value);
    }
    return text + "}";
}

template <class Items, class Show> std::string each(const Items& items, Show show_one) {
    std::string text;
    for (const auto& item : items) text += " " + show_one(item);
    return text;
}

std::string show_argument(const ast::Argument& argument) { return (argument.keyword ? argument.keyword->text + "=" : "") + show(argument.value); }

std::string show_index(const ast::IndexItem& item) {
    if (item.form == ast::IndexItem::Form::rest) return "...";
    if (item.form == ast::IndexItem::Form::expression) return show(item.value);
    return show(item.start) + ":" + show(item.stop) + ":" + show(item.step);
}

std::string show_field(const ast::RecordField& field) {
    if (field.form == ast::RecordField::Form::spread) return ".." + show(field.value);
    return field.form == ast::RecordField::Form::shorthand ? field.name.text : field.name.text + ":" + show(field.value);
}

std::string show_parameter(const ast::Param& parameter) {
    return testing::show(parameter.pattern) + (parameter.type ? ": " + testing::show(*parameter.type) : "") +
           (parameter.default_value ? "=" + show(parameter.default_value) : "");
}

struct Show {
    std::string operator()(const ast::Number& n) const {
        return n.overflows ? "overflow" : n.is_float ? "float:" + std::to_string(n.real) : std::to_string(n.integer);
    }
    std::string operator()(const ast::String& n) const { return "\"" + n.value + "\""; }
    std::string operator()(const ast::Identifier& n) const { return n.name; }
    std::string operator()(const ast::Boolean& n) const { return n.value ? "true" : "false"; }
    std::string operator()(const ast::None&) const { return "none"; }
    std::string operator()(const ast::Unary& n) const { return "(" + std::string(text_of(n.op)) + " " + show(n.operand) + ")"; }
    std::string operator()(const ast::Binary& n) const { return "(" + std::string(text_of(n.op)) + " " + show(n.left) + " " + show(n.right) + ")"; }
    std::string operator()(const ast::Cast& n) const { return "(as " + show(n.operand) + " " + n.type.text + ")"; }
    std::string operator()(const ast::Range& n) const { return "(.. " + show(n.first) + " " + show(n.last) + ")"; }
    std::string operator()(const ast::Call& n) const { return "(call " + show(n.callee) + each(n.arguments, show_argument) + ")"; }
    std::string operator()(const ast::Pipe& n) const { return "(|> " + show(n.value) + " " + show(n.stage) + ")"; }
    std::string operator()(const ast::Member& n) const { return "(. " + show(n.object) + " " + n.name.text + ")"; }
    std::string operator()(const ast::Index& n) const { return "(index " + show(n.object) + each(n.items, show_index) + ")"; }
    std::string operator()(const ast::Tuple& n) const { return "(tuple" + each(n.items, [](const ExprPtr& e) { return show(e); }) + ")"; }
    std::string operator()(const ast::List& n) const { return "(list" + each(n.items, [](const ExprPtr& e) { return show(e); }) + ")"; }
    std::string operator()(const ast::Comprehension& n) const {
        return "(list " + show(n.body) + each(n.generators, [](const ast::Generator& g) { return "for " + testing::show(g.pattern) + " in " + show(g.sequence); }) + ")";
    }
    std::string operator()(const ast::Record& n) const { return "(record" + each(n.fields, show_field) + ")"; }
    std::string operator()(const ast::BlockExpr& n) const { return show(n.block); }
    std::string operator()(const ast::If& n) const { return "(if " + show(n.condition) + " " + show(n.then_block) + " " + show(n.otherwise) + ")"; }
    std::string operator()(const ast::Loop& n) const {
        const std::string head = "(loop " + testing::show(n.pattern) + " = " + show(n.init);
        if (n.condition) return head + " while " + show(n.condition) + (n.limit ? " limit " + show(n.limit) : "") + " " + show(n.body) + ")";
        return head + " for " + testing::show(*n.counter) + " in " + show(n.sequence) + " " + show(n.body) + ")";
    }
    std::string operator()(const ast::Lambda& n) const { return "(=>" + each(n.params, show_parameter) + ": " + show(n.body) + ")"; }
};

struct ShowItem {
    std::string operator()(const ast::Import& n) const { return "import " + n.path + (n.alias ? " as " + n.alias->text : ""); }
    std::string operator()(const ast::TypeItem& n) const { return "type " + n.name.text + " = " + testing::show(*n.type); }
    std::string operator()(const ast::Input& n) const {
        return "input " + n.name.text + (n.type ? ": " + testing::show(*n.type) : "") + (n.default_value ? " = " + show(n.default_value) : "");
    }
    std::string operator()(const ast::Output& n) const { return "output " + (n.name ? n.name->text + " = " : "") + show(n.value); }
    std::string operator()(const ast::Test& n) const { return std::string(n.is_bench ? "bench " : "test ") + n.name + " " + show(n.block); }
    std::string operator()(const ast::Context& n) const { return "context" + each(n.arguments, show_argument); }
    std::string operator()(const ast::Function& n) const {
        std::string text;
        for (const ast::Decorator& d : n.decorators) text += "@" + d.name.text + (d.has_arguments ? "(" + each(d.arguments, show_argument) + ")" : "") + " ";
        text += "fn " + n.name.text + " (" + each(n.params, show_parameter) + ")";
        return text + (n.result ? " -> " + testing::show(*n.result) : "") + " = " + show(n.body);
    }
    std::string operator()(const ast::Statement& n) const {
        if (!n.is_let) return show(n.value);
        return "let " + testing::show(n.pattern) + (n.type ? ": " + testing::show(*n.type) : "") + " = " + show(n.value);
    }
};

std::string show_diagnostic(const Source& source, const Diagnostic& diagnostic) {
    const Position place = source.position(diagnostic.primary.span.begin);
    const auto marked = [](const Label& label) {
        return " [" + std::string(label.span.text()) + "]" + (label.text.empty() ? "" : " (" + label.text + ")");
    };
    std::string text = std::to_string(place.line) + ":" + std::to_string(place.column) + " " + diagnostic.code + " " + diagnostic.message + marked(diagnostic.primary);
    for (const Label& label : diagnostic.labels) text += ";" + marked(label);
    for (const std::string& help : diagnostic.helps) text += "; help: " + help;
    return text;
}

std::string lines(const std::vector<std::string>& texts) {
    std::string all;
    for (const std::string& text : texts) all += (all.empty() ? "" : "\n") + text;
    return all;
}

} // namespace

std::string show(const ast::Expr& expression) { return std::visit(Show{}, expression.node); }

std::string show(const ast::Pattern& pattern) {
    if (pattern.form == ast::Pattern::Form::ignore) return "_";
    if (pattern.form == ast::Pattern::Form::name) return pattern.name;
    return "(" + each(pattern.items, [](const ast::Pattern& item) { return testing::show(item); }).substr(1) + ")";
}

std::string show(const ast::Type& type) {
    if (type.form == ast::Type::Form::tuple) return "(" + each(type.items, [](const ast::TypePtr& item) { return testing::show(*item); }).substr(1) + ")";
    if (type.form == ast::Type::Form::record) {
        return "{" + each(type.fields, [](const ast::TypeField& field) { return field.name.text + ":" + testing::show(*field.type); }).substr(1) + "}";
    }
    const auto dim = [](const ast::Dim& d) { return d.form == ast::Dim::Form::rest ? "..." : d.form == ast::Dim::Form::any ? "_" : show(d.expression); };
    return type.word.text + (type.has_dims ? "[" + each(type.dims, dim).substr(1) + "]" : "");
}

std::string show(const ast::Item& item) { return std::visit(ShowItem{}, item.node); }

std::string parsed(std::string text) {
    const Source source("t.vm", std::move(text));
    const ParseResult result = parse(source);
    std::vector<std::string> texts;
    for (const Diagnostic& diagnostic : result.errors) texts.push_back(show_diagnostic(source, diagnostic));
    if (texts.empty()) {
        for (const ast::Item& item : result.script.items) texts.push_back(show(item));
    }
    return lines(texts);
}

std::string errors_of(std::string text) {
    const Source source("t.vm", std::move(text));
    std::vector<std::string> texts;
    for (const Diagnostic& diagnostic : parse(source).errors) texts.push_back(show_diagnostic(source, diagnostic));
    return lines(texts);
}

} // namespace vmaprun::testing
