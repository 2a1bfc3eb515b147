// Diagnostics as text for people and as JSON for tools.
//
// The human form quotes the lines that matter, the primary place first (marked ^^^), then the lines of the labels (marked
// ---) in the order in which the diagnostic lists them. Whatever a script or a data file holds, the text is safe for a
// terminal: control characters, bidirectional overrides and broken UTF-8 are shown as visible stand-ins.
#pragma once

#include <string>
#include <string_view>

#include "base/error.hpp"

namespace vmaprun {

struct RenderOptions {
    bool color = false; // ANSI escapes
};

// Ends in a newline.
std::string render(const Diagnostic& diagnostic, const RenderOptions& options);

// A text as it is shown there, on one line.
std::string safe_text(std::string_view text);

// One JSON object on one line, ending in a newline: severity, code, message, file, line, column, end_line, end_column, label,
// labels (each: file, line, column, end_line, end_column, text), notes, helps. Without a place file … end_column are null.
// Lines and columns count from 1, columns in characters; the end is one past the last character.
std::string render_json(const Diagnostic& diagnostic);

} // namespace vmaprun
