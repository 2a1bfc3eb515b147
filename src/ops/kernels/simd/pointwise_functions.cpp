// Elementary and neural functions of floats, on batches. What is not here runs one element after another
// (kernels/pointwise_portable.cpp). Functions marked "through double" compute f32 in f64.
#include <type_traits>
#include <utility>

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

// ---- the inverse error function: Giles, Approximating the erfinv function (GPU Computing Gems 2, 2010), the polynomials in
// w = -log(1 - x²) that JAX's backend takes, so that normal() agrees with its own.

inline Batch<float> inverse_error(Batch<float> x) {
    static constexpr float middle[] = {2.81022636e-08f, 3.43273939e-07f, -3.5233877e-06f, -4.39150654e-06f, 0.00021858087f, -0.00125372503f, -0.00417768164f, 0.246640727f, 1.50140941f};
    static constexpr float tail[] = {-0.000200214257f, 0.000100950558f, 0.00134934322f, -0.00367342844f, 0.00573950773f, -0.0076224613f, 0.00943887047f, 1.00167406f, 2.83297682f};
    const Batch<float> w = negated<float>(Log1p::apply<float>(negated<float>(x * x)));
    const Batch<float> near = polynomial<float>(w - Batch<float>(2.5f), middle), far = polynomial<float>(xsimd::sqrt(w) - Batch<float>(3.0f), tail);
    return select(w < Batch<float>(5.0f), near, far);
}

inline Batch<double> inverse_error(Batch<double> x) {
    static constexpr double middle[] = {-3.6444120640178196996e-21, -1.685059138182016589e-19, 1.2858480715256400167e-18, 1.115787767802518096e-17, -1.333171662854620906e-16,
                                        2.0972767875968561637e-17, 6.6376381343583238325e-15, -4.0545662729752068639e-14, -8.1519341976054721522e-14, 2.6335093153082322977e-12,
                                        -1.2975133253453532498e-11, -5.4154120542946279317e-11, 1.051212273321532285e-09, -4.1126339803469836976e-09, -2.9070369957882005086e-08,
                                        4.2347877827932403518e-07, -1.3654692000834678645e-06, -1.3882523362786468719e-05, 0.0001867342080340571352, -0.00074070253416626697512,
                                        -0.0060336708714301490533, 0.24015818242558961693, 1.6536545626831027356};
    static constexpr double tail[] = {2.2137376921775787049e-09, 9.0756561938885390979e-08, -2.7517406297064545428e-07, 1.8239629214389227755e-08, 1.5027403968909827627e-06,
                                      -4.013867526981545969e-06, 2.9234449089955446044e-06, 1.2475304481671778723e-05, -4.7318229009055733981e-05, 6.8284851459573175448e-05,
                                      2.4031110387097893999e-05, -0.0003550375203628474796, 0.00095328937973738049703, -0.0016882755560235047313, 0.0024914420961078508066,
                                      -0.0037512085075692412107, 0.005370914553590063617, 1.0052589676941592334, 3.0838856104922207635};
    static constexpr double end[] = {-2.7109920616438573243e-11, -2.5556418169965252055e-10, 1.5076572693500548083e-09, -3.7894654401267369937e-09, 7.6157012080783393804e-09,
                                     -1.4960026627149240478e-08, 2.9147953450901080826e-08, -6.7711997758452339498e-08, 2.2900482228026654717e-07, -9.9298272942317002539e-07,
                                     4.5260625972231537039e-06, -1.9681778105531670567e-05, 7.5995277030017761139e-05, -0.00021503011930044477347, -0.00013871931833623122026,
                                     1.0103004648645343977, 4.8499064014085844221};
    const Batch<double> w = negated<double>(Log1p::apply<double>(negated<double>(x * x))), root = xsimd::sqrt(w);
    const Batch<double> near = polynomial<double>(w - Batch<double>(3.125), middle);
    const Batch<double> far = select(w < Batch<double>(16.0), polynomial<double>(root - Batch<double>(3.25), tail), polynomial<double>(root - Batch<double>(5.0), end));
    return select(w < Batch<double>(6.25), near, far);
}

