// The command: takes the command line apart, does what its verb says, and ends with the exit code of the contract.
#include <exception>
#include <new>
#include <string>

#include "cli/batch.hpp"
#include "cli/limits.hpp"
#include "cli/report.hpp"
#include "cli/verbs.hpp"
#include "io/output_file.hpp"

namespace vmaprun::cli {
namespace {

constexpr int run_status = 5, bug_status = 70, closed_pipe_status = 141;

int dispatch(const Command& command) {
    switch (command.verb) {
    case Verb::run: return run_verb(command);
    case Verb::check: return check_verb(command);
    case Verb::graph: return graph_verb(command);
    case Verb::explain: return explain_verb(command);
    case Verb::fmt: return fmt_verb(command);
    case Verb::test: return test_verb(command);
    case Verb::bench: return bench_verb(command);
    case Verb::ops: return ops_verb(command);
    case Verb::info: return info_verb(command);
    case Verb::repl: return repl_verb(command);
    }
    return bug_status;
}

int run_main(int count, char** words) {
    install_signal_handlers();
    try {
        const Parsed parsed = parse_arguments(count, words);
        if (!parsed.text) return guarded(parsed.command, [&] { return dispatch(parsed.command); });
        if (parsed.exit_code == 0) return guarded(parsed.command, [&] { return write_stdout(*parsed.text), 0; });
        say(*parsed.text);
        return parsed.exit_code;
    } catch (const ClosedPipe&) {
        stop_jobs();
        return closed_pipe_status;
    } catch (const std::bad_alloc&) {
        say("error[E602]: the memory is out\n");
        return run_status;
    } catch (const std::exception& failure) {
        say(std::string("error: internal error: ") + failure.what() + "\n  = help: this is a bug of vmaprun: please report it\n");
        return bug_status;
    } catch (...) {
        say("error: internal error: an unknown exception\n  = help: this is a bug of vmaprun: please report it\n");
        return bug_status;
    }
}

} // namespace
} // namespace vmaprun::cli

int main(int count, char** words) { return vmaprun::cli::run_main(count, words); }
