// The folds of floats, one table an instruction set (kernels/simd/fold.cpp); their order is that of kernels/fold.hpp.
#pragma once

#include <cstdint>

namespace vmaprun {

inline constexpr std::int64_t fold_column_tile = 128; // the widest block of columns that is folded at once

template <class T> struct FoldFunctions {
    using Row = T (*)(const T* x, std::int64_t n);
    using Columns = void (*)(const T* x, const std::int64_t* offsets, std::int64_t n, std::int64_t count, T* out, T* scratch);
    // `rows` rows of n <= chunk elements, one behind the other.
    using Rows = void (*)(const T* x, std::int64_t rows, std::int64_t n, T* out);
    Row sum_row, product_row, max_row, min_row;
    Columns sum_columns, product_columns, max_columns, min_columns;
    Rows sum_rows, product_rows, max_rows, min_rows;
};

struct FoldTable {
    FoldFunctions<float> f32;
    FoldFunctions<double> f64;
};

const FoldTable& fold_table(); // of the best instruction set of this machine

namespace sse42 {
const FoldTable& fold_table();
}
namespace avx2 {
const FoldTable& fold_table();
}
namespace avx512 {
const FoldTable& fold_table();
}
namespace neon {
const FoldTable& fold_table();
}

} // namespace vmaprun
