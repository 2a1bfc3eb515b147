// A plain evaluator for the tests of rows: builds small graphs with the Builder and runs their nodes one by one, all lanes
// at once, as the engine does without its plan. `alone` cuts one lane out of the inputs, so that a test can hold every
// row against law 1.
#pragma once

#include <doctest/doctest.h>

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "ir/structural.hpp"
#include "ops/call.hpp"
#include "ops/lowering.hpp"

namespace vmaprun::testing {

struct Faults : FaultSink {
    std::map<std::int64_t, std::string> messages; // the first of each lane
    void report(std::int64_t lane, const char* code, std::string message) override { messages.emplace(lane, std::string(code) + ": " + message); }
};

// Cuts work into single positions, from the last to the first: what a kernel may do with its parts shows.
struct Backwards : Parallel {
    void run(std::int64_t count, std::int64_t grain, void (*part)(void*, std::int64_t, std::int64_t), void* context) override {
        const std::int64_t size = std::max<std::int64_t>(grain, 1);
        for (std::int64_t begin = (count - 1) / size * size; begin >= 0; begin -= size) part(context, begin, std::min(count, begin + size));
    }
};

template <class T> Array array(Shape shape, std::vector<T> elements) {
    Array made(dtype_of<T>(), std::move(shape));
    REQUIRE(made.size() == static_cast<std::int64_t>(elements.size()));
    for (std::size_t i = 0; i < elements.size(); ++i) made.as<T>()[i] = elements[i];
    return made;
}

class Bench {
  public:
    Builder builder{std::make_shared<Program>()};
    bool clamp_indices = false;
    Faults faults;

    Value input(const Array& array, bool weak = false) {
        const Value value = builder.parameter({array.dtype(), Dims(array.shape().begin(), array.shape().end()), weak});
        known_.emplace(value, array);
        return value;
    }
    // The leading axis of the array is the lane.
    Value lane_input(const Array& array, LaneId lane) {
        const Value value = builder.parameter({array.dtype(), Dims(array.shape().begin() + 1, array.shape().end()), false}, {lane});
        known_.emplace(value, array);
        return value;
    }
    Value number(std::int64_t value) { return builder.constant(Dim(value)); }
    LaneId lane(std::int64_t size) { return builder.new_lane({.size = size, .name = {}, .span = {}}); }

    // A row called as scripts call it: each argument as the tracer would bind it; those left out take what the row says.
    std::vector<Value> call(std::string_view name, std::vector<BoundArgument> arguments) {
        const Op& op = op_named(name);
        const Signature signature = parse_signature(op.signature);
        for (std::size_t i = arguments.size(); i < signature.parameters.size(); ++i) arguments.push_back(standard(signature.parameters[i]));
        for (BoundArgument& argument : arguments) argument.given = true;
        return op.lower(builder, BuiltinCall(op, std::move(arguments), {})).values;
    }

    // The array of a value: its lanes' axes, then its shape.
    Array run(Value value) {
        if (const auto found = known_.find(value); found != known_.end()) return found->second;
        const Graph& graph = builder.graph();
        const Node& node = graph.maker(value);
        if (const auto constant = builder.static_value(value)) return *constant;
        std::vector<Array> operands;
        for (const Value operand : node.operands) operands.push_back(with_lanes(run(operand), graph.lanes(operand), node.lanes));
        std::vector<Array> results = run_node(graph, node, operands);
        for (std::size_t i = 0; i < results.size(); ++i) known_.emplace(graph.result(node, i), results[i]);
        return known_.at(value);
    }

  private:
    static BoundArgument standard(const Parameter& parameter) {
        const std::string_view text = parameter.default_text;
        if (text == "true" || text == "false") return {text == "true", {}, false};
        if (text.starts_with('"')) return {std::string(text.substr(1, text.size() - 2)), {}, false};
        if (text == "none" || text.empty()) return {};
        const Dim number(std::stoll(std::string(text)));
        if (parameter.kind == ParameterKind::shape || parameter.kind == ParameterKind::integers) return {Dims{number}, {}, false};
        return {number, {}, false};
    }

    Shape extents(const Lanes& lanes) {
        Shape shape;
        for (const LaneId lane : lanes) shape.push_back(builder.program().lanes[lane].size.value());
        return shape;
    }

    // Strides of 0 for the lanes over which the array doesn't vary.
    Array with_lanes(const Array& array, const Lanes& own, const Lanes& all) {
        View view = array.view();
        for (std::size_t i = 0; i < all.size(); ++i) {
            if (has_lane(own, all[i])) continue;
            view.shape.insert(view.shape.begin() + static_cast<std::ptrdiff_t>(i), builder.program().lanes[all[i]].size.value());
            view.strides.insert(view.strides.begin() + static_cast<std::ptrdiff_t>(i), 0);
        }
        return array.with_view(std::move(view));
    }

