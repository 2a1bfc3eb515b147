#include "session/streaming.hpp"

#include <algorithm>
#include <functional>

#include "base/profile.hpp"
#include "ir/structural.hpp"
#include "transform/copying.hpp"
#include "transform/dead.hpp"
#include "transform/independence.hpp"
#include "transform/items.hpp"
#include "transform/joining.hpp"

namespace vmaprun {

namespace {

// Takes the cut if less is then in memory as a whole.
bool try_to_take(std::shared_ptr<Graph>& graph, std::shared_ptr<Graph> cut, const std::vector<bool>& has_source) {
    if (!cut) return false;
    cut = remove_dead_code(join_lanes(cut));
    const bool is_better = bytes_in_memory(*cut, has_source) < bytes_in_memory(*graph, has_source);
    if (is_better) graph = std::move(cut);
    return is_better;
}

// Cuts what has left some mapped axis, if that helps.
bool cut_what_follows(std::shared_ptr<Graph>& graph, const std::vector<bool>& has_source) {
    const std::shared_ptr<Graph> now = graph;
    return std::ranges::any_of(now->nodes, [&](const Node& node) { return is(node, unlane_op) && try_to_take(graph, cut_slices(*now, now->result(node)), has_source); });
}

} // namespace

std::shared_ptr<Graph> cut_for_streaming(std::shared_ptr<Graph> graph, const Traced& traced, BoundInputs& inputs) {
    std::vector<bool> has_source;
    for (std::size_t i = 0; i < graph->inputs.size(); ++i) has_source.push_back(inputs.source(traced, i) != nullptr);
    graph = copy_looks(map_items(graph, has_source), has_source);
    if (std::ranges::none_of(has_source, std::identity())) return graph;
    for (std::size_t i = 0; i < graph->inputs.size(); ++i) {
        if (has_source[i] && !try_to_take(graph, cut_slices(*graph, graph->inputs[i]), has_source)) try_to_take(graph, copy_slices(graph, i), has_source);
    }
    while (cut_what_follows(graph, has_source)) {
    }
    return graph;
}

Streaming::Streaming(const Graph& graph, const Traced& traced, BoundInputs& inputs, const std::vector<WantedOutput>& wanted, RunOptions options)
    : graph_(graph), traced_(traced), inputs_(inputs), options_(std::move(options)) {
    if (options_.mode != RunOptions::Mode::graph) return;
    for (std::size_t i = 0; i < graph.inputs.size(); ++i) sources_.push_back(inputs.source(traced, i));
    const auto is_given = [](const auto& source) { return source != nullptr; };
    if (std::ranges::none_of(sources_, is_given)) return; // what is in memory anyway is not worth it
    const std::optional<Streamable> can = streamable(graph);
    for (std::size_t i = 0; i < sources_.size(); ++i) {
        if (!can || !can->inputs[i]) sources_[i] = nullptr;
        streams_.sources.push_back(sources_[i].get());
        skipped_.push_back(sources_[i] != nullptr);
    }
    if (std::ranges::none_of(sources_, is_given)) return;
    streams_.sinks.resize(graph.outputs.size(), nullptr);
    for (std::size_t i = 0; i < traced.outputs.size(); ++i) place(traced.outputs[i], wanted, *can);
}

std::vector<Array> Streaming::run() {
    std::vector<Array> arrays;
    {
        const ProfileSpan span("I/O", [] { return ProfileSpan::What{"read the inputs", {}, {}}; });
        arrays = inputs_.load(traced_, skipped_);
    }
    for (std::size_t i = 0; i < sinks_.size(); ++i) {
        targets_[i]->begin(sinks_[i]->file_bytes());
        sinks_[i]->write_header();
    }
    const ProfileSpan span("phase", [] { return ProfileSpan::What{"run", {}, {}}; });
    return vmaprun::run(graph_, std::move(arrays), options_, streams_);
}
// The output goes straight to a file if that is all that is wanted of it.
void Streaming::place(const TracedOutput& output, const std::vector<WantedOutput>& wanted, const Streamable& can) {
    const auto is_it = [&](const WantedOutput& want) { return output.name == want.name || (want.name.empty() && traced_.outputs.size() == 1); };
    const auto want = std::ranges::find_if(wanted, is_it);
    if (std::ranges::count_if(wanted, is_it) != 1 || want->placed == nullptr) return;
    if (output.tree.form != OutputTree::Form::tensor || !can.outputs[output.tree.output]) return;
    const TensorType& type = graph_.type(graph_.outputs[output.tree.output]);
    PlacedOutput* const target = want->placed;
    sinks_.push_back(std::make_unique<NpySink>(type.dtype, values_of(type.shape), [target](std::int64_t offset, std::string_view bytes) { target->write(offset, bytes); }));
    streams_.sinks[output.tree.output] = sinks_.back().get();
    targets_.push_back(target);
    placed_.push_back(output.name);
}

} // namespace vmaprun
