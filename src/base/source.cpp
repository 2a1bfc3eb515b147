#include "base/source.hpp"

#include <algorithm>

namespace vmaprun {

Source::Source(std::string name, std::string text) : name_(std::move(name)), text_(std::move(text)) {
    line_starts_.push_back(0);
    for (std::size_t i = 0; i < text_.size(); ++i) {
        if (text_[i] == '\n') line_starts_.push_back(static_cast<std::uint32_t>(i + 1));
    }
}

std::string_view Source::line(std::uint32_t number) const {
    const std::uint32_t begin = line_starts_[number - 1];
    const auto end = number < line_starts_.size() ? line_starts_[number] - 1 : static_cast<std::uint32_t>(text_.size());
    std::string_view line = std::string_view(text_).substr(begin, end - begin);
    if (line.ends_with('\r')) line.remove_suffix(1);
    return line;
}

Position Source::position(std::uint32_t offset) const {
    offset = std::min(offset, static_cast<std::uint32_t>(text_.size()));
    const auto after = std::upper_bound(line_starts_.begin(), line_starts_.end(), offset);
    const auto line = static_cast<std::uint32_t>(after - line_starts_.begin());
    Position position{line, 1};
    for (std::uint32_t i = line_starts_[line - 1]; i < offset; ++i) {
        if ((static_cast<unsigned char>(text_[i]) & 0xC0U) != 0x80U) ++position.column;
    }
    return position;
}

Span cover(Span a, Span b) {
    if (!a) return b;
    if (!b || a.source != b.source) return a;
    return {a.source, std::min(a.begin, b.begin), std::max(a.end, b.end)};
}

} // namespace vmaprun
