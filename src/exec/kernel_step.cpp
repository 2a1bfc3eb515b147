#include "exec/kernel_step.hpp"

#include <algorithm>

#include "base/error.hpp"

namespace vmaprun {
namespace {

// The events of a node, looked for only when there is one.
class Events final : public FaultSink {
  public:
    Events(const Work& work, const Node& node) : work_(work), node_(node) {}
    void report(std::int64_t lane, const char* code, std::string message) override {
        NodeEvents(work_.state.log, work_.frame, node_, node_.lanes).report(lane, code, std::move(message));
    }

  private:
    const Work& work_;
    const Node& node_;
};

// Kernels whose work is more than a few operations an element are worth threads at any size that they ask for.
bool is_worth_threads(const Node& node, const std::vector<View>& operands, const std::vector<View>& results) {
    const Family family = node.op->family;
    if (family == Family::contraction || family == Family::linalg || family == Family::signal || family == Family::random) return true;
    std::int64_t elements = 0;
    for (const View& view : operands) elements += view.size();
    for (const View& view : results) elements += view.size();
    return elements >= worth_threads;
}

} // namespace

KernelStep::KernelStep(const Work& work, const Node& node) : node_(node), memory_(node.results.size()) {
    if (node.op->kernel == nullptr) throw InternalError("exec: " + std::string(node.op->name()) + " has no kernel");
    for (std::size_t i = 0; i < node.operands.size(); ++i) {
        operands_.push_back(work.aligned(node, i, node.lanes));
        strides_.push_back(work.operand(node, i).view().strides);
    }
    for (const std::uint32_t result : node.results) {
        const ValueInfo& info = work.info(result);
        Shape shape = work.frame.shape(info.lanes, info.type.shape);
        results_.push_back({info.type.dtype, nullptr, shape, row_major_strides(shape)});
    }
    is_worth_threads_ = is_worth_threads(node, operands_, results_);
    call_.node = &node;
    call_.lanes = work.frame.extents(work.frame.leaders(node.lanes));
    call_.operands = operands_;
    call_.results = results_;
    call_.clamp_indices = work.state.options.clamp_indices;
    call_.series = work.series;
    for (std::size_t i = 0; work.series != 0 && i < std::min<std::size_t>(node.operands.size(), 64); ++i) {
        if (!has_lane(work.graph().lanes(node.operands[i]), work.block_lane)) call_.fixed |= std::uint64_t{1} << i;
    }
}

bool KernelStep::fits(const Work& work) const {
    for (std::size_t i = 0; i < strides_.size(); ++i) {
        const Array& array = work.operand(node_, i);
        if (!array || array.view().strides != strides_[i]) return false;
    }
    return true;
}

void KernelStep::run(const Work& work, KeptMemory::Keeps keeps) {
    std::size_t count = node_.results.size();
    for (std::size_t i = 0; i < operands_.size(); ++i) operands_[i].data = work.operand(node_, i).view().data;
    std::vector<Array> arrays;
    arrays.reserve(count);
    for (std::size_t i = 0; i < count; ++i) {
        arrays.push_back(memory_[i].take(work, node_.results[i], keeps));
        results_[i] = arrays[i].view();
    }
    Events events(work, node_);
    call_.faults = &events;
    call_.parallel = is_worth_threads_ ? work.parallel : nullptr;
    if (element_count(call_.lanes) > 0) node_.op->kernel(call_);
    for (std::size_t i = 0; i < count; ++i) work.set(node_.results[i], arrays[i]);
}

} // namespace vmaprun
