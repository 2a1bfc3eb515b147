#include "trace/resolve.hpp"

#include <algorithm>
#include <map>

#include "base/text.hpp"
#include "trace/functions.hpp"

namespace vmaprun {
namespace {

// What people write who come from other languages.
std::string_view advice(std::string_view name) {
    static constexpr std::pair<std::string_view, std::string_view> known[] = {
        {"print", "print with debug(x, \"label\"), or make it an `output`"},
        {"len", "a size is read from the shape, as in `x.shape[0]`"},
        {"range", "a range is written `a .. b`"},
        {"np", "builtins have no prefix: write `sum(x)`, not `np.sum(x)`"},
        {"numpy", "builtins have no prefix: write `sum(x)`, not `numpy.sum(x)`"},
        {"jnp", "builtins have no prefix: write `sum(x)`, not `jnp.sum(x)`"},
        {"torch", "builtins have no prefix: write `sum(x)`, not `torch.sum(x)`"},
        {"None", "it is written `none`"},
        {"null", "it is written `none`"},
        {"True", "it is written `true`"},
        {"False", "it is written `false`"},
        {"array", "a list is a tensor already: `[1, 2]`"},
        {"arctan2", "it is called `atan2`, as in the Array API"},
        {"concatenate", "it is called `concat`, as in the Array API"},
        {"transpose", "it is called `permute_dims` (or `x.T`), as in the Array API"},
        {"power", "it is called `pow`, or written `x ** y`"},
        {"absolute", "it is called `abs`"},
        {"cumsum", "it is called `cumulative_sum`, as in the Array API"},
        {"cumprod", "it is called `cumulative_prod`, as in the Array API"},
    };
    for (const auto& [word, help] : known) {
        if (word == name) return help;
    }
    return {};
}

using Names = std::map<std::string, Span, std::less<>>;

class Resolver {
  public:
    Resolver(const std::set<std::string, std::less<>>& imported, bool (*is_known)(std::string_view), FreeNames free) : imported_(imported), is_known_(is_known), free_(free) {}

    Resolution run(const ast::Script& script) {
        collect(script);
        for (const ast::Item& item : script.items) visit_item(item);
        find_recursion(script);
        return std::move(result_);
    }

  private:
    // ---- the top level
    void define_top(const std::string& name, Span span) {
        const auto [known, fresh] = top_.emplace(name, span);
        if (!fresh) result_.errors.push_back(defined_twice_error(name, span, known->second));
    }
    void define_pattern_top(const ast::Pattern& pattern) {
        if (pattern.form == ast::Pattern::Form::name) define_top(pattern.name, pattern.span);
        for (const ast::Pattern& item : pattern.items) define_pattern_top(item);
    }

    void collect(const ast::Script& script) {
        Names types;
        for (const ast::Item& item : script.items) {
            if (const auto* fn = std::get_if<ast::Function>(&item.node)) {
                define_top(fn->name.text, fn->name.span);
                functions_.insert(fn->name.text);
            } else if (const auto* input = std::get_if<ast::Input>(&item.node)) {
                define_top(input->name.text, input->name.span);
                if (input->type) collect_dims(*input->type);
            } else if (const auto* output = std::get_if<ast::Output>(&item.node)) {
                if (output->name) define_top(output->name->text, output->name->span);
            } else if (const auto* statement = std::get_if<ast::Statement>(&item.node)) {
                if (statement->is_let) define_pattern_top(statement->pattern);
                if (statement->is_let && statement->type) collect_dims(*statement->type);
            } else if (const auto* type = std::get_if<ast::TypeItem>(&item.node)) {
                const auto [known, fresh] = types.emplace(type->name.text, type->name.span);
                if (!fresh) result_.errors.push_back(defined_twice_error(type->name.text, type->name.span, known->second));
                if (type->type) collect_dims(*type->type);
            }
        }
    }
    void collect_dims(const ast::Type& type) { dims_of(type, input_dims_); }
    static void names_in(const ast::Expr& expression, std::set<std::string, std::less<>>& names) {
        if (const auto* name = std::get_if<ast::Identifier>(&expression.node)) names.insert(name->name);
        if (const auto* binary = std::get_if<ast::Binary>(&expression.node)) {
            names_in(*binary->left, names);
            names_in(*binary->right, names);
        }
    }
    static void dims_of(const ast::Type& type, std::set<std::string, std::less<>>& names) {
        for (const ast::Dim& dim : type.dims) {
            if (dim.expression) names_in(*dim.expression, names);
        }
        for (const auto& item : type.items) dims_of(*item, names);
        for (const auto& field : type.fields) dims_of(*field.type, names);
    }

