// A node that runs by its kernel, made ready for its operands' strides: where it runs again and again (the body of a loop) the call is
// kept, and only looks up where its data is now.
#pragma once

#include <vector>

#include "exec/kept_memory.hpp"

namespace vmaprun {

class KernelStep {
  public:
    KernelStep(const Work& work, const Node& node);
    // Whether operands have the strides that it was made for (the frame being the same).
    bool fits(const Work& work) const;
    void run(const Work& work, KeptMemory::Keeps keeps);

  private:
    const Node& node_;
    std::vector<Strides> strides_; // of the operands, as they lie in their slots
    std::vector<View> operands_, results_;
    std::vector<KeptMemory> memory_; // of the results
    KernelCall call_;
    bool is_worth_threads_;
};

} // namespace vmaprun
