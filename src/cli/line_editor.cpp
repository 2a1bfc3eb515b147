#include "cli/line_editor.hpp"

#include <stdlib.h>
#include <termios.h>
#include <unistd.h>

#include <string_view>
#include <utility>

#include "base/text.hpp"
#include "io/output_file.hpp"

namespace vmaprun::cli {
namespace {

void print(std::string_view text) { (void)write_all(STDOUT_FILENO, text); }

// Keys arrive one by one while it lives.
class RawTerminal {
  public:
    RawTerminal() {
        tcgetattr(STDIN_FILENO, &before_);
        termios raw = before_;
        raw.c_lflag &= ~static_cast<tcflag_t>(ICANON | ECHO | ISIG);
        raw.c_cc[VMIN] = 1;
        raw.c_cc[VTIME] = 0;
        tcsetattr(STDIN_FILENO, TCSADRAIN, &raw);
    }
    ~RawTerminal() { tcsetattr(STDIN_FILENO, TCSADRAIN, &before_); }
    RawTerminal(const RawTerminal&) = delete;
    RawTerminal& operator=(const RawTerminal&) = delete;

  private:
    termios before_{};
};

enum Key : int { end_of_input = -1, left = 256, right, up, down, home, end, erase_right, unknown };

int next_byte() {
    unsigned char byte = 0;
    return read(STDIN_FILENO, &byte, 1) == 1 ? static_cast<int>(byte) : static_cast<int>(end_of_input);
}

int escape_sequence() {
    const int kind = next_byte();
    if (kind != '[' && kind != 'O') return unknown;
    switch (const int code = next_byte(); code) {
    case 'A': return up;
    case 'B': return down;
    case 'C': return right;
    case 'D': return left;
    case 'H': return home;
    case 'F': return end;
    default: {
        int last = code; // "3~": a number up to a tilde
        while (last >= '0' && last <= '9') last = next_byte();
        return code == '3' ? erase_right : code == '1' || code == '7' ? home : code == '4' || code == '8' ? end : unknown;
    }
    }
}

constexpr int control(char letter) { return letter & 31; }

int next_key() {
    const int byte = next_byte();
    switch (byte) {
    case 27: return escape_sequence();
    case control('A'): return home;
    case control('B'): return left;
    case control('E'): return end;
    case control('F'): return right;
    case control('N'): return down;
    case control('P'): return up;
    default: return byte;
    }
}

// The text with a cursor, which stands before a whole UTF-8 character.
struct Line {
    std::string text;
    std::size_t cursor = 0;

    static bool continues(char c) { return (static_cast<unsigned char>(c) & 0xC0) == 0x80; }
    std::size_t before(std::size_t at) const {
        do --at;
        while (at > 0 && continues(text[at]));
        return at;
    }
    std::size_t after(std::size_t at) const {
        do ++at;
        while (at < text.size() && continues(text[at]));
        return at;
    }
    void set(std::string words) {
        text = std::move(words);
        cursor = text.size();
    }
    void apply(int key) {
        if (key == left && cursor > 0) cursor = before(cursor);
        else if (key == right && cursor < text.size()) cursor = after(cursor);
        else if (key == home) cursor = 0;
        else if (key == end) cursor = text.size();
        else if ((key == 127 || key == 8) && cursor > 0) {
            const std::size_t from = before(cursor);
            text.erase(from, cursor - from);
            cursor = from;
        } else if ((key == erase_right || key == control('D')) && cursor < text.size()) text.erase(cursor, after(cursor) - cursor);
        else if (key == control('K')) text.erase(cursor);
        else if (key == control('U')) {
            text.erase(0, cursor);
            cursor = 0;
        } else if (key == control('W')) {
            const std::size_t stop = cursor;
            while (cursor > 0 && text[cursor - 1] == ' ') --cursor;
            while (cursor > 0 && text[cursor - 1] != ' ') --cursor;
            text.erase(cursor, stop - cursor);
        } else if (key >= 32 && key < 256 && key != 127) text.insert(cursor++, 1, static_cast<char>(key));
    }
    void show(const std::string& prompt) const {
        std::string view = "\r\033[K" + prompt + text + "\r";
        const int column = display_width(prompt) + display_width(std::string_view(text).substr(0, cursor));
        if (column > 0) view += "\033[" + std::to_string(column) + "C";
        print(view);
    }
};

} // namespace

LineEditor::LineEditor() {
    const char* terminal = getenv("TERM");
    terminal_ = isatty(STDIN_FILENO) != 0 && isatty(STDOUT_FILENO) != 0;
    edits_ = terminal_ && terminal != nullptr && std::string_view(terminal) != "dumb";
}

std::optional<std::string> LineEditor::read(const std::string& prompt) {
    if (edits_) return edit(prompt);
    if (terminal_) print(prompt);
    return plain();
}

std::optional<std::string> LineEditor::plain() {
    for (;;) {
        if (const std::size_t end_of_line = pending_.find('\n'); end_of_line != std::string::npos) {
            std::string line = pending_.substr(0, end_of_line);
            pending_.erase(0, end_of_line + 1);
            return line;
        }
        char bytes[4096];
        const ssize_t count = ::read(STDIN_FILENO, bytes, sizeof bytes);
        if (count > 0) {
            pending_.append(bytes, static_cast<std::size_t>(count));
            continue;
        }
        if (pending_.empty()) return std::nullopt;
        return std::exchange(pending_, {});
    }
}

std::optional<std::string> LineEditor::edit(const std::string& prompt) {
    const RawTerminal raw;
    Line line;
    std::size_t at = history_.size(); // the entry that is shown; past the last: what is new
    std::string fresh;
    for (;;) {
        line.show(prompt);
        const int key = next_key();
        if (key == end_of_input || (key == control('D') && line.text.empty())) {
            print("\n");
            return std::nullopt;
        }
        if (key == control('C')) {
            print("^C\n");
            return std::string();
        }
        if (key == '\r' || key == '\n') break;
        if ((key == up && at > 0) || (key == down && at < history_.size())) {
            if (at == history_.size()) fresh = line.text;
            at += key == up ? std::size_t{0} - 1 : 1;
            line.set(at == history_.size() ? fresh : history_[at]);
            continue;
        }
        line.apply(key);
    }
    line.apply(end);
    line.show(prompt);
    print("\n");
    if (!line.text.empty() && (history_.empty() || history_.back() != line.text)) history_.push_back(line.text);
    return line.text;
}

} // namespace vmaprun::cli