    void visit_item(const ast::Item& item) {
        levels_.clear();
        levels_.emplace_back();
        in_function_ = false;
        std::visit([this](const auto& node) { item_node(node); }, item.node);
    }
    void item_node(const ast::Import&) {}
    void item_node(const ast::TypeItem&) {}
    void item_node(const ast::Input& input) {
        if (input.default_value) visit(*input.default_value);
        defined_.insert(input.name.text);
    }
    void item_node(const ast::Output& output) {
        visit(*output.value);
        if (output.name) defined_.insert(output.name->text);
    }
    void item_node(const ast::Test& test) { visit_block(test.block); }
    void item_node(const ast::Context&) {}
    void item_node(const ast::Statement& statement) {
        visit(*statement.value);
        if (statement.is_let) mark_defined(statement.pattern);
    }
    void mark_defined(const ast::Pattern& pattern) {
        if (pattern.form == ast::Pattern::Form::name) defined_.insert(pattern.name);
        for (const ast::Pattern& item : pattern.items) mark_defined(item);
    }
    void item_node(const ast::Function& function) {
        current_ = function.name.text;
        in_function_ = true;
        for (const ast::Decorator& decorator : function.decorators) {
            use(decorator.name.text, decorator.name.span);
            for (const ast::Argument& argument : decorator.arguments) visit(*argument.value);
        }
        visit_function(function.params, function.result.get(), *function.body);
        current_.clear();
    }
    void visit_function(const std::vector<ast::Param>& params, const ast::Type* result, const ast::Expr& body) {
        for (const ast::Param& param : params) {
            if (param.default_value) visit(*param.default_value);
        }
        std::set<std::string, std::less<>> dims;
        for (const ast::Param& param : params) {
            if (param.type) dims_of(*param.type, dims);
        }
        if (result) dims_of(*result, dims);
        levels_.emplace_back();
        for (const std::string& dim : dims) levels_.back().emplace(dim, Span{});
        levels_.emplace_back();
        for (const ast::Param& param : params) define(param.pattern);
        visit(body);
        levels_.pop_back();
        levels_.pop_back();
    }

    // ---- levels
    void define(const ast::Pattern& pattern) {
        if (pattern.form == ast::Pattern::Form::name) {
            const auto [known, fresh] = levels_.back().emplace(pattern.name, pattern.span);
            if (!fresh) result_.errors.push_back(defined_twice_error(pattern.name, pattern.span, known->second));
        }
        for (const ast::Pattern& item : pattern.items) define(item);
    }

    void use(const std::string& name, Span span) {
        for (const Names& level : levels_) {
            if (level.contains(name)) return;
        }
        if (functions_.contains(name)) {
            if (!current_.empty()) calls_[current_].emplace(name, span);
            return;
        }
        if (defined_.contains(name) || imported_.contains(name) || input_dims_.contains(name)) return;
        const auto later = top_.find(name);
        if (later != top_.end() && in_function_) return; // called after its definition, perhaps
        if (is_known_(name)) return;
        if (later != top_.end()) {
            report(name, error("E201", "`" + name + "` is used before it is defined").at(span).label(later->second, "it is defined here").help("bindings are in order: move its definition up"));
            return;
        }
        if (std::ranges::none_of(result_.free_names, [&](const FreeName& known) { return known.name == name; })) result_.free_names.push_back({name, span});
        if (free_ == FreeNames::are_inputs) return;
        std::vector<std::string_view> candidates;
        for (const Names& level : levels_) {
            for (const auto& entry : level) candidates.push_back(entry.first);
        }
        for (const auto& entry : top_) candidates.push_back(entry.first);
        for (const std::string& each : imported_) candidates.push_back(each);
        report(name, unknown_name_error(name, span, candidates));
    }
    // One cause, one error.
    void report(const std::string& name, Diagnostic diagnostic) {
        if (reported_.insert(name).second) result_.errors.push_back(std::move(diagnostic));
    }

