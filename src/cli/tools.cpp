// The verbs beside run: check, graph, explain, fmt, test, bench, info.
#include <algorithm>
#include <cstdio>

#include "base/text.hpp"
#include "cli/limits.hpp"
#include "cli/report.hpp"
#include "cli/verbs.hpp"
#include "exec/codes.hpp"
#include "io/codes.hpp"
#include "io/file.hpp"
#include "io/info.hpp"
#include "io/output_file.hpp"
#include "io/paths.hpp"
#include "syntax/codes.hpp"
#include "trace/codes.hpp"

namespace vmaprun::cli {
namespace {

// Each verb goes on after a script that fails; the first failure gives the exit code.
template <class F> int for_each_script(const Command& command, F&& f) {
    int status = 0;
    const auto once = [&](const std::string& path) {
        const int code = guarded(command, [&] { return f(read_script(command, path), path); });
        if (status == 0) status = code;
    };
    if (command.code) once("");
    for (const std::string& pattern : command.operands) {
        const int code = guarded(command, [&] {
            for (const std::string& path : expand_pattern(pattern)) once(path);
            return 0;
        });
        if (status == 0) status = code;
    }
    return status;
}

int print_report(const Command& command, const TextReport& text) {
    report(command, text.messages);
    write_stdout(text.text);
    return text.exit_code;
}

std::vector<CodeExplanation> all_codes() {
    std::vector<CodeExplanation> codes;
    for (const auto table : {syntax_codes(), trace_codes(), io_codes(), run_codes()}) codes.insert(codes.end(), table.begin(), table.end());
    return codes;
}

bool is_code(const std::string& text) {
    return text.size() == 4 && (text[0] == 'E' || text[0] == 'e') && std::all_of(text.begin() + 1, text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

int explain_code(std::string code) {
    code[0] = 'E';
    const std::vector<CodeExplanation> codes = all_codes();
    for (const CodeExplanation& each : codes) {
        if (each.code != code) continue;
        write_stdout(std::string(each.code) + ": " + std::string(each.title) + "\n\n" + std::string(each.text));
        return 0;
    }
    std::vector<std::string> family;
    for (const CodeExplanation& each : codes) {
        if (each.code[1] == code[1]) family.emplace_back(each.code);
    }
    std::ranges::sort(family);
    Diagnostic diagnostic = error("", "there is no error code " + code).exits(2);
    if (!family.empty()) diagnostic.helps.push_back("of that kind there are " + join_and(family));
    throw UserError(std::move(diagnostic));
}

} // namespace

ScriptText read_script(const Command& command, const std::string& path) {
    if (command.code && path.empty()) return {*command.code, "-e"};
    try {
        std::string text(read_file(path).view());
        const bool is_archive = text.starts_with("PK\x03\x04");
        if (is_archive || text.starts_with("\x93NUMPY")) {
            throw UserError(error("E102", "`" + path + "` is an " + (is_archive ? ".npz" : ".npy") + " file, not a script")
                                .help("the script comes first, then its data: `vmaprun SCRIPT " + path + "`, or `vmaprun -e 'mean(x)' " + path + "`"));
        }
        return {std::move(text), display_name(path)};
    } catch (UserError& failure) {
        const std::string_view verb = nearest_verb(path);
        if (!verb.empty()) failure.diagnostics().front().helps.push_back("to do that, write `vmaprun " + std::string(verb) + " …`");
        throw;
    }
}

ScriptText the_script(const Command& command) { return read_script(command, command.code ? "" : command.operands.front()); }

Options session_options(const Command& command) {
    Options options = command.session;
    options.implicit_inputs = command.code.has_value();
    options.color = wants_color(command.color);
    // A script that stands on standard input leaves none for data.
    options.read_stdin = command.code || command.operands.empty() || command.operands.front() != "-";
    return options;
}

int check_verb(const Command& command) {
    limit_time(command.timeout, command);
    return for_each_script(command, [&](const ScriptText& script, const std::string&) {
        Options options = session_options(command);
        options.read_stdin = false; // a check asks for no data; -i and --set give it
        const Result result = Session(options).check(script.text, script.name);
        report(command, result.messages());
        return result.exit_code();
    });
}

int graph_verb(const Command& command) {
    return guarded(command, [&] {
        limit_time(command.timeout, command);
        Options options = session_options(command);
        options.read_stdin = false;
        const ScriptText script = the_script(command);
        return print_report(command, Session(options).graph(script.text, script.name, command.graph_format, command.after));
    });
}

int explain_verb(const Command& command) {
    return guarded(command, [&] {
        if (!command.code && is_code(command.operands.front())) return explain_code(command.operands.front());
        Options options = session_options(command);
        options.read_stdin = false;
        const ScriptText script = the_script(command);
        return print_report(command, Session(options).plan(script.text, script.name));
    });
}

int fmt_verb(const Command& command) {
    std::string unformatted;
    const int status = for_each_script(command, [&](const ScriptText& script, const std::string& path) {
        const TextReport formatted = Session(session_options(command)).format(script.text, script.name);
        report(command, formatted.messages);
        if (formatted.exit_code != 0) return formatted.exit_code;
        if (path == "-" && !command.check_only) {
            write_stdout(formatted.text);
        } else if (formatted.text != script.text) {
            if (command.check_only) {
                unformatted += "would change " + script.name + "\n";
                return 1;
            }
            OutputFile file(path);
            file.write(formatted.text);
            file.commit();
        }
        return 0;
    });
    write_stdout(unformatted);
    return status;
}

int test_verb(const Command& command) {
    limit_time(command.timeout, command);
    std::size_t passed = 0, failed = 0;
    const int status = for_each_script(command, [&](const ScriptText& script, const std::string&) {
        Options options = session_options(command);
        options.read_stdin = false;
        const TestReport tests = Session(options).test(script.text, script.name);
        report(command, tests.messages);
        for (const TestOutcome& test : tests.tests) {
            (test.passed ? passed : failed) += 1;
            write_stdout((test.passed ? "ok    " : "FAIL  ") + script.name + ": " + test.name + "\n");
            report(command, test.messages);
        }
        return tests.exit_code;
    });
    if (status == 0 || status == 1) write_stdout(count_of(static_cast<std::int64_t>(passed), "test") + " passed, " + std::to_string(failed) + " failed\n");
    return status;
}

int bench_verb(const Command& command) {
    limit_time(command.timeout, command);
    return for_each_script(command, [&](const ScriptText& script, const std::string&) {
        Options options = session_options(command);
        options.read_stdin = false;
        return print_report(command, Session(options).bench(script.text, script.name, command.bench_json ? BenchFormat::json : BenchFormat::text));
    });
}

int info_verb(const Command& command) {
    int status = 0;
    for (const std::string& pattern : command.operands) {
        const int code = guarded(command, [&] {
            for (const std::string& path : expand_pattern(pattern)) write_stdout(info(path).text());
            return 0;
        });
        if (status == 0) status = code;
    }
    return status;
}

} // namespace vmaprun::cli
