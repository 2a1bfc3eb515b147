// Fourier transforms, by the Array API: fft and its family are nodes of three primitives along one axis each, after
// padding or cutting; several axes are one after another, the last one first.
#include <algorithm>
#include <array>

#include "ops/call.hpp"
#include "ops/derivative.hpp"
#include "ops/kernels/fourier.hpp"
#include "ops/lowering.hpp"
#include "ops/movement.hpp"
#include "ops/signal.hpp"

namespace vmaprun {
namespace {

// ---- types

DType complex_of(DType dtype) { return dtype == DType::f32 || dtype == DType::c64 ? DType::c64 : DType::c128; }
DType real_of(DType dtype) { return dtype == DType::f32 || dtype == DType::c64 ? DType::f32 : DType::f64; }

std::vector<TensorType> fourier_type(std::span<const TensorType> operands, const Attributes&) { return {{operands[0].dtype, operands[0].shape}}; }

std::vector<TensorType> real_type(std::span<const TensorType> operands, const Attributes& attributes) {
    TensorType type{complex_of(operands[0].dtype), operands[0].shape};
    Dim& size = type.shape[static_cast<std::size_t>(std::get<std::int64_t>(attributes[0]))];
    size = floor_divide(size, 2) + 1;
    return {type};
}

std::vector<TensorType> half_type(std::span<const TensorType> operands, const Attributes& attributes) {
    TensorType type{real_of(operands[0].dtype), operands[0].shape};
    type.shape[static_cast<std::size_t>(std::get<std::int64_t>(attributes[0]))] = std::get<Dims>(attributes[2])[0];
    return {type};
}

// ---- derivatives: all are linear. A cotangent is transposed, not conjugated; the matrix of a transform is symmetric.

std::vector<Value> transpose_fourier(const Primal& at, std::span<const Value> cotangents, const std::vector<bool>&) {
    return {node(at.builder, "fourier", {cotangents[0]}, at.node.attributes)};
}

// One number at frequency 0, and at n/2 of an even length, another between: the others of a whole spectrum mirror those.
Value at_edges_and_between(Builder& builder, const Dims& half, std::int64_t axis, Dim length, DType dtype, double edge, double between) {
    const Value k = iota_values(builder, half, axis, DType::i64);
    const Value first = pointwise(builder, "equal", {k, builder.constant(Dim(0))}), last = pointwise(builder, "equal", {pointwise(builder, "multiply", {k, builder.constant(Dim(2))}), builder.constant(length)});
    return pointwise(builder, "where", {pointwise(builder, "logical_or", {first, last}), scalar(builder, edge, dtype), scalar(builder, between, dtype)});
}

std::vector<Value> transpose_real(const Primal& at, std::span<const Value> cotangents, const std::vector<bool>&) {
    Builder& builder = at.builder;
    const std::int64_t axis = at.node.integer(0);
    const TensorType spectrum = builder.type(cotangents[0]);
    const Dim length = builder.type(at.operands[0]).shape[static_cast<std::size_t>(axis)];
    const Value shares = at_edges_and_between(builder, spectrum.shape, axis, length, spectrum.dtype, 1, 0.5);
    return {node(builder, "fourier_half", {pointwise(builder, "multiply", {pointwise(builder, "conj", {cotangents[0]}), shares})}, {axis, at.node.integer(1), Dims{length}})};
}

std::vector<Value> transpose_half(const Primal& at, std::span<const Value> cotangents, const std::vector<bool>&) {
    Builder& builder = at.builder;
    const std::int64_t axis = at.node.integer(0);
    const Value spectrum = node(builder, "fourier_real", {cotangents[0]}, {axis, at.node.integer(1)});
    const TensorType type = builder.type(spectrum);
    const Value shares = at_edges_and_between(builder, type.shape, axis, at.node.dims(2)[0], type.dtype, 1, 2);
    return {pointwise(builder, "conj", {pointwise(builder, "multiply", {spectrum, shares})})};
}

// ---- one axis

enum class Way { forward, backward };

// The power a of n^(-a/2) by which results are scaled.
std::int64_t scaling(const BuiltinCall& call, std::size_t argument, Way way) {
    const std::string& norm = call.text(argument);
    if (norm == "ortho") return 1;
    if (norm == "backward") return way == Way::forward ? 0 : 2;
    if (norm == "forward") return way == Way::forward ? 2 : 0;
    call.fail(argument, error("E310", "norm is \"" + norm + "\", but must be \"backward\", \"ortho\" or \"forward\""));
}

// x cut, or filled up with zeros, to a length along an axis.
Value resized(Builder& builder, Value x, std::int64_t axis, Dim length) {
    const TensorType type = builder.type(x);
    const Dim size = type.shape[static_cast<std::size_t>(axis)];
    if (length == size) return x;
    if (length.value() <= size.value()) return slice_axis(builder, x, axis, 0, length);
    Dims rest = type.shape;
    rest[static_cast<std::size_t>(axis)] = length - size;
    return concat_values(builder, {x, broadcast_to(builder, scalar(builder, std::int64_t{0}, type.dtype), rest)}, axis);
}

void check_length(const BuiltinCall& call, std::size_t argument, Dim length) {
    if (!surely_greater(1, length)) return;
    call.fail(argument, error("E310", std::string(call.op().name()) + " over " + length.text() + " points: at least 1 is needed"));
}

Value complex_values(Builder& builder, Value x) { return cast(builder, x, complex_of(builder.type(x).dtype)); }

Value whole(Builder& builder, Value x, std::int64_t axis, Way way, std::int64_t power) {
    return node(builder, "fourier", {complex_values(builder, x)}, {axis, power, way == Way::backward});
}
Value from_real(Builder& builder, Value x, std::int64_t axis, std::int64_t power) {
    return node(builder, "fourier_real", {cast(builder, x, real_of(builder.type(x).dtype))}, {axis, power});
}
Value to_real(Builder& builder, Value x, std::int64_t axis, std::int64_t power, Dim length) {
    return node(builder, "fourier_half", {resized(builder, complex_values(builder, x), axis, floor_divide(length, 2) + 1)}, {axis, power, Dims{length}});
}

enum class Numbers { any, real };

// The operand and where the transform goes.
struct Line {
    Value x;
    std::int64_t axis = 0;
    Dim size;
};

void check_operand(Builder& builder, const BuiltinCall& call, Numbers numbers) {
    const TensorType type = builder.type(call.tensor(0));
    const std::string name(call.op().name());
    if (type.dtype == DType::key) call.fail(0, error("E302", name + " needs numbers, not keys"));
    if (numbers == Numbers::real && is_complex(type.dtype)) {
        call.fail(0, error("E302", name + " needs real numbers, not `" + std::string(name_of(type.dtype)) + "`").help("the transform of complex numbers is fft"));
    }
    if (type.rank() == 0) call.fail(0, error("E307", name + " goes along an axis, and a scalar has none"));
}

Line line_of(Builder& builder, const BuiltinCall& call, Numbers numbers) {
    check_operand(builder, call, numbers);
    const TensorType type = builder.type(call.tensor(0));
    const std::int64_t axis = call.axis(2, type.rank());
    return {call.tensor(0), axis, type.shape[static_cast<std::size_t>(axis)]};
}

template <Way way> Lowered lower_whole(Builder& builder, const BuiltinCall& call) {
    const Line line = line_of(builder, call, Numbers::any);
    const Dim length = call.optional_integer(1).value_or(line.size);
    check_length(call, 1, length);
    return whole(builder, resized(builder, line.x, line.axis, length), line.axis, way, scaling(call, 3, way));
}

// ihfft is the conjugate of rfft with the scales exchanged.
template <Way way> Lowered lower_from_real(Builder& builder, const BuiltinCall& call) {
    const Line line = line_of(builder, call, Numbers::real);
    const Dim length = call.optional_integer(1).value_or(line.size);
    check_length(call, 1, length);
    const Value half = from_real(builder, resized(builder, line.x, line.axis, length), line.axis, scaling(call, 3, way));
    return way == Way::forward ? half : pointwise(builder, "conj", {half});
}

// hfft is irfft of the conjugate with the scales exchanged.
template <Way way> Lowered lower_to_real(Builder& builder, const BuiltinCall& call) {
    const Line line = line_of(builder, call, Numbers::any);
    const Dim length = call.optional_integer(1).value_or((line.size - 1) * 2);
    check_length(call, 1, length);
    Value x = complex_values(builder, line.x);
    if (way == Way::forward) x = pointwise(builder, "conj", {x});
    return to_real(builder, x, line.axis, scaling(call, 3, way), length);
}

// ---- several axes

struct Axes {
    std::vector<std::int64_t> axes;
    Dims sizes; // of each, as asked for
};

// Of fftn and the like: s and axes; `two`: of fft2, the last two axes unless told.
Axes axes_of(Builder& builder, const BuiltinCall& call, bool two) {
    const Dims& shape = builder.type(call.tensor(0)).shape;
    const auto rank = static_cast<std::int64_t>(shape.size());
    const bool sized = !call.is_none(1);
    Axes result;
    if (!call.is_none(2)) {
        for (const Dim& axis : call.integers(2)) {
            try {
                result.axes.push_back(normal_axis(axis.value(), shape.size()));
            } catch (UserError& failure) {
                call.fail(2, failure.diagnostics().front());
            }
            if (std::ranges::count(result.axes, result.axes.back()) > 1) call.fail(2, error("E304", "axis " + std::to_string(result.axes.back()) + " is named twice"));
        }
    } else {
        const std::int64_t count = two ? 2 : sized ? static_cast<std::int64_t>(call.integers(1).size()) : rank;
        if (count > rank) {
            call.fail(0, error("E307", std::string(call.op().name()) + " over " + std::to_string(count) + " axes of " + shape_words(shape)));
        }
        for (std::int64_t axis = rank - count; axis < rank; ++axis) result.axes.push_back(axis);
    }
    if (result.axes.empty()) call.fail(2, error("E310", std::string(call.op().name()) + " needs an axis at least"));
    if (sized && call.integers(1).size() != result.axes.size()) {
        call.fail(1, error("E310", "s has " + std::to_string(call.integers(1).size()) + " sizes for " + std::to_string(result.axes.size()) + " axes"));
    }
    for (std::size_t i = 0; i < result.axes.size(); ++i) result.sizes.push_back(sized ? call.integers(1)[i] : shape[static_cast<std::size_t>(result.axes[i])]);
    return result;
}

Value whole_over(Builder& builder, Value x, const Axes& axes, std::size_t count, Way way, std::int64_t power) {
    for (std::size_t i = count; i-- > 0;) x = whole(builder, resized(builder, x, axes.axes[i], axes.sizes[i]), axes.axes[i], way, power);
    return x;
}

template <Way way, bool two> Lowered lower_whole_over(Builder& builder, const BuiltinCall& call) {
    check_operand(builder, call, Numbers::any);
    const Axes axes = axes_of(builder, call, two);
    for (const Dim& size : axes.sizes) check_length(call, 1, size);
    return whole_over(builder, call.tensor(0), axes, axes.axes.size(), way, scaling(call, 3, way));
}

Lowered lower_from_real_over(Builder& builder, const BuiltinCall& call) {
    check_operand(builder, call, Numbers::real);
    const Axes axes = axes_of(builder, call, false);
    for (const Dim& size : axes.sizes) check_length(call, 1, size);
    const std::int64_t power = scaling(call, 3, Way::forward);
    const Value half = from_real(builder, resized(builder, call.tensor(0), axes.axes.back(), axes.sizes.back()), axes.axes.back(), power);
    return whole_over(builder, half, axes, axes.axes.size() - 1, Way::forward, power);
}

Lowered lower_to_real_over(Builder& builder, const BuiltinCall& call) {
    check_operand(builder, call, Numbers::any);
    Axes axes = axes_of(builder, call, false);
    if (call.is_none(1)) axes.sizes.back() = (axes.sizes.back() - 1) * 2;
    for (const Dim& size : axes.sizes) check_length(call, 1, size);
    const std::int64_t power = scaling(call, 3, Way::backward);
    const Value spectrum = whole_over(builder, complex_values(builder, call.tensor(0)), axes, axes.axes.size() - 1, Way::backward, power);
    return to_real(builder, spectrum, axes.axes.back(), power, axes.sizes.back());
}

// ---- frequencies

Value frequencies(Builder& builder, const BuiltinCall& call, Dim count, Value positions) {
    const Value unit = pointwise(builder, "divide", {scalar(builder, 1.0, DType::f64), pointwise(builder, "multiply", {builder.constant(count), scalar(builder, call.number(1), DType::f64)})});
    const Value all = pointwise(builder, "multiply", {positions, unit});
    const DType dtype = call.dtype(2).value_or(DType::f64);
    if (!is_floating(dtype)) call.fail(2, error("E302", "frequencies are real numbers, not `" + std::string(name_of(dtype)) + "`"));
    return cast(builder, all, dtype);
}

Lowered lower_frequencies(Builder& builder, const BuiltinCall& call) {
    const Dim n = call.integer(0);
    check_length(call, 0, n);
    const Value positions = iota_values(builder, {n}, 0, DType::i64), count = builder.constant(n);
    const Value positive = pointwise(builder, "less", {positions, builder.constant(floor_divide(n + 1, 2))});
    return frequencies(builder, call, n, pointwise(builder, "where", {positive, positions, pointwise(builder, "subtract", {positions, count})}));
}

Lowered lower_half_frequencies(Builder& builder, const BuiltinCall& call) {
    const Dim n = call.integer(0);
    check_length(call, 0, n);
    return frequencies(builder, call, n, iota_values(builder, {floor_divide(n, 2) + 1}, 0, DType::i64));
}

// Half a turn of every axis: the zero frequency to the middle, or back.
template <Way way> Lowered lower_shift(Builder& builder, const BuiltinCall& call) {
    Value x = call.tensor(0);
    const Dims shape = builder.type(x).shape;
    for (const std::int64_t axis : call.axes(1, shape.size())) {
        const Dim size = shape[static_cast<std::size_t>(axis)], half = floor_divide(size, 2), cut = way == Way::forward ? size - half : half;
        if (cut == Dim(0) || cut == size) continue;
        x = concat_values(builder, {slice_axis(builder, x, axis, cut, size - cut), slice_axis(builder, x, axis, 0, cut)}, axis);
    }
    return x;
}

Op row(std::string_view signature, std::string_view doc, std::string_view example, Lowering lower) {
    return {.signature = signature, .doc = doc, .example = example, .family = Family::signal, .lower = lower};
}

std::vector<Op> make_rows() {
    return {
        // Nodes: attributes as in kernels/fourier.hpp.
        {.signature = "fourier", .family = Family::signal, .type = fourier_type, .kernel = fourier_kernel, .derivative = Derivative::linear(transpose_fourier)},
        {.signature = "fourier_real", .family = Family::signal, .type = real_type, .kernel = fourier_real_kernel, .derivative = Derivative::linear(transpose_real)},
        {.signature = "fourier_half", .family = Family::signal, .type = half_type, .kernel = fourier_half_kernel, .derivative = Derivative::linear(transpose_half)},
        row("fft(x, n: int = none, axis: axis = -1, norm: string = \"backward\")", "The discrete Fourier transform along an axis, which n cuts or fills up with zeros.",
            "real(fft([1.0, 2.0, 3.0, 4.0])) => [10.0, -2.0, -2.0, -2.0]", lower_whole<Way::forward>),
        row("ifft(x, n: int = none, axis: axis = -1, norm: string = \"backward\")", "The inverse of fft.", "real(ifft([10.0, -2.0, -2.0, -2.0])) => [1.0, 3.0, 3.0, 3.0]", lower_whole<Way::backward>),
        row("rfft(x, n: int = none, axis: axis = -1, norm: string = \"backward\")", "The frequencies 0 … n/2 of the transform of real numbers (the others mirror them).",
            "real(rfft([1.0, 2.0, 3.0, 4.0])) => [10.0, -2.0, -2.0]", lower_from_real<Way::forward>),
        row("irfft(x, n: int = none, axis: axis = -1, norm: string = \"backward\")", "The inverse of rfft: n real numbers, 2 (size - 1) unless told.", "irfft([10.0, -2.0, -2.0]) => [1.0, 3.0, 3.0, 3.0]", lower_to_real<Way::backward>),
        row("hfft(x, n: int = none, axis: axis = -1, norm: string = \"backward\")", "The real transform of a signal whose second half mirrors the first, conjugated.", "hfft([10.0, -2.0, -2.0]) => [4.0, 12.0, 12.0, 12.0]", lower_to_real<Way::forward>),
        row("ihfft(x, n: int = none, axis: axis = -1, norm: string = \"backward\")", "The inverse of hfft.", "real(ihfft([4.0, 12.0, 12.0, 12.0])) => [10.0, -2.0, -2.0]", lower_from_real<Way::backward>),
        row("fft2(x, s: ints = none, axes: ints = none, norm: string = \"backward\")", "The transform over two axes, the last ones unless told.", "real(fft2([[1.0, 2.0], [3.0, 4.0]])) => [[10.0, -2.0], [-4.0, 0.0]]",
            lower_whole_over<Way::forward, true>),
        row("ifft2(x, s: ints = none, axes: ints = none, norm: string = \"backward\")", "The inverse of fft2.", "real(ifft2([[10.0, -2.0], [-4.0, 0.0]])) => [[1.0, 2.0], [3.0, 4.0]]", lower_whole_over<Way::backward, true>),
        row("fftn(x, s: ints = none, axes: ints = none, norm: string = \"backward\")", "The transform over all axes, or the given ones; s gives sizes to cut or fill up to.", "real(fftn([[1.0, 2.0], [3.0, 4.0]])) => [[10.0, -2.0], [-4.0, 0.0]]",
            lower_whole_over<Way::forward, false>),
        row("ifftn(x, s: ints = none, axes: ints = none, norm: string = \"backward\")", "The inverse of fftn.", "real(ifftn([[10.0, -2.0], [-4.0, 0.0]])) => [[1.0, 2.0], [3.0, 4.0]]", lower_whole_over<Way::backward, false>),
        row("rfftn(x, s: ints = none, axes: ints = none, norm: string = \"backward\")", "The transform of real numbers over several axes: rfft over the last of them, fft over the others.",
            "real(rfftn([[1.0, 2.0], [3.0, 4.0]])) => [[10.0, -2.0], [-4.0, 0.0]]", lower_from_real_over),
        row("irfftn(x, s: ints = none, axes: ints = none, norm: string = \"backward\")", "The inverse of rfftn.", "irfftn([[10.0, -2.0], [-4.0, 0.0]]) => [[1.0, 2.0], [3.0, 4.0]]", lower_to_real_over),
        row("fftfreq(n: int, d: number = 1.0, dtype: dtype = none)", "The frequencies of fft's results for samples d apart.", "fftfreq(4) => [0.0, 0.25, -0.5, -0.25]", lower_frequencies),
        row("rfftfreq(n: int, d: number = 1.0, dtype: dtype = none)", "The frequencies of rfft's results for samples d apart.", "rfftfreq(4) => [0.0, 0.25, 0.5]", lower_half_frequencies),
        row("fftshift(x, axes: axes = none)", "x with each axis turned by half its size, so that frequency 0 stands in the middle.", "fftshift([0, 1, 2, -2, -1]) => [-2, -1, 0, 1, 2]", lower_shift<Way::forward>),
        row("ifftshift(x, axes: axes = none)", "The inverse of fftshift.", "ifftshift([-2, -1, 0, 1, 2]) => [0, 1, 2, -2, -1]", lower_shift<Way::backward>),
    };
}

} // namespace

std::span<const Op> fourier_rows() {
    static const std::vector<Op> rows = make_rows();
    return rows;
}

} // namespace vmaprun
