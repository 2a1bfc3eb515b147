#include "trace/resolve.hpp"

#include <algorithm>
#include <map>
#include <utility>

#include "array/dtype.hpp"
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
        {"linalg", "builtins have no prefix: write `inv(x)`, not `linalg.inv(x)`"},
        {"random", "builtins have no prefix: write `normal(k)`, not `random.normal(k)`"},
        {"None", "it is written `none`"},
        {"null", "it is written `none`"},
        {"True", "it is written `true`"},
        {"False", "it is written `false`"},
        {"array", "a list is a tensor already: `[1, 2]`"},
        {"asarray", "a list is a tensor already: `[1, 2]`"},
        {"tensor", "a list is a tensor already: `[1, 2]`"},
        {"astype", "a cast is written `x as f32`"},
        {"float32", "the dtype is called `f32`, as in `x as f32`"},
        {"float64", "the dtype is called `f64`, as in `x as f64`"},
        {"int32", "the dtype is called `i32`, as in `x as i32`"},
        {"int64", "the dtype is called `i64`, as in `x as i64`"},
        {"int", "a cast is written `x as i64`"},
        {"float", "a cast is written `x as f64`"},
        {"shape", "it belongs to its tensor: `x.shape`"},
        {"ndim", "it belongs to its tensor: `x.ndim`"},
        {"size", "it belongs to its tensor: `x.size`"},
        {"dtype", "it belongs to its tensor: `x.dtype`"},
        {"assert", "checks are `assert_eq(a, b)`, `assert_close(a, b)` and `assert_finite(x)`"},
        {"allclose", "`assert_close(a, b)` checks it; `all(isclose(a, b))` tells it"},
        {"hstack", "tensors are joined with `concat((a, b), axis=1)`"},
        {"vstack", "tensors are joined with `concat((a, b), axis=0)`"},
        {"cat", "it is called `concat`, as in the Array API"},
        {"unsqueeze", "it is called `expand_dims`, as in the Array API"},
        {"permute", "it is called `permute_dims`, as in the Array API"},
        {"view", "it is called `reshape`"},
        {"flatten", "it is called `ravel`"},
        {"dot", "products are `a @ b`, or `vecdot(a, b)` of the last axes"},
        {"inner", "it is called `vecdot`, as in the Array API"},
        {"diag", "`diagonal(x)` reads the diagonal; `eye(n) * v` is the matrix that has v on it"},
        {"identity", "it is called `eye`"},
        {"eig", "`eigh(x)` has the eigenvalues and vectors of a symmetric (Hermitian) matrix"},
        {"clamp", "it is called `clip`, as in the Array API"},
        {"select", "it is called `where`"},
        {"mod", "it is called `remainder`, or written `x % y`"},
        {"fabs", "it is called `abs`"},
        {"amax", "it is called `max`"},
        {"amin", "it is called `min`"},
        {"rsqrt", "it is written `1 / sqrt(x)`"},
        {"percentile", "`quantile(x, q)` takes q from 0 to 1"},
        {"digitize", "it is called `searchsorted`"},
        {"cond", "a choice is written `if a { x } else { y }`"},
        {"while_loop", "a loop is written `loop x = start while x < 9 { x + 1 }`"},
        {"fori_loop", "a counted loop is written `loop x = start for i in 0 .. n { x + i }`"},
        {"PRNGKey", "it is called `key`"},
        {"randn", "random numbers take a key: `normal(key(0), (2, 3))`"},
        {"rand", "random numbers take a key: `uniform(key(0), (2, 3))`"},
        {"shuffle", "it is called `permutation`"},
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

Diagnostic defined_and_imported_error(const std::string& name, Span span, Span import) {
    return error("E202", "`" + name + "` is defined twice at one level").at(span, "defined again").label(import, "this import brings `" + name + "`").help("import the file under a name of its own, as in `import \"file.vm\" as m`");
}

using Names = std::map<std::string, Span, std::less<>>;

