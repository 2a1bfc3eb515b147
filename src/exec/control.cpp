// Control flow at run time: if, while, for and scan (ops/control.hpp), with lanes that go different ways.
//
// Where the condition varies over lanes, the lanes that take a branch (or stay in a loop) are packed, the body runs on them
// alone, and its results are put back to their places: what a lane doesn't do costs nothing and can't fault.
#include "ops/control.hpp"

#include <algorithm>

#include "base/error.hpp"
#include "exec/control_bodies.hpp"
#include "exec/settling.hpp"
#include "exec/time_panel.hpp"

namespace vmaprun {

Bodies::Bodies(const Work& work, std::uint32_t index, GraphRunner::Runs runs) : work_(work), node_(work.graph().nodes[index]), plans_(work.plan.bodies.at(index)) {
    for (const GraphPlan& plan : plans_) runners_.push_back(std::make_unique<GraphRunner>(work.state, plan, work.parallel, runs));
}

std::vector<Array> Bodies::captures(std::size_t body) const {
    std::size_t first = node_.operands.size();
    for (std::size_t b = body; b < node_.bodies.size(); ++b) first -= node_.bodies[b]->captured.size();
    std::vector<Array> arrays;
    for (std::size_t i = 0; i < node_.bodies[body]->captured.size(); ++i) arrays.push_back(work_.operand(node_, first + i));
    return arrays;
}

void Bodies::begin(std::int64_t iteration) const {
    if (work_.state.settling) work_.state.settling->iterates(work_.plan, node_, iteration);
}

void Bodies::forget() {
    for (const auto& runner : runners_) runner->forget();
}

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

namespace {

// ---- if

void run_if(const Work& work, std::uint32_t index) {
    const Node& node = work.graph().nodes[index];
    Bodies bodies(work, index, GraphRunner::Runs::once);
    const Lanes& lanes = work.graph().lanes(node.operands[0]);
    const Lanes leaders = work.frame.leaders(lanes);
    const Array condition = work.operand(node, 0).contiguous();
    std::vector<std::int64_t> taken[2];
    for (std::int64_t p = 0; p < condition.size(); ++p) taken[condition.as<bool>()[p] ? 0 : 1].push_back(p);
    Frame frame = work.frame;
    frame.enter_control(node.sequence);
    for (std::size_t b = 0; b < 2; ++b) {
        if (static_cast<std::int64_t>(taken[b].size()) != condition.size() || taken[b].empty()) continue;
        const std::vector<Array> outputs = bodies.run(b, frame, bodies.captures(b));
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
        const std::vector<Array> outputs = bodies.run(b, packing.inner(), gather_all(packing, bodies.graph(b), 0, bodies.captures(b)));
        for (std::size_t i = 0; i < outputs.size(); ++i) {
            if (results[i]) packing.scatter(outputs[i], bodies.output_lanes(b, i), results[i].view(), work.info(node.results[i]).lanes);
        }
    }
    for (std::size_t i = 0; i < results.size(); ++i) {
        if (results[i]) work.set(node.results[i], results[i]);
    }
}

void run_call(const Work& work, std::uint32_t index) {
    const Node& node = work.graph().nodes[index];
    Bodies bodies(work, index, GraphRunner::Runs::once);
    Frame frame = work.frame;
    frame.enter_control(node.sequence);
    const std::vector<Array> outputs = bodies.run(0, frame, bodies.captures(0));
    for (std::size_t i = 0; i < outputs.size(); ++i) {
        if (bodies.needs_result(i)) work.set(node.results[i], outputs[i], bodies.output_lanes(0, i));
    }
}

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

// Which outputs of a body are looked at no more after them: those whose value no later one has.
std::vector<bool> last_looks(const Graph& body) {
    std::vector<bool> last;
    for (auto output = body.outputs.begin(); output != body.outputs.end(); ++output) last.push_back(std::find(output + 1, body.outputs.end(), *output) == body.outputs.end());
    return last;
}

// The carries of a loop, from iteration to iteration.
class Carries {
  public:
    // `first_input`: of the body, that takes one.
    Carries(Bodies& bodies, std::vector<Array> first, std::size_t first_input)
        : bodies_(bodies), first_input_(first_input), arrays_(std::move(first)), last_(last_looks(bodies.graph(0))) {
        for (const Array& array : arrays_) wanted_.push_back(static_cast<bool>(array));
    }
    void give() {
        for (std::size_t i = 0; i < arrays_.size(); ++i) {
            if (wanted_[i]) bodies_.runner(0).give(first_input_ + i, std::move(arrays_[i]));
        }
    }
    void take(const Frame& frame) {
        GraphRunner& runner = bodies_.runner(0);
        for (std::size_t i = 0; i < arrays_.size(); ++i) {
            if (!wanted_[i]) continue;
            const Lanes &from = bodies_.output_lanes(0, i), &to = bodies_.input_lanes(0, first_input_ + i);
            Array array = last_[i] ? runner.take(i) : runner.output(i);
            arrays_[i] = from == to ? std::move(array) : align(frame, array, from, to);
        }
        runner.drop_outputs();
    }
    const std::vector<Array>& arrays() const { return arrays_; }

