// The text of .npy headers, as .npy files and the members of .npz archives have them.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
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

// Both, from what gives bytes one after another (fewer than asked for at its end alone), and then stands at the elements.
NpyHeader read_npy_header(const std::function<std::size_t(std::byte*, std::size_t)>& read, const std::string& name);

// The array of elements as they lie in a file: changes them, where the machine has them otherwise.
Array array_of_elements(std::shared_ptr<Buffer> elements, const NpyHeader& header);

} // namespace vmaprun
