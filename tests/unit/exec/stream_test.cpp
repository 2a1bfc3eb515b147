// Streamed inputs and outputs: the same bits as with whole arrays, and never more of them than the blocks need.
#include "exec/stream.hpp"

#include <cstring>
#include <mutex>

#include "support.hpp"

using namespace vmaprun;
using namespace vmaprun::testing;

namespace {

// Slices of an array, and how many elements were asked for at once.
class ArraySource final : public SliceSource {
  public:
    explicit ArraySource(Array array) : array_(std::move(array)) {}
    void read(std::int64_t first, std::int64_t count, std::byte* target) const override {
        const std::int64_t slice = array_.size() / array_.shape()[0];
        std::memcpy(target, array_.as<double>() + first * slice, static_cast<std::size_t>(count * slice) * sizeof(double));
        const std::lock_guard lock(mutex_);
        most = std::max(most, count);
        total += count;
    }
    mutable std::int64_t most = 0, total = 0;

  private:
    Array array_;
    mutable std::mutex mutex_;
};

class ArraySink final : public SliceSink {
  public:
    explicit ArraySink(Shape shape) : array(Array::zeros(DType::f64, std::move(shape))) {}
    void write(std::int64_t first, std::int64_t count, const std::byte* data) override {
        const std::int64_t slice = array.size() / array.shape()[0];
        std::memcpy(array.as<double>() + first * slice, data, static_cast<std::size_t>(count * slice) * sizeof(double));
    }
    Array array;
};

struct Streamed {
    std::shared_ptr<Graph> graph;
    std::vector<Array> inputs;
};

// Two vmapped rows of results, one of a nested vmap, and a plain one; x comes by slices, y and the weights as they are.
Streamed network(Making& make, std::int64_t lanes) {
    const Value x = make.input({lanes, 3}), y = make.input({lanes}), weights = make.input({3});
    const LaneId outer = make.enter(lanes);
    const Value row = make.builder.lane(x, outer, 0), scale = make.builder.lane(y, outer, 0);
    const Value product = make.multiply(row, weights);
    const Value total = make.add(make.sum(product), scale);
    const LaneId inner = make.enter(3);
    const Value each = make.add(make.multiply(make.builder.lane(row, inner, 0), make.builder.lane(weights, inner, 0)), total);
    make.builder.pop_nesting();
    const Value leaving = make.builder.unlane(each, inner, 0);
    make.builder.pop_nesting();
    return {make.builder.finish({make.builder.unlane(total, outer, 0), make.builder.unlane(leaving, outer, 0), make.sum(weights)}),
            {counting({lanes, 3}), counting({lanes}), array_of({3}, {1, -2, 3})}};
}

} // namespace

TEST_CASE("what is streamed has the bits of what is not, in every block size and on any number of threads") {
    const std::int64_t lanes = 1000;
    Making make;
    const Streamed network_of = network(make, lanes);
    const auto can = streamable(*network_of.graph);
    REQUIRE(can.has_value());
    CHECK(can->inputs == std::vector<bool>{true, true, false});
    CHECK(can->outputs == std::vector<bool>{true, true, false});
    const auto expected = run(*network_of.graph, network_of.inputs);
    for (const std::int64_t block : {1, 7, 0, 5000}) {
        for (const int threads : {1, 2, 5}) {
            RunOptions options;
            options.block = block;
            options.threads = threads;
            const ArraySource x(network_of.inputs[0]), y(network_of.inputs[1]);
            ArraySink total({lanes}), rows({lanes, 3});
            std::vector<Array> inputs = network_of.inputs;
            inputs[0] = inputs[1] = Array();
            const auto results = run(*network_of.graph, inputs, options, {{&x, &y, nullptr}, {&total, &rows, nullptr}});
            CHECK(same_bits(total.array, expected[0]));
            CHECK(same_bits(rows.array, expected[1]));
            CHECK(same_bits(results[2], expected[2]));
            CHECK(!results[0]);
            CHECK(x.total == lanes);
            if (block > 0) CHECK(x.most == std::min(block, lanes));
            // Streamed on one side alone.
            const auto kept = run(*network_of.graph, {Array(), network_of.inputs[1], network_of.inputs[2]}, options, {{&x, nullptr, nullptr}, {nullptr, &rows, nullptr}});
            CHECK(same_bits(kept[0], expected[0]));
            CHECK(same_bits(rows.array, expected[1]));
        }
    }
}

TEST_CASE("no lanes at all stream as well") {
    Making make;
    const Streamed network_of = network(make, 0);
    const ArraySource x(network_of.inputs[0]);
    ArraySink rows({0, 3});
    const auto results = run(*network_of.graph, {Array(), network_of.inputs[1], network_of.inputs[2]}, {}, {{&x, nullptr, nullptr}, {nullptr, &rows, nullptr}});
    CHECK(results[0].shape() == Shape{0});
    CHECK(x.total == 0);
}

TEST_CASE("an input that is needed as a whole, and an output that is not made of slices, don't stream") {
    Making make;
    const Value x = make.input({4}), y = make.input({4}), z = make.input({4});
    const LaneId lane = make.enter(4);
    const Value one = make.builder.lane(x, lane, 0);
    const Value sum = make.add(one, make.sum(y)), whole = make.add(make.builder.lane(y, lane, 0), make.builder.lane(z, lane, 0));
    const Value leaving = make.builder.unlane(sum, lane, 0), read_again = make.builder.unlane(whole, lane, 0);
    make.builder.pop_nesting();
    const auto graph = make.builder.finish({leaving, read_again, make.sum(read_again), z});
    const auto can = streamable(*graph);
    REQUIRE(can.has_value());
    CHECK(can->inputs == std::vector<bool>{true, false, false});
    CHECK(can->outputs == std::vector<bool>{true, false, false, false});
}

TEST_CASE("a fault in what is streamed names its lane") {
    Making make;
    const Value x = make.input({40});
    const LaneId lane = make.enter(40);
    const auto graph = make.builder.finish({make.builder.unlane(make.checked(make.builder.lane(x, lane, 0)), lane, 0)});
    Array numbers = counting({40});
    numbers.as<double>()[25] = -3;
    numbers.as<double>()[33] = -4;
    const auto message = [&](const Streams& streams, const Array& array) {
        RunOptions options;
        options.block = 8;
        try {
            run(*graph, {array}, options, streams);
        } catch (const UserError& failure) {
            return failure.diagnostics().front().message + (failure.diagnostics().front().notes.empty() ? "" : failure.diagnostics().front().notes.front());
        }
        return std::string("no error");
    };
    const ArraySource source(numbers);
    ArraySink sink({40});
    CHECK(message({{&source}, {&sink}}, Array()) == message({}, numbers));
    CHECK(message({}, numbers) != "no error");
}

TEST_CASE("what a source refuses ends the run") {
    struct Refusing final : SliceSource {
        void read(std::int64_t, std::int64_t, std::byte*) const override { throw UserError(error("E501", "gone")); }
    };
    Making make;
    const Streamed network_of = network(make, 100);
    const Refusing gone;
    CHECK_THROWS_AS(run(*network_of.graph, {Array(), network_of.inputs[1], network_of.inputs[2]}, {}, {{&gone, nullptr, nullptr}, {}}), UserError);
}
