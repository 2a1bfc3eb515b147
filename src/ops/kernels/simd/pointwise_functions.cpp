// Elementary and neural functions of floats, on batches. What is not here runs one element after another
// (kernels/pointwise_portable.cpp). Functions marked "through double" compute f32 in f64.
#include "ops/kernels/simd/exponential.hpp"
#include "ops/kernels/simd/trigonometric.hpp"

namespace vmaprun {
namespace {

// ---- hyperbolic functions

// f32: E / (E + 2) with E = expm1(2|x|), as below, by a shorter series that is fitted to |r| <= ln 2 / 2 (1.8e-8).
// A single constant reduces well enough: the result hardly depends on large arguments.
inline Batch<float> hyperbolic_tangent(Batch<float> x) {
    static constexpr float series[] = {1.3882267521694303e-03f, 8.367854170501232e-03f, 4.166724532842636e-02f, 1.6666533052921295e-01f, 4.999999701976776e-01f};
    const Batch<float> size = xsimd::min(Batch<float>(9.1f), absolute<float>(x)), shift(Format<float>::to_whole + static_cast<float>(Format<float>::bias));
    const Batch<float> shifted = fma(size, Batch<float>(2.8853900817779268f), shift), n = shifted - shift;
    const Batch<float> r = fnma(n, Batch<float>(0.34657359028f), size), twice = r + r;
    const Batch<float> rest = fma(polynomial<float>(twice, series), twice * twice, twice);
    const Batch<float> scale = from_bits<float>(bits_of<float>(shifted) << Format<float>::fraction);
    const Batch<float> power = fma(scale, rest, scale - Batch<float>(1.0f));
    return with_sign_of<float>(power / (power + Batch<float>(2.0f)), x);
}

// f64: expm1(2|x|) / (expm1(2|x|) + 2): no cancellation near 0, and exactly 1 from where it rounds to 1.
inline Batch<double> hyperbolic_tangent(Batch<double> x) {
    const Batch<double> size = xsimd::min(Batch<double>(20.0), absolute<double>(x));
    const Batch<double> twice = expm1_normal<double>(size + size);
    const Batch<double> result = select(size < Batch<double>(0x1p-28), size, twice / (twice + Batch<double>(2.0)));
    return with_sign_of<double>(result, x);
}

struct HyperbolicTangent {
    template <class T> static Batch<T> apply(Batch<T> x) { return hyperbolic_tangent(x); }
};

// exp(x)/2 + 1/(4 exp(x)/2): half of the exponential doesn't overflow before the result does.
struct HyperbolicCosine {
    template <class T> static Batch<T> apply(Batch<T> x) {
        const Batch<T> half = exp_shifted<T>(absolute<T>(x), T(-1));
        return half + Batch<T>(T(0.25)) / half;
    }
};

struct HyperbolicSine {
    template <class T> static Batch<T> apply(Batch<T> x) {
        const Batch<T> size = absolute<T>(x), one(T(1));
        const Batch<T> half = exp_shifted<T>(size, T(-1)), far = half - Batch<T>(T(0.25)) / half;
        const Batch<T> small = expm1_normal<T>(xsimd::min(one, size));
        const Batch<T> near = select(size < Batch<T>(T(0x1p-28)), size, Batch<T>(T(0.5)) * (small + small / (small + one)));
        return with_sign_of<T>(select(size < one, near, far), x);
    }
};

struct InverseHyperbolicSine {
    template <class T> static Batch<T> apply(Batch<T> x) {
        const Batch<T> size = absolute<T>(x), one(T(1)), bound(T(0x1p28));
        const Batch<T> near = xsimd::min(bound, size), square = near * near;
        const Batch<T> small = Log1p::apply<T>(near + square / (one + xsimd::sqrt(one + square)));
        const Batch<T> large = Log::apply<T>(size) + Batch<T>(T(0.69314718055994530942));
        return with_sign_of<T>(select(size > bound, large, small), x);
    }
};

struct InverseHyperbolicCosine {
    template <class T> static Batch<T> apply(Batch<T> x) {
        const Batch<T> one(T(1)), bound(T(0x1p28)), t = xsimd::min(bound, x) - one;
        const Batch<T> small = Log1p::apply<T>(t + xsimd::sqrt(t * t + (t + t)));
        const Batch<T> large = Log::apply<T>(x) + Batch<T>(T(0.69314718055994530942));
        const Batch<T> result = select(x > bound, large, small);
        return select(x >= one, result, Batch<T>(static_cast<T>(__builtin_nan(""))));
    }
};

struct InverseHyperbolicTangent {
    template <class T> static Batch<T> apply(Batch<T> x) {
        const Batch<T> size = absolute<T>(x), one(T(1));
        const Batch<T> result = Batch<T>(T(0.5)) * Log1p::apply<T>((size + size) / (one - size));
        const Batch<T> inside = select(size < Batch<T>(T(0x1p-28)), size, result);
        return with_sign_of<T>(select(size <= one, inside, Batch<T>(static_cast<T>(__builtin_nan("")))), x);
    }
};

// ---- neural functions

struct Sigmoid {
    template <class T> static Batch<T> apply(Batch<T> x) {
        const Batch<T> one(T(1)), small = exp_shifted<T>(negated<T>(absolute<T>(x)), T(0)); // never overflows
        return select(x >= Batch<T>(T(0)), one, small) / (one + small);
    }
};
struct Silu {
    template <class T> static Batch<T> apply(Batch<T> x) { return x * Sigmoid::apply<T>(x); }
};
// 0.5 x (1 + tanh(u)) is x sigmoid(2 u), which does not cancel for negative x.
struct Gelu {
    template <class T> static Batch<T> apply(Batch<T> x) {
        const Batch<T> cubic = fma(Batch<T>(T(0.044715)) * x * x, x, x);
        return x * Sigmoid::apply<T>(Batch<T>(T(1.5957691216057308)) * cubic);
    }
};

// log(1 + exp(-size)) for size >= 0 or NaN.
template <class T> inline Batch<T> log1p_exp_negative(Batch<T> size) { return log1p_finite<T>(exp_shifted<T>(negated<T>(size), T(0))); }

struct Softplus {
    template <class T> static Batch<T> apply(Batch<T> x) { return xsimd::max(Batch<T>(T(0)), x) + log1p_exp_negative<T>(absolute<T>(x)); }
};
struct LogSigmoid {
    template <class T> static Batch<T> apply(Batch<T> x) { return negated<T>(Softplus::apply<T>(negated<T>(x))); }
};
struct LogAddExp {
    template <class T> static Batch<T> apply(Batch<T> a, Batch<T> b) {
        const Batch<T> larger = select(a > b, a, b), distance = select(a == b, Batch<T>(T(0)), absolute<T>(a - b)); // equal infinities too
        return select(a == a, larger, a) + log1p_exp_negative<T>(distance);
    }
};

// ---- f32 through double alone

struct CubeRoot {
    template <class T> static Doubles apply(Doubles x) {
        const Doubles size = absolute<double>(x), root = Exp::apply<double>(Log::apply<double>(size) * Doubles(1.0 / 3));
        return select((size > Doubles(0.0)) & (size < Doubles(Format<double>::infinity)), with_sign_of<double>(root, x), x);
    }
};

// exp(-x²) t P(t) with t = 1 / (1 + x/2): Chebyshev fit of Numerical Recipes (erfcc), 1.2e-7 relative everywhere.
inline Doubles erfc_positive(Doubles x) {
    static constexpr double fit[] = {0.17087277, -0.82215223, 1.48851587, -1.13520398, 0.27886807, -0.18628806, 0.09678418, 0.37409196, 1.00002368, -1.26551223};
    const Doubles t = Doubles(1.0) / fma(Doubles(0.5), x, Doubles(1.0));
    return t * Exp::apply<double>(fnma(x, x, polynomial<double>(t, fit)));
}

struct ErrorFunction {
    template <class T> static Doubles apply(Doubles x) {
        // 2/sqrt(pi) (-1)^k / (k! (2k + 1)) for k = 13 … 0
        static constexpr double root = 1.12837916709551257390, series[] = {
            -root / 168129561600.0, root / 11975040000.0, -root / 918086400.0, root / 76204800.0, -root / 6894720.0, root / 685440.0, -root / 75600.0,
            root / 9360.0, -root / 1320.0, root / 216.0, -root / 42.0, root / 10.0, -root / 3.0, root};
        const Doubles size = xsimd::min(Doubles(6.0), absolute<double>(x));
        const Doubles near = size * polynomial<double>(size * size, series);
        return with_sign_of<double>(select(size < Doubles(1.0), near, Doubles(1.0) - erfc_positive(size)), x);
    }
};

struct ErrorFunctionComplement {
    template <class T> static Doubles apply(Doubles x) {
        const Doubles positive = erfc_positive(xsimd::min(Doubles(30.0), absolute<double>(x)));
        return select(x < Doubles(0.0), Doubles(2.0) - positive, positive);
    }
};

struct PowerFunction {
    template <class T> static Doubles apply(Doubles base, Doubles exponent) {
        const Doubles zero(0.0), infinity(Format<double>::infinity), size = absolute<double>(base);
        const Doubles limited_exponent = limited<double>(exponent, -0x1p26, 0x1p26), half = limited_exponent * Doubles(0.5);
        const auto whole = nearest<double>(limited_exponent) == limited_exponent; // floats past 2^24 are, and even
        const auto odd = nearest<double>(half) != half;
        const Doubles power = Exp2::apply<double>(exponent * Log2::apply<double>(size));
        Doubles result = select((base < zero) & odd, negated<double>(power), power);
        result = select(exponent == Doubles(2.0), base * base, result); // the same bits as x * x
        const auto served = (size > zero) & (size < infinity) & (absolute<double>(exponent) < infinity) & ((base > zero) | whole);
        if (xsimd::all(served)) return result;
        alignas(64) double x[lanes_of<double>], y[lanes_of<double>], good[lanes_of<double>], out[lanes_of<double>];
        base.store_aligned(x), exponent.store_aligned(y), result.store_aligned(out);
        select(served, Doubles(1.0), zero).store_aligned(good);
        for (long i = 0; i < lanes_of<double>; ++i) {
            if (good[i] == 0) out[i] = y[i] == 2 ? x[i] * x[i] : __builtin_pow(x[i], y[i]);
        }
        return Doubles::load_aligned(out);
    }
};

template <class Function> void fill_both(PointwiseTable& table, PointwiseOp op) {
    table.at(op, ElementType::f32) = unary_batches<float, Function>;
    table.at(op, ElementType::f64) = unary_batches<double, Function>;
}
template <class Function> void fill_through_double(PointwiseTable& table, PointwiseOp op) {
    table.at(op, ElementType::f32) = unary_through_double<Function>;
    table.at(op, ElementType::f64) = unary_batches<double, Function>;
}

} // namespace

namespace VMAPRUN_ARCH {

void fill_functions(PointwiseTable& table) {
    using enum PointwiseOp;
    fill_both<Exp>(table, exp);
    fill_both<Exp2>(table, exp2);
    fill_both<Expm1>(table, expm1);
    fill_both<Log>(table, log);
    fill_both<Log1p>(table, log1p);
    fill_through_double<Log2>(table, log2);
    fill_through_double<Log10>(table, log10);
    fill_through_double<Sine>(table, sin);
    fill_through_double<Cosine>(table, cos);
    table.at(tan, ElementType::f32) = unary_through_double<TangentBy<Quotient::plain>>;
    table.at(tan, ElementType::f64) = unary_batches<double, TangentBy<Quotient::corrected>>;
    fill_through_double<ArcSine>(table, asin);
    fill_through_double<ArcCosine>(table, acos);
    fill_through_double<ArcTangent>(table, atan);
    fill_through_double<HyperbolicSine>(table, sinh);
    fill_through_double<HyperbolicCosine>(table, cosh);
    fill_both<HyperbolicTangent>(table, tanh);
    fill_through_double<InverseHyperbolicSine>(table, asinh);
    fill_through_double<InverseHyperbolicCosine>(table, acosh);
    fill_through_double<InverseHyperbolicTangent>(table, atanh);
    fill_both<Sigmoid>(table, sigmoid);
    fill_both<Silu>(table, silu);
    fill_both<Gelu>(table, gelu);
    fill_both<Softplus>(table, softplus);
    fill_both<LogSigmoid>(table, log_sigmoid);
    table.at(logaddexp, ElementType::f32) = binary_batches<float, LogAddExp>;
    table.at(logaddexp, ElementType::f64) = binary_batches<double, LogAddExp>;
    table.at(cbrt, ElementType::f32) = unary_through_double<CubeRoot>;
    table.at(erf, ElementType::f32) = unary_through_double<ErrorFunction>;
    table.at(erfc, ElementType::f32) = unary_through_double<ErrorFunctionComplement>;
    table.at(pow, ElementType::f32) = binary_through_double<PowerFunction>;
}

} // namespace VMAPRUN_ARCH
} // namespace vmaprun
