#include "syntax/diagnostics.hpp"

#include <algorithm>

#include "base/json_text.hpp"
#include "base/text.hpp"
#include "base/utf8.hpp"

namespace vmaprun {
namespace {

constexpr std::string_view replacement = "\uFFFD";
constexpr std::string_view ellipsis = "\u2026";
constexpr int tab_width = 4;      // as display_width counts it
constexpr int widest_line = 140;  // columns of source text; longer lines are clipped around their marks
constexpr int context_before = 40; // columns kept before the first mark of a clipped line

// ---- safe text -------------------------------------------------------------------------------------------------------

std::string control_picture(unsigned char control) {
    const unsigned point = control == 0x7F ? 0x2421U : 0x2400U + control;
    return {static_cast<char>(0xE2), static_cast<char>(0x80U | ((point >> 6U) & 0x3FU)), static_cast<char>(0x80U | (point & 0x3FU))};
}

// Characters that would reorder or break what stands around them: C1 controls, bidirectional marks, separators, BOM.
bool is_deceptive(std::string_view character) {
    if (character.size() == 2) {
        const auto lead = static_cast<unsigned char>(character[0]), next = static_cast<unsigned char>(character[1]);
        return (lead == 0xC2 && next < 0xA0) || character == "\u061C";
    }
    return (character >= "\u200E" && character <= "\u200F") || (character >= "\u2028" && character <= "\u202E") ||
           (character >= "\u2066" && character <= "\u2069") || character == "\uFEFF";
}

// What stands for one character (or for one byte that is none).
std::string shown(std::string_view character) {
    const auto lead = static_cast<unsigned char>(character[0]);
    if (character == "\t") return std::string(tab_width, ' ');
    if (character.size() == 1) return lead >= 0x80 ? std::string(replacement) : lead < 0x20 || lead == 0x7F ? control_picture(lead) : std::string(character);
    return is_deceptive(character) ? std::string(replacement) : std::string(character);
}

std::string_view first_character(std::string_view text) { return text.substr(0, std::max<std::size_t>(utf8_length(text), 1)); }

} // namespace

std::string safe_text(std::string_view text) {
    std::string safe;
    while (!text.empty()) {
        const std::string_view character = first_character(text);
        safe += shown(character);
        text.remove_prefix(character.size());
    }
    return safe;
}

namespace {

// ---- one line of source, in columns ----------------------------------------------------------------------------------

struct Mark {
    int begin = 0, end = 0; // columns; end > begin
    bool primary = false;
    std::string text; // safe
};

// A line cut to the columns that are shown, with the marks that fall there.
struct Excerpt {
    std::string text;
    std::vector<Mark> marks;
};

struct Cell {
    std::uint32_t offset = 0; // bytes from the start of the line
    int column = 0;
};

class LineLayout {
  public:
    explicit LineLayout(std::string_view line) : line_(line) {
        int column = 0;
        for (std::size_t i = 0; i < line.size();) {
            cells_.push_back({static_cast<std::uint32_t>(i), column});
            const std::string_view character = first_character(line.substr(i));
            column += display_width(shown(character));
            i += character.size();
        }
        cells_.push_back({static_cast<std::uint32_t>(line.size()), column});
    }

    int width() const { return cells_.back().column; }

    // The column of the character that holds byte `offset`, or the first one after it.
    int column_of(std::size_t offset) const {
        const auto after = std::ranges::upper_bound(cells_, offset, {}, &Cell::offset);
        return std::prev(after)->column;
    }
    int column_at_or_after(std::size_t offset) const {
        const auto cell = std::ranges::lower_bound(cells_, offset, {}, &Cell::offset);
        return cell == cells_.end() ? width() : cell->column;
    }