    // ---- expressions
    void visit_block(const ast::Block& block) {
        levels_.emplace_back();
        for (const ast::Statement& statement : block.statements) {
            visit(*statement.value);
            if (!statement.is_let) continue;
            if (statement.type) {
                std::set<std::string, std::less<>> dims;
                dims_of(*statement.type, dims);
                for (const std::string& dim : dims) levels_.back().emplace(dim, Span{});
            }
            define(statement.pattern);
        }
        levels_.pop_back();
    }
    void visit(const ast::Expr& expression) {
        std::visit([&](const auto& node) { expression_node(node, expression.span); }, expression.node);
    }
    void expression_node(const ast::Number&, Span) {}
    void expression_node(const ast::String&, Span) {}
    void expression_node(const ast::Boolean&, Span) {}
    void expression_node(const ast::None&, Span) {}
    void expression_node(const ast::Identifier& node, Span span) { use(node.name, span); }
    void expression_node(const ast::Unary& node, Span) { visit(*node.operand); }
    void expression_node(const ast::Binary& node, Span) {
        visit(*node.left);
        visit(*node.right);
    }
    void expression_node(const ast::Cast& node, Span) { visit(*node.operand); }
    void expression_node(const ast::Range& node, Span) {
        visit(*node.first);
        visit(*node.last);
    }
    void expression_node(const ast::Call& node, Span) {
        visit(*node.callee);
        for (const ast::Argument& argument : node.arguments) visit(*argument.value);
    }
    void expression_node(const ast::Pipe& node, Span) {
        visit(*node.value);
        visit(*node.stage);
    }
    void expression_node(const ast::Member& node, Span) { visit(*node.object); }
    void expression_node(const ast::Index& node, Span) {
        visit(*node.object);
        for (const ast::IndexItem& item : node.items) {
            for (const ast::ExprPtr* part : {&item.value, &item.start, &item.stop, &item.step}) {
                if (*part) visit(**part);
            }
        }
    }
    void expression_node(const ast::Tuple& node, Span) {
        for (const auto& item : node.items) visit(*item);
    }
    void expression_node(const ast::List& node, Span) {
        for (const auto& item : node.items) visit(*item);
    }
    void expression_node(const ast::Comprehension& node, Span) {
        for (const ast::Generator& generator : node.generators) {
            visit(*generator.sequence);
            levels_.emplace_back();
            define(generator.pattern);
        }
        visit(*node.body);
        levels_.resize(levels_.size() - node.generators.size());
    }
    void expression_node(const ast::Record& node, Span) {
        for (const ast::RecordField& field : node.fields) visit(*field.value);
    }
    void expression_node(const ast::BlockExpr& node, Span) { visit_block(node.block); }
    void expression_node(const ast::If& node, Span) {
        visit(*node.condition);
        visit_block(node.then_block);
        visit(*node.otherwise);
    }
    void expression_node(const ast::Loop& node, Span) {
        visit(*node.init);
        if (node.sequence) visit(*node.sequence);
        levels_.emplace_back();
        define(node.pattern);
        if (node.condition) visit(*node.condition);
        if (node.limit) visit(*node.limit);
        levels_.emplace_back();
        if (node.counter) define(*node.counter);
        visit_block(node.body);
        levels_.resize(levels_.size() - 2);
    }
    void expression_node(const ast::Lambda& node, Span) {
        const bool outer = in_function_;
        visit_function(node.params, nullptr, *node.body);
        in_function_ = outer;
    }

    // ---- recursion: a cycle among the functions of the script
    void find_recursion(const ast::Script& script) {
        std::set<std::string, std::less<>> reported;
        for (const ast::Item& item : script.items) {
            const auto* fn = std::get_if<ast::Function>(&item.node);
            if (!fn || reported.contains(fn->name.text)) continue;
            std::vector<std::string> path = cycle_through(fn->name.text);
            if (path.empty()) continue;
            reported.insert(path.begin(), path.end());
            const Span call = calls_[path.back()].find(fn->name.text)->second;
            path.push_back(fn->name.text);
            std::vector<std::string> words;
            for (const std::string& name : path) words.push_back("`" + name + "`");
            Diagnostic diagnostic = error("E203", "`" + fn->name.text + "` calls itself, and there is no recursion").at(call).label(fn->name.span, "inside the body of this function").help("repeat with `loop`, `scan` or `fold`");
            if (path.size() > 2) diagnostic.notes.push_back("the calls go " + join(words, " -> "));
            result_.errors.push_back(std::move(diagnostic));
        }
    }
    // The shortest way of calls from a function back to itself (breadth first); empty: there is none.
    std::vector<std::string> cycle_through(const std::string& start) {
        std::map<std::string, std::string> came_from;
        std::vector<std::string> queue{start};
        for (std::size_t i = 0; i < queue.size(); ++i) {
            const std::string current = queue[i];
            for (const auto& [next, span] : calls_[current]) {
                if (next == start) {
                    std::vector<std::string> path{current};
                    while (path.back() != start) path.push_back(came_from[path.back()]);
                    std::ranges::reverse(path);
                    return path;
                }
                if (came_from.emplace(next, current).second) queue.push_back(next);
            }
        }
        return {};
    }

    const std::set<std::string, std::less<>>& imported_;
    bool (*is_known_)(std::string_view);
    FreeNames free_;
    Names top_;
    std::set<std::string, std::less<>> functions_, defined_, input_dims_, reported_;
    std::vector<Names> levels_;
    std::map<std::string, std::map<std::string, Span, std::less<>>> calls_; // caller -> callee -> where
    std::string current_;
    bool in_function_ = false;
    Resolution result_;
};

} // namespace

Resolution resolve(const ast::Script& script, const std::set<std::string, std::less<>>& imported, bool (*is_known)(std::string_view), FreeNames free) {
    return Resolver(imported, is_known, free).run(script);
}

Diagnostic unknown_name_error(const std::string& name, Span span, const std::vector<std::string_view>& candidates) {
    Diagnostic diagnostic = error("E201", "there is no `" + name + "`").at(span, "unknown name");
    std::vector<std::string_view> all = candidates;
    all.insert(all.end(), builtin_names().begin(), builtin_names().end());
    if (const auto help = advice(name); !help.empty()) diagnostic.helps.emplace_back(help);
    else if (const auto near = nearest(name, all); !near.empty()) diagnostic.helps.push_back("did you mean `" + std::string(near) + "`?");
    return diagnostic;
}

Diagnostic defined_twice_error(const std::string& name, Span span, Span first) {
    Diagnostic diagnostic = error("E202", "`" + name + "` is defined twice at one level").at(span, "defined again");
    if (first) diagnostic.labels.push_back({first, "first defined here"});
    diagnostic.helps.push_back("bindings don't change: give the new value a new name");
    return diagnostic;
}

} // namespace vmaprun