    std::vector<Array> run_node(const Graph& graph, const Node& node, const std::vector<Array>& operands) {
        std::vector<Array> results;
        std::vector<View> in, out;
        for (const Array& operand : operands) in.push_back(operand.view());
        for (const std::uint32_t result : node.results) {
            Shape shape = extents(node.lanes);
            for (const std::int64_t size : values_of(graph.values[result].type.shape)) shape.push_back(size);
            results.emplace_back(graph.values[result].type.dtype, std::move(shape));
            out.push_back(results.back().view());
        }
        if (node.op->view != nullptr) {
            View seen{out[0].dtype, nullptr, out[0].shape, {}};
            if (node.op->view(node, node.lanes.size(), in[0], seen)) return {operands[0].with_view(std::move(seen))};
        }
        if (node.op->tile != nullptr) return run_tile(node, operands, results);
        REQUIRE((node.op->kernel != nullptr));
        Backwards parallel;
        node.op->kernel({.node = &node, .lanes = extents(node.lanes), .operands = in, .results = out, .faults = &faults, .parallel = &parallel, .clamp_indices = clamp_indices});
        return results;
    }

    static std::vector<Array> run_tile(const Node& node, const std::vector<Array>& operands, std::vector<Array> results) {
        std::vector<Array> flat;
        std::vector<DType> dtypes;
        std::vector<const void*> in;
        for (const Array& operand : operands) {
            flat.push_back(operand.contiguous());
            dtypes.push_back(operand.dtype());
            in.push_back(flat.back().view().data);
        }
        node.op->tile(dtypes, results[0].dtype())(results[0].view().data, in.data(), results[0].size());
        return results;
    }

    std::map<Value, Array> known_;
};

inline BoundArgument given(Value value) { return {value, {}, true}; }
inline BoundArgument given(std::vector<Value> values) { return {std::move(values), {}, true}; }
inline BoundArgument given(std::int64_t number) { return {Dim(number), {}, true}; }
inline BoundArgument given(int number) { return given(std::int64_t{number}); }
inline BoundArgument given(Dims numbers) { return {std::move(numbers), {}, true}; }
inline BoundArgument given(bool flag) { return {flag, {}, true}; }
inline BoundArgument given(const char* text) { return {std::string(text), {}, true}; }

template <class T> std::vector<T> elements(const Array& array) {
    CHECK(array.dtype() == dtype_of<T>());
    const Array flat = array.contiguous();
    return std::vector<T>(flat.as<T>(), flat.as<T>() + flat.size());
}

// The whole text of the error that f ends with.
inline std::string failure_of(const std::function<void()>& f) {
    try {
        f();
    } catch (const UserError& failure) {
        return failure.diagnostics().front().code + ": " + failure.diagnostics().front().message;
    }
    return "no error";
}

inline Array lane_of(const Array& array, std::int64_t lane) {
    View view = array.view();
    view.data += lane * view.strides[0] * static_cast<std::int64_t>(size_of(view.dtype));
    view.shape.erase(view.shape.begin());
    view.strides.erase(view.strides.begin());
    return array.with_view(std::move(view));
}

// Law 1: what `build` makes of inputs whose leading axis is a lane has, in each lane, the bits and the faults of that
// lane run alone; also when only some of the inputs vary.
inline void check_lanes(const std::vector<Array>& inputs, const std::function<std::vector<Value>(Bench&, const std::vector<Value>&)>& build) {
    const std::int64_t size = inputs[0].shape()[0];
    for (std::size_t varying = 1; varying < (std::size_t{1} << inputs.size()); ++varying) {
        CAPTURE(varying);
        Bench together;
        const LaneId lane = together.lane(size);
        std::vector<Value> values;
        for (std::size_t i = 0; i < inputs.size(); ++i) {
            const bool varies = (varying >> i & 1) != 0;
            values.push_back(varies ? together.lane_input(inputs[i], lane) : together.input(lane_of(inputs[i], 0)));
        }
        std::vector<Array> batched;
        for (const Value value : build(together, values)) {
            Array result = together.run(value);
            if (!has_lane(together.builder.lanes(value), lane)) {
                View view = result.view();
                view.shape.insert(view.shape.begin(), size);
                view.strides.insert(view.strides.begin(), 0);
                result = result.with_view(std::move(view));
            }
            batched.push_back(result);
        }
        for (std::int64_t at = 0; at < size; ++at) {
            CAPTURE(at);
            Bench alone;
            std::vector<Value> own;
            for (std::size_t i = 0; i < inputs.size(); ++i) own.push_back(alone.input(lane_of(inputs[i], (varying >> i & 1) != 0 ? at : 0)));
            const std::vector<Value> results = build(alone, own);
            REQUIRE(results.size() == batched.size());
            std::vector<Array> arrays;
            for (const Value result : results) arrays.push_back(alone.run(result));
            const auto fault = together.faults.messages.find(at);
            CHECK((fault == together.faults.messages.end() ? "" : fault->second) == (alone.faults.messages.empty() ? "" : alone.faults.messages.begin()->second));
            if (!alone.faults.messages.empty()) continue;
            for (std::size_t i = 0; i < arrays.size(); ++i) CHECK(same_bits(arrays[i].contiguous(), lane_of(batched[i], at).contiguous()));
        }
    }
}

} // namespace vmaprun::testing
