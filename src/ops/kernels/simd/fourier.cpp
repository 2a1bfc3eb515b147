// Fourier transforms for one instruction set: see kernels/fourier_table.hpp. A vector holds one element each of so many
// transforms that run side by side, real parts and imaginary parts apart; every lane does the same operations in the same
// order, so a transform's bits depend neither on its neighbours nor on how many there are.
//
// A pass is Stockham's: it reads butterflies of the radix from the input and writes them where the next pass finds them in
// order, so nothing is permuted at the end.
#include "ops/kernels/fourier_table.hpp"
#include "ops/kernels/simd/vectors.hpp"

namespace vmaprun {
namespace {

template <class T> inline constexpr int full = vector_bytes / static_cast<int>(sizeof(T));
constexpr int largest_radix = 61;

template <class T, int N> struct Pair {
    Vector<T, N> re, im;
};

template <class T, int N> inline Pair<T, N> get(const T* at) { return {load<T, N>(at), load<T, N>(at + N)}; }
template <class T, int N> inline void put(T* at, const Pair<T, N>& x) {
    store<T, N>(at, x.re);
    store<T, N>(at + N, x.im);
}
template <class T, int N> inline Pair<T, N> operator+(const Pair<T, N>& a, const Pair<T, N>& b) { return {a.re + b.re, a.im + b.im}; }
template <class T, int N> inline Pair<T, N> operator-(const Pair<T, N>& a, const Pair<T, N>& b) { return {a.re - b.re, a.im - b.im}; }
template <class T, int N> inline Pair<T, N> times(const Pair<T, N>& a, const Pair<T, N>& b) {
    return {multiply_add<T, N>(a.re, b.re, -(a.im * b.im)), multiply_add<T, N>(a.re, b.im, a.im * b.re)};
}
template <class T, int N> inline Pair<T, N> spread_pair(const T* at) { return {spread<T, N>(at[0]), spread<T, N>(at[1])}; }

// ---- pairs as they lie in memory: re, im, re, im …

template <class T, int N, int... At> inline Pair<T, N> apart(Vector<T, N> a, Vector<T, N> b, Sequence<At...>) {
    return {__builtin_shufflevector(a, b, (2 * At)...), __builtin_shufflevector(a, b, (2 * At + 1)...)};
}
template <class T, int N, int... At> inline void together(T* to, const Pair<T, N>& x, Sequence<At...>) {
    store<T, N>(to, __builtin_shufflevector(x.re, x.im, (At / 2 + (At & 1) * N)...));
    store<T, N>(to + N, __builtin_shufflevector(x.re, x.im, (N / 2 + At / 2 + (At & 1) * N)...));
}
template <class T, int N, int... At> inline Vector<T, N> backwards(Vector<T, N> x, Sequence<At...>) {
    return __builtin_shufflevector(x, x, (N - 1 - At)...);
}

template <class T, int N> inline Pair<T, N> read(const T* from) {
    if constexpr (N == 1) return {from[0], from[1]};
    else return apart<T, N>(load<T, N>(from), load<T, N>(from + N), typename Counting<N>::type{});
}
template <class T, int N> inline void write(T* to, const Pair<T, N>& x) {
    if constexpr (N == 1) to[0] = x.re, to[1] = x.im;
    else together<T, N>(to, x, typename Counting<N>::type{});
}
// The N pairs that end at `last`, the last one first.
template <class T, int N> inline Pair<T, N> read_backwards(const T* last) {
    const Pair<T, N> x = read<T, N>(last - 2 * (N - 1));
    if constexpr (N == 1) return x;
    else return {backwards<T, N>(x.re, typename Counting<N>::type{}), backwards<T, N>(x.im, typename Counting<N>::type{})};
}
template <class T, int N> inline Pair<T, N> read_some(const T* from, std::int64_t count) {
    if (count >= N) return read<T, N>(from);
    T padded[2 * N] = {};
    __builtin_memcpy(padded, from, static_cast<std::size_t>(2 * count) * sizeof(T));
    return read<T, N>(padded);
}
template <class T, int N> inline void write_some(T* to, const Pair<T, N>& x, std::int64_t count) {
    if (count >= N) return write<T, N>(to, x);
    T padded[2 * N];
    write<T, N>(padded, x);
    __builtin_memcpy(to, padded, static_cast<std::size_t>(2 * count) * sizeof(T));
}
template <class T, int N> inline Pair<T, N> turned(const Pair<T, N>& x, FourierWay way) {
    return way == FourierWay::forward ? x : Pair<T, N>{x.im, x.re};
}

// ---- butterflies, in place; -i x is (im, -re)

template <class T, int N> inline void butterfly4(Pair<T, N>& a, Pair<T, N>& b, Pair<T, N>& c, Pair<T, N>& d) {
    const Pair<T, N> s = a + c, t = a - c, u = b + d, v = b - d;
    a = s + u;
    c = s - u;
    b = {t.re + v.im, t.im - v.re};
    d = {t.re - v.im, t.im + v.re};
}

template <class T, int N> inline void butterfly8(Pair<T, N>* a) {
    butterfly4<T, N>(a[0], a[2], a[4], a[6]);
    butterfly4<T, N>(a[1], a[3], a[5], a[7]);
    const Vector<T, N> half_root = spread<T, N>(T(0.70710678118654752440));
    const Pair<T, N> b1{(a[3].re + a[3].im) * half_root, (a[3].im - a[3].re) * half_root};
    const Pair<T, N> b2{a[5].im, -a[5].re};
    const Pair<T, N> b3{(a[7].im - a[7].re) * half_root, -((a[7].re + a[7].im) * half_root)};
    const Pair<T, N> e0 = a[0], e1 = a[2], e2 = a[4], e3 = a[6], b0 = a[1];
    a[0] = e0 + b0, a[4] = e0 - b0;
    a[1] = e1 + b1, a[5] = e1 - b1;
    a[2] = e2 + b2, a[6] = e2 - b2;
    a[3] = e3 + b3, a[7] = e3 - b3;
}

// Any odd radix: sums and differences of the elements that mirror each other, times cosines and sines.
template <class T, int N, int R> inline void butterfly_odd(Pair<T, N>* a, const T* cosines, const T* sines, int radix) {
    const int r = R != 0 ? R : radix, half = (r - 1) / 2;
    Pair<T, N> sum[R != 0 ? R / 2 : largest_radix / 2], difference[R != 0 ? R / 2 : largest_radix / 2], total = a[0];
#pragma GCC unroll 4
    for (int j = 1; j <= half; ++j) {
        sum[j - 1] = a[j] + a[r - j];
        difference[j - 1] = a[j] - a[r - j];
        total = total + sum[j - 1];
    }
#pragma GCC unroll 4
    for (int k = 1; k <= half; ++k) {
        Pair<T, N> even = a[0], odd{};
        int at = 0;
#pragma GCC unroll 4
        for (int j = 1; j <= half; ++j) {
            at = at + k >= r ? at + k - r : at + k;
            const Vector<T, N> cosine = spread<T, N>(cosines[at]), sine = spread<T, N>(sines[at]);
            even = {multiply_add<T, N>(cosine, sum[j - 1].re, even.re), multiply_add<T, N>(cosine, sum[j - 1].im, even.im)};
            odd = {multiply_add<T, N>(sine, difference[j - 1].re, odd.re), multiply_add<T, N>(sine, difference[j - 1].im, odd.im)};
        }
        a[k] = {even.re + odd.im, even.im - odd.re};
        a[r - k] = {even.re - odd.im, even.im + odd.re};
    }
    a[0] = total;
}

template <class T, int N, int R> inline void butterfly(Pair<T, N>* a, const T* cosines, const T* sines, int radix) {
    if constexpr (R == 2) {
        const Pair<T, N> sum = a[0] + a[1];
        a[1] = a[0] - a[1];
        a[0] = sum;
    } else if constexpr (R == 4) {
        butterfly4<T, N>(a[0], a[1], a[2], a[3]);
    } else if constexpr (R == 8) {
        butterfly8<T, N>(a);
    } else {
        butterfly_odd<T, N, R>(a, cosines, sines, radix);
    }
}

// One pass: `m` butterflies a line of `s` neighbours. Gives where the twiddles of the next one begin.
template <class T, int N, int R> const T* run_pass(const T* x, T* y, std::int64_t m, std::int64_t s, const T* twiddles, int radix) {
    constexpr bool odd = R % 2 == 1 || R == 0;
    const int r = R != 0 ? R : radix;
    const T *cosines = twiddles, *sines = twiddles + r;
    if (odd) twiddles += 2 * r;
    constexpr std::int64_t element = 2 * N;
    Pair<T, N> a[R != 0 ? R : largest_radix];
    for (std::int64_t p = 0; p < m; ++p) {
        for (std::int64_t q = 0; q < s; ++q) {
            const T* from = x + element * (q + s * p);
            T* to = y + element * (q + s * r * p);
#pragma GCC unroll 8
            for (int k = 0; k < r; ++k) a[k] = get<T, N>(from + element * s * m * k);
            butterfly<T, N, R>(a, cosines, sines, r);
            put<T, N>(to, a[0]);
            if (p == 0) {
#pragma GCC unroll 8
                for (int k = 1; k < r; ++k) put<T, N>(to + element * s * k, a[k]);
            } else {
#pragma GCC unroll 8
                for (int k = 1; k < r; ++k) put<T, N>(to + element * s * k, times<T, N>(a[k], spread_pair<T, N>(twiddles + 2 * (k - 1))));
            }
        }
        if (p > 0) twiddles += 2 * (r - 1);
    }
    return twiddles;
}

// All passes, from x by turns into the two halves of the scratch; gives where the result is.
template <class T, int N> const T* run_leaf(const FourierLeaf<T>& leaf, const T* x, T* scratch) {
    T* halves[2] = {scratch, scratch + 2 * N * leaf.length};
    const T* twiddles = leaf.twiddles;
    std::int64_t left = leaf.length, s = 1;
    int turn = x == halves[0] ? 1 : 0;
    for (std::int64_t pass = 0; pass < leaf.passes; ++pass) {
        const int radix = leaf.radices[pass];
        left /= radix;
        T* y = halves[turn];
        switch (radix) {
        case 2: twiddles = run_pass<T, N, 2>(x, y, left, s, twiddles, radix); break;
        case 3: twiddles = run_pass<T, N, 3>(x, y, left, s, twiddles, radix); break;
        case 4: twiddles = run_pass<T, N, 4>(x, y, left, s, twiddles, radix); break;
        case 5: twiddles = run_pass<T, N, 5>(x, y, left, s, twiddles, radix); break;
        case 7: twiddles = run_pass<T, N, 7>(x, y, left, s, twiddles, radix); break;
        case 8: twiddles = run_pass<T, N, 8>(x, y, left, s, twiddles, radix); break;
        default: twiddles = run_pass<T, N, 0>(x, y, left, s, twiddles, radix); break;
        }
        s *= radix;
        x = y;
        turn = 1 - turn;
    }
    return x;
}

// ---- lines side by side

template <class T> bool neighbours(const T* const* lines, std::int64_t count) {
    for (std::int64_t i = 1; i < count; ++i) {
        if (lines[i] != lines[0] + 2 * i) return false;
    }
    return true;
}

// Lines that are rows without gaps: squares of N rows by N numbers are transposed, which takes pairs apart too.
template <class T, bool Whole> std::int64_t gather_squares(const T* const* in, std::int64_t n, std::int64_t count, FourierWay way, T* to) {
    constexpr int N = full<T>;
    const std::int64_t re = way == FourierWay::forward ? 0 : N, im = N - re;
    std::int64_t i = 0;
    for (; i + N / 2 <= n; i += N / 2) {
        Vector<T, N> part[N];
#pragma GCC unroll 16
        for (int line = 0; line < N; ++line) part[line] = Whole || line < count ? load<T, N>(in[line] + 2 * i) : Vector<T, N>{};
        transpose<T, N>(part);
#pragma GCC unroll 16
        for (int k = 0; k < N / 2; ++k) {
            store<T, N>(to + 2 * N * (i + k) + re, part[2 * k]);
            store<T, N>(to + 2 * N * (i + k) + im, part[2 * k + 1]);
        }
    }
    return i;
}

template <class T, bool Whole> std::int64_t scatter_squares(const T* from, T* const* out, std::int64_t n, std::int64_t count, FourierWay way, T scale) {
    constexpr int N = full<T>;
    const std::int64_t re = way == FourierWay::forward ? 0 : N, im = N - re;
    const Vector<T, N> factor = spread<T, N>(scale);
    std::int64_t i = 0;
    for (; i + N / 2 <= n; i += N / 2) {
        Vector<T, N> part[N];
#pragma GCC unroll 16
        for (int k = 0; k < N / 2; ++k) {
            part[2 * k] = load<T, N>(from + 2 * N * (i + k) + re) * factor;
            part[2 * k + 1] = load<T, N>(from + 2 * N * (i + k) + im) * factor;
        }
        transpose<T, N>(part);
#pragma GCC unroll 16
        for (int line = 0; line < N; ++line) {
            if (Whole || line < count) store<T, N>(out[line] + 2 * i, part[line]);
        }
    }
    return i;
}

template <class T> void gather_lines(const T* const* in, std::int64_t in_step, std::int64_t n, std::int64_t count, FourierWay way, T* to) {
    constexpr int N = full<T>;
    if (neighbours<T>(in, count)) {
        for (std::int64_t i = 0; i < n; ++i) put<T, N>(to + 2 * N * i, turned<T, N>(read_some<T, N>(in[0] + 2 * i * in_step, count), way));
        return;
    }
    const std::int64_t first = in_step != 1 ? 0 : count == N ? gather_squares<T, true>(in, n, count, way, to) : gather_squares<T, false>(in, n, count, way, to), re = way == FourierWay::forward ? 0 : 1, im = 1 - re;
    for (std::int64_t i = first; i < n; ++i) {
        T* at = to + 2 * N * i;
        for (std::int64_t line = 0; line < count; ++line) at[line] = in[line][2 * i * in_step + re], at[N + line] = in[line][2 * i * in_step + im];
        for (std::int64_t line = count; line < N; ++line) at[line] = 0, at[N + line] = 0;
    }
}

template <class T> void scatter_lines(const T* from, T* const* out, std::int64_t out_step, std::int64_t n, std::int64_t count, FourierWay way, T scale) {
    constexpr int N = full<T>;
    if (neighbours<T>(out, count)) {
        const Vector<T, N> factor = spread<T, N>(scale);
        for (std::int64_t i = 0; i < n; ++i) {
            const Pair<T, N> x = turned<T, N>(get<T, N>(from + 2 * N * i), way);
            write_some<T, N>(out[0] + 2 * i * out_step, Pair<T, N>{x.re * factor, x.im * factor}, count);
        }
        return;
    }
    const std::int64_t first = out_step != 1 ? 0 : count == N ? scatter_squares<T, true>(from, out, n, count, way, scale) : scatter_squares<T, false>(from, out, n, count, way, scale), re = way == FourierWay::forward ? 0 : 1, im = 1 - re;
    for (std::int64_t i = first; i < n; ++i) {
        const T* at = from + 2 * N * i;
        for (std::int64_t line = 0; line < count; ++line) out[line][2 * i * out_step + re] = at[line] * scale, out[line][2 * i * out_step + im] = at[N + line] * scale;
    }
}

template <class T>
void lines(const FourierLeaf<T>& leaf, const T* const* in, std::int64_t in_step, T* const* out, std::int64_t out_step, std::int64_t count, FourierWay way, T scale, T* scratch) {
    gather_lines(in, in_step, leaf.length, count, way, scratch);
    scatter_lines(run_leaf<T, full<T>>(leaf, scratch, scratch), out, out_step, leaf.length, count, way, scale);
}

// ---- columns and rows of one transform

// Vectors 2 N apart, transposed.
template <class T, int N> inline void transpose_square(const T* from, T* to) {
    Vector<T, N> part[N];
#pragma GCC unroll 16
    for (int r = 0; r < N; ++r) part[r] = load<T, N>(from + 2 * N * r);
    transpose<T, N>(part);
#pragma GCC unroll 16
    for (int c = 0; c < N; ++c) store<T, N>(to + 2 * N * c, part[c]);
}

// The same of fewer rows and columns.
template <class T, int N> void transpose_some(const T* from, std::int64_t rows, T* to, std::int64_t columns) {
    Vector<T, N> part[N] = {};
    for (std::int64_t r = 0; r < N && r < rows; ++r) part[r] = load<T, N>(from + 2 * N * r);
    transpose<T, N>(part);
    for (std::int64_t c = 0; c < columns; ++c) store<T, N>(to + 2 * N * c, part[c]);
}

// Between columns and rows a group of N rows lies as [j2][re, im][row]: the squares of N rows by N columns are transposed.
template <class T, int N> void store_transposed(const FourierSplit<T>& split, const T* result, T* between, std::int64_t group) {
    const std::int64_t first = group * N, width = split.n2 - first < N ? split.n2 - first : N;
    for (std::int64_t row = 0; row < split.n1; row += N) {
        for (int which = 0; which < 2; ++which) {
            const T* from = result + 2 * N * row + which * N;
            T* to = between + 2 * (row * split.n2 + N * first) + which * N;
            if (row + N <= split.n1 && width == N) transpose_square<T, N>(from, to);
            else transpose_some<T, N>(from, split.n1 - row, to, width);
        }
    }
}

template <class T> void columns(const FourierSplit<T>& split, const T* in, T* between, std::int64_t begin, std::int64_t end, FourierWay way, T* scratch) {
    constexpr int N = full<T>;
    const std::int64_t groups = (split.n2 + N - 1) / N;
    for (std::int64_t group = begin; group < end; ++group) {
        const std::int64_t left = split.n2 - group * N;
        const T* from = in + 2 * group * N;
        for (std::int64_t j = 0; j < split.n1; ++j) put<T, N>(scratch + 2 * N * j, turned<T, N>(read_some<T, N>(from + 2 * j * split.n2, left), way));
        T* result = const_cast<T*>(run_leaf<T, N>(split.first, scratch, scratch)); // it lies in the scratch
        for (std::int64_t k = 1; k < split.n1; ++k) {
            const Pair<T, N> twiddle = times<T, N>(get<T, N>(split.fine + 2 * N * k), spread_pair<T, N>(split.coarse + 2 * (k * groups + group)));
            put<T, N>(result + 2 * N * k, times<T, N>(get<T, N>(result + 2 * N * k), twiddle));
        }
        if (split.second.length != 0) {
            store_transposed<T, N>(split, result, between, group);
        } else {
            for (std::int64_t k = 0; k < split.n1; ++k) write_some<T, N>(between + 2 * (k * split.n2 + group * N), get<T, N>(result + 2 * N * k), left);
        }
    }
}

template <class T> void rows(const FourierSplit<T>& split, const T* between, T* out, std::int64_t begin, std::int64_t end, FourierWay way, T scale, T* scratch) {
    constexpr int N = full<T>;
    const Vector<T, N> factor = spread<T, N>(scale);
    for (std::int64_t group = begin; group < end; ++group) {
        const T* result = run_leaf<T, N>(split.second, between + 2 * N * group * split.n2, scratch);
        const std::int64_t left = split.n1 - group * N;
        for (std::int64_t k = 0; k < split.n2; ++k) {
            const Pair<T, N> x = turned<T, N>(get<T, N>(result + 2 * N * k), way);
            write_some<T, N>(out + 2 * (k * split.n1 + group * N), Pair<T, N>{x.re * factor, x.im * factor}, left);
        }
    }
}

// ---- real numbers: with z[k] the transform of the pairs, 2 x[k] = (z[k] + z*[h-k]) - i w^k (z[k] - z*[h-k])

template <class T, int N> inline Pair<T, N> mirrored_twiddle(const T* coarse, const T* fine) {
    Pair<T, N> w;
    if constexpr (N == 1) w = {fine[0], fine[full<T>]};
    else w = get<T, N>(fine);
    return times<T, N>(w, spread_pair<T, N>(coarse));
}

template <class T, int N> inline void untangle_at(const T* pairs, T* out, std::int64_t h, std::int64_t k, const T* coarse, const T* fine) {
    const Pair<T, N> z = read<T, N>(pairs + 2 * k), m = read_backwards<T, N>(pairs + 2 * (h - k));
    const Pair<T, N> even{z.re + m.re, z.im - m.im}, odd{z.re - m.re, z.im + m.im};
    const Pair<T, N> turn = times<T, N>(odd, mirrored_twiddle<T, N>(coarse, fine));
    const Vector<T, N> half = spread<T, N>(T(0.5));
    write<T, N>(out + 2 * k, Pair<T, N>{(even.re + turn.im) * half, (even.im - turn.re) * half});
}

// z[k] = (x[k] + x*[h-k]) + i w^-k (x[k] - x*[h-k])
template <class T, int N> inline void tangle_at(const T* x, T* pairs, std::int64_t h, std::int64_t k, const T* coarse, const T* fine) {
    const Pair<T, N> z = read<T, N>(x + 2 * k), m = read_backwards<T, N>(x + 2 * (h - k));
    const Pair<T, N> even{z.re + m.re, z.im - m.im}, odd{z.re - m.re, z.im + m.im};
    Pair<T, N> w = mirrored_twiddle<T, N>(coarse, fine);
    w.im = -w.im;
    const Pair<T, N> turn = times<T, N>(odd, w);
    write<T, N>(pairs + 2 * k, Pair<T, N>{even.re - turn.im, even.im + turn.re});
}

// k = 1 … h-1: whole vectors where they fit, single elements (by the same operations) at both ends.
template <class T, void (*Whole)(const T*, T*, std::int64_t, std::int64_t, const T*, const T*), void (*One)(const T*, T*, std::int64_t, std::int64_t, const T*, const T*)>
void for_each_mirrored(const T* from, T* to, std::int64_t h, const T* coarse, const T* fine) {
    constexpr std::int64_t N = full<T>;
    for (std::int64_t first = 0; first < h; first += N) {
        const T* at = coarse + 2 * (first / N);
        if (first > 0 && first + N <= h) {
            Whole(from, to, h, first, at, fine);
            continue;
        }
        for (std::int64_t k = first == 0 ? 1 : first; k < first + N && k < h; ++k) One(from, to, h, k, at, fine + (k - first));
    }
}

template <class T> void untangle(const T* pairs, T* out, std::int64_t h, const T* coarse, const T* fine) {
    const T re = pairs[0], im = pairs[1];
    for_each_mirrored<T, untangle_at<T, full<T>>, untangle_at<T, 1>>(pairs, out, h, coarse, fine);
    out[0] = re + im, out[1] = 0;
    out[2 * h] = re - im, out[2 * h + 1] = 0;
}

template <class T> void tangle(const T* half, T* pairs, std::int64_t h, const T* coarse, const T* fine) {
    for_each_mirrored<T, tangle_at<T, full<T>>, tangle_at<T, 1>>(half, pairs, h, coarse, fine);
    pairs[0] = half[0] + half[2 * h]; // their imaginary parts don't count
    pairs[1] = half[0] - half[2 * h];
}

template <class T> constexpr FourierKernels<T> kernels{full<T>, lines<T>, columns<T>, rows<T>, untangle<T>, tangle<T>};

} // namespace

namespace VMAPRUN_ARCH {

const FourierTable& fourier_table() {
    static const FourierTable table{kernels<float>, kernels<double>};
    return table;
}

} // namespace VMAPRUN_ARCH
} // namespace vmaprun
