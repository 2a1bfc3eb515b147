#include "vmaprun.hpp"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstring>
#include <iterator>
#include <new>

#include "array/memory_limit.hpp"
#include "base/text.hpp"
#include "exec/memory.hpp"
#include "ir/printer.hpp"
#include "session/outputs.hpp"
#include "session/result.hpp"
#include "session/state.hpp"
#include "session/streaming.hpp"
#include "syntax/formatter.hpp"
#include "transform/pass.hpp"
#include "transform/splitting.hpp"

namespace vmaprun {

Session::Session(Options options) : state_(std::make_unique<State>()) {
    state_->options = std::move(options);
    state_->standard_input = std::make_shared<StandardInput>();
}
Session::~Session() = default;
Session::Session(Session&&) noexcept = default;
Session& Session::operator=(Session&&) noexcept = default;

void Session::bind_data(const std::string& path) { state_->options.data = path; }

void Session::read_standard_input(const std::string& source, const std::string& name) {
    if (!state_->options.read_stdin) return;
    const Source text(name, source);
    const ParseResult script = parse(text);
    if (!script.errors.empty()) return; // the run will tell
    // Every binding takes one input; the batch's own file takes another.
    const std::size_t bound = state_->options.files.size() + state_->options.values.size() + 1;
    if (state_->options.implicit_inputs || input_names(script.script).size() > bound) state_->standard_input->bytes();
}

// ---- run, check ------------------------------------------------------------------------------------------------------

Result Session::run(const std::string& source, const std::string& name, const std::vector<WantedOutput>& wanted) {
    Result result;
    SourceMap sources;
    result.exit_code_ = state_->guarded(result.messages_, [&] {
        ParseResult script = parsed(sources, source, name);
        const Options& options = state_->options;
        const MemoryLimit memory(options.memory);
        BoundInputs inputs(state_->bindings());
        const Traced traced = state_->traced_to_run(script.script, inputs, trace_options(sources, options), result.messages_);
        require_wanted(traced, wanted);
        std::shared_ptr<Graph> graph = state_->prepared(traced);
        const RunOptions how = state_->run_options(traced);
        if (how.mode == RunOptions::Mode::graph && !how.check_nan) graph = cut_for_streaming(std::move(graph), traced, inputs);
        Streaming streaming(*graph, traced, inputs, wanted, how);
        const std::vector<Array> arrays = streaming.run();
        auto data = std::make_shared<ResultData>();
        data->threads = options.threads;
        data->placed = streaming.placed();
        for (const TracedOutput& output : traced.outputs) data->outputs.emplace_back(output.name, tree_of(output.tree, arrays));
        result.data_ = std::move(data);
    });
    return result;
}

Result Session::check(const std::string& source, const std::string& name) {
    Result result;
    SourceMap sources;
    result.exit_code_ = state_->guarded(result.messages_, [&] {
        ParseResult script = parsed(sources, source, name);
        BoundInputs inputs(state_->bindings());
        if (!state_->options.implicit_inputs) inputs.require_known(input_names(script.script));
        TraceOptions options = trace_options(sources, state_->options);
        options.symbolic = true;
        options.rest_axes = state_->fitting_rest(script.script, inputs, options);
        std::vector<Diagnostic> failures;
        try {
            state_->traced(script.script, inputs, options, result.messages_);
        } catch (UserError& failure) {
            failures = std::move(failure.diagnostics());
        }
        // A test meets the errors of the items that it needs once more.
        const auto is_known = [&](const Diagnostic& one) {
            return std::ranges::any_of(failures, [&](const Diagnostic& other) { return one.code == other.code && one.message == other.message && one.primary.span == other.primary.span; });
        };
        for (const TracedTest& test : trace_tests(script.script, inputs, options)) {
            std::ranges::copy_if(test.errors, std::back_inserter(failures), [&](const Diagnostic& one) { return !is_known(one); });
        }
        if (!failures.empty()) throw UserError(std::move(failures));
    });
    return result;
}

// ---- graph, plan, format ---------------------------------------------------------------------------------------------

namespace {

void require_pass(const std::string& name) {
    std::vector<std::string> known{"`trace`"};
    for (const Pass& pass : passes()) known.push_back("`" + std::string(pass.name) + "`");
    if (name.empty() || std::ranges::find(known, "`" + name + "`") != known.end()) return;
    throw UserError(error("E515", "there is no pass `" + name + "`").help("the passes are " + join_and(known)).exits(2));
}

} // namespace

// What `text` says of the script as it is traced; first, before anything is read, `require`.
template <class Require, class Text> TextReport Session::State::report_on(const std::string& source, const std::string& name, Sizes sizes, Require&& require, Text&& text) const {
    TextReport report;
    SourceMap sources;
    report.exit_code = guarded(report.messages, [&] {
        require();
        ParseResult script = parsed(sources, source, name);
        BoundInputs inputs(bindings());
        TraceOptions how = trace_options(sources, options);
        how.symbolic = sizes == Sizes::may_be_unknown;
        if (how.symbolic) how.rest_axes = fitting_rest(script.script, inputs, how);
        report.text = text(traced(script.script, inputs, how, report.messages));
    });
    return report;
}

TextReport Session::graph(const std::string& source, const std::string& name, GraphFormat format, const std::string& after) {
    return state_->report_on(source, name, State::Sizes::may_be_unknown, [&] { require_pass(after); }, [&](const Traced& traced) {
        const std::shared_ptr<Graph> graph = run_passes(traced.graph, after);
        const GraphNames names = graph_names(traced);
        return format == GraphFormat::text   ? graph_text(*graph, names)
               : format == GraphFormat::json ? graph_json(*graph, names)
                                             : graph_dot(*graph, names);
    });
}

TextReport Session::types(const std::string& source, const std::string& name) {
    return state_->report_on(source, name, State::Sizes::are_known, [] {}, [](const Traced& traced) {
        std::string text;
        for (const TracedOutput& output : traced.outputs) text += (output.name.empty() ? "" : output.name + ": ") + type_text(output.tree, *traced.graph) + "\n";
        return text;
    });
}

TextReport Session::plan(const std::string& source, const std::string& name) {
    return state_->report_on(source, name, State::Sizes::may_be_unknown, [] {}, [&](const Traced& traced) { return explain_plan(*state_->prepared(traced), state_->run_options(traced)); });
}

TextReport Session::format(const std::string& source, const std::string& name) {
    TextReport report;
    SourceMap sources;
    report.exit_code = state_->guarded(report.messages, [&] {
        const ParseResult script = parsed(sources, source, name);
        report.text = vmaprun::format(script.script, script.comments);
    });
    return report;
}

// ---- test, bench -----------------------------------------------------------------------------------------------------

namespace {

using Clock = std::chrono::steady_clock;
double seconds_since(Clock::time_point start) { return std::chrono::duration<double>(Clock::now() - start).count(); }

// "1.234 ms"
std::string time_text(double seconds) {
    const char* unit = seconds >= 1 ? "s" : seconds >= 1e-3 ? "ms" : "us";
    const double scale = seconds >= 1 ? 1 : seconds >= 1e-3 ? 1e3 : 1e6;
    char text[48];
    std::snprintf(text, sizeof text, "%.3f %s", seconds * scale, unit);
    return text;
}

constexpr int warm_ups = 3;

struct BenchTimes {
    double median, low, high; // seconds
    std::size_t runs;
};

// Median, and the order statistics that enclose the true one with 95 % (normal approximation of the binomial).
BenchTimes summary_of(std::vector<double> times) {
    std::ranges::sort(times);
    const double count = static_cast<double>(times.size()), spread = 0.98 * std::sqrt(count);
    const auto at = [&](double rank) { return times[static_cast<std::size_t>(std::clamp(rank, 0.0, count - 1))]; };
    const double median = (at(std::floor((count - 1) / 2)) + at(std::ceil((count - 1) / 2))) / 2;
    return {median, at(std::floor(count / 2 - spread)), at(std::ceil(count / 2 + spread)), times.size()};
}

std::string bench_line(const std::string& script, const std::string& name, const BenchTimes& times, BenchFormat format) {
    if (format == BenchFormat::text) {
        return name + ": " + time_text(times.median) + " [" + time_text(times.low) + " .. " + time_text(times.high) + "], " + std::to_string(times.runs) + " runs\n";
    }
    char numbers[160];
    std::snprintf(numbers, sizeof numbers, "\"median\": %.9g, \"low\": %.9g, \"high\": %.9g, \"runs\": %zu, \"warm_ups\": %d}\n", times.median, times.low, times.high, times.runs, warm_ups);
    return "{\"script\": " + json_string(script) + ", \"name\": " + json_string(name) + ", " + numbers;
}

} // namespace

// The seconds of each run of a block. What the script binds around it is computed once, before.
std::vector<double> Session::State::times_of(const TracedTest& bench, BoundInputs& inputs) const {
    const Split split = split_at(*bench.traced->graph, bench.begin);
    Traced part = *bench.traced;
    std::vector<Array> arrays = inputs.load(part);
    part.graph = split.before;
    const std::vector<Array> before = vmaprun::run(*prepared(part), arrays, run_options(part));
    arrays.insert(arrays.end(), before.begin(), before.end());
    part.graph = split.after;
    const std::shared_ptr<Graph> graph = prepared(part);
    const auto once = [&] {
        const auto start = Clock::now();
        vmaprun::run(*graph, arrays, run_options(part));
        return seconds_since(start);
    };
    for (int warm_up = 0; warm_up < warm_ups; ++warm_up) once();
    std::vector<double> times;
    const auto start = Clock::now();
    while (times.size() < 15 || (times.size() < 1000 && seconds_since(start) < 1.0)) times.push_back(once());
    return times;
}

TestReport Session::test(const std::string& source, const std::string& name) {
    TestReport report;
    SourceMap sources;
    report.exit_code = state_->guarded(report.messages, [&] {
        ParseResult script = parsed(sources, source, name);
        BoundInputs inputs(state_->bindings());
        TraceOptions options = trace_options(sources, state_->options);
        options.keep_tests = true;
        for (const TracedTest& test : trace_tests(script.script, inputs, options)) {
            TestOutcome& outcome = report.tests.emplace_back();
            outcome.name = test.name;
            const auto start = Clock::now();
            const int status = state_->guarded(outcome.messages, [&] {
                if (!test.errors.empty()) throw UserError(test.errors);
                if (test.traced) vmaprun::run(*state_->prepared(*test.traced), inputs.load(*test.traced), state_->run_options(*test.traced));
            });
            outcome.passed = status == 0;
            outcome.seconds = seconds_since(start);
        }
    });
    const bool failed = std::ranges::any_of(report.tests, [](const TestOutcome& outcome) { return !outcome.passed; });
    if (report.exit_code == 0 && failed) report.exit_code = 1;
    return report;
}

TextReport Session::bench(const std::string& source, const std::string& name, BenchFormat format) {
    TextReport report;
    SourceMap sources;
    int failed = 0; // the first exit code of a block; the blocks after it are timed all the same
    report.exit_code = state_->guarded(report.messages, [&] {
        ParseResult script = parsed(sources, source, name);
        BoundInputs inputs(state_->bindings());
        TraceOptions options = trace_options(sources, state_->options);
        options.keep_tests = true;
        const MemoryScope memory; // warm, as in the middle of a long job
        for (const TracedTest& bench : trace_tests(script.script, inputs, options, true)) {
            const int status = state_->guarded(report.messages, [&] {
                if (!bench.errors.empty()) throw UserError(bench.errors);
                if (!bench.traced) return;
                report.text += bench_line(name, bench.name, summary_of(state_->times_of(bench, inputs)), format);
            });
            if (failed == 0) failed = status;
        }
    });
    if (report.exit_code == 0) report.exit_code = failed;
    return report;
}

} // namespace vmaprun