struct InverseErrorFunction {
    template <class T> static Batch<T> apply(Batch<T> x) {
        const auto edge = absolute<T>(x) == Batch<T>(T(1));
        return select(edge, Batch<T>(Format<T>::infinity), inverse_error(x)) * x;
    }
};

// A number of [0, 1) made a standard normal one: the inverse of its distribution at u, in JAX's arithmetic.
struct NormalQuantile {
    template <class T> static Batch<T> apply(Batch<T> u) {
        const Batch<T> least(sizeof(T) == 4 ? T(-0x1.fffffep-1) : T(-0x1.fffffffffffffp-1)); // the next number after -1
        return Batch<T>(T(1.41421356237309504880)) * InverseErrorFunction::apply<T>(xsimd::max(u + u + least, least));
    }
};

// A number of [0, 1) stretched over low … high, rounded once.
template <class T> void between_loop(void* out, const void* const* in, long n) {
    constexpr long width = lanes_of<T>;
    T* y = static_cast<T*>(out);
    const T *unit = static_cast<const T*>(in[0]), *low = static_cast<const T*>(in[1]), *high = static_cast<const T*>(in[2]);
    const auto stretched = [](Batch<T> x, Batch<T> from, Batch<T> to) { return xsimd::max(fma(x, to - from, from), from); };
    long i = 0;
    for (; i + width <= n; i += width) stretched(Batch<T>::load_unaligned(unit + i), Batch<T>::load_unaligned(low + i), Batch<T>::load_unaligned(high + i)).store_unaligned(y + i);
    if (i == n) return;
    alignas(64) T padded[3][width] = {};
    const auto bytes = static_cast<unsigned long>(n - i) * sizeof(T);
    __builtin_memcpy(padded[0], unit + i, bytes), __builtin_memcpy(padded[1], low + i, bytes), __builtin_memcpy(padded[2], high + i, bytes);
    stretched(Batch<T>::load_aligned(padded[0]), Batch<T>::load_aligned(padded[1]), Batch<T>::load_aligned(padded[2])).store_aligned(padded[0]);
    __builtin_memcpy(y + i, padded[0], bytes);
}

template <class Function> void fill_both(PointwiseTable& table, PointwiseOp op) {
    table.at(op, ElementType::f32) = batches<float, Function>;
    table.at(op, ElementType::f64) = batches<double, Function>;
}
template <class Function> void fill_through_double(PointwiseTable& table, PointwiseOp op) {
    table.at(op, ElementType::f32) = unary_through_double<Function>;
    table.at(op, ElementType::f64) = batches<double, Function>;
}

// ---- functions of a sum or product, and products of those, in one loop: what is between is rounded as ever

struct Same {
    static constexpr int operands = 1;
    template <class T> static Batch<T> apply(Batch<T> a) { return a; }
};
struct Affine {
    static constexpr int operands = 3;
    template <class T> static Batch<T> apply(Batch<T> a, Batch<T> b, Batch<T> c) { return a * b + c; }
};
struct Product {
    static constexpr int operands = 2;
    template <class T> static Batch<T> apply(Batch<T> a, Batch<T> b) { return a * b; }
};
struct NegatedProduct {
    static constexpr int operands = 2;
    // The sign is turned, zeros included: 0 - a would leave 0.0 as it is.
    template <class T> static Batch<T> apply(Batch<T> a, Batch<T> b) { return (a ^ Batch<T>(T(-0.0))) * b; }
};
template <class Function, class Inner> struct Of {
    static constexpr int operands = Inner::operands;
    template <class T, class... Operands> static Batch<T> apply(Operands... operands) { return Function::template apply<T>(Inner::template apply<T>(operands...)); }
};
template <class Left, class Right> struct Times {
    static constexpr int operands = Left::operands + Right::operands;
    template <class T, class... Operands> static Batch<T> apply(Operands... operands) {
        const Batch<T> all[] = {operands...};
        return product<T>(all, std::make_index_sequence<Left::operands>{}, std::make_index_sequence<Right::operands>{});
    }
    template <class T, std::size_t... left, std::size_t... right> static Batch<T> product(const Batch<T>* all, std::index_sequence<left...>, std::index_sequence<right...>) {
        return Left::template apply<T>(all[left]...) * Right::template apply<T>(all[Left::operands + right]...);
    }
};

