// The families of the primitive table: each function gives the rows of one file under ops/. Rows are constants: a run that needs few of
// them pays for few.
#pragma once

#include <span>

#include "ir/op.hpp"

namespace vmaprun {

std::span<const Op> creation_ops();
std::span<const Op> reduction_ops();
std::span<const Op> cumulative_ops();
std::span<const Op> sorting_ops();
std::span<const Op> contraction_ops();
std::span<const Op> random_ops();
std::span<const Op> control_ops();
std::span<const Op> check_ops();

} // namespace vmaprun
