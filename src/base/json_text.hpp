// Text as a JSON string, in quotes: what is not UTF-8 becomes U+FFFD.
#pragma once

#include <string>
#include <string_view>

namespace vmaprun {

std::string json_text(std::string_view text);

} // namespace vmaprun
