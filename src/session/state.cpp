#include "session/state.hpp"

#include <optional>

#include "base/profile.hpp"
#include "exec/threads.hpp"
#include "transform/pass.hpp"

namespace vmaprun {

ParseResult parsed(SourceMap& sources, const std::string& text, const std::string& name) {
    ParseResult result = parse(sources.add(name, text));
    if (!result.errors.empty()) throw UserError(std::move(result.errors));
    return result;
}

TraceOptions trace_options(SourceMap& sources, const Options& options) {
    TraceOptions result;
    result.implicit_inputs = options.implicit_inputs;
    result.load_module = [&sources](const std::string& path) -> const Source& { return sources.add(path, std::string(read_file(path).view())); };
    result.folder = options.check_nan ? Folder(fold_finite_node) : Folder(fold_node);
    return result;
}

std::vector<std::string> input_names(const ast::Script& script) {
    std::vector<std::string> names;
    for (const ast::Item& item : script.items) {
        if (const auto* input = std::get_if<ast::Input>(&item.node)) names.push_back(input->name.text);
    }
    return names;
}

Diagnostic bug(const std::string& what) {
    return error("", "internal error: " + what)
        .help("this is a bug of vmaprun: please report it, with the script and the command that led here")
        .exits(70);
}

int status_of(const std::vector<Diagnostic>& failures) {
    // A script that is wrong is wrong whatever data it gets: that goes before a fault of the data.
    std::optional<int> status;
    for (const Diagnostic& diagnostic : failures) {
        if (diagnostic.severity == Severity::error && (!status || exit_code_of(diagnostic) == 3)) status = exit_code_of(diagnostic);
    }
    return status.value_or(70);
}

namespace {

constexpr std::size_t most_rest_axes = 6;

ProfileSpan::What phase(const char* name) { return {name, {}, {}}; }

} // namespace

// Traces, and adds the warnings: also before errors, because what binds no input tells why another is missing.
Traced Session::State::traced(const ast::Script& script, BoundInputs& inputs, const TraceOptions& trace_options, std::vector<Message>& messages) const {
    try {
        const ProfileSpan span("phase", [] { return phase("trace"); });
        Traced result = trace(script, inputs, trace_options);
        add(messages, result.warnings);
        add(messages, inputs.warnings());
        return result;
    } catch (const UserError&) {
        add(messages, inputs.warnings());
        throw;
    }
}

Traced Session::State::traced_to_run(const ast::Script& script, BoundInputs& inputs, const TraceOptions& trace_options, std::vector<Message>& messages) const {
    if (!options.implicit_inputs) inputs.require_known(input_names(script));
    Traced result = traced(script, inputs, trace_options, messages);
    if (options.implicit_inputs) inputs.require_known(result.input_names);
    return result;
}

std::size_t Session::State::fitting_rest(const ast::Script& script, BoundInputs& inputs, TraceOptions trace_options) const {
    if (!has_open_rank(script)) return 0;
    for (trace_options.rest_axes = 0; trace_options.rest_axes <= most_rest_axes; ++trace_options.rest_axes) {
        try {
            (void)trace(script, inputs, trace_options);
            return trace_options.rest_axes;
        } catch (const UserError&) {
        }
    }
    return 0;
}

InputBindings Session::State::bindings() const {
    InputBindings result;
    for (const std::string& text : options.files) result.files.push_back(parse_file_binding(text));
    for (const std::string& text : options.values) result.values.push_back(parse_value_binding(text));
    result.data = options.data;
    if (options.read_stdin) result.standard_input = standard_input;
    result.threads = thread_count(options.threads);
    return result;
}

// What flags leave open is as the script's context(...) says.
RunOptions Session::State::run_options(const Traced& traced) const {
    RunOptions result;
    const auto setting = [&](const std::string& key) {
        const auto found = traced.context.values.find(key);
        return found == traced.context.values.end() ? std::string() : found->second;
    };
    const bool eager = options.mode == Options::Mode::script ? setting("mode") == "eager" : options.mode == Options::Mode::eager;
    const bool one_thread = options.strategy == Options::Strategy::script ? setting("strategy") == "none" : options.strategy == Options::Strategy::none;
    result.mode = eager ? RunOptions::Mode::eager : RunOptions::Mode::graph;
    result.devices = options.devices > 0 || setting("devices").empty() ? options.devices : std::stoi(setting("devices"));
    result.deals_work = !one_thread;
    result.threads = options.threads;
    result.check_nan = options.check_nan;
    result.clamp_indices = options.clamp_indices;
    if (options.debug) result.debug = options.debug;
    return result;
}

std::shared_ptr<Graph> Session::State::prepared(const Traced& traced) const {
    const ProfileSpan span("phase", [] { return phase("passes"); });
    const RunOptions how = run_options(traced);
    // The check speaks of what the script says: its operations, and samples as it has them.
    return how.mode == RunOptions::Mode::eager || how.check_nan ? traced.graph : run_passes(traced.graph);
}

} // namespace vmaprun
