// Products of matrices of floats for one instruction set: see kernels/contraction_table.hpp, and kernels/contraction.hpp
// for the order that all of this implements.
//
// The columns of a product are cut into tiles of so many vectors, the last ones narrower and narrower, down to single
// elements; the rows into groups whose sums fit into registers. For every tile and group one block of 256 contracted
// elements is summed in registers and then stored (the first block) or added (the others): each element's own order is
// the same in all of them. b is read where it lies when its columns are neighbours and it is small or read few times;
// else tile by tile from a packed panel. a is packed, a group of rows at a time, when many tiles read it.
#include "ops/kernels/contraction_table.hpp"
#include "ops/kernels/simd/vectors.hpp"

namespace vmaprun {
namespace {

template <class T> inline constexpr int full = vector_bytes / static_cast<int>(sizeof(T));

// One group of rows against one tile of columns, over one block.
template <class T> struct Micro {
    const T* a[panel_rows];  // where each row begins (packed: a[0] alone)
    std::int64_t a_step;
    const T* b;
    std::int64_t b_step, steps;
    T* c[panel_rows];        // neighbouring columns
    bool first;              // store rather than add
};

template <class T, int N, int Vectors, int Rows, bool Packed> void run_micro(const Micro<T>& m) {
    using V = Vector<T, N>;
    V sum[Rows][Vectors];
    const T* a[Rows];
#pragma GCC unroll 16
    for (int r = 0; r < Rows; ++r) {
        a[r] = m.a[Packed ? 0 : r];
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
            for (int v = 0; v < Vectors; ++v) sum[r][v] = multiply_add<T, N>(x, column[v], sum[r][v]);
        }
    }
#pragma GCC unroll 16
    for (int r = 0; r < Rows; ++r) {
#pragma GCC unroll 16
        for (int v = 0; v < Vectors; ++v) {
            T* to = m.c[r] + v * N;
            store<T, N>(to, m.first ? sum[r][v] : load<T, N>(to) + sum[r][v]);
        }
    }
}

// Chooses the instance for a number of rows.
template <class T, int N, int Vectors, bool Packed, int... Less> void run_rows(const Micro<T>& m, int rows, Sequence<Less...>) {
    static constexpr void (*instances[])(const Micro<T>&) = {&run_micro<T, N, Vectors, Less + 1, Packed>...};
    instances[rows - 1](m);
}

template <class T> inline constexpr int tile = 2 * full<T>; // columns of a packed panel

// The width of the next tile when so many columns are left.
template <class T> int tile_width(std::int64_t left) {
    if (left >= tile<T>) return tile<T>;
    for (int width = full<T>; width * static_cast<int>(sizeof(T)) >= 16; width /= 2) {
        if (left >= width) return width;
    }
    return 1;
}

template <class T, bool Packed> void run_tile(const Micro<T>& m, int width, int rows) {
    constexpr int F = full<T>;
    using Rows = typename Counting<Packed ? panel_rows : direct_rows>::type;
    if (width == tile<T>) return run_rows<T, F, 2, Packed>(m, rows, Rows{});
    if (width == F) return run_rows<T, F, 1, Packed>(m, rows, Rows{});
    if constexpr (F * sizeof(T) >= 32) {
        if (width == F / 2) return run_rows<T, F / 2, 1, Packed>(m, rows, Rows{});
    }
    if constexpr (F * sizeof(T) >= 64) {
        if (width == F / 4) return run_rows<T, F / 4, 1, Packed>(m, rows, Rows{});
    }
    run_rows<T, 1, 1, Packed>(m, rows, Rows{});
}

// The offset of a contracted element.
inline std::int64_t step(const std::int64_t* table, std::int64_t even, std::int64_t at) { return even != 0 ? at * even : table[at]; }

// Where the scratch of a product goes.
constexpr std::int64_t row_block = 504;
template <class T> inline constexpr std::int64_t column_block = 2048 / static_cast<std::int64_t>(sizeof(T));
template <class T> inline constexpr std::int64_t scratch_size = contraction_block * (column_block<T> + panel_rows) + panel_rows * tile<T>;

template <class T> class Product {
  public:
    Product(const MatrixProduct<T>& p, T* scratch)
        : p_(p), b_panels_(scratch), a_panel_(scratch + contraction_block * column_block<T>), results_(a_panel_ + contraction_block * panel_rows) {
        const std::int64_t b_bytes = p.steps * p.columns * static_cast<std::int64_t>(sizeof(T));
        b_lies_well_ = (p.columns == 1 || p.b_column == 1) && p.b_step != 0 && (p.rows <= 2 * panel_rows || b_bytes <= 32768);
        pack_a_ = p.a_step == 0 || p.columns >= 4 * tile<T>;
        group_ = pack_a_ ? panel_rows : direct_rows;
    }

    void run() {
        if (p_.steps == 0) return clear();
        for (std::int64_t begin = 0; begin < p_.steps; begin += contraction_block) {
            const std::int64_t left = p_.steps - begin;
            run_block(begin, left < contraction_block ? left : contraction_block);
        }
    }

  private:
    void clear() {
        for (std::int64_t i = 0; i < p_.rows; ++i) {
            for (std::int64_t j = 0; j < p_.columns; ++j) p_.c[p_.c_rows[i] + p_.c_columns[j]] = 0;
        }
    }

    void run_block(std::int64_t begin, std::int64_t steps) {
        if (!b_lies_well_) pack_b(begin, steps);
        for (std::int64_t row = 0; row < p_.rows; row += group_) {
            const int rows = p_.rows - row < group_ ? static_cast<int>(p_.rows - row) : group_;
            Micro<T> m;
            m.steps = steps;
            m.first = begin == 0;
            set_a(m, begin, steps, row, rows);
            for (std::int64_t column = 0; column < p_.columns;) {
                const int width = tile_width<T>(p_.columns - column);
                if (b_lies_well_) {
                    m.b = p_.b + p_.b_columns[column] + step(p_.b_steps, p_.b_step, begin);
                    m.b_step = p_.b_step;
                } else {
                    m.b = b_panels_ + column * steps;
                    m.b_step = width;
                }
                run_at(m, row, rows, column, width);
                column += width;
            }
        }
    }

    void set_a(Micro<T>& m, std::int64_t begin, std::int64_t steps, std::int64_t row, int rows) {
        const T* start = p_.a + step(p_.a_steps, p_.a_step, begin);
        if (!pack_a_) {
            m.a_step = p_.a_step;
            for (int r = 0; r < rows; ++r) m.a[r] = start + p_.a_rows[row + r];
            return;
        }
        m.a_step = panel_rows;
        m.a[0] = a_panel_;
        for (int r = 0; r < rows; ++r) {
            const T* from = start + p_.a_rows[row + r];
            T* to = a_panel_ + r;
            if (p_.a_step == 1) {
                for (std::int64_t s = 0; s < steps; ++s) to[s * panel_rows] = from[s];
            } else if (p_.a_step != 0) {
                for (std::int64_t s = 0; s < steps; ++s) to[s * panel_rows] = from[s * p_.a_step];
            } else {
                from = p_.a + p_.a_rows[row + r];
                for (std::int64_t s = 0; s < steps; ++s) to[s * panel_rows] = from[p_.a_steps[begin + s]];
            }
        }
    }

    // Every tile of the block one after another, each [step][column].
    void pack_b(std::int64_t begin, std::int64_t steps) {
        for (std::int64_t column = 0; column < p_.columns;) {
            const int width = tile_width<T>(p_.columns - column);
            T* to = b_panels_ + column * steps;
            if (p_.b_column == 1) {
                const T* from = p_.b + p_.b_columns[column];
                for (std::int64_t s = 0; s < steps; ++s) __builtin_memcpy(to + s * width, from + step(p_.b_steps, p_.b_step, begin + s), static_cast<std::size_t>(width) * sizeof(T));
            } else {
                for (int c = 0; c < width; ++c) {
                    const T* from = p_.b + p_.b_columns[column + c];
                    for (std::int64_t s = 0; s < steps; ++s) to[s * width + c] = from[step(p_.b_steps, p_.b_step, begin + s)];
                }
            }
            column += width;
        }
    }

    void run_at(Micro<T>& m, std::int64_t row, int rows, std::int64_t column, int width) {
        const bool in_place = width == 1 || p_.c_column == 1;
        const bool first = m.first;
        for (int r = 0; r < rows; ++r) m.c[r] = in_place ? p_.c + p_.c_rows[row + r] + p_.c_columns[column] : results_ + r * width;
        if (!in_place) m.first = true;
        if (pack_a_) run_tile<T, true>(m, width, rows);
        else run_tile<T, false>(m, width, rows);
        if (in_place) return;
        m.first = first;
        for (int r = 0; r < rows; ++r) {
            for (int c = 0; c < width; ++c) {
                T& to = p_.c[p_.c_rows[row + r] + p_.c_columns[column + c]];
                to = first ? results_[r * width + c] : to + results_[r * width + c];
            }
        }
    }

    const MatrixProduct<T>& p_;
    T *b_panels_, *a_panel_, *results_;
    bool b_lies_well_, pack_a_;
    int group_;
};

template <class T> void product(const MatrixProduct<T>& p, T* scratch) { Product<T>(p, scratch).run(); }

// ---- many dot products side by side: each a chain of its own

template <class T> T block_dot(const DotProducts<T>& d, const T* a, const T* b, std::int64_t begin) {
    const std::int64_t end = d.steps - begin < contraction_block ? d.steps : begin + contraction_block;
    T sum = 0;
    for (std::int64_t s = begin; s < end; ++s) sum = multiply_add<T, 1>(a[step(d.a_steps, d.a_step, s)], b[step(d.b_steps, d.b_step, s)], sum);
    return sum;
}

constexpr int chains = 8;

// A dot product alone: as many blocks as there are chains side by side, then added in order.
template <class T> T lone_dot(const DotProducts<T>& d, const T* a, const T* b) {
    T total = 0;
    std::int64_t begin = 0;
    const auto add = [&](T sum) { total = begin == 0 ? sum : total + sum; };
    for (; d.a_step != 0 && d.b_step != 0 && begin + chains * contraction_block <= d.steps;) {
        T sum[chains] = {};
        const T *x = a + begin * d.a_step, *y = b + begin * d.b_step;
        for (std::int64_t s = 0; s < contraction_block; ++s, x += d.a_step, y += d.b_step) {
#pragma GCC unroll 16
            for (int c = 0; c < chains; ++c) sum[c] = multiply_add<T, 1>(x[c * contraction_block * d.a_step], y[c * contraction_block * d.b_step], sum[c]);
        }
        for (int c = 0; c < chains; ++c, begin += contraction_block) add(sum[c]);
    }
    for (; begin < d.steps; begin += contraction_block) add(block_dot(d, a, b, begin));
    return total;
}

// N products whose elements lie side by side: a vector has one element of each of them. With one b for all, it is spread.
template <class T, bool OneB> void vector_dots(const DotProducts<T>& d, std::int64_t first) {
    constexpr int N = full<T>;
    using V = Vector<T, N>;
    const T *a[N], *b[N];
    for (int r = 0; r < N; ++r) a[r] = d.a + d.a_starts[first + r], b[r] = d.b + d.b_starts[first + r];
    V total{};
    for (std::int64_t begin = 0; begin < d.steps; begin += contraction_block) {
        const std::int64_t end = d.steps - begin < contraction_block ? d.steps : begin + contraction_block;
        V sum{};
        std::int64_t s = begin;
        for (; s + N <= end; s += N) {
            V x[N], y[N];
#pragma GCC unroll 16
            for (int r = 0; r < N; ++r) x[r] = load<T, N>(a[r] + s);
            transpose<T, N>(x);
            if constexpr (!OneB) {
#pragma GCC unroll 16
                for (int r = 0; r < N; ++r) y[r] = load<T, N>(b[r] + s);
                transpose<T, N>(y);
            }
#pragma GCC unroll 16
            for (int r = 0; r < N; ++r) sum = multiply_add<T, N>(x[r], OneB ? spread<T, N>(b[0][s + r]) : y[r], sum);
        }
        for (; s < end; ++s) {
            V x, y;
            for (int r = 0; r < N; ++r) x[r] = a[r][s], y[r] = b[r][s];
            sum = multiply_add<T, N>(x, y, sum);
        }
        total = begin == 0 ? sum : total + sum;
    }
    for (int r = 0; r < N; ++r) d.c[d.c_starts[first + r]] = total[r];
}

template <class T> bool one_b(const DotProducts<T>& d, std::int64_t first) {
    for (int r = 1; r < full<T>; ++r) {
        if (d.b_starts[first + r] != d.b_starts[first]) return false;
    }
    return true;
}

template <class T> void dots(const DotProducts<T>& d) {
    std::int64_t i = 0;
    if (d.a_step == 1 && d.b_step == 1) {
        for (; i + full<T> <= d.count; i += full<T>) {
            if (one_b(d, i)) vector_dots<T, true>(d, i);
            else vector_dots<T, false>(d, i);
        }
    }
    if (d.a_step != 0 && d.b_step != 0) {
        for (; i + chains <= d.count; i += chains) {
            const T *a[chains], *b[chains];
            T total[chains] = {};
#pragma GCC unroll 16
            for (int c = 0; c < chains; ++c) a[c] = d.a + d.a_starts[i + c], b[c] = d.b + d.b_starts[i + c];
            for (std::int64_t begin = 0; begin < d.steps; begin += contraction_block) {
                const std::int64_t end = d.steps - begin < contraction_block ? d.steps : begin + contraction_block;
                T sum[chains] = {};
                std::int64_t x = begin * d.a_step, y = begin * d.b_step;
                for (std::int64_t s = begin; s < end; ++s, x += d.a_step, y += d.b_step) {
#pragma GCC unroll 16
                    for (int c = 0; c < chains; ++c) sum[c] = multiply_add<T, 1>(a[c][x], b[c][y], sum[c]);
                }
#pragma GCC unroll 16
                for (int c = 0; c < chains; ++c) total[c] = begin == 0 ? sum[c] : total[c] + sum[c];
            }
#pragma GCC unroll 16
            for (int c = 0; c < chains; ++c) d.c[d.c_starts[i + c]] = total[c];
        }
    }
    for (; i < d.count; ++i) d.c[d.c_starts[i]] = lone_dot(d, d.a + d.a_starts[i], d.b + d.b_starts[i]);
}

} // namespace

namespace VMAPRUN_ARCH {

const ContractionTable& contraction_table() {
    static const ContractionTable table{product<float>, product<double>, dots<float>, dots<double>, row_block, column_block<float>, column_block<double>, scratch_size<float>, scratch_size<double>};
    return table;
}

} // namespace VMAPRUN_ARCH

} // namespace vmaprun
