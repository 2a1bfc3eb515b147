// The folds of float sums, products and extremes for one instruction set: the order of kernels/fold.hpp, with the partials
// of a chunk in one or more vectors.
#include "ops/kernels/fold_table.hpp"
#include "ops/kernels/simd/vectors.hpp"

namespace vmaprun {
namespace {

// A vector no wider than the partials of a chunk.
template <class T> inline constexpr int full = vector_bytes / static_cast<int>(sizeof(T));
template <class T> inline constexpr std::int64_t partials = 64 / static_cast<std::int64_t>(sizeof(T));

template <class T> struct Sum {
    static T identity() { return 0; }
    template <class V> static V meet(V a, V b) { return a + b; }
};
template <class T> struct Product {
    static T identity() { return 1; }
    template <class V> static V meet(V a, V b) { return a * b; }
};
// NaN wins (any NaN: all of them count as the same); of the zeros max takes 0.0 and min -0.0: where both are equal, adding
// them (max) gives 0.0 unless both are -0.0; taking away the negative of the other (min) gives -0.0 if one is.
template <class T> struct Max {
    static T identity() { return -__builtin_inff(); }
    template <class V> static V meet(V a, V b) {
        const V larger = a < b ? b : a;
        const V zero = a == b ? (a == V{} ? a + b : a) : larger;
        return a != a ? a : b != b ? b : zero;
    }
};
template <class T> struct Min {
    static T identity() { return __builtin_inff(); }
    template <class V> static V meet(V a, V b) {
        const V smaller = b < a ? b : a;
        const V zero = a == b ? (a == V{} ? -(-a - b) : a) : smaller;
        return a != a ? a : b != b ? b : zero;
    }
};

// The tree over all partials, in vectors while they last.
template <class F, class T, int Half> inline T whole_tree(T* part) {
    if constexpr (Half == 1) {
        return F::meet(part[0], part[1]);
    } else {
        constexpr int N = Half < full<T> ? Half : full<T>;
        if constexpr (N * sizeof(T) >= 16) {
#pragma GCC unroll 4
            for (int j = 0; j < Half; j += N) store<T, N>(part + j, F::meet(load<T, N>(part + j), load<T, N>(part + j + Half)));
        } else {
            for (int j = 0; j < Half; ++j) part[j] = F::meet(part[j], part[j + Half]);
        }
        return whole_tree<F, T, Half / 2>(part);
    }
}

template <class F, class T> T row(const T* x, std::int64_t n) {
    constexpr int N = full<T>, W = static_cast<int>(partials<T>), vectors = W / N;
    using V = Vector<T, N>;
    T part[W];
    std::int64_t i = 0;
    if (n >= W) {
        V sum[vectors];
#pragma GCC unroll 4
        for (int v = 0; v < vectors; ++v) sum[v] = F::meet(spread<T, N>(F::identity()), load<T, N>(x + v * N));
        for (i = W; i + W <= n; i += W) {
#pragma GCC unroll 4
            for (int v = 0; v < vectors; ++v) sum[v] = F::meet(sum[v], load<T, N>(x + i + v * N));
        }
#pragma GCC unroll 4
        for (int v = 0; v < vectors; ++v) store<T, N>(part + v * N, sum[v]);
    } else {
        for (int j = 0; j < n; ++j) part[j] = F::identity();
    }
    for (int j = 0; i + j < n; ++j) part[j] = F::meet(part[j], x[i + j]);
    const int used = n < W ? static_cast<int>(n) : W;
    if (used == 0) return F::identity();
    if (used == W) return whole_tree<F, T, W / 2>(part);
    for (int half = W / 2; half > 0; half /= 2) {
        for (int j = 0; j < half && j + half < used; ++j) part[j] = F::meet(part[j], part[j + half]);
    }
    return part[0];
}

// a[c] = meet(a[c], b[c]) for c in [0, count).
template <class F, class T> inline void meet_line(T* a, const T* b, std::int64_t count) {
    constexpr int N = full<T>;
    std::int64_t c = 0;
    for (; c + N <= count; c += N) store<T, N>(a + c, F::meet(load<T, N>(a + c), load<T, N>(b + c)));
    for (; c < count; ++c) a[c] = F::meet(a[c], b[c]);
}

template <class F, class T> void columns(const T* x, const std::int64_t* offsets, std::int64_t n, std::int64_t count, T* out, T* scratch) {
    constexpr std::int64_t W = partials<T>;
    const std::int64_t used = n < W ? n : W;
    for (std::int64_t j = 0; j < used; ++j) {
        T* part = scratch + j * fold_column_tile;
        for (std::int64_t c = 0; c < count; ++c) part[c] = F::identity();
    }
    for (std::int64_t i = 0; i < n; ++i) meet_line<F>(scratch + i % W * fold_column_tile, x + offsets[i], count);
    for (std::int64_t half = W / 2; half > 0; half /= 2) {
        for (std::int64_t j = 0; j < half && j + half < used; ++j) meet_line<F>(scratch + j * fold_column_tile, scratch + (j + half) * fold_column_tile, count);
    }
    for (std::int64_t c = 0; c < count; ++c) out[c] = used == 0 ? F::identity() : scratch[c];
}

template <class T> FoldFunctions<T> functions() {
    return {row<Sum<T>, T>, row<Product<T>, T>, row<Max<T>, T>, row<Min<T>, T>, columns<Sum<T>, T>, columns<Product<T>, T>, columns<Max<T>, T>, columns<Min<T>, T>};
}

} // namespace

namespace VMAPRUN_ARCH {

const FoldTable& fold_table() {
    static const FoldTable table{functions<float>(), functions<double>()};
    return table;
}

} // namespace VMAPRUN_ARCH

} // namespace vmaprun
