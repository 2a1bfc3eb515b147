#include "exec/tile_body.hpp"

#include <algorithm>
#include <cstring>
#include <map>

#include "array/words.hpp"
#include "base/error.hpp"
#include "ir/structural.hpp"

namespace vmaprun {

// Reads a body's plan: what doesn't change is run at once, the one fused step becomes the program.
class TileBody::Maker {
  public:
    Maker(const Work& work, const Frame& frame, const Bodies& bodies, std::size_t body, const std::vector<Input>& inputs, const Lanes& lanes, const Dims& space)
        : work_(work), frame_(frame), bodies_(bodies), which_(body), plan_(bodies.plan(body)), graph_(bodies.graph(body)), inputs_(inputs), lanes_(lanes), space_(space),
          slots_(graph_.values.size()), changes_(graph_.values.size(), false) {}

    std::optional<TileBody> make() {
        for (std::size_t i = 0; i < inputs_.size(); ++i) {
            if (!plan_.needed_inputs[i]) continue;
            changes_[graph_.inputs[i].index] = true;
            if (inputs_[i] == Input::each && !is_over_elements(graph_.inputs[i].index)) return std::nullopt;
        }
        const Step* step = nullptr;
        for (const Segment& segment : plan_.segments) {
            for (const Step& each : segment.steps) {
                if (!sort_in(each)) continue;
                if (step != nullptr || !is_fit(each)) return std::nullopt;
                step = &each;
            }
        }
        const Shape shape = frame_.shape(lanes_, space_);
        TileBody body(element_count(shape));
        body.inputs_.assign(inputs_.size(), 0);
        if (step == nullptr || !run_what_stays(*step)) return std::nullopt;
        for (std::size_t i = 0; i < inputs_.size(); ++i) {
            if (plan_.needed_inputs[i]) body.inputs_[i] = add_input(body, i);
        }
        for (const std::uint32_t n : step->nodes) add_node(body, *step, graph_.nodes[n]);
        for (std::size_t o = 0; o < graph_.outputs.size(); ++o) {
            if (!add_output(body, o)) return std::nullopt;
        }
        body.program_.prepare(TileProgram::Stores::cached);
        return body;
    }

  private:
    bool is_over_elements(std::uint32_t value) const { return graph_.values[value].lanes == lanes_ && same_sizes(graph_.values[value].type.shape, space_); }

    // True when the step depends on what changes.
    bool sort_in(const Step& step) {
        const auto depends = [&](std::uint32_t n) {
            return std::ranges::any_of(graph_.nodes[n].operands, [&](Value operand) { return changes_[operand.index]; });
        };
        if (step.nodes.size() == 1 && (is(graph_.nodes[step.nodes[0]], parameter_op) || !depends(step.nodes[0]))) return false;
        if (step.nodes.size() > 1 && std::ranges::none_of(step.nodes, depends)) return false;
        for (const std::uint32_t n : step.nodes) {
            for (const std::uint32_t result : graph_.nodes[n].results) changes_[result] = true;
        }
        return true;
    }

    bool is_fit(const Step& step) const {
        return step.column_axes == 0 && std::ranges::all_of(step.nodes, [&](std::uint32_t n) { return graph_.nodes[n].op->tile != nullptr && is_over_elements(graph_.nodes[n].results[0]); });
    }

    // The steps that don't change, as far as they come before the one that does.
    bool run_what_stays(const Step& changing) {
        const std::vector<Array> captures = bodies_.captures(which_);
        for (std::size_t i = 0; i < captures.size(); ++i) slots_[graph_.inputs[inputs_.size() + i].index] = captures[i];
        const Work inner{work_.state, plan_, frame_, slots_, nullptr, work_.parallel, nullptr};
        for (const Segment& segment : plan_.segments) {
            for (const Step& each : segment.steps) {
                if (&each == &changing) continue;
                const bool has_effects = std::ranges::any_of(each.nodes, [&](std::uint32_t n) { return graph_.nodes[n].op->effect != Effect::none || !graph_.nodes[n].bodies.empty(); });
                if (has_effects) return false; // it would be met in every iteration
                Step kept = each;
                kept.released.clear();
                run_step(inner, kept);
            }
        }
        return true;
    }

    std::size_t add_input(TileBody& body, std::size_t i) {
        const std::uint32_t value = graph_.inputs[i].index;
        View view{graph_.values[value].type.dtype, nullptr, {body.program_.rows()}, {inputs_[i] == Input::one ? 0 : 1}};
        return registers_[value] = body.program_.add_input(view, TileProgram::Form::full);
    }

