// Loops whose bodies are pointwise work over one shape (exec/tile_body.hpp): tile by tile, each through all iterations, so
// that what the loop carries never leaves the first-level cache. The bits are those of exec/control.cpp: the same kernels
// on the same elements.
#include <algorithm>
#include <array>
#include <cstring>
#include <numeric>

#include "base/aligned.hpp"
#include "exec/control_bodies.hpp"
#include "exec/tile_body.hpp"
#include "exec/tile_slices.hpp"
#include "ops/control.hpp"
#include "ops/kernels/pointwise.hpp"
#include "ops/lane_iteration.hpp"

namespace vmaprun {
namespace {

using Input = TileBody::Input;

// The lanes and sample shape of the loop: those of the first carry or slice that its body reads, or of a carry alone.
struct Space {
    Lanes lanes;
    Dims sample;
};
Space space_of(const Bodies& bodies, std::size_t body, std::size_t first_input, std::size_t count) {
    const Graph& graph = bodies.graph(body);
    for (std::size_t i = first_input; i < first_input + count; ++i) {
        if (bodies.plan(body).needed_inputs[i]) return {graph.lanes(graph.inputs[i]), graph.type(graph.inputs[i]).shape};
    }
    return {};
}

AlignedBytes zeros(std::int64_t elements, std::size_t width) { return aligned_zeros(static_cast<std::size_t>(elements) * width); }

// One carry of one worker: where it is now, and where the next one goes.
class TileCarry {
  public:
    TileCarry(std::int64_t tile, std::size_t width) : width_(width), buffers_{zeros(tile, width), zeros(tile, width)}, now_(buffers_[0].get()) {}

    std::byte* start() { return now_ = buffers_[0].get(), buffers_[0].get(); }
    const std::byte* now() const { return now_; }
    std::byte* next() const { return now_ == buffers_[0].get() ? buffers_[1].get() : buffers_[0].get(); }
    void move_to(const std::byte* place) { now_ = place; }
    std::size_t width() const { return width_; }
    std::byte* own() { return const_cast<std::byte*>(now_); } // only where it never moves outside of its buffers

  private:
    std::size_t width_;
    AlignedBytes buffers_[2];
    const std::byte* now_;
};

// ---- scan and for

// A scan, or a `for` (without xs and ys, with a counter in front), over the elements of its lanes and sample shape.
class TileScan {
  public:
    struct Form {
        std::size_t first_operand = 0, first_input = 0; // of the carries, in the node and in the body
        std::size_t carries = 0, xs = 0;
        std::int64_t start = 0, length = 0;
        bool reverse = false;
    };

    TileScan(const Work& work, std::uint32_t index, const Bodies& bodies, Form form) : work_(work), node_(work.graph().nodes[index]), bodies_(bodies), form_(form), space_(space_of(bodies, 0, form.first_input, form.carries + form.xs)) {}

    // False: of another kind; nothing was done.
    bool run() {
        if (!has_one_space()) return false;
        elements_ = element_count(work_.frame.shape(space_.lanes, space_.sample));
        if (elements_ == 0 || form_.length <= 0) return false;
        std::vector<Input> inputs(form_.first_input + form_.carries + form_.xs, Input::each);
        if (form_.first_input == 1) inputs[0] = Input::one;
        body_ = TileBody::make(work_, work_.frame, bodies_, 0, inputs, space_.lanes, space_.sample);
        if (!body_) return false;
        for (std::size_t i = 0; i < node_.results.size(); ++i) results_.push_back(bodies_.needs_result(i) ? work_.result_array(node_.results[i]) : Array());
        run_in_parts(elements_ * form_.length >= worth_threads ? work_.parallel : nullptr, elements_, body_->tile(), [&](std::int64_t begin, std::int64_t end) { part(begin, end); });
        for (std::size_t i = 0; i < results_.size(); ++i) {
            if (results_[i]) work_.set(node_.results[i], results_[i]);
        }
        return true;
    }

  private:
    static constexpr std::int64_t distance = 2; // steps: how far ahead slices are asked for

    bool wanted(std::size_t carry) const { return bodies_.plan(0).needed_inputs[form_.first_input + carry] || bodies_.needs_result(carry); }

