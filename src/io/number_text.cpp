#include "io/number_text.hpp"

#include <array>
#include <bit>
#include <charconv>
#include <cmath>
#include <cstring>
#include <optional>

#include "io/shortest_digits.hpp"

namespace vmaprun {
namespace {

constexpr char digit_pairs[] = "00010203040506070809101112131415161718192021222324252627282930313233343536373839404142434445464748495051525354"
                               "555657585960616263646566676869707172737475767778798081828384858687888990919293949596979899";

constexpr auto powers_of_ten = [] {
    std::array<std::uint64_t, 20> powers{1};
    for (std::size_t i = 1; i < powers.size(); ++i) powers[i] = 10 * powers[i - 1];
    return powers;
}();

int count_digits(std::uint64_t value) {
    const int guess = static_cast<int>(std::bit_width(value | 1U)) * 1233 >> 12; // the logarithm, or one less
    return guess + (value >= powers_of_ten[static_cast<std::size_t>(guess)] ? 1 : 0) + (value == 0 ? 1 : 0);
}

char* write_unsigned(char* target, std::uint64_t value) {
    char* const end = target + count_digits(value);
    char* at = end;
    while (value >= 100) {
        at -= 2;
        std::memcpy(at, digit_pairs + value % 100 * 2, 2);
        value /= 100;
    }
    if (value >= 10) std::memcpy(at - 2, digit_pairs + value * 2, 2);
    else at[-1] = static_cast<char>('0' + value);
    return end;
}

// ---- floats: digits stay in registers until they are stored where they belong ----------------------------------------

constexpr std::uint64_t eight_zeros = 0x3030303030303030U;
constexpr std::uint64_t hundred_million = 100000000;

// Eight digits, a byte each, the first in the lowest: halves, then pairs, then digits, side by side.
std::uint64_t bytes_of_eight_digits(std::uint64_t value) {
    const std::uint64_t fours = value / 10000 | (value % 10000) << 32U;
    const std::uint64_t hundreds = fours * 10486 >> 20U & 0x0000007F0000007FU;
    const std::uint64_t pairs = hundreds | (fours - 100 * hundreds) << 16U;
    const std::uint64_t tens = pairs * 103 >> 10U & 0x000F000F000F000FU;
    return tens | (pairs - 10 * tens) << 8U;
}

void store(char* target, std::uint64_t characters) {
    if constexpr (std::endian::native == std::endian::big) characters = __builtin_bswap64(characters);
    std::memcpy(target, &characters, 8);
}

// A float's digits: the first, then 8 (of a float) or 16 (of a double).
template <class T> struct Digits {
    static constexpr bool is_double = sizeof(T) == 8;
    static constexpr int most = is_double ? 17 : 9;

    explicit Digits(ShortestDecimal decimal) {
        const int given = count_digits(decimal.digits);
        exponent = decimal.exponent + given - 1;
        const std::uint64_t aligned = decimal.digits * powers_of_ten[static_cast<std::size_t>(most - given)];
        const std::uint64_t unit = powers_of_ten[most - 1];
        first = static_cast<char>('0' + aligned / unit);
        const std::uint64_t rest = aligned % unit;
        const std::uint64_t upper = bytes_of_eight_digits(is_double ? rest / hundred_million : rest);
        const std::uint64_t lower = is_double ? bytes_of_eight_digits(rest % hundred_million) : 0;
        count = lower != 0 ? 17 - std::countl_zero(lower) / 8 : upper != 0 ? 9 - std::countl_zero(upper) / 8 : 1;
        words[0] = upper | eight_zeros;
        words[1] = lower | eight_zeros;
    }

    // The digits behind the first `skipped` of the words.
    void store_rest(char* target, int skipped = 0) const {
        const auto bits = static_cast<unsigned>(8 * skipped);
        if constexpr (is_double) {
            __extension__ using Both = unsigned __int128;
            const Both both = (Both{words[1]} << 64U | words[0]) >> bits;
            store(target, static_cast<std::uint64_t>(both));
            store(target + 8, static_cast<std::uint64_t>(both >> 64U));
        } else if (skipped < 8) {
            store(target, words[0] >> bits);
        }
    }

    char first = '0';
    std::uint64_t words[2] = {eight_zeros, eight_zeros};
    int count = 0;    // without trailing zeros
    int exponent = 0; // of the first one
};

// d.ddde[+-]xx as Python writes it.
template <class T> char* write_scientific(char* target, const Digits<T>& digits) {
    *target = digits.first;
    if (digits.count > 1) {
        target[1] = '.';
        digits.store_rest(target + 2);
        ++target;
    }
    target += digits.count;
    *target++ = 'e';
    *target++ = digits.exponent < 0 ? '-' : '+';
    const int magnitude = digits.exponent < 0 ? -digits.exponent : digits.exponent;
    if (magnitude < 10) *target++ = '0';
    return write_unsigned(target, static_cast<std::uint64_t>(magnitude));
}

template <class T> char* write_positional(char* target, const Digits<T>& digits) {
    if (digits.exponent < 0) {
        std::memcpy(target, "0.000000", 8);
        target += 1 - digits.exponent;
        *target = digits.first;
        digits.store_rest(target + 1);
        return target + digits.count;
    }
    const int whole = digits.exponent + 1;
    *target = digits.first;
    if (digits.count <= whole) {
        store(target + 9, eight_zeros);
        digits.store_rest(target + 1);
        target[whole] = '.';
        target[whole + 1] = '0';
        return target + whole + 2;
    }
    if (whole > 1) digits.store_rest(target + 1);
    digits.store_rest(target + whole + 1, whole - 1);
    target[whole] = '.';
    return target + digits.count + 1;
}

// By the library, in the rare place that shortest_decimal leaves: d[.ddd]e-xxx.
char* write_tiny(char* target, double value) { return std::to_chars(target, target + number_text_capacity, value, std::chars_format::scientific).ptr; }

template <class T> char* write_float(char* target, T value) {
    if (std::signbit(value)) {
        *target++ = '-';
        value = -value;
    }
    if (value < T(1 << 24) && value == static_cast<T>(static_cast<std::int32_t>(value))) {
        target = write_unsigned(target, static_cast<std::uint64_t>(value));
        std::memcpy(target, ".0", 2);
        return target + 2;
    }
    ShortestDecimal decimal;
    if constexpr (sizeof(T) == 4) {
        decimal = shortest_decimal(value);
    } else {
        const std::optional<ShortestDecimal> found = shortest_decimal(value);
        if (!found) return write_tiny(target, value);
        decimal = *found;
    }
    const Digits<T> digits(decimal);
    return digits.exponent < -4 || digits.exponent >= 16 ? write_scientific(target, digits) : write_positional(target, digits);
}

template <class T> std::string float_text(T value) {
    if (std::isnan(value)) return "NaN";
    if (std::isinf(value)) return value < 0 ? "-Infinity" : "Infinity";
    char text[number_text_capacity];
    return std::string(text, write_number(text, value));
}

template <class T> std::string text_of(T value) {
    if constexpr (std::is_same_v<T, bool>) return value ? "true" : "false";
    else if constexpr (std::is_same_v<T, KeyWords>) return "[" + std::to_string(value.high) + ", " + std::to_string(value.low) + "]";
    else if constexpr (is_complex_type<T>) return "[" + float_text(value.real()) + ", " + float_text(value.imag()) + "]";
    else if constexpr (std::is_floating_point_v<T>) return float_text(value);
    else return std::to_string(value);
}

} // namespace

char* write_number(char* target, float value) { return write_float(target, value); }
char* write_number(char* target, double value) { return write_float(target, value); }
char* write_number(char* target, std::uint64_t value) { return write_unsigned(target, value); }
char* write_number(char* target, std::int64_t value) {
    auto magnitude = static_cast<std::uint64_t>(value);
    if (value < 0) {
        *target++ = '-';
        magnitude = 0 - magnitude;
    }
    return write_unsigned(target, magnitude);
}

std::string element_text(DType dtype, const std::byte* data) {
    return visit_dtype(dtype, [&]<class T>(TypeTag<T>) {
        T value{};
        std::memcpy(&value, data, sizeof(T));
        return text_of(value);
    });
}

} // namespace vmaprun