class Resolver {
  public:
    Resolver(const ImportedNames& imported, bool (*is_known)(std::string_view), FreeNames free) : imported_(imported), is_known_(is_known), free_(free) {}

    Resolution run(const ast::Script& script) {
        collect(script);
        find_circular_types();
        for (const ast::Item& item : script.items) visit_item(item);
        find_recursion(script);
        result_.places = std::move(top_);
        return std::move(result_);
    }

  private:
    // ---- the top level
    void define_top(const std::string& name, Span span) {
        const auto [known, fresh] = top_.emplace(name, span);
        if (!fresh) result_.errors.push_back(defined_twice_error(name, span, known->second));
        else if (const auto import = imported_.values.find(name); import != imported_.values.end()) result_.errors.push_back(defined_and_imported_error(name, span, import->second));
    }
    void define_pattern_top(const ast::Pattern& pattern) {
        if (pattern.form == ast::Pattern::Form::name) define_top(pattern.name, pattern.span);
        for (const ast::Pattern& item : pattern.items) define_pattern_top(item);
    }

    void collect(const ast::Script& script) {
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
                const auto [known, fresh] = types_.emplace(type->name.text, type);
                if (!fresh) result_.errors.push_back(defined_twice_error(type->name.text, type->name.span, known->second->name.span));
                else if (const auto import = imported_.types.find(type->name.text); import != imported_.types.end()) result_.errors.push_back(defined_and_imported_error(type->name.text, type->name.span, import->second));
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

    // ---- types
    static void names_in_type(const ast::Type& type, std::vector<ast::Name>& names) {
        if (type.form == ast::Type::Form::word) names.push_back(type.word);
        for (const auto& item : type.items) names_in_type(*item, names);
        for (const auto& field : type.fields) names_in_type(*field.type, names);
    }
    void find_field_twice(const ast::Type& type) {
        Names fields;
        for (const ast::TypeField& field : type.fields) {
            const auto [known, fresh] = fields.emplace(field.name.text, field.name.span);
            if (!fresh) result_.errors.push_back(error("E202", "the field `" + field.name.text + "` is given twice").at(field.name.span).label(known->second, "first given here"));
            find_field_twice(*field.type);
        }
        for (const auto& item : type.items) find_field_twice(*item);
    }
    void visit_type(const ast::Type& type) {
        find_field_twice(type);
        std::vector<ast::Name> names;
        names_in_type(type, names);
        for (const ast::Name& name : names) {
            if (types_.contains(name.text) || imported_.types.contains(name.text) || is_type_word(name.text)) continue;
            if (!reported_types_.insert(name.text).second) continue;
            std::vector<std::string_view> candidates;
            for (const auto& entry : imported_.types) candidates.push_back(entry.first);
            for (const auto& entry : types_) candidates.push_back(entry.first);
            result_.errors.push_back(unknown_type_error(name, std::move(candidates)));
        }
    }
    // Whether the type of that name is met again inside of what it is made of.
    bool is_circular(const std::string& start) const {
        std::set<std::string, std::less<>> seen;
        std::vector<ast::Name> queue;
        names_in_type(*types_.find(start)->second->type, queue);
        for (std::size_t i = 0; i < queue.size(); ++i) {
            if (queue[i].text == start) return true;
            const auto next = types_.find(queue[i].text);
            if (next != types_.end() && seen.insert(queue[i].text).second) names_in_type(*next->second->type, queue);
        }
        return false;
    }
    void find_circular_types() {
        bool reported = false; // a circle is one cause
        for (const auto& [name, item] : types_) {
            if (!is_circular(name)) continue;
            result_.circular_types.insert(name);
            if (!reported) result_.errors.push_back(error("E206", "the type `" + name + "` is made of itself").at(item->name.span).help("a type names smaller parts: dtypes, kinds, and types that don't lead back to it"));
            reported = true;
        }
    }

    void visit_item(const ast::Item& item) {
        levels_.clear();
        levels_.emplace_back();
        in_function_ = false;
        std::visit([this](const auto& node) { item_node(node); }, item.node);
    }
    void item_node(const ast::Import&) {}
    void item_node(const ast::TypeItem& item) {
        if (item.type) visit_type(*item.type);
    }
    void item_node(const ast::Input& input) {
        if (input.type) visit_type(*input.type);
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
        if (statement.type) visit_type(*statement.type);
        binding_ = statement.is_let ? &statement.pattern : nullptr;
        visit(*statement.value);
        binding_ = nullptr;
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
        std::set<std::string, std::less<>> dims;
        for (const ast::Param& param : params) {
            if (!param.type) continue;
            visit_type(*param.type);
            dims_of(*param.type, dims);
        }
        if (result) {
            visit_type(*result);
            dims_of(*result, dims);
        }
        levels_.emplace_back();
        for (const std::string& dim : dims) levels_.back().emplace(dim, Span{});
        for (const ast::Param& param : params) {
            if (param.default_value) visit(*param.default_value);
        }
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
        if (in_lambda_ && binding_ && binding_->form == ast::Pattern::Form::name && binding_->name == name && !defined_.contains(name)) {
            report(name, error("E203", "`" + name + "` calls itself, and there is no recursion").at(span).label(top_.find(name)->second, "inside the body of this function").help("repeat with `loop`, `scan` or `fold`"));
            return;
        }
        if (defined_.contains(name) || imported_.values.contains(name) || input_dims_.contains(name)) return;
        const auto later = top_.find(name);
        if (later != top_.end() && in_function_) return; // called after its definition, perhaps
        if (is_known_(name)) return;
        if (later != top_.end()) {
            report(name, used_before_error(name, span, later->second));
            return;
        }
        const bool is_input = free_ == FreeNames::are_inputs && !stands_for_no_data_.contains(span.begin) && !is_foreign(name);
        const bool is_noted = std::ranges::any_of(result_.free_names, [&](const FreeName& known) { return known.name == name; });
        if (!is_noted && (is_input || free_ == FreeNames::are_errors)) result_.free_names.push_back({name, span});
        if (is_input) return;
        std::vector<std::string_view> candidates;
        for (const Names& level : levels_) {
            for (const auto& entry : level) candidates.push_back(entry.first);
        }
        for (const auto& entry : top_) candidates.push_back(entry.first);
        for (const auto& entry : imported_.values) candidates.push_back(entry.first);
        report(name, unknown_name_error(name, span, candidates));
    }
    // One cause, one error.
    void report(const std::string& name, Diagnostic diagnostic) {
        if (reported_.insert(name).second) result_.errors.push_back(std::move(diagnostic));
    }

    // ---- what can be no input of -e: what is called, what a transform makes another function of, a dtype, Python's words
    void no_data(const ast::Expr& expression) {
        if (std::holds_alternative<ast::Identifier>(expression.node)) stands_for_no_data_.insert(expression.span.begin);
    }
    void note_no_data(const ast::Call& node) {
        no_data(*node.callee);
        const auto* callee = std::get_if<ast::Identifier>(&node.callee->node);
        for (const ast::Argument& argument : node.arguments) {
            const bool is_function = &argument == &node.arguments.front() && !argument.keyword && callee && takes_function(callee->name);
            if (is_function || (argument.keyword && argument.keyword->text == "dtype")) no_data(*argument.value);
        }
    }
    static bool is_foreign(std::string_view name) {
        static constexpr std::string_view names[] = {"None", "True", "False", "np", "jnp", "numpy"};
        return std::ranges::find(names, name) != std::end(names);
    }

    // ---- expressions
    void visit_block(const ast::Block& block) {
        levels_.emplace_back();
        for (const ast::Statement& statement : block.statements) {
            visit(*statement.value);
            if (!statement.is_let) continue;
            if (statement.type) {
                visit_type(*statement.type);
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
    void expression_node(const ast::Cast& node, Span) {
        visit(*node.operand);
        if (const auto dtype = dtype_named(node.type.text); !dtype || *dtype == DType::key) result_.errors.push_back(unknown_dtype_error(node.type));
    }
    void expression_node(const ast::Range& node, Span) {
        visit(*node.first);
        visit(*node.last);
    }
    void expression_node(const ast::Call& node, Span) {
        if (free_ == FreeNames::are_inputs) note_no_data(node);
        visit(*node.callee);
        for (const ast::Argument& argument : node.arguments) visit(*argument.value);
    }
    void expression_node(const ast::Pipe& node, Span) {
        visit(*node.value);
        no_data(*node.stage);
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
        const bool outer = std::exchange(in_lambda_, true);
        visit_function(node.params, nullptr, *node.body);
        in_lambda_ = outer;
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

    const ImportedNames& imported_;
    bool (*is_known_)(std::string_view);
    FreeNames free_;
    std::set<std::uint32_t> stands_for_no_data_; // where such names begin
    Names top_;
    std::set<std::string, std::less<>> functions_, defined_, input_dims_, reported_;
    std::vector<Names> levels_;
    std::map<std::string, std::map<std::string, Span, std::less<>>> calls_; // caller -> callee -> where
    std::string current_;
    bool in_function_ = false, in_lambda_ = false;
    const ast::Pattern* binding_ = nullptr; // what the `let` of the top level binds whose value is visited
    std::map<std::string, const ast::TypeItem*, std::less<>> types_;
    std::set<std::string, std::less<>> reported_types_;
    Resolution result_;
};

} // namespace

Resolution resolve(const ast::Script& script, const ImportedNames& imported, bool (*is_known)(std::string_view), FreeNames free) {
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

Diagnostic used_before_error(const std::string& name, Span span, Span definition) {
    return error("E201", "`" + name + "` is used before it is defined").at(span).label(definition, "it is defined here").help("bindings are in order: move its definition up");
}

bool is_type_word(std::string_view name) { return name == "float" || name == "int" || name == "num" || name == "any" || dtype_named(name); }

namespace {

// `f32` for `float32`, `u8` for `uint8`: NumPy's names. Empty for others.
std::string short_name(const std::string& name) {
    static constexpr std::pair<std::string_view, std::string_view> words[] = {{"float", "f"}, {"int", "i"}, {"uint", "u"}, {"complex", "c"}};
    if (name == "double") return "f64";
    for (const auto& [word, letter] : words) {
        const std::string known = name.starts_with(word) ? std::string(letter) + name.substr(word.size()) : std::string();
        if (dtype_named(known)) return known;
    }
    return {};
}

} // namespace

Diagnostic unknown_type_error(const ast::Name& name, std::vector<std::string_view> candidates) {
    Diagnostic diagnostic = error("E206", "there is no type `" + name.text + "`").at(name.span);
    for (const std::string_view word : {"f32", "f64", "i8", "i16", "i32", "i64", "u8", "u16", "u32", "u64", "c64", "c128", "bool", "key", "float", "int", "num", "any"}) candidates.push_back(word);
    if (const auto known = short_name(name.text); !known.empty()) diagnostic.helps.push_back("it is written `" + known + "`");
    else if (const auto near = nearest(name.text, candidates); !near.empty()) diagnostic.helps.push_back("did you mean `" + std::string(near) + "`?");
    else diagnostic.helps.push_back("types are dtypes (f32, i64, …), the kinds float, int, num and any, and what `type` items define");
    return diagnostic;
}

Diagnostic unknown_dtype_error(const ast::Name& name) {
    const std::string known = short_name(name.text);
    return error("E206", "`" + name.text + "` is no dtype").at(name.span).help(known.empty() ? "cast to one of bool i8 i16 i32 i64 u8 u16 u32 u64 f32 f64 c64 c128" : "it is written `" + known + "`");
}

Diagnostic defined_twice_error(const std::string& name, Span span, Span first) {
    Diagnostic diagnostic = error("E202", "`" + name + "` is defined twice at one level").at(span, "defined again");
    if (first) diagnostic.labels.push_back({first, "first defined here"});
    diagnostic.helps.push_back("bindings don't change: give the new value a new name");
    return diagnostic;
}

} // namespace vmaprun
