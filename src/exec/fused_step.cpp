#include "exec/fused_step.hpp"

#include <algorithm>

#include "base/error.hpp"
#include "ops/lane_iteration.hpp"

namespace vmaprun {
namespace {

using Form = TileProgram::Form;
using Target = TileProgram::Target;

constexpr std::int64_t worth_streaming = 8 << 20; // bytes of results: more than what stays in a cache
constexpr int most_streamed_cost = 16;       // kernels an element: beyond, computing takes longer than memory

// How much of the time of a stored element its kernels take, in additions.
int cost_of(const Node& node) { return node.op->family == Family::pointwise && node.op->costly ? 8 : 1; }

} // namespace

TileKernel tile_kernel(const Graph& graph, const Node& node) {
    std::vector<DType> dtypes;
    for (const Value operand : node.operands) dtypes.push_back(graph.type(operand).dtype);
    const DType dtype = graph.values[node.results[0]].type.dtype;
    const TileKernel kernel = node.op->tile(dtypes, dtype);
    if (kernel == nullptr) throw InternalError("exec: " + std::string(node.op->name()) + " has no kernel for " + std::string(name_of(dtype)));
    return kernel;
}

struct FusedStep::Making {
    const Work& work;
    const Step& step;
    std::map<std::pair<std::uint32_t, Form>, std::size_t> inputs;
    std::map<std::uint32_t, std::size_t> made; // values of the step itself
};

FusedStep::FusedStep(const Work& work, const Step& step) : kernels_(static_cast<std::int64_t>(step.nodes.size())) {
    const Graph& graph = work.graph();
    Making making{work, step, {}, {}};
    Shape rows = work.frame.shape(graph.nodes[step.nodes.front()].lanes, step.space);
    Shape columns(rows.end() - static_cast<std::ptrdiff_t>(step.column_axes), rows.end());
    rows.resize(rows.size() - step.column_axes);
    program_.emplace(std::move(rows), std::move(columns));
    int cost = 0;
    for (const std::uint32_t n : step.nodes) {
        add_node(making, graph.nodes[n]);
        cost += cost_of(graph.nodes[n]);
    }
    std::int64_t bytes = 0;
    for (const Result& result : results_) bytes += (program_->form(result.which) == Form::full ? program_->columns() : 1) * program_->rows() * static_cast<std::int64_t>(size_of(work.info(result.value).type.dtype));
    program_->prepare(bytes >= worth_streaming && cost <= most_streamed_cost ? TileProgram::Stores::streamed : TileProgram::Stores::cached);
}

std::size_t FusedStep::operand_register(Making& making, const Node& node, std::size_t i, Form form) {
    const std::uint32_t value = node.operands[i].index;
    if (const auto made = making.made.find(value); made != making.made.end()) return made->second;
    const auto [known, is_new] = making.inputs.try_emplace({value, form}, 0);
    if (is_new) {
        View view = making.work.aligned(node, i, node.lanes);
        const Shape space = making.work.frame.shape(node.lanes, making.step.space);
        if (form == Form::full && view.rank() < space.size()) { // one row for all: the axes of the rows are missing
            const auto lanes = static_cast<std::ptrdiff_t>(space.size() - making.step.space.size()), missing = static_cast<std::ptrdiff_t>(space.size() - view.rank());
            view.shape.insert(view.shape.begin() + lanes, space.begin() + lanes, space.begin() + lanes + missing);
            view.strides.insert(view.strides.begin() + lanes, static_cast<std::size_t>(missing), 0);
        }
        if (form == Form::row) { // axes of extent 1 where the columns are
            const auto rows = static_cast<std::ptrdiff_t>(space.size() - making.step.column_axes);
            view.shape.resize(static_cast<std::size_t>(rows));
            view.strides.resize(static_cast<std::size_t>(rows));
        }
        known->second = program_->add_input(view, form);
        inputs_.push_back({value, known->second, making.work.slots[value].view().strides});
    }
    return known->second;
}

void FusedStep::add_node(Making& making, const Node& node) {
    const Work& work = making.work;
    const std::uint32_t result = node.results[0];
    const TensorType& type = work.info(result).type;
    const bool kept = making.step.keeps(result);
    if (node.op->tile == nullptr && node.op->rows == nullptr) { // a look at a row value, or along the columns
        making.made[result] = making.made.at(node.operands[0].index);
        if (kept) views_.push_back(static_cast<std::uint32_t>(&node - work.graph().nodes.data()));
        return;
    }
    const Target target = kept ? Target::memory : Target::tile;
    std::size_t which = 0;
    if (node.op->tile == nullptr) {
        std::vector<TensorType> types;
        for (const Value operand : node.operands) types.push_back(work.graph().type(operand));
        const RowWork fold = node.op->rows(node, types);
        const std::size_t first = operand_register(making, node, 0, Form::full);
        which = fold.product ? program_->add_product(fold.product, first, operand_register(making, node, 1, Form::full), type.dtype, target) : program_->add_fold(fold.kernel, first, type.dtype, target);
    } else {
        const Form form = same_sizes(type.shape, making.step.space) ? Form::full : Form::row;
        std::vector<std::size_t> operands;
        for (std::size_t i = 0; i < node.operands.size(); ++i) operands.push_back(operand_register(making, node, i, form));
        const TileKernel kernel = tile_kernel(work.graph(), node);
        which = program_->add_step(kernel, operands, type.dtype, form, target);
    }
    making.made[result] = which;
    if (kept) results_.push_back({result, which, {}});
}

bool FusedStep::fits(const Work& work) const {
    return std::ranges::all_of(inputs_, [&](const Input& input) { return work.slots[input.value].view().strides == input.strides; });
}

void FusedStep::run(const Work& work, KeptMemory::Keeps keeps) {
    for (const Input& input : inputs_) program_->bind(input.which, work.slots[input.value].view().data);
    for (Result& result : results_) {
        Array array = result.memory.take(work, result.value, keeps);
        program_->bind(result.which, array.view().data);
        work.slots[result.value] = std::move(array);
    }
    const std::int64_t tile = program_->tile_rows() * std::max<std::int64_t>(program_->columns(), 1);
    const std::int64_t grain = std::max<std::int64_t>(1, 32768 / (tile * kernels_)) * program_->tile_rows();
    Parallel* parallel = program_->rows() * program_->columns() * kernels_ >= worth_threads ? work.parallel : nullptr;
    run_in_parts(parallel, program_->rows(), grain, [&](std::int64_t begin, std::int64_t end) { program_->run(begin, end); });
    for (const std::uint32_t node : views_) run_view(work, work.graph().nodes[node]);
}

} // namespace vmaprun
