// What the random family's kernels share: how the words that keys make of counters become results.
//
// Element i of a sample is made of the key and the counter i alone (JAX's partitionable scheme), so a lane's numbers do not
// depend on other lanes, on the shape that follows, or on how the work is cut.
#pragma once

#include <algorithm>
#include <cstdint>

#include "ops/kernels/random_table.hpp"
#include "ops/lane_iteration.hpp"

namespace vmaprun {

inline constexpr std::int64_t draw_chunk = 1024; // elements that are finished while they are in the nearest cache

// Threefry-2x32 of one key and counter.
KeyWords hash_counter(KeyWords key, std::uint64_t counter);

// Fills result 0 of a call whose operand 0 is one key a lane.
//   one_key(key, first, n, out): n elements from counter `first` on
//   from_words(words): one element
//   finish(out, n): the last step, in place, on either's elements
template <class T, class OneKey, class FromWords, class Finish>
void draw(const KernelCall& call, const OneKey& one_key, const FromWords& from_words, const Finish& finish) {
    const LaneIteration walk(call);
    const std::int64_t size = element_count(result_shape(call, 0));
    T* out = call.results[0].as<T>();
    if (size == 0) return;
    if (size >= 32) {
        run_in_parts(call.parallel, walk.count() * size, 1 << 14, [&](std::int64_t begin, std::int64_t end) {
            walk.range(begin / size, (end - 1) / size + 1, [&](std::int64_t lane, std::byte* const* at) {
                const KeyWords key = *lane_data<KeyWords>(at, 0);
                const std::int64_t stop = std::min(end, (lane + 1) * size);
                for (std::int64_t from = std::max(begin, lane * size); from < stop; from += draw_chunk) {
                    const std::int64_t n = std::min(draw_chunk, stop - from);
                    one_key(key, static_cast<std::uint64_t>(from - lane * size), n, out + from);
                    finish(out + from, n);
                }
            });
        });
        return;
    }
    run_in_parts(call.parallel, walk.count(), grain_for(size), [&](std::int64_t begin, std::int64_t end) {
        std::uint32_t key_high[256], key_low[256], counter_high[256] = {}, counter_low[256], high[256], low[256];
        std::int64_t n = 0;
        T* to = out + begin * size;
        const auto flush = [&] {
            random_table().hash(key_high, key_low, counter_high, counter_low, high, low, n);
            for (std::int64_t i = 0; i < n; ++i) to[i] = from_words(KeyWords{high[i], low[i]});
            finish(to, n);
            to += n;
            n = 0;
        };
        walk.range(begin, end, [&](std::int64_t, std::byte* const* at) {
            const KeyWords key = *lane_data<KeyWords>(at, 0);
            for (std::int64_t i = 0; i < size; ++i) {
                key_high[n] = key.high, key_low[n] = key.low, counter_low[n] = static_cast<std::uint32_t>(i);
                if (++n == 256) flush();
            }
        });
        flush();
    });
}

// ---- the kernels; attributes are those of the rows in ops/random.cpp

void key_kernel(const KernelCall& call);
void split_kernel(const KernelCall& call);
void fold_in_kernel(const KernelCall& call);
void bits_kernel(const KernelCall& call);
void unit_kernel(const KernelCall& call);   // floats in [0, 1)
void normal_kernel(const KernelCall& call);
void integers_kernel(const KernelCall& call);
void gamma_kernel(const KernelCall& call);  // kernels/random_gamma.cpp
// The slopes of variates (second operand) by their shape (first), with their probabilities held.
TileKernel gamma_slope_tile(std::span<const DType> operands, DType result);

} // namespace vmaprun
