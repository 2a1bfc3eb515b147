#include "exec/pointwise_step.hpp"

#include <algorithm>
#include <map>

#include "base/error.hpp"
#include "ops/lane_iteration.hpp"

namespace vmaprun {
namespace {

constexpr std::int64_t largest_kept = 8192;  // elements
constexpr std::size_t most_kept = 3;         // a result, the one of the iteration before, and one to write

} // namespace

PointwiseStep::PointwiseStep(const Work& work, const Step& step) : kernels_(static_cast<std::int64_t>(step.nodes.size())) {
    const Graph& graph = work.graph();
    const Node& first = graph.nodes[step.nodes.front()];
    program_.emplace(work.frame.shape(first.lanes, work.info(first.results[0]).type.shape));
    std::map<std::uint32_t, std::size_t> registers;
    for (const std::uint32_t n : step.nodes) {
        const Node& node = graph.nodes[n];
        std::vector<std::size_t> operands;
        std::vector<DType> dtypes;
        for (std::size_t i = 0; i < node.operands.size(); ++i) {
            const std::uint32_t value = node.operands[i].index;
            dtypes.push_back(work.info(value).type.dtype);
            const auto [known, is_new] = registers.try_emplace(value, 0);
            if (is_new) {
                known->second = program_->add_input(work.aligned(node, i, node.lanes));
                inputs_.push_back({value, known->second, work.slots[value].view().strides});
            }
            operands.push_back(known->second);
        }
        const std::uint32_t result = node.results[0];
        const DType dtype = work.info(result).type.dtype;
        const TileKernel kernel = node.op->tile(dtypes, dtype);
        if (kernel == nullptr) throw InternalError("exec: " + std::string(node.op->name()) + " has no kernel for " + std::string(name_of(dtype)));
        const bool is_stored = step.nodes.size() == 1 || std::ranges::find(step.stored, result) != step.stored.end();
        const std::size_t target = program_->add_step(kernel, std::move(operands), dtype, is_stored ? TileProgram::Target::memory : TileProgram::Target::tile);
        registers[result] = target;
        if (is_stored) results_.push_back({result, target, {}});
    }
    program_->prepare();
}

bool PointwiseStep::fits(const Work& work) const {
    return std::ranges::all_of(inputs_, [&](const Input& input) { return work.slots[input.value].view().strides == input.strides; });
}

Array PointwiseStep::memory_for(const Work& work, Result& result, Memory memory) {
    for (const Array& array : result.kept) {
        if (array.buffer().use_count() == 1) return array;
    }
    Array array = work.result_array(result.value);
    const bool is_place = work.places && (*work.places)[result.value];
    if (memory == Memory::kept && !is_place && array.size() <= largest_kept && result.kept.size() < most_kept) result.kept.push_back(array);
    return array;
}

void PointwiseStep::run(const Work& work, Memory memory) {
    for (const Input& input : inputs_) program_->bind(input.which, work.slots[input.value].view().data);
    for (Result& result : results_) {
        Array array = memory_for(work, result, memory);
        program_->bind(result.which, array.view().data);
        work.slots[result.value] = std::move(array);
    }
    const std::int64_t grain = std::max<std::int64_t>(1, 32768 / (program_->tile() * kernels_)) * program_->tile();
    Parallel* parallel = program_->size() * kernels_ >= worth_threads ? work.parallel : nullptr;
    run_in_parts(parallel, program_->size(), grain, [&](std::int64_t begin, std::int64_t end) { program_->run(begin, end); });
}

} // namespace vmaprun
