// The text of .npy headers: used by npy.cpp alone (npz members have the same).
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "io/npy.hpp"

namespace vmaprun {

// What precedes the dictionary: magic, version, length.
struct NpyPreamble {
    int major = 1, minor = 0;
    std::size_t text_offset = 0; // 10 or 12
    std::size_t text_length = 0; // at most 64 KiB
};

inline constexpr std::size_t npy_preamble_bytes = 12;

// From the first bytes of a file (fewer than 12 only if the file ends there). E508, E509, E510.
NpyPreamble parse_npy_preamble(std::string_view bytes, const std::string& name);
// The dictionary: descr, fortran_order, shape. E508, E509.
NpyHeader parse_npy_dictionary(std::string_view text, const NpyPreamble& preamble, const std::string& name);

} // namespace vmaprun
