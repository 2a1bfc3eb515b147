// Control flow at run time: if, while, for and scan (ops/control.hpp), with lanes that go different ways.
//
// Where the condition varies over lanes, the lanes that take a branch (or stay in a loop) are packed, the body runs on them
// alone, and its results are put back to their places: what a lane doesn't do costs nothing and can't fault.
#include "ops/control.hpp"

#include <algorithm>
#include <numeric>

#include "base/error.hpp"
#include "exec/evaluate.hpp"
#include "exec/memory.hpp"
#include "exec/packing.hpp"

namespace vmaprun {
namespace {

std::vector<Array> captures(const Work& work, const Node& node, std::size_t body) {
    std::size_t count = 0, before = 0;
    for (std::size_t b = 0; b < node.bodies.size(); ++b) {
        if (b >= body) before += node.bodies[b]->captured.size();
        if (b == body) count = node.bodies[b]->captured.size();
    }
    std::vector<Array> arrays;
    const std::size_t first = node.operands.size() - before;
    for (std::size_t i = first; i < first + count; ++i) arrays.push_back(work.operand(node, i));
    return arrays;
}

// Everything that runs a body of one control node.
class Bodies {
  public:
    Bodies(const Work& work, std::uint32_t index) : work_(work), node_(work.graph().nodes[index]), plans_(work.plan.bodies.at(index)) {}

    const GraphPlan& plan(std::size_t body) const { return plans_[body]; }
    const Graph& graph(std::size_t body) const { return *node_.bodies[body]; }
    const Lanes& input_lanes(std::size_t body, std::size_t input) const { return graph(body).lanes(graph(body).inputs[input]); }
    const Lanes& output_lanes(std::size_t body, std::size_t output) const { return graph(body).lanes(graph(body).outputs[output]); }
    std::vector<Array> run(std::size_t body, const Frame& frame, std::vector<Array> inputs) const {
        return run_graph(work_.state, plans_[body], frame, std::move(inputs), work_.parallel);
    }
    bool needs_result(std::size_t result) const { return work_.plan.needed[node_.results[result]]; }

  private:
    const Work& work_;
    const Node& node_;
    const std::vector<GraphPlan>& plans_;
};

std::vector<Array> joined(std::vector<Array> first, const std::vector<Array>& second) {
    first.insert(first.end(), second.begin(), second.end());
    return first;
}

std::vector<Array> gather_all(const Packing& packing, const Graph& body, std::size_t first_input, const std::vector<Array>& arrays) {
    std::vector<Array> packed;
    for (std::size_t i = 0; i < arrays.size(); ++i) {
        packed.push_back(arrays[i] ? packing.gather(arrays[i], body.lanes(body.inputs[first_input + i])) : Array());
    }
    return packed;
}

// A bool for each position of the frame's groups of `lanes`, row-major.
Array contiguous_condition(const Frame& frame, const Array& condition, const Lanes& lanes, const Lanes& wanted) {
    return align(frame, condition, lanes, wanted).contiguous();
}

// ---- if

void run_if(const Work& work, std::uint32_t index) {
    const Node& node = work.graph().nodes[index];
    const Bodies bodies(work, index);
    const Lanes& lanes = work.graph().lanes(node.operands[0]);
    const Lanes leaders = work.frame.leaders(lanes);
    const Array condition = work.operand(node, 0).contiguous();
    std::vector<std::int64_t> taken[2];
    for (std::int64_t p = 0; p < condition.size(); ++p) taken[condition.as<bool>()[p] ? 0 : 1].push_back(p);
    Frame frame = work.frame;
    frame.enter_control(node.sequence);
    for (std::size_t b = 0; b < 2; ++b) {
        if (static_cast<std::int64_t>(taken[b].size()) != condition.size() || taken[b].empty()) continue;
        const std::vector<Array> outputs = bodies.run(b, frame, captures(work, node, b));
        for (std::size_t i = 0; i < outputs.size(); ++i) {
            if (bodies.needs_result(i)) work.set(node.results[i], outputs[i], bodies.output_lanes(b, i));
        }
        return;
    }
    std::vector<Array> results(node.results.size());
    for (std::size_t i = 0; i < results.size(); ++i) {
        if (!bodies.needs_result(i)) continue;
        if (!lanes_subset(lanes, work.info(node.results[i]).lanes)) throw InternalError("exec: the result of an if varies over less than its condition");
        results[i] = work.result_array(node.results[i]);
    }
    for (std::size_t b = 0; b < 2; ++b) {
        if (taken[b].empty()) continue;
        const Packing packing(frame, leaders, std::move(taken[b]));
        const std::vector<Array> outputs = bodies.run(b, packing.inner(), gather_all(packing, bodies.graph(b), 0, captures(work, node, b)));
        for (std::size_t i = 0; i < outputs.size(); ++i) {
            if (results[i]) packing.scatter(outputs[i], bodies.output_lanes(b, i), results[i].view(), work.info(node.results[i]).lanes);
        }
    }
    for (std::size_t i = 0; i < results.size(); ++i) {
        if (results[i]) work.set(node.results[i], results[i]);
    }
}

// ---- while

class While {
  public:
    While(const Work& work, std::uint32_t index)
        : work_(work), node_(work.graph().nodes[index]), bodies_(work, index), limit_(node_.integer(0)), frame_(work.frame),
          lanes_(bodies_.output_lanes(0, 0)), leaders_(work.frame.leaders(lanes_)) {
        frame_.enter_control(node_.sequence);
        for (std::size_t i = 0; i < node_.results.size(); ++i) {
            carries_.push_back(bodies_.needs_carry(i) ? align(frame_, work.operand(node_, i), work.graph().lanes(node_.operands[i]), bodies_.input_lanes(1, i)) : Array());
        }
        captures_[0] = captures(work, node_, 0);
        captures_[1] = captures(work, node_, 1);
    }

