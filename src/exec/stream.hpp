// Inputs and outputs that are never in memory as a whole: slices of their leading axis come from a source and go to a sink,
// block by block, through the segment of the plan that is over that axis as a mapped one (exec/blocks.cpp).
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "exec/liveness.hpp"

namespace vmaprun {

// Called from several threads at once.
class SliceSource {
  public:
    virtual ~SliceSource() = default;
    // Slices [first, first + count) of the leading axis, row-major without gaps, to `target`.
    virtual void read(std::int64_t first, std::int64_t count, std::byte* target) const = 0;
};

// Takes every slice once, in any order, from several threads at once.
class SliceSink {
  public:
    virtual ~SliceSink() = default;
    virtual void write(std::int64_t first, std::int64_t count, const std::byte* data) = 0;
};

// What a run streams: for each input and each output of its graph a source or sink, or null where there is an array.
struct Streams {
    std::vector<const SliceSource*> sources;
    std::vector<SliceSink*> sinks;
};

// Which inputs and outputs of a graph can be streamed: all through one segment.
struct Streamable {
    std::vector<bool> inputs, outputs;
};
std::optional<Streamable> streamable(const Graph& graph);

// The bytes of all arrays that a run makes and has as a whole, and of those of the inputs that it can't stream: what a graph
// that is to be streamed is judged by.
double bytes_in_memory(const Graph& graph, const std::vector<bool>& inputs);

// The segment of a plan that streams, and what it does for a block besides its steps.
struct StreamedSegment {
    struct Source {
        std::uint32_t value; // the input
        const SliceSource* source;
    };
    struct Sink {
        std::uint32_t value; // that the segment writes
        SliceSink* sink;
    };
    std::size_t segment = 0;
    std::vector<Step> views; // of streamed inputs, before the steps
    std::vector<Source> sources;
    std::vector<Sink> sinks;
};

// Takes out of the plan what can't be done with whole arrays where these are streamed, and says what is done instead. InternalError when
// something is to be streamed that streamable() refuses.
StreamedSegment make_streamed(GraphPlan& plan, const Streams& streams);

} // namespace vmaprun
