// The fold of one chunk of a reduction, for any element type: the reference of the order that kernels/reduce.hpp states.
// Plain code without the standard library's inline functions, because the SIMD translation units share it.
#pragma once

#include <complex>
#include <cstdint>
#include <limits>
#include <type_traits>

namespace vmaprun::fold {

template <class T> inline constexpr bool is_complex = false;
template <class T> inline constexpr bool is_complex<std::complex<T>> = true;

// Partials a chunk, and elements a chunk.
template <class T> inline constexpr std::int64_t width = sizeof(T) >= 8 ? 8 : 16;
template <class T> inline constexpr std::int64_t chunk = 128 * width<T>;

// Each fold: In -> Acc by load, Acc x Acc -> Acc by meet, from the identity.
template <class T> struct Sum {
    using In = T;
    using Acc = T;
    static constexpr T identity() { return T{}; }
    static T load(T x) { return x; }
    static T meet(T a, T b) {
        if constexpr (std::is_same_v<T, bool>) return a || b;
        else if constexpr (std::is_integral_v<T>) return static_cast<T>(static_cast<std::uint64_t>(a) + static_cast<std::uint64_t>(b));
        else return a + b;
    }
};

template <class T> struct Product {
    using In = T;
    using Acc = T;
    static constexpr T identity() { return T{1}; }
    static T load(T x) { return x; }
    static T meet(T a, T b) {
        if constexpr (std::is_same_v<T, bool>) return a && b;
        else if constexpr (std::is_integral_v<T>) return static_cast<T>(static_cast<std::uint64_t>(a) * static_cast<std::uint64_t>(b));
        else if constexpr (is_complex<T>) return T(a.real() * b.real() - a.imag() * b.imag(), a.real() * b.imag() + a.imag() * b.real());
        else return a * b;
    }
};

// NaN wins; of the zeros max takes 0.0 and min takes -0.0: so the order never matters.
template <class T> struct Max {
    using In = T;
    using Acc = T;
    static constexpr T identity() {
        if constexpr (std::is_floating_point_v<T>) return -std::numeric_limits<T>::infinity();
        else return std::numeric_limits<T>::lowest();
    }
    static T load(T x) { return x; }
    static T meet(T a, T b) {
        if constexpr (std::is_floating_point_v<T>) {
            if (a != a || b != b) return std::numeric_limits<T>::quiet_NaN();
            if (a == b) return __builtin_signbit(a) ? b : a;
        }
        return a < b ? b : a;
    }
};

template <class T> struct Min {
    using In = T;
    using Acc = T;
    static constexpr T identity() {
        if constexpr (std::is_floating_point_v<T>) return std::numeric_limits<T>::infinity();
        else return std::numeric_limits<T>::max();
    }
    static T load(T x) { return x; }
    static T meet(T a, T b) {
        if constexpr (std::is_floating_point_v<T>) {
            if (a != a || b != b) return std::numeric_limits<T>::quiet_NaN();
            if (a == b) return __builtin_signbit(a) ? a : b;
        }
        return b < a ? b : a;
    }
};

template <class T> struct All {
    using In = T;
    using Acc = bool;
    static constexpr bool identity() { return true; }
    static bool load(T x) { return x != T{}; }
    static bool meet(bool a, bool b) { return a && b; }
};

template <class T> struct Any {
    using In = T;
    using Acc = bool;
    static constexpr bool identity() { return false; }
    static bool load(T x) { return x != T{}; }
    static bool meet(bool a, bool b) { return a || b; }
};

template <class T> struct Count {
    using In = T;
    using Acc = std::int64_t;
    static constexpr std::int64_t identity() { return 0; }
    static std::int64_t load(T x) { return x != T{} ? 1 : 0; }
    static std::int64_t meet(std::int64_t a, std::int64_t b) { return a + b; }
};

// n <= chunk elements without gaps.
template <class F> typename F::Acc row(const typename F::In* x, std::int64_t n) {
    constexpr std::int64_t W = width<typename F::Acc>;
    typename F::Acc part[W];
    for (std::int64_t j = 0; j < W; ++j) part[j] = F::identity();
    std::int64_t i = 0;
    for (; i + W <= n; i += W) {
        for (std::int64_t j = 0; j < W; ++j) part[j] = F::meet(part[j], F::load(x[i + j]));
    }
    for (std::int64_t j = 0; i + j < n; ++j) part[j] = F::meet(part[j], F::load(x[i + j]));
    for (std::int64_t half = W / 2; half > 0; half /= 2) {
        // Partials that took nothing are left out: the identity of a complex product is none beside infinities.
        for (std::int64_t j = 0; j < half && j + half < n; ++j) part[j] = F::meet(part[j], part[j + half]);
    }
    return part[0];
}

// The widest block of columns that `columns` takes at once.
inline constexpr std::int64_t column_tile = 128;

// n <= chunk rows of `count` <= column_tile columns; row i begins at x + offsets[i]. out[c] = row() of column c.
// `scratch`: width * column_tile elements.
template <class F>
void columns(const typename F::In* x, const std::int64_t* offsets, std::int64_t n, std::int64_t count, typename F::Acc* out, typename F::Acc* scratch) {
    constexpr std::int64_t W = width<typename F::Acc>;
    const std::int64_t used = n < W ? n : W;
    for (std::int64_t j = 0; j < W; ++j) {
        for (std::int64_t c = 0; c < count; ++c) scratch[j * column_tile + c] = F::identity();
    }
    for (std::int64_t i = 0; i < n; ++i) {
        const typename F::In* from = x + offsets[i];
        typename F::Acc* part = scratch + i % W * column_tile;
        for (std::int64_t c = 0; c < count; ++c) part[c] = F::meet(part[c], F::load(from[c]));
    }
    for (std::int64_t half = W / 2; half > 0; half /= 2) {
        for (std::int64_t j = 0; j < half && j + half < used; ++j) {
            typename F::Acc *a = scratch + j * column_tile, *b = scratch + (j + half) * column_tile;
            for (std::int64_t c = 0; c < count; ++c) a[c] = F::meet(a[c], b[c]);
        }
    }
    for (std::int64_t c = 0; c < count; ++c) out[c] = scratch[c];
}

} // namespace vmaprun::fold