    // The characters that lie wholly in the columns [begin, end).
    std::string text(int begin, int end) const {
        std::string part;
        for (std::size_t i = 0; i + 1 < cells_.size(); ++i) {
            if (cells_[i].column < begin || cells_[i + 1].column > end) continue;
            part += shown(line_.substr(cells_[i].offset, cells_[i + 1].offset - cells_[i].offset));
        }
        return part;
    }
    // The first column >= `column` at which a character begins.
    int boundary(int column) const {
        const auto cell = std::ranges::lower_bound(cells_, column, {}, &Cell::column);
        return cell == cells_.end() ? width() : cell->column;
    }

  private:
    std::string_view line_;
    std::vector<Cell> cells_; // the last one stands for the end
};

void strip_trailing_spaces(std::string& text) {
    while (text.ends_with(' ')) text.pop_back();
}

// Splits the marks of a line over as many excerpts as it takes: one, unless the line is very long.
std::vector<Excerpt> excerpts_of(const LineLayout& layout, std::vector<Mark> marks) {
    if (layout.width() <= widest_line) return {{layout.text(0, layout.width()), std::move(marks)}};
    std::vector<Excerpt> excerpts;
    while (!marks.empty()) {
        const Mark& anchor = marks.front();
        const int begin = anchor.end < widest_line ? 0 : layout.boundary(std::max(0, anchor.begin - context_before));
        const int end = begin + widest_line - 1;
        Excerpt excerpt;
        excerpt.text = (begin > 0 ? std::string(ellipsis) : "") + layout.text(begin, end) + (end < layout.width() ? std::string(ellipsis) : "");
        const int shift = (begin > 0 ? 1 : 0) - begin;
        std::vector<Mark> elsewhere;
        for (Mark& mark : marks) {
            if (mark.begin < begin || mark.begin >= end) {
                elsewhere.push_back(std::move(mark));
                continue;
            }
            excerpt.marks.push_back({mark.begin + shift, std::min(mark.end, end) + shift, mark.primary, std::move(mark.text)});
        }
        marks = std::move(elsewhere);
        excerpts.push_back(std::move(excerpt));
    }
    return excerpts;
}

// ---- parts: a line with all that is said about it --------------------------------------------------------------------

struct Place {
    const Label* label;
    bool primary;
};

struct Part {
    const Source* source = nullptr;
    std::uint32_t line = 1;
    std::vector<Place> places;
};

std::vector<Part> parts_of(const Diagnostic& diagnostic) {
    std::vector<Part> parts;
    const auto add = [&](const Label& label, bool primary) {
        if (!label.span) return;
        const std::uint32_t line = label.span.source->position(label.span.begin).line;
        auto part = std::ranges::find_if(parts, [&](const Part& known) { return known.source == label.span.source && known.line == line; });
        if (part == parts.end()) part = parts.insert(parts.end(), Part{label.span.source, line, {}});
        part->places.push_back({&label, primary});
    };
    add(diagnostic.primary, true);
    for (const Label& label : diagnostic.labels) add(label, false);
    return parts;
}

std::vector<Excerpt> excerpts_of(const Part& part) {
    const std::string_view line = part.source->line(part.line);
    const LineLayout layout(line);
    const std::uint32_t start = part.source->line_start(part.line);
    std::vector<Mark> marks;
    for (const Place& place : part.places) {
        const Span span = place.label->span;
        const std::size_t last = line.find_last_not_of(" \t\r");
        const std::size_t line_end = last == std::string_view::npos ? 0 : last + 1;
        const std::size_t begin = std::min<std::size_t>(span.begin - start, line.size());
        std::size_t end = std::max(span.begin, span.end) - start;
        if (end > line.size()) end = std::max(begin, line_end); // goes on in the next line
        const int first_column = layout.column_of(begin);
        marks.push_back({first_column, std::max(layout.column_at_or_after(end), first_column + 1), place.primary, safe_text(place.label->text)});
    }
    return excerpts_of(layout, std::move(marks));
}

// ---- the human form --------------------------------------------------------------------------------------------------

enum class Style { plain, bold, gutter, error, warning, label };

class Renderer {
  public:
    Renderer(const Diagnostic& diagnostic, const RenderOptions& options) : diagnostic_(diagnostic), color_(options.color) {}

