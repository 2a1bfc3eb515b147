// The error codes of names and calls (E2xx), shapes and dtypes (E3xx) and transforms (E4xx), and two of inputs.
#pragma once

#include <span>

#include "base/codes.hpp"

namespace vmaprun {

std::span<const CodeExplanation> trace_codes();

} // namespace vmaprun
