// Memory for the results of steps that run again and again: small arrays are kept, to be written again once nobody looks at them.
#pragma once

#include <vector>

#include "exec/evaluate.hpp"

namespace vmaprun {

class KeptMemory {
  public:
    enum class Keeps { nothing, small };

    // For a value of the graph: its place, where it has one, else an array that nobody looks at.
    Array take(const Work& work, std::uint32_t value, Keeps keeps) {
        for (const Array& array : kept_) {
            if (array.buffer().use_count() == 1) return array;
        }
        Array array = work.result_array(value);
        const bool is_place = work.places && (*work.places)[value];
        if (keeps == Keeps::small && !is_place && array.size() <= largest && kept_.size() < most) kept_.push_back(array);
        return array;
    }

  private:
    static constexpr std::int64_t largest = 8192; // elements
    static constexpr std::size_t most = 3;        // a result, the one of the iteration before, and one to write

    std::vector<Array> kept_;
};

} // namespace vmaprun
