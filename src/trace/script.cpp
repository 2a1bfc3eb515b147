// A script item by item, in order. An error in one item doesn't hide those of others: what the failed item would have
// bound becomes poison, and what needs it is skipped without a further message.
#include <algorithm>

#include "base/text.hpp"
#include "ops/lowering.hpp"
#include "trace/functions.hpp"
#include "trace/resolve.hpp"
#include "trace/tracer.hpp"

namespace vmaprun {
namespace {

// The name of what an expression calls in the end: checks are never outputs.
bool is_check(const ast::Expr& expression) {
    const ast::Expr* call = &expression;
    if (const auto* pipe = std::get_if<ast::Pipe>(&expression.node)) call = pipe->stage.get();
    if (const auto* called = std::get_if<ast::Call>(&call->node)) call = called->callee.get();
    const auto* name = std::get_if<ast::Identifier>(&call->node);
    return name && (name->name == "debug" || name->name.starts_with("assert_"));
}

void pattern_names(const ast::Pattern& pattern, std::vector<std::string>& names) {
    if (pattern.form == ast::Pattern::Form::name) names.push_back(pattern.name);
    for (const ast::Pattern& item : pattern.items) pattern_names(item, names);
}

void size_names_of_type(const ast::Type& type, const Scope& scope, std::vector<std::string>& names) {
    if (type.form == ast::Type::Form::word) {
        if (const ast::TypeItem* alias = scope.find_type(type.word.text)) return size_names_of_type(*alias->type, scope, names);
    }
    for (const ast::Dim& dim : type.dims) {
        if (dim.expression) size_names(*dim.expression, names);
    }
    for (const auto& item : type.items) size_names_of_type(*item, scope, names);
    for (const ast::TypeField& field : type.fields) size_names_of_type(*field.type, scope, names);
}

} // namespace

void size_names(const ast::Expr& expression, std::vector<std::string>& names) {
    if (const auto* name = std::get_if<ast::Identifier>(&expression.node)) names.push_back(name->name);
    if (const auto* binary = std::get_if<ast::Binary>(&expression.node)) {
        size_names(*binary->left, names);
        size_names(*binary->right, names);
    }
}

Tracer::Tracer(InputSource& source, const TraceOptions& options)
    : source_(source), options_(options), program_(std::make_shared<Program>()), builder_(std::make_unique<Builder>(program_, options.folder)),
      top_(std::make_shared<Scope>()) {
    if (options_.symbolic) size_facts_.emplace([this] { return builder_->origin() ? builder_->origin()->span : Span(); });
}

// A function and the scope that holds it keep each other alive: nobody needs either any more.
Tracer::~Tracer() {
    for (const std::weak_ptr<Scope>& closure : closures_) {
        for (ScopePtr scope = closure.lock(); scope; scope = scope->outer) scope->names.clear();
    }
}

Diagnostic Tracer::unknown_name(const std::string& name, Span span, const ScopePtr& scope) {
    // A function that is called above the `let` that it needs.
    if (const auto later = top_places_.find(name); later != top_places_.end() && later->second.source == span.source) return used_before_error(name, span, later->second);
    std::vector<std::string_view> candidates;
    for (const Scope* level = scope.get(); level != nullptr; level = level->outer.get()) {
        for (const auto& entry : level->names) candidates.push_back(entry.first);
    }
    return unknown_name_error(name, span, candidates);
}

// An error is told once, also when several passes or calls meet it.
void Tracer::report(UserError& failure) {
    add_size_facts(failure.diagnostics().front());
    for (Diagnostic& diagnostic : failure.diagnostics()) {
        const bool known = std::ranges::any_of(errors_, [&](const Diagnostic& e) { return e.code == diagnostic.code && e.primary.span == diagnostic.primary.span && e.message == diagnostic.message; });
        const bool same_use = diagnostic.code == "E201" && std::ranges::any_of(errors_, [&](const Diagnostic& e) { return e.code == "E201" && e.primary.span == diagnostic.primary.span; });
        const bool same_name = diagnostic.code == "E201" && std::ranges::any_of(errors_, [&](const Diagnostic& e) { return e.code == "E201" && e.message == diagnostic.message; });
        const bool same_place = (diagnostic.code == "E202" || diagnostic.code == "E203") && std::ranges::any_of(errors_, [&](const Diagnostic& e) { return e.code == diagnostic.code && (e.primary.span == diagnostic.primary.span || diagnostic.code == "E203"); });
        if (!known && !same_use && !same_name && !same_place) errors_.push_back(std::move(diagnostic));
    }
}

// Where the sizes are demanded to be what makes this a mistake.
void Tracer::add_size_facts(Diagnostic& diagnostic) const {
    if (!size_facts_ || (!diagnostic.code.starts_with("E3") && diagnostic.code != "E401")) return;
    for (const SizeFacts::Fact& fact : size_facts_->reasons()) {
        if (fact.place && !(fact.place == diagnostic.primary.span)) diagnostic.labels.push_back({fact.place, fact.text + " here"});
        else diagnostic.notes.push_back(fact.text);
    }
}

void Tracer::define(const std::string& name, const Datum& value, Span span, const ScopePtr& scope) {
    if (scope->names.emplace(name, value).second) return;
    const auto dim = scope == top_ ? input_dims_.names.find(name) : input_dims_.names.end(); // perhaps a size of an input
    throw UserError(defined_twice_error(name, span, dim == input_dims_.names.end() ? Span() : dim->second.span));
}

void Tracer::poison(const ast::Item& item) {
    const auto mark = [&](const std::string& name) { top_->names.insert_or_assign(name, Datum::of(PoisonDatum{})); };
    if (const auto* input = std::get_if<ast::Input>(&item.node)) {
        mark(input->name.text);
        // The sizes that it would have bound are unknown for the same cause.
        std::vector<std::string> sizes;
        if (input->type) size_names_of_type(*input->type, *top_, sizes);
        for (const std::string& size : sizes) top_->names.emplace(size, Datum::of(PoisonDatum{}));
    }
    if (const auto* output = std::get_if<ast::Output>(&item.node); output && output->name) mark(output->name->text);
    if (const auto* fn = std::get_if<ast::Function>(&item.node)) mark(fn->name.text);
    if (const auto* statement = std::get_if<ast::Statement>(&item.node); statement && statement->is_let) {
        std::vector<std::string> names;
        pattern_names(statement->pattern, names);
        std::ranges::for_each(names, mark);
    }
}

// Types first, then functions: both may be used before they are defined.
void Tracer::hoist(const ast::Script& script, const ScopePtr& scope) {
    for (const ast::Item& item : script.items) {
        const auto* type = std::get_if<ast::TypeItem>(&item.node);
        if (type && !scope->circular_types.contains(type->name.text)) scope->types.emplace(type->name.text, type);
    }
    // Decorators may name functions that follow: plain ones are defined first.
    for (const bool decorated : {false, true}) {
        for (const ast::Item& item : script.items) {
            const auto* fn = std::get_if<ast::Function>(&item.node);
            if (fn == nullptr || fn->decorators.empty() == decorated) continue;
            try {
                define(fn->name.text, make_user_function(*fn, scope), fn->name.span, scope);
            } catch (UserError& failure) {
                report(failure);
                if (scope == top_) poison(item);
            } catch (const AlreadyReported&) {
                poison(item);
            }
        }
    }
}

void Tracer::prepare(const ast::Script& script) {
    main_ = script.source;
    if (options_.records > 0) {
        records_ = builder_->new_lane({options_.records, {}, {}, 0, 0, 0});
        builder_->push_nesting({Nesting::Kind::lane, *records_});
    }
    for (const ast::Item& item : script.items) {
        if (const auto* input = std::get_if<ast::Input>(&item.node)) {
            const std::size_t unclaimed = source_.claims(input->name.text) ? 0 : 1;
            inputs_total_ += unclaimed;
            if (!input->default_value) inputs_without_default_ += unclaimed;
            traced_.input_names.push_back(input->name.text);
        }
    }
    for (const ast::Item& item : script.items) {
        if (const auto* import = std::get_if<ast::Import>(&item.node)) {
            try {
                run_import(*import, script, top_);
            } catch (UserError& failure) {
                report(failure);
            }
        }
    }
    const ImportedNames imported = imported_names(*top_);
    const bool broken_import = !errors_.empty(); // then any unknown name may be the import's
    Resolution names = resolve(script, imported, is_known_word, options_.implicit_inputs ? FreeNames::are_inputs : FreeNames::are_errors);
    top_->circular_types = std::move(names.circular_types);
    top_places_ = std::move(names.places);
    for (Diagnostic& diagnostic : names.errors) {
        UserError failure(std::move(diagnostic));
        if (!(broken_import && failure.diagnostics()[0].code == "E201")) report(failure);
    }
    if (options_.implicit_inputs) {
        for (const FreeName& free : names.free_names) {
            const std::size_t unclaimed = source_.claims(free.name) ? 0 : 1;
            inputs_total_ += unclaimed;
            inputs_without_default_ += unclaimed;
            traced_.input_names.push_back(free.name);
        }
        for (const FreeName& free : names.free_names) {
            try {
                run_input(free.name, nullptr, nullptr, free.span);
            } catch (UserError& failure) {
                report(failure);
                top_->names.emplace(free.name, Datum::of(PoisonDatum{}));
            } catch (const AlreadyReported&) {
                top_->names.emplace(free.name, Datum::of(PoisonDatum{}));
            }
        }
    } else {
        // Reported already: what uses them is skipped.
        for (const FreeName& free : names.free_names) top_->names.emplace(free.name, Datum::of(PoisonDatum{}));
    }
    hoist(script, top_);
}

void Tracer::run_items(const ast::Script& script) {
    for (std::size_t i = 0; i < script.items.size(); ++i) {
        const ast::Item& item = script.items[i];
        try {
            run_item(item, i + 1 == script.items.size());
        } catch (UserError& failure) {
            report(failure);
            poison(item);
        } catch (const AlreadyReported&) {
            is_poisoned_ = true;
            poison(item);
        }
    }
}

void Tracer::run_item(const ast::Item& item, bool last) {
    if (const auto* input = std::get_if<ast::Input>(&item.node)) {
        run_input(input->name.text, input->type.get(), input->default_value.get(), input->name.span);
    } else if (const auto* statement = std::get_if<ast::Statement>(&item.node)) {
        if (!testing_ || statement->is_let) run_statement(*statement, last);
    } else if (const auto* output = std::get_if<ast::Output>(&item.node)) {
        run_output(*output);
    } else if (const auto* context = std::get_if<ast::Context>(&item.node)) {
        run_context(*context);
    }
}

void Tracer::run_statement(const ast::Statement& statement, bool last) {
    DimBindings dims;
    const Datum value = evaluate_statement(statement, top_, dims);
    if (!statement.is_let) {
        if (last && !value.none() && !is_check(*statement.value)) {
            unnamed_outputs_.push_back(statement.span);
            add_output({}, value, statement.value->span);
        }
        return;
    }
    for (const auto& [name, entry] : dims.names) {
        if (!top_->find(name)) define(name, builder_->constant(entry.size), entry.span, top_);
    }
    bind_pattern(statement.pattern, value, top_, statement.value->span);
}

void Tracer::run_output(const ast::Output& output) {
    const Datum value = evaluate(*output.value, top_);
    if (output.name) define(output.name->text, value, output.name->span, top_);
    if (testing_) return;
    if (is_check(*output.value) && (!output.name || value.none())) throw UserError(error("E207", "a check is no output").at(output.value->span).help("checks stand alone: leave out `output`"));
    if (output.name) return add_output(output.name->text, value, output.value->span);
    if (const auto* name = std::get_if<ast::Identifier>(&output.value->node); name && !output.value->parenthesized) return add_output(name->name, value, output.value->span);
    if (std::holds_alternative<ast::Record>(output.value->node) && value.record()) {
        for (const auto& [name, field] : value.record()->fields) {
            if (field.poison()) throw AlreadyReported{};
            add_output(name, field, output.value->span);
        }
        return;
    }
    unnamed_outputs_.push_back(output.value->span);
    add_output({}, value, output.value->span);
}

void Tracer::add_output(const std::string& name, const Datum& value, Span span) {
    for (const TracedOutput& known : traced_.outputs) {
        if (known.name == name && !name.empty()) throw UserError(error("E202", "there are two outputs named `" + name + "`").at(span).label(known.span, "the first one"));
    }
    traced_.outputs.push_back({name, output_tree(value, span), span});
}

OutputTree Tracer::output_tree(const Datum& value, Span span) {
    OutputTree tree;
    if (const Value* tensor = value.tensor()) {
        tree.output = outputs_.size();
        outputs_.push_back(*tensor);
        return tree;
    }
    if (value.poison()) throw AlreadyReported{};
    if (const TupleDatum* tuple = value.tuple()) {
        tree.form = OutputTree::Form::tuple;
        for (const Datum& item : tuple->items) tree.items.push_back(output_tree(item, span));
        return tree;
    }
    if (const RecordDatum* record = value.record()) {
        tree.form = OutputTree::Form::record;
        for (const auto& [name, field] : record->fields) {
            tree.names.push_back(name);
            tree.items.push_back(output_tree(field, span));
        }
        return tree;
    }
    if (value.none()) {
        tree.form = OutputTree::Form::none;
        return tree;
    }
    Diagnostic diagnostic = error("E406", "an output is a tensor or a tree of tensors, not " + type_text(*builder_, value)).at(span);
    if (value.function()) diagnostic.helps.push_back("call the function on its data");
    throw UserError(std::move(diagnostic));
}

void Tracer::run_context(const ast::Context& context) {
    static constexpr std::string_view keys[] = {"mode", "device", "devices", "strategy"};
    const auto one_of = [](Span span, const std::string& key, const std::string& word, std::initializer_list<std::string_view> words) {
        if (std::ranges::find(words, word) != words.end()) return;
        std::vector<std::string> all;
        for (const std::string_view w : words) all.push_back("`" + std::string(w) + "`");
        throw UserError(error("E310", "`" + key + "` is " + join(all, " or ") + ", not `" + word + "`").at(span));
    };
    for (const ast::Argument& argument : context.arguments) {
        const Span span = argument.value->span;
        if (!argument.keyword) throw UserError(error("E204", "context(...) takes its settings by name").at(span).help("as in context(mode=graph, device=cpu)"));
        const std::string& key = argument.keyword->text;
        if (std::ranges::find(keys, key) == std::end(keys)) {
            Diagnostic diagnostic = error("E205", "there is no setting `" + key + "`").at(argument.keyword->span);
            if (const auto near = nearest(key, keys); !near.empty()) diagnostic.helps.push_back("did you mean `" + std::string(near) + "`?");
            diagnostic.notes.push_back("the settings are mode, device, devices and strategy");
            throw UserError(std::move(diagnostic));
        }
        std::string word;
        if (const auto* name = std::get_if<ast::Identifier>(&argument.value->node)) word = name->name;
        else if (std::holds_alternative<ast::None>(argument.value->node)) word = "none";
        else if (const auto* text = std::get_if<ast::String>(&argument.value->node)) word = text->value;
        else word = constant_int(evaluate(*argument.value, top_), span, "`" + key + "`").text();
        if (key == "mode") one_of(span, key, word, {"graph", "eager"});
        if (key == "device") one_of(span, key, word, {"cpu"});
        if (key == "strategy") one_of(span, key, word, {"auto_parallel", "none"});
        const bool is_count = !word.empty() && word.size() <= 4 && word.find_first_not_of("0123456789") == std::string::npos;
        if (key == "devices" && (!is_count || std::stoi(word) < 1 || std::stoi(word) > 1024)) {
            throw UserError(error("E310", "`devices` counts devices, 1 to 1024, and this is " + word).at(span));
        }
        if (!traced_.context.values.emplace(key, word).second) throw UserError(error("E205", "the setting `" + key + "` is given twice").at(argument.keyword->span));
    }
}

namespace {

// Errors are told in the order of the script: by their place in it, or that of the call that led elsewhere.
std::size_t place_in(const Source* source, const Diagnostic& diagnostic) {
    if (diagnostic.primary.span.source == source) return diagnostic.primary.span.begin;
    for (const Label& label : diagnostic.labels) {
        if (label.span.source == source) return label.span.begin;
    }
    return 0;
}

} // namespace

Traced Tracer::finish() {
    if (!unnamed_outputs_.empty() && traced_.outputs.size() > 1 && errors_.empty()) {
        errors_.push_back(error("E212", "an unnamed output stands beside another output").at(unnamed_outputs_.front(), "this output has no name").help("name it, as in `output total = …`"));
    }
    if (!errors_.empty()) {
        std::ranges::stable_sort(errors_, {}, [&](const Diagnostic& diagnostic) { return place_in(main_, diagnostic); });
        throw UserError(std::move(errors_));
    }
    if (records_) {
        for (Value& output : outputs_) output = builder_->unlane(output, *records_, 0);
    }
    traced_.graph = builder_->finish(outputs_);
    return std::move(traced_);
}

Traced Tracer::run_script(const ast::Script& script) {
    prepare(script);
    run_items(script);
    if (is_poisoned_ && errors_.empty() && !options_.symbolic) throw InternalError("an item met poison that nobody reported");
    return finish();
}

TracedTest Tracer::run_test(const ast::Script& script, const ast::Test& test) {
    testing_ = true;
    prepare(script);
    run_items(script);
    std::vector<Diagnostic> of_items = std::move(errors_);
    errors_.clear();
    TracedTest result{.name = test.name, .span = test.name_span};
    if (test.is_bench) result.begin = builder_->begin_anew(); // what the script has done already would take no time
    try {
        const Datum value = evaluate_block(test.block, top_);
        if (test.is_bench) add_output({}, value, test.block.statements.back().span); // what is timed is needed
    } catch (UserError& failure) {
        report(failure);
    } catch (const AlreadyReported&) {
        errors_ = std::move(of_items); // the test needs what failed
        if (errors_.empty()) throw InternalError("a test met poison that nobody reported");
    }
    result.traced = finish();
    return result;
}

Traced trace(const ast::Script& script, InputSource& source, const TraceOptions& options) { return Tracer(source, options).run_script(script); }

std::vector<TracedTest> trace_tests(const ast::Script& script, InputSource& source, const TraceOptions& options, bool benches) {
    std::vector<TracedTest> tests;
    for (const ast::Item& item : script.items) {
        const auto* test = std::get_if<ast::Test>(&item.node);
        if (test == nullptr || test->is_bench != benches) continue;
        try {
            tests.push_back(Tracer(source, options).run_test(script, *test));
        } catch (UserError& failure) {
            tests.push_back({.name = test->name, .span = test->name_span, .errors = std::move(failure.diagnostics())});
        }
    }
    return tests;
}

} // namespace vmaprun
