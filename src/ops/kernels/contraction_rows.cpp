// Dot products of the rows of tiles, for fused steps: the kernels of single dot products, a few rows at a time.
#include <algorithm>
#include <array>
#include <cstddef>

#include "ops/kernels/contraction.hpp"
#include "ops/kernels/contraction_table.hpp"

namespace vmaprun {
namespace {

// Where rows begin that follow each other evenly: those of the tile before are mostly those of the next.
struct RowStarts {
    static constexpr std::size_t most = 64;
    std::int64_t step = -1;
    std::array<std::int64_t, most> starts{};

    const std::int64_t* of(std::int64_t wanted) {
        if (step != wanted) {
            for (std::size_t r = 0; r < most; ++r) starts[r] = static_cast<std::int64_t>(r) * wanted;
            step = wanted;
        }
        return starts.data();
    }
};

template <class T, Inner inner> void dots_of_rows(void* out, const void* a, const void* b, std::int64_t b_step, std::int64_t rows, std::int64_t columns) {
    static const auto dots = contraction_table().kernels<T>(inner).dots;
    thread_local RowStarts a_starts, b_starts, c_starts;
    for (std::int64_t first = 0; first < rows; first += static_cast<std::int64_t>(RowStarts::most)) {
        const std::int64_t count = std::min(rows - first, static_cast<std::int64_t>(RowStarts::most));
        dots({static_cast<const T*>(a) + first * columns, static_cast<const T*>(b) + first * b_step, static_cast<T*>(out) + first, count, columns, a_starts.of(columns), b_starts.of(b_step), c_starts.of(1), nullptr, nullptr, 1, 1});
    }
}

template <Inner inner> RowProductKernel rows_of(DType dtype) {
    if (dtype == DType::f32) return dots_of_rows<float, inner>;
    return dtype == DType::f64 ? dots_of_rows<double, inner> : nullptr;
}

} // namespace

RowProductKernel dot_rows(DType dtype) { return rows_of<Inner::product>(dtype); }
RowProductKernel squared_distance_rows(DType dtype) { return rows_of<Inner::squared_difference>(dtype); }

} // namespace vmaprun
