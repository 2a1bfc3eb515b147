// The one conversion of an input: an array that arrived to the dtype that the script declares.
//
// Booleans count as 0 and 1. An integer takes a float that is whole, a bool takes 0 and 1, a float takes any real number (rounded to
// nearest, ties to even; E506 where a finite value becomes infinite), a complex takes any number. E506 names the first value, in row-major order,
// that the dtype can't hold; E512 refuses complex for real, and keys for anything but u32[..., 2].
#pragma once

#include <cstdint>
#include <span>
#include <string>

#include "array/array.hpp"

namespace vmaprun {

// `path` is what messages call the array: "x", "data.npy", "$.x". The same array where the dtype is already right.
// E506 and E512 as above.
Array convert_input(const Array& array, DType dtype, const std::string& path);

// Whether convert_input ever takes one to the other (for some values, at least).
bool converts(DType from, DType to);
// E512 where it doesn't.
void require_convertible(DType from, DType to, const std::string& path);

// Raises E506: the element at `element_path`, written `text`, is out of the range of the dtype (it names the range).
[[noreturn]] void fail_out_of_range(const std::string& element_path, const std::string& text, DType dtype);
[[noreturn]] void fail_not_whole(const std::string& element_path, const std::string& text, DType dtype);
[[noreturn]] void fail_special(const std::string& element_path, const std::string& text, DType dtype);
// "x[1][2]": where a row-major index of that shape lies.
std::string element_path(const std::string& path, std::span<const std::int64_t> shape, std::int64_t index);

} // namespace vmaprun