// The kernel of a function of one expression, as the table or its compositions have it.
template <class T, class Function, class Inner> constexpr TileFunction kernel_of(Of<Function, Inner>) { return batches<T, Of<Function, Inner>, Inner::operands>; }
template <class T, class Function> constexpr TileFunction kernel_of(Of<Function, Same>) { return batches<T, Function>; }

template <class T, class... Functions> void compose_functions(PointwiseTable& table, const PointwiseOp (&ops)[sizeof...(Functions)]) {
    static Composition list[3 * sizeof...(Functions)];
    constexpr ElementType type = element_of<T>();
    const TileFunction product = table.at(PointwiseOp::multiply, type), affine = composed_in(table, table.at(PointwiseOp::add, type), product, nullptr);
    const TileFunction negated = composed_in(table, product, table.at(PointwiseOp::negative, type), nullptr);
    unsigned long count = 0;
    const PointwiseOp* op = ops;
    const auto add = [&]<class Function>(TileFunction inner, Function whole) {
        if (inner != nullptr) list[count++] = {table.at(*op, type), inner, nullptr, kernel_of<T>(whole), type, Function::operands, 0};
    };
    ((add(affine, Of<Functions, Affine>{}), add(product, Of<Functions, Product>{}), add(negated, Of<Functions, NegatedProduct>{}), ++op), ...);
    table.compositions[table.composition_lists++] = {list, count};
}

template <int count> struct KernelRow {
    TileFunction at[count];
};
template <class T, class Left, class Right> constexpr TileFunction product_of() {
    if constexpr (std::is_same_v<Left, Same> && std::is_same_v<Right, Same>) return nullptr; // two operands: no function
    else return batches<T, Times<Left, Right>, Times<Left, Right>::operands>;
}
template <class T, class Left, class... Rights> constexpr KernelRow<sizeof...(Rights)> products_of() { return {{product_of<T, Left, Rights>()...}}; }

template <class T, class... Functions> struct Products {
    static constexpr int count = sizeof...(Functions), operands[] = {Functions::operands...};
    static constexpr TileFunction functions[] = {kernel_of<T>(Functions{})...};
    static constexpr KernelRow<count + 1> whole[] = {products_of<T, Functions, Functions..., Same>()..., products_of<T, Same, Functions..., Same>()};
};
template <class T> using GateProducts = Products<T, Of<Exp, Same>, Of<Exp, Affine>, Of<Exp, NegatedProduct>, Of<HyperbolicTangent, Same>, Of<HyperbolicTangent, Affine>,
                                                 Of<HyperbolicTangent, NegatedProduct>, Of<Sigmoid, Same>, Of<Sigmoid, Affine>, Of<Sigmoid, NegatedProduct>>;

template <class T> FunctionProducts products_in(const PointwiseTable& table) {
    using All = GateProducts<T>;
    return {table.at(PointwiseOp::multiply, element_of<T>()), All::functions, All::operands, All::count, All::whole[0].at};
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
    table.at(tan, ElementType::f64) = batches<double, TangentBy<Quotient::corrected>>;
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
    fill_both<InverseErrorFunction>(table, erfinv);
    fill_both<NormalQuantile>(table, normal_quantile);
    compose_functions<float, Exp, HyperbolicTangent, Sigmoid>(table, {exp, tanh, sigmoid});
    compose_functions<double, Exp, HyperbolicTangent, Sigmoid>(table, {exp, tanh, sigmoid});
    table.products[0] = products_in<float>(table);
    table.products[1] = products_in<double>(table);
    table.at(between, ElementType::f32) = between_loop<float>;
    table.at(between, ElementType::f64) = between_loop<double>;
    table.at(logaddexp, ElementType::f32) = batches<float, LogAddExp, 2>;
    table.at(logaddexp, ElementType::f64) = batches<double, LogAddExp, 2>;
    table.at(cbrt, ElementType::f32) = unary_through_double<CubeRoot>;
    table.at(erf, ElementType::f32) = unary_through_double<ErrorFunction>;
    table.at(erfc, ElementType::f32) = unary_through_double<ErrorFunctionComplement>;
    table.at(pow, ElementType::f32) = binary_through_double<PowerFunction>;
}

} // namespace VMAPRUN_ARCH
} // namespace vmaprun
