// What the verbs of a Session share: its options, and the steps of a script on its way from text to a graph that is run.
#pragma once

#include <memory>
#include <new>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "base/error.hpp"
#include "base/source.hpp"
#include "exec/run.hpp"
#include "io/inputs.hpp"
#include "syntax/diagnostics.hpp"
#include "syntax/parser.hpp"
#include "trace/trace.hpp"
#include "vmaprun.hpp"

namespace vmaprun {

Diagnostic bug(const std::string& what);

// What something threw; nothing where it ended well.
template <class F> std::vector<Diagnostic> failures_of(F&& f) {
    try {
        f();
        return {};
    } catch (const UserError& failure) {
        return failure.diagnostics();
    } catch (const std::bad_alloc&) {
        return {error("E602", "the memory is out")};
    } catch (const InternalError& failure) {
        return {bug(failure.what())};
    } catch (const std::logic_error& failure) {
        return {bug(failure.what())};
    }
}
// The exit code of failures.
int status_of(const std::vector<Diagnostic>& failures);

// The text and its imports outlive the parse: diagnostics point into them until they are rendered.
ParseResult parsed(SourceMap& sources, const std::string& text, const std::string& name);
TraceOptions trace_options(SourceMap& sources, const Options& options);
std::vector<std::string> input_names(const ast::Script& script);

struct Session::State {
    Options options;
    std::shared_ptr<StandardInput> standard_input; // read once, however many scripts run

    Message message_of(const Diagnostic& diagnostic) const {
        const bool is_error = diagnostic.severity == Severity::error;
        return {is_error,           diagnostic.code, diagnostic.message, render(diagnostic, RenderOptions{options.color}), render_json(diagnostic),
                is_error ? exit_code_of(diagnostic) : 0};
    }
    void add(std::vector<Message>& messages, const std::vector<Diagnostic>& diagnostics) const {
        for (const Diagnostic& diagnostic : diagnostics) messages.push_back(message_of(diagnostic));
    }
    // Does something: 0, or the exit code of what it threw, which is added to the messages.
    template <class F> int guarded(std::vector<Message>& messages, F&& f) const {
        const std::vector<Diagnostic> diagnostics = failures_of(std::forward<F>(f));
        if (diagnostics.empty()) return 0;
        add(messages, diagnostics);
        return status_of(diagnostics);
    }
    enum class Sizes { are_known, may_be_unknown };
    template <class Require, class Text> TextReport report_on(const std::string& source, const std::string& name, Sizes sizes, Require&& require, Text&& text) const;
    Traced traced(const ast::Script& script, BoundInputs& inputs, const TraceOptions& trace_options, std::vector<Message>& messages) const;
    // The same for a run: what -i and --set name must be inputs of the script.
    Traced traced_to_run(const ast::Script& script, BoundInputs& inputs, const TraceOptions& trace_options, std::vector<Message>& messages) const;
    // While data is missing: how many axes may stand for the `...` of a type, so that the script is right; 0 where it is wrong for any.
    std::size_t fitting_rest(const ast::Script& script, BoundInputs& inputs, TraceOptions trace_options) const;
    InputBindings bindings() const;
    RunOptions run_options(const Traced& traced) const;
    // The graph as it is run: after all passes, but in eager mode, which does each operation as it is met.
    std::shared_ptr<Graph> prepared(const Traced& traced) const;
    std::vector<double> times_of(const TracedTest& bench, BoundInputs& inputs) const;
};

} // namespace vmaprun
