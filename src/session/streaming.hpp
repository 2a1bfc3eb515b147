// Runs whose inputs or outputs go from file to file by slices, without being in memory as a whole (exec/stream.hpp).
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "exec/run.hpp"
#include "exec/stream.hpp"
#include "io/inputs.hpp"
#include "io/npy_stream.hpp"
#include "trace/trace.hpp"
#include "vmaprun.hpp"

namespace vmaprun {

// The graph, made ready to stream: batched code that is written by hand streams too, an input that has a source gets its
// leading axis mapped, where the graph uses it by slices of that axis alone.
std::shared_ptr<Graph> cut_for_streaming(std::shared_ptr<Graph> graph, const Traced& traced, BoundInputs& inputs);

// One run, in which what is large and used by independent slices alone goes from file to file.
class Streaming {
  public:
    Streaming(const Graph& graph, const Traced& traced, BoundInputs& inputs, const std::vector<WantedOutput>& wanted, RunOptions options);
    // The graph's outputs; empty where they went to their files.
    std::vector<Array> run();
    const std::vector<std::string>& placed() const { return placed_; } // the names of those

  private:
    void place(const TracedOutput& output, const std::vector<WantedOutput>& wanted, const Streamable& can);

    const Graph& graph_;
    const Traced& traced_;
    BoundInputs& inputs_;
    RunOptions options_;
    std::vector<std::unique_ptr<SliceSource>> sources_;
    std::vector<std::unique_ptr<NpySink>> sinks_;
    std::vector<PlacedOutput*> targets_;
    std::vector<bool> skipped_;
    std::vector<std::string> placed_;
    Streams streams_;
};

} // namespace vmaprun
