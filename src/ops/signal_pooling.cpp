// max_pool, avg_pool and interp.
#include <algorithm>
#include <array>
#include <cmath>

#include "base/text.hpp"
#include "ops/composite.hpp"
#include "ops/derivative.hpp"
#include "ops/kernels/fold.hpp"
#include "ops/lane_iteration.hpp"
#include "ops/lowering.hpp"
#include "ops/movement.hpp"
#include "ops/signal.hpp"

namespace vmaprun {
namespace {

// ---- windows over the last axes. Attributes of the node: 0: Dims sizes, 1: Dims strides, one for each of those axes

std::vector<TensorType> pool_type(std::span<const TensorType> operands, const Attributes& attributes) {
    const Dims &sizes = std::get<Dims>(attributes[0]), &strides = std::get<Dims>(attributes[1]);
    TensorType type{operands[0].dtype, operands[0].shape};
    for (std::size_t i = 0; i < sizes.size(); ++i) {
        Dim& size = type.shape[type.rank() - sizes.size() + i];
        size = window_count(size, sizes[i], strides[i]);
    }
    return {type};
}

std::vector<TensorType> pool_position_type(std::span<const TensorType> operands, const Attributes& attributes) {
    std::vector<TensorType> types = pool_type(operands, attributes);
    types[0].dtype = DType::i64;
    return types;
}

// The three last axes (of 1 where there are fewer): extents and strides of x, of the windows and of the results.
struct Pooling {
    std::array<std::int64_t, 3> step{}, size{1, 1, 1}, stride{1, 1, 1}, out{1, 1, 1}, extent{1, 1, 1};
    std::int64_t results() const { return out[0] * out[1] * out[2]; }
};

Pooling pooling_of(const KernelCall& call) {
    const auto sizes = call.node->integers(0), strides = call.node->integers(1);
    const auto shape = sample_shape(call, 0), steps = sample_strides(call, 0), out = result_shape(call, 0);
    Pooling p;
    for (std::size_t i = 0; i < sizes.size(); ++i) {
        const std::size_t to = 3 - sizes.size() + i, from = shape.size() - sizes.size() + i;
        p.step[to] = steps[from], p.size[to] = sizes[i], p.stride[to] = strides[i], p.out[to] = out[from], p.extent[to] = shape[from];
    }
    return p;
}

// f(address of x, first result) for everything in front of the pooled axes.
template <class F> void for_each_plane(const KernelCall& call, const Pooling& p, const F& f) {
    const std::size_t pooled = call.node->dims(0).size();
    const auto shape = sample_shape(call, 0), from = sample_strides(call, 0), to = result_strides(call, 0);
    LaneIteration planes(call);
    for (std::size_t axis = 0; axis + pooled < shape.size(); ++axis) planes.add_axis(call, shape[axis], std::array{from[axis], to[axis]});
    planes.run(call, grain_for(p.results() * p.size[0] * p.size[1] * p.size[2]), [&](std::int64_t, std::byte* const* at) { f(at); });
}

// A line of results at a time: each place in the windows in turn, row-major.
template <class T> void pool_line(const Pooling& p, const T* x, T* out) {
    for (std::int64_t k = 0; k < p.out[2]; ++k) out[k] = x[k * p.stride[2] * p.step[2]];
    for (std::int64_t a = 0; a < p.size[0]; ++a) {
        for (std::int64_t b = 0; b < p.size[1]; ++b) {
            for (std::int64_t c = 0; c < p.size[2]; ++c) {
                if (a + b + c == 0) continue;
                const T* from = x + a * p.step[0] + b * p.step[1] + c * p.step[2];
                for (std::int64_t k = 0; k < p.out[2]; ++k) out[k] = fold::Max<T>::meet(out[k], from[k * p.stride[2] * p.step[2]]);
            }
        }
    }
}

void pool_max_kernel(const KernelCall& call) {
    if (call.results[0].size() == 0) return;
    const Pooling p = pooling_of(call);
    visit_dtype(call.results[0].dtype, [&]<class T>(TypeTag<T>) {
        if constexpr (!std::is_same_v<T, KeyWords> && !is_complex_type<T>) {
            for_each_plane(call, p, [&](std::byte* const* at) {
                T* out = lane_data<T>(at, 1);
                for (std::int64_t i = 0; i < p.out[0]; ++i) {
                    for (std::int64_t j = 0; j < p.out[1]; ++j, out += p.out[2]) pool_line(p, lane_data<const T>(at, 0) + i * p.stride[0] * p.step[0] + j * p.stride[1] * p.step[1], out);
                }
            });
        }
    });
}

template <class T> bool is_nan(T x) {
    if constexpr (std::is_floating_point_v<T>) return std::isnan(x);
    else return false;
}

// Where the first largest element of each window stands among the elements of the pooled axes, row-major; the first NaN if there is one.
void pool_position_kernel(const KernelCall& call) {
    if (call.results[0].size() == 0) return;
    const Pooling p = pooling_of(call);
    visit_dtype(call.operands[0].dtype, [&]<class T>(TypeTag<T>) {
        if constexpr (!std::is_same_v<T, KeyWords> && !is_complex_type<T>) {
            for_each_plane(call, p, [&](std::byte* const* at) {
                const T* x = lane_data<const T>(at, 0);
                auto* out = lane_data<std::int64_t>(at, 1);
                for (std::int64_t result = 0; result < p.results(); ++result) {
                    const std::array<std::int64_t, 3> first{result / (p.out[1] * p.out[2]) * p.stride[0], result / p.out[2] % p.out[1] * p.stride[1], result % p.out[2] * p.stride[2]};
                    std::int64_t best = -1;
                    T largest{};
                    for (std::int64_t tap = 0; tap < p.size[0] * p.size[1] * p.size[2]; ++tap) {
                        const std::int64_t i = first[0] + tap / (p.size[1] * p.size[2]), j = first[1] + tap / p.size[2] % p.size[1], k = first[2] + tap % p.size[2];
                        const T value = x[i * p.step[0] + j * p.step[1] + k * p.step[2]];
                        if (best >= 0 && !(value > largest) && !(is_nan(value) && !is_nan(largest))) continue;
                        best = (i * p.extent[1] + j) * p.extent[2] + k;
                        largest = value;
                    }
                    out[result] = best;
                }
            });
        }
    });
}

bool never_weak(const Attributes&) { return false; }

// ---- derivative: a window's slope is that of its largest element, of several the first

// The positions of the largest elements, as index arrays of x seen as [planes, elements].
struct Largest {
    Dims planes, pooled; // [planes, elements] and [planes, windows]
    std::vector<Value> indices;
};

Largest largest_of(const Primal& at) {
    Builder& builder = at.builder;
    const Dims &shape = builder.type(at.operands[0]).shape, &out = builder.type(at.results[0]).shape;
    const auto leading = static_cast<std::ptrdiff_t>(shape.size() - at.node.dims(0).size());
    const Dim count = product_of(Dims(shape.begin(), shape.begin() + leading));
    Largest largest{{count, product_of(Dims(shape.begin() + leading, shape.end()))}, {count, product_of(Dims(out.begin() + leading, out.end()))}, {}};
    const Value positions = node(builder, "pool_position", {at.operands[0]}, at.node.attributes);
    largest.indices = {iota_values(builder, largest.pooled, 0, DType::i64), reshape_to(builder, positions, largest.pooled)};
    return largest;
}

std::vector<Value> jvp_pool(const Primal& at, std::span<const Value> tangents) {
    const Largest largest = largest_of(at);
    const Value found = gather(at.builder, reshape_to(at.builder, tangents[0], largest.planes), largest.indices, {0, 1}, 0);
    return {reshape_to(at.builder, found, at.builder.type(at.results[0]).shape)};
}

std::vector<Value> vjp_pool(const Primal& at, std::span<const Value> cotangents, const std::vector<bool>&) {
    Builder& builder = at.builder;
    const Largest largest = largest_of(at);
    const TensorType type = builder.type(at.operands[0]);
    const Value zeros = zeros_of(builder, type.dtype, largest.planes), added = reshape_to(builder, cotangents[0], largest.pooled);
    const Value spread = node(builder, "index_update", {zeros, added, largest.indices[0], largest.indices[1]}, {Dims{0, 1}, std::int64_t{0}, std::string("add")});
    return {reshape_to(builder, spread, type.shape)};
}

struct Windows {
    Dims sizes, strides;
};

// A single size goes for the spatial axes of [n, c, …] or [c, …]: one of up to 2 axes, two of 3 or 4, three of more.
Windows windows_of(Builder& builder, const BuiltinCall& call) {
    const Dims& shape = builder.type(call.tensor(0)).shape;
    const std::string name(call.op().name());
    if (shape.empty()) call.fail(0, error("E307", name + " goes along axes, and a scalar has none"));
    Windows windows;
    for (const Value size : values_of_argument(builder, call, 1)) {
        const auto number = builder.static_int(size);
        if (!number) call.fail(1, error("E209", "`size` of `" + name + "` must be a constant whole number, or a tuple of them, when the graph is built"));
        windows.sizes.push_back(*number);
    }
    const bool one = std::holds_alternative<Value>(call.argument(1).value);
    const std::size_t spatial = one ? shape.size() <= 2 ? 1 : shape.size() <= 4 ? 2 : 3 : windows.sizes.size();
    if (one) windows.sizes.resize(spatial, windows.sizes[0]);
    if (spatial > 3 || spatial > shape.size() || spatial == 0) {
        call.fail(1, error("E310", name + " over " + std::to_string(spatial) + " axes: windows have 1 to 3, and x is " + dims_text(shape)));
    }
    windows.strides = call.is_none(2) ? windows.sizes : call.integers(2);
    if (windows.strides.size() == 1) windows.strides.resize(spatial, windows.strides[0]);
    if (windows.strides.size() != spatial) call.fail(2, error("E310", "stride has " + count_of(static_cast<std::int64_t>(windows.strides.size()), "number") + " for " + std::to_string(spatial) + " axes"));
    for (std::size_t i = 0; i < spatial; ++i) {
        if (surely_greater(1, windows.sizes[i])) call.fail(1, error("E310", "size is " + windows.sizes[i].text() + ", but must be at least 1"));
        if (surely_greater(1, windows.strides[i])) call.fail(2, error("E310", "stride is " + windows.strides[i].text() + ", but must be at least 1"));
        const std::size_t axis = shape.size() - spatial + i;
        if (surely_greater(windows.sizes[i], shape[axis])) call.fail(1, error("E301", "a window of size " + windows.sizes[i].text() + " does not fit axis " + std::to_string(axis) + " of size " + shape[axis].text()));
    }
    return windows;
}

Lowered lower_max_pool(Builder& builder, const BuiltinCall& call) {
    const DType dtype = builder.type(call.tensor(0)).dtype;
    if (kind_of(dtype) > Kind::floating) call.fail(0, error("E302", "max_pool needs real numbers, not `" + std::string(name_of(dtype)) + "`"));
    const Windows windows = windows_of(builder, call);
    return node(builder, "pool_max", {call.tensor(0)}, {windows.sizes, windows.strides});
}

// A convolution with ones, divided by their number.
Lowered lower_avg_pool(Builder& builder, const BuiltinCall& call) {
    if (builder.type(call.tensor(0)).dtype == DType::key) call.fail(0, error("E302", "avg_pool needs numbers, not keys"));
    const Windows windows = windows_of(builder, call);
    const Value x = as_floating(builder, call.tensor(0));
    const TensorType type = builder.type(x);
    const std::size_t spatial = windows.sizes.size();
    const auto first = type.shape.end() - static_cast<std::ptrdiff_t>(spatial);
    const Dims leading(type.shape.begin(), first);
    Dims planes{product_of(leading), 1}, ones{1, 1};
    planes.insert(planes.end(), first, type.shape.end());
    ones.insert(ones.end(), windows.sizes.begin(), windows.sizes.end());
    const Convolution how{windows.strides, Dims(2 * spatial, 0), Dims(spatial, 1), Dims(spatial, 1), 1};
    const Value sums = convolution(builder, reshape_to(builder, x, planes), broadcast_to(builder, scalar(builder, std::int64_t{1}, type.dtype), ones), how);
    Dims shape = leading;
    const Dims& summed = builder.type(sums).shape;
    shape.insert(shape.end(), summed.begin() + 2, summed.end());
    return pointwise(builder, "divide", {reshape_to(builder, sums, shape), builder.constant(product_of(windows.sizes))});
}

// ---- interp, by NumPy's formula: slope * (x - xp[j]) + fp[j] between xp[j] <= x < xp[j + 1]

class Interpolation {
  public:
    Interpolation(Builder& builder, Value x, Value xp, Value fp) : builder_(builder), x_(x), xp_(xp), fp_(fp), count_(builder.type(xp).shape[0]) {}

