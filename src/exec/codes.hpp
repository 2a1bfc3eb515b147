// The codes of what can go wrong while a program runs, for the catalogue of `vmaprun explain CODE`.
#pragma once

#include <span>

#include "base/codes.hpp"

namespace vmaprun {

std::span<const CodeExplanation> run_codes();

} // namespace vmaprun
