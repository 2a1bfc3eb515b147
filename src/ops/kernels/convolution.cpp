#include "ops/kernels/convolution.hpp"

#include <algorithm>
#include <array>
#include <complex>
#include <cstring>
#include <vector>

#include "ops/kernels/contraction_table.hpp"
#include "ops/kernels/convolution_parts.hpp"
#include "ops/kernels/convolution_table.hpp"
#include "ops/kernels/convolution_turned.hpp"
#include "ops/kernels/multiply_add.hpp"
#include "ops/kernels/scratch.hpp"
#include "ops/lane_iteration.hpp"

namespace vmaprun {
namespace {

constexpr std::size_t axes = convolution_axes;

enum Place : std::size_t { image_place = 32, weights_place, results_place, panel_place };

// One spatial axis of the copied image.
struct ImageAxis : SpatialAxis {
    std::vector<std::int64_t> phases;              // of positions modulo the stride, those that w meets
    std::vector<std::int64_t> tap_phase, tap_step; // of each place in w: which of them, and how far on
    std::int64_t length = 0;                       // positions of one phase
    std::vector<std::int64_t> source;              // [phase][position]: the index in x, or -1 for a zero
};

struct Geometry {
    ConvolutionPart part;
    std::int64_t channels, outputs, groups, group_channels, group_outputs, steps;
    std::array<ImageAxis, axes> axis;
    std::int64_t plane, channel;       // elements of the copied image: of one phase, and of one channel
    std::vector<std::int64_t> offsets; // of the steps of one group
    std::int64_t positions() const { return part.positions(); }
};

void plan_axis(ImageAxis& axis) {
    for (std::int64_t tap = 0; tap < axis.kernel; ++tap) {
        const std::int64_t phase = tap * axis.dilation % axis.stride, step = tap * axis.dilation / axis.stride;
        auto found = std::ranges::find(axis.phases, phase);
        axis.tap_phase.push_back(found - axis.phases.begin());
        if (found == axis.phases.end()) axis.phases.push_back(phase);
        axis.tap_step.push_back(step);
        axis.length = std::max(axis.length, step + axis.out);
    }
    for (const std::int64_t phase : axis.phases) {
        for (std::int64_t i = 0; i < axis.length; ++i) {
            const std::int64_t at = i * axis.stride + phase - axis.before;
            axis.source.push_back(at >= 0 && at < axis.size ? at : -1);
        }
    }
}

Geometry geometry_of(const ConvolutionPart& part) {
    Geometry g{part, part.groups * part.group_channels, part.groups * part.group_outputs, part.groups, part.group_channels, part.group_outputs, part.steps(), {}, 0, 0, {}};
    for (std::size_t i = 0; i < axes; ++i) {
        g.axis[i] = {part.axis[i], {}, {}, {}, 0, {}};
        plan_axis(g.axis[i]);
    }
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

template <class T> void copy_row(const ImageAxis& axis, const std::int64_t* source, const T* from, std::int64_t step, T* to) {
    if (axis.stride != 1 || step != 1) {
        for (std::int64_t i = 0; i < axis.length; ++i) to[i] = source[i] < 0 ? T{} : from[source[i] * step];
        return;
    }
    const std::int64_t begin = std::clamp<std::int64_t>(axis.before, 0, axis.length), end = std::clamp<std::int64_t>(axis.size + axis.before, begin, axis.length);
    std::fill(to, to + begin, T{});
    std::copy_n(from + (begin - axis.before), end - begin, to + begin);
    std::fill(to + end, to + axis.length, T{});
}

template <class T> void copy_channels(const Geometry& g, const T* x, T* image, std::int64_t begin, std::int64_t end) {
    const Triple& strides = g.part.x.spatial;
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
                            else copy_row(g.axis[2], third, x + c * g.part.x.inner + first[i] * strides[0] + second[j] * strides[1], strides[2], to);
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

template <class T> std::int64_t group_rows(const Geometry& g) { return rows_of_a_panel<T>(g.group_outputs); }

template <class T> std::int64_t panels_of(const Geometry& g) { return (g.group_outputs + group_rows<T>(g) - 1) / group_rows<T>(g); }

// Where the places in w lie, from its first one.
std::vector<std::int64_t> weight_taps(const Geometry& g) {
    std::vector<std::int64_t> taps;
    const Triple& step = g.part.w.spatial;
    for (std::int64_t i = 0; i < g.axis[0].kernel; ++i) {
        for (std::int64_t j = 0; j < g.axis[1].kernel; ++j) {
            for (std::int64_t k = 0; k < g.axis[2].kernel; ++k) taps.push_back(g.part.w.first + i * step[0] + j * step[1] + k * step[2]);
        }
    }
    return taps;
}

// w as [group of the convolution][panel][step][panel_rows].
template <class T> void pack_weights(const Geometry& g, const T* w, T* to) {
    const std::int64_t height = convolution_kernels<T>().panel_rows, rows = group_rows<T>(g);
    const std::vector<std::int64_t> taps = weight_taps(g);
    const auto count = static_cast<std::int64_t>(taps.size());
    for (std::int64_t group = 0; group < g.groups; ++group) {
        for (std::int64_t row = 0; row < g.group_outputs; row += rows, to += g.steps * height) {
            for (std::int64_t r = 0; r < std::min(rows, g.group_outputs - row); ++r) {
                const T* from = w + (group * g.group_outputs + row + r) * g.part.w.outer;
                for (std::int64_t s = 0; s < g.steps; ++s) to[s * height + r] = from[s / count * g.part.w.inner + taps[static_cast<std::size_t>(s % count)]];
            }
        }
    }
}

template <class T> void copy_spread(const T* from, std::int64_t count, T* to, std::int64_t step) {
    if (step == 1) std::copy_n(from, count, to);
    else for (std::int64_t i = 0; i < count; ++i) to[i * step] = from[i];
}

// Results of a plane from computed columns [first, first + count): those that are results of the convolution.
template <class T> void write_columns(const Geometry& g, const Columns& columns, const T* from, T* to, std::int64_t first, std::int64_t count) {
    const Triple& step = g.part.out.spatial;
    const std::int64_t width = g.axis[2].out, pitch = columns.dense ? width : g.axis[2].length, height = g.axis[1].out;
    for (std::int64_t row = first / pitch; row * pitch < first + count; ++row) {
        const std::int64_t begin = std::max(first, row * pitch), end = std::min(first + count, row * pitch + width);
        T* line = to + row / height * step[0] + row % height * step[1]; // dense columns go through all planes
        if (begin < end) copy_spread(from + (begin - first), end - begin, line + (begin - row * pitch) * step[2], step[2]);
    }
}

// One piece of one sample: some columns of a plane for all rows of a group.
template <class T> struct Pieces {
    const Geometry& g;
    const Columns& columns;
    std::int64_t width, a_plane; // columns of a piece; pieces of a plane
    Pieces(const Geometry& geometry, const Columns& all) : g(geometry), columns(all) {
        const std::int64_t tile = convolution_kernels<T>().tile, fits = 65536 / static_cast<std::int64_t>(sizeof(T)) / std::max<std::int64_t>(g.group_outputs, 1);
        width = std::clamp<std::int64_t>(fits / tile * tile, tile, 8 * tile);
        a_plane = (columns.count + width - 1) / width;
    }
    std::int64_t count() const { return g.groups * columns.planes * a_plane; }

    void run(std::int64_t piece, const T* image, const T* weights, T* out) const {
        const std::int64_t tile = convolution_kernels<T>().tile, group = piece / (columns.planes * a_plane), plane = piece / a_plane % columns.planes, first = piece % a_plane * width;
        const std::int64_t useful = std::min(width, columns.count - first), written = (useful + tile - 1) / tile * tile;
        ConvolutionBlock<T> block;
        block.image = image + group * g.group_channels * g.channel + (columns.dense ? 0 : plane * g.axis[1].length * g.axis[2].length + first);
        block.starts = columns.dense ? columns.starts.data() + first : nullptr;
        block.offsets = g.offsets.data();
        block.steps = g.steps, block.columns = useful;
        block.weights = weights + group * panels_of<T>(g) * g.steps * convolution_kernels<T>().panel_rows;
        block.rows = g.group_outputs, block.group_rows = group_rows<T>(g);
        block.out = scratch_at<T>(results_place, g.group_outputs * written), block.out_columns = written;
        block.panel = columns.dense ? scratch_at<T>(panel_place, contraction_block * tile) : nullptr;
        convolution_kernels<T>().run(block);
        for (std::int64_t row = 0; row < g.group_outputs; ++row) {
            write_columns(g, columns, block.out + row * written, out + (group * g.group_outputs + row) * g.part.out.inner + plane * g.part.out.spatial[0], first, useful);
        }
    }
};

// ---- other numbers: element by element, in the same order

template <class T> T plain_sum(const Geometry& g, const T* row, std::span<const std::int64_t> taps, const T* from) {
    const auto count = static_cast<std::int64_t>(taps.size());
    T total{};
    for (std::int64_t begin = 0; begin < g.steps; begin += contraction_block) {
        T sum{};
        for (std::int64_t s = begin; s < std::min(g.steps, begin + contraction_block); ++s) {
            sum = multiply_add(row[s / count * g.part.w.inner + taps[static_cast<std::size_t>(s % count)]], from[g.offsets[static_cast<std::size_t>(s)]], sum);
        }
        if constexpr (std::is_integral_v<T>) total = begin == 0 ? sum : multiply_add(T{1}, sum, total);
        else total = begin == 0 ? sum : total + sum;
    }
    return total;
}

template <class T> void plain_sample(const Geometry& g, const Columns& columns, const T* image, const T* w, T* out) {
    const std::vector<std::int64_t> taps = weight_taps(g);
    T* sums = scratch_at<T>(results_place, columns.count);
    for (std::int64_t o = 0; o < g.outputs; ++o) {
        const T *row = w + o * g.part.w.outer, *from = image + o / g.group_outputs * g.group_channels * g.channel;
        for (std::int64_t i = 0; i < columns.count; ++i) sums[i] = plain_sum(g, row, taps, from + columns.starts[static_cast<std::size_t>(i)]);
        write_columns(g, columns, sums, out + o * g.part.out.inner, 0, columns.count);
    }
}

// ---- samples

template <class T> class Convolution {
  public:
    Convolution(const KernelCall& call, const ConvolutionPart& part) : call_(call), g_(geometry_of(part)), columns_(columns_of(g_)), samples_(call) {
        samples_.add_axis(call, part.samples, std::array{part.x.outer, std::int64_t{0}, part.out.outer});
        image_size_ = g_.channels * g_.channel + 64; // vectors read beyond the last column
    }

    void run() {
        if (g_.steps == 0) return clear();
        if constexpr (std::is_floating_point_v<T>) run_floats();
        else run_plain();
    }

  private:
    void clear() {
        columns_ = results_alone(g_);
        samples_.run(call_, 1, [&](std::int64_t, std::byte* const* at) {
            T* zeros = scratch_at<T>(results_place, columns_.count);
            std::fill_n(zeros, columns_.count, T{});
            for (std::int64_t o = 0; o < g_.outputs; ++o) write_columns(g_, columns_, zeros, result(at) + o * g_.part.out.inner, 0, columns_.count);
        });
    }

    T* result(std::byte* const* at) const { return lane_data<T>(at, 2) + g_.part.out.first; }

    T* image(const T* x, Parallel* parallel) const {
        T* to = scratch_at<T>(image_place, image_size_);
        run_in_parts(parallel, g_.channels, grain_for(g_.channel, 1 << 16), [&](std::int64_t begin, std::int64_t end) {
            copy_channels(g_, x, to, begin, end);
        });
        std::fill_n(to + image_size_ - 64, 64, T{});
        return to;
    }

    void run_plain() {
        columns_ = results_alone(g_);
        samples_.run(call_, 1, [&](std::int64_t, std::byte* const* at) {
            plain_sample(g_, columns_, image(lane_data<const T>(at, 0), nullptr), lane_data<const T>(at, 1), result(at));
        });
    }

    // Counted as that of the other way.
    double cost() const {
        const std::int64_t tile = convolution_kernels<T>().tile;
        const std::int64_t of_a_step = std::max(g_.group_outputs, 4 * panels_of<T>(g_)) + (columns_.dense ? tile : 0);
        const std::int64_t tiles = (columns_.count + tile - 1) / tile * columns_.planes * g_.groups * g_.part.samples;
        return static_cast<double>(tiles) * static_cast<double>(of_a_step) * static_cast<double>(g_.steps) + static_cast<double>(g_.part.samples) * static_cast<double>(image_size_);
    }

    bool one_w() const {
        for (std::size_t i = 0; i < call_.lanes.size(); ++i) {
            if (call_.lanes[i] != 1 && call_.operands[1].strides[i] != 0) return false;
        }
        return true;
    }

    // Many samples: each thread takes some. Few: the pieces of one after another are shared.
    void run_floats() requires std::is_floating_point_v<T> {
        if (turned_cost<T>(g_.part) * 5 / 4 < cost()) return run_turned<T>(call_, g_.part);
        const Pieces<T> pieces(g_, columns_);
        const std::int64_t packed_size = g_.groups * panels_of<T>(g_) * g_.steps * convolution_kernels<T>().panel_rows;
        const bool one = one_w();
        T* shared = one ? scratch_at<T>(weights_place, packed_size) : nullptr;
        if (one) pack_weights(g_, call_.operands[1].as<T>(), shared);
        const auto sample = [&](std::byte* const* at, Parallel* parallel) {
            T* weights = one ? shared : scratch_at<T>(weights_place, packed_size);
            if (!one) pack_weights(g_, lane_data<const T>(at, 1), weights);
            const T* copied = image(lane_data<const T>(at, 0), parallel);
            run_in_parts(parallel, pieces.count(), 1, [&](std::int64_t begin, std::int64_t end) {
                for (std::int64_t piece = begin; piece < end; ++piece) pieces.run(piece, copied, weights, result(at));
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
    std::int64_t image_size_ = 0;
};

} // namespace

void convolution_kernel(const KernelCall& call) {
    if (call.results[0].size() == 0) return;
    visit_dtype(call.results[0].dtype, [&]<class T>(TypeTag<T>) {
        if constexpr (!std::is_same_v<T, KeyWords>) {
            for (const ConvolutionPart& part : parts_of(call)) Convolution<T>(call, part).run();
        }
    });
}

} // namespace vmaprun
