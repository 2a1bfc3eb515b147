// The shortest decimal digits that read back to the same float, and of those the nearest to it.
//
// Method: R. Giulietti, "The Schubfach way to render doubles" (2021): one multiplication by a power of ten, rounded to odd,
// for the value and for each end of the interval that rounds to it.
#pragma once

#include <cstdint>
#include <optional>

namespace vmaprun {

// digits * 10^exponent; the digits may end in zeros.
struct ShortestDecimal {
    std::uint64_t digits = 0;
    int exponent = 0;
};

// Of a finite value above 0. Nothing for doubles below 1e-290, whose powers of ten are not at hand.
ShortestDecimal shortest_decimal(float value);
std::optional<ShortestDecimal> shortest_decimal(double value);

} // namespace vmaprun
