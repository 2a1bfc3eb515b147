#include "ops/kernels/convolution_parts.hpp"

#include <algorithm>
#include <numeric>

#include "ops/lane_iteration.hpp"

namespace vmaprun {
namespace {

// The places in w and the results of one class along one axis: each by its first and its step.
struct AxisClass {
    SpatialAxis axis;
    std::int64_t first_tap, tap_step, first_out, out_step;
};

std::vector<AxisClass> classes_of(const SpatialAxis& whole, std::int64_t spread) {
    const std::int64_t out_step = spread / std::gcd(whole.stride, spread), tap_step = spread / std::gcd(whole.dilation, spread);
    std::vector<AxisClass> classes;
    for (std::int64_t first = 0; first < std::min(out_step, whole.out); ++first) {
        const std::int64_t start = first * whole.stride - whole.before; // where the first place in w meets the spread x
        std::int64_t tap = 0;
        while (tap < std::min(tap_step, whole.kernel) && (start + tap * whole.dilation) % spread != 0) ++tap;
        SpatialAxis axis = whole;
        axis.out = (whole.out - first + out_step - 1) / out_step;
        axis.stride = out_step * whole.stride / spread;
        axis.dilation = tap_step * whole.dilation / spread;
        axis.kernel = tap < std::min(tap_step, whole.kernel) ? (whole.kernel - tap + tap_step - 1) / tap_step : 0;
        axis.before = -(start + tap * whole.dilation) / spread;
        classes.push_back({axis, tap, tap_step, first, out_step});
    }
    return classes;
}

ConvolutionPart narrowed(ConvolutionPart part, const std::array<const AxisClass*, convolution_axes>& classes) {
    for (std::size_t i = 0; i < convolution_axes; ++i) {
        const AxisClass& by = *classes[i];
        part.axis[i] = by.axis;
        part.w.first += by.first_tap * part.w.spatial[i];
        part.w.spatial[i] *= by.tap_step;
        part.out.first += by.first_out * part.out.spatial[i];
        part.out.spatial[i] *= by.out_step;
    }
    return part;
}

ConvolutionPlaces places(std::span<const std::int64_t> strides) {
    ConvolutionPlaces all{0, strides[0], strides[1], {}};
    for (std::size_t i = 2; i < strides.size(); ++i) all.spatial[i + convolution_axes - strides.size()] = strides[i];
    return all;
}

} // namespace

std::vector<ConvolutionPart> parts_of(const KernelCall& call) {
    const auto x = sample_shape(call, 0), w = sample_shape(call, 1), out = result_shape(call, 0);
    const std::int64_t groups = call.node->integer(4);
    const ConvolutionPart whole{x[0], groups, w[1], w[0] / groups, {}, places(sample_strides(call, 0)), places(sample_strides(call, 1)), places(result_strides(call, 0))};
    const auto strides = call.node->integers(0), padding = call.node->integers(1), dilation = call.node->integers(2), spread = call.node->integers(3);
    std::array<std::vector<AxisClass>, convolution_axes> classes;
    for (std::size_t i = 0, absent = convolution_axes + 2 - x.size(); i < convolution_axes; ++i) {
        const std::size_t j = i - absent;
        classes[i] = i < absent ? classes_of({}, 1) : classes_of({x[2 + j], w[2 + j], out[2 + j], strides[j], padding[2 * j], dilation[j]}, spread[j]);
    }
    std::vector<ConvolutionPart> parts;
    for (const AxisClass& first : classes[0]) {
        for (const AxisClass& second : classes[1]) {
            for (const AxisClass& third : classes[2]) parts.push_back(narrowed(whole, {&first, &second, &third}));
        }
    }
    return parts;
}

} // namespace vmaprun