    std::size_t operand(TileBody& body, const Node& node, std::size_t i) {
        const std::uint32_t value = node.operands[i].index;
        if (const auto known = registers_.find(value); known != registers_.end()) return known->second;
        const Array& array = slots_[value];
        if (!array) throw InternalError("exec: an operand of " + std::string(node.op->name()) + " was not computed");
        View view = align(frame_, array.view(), graph_.lanes(node.operands[i]), lanes_);
        const bool is_one = std::ranges::all_of(view.strides, [](std::int64_t stride) { return stride == 0; }) || view.size() == 1;
        const View flat{view.dtype, is_one ? view.data : nullptr, {body.program_.rows()}, {is_one ? 0 : 1}};
        const std::size_t which = registers_[value] = body.program_.add_input(flat, TileProgram::Form::full);
        if (is_one) body.held_.push_back(array);
        else body.constants_.push_back({which, array.with_view(std::move(view))});
        return which;
    }

    void add_node(TileBody& body, const Step& step, const Node& node) {
        const std::uint32_t result = node.results[0];
        std::vector<std::size_t> operands;
        for (std::size_t i = 0; i < node.operands.size(); ++i) operands.push_back(operand(body, node, i));
        const DType dtype = graph_.values[result].type.dtype;
        const TileKernel kernel = tile_kernel(graph_, node);
        registers_[result] = body.program_.add_step(kernel, operands, dtype, TileProgram::Form::full, step.keeps(result) ? TileProgram::Target::memory : TileProgram::Target::tile);
    }

    bool add_output(TileBody& body, std::size_t o) {
        Output& output = body.outputs_.emplace_back();
        if (!plan_.needed_outputs[o]) return true;
        const std::uint32_t value = graph_.outputs[o].index;
        output.width = size_of(graph_.values[value].type.dtype);
        for (std::size_t i = 0; i < inputs_.size(); ++i) {
            if (graph_.inputs[i].index != value) continue;
            output.input = i;
            return inputs_[i] == Input::each;
        }
        if (!changes_[value]) return false;
        output.which = registers_.at(value);
        return true;
    }

    const Work& work_;
    const Frame& frame_;
    const Bodies& bodies_;
    std::size_t which_;
    const GraphPlan& plan_;
    const Graph& graph_;
    const std::vector<Input>& inputs_;
    const Lanes& lanes_;
    const Dims& space_;
    Slots slots_;
    std::vector<bool> changes_;
    std::map<std::uint32_t, std::size_t> registers_;
};

std::optional<TileBody> TileBody::make(const Work& work, const Frame& frame, const Bodies& bodies, std::size_t body, const std::vector<Input>& inputs, const Lanes& lanes, const Dims& space) {
    if (work.state.options.check_nan) return std::nullopt; // each operation is looked at
    return Maker(work, frame, bodies, body, inputs, lanes, space).make();
}

TileBody::Worker::Worker(const TileBody& body) : body_(body), session_(body.program_) {
    for (const Constant& constant : body.constants_) {
        gathered_.push_back(aligned_zeros(static_cast<std::size_t>(body.tile()) * size_of(constant.array.dtype())));
        session_.bind(constant.which, gathered_.back().get());
    }
}

void TileBody::Worker::start(std::int64_t first, std::int64_t count, std::int64_t at) {
    for (std::size_t i = 0; i < gathered_.size(); ++i) {
        const View& view = body_.constants_[i].array.view();
        read_elements(view, first, count, gathered_[i].get() + static_cast<std::size_t>(at) * size_of(view.dtype));
    }
}

void TileBody::Worker::bind_one(std::size_t input, const std::byte* data) {
    if (body_.inputs_[input] != 0) session_.bind_one(body_.inputs_[input], data);
}

void TileBody::Worker::keep(const std::vector<std::int32_t>& kept) {
    for (std::size_t i = 0; i < gathered_.size(); ++i) keep_elements(gathered_[i].get(), size_of(body_.constants_[i].array.dtype()), kept);
}

namespace {

template <class Word> void keep_words(Word* data, const std::vector<std::int32_t>& kept) {
    for (std::size_t i = 0; i < kept.size(); ++i) data[i] = data[kept[i]];
}

} // namespace

void keep_elements(std::byte* data, std::size_t width, const std::vector<std::int32_t>& kept) {
    visit_word(width, [&]<class Word>(Word) { keep_words(reinterpret_cast<Word*>(data), kept); });
}

} // namespace vmaprun
