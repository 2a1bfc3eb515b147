// What the engine needs to know of the checks: how a debug node prints, and what is finite.
#pragma once

#include <string>

#include "array/array.hpp"
#include "ir/op.hpp"

namespace vmaprun {

const Op& debug_op(); // operand: x. attributes: 0: label (string). No results: the engine prints it, lane by lane

// "label: value" of one sample (a view without lanes), without a newline at the end. Tensors print as nested lists on one
// line; of one with more than 1000 elements the middle is left out.
std::string debug_text(const Node& node, const View& sample);

// One element as a script would write it: "3.0", "0.1", "1e-07", "nan", "-inf", "true", "(1.0, -2.0)" for a complex one.
std::string element_words(DType dtype, const std::byte* data);

// Whether none of so many neighbouring elements is an infinity or NaN.
bool are_finite(DType dtype, const std::byte* from, std::int64_t count);

} // namespace vmaprun
