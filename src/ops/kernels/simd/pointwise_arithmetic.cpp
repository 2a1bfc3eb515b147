// Arithmetic that is one or a few machine instructions an element. Whole numbers wrap.
#include "ops/kernels/simd/trees.hpp"
#include "ops/kernels/simd/vectors.hpp"

namespace vmaprun {
namespace {

struct Add {
    template <class T> static T apply(T a, T b) {
        if constexpr (is_float<T>) return a + b;
        else return static_cast<T>(static_cast<Wrapping<T>>(a) + static_cast<Wrapping<T>>(b));
    }
};
struct Subtract {
    template <class T> static T apply(T a, T b) {
        if constexpr (is_float<T>) return a - b;
        else return static_cast<T>(static_cast<Wrapping<T>>(a) - static_cast<Wrapping<T>>(b));
    }
};
struct Multiply {
    template <class T> static T apply(T a, T b) {
        if constexpr (is_float<T>) return a * b;
        else return static_cast<T>(static_cast<Wrapping<T>>(a) * static_cast<Wrapping<T>>(b));
    }
};
struct Divide {
    template <class T> static T apply(T a, T b) { return a / b; }
};

// ---- a row over its one divisor
//
// With r the rounded reciprocal of b, q + (a - q b) r from q = a r is next to a / b, and once more is a / b rounded correctly
// (Markstein, Computation of elementary functions on the IBM RISC System/6000 processor, 1990): five multiply-adds for a
// division, where a, b and the remainders are far from the ends of the exponents. Elsewhere, and for zeros and NaN, it is divided.

#if defined(__AVX512F__) || (defined(__AVX2__) && defined(__FMA__))
template <class T> inline constexpr T smallest_divided = T(0);
template <> inline constexpr float smallest_divided<float> = 0x1p-60F;
template <> inline constexpr double smallest_divided<double> = 0x1p-300;

template <class T> inline bool is_far_from_ends(T size) { return size >= smallest_divided<T> && size <= 1 / smallest_divided<T>; }

#if defined(__AVX512F__)
// Without the sign, numbers are in the order of their bits.
inline bool are_far_from_ends(Vector<float, 16> x) {
    const __m512i low = _mm512_set1_epi32(2 * __builtin_bit_cast(int, smallest_divided<float>)), size = _mm512_slli_epi32(reinterpret_cast<__m512i>(x), 1);
    const __m512i span = _mm512_set1_epi32(2 * (__builtin_bit_cast(int, 1 / smallest_divided<float>) - __builtin_bit_cast(int, smallest_divided<float>)));
    return _mm512_cmple_epu32_mask(_mm512_sub_epi32(size, low), span) == 0xffff;
}
inline bool are_far_from_ends(Vector<double, 8> x) {
    const __m512i low = _mm512_set1_epi64(2 * __builtin_bit_cast(long long, smallest_divided<double>)), size = _mm512_slli_epi64(reinterpret_cast<__m512i>(x), 1);
    const __m512i span = _mm512_set1_epi64(2 * (__builtin_bit_cast(long long, 1 / smallest_divided<double>) - __builtin_bit_cast(long long, smallest_divided<double>)));
    return _mm512_cmple_epu64_mask(_mm512_sub_epi64(size, low), span) == 0xff;
}
#else
inline bool are_far_from_ends(Vector<float, 8> x) {
    const __m256 size = _mm256_andnot_ps(_mm256_set1_ps(-0.0F), reinterpret_cast<__m256>(x)), low = _mm256_set1_ps(smallest_divided<float>), high = _mm256_set1_ps(1 / smallest_divided<float>);
    return _mm256_movemask_ps(_mm256_and_ps(_mm256_cmp_ps(size, low, _CMP_GE_OQ), _mm256_cmp_ps(size, high, _CMP_LE_OQ))) == 0xff;
}
inline bool are_far_from_ends(Vector<double, 4> x) {
    const __m256d size = _mm256_andnot_pd(_mm256_set1_pd(-0.0), reinterpret_cast<__m256d>(x)), low = _mm256_set1_pd(smallest_divided<double>), high = _mm256_set1_pd(1 / smallest_divided<double>);
    return _mm256_movemask_pd(_mm256_and_pd(_mm256_cmp_pd(size, low, _CMP_GE_OQ), _mm256_cmp_pd(size, high, _CMP_LE_OQ))) == 0xf;
}
#endif

template <class T> void divide_row(T* y, const T* a, T b, long columns) {
    constexpr int N = vector_bytes / static_cast<int>(sizeof(T));
    using V = Vector<T, N>;
    long i = 0;
    if (is_far_from_ends(b < 0 ? -b : b)) {
        const V divisor = spread<T, N>(b), reciprocal = spread<T, N>(T(1) / b);
        for (; i + N <= columns; i += N) {
            const V x = load<T, N>(a + i);
            V quotient = x * reciprocal;
            for (int again = 0; again < 2; ++again) quotient = multiply_add<T, N>(multiply_add<T, N>(-quotient, divisor, x), reciprocal, quotient);
            if (!are_far_from_ends(x)) quotient = x / divisor;
            store<T, N>(y + i, quotient);
        }
    }
    for (; i < columns; ++i) y[i] = a[i] / b;
}

template <> void full_first_loop<Divide, float>(void* out, const void* full, const void* row, long rows, long columns) {
    for (long r = 0; r < rows; ++r) divide_row(static_cast<float*>(out) + r * columns, static_cast<const float*>(full) + r * columns, static_cast<const float*>(row)[r], columns);
}
template <> void full_first_loop<Divide, double>(void* out, const void* full, const void* row, long rows, long columns) {
    for (long r = 0; r < rows; ++r) divide_row(static_cast<double*>(out) + r * columns, static_cast<const double*>(full) + r * columns, static_cast<const double*>(row)[r], columns);
}
#endif

// Of bools: sum and maximum are "or", product and minimum are "and".
struct Or {
    static Truth apply(Truth a, Truth b) { return truth((a.byte | b.byte) != 0); }
};
struct And {
    static Truth apply(Truth a, Truth b) { return truth((a.byte & b.byte) != 0); }
};

// Of whole numbers, rounded down; by zero 0; the one quotient that overflows wraps.
struct FloorDivide {
    template <class T> static T apply(T a, T b) {
        if (b == 0) return 0;
        if constexpr (is_signed<T>) {
            if (b == -1) return static_cast<T>(Wrapping<T>{0} - static_cast<Wrapping<T>>(a));
            const T quotient = static_cast<T>(a / b);
            return static_cast<T>(quotient - ((a % b != 0 && (a < 0) != (b < 0)) ? 1 : 0));
        } else {
            return static_cast<T>(a / b);
        }
    }
};
struct Remainder {
    template <class T> static T apply(T a, T b) {
        if (b == 0) return 0;
        if constexpr (is_signed<T>) {
            if (b == -1) return 0;
            const T rest = static_cast<T>(a % b);
            return static_cast<T>(rest != 0 && (rest < 0) != (b < 0) ? rest + b : rest);
        } else {
            return static_cast<T>(a % b);
        }
    }
};

// A negative exponent gives the exact value truncated.
struct Power {
    template <class T> static T apply(T base, T exponent) {
        Wrapping<T> result = 1, factor = static_cast<Wrapping<T>>(base);
        auto left = static_cast<Unsigned<T>>(exponent);
        if constexpr (is_signed<T>) {
            if (exponent < 0) return base == 1 ? T{1} : base == -1 ? static_cast<T>((exponent & 1) != 0 ? -1 : 1) : T{0};
        }
        for (; left != 0; left = static_cast<Unsigned<T>>(left >> 1)) {
            if ((left & 1) != 0) result *= factor;
            factor *= factor;
        }
        return static_cast<T>(result);
    }
};

// NaN when either is.
struct Maximum {
    template <class T> static T apply(T a, T b) {
        if constexpr (is_float<T>) return ((a > b) | (a != a)) ? a : b;
        else return a > b ? a : b;
    }
};
struct Minimum {
    template <class T> static T apply(T a, T b) {
        if constexpr (is_float<T>) return ((a < b) | (a != a)) ? a : b;
        else return a < b ? a : b;
    }
};

struct Negative {
    template <class T> static T apply(T a) {
        if constexpr (is_float<T>) return -a;
        else return static_cast<T>(Wrapping<T>{0} - static_cast<Wrapping<T>>(a));
    }
};
struct Absolute {
    static float apply(float a) { return __builtin_fabsf(a); }
    static double apply(double a) { return __builtin_fabs(a); }
    template <class T> static T apply(T a) {
        if constexpr (is_signed<T>) return a < 0 ? Negative::apply(a) : a;
        else return a;
    }
};
struct Sign {
    template <class T> static T apply(T a) {
        if constexpr (is_float<T>) return a > 0 ? T(1) : a < 0 ? T(-1) : a + T(0); // 0 for both zeros; NaN is its own
        else return static_cast<T>((a > 0 ? 1 : 0) - (is_signed<T> && a < 0 ? 1 : 0));
    }
};
struct Square {
    template <class T> static T apply(T a) { return Multiply::apply(a, a); }
};
struct Reciprocal {
    template <class T> static T apply(T a) { return T(1) / a; }
};
struct SquareRoot {
    static float apply(float a) { return __builtin_sqrtf(a); }
    static double apply(double a) { return __builtin_sqrt(a); }
};
struct Floor {
    static float apply(float a) { return __builtin_floorf(a); }
    static double apply(double a) { return __builtin_floor(a); }
};
struct Ceil {
    static float apply(float a) { return __builtin_ceilf(a); }
    static double apply(double a) { return __builtin_ceil(a); }
};
struct Truncate {
    static float apply(float a) { return __builtin_truncf(a); }
    static double apply(double a) { return __builtin_trunc(a); }
};
struct Round { // halves to even: the rounding mode that is always set
    static float apply(float a) { return __builtin_rintf(a); }
    static double apply(double a) { return __builtin_rint(a); }
};
struct CopySign {
    static float apply(float a, float b) { return __builtin_copysignf(a, b); }
    static double apply(double a, double b) { return __builtin_copysign(a, b); }
};
struct Relu {
    template <class T> static T apply(T a) {
        if constexpr (is_float<T>) return ((a > 0) | (a != a)) ? a : T(0);
        else return a > 0 ? a : T(0);
    }
};
struct Zero {
    template <class T> static T apply(T) { return T{}; }
};

// Complex numbers. Products are not here: g++ 12 contracts them to alternating multiply-adds (vfmaddsub) in vector bodies
// even under -ffp-contract=off, but not in tails.
struct ComplexAdd {
    template <class T> static T apply(T a, T b) { return {a.re + b.re, a.im + b.im}; }
};
struct ComplexSubtract {
    template <class T> static T apply(T a, T b) { return {a.re - b.re, a.im - b.im}; }
};
struct ComplexNegative {
    template <class T> static T apply(T a) { return {-a.re, -a.im}; }
};
struct Conjugate {
    template <class T> static T apply(T a) { return {a.re, -a.im}; }
};
struct RealPart {
    static float apply(Complex64 a) { return a.re; }
    static double apply(Complex128 a) { return a.re; }
};
struct ImaginaryPart {
    static float apply(Complex64 a) { return a.im; }
    static double apply(Complex128 a) { return a.im; }
};

void fill_complex(PointwiseTable& table) {
    using enum PointwiseOp;
    fill_binary<ComplexAdd>(table, add, Complexes{});
    fill_binary<ComplexSubtract>(table, subtract, Complexes{});
    fill_unary<ComplexNegative>(table, negative, Complexes{});
    fill_unary<Conjugate>(table, conj, Complexes{});
    table.at(real, ElementType::c64) = unary_loop<RealPart, float, Complex64>;
    table.at(real, ElementType::c128) = unary_loop<RealPart, double, Complex128>;
    table.at(imag, ElementType::c64) = unary_loop<ImaginaryPart, float, Complex64>;
    table.at(imag, ElementType::c128) = unary_loop<ImaginaryPart, double, Complex128>;
}

// Sums and products of two or three operations, and a little further where sums of products are many.
using Sums = TypeList<Add, Subtract>;
using SumsAndProducts = TypeList<Add, Subtract, Multiply>;
using Leaf = TypeList<Operand>;
using Product = TypeList<Binary<Multiply>>;
using SumsOfProducts = Join<Trees<Sums, Product, Join<Leaf, Product>>, Trees<Sums, Leaf, Product>>;
using Cubes = Join<Trees<TypeList<Multiply>, Product, Leaf>, Trees<TypeList<Multiply>, Leaf, Product>>;
using Pairs = TypeList<Binary<Add>, Binary<Subtract>, Binary<Multiply>>;
using Deep = Join<SumsOfProducts, Cubes>;
using NegatedOnce = TypeList<Tree<Multiply, Tree<Negative, Operand>, Operand>, Tree<Multiply, Operand, Tree<Negative, Operand>>>;
using Compositions = Join<Trees<SumsAndProducts, Pairs, Join<Leaf, Pairs>>, Trees<SumsAndProducts, Leaf, Pairs>, Trees<SumsAndProducts, Deep, Leaf>, Trees<SumsAndProducts, Leaf, Deep>,
                          Trees<Sums, SumsOfProducts, Product>, NegatedOnce, UnaryTrees<TypeList<Negative, Absolute, Square, SquareRoot, Relu>, Join<Pairs, SumsOfProducts>>>;

} // namespace

namespace VMAPRUN_ARCH {

void fill_arithmetic(PointwiseTable& table) {
    using enum PointwiseOp;
    fill_binary<Add>(table, add, Reals{});
    fill_binary<Subtract>(table, subtract, Reals{});
    fill_binary<Multiply>(table, multiply, Reals{});
    fill_binary<Divide>(table, divide, Floats{});
    fill_row_pairs<Add>(table, add, Floats{});
    fill_row_pairs<Subtract>(table, subtract, Floats{});
    fill_row_pairs<Multiply>(table, multiply, Floats{});
    fill_row_pairs<Divide>(table, divide, Floats{});
    add_compositions<float, Compositions>(table);
    add_compositions<double, Compositions>(table);
    table.spread32 = spread_loop<uint32>;
    table.spread64 = spread_loop<uint64>;
    fill_binary<FloorDivide>(table, floor_divide, Integers{});
    fill_binary<Remainder>(table, remainder, Integers{});
    fill_binary<Power>(table, pow, Integers{});
    fill_binary<Maximum>(table, maximum, Reals{});
    fill_binary<Minimum>(table, minimum, Reals{});
    fill_binary<Or>(table, add, TypeList<Truth>{});
    fill_binary<Or>(table, maximum, TypeList<Truth>{});
    fill_binary<And>(table, multiply, TypeList<Truth>{});
    fill_binary<And>(table, minimum, TypeList<Truth>{});
    fill_unary<Negative>(table, negative, Reals{});
    fill_unary<Absolute>(table, abs, Reals{});
    fill_unary<Sign>(table, sign, Reals{});
    fill_unary<Square>(table, square, Reals{});
    fill_unary<Reciprocal>(table, reciprocal, Floats{});
    fill_unary<SquareRoot>(table, sqrt, Floats{});
    fill_unary<Floor>(table, floor, Floats{});
    fill_unary<Ceil>(table, ceil, Floats{});
    fill_unary<Truncate>(table, trunc, Floats{});
    fill_unary<Round>(table, round, Floats{});
    fill_binary<CopySign>(table, copysign, Floats{});
    fill_unary<Relu>(table, relu, Reals{});
    fill_unary<Zero>(table, imag, Reals{});
    fill_complex(table);
}

} // namespace VMAPRUN_ARCH
} // namespace vmaprun
