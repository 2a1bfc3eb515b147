// The text around the tree: line beginnings, empty lines, comments, sequences.
#include "syntax/formatter.hpp"

#include <algorithm>

#include "syntax/formatter_state.hpp"

namespace vmaprun {

using namespace layout;

// ---- the text --------------------------------------------------------------------------------------------------------

bool Formatter::begins_line(std::uint32_t offset) const {
    const std::size_t before = text_.substr(0, offset).find_last_not_of(" \t\r");
    return before == std::string_view::npos || text_[before] == '\n';
}

bool Formatter::blank_before(std::uint32_t offset) const {
    const std::size_t before = text_.substr(0, offset).find_last_not_of(" \t\r\n;");
    const std::size_t begin = before == std::string_view::npos ? 0 : before + 1;
    const std::string_view gap = text_.substr(begin, offset - begin);
    return std::ranges::count(gap, '\n') > 1;
}

// ---- comments --------------------------------------------------------------------------------------------------------

std::vector<const Comment*> Formatter::take(std::uint32_t begin, std::uint32_t end) {
    std::vector<const Comment*> found;
    auto comment = std::ranges::lower_bound(comments_, begin, {}, [](const Comment& c) { return c.span.begin; });
    for (; comment != comments_.end() && comment->span.begin < end; ++comment) {
        const auto index = static_cast<std::size_t>(comment - comments_.begin());
        if (taken_[index]) continue;
        taken_[index] = true;
        found.push_back(&*comment);
    }
    return found;
}

// The comment that shares the line of offset `begin`, if it begins before `end`.
const Comment* Formatter::take_on_line(std::uint32_t begin, std::uint32_t end) {
    const std::size_t line_end = std::min(text_.find('\n', begin), text_.size());
    const auto found = take(begin, std::min(end, static_cast<std::uint32_t>(line_end)));
    return found.empty() ? nullptr : found.front();
}

std::string Formatter::plain_text(const Comment& comment) { return std::string(comment.span.text().substr(comment.is_doc ? 1 : 0)); }

// ---- sequences -------------------------------------------------------------------------------------------------------

Formatter::Sequence Formatter::sequence(const std::vector<Piece>& pieces, std::uint32_t begin, std::uint32_t end, Separator separator) {
    Sequence result;
    result.broken = begins_line(pieces.front().begin);
    std::vector<DocPtr> parts;
    const auto gap = [&](std::uint32_t offset) { return new_line(result.broken && blank_before(offset)); };
    const auto put = [&](const Comment& comment) {
        parts.push_back(text(comment.span.text()));
        result.has_comments = true;
    };
    for (std::size_t i = 0; i < pieces.size(); ++i) {
        const Piece& piece = pieces[i];
        const bool last = i + 1 == pieces.size();
        const auto leading = take(i == 0 ? begin : pieces[i - 1].end, piece.begin);
        if (i > 0) {
            const std::uint32_t first = leading.empty() ? piece.begin : leading.front()->span.begin;
            parts.push_back(result.broken && blank_before(first) ? new_line(true) : line(separator == Separator::comma ? " " : "; "));
        }
        for (std::size_t k = 0; k < leading.size(); ++k) {
            put(*leading[k]);
            parts.push_back(gap(k + 1 < leading.size() ? leading[k + 1]->span.begin : piece.begin));
        }
        DocPtr element = piece.build();
        for (const Comment* inside : take(piece.begin, piece.end)) {
            put(*inside);
            parts.push_back(new_line());
        }
        parts.push_back(element);
        result.elements.push_back(std::move(element));
        if (!last && separator == Separator::comma) parts.push_back(text(","));
        if (const Comment* trailing = take_on_line(piece.end, last ? end : pieces[i + 1].begin)) {
            parts.push_back(suffix(trailing->span.text()));
            result.has_comments = true;
        }
    }
    for (const Comment* dangling : take(pieces.back().end, end)) {
        parts.push_back(gap(dangling->span.begin));
        put(*dangling);
    }
    if (result.has_comments) parts.push_back(suffix("")); // a comment can't stand on one line with what follows
    result.doc = concat(std::move(parts));
    return result;
}

DocPtr Formatter::brackets(std::string_view open, const std::vector<Piece>& pieces, std::string_view close, std::uint32_t begin, std::uint32_t end) {
    if (pieces.empty()) return text(std::string(open) + std::string(close));
    const Sequence inner = sequence(pieces, begin, end, Separator::comma);
    return group(concat({text(open), indent(concat({soft_line(), inner.doc})), soft_line(), text(close)}), inner.broken);
}

std::string format(const ast::Script& script, std::span<const Comment> comments) { return Formatter(*script.source, comments).script(script); }

} // namespace vmaprun
