// Plain loops over tiles, which the compiler vectorises for the instruction set at hand. Each element is computed by
// itself with operations that round one by one, so its bits depend neither on its position nor on the vector's width.
// Everything here has internal linkage: each instruction set keeps its own copy.
#pragma once

#include "ops/kernels/pointwise_table.hpp"

namespace vmaprun {
namespace {

using int8 = signed char;
using int16 = short;
using int32 = int;
using int64 = long;
using uint8 = unsigned char;
using uint16 = unsigned short;
using uint32 = unsigned int;
using uint64 = unsigned long;
static_assert(sizeof(int64) == 8 && sizeof(int32) == 4);

// A stored bool: one byte, 0 or 1. Its own type, so that its arithmetic is logic.
struct Truth {
    uint8 byte;
    explicit operator bool() const { return byte != 0; }
};
inline Truth truth(bool is) { return {static_cast<uint8>(is)}; }

struct Complex64 { float re, im; };
struct Complex128 { double re, im; };
struct Key { uint32 high, low; };

template <class T> constexpr ElementType element_of();
template <> constexpr ElementType element_of<Truth>() { return ElementType::boolean; }
template <> constexpr ElementType element_of<int8>() { return ElementType::i8; }
template <> constexpr ElementType element_of<int16>() { return ElementType::i16; }
template <> constexpr ElementType element_of<int32>() { return ElementType::i32; }
template <> constexpr ElementType element_of<int64>() { return ElementType::i64; }
template <> constexpr ElementType element_of<uint8>() { return ElementType::u8; }
template <> constexpr ElementType element_of<uint16>() { return ElementType::u16; }
template <> constexpr ElementType element_of<uint32>() { return ElementType::u32; }
template <> constexpr ElementType element_of<uint64>() { return ElementType::u64; }
template <> constexpr ElementType element_of<float>() { return ElementType::f32; }
template <> constexpr ElementType element_of<double>() { return ElementType::f64; }
template <> constexpr ElementType element_of<Complex64>() { return ElementType::c64; }
template <> constexpr ElementType element_of<Complex128>() { return ElementType::c128; }
template <> constexpr ElementType element_of<Key>() { return ElementType::key; }

template <class T> inline constexpr bool is_float = false;
template <> inline constexpr bool is_float<float> = true;
template <> inline constexpr bool is_float<double> = true;
template <class A, class B> inline constexpr bool is_same = false;
template <class A> inline constexpr bool is_same<A, A> = true;
template <class T> inline constexpr bool is_signed = static_cast<T>(-1) < static_cast<T>(0);

template <class T> struct UnsignedOf { using type = T; };
template <> struct UnsignedOf<int8> { using type = uint8; };
template <> struct UnsignedOf<int16> { using type = uint16; };
template <> struct UnsignedOf<int32> { using type = uint32; };
template <> struct UnsignedOf<int64> { using type = uint64; };
// What arithmetic that wraps is done in: at least 32 bits, so that promotion to int can't overflow.
template <class T> struct WrappingOf { using type = uint32; };
template <> struct WrappingOf<int64> { using type = uint64; };
template <> struct WrappingOf<uint64> { using type = uint64; };
template <class T> using Unsigned = typename UnsignedOf<T>::type;
template <class T> using Wrapping = typename WrappingOf<T>::type;

template <class Function, class Out, class In> void unary_loop(void* out, const void* const* in, long n) {
    Out* y = static_cast<Out*>(out);
    const In* a = static_cast<const In*>(in[0]);
#pragma GCC ivdep
    for (long i = 0; i < n; ++i) y[i] = Function::apply(a[i]);
}

template <class Function, class Out, class In> void binary_loop(void* out, const void* const* in, long n) {
    Out* y = static_cast<Out*>(out);
    const In* a = static_cast<const In*>(in[0]);
    const In* b = static_cast<const In*>(in[1]);
#pragma GCC ivdep
    for (long i = 0; i < n; ++i) y[i] = Function::apply(a[i], b[i]);
}

template <class Function, class T> void full_first_loop(void* out, const void* full, const void* row, long rows, long columns) {
    T* y = static_cast<T*>(out);
    const T* a = static_cast<const T*>(full);
    for (long r = 0; r < rows; ++r, y += columns, a += columns) {
        const T b = static_cast<const T*>(row)[r];
#pragma GCC ivdep
        for (long i = 0; i < columns; ++i) y[i] = Function::apply(a[i], b);
    }
}
template <class Function, class T> void row_first_loop(void* out, const void* full, const void* row, long rows, long columns) {
    T* y = static_cast<T*>(out);
    const T* b = static_cast<const T*>(full);
    for (long r = 0; r < rows; ++r, y += columns, b += columns) {
        const T a = static_cast<const T*>(row)[r];
#pragma GCC ivdep
        for (long i = 0; i < columns; ++i) y[i] = Function::apply(a, b[i]);
    }
}
template <class T> void spread_loop(const void* row, long rows, long columns, void* out) {
    T* y = static_cast<T*>(out);
    for (long r = 0; r < rows; ++r, y += columns) {
        const T x = static_cast<const T*>(row)[r];
        for (long i = 0; i < columns; ++i) y[i] = x;
    }
}

template <class... Types> struct TypeList {};
using Integers = TypeList<int8, int16, int32, int64, uint8, uint16, uint32, uint64>;
using Floats = TypeList<float, double>;
using Reals = TypeList<int8, int16, int32, int64, uint8, uint16, uint32, uint64, float, double>;
using Complexes = TypeList<Complex64, Complex128>;

template <class Function, class... Types> void fill_unary(PointwiseTable& table, PointwiseOp op, TypeList<Types...>) {
    ((table.at(op, element_of<Types>()) = unary_loop<Function, Types, Types>), ...);
}
template <class Function, class... Types> void fill_binary(PointwiseTable& table, PointwiseOp op, TypeList<Types...>) {
    ((table.at(op, element_of<Types>()) = binary_loop<Function, Types, Types>), ...);
}
// A binary operation, and its forms with an element a row.
template <class Function, class... Types> void fill_row_pairs(PointwiseTable& table, PointwiseOp op, TypeList<Types...>) {
    ((table.row_pairs[table.row_pair_count++] = {table.at(op, element_of<Types>()), full_first_loop<Function, Types>, row_first_loop<Function, Types>}), ...);
}
template <class Function, class... Types> void fill_unary_truth(PointwiseTable& table, PointwiseOp op, TypeList<Types...>) {
    ((table.at(op, element_of<Types>()) = unary_loop<Function, Truth, Types>), ...);
}
template <class Function, class... Types> void fill_binary_truth(PointwiseTable& table, PointwiseOp op, TypeList<Types...>) {
    ((table.at(op, element_of<Types>()) = binary_loop<Function, Truth, Types>), ...);
}

} // namespace
} // namespace vmaprun