  private:
    Bodies& bodies_;
    std::size_t first_input_;
    std::vector<Array> arrays_;
    std::vector<bool> wanted_, last_;
};

void pin_captures(Bodies& bodies) {
    const std::vector<Array> captured = bodies.captures(0);
    const std::size_t own = bodies.graph(0).inputs.size() - captured.size();
    for (std::size_t i = 0; i < captured.size(); ++i) bodies.runner(0).pin(own + i, captured[i]);
}

void set_carries(const Work& work, const Bodies& bodies, const Node& node, std::size_t first_input, const std::vector<Array>& carries) {
    for (std::size_t i = 0; i < carries.size(); ++i) {
        if (bodies.needs_result(i)) work.set(node.results[i], carries[i], bodies.input_lanes(0, first_input + i));
    }
}

void run_for(const Work& work, std::uint32_t index) {
    const Node& node = work.graph().nodes[index];
    Bodies bodies(work, index);
    const std::int64_t start = *work.operand(node, 0).as<std::int64_t>(), stop = *work.operand(node, 1).as<std::int64_t>();
    if (for_in_tiles(work, index, bodies, start, stop)) return;
    Frame frame = work.frame;
    frame.enter_control(node.sequence);
    Carries carries(bodies, first_carries(work, bodies, node, 2, 1, node.results.size()), 1);
    pin_captures(bodies);
    for (std::int64_t i = start; i < stop; ++i) {
        frame.set_iteration(i);
        bodies.begin(i);
        bodies.runner(0).give(0, align(frame, Array::scalar<std::int64_t>(i), {}, bodies.input_lanes(0, 0)));
        carries.give();
        bodies.runner(0).run(frame);
        carries.take(frame);
    }
    set_carries(work, bodies, node, 1, carries.arrays());
}

void run_scan(const Work& work, std::uint32_t index) {
    const Node& node = work.graph().nodes[index];
    Bodies bodies(work, index);
    if (scan_in_tiles(work, index, bodies)) return;
    const auto carry_count = static_cast<std::size_t>(node.integer(0)), x_count = static_cast<std::size_t>(node.integer(1));
    const bool reverse = node.boolean(2);
    const std::int64_t length = node.integers(3)[0];
    Frame frame = work.frame;
    frame.enter_control(node.sequence);
    Carries carries(bodies, first_carries(work, bodies, node, 0, 0, carry_count), 0);
    std::vector<TimePanel> xs, ys;
    for (std::size_t i = carry_count; i < carry_count + x_count; ++i) {
        const Lanes& lanes = bodies.input_lanes(0, i);
        const bool wanted = bodies.plan(0).needed_inputs[i];
        xs.emplace_back(wanted ? align(frame, work.operand(node, i), work.graph().lanes(node.operands[i]), lanes) : Array(), frame.leaders(lanes).size(), TimePanel::Use::read);
    }
    for (std::size_t i = carry_count; i < node.results.size(); ++i) {
        const Lanes& lanes = work.info(node.results[i]).lanes;
        ys.emplace_back(bodies.needs_result(i) ? work.result_array(node.results[i]) : Array(), frame.leaders(lanes).size(), TimePanel::Use::write);
    }
    pin_captures(bodies);
    GraphRunner& runner = bodies.runner(0);
    for (std::int64_t step = 0; step < length; ++step) {
        frame.set_iteration(step);
        bodies.begin(step);
        const std::int64_t t = reverse ? length - 1 - step : step;
        carries.give();
        for (std::size_t i = 0; i < xs.size(); ++i) {
            if (xs[i]) runner.give(carry_count + i, xs[i].slice(t));
        }
        runner.run(frame);
        for (std::size_t i = 0; i < ys.size(); ++i) {
            if (!ys[i]) continue;
            const std::size_t output = carry_count + i;
            const Lanes &from = bodies.output_lanes(0, output), &to = work.info(node.results[output]).lanes;
            const View& view = runner.output(output).view();
            copy_elements(from == to ? view : align(frame, view, from, to), ys[i].at(t));
        }
        carries.take(frame);
    }
    set_carries(work, bodies, node, 0, carries.arrays());
    for (std::size_t i = 0; i < ys.size(); ++i) {
        if (!ys[i]) continue;
        ys[i].flush();
        work.set(node.results[carry_count + i], ys[i].whole());
    }
}

} // namespace

void run_control(const Work& work, std::uint32_t index) {
    const Node& node = work.graph().nodes[index];
    if (node.op == &if_op) return run_if(work, index);
    if (node.op == &call_op) return run_call(work, index);
    if (node.op == &while_op) return run_while(work, index);
    if (node.op == &for_op) return run_for(work, index);
    if (node.op == &scan_op) return run_scan(work, index);
    throw InternalError("exec: unknown control flow " + std::string(node.op->name()));
}

} // namespace vmaprun
