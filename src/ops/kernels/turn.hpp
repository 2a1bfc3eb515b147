// Transposes of elements of 4 and 8 bytes in memory, by squares in registers: for work that goes along one axis over data
// that lies along another.
#pragma once

#include <cstdint>

namespace vmaprun {

// to[c * to_stride + r] = from[r * from_stride + c] for r in [0, rows), c in [0, columns): strides in elements.
using TurnFunction = void (*)(const void* from, std::int64_t from_stride, void* to, std::int64_t to_stride, std::int64_t rows, std::int64_t columns);

struct TurnTable {
    TurnFunction words32, words64;
};

const TurnTable& turn_table(); // of the best instruction set of this machine

namespace sse42 {
const TurnTable& turn_table();
}
namespace avx2 {
const TurnTable& turn_table();
}
namespace avx512 {
const TurnTable& turn_table();
}
namespace neon {
const TurnTable& turn_table();
}

} // namespace vmaprun