    void run() {
        positions_.resize(static_cast<std::size_t>(element_count(frame_.extents(leaders_))));
        std::iota(positions_.begin(), positions_.end(), 0);
        for (std::size_t i = 0; i < carries_.size(); ++i) {
            if (bodies_.needs_result(i) && !leaders_.empty()) results_.push_back(work_.result_array(node_.results[i]));
            else results_.emplace_back();
        }
        bool going = !positions_.empty();
        for (std::int64_t iteration = 0; going; ++iteration) {
            frame_.set_iteration(iteration);
            going = leave(staying(iteration));
            if (going) step();
        }
        for (std::size_t i = 0; i < results_.size(); ++i) {
            if (results_[i]) work_.set(node_.results[i], results_[i]);
        }
    }

  private:
    struct WhileBodies : Bodies {
        WhileBodies(const Work& work, std::uint32_t index) : Bodies(work, index) {}
        bool needs_carry(std::size_t i) const { return plan(0).needed_inputs[i] || plan(1).needed_inputs[i] || needs_result(i); }
    };

    std::vector<Array> carries_of(std::size_t body) const {
        std::vector<Array> inputs;
        for (std::size_t i = 0; i < carries_.size(); ++i) {
            const bool wanted = carries_[i] && bodies_.plan(body).needed_inputs[i];
            inputs.push_back(wanted ? align(frame_, carries_[i], bodies_.input_lanes(1, i), bodies_.input_lanes(body, i)) : Array());
        }
        return inputs;
    }

    // The positions (among those still here) whose condition holds and that may go on.
    std::vector<std::int64_t> staying(std::int64_t iteration) {
        const Array output = bodies_.run(0, frame_, joined(carries_of(0), captures_[0])).at(0);
        const Array condition = contiguous_condition(frame_, output, lanes_, lanes_);
        NodeEvents events(work_.state.log, frame_, node_, lanes_);
        const bool check_late = work_.state.log.has_fault();
        std::vector<std::int64_t> staying;
        for (std::int64_t p = 0; p < condition.size(); ++p) {
            if (!condition.as<bool>()[p]) continue;
            if (limit_ >= 0 && iteration >= limit_) events.report_limit(p, limit_);
            // After a fault that comes first, what a lane does can't matter; its values might keep it here for ever.
            else if (!check_late || !work_.state.log.is_late(events.key_at(p, iteration))) staying.push_back(p);
        }
        return staying;
    }

