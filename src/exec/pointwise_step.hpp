// A step of one or several pointwise nodes, made ready for its operands' strides: a tile program, and what it reads and
// writes. Where a step runs again and again (the body of a loop) it is kept, and only looks up where its data is now.
#pragma once

#include <memory>
#include <optional>
#include <vector>

#include "exec/evaluate.hpp"
#include "exec/tile.hpp"

namespace vmaprun {

class PointwiseStep {
  public:
    PointwiseStep(const Work& work, const Step& step);
    // Whether operands have the strides that it was made for (the frame being the same).
    bool fits(const Work& work) const;
    // `keeps`: small results are kept, to be written again once nobody looks at them.
    enum class Memory { fresh, kept };
    void run(const Work& work, Memory memory);

  private:
    struct Input {
        std::uint32_t value;
        std::size_t which; // its register
        Strides strides;
    };
    struct Result {
        std::uint32_t value;
        std::size_t which;
        std::vector<Array> kept;
    };
    static Array memory_for(const Work& work, Result& result, Memory memory);

    std::optional<TileProgram> program_;
    std::int64_t kernels_ = 0;
    std::vector<Input> inputs_;
    std::vector<Result> results_;
};

} // namespace vmaprun
