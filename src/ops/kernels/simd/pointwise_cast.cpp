// Casts between all element types. Floats to whole numbers truncate and saturate, NaN is 0; whole numbers wrap; to bool:
// whether it is not 0; complex numbers only to bool and to each other.
#include "ops/kernels/simd/loops.hpp"

namespace vmaprun {
namespace {

template <class T> inline constexpr int value_bits = 8 * static_cast<int>(sizeof(T)) - (is_signed<T> ? 1 : 0);

// 2 to the power of the bits of T: the first value above its range. Exact in float and double.
template <class To, class From> constexpr From above() {
    From power = 1;
    for (int i = 0; i < value_bits<To>; ++i) power *= 2;
    return power;
}

template <class To, class From> To whole(From a) {
    constexpr From limit = above<To, From>();
    constexpr From lowest = is_signed<To> ? -limit : From(0);
    constexpr To largest = static_cast<To>(static_cast<Unsigned<To>>(~Unsigned<To>{0}) >> (is_signed<To> ? 1 : 0));
    constexpr To smallest = is_signed<To> ? static_cast<To>(~largest) : To{0};
    const bool inside = (a >= lowest) & (a < limit);
    const To converted = static_cast<To>(inside ? a : From(0)); // never converts what doesn't fit
    return inside ? converted : a >= limit ? largest : a < lowest ? smallest : To{0};
}

template <class To, class From> struct Cast {
    static To apply(From a) {
        if constexpr (__is_same(From, Complex64) || __is_same(From, Complex128)) {
            if constexpr (__is_same(To, Truth)) return truth((a.re != 0) | (a.im != 0));
            else return {static_cast<decltype(To::re)>(a.re), static_cast<decltype(To::re)>(a.im)};
        } else if constexpr (__is_same(From, Truth)) {
            return Cast<To, uint8>::apply(static_cast<uint8>(a.byte != 0));
        } else if constexpr (__is_same(To, Complex64) || __is_same(To, Complex128)) {
            return {static_cast<decltype(To::re)>(a), 0};
        } else if constexpr (__is_same(To, Truth)) {
            return truth(a != 0);
        } else if constexpr (is_float<From> && !is_float<To>) {
            return whole<To>(a);
        } else {
            return static_cast<To>(a);
        }
    }
};

template <class From, class... To> void fill_from(PointwiseTable& table, TypeList<To...>) {
    ((table.cast[static_cast<int>(element_of<From>())][static_cast<int>(element_of<To>())] = unary_loop<Cast<To, From>, To, From>), ...);
}

template <class... From> void fill_real(PointwiseTable& table, TypeList<From...>) {
    (fill_from<From>(table, TypeList<Truth, int8, int16, int32, int64, uint8, uint16, uint32, uint64, float, double, Complex64, Complex128>{}), ...);
}

} // namespace

namespace VMAPRUN_ARCH {

void fill_casts(PointwiseTable& table) {
    fill_real(table, TypeList<Truth>{});
    fill_real(table, Reals{});
    fill_from<Complex64>(table, TypeList<Truth, Complex64, Complex128>{});
    fill_from<Complex128>(table, TypeList<Truth, Complex64, Complex128>{});
}

} // namespace VMAPRUN_ARCH
} // namespace vmaprun
