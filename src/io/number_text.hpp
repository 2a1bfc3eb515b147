// Numbers as text: the shortest that reads back to the same value of its own dtype, in the style of Python's repr.
// `6.0`, `0.1`, `-0.0`, `1e-07`, `1e+16`: an exponent below 1e-4 and from 1e16, with a sign and at least two digits.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include "array/array.hpp"

namespace vmaprun {

inline constexpr std::size_t number_text_capacity = 64;

// Writes a text of at most 32 characters at `target` and returns its end; what follows it, up to number_text_capacity, may be written
// over. Finite values only.
char* write_number(char* target, float value);
char* write_number(char* target, double value);
char* write_number(char* target, std::int64_t value);
char* write_number(char* target, std::uint64_t value);

// One element at `data`, as JSON has it: also "true", "[re, im]"; NaN, Infinity, -Infinity bare.
std::string element_text(DType dtype, const std::byte* data);

} // namespace vmaprun
