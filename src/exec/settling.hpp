// How far a run has come, so that debug lines appear as soon as nothing can come before them any more.
//
// Events are told in the order of one sample after another. What the top of the program does outside of mapped axes happens
// in that order, so after each of its steps, and each iteration of its loops, all earlier lines are final. (Lines from
// inside of mapped axes wait for the step that ends their axis.)
#pragma once

#include <cstdint>
#include <functional>
#include <string_view>
#include <vector>

#include "exec/fault.hpp"
#include "exec/liveness.hpp"

namespace vmaprun {

class Settling {
  public:
    using Print = std::function<void(std::string_view)>;
    Settling(const GraphPlan& top, EventLog& log, const Print& print);
    // So many steps of a plan are done; only those of the top matter.
    void passed(const GraphPlan& plan, std::size_t steps);
    // The loop `node` of a plan begins an iteration.
    void iterates(const GraphPlan& plan, const Node& node, std::int64_t iteration);

    static bool prints(const GraphPlan& plan); // whether it, or a body in it, has a debug

  private:
    const GraphPlan& top_;
    EventLog& log_;
    const Print& print_;
    std::vector<std::uint32_t> earliest_; // of the steps from each place on: where their first event stands in the program
    std::size_t done_ = 0;
};

} // namespace vmaprun