    std::string run() {
        header();
        const std::vector<Part> parts = parts_of(diagnostic_);
        for (const Part& part : parts) gutter_ = std::max(gutter_, std::to_string(part.line).size());
        const Part* before = nullptr;
        for (const Part& part : parts) {
            open_part(part, before);
            bool again = false;
            for (const Excerpt& excerpt : excerpts_of(part)) {
                if (again) gutter_line(":");
                show(part.line, excerpt);
                again = true;
            }
            before = &part;
        }
        if (!parts.empty() && !(diagnostic_.notes.empty() && diagnostic_.helps.empty())) gutter_line("|");
        for (const std::string& note : diagnostic_.notes) remark("note", note);
        for (const std::string& help : diagnostic_.helps) remark("help", help);
        return std::move(out_);
    }

  private:
    std::string styled(Style style, std::string_view text) const {
        static constexpr const char* codes[] = {"", "\033[1m", "\033[1;34m", "\033[1;31m", "\033[1;33m", "\033[1;36m"};
        if (!color_ || style == Style::plain || text.empty()) return std::string(text);
        return codes[static_cast<std::size_t>(style)] + std::string(text) + "\033[0m";
    }
    Style severity_style() const { return diagnostic_.severity == Severity::error ? Style::error : Style::warning; }

    void header() {
        std::string word = diagnostic_.severity == Severity::error ? "error" : "warning";
        if (!diagnostic_.code.empty()) word += "[" + safe_text(diagnostic_.code) + "]";
        out_ += styled(severity_style(), word) + styled(Style::bold, ": " + safe_text(diagnostic_.message)) + "\n";
    }

    void gutter_line(const char* separator) { out_ += std::string(gutter_ + 1, ' ') + styled(Style::gutter, separator) + "\n"; }

    void open_part(const Part& part, const Part* before) {
        if (before != nullptr && before->source == part.source) {
            if (part.line != before->line + 1) gutter_line(":");
            return;
        }
        if (before != nullptr) gutter_line("|");
        const Position position = part.source->position(part.places.front().label->span.begin);
        out_ += std::string(gutter_, ' ') + styled(Style::gutter, before == nullptr ? "-->" : ":::") + " " + safe_text(part.source->name()) + ":" +
                std::to_string(position.line) + ":" + std::to_string(position.column) + "\n";
        gutter_line("|");
    }

    void show(std::uint32_t line, const Excerpt& excerpt) {
        const std::string number = std::to_string(line);
        std::string text = excerpt.text.empty() ? "" : " " + excerpt.text;
        strip_trailing_spaces(text);
        out_ += std::string(gutter_ - number.size(), ' ') + styled(Style::gutter, number + " |") + text + "\n";
        std::vector<Mark> marks = excerpt.marks;
        // The mark that ends last has its text behind it, the others theirs below, from right to left.
        std::ranges::stable_sort(marks, [](const Mark& a, const Mark& b) { return a.begin != b.begin ? a.begin > b.begin : a.end > b.end; });
        const auto last = std::ranges::max_element(marks, {}, &Mark::end);
        std::rotate(marks.begin(), last, last + 1);
        marks_row(marks);
        std::vector<Mark> pending;
        std::ranges::copy_if(marks.begin() + 1, marks.end(), std::back_inserter(pending), [](const Mark& mark) { return !mark.text.empty(); });
        for (; !pending.empty(); pending.erase(pending.begin())) text_row(pending);
    }

    struct Row {
        std::string characters;
        std::vector<Style> styles;
        void pad(int width) {
            const std::size_t size = std::max(characters.size(), static_cast<std::size_t>(width));
            characters.resize(size, ' ');
            styles.resize(size, Style::plain);
        }
        void put(int column, char character, Style style) {
            pad(column + 1);
            characters[static_cast<std::size_t>(column)] = character;
            styles[static_cast<std::size_t>(column)] = style;
        }
    };

    Style style_of(const Mark& mark) const { return mark.primary ? severity_style() : Style::label; }

