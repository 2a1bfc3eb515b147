// Circular functions and their inverses on batches of doubles (f32 goes through them), within about 1.5 units in the last
// place. Polynomials and rational forms are those of Sun's fdlibm.
#pragma once

#include "ops/kernels/simd/batch.hpp"

namespace vmaprun {
namespace {

using Doubles = Batch<double>;

// x - n pi/2 as high + low, good to 118 bits while n has at most 20.
struct Reduced {
    Doubles n, high, low;
};
inline constexpr double largest_reduced = 1.6e6; // beyond, the C library's reduction

inline Reduced reduced(Doubles x) {
    const Doubles n = nearest<double>(x * Doubles(6.36619772367581382433e-01));
    const Doubles first = x - n * Doubles(1.57079632673412561417e+00);
    const Doubles second = n * Doubles(6.07710050630396597660e-11);
    const Doubles rest = first - second;
    const Doubles correction = n * Doubles(2.02226624879595063154e-21) - ((first - rest) - second);
    const Doubles high = rest - correction;
    return {n, high, (rest - high) - correction};
}

// A value and what its last addition lost.
struct WithRest {
    Doubles value, rest;
};

inline WithRest sine_near_zero(Doubles x, Doubles low) {
    static constexpr double series[] = {1.58969099521155010221e-10, -2.50507602534068634195e-08, 2.75573137070700676789e-06, -1.98412698298579493134e-04, 8.33333333332248946124e-03};
    const Doubles z = x * x, cube = z * x, rest = polynomial<double>(z, series);
    const Doubles less = (z * (Doubles(0.5) * low - cube * rest) - low) - cube * Doubles(-1.66666666666666324348e-01), value = x - less;
    return {value, (x - value) - less};
}

inline WithRest cosine_near_zero(Doubles x, Doubles low) {
    static constexpr double series[] = {-1.13596475577881948265e-11, 2.08757232129817482790e-09, -2.75573143513906633035e-07, 2.48015872894767294178e-05, -1.38888888888741095749e-03, 4.16666666666666019037e-02};
    const Doubles z = x * x, half = Doubles(0.5) * z, w = Doubles(1.0) - half;
    const Doubles more = ((Doubles(1.0) - w) - half) + (z * (z * polynomial<double>(z, series)) - x * low), value = w + more;
    return {value, (w - value) + more};
}

// Of the quadrant n: odd ones swap sine and cosine; the sign follows from n + shift, shift 1 for the cosine.
inline Doubles of_quadrant(const Reduced& r, double shift) {
    const Doubles n = r.n + Doubles(shift), half = n * Doubles(0.5);
    const Doubles even = nearest<double>(half - Doubles(0.25)); // floor(n / 2): n is whole
    const auto odd = (even + even) != n;
    const Doubles quarter = even * Doubles(0.5);
    const auto negative = nearest<double>(quarter - Doubles(0.25)) != quarter;
    const Doubles value = select(odd, cosine_near_zero(r.high, r.low).value, sine_near_zero(r.high, r.low).value);
    return select(negative, negated<double>(value), value);
}

inline Mask<double> is_reduced(Doubles x) { return absolute<double>(x) < Doubles(largest_reduced); }

struct Sine {
    template <class T> static Doubles apply(Doubles x) {
        const Doubles result = select(x == Doubles(0.0), x, of_quadrant(reduced(x), 0));
        return where_not<double>(is_reduced(x), x, result, [](double a) { return __builtin_sin(a); });
    }
};
struct Cosine {
    template <class T> static Doubles apply(Doubles x) {
        return where_not<double>(is_reduced(x), x, of_quadrant(reduced(x), 1), [](double a) { return __builtin_cos(a); });
    }
};
// s - q c, almost exactly, for a quotient q of s and c.
inline Doubles remainder_of(Doubles s, Doubles q, Doubles c) {
#if defined(__FMA__) || defined(__aarch64__)
    return fnma(q, c, s);
#else
    const auto upper = [](Doubles x) { return from_bits<double>(bits_of<double>(x) & BitBatch<double>(uint64_t{0xfffffffff8000000u})); };
    const Doubles q_high = upper(q), c_high = upper(c), q_low = q - q_high, c_low = c - c_high;
    return ((s - q_high * c_high) - (q_high * c_low + q_low * c_high)) - q_low * c_low;
#endif
}

enum class Quotient { plain, corrected };

// Sine over cosine; corrected: each with what its last addition lost, and the quotient by its remainder. f32 needs no correction.
template <Quotient kind> struct TangentBy {
    template <class T> static Doubles apply(Doubles x) {
        const Reduced r = reduced(x);
        const auto [sine, sine_low] = sine_near_zero(r.high, r.low);
        const auto [cosine, cosine_low] = cosine_near_zero(r.high, r.low);
        const Doubles half = r.n * Doubles(0.5);
        const auto odd = nearest<double>(half) != half;
        const Doubles top = select(odd, negated<double>(cosine), sine), bottom = select(odd, sine, cosine);
        Doubles value;
        if constexpr (kind == Quotient::plain) {
            value = top / bottom;
        } else {
            const Doubles top_low = select(odd, negated<double>(cosine_low), sine_low), bottom_low = select(odd, sine_low, cosine_low);
            const Doubles inverse = Doubles(1.0) / bottom, quotient = top * inverse;
            value = fma((remainder_of(top, quotient, bottom) + top_low) - quotient * bottom_low, inverse, quotient);
        }
        return where_not<double>(is_reduced(x), x, select(x == Doubles(0.0), x, value), [](double a) { return __builtin_tan(a); });
    }
};

inline constexpr double half_pi_high = 1.57079632679489655800e+00, half_pi_low = 6.12323399573676603587e-17;

// (asin(x) - x) / x for z = x², |x| <= 1/2
inline Doubles asin_rest(Doubles z) {
    static constexpr double top[] = {3.47933107596021167570e-05, 7.91534994289814532176e-04, -4.00555345006794114027e-02, 2.01212532134862925881e-01, -3.25565818622400915405e-01, 1.66666666666666657415e-01};
    static constexpr double bottom[] = {7.70381505559019352791e-02, -6.88283971605453293030e-01, 2.02094576023350569471e+00, -2.40339491173441421878e+00, 1.0};
    return z * polynomial<double>(z, top) / polynomial<double>(z, bottom);
}

// The square root of z as high + low, high with half the bits.
struct Root {
    Doubles whole, high, low;
};
inline Root split_root(Doubles z) {
    const Doubles root = xsimd::sqrt(z);
    const Doubles high = from_bits<double>(bits_of<double>(root) & BitBatch<double>(uint64_t{0xffffffff00000000u}));
    const Doubles low = (z - high * high) / (root + high);
    return {root, high, select(root == Doubles(0.0), Doubles(0.0), low)};
}

struct ArcSine {
    template <class T> static Doubles apply(Doubles x) {
        const Doubles size = absolute<double>(x), far = Doubles(0.5) * (Doubles(1.0) - size); // NaN beyond 1, by the root
        const auto near = size < Doubles(0.5);
        const Doubles rest = asin_rest(select(near, x * x, far));
        const Root root = split_root(far);
        const Doubles p = Doubles(2.0) * root.whole * rest - (Doubles(half_pi_low) - Doubles(2.0) * root.low);
        const Doubles q = Doubles(0.5 * half_pi_high) - Doubles(2.0) * root.high;
        const Doubles outer = with_sign_of<double>(Doubles(0.5 * half_pi_high) - (p - q), x);
        const Doubles result = select(near, x + x * rest, outer);
        return select(x == Doubles(0.0), x, select(size <= Doubles(1.0), result, Doubles(__builtin_nan(""))));
    }
};

struct ArcCosine {
    template <class T> static Doubles apply(Doubles x) {
        const Doubles size = absolute<double>(x), far = Doubles(0.5) * (Doubles(1.0) - size);
        const auto near = size < Doubles(0.5);
        const Doubles rest = asin_rest(select(near, x * x, far));
        const Root root = split_root(far);
        const Doubles middle = Doubles(half_pi_high) - (x - (Doubles(half_pi_low) - x * rest));
        const Doubles right = Doubles(2.0) * (root.high + (rest * root.whole + root.low));
        const Doubles left = Doubles(2.0) * (Doubles(half_pi_high) - (root.whole + (rest * root.whole - Doubles(half_pi_low))));
        const Doubles result = select(near, middle, select(x < Doubles(0.0), left, right));
        return select(size <= Doubles(1.0), result, Doubles(__builtin_nan("")));
    }
};

// atan(x) = atan(c) + atan((x - c) / (1 + c x)) for c in 0, 1/2, 1, 3/2, infinity.
struct ArcTangent {
    template <class T> static Doubles apply(Doubles x) {
        static constexpr double odd[] = {-3.65315727442169155270e-02, -5.83357013379057348645e-02, -7.69187620504482999495e-02, -1.11111104054623557880e-01, -1.99999999998764832476e-01};
        static constexpr double even[] = {1.62858201153657823623e-02, 4.97687799461593236017e-02, 6.66107313738753120669e-02, 9.09088713343650656196e-02, 1.42857142725034663711e-01, 3.33333333333329318027e-01};
        const Doubles size = absolute<double>(x), one(1.0), two(2.0);
        Doubles top = size, bottom = one, high(0.0), low(0.0);
        const auto beyond = [&](double bound, Doubles t, Doubles b, double h, double l) {
            const auto is = size >= Doubles(bound);
            top = select(is, t, top), bottom = select(is, b, bottom), high = select(is, Doubles(h), high), low = select(is, Doubles(l), low);
        };
        beyond(7.0 / 16, two * size - one, two + size, 4.63647609000806093515e-01, 2.26987774529616870924e-17);
        beyond(11.0 / 16, size - one, size + one, 7.85398163397448278999e-01, 3.06161699786838301793e-17);
        beyond(19.0 / 16, size - Doubles(1.5), one + Doubles(1.5) * size, 9.82793723247329054082e-01, 1.39033110312309984516e-17);
        beyond(39.0 / 16, Doubles(-1.0), size, half_pi_high, half_pi_low);
        const Doubles t = top / bottom, z = t * t, w = z * z;
        const Doubles series = z * polynomial<double>(w, even) + w * polynomial<double>(w, odd);
        const Doubles result = high - ((t * series - low) - t);
        return with_sign_of<double>(select(size == size, result, x), x);
    }
};

} // namespace
} // namespace vmaprun
