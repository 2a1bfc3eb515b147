// The matrix exponential: Higham, The scaling and squaring method for the matrix exponential revisited (2005), with the Padé
// approximant of degree 13 alone. f32 and c64 are computed in f64 and c128.
#include <cmath>

#include "ops/kernels/linalg.hpp"
#include "ops/kernels/linalg_stack.hpp"

namespace vmaprun {
namespace {

template <class W> using Square = std::vector<W>; // row-major, n by n

template <class W> W product_of(W x, W y) {
    if constexpr (is_complex_type<W>) return {x.real() * y.real() - x.imag() * y.imag(), x.real() * y.imag() + x.imag() * y.real()};
    else return x * y;
}

// Every element's sum over k in order, whole rows at a time.
template <class W> Square<W> times(const Square<W>& a, const Square<W>& b, std::size_t n) {
    Square<W> c(n * n, W{});
    for (std::size_t i = 0; i < n; ++i) {
        for (std::size_t k = 0; k < n; ++k) {
            const W factor = a[i * n + k];
            for (std::size_t j = 0; j < n; ++j) c[i * n + j] += product_of(factor, b[k * n + j]);
        }
    }
    return c;
}

// a += factor b
template <class W> void add(Square<W>& a, double factor, const Square<W>& b) {
    for (std::size_t i = 0; i < a.size(); ++i) a[i] += factor * b[i];
}

// b becomes the solution x of a x = b, by elimination with row pivoting.
template <class W> void solve_in_place(Square<W>& a, Square<W>& b, std::size_t n) {
    for (std::size_t k = 0; k < n; ++k) {
        std::size_t best = k;
        for (std::size_t i = k + 1; i < n; ++i) {
            if (std::abs(a[i * n + k]) > std::abs(a[best * n + k])) best = i;
        }
        for (std::size_t j = 0; best != k && j < n; ++j) std::swap(a[k * n + j], a[best * n + j]), std::swap(b[k * n + j], b[best * n + j]);
        for (std::size_t i = k + 1; i < n; ++i) {
            const W factor = a[i * n + k] / a[k * n + k];
            for (std::size_t j = k + 1; j < n; ++j) a[i * n + j] -= product_of(factor, a[k * n + j]);
            for (std::size_t j = 0; j < n; ++j) b[i * n + j] -= product_of(factor, b[k * n + j]);
        }
    }
    for (std::size_t k = n; k-- > 0;) {
        for (std::size_t j = 0; j < n; ++j) b[k * n + j] /= a[k * n + k];
        for (std::size_t i = 0; i < k; ++i) {
            for (std::size_t j = 0; j < n; ++j) b[i * n + j] -= product_of(a[i * n + k], b[k * n + j]);
        }
    }
}

template <class W> double largest_column_sum(const Square<W>& a, std::size_t n) {
    double largest = 0;
    for (std::size_t j = 0; j < n; ++j) {
        double sum = 0;
        for (std::size_t i = 0; i < n; ++i) sum += std::abs(a[i * n + j]);
        largest = std::max(largest, sum);
    }
    return largest;
}

template <class W> Square<W> exponential(Square<W> a, std::size_t n) {
    static constexpr double c[] = {64764752532480000.0, 32382376266240000.0, 7771770303897600.0, 1187353796428800.0, 129060195264000.0, 10559470521600.0, 670442572800.0,
                                   33522128640.0,       1323241920.0,        40840800.0,         960960.0,           16380.0,           182.0,            1.0};
    const double size = largest_column_sum(a, n), limit = 5.371920351148152;
    const int squarings = size > limit ? static_cast<int>(std::ceil(std::log2(size / limit))) : 0;
    const double scale = std::ldexp(1.0, -squarings);
    for (W& element : a) element *= scale;
    const Square<W> a2 = times(a, a, n), a4 = times(a2, a2, n), a6 = times(a4, a2, n);
    const auto sum = [&](double f6, double f4, double f2, double f0) {
        Square<W> total(n * n, W{});
        add(total, f6, a6), add(total, f4, a4), add(total, f2, a2);
        for (std::size_t i = 0; i < n; ++i) total[i * n + i] += f0;
        return total;
    };
    Square<W> odd = times(a6, sum(c[13], c[11], c[9], 0), n), even = times(a6, sum(c[12], c[10], c[8], 0), n);
    add(odd, 1, sum(c[7], c[5], c[3], c[1])), add(even, 1, sum(c[6], c[4], c[2], c[0]));
    Square<W> u = times(a, odd, n), above = even, below = even;
    add(above, 1, u), add(below, -1, u);
    solve_in_place(below, above, n);
    for (int i = 0; i < squarings; ++i) above = times(above, above, n);
    return above;
}

template <class T, class W> void expm_of(const KernelCall& call) {
    const MatrixStack stack(call, {2, 2});
    const std::int64_t n = stack.size(0, 1);
    stack.run(matrix_grain(8 * n), "", [&] {
        return [&](std::byte* const* at) -> std::int64_t {
            const auto from = stack.matrix<T>(0, at), to = stack.matrix<T>(1, at);
            Square<W> a;
            bool finite = true;
            for (std::int64_t i = 0; i < n; ++i) {
                for (std::int64_t j = 0; j < n; ++j) {
                    a.push_back(static_cast<W>(from.at(i, j)));
                    finite = finite && is_finite_number(from.at(i, j));
                }
            }
            if (finite) a = exponential(std::move(a), static_cast<std::size_t>(n));
            else std::ranges::fill(a, W(std::nan("")));
            for (std::int64_t i = 0; i < n; ++i) {
                for (std::int64_t j = 0; j < n; ++j) to.at(i, j) = static_cast<T>(a[static_cast<std::size_t>(i * n + j)]);
            }
            return 0;
        };
    }, [](std::int64_t) { return std::string(); });
}

} // namespace

void expm_kernel(const KernelCall& call) {
    switch (call.results[0].dtype) {
    case DType::f32: return expm_of<float, double>(call);
    case DType::f64: return expm_of<double, double>(call);
    case DType::c64: return expm_of<std::complex<float>, std::complex<double>>(call);
    default: return expm_of<std::complex<double>, std::complex<double>>(call);
    }
}

} // namespace vmaprun
