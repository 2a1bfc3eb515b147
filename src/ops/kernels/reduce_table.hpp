// The folds of kernels/fold.hpp as functions: for floats the ones of the best instruction set of this machine.
#pragma once

#include "ops/kernels/fold.hpp"

namespace vmaprun {

template <class F> using RowFold = typename F::Acc (*)(const typename F::In* x, std::int64_t n);
template <class F>
using ColumnFold = void (*)(const typename F::In* x, const std::int64_t* offsets, std::int64_t n, std::int64_t count, typename F::Acc* out, typename F::Acc* scratch);

template <class F> RowFold<F> row_fold() { return &fold::row<F>; }
template <class F> ColumnFold<F> column_fold() { return &fold::columns<F>; }

} // namespace vmaprun
