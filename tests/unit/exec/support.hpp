// Rows that are small enough to see through, for graphs that test the engine and nothing else.
#pragma once

#include <doctest/doctest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "base/error.hpp"
#include "exec/run.hpp"
#include "ir/builder.hpp"
#include "ops/control.hpp"
#include "ops/lane_iteration.hpp"

namespace vmaprun::testing {

using Floats = std::vector<double>;

inline std::vector<TensorType> same_type(std::span<const TensorType> operands, const Attributes&) { return {{operands[0].dtype, operands[0].shape}}; }
inline std::vector<TensorType> truth_type(std::span<const TensorType> operands, const Attributes&) { return {{DType::boolean, operands[0].shape}}; }
inline std::vector<TensorType> no_type(std::span<const TensorType>, const Attributes&) { return {}; }
inline std::vector<TensorType> sum_type(std::span<const TensorType> operands, const Attributes&) { return {{operands[0].dtype, {}}}; }

// Pointwise f64 (and i64 for add).
template <class T, class F> void tile_of(void* out, const void* const* in, std::int64_t n, F f) {
    for (std::int64_t i = 0; i < n; ++i) static_cast<decltype(f(T{}, T{}))*>(out)[i] = f(static_cast<const T*>(in[0])[i], static_cast<const T*>(in[1])[i]);
}
inline TileKernel add_tile(std::span<const DType> operands, DType) {
    if (operands[0] == DType::i64) return [](void* out, const void* const* in, std::int64_t n) { tile_of<std::int64_t>(out, in, n, [](auto a, auto b) { return a + b; }); };
    return [](void* out, const void* const* in, std::int64_t n) { tile_of<double>(out, in, n, [](auto a, auto b) { return a + b; }); };
}
inline TileKernel multiply_tile(std::span<const DType>, DType) {
    return [](void* out, const void* const* in, std::int64_t n) { tile_of<double>(out, in, n, [](auto a, auto b) { return a * b; }); };
}
inline TileKernel less_tile(std::span<const DType>, DType) {
    return [](void* out, const void* const* in, std::int64_t n) { tile_of<double>(out, in, n, [](auto a, auto b) { return a < b; }); };
}
inline TileKernel to_float_tile(std::span<const DType>, DType) {
    return [](void* out, const void* const* in, std::int64_t n) {
        for (std::int64_t i = 0; i < n; ++i) static_cast<double*>(out)[i] = static_cast<double>(static_cast<const std::int64_t*>(in[0])[i]);
    };
}

inline void sum_kernel(const KernelCall& call) {
    for_each_lane(call, 1, [&](std::int64_t, std::byte* const* at) {
        const double* x = lane_data<double>(at, 0);
        double total = 0;
        for (std::int64_t i = 0; i < sample_shape(call, 0)[0]; ++i) total += x[i * sample_strides(call, 0)[0]];
        *lane_data<double>(at, 1) = total;
    });
}

// x where x >= 0; a fault else.
inline void checked_kernel(const KernelCall& call) {
    for_each_lane(call, 1, [&](std::int64_t lane, std::byte* const* at) {
        const double x = *lane_data<double>(at, 0);
        *lane_data<double>(at, 1) = x < 0 ? 0 : x;
        if (x < 0) call.faults->report(lane, "E601", "negative " + std::to_string(static_cast<int>(x)));
    });
}
inline void debug_kernel(const KernelCall& call) {
    for_each_lane(call, 1, [&](std::int64_t lane, std::byte* const* at) {
        call.faults->report(lane, "debug", "x = " + std::to_string(static_cast<int>(*lane_data<double>(at, 0))));
    });
}

inline const Op add_row{.signature = "test_add", .type = same_type, .tile = add_tile};
inline const Op multiply_row{.signature = "test_multiply", .type = same_type, .tile = multiply_tile};
inline const Op less_row{.signature = "test_less", .type = truth_type, .tile = less_tile};
inline const Op to_float_row{.signature = "test_to_float", .type = [](std::span<const TensorType> operands, const Attributes&) -> std::vector<TensorType> { return {{DType::f64, operands[0].shape}}; }, .tile = to_float_tile};
inline const Op sum_row{.signature = "test_sum", .family = Family::reduction, .type = sum_type, .kernel = sum_kernel};
inline const Op checked_row{.signature = "test_checked", .family = Family::selection, .type = same_type, .kernel = checked_kernel, .effect = Effect::fault};
inline const Op debug_row{.signature = "test_debug", .family = Family::check, .type = no_type, .kernel = debug_kernel, .effect = Effect::visible};

inline Array array_of(Shape shape, const Floats& values) {
    Array array(DType::f64, std::move(shape));
    REQUIRE(array.size() == static_cast<std::int64_t>(values.size()));
    std::ranges::copy(values, array.as<double>());
    return array;
}
inline Floats floats(const Array& array) {
    const Array whole = array.contiguous();
    return Floats(whole.as<double>(), whole.as<double>() + whole.size());
}
inline Array counting(Shape shape) {
    Array array(DType::f64, std::move(shape));
    for (std::int64_t i = 0; i < array.size(); ++i) array.as<double>()[i] = static_cast<double>(i);
    return array;
}

// A graph in the making; `lane` enters a vmap and pushes its nesting.
struct Making {
    std::shared_ptr<Program> program = std::make_shared<Program>();
    Builder builder{program};

    Value input(Dims shape) { return builder.parameter({DType::f64, std::move(shape), false}); }
    Value number(double value) { return builder.constant(Array::scalar<double>(value)); }
    LaneId enter(std::int64_t size) {
        const LaneId lane = builder.new_lane({size, {}, {}, 0, 0, 0});
        builder.push_nesting({Nesting::Kind::lane, lane});
        return lane;
    }
    Value add(Value a, Value b) { return builder.add(add_row, {a, b}); }
    Value multiply(Value a, Value b) { return builder.add(multiply_row, {a, b}); }
    Value less(Value a, Value b) { return builder.add(less_row, {a, b}); }
    Value checked(Value a) { return builder.add(checked_row, {a}); }
    Value sum(Value a) { return builder.add(sum_row, {a}); }
    void debug(Value a) { builder.add_all(debug_row, {a}); }
};

inline std::vector<RunOptions> every_way() {
    std::vector<RunOptions> ways(6);
    ways[0].mode = RunOptions::Mode::eager;
    ways[2].threads = 2;
    ways[3].block = 1;
    ways[4].block = 2;
    ways[4].threads = 2;
    ways[5].block = 3;
    ways[5].threads = 1;
    return ways;
}

inline std::string outcome(const Graph& graph, const std::vector<Array>& inputs, RunOptions options) {
    std::string text;
    options.debug = [&](std::string_view line) { text += std::string(line) + "; "; };
    try {
        run(graph, inputs, options);
    } catch (const UserError& failure) {
        text += failure.diagnostics().front().code + " " + failure.diagnostics().front().message;
    }
    return text;
}

} // namespace vmaprun::testing
