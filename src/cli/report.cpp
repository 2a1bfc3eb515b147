#include "cli/report.hpp"

#include <stdlib.h>
#include <unistd.h>

#include <string_view>

#include "io/output_file.hpp"
#include "syntax/diagnostics.hpp"

namespace vmaprun::cli {

bool wants_color(ColorChoice choice) {
    if (choice != ColorChoice::automatic) return choice == ColorChoice::always;
    const char* no_color = getenv("NO_COLOR");
    const char* terminal = getenv("TERM");
    if (no_color != nullptr && *no_color != '\0') return false;
    return isatty(STDERR_FILENO) != 0 && (terminal == nullptr || std::string_view(terminal) != "dumb");
}

void say(std::string_view text) { (void)write_all(STDERR_FILENO, text); }

void report(const Command& command, const std::vector<Message>& messages) {
    for (const Message& message : messages) {
        if (command.quiet && !message.is_error) continue;
        say(command.diagnostics == DiagnosticsFormat::json ? message.json : message.human);
    }
}

std::string remark(const Command& command, const std::string& text) {
    return command.diagnostics == DiagnosticsFormat::json ? render_json(error("", text)) : text + "\n";
}

void report(const Command& command, const UserError& failure) {
    for (const Diagnostic& diagnostic : failure.diagnostics()) {
        const bool as_json = command.diagnostics == DiagnosticsFormat::json;
        say(as_json ? render_json(diagnostic) : render(diagnostic, RenderOptions{wants_color(command.color)}));
    }
}

} // namespace vmaprun::cli
