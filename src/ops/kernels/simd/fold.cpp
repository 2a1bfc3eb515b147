// The folds of float sums, products and extremes for one instruction set: the order of kernels/fold.hpp, with the partials
// of a chunk in one or more vectors.
#include "ops/kernels/fold_table.hpp"
#include "ops/kernels/simd/vectors.hpp"

namespace vmaprun {
namespace {

// A vector no wider than the partials of a chunk.
template <class T> inline constexpr int full = vector_bytes / static_cast<int>(sizeof(T));
template <class T> inline constexpr std::int64_t partials = 64 / static_cast<std::int64_t>(sizeof(T));

template <class T> struct Sum {
    static T identity() { return 0; }
    template <class V> static V meet(V a, V b) { return a + b; }
};
template <class T> struct Product {
    static T identity() { return 1; }
    template <class V> static V meet(V a, V b) { return a * b; }
};
// A number or a vector of them as whole numbers of the same bits.
template <class T, class V> struct SameBits { using type = Vector<typename IntegerOf<T>::type, sizeof(V) / sizeof(T)>; };
template <class T> struct SameBits<T, T> { using type = typename IntegerOf<T>::type; };

// NaN wins (any NaN: all of them count as the same); of the zeros max takes 0.0 and min -0.0: where both are equal, the
// bits that both have (max), or that one has (min).
template <class T> struct Max {
    static T identity() { return -__builtin_inff(); }
    template <class V> static V meet(V a, V b) {
        using Bits = typename SameBits<T, V>::type;
        const V larger = a > b ? a : b; // b where one is no number
        const V either = a == b ? __builtin_bit_cast(V, __builtin_bit_cast(Bits, a) & __builtin_bit_cast(Bits, b)) : larger;
        return a != a ? a : either;
    }
};
template <class T> struct Min {
    static T identity() { return __builtin_inff(); }
    template <class V> static V meet(V a, V b) {
        using Bits = typename SameBits<T, V>::type;
        const V smaller = a < b ? a : b;
        const V either = a == b ? __builtin_bit_cast(V, __builtin_bit_cast(Bits, a) | __builtin_bit_cast(Bits, b)) : smaller;
        return a != a ? a : either;
    }
};

// The tree over all partials, in vectors while they last.
template <class F, class T, int Half> inline T whole_tree(T* part) {
    if constexpr (Half == 1) {
        return F::meet(part[0], part[1]);
    } else {
        constexpr int N = Half < full<T> ? Half : full<T>;
        if constexpr (N * sizeof(T) >= 16) {
#pragma GCC unroll 4
            for (int j = 0; j < Half; j += N) store<T, N>(part + j, F::meet(load<T, N>(part + j), load<T, N>(part + j + Half)));
        } else {
            for (int j = 0; j < Half; ++j) part[j] = F::meet(part[j], part[j + Half]);
        }
        return whole_tree<F, T, Half / 2>(part);
    }
}

template <class F, class T> T row(const T* x, std::int64_t n) {
    constexpr int N = full<T>, W = static_cast<int>(partials<T>), vectors = W / N;
    using V = Vector<T, N>;
    T part[W];
    std::int64_t i = 0;
    if (n >= W) {
        V sum[vectors];
#pragma GCC unroll 4
        for (int v = 0; v < vectors; ++v) sum[v] = F::meet(spread<T, N>(F::identity()), load<T, N>(x + v * N));
        for (i = W; i + W <= n; i += W) {
#pragma GCC unroll 4
            for (int v = 0; v < vectors; ++v) sum[v] = F::meet(sum[v], load<T, N>(x + i + v * N));
        }
#pragma GCC unroll 4
        for (int v = 0; v < vectors; ++v) store<T, N>(part + v * N, sum[v]);
    } else {
        for (int j = 0; j < n; ++j) part[j] = F::identity();
    }
    for (int j = 0; i + j < n; ++j) part[j] = F::meet(part[j], x[i + j]);
    const int used = n < W ? static_cast<int>(n) : W;
    if (used == 0) return F::identity();
    if (used == W) return whole_tree<F, T, W / 2>(part);
    for (int half = W / 2; half > 0; half /= 2) {
        for (int j = 0; j < half && j + half < used; ++j) part[j] = F::meet(part[j], part[j + half]);
    }
    return part[0];
}

// a[c] = meet(a[c], b[c]) for c in [0, count).
template <class F, class T> inline void meet_line(T* a, const T* b, std::int64_t count) {
    constexpr int N = full<T>;
    std::int64_t c = 0;
    for (; c + N <= count; c += N) store<T, N>(a + c, F::meet(load<T, N>(a + c), load<T, N>(b + c)));
    for (; c < count; ++c) a[c] = F::meet(a[c], b[c]);
}

template <class F, class T> void columns(const T* x, const std::int64_t* offsets, std::int64_t n, std::int64_t count, T* out, T* scratch) {
    constexpr std::int64_t W = partials<T>;
    const std::int64_t used = n < W ? n : W;
    for (std::int64_t j = 0; j < used; ++j) {
        T* part = scratch + j * fold_column_tile;
        for (std::int64_t c = 0; c < count; ++c) part[c] = F::identity();
    }
    for (std::int64_t i = 0; i < n; ++i) meet_line<F>(scratch + i % W * fold_column_tile, x + offsets[i], count);
    for (std::int64_t half = W / 2; half > 0; half /= 2) {
        for (std::int64_t j = 0; j < half && j + half < used; ++j) meet_line<F>(scratch + j * fold_column_tile, scratch + (j + half) * fold_column_tile, count);
    }
    for (std::int64_t c = 0; c < count; ++c) out[c] = used == 0 ? F::identity() : scratch[c];
}

// ---- several rows at once: four rows' chains side by side, and one tree for the four

// What one row's partials become as elements arrive: a vector of N of them.
template <class F, class T, int N> struct Partials {
    Vector<T, N> all = spread<T, N>(F::identity());
    void take(Vector<T, N> x) { all = F::meet(all, x); }
    Vector<T, N> result() const { return all; }
};

// Extremes as the instruction set has them, NaNs noted beside.
#if defined(__AVX512F__)
// The instruction tells the zeros apart.
inline Vector<float, 16> larger(Vector<float, 16> a, Vector<float, 16> b) { return Vector<float, 16>(_mm512_range_ps(__m512(a), __m512(b), 5)); }
inline Vector<float, 16> smaller(Vector<float, 16> a, Vector<float, 16> b) { return Vector<float, 16>(_mm512_range_ps(__m512(a), __m512(b), 4)); }
inline Vector<double, 8> larger(Vector<double, 8> a, Vector<double, 8> b) { return Vector<double, 8>(_mm512_range_pd(__m512d(a), __m512d(b), 5)); }
inline Vector<double, 8> smaller(Vector<double, 8> a, Vector<double, 8> b) { return Vector<double, 8>(_mm512_range_pd(__m512d(a), __m512d(b), 4)); }
struct NoNumbers {
    unsigned mask = 0;
    void note(Vector<float, 16> x) { mask |= _mm512_cmp_ps_mask(__m512(x), __m512(x), _CMP_UNORD_Q); }
    void note(Vector<double, 8> x) { mask |= _mm512_cmp_pd_mask(__m512d(x), __m512d(x), _CMP_UNORD_Q); }
    Vector<float, 16> over(Vector<float, 16> x) const { return Vector<float, 16>(_mm512_mask_mov_ps(__m512(x), static_cast<__mmask16>(mask), _mm512_set1_ps(__builtin_nanf("")))); }
    Vector<double, 8> over(Vector<double, 8> x) const { return Vector<double, 8>(_mm512_mask_mov_pd(__m512d(x), static_cast<__mmask8>(mask), _mm512_set1_pd(__builtin_nan("")))); }
};
template <class T, int N> using Noted = NoNumbers;
#define VMAPRUN_HAS_EXTREMES
#elif defined(__x86_64__)
// Of two zeros the instruction takes its second operand: both ways round, joined bit by bit, give the one that is wanted.
#if defined(__AVX2__)
inline Vector<float, 8> maximum(Vector<float, 8> a, Vector<float, 8> b) { return Vector<float, 8>(_mm256_max_ps(__m256(a), __m256(b))); }
inline Vector<float, 8> minimum(Vector<float, 8> a, Vector<float, 8> b) { return Vector<float, 8>(_mm256_min_ps(__m256(a), __m256(b))); }
inline Vector<double, 4> maximum(Vector<double, 4> a, Vector<double, 4> b) { return Vector<double, 4>(_mm256_max_pd(__m256d(a), __m256d(b))); }
inline Vector<double, 4> minimum(Vector<double, 4> a, Vector<double, 4> b) { return Vector<double, 4>(_mm256_min_pd(__m256d(a), __m256d(b))); }
#else
inline Vector<float, 4> maximum(Vector<float, 4> a, Vector<float, 4> b) { return Vector<float, 4>(_mm_max_ps(__m128(a), __m128(b))); }
inline Vector<float, 4> minimum(Vector<float, 4> a, Vector<float, 4> b) { return Vector<float, 4>(_mm_min_ps(__m128(a), __m128(b))); }
inline Vector<double, 2> maximum(Vector<double, 2> a, Vector<double, 2> b) { return Vector<double, 2>(_mm_max_pd(__m128d(a), __m128d(b))); }
inline Vector<double, 2> minimum(Vector<double, 2> a, Vector<double, 2> b) { return Vector<double, 2>(_mm_min_pd(__m128d(a), __m128d(b))); }
#endif
template <class V> using BitsOf = decltype(V{} == V{});
template <class V> inline V larger(V a, V b) { return V(BitsOf<V>(maximum(a, b)) & BitsOf<V>(maximum(b, a))); }
template <class V> inline V smaller(V a, V b) { return V(BitsOf<V>(minimum(a, b)) | BitsOf<V>(minimum(b, a))); }
template <class T, int N> struct Noted {
    using V = Vector<T, N>;
    BitsOf<V> mask{};
    void note(V x) { mask |= x != x; }
    V over(V x) const { return mask != 0 ? spread<T, N>(static_cast<T>(__builtin_nan(""))) : x; }
};
#define VMAPRUN_HAS_EXTREMES
#endif

#if defined(VMAPRUN_HAS_EXTREMES)
template <class T, int N, bool Largest> struct Extremes {
    Vector<T, N> all = spread<T, N>(Largest ? -__builtin_inff() : __builtin_inff());
    Noted<T, N> no_numbers;
    void take(Vector<T, N> x) {
        if constexpr (Largest) all = larger(all, x);
        else all = smaller(all, x);
        no_numbers.note(x);
    }
    Vector<T, N> result() const { return no_numbers.over(all); }
};
template <class T, int N> struct Partials<Max<T>, T, N> : Extremes<T, N, true> {};
template <class T, int N> struct Partials<Min<T>, T, N> : Extremes<T, N, false> {};
#endif

// Halves of the segments of two vectors: `Upper` halves of all segments of `Length` of a, then of b.
template <int N, int Length, bool Upper, int... At> constexpr auto halves_mask(Sequence<At...>) {
    return Sequence<(At / (Length / 2) * Length + At % (Length / 2) + (Upper ? Length / 2 : 0))...>{};
}
template <class T, int N, int... At> inline Vector<T, N> shuffled(Vector<T, N> a, Vector<T, N> b, Sequence<At...>) {
    return __builtin_shufflevector(a, b, At...);
}
// One step of the tree for two vectors of segments: each segment's first half meets its second half.
template <class F, class T, int N, int Length> inline Vector<T, N> tree_step(Vector<T, N> a, Vector<T, N> b) {
    using All = typename Counting<N>::type;
    return F::meet(shuffled<T, N>(a, b, halves_mask<N, Length, false>(All{})), shuffled<T, N>(a, b, halves_mask<N, Length, true>(All{})));
}

// Partials of four rows, each in one vector, down to one element each.
template <class F, class T, int N> inline void finish_four(const Vector<T, N>* row, T* out) {
    Vector<T, N> a = tree_step<F, T, N, N>(row[0], row[1]), b = tree_step<F, T, N, N>(row[2], row[3]);
    if constexpr (N == 2) {
        store<T, N>(out, a);
        store<T, N>(out + 2, b);
    } else {
        a = tree_step<F, T, N, N / 2>(a, b);
        if constexpr (N >= 8) a = tree_step<F, T, N, N / 4>(a, a);
        if constexpr (N >= 16) a = tree_step<F, T, N, N / 8>(a, a);
        T all[N];
        store<T, N>(all, a);
        for (int r = 0; r < 4; ++r) out[r] = all[r];
    }
}

template <class T, int N, int... At> inline auto places(Sequence<At...>) { return Vector<typename IntegerOf<T>::type, N>{At...}; }

template <class F, class T> inline void fold_four(const T* x, std::int64_t n, T* out) {
    constexpr int N = full<T>, W = static_cast<int>(partials<T>), vectors = W / N;
    using V = Vector<T, N>;
    Partials<F, T, N> part[4][vectors];
    std::int64_t i = 0;
    for (; i + W <= n; i += W) {
#pragma GCC unroll 4
        for (int r = 0; r < 4; ++r) {
#pragma GCC unroll 4
            for (int v = 0; v < vectors; ++v) part[r][v].take(load<T, N>(x + r * n + i + v * N));
        }
    }
    V row[4][vectors];
#pragma GCC unroll 4
    for (int r = 0; r < 4; ++r) {
#pragma GCC unroll 4
        for (int v = 0; v < vectors; ++v) row[r][v] = part[r][v].result();
    }
    if (i < n) {
        using Mask = Vector<typename IntegerOf<T>::type, N>;
        const Mask at = places<T, N>(typename Counting<N>::type{});
        for (int r = 0; r < 4; ++r) {
            T padded[W] = {};
            __builtin_memcpy(padded, x + r * n + i, static_cast<unsigned long>(n - i) * sizeof(T));
            for (int v = 0; v < vectors; ++v) {
                const Mask is_there = at < Mask{} + static_cast<typename IntegerOf<T>::type>(n - i - v * N);
                row[r][v] = is_there ? F::meet(row[r][v], load<T, N>(padded + v * N)) : row[r][v];
            }
        }
    }
    V whole[4];
#pragma GCC unroll 4
    for (int r = 0; r < 4; ++r) {
#pragma GCC unroll 4
        for (int half = vectors / 2; half > 0; half /= 2) {
            for (int v = 0; v < half; ++v) row[r][v] = F::meet(row[r][v], row[r][v + half]);
        }
        whole[r] = row[r][0];
    }
    finish_four<F, T, N>(whole, out);
}

template <class F, class T> void rows(const T* x, std::int64_t count, std::int64_t n, T* out) {
    std::int64_t r = 0;
    for (; r + 4 <= count; r += 4) fold_four<F, T>(x + r * n, n, out + r);
    for (; r < count; ++r) out[r] = row<F, T>(x + r * n, n);
}

template <class T> FoldFunctions<T> functions() {
    return {row<Sum<T>, T>,         row<Product<T>, T>,     row<Max<T>, T>,      row<Min<T>, T>,      columns<Sum<T>, T>, columns<Product<T>, T>,
            columns<Max<T>, T>,     columns<Min<T>, T>,     rows<Sum<T>, T>,     rows<Product<T>, T>, rows<Max<T>, T>,    rows<Min<T>, T>};
}

} // namespace

namespace VMAPRUN_ARCH {

const FoldTable& fold_table() {
    static const FoldTable table{functions<float>(), functions<double>()};
    return table;
}

} // namespace VMAPRUN_ARCH

} // namespace vmaprun
