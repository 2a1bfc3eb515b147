// Threefry-2x32 with 20 rounds (Salmon, Moraes, Dror, Shaw: Parallel random numbers: as easy as 1, 2, 3; SC 2011), one
// table an instruction set (kernels/simd/random.cpp). All of it is arithmetic of whole numbers: one answer everywhere.
#pragma once

#include <cstdint>

namespace vmaprun {

struct RandomTable {
    // The two words that each key makes of its counter.
    void (*hash)(const std::uint32_t* key_high, const std::uint32_t* key_low, const std::uint32_t* counter_high, const std::uint32_t* counter_low,
                 std::uint32_t* high, std::uint32_t* low, std::int64_t n);
    // What one key makes of the counters first, first + 1, …: both words as neighbours, their exclusive or, or one number of
    // 64 bits; and these numbers' upper bits as floats in [0, 1).
    void (*pairs)(std::uint32_t key_high, std::uint32_t key_low, std::uint64_t first, std::int64_t n, std::uint32_t* out);
    void (*words)(std::uint32_t key_high, std::uint32_t key_low, std::uint64_t first, std::int64_t n, std::uint32_t* out);
    void (*long_words)(std::uint32_t key_high, std::uint32_t key_low, std::uint64_t first, std::int64_t n, std::uint64_t* out);
    void (*floats)(std::uint32_t key_high, std::uint32_t key_low, std::uint64_t first, std::int64_t n, float* out);
    void (*doubles)(std::uint32_t key_high, std::uint32_t key_low, std::uint64_t first, std::int64_t n, double* out);
};

const RandomTable& random_table(); // of the best instruction set of this machine

namespace sse42 {
const RandomTable& random_table();
}
namespace avx2 {
const RandomTable& random_table();
}
namespace avx512 {
const RandomTable& random_table();
}
namespace neon {
const RandomTable& random_table();
}

} // namespace vmaprun