    // Every carry, slice and result that matters is over the same lanes and sample shape.
    bool has_one_space() const {
        const Graph& graph = bodies_.graph(0);
        const auto fits = [&](Value value) { return graph.lanes(value) == space_.lanes && same_sizes(graph.type(value).shape, space_.sample); };
        for (std::size_t i = 0; i < form_.carries; ++i) {
            if (wanted(i) && !(fits(graph.inputs[form_.first_input + i]) && fits(graph.outputs[i]))) return false;
        }
        for (std::size_t i = 0; i < node_.results.size(); ++i) {
            if (!bodies_.needs_result(i)) continue;
            if (work_.info(node_.results[i]).lanes != space_.lanes || !fits(graph.outputs[i])) return false;
        }
        return true;
    }

    struct Stream { // one of the xs or ys
        std::size_t number; // of the body's input or output
        TileSlices slices;
    };

    View operand(std::size_t i, std::size_t input) const { // laid out by the lanes of the loop
        return align(work_.frame, work_.operand(node_, i).view(), work_.graph().lanes(node_.operands[i]), bodies_.input_lanes(0, input));
    }

    void part(std::int64_t begin, std::int64_t end) const {
        TileBody::Worker worker(*body_);
        const std::size_t time_axis = work_.frame.leaders(space_.lanes).size();
        std::vector<std::optional<TileCarry>> carries(form_.carries);
        for (std::size_t i = 0; i < form_.carries; ++i) {
            if (wanted(i)) carries[i].emplace(body_->tile(), size_of(bodies_.graph(0).type(bodies_.graph(0).outputs[i]).dtype));
        }
        std::vector<Stream> xs, ys;
        for (std::size_t i = 0; i < form_.xs; ++i) {
            const std::size_t input = form_.first_input + form_.carries + i;
            if (body_->needs(input)) xs.push_back({input, TileSlices(operand(form_.first_operand + form_.carries + i, input), time_axis, body_->tile(), TileSlices::Use::read)});
        }
        for (std::size_t o = form_.carries; o < results_.size(); ++o) {
            if (results_[o]) ys.push_back({o, TileSlices(results_[o].view(), time_axis, body_->tile(), TileSlices::Use::write)});
        }
        for (std::int64_t first = begin; first < end; first += body_->tile()) tile(worker, carries, xs, ys, first, std::min(body_->tile(), end - first));
    }

    void tile(TileBody::Worker& worker, std::vector<std::optional<TileCarry>>& carries, std::vector<Stream>& xs, std::vector<Stream>& ys, std::int64_t first, std::int64_t count) const {
        worker.start(first, count);
        for (std::size_t i = 0; i < carries.size(); ++i) {
            if (carries[i]) read_elements(operand(form_.first_operand + i, form_.first_input + i), first, count, carries[i]->start());
        }
        for (Stream& stream : xs) stream.slices.start(first, count);
        for (Stream& stream : ys) stream.slices.start(first, count);
        std::vector<const std::byte*> inputs(form_.first_input + form_.carries + form_.xs, nullptr);
        for (std::int64_t step = 0; step < form_.length; ++step) {
            const std::int64_t t = form_.reverse ? form_.length - 1 - step : step, counter = form_.start + step;
            if (form_.first_input == 1) worker.bind_one(0, reinterpret_cast<const std::byte*>(&counter));
            for (std::size_t i = 0; i < carries.size(); ++i) {
                if (carries[i]) worker.bind_input(form_.first_input + i, inputs[form_.first_input + i] = carries[i]->now());
            }
            for (Stream& stream : xs) worker.bind_input(stream.number, inputs[stream.number] = stream.slices.at(t));
            const std::int64_t ahead = form_.reverse ? t - distance : t + distance;
            for (const Stream& stream : xs) stream.slices.ask_for(ahead);
            for (const Stream& stream : ys) stream.slices.ask_for(ahead);
            advance(worker, carries, ys, inputs, t, count);
        }
        for (Stream& stream : ys) stream.slices.finish();
        for (std::size_t i = 0; i < carries.size(); ++i) {
            if (!results_[i]) continue;
            const std::size_t width = carries[i]->width();
            std::memcpy(results_[i].view().data + static_cast<std::size_t>(first) * width, carries[i]->now(), static_cast<std::size_t>(count) * width);
        }
    }

