#include "base/json_text.hpp"

#include <algorithm>

#include "base/utf8.hpp"

namespace vmaprun {

std::string json_text(std::string_view text) {
    constexpr std::string_view digits = "0123456789abcdef";
    std::string result = "\"";
    while (!text.empty()) {
        const std::size_t length = utf8_length(text);
        const auto lead = static_cast<unsigned char>(text[0]);
        if (length == 0) result += "\uFFFD";
        else if (text[0] == '\n') result += "\\n";
        else if (text[0] == '\t') result += "\\t";
        else if (lead < 0x20 || lead == 0x7F) result += std::string("\\u00") + digits[lead >> 4U] + digits[lead & 15U];
        else if (text[0] == '"' || text[0] == '\\') result += std::string("\\") + text[0];
        else result += text.substr(0, length);
        text.remove_prefix(std::max<std::size_t>(length, 1));
    }
    return result + "\"";
}

} // namespace vmaprun
