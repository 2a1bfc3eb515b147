// Elements as words whose bits are only moved: what copies and gathers work on, whatever the dtype.
#pragma once

#include <cstddef>
#include <cstdint>

namespace vmaprun {

struct WideWord { // of 16 bytes
    std::uint64_t low, high;
};

// f(a word of so many bytes); what it gives, it gives for every width.
template <class F> decltype(auto) visit_word(std::size_t width, F&& f) {
    switch (width) {
    case 1: return f(std::uint8_t{});
    case 2: return f(std::uint16_t{});
    case 4: return f(std::uint32_t{});
    case 8: return f(std::uint64_t{});
    default: return f(WideWord{});
    }
}

} // namespace vmaprun
