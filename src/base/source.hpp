// Source text and places in it.
//
// A Source owns the bytes of one script (or of one piece of data that messages quote). A Span is a half-open byte
// range of one Source; it is a plain value, and is valid as long as the SourceMap that owns its Source.
#pragma once

#include <cstdint>
#include <deque>
#include <string>
#include <string_view>
#include <vector>

namespace vmaprun {

struct Position {
    std::uint32_t line = 1;   // counted from 1
    std::uint32_t column = 1; // counted from 1, in characters (code points), not bytes
};

class Source {
  public:
    Source(std::string name, std::string text);

    const std::string& name() const { return name_; }
    std::string_view text() const { return text_; }
    std::uint32_t line_count() const { return static_cast<std::uint32_t>(line_starts_.size()); }
    // The text of a line (counted from 1), without its newline.
    std::string_view line(std::uint32_t number) const;
    std::uint32_t line_start(std::uint32_t number) const { return line_starts_[number - 1]; }
    // Any offset is allowed; one past the end counts as the end.
    Position position(std::uint32_t offset) const;

  private:
    std::string name_;
    std::string text_;
    std::vector<std::uint32_t> line_starts_;
};

struct Span {
    const Source* source = nullptr; // null: no place
    std::uint32_t begin = 0;
    std::uint32_t end = 0;

    explicit operator bool() const { return source != nullptr; }
    std::string_view text() const { return source ? source->text().substr(begin, end - begin) : std::string_view{}; }
    bool operator==(const Span&) const = default;
};

// The smallest span that covers both; both lie in one source (or one of them is no place).
Span cover(Span a, Span b);

// Owns sources at stable addresses.
class SourceMap {
  public:
    const Source& add(std::string name, std::string text) { return sources_.emplace_back(std::move(name), std::move(text)); }

  private:
    std::deque<Source> sources_;
};

} // namespace vmaprun
