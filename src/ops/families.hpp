// The families of the primitive table: each function gives the rows of one file group under ops/.
#pragma once

#include <span>

#include "ir/op.hpp"

namespace vmaprun {

std::span<const Op> creation_ops();
std::span<const Op> pointwise_ops();
std::span<const Op> reduction_ops();
std::span<const Op> cumulative_ops();
std::span<const Op> movement_ops();
std::span<const Op> selection_ops();
std::span<const Op> sorting_ops();
std::span<const Op> contraction_ops();
std::span<const Op> signal_ops();
std::span<const Op> random_ops();
std::span<const Op> linalg_ops();
std::span<const Op> control_ops();
std::span<const Op> check_ops();
std::span<const Op> composite_ops();

} // namespace vmaprun