    void marks_row(const std::vector<Mark>& marks) {
        Row row;
        for (const bool primary : {false, true}) { // the primary's marks lie on top
            for (const Mark& mark : marks) {
                if (mark.primary != primary) continue;
                for (int column = mark.begin; column < mark.end; ++column) row.put(column, primary ? '^' : '-', style_of(mark));
            }
        }
        emit(row, marks.front().text.empty() ? "" : " " + marks.front().text, style_of(marks.front()));
    }

    // The text of pending.front() at its column; lines lead from the marks to the texts that follow.
    void text_row(const std::vector<Mark>& pending) {
        Row row;
        for (const Mark& mark : pending) {
            if (mark.begin < pending.front().begin) row.put(mark.begin, '|', style_of(mark));
        }
        row.pad(pending.front().begin);
        emit(row, pending.front().text, style_of(pending.front()));
    }

    void emit(const Row& row, const std::string& text, Style text_style) {
        out_ += std::string(gutter_ + 1, ' ') + styled(Style::gutter, "|") + " ";
        for (std::size_t i = 0; i < row.characters.size();) {
            std::size_t end = i;
            while (end < row.characters.size() && row.styles[end] == row.styles[i]) ++end;
            out_ += styled(row.styles[i], std::string_view(row.characters).substr(i, end - i));
            i = end;
        }
        out_ += styled(text_style, text) + "\n";
    }

    // A remark of several lines goes on below its own first word.
    void remark(std::string_view word, std::string_view text) {
        std::string lead = std::string(gutter_ + 1, ' ') + styled(Style::gutter, "=") + " " + styled(Style::bold, std::string(word) + ":");
        const std::string indent(gutter_ + 1 + 2 + word.size() + 1, ' ');
        for (std::size_t begin = 0; begin <= text.size();) {
            const std::size_t end = std::min(text.find('\n', begin), text.size());
            const std::string line = safe_text(text.substr(begin, end - begin));
            out_ += line.empty() ? lead : lead + " " + line;
            out_ += "\n";
            lead = indent;
            begin = end + 1;
        }
    }

    const Diagnostic& diagnostic_;
    bool color_;
    std::size_t gutter_ = 1; // digits of the largest line number
    std::string out_;
};

// "file", "line", ... of a place; null where there is none.
std::string place_json(Span span) {
    if (!span) return "\"file\":null,\"line\":null,\"column\":null,\"end_line\":null,\"end_column\":null";
    const Position begin = span.source->position(span.begin), end = span.source->position(std::max(span.begin, span.end));
    return "\"file\":" + json_text(span.source->name()) + ",\"line\":" + std::to_string(begin.line) + ",\"column\":" + std::to_string(begin.column) +
           ",\"end_line\":" + std::to_string(end.line) + ",\"end_column\":" + std::to_string(end.column);
}

std::string texts_json(const std::vector<std::string>& texts) {
    std::vector<std::string> items;
    for (const std::string& text : texts) items.push_back(json_text(text));
    return "[" + join(items, ",") + "]";
}

} // namespace

std::string render(const Diagnostic& diagnostic, const RenderOptions& options) { return Renderer(diagnostic, options).run(); }

std::string render_json(const Diagnostic& diagnostic) {
    std::vector<std::string> labels;
    for (const Label& label : diagnostic.labels) labels.push_back("{" + place_json(label.span) + ",\"text\":" + json_text(label.text) + "}");
    return "{\"severity\":" + json_text(diagnostic.severity == Severity::error ? "error" : "warning") + ",\"code\":" + json_text(diagnostic.code) +
           ",\"message\":" + json_text(diagnostic.message) + "," + place_json(diagnostic.primary.span) + ",\"label\":" + json_text(diagnostic.primary.text) +
           ",\"labels\":[" + join(labels, ",") + "],\"notes\":" + texts_json(diagnostic.notes) + ",\"helps\":" + texts_json(diagnostic.helps) + "}\n";
}

} // namespace vmaprun
