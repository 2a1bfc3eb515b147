#include "ops/kernels/random.hpp"

#include <array>
#include <bit>
#include <limits>

#include "ops/kernels/pointwise.hpp"

namespace vmaprun {
namespace {

constexpr auto as_it_is = [](auto*, std::int64_t) {};

std::uint64_t joined(KeyWords words) { return std::uint64_t{words.high} << 32 | words.low; }

template <class T> T number_of(KeyWords words) {
    if constexpr (std::is_same_v<T, KeyWords>) return words;
    else if constexpr (std::is_same_v<T, float>) return std::bit_cast<float>((words.high ^ words.low) >> 9 | 0x3F800000u) - 1.0f;
    else if constexpr (std::is_same_v<T, double>) return std::bit_cast<double>(joined(words) >> 12 | 0x3FF0000000000000u) - 1.0;
    else if constexpr (sizeof(T) == 8) return joined(words);
    else return static_cast<T>(words.high ^ words.low);
}

template <class T> void fill_from(KeyWords key, std::uint64_t first, std::int64_t n, T* out) {
    const RandomTable& table = random_table();
    if constexpr (std::is_same_v<T, KeyWords>) {
        table.pairs(key.high, key.low, first, n, reinterpret_cast<std::uint32_t*>(out));
    } else if constexpr (std::is_same_v<T, float>) {
        table.floats(key.high, key.low, first, n, out);
    } else if constexpr (std::is_same_v<T, double>) {
        table.doubles(key.high, key.low, first, n, out);
    } else if constexpr (std::is_same_v<T, std::uint64_t>) {
        table.long_words(key.high, key.low, first, n, out);
    } else if constexpr (std::is_same_v<T, std::uint32_t>) {
        table.words(key.high, key.low, first, n, out);
    } else {
        std::uint32_t words[draw_chunk];
        table.words(key.high, key.low, first, n, words);
        for (std::int64_t i = 0; i < n; ++i) out[i] = static_cast<T>(words[i]);
    }
}

template <class T> void draw_plain(const KernelCall& call) { draw<T>(call, fill_from<T>, number_of<T>, as_it_is); }

} // namespace

KeyWords hash_counter(KeyWords key, std::uint64_t counter) {
    static constexpr int rotations[2][4] = {{13, 15, 26, 6}, {17, 29, 16, 24}};
    const std::uint32_t words[3] = {key.high, key.low, key.high ^ key.low ^ 0x1BD11BDAu};
    std::uint32_t high = static_cast<std::uint32_t>(counter >> 32) + words[0], low = static_cast<std::uint32_t>(counter) + words[1];
    for (std::uint32_t step = 1; step <= 5; ++step) {
        for (const int bits : rotations[(step + 1) % 2]) {
            high += low;
            low = std::rotl(low, bits) ^ high;
        }
        high += words[step % 3];
        low += words[(step + 1) % 3] + step;
    }
    return {high, low};
}

// The seed's 64 bits; narrower ones have none above their 32, whatever their sign.
void key_kernel(const KernelCall& call) {
    visit_dtype(call.operands[0].dtype, [&]<class T>(TypeTag<T>) {
        if constexpr (std::is_integral_v<T>) {
            for_each_lane(call, 1 << 14, [&](std::int64_t, std::byte* const* at) {
                const auto seed = static_cast<std::uint64_t>(*lane_data<T>(at, 0));
                *lane_data<KeyWords>(at, 1) = {sizeof(T) == 8 ? static_cast<std::uint32_t>(seed >> 32) : 0, static_cast<std::uint32_t>(seed)};
            });
        }
    });
}

void split_kernel(const KernelCall& call) { draw_plain<KeyWords>(call); }

void fold_in_kernel(const KernelCall& call) {
    for_each_lane(call, 1 << 10, [&](std::int64_t, std::byte* const* at) {
        *lane_data<KeyWords>(at, 2) = hash_counter(*lane_data<KeyWords>(at, 0), static_cast<std::uint32_t>(*lane_data<std::int64_t>(at, 1)));
    });
}

void bits_kernel(const KernelCall& call) {
    switch (call.results[0].dtype) {
    case DType::u8: return draw_plain<std::uint8_t>(call);
    case DType::u16: return draw_plain<std::uint16_t>(call);
    case DType::u32: return draw_plain<std::uint32_t>(call);
    default: return draw_plain<std::uint64_t>(call);
    }
}

void unit_kernel(const KernelCall& call) {
    if (call.results[0].dtype == DType::f32) draw_plain<float>(call);
    else draw_plain<double>(call);
}

void normal_kernel(const KernelCall& call) {
    const TileKernel quantile = pointwise_kernel(PointwiseOp::normal_quantile, call.results[0].dtype);
    const auto finish = [&](auto* out, std::int64_t n) {
        const void* in[] = {out};
        quantile(out, in, n);
    };
    if (call.results[0].dtype == DType::f32) draw<float>(call, fill_from<float>, number_of<float>, finish);
    else draw<double>(call, fill_from<double>, number_of<double>, finish);
}

// ---- whole numbers of a range

namespace {

__extension__ typedef __int128 Wide; // holds every i64 and u64

// A range of T, and how two words of T's size become an offset in it: (higher * 2^bits + lower) mod span, computed modulo
// span in the words' own size, as JAX does; span 0 stands for all 2^bits.
template <class T> class Range {
  public:
    using Word = std::make_unsigned_t<T>;
    Range(Wide low, Wide high) {
        const Wide least = std::numeric_limits<T>::min(), most = std::numeric_limits<T>::max();
        const bool open = high > most;
        low_ = static_cast<T>(std::clamp(low, least, most));
        const auto end = static_cast<T>(std::clamp(high, least, most));
        span_ = end <= low_ ? Word{1} : static_cast<Word>(static_cast<Word>(end) - static_cast<Word>(low_) + (open ? Word{1} : Word{0}));
        multiplier_ = rest(Word{1} << (sizeof(T) * 4));
        multiplier_ = rest(multiplier_ * multiplier_);
    }
    T pick(Word higher, Word lower) const { return static_cast<T>(static_cast<Word>(low_) + rest(rest(higher) * multiplier_ + rest(lower))); }

  private:
    Word rest(Word x) const { return span_ == 0 ? x : x % span_; }
    T low_;
    Word span_, multiplier_;
};

Wide wide_number(DType dtype, const std::byte* at) {
    return dtype == DType::u64 ? Wide{*reinterpret_cast<const std::uint64_t*>(at)} : Wide{*reinterpret_cast<const std::int64_t*>(at)};
}

// The words that both halves of a lane's key make of its counters, some ahead.
template <class Word> class WordPairs {
  public:
    void enter(KeyWords key) {
        higher_key_ = hash_counter(key, 0), lower_key_ = hash_counter(key, 1);
        count_ = 0;
    }
    // Gives f the words of a counter in [0, size).
    template <class F> auto at(std::int64_t counter, std::int64_t size, const F& f) {
        if (count_ == 0 || counter >= first_ + count_) {
            first_ = counter, count_ = std::min<std::int64_t>(256, size - counter);
            fill_from<Word>(higher_key_, static_cast<std::uint64_t>(first_), count_, higher_);
            fill_from<Word>(lower_key_, static_cast<std::uint64_t>(first_), count_, lower_);
        }
        return f(higher_[counter - first_], lower_[counter - first_]);
    }

  private:
    KeyWords higher_key_, lower_key_;
    std::int64_t first_ = 0, count_ = 0;
    Word higher_[256], lower_[256];
};

// Operands: key, low, high (i64 or u64, of the result's shape). Narrow results are drawn as i32.
template <class T, class Drawn> void integers_of(const KernelCall& call) {
    LaneIteration walk(call);
    const auto shape = result_shape(call, 0);
    for (std::size_t axis = 0; axis < shape.size(); ++axis) {
        walk.add_axis(call, shape[axis], std::array{std::int64_t{0}, sample_strides(call, 1)[axis], sample_strides(call, 2)[axis], result_strides(call, 0)[axis]});
    }
    const std::int64_t rows = walk.rows();
    const DType low_dtype = call.operands[1].dtype, high_dtype = call.operands[2].dtype;
    run_in_parts(call.parallel, walk.count(), 4096, [&](std::int64_t begin, std::int64_t end) {
        WordPairs<std::make_unsigned_t<Drawn>> words;
        Range<Drawn> range(0, 0);
        Wide last_low = 0, last_high = 0;
        std::int64_t lane = -1;
        walk.range(begin, end, [&](std::int64_t position, std::byte* const* at) {
            if (position / rows != lane) {
                lane = position / rows;
                words.enter(*lane_data<KeyWords>(at, 0));
            }
            const Wide low = wide_number(low_dtype, at[1]), high = wide_number(high_dtype, at[2]);
            if (low != last_low || high != last_high) {
                last_low = low, last_high = high;
                if constexpr (std::is_same_v<T, Drawn>) range = Range<Drawn>(low, high);
                else range = Range<Drawn>(std::clamp(low, Wide{std::numeric_limits<T>::min()}, Wide{std::numeric_limits<T>::max()}), std::clamp(high, Wide{std::numeric_limits<T>::min()}, Wide{std::numeric_limits<T>::max()} + 1));
            }
            *lane_data<T>(at, 3) = static_cast<T>(words.at(position - lane * rows, rows, [&](auto higher, auto lower) { return range.pick(higher, lower); }));
        });
    });
}

} // namespace

void integers_kernel(const KernelCall& call) {
    visit_dtype(call.results[0].dtype, [&]<class T>(TypeTag<T>) {
        if constexpr (std::is_integral_v<T> && !std::is_same_v<T, bool>) {
            if constexpr (sizeof(T) < 4) integers_of<T, std::int32_t>(call);
            else integers_of<T, T>(call);
        }
    });
}

} // namespace vmaprun
