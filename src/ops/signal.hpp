// What the files of the signal family share.
#pragma once

#include <span>

#include "ir/op.hpp"

namespace vmaprun {

// The rows, by file.
std::span<const Op> fourier_rows();

} // namespace vmaprun
