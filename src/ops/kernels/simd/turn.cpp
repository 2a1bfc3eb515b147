// Transposes for one instruction set: squares of as many elements a side as a vector holds.
#include "ops/kernels/simd/vectors.hpp"
#include "ops/kernels/turn.hpp"

namespace vmaprun {
namespace {

// T: a float type of the width, whose bits are only moved.
template <class T> void turn(const void* from, std::int64_t from_stride, void* to, std::int64_t to_stride, std::int64_t rows, std::int64_t columns) {
    constexpr int N = vector_bytes / static_cast<int>(sizeof(T));
    const T* in = static_cast<const T*>(from);
    T* out = static_cast<T*>(to);
    std::int64_t r = 0;
    for (; r + N <= rows; r += N) {
        std::int64_t c = 0;
        for (; c + N <= columns; c += N) {
            Vector<T, N> square[N];
#pragma GCC unroll 16
            for (int i = 0; i < N; ++i) square[i] = load<T, N>(in + (r + i) * from_stride + c);
            transpose<T, N>(square);
#pragma GCC unroll 16
            for (int i = 0; i < N; ++i) store<T, N>(out + (c + i) * to_stride + r, square[i]);
        }
        for (; c < columns; ++c) {
            for (int i = 0; i < N; ++i) __builtin_memcpy(out + c * to_stride + r + i, in + (r + i) * from_stride + c, sizeof(T));
        }
    }
    for (; r < rows; ++r) {
        for (std::int64_t c = 0; c < columns; ++c) __builtin_memcpy(out + c * to_stride + r, in + r * from_stride + c, sizeof(T));
    }
}

} // namespace

namespace VMAPRUN_ARCH {

const TurnTable& turn_table() {
    static constexpr TurnTable table{turn<float>, turn<double>};
    return table;
}

} // namespace VMAPRUN_ARCH

} // namespace vmaprun
