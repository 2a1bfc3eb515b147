// The folds of kernels/fold.hpp as functions: for float sums, products and extremes those of the machine's instruction set.
#pragma once

#include "ops/kernels/fold.hpp"
#include "ops/kernels/fold_table.hpp"

namespace vmaprun {

static_assert(fold::column_tile == fold_column_tile);

template <class F> using RowFold = typename F::Acc (*)(const typename F::In* x, std::int64_t n);
template <class F>
using ColumnFold = void (*)(const typename F::In* x, const std::int64_t* offsets, std::int64_t n, std::int64_t count, typename F::Acc* out, typename F::Acc* scratch);

template <class F> RowFold<F> row_fold() {
    using T = typename F::In;
    if constexpr (std::is_floating_point_v<T> && std::is_same_v<T, typename F::Acc>) {
        const FoldFunctions<T>* functions = nullptr;
        if constexpr (std::is_same_v<T, float>) functions = &fold_table().f32;
        else functions = &fold_table().f64;
        if constexpr (std::is_same_v<F, fold::Sum<T>>) return functions->sum_row;
        else if constexpr (std::is_same_v<F, fold::Product<T>>) return functions->product_row;
        else if constexpr (std::is_same_v<F, fold::Max<T>>) return functions->max_row;
        else return functions->min_row;
    } else {
        return &fold::row<F>;
    }
}

template <class F> using RowsFold = void (*)(const typename F::In* x, std::int64_t rows, std::int64_t n, typename F::Acc* out);

template <class F> RowsFold<F> rows_fold() {
    using T = typename F::In;
    if constexpr (std::is_floating_point_v<T> && std::is_same_v<T, typename F::Acc>) {
        const FoldFunctions<T>* functions = nullptr;
        if constexpr (std::is_same_v<T, float>) functions = &fold_table().f32;
        else functions = &fold_table().f64;
        if constexpr (std::is_same_v<F, fold::Sum<T>>) return functions->sum_rows;
        else if constexpr (std::is_same_v<F, fold::Product<T>>) return functions->product_rows;
        else if constexpr (std::is_same_v<F, fold::Max<T>>) return functions->max_rows;
        else return functions->min_rows;
    } else {
        return [](const T* x, std::int64_t rows, std::int64_t n, typename F::Acc* out) {
            for (std::int64_t r = 0; r < rows; ++r) out[r] = fold::row<F>(x + r * n, n);
        };
    }
}

template <class F> ColumnFold<F> column_fold() {
    using T = typename F::In;
    if constexpr (std::is_floating_point_v<T> && std::is_same_v<T, typename F::Acc>) {
        const FoldFunctions<T>* functions = nullptr;
        if constexpr (std::is_same_v<T, float>) functions = &fold_table().f32;
        else functions = &fold_table().f64;
        if constexpr (std::is_same_v<F, fold::Sum<T>>) return functions->sum_columns;
        else if constexpr (std::is_same_v<F, fold::Product<T>>) return functions->product_columns;
        else if constexpr (std::is_same_v<F, fold::Max<T>>) return functions->max_columns;
        else return functions->min_columns;
    } else {
        return &fold::columns<F>;
    }
}

} // namespace vmaprun
