// What the kernels of linear algebra share: the walk over the matrices of all lanes, copies between strided matrices and
// dense ones, and faults that are told in row-major order however the work was cut.
#pragma once

#include <complex>
#include <string>
#include <vector>

#include "ops/lane_iteration.hpp"

namespace vmaprun {

// A matrix of a strided tensor.
template <class T> struct StridedMatrix {
    T* data;
    std::int64_t rows, columns, row_step, column_step;
    T& at(std::int64_t i, std::int64_t j) const { return data[i * row_step + j * column_step]; }
};

class MatrixStack {
  public:
    // `tails`: how many last axes of each view (operands, then results) belong to one matrix, vector or number.
    MatrixStack(const KernelCall& call, std::vector<std::size_t> tails) : call_(call), walk_(call), tails_(std::move(tails)) {
        const std::size_t views = call.operands.size() + call.results.size();
        const std::size_t stacked = view(0).rank() - call.lanes.size() - tails_[0];
        for (std::size_t axis = 0; axis < stacked; ++axis) {
            std::vector<std::int64_t> steps;
            for (std::size_t i = 0; i < views; ++i) steps.push_back(view(i).strides[call.lanes.size() + axis]);
            walk_.add_axis(call, view(0).shape[call.lanes.size() + axis], steps);
        }
    }

    const View& view(std::size_t i) const { return i < call_.operands.size() ? call_.operands[i] : call_.results[i - call_.operands.size()]; }
    std::int64_t size(std::size_t view_index, std::size_t from_the_end) const { return view(view_index).shape[view(view_index).rank() - from_the_end]; }

    template <class T> StridedMatrix<T> matrix(std::size_t i, std::byte* const* at) const {
        const View& all = view(i);
        const std::size_t rank = all.rank();
        return {lane_data<T>(at, i), all.shape[rank - 2], all.shape[rank - 1], all.strides[rank - 2], all.strides[rank - 1]};
    }

    // f(position, at) is 0 or the number of what is wrong with a matrix; positions that share a part are in order.
    // fault(number, text): the first wrong matrix of each lane is told with code and message.
    template <class F, class Message> void run(std::int64_t grain, const char* code, const F& make, const Message& message) const {
        std::vector<std::int64_t> wrong(static_cast<std::size_t>(walk_.count()), 0);
        run_in_parts(call_.parallel, walk_.count(), grain, [&](std::int64_t begin, std::int64_t end) {
            auto one = make(); // with memory of its own
            walk_.range(begin, end, [&](std::int64_t position, std::byte* const* at) { wrong[static_cast<std::size_t>(position)] = one(at); });
        });
        const std::int64_t rows = walk_.rows();
        std::int64_t told = -1;
        for (std::int64_t position = 0; position < walk_.count(); ++position) {
            const std::int64_t number = wrong[static_cast<std::size_t>(position)];
            if (number == 0 || position / rows == told) continue;
            told = position / rows;
            call_.faults->report(told, code, message(number) + place(position % rows));
        }
    }

  private:
    // ", the matrix at [1, 2] of the stack"; nothing when there is but one.
    std::string place(std::int64_t row) const {
        const std::size_t first = call_.lanes.size(), last = view(0).rank() - tails_[0];
        if (first == last) return "";
        std::string text;
        for (std::size_t axis = last; axis-- > first;) {
            text = std::to_string(row % view(0).shape[axis]) + (text.empty() ? "" : ", ") + text;
            row /= view(0).shape[axis];
        }
        return ", at [" + text + "] of the stack";
    }

    const KernelCall& call_;
    LaneIteration walk_;
    std::vector<std::size_t> tails_;
};

template <class T> T conjugate(T x) {
    if constexpr (is_complex_type<T>) return std::conj(x);
    else return x;
}
template <class T> struct RealOf { using type = T; };
template <class R> struct RealOf<std::complex<R>> { using type = R; };
template <class T> using Real = typename RealOf<T>::type;

template <class T> bool is_nan_number(T x) {
    if constexpr (is_complex_type<T>) return x.real() != x.real() || x.imag() != x.imag();
    else return x != x;
}
template <class T> bool is_finite_number(T x) { return !is_nan_number(x - x); }

// f(TypeTag<T>) for f32, f64, c64, c128; type rules see to it that there are no others.
template <class F> void visit_floats(DType dtype, const F& f) {
    switch (dtype) {
    case DType::f32: return f(TypeTag<float>{});
    case DType::f64: return f(TypeTag<double>{});
    case DType::c64: return f(TypeTag<std::complex<float>>{});
    default: return f(TypeTag<std::complex<double>>{});
    }
}

// Matrices a part, for matrices of this many elements a side.
inline std::int64_t matrix_grain(std::int64_t n) { return std::max<std::int64_t>(1, (std::int64_t{1} << 18) / std::max<std::int64_t>(1, n * n * n)); }

} // namespace vmaprun
