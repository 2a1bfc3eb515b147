#include "base/text.hpp"

#include <algorithm>
#include <cstdint>

#include "base/utf8.hpp"

namespace vmaprun {
namespace {

std::size_t edit_distance(std::string_view a, std::string_view b) {
    std::vector<std::size_t> before(b.size() + 1), previous(b.size() + 1), current(b.size() + 1);
    for (std::size_t j = 0; j <= b.size(); ++j) previous[j] = j;
    for (std::size_t i = 1; i <= a.size(); ++i) {
        current[0] = i;
        for (std::size_t j = 1; j <= b.size(); ++j) {
            current[j] = std::min({previous[j] + 1, current[j - 1] + 1, previous[j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1)});
            const bool swapped = i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1];
            if (swapped) current[j] = std::min(current[j], before[j - 2] + 1);
        }
        std::swap(before, previous);
        std::swap(previous, current);
    }
    return previous[b.size()];
}

struct Range {
    char32_t first, last;
};

bool inside(char32_t character, std::span<const Range> ranges) {
    return std::ranges::any_of(ranges, [&](Range r) { return r.first <= character && character <= r.last; });
}

// Unicode 15: East Asian Width W and F, coarse blocks; combining marks that matter in practice.
constexpr Range wide[] = {{0x1100, 0x115F}, {0x2E80, 0x303E}, {0x3041, 0x33FF}, {0x3400, 0x4DBF}, {0x4E00, 0x9FFF}, {0xA000, 0xA4CF},
                          {0xAC00, 0xD7A3}, {0xF900, 0xFAFF}, {0xFE30, 0xFE6F}, {0xFF00, 0xFF60}, {0xFFE0, 0xFFE6}, {0x1F300, 0x1F64F},
                          {0x1F900, 0x1F9FF}, {0x20000, 0x3FFFD}};
constexpr Range zero[] = {{0x0300, 0x036F}, {0x0483, 0x0489}, {0x0591, 0x05BD}, {0x064B, 0x065F}, {0x1AB0, 0x1AFF}, {0x1DC0, 0x1DFF},
                          {0x200B, 0x200F}, {0x20D0, 0x20FF}, {0xFE00, 0xFE0F}, {0xFE20, 0xFE2F}};

} // namespace

std::string_view nearest(std::string_view name, std::span<const std::string_view> candidates) {
    std::string_view best;
    std::size_t best_distance = std::max<std::size_t>(1, name.size() / 3) + 1;
    for (const std::string_view candidate : candidates) {
        const std::size_t gap = candidate.size() > name.size() ? candidate.size() - name.size() : name.size() - candidate.size();
        if (gap >= best_distance || candidate.size() > 200 || name.size() > 200) continue;
        const std::size_t distance = edit_distance(name, candidate);
        if (distance < best_distance && distance < std::max(name.size(), candidate.size())) { // else no letter is common
            best_distance = distance;
            best = candidate;
        }
    }
    return best;
}

std::string join(const std::vector<std::string>& words, std::string_view separator) {
    std::string text;
    for (const std::string& word : words) {
        if (!text.empty()) text += separator;
        text += word;
    }
    return text;
}

std::string join_and(const std::vector<std::string>& words) {
    if (words.size() < 2) return words.empty() ? "" : words.front();
    std::vector<std::string> head(words.begin(), words.end() - 1);
    return join(head, ", ") + " and " + words.back();
}

std::string json_string(std::string_view text) {
    constexpr std::string_view meanings = "\"\\\b\f\n\r\t", letters = "\"\\bfnrt";
    constexpr char hex[] = "0123456789abcdef";
    std::string result = "\"";
    for (std::size_t at = 0; at < text.size();) {
        const char c = text[at];
        const std::size_t length = utf8_length(text.substr(at));
        if (const auto index = meanings.find(c); index != std::string_view::npos) {
            result += '\\';
            result += letters[index];
        } else if (static_cast<unsigned char>(c) < 0x20 || c == 0x7F) {
            result += "\\u00";
            result += hex[c / 16];
            result += hex[c % 16];
        } else if (length == 0) {
            result += "\xEF\xBF\xBD";
        } else {
            result += text.substr(at, length);
        }
        at += std::max<std::size_t>(length, 1);
    }
    return result + "\"";
}

std::string count_of(std::int64_t count, std::string_view noun) {
    if (count == 1) return "1 " + std::string(noun);
    const bool changes = noun.ends_with('y') && !noun.ends_with("ay"); // entries, but arrays
    return std::to_string(count) + " " + (changes ? std::string(noun.substr(0, noun.size() - 1)) + "ies" : std::string(noun) + "s");
}

std::string ordinal(std::int64_t number) {
    const std::int64_t tens = number % 100;
    const char* ending = "th";
    if (tens < 11 || tens > 13) {
        if (number % 10 == 1) ending = "st";
        if (number % 10 == 2) ending = "nd";
        if (number % 10 == 3) ending = "rd";
    }
    return std::to_string(number) + ending;
}

int display_width(std::string_view utf8) {
    int width = 0;
    for (std::size_t i = 0; i < utf8.size();) {
        const auto lead = static_cast<unsigned char>(utf8[i]);
        const std::size_t length = lead < 0x80 ? 1 : lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;
        char32_t character = length == 1 ? lead : lead & (0xFFU >> (length + 1));
        for (std::size_t k = 1; k < length && i + k < utf8.size(); ++k) {
            character = (character << 6U) | (static_cast<unsigned char>(utf8[i + k]) & 0x3FU);
        }
        i += length;
        width += character == '\t' ? 4 : inside(character, zero) ? 0 : inside(character, wide) ? 2 : 1;
    }
    return width;
}

} // namespace vmaprun
