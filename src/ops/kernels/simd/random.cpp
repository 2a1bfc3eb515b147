// Threefry-2x32 on vectors for one instruction set. Several vectors go side by side, since each round waits for the last.
#include "ops/kernels/random_table.hpp"
#include "ops/kernels/simd/vectors.hpp"

namespace vmaprun {
namespace {

using Word = std::uint32_t;
constexpr int width = vector_bytes / 4;
constexpr int ways = vector_bytes == 64 ? 8 : 4; // about as many states as the registers hold
using Words = Vector<Word, width>;

inline Words everywhere(Word word) { return word - Words{}; }

template <int bits> inline Words rotated(Words x) {
#if defined(__AVX512F__)
    return Words(_mm512_rol_epi32(__m512i(x), bits));
#else
    return (x << bits) | (x >> (32 - bits));
#endif
}

template <int bits> inline void round(Words& high, Words& low) {
    high += low;
    low = rotated<bits>(low) ^ high;
}

// The key's two words and their parity with the constant of the method.
struct Schedule {
    Words of[3];
    Schedule(Words high, Words low) : of{high, low, high ^ low ^ everywhere(0x1BD11BDA)} {}
};

// Four rounds, then key words number `step` and `step + 1` (modulo 3) and the step itself.
template <int step, int Ways, int a, int b, int c, int d> [[gnu::always_inline]] inline void four_rounds(Words (&high)[Ways], Words (&low)[Ways], const Schedule* (&keys)[Ways]) {
#pragma GCC unroll 8
    for (int way = 0; way < Ways; ++way) round<a>(high[way], low[way]);
#pragma GCC unroll 8
    for (int way = 0; way < Ways; ++way) round<b>(high[way], low[way]);
#pragma GCC unroll 8
    for (int way = 0; way < Ways; ++way) round<c>(high[way], low[way]);
#pragma GCC unroll 8
    for (int way = 0; way < Ways; ++way) round<d>(high[way], low[way]);
#pragma GCC unroll 8
    for (int way = 0; way < Ways; ++way) {
        high[way] += keys[way]->of[step % 3];
        low[way] += keys[way]->of[(step + 1) % 3] + everywhere(step);
    }
}

template <int Ways> [[gnu::always_inline]] inline void threefry(Words (&high)[Ways], Words (&low)[Ways], const Schedule* (&keys)[Ways]) {
#pragma GCC unroll 8
    for (int way = 0; way < Ways; ++way) {
        high[way] += keys[way]->of[0];
        low[way] += keys[way]->of[1];
    }
    four_rounds<1, Ways, 13, 15, 26, 6>(high, low, keys);
    four_rounds<2, Ways, 17, 29, 16, 24>(high, low, keys);
    four_rounds<3, Ways, 13, 15, 26, 6>(high, low, keys);
    four_rounds<4, Ways, 17, 29, 16, 24>(high, low, keys);
    four_rounds<5, Ways, 13, 15, 26, 6>(high, low, keys);
}

// ---- what is made of the two words: Emit::to(out, high, low) stores `width` results

struct Pairs {
    using Out = Word;
    static constexpr int each = 2;
    static void to(Word* out, Words high, Words low) {
        Word first[width], second[width];
        store<Word, width>(first, high), store<Word, width>(second, low);
        for (int i = 0; i < width; ++i) out[2 * i] = first[i], out[2 * i + 1] = second[i];
    }
};

struct SingleWords {
    using Out = Word;
    static constexpr int each = 1;
    static void to(Word* out, Words high, Words low) { store<Word, width>(out, high ^ low); }
};

struct LongWords {
    using Out = std::uint64_t;
    static constexpr int each = 1;
    static void to(std::uint64_t* out, Words high, Words low) {
        Word first[width], second[width];
        store<Word, width>(first, high), store<Word, width>(second, low);
        for (int i = 0; i < width; ++i) out[i] = std::uint64_t{first[i]} << 32 | second[i];
    }
};

// The bits behind a 1: numbers in [1, 2), less 1.
struct Floats {
    using Out = float;
    static constexpr int each = 1;
    static void to(float* out, Words high, Words low) {
        const Words bits = ((high ^ low) >> 9) | everywhere(0x3F800000);
        store<float, width>(out, Vector<float, width>(bits) - spread<float, width>(1.0f));
    }
};

struct DoubleFloats {
    using Out = double;
    static constexpr int each = 1;
    static void to(double* out, Words high, Words low) {
        Word first[width], second[width];
        store<Word, width>(first, high), store<Word, width>(second, low);
        for (int i = 0; i < width; ++i) {
            const std::uint64_t bits = (std::uint64_t{first[i]} << 32 | second[i]) >> 12 | 0x3FF0000000000000u;
            double number;
            __builtin_memcpy(&number, &bits, sizeof number);
            out[i] = number - 1.0;
        }
    }
};

// ---- one key, counters in a row

// Counters whose upper word is the same for all of them.
template <class Emit> void same_upper_word(const Schedule& schedule, std::uint64_t first, std::int64_t n, typename Emit::Out* out) {
    Words count = everywhere(static_cast<Word>(first));
    for (int i = 0; i < width; ++i) count[i] += static_cast<Word>(i);
    const Words upper = everywhere(static_cast<Word>(first >> 32));
    std::int64_t i = 0;
    for (; i + ways * width <= n; i += ways * width) {
        Words high[ways], low[ways];
        const Schedule* keys[ways];
#pragma GCC unroll 8
        for (int way = 0; way < ways; ++way) high[way] = upper, low[way] = count + everywhere(static_cast<Word>(way * width)), keys[way] = &schedule;
        threefry<ways>(high, low, keys);
#pragma GCC unroll 8
        for (int way = 0; way < ways; ++way) Emit::to(out + (i + way * width) * Emit::each, high[way], low[way]);
        count += everywhere(ways * width);
    }
    for (; i < n; i += width) {
        Words high[1] = {upper}, low[1] = {count};
        const Schedule* keys[1] = {&schedule};
        threefry<1>(high, low, keys);
        typename Emit::Out last[width * Emit::each];
        Emit::to(last, high[0], low[0]);
        const std::int64_t rest = n - i < width ? n - i : width;
        __builtin_memcpy(out + i * Emit::each, last, static_cast<unsigned long>(rest * Emit::each) * sizeof(typename Emit::Out));
        count += everywhere(width);
    }
}

template <class Emit> void one_key(Word key_high, Word key_low, std::uint64_t first, std::int64_t n, typename Emit::Out* out) {
    const Schedule schedule(everywhere(key_high), everywhere(key_low));
    while (n > 0) {
        const std::uint64_t left = (std::uint64_t{1} << 32) - (first & 0xFFFFFFFFu);
        const std::int64_t now = static_cast<std::uint64_t>(n) < left ? n : static_cast<std::int64_t>(left);
        same_upper_word<Emit>(schedule, first, now, out);
        first += static_cast<std::uint64_t>(now), n -= now, out += now * Emit::each;
    }
}

// ---- many keys

template <int Ways> [[gnu::always_inline]] inline void hash_vectors(const Word* key_high, const Word* key_low, const Word* counter_high, const Word* counter_low, Word* high_out, Word* low_out) {
    Words high[Ways], low[Ways];
    const Schedule* keys[Ways];
    alignas(64) unsigned char memory[Ways * sizeof(Schedule)];
    auto* schedules = reinterpret_cast<Schedule*>(memory);
#pragma GCC unroll 8
    for (int way = 0; way < Ways; ++way) {
        const int at = way * width;
        schedules[way] = Schedule(load<Word, width>(key_high + at), load<Word, width>(key_low + at));
        keys[way] = schedules + way;
        high[way] = load<Word, width>(counter_high + at);
        low[way] = load<Word, width>(counter_low + at);
    }
    threefry<Ways>(high, low, keys);
#pragma GCC unroll 8
    for (int way = 0; way < Ways; ++way) store<Word, width>(high_out + way * width, high[way]), store<Word, width>(low_out + way * width, low[way]);
}

void hash(const Word* key_high, const Word* key_low, const Word* counter_high, const Word* counter_low, Word* high, Word* low, std::int64_t n) {
    std::int64_t i = 0;
    for (; i + 2 * width <= n; i += 2 * width) hash_vectors<2>(key_high + i, key_low + i, counter_high + i, counter_low + i, high + i, low + i);
    for (; i < n; i += width) {
        const auto rest = static_cast<unsigned long>(n - i < width ? n - i : width) * sizeof(Word);
        Word padded[6][width] = {};
        const Word* const from[] = {key_high, key_low, counter_high, counter_low};
        for (int operand = 0; operand < 4; ++operand) __builtin_memcpy(padded[operand], from[operand] + i, rest);
        hash_vectors<1>(padded[0], padded[1], padded[2], padded[3], padded[4], padded[5]);
        __builtin_memcpy(high + i, padded[4], rest);
        __builtin_memcpy(low + i, padded[5], rest);
    }
}

} // namespace

namespace VMAPRUN_ARCH {

const RandomTable& random_table() {
    static constexpr RandomTable table = {hash, one_key<Pairs>, one_key<SingleWords>, one_key<LongWords>, one_key<Floats>, one_key<DoubleFloats>};
    return table;
}

} // namespace VMAPRUN_ARCH
} // namespace vmaprun
