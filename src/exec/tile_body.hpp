// The body of a loop that is nothing but pointwise work over one shape: a tile program that runs over a tile of elements
// through many iterations, while what the loop carries stays in the first-level cache.
//
// The elements of the loop are numbered in row-major order over its lanes and the sample shape of its values; a worker
// takes a range of them. Whatever doesn't change from iteration to iteration is computed or gathered once.
#pragma once

#include <memory>
#include <optional>
#include <vector>

#include "base/aligned.hpp"
#include "exec/control_bodies.hpp"
#include "exec/tile.hpp"

namespace vmaprun {

class TileBody {
  public:
    // What the inputs of a body (before what it captures) are: a value for each element, or one number for all of them.
    enum class Input { each, one };

    // Empty when the body is of another kind, or not over `lanes` and `space`. `frame`: of the body.
    static std::optional<TileBody> make(const Work& work, const Frame& frame, const Bodies& bodies, std::size_t body, const std::vector<Input>& inputs, const Lanes& lanes, const Dims& space);

    std::size_t width(std::size_t output) const { return outputs_[output].width; }
    bool needs(std::size_t input) const { return inputs_[input] != 0; }
    // An output that is an input passed on, by its number; nullopt: computed.
    std::optional<std::size_t> passed_on(std::size_t output) const { return outputs_[output].input; }
    std::int64_t tile() const { return program_.tile_rows(); }

    // One thread's work on ranges of elements.
    class Worker {
      public:
        explicit Worker(const TileBody& body);
        // Takes the range of `count` elements from `first` on, to the places from `at` on; at + count <= tile.
        void start(std::int64_t first, std::int64_t count, std::int64_t at = 0);
        void bind_input(std::size_t input, const std::byte* data) { bind_register(body_.inputs_[input], data); }
        void bind_one(std::size_t input, const std::byte* data);
        void bind_output(std::size_t output, std::byte* data) { bind_register(body_.outputs_[output].which, data); }
        void run(std::int64_t count) { session_.run(count); }
        // Goes on with some elements of the range alone: those at `kept`, ascending.
        void keep(const std::vector<std::int32_t>& kept);

      private:
        void bind_register(std::size_t which, const std::byte* data) {
            if (which != 0) session_.bind(which, data);
        }
        const TileBody& body_;
        TileProgram::Session session_;
        std::vector<AlignedBytes> gathered_; // for each of the body's constants
    };

  private:
    explicit TileBody(std::int64_t elements) : program_({elements}, {}) {}
    struct Constant { // varies over the elements, but not from iteration to iteration
        std::size_t which;
        Array array; // of the lanes and the space
    };
    struct Output {
        std::size_t which = 0; // its register; 0: passed on, or not needed
        std::optional<std::size_t> input;
        std::size_t width = 0;
    };
    class Maker;

    TileProgram program_;
    std::vector<std::size_t> inputs_; // registers; 0: not needed
    std::vector<Output> outputs_;
    std::vector<Constant> constants_;
    std::vector<Array> held_; // what the program points to
};

// Moves the elements at `kept` (ascending) of an array of that width to its front.
void keep_elements(std::byte* data, std::size_t width, const std::vector<std::int32_t>& kept);

} // namespace vmaprun
