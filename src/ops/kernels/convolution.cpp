#include "ops/kernels/convolution.hpp"

#include <algorithm>
#include <array>
#include <complex>
#include <cstring>
#include <vector>

#include "ops/kernels/contraction_table.hpp"
#include "ops/kernels/convolution_table.hpp"
#include "ops/kernels/multiply_add.hpp"
#include "ops/kernels/scratch.hpp"
#include "ops/lane_iteration.hpp"

namespace vmaprun {
namespace {

constexpr std::size_t axes = 3; // fewer spatial axes have axes of 1 in front
using Triple = std::array<std::int64_t, axes>;

enum Place : std::size_t { image_place = 32, weights_place, results_place, panel_place };

// One spatial axis.
struct SpatialAxis {
    std::int64_t size = 1, kernel = 1, out = 1, stride = 1, before = 0, dilation = 1, spread = 1;
    std::vector<std::int64_t> phases;              // of positions modulo the stride, those that w meets
    std::vector<std::int64_t> tap_phase, tap_step; // of each place in w: which of them, and how far on
    std::int64_t length = 0;                       // positions of one phase
    std::vector<std::int64_t> source;              // [phase][position]: the index in x, or -1 for a zero
};

struct Geometry {
    std::int64_t samples, channels, outputs, groups, group_channels, group_outputs, steps;
    std::array<SpatialAxis, axes> axis;
    std::int64_t plane, channel;       // elements of the copied image: of one phase, and of one channel
    std::vector<std::int64_t> offsets; // of the steps of one group
    std::int64_t taps() const { return axis[0].kernel * axis[1].kernel * axis[2].kernel; }
    std::int64_t positions() const { return axis[0].out * axis[1].out * axis[2].out; }
};

void plan_axis(SpatialAxis& axis) {
    for (std::int64_t tap = 0; tap < axis.kernel; ++tap) {
        const std::int64_t phase = tap * axis.dilation % axis.stride, step = tap * axis.dilation / axis.stride;
        auto found = std::ranges::find(axis.phases, phase);
        axis.tap_phase.push_back(found - axis.phases.begin());
        if (found == axis.phases.end()) axis.phases.push_back(phase);
        axis.tap_step.push_back(step);
        axis.length = std::max(axis.length, step + axis.out);
    }
    const std::int64_t reach = (axis.size - 1) * axis.spread + 1;
    for (const std::int64_t phase : axis.phases) {
        for (std::int64_t i = 0; i < axis.length; ++i) {
            const std::int64_t at = i * axis.stride + phase - axis.before;
            axis.source.push_back(at >= 0 && at < reach && axis.size > 0 && at % axis.spread == 0 ? at / axis.spread : -1);
        }
    }
}

Geometry geometry_of(const KernelCall& call) {
    const auto x = sample_shape(call, 0), w = sample_shape(call, 1), out = result_shape(call, 0);
    const std::size_t spatial = x.size() - 2;
    Geometry g{x[0], x[1], w[0], call.node->integer(4), w[1], 0, 0, {}, 0, 0, {}};
    g.group_outputs = g.outputs / g.groups;
    const auto strides = call.node->integers(0), padding = call.node->integers(1), dilation = call.node->integers(2), spread = call.node->integers(3);
    for (std::size_t i = 0; i < axes; ++i) {
        SpatialAxis& axis = g.axis[i];
        if (i + spatial >= axes) {
            const std::size_t j = i + spatial - axes;
            axis = {x[2 + j], w[2 + j], out[2 + j], strides[j], padding[2 * j], dilation[j], spread[j], {}, {}, {}, 0, {}};
        }
        plan_axis(axis);
    }
    g.steps = g.group_channels * g.taps();
    g.plane = g.axis[0].length * g.axis[1].length * g.axis[2].length;
    g.channel = g.plane * static_cast<std::int64_t>(g.axis[0].phases.size() * g.axis[1].phases.size() * g.axis[2].phases.size());
    for (std::int64_t c = 0; c < g.group_channels; ++c) {
        for (std::size_t a = 0; a < static_cast<std::size_t>(g.axis[0].kernel); ++a) {
            for (std::size_t b = 0; b < static_cast<std::size_t>(g.axis[1].kernel); ++b) {
                for (std::size_t d = 0; d < static_cast<std::size_t>(g.axis[2].kernel); ++d) {
                    const auto phases_1 = static_cast<std::int64_t>(g.axis[1].phases.size()), phases_2 = static_cast<std::int64_t>(g.axis[2].phases.size());
                    const std::int64_t phase = (g.axis[0].tap_phase[a] * phases_1 + g.axis[1].tap_phase[b]) * phases_2 + g.axis[2].tap_phase[d];
                    const std::int64_t step = (g.axis[0].tap_step[a] * g.axis[1].length + g.axis[1].tap_step[b]) * g.axis[2].length + g.axis[2].tap_step[d];
                    g.offsets.push_back(c * g.channel + phase * g.plane + step);
                }
            }
        }
    }
    return g;
}

// ---- the copied image: [channel][phases][positions]

template <class T> void copy_row(const SpatialAxis& axis, const std::int64_t* source, const T* from, std::int64_t step, T* to) {
    if (axis.stride != 1 || axis.spread != 1 || step != 1) {
        for (std::int64_t i = 0; i < axis.length; ++i) to[i] = source[i] < 0 ? T{} : from[source[i] * step];
        return;
    }
    const std::int64_t begin = std::clamp<std::int64_t>(axis.before, 0, axis.length), end = std::clamp<std::int64_t>(axis.size + axis.before, begin, axis.length);
    std::fill(to, to + begin, T{});
    std::copy_n(from + (begin - axis.before), end - begin, to + begin);
    std::fill(to + end, to + axis.length, T{});
}

// `strides`: of x, by channel and spatial axis.
template <class T> void copy_channels(const Geometry& g, const T* x, std::int64_t channel_stride, const Triple& strides, T* image, std::int64_t begin, std::int64_t end) {
    for (std::int64_t c = begin; c < end; ++c) {
        T* to = image + c * g.channel;
        for (std::size_t p = 0; p < g.axis[0].phases.size(); ++p) {
            for (std::size_t q = 0; q < g.axis[1].phases.size(); ++q) {
                for (std::size_t r = 0; r < g.axis[2].phases.size(); ++r) {
                    const std::int64_t *first = g.axis[0].source.data() + static_cast<std::int64_t>(p) * g.axis[0].length;
                    const std::int64_t *second = g.axis[1].source.data() + static_cast<std::int64_t>(q) * g.axis[1].length;
                    const std::int64_t *third = g.axis[2].source.data() + static_cast<std::int64_t>(r) * g.axis[2].length;
                    for (std::int64_t i = 0; i < g.axis[0].length; ++i) {
                        for (std::int64_t j = 0; j < g.axis[1].length; ++j, to += g.axis[2].length) {
                            if (first[i] < 0 || second[j] < 0) std::fill_n(to, g.axis[2].length, T{});
                            else copy_row(g.axis[2], third, x + c * channel_stride + first[i] * strides[0] + second[j] * strides[1], strides[2], to);
                        }
                    }
                }
            }
        }
    }
}

// ---- columns

// Which positions of the image are computed: all between the first and the last of a plane, those that are no results of
// the convolution too, or, when those are many, the results alone by a table.
struct Columns {
    bool dense;                       // by table
    std::int64_t count, planes;       // columns of a plane (the first spatial axis), and how many planes
    std::vector<std::int64_t> starts; // dense
};

Columns results_alone(const Geometry& g) {
    Columns columns{true, g.positions(), 1, {}};
    for (std::int64_t i = 0; i < g.axis[0].out; ++i) {
        for (std::int64_t j = 0; j < g.axis[1].out; ++j) {
            for (std::int64_t k = 0; k < g.axis[2].out; ++k) columns.starts.push_back((i * g.axis[1].length + j) * g.axis[2].length + k);
        }
    }
    return columns;
}

Columns columns_of(const Geometry& g) {
    const std::int64_t flat = (g.axis[1].out - 1) * g.axis[2].length + g.axis[2].out, useful = g.axis[1].out * g.axis[2].out;
    if (flat <= useful + useful / 2) return {false, flat, g.axis[0].out, {}};
    return results_alone(g);
}

// ---- floats

template <class T> const ConvolutionKernels<T>& kernels() {
    if constexpr (sizeof(T) == 4) return convolution_table().f32;
    else return convolution_table().f64;
}

template <class T> std::int64_t group_rows(const Geometry& g) { // evenly filled panels
    const std::int64_t panels = (g.group_outputs + kernels<T>().panel_rows - 1) / kernels<T>().panel_rows;
    return (g.group_outputs + panels - 1) / panels;
}

template <class T> std::int64_t panels_of(const Geometry& g) { return (g.group_outputs + group_rows<T>(g) - 1) / group_rows<T>(g); }

// w as [group of the convolution][panel][step][panel_rows].
template <class T> void pack_weights(const Geometry& g, const T* w, std::span<const std::int64_t> strides, T* to) {
    const std::int64_t height = kernels<T>().panel_rows, rows = group_rows<T>(g);
    std::vector<std::int64_t> taps;
    Triple step{};
    for (std::size_t i = 2; i < strides.size(); ++i) step[i + axes - strides.size()] = strides[i];
    for (std::int64_t i = 0; i < g.axis[0].kernel; ++i) {
        for (std::int64_t j = 0; j < g.axis[1].kernel; ++j) {
            for (std::int64_t k = 0; k < g.axis[2].kernel; ++k) taps.push_back(i * step[0] + j * step[1] + k * step[2]);
        }
    }
    const auto count = static_cast<std::int64_t>(taps.size());
    for (std::int64_t group = 0; group < g.groups; ++group) {
        for (std::int64_t row = 0; row < g.group_outputs; row += rows, to += g.steps * height) {
            for (std::int64_t r = 0; r < std::min(rows, g.group_outputs - row); ++r) {
                const T* from = w + (group * g.group_outputs + row + r) * strides[0];
                for (std::int64_t s = 0; s < g.steps; ++s) to[s * height + r] = from[s / count * strides[1] + taps[static_cast<std::size_t>(s % count)]];
            }
        }
    }
}

// Results of a plane from computed columns [first, first + count): those that are results of the convolution.
template <class T> void write_columns(const Geometry& g, const Columns& columns, const T* from, T* to, std::int64_t first, std::int64_t count) {
    if (columns.dense) {
        std::copy_n(from, count, to + first);
        return;
    }
    const std::int64_t pitch = g.axis[2].length, width = g.axis[2].out;
    for (std::int64_t row = first / pitch; row * pitch < first + count; ++row) {
        const std::int64_t begin = std::max(first, row * pitch), end = std::min(first + count, row * pitch + width);
        if (begin < end) std::copy_n(from + (begin - first), end - begin, to + row * width + (begin - row * pitch));
    }
}

// One piece of one sample: some columns of a plane for all rows of a group.
template <class T> struct Pieces {
    const Geometry& g;
    const Columns& columns;
    std::int64_t width, a_plane; // columns of a piece; pieces of a plane
    Pieces(const Geometry& geometry, const Columns& all) : g(geometry), columns(all) {
        const std::int64_t tile = kernels<T>().tile, fits = 65536 / static_cast<std::int64_t>(sizeof(T)) / std::max<std::int64_t>(g.group_outputs, 1);
        width = std::clamp<std::int64_t>(fits / tile * tile, tile, 8 * tile);
        a_plane = (columns.count + width - 1) / width;
    }
    std::int64_t count() const { return g.groups * columns.planes * a_plane; }

    void run(std::int64_t piece, const T* image, const T* weights, T* out) const {
        const std::int64_t tile = kernels<T>().tile, group = piece / (columns.planes * a_plane), plane = piece / a_plane % columns.planes, first = piece % a_plane * width;
        const std::int64_t useful = std::min(width, columns.count - first), written = (useful + tile - 1) / tile * tile;
        ConvolutionBlock<T> block;
        block.image = image + group * g.group_channels * g.channel + (columns.dense ? 0 : plane * g.axis[1].length * g.axis[2].length + first);
        block.starts = columns.dense ? columns.starts.data() + first : nullptr;
        block.offsets = g.offsets.data();
        block.steps = g.steps, block.columns = useful;
        block.weights = weights + group * panels_of<T>(g) * g.steps * kernels<T>().panel_rows;
        block.rows = g.group_outputs, block.group_rows = group_rows<T>(g);
        block.out = scratch_at<T>(results_place, g.group_outputs * written), block.out_columns = written;
        block.panel = columns.dense ? scratch_at<T>(panel_place, contraction_block * tile) : nullptr;
        kernels<T>().run(block);
        const std::int64_t a_row = g.positions(), a_plane_of_results = columns.dense ? 0 : g.axis[1].out * g.axis[2].out;
        for (std::int64_t row = 0; row < g.group_outputs; ++row) {
            write_columns(g, columns, block.out + row * written, out + (group * g.group_outputs + row) * a_row + plane * a_plane_of_results, first, useful);
        }
    }
};

// ---- other numbers: element by element, in the same order

template <class T> void plain_sample(const Geometry& g, const Columns& columns, const T* image, const T* w, std::span<const std::int64_t> strides, T* out) {
    std::vector<std::int64_t> weights;
    for (std::int64_t c = 0; c < g.group_channels; ++c) {
        for (std::int64_t tap = 0; tap < g.taps(); ++tap) {
            std::int64_t at = c * strides[1], rest = tap;
            for (std::size_t i = strides.size(); i-- > 2;) {
                const std::int64_t extent = g.axis[i + axes - strides.size()].kernel;
                at += rest % extent * strides[i];
                rest /= extent;
            }
            weights.push_back(at);
        }
    }
    for (std::int64_t o = 0; o < g.outputs; ++o) {
        const T *row = w + o * strides[0], *from = image + o / g.group_outputs * g.group_channels * g.channel;
        for (const std::int64_t start : columns.starts) {
            T total{};
            for (std::int64_t begin = 0; begin < g.steps; begin += contraction_block) {
                T sum{};
                for (std::int64_t s = begin; s < std::min(g.steps, begin + contraction_block); ++s) {
                    sum = multiply_add(row[weights[static_cast<std::size_t>(s)]], from[start + g.offsets[static_cast<std::size_t>(s)]], sum);
                }
                if constexpr (std::is_integral_v<T>) total = begin == 0 ? sum : multiply_add(T{1}, sum, total);
                else total = begin == 0 ? sum : total + sum;
            }
            *out++ = total;
        }
    }
}

// ---- samples

template <class T> class Convolution {
  public:
    explicit Convolution(const KernelCall& call) : call_(call), g_(geometry_of(call)), columns_(columns_of(g_)), samples_(call) {
        const auto x = sample_strides(call, 0);
        channel_stride_ = x[1];
        for (std::size_t i = 2; i < x.size(); ++i) strides_[i + axes - x.size()] = x[i];
        samples_.add_axis(call, g_.samples, std::array{x[0], std::int64_t{0}, result_strides(call, 0)[0]});
        image_size_ = g_.channels * g_.channel + 64; // vectors read beyond the last column
    }

    void run() {
        if (g_.steps == 0) return clear();
        if constexpr (std::is_floating_point_v<T>) run_floats();
        else run_plain();
    }

  private:
    void clear() {
        samples_.run(call_, 1, [&](std::int64_t, std::byte* const* at) { std::fill_n(lane_data<T>(at, 2), g_.outputs * g_.positions(), T{}); });
    }

    T* image(const T* x, Parallel* parallel) const {
        T* to = scratch_at<T>(image_place, image_size_);
        run_in_parts(parallel, g_.channels, grain_for(g_.channel, 1 << 16), [&](std::int64_t begin, std::int64_t end) {
            copy_channels(g_, x, channel_stride_, strides_, to, begin, end);
        });
        std::fill_n(to + image_size_ - 64, 64, T{});
        return to;
    }

    void run_plain() {
        columns_ = results_alone(g_);
        samples_.run(call_, 1, [&](std::int64_t, std::byte* const* at) {
            plain_sample(g_, columns_, image(lane_data<const T>(at, 0), nullptr), lane_data<const T>(at, 1), sample_strides(call_, 1), lane_data<T>(at, 2));
        });
    }

    bool one_w() const {
        for (std::size_t i = 0; i < call_.lanes.size(); ++i) {
            if (call_.lanes[i] != 1 && call_.operands[1].strides[i] != 0) return false;
        }
        return true;
    }

    // Many samples: each thread takes some. Few: the pieces of one after another are shared.
    void run_floats() requires std::is_floating_point_v<T> {
        const Pieces<T> pieces(g_, columns_);
        const std::int64_t packed_size = g_.groups * panels_of<T>(g_) * g_.steps * kernels<T>().panel_rows;
        const bool one = one_w();
        T* shared = one ? scratch_at<T>(weights_place, packed_size) : nullptr;
        if (one) pack_weights(g_, call_.operands[1].as<T>(), sample_strides(call_, 1), shared);
        const auto sample = [&](std::byte* const* at, Parallel* parallel) {
            T* weights = one ? shared : scratch_at<T>(weights_place, packed_size);
            if (!one) pack_weights(g_, lane_data<const T>(at, 1), sample_strides(call_, 1), weights);
            const T* copied = image(lane_data<const T>(at, 0), parallel);
            run_in_parts(parallel, pieces.count(), 1, [&](std::int64_t begin, std::int64_t end) {
                for (std::int64_t piece = begin; piece < end; ++piece) pieces.run(piece, copied, weights, lane_data<T>(at, 2));
            });
        };
        const std::int64_t work = g_.outputs * g_.positions() * g_.steps;
        if (samples_.count() < 8 && work >= 1 << 20) {
            samples_.range(0, samples_.count(), [&](std::int64_t, std::byte* const* at) { sample(at, call_.parallel); });
        } else {
            samples_.run(call_, grain_for(work, 1 << 20), [&](std::int64_t, std::byte* const* at) { sample(at, nullptr); });
        }
    }
    void run_floats() requires(!std::is_floating_point_v<T>) {}

    const KernelCall& call_;
    Geometry g_;
    Columns columns_;
    LaneIteration samples_;
    std::int64_t channel_stride_ = 0, image_size_ = 0;
    Triple strides_{};
};

} // namespace

void convolution_kernel(const KernelCall& call) {
    if (call.results[0].size() == 0) return;
    visit_dtype(call.results[0].dtype, [&]<class T>(TypeTag<T>) {
        if constexpr (!std::is_same_v<T, KeyWords>) Convolution<T>(call).run();
    });
}

} // namespace vmaprun
