// Lines typed by a person: with editing and history where the terminal can (TERM says so), else as they come.
#pragma once

#include <optional>
#include <string>
#include <vector>

namespace vmaprun::cli {

class LineEditor {
  public:
    LineEditor();
    // Whether a person types: input and output are a terminal.
    bool is_terminal() const { return terminal_; }
    // The next line without its newline; nothing at the end of the input. ^C drops what was typed: an empty line.
    std::optional<std::string> read(const std::string& prompt);

  private:
    std::optional<std::string> edit(const std::string& prompt);
    std::optional<std::string> plain();

    bool terminal_ = false;
    bool edits_ = false;
    std::vector<std::string> history_;
    std::string pending_; // read past the end of a line
};

} // namespace vmaprun::cli