    // Puts the results of all others in their places, and packs those that stay. False: nobody stays.
    bool leave(const std::vector<std::int64_t>& staying) {
        if (staying.size() == positions_.size()) return true;
        if (leaders_.empty()) {
            for (std::size_t i = 0; i < carries_.size(); ++i) {
                if (bodies_.needs_result(i)) work_.set(node_.results[i], carries_[i], bodies_.input_lanes(1, i));
            }
            return false;
        }
        std::vector<std::int64_t> local, outer, kept;
        std::size_t next = 0;
        for (std::size_t p = 0; p < positions_.size(); ++p) {
            const bool stays = next < staying.size() && staying[next] == static_cast<std::int64_t>(p);
            if (stays) {
                kept.push_back(positions_[p]);
                ++next;
            } else {
                local.push_back(static_cast<std::int64_t>(p));
                outer.push_back(positions_[p]);
            }
        }
        const Frame here = frame_;
        const Lanes here_leaders = here.leaders(lanes_);
        const Packing leaving(here, here_leaders, std::move(local)), target(work_.frame, leaders_, std::move(outer));
        for (std::size_t i = 0; i < carries_.size(); ++i) {
            if (results_[i]) target.scatter(leaving.gather(carries_[i], bodies_.input_lanes(1, i)), bodies_.input_lanes(1, i), results_[i].view(), work_.info(node_.results[i]).lanes);
        }
        positions_ = std::move(kept);
        if (positions_.empty()) return false;
        const Packing packing(here, here_leaders, staying);
        carries_ = gather_all(packing, bodies_.graph(1), 0, carries_);
        for (const std::size_t b : {0U, 1U}) captures_[b] = gather_all(packing, bodies_.graph(b), carries_.size(), captures_[b]);
        frame_ = packing.inner();
        return true;
    }

    void step() {
        std::vector<Array> outputs = bodies_.run(1, frame_, joined(carries_of(1), captures_[1]));
        for (std::size_t i = 0; i < carries_.size(); ++i) {
            if (carries_[i]) carries_[i] = align(frame_, outputs[i], bodies_.output_lanes(1, i), bodies_.input_lanes(1, i));
        }
    }

