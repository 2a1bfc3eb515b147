#include "ops/kernels/pointwise.hpp"

#include <algorithm>

namespace vmaprun {
namespace {

static_assert(static_cast<int>(ElementType::i8) == static_cast<int>(DType::i8) && static_cast<int>(ElementType::u8) == static_cast<int>(DType::u8) &&
              static_cast<int>(ElementType::f32) == static_cast<int>(DType::f32) && static_cast<int>(ElementType::c128) == static_cast<int>(DType::c128) &&
              static_cast<int>(ElementType::key) == static_cast<int>(DType::key));
static_assert(std::is_same_v<TileFunction, TileKernel> && sizeof(bool) == 1);

} // namespace

PointwiseTable make_pointwise_table(InstructionSet set) {
    PointwiseTable table{};
    switch (set) {
#if defined(__x86_64__)
    case InstructionSet::avx512:
        avx512::fill_arithmetic(table), avx512::fill_comparisons(table), avx512::fill_casts(table), avx512::fill_functions(table);
        break;
    case InstructionSet::avx2:
        avx2::fill_arithmetic(table), avx2::fill_comparisons(table), avx2::fill_casts(table), avx2::fill_functions(table);
        break;
    default:
        sse42::fill_arithmetic(table), sse42::fill_comparisons(table), sse42::fill_casts(table), sse42::fill_functions(table);
        break;
#else
    default:
        neon::fill_arithmetic(table), neon::fill_comparisons(table), neon::fill_casts(table), neon::fill_functions(table);
        break;
#endif
    }
    fill_portable_real(table);
    fill_portable_complex(table);
    return table;
}

const PointwiseTable& pointwise_table() {
    static const PointwiseTable table = make_pointwise_table(instruction_set());
    return table;
}

TileKernel pointwise_kernel(PointwiseOp op, DType dtype) { return pointwise_table().at(op, static_cast<ElementType>(dtype)); }

const RowPair* row_pair_of(TileKernel kernel) {
    const PointwiseTable& table = pointwise_table();
    const RowPair* end = table.row_pairs + table.row_pair_count;
    const RowPair* found = std::find_if(table.row_pairs, end, [&](const RowPair& pair) { return pair.flat == kernel; });
    return found == end ? nullptr : found;
}

TileKernel composed_kernel(TileKernel outer, TileKernel left, TileKernel right) { return composed_in(pointwise_table(), outer, left, right); }

TileKernel cast_kernel(DType from, DType to) { return pointwise_table().cast[static_cast<int>(from)][static_cast<int>(to)]; }

} // namespace vmaprun
