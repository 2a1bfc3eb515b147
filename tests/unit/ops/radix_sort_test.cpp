// Sorting by digits gives what a stable sort by comparisons gives, bit for bit.
#include <algorithm>
#include <cstring>
#include <limits>
#include <memory>
#include <numeric>
#include <random>

#include <doctest/doctest.h>

#include "ops/radix_sort.hpp"
#include "ops/sorting_order.hpp"

namespace {

using namespace vmaprun;

// Numbers of every size and sign, few enough different ones that many are equal.
template <class T> std::vector<T> numbers(std::int64_t count, std::mt19937_64& random) {
    std::vector<T> pool;
    for (int i = 0; i < 300; ++i) {
        if constexpr (std::is_same_v<T, bool>) pool.push_back(random() % 2 == 0);
        else if constexpr (std::is_integral_v<T>) pool.push_back(static_cast<T>(random() >> (random() % 64)));
        else pool.push_back(static_cast<T>(std::ldexp(static_cast<double>(random() % 1000) - 500, static_cast<int>(random() % 60) - 30)));
    }
    if constexpr (std::is_floating_point_v<T>) {
        using Limits = std::numeric_limits<T>;
        for (const T special : {T{0}, -T{0}, Limits::infinity(), -Limits::infinity(), Limits::quiet_NaN(), Limits::denorm_min(), -Limits::denorm_min(), Limits::max(), Limits::lowest()}) pool.insert(pool.end(), 20, special);
    } else {
        pool.insert(pool.end(), {std::numeric_limits<T>::min(), std::numeric_limits<T>::max()});
    }
    std::vector<T> result;
    for (std::int64_t i = 0; i < count; ++i) result.push_back(pool[random() % pool.size()]);
    return result;
}

template <class T> bool same(T a, T b) {
    if constexpr (std::is_floating_point_v<T>) {
        if (std::isnan(a) || std::isnan(b)) return std::isnan(a) && std::isnan(b);
        return a == b && std::signbit(a) == std::signbit(b);
    } else {
        return a == b;
    }
}

TEST_CASE_TEMPLATE("by digits as by comparisons", T, bool, std::int8_t, std::int16_t, std::int32_t, std::int64_t, std::uint8_t, std::uint16_t, std::uint32_t, std::uint64_t, float, double) {
    std::mt19937_64 random(5);
    for (const std::int64_t count : {1, 2, 63, 64, 257, 1000, 70'000}) {
        for (const bool descending : {false, true}) {
            for (const std::int64_t step : {1, 3}) {
                CAPTURE(count);
                CAPTURE(descending);
                const std::vector<T> packed = numbers<T>(count * step, random);
                const std::unique_ptr<T[]> row(new T[packed.size()]), sorted(new T[static_cast<std::size_t>(count)]);
                std::ranges::copy(packed, row.get());
                std::vector<std::int64_t> expected(static_cast<std::size_t>(count)), found(expected.size());
                std::iota(expected.begin(), expected.end(), 0);
                std::ranges::stable_sort(expected, [&](std::int64_t a, std::int64_t b) { return descending ? comes_before(row[b * step], row[a * step]) : comes_before(row[a * step], row[b * step]); });
                argsort_by_digits(row.get(), step, count, descending, found.data());
                CHECK(found == expected);
                sort_by_digits(row.get(), step, count, descending, sorted.get());
                for (std::int64_t i = 0; i < count; ++i) REQUIRE(same<T>(sorted[i], row[expected[static_cast<std::size_t>(i)] * step]));
            }
        }
    }
}

} // namespace
