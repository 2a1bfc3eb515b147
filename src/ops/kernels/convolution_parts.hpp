// What a convolution of one lane is made of. Where x is spread out (attribute 3), results that lie a multiple of the spread
// apart meet the same places in w with the elements of x, and the others with the zeros in between: so the results fall
// apart into classes, and each is a convolution of its own, of x as it lies with some of the places in w.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "ir/op.hpp"

namespace vmaprun {

inline constexpr std::size_t convolution_axes = 3; // fewer spatial axes have axes of 1 in front
using Triple = std::array<std::int64_t, convolution_axes>;

// One spatial axis.
struct SpatialAxis {
    std::int64_t size = 1, kernel = 1, out = 1, stride = 1;
    std::int64_t before = 0; // zeros in front of x; negative: so many elements are left out
    std::int64_t dilation = 1;
};

// Where the elements of an operand or a result lie, from where its lane begins.
struct ConvolutionPlaces {
    std::int64_t first = 0;
    std::int64_t outer = 0, inner = 0; // samples of x, of the result; outputs of w | channels of x, of w; outputs of the result
    Triple spatial{};
};

struct ConvolutionPart {
    std::int64_t samples = 0, groups = 1, group_channels = 0, group_outputs = 0;
    std::array<SpatialAxis, convolution_axes> axis;
    ConvolutionPlaces x, w, out;

    std::int64_t taps() const { return axis[0].kernel * axis[1].kernel * axis[2].kernel; }
    std::int64_t positions() const { return axis[0].out * axis[1].out * axis[2].out; }
    std::int64_t steps() const { return group_channels * taps(); } // of every sum; 0: results of 0
};

std::vector<ConvolutionPart> parts_of(const KernelCall& call);

} // namespace vmaprun
