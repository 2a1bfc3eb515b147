// What `vmaprun explain CODE` tells: one row for each error code, kept by the layer that raises it.
#pragma once

#include <string_view>

namespace vmaprun {

struct CodeExplanation {
    std::string_view code;  // "E501"
    std::string_view title; // one line, no full stop
    std::string_view text;  // at length: why it happens, an example, what to do; lines end in \n
};

} // namespace vmaprun
