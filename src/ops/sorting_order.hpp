// The order in which sort, searchsorted and unique see elements: numbers ascending, -0 and 0 equal, every NaN after all
// numbers and equal to every other NaN; complex numbers by real part, then imaginary part; false before true.
#pragma once

#include <cmath>

#include "array/dtype.hpp"

namespace vmaprun {

template <class T> bool comes_before(const T& a, const T& b) {
    if constexpr (std::is_floating_point_v<T>) {
        return a < b || (std::isnan(b) && !std::isnan(a));
    } else if constexpr (is_complex_type<T>) {
        // As NumPy: a NaN in either part puts a number behind all that have none.
        const bool a_nan = std::isnan(a.real()) || std::isnan(a.imag()), b_nan = std::isnan(b.real()) || std::isnan(b.imag());
        if (a_nan != b_nan) return b_nan;
        if (comes_before(a.real(), b.real())) return true;
        return !comes_before(b.real(), a.real()) && comes_before(a.imag(), b.imag());
    } else if constexpr (std::is_same_v<T, KeyWords>) {
        return false; // keys have no order; no row lets them come here
    } else {
        return a < b;
    }
}

} // namespace vmaprun
