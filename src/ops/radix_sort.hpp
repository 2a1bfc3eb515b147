// Rows of numbers put in the order of ops/sorting_order.hpp, stably, by their digits of a byte from the lowest on (LSD radix
// sort; Knuth, The Art of Computer Programming 3, 5.2.5): the work is the same whatever the numbers are.
#pragma once

#include <array>
#include <bit>
#include <cmath>
#include <cstdint>
#include <type_traits>
#include <utility>

#include "array/dtype.hpp"
#include "ops/kernels/scratch.hpp"

namespace vmaprun {

template <std::size_t Bytes> struct DigitsOf;
template <> struct DigitsOf<1> { using type = std::uint8_t; };
template <> struct DigitsOf<2> { using type = std::uint16_t; };
template <> struct DigitsOf<4> { using type = std::uint32_t; };
template <> struct DigitsOf<8> { using type = std::uint64_t; };

template <class T> inline constexpr bool has_digits = !is_complex_type<T> && !std::is_same_v<T, KeyWords>;
template <class T> using Digits = typename DigitsOf<sizeof(T)>::type;

// Ascending as the numbers are; equal for -0 and 0, and the largest for every NaN.
template <class T> Digits<T> digits_of(T number) {
    using U = Digits<T>;
    constexpr U sign = static_cast<U>(U{1} << (sizeof(T) * 8 - 1));
    if constexpr (std::is_floating_point_v<T>) {
        if (std::isnan(number)) return static_cast<U>(~U{0});
        const U bits = std::bit_cast<U>(number == 0 ? T{0} : number);
        return bits & sign ? static_cast<U>(~bits) : static_cast<U>(bits | sign);
    } else if constexpr (std::is_signed_v<T>) {
        return static_cast<U>(static_cast<U>(number) ^ sign);
    } else {
        return static_cast<U>(number);
    }
}

template <class T> T number_of(Digits<T> digits) {
    using U = Digits<T>;
    constexpr U sign = static_cast<U>(U{1} << (sizeof(T) * 8 - 1));
    if constexpr (std::is_floating_point_v<T>) return std::bit_cast<T>(digits & sign ? static_cast<U>(digits ^ sign) : static_cast<U>(~digits));
    else if constexpr (std::is_signed_v<T>) return static_cast<T>(static_cast<U>(digits ^ sign));
    else return static_cast<T>(digits);
}

// Sorts `count` items at `from` by digits(item), with as much room at `to`; gives where they are in the end.
template <class Item, class DigitsOfItem> Item* radix_sort(Item* from, Item* to, std::int64_t count, const DigitsOfItem& digits) {
    constexpr std::size_t passes = sizeof(digits(*from));
    std::array<std::array<std::uint32_t, 256>, passes> counts{};
    for (std::int64_t i = 0; i < count; ++i) {
        const auto key = digits(from[i]);
        for (std::size_t pass = 0; pass < passes; ++pass) ++counts[pass][static_cast<std::uint8_t>(key >> (8 * pass))];
    }
    for (std::size_t pass = 0; pass < passes; ++pass) {
        auto& places = counts[pass];
        if (places[static_cast<std::uint8_t>(digits(from[0]) >> (8 * pass))] == count) continue; // all have that digit
        std::uint32_t before = 0;
        for (std::uint32_t& place : places) before += std::exchange(place, before);
        for (std::int64_t i = 0; i < count; ++i) to[places[static_cast<std::uint8_t>(digits(from[i]) >> (8 * pass))]++] = from[i];
        std::swap(from, to);
    }
    return from;
}

// Rows from which digits are faster than comparisons, and that the counts can count.
template <class T> bool sorts_by_digits(std::int64_t count) { return count >= (sizeof(T) == 8 ? 256 : 64) && count < (std::int64_t{1} << 32); }

// The elements row[0], row[step], ... in order.
template <class T> void sort_by_digits(const T* row, std::int64_t step, std::int64_t count, bool descending, T* out) {
    using U = Digits<T>;
    const U flip = descending ? static_cast<U>(~U{0}) : U{0};
    U* const room = scratch_at<U>(0, 2 * count);
    bool some_below_zero = false; // -0, whose sign the digits don't have
    for (std::int64_t i = 0; i < count; ++i) {
        const T number = row[i * step];
        room[i] = static_cast<U>(digits_of(number) ^ flip);
        if constexpr (std::is_floating_point_v<T>) some_below_zero |= number == 0 && std::signbit(number);
    }
    const U* const sorted = radix_sort(room, room + count, count, [](U key) { return key; });
    std::int64_t zeros = count; // where they begin
    for (std::int64_t i = count; i-- > 0;) {
        out[i] = number_of<T>(static_cast<U>(sorted[i] ^ flip));
        if (some_below_zero && out[i] == 0) zeros = i;
    }
    if (!some_below_zero) return;
    for (std::int64_t i = 0; i < count; ++i) {
        if (row[i * step] == 0) out[zeros++] = row[i * step];
    }
}

// The positions of those elements in order.
template <class T> void argsort_by_digits(const T* row, std::int64_t step, std::int64_t count, bool descending, std::int64_t* out) {
    using U = Digits<T>;
    struct Item {
        U digits;
        std::uint32_t position;
    };
    const U flip = descending ? static_cast<U>(~U{0}) : U{0};
    Item* const room = scratch_at<Item>(0, 2 * count);
    for (std::int64_t i = 0; i < count; ++i) room[i] = {static_cast<U>(digits_of(row[i * step]) ^ flip), static_cast<std::uint32_t>(i)};
    const Item* const sorted = radix_sort(room, room + count, count, [](const Item& item) { return item.digits; });
    for (std::int64_t i = 0; i < count; ++i) out[i] = sorted[i].position;
}

} // namespace vmaprun