    Value run() {
        const Value last = builder_.constant(count_ - 1), zero = builder_.constant(Dim(0)), one = builder_.constant(Dim(1));
        const Value found = call_row(builder_, "searchsorted", {xp_, x_}, {{"side", {std::string("right"), {}, true}}});
        const Value low = apply("maximum", apply("minimum", apply("subtract", found, one), apply("subtract", last, one)), zero);
        const Value high = apply("minimum", apply("add", low, one), last);
        const Value x0 = at(xp_, low), x1 = at(xp_, high), y0 = at(fp_, low), y1 = at(fp_, high);
        const Value distance = apply("subtract", x1, x0);
        const Value slope = apply("divide", apply("subtract", y1, y0), choose(apply("equal", distance, literal(builder_, 0)), literal(builder_, 1), distance));
        const Value from_low = apply("add", apply("multiply", slope, apply("subtract", x_, x0)), y0), from_high = apply("add", apply("multiply", slope, apply("subtract", x_, x1)), y1);
        // Infinities between equal ends, or beside finite ones, as NumPy has them.
        Value result = choose(is_nan(from_low), choose(apply("logical_and", is_nan(from_high), apply("equal", y0, y1)), y0, from_high), from_low);
        result = choose(apply("logical_and", apply("equal", x_, x0), is_nan(from_low)), y0, result);
        result = choose(apply("equal", x_, x1), choose(is_nan(from_high), y1, from_high), result); // the last point: its own value, to the bit
        return choose(is_nan(x_), apply("add", apply("multiply", literal(builder_, 0), y0), x_), result);
    }

