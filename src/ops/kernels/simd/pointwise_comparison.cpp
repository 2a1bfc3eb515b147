// Comparisons, logic, predicates, bits, and the choice by a mask.
#include "ops/kernels/simd/trees.hpp"
#include "ops/kernels/simd/vectors.hpp"

namespace vmaprun {
namespace {

struct Equal {
    template <class T> static Truth apply(T a, T b) { return truth(a == b); }
    static Truth apply(Truth a, Truth b) { return truth(a.byte == b.byte); }
    static Truth apply(Complex64 a, Complex64 b) { return truth((a.re == b.re) & (a.im == b.im)); }
    static Truth apply(Complex128 a, Complex128 b) { return truth((a.re == b.re) & (a.im == b.im)); }
};
struct NotEqual {
    template <class T> static Truth apply(T a, T b) { return truth(Equal::apply(a, b).byte == 0); }
};
struct Less {
    template <class T> static Truth apply(T a, T b) { return truth(a < b); }
    static Truth apply(Truth a, Truth b) { return truth(a.byte < b.byte); }
};
struct LessEqual {
    template <class T> static Truth apply(T a, T b) { return truth(a <= b); }
    static Truth apply(Truth a, Truth b) { return truth(a.byte <= b.byte); }
};
struct Greater {
    template <class T> static Truth apply(T a, T b) { return Less::apply(b, a); }
};
struct GreaterEqual {
    template <class T> static Truth apply(T a, T b) { return LessEqual::apply(b, a); }
};

struct And {
    static Truth apply(Truth a, Truth b) { return {static_cast<uint8>(a.byte & b.byte)}; }
    template <class T> static T apply(T a, T b) { return static_cast<T>(a & b); }
};
struct Or {
    static Truth apply(Truth a, Truth b) { return {static_cast<uint8>(a.byte | b.byte)}; }
    template <class T> static T apply(T a, T b) { return static_cast<T>(a | b); }
};
struct ExclusiveOr {
    static Truth apply(Truth a, Truth b) { return {static_cast<uint8>(a.byte ^ b.byte)}; }
    template <class T> static T apply(T a, T b) { return static_cast<T>(a ^ b); }
};
struct Invert {
    static Truth apply(Truth a) { return {static_cast<uint8>(a.byte ^ 1)}; }
    template <class T> static T apply(T a) { return static_cast<T>(~a); }
};

// A count outside of 0 … width - 1 moves every bit out.
struct LeftShift {
    template <class T> static T apply(T a, T count) {
        const auto steps = static_cast<Unsigned<T>>(count);
        return steps < 8 * sizeof(T) ? static_cast<T>(static_cast<Wrapping<T>>(a) << steps) : T{0};
    }
};
struct RightShift {
    template <class T> static T apply(T a, T count) {
        const auto steps = static_cast<Unsigned<T>>(count);
        if (steps < 8 * sizeof(T)) return static_cast<T>(a >> steps);
        return is_signed<T> && a < 0 ? static_cast<T>(-1) : T{0};
    }
};

template <class T> bool finite(T a) { return a - a == 0; }
template <class T> bool nan(T a) { return a != a; }
template <class T> bool infinite(T a) { return (a == a) & (a - a != 0); }

struct IsFinite {
    static Truth apply(Truth) { return truth(true); }
    static Truth apply(Complex64 a) { return truth(finite(a.re) & finite(a.im)); }
    static Truth apply(Complex128 a) { return truth(finite(a.re) & finite(a.im)); }
    template <class T> static Truth apply(T a) { return truth(!is_float<T> || finite(a)); }
};
struct IsNan {
    static Truth apply(Truth) { return truth(false); }
    static Truth apply(Complex64 a) { return truth(nan(a.re) | nan(a.im)); }
    static Truth apply(Complex128 a) { return truth(nan(a.re) | nan(a.im)); }
    template <class T> static Truth apply(T a) { return truth(is_float<T> && nan(a)); }
};
struct IsInfinite {
    static Truth apply(Truth) { return truth(false); }
    static Truth apply(Complex64 a) { return truth(infinite(a.re) | infinite(a.im)); }
    static Truth apply(Complex128 a) { return truth(infinite(a.re) | infinite(a.im)); }
    template <class T> static Truth apply(T a) { return truth(is_float<T> && infinite(a)); }
};
struct SignBit {
    static Truth apply(float a) { return truth(__builtin_signbitf(a) != 0); }
    static Truth apply(double a) { return truth(__builtin_signbit(a) != 0); }
};

struct Pair { uint64 first, second; };

template <class T> void where_loop(void* out, const void* const* in, long n) {
    T* y = static_cast<T*>(out);
    const uint8* condition = static_cast<const uint8*>(in[0]);
    const T* a = static_cast<const T*>(in[1]);
    const T* b = static_cast<const T*>(in[2]);
#pragma GCC ivdep
    for (long i = 0; i < n; ++i) {
        const T yes = a[i], no = b[i]; // both read: no branch
        y[i] = condition[i] != 0 ? yes : no;
    }
}

template <class T, class... Types> void fill_where(PointwiseTable& table, TypeList<Types...>) {
    ((table.at(PointwiseOp::where, element_of<Types>()) = where_loop<T>), ...);
}

template <class Function> void fill_truth(PointwiseTable& table, PointwiseOp op) {
    fill_unary_truth<Function>(table, op, Reals{});
    fill_unary_truth<Function>(table, op, TypeList<Truth, Complex64, Complex128>{});
}

template <class Function> void fill_comparison(PointwiseTable& table, PointwiseOp op) {
    fill_binary_truth<Function>(table, op, Reals{});
    fill_binary_truth<Function>(table, op, TypeList<Truth>{});
}

using Orders = TypeList<Binary<Less>, Binary<LessEqual>, Binary<Greater>, Binary<GreaterEqual>>;
using Compositions = Trees<TypeList<And, Or>, Orders, Orders>;

// A bit for each of 64 places: whether the first truth holds there and the second doesn't.
uint64 difference_bits(const unsigned char* first, const unsigned char* second) {
#if defined(__AVX512BW__)
    return _mm512_cmpgt_epu8_mask(_mm512_loadu_si512(first), _mm512_loadu_si512(second));
#elif defined(__AVX2__)
    const auto half = [&](long at) {
        const __m256i a = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(first + at)), b = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(second + at));
        return static_cast<uint64>(static_cast<uint32>(_mm256_movemask_epi8(_mm256_slli_epi16(_mm256_andnot_si256(b, a), 7))));
    };
    return half(0) | half(32) << 32;
#else
    uint64 bits = 0;
    for (long k = 0; k < 64; ++k) bits |= static_cast<uint64>(first[k] & ~second[k] & 1) << k;
    return bits;
#endif
}

