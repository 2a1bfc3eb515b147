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
    int columns;   // that are there; the tile may be wider
    int rows;      // packed ones may be fewer than the instance has: the others are not stored
    bool first;    // store rather than add
    bool streamed; // store past the caches
};

// Keeps the compiler from following every row by a pointer of its own, for which there are too few registers.
template <class T> inline void keep(const T*& pointer) { asm("" : "+r"(pointer)); }

// Rows that lie where they lie are reached from every third one by its stride; packed ones are neighbours.
// Not inlined: its registers are few enough for it alone.
template <class T, class Inner, int N, int Vectors, int Rows, bool Packed> __attribute__((noinline)) void run_micro(const Micro<T>& m) {
    using V = Vector<T, N>;
    constexpr int bases = Packed ? 1 : (Rows + 2) / 3;
    V sum[Rows][Vectors];
    const T* a[bases];
    const std::int64_t row = m.a_row, a_step = Packed ? panel_rows : m.a_step, b_step = m.b_step;
#pragma GCC unroll 16
    for (int i = 0; i < bases; ++i) a[i] = m.a + 3 * i * row;
#pragma GCC unroll 16
    for (int r = 0; r < Rows; ++r) {
#pragma GCC unroll 16
        for (int v = 0; v < Vectors; ++v) sum[r][v] = V{};
    }
    if (Rows * Vectors > 8 && !m.streamed) {
        const T* line = m.c;
#pragma GCC unroll 16
        for (int r = 0; r < Rows; ++r, line += m.c_row) {
            __builtin_prefetch(line, 1);
            if constexpr (Vectors * N * sizeof(T) > 64) __builtin_prefetch(line + 64 / sizeof(T), 1);
        }
    }
    const T* b = m.b;
    for (std::int64_t s = m.steps; s > 0; --s, b += b_step) {
        V column[Vectors];
#pragma GCC unroll 16
        for (int v = 0; v < Vectors; ++v) column[v] = load<T, N>(b + v * N);
#pragma GCC unroll 16
        for (int r = 0; r < Rows; ++r) {
            const V x = spread<T, N>(Packed ? a[0][r] : a[r / 3][r % 3 * row]);
#pragma GCC unroll 16
            for (int v = 0; v < Vectors; ++v) sum[r][v] = Inner::template step<T, N>(x, column[v], sum[r][v]);
        }
#pragma GCC unroll 16
        for (int i = 0; i < bases; ++i) {
            a[i] += a_step;
            keep(a[i]);
        }
    }
    T* const c = m.c;
    const std::int64_t c_row = m.c_row;
    const int rows = Packed ? m.rows : Rows, columns = m.columns;
    const bool first = m.first, streamed = m.streamed;
#pragma GCC unroll 16
    for (int r = 0; r < Rows; ++r) {
        if (Packed && r >= rows) return;
#pragma GCC unroll 16
        for (int v = 0; v < Vectors; ++v) {
            T* to = c + r * c_row + v * N;
            if (const int here = columns - v * N; here < N) {
                if (here > 0) store_part<T, N>(to, first ? sum[r][v] : load_part<T, N>(to, here) + sum[r][v], here);
            } else if (streamed) stream<T, N>(to, sum[r][v]);
            else store<T, N>(to, first ? sum[r][v] : load<T, N>(to) + sum[r][v]);
        }
    }
}

// How many rows a group takes that lie where they lie, when so many are left.
inline int direct_group(std::int64_t left) {
    if (left >= panel_rows) return panel_rows;
    if (panel_rows > 8 && left >= 8) return 8;
    return left >= 4 ? 4 : left >= 2 ? 2 : 1;
}

// The width of the tile for so many columns that are left: the narrowest that holds them, or a full one.
template <class T> int tile_width(std::int64_t left) {
    if (left == 1) return 1;
    int width = 16 / static_cast<int>(sizeof(T));
    while (width < tile<T> && width < left) width *= 2;
    return width;
}

template <class T> using MicroKernel = void (*)(const Micro<T>&);

// Of so many rows that lie where they lie, as direct_group says.
template <class T, class Inner, int N, int Vectors> MicroKernel<T> direct_of_rows(int rows) {
    if (rows == panel_rows) return run_micro<T, Inner, N, Vectors, panel_rows, false>;
    if constexpr (panel_rows > 8) {
        if (rows == 8) return run_micro<T, Inner, N, Vectors, 8, false>;
    }
    if (rows == 4) return run_micro<T, Inner, N, Vectors, 4, false>;
    if (rows == 2) return run_micro<T, Inner, N, Vectors, 2, false>;
    return run_micro<T, Inner, N, Vectors, 1, false>;
}

template <class T, class Inner> MicroKernel<T> direct_kernel(int width, int rows) {
    constexpr int F = full<T>;
    if (width == tile<T>) return direct_of_rows<T, Inner, F, 2>(rows);
    if (width == F) return direct_of_rows<T, Inner, F, 1>(rows);
    if constexpr (F * sizeof(T) >= 32) {
        if (width == F / 2) return direct_of_rows<T, Inner, F / 2, 1>(rows);
    }
    if constexpr (F * sizeof(T) >= 64) {
        if (width == F / 4) return direct_of_rows<T, Inner, F / 4, 1>(rows);
    }
    return direct_of_rows<T, Inner, 1, 1>(rows);
}

// Packed rows, panel_rows at most; b is packed too, in tiles of `width` of which those narrower than a vector are widened.
template <class T, class Inner> MicroKernel<T> packed_kernel(int width) {
    if (width == tile<T>) return run_micro<T, Inner, full<T>, 2, panel_rows, true>;
    if (width == full<T>) return run_micro<T, Inner, full<T>, 1, panel_rows, true>;
    return run_micro<T, Inner, 1, 1, panel_rows, true>;
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
