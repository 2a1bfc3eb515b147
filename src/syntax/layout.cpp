#include "syntax/layout.hpp"

#include <algorithm>

#include "base/text.hpp"

namespace vmaprun::layout {
namespace {

constexpr int past_any_line = 1'000'000;
constexpr int longest_operator = 4; // " and"

std::shared_ptr<Doc> make(Kind kind, std::vector<DocPtr> parts = {}) {
    auto doc = std::make_shared<Doc>();
    doc->kind = kind;
    doc->parts = std::move(parts);
    return doc;
}

// Takes over width and breaks of a part.
void measure(Doc& doc, const DocPtr& part) {
    doc.breaks = doc.breaks || part->breaks;
    doc.width = doc.breaks ? past_any_line : std::min(past_any_line, doc.width + part->width);
}

} // namespace

DocPtr text(std::string_view content) {
    auto doc = make(Kind::text);
    doc->text = content;
    doc->width = display_width(content);
    return doc;
}

DocPtr concat(std::vector<DocPtr> parts) {
    auto doc = make(Kind::concat, std::move(parts));
    for (const DocPtr& part : doc->parts) measure(*doc, part);
    return doc;
}

DocPtr indent(DocPtr part) {
    auto doc = make(Kind::indent, {std::move(part)});
    measure(*doc, doc->parts[0]);
    return doc;
}

DocPtr line(std::string_view flat) {
    auto doc = make(Kind::line);
    doc->text = flat;
    doc->width = display_width(flat);
    return doc;
}

DocPtr soft_line() { return line(""); }

DocPtr new_line(bool blank) {
    auto doc = make(Kind::newline);
    doc->blank = blank;
    doc->breaks = true;
    doc->width = past_any_line;
    return doc;
}

DocPtr suffix(std::string_view comment) {
    auto doc = make(Kind::suffix);
    doc->text = comment;
    doc->breaks = true;
    doc->width = past_any_line;
    return doc;
}

DocPtr group(DocPtr part, bool broken) {
    auto doc = make(Kind::group, {std::move(part)});
    doc->breaks = broken;
    measure(*doc, doc->parts[0]);
    return doc;
}

DocPtr call(DocPtr one_a_line, std::string_view opening, std::vector<DocPtr> arguments, std::string_view closing) {
    const bool breaks_before_last = std::any_of(arguments.begin(), arguments.end() - 1, [](const DocPtr& argument) { return argument->breaks; });
    if (breaks_before_last) return group(std::move(one_a_line));
    std::vector<DocPtr> parts{text(opening)};
    for (std::size_t i = 0; i + 1 < arguments.size(); ++i) {
        parts.push_back(arguments[i]);
        parts.push_back(text(", "));
    }
    auto last = make(Kind::opened, {arguments.back()});
    measure(*last, last->parts[0]);
    parts.push_back(std::move(last));
    parts.push_back(text(closing));
    auto doc = make(Kind::call, {std::move(one_a_line), concat(std::move(parts))});
    measure(*doc, doc->parts[1]);
    return doc;
}

DocPtr chain(std::vector<DocPtr> operands, std::vector<std::string> operators) {
    int widest = 0;
    std::vector<DocPtr> flat{operands[0]}, below;
    for (const DocPtr& operand : operands) widest = std::max(widest, operand->width);
    for (std::size_t i = 0; i < operators.size(); ++i) {
        flat.push_back(text(" " + operators[i] + " "));
        flat.push_back(operands[i + 1]);
        below.push_back(concat({text(" " + operators[i]), line(), operands[i + 1]}));
    }
    auto doc = make(Kind::chain, {concat(std::move(flat)), concat({operands[0], indent(concat(std::move(below)))})});
    doc->widest = widest;
    measure(*doc, doc->parts[0]);
    return doc;
}

DocPtr assign(DocPtr value) {
    const int width = value->width;
    auto doc = make(Kind::assign, {concat({text(" "), value}), indent(concat({line(), value}))});
    doc->widest = width;
    measure(*doc, doc->parts[0]);
    return doc;
}

namespace {

enum class Mode { flat, broken, opened };

struct Command {
    int indent;
    Mode mode;
    const Doc* doc;
};

class Printer {
  public:
    Printed run(const Doc& doc) {
        push(0, Mode::broken, doc);
        while (!commands_.empty()) {
            const Command command = commands_.back();
            commands_.pop_back();
            step(command);
        }
        return {std::move(out_), std::move(suffixes_)};
    }

  private:
    void push(int indentation, Mode mode, const Doc& doc) { commands_.push_back({indentation, mode, &doc}); }

    void write(std::string_view content) {
        if (content.empty()) return;
        out_.append(static_cast<std::size_t>(pending_indent_), ' '); // only now: empty lines hold no spaces
        pending_indent_ = 0;
        out_ += content;
        column_ += display_width(content);
    }

    void end_line(int indentation, bool blank) {
        while (out_.ends_with(' ')) out_.pop_back();
        out_ += blank ? "\n\n" : "\n";
        pending_indent_ = column_ = indentation;
    }