    Value end(Value position) { return at(fp_, position); }
    Value choose(Value condition, Value a, Value b) { return pointwise(builder_, "where", {condition, a, b}); }
    Value apply(std::string_view op, Value a, Value b) { return pointwise(builder_, op, {a, b}); }

  private:
    Value at(Value line, Value positions) { return gather(builder_, line, {positions}, {0}, 0); }
    Value is_nan(Value x) { return pointwise(builder_, "isnan", {x}); }

    Builder& builder_;
    Value x_, xp_, fp_;
    Dim count_;
};

Lowered lower_interp(Builder& builder, const BuiltinCall& call) {
    for (std::size_t i = 0; i < 3; ++i) {
        const TensorType type = builder.type(call.tensor(i));
        if (type.dtype == DType::key || (i < 2 && is_complex(type.dtype))) call.fail(i, error("E302", "interp needs " + std::string(i < 2 ? "real " : "") + "numbers, not `" + std::string(name_of(type.dtype)) + "`"));
        if (i > 0 && type.rank() != 1) call.fail(i, error("E307", "xp and fp of interp are vectors, not " + shape_words(type.shape)));
    }
    const Dim xs = builder.type(call.tensor(1)).shape[0], ys = builder.type(call.tensor(2)).shape[0];
    if (!can_agree(xs, ys)) call.fail(2, error("E301", "interp needs as many values fp (" + ys.text() + ") as positions xp (" + xs.text() + ")"));
    if (xs == Dim(0)) call.fail(1, error("E311", "interp between no points"));
    std::vector<Value> places = promote_values(builder, {as_floating(builder, call.tensor(0)), as_floating(builder, call.tensor(1))});
    const Value fp = as_floating(builder, call.tensor(2));
    Interpolation line(builder, places[0], places[1], fp);
    const Value zero = builder.constant(Dim(0)), last = builder.constant(xs - 1);
    const Value first_place = gather(builder, places[1], {zero}, {0}, 0), last_place = gather(builder, places[1], {last}, {0}, 0);
    const Value before = call.optional_tensor(3).value_or(line.end(zero)), behind = call.optional_tensor(4).value_or(line.end(last));
    const Value result = line.choose(line.apply("less", places[0], first_place), before, line.run());
    return line.choose(line.apply("greater", places[0], last_place), behind, result);
}

} // namespace

std::span<const Op> pooling_rows() {
    static constexpr std::array rows = {
        Op{.signature = "pool_max", .family = Family::signal, .type = pool_type, .kernel = pool_max_kernel, .derivative = Derivative::rules(jvp_pool, vjp_pool)},
        Op{.signature = "pool_position", .family = Family::signal, .type = pool_position_type, .kernel = pool_position_kernel, .derivative = Derivative::none(), .stays_weak = never_weak},
        Op{.signature = "max_pool(x, size: any, stride: ints = none)",
           .doc = "The largest element of every window over the last axes, a stride apart (the size unless told): a tuple of sizes goes for as many axes, one number for the spatial axes of [n, c, …] or [c, …] (1 of up to 2 axes, 2 of 3 or 4, 3 of 5).",
           .example = "max_pool([1, 3, 2, 5], 2) => [3, 5]", .family = Family::signal, .lower = lower_max_pool},
        Op{.signature = "avg_pool(x, size: any, stride: ints = none)", .doc = "The mean of every window over the last axes; size and stride as for max_pool.",
           .example = "avg_pool([1.0, 3.0, 2.0, 5.0], 2) => [2.0, 3.5]", .family = Family::signal, .lower = lower_avg_pool},
        Op{.signature = "interp(x, xp, fp, left = none, right = none)",
           .doc = "The line through the points (xp, fp), xp ascending, at each x; the end values, or left and right, outside.",
           .example = "interp(2.5, [1.0, 2.0, 3.0], [3.0, 2.0, 0.0]) => 1.0", .family = Family::signal, .lower = lower_interp},
    };
    return rows;
}

} // namespace vmaprun
