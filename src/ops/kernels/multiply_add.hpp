// sum + x y for the dtypes that no instruction set's kernels serve: whole numbers wrap, booleans are "any of both", complex
// products are formed by the schoolbook rule, each operation rounded.
#pragma once

#include <cstdint>
#include <type_traits>

namespace vmaprun {

template <class T> T multiply_add(T x, T y, T sum) {
    if constexpr (std::is_same_v<T, bool>) return sum || (x && y);
    else if constexpr (std::is_integral_v<T>) return static_cast<T>(static_cast<std::uint64_t>(sum) + static_cast<std::uint64_t>(x) * static_cast<std::uint64_t>(y));
    else return sum + T(x.real() * y.real() - x.imag() * y.imag(), x.real() * y.imag() + x.imag() * y.real());
}

} // namespace vmaprun
