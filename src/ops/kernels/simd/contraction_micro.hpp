// The innermost part of a product of matrices: a group of rows against a tile of columns, over one block of contracted
// elements, every sum in a register. Each element's own order is the same in every instance (kernels/contraction.hpp).
#pragma once

#include "ops/kernels/contraction_table.hpp"
#include "ops/kernels/simd/vectors.hpp"

namespace vmaprun {
namespace {

template <class T> inline constexpr int full = vector_bytes / static_cast<int>(sizeof(T));
template <class T> inline constexpr int tile = 2 * full<T>; // columns of a full tile

struct MultiplyAdd {
    template <class T, int N> static Vector<T, N> step(Vector<T, N> x, Vector<T, N> y, Vector<T, N> sum) { return multiply_add<T, N>(x, y, sum); }
};
struct AddSquaredDifference {
    template <class T, int N> static Vector<T, N> step(Vector<T, N> x, Vector<T, N> y, Vector<T, N> sum) {
        const Vector<T, N> difference = x - y;
        return multiply_add<T, N>(difference, difference, sum);
    }
};

// The offset of a contracted element.
inline std::int64_t step_at(const std::int64_t* table, std::int64_t even, std::int64_t at) { return even != 0 ? at * even : table[at]; }

template <class T> struct Micro {
    const T* a; // packed: [step][panel_rows]
    std::int64_t a_row, a_step;
    const T* b; // neighbouring columns
    std::int64_t b_step, steps;
    T* c; // neighbouring columns
    std::int64_t c_row;
    int rows;      // that are wanted; the instance may have more
    bool first;    // store rather than add
    bool streamed; // store past the caches
};

// The rows beyond those that are wanted repeat the last one (packed: hold anything), and are not stored.
template <class T, class Inner, int N, int Vectors, int Rows, bool Packed> void run_micro(const Micro<T>& m) {
    using V = Vector<T, N>;
    V sum[Rows][Vectors];
    const T* a[Rows];
#pragma GCC unroll 16
    for (int r = 0; r < Rows; ++r) {
        a[r] = Packed ? m.a : m.a + (r < m.rows ? r : m.rows - 1) * m.a_row;
#pragma GCC unroll 16
        for (int v = 0; v < Vectors; ++v) sum[r][v] = V{};
    }
    const T* b = m.b;
    const std::int64_t a_step = Packed ? panel_rows : m.a_step, b_step = m.b_step;
    std::int64_t at = 0;
    for (std::int64_t s = 0; s < m.steps; ++s, at += a_step, b += b_step) {
        V column[Vectors];
#pragma GCC unroll 16
        for (int v = 0; v < Vectors; ++v) column[v] = load<T, N>(b + v * N);
#pragma GCC unroll 16
        for (int r = 0; r < Rows; ++r) {
            const V x = spread<T, N>(Packed ? a[0][at + r] : a[r][at]);
#pragma GCC unroll 16
            for (int v = 0; v < Vectors; ++v) sum[r][v] = Inner::template step<T, N>(x, column[v], sum[r][v]);
        }
    }
#pragma GCC unroll 16
    for (int r = 0; r < Rows; ++r) {
        if (r >= m.rows) return;
#pragma GCC unroll 16
        for (int v = 0; v < Vectors; ++v) {
            T* to = m.c + r * m.c_row + v * N;
            if (m.streamed) stream<T, N>(to, sum[r][v]);
            else store<T, N>(to, m.first ? sum[r][v] : load<T, N>(to) + sum[r][v]);
        }
    }
}

// The width of the tile for so many columns that are left: the narrowest that holds them, or a full one.
template <class T> int tile_width(std::int64_t left) {
    if (left == 1) return 1;
    int width = 16 / static_cast<int>(sizeof(T));
    while (width < tile<T> && width < left) width *= 2;
    return width;
}

template <class T, class Inner, int N, int Vectors> void run_direct(const Micro<T>& m) {
    if (m.rows > 4) return run_micro<T, Inner, N, Vectors, direct_rows, false>(m);
    if (m.rows > 2) return run_micro<T, Inner, N, Vectors, 4, false>(m);
    if (m.rows > 1) return run_micro<T, Inner, N, Vectors, 2, false>(m);
    run_micro<T, Inner, N, Vectors, 1, false>(m);
}

// Rows that lie where they lie, direct_rows at most.
template <class T, class Inner> void run_direct_tile(const Micro<T>& m, int width) {
    constexpr int F = full<T>;
    if (width == tile<T>) return run_direct<T, Inner, F, 2>(m);
    if (width == F) return run_direct<T, Inner, F, 1>(m);
    if constexpr (F * sizeof(T) >= 32) {
        if (width == F / 2) return run_direct<T, Inner, F / 2, 1>(m);
    }
    if constexpr (F * sizeof(T) >= 64) {
        if (width == F / 4) return run_direct<T, Inner, F / 4, 1>(m);
    }
    run_direct<T, Inner, 1, 1>(m);
}

// Packed rows, panel_rows at most; b is packed too, in tiles of `width` of which those narrower than a vector are widened.
template <class T, class Inner> void run_packed_tile(const Micro<T>& m, int width) {
    if (width == tile<T>) return run_micro<T, Inner, full<T>, 2, panel_rows, true>(m);
    if (width == full<T>) return run_micro<T, Inner, full<T>, 1, panel_rows, true>(m);
    run_micro<T, Inner, 1, 1, panel_rows, true>(m);
}

// ---- packing: N lines of neighbouring elements become columns

// to[s * width + line] = lines[line][s] for s < steps; lines beyond `count` become anything. Writes up to N - width elements
// past the end of the last line.
template <class T> void pack_lines(const T* const* lines, int count, std::int64_t steps, T* to, int width) {
    constexpr int N = full<T>;
    std::int64_t s = 0;
    for (; s + N <= steps; s += N) {
        Vector<T, N> rows[N];
#pragma GCC unroll 16
        for (int r = 0; r < N; ++r) rows[r] = load<T, N>(lines[r < count ? r : 0] + s);
        transpose<T, N>(rows);
#pragma GCC unroll 16
        for (int r = 0; r < N; ++r) store<T, N>(to + (s + r) * width, rows[r]);
    }
    for (; s < steps; ++s) {
        for (int r = 0; r < count && r < width; ++r) to[s * width + r] = lines[r][s];
    }
}

} // namespace
} // namespace vmaprun
