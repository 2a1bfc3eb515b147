// while at run time. Where its condition varies over lanes, each lane stops by itself: its carries are put to their places
// in the results, and the loop goes on with the lanes that stay, packed.
//
// Packing anew costs a pass over the carries, so it waits until a quarter has left, where what the body does in lanes that
// have left can't be seen (no fault, no check, no loop of its own); else it is done whenever a lane leaves.
#include <algorithm>
#include <numeric>

#include "exec/control_bodies.hpp"

namespace vmaprun {
namespace {

class While {
  public:
    While(const Work& work, std::uint32_t index)
        : work_(work), index_(index), node_(work.graph().nodes[index]), bodies_(work, index), limit_(node_.integer(0)), frame_(work.frame),
          lanes_(bodies_.output_lanes(0, 0)), leaders_(work.frame.leaders(lanes_)), may_wait_(bodies_.plan(0).is_total && bodies_.plan(1).is_total) {
        frame_.enter_control(node_.sequence);
        for (std::size_t i = 0; i < node_.results.size(); ++i) {
            const bool wanted = bodies_.plan(0).needed_inputs[i] || bodies_.plan(1).needed_inputs[i] || bodies_.needs_result(i);
            carries_.push_back(wanted ? align(frame_, work.operand(node_, i), work.graph().lanes(node_.operands[i]), bodies_.input_lanes(1, i)) : Array());
        }
        captures_[0] = bodies_.captures(0);
        captures_[1] = bodies_.captures(1);
    }

    void run() {
        if (leaders_.empty()) return run_alike();
        if (while_in_tiles(work_, frame_, index_, bodies_)) return;
        places_.resize(static_cast<std::size_t>(element_count(frame_.extents(leaders_))));
        std::iota(places_.begin(), places_.end(), 0);
        live_.resize(places_.size());
        std::iota(live_.begin(), live_.end(), 0);
        for (std::size_t i = 0; i < carries_.size(); ++i) results_.push_back(bodies_.needs_result(i) ? work_.result_array(node_.results[i]) : Array());
        for (std::int64_t iteration = 0; !live_.empty(); ++iteration) {
            frame_.set_iteration(iteration);
            leave(iteration);
            if (!live_.empty()) step();
        }
        for (std::size_t i = 0; i < results_.size(); ++i) {
            if (results_[i]) work_.set(node_.results[i], results_[i]);
        }
    }

  private:
    // The condition has no lanes: all go on together.
    void run_alike() {
        const NodeEvents events(work_.state.log, frame_, node_, lanes_);
        for (std::int64_t iteration = 0;; ++iteration) {
            frame_.set_iteration(iteration);
            bodies_.begin(iteration);
            if (!*condition().as<bool>() || !may_go_on(events, 0, iteration)) break;
            step();
        }
        for (std::size_t i = 0; i < carries_.size(); ++i) {
            if (bodies_.needs_result(i)) work_.set(node_.results[i], carries_[i], bodies_.input_lanes(1, i));
        }
    }

    Array condition() { return bodies_.run(0, frame_, joined(inputs_of(0), captures_[0])).front(); }

    std::vector<Array> inputs_of(std::size_t body) const {
        std::vector<Array> inputs;
        inputs.reserve(carries_.size() + captures_[body].size());
        for (std::size_t i = 0; i < carries_.size(); ++i) {
            const bool wanted = carries_[i] && bodies_.plan(body).needed_inputs[i];
            inputs.push_back(wanted ? align(frame_, carries_[i], bodies_.input_lanes(1, i), bodies_.input_lanes(body, i)) : Array());
        }
        return inputs;
    }

    bool may_go_on(const NodeEvents& events, std::int64_t position, std::int64_t iteration) const {
        if (limit_ >= 0 && iteration >= limit_) {
            events.report_limit(position, limit_);
            return false;
        }
        // After a fault that comes first, what a lane does can't matter; its values might keep it here for ever.
        return !work_.state.log.has_fault() || !work_.state.log.is_late(events.key_at(position, iteration));
    }

    // Puts the carries of the lanes whose condition fails to their places; packs those that stay.
    void leave(std::int64_t iteration) {
        const Array truth = align(frame_, condition(), lanes_, lanes_).contiguous();
        const bool* holds = truth.as<bool>();
        const NodeEvents events(work_.state.log, frame_, node_, lanes_);
        const bool check = (limit_ >= 0 && iteration >= limit_) || work_.state.log.has_fault();
        std::vector<std::int64_t> staying, leaving;
        staying.reserve(live_.size());
        for (const std::int64_t position : live_) {
            const bool stays = holds[position] && (!check || may_go_on(events, position, iteration));
            (stays ? staying : leaving).push_back(position);
        }
        if (leaving.empty()) return;
        put(std::move(leaving));
        live_ = std::move(staying);
        if (!live_.empty() && (!may_wait_ || live_.size() * 4 <= places_.size() * 3)) pack();
    }

    void put(std::vector<std::int64_t> leaving) const {
        std::vector<std::int64_t> outer;
        outer.reserve(leaving.size());
        for (const std::int64_t position : leaving) outer.push_back(places_[static_cast<std::size_t>(position)]);
        const Positions from(frame_, frame_.leaders(lanes_), std::move(leaving)), to(work_.frame, leaders_, std::move(outer));
        for (std::size_t i = 0; i < carries_.size(); ++i) {
            if (!results_[i]) continue;
            const Lanes& lanes = work_.info(node_.results[i]).lanes;
            copy_lanes(align(frame_, carries_[i].view(), bodies_.input_lanes(1, i), lanes), frame_.leaders(lanes), from, results_[i].view(), work_.frame.leaders(lanes), to);
        }
    }

    void pack() {
        std::vector<std::int64_t> places;
        places.reserve(live_.size());
        for (const std::int64_t position : live_) places.push_back(places_[static_cast<std::size_t>(position)]);
        const Frame here = frame_;
        const Packing packing(here, here.leaders(lanes_), live_);
        carries_ = gather_all(packing, bodies_.graph(1), 0, carries_);
        for (const std::size_t b : {0U, 1U}) captures_[b] = gather_all(packing, bodies_.graph(b), carries_.size(), captures_[b]);
        frame_ = packing.inner();
        bodies_.forget();
        places_ = std::move(places);
        std::iota(live_.begin(), live_.end(), 0);
    }

    void step() {
        const std::vector<Array> outputs = bodies_.run(1, frame_, joined(inputs_of(1), captures_[1]));
        for (std::size_t i = 0; i < carries_.size(); ++i) {
            if (carries_[i]) carries_[i] = align(frame_, outputs[i], bodies_.output_lanes(1, i), bodies_.input_lanes(1, i));
        }
    }

    const Work& work_;
    std::uint32_t index_;
    const Node& node_;
    Bodies bodies_;
    std::int64_t limit_;
    Frame frame_;   // of the lanes that are packed, some of which may have left
    Lanes lanes_;   // of the condition
    Lanes leaders_; // of it, in the frame of the node
    bool may_wait_;
    std::vector<Array> carries_, captures_[2], results_;
    std::vector<std::int64_t> places_; // for each packed position, its position in the frame of the node
    std::vector<std::int64_t> live_;   // packed positions that have not left
};

} // namespace

void run_while(const Work& work, std::uint32_t index) { While(work, index).run(); }

} // namespace vmaprun
