// What can go wrong, as values: a Diagnostic says it to a user, UserError carries one, InternalError is a bug of ours.
//
// Codes: E1xx syntax, E2xx names and calls, E3xx shapes and dtypes, E4xx transforms, E5xx inputs and files, E6xx the run.
// A code is four characters; the long text of `vmaprun explain CODE` stands in the codes.cpp of the layer that raises it.
#pragma once

#include <stdexcept>
#include <string>
#include <vector>

#include "base/source.hpp"

namespace vmaprun {

struct Label {
    Span span;
    std::string text; // may be empty: only the marks are drawn
};

enum class Severity { error, warning };

struct Diagnostic {
    Severity severity = Severity::error;
    std::string code;    // "E301"; empty for warnings that have none
    std::string message; // one line, no full stop
    Label primary;       // where; its span may be no place
    std::vector<Label> labels = {};       // further places that matter, in the order to be read
    std::vector<std::string> notes = {};  // facts
    std::vector<std::string> helps = {};  // what to do
    int exit_code = 0;   // 0: follows from the code

    Diagnostic&& at(Span span, std::string text = {}) && { primary = {span, std::move(text)}; return std::move(*this); }
    Diagnostic&& label(Span span, std::string text) && { labels.push_back({span, std::move(text)}); return std::move(*this); }
    Diagnostic&& note(std::string text) && { notes.push_back(std::move(text)); return std::move(*this); }
    Diagnostic&& help(std::string text) && { helps.push_back(std::move(text)); return std::move(*this); }
    Diagnostic&& exits(int status) && { exit_code = status; return std::move(*this); }
};

// error("E301", "axis ...").at(span, "...").help("...")
Diagnostic error(std::string code, std::string message);

// The exit code of the command for a diagnostic: 3 for E1xx-E4xx, 4 for E5xx, 5 for E6xx, unless it names its own.
int exit_code_of(const Diagnostic& diagnostic);

// Something that the user can mend. Never thrown by kernels.
class UserError : public std::exception {
  public:
    explicit UserError(Diagnostic diagnostic) : diagnostics_{std::move(diagnostic)} {}
    explicit UserError(std::vector<Diagnostic> diagnostics) : diagnostics_(std::move(diagnostics)) {}
    const char* what() const noexcept override { return diagnostics_.front().message.c_str(); }
    // Never empty; more than one where a run found several independent errors.
    const std::vector<Diagnostic>& diagnostics() const { return diagnostics_; }
    std::vector<Diagnostic>& diagnostics() { return diagnostics_; }

  private:
    std::vector<Diagnostic> diagnostics_;
};

// A broken invariant of this program (exit 70, asks for a report).
class InternalError : public std::logic_error {
  public:
    using std::logic_error::logic_error;
};

} // namespace vmaprun
