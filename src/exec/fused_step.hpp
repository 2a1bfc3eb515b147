// A step of one or several nodes that run tile by tile: pointwise ones, and folds of rows with what is pointwise around
// them. Made ready for its operands' strides: a tile program, and what it reads and writes. Where a step runs again and
// again (the body of a loop) it is kept, and only looks up where its data is now.
#pragma once

#include <map>
#include <optional>
#include <vector>

#include "exec/kept_memory.hpp"
#include "exec/tile.hpp"

namespace vmaprun {

class FusedStep {
  public:
    FusedStep(const Work& work, const Step& step);
    // Whether operands have the strides that it was made for (the frame being the same).
    bool fits(const Work& work) const;
    void run(const Work& work, KeptMemory::Keeps keeps);

  private:
    struct Input {
        std::uint32_t value;
        std::size_t which; // its register
        Strides strides;
    };
    struct Result {
        std::uint32_t value;
        std::size_t which;
        KeptMemory memory;
    };
    struct Making; // what is known only while the program is made
    void add_node(Making& making, const Node& node);
    std::size_t operand_register(Making& making, const Node& node, std::size_t i, TileProgram::Form form);

    std::optional<TileProgram> program_;
    std::int64_t kernels_ = 0;
    std::vector<Input> inputs_;
    std::vector<Result> results_;
    std::vector<std::uint32_t> views_; // nodes that only look at a result in another shape
};

} // namespace vmaprun
