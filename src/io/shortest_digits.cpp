#include "io/shortest_digits.hpp"

#include <fast_float/fast_float.h>

#include <array>
#include <bit>

namespace vmaprun {
namespace {

__extension__ using Wide = unsigned __int128;

// floor(log10(2^e)), or of 3/4 * 2^e; floor(log2(10^e)).
constexpr int log10_of_power_of_two(int e, bool three_quarters) { return (e * 1262611 - (three_quarters ? 524031 : 0)) >> 22; }
constexpr int log2_of_power_of_ten(int e) { return (e * 1741647) >> 19; }

// ---- powers of ten: the leading 64 or 128 bits, rounded up -----------------------------------------------------------

constexpr int least_narrow = -31, most_narrow = 45; // what floats need

constexpr std::uint64_t narrow_power(int exponent) {
    Wide five = 1;
    for (int i = 0; i < (exponent < 0 ? -exponent : exponent); ++i) five *= 5;
    if (exponent >= 0) {
        int width = 0;
        for (Wide rest = five; rest != 0; rest >>= 1U) ++width;
        if (width <= 64) return static_cast<std::uint64_t>(five) << (64 - width);
        const Wide kept = five >> (width - 64);
        return static_cast<std::uint64_t>(kept) + (kept << (width - 64) == five ? 0 : 1);
    }
    // Long division, bit by bit, until 64 bits are there.
    std::uint64_t quotient = 0;
    for (Wide rest = 1; quotient >> 63U == 0;) {
        rest <<= 1U;
        quotient = quotient << 1U | (rest >= five ? 1 : 0);
        if (rest >= five) rest -= five;
    }
    return quotient + 1;
}

constexpr auto narrow_powers = [] {
    std::array<std::uint64_t, most_narrow - least_narrow + 1> powers{};
    for (int exponent = least_narrow; exponent <= most_narrow; ++exponent) powers[static_cast<std::size_t>(exponent - least_narrow)] = narrow_power(exponent);
    return powers;
}();

// What doubles need stands, as powers of five cut off behind 128 bits, in fast_float's table (from -27 to -1 rounded up already).
constexpr int most_wide = 308;

struct WidePower {
    std::uint64_t high, low;
};
WidePower wide_power(int exponent) {
    const auto index = static_cast<std::size_t>(2 * (exponent - fast_float::powers::smallest_power_of_five));
    WidePower power{fast_float::powers::power_of_five_128[index], fast_float::powers::power_of_five_128[index + 1]};
    const bool is_cut = exponent < -27 || exponent > 55;
    if (is_cut && ++power.low == 0) ++power.high;
    return power;
}

// ---- the product with a power of ten, rounded to odd -----------------------------------------------------------------

struct Narrow {
    using Bits = std::uint32_t;
    static constexpr int mantissa_bits = 23, bias = 150;
    std::uint64_t power;
    std::uint64_t operator()(std::uint64_t factor) const {
        const Wide product = Wide{power} * factor;
        return static_cast<std::uint64_t>(product >> 64U) | (static_cast<std::uint32_t>(product >> 32U) > 1 ? 1 : 0);
    }
};

struct Broad {
    using Bits = std::uint64_t;
    static constexpr int mantissa_bits = 52, bias = 1075;
    WidePower power;
    std::uint64_t operator()(std::uint64_t factor) const {
        const Wide product = Wide{power.high} * factor + (Wide{power.low} * factor >> 64U);
        return static_cast<std::uint64_t>(product >> 64U) | (static_cast<std::uint64_t>(product) > 1 ? 1 : 0);
    }
};

struct Parts {
    std::uint64_t significand = 0; // value = significand * 2^exponent
    int exponent = 0;
    bool closer_below = false; // the neighbour below is nearer than the one above
    int scale = 0;             // of the digits: floor of the logarithm of the interval
};

template <class Form> Parts parts_of(typename Form::Bits bits) {
    constexpr typename Form::Bits hidden = typename Form::Bits{1} << Form::mantissa_bits;
    const auto mantissa = bits & (hidden - 1);
    const int exponent = static_cast<int>(bits >> Form::mantissa_bits);
    Parts parts;
    parts.significand = exponent != 0 ? mantissa | hidden : mantissa;
    parts.exponent = (exponent != 0 ? exponent : 1) - Form::bias;
    parts.closer_below = mantissa == 0 && exponent > 1;
    parts.scale = log10_of_power_of_two(parts.exponent, parts.closer_below);
    return parts;
}

template <class Form> ShortestDecimal decimal_of(const Parts& parts, const Form& times_power) {
    const std::uint64_t odd = parts.significand & 1U, quarters = 4 * parts.significand;
    const int shift = parts.exponent + log2_of_power_of_ten(-parts.scale) + 1;
    const std::uint64_t below = times_power((quarters - 2 + (parts.closer_below ? 1 : 0)) << shift) + odd;
    const std::uint64_t value = times_power(quarters << shift);
    const std::uint64_t above = times_power((quarters + 2) << shift) - odd;
    const std::uint64_t floor = value / 4;
    if (floor >= 10) { // one digit less, if exactly one such number is inside
        const std::uint64_t tens = floor / 10;
        const bool lower_inside = below <= 40 * tens, upper_inside = 40 * tens + 40 <= above;
        if (lower_inside != upper_inside) return {tens + (upper_inside ? 1 : 0), parts.scale + 1};
    }
    const bool lower_inside = below <= 4 * floor, upper_inside = 4 * floor + 4 <= above;
    if (lower_inside != upper_inside) return {floor + (upper_inside ? 1 : 0), parts.scale};
    const std::uint64_t middle = 4 * floor + 2;
    const bool rounds_up = value > middle || (value == middle && (floor & 1U) != 0);
    return {floor + (rounds_up ? 1 : 0), parts.scale};
}

} // namespace

ShortestDecimal shortest_decimal(float value) {
    const Parts parts = parts_of<Narrow>(std::bit_cast<std::uint32_t>(value));
    return decimal_of(parts, Narrow{narrow_powers[static_cast<std::size_t>(-parts.scale - least_narrow)]});
}

std::optional<ShortestDecimal> shortest_decimal(double value) {
    const Parts parts = parts_of<Broad>(std::bit_cast<std::uint64_t>(value));
    if (-parts.scale > most_wide) return std::nullopt;
    return decimal_of(parts, Broad{wide_power(-parts.scale)});
}

} // namespace vmaprun
