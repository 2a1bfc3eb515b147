// Lines typed by a person: on a terminal with editing and history, else as they come.
#pragma once

#include <optional>
#include <string>
#include <vector>

namespace vmaprun::cli {

class LineEditor {
  public:
    LineEditor();
    bool is_terminal() const { return terminal_; }
    // The next line without its newline; nothing at the end of the input. ^C drops what was typed: an empty line.
    std::optional<std::string> read(const std::string& prompt);

  private:
    std::optional<std::string> edit(const std::string& prompt);
    std::optional<std::string> plain();

    bool terminal_ = false;
    std::vector<std::string> history_;
    std::string pending_; // read past the end of a line
};

} // namespace vmaprun::cli
