// The checks: assert_eq, assert_close, assert_finite, and debug. They are kept even where nothing uses them, and have no
// results. A check that fails is a fault E610 of its lane, which names the first differing position in row-major order.
#include "ops/check.hpp"

#include <array>
#include <atomic>
#include <charconv>
#include <cmath>
#include <cstring>

#include "ops/call.hpp"
#include "ops/families.hpp"
#include "ops/lane_iteration.hpp"
#include "ops/lowering.hpp"
#include "ops/movement.hpp"

namespace vmaprun {
namespace {

// ---- numbers as text: the shortest that reads back, as Python's repr

template <class T> std::string float_words(T value) {
    if (std::isnan(value)) return "nan";
    if (std::isinf(value)) return value < 0 ? "-inf" : "inf";
    char text[40];
    const T magnitude = std::fabs(value);
    const bool scientific = value != 0 && (magnitude < T(1e-4) || magnitude >= T(1e16));
    char* end = std::to_chars(text, text + sizeof text, value, scientific ? std::chars_format::scientific : std::chars_format::fixed).ptr;
    std::string words(text, end);
    if (!scientific && words.find('.') == std::string::npos) words += ".0";
    return words;
}

template <class T> std::string words_of(T value) {
    if constexpr (std::is_same_v<T, bool>) return value ? "true" : "false";
    else if constexpr (std::is_same_v<T, KeyWords>) return "key(" + std::to_string(value.high) + ", " + std::to_string(value.low) + ")";
    else if constexpr (is_complex_type<T>) return "(" + float_words(value.real()) + ", " + float_words(value.imag()) + ")";
    else if constexpr (std::is_floating_point_v<T>) return float_words(value);
    else return std::to_string(value);
}

std::string position_words(std::span<const std::int64_t> shape, std::int64_t flat) {
    if (shape.empty()) return "";
    std::vector<std::int64_t> index(shape.size());
    for (std::size_t axis = shape.size(); axis-- > 0; flat /= shape[axis]) index[axis] = flat % shape[axis];
    return ", at " + shape_text(index);
}

// ---- walking samples

// f(flat position, offset in each of the operands), in row-major order, until f says false.
template <std::size_t N, class F> void walk_sample(std::span<const std::int64_t> shape, const std::array<std::span<const std::int64_t>, N>& strides, F&& f) {
    std::vector<std::int64_t> index(shape.size(), 0);
    std::array<std::int64_t, N> at{};
    const std::int64_t size = element_count(shape);
    for (std::int64_t flat = 0; flat < size; ++flat) {
        if (!f(flat, at)) return;
        for (std::size_t axis = shape.size(); axis-- > 0;) {
            const bool carries = ++index[axis] == shape[axis];
            for (std::size_t i = 0; i < N; ++i) at[i] += strides[i].empty() ? 0 : carries ? -(shape[axis] - 1) * strides[i][axis] : strides[i][axis];
            if (!carries) break;
            index[axis] = 0;
        }
    }
}

// ---- comparing

// Any real element exactly: 64 bits of mantissa or more hold every i64, u64 and f64. (Where long double is no wider than
// double, whole numbers past 2^53 are compared as integers first.)
struct Number {
    long double real = 0, imaginary = 0;
    std::uint64_t words = 0; // whole numbers: magnitude
    bool whole = false, negative = false;
};

Number number_at(DType dtype, const std::byte* data) {
    return visit_dtype(dtype, [&]<class T>(TypeTag<T>) -> Number {
        T value;
        std::memcpy(&value, data, sizeof value);
        if constexpr (std::is_same_v<T, KeyWords>) {
            return {0, 0, std::uint64_t{value.high} << 32 | value.low, true, false};
        } else if constexpr (is_complex_type<T>) {
            return {value.real(), value.imag()};
        } else if constexpr (std::is_floating_point_v<T>) {
            return {value};
        } else {
            const bool negative = std::is_signed_v<T> && value < T{};
            const auto magnitude = static_cast<std::uint64_t>(value);
            return {static_cast<long double>(value), 0, negative ? 0 - magnitude : magnitude, true, negative};
        }
    });
}

bool same_part(long double x, long double y) { return x == y || (std::isnan(x) && std::isnan(y)); }

bool equal(const Number& x, const Number& y) {
    if (x.whole && y.whole) return x.words == y.words && x.negative == y.negative;
    return same_part(x.real, y.real) && same_part(x.imaginary, y.imaginary);
}

bool close(const Number& x, const Number& y, double tolerance) {
    if (equal(x, y)) return true;
    const auto distance = std::hypot(static_cast<double>(x.real - y.real), static_cast<double>(x.imaginary - y.imaginary));
    const auto size = std::hypot(static_cast<double>(y.real), static_cast<double>(y.imaginary));
    return distance <= tolerance * (1 + size) && std::isfinite(size);
}

std::vector<TensorType> no_results(std::span<const TensorType>, const Attributes&) { return {}; }

// Reports, for every lane, the first position at which `good` is false. Operand b may be a scalar beside any a.
template <class F> void compare(const KernelCall& call, F&& good) {
    const View &a = call.operands[0], &b = call.operands[1];
    const auto shape = sample_shape(call, 0), other = sample_shape(call, 1);
    const std::string name(call.node->op->name());
    const bool spread = other.empty() && name == "assert_close";
    const bool fits = spread || std::ranges::equal(shape, other);
    const auto a_size = static_cast<std::int64_t>(size_of(a.dtype)), b_size = static_cast<std::int64_t>(size_of(b.dtype));
    for_each_lane(call, grain_for(element_count(shape)), [&](std::int64_t lane, std::byte* const* at) {
        if (!fits) {
            const auto words = [](std::span<const std::int64_t> sizes) { return sizes.empty() ? std::string("a scalar") : "shape " + shape_text(sizes); };
            call.faults->report(lane, "E610", name + ": " + words(shape) + " is not " + words(other));
            return;
        }
        walk_sample<2>(shape, {sample_strides(call, 0), sample_strides(call, 1)}, [&](std::int64_t flat, const std::array<std::int64_t, 2>& offset) {
            const std::byte *x = at[0] + offset[0] * a_size, *y = at[1] + offset[1] * b_size;
            if (good(number_at(a.dtype, x), number_at(b.dtype, y))) return true;
            call.faults->report(lane, "E610", name + ": " + element_words(a.dtype, x) + " is not " + (name == "assert_close" ? "close to " : "") + element_words(b.dtype, y) + position_words(shape, flat));
            return false;
        });
    });
}

void assert_eq_kernel(const KernelCall& call) {
    compare(call, equal);
}

void assert_close_kernel(const KernelCall& call) {
    const double tolerance = call.node->real(0);
    compare(call, [tolerance](const Number& x, const Number& y) { return close(x, y, tolerance); });
}

// Whether no exponent is that of infinities and NaN; a block at a time, without a branch in it.
template <class Word> bool finite_words(const std::byte* from, std::int64_t count, Word exponent) {
    constexpr int block = 64 / sizeof(Word);
    typedef Word Block __attribute__((vector_size(64)));
    Block found{};
    std::int64_t i = 0;
    for (; i + block <= count; i += block) {
        Block words;
        std::memcpy(&words, from + static_cast<std::size_t>(i) * sizeof(Word), sizeof words);
        found |= Block((words & exponent) == exponent);
    }
    bool good = true;
    for (int k = 0; k < block; ++k) good = good && found[k] == 0;
    for (; i < count; ++i) {
        Word word;
        std::memcpy(&word, from + static_cast<std::size_t>(i) * sizeof(Word), sizeof word);
        good = good && (word & exponent) != exponent;
    }
    return good;
}

// The place of the first one that isn't finite is looked for where there is one.
void assert_finite_kernel(const KernelCall& call) {
    const View& x = call.operands[0];
    const auto shape = sample_shape(call, 0), strides = sample_strides(call, 0);
    const std::int64_t size = element_count(shape), element = static_cast<std::int64_t>(size_of(x.dtype));
    const bool lies_together = View{x.dtype, nullptr, {shape.begin(), shape.end()}, {strides.begin(), strides.end()}}.is_contiguous();
    const auto check = [&](std::int64_t lane, const std::byte* sample, Parallel* parallel) {
        std::atomic<bool> good{lies_together};
        if (good) {
            run_in_parts(parallel, size, 1 << 18, [&](std::int64_t begin, std::int64_t end) {
                if (!are_finite(x.dtype, sample + begin * element, end - begin)) good = false;
            });
        }
        if (good) return;
        walk_sample<1>(shape, {strides}, [&](std::int64_t flat, const std::array<std::int64_t, 1>& offset) {
            const std::byte* data = sample + offset[0] * element;
            const Number number = number_at(x.dtype, data);
            if (std::isfinite(number.real) && std::isfinite(number.imaginary)) return true;
            call.faults->report(lane, "E610", "assert_finite: " + element_words(x.dtype, data) + " is not finite" + position_words(shape, flat));
            return false;
        });
    };
    const LaneIteration lanes(call);
    if (lanes.count() == 1) lanes.range(0, 1, [&](std::int64_t lane, std::byte* const* at) { check(lane, at[0], call.parallel); });
    else lanes.run(call, grain_for(size), [&](std::int64_t lane, std::byte* const* at) { check(lane, at[0], nullptr); });
}

// debug does nothing by itself: the engine prints debug_text for every lane that reaches it.
void debug_kernel(const KernelCall&) {}

// ---- lowerings

// A literal is compared in the dtype of what it meets: assert_eq(x, 0.1) holds for the f32 nearest to 0.1.
std::array<Value, 2> meeting(Builder& builder, const BuiltinCall& call) {
    std::array<Value, 2> sides{call.tensor(0), call.tensor(1)};
    const TensorType a = builder.type(sides[0]), b = builder.type(sides[1]);
    if (a.weak == b.weak || a.dtype == b.dtype) return sides;
    const std::size_t literal = a.weak ? 0 : 1;
    const DType own = (a.weak ? a : b).dtype, other = (a.weak ? b : a).dtype;
    if (kind_of(own) == Kind::floating && kind_of(other) >= Kind::floating && other != DType::key) sides[literal] = cast(builder, sides[literal], other);
    return sides;
}

Lowered nothing() { return Lowered(std::vector<Value>{}); }

Lowered lower_assert_eq(Builder& builder, const BuiltinCall& call) {
    const auto sides = meeting(builder, call);
    builder.add_all(call.op(), {sides[0], sides[1]});
    return nothing();
}

Lowered lower_assert_close(Builder& builder, const BuiltinCall& call) {
    const auto sides = meeting(builder, call);
    for (std::size_t i = 0; i < 2; ++i) {
        if (builder.type(sides[i]).dtype == DType::key) call.fail(i, error("E302", "assert_close needs numbers, not keys"));
    }
    builder.add_all(call.op(), {sides[0], sides[1]}, {call.number(2)});
    return nothing();
}

Lowered lower_assert_finite(Builder& builder, const BuiltinCall& call) {
    if (builder.type(call.tensor(0)).dtype == DType::key) call.fail(0, error("E302", "assert_finite needs numbers, not keys"));
    builder.add_all(call.op(), {call.tensor(0)});
    return nothing();
}

Lowered lower_debug(Builder& builder, const BuiltinCall& call) {
    builder.add_all(call.op(), {call.tensor(0)}, {call.text(1)});
    return nothing();
}

// ---- debug's text

constexpr std::int64_t printed_whole = 1000, printed_at_ends = 3;

void append_tensor(std::string& text, const View& view, std::size_t axis, const std::byte* data, bool whole) {
    if (axis == view.rank()) {
        text += element_words(view.dtype, data);
        return;
    }
    text += '[';
    const std::int64_t extent = view.shape[axis], step = view.strides[axis] * static_cast<std::int64_t>(size_of(view.dtype));
    for (std::int64_t i = 0; i < extent; ++i) {
        if (i > 0) text += ", ";
        if (!whole && i == printed_at_ends && extent > 2 * printed_at_ends) {
            text += "..., ";
            i = extent - printed_at_ends;
        }
        append_tensor(text, view, axis + 1, data + i * step, whole);
    }
    text += ']';
}

} // namespace

bool are_finite(DType dtype, const std::byte* from, std::int64_t count) {
    switch (dtype) {
    case DType::f32: return finite_words<std::uint32_t>(from, count, 0x7f800000U);
    case DType::c64: return finite_words<std::uint32_t>(from, 2 * count, 0x7f800000U);
    case DType::f64: return finite_words<std::uint64_t>(from, count, std::uint64_t{0x7ff} << 52);
    case DType::c128: return finite_words<std::uint64_t>(from, 2 * count, std::uint64_t{0x7ff} << 52);
    default: return true; // whole numbers
    }
}

std::string element_words(DType dtype, const std::byte* data) {
    return visit_dtype(dtype, [&]<class T>(TypeTag<T>) {
        T value;
        std::memcpy(&value, data, sizeof value);
        return words_of(value);
    });
}

std::string debug_text(const Node& node, const View& sample) {
    std::string text = node.text(0);
    if (!text.empty()) text += ": ";
    append_tensor(text, sample, 0, sample.data, sample.size() <= printed_whole);
    return text;
}

std::span<const Op> check_ops() {
    static constexpr std::array rows = {
        // operands: a, b of any dtypes and shapes
        Op{.signature = "assert_eq(a, b)", .doc = "Stops the run where a and b differ in values or shape (not dtype); NaN equals NaN.",
           .example = "assert_eq([1, 2], [1.0, 2.0])", .family = Family::check, .lower = lower_assert_eq, .type = no_results, .kernel = assert_eq_kernel, .derivative = Derivative::none(), .effect = Effect::visible},
        // operands: a, b. attributes: 0: tolerance
        Op{.signature = "assert_close(a, b, tol: number = 1e-6)", .doc = "Stops the run where |a - b| > tol * (1 + |b|); shapes must be equal, or b a scalar.",
           .example = "assert_close(0.1 + 0.2, 0.3)", .family = Family::check, .lower = lower_assert_close, .type = no_results, .kernel = assert_close_kernel, .derivative = Derivative::none(), .effect = Effect::visible},
        Op{.signature = "assert_finite(x)", .doc = "Stops the run where an element of x is NaN or infinite.",
           .example = "assert_finite([1.0, 2.0])", .family = Family::check, .lower = lower_assert_finite, .type = no_results, .kernel = assert_finite_kernel, .derivative = Derivative::none(), .effect = Effect::visible},
        // operand: x. attributes: 0: label
        Op{.signature = "debug(x, label: string = \"\")", .doc = "Prints x on stderr, with the lane; gives x.",
           .example = "debug(1, \"one\") => 1", .family = Family::check, .lower = lower_debug, .type = no_results, .kernel = debug_kernel, .derivative = Derivative::none(), .effect = Effect::visible},
    };
    return rows;
}

const Op& debug_op() { return check_ops().back(); }

} // namespace vmaprun
