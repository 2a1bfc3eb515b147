// Documents that know several ways to be laid out, after Wadler ("A prettier printer") and Prettier: a group stands on one
// line if it fits there, else its own line breaks become newlines while inner groups decide for themselves.
// Used by the formatter; knows nothing of the language.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace vmaprun::layout {

inline constexpr int line_width = 100;
inline constexpr int indent_width = 4;

struct Doc;
using DocPtr = std::shared_ptr<const Doc>;

enum class Kind {
    text,
    concat,
    indent,  // of parts[0]
    line,    // `text` on one line, else a newline
    newline, // always; `blank`: after an empty line
    suffix,  // a comment that ends its line: takes no width; a line or newline must follow. Empty: only that
    group,   // of parts[0]
    // Two layouts of the same text on one line; which one is taken where that line is too long:
    call,   // parts[1] (the last argument opened in place) where its first line fits, else parts[0] (one argument a line)
    chain,  // parts[1] (a line an operand) where every operand fits on its line, else parts[0] (broken inside the operands)
    assign, // parts[1] (the value on a line of its own) where it fits there unbroken, else parts[0] (broken inside the value)
    opened  // of parts[0]: its last group is broken, whether it fits or not
};

struct Doc {
    Kind kind = Kind::text;
    std::string text;
    std::vector<DocPtr> parts;
    bool blank = false;
    bool breaks = false; // can't stand on one line
    int width = 0;       // on one line (past any line when `breaks`)
    int widest = 0;      // chain: of its operands; assign: of its value
};

DocPtr text(std::string_view text);
DocPtr concat(std::vector<DocPtr> parts);
DocPtr indent(DocPtr part);
DocPtr line(std::string_view flat = " ");
DocPtr soft_line();
DocPtr new_line(bool blank = false);
DocPtr suffix(std::string_view comment);
DocPtr group(DocPtr part, bool broken = false);
// opening, arguments joined, closing; the last argument may be opened in place. `opening` ends in the bracket.
DocPtr call(DocPtr one_a_line, std::string_view opening, std::vector<DocPtr> arguments, std::string_view closing);
// operands.size() == operators.size() + 1
DocPtr chain(std::vector<DocPtr> operands, std::vector<std::string> operators);
DocPtr assign(DocPtr value);

// The text, without a newline at its end, and where in it the comments of suffixes begin, two spaces behind their lines.
struct Printed {
    std::string text;
    std::vector<std::size_t> suffixes;
};
Printed print(const DocPtr& doc);

// Puts the suffixes of neighbouring lines of one indent below each other.
std::string align_suffixes(const Printed& printed);

} // namespace vmaprun::layout
