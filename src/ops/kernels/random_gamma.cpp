// Gamma variates: Marsaglia & Tsang, A simple method for generating gamma variables (2000), with the keys split as JAX does,
// so that equal keys give equal variates, to rounding. Each element has a key of its own.
#include <array>
#include <cmath>
#include <limits>

#include "ops/kernels/pointwise.hpp"
#include "ops/kernels/random.hpp"

namespace vmaprun {
namespace {

template <class T> T uniform_of(KeyWords key) {
    T number;
    if constexpr (sizeof(T) == 4) random_table().floats(key.high, key.low, 0, 1, &number);
    else random_table().doubles(key.high, key.low, 0, 1, &number);
    return number;
}

template <class T> T normal_of(KeyWords key, TileKernel quantile) {
    T number = uniform_of<T>(key);
    const void* in[] = {&number};
    quantile(&number, in, 1);
    return number;
}

// x of N(0, 1) with 1 + c x > 0, and that sum.
template <class T> struct Proposal {
    T x, v;
};
template <class T> Proposal<T> propose(KeyWords key, T c, TileKernel quantile) {
    for (;;) {
        const KeyWords next = hash_counter(key, 0);
        const T x = normal_of<T>(hash_counter(key, 1), quantile), v = T(1) + x * c;
        if (!(v <= 0)) return {x, v};
        key = next;
    }
}

template <class T> T gamma_of(KeyWords key, T shape, TileKernel quantile) {
    const bool boosted = !(shape >= 1); // gamma(a) is gamma(a + 1) U^(1 / a)
    const T d = (boosted ? shape + T(1) : shape) - T(1.0 / 3), c = T(1.0 / 3) / std::sqrt(d);
    if (std::isnan(d) || d <= 0) return std::numeric_limits<T>::quiet_NaN();
    KeyWords next = hash_counter(key, 0);
    const KeyWords boost_key = hash_counter(key, 1);
    T volume;
    for (;;) {
        const KeyWords x_key = hash_counter(next, 1), u_key = hash_counter(next, 2);
        const auto [x, v] = propose<T>(x_key, c, quantile);
        const T square = x * x, u = uniform_of<T>(u_key);
        volume = v * v * v;
        if (u < T(1) - T(0.0331) * (square * square) || std::log(u) < square * T(0.5) + d * (T(1) - volume + std::log(volume))) break;
        next = hash_counter(next, 0);
    }
    const T boost = boosted ? std::pow(T(1) - uniform_of<T>(boost_key), T(1) / shape) : T(1);
    return d * volume * boost;
}

template <class T> void gamma_kernel_of(const KernelCall& call) {
    LaneIteration walk(call);
    const auto shape = result_shape(call, 0);
    for (std::size_t axis = 0; axis < shape.size(); ++axis) {
        walk.add_axis(call, shape[axis], std::array{std::int64_t{0}, sample_strides(call, 1)[axis], result_strides(call, 0)[axis]});
    }
    const std::int64_t rows = walk.rows();
    const TileKernel quantile = pointwise_kernel(PointwiseOp::normal_quantile, call.results[0].dtype);
    walk.run(call, 256, [&](std::int64_t position, std::byte* const* at) {
        const KeyWords key = hash_counter(*lane_data<KeyWords>(at, 0), static_cast<std::uint64_t>(position % rows));
        *lane_data<T>(at, 2) = gamma_of<T>(key, *lane_data<T>(at, 1), quantile);
    });
}

// ---- the slope of a variate x by its shape a, with its probability held: -(dP/da) / (dP/dx), where P(a, x) is the
// regularized incomplete gamma function. Below a + 1 by its series, above by the continued fraction of 1 - P, each
// differentiated term by term; for very large a by the Cornish-Fisher expansion.

double slope_by_series(double a, double x, double digamma) {
    const double log_x = std::log(x);
    double term = x / a, of_term = digamma + 1 / a, sum = 0;
    for (double n = 1; n < 1e5; ++n) {
        const double part = term * (of_term - log_x);
        sum += part;
        if (n > x - a && std::fabs(part) <= 1e-17 * std::fabs(sum)) break;
        term *= x / (a + n);
        of_term += 1 / (a + n);
    }
    return sum;
}

double slope_by_fraction(double a, double x, double digamma) {
    const double terms = std::floor(60 + 12 * std::sqrt(a));
    double f = x + 2 * terms + 1 - a, slope = -1;
    for (double k = terms; k >= 1; --k) {
        const double numerator = -k * (k - a);
        slope = -1 + (k - numerator * slope / f) / f;
        f = x + 2 * k - 1 - a + numerator / f;
    }
    return x / f * (std::log(x) - digamma - slope / f);
}

double gamma_slope_of(double a, double x) {
    if (std::isnan(x) || !(a > 0)) return std::numeric_limits<double>::quiet_NaN();
    if (x <= 0) return 0;
    const double root = std::sqrt(a);
    if (a > 1e6) {
        const double z = (x - a) / root;
        return 1 + (z - (z * z - 1) / (3 * root)) / (2 * root);
    }
    double digamma = 0;
    const void* in[] = {&a};
    pointwise_kernel(PointwiseOp::digamma, DType::f64)(&digamma, in, 1);
    return x <= a + 1 ? slope_by_series(a, x, digamma) : slope_by_fraction(a, x, digamma);
}

template <class T> void gamma_slopes(void* out, const void* const* in, std::int64_t n) {
    const T* a = static_cast<const T*>(in[0]);
    const T* x = static_cast<const T*>(in[1]);
    for (std::int64_t i = 0; i < n; ++i) static_cast<T*>(out)[i] = static_cast<T>(gamma_slope_of(static_cast<double>(a[i]), static_cast<double>(x[i])));
}

} // namespace

TileKernel gamma_slope_tile(std::span<const DType>, DType result) { return result == DType::f32 ? gamma_slopes<float> : gamma_slopes<double>; }

void gamma_kernel(const KernelCall& call) {
    if (call.results[0].dtype == DType::f32) gamma_kernel_of<float>(call);
    else gamma_kernel_of<double>(call);
}

} // namespace vmaprun