long difference_loop(const unsigned char* first, const unsigned char* second, long n, int* places) {
    long count = 0;
    for (long at = 0; at < n; at += 64) {
        for (uint64 rest = difference_bits(first + at, second + at); rest != 0; rest &= rest - 1) places[count++] = static_cast<int>(at + __builtin_ctzll(rest));
    }
    return count;
}

} // namespace

namespace VMAPRUN_ARCH {

void fill_comparisons(PointwiseTable& table) {
    table.difference = difference_loop;
    using enum PointwiseOp;
    fill_comparison<Equal>(table, equal);
    fill_comparison<NotEqual>(table, not_equal);
    fill_binary_truth<Equal>(table, equal, Complexes{});
    fill_binary_truth<NotEqual>(table, not_equal, Complexes{});
    fill_comparison<Less>(table, less);
    fill_comparison<LessEqual>(table, less_equal);
    fill_comparison<Greater>(table, greater);
    fill_comparison<GreaterEqual>(table, greater_equal);
    using Bits = TypeList<Truth, int8, int16, int32, int64, uint8, uint16, uint32, uint64>;
    fill_binary<And>(table, bitwise_and, Bits{});
    fill_binary<Or>(table, bitwise_or, Bits{});
    fill_binary<ExclusiveOr>(table, bitwise_xor, Bits{});
    fill_unary<Invert>(table, bitwise_invert, Bits{});
    fill_binary<LeftShift>(table, bitwise_left_shift, Integers{});
    fill_binary<RightShift>(table, bitwise_right_shift, Integers{});
    add_compositions<float, Compositions>(table);
    add_compositions<double, Compositions>(table);
    fill_binary<And>(table, logical_and, TypeList<Truth>{});
    fill_binary<Or>(table, logical_or, TypeList<Truth>{});
    fill_binary<ExclusiveOr>(table, logical_xor, TypeList<Truth>{});
    fill_unary<Invert>(table, logical_not, TypeList<Truth>{});
    fill_truth<IsFinite>(table, isfinite);
    fill_truth<IsNan>(table, isnan);
    fill_truth<IsInfinite>(table, isinf);
    fill_unary_truth<SignBit>(table, signbit, Floats{});
    fill_where<uint8>(table, TypeList<Truth, int8, uint8>{});
    fill_where<uint16>(table, TypeList<int16, uint16>{});
    fill_where<uint32>(table, TypeList<int32, uint32, float>{});
    fill_where<uint64>(table, TypeList<int64, uint64, double, Complex64, Key>{});
    fill_where<Pair>(table, TypeList<Complex128>{});
}

} // namespace VMAPRUN_ARCH
} // namespace vmaprun
