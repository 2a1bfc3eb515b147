// The table of pointwise kernels: one entry for every (operation, element type). Filled once at start: first by the best
// instruction set of the machine (kernels/simd/, compiled once per set), then by the portable kernels for what is left.
//
// This header is included by files compiled for one instruction set: it may hold nothing but plain declarations, so that
// no inline function compiled for a newer machine can be picked by the linker for all of them.
#pragma once

namespace vmaprun {

// Mirrors DType, in its order (asserted in kernels/pointwise.cpp).
enum class ElementType : unsigned char { boolean, i8, i16, i32, i64, u8, u16, u32, u64, f32, f64, c64, c128, key, count };

enum class PointwiseOp : unsigned char {
    // of two operands of one type
    add, subtract, multiply, divide, floor_divide, remainder, pow, maximum, minimum, atan2, hypot, copysign, nextafter, logaddexp,
    bitwise_and, bitwise_or, bitwise_xor, bitwise_left_shift, bitwise_right_shift,
    equal, not_equal, less, less_equal, greater, greater_equal, logical_and, logical_or, logical_xor,
    // of three: bool, then two of one type (entries are by the type of the two)
    where,
    // of three of one type
    between,
    // of one
    logical_not, bitwise_invert, negative, abs, sign, square, reciprocal, sqrt, floor, ceil, trunc, round, isfinite, isinf, isnan, signbit,
    real, imag, conj, relu,
    exp, exp2, expm1, log, log1p, log2, log10, sin, cos, tan, asin, acos, atan, sinh, cosh, tanh, asinh, acosh, atanh, cbrt,
    erf, erfc, erfinv, normal_quantile, lgamma, digamma, sigmoid, silu, gelu, softplus, log_sigmoid,
    count
};

// out[i] = f(in[0][i], ...) for i in [0, n); see TileKernel in ir/op.hpp for what holds.
using TileFunction = void (*)(void* out, const void* const* in, long n);

// The same operation over rows of a tile, one of its two operands having one element a row.
using RowPairFunction = void (*)(void* out, const void* full, const void* row, long rows, long columns);
struct RowPair {
    TileFunction flat; // the kernel that both stand for
    RowPairFunction full_first, row_first;
};
// outer(left(a, b), right(c, d)) in one kernel of a, b, c, d; where left or right is null, that operand itself is in its
// place. Left and right may be compositions. An outer of one operand has no right.
struct Composition {
    TileFunction outer, left, right;
    TileFunction whole;
    ElementType type; // of the operands
    int left_operands, right_operands; // how many each has; an operand itself: 1, no right: 0
};
// left * right in one kernel, for every two of some functions: tanh(a * x + b) * exp(-x * x), x * sigmoid(y).
struct FunctionProducts {
    TileFunction product;          // the kernel of the multiplication
    const TileFunction* functions; // those of what may stand on a side
    const int* operands;           // how many each has
    int count;                     // of functions
    const TileFunction* whole;     // [left * (count + 1) + right]; `count` stands for an operand itself; null where both are

    int which(TileFunction function) const {
        if (function == nullptr) return count;
        for (int i = 0; i < count; ++i) {
            if (functions[i] == function) return i;
        }
        return -1;
    }
    TileFunction of(TileFunction outer, TileFunction left, TileFunction right) const {
        const int first = which(left), second = which(right);
        return outer != product || first < 0 || second < 0 ? nullptr : whole[first * (count + 1) + second];
    }
};
// Each element of a row `columns` times.
using SpreadFunction = void (*)(const void* row, long rows, long columns, void* out);
// Of two rows of n truths (bytes 0 or 1), the places where the first holds and the second doesn't, ascending: how many. Both
// rows have whole groups of 64 bytes, and the first no truth behind n.
using DifferenceFunction = long (*)(const unsigned char* first, const unsigned char* second, long n, int* places);

struct PointwiseTable {
    TileFunction of[static_cast<int>(PointwiseOp::count)][static_cast<int>(ElementType::count)];
    TileFunction cast[static_cast<int>(ElementType::count)][static_cast<int>(ElementType::count)]; // [from][to]

    RowPair row_pairs[16];
    int row_pair_count;
    struct Compositions {
        const Composition* first;
        unsigned long count;
    } compositions[6];
    int composition_lists;
    FunctionProducts products[2]; // f32, f64
    SpreadFunction spread32, spread64; // of elements of 4 and 8 bytes
    DifferenceFunction difference;

    TileFunction& at(PointwiseOp op, ElementType type) { return of[static_cast<int>(op)][static_cast<int>(type)]; }
    TileFunction at(PointwiseOp op, ElementType type) const { return of[static_cast<int>(op)][static_cast<int>(type)]; }
};

// The kernel of outer(left, right) in the table; null: there is none.
inline TileFunction composed_in(const PointwiseTable& table, TileFunction outer, TileFunction left, TileFunction right) {
    for (int list = 0; list < table.composition_lists; ++list) {
        const auto& [first, count] = table.compositions[list];
        for (unsigned long i = 0; i < count; ++i) {
            if (first[i].outer == outer && first[i].left == left && first[i].right == right) return first[i].whole;
        }
    }
    for (const FunctionProducts& products : table.products) {
        if (const TileFunction whole = products.of(outer, left, right); whole != nullptr) return whole;
    }
    return nullptr;
}

// What each instruction set contributes.
namespace sse42 {
void fill_arithmetic(PointwiseTable& table);
void fill_comparisons(PointwiseTable& table);
void fill_casts(PointwiseTable& table);
void fill_functions(PointwiseTable& table);
}
namespace avx2 {
void fill_arithmetic(PointwiseTable& table);
void fill_comparisons(PointwiseTable& table);
void fill_casts(PointwiseTable& table);
void fill_functions(PointwiseTable& table);
}
namespace avx512 {
void fill_arithmetic(PointwiseTable& table);
void fill_comparisons(PointwiseTable& table);
void fill_casts(PointwiseTable& table);
void fill_functions(PointwiseTable& table);
}
namespace neon {
void fill_arithmetic(PointwiseTable& table);
void fill_comparisons(PointwiseTable& table);
void fill_casts(PointwiseTable& table);
void fill_functions(PointwiseTable& table);
}

// The portable part: fills entries that are still empty.
void fill_portable_real(PointwiseTable& table);
void fill_portable_complex(PointwiseTable& table);

} // namespace vmaprun
