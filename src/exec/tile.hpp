// The register machine for pointwise work: programs of tile kernels (ir/op.hpp) over one shape, run tile by tile, so that
// what goes from kernel to kernel stays in the first-level cache.
//
// Registers hold one tile each. A register is read from a strided input (in place where it is contiguous, spread once where
// all its elements are one, gathered else), made by a step, or both made and stored to a contiguous result.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "array/array.hpp"
#include "ir/op.hpp"

namespace vmaprun {

class TileProgram {
  public:
    explicit TileProgram(Shape shape);

    // A register that holds an input; its view has the program's shape.
    std::size_t add_input(const View& view);
    // A register made by a kernel from earlier ones; kept in its tile, or written to memory that is bound before a run.
    enum class Target { tile, memory };
    std::size_t add_step(TileKernel kernel, std::vector<std::size_t> operands, DType dtype, Target target);
    void prepare(); // after the last step
    // The memory of an input (of the same strides as before) or of a result (row-major, of the program's shape).
    void bind(std::size_t which, std::byte* data) { registers_[which].data = data; }

    std::int64_t size() const { return size_; }
    std::int64_t tile() const { return tile_; }
    // Elements [begin, end) in row-major order; distinct ranges may run on several threads at once.
    void run(std::int64_t begin, std::int64_t end) const;

  private:
    enum class Access { direct, spread, gathered, computed, stored };
    struct Register {
        Access access = Access::computed;
        std::size_t width = 1;      // bytes an element
        std::byte* data = nullptr;  // direct, spread, gathered, stored
        Shape shape;                // gathered: joined axes
        Strides strides;
        std::size_t slot = 0;       // spread, gathered, computed: its scratch tile
    };
    struct Instruction {
        TileKernel kernel = nullptr;
        std::vector<std::size_t> operands;
        std::size_t target = 0;
    };
    static void gather(const Register& input, std::int64_t begin, std::int64_t count, std::byte* out);

    Shape shape_;
    std::int64_t size_ = 1;
    std::int64_t tile_ = 1024;
    std::vector<Register> registers_;
    std::vector<Instruction> instructions_;
    std::size_t slots_ = 0;
};

} // namespace vmaprun
