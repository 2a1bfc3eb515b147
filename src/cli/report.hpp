// What the command says on standard error, in the form that was asked for.
#pragma once

#include <string>
#include <vector>

#include "base/error.hpp"
#include "cli/arguments.hpp"

namespace vmaprun::cli {

// Whether messages have colours: --color, else NO_COLOR, TERM=dumb and whether standard error is a terminal decide.
bool wants_color(ColorChoice choice);

// Writes messages as they come; warnings not under --quiet.
void report(const Command& command, const std::vector<Message>& messages);
void report(const Command& command, const UserError& failure);
// An error without a place, such as that one file of a batch failed: plain text for people, a line for programs.
std::string remark(const Command& command, const std::string& text);
// Plain text on standard error. Nothing can be said about a failure to say something: it is passed over.
void say(std::string_view text);

// Runs f, reports the UserError that it throws, and gives the exit code: that of f, or of the error.
template <class F> int guarded(const Command& command, F&& f) {
    try {
        return f();
    } catch (const UserError& failure) {
        report(command, failure);
        return exit_code_of(failure.diagnostics().front());
    }
}

} // namespace vmaprun::cli
