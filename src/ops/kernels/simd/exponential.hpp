// Exponentials and logarithms on batches, f32 and f64, within about 1.5 units in the last place over the whole range,
// denormal results, overflow thresholds and special values included.
//
// exp: x = n ln 2 + r with |r| <= ln 2 / 2 (Cody & Waite), a polynomial in r, then 2^n in a way that rounds once.
// log: x = 2^k m with m near 1, s = (m - 1) / (m + 1), and the series in s of Sun's fdlibm.
#pragma once

#include "ops/kernels/simd/batch.hpp"

namespace vmaprun {
namespace {

template <class T> struct ExpConstants;
template <> struct ExpConstants<float> {
    static constexpr float ln2_high = 0.693359375f, ln2_low = -2.12194440e-4f; // n * ln2_high is exact
    static constexpr float lowest = -104.5f, largest = 90.0f, lowest2 = -151.0f, largest2 = 129.0f;
    // (exp(r) - 1 - r) / r², from the highest power down
    static constexpr float series[] = {1.9875691500e-4f, 1.3981999507e-3f, 8.3334519073e-3f, 4.1665795894e-2f, 1.6666665459e-1f, 5.0000001201e-1f};
};
template <> struct ExpConstants<double> {
    static constexpr double ln2_high = 6.93147180369123816490e-01, ln2_low = 1.90821492927058770002e-10;
    static constexpr double lowest = -746.0, largest = 711.0, lowest2 = -1076.0, largest2 = 1025.0;
    static constexpr double series[] = {1.0 / 6227020800.0, 1.0 / 479001600.0, 1.0 / 39916800.0, 1.0 / 3628800.0, 1.0 / 362880.0, 1.0 / 40320.0,
                                        1.0 / 5040.0,       1.0 / 720.0,       1.0 / 120.0,      1.0 / 24.0,      1.0 / 6.0,      0.5};
};

// exp(x) as 2^n (1 + rest).
template <class T> struct SplitExp {
    Batch<T> n, rest;
};

template <class T> inline Batch<T> exp_rest(Batch<T> r) { return fma(polynomial<T>(r, ExpConstants<T>::series), r * r, r); }

template <class T> inline SplitExp<T> split_exp(Batch<T> x) {
    const Batch<T> n = nearest<T>(x * Batch<T>(T(1.4426950408889634)));
    const Batch<T> high = fnma(n, Batch<T>(ExpConstants<T>::ln2_high), x);
    return {n, exp_rest<T>(fnma(n, Batch<T>(ExpConstants<T>::ln2_low), high))};
}

// exp(x) * 2^shift
template <class T> inline Batch<T> exp_shifted(Batch<T> x, T shift) {
    const auto [n, rest] = split_exp<T>(limited<T>(x, ExpConstants<T>::lowest, ExpConstants<T>::largest));
    return scaled<T>(rest + Batch<T>(T(1)), shift == 0 ? n : n + Batch<T>(shift));
}

struct Exp {
    template <class T> static Batch<T> apply(Batch<T> x) { return exp_shifted<T>(x, T(0)); }
};

struct Exp2 {
    template <class T> static Batch<T> apply(Batch<T> given) {
        const Batch<T> x = limited<T>(given, ExpConstants<T>::lowest2, ExpConstants<T>::largest2);
        const Batch<T> n = nearest<T>(x);
        return scaled<T>(exp_rest<T>((x - n) * Batch<T>(T(0.69314718055994530942))) + Batch<T>(T(1)), n);
    }
};

// exp(x) for -87 < x < 88 (-708 < x < 709): the result is a normal number.
template <class T> inline Batch<T> exp_normal(Batch<T> x) {
    const auto [n, rest] = split_exp<T>(x);
    return (rest + Batch<T>(T(1))) * power_of_two<T>(n);
}

// exp(x) - 1 for x in the same range.
template <class T> inline Batch<T> expm1_normal(Batch<T> x) {
    const auto [n, rest] = split_exp<T>(x);
    const Batch<T> scale = power_of_two<T>(n);
    return fma(scale, rest, scale - Batch<T>(T(1)));
}

// 2^n rest + (2^n - 1), at half the size so that 2^n never overflows before the result does.
struct Expm1 {
    template <class T> static Batch<T> apply(Batch<T> x) {
        const auto [n, rest] = split_exp<T>(limited<T>(x, sizeof(T) == 4 ? T(-30) : T(-60), sizeof(T) == 4 ? T(89) : T(710)));
        const Batch<T> one(T(1)), half(T(0.5)), scale = power_of_two<T>(n - one);
        const Batch<T> result = fma(scale, rest, scale - half);
        return select(absolute<T>(x) < Batch<T>(sizeof(T) == 4 ? T(0x1p-25) : T(0x1p-54)), x, result + result); // keeps -0 and denormals
    }
};

// ---- logarithms

template <class T> struct LogConstants;
template <> struct LogConstants<float> {
    static constexpr float ln2_high = 6.9313812256e-01f, ln2_low = 9.0580006145e-06f;
    static constexpr uint32_t root_half = 0x3f3504f3u;
    static constexpr float even[] = {0.24279078841f, 0.40000972152f}, odd[] = {0.28498786688f, 0.66666662693f};
};
template <> struct LogConstants<double> {
    static constexpr double ln2_high = 6.93147180369123816490e-01, ln2_low = 1.90821492927058770002e-10;
    static constexpr uint64_t root_half = 0x3fe6a09e00000000u;
    static constexpr double even[] = {1.531383769920937332e-01, 2.222219843214978396e-01, 3.999999999940941908e-01};
    static constexpr double odd[] = {1.479819860511658591e-01, 1.818357216161805012e-01, 2.857142874366239149e-01, 6.666666666666735130e-01};
};

// x = 2^exponent * fraction, with fraction in [sqrt(1/2), sqrt(2)); x normal and positive.
template <class T> struct Parts {
    Batch<T> exponent, fraction;
};

template <class T> inline Parts<T> split_normal(Batch<T> x) {
    using Bits = typename Format<T>::Bits;
    constexpr Bits one = static_cast<Bits>(Format<T>::bias) << Format<T>::fraction;
    constexpr Bits whole = static_cast<Bits>(Format<T>::bias + Format<T>::fraction) << Format<T>::fraction; // the bits of 2^23 (2^52)
    constexpr T offset = static_cast<T>(Bits{1} << Format<T>::fraction) + T(Format<T>::bias);
    const BitBatch<T> bits = bits_of<T>(x) + BitBatch<T>(static_cast<Bits>(one - LogConstants<T>::root_half));
    const Batch<T> exponent = from_bits<T>((bits >> Format<T>::fraction) | BitBatch<T>(whole)) - Batch<T>(offset);
    const BitBatch<T> fraction = (bits & BitBatch<T>(static_cast<Bits>((Bits{1} << Format<T>::fraction) - 1))) + BitBatch<T>(LogConstants<T>::root_half);
    return {exponent, from_bits<T>(fraction)};
}

// The same for denormal x too.
template <class T> inline Parts<T> split(Batch<T> x) {
    const auto denormal = x < Batch<T>(Format<T>::least_normal);
    constexpr T lift = sizeof(T) == 4 ? T(0x1p25) : T(0x1p54);
    const Parts<T> parts = split_normal<T>(select(denormal, x * Batch<T>(lift), x));
    return {select(denormal, parts.exponent - Batch<T>(sizeof(T) == 4 ? T(25) : T(54)), parts.exponent), parts.fraction};
}

// With f = m - 1 and s = f / (2 + f): log(m) = f - f²/2 + s (f²/2 + series(s²)). Gives s (f²/2 + series).
template <class T> inline Batch<T> log_tail(Batch<T> f, Batch<T> half_square) {
    const Batch<T> s = f / (Batch<T>(T(2)) + f), z = s * s, w = z * z;
    const Batch<T> series = fma(z, polynomial<T>(w, LogConstants<T>::odd), w * polynomial<T>(w, LogConstants<T>::even));
    return s * (half_square + series);
}

// k ln 2 + log(1 + f) + correction
template <class T> inline Batch<T> log_sum(Batch<T> k, Batch<T> f, Batch<T> correction) {
    const Batch<T> half_square = Batch<T>(T(0.5)) * f * f;
    const Batch<T> low = log_tail<T>(f, half_square) + fma(k, Batch<T>(LogConstants<T>::ln2_low), correction);
    return fma(k, Batch<T>(LogConstants<T>::ln2_high), f - (half_square - low));
}

// The values outside of 0 < x < infinity.
template <class T> inline Batch<T> log_edges(Batch<T> x, Batch<T> result) {
    const Batch<T> zero(T(0)), infinity(Format<T>::infinity);
    result = select(x == infinity, infinity, result);
    result = select(x == zero, negated<T>(infinity), result);
    return select(x >= zero, result, Batch<T>(static_cast<T>(__builtin_nan("")))); // NaN also where x is
}

struct Log {
    template <class T> static Batch<T> apply(Batch<T> x) {
        const auto [k, m] = split<T>(x);
        return log_edges<T>(x, log_sum<T>(k, m - Batch<T>(T(1)), Batch<T>(T(0))));
    }
};

// log1p for x >= 0 that is finite or NaN, and for small negative x.
template <class T> inline Batch<T> log1p_finite(Batch<T> x) {
    const Batch<T> one(T(1)), u = one + x;
    const auto [k, m] = split_normal<T>(u);
    // What rounding took from 1 + x.
    const Batch<T> lost = select(x > one, one - (u - x), x - (u - one)) / u;
    const auto direct = k == Batch<T>(T(0));
    return log_sum<T>(k, select(direct, x, m - one), select(direct, Batch<T>(T(0)), lost));
}

struct Log1p {
    template <class T> static Batch<T> apply(Batch<T> x) {
        const Batch<T> result = log_edges<T>(x + Batch<T>(T(1)), log1p_finite<T>(x));
        return select(absolute<T>(x) < Batch<T>(sizeof(T) == 4 ? T(0x1p-25) : T(0x1p-54)), x, result);
    }
};

// f - f²/2 + tail as high + low, high with half the bits, so that its product with a constant of half the bits is exact.
struct HighLow {
    Batch<double> high, low;
};
inline HighLow log_parts(Batch<double> f) {
    const Batch<double> half_square = Batch<double>(0.5) * f * f, tail = log_tail<double>(f, half_square);
    const Batch<double> high = from_bits<double>(bits_of<double>(f - half_square) & BitBatch<double>(uint64_t{0xffffffff00000000u}));
    return {high, ((f - high) - half_square) + tail};
}

struct Log2 {
    template <class T> static Batch<T> apply(Batch<T> x) {
        const auto [k, m] = split<double>(x);
        const auto [high, low] = log_parts(m - Batch<double>(1.0));
        const Batch<double> factor_high(1.44269504072144627571e+00), factor_low(1.67517131648865118353e-10);
        const Batch<double> value = high * factor_high, rest = fma(low + high, factor_low, low * factor_high);
        const Batch<double> sum = k + value;
        return log_edges<double>(x, (rest + ((k - sum) + value)) + sum);
    }
};

struct Log10 {
    template <class T> static Batch<T> apply(Batch<T> x) {
        const auto [k, m] = split<double>(x);
        const auto [high, low] = log_parts(m - Batch<double>(1.0));
        const Batch<double> factor_high(4.34294481878168880939e-01), factor_low(2.50829467116452752298e-11);
        const Batch<double> value = high * factor_high, base = k * Batch<double>(3.01029995663611771306e-01);
        const Batch<double> sum = base + value;
        const Batch<double> rest = fma(k, Batch<double>(3.69423907715893078616e-13), fma(low + high, factor_low, low * factor_high));
        return log_edges<double>(x, (rest + ((base - sum) + value)) + sum);
    }
};

} // namespace
} // namespace vmaprun
