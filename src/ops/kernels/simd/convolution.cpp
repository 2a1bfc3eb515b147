// Convolutions for one instruction set: see kernels/convolution_table.hpp. A tile of two vectors of columns is summed for a
// group of rows at a time, in registers, over blocks of 256 steps. Columns that are neighbours are read where they lie;
// others are packed first, block by block.
#include "ops/kernels/contraction_table.hpp"
#include "ops/kernels/convolution_table.hpp"
#include "ops/kernels/simd/vectors.hpp"

namespace vmaprun {
namespace {

template <class T> inline constexpr int full = vector_bytes / static_cast<int>(sizeof(T));
template <class T> inline constexpr int tile = 2 * full<T>;

// One group of rows against one tile of columns, over one block of steps.
template <class T> struct Part {
    const T* weights;
    const T* image;
    const std::int64_t* offsets;
    std::int64_t steps;
    T* out;
    std::int64_t out_columns;
    bool first; // store rather than add
};

template <class T, int Rows> void run_part(const Part<T>& p) {
    constexpr int N = full<T>;
    using V = Vector<T, N>;
    V sum[Rows][2];
#pragma GCC unroll 16
    for (int r = 0; r < Rows; ++r) sum[r][0] = V{}, sum[r][1] = V{};
    const T* weights = p.weights;
    for (std::int64_t s = 0; s < p.steps; ++s, weights += panel_rows) {
        const T* from = p.image + p.offsets[s];
        const V left = load<T, N>(from), right = load<T, N>(from + N);
#pragma GCC unroll 16
        for (int r = 0; r < Rows; ++r) {
            const V weight = spread<T, N>(weights[r]);
            sum[r][0] = multiply_add<T, N>(weight, left, sum[r][0]);
            sum[r][1] = multiply_add<T, N>(weight, right, sum[r][1]);
        }
    }
#pragma GCC unroll 16
    for (int r = 0; r < Rows; ++r) {
        T* to = p.out + r * p.out_columns;
        store<T, N>(to, p.first ? sum[r][0] : load<T, N>(to) + sum[r][0]);
        store<T, N>(to + N, p.first ? sum[r][1] : load<T, N>(to + N) + sum[r][1]);
    }
}

template <class T, int... Less> void run_rows(const Part<T>& p, std::int64_t rows, Sequence<Less...>) {
    static constexpr void (*instances[])(const Part<T>&) = {&run_part<T, Less + 1>...};
    instances[rows - 1](p);
}

// What a tile reads over one block: [step][column].
template <class T> void pack(const ConvolutionBlock<T>& b, std::int64_t column, std::int64_t begin, std::int64_t steps) {
    const std::int64_t width = b.columns - column < tile<T> ? b.columns - column : tile<T>;
    for (std::int64_t s = 0; s < steps; ++s) {
        const T* from = b.image + b.offsets[begin + s];
        T* to = b.panel + s * tile<T>;
        for (std::int64_t c = 0; c < width; ++c) to[c] = from[b.starts[column + c]];
        for (std::int64_t c = width; c < tile<T>; ++c) to[c] = 0;
    }
}

template <class T> void run(const ConvolutionBlock<T>& b) {
    std::int64_t packed_offsets[contraction_block];
    for (std::int64_t s = 0; s < contraction_block; ++s) packed_offsets[s] = s * tile<T>;
    for (std::int64_t column = 0; column < b.columns; column += tile<T>) {
        for (std::int64_t begin = 0; begin < b.steps; begin += contraction_block) {
            const std::int64_t steps = b.steps - begin < contraction_block ? b.steps - begin : contraction_block;
            if (b.starts != nullptr) pack(b, column, begin, steps);
            for (std::int64_t row = 0, group = 0; row < b.rows; row += b.group_rows, ++group) {
                const std::int64_t rows = b.rows - row < b.group_rows ? b.rows - row : b.group_rows;
                const T* weights = b.weights + (group * b.steps + begin) * panel_rows;
                T* out = b.out + row * b.out_columns + column;
                const Part<T> part = b.starts != nullptr ? Part<T>{weights, b.panel, packed_offsets, steps, out, b.out_columns, begin == 0}
                                                         : Part<T>{weights, b.image + column, b.offsets + begin, steps, out, b.out_columns, begin == 0};
                run_rows<T>(part, rows, typename Counting<panel_rows>::type{});
            }
        }
    }
}

// ---- both operands with what is summed outermost

template <class T, int Rows, bool Beside> void run_turned_rows(const TurnedTile<T>& p) {
    constexpr int N = full<T>;
    using V = Vector<T, N>;
    V sum[Rows][2];
#pragma GCC unroll 16
    for (int r = 0; r < Rows; ++r) {
        const T* from = p.partial + r * tile<T>;
        sum[r][0] = p.resumed ? load<T, N>(from) : V{};
        sum[r][1] = p.resumed ? load<T, N>(from + N) : V{};
    }
    for (std::int64_t s = 0; s < p.steps; ++s) {
        const T *a = p.a + p.a_offsets[s], *b = p.b + p.b_offsets[s];
        const V left = load<T, N>(b), right = load<T, N>(b + N);
#pragma GCC unroll 16
        for (int r = 0; r < Rows; ++r) {
            const T* row = Beside ? a + p.a_rows[r] : a + r;
            const V first = Beside ? load<T, N>(row) : spread<T, N>(*row), second = Beside ? load<T, N>(row + N) : first;
            sum[r][0] = multiply_add<T, N>(first, left, sum[r][0]);
            sum[r][1] = multiply_add<T, N>(second, right, sum[r][1]);
        }
    }
    T* const out = p.paused ? p.partial : p.total;
    const bool adds = !p.paused && !p.first;
#pragma GCC unroll 16
    for (int r = 0; r < Rows; ++r) {
        T* to = out + r * tile<T>;
        store<T, N>(to, adds ? load<T, N>(to) + sum[r][0] : sum[r][0]);
        store<T, N>(to + N, adds ? load<T, N>(to + N) + sum[r][1] : sum[r][1]);
    }
}

template <class T, int... Less> void run_turned(const TurnedTile<T>& p, Sequence<Less...>) {
    static constexpr void (*instances[])(const TurnedTile<T>&) = {&run_turned_rows<T, Less + 1, false>...};
    static constexpr void (*beside[])(const TurnedTile<T>&) = {&run_turned_rows<T, Less + 1, true>...};
    (p.a_rows != nullptr ? beside : instances)[p.rows - 1](p);
}

template <class T> void run_turned(const TurnedTile<T>& p) { run_turned<T>(p, typename Counting<panel_rows>::type{}); }

} // namespace

namespace VMAPRUN_ARCH {

const ConvolutionTable& convolution_table() {
    static const ConvolutionTable table{{run<float>, run_turned<float>, panel_rows, tile<float>}, {run<double>, run_turned<double>, panel_rows, tile<double>}};
    return table;
}

} // namespace VMAPRUN_ARCH
} // namespace vmaprun
