// Size arithmetic on anything that a script or a file says goes through here.
#pragma once

#include <cstdint>
#include <optional>
#include <span>

namespace vmaprun {

inline std::optional<std::int64_t> checked_add(std::int64_t a, std::int64_t b) {
    std::int64_t result = 0;
    if (__builtin_add_overflow(a, b, &result)) return std::nullopt;
    return result;
}

inline std::optional<std::int64_t> checked_multiply(std::int64_t a, std::int64_t b) {
    std::int64_t result = 0;
    if (__builtin_mul_overflow(a, b, &result)) return std::nullopt;
    return result;
}

// The product of non-negative extents; nullopt when it passes 2^62 (also when a later extent is 0).
inline std::optional<std::int64_t> checked_product(std::span<const std::int64_t> extents) {
    std::int64_t product = 1;
    bool zero = false;
    for (const std::int64_t extent : extents) {
        if (extent == 0) {
            zero = true;
            continue;
        }
        const auto next = checked_multiply(product, extent);
        if (!next || *next > (std::int64_t{1} << 62)) return std::nullopt;
        product = *next;
    }
    return zero ? 0 : product;
}

} // namespace vmaprun
