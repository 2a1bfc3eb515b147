// import "file.vm" [as name]: brings the fns, types and lets of another file.
#include "base/text.hpp"
#include "syntax/parser.hpp"
#include "trace/functions.hpp"
#include "trace/resolve.hpp"
#include "trace/tracer.hpp"

namespace vmaprun {
namespace {

std::string joined_path(const std::string& importing, const std::string& path) {
    const std::size_t slash = importing.rfind('/');
    return path.starts_with('/') || slash == std::string::npos ? path : importing.substr(0, slash + 1) + path;
}

} // namespace

ScopePtr Tracer::load_module(const std::string& path, Span span) {
    if (const auto known = modules_.find(path); known != modules_.end()) return known->second;
    for (const std::string& open : importing_) {
        if (open != path) continue;
        std::vector<std::string> chain(importing_.begin(), importing_.end());
        chain.push_back(path);
        throw UserError(error("E211", "the import of \"" + path + "\" goes in a circle").at(span).note("the imports go " + join(chain, " -> ")));
    }
    if (!options_.load_module) throw UserError(error("E501", "imports can't be read here").at(span));
    const Source* source = nullptr;
    try {
        source = &options_.load_module(path);
    } catch (UserError& failure) {
        Diagnostic& diagnostic = failure.diagnostics().front();
        if (!diagnostic.primary.span) diagnostic.primary.span = span;
        diagnostic.exit_code = 3; // the script names a file that isn't there
        throw;
    }
    ParseResult parsed = parse(*source);
    if (!parsed.errors.empty()) throw UserError(std::move(parsed.errors));
    imported_.push_back(std::make_unique<ast::Script>(std::move(parsed.script)));
    const ast::Script& script = *imported_.back();
    importing_.push_back(path);
    const auto scope = std::make_shared<Scope>();
    for (const ast::Item& item : script.items) {
        if (const auto* import = std::get_if<ast::Import>(&item.node)) run_import(*import, script, scope);
    }
    Resolution names = resolve(script, imported_names(*scope), is_known_word, FreeNames::are_errors);
    if (!names.errors.empty()) throw UserError(std::move(names.errors));
    hoist(script, scope);
    for (const ast::Item& item : script.items) {
        const auto* statement = std::get_if<ast::Statement>(&item.node);
        if (!statement || !statement->is_let) continue;
        DimBindings dims;
        const Datum value = evaluate_statement(*statement, scope, dims);
        bind_pattern(statement->pattern, value, scope, statement->value->span);
    }
    importing_.pop_back();
    return modules_.emplace(path, scope).first->second;
}

void Tracer::run_import(const ast::Import& import, const ast::Script& script, const ScopePtr& scope) {
    const std::string importing = script.source ? script.source->name() : std::string();
    const bool outermost = importing_.empty();
    if (outermost) importing_.push_back(importing);
    const struct Leave {
        std::vector<std::string>& stack;
        std::size_t size;
        ~Leave() { stack.resize(size); }
    } leave{importing_, importing_.size() - (outermost ? 1 : 0)};
    const std::string path = joined_path(importing, import.path);
    const ScopePtr module = load_module(path, import.path_span);
    // What a file imports itself is its own affair: its fns, types and lets alone come with it.
    const auto brings = [&](const std::string& name, auto& known, auto& from) {
        const auto earlier = from.find(name);
        if (earlier == from.end() && !known.contains(name)) return from.emplace(name, Scope::Import{path, import.path_span}).second;
        if (earlier != from.end() && earlier->second.path == path) return false; // the same file by two ways
        Diagnostic diagnostic = error("E202", "`" + name + "` of \"" + import.path + "\" is defined already").at(import.path_span);
        if (earlier != from.end()) diagnostic.labels.push_back({earlier->second.span, "this import brings `" + name + "` too"});
        throw UserError(std::move(diagnostic).help("import it under a name of its own, as in `import \"" + import.path + "\" as m`"));
    };
    for (const auto& [name, type] : module->types) {
        if (!module->imported_types.contains(name) && brings(name, scope->types, scope->imported_types)) scope->types.emplace(name, type);
    }
    std::vector<std::pair<std::string, Datum>> fields;
    for (const auto& [name, value] : module->names) {
        if (module->imported.contains(name)) continue;
        if (import.alias) fields.emplace_back(name, value);
        else if (brings(name, scope->names, scope->imported)) scope->names.emplace(name, value);
    }
    if (!import.alias) return;
    define(import.alias->text, Datum::record(std::move(fields)), import.alias->span, scope);
    scope->imported.emplace(import.alias->text, Scope::Import{path, import.alias->span});
}

ImportedNames imported_names(const Scope& scope) {
    ImportedNames names;
    for (const auto& [name, import] : scope.imported) names.values.emplace(name, import.span);
    for (const auto& [name, import] : scope.imported_types) names.types.emplace(name, import.span);
    return names;
}

} // namespace vmaprun