    void step(const Command& command) {
        const Doc& doc = *command.doc;
        switch (doc.kind) {
        case Kind::text: write(doc.text); break;
        case Kind::concat:
            for (std::size_t i = doc.parts.size(); i-- > 0;) {
                const bool opened = command.mode == Mode::opened && i + 1 < doc.parts.size();
                push(command.indent, opened ? Mode::broken : command.mode, *doc.parts[i]);
            }
            break;
        case Kind::indent: push(command.indent + indent_width, command.mode, *doc.parts[0]); break;
        case Kind::line:
            if (command.mode == Mode::flat) write(doc.text);
            else end_line(command.indent, false);
            break;
        case Kind::newline: end_line(command.indent, doc.blank); break;
        case Kind::suffix:
            if (doc.text.empty()) break;
            suffixes_.push_back(out_.size() + 2);
            out_ += "  " + doc.text;
            break;
        case Kind::group:
            push(command.indent, command.mode != Mode::opened && (command.mode == Mode::flat || fits_flat(doc)) ? Mode::flat : Mode::broken, *doc.parts[0]);
            break;
        case Kind::opened: push(command.indent, Mode::opened, *doc.parts[0]); break;
        default: choose(command);
        }
    }

    // Of two layouts.
    void choose(const Command& command) {
        const Doc& doc = *command.doc;
        if (command.mode == Mode::flat || (command.mode == Mode::broken && fits_flat(doc))) {
            push(command.indent, Mode::flat, *doc.parts[0]);
            return;
        }
        bool second = command.indent + indent_width + doc.widest + longest_operator <= line_width;
        if (doc.kind == Kind::chain) second = second && column_ + doc.parts[1]->parts[0]->width + longest_operator <= line_width;
        if (doc.kind == Kind::call) second = fits_until_newline({command.indent, Mode::flat, doc.parts[1].get()}, line_width - column_, false);
        push(command.indent, Mode::broken, *doc.parts[second ? 1 : 0]);
    }

    // On the rest of this line, with what follows up to the next place for a newline.
    bool fits_flat(const Doc& doc) const {
        const int rest = line_width - column_ - doc.width;
        if (doc.breaks || rest < 0) return false;
        return fits_until_newline({}, rest, true);
    }

    bool fits_until_newline(Command first, int room, bool only_rest) const {
        std::vector<Command> pending;
        if (!only_rest) pending.push_back(first);
        std::size_t rest = commands_.size();
        while (room >= 0) {
            if (pending.empty()) {
                if (rest == 0) return true;
                pending.push_back(commands_[--rest]);
            }
            const Command command = pending.back();
            pending.pop_back();
            const Doc& doc = *command.doc;
            if (doc.kind == Kind::text) {
                room -= doc.width;
            } else if (doc.kind == Kind::newline || doc.kind == Kind::suffix || (doc.kind == Kind::line && command.mode != Mode::flat)) {
                return true;
            } else if (doc.kind == Kind::line) {
                room -= doc.width;
            } else {
                look_into(command, pending);
            }
        }
        return false;
    }

    static void look_into(const Command& command, std::vector<Command>& pending) {
        const Doc& doc = *command.doc;
        if (doc.kind == Kind::concat) {
            for (std::size_t i = doc.parts.size(); i-- > 0;) {
                const Mode mode = command.mode == Mode::opened && i + 1 < doc.parts.size() ? Mode::broken : command.mode;
                pending.push_back({0, mode, doc.parts[i].get()});
            }
        } else if (doc.kind == Kind::opened) {
            pending.push_back({0, Mode::opened, doc.parts[0].get()}); // only in parts[1] of a call, taken when broken
        } else if (doc.kind == Kind::group && command.mode == Mode::opened) {
            pending.push_back({0, Mode::broken, doc.parts[0].get()});
        } else {
            pending.push_back({0, command.mode, doc.parts[0].get()});
        }
    }

    std::string out_;
    std::vector<std::size_t> suffixes_;
    std::vector<Command> commands_;
    int column_ = 0;
    int pending_indent_ = 0;
};

} // namespace

Printed print(const DocPtr& doc) { return Printer().run(*doc); }

std::string align_suffixes(const Printed& printed) {
    struct Line {
        std::size_t comment; // where it begins
        std::size_t begin, end;
        std::size_t indent;
        int width; // before the comment
    };
    const std::string& text = printed.text;
    std::vector<Line> lines;
    for (const std::size_t comment : printed.suffixes) {
        const std::size_t before = text.rfind('\n', comment);
        const std::size_t begin = before == std::string::npos ? 0 : before + 1;
        lines.push_back({comment, begin, text.find('\n', comment), text.find_first_not_of(' ', begin) - begin,
                         display_width(std::string_view(text).substr(begin, comment - begin))});
    }
    std::string aligned;
    std::size_t copied = 0;
    for (std::size_t first = 0; first < lines.size();) {
        std::size_t last = first + 1;
        int widest = lines[first].width;
        for (; last < lines.size() && lines[last].begin == lines[last - 1].end + 1 && lines[last].indent == lines[first].indent; ++last) widest = std::max(widest, lines[last].width);
        for (; first < last; ++first) {
            aligned += text.substr(copied, lines[first].comment - copied);
            aligned.append(static_cast<std::size_t>(widest - lines[first].width), ' ');
            copied = lines[first].comment;
        }
    }
    return aligned + text.substr(copied);
}

} // namespace vmaprun::layout
