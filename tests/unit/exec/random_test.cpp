// Random graphs: every mode, block size and thread count gives the bits of one node after another.
#include <random>

#include "support.hpp"

using namespace vmaprun;
using namespace vmaprun::testing;

namespace {

class RandomGraph {
  public:
    explicit RandomGraph(unsigned seed) : random_(seed) {
        const std::int64_t outer_size = 1 + pick(700), inner_size = 1 + pick(5);
        const Value a = make.input({outer_size, inner_size}), b = make.input({outer_size});
        const LaneId outer = make.enter(outer_size);
        add(make.builder.lane(a, outer, 0), row_);
        add(make.builder.lane(b, outer, 0), scalar_);
        add(make.number(0.5), scalar_);
        for (int i = 0; i < 12; ++i) grow();
        const LaneId inner = make.enter(inner_size);
        for (const Value row : std::vector(row_)) scalar_.push_back(make.builder.lane(row, inner, 0));
        for (int i = 0; i < 12; ++i) grow_scalar();
        std::vector<Value> outputs;
        for (std::size_t i = 0; i < 4; ++i) {
            outputs.push_back(make.builder.unlane(make.builder.unlane(scalar_[scalar_.size() - 1 - i], inner, 0), outer, 0));
            if (i < row_.size()) outputs.push_back(make.builder.unlane(row_[row_.size() - 1 - i], outer, 1));
        }
        graph = make.builder.finish(outputs);
        inputs = {noise({outer_size, inner_size}), noise({outer_size})};
    }

    Making make;
    std::shared_ptr<Graph> graph;
    std::vector<Array> inputs;

  private:
    std::int64_t pick(std::int64_t count) { return static_cast<std::int64_t>(random_() % static_cast<std::uint64_t>(count)); }
    Value any(const std::vector<Value>& values) { return values[static_cast<std::size_t>(pick(static_cast<std::int64_t>(values.size())))]; }
    static void add(Value value, std::vector<Value>& values) { values.push_back(value); }
    Array noise(Shape shape) {
        Array array(DType::f64, std::move(shape));
        for (std::int64_t i = 0; i < array.size(); ++i) array.as<double>()[i] = static_cast<double>(pick(2000)) / 1000.0 - 1.0;
        return array;
    }

    void grow() {
        if (pick(2)) row_.push_back(pick(2) ? make.add(any(row_), any(row_)) : make.multiply(any(row_), any(row_)));
        else if (pick(3) == 0) scalar_.push_back(make.sum(any(row_)));
        else grow_scalar();
    }
    void grow_scalar() {
        const Value a = any(scalar_), b = any(scalar_);
        switch (pick(5)) {
        case 0: return scalar_.push_back(branch(a, b));
        case 1: return scalar_.push_back(make.checked(make.multiply(a, a)));
        case 2: return scalar_.push_back(make.add(a, b));
        case 3: return scalar_.push_back(loop(a, b));
        default: return scalar_.push_back(make.multiply(a, b));
        }
    }
    // if a < b { a + b } else { b * b }, or other scalars
    Value branch(Value a, Value b) {
        const Value condition = make.less(a, b);
        const std::uint32_t sequence = make.builder.reserve_sequence();
        make.builder.begin_body(sequence);
        const Value other = any(scalar_);
        auto then = make.builder.finish_body({make.add(make.add(a, b), other)});
        make.builder.begin_body(sequence);
        auto otherwise = make.builder.finish_body({make.multiply(b, b)});
        const Lanes lanes = lanes_union(lanes_union(make.builder.lanes(a), make.builder.lanes(b)), make.builder.lanes(other));
        return make.builder.add_control(if_op, {condition}, {}, {then, otherwise}, {{DType::f64, {}, false}}, {lanes}, sequence)[0];
    }
    // loop x = a while x < 1 { x + (b * b + 0.25) }
    Value loop(Value a, Value b) {
        const Lanes lanes = lanes_union(make.builder.lanes(a), make.builder.lanes(b));
        const TensorType scalar{DType::f64, {}, false};
        const Value step = make.add(make.multiply(b, b), make.number(0.25));
        const std::uint32_t sequence = make.builder.reserve_sequence();
        make.builder.begin_body(sequence);
        const Value c = make.builder.parameter(scalar, lanes);
        auto condition = make.builder.finish_body({make.less(c, make.number(1))});
        make.builder.begin_body(sequence);
        const Value x = make.builder.parameter(scalar, lanes);
        auto body = make.builder.finish_body({make.add(x, step)});
        return make.builder.add_control(while_op, {a}, {std::int64_t{-1}}, {condition, body}, {scalar}, {lanes}, sequence)[0];
    }

    std::mt19937 random_;
    std::vector<Value> row_, scalar_;
};

} // namespace

TEST_CASE("random graphs give the same bits in every mode") {
    for (unsigned seed = 0; seed < 150; ++seed) {
        CAPTURE(seed);
        RandomGraph random(seed);
        verify(*random.graph);
        RunOptions eager;
        eager.mode = RunOptions::Mode::eager;
        eager.threads = 1;
        const auto expected = run(*random.graph, random.inputs, eager);
        for (const std::int64_t block : {0, 1, 7, 64}) {
            RunOptions options;
            options.block = block;
            options.threads = block == 1 ? 1 : 3;
            const auto results = run(*random.graph, random.inputs, options);
            for (std::size_t i = 0; i < results.size(); ++i) REQUIRE(same_bits(results[i], expected[i]));
        }
    }
}
