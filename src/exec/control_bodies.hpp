// What if, while, for and scan share at run time: their bodies, ready to be run again and again.
#pragma once

#include <memory>
#include <vector>

#include "exec/evaluate.hpp"
#include "exec/packing.hpp"

namespace vmaprun {

class Bodies {
  public:
    Bodies(const Work& work, std::uint32_t index) : Bodies(work, index, GraphRunner::Runs::many) {}
    Bodies(const Work& work, std::uint32_t index, GraphRunner::Runs runs);

    const GraphPlan& plan(std::size_t body) const { return plans_[body]; }
    const Graph& graph(std::size_t body) const { return *node_.bodies[body]; }
    const Lanes& input_lanes(std::size_t body, std::size_t input) const { return graph(body).lanes(graph(body).inputs[input]); }
    const Lanes& output_lanes(std::size_t body, std::size_t output) const { return graph(body).lanes(graph(body).outputs[output]); }
    bool needs_result(std::size_t result) const { return work_.plan.needed[node_.results[result]]; }

    // The operands that the body captures (laid out by their lanes, which are those of its inputs).
    std::vector<Array> captures(std::size_t body) const;
    std::vector<Array> run(std::size_t body, const Frame& frame, std::vector<Array> inputs) { return runners_[body]->run(frame, std::move(inputs)); }
    GraphRunner& runner(std::size_t body) { return *runners_[body]; }
    void begin(std::int64_t iteration) const; // to be called as an iteration begins
    void forget(); // to be called when the next frame has other groups

  private:
    const Work& work_;
    const Node& node_;
    const std::vector<GraphPlan>& plans_;
    std::vector<std::unique_ptr<GraphRunner>> runners_;
};

std::vector<Array> joined(std::vector<Array> first, const std::vector<Array>& second);
// The arrays (inputs of the body from `first_input` on) in the inner frame; empty ones stay empty.
std::vector<Array> gather_all(const Packing& packing, const Graph& body, std::size_t first_input, const std::vector<Array>& arrays);

// exec/control_tiles.cpp. False: the loop is of another kind, and nothing was done.
bool scan_in_tiles(const Work& work, std::uint32_t index, const Bodies& bodies);
bool for_in_tiles(const Work& work, std::uint32_t index, const Bodies& bodies, std::int64_t start, std::int64_t stop);
bool while_in_tiles(const Work& work, const Frame& frame, std::uint32_t index, const Bodies& bodies);

void run_while(const Work& work, std::uint32_t index); // exec/control_while.cpp

} // namespace vmaprun
