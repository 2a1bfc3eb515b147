// The lines of a descriptor as they come, some at a time: what streams of records are read by.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

#include "base/error.hpp"
#include "io/file.hpp"

namespace vmaprun {

struct Line {
    std::uint32_t number = 1; // counted from 1, empty lines too
    FileBytes text;           // without its end
    std::vector<Diagnostic> failures = {}; // why there is none: the line is larger than the memory that is allowed
};

class LineReader {
  public:
    // The descriptor stays open; `name` is what messages call it, and the texts of lines.
    LineReader(int descriptor, std::string name);

    // The lines that come until there are `most` of them or so many bytes, or the first has waited for so long, or the descriptor ends. Lines of
    // spaces are left out. Waits for the first line as long as it takes. E501 where reading fails.
    std::vector<Line> read(std::size_t most, std::size_t most_bytes, std::chrono::nanoseconds longest_wait);
    // Whether the descriptor has ended, and every line of it was read.
    bool is_at_end() const { return ended_ && begin_ == end_; }

  private:
    bool take_line(std::vector<Line>& lines);
    void read_more();
    void renew(std::size_t capacity);

    int descriptor_;
    FileBytes bytes_;                // what was read: lines are parts of it, so it is never changed where they may be
    std::shared_ptr<Buffer> buffer_; // the same
    std::size_t begin_ = 0, end_ = 0; // of what no line has been made of yet
    std::size_t searched_ = 0;        // up to where no end of a line is
    std::uint32_t next_number_ = 1;
    std::vector<Diagnostic> too_large_; // of the line that is passed over; empty: none is
    bool ended_ = false;
};

} // namespace vmaprun
