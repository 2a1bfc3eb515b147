// The parts of the contraction family's table, by file.
#pragma once

#include <span>

#include "ir/op.hpp"

namespace vmaprun {

std::span<const Op> product_rows(); // contraction_products.cpp
std::span<const Op> einsum_rows();  // contraction_einsum.cpp

} // namespace vmaprun