    // One iteration: its outputs are put where they belong, a value that is carried and collected once for both.
    void advance(TileBody::Worker& worker, std::vector<std::optional<TileCarry>>& carries, std::vector<Stream>& ys, const std::vector<const std::byte*>& inputs, std::int64_t t, std::int64_t count) const {
        const Graph& graph = bodies_.graph(0);
        const auto bytes = [&](std::size_t output) { return static_cast<std::size_t>(count) * body_->width(output); };
        std::vector<const std::byte*>& next = next_of(carries.size());
        for (std::size_t i = 0; i < carries.size(); ++i) {
            if (!carries[i]) continue;
            std::byte* place = carries[i]->next();
            next[i] = place;
            if (!body_->passed_on(i)) worker.bind_output(i, place);
            else if (*body_->passed_on(i) == form_.first_input + i) next[i] = nullptr; // stays as it is
            else std::memcpy(place, inputs[*body_->passed_on(i)], bytes(i));
        }
        struct Copy {
            std::byte* to;
            const std::byte* from;
            std::size_t bytes;
        };
        std::vector<Copy> copies;
        for (Stream& y : ys) {
            std::byte* place = y.slices.at(t);
            if (const auto input = body_->passed_on(y.number)) {
                std::memcpy(place, inputs[*input], bytes(y.number));
                continue;
            }
            worker.bind_output(y.number, place);
            for (std::size_t i = 0; i < carries.size(); ++i) {
                if (carries[i] && next[i] && graph.outputs[i] == graph.outputs[y.number]) next[i] = place;
            }
            for (Stream& other : ys) { // the same value collected twice
                if (&other != &y && other.number < y.number && graph.outputs[other.number] == graph.outputs[y.number]) copies.push_back({other.slices.at(t), place, bytes(y.number)});
            }
        }
        worker.run(count);
        for (const Copy& copy : copies) std::memcpy(copy.to, copy.from, copy.bytes);
        for (std::size_t i = 0; i < carries.size(); ++i) { // the same value carried twice: it went to the last place bound
            for (std::size_t k = i + 1; carries[i] && next[i] && k < carries.size(); ++k) {
                if (carries[k] && next[k] && !body_->passed_on(i) && graph.outputs[k] == graph.outputs[i] && next[k] != next[i]) std::memcpy(const_cast<std::byte*>(next[i]), next[k], bytes(i));
            }
        }
        for (std::size_t i = 0; i < carries.size(); ++i) {
            if (carries[i] && next[i]) carries[i]->move_to(next[i]);
        }
    }

    static std::vector<const std::byte*>& next_of(std::size_t carries) {
        thread_local std::vector<const std::byte*> next;
        next.assign(carries, nullptr);
        return next;
    }

    const Work& work_;
    const Node& node_;
    const Bodies& bodies_;
    Form form_;
    Space space_;
    std::int64_t elements_ = 0;
    std::optional<TileBody> body_;
    std::vector<Array> results_;
};

// ---- while, each lane by itself

class TileWhile {
  public:
    TileWhile(const Work& work, const Frame& frame, std::uint32_t index, const Bodies& bodies)
        : work_(work), frame_(frame), node_(work.graph().nodes[index]), bodies_(bodies), limit_(node_.integer(0)), lanes_(bodies.output_lanes(0, 0)) {}

    bool run() {
        const std::size_t count = node_.results.size();
        for (std::size_t i = 0; i < count; ++i) {
            wanted_.push_back(bodies_.plan(0).needed_inputs[i] || bodies_.plan(1).needed_inputs[i] || bodies_.needs_result(i));
            if (wanted_[i] && !is_over_lanes(i)) return false;
        }
        const std::vector<Input> inputs(count, Input::each);
        condition_ = TileBody::make(work_, frame_, bodies_, 0, inputs, lanes_, {});
        if (condition_ && !condition_->passed_on(0)) body_ = TileBody::make(work_, frame_, bodies_, 1, inputs, lanes_, {});
        if (!body_) return false;
        for (std::size_t i = 0; i < count; ++i) {
            results_.push_back(bodies_.needs_result(i) ? work_.result_array(node_.results[i]) : Array());
            if (results_.back()) kept_results_.push_back(i);
            starts_.push_back(wanted_[i] ? align(frame_, work_.operand(node_, i).view(), work_.graph().lanes(node_.operands[i]), lanes_) : View());
        }
        const std::int64_t elements = element_count(frame_.extents(frame_.leaders(lanes_)));
        is_single_ = elements == 1;
        sort_carries();
        run_in_parts(work_.parallel, elements, tile(), [&](std::int64_t begin, std::int64_t end) {
            Tile(*this).run(begin, end);
        });
        for (std::size_t i = 0; i < count; ++i) {
            if (results_[i]) work_.set(node_.results[i], results_[i]);
        }
        return true;
    }

  private:
    static constexpr std::int64_t most = 512; // lanes a tile: few enough to stay near, many enough to pay for a kernel's call
    static constexpr std::int64_t side_by_side = 16; // lanes: kernels run over whole groups of them, since their tails cost as much
    static_assert(most % 64 == 0); // DifferenceFunction
    std::int64_t tile() const { return std::min(most, body_->tile()); }

