// JSON numbers as they mostly are, read fast: digits eight at a time, one correctly rounded operation to a double.
//
// All functions take pointers into text that is followed by zero bytes (FileBytes).
#pragma once

#include <fast_float/fast_float.h>

#include <bit>
#include <cstdint>
#include <cstring>

#include "io/json_reader.hpp"

namespace vmaprun {

inline constexpr double exact_powers_of_ten[] = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,  1e8,  1e9,  1e10, 1e11,
                                                 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};
inline constexpr std::uint64_t whole_powers_of_ten[] = {1, 10, 100, 1000, 10000, 100000, 1000000, 10000000, 100000000};

// The next eight characters, the first in the lowest byte.
inline std::uint64_t eight_characters(const char* at) {
    std::uint64_t word = 0;
    std::memcpy(&word, at, 8);
    if constexpr (std::endian::native == std::endian::big) word = __builtin_bswap64(word);
    return word;
}

// How many of them are digits before the first that is none.
inline int leading_digits(std::uint64_t word) {
    const std::uint64_t others = ((word + 0x4646464646464646U) | (word - 0x3030303030303030U)) & 0x8080808080808080U;
    return others == 0 ? 8 : std::countr_zero(others) / 8;
}

// The value of eight digits (Lemire's SWAR method).
inline std::uint64_t value_of_eight_digits(std::uint64_t word) {
    word -= 0x3030303030303030U;
    word = word * 10 + (word >> 8U);
    const std::uint64_t low = (word & 0x000000FF000000FFU) * 0x000F424000000064U;
    const std::uint64_t high = ((word >> 16U) & 0x000000FF000000FFU) * 0x0000271000000001U;
    return (low + high) >> 32U;
}

// The value of the first `count` (1 to 8) characters: zeros are put in front of them.
inline std::uint64_t value_of_digits(std::uint64_t word, int count) {
    const int missing = 64 - 8 * count;
    return value_of_eight_digits(missing == 0 ? word : word << missing | 0x3030303030303030U >> (8 * count));
}

// Reads a number of at most 7 digits before the point and 15 behind it, without an exponent, and adds what it is to the content; null
// (and nothing added) where no such number begins.
inline const char* read_plain_number(const char* at, double& value, JsonContent& content) {
    const bool negative = *at == '-';
    if (negative) ++at;
    std::uint64_t word = eight_characters(at);
    int digits = leading_digits(word);
    if (digits == 0 || digits == 8 || (*at == '0' && digits > 1)) [[unlikely]] return nullptr;
    std::uint64_t mantissa = value_of_digits(word, digits);
    at += digits;
    if (*at != '.') {
        if ((*at | 0x20) == 'e') return nullptr;
        value = negative ? -static_cast<double>(mantissa) : static_cast<double>(mantissa);
        content.integer = true;
        content.negative |= negative;
        return at;
    }
    word = eight_characters(++at);
    digits = leading_digits(word);
    if (digits == 0) [[unlikely]] return nullptr;
    mantissa = mantissa * whole_powers_of_ten[digits] + value_of_digits(word, digits);
    at += digits;
    int exponent = digits;
    if (digits == 8) {
        word = eight_characters(at);
        digits = leading_digits(word);
        if (digits == 8) [[unlikely]] return nullptr;
        if (digits > 0) mantissa = mantissa * whole_powers_of_ten[digits] + value_of_digits(word, digits);
        at += digits;
        exponent += digits;
    }
    if ((*at | 0x20) == 'e') [[unlikely]] return nullptr;
    if (mantissa <= std::uint64_t{1} << 53U) [[likely]] { // Clinger's fast path: two exact doubles
        value = static_cast<double>(mantissa) / exact_powers_of_ten[exponent];
        if (negative) value = -value;
    } else { // Eisel and Lemire's: right, or it says that it is not
        const auto rounded = fast_float::compute_float<fast_float::binary_format<double>>(-exponent, mantissa);
        if (rounded.power2 < 0) return nullptr;
        fast_float::to_float(negative, rounded, value);
    }
    content.fraction = true;
    return at;
}

} // namespace vmaprun