    const Work& work_;
    const Node& node_;
    WhileBodies bodies_;
    std::int64_t limit_;
    Frame frame_;
    Lanes lanes_;   // of the condition
    Lanes leaders_; // of it, in the frame of the node
    std::vector<Array> carries_, captures_[2], results_;
    std::vector<std::int64_t> positions_; // of those still here, in the frame of the node
};

// ---- for and scan

// Carries as the body takes them.
std::vector<Array> first_carries(const Work& work, const Bodies& bodies, const Node& node, std::size_t first_operand, std::size_t first_input, std::size_t count) {
    std::vector<Array> carries;
    for (std::size_t i = 0; i < count; ++i) {
        const Array& array = work.operand(node, first_operand + i);
        const bool wanted = array && (bodies.plan(0).needed_inputs[first_input + i] || bodies.needs_result(i));
        carries.push_back(wanted ? align(work.frame, array, work.graph().lanes(node.operands[first_operand + i]), bodies.input_lanes(0, first_input + i)) : Array());
    }
    return carries;
}

void next_carries(const Frame& frame, const Bodies& bodies, std::size_t first_input, std::vector<Array>& carries, const std::vector<Array>& outputs) {
    for (std::size_t i = 0; i < carries.size(); ++i) {
        if (carries[i]) carries[i] = align(frame, outputs[i], bodies.output_lanes(0, i), bodies.input_lanes(0, first_input + i));
    }
}

void set_carries(const Work& work, const Bodies& bodies, const Node& node, std::size_t first_input, const std::vector<Array>& carries) {
    for (std::size_t i = 0; i < carries.size(); ++i) {
        if (bodies.needs_result(i)) work.set(node.results[i], carries[i], bodies.input_lanes(0, first_input + i));
    }
}

void run_for(const Work& work, std::uint32_t index) {
    const Node& node = work.graph().nodes[index];
    const Bodies bodies(work, index);
    const std::int64_t start = *work.operand(node, 0).as<std::int64_t>(), stop = *work.operand(node, 1).as<std::int64_t>();
    Frame frame = work.frame;
    frame.enter_control(node.sequence);
    std::vector<Array> carries = first_carries(work, bodies, node, 2, 1, node.results.size());
    const std::vector<Array> captured = captures(work, node, 0);
    for (std::int64_t i = start; i < stop; ++i) {
        frame.set_iteration(i);
        const Array counter = align(frame, Array::scalar<std::int64_t>(i), {}, bodies.input_lanes(0, 0));
        next_carries(frame, bodies, 1, carries, bodies.run(0, frame, joined(joined({counter}, carries), captured)));
    }
    set_carries(work, bodies, node, 1, carries);
}

// The slice at position t of the sample axis 0.
Array slice_at(const Array& array, std::size_t lane_rank, std::int64_t t) {
    View view = array.view();
    view.data += t * view.strides[lane_rank] * static_cast<std::int64_t>(size_of(view.dtype));
    view.shape.erase(view.shape.begin() + static_cast<std::ptrdiff_t>(lane_rank));
    view.strides.erase(view.strides.begin() + static_cast<std::ptrdiff_t>(lane_rank));
    return array.with_view(std::move(view));
}

void run_scan(const Work& work, std::uint32_t index) {
    const Node& node = work.graph().nodes[index];
    const Bodies bodies(work, index);
    const auto carry_count = static_cast<std::size_t>(node.integer(0)), x_count = static_cast<std::size_t>(node.integer(1));
    const bool reverse = node.boolean(2);
    const std::int64_t length = node.integers(3)[0];
    Frame frame = work.frame;
    frame.enter_control(node.sequence);
    std::vector<Array> carries = first_carries(work, bodies, node, 0, 0, carry_count), xs(x_count), ys(node.results.size());
    for (std::size_t i = 0; i < x_count; ++i) {
        const std::size_t input = carry_count + i;
        if (bodies.plan(0).needed_inputs[input]) xs[i] = align(frame, work.operand(node, input), work.graph().lanes(node.operands[input]), bodies.input_lanes(0, input));
    }
    for (std::size_t i = carry_count; i < ys.size(); ++i) {
        if (bodies.needs_result(i)) ys[i] = work.result_array(node.results[i]);
    }
    const std::vector<Array> captured = captures(work, node, 0);
    for (std::int64_t step = 0; step < length; ++step) {
        frame.set_iteration(step);
        const std::int64_t t = reverse ? length - 1 - step : step;
        std::vector<Array> inputs = carries;
        for (std::size_t i = 0; i < x_count; ++i) {
            inputs.push_back(xs[i] ? slice_at(xs[i], frame.leaders(bodies.input_lanes(0, carry_count + i)).size(), t) : Array());
        }
        const std::vector<Array> outputs = bodies.run(0, frame, joined(std::move(inputs), captured));
        next_carries(frame, bodies, 0, carries, outputs);
        for (std::size_t i = carry_count; i < ys.size(); ++i) {
            if (!ys[i]) continue;
            const Lanes& lanes = work.info(node.results[i]).lanes;
            const Array slice = slice_at(ys[i], frame.leaders(lanes).size(), t);
            copy_elements(align(frame, outputs[i].view(), bodies.output_lanes(0, i), lanes), slice.view());
        }
    }
    set_carries(work, bodies, node, 0, carries);
    for (std::size_t i = carry_count; i < ys.size(); ++i) {
        if (ys[i]) work.set(node.results[i], ys[i]);
    }
}

} // namespace

void run_control(const Work& work, std::uint32_t index) {
    const Node& node = work.graph().nodes[index];
    if (node.op == &if_op) return run_if(work, index);
    if (node.op == &while_op) return While(work, index).run();
    if (node.op == &for_op) return run_for(work, index);
    if (node.op == &scan_op) return run_scan(work, index);
    throw InternalError("exec: unknown control flow " + std::string(node.op->name()));
}

} // namespace vmaprun