    bool is_over_lanes(std::size_t i) const {
        const Graph& graph = bodies_.graph(1);
        const bool scalar = graph.type(graph.inputs[i]).shape.empty();
        return scalar && bodies_.input_lanes(1, i) == lanes_ && bodies_.output_lanes(1, i) == lanes_ && work_.info(node_.results[i]).lanes == lanes_;
    }

    // By how the body makes the next of them.
    void sort_carries() {
        const Graph& graph = bodies_.graph(1);
        for (std::size_t i = 0; i < wanted_.size(); ++i) {
            const auto input = body_->passed_on(i);
            if (!wanted_[i] || input == i) continue;
            moving_.push_back(i);
            if (input) passed_.push_back({i, *input});
            else computed_.push_back(i);
            for (std::size_t k = wanted_.size() - 1; !input && k > i; --k) { // the same value twice: it goes to the last place
                if (!wanted_[k] || graph.outputs[k] != graph.outputs[i]) continue;
                twice_.push_back({i, k});
                break;
            }
        }
    }

    // Some lanes that go through the loop side by side, each in its own iteration: when a quarter of them has left, the
    // others are packed together, and fresh lanes take the places behind them.
    class Tile {
      public:
        explicit Tile(const TileWhile& loop)
            : loop_(loop), condition_(*loop.condition_), body_(*loop.body_), events_(loop.work_.state.log, loop.frame_, loop.node_, loop.lanes_), holds_(most), alive_(most),
              lanes_(most), begun_(most), leaving_(most) {
            for (std::size_t i = 0; i < loop.wanted_.size(); ++i) {
                std::optional<TileCarry>& carry = carries_.emplace_back();
                if (loop.wanted_[i]) carry.emplace(loop.tile(), size_of(loop.work_.info(loop.node_.results[i]).type.dtype));
            }
        }

        void run(std::int64_t begin, std::int64_t end) {
            for (std::int64_t round = 0;; ++round) {
                if (live_ * 4 <= count_ * 3) {
                    pack();
                    begin += admit(begin, end, round);
                    if (count_ == 0) return;
                }
                bind(condition_);
                condition_.bind_output(0, reinterpret_cast<std::byte*>(holds_.data()));
                condition_.run(whole_groups());
                leave(round);
                if (live_ == 0) continue;
                bind(body_);
                advance();
            }
        }

      private:
        // What stands behind the last lane is computed too, and means nothing.
        std::int64_t whole_groups() const { return loop_.is_single_ ? count_ : (count_ + side_by_side - 1) / side_by_side * side_by_side; }

        void bind(TileBody::Worker& worker) {
            for (std::size_t i = 0; i < carries_.size(); ++i) {
                if (carries_[i]) worker.bind_input(i, carries_[i]->now());
            }
        }

        bool may_go_on(std::size_t p, std::int64_t iteration) const {
            if (loop_.limit_ >= 0 && iteration >= loop_.limit_) {
                events_.report_limit(lanes_[p], loop_.limit_);
                return false;
            }
            EventLog& log = loop_.work_.state.log;
            return !log.has_fault() || !log.is_late(events_.key_at(lanes_[p], iteration));
        }

        // The lanes whose condition fails put their carries to their places.
        void leave(std::int64_t round) {
            const bool check = (loop_.limit_ >= 0 && round - begun_[0] >= loop_.limit_) || loop_.work_.state.log.has_fault();
            if (check) {
                for (std::size_t p = 0; p < static_cast<std::size_t>(count_); ++p) {
                    if (alive_[p] != 0 && (holds_[p] == 0 || !may_go_on(p, round - begun_[p]))) settle(p);
                }
                return;
            }
            const long leaving = pointwise_table().difference(alive_.data(), holds_.data(), count_, leaving_.data());
            for (const std::int32_t p : std::span(leaving_).first(static_cast<std::size_t>(leaving))) settle(static_cast<std::size_t>(p));
        }

        void settle(std::size_t p) {
            alive_[p] = 0;
            --live_;
            for (const std::size_t i : loop_.kept_results_) {
                const std::size_t width = carries_[i]->width();
                std::memcpy(loop_.results_[i].view().data + static_cast<std::size_t>(lanes_[p]) * width, carries_[i]->now() + p * width, width);
            }
        }

        void pack() {
            kept_.resize(most);
            std::size_t kept = 0;
            for (std::int32_t p = 0; p < count_; ++p) { // without a branch, that nobody could foretell
                kept_[kept] = p;
                kept += alive_[static_cast<std::size_t>(p)];
            }
            kept_.resize(kept);
            for (std::size_t k = 0; k < kept_.size(); ++k) {
                lanes_[k] = lanes_[static_cast<std::size_t>(kept_[k])];
                begun_[k] = begun_[static_cast<std::size_t>(kept_[k])];
            }
            for (auto& carry : carries_) {
                if (carry) keep_elements(carry->own(), carry->width(), kept_);
            }
            condition_.keep(kept_);
            body_.keep(kept_);
            count_ = live_;
        }

        // Takes as many of the lanes [begin, end) as there is room for: how many.
        std::int64_t admit(std::int64_t begin, std::int64_t end, std::int64_t round) {
            const std::int64_t more = std::min(loop_.tile() - count_, end - begin);
            condition_.start(begin, more, count_);
            body_.start(begin, more, count_);
            for (std::size_t i = 0; i < carries_.size(); ++i) {
                if (carries_[i]) read_elements(loop_.starts_[i], begin, more, carries_[i]->own() + static_cast<std::size_t>(count_) * carries_[i]->width());
            }
            std::iota(lanes_.begin() + count_, lanes_.begin() + count_ + more, begin);
            std::fill(begun_.begin() + count_, begun_.begin() + count_ + more, round);
            live_ = count_ += more;
            wake();
            return more;
        }

        void wake() {
            std::ranges::fill(alive_, std::uint8_t{0});
            std::fill_n(alive_.begin(), count_, std::uint8_t{1});
        }

        void advance() {
            const auto bytes = [&](std::size_t i) { return static_cast<std::size_t>(count_) * carries_[i]->width(); };
            for (const std::size_t i : loop_.computed_) body_.bind_output(i, carries_[i]->next());
            for (const auto& [i, input] : loop_.passed_) std::memcpy(carries_[i]->next(), carries_[input]->now(), bytes(i));
            body_.run(whole_groups());
            for (const auto& [i, last] : loop_.twice_) std::memcpy(carries_[i]->next(), carries_[last]->next(), bytes(i));
            for (const std::size_t i : loop_.moving_) carries_[i]->move_to(carries_[i]->next());
        }

        const TileWhile& loop_;
        TileBody::Worker condition_, body_;
        NodeEvents events_;
        std::vector<std::optional<TileCarry>> carries_;
        std::vector<std::uint8_t> holds_, alive_; // the condition, and whether the lane has not left, at each position
        std::vector<std::int64_t> lanes_, begun_; // the lane at each position, and the round of its first iteration: ascending
        std::vector<std::int32_t> kept_, leaving_;
        std::int64_t count_ = 0, live_ = 0;
    };

    const Work& work_;
    const Frame& frame_;
    const Node& node_;
    const Bodies& bodies_;
    std::int64_t limit_;
    Lanes lanes_;
    bool is_single_ = false; // one lane alone: what it captures is read where it is, an element
    std::vector<bool> wanted_;
    std::optional<TileBody> condition_, body_;
    std::vector<Array> results_;
    std::vector<std::size_t> kept_results_; // the numbers of those that somebody needs
    std::vector<std::size_t> computed_, moving_;                   // carries that change: by the program, all
    std::vector<std::pair<std::size_t, std::size_t>> passed_, twice_; // and those that are another's input, or another's next
    std::vector<View> starts_;
};

} // namespace

bool scan_in_tiles(const Work& work, std::uint32_t index, const Bodies& bodies) {
    const Node& node = work.graph().nodes[index];
    TileScan::Form form;
    form.carries = static_cast<std::size_t>(node.integer(0));
    form.xs = static_cast<std::size_t>(node.integer(1));
    form.reverse = node.boolean(2);
    form.length = node.integers(3)[0];
    return TileScan(work, index, bodies, form).run();
}

bool for_in_tiles(const Work& work, std::uint32_t index, const Bodies& bodies, std::int64_t start, std::int64_t stop) {
    TileScan::Form form;
    form.first_operand = 2;
    form.first_input = 1;
    form.carries = work.graph().nodes[index].results.size();
    form.start = start;
    form.length = stop > start ? stop - start : 0;
    return TileScan(work, index, bodies, form).run();
}

bool while_in_tiles(const Work& work, const Frame& frame, std::uint32_t index, const Bodies& bodies) { return TileWhile(work, frame, index, bodies).run(); }

} // namespace vmaprun
