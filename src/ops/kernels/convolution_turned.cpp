#include "ops/kernels/convolution_turned.hpp"

#include <algorithm>
#include <limits>

#include "ops/kernels/contraction_table.hpp"
#include "ops/kernels/convolution_table.hpp"
#include "ops/kernels/scratch.hpp"
#include "ops/kernels/turn.hpp"
#include "ops/lane_iteration.hpp"

namespace vmaprun {
namespace {

enum Place : std::size_t { image_place = 36, weights_place, totals_place, partials_place };

constexpr std::int64_t chunk_elements = 1 << 18; // of both copies together, about: they stay in the L2 cache

std::int64_t parts_in(std::int64_t size, std::int64_t part) { return (size + part - 1) / part; }

// What the columns of a tile are, and its rows.
enum class Columns {
    image,   // what lies side by side in the image; rows: outputs
    outputs, // the other way round
    groups   // of one sample and one output each; rows: results
};

// Where each group is of one sample and one output, all groups lie side by side, as if they were samples and outputs of one.
ConvolutionPart joined(ConvolutionPart part) {
    if (part.samples != 1 || part.group_outputs != 1 || part.groups == 1) return part;
    part.x.outer = part.group_channels * part.x.inner;
    part.out.outer = part.out.inner;
    part.samples = part.group_outputs = part.groups;
    part.groups = 1;
    return part;
}

// How the results of one group are cut into tiles. A run is what lies side by side in the image for one place in w: the
// samples, of all results along the last axis where those are neighbours.
template <class T> struct Cutting {
    ConvolutionPart part;
    std::size_t cut;               // the axis of the places in w along which steps are cut; those before it are of 1
    std::int64_t run, runs;
    Columns columns;
    std::int64_t run_piece, output_piece; // of a tile; by groups: results, and groups

    explicit Cutting(const ConvolutionPart& of) : part(joined(of)) {
        const auto alone = [&](std::size_t i) { return part.axis[i].kernel == 1 && part.axis[i].out == 1; };
        cut = !alone(0) ? 0 : !alone(1) ? 1 : 2;
        const std::int64_t neighbours = part.axis[2].stride == 1 && part.groups == of.groups ? part.axis[2].out : 1;
        run = part.samples * neighbours;
        runs = part.positions() / neighbours;
        if (part.groups != of.groups) {
            columns = Columns::groups;
            run_piece = rows_of_a_panel<T>(runs);
        } else {
            columns = a_step(run, part.group_outputs) <= a_step(part.group_outputs, run) ? Columns::image : Columns::outputs;
            run_piece = columns == Columns::image ? kernels().tile : rows_of_a_panel<T>(run);
        }
        output_piece = columns == Columns::image ? rows_of_a_panel<T>(part.group_outputs) : kernels().tile;
    }

    static const ConvolutionKernels<T>& kernels() { return convolution_kernels<T>(); }
    // Multiply-adds of a row with a tile; fewer than four rows take as long as four.
    static double a_step(std::int64_t all_columns, std::int64_t rows) {
        return static_cast<double>(parts_in(all_columns, kernels().tile)) * static_cast<double>(std::max(rows, 4 * parts_in(rows, kernels().panel_rows)));
    }
    double a_step() const {
        if (columns == Columns::groups) return a_step(part.samples, runs);
        return static_cast<double>(runs) * (columns == Columns::image ? a_step(run, part.group_outputs) : a_step(part.group_outputs, run));
    }
    std::int64_t results() const { return part.positions() * part.samples * (columns == Columns::groups ? 1 : part.group_outputs); }
    std::int64_t tiles() const { return (columns == Columns::groups ? parts_in(runs, run_piece) : runs * parts_in(run, run_piece)) * parts_in(part.group_outputs, output_piece); }
    static std::int64_t tile_size() { return kernels().panel_rows * kernels().tile; }

    // Where a result's first place in w meets the image. Extents behind the axis that is cut are the same for every chunk, and before it, nothing is.
    std::int64_t start_of(std::int64_t position) const {
        const auto& axis = part.axis;
        const Triple size = extents(1);
        const std::int64_t i = position / (axis[1].out * axis[2].out), j = position / axis[2].out % axis[1].out, k = position % axis[2].out;
        return ((i * axis[0].stride * size[1] + j * axis[1].stride) * size[2] + k * axis[2].stride) * part.samples;
    }
    Triple kernel(std::int64_t slices) const {
        Triple all{part.axis[0].kernel, part.axis[1].kernel, part.axis[2].kernel};
        all[cut] = slices;
        return all;
    }
    // Of the image that so many slices of the places in w meet.
    Triple extents(std::int64_t slices) const {
        Triple all = kernel(slices);
        for (std::size_t i = 0; i < all.size(); ++i) all[i] = (part.axis[i].out - 1) * part.axis[i].stride + (all[i] - 1) * part.axis[i].dilation + 1;
        return all;
    }
    std::int64_t image_of(std::int64_t slices) const { // elements of a channel
        const Triple all = extents(slices);
        return all[0] * all[1] * all[2] * part.samples;
    }
    std::int64_t weights_of(std::int64_t slices) const {
        const Triple all = kernel(slices);
        return all[0] * all[1] * all[2] * part.group_outputs;
    }
};

// Where a tile begins in the image, from what belongs to a step; and what of the results it is.
struct Tile {
    std::int64_t image, position, in_run, run_count; // position: of the run's first result, row-major
    std::int64_t output, outputs;
};

template <class T> std::vector<Tile> tiles_of(const Cutting<T>& cutting) {
    const ConvolutionPart& part = cutting.part;
    std::vector<Tile> tiles;
    const auto add = [&](Tile tile) {
        for (tile.output = 0; tile.output < part.group_outputs; tile.output += cutting.output_piece) {
            tile.outputs = std::min(cutting.output_piece, part.group_outputs - tile.output);
            tiles.push_back(tile);
        }
    };
    if (cutting.columns == Columns::groups) {
        for (std::int64_t at = 0; at < cutting.runs; at += cutting.run_piece) add({0, at, 0, std::min(cutting.run_piece, cutting.runs - at), 0, 0});
        return tiles;
    }
    for (std::int64_t run = 0; run < cutting.runs; ++run) {
        const std::int64_t position = run * (part.positions() / cutting.runs), start = cutting.start_of(position);
        for (std::int64_t at = 0; at < cutting.run; at += cutting.run_piece) add({start + at, position, at, std::min(cutting.run_piece, cutting.run - at), 0, 0});
    }
    return tiles;
}

// Some of the steps: channels, and slices of the axis that is cut.
struct Chunk {
    std::int64_t channel, channels, slice, slices;
};

// Many channels with all of their slices, or some slices of one.
template <class T> std::vector<Chunk> chunks_of(const Cutting<T>& cutting) {
    const SpatialAxis& axis = cutting.part.axis[cutting.cut];
    const std::int64_t whole = cutting.image_of(axis.kernel) + cutting.weights_of(axis.kernel), channels = cutting.part.group_channels;
    std::vector<Chunk> chunks;
    if (whole <= chunk_elements) {
        const std::int64_t most = std::max<std::int64_t>(1, chunk_elements / whole);
        for (std::int64_t c = 0; c < channels; c += most) chunks.push_back({c, std::min(most, channels - c), 0, axis.kernel});
        return chunks;
    }
    // What the results of a slice reach over is copied again with every chunk: several times as many slices, at least.
    const std::int64_t least = 4 * ((axis.out - 1) * axis.stride / axis.dilation + 1);
    const std::int64_t most = std::max(least, chunk_elements / parts_in(whole, axis.kernel));
    for (std::int64_t c = 0; c < channels; ++c) {
        for (std::int64_t s = 0; s < axis.kernel; s += most) chunks.push_back({c, 1, s, std::min(most, axis.kernel - s)});
    }
    return chunks;
}

// to[c * rows + r] = from[r * row_stride + c * column_stride].
template <class T> void copy_turned(const T* from, std::int64_t row_stride, std::int64_t column_stride, std::int64_t rows, std::int64_t columns, T* to) {
    if (column_stride == 1 && rows == 1) {
        std::copy_n(from, columns, to);
    } else if (column_stride == 1) {
        (sizeof(T) == 4 ? turn_table().words32 : turn_table().words64)(from, row_stride, to, rows, rows, columns);
    } else {
        for (std::int64_t c = 0; c < columns; ++c, from += column_stride, to += rows) {
            for (std::int64_t r = 0; r < rows; ++r) to[r] = from[r * row_stride];
        }
    }
}

// One group of one lane.
template <class T> class Group {
  public:
    Group(const Cutting<T>& cutting, const std::vector<Tile>& tiles, const T* x, const T* w, T* out) : cutting_(cutting), part_(cutting.part), tiles_(tiles), x_(x), w_(w), out_(out) {
        for (std::int64_t i = 0; cutting.columns == Columns::groups && i < cutting.runs; ++i) starts_.push_back(cutting.start_of(i));
    }

    void run(const std::vector<Chunk>& chunks, Parallel* parallel) {
        const std::int64_t slack = Cutting<T>::kernels().tile, sums = static_cast<std::int64_t>(tiles_.size()) * tile_size();
        std::int64_t image = 0, weights = 0;
        for (const Chunk& chunk : chunks) {
            image = std::max(image, chunk.channels * cutting_.image_of(chunk.slices));
            weights = std::max(weights, chunk.channels * cutting_.weights_of(chunk.slices));
        }
        image_ = scratch_at<T>(image_place, image + slack); // the last tile is read as a whole
        weights_ = scratch_at<T>(weights_place, weights + slack);
        std::fill_n(image_ + image, slack, T{});
        std::fill_n(weights_ + weights, slack, T{});
        totals_ = scratch_at<T>(totals_place, sums);
        partials_ = scratch_at<T>(partials_place, sums);
        for (const Chunk& chunk : chunks) run_chunk(chunk, parallel);
        for (std::size_t i = 0; i < tiles_.size(); ++i) write(tiles_[i], totals_ + static_cast<std::int64_t>(i) * tile_size());
    }

  private:
    static std::int64_t tile_size() { return Cutting<T>::tile_size(); }

    void run_chunk(const Chunk& chunk, Parallel* parallel) {
        const Triple extents = cutting_.extents(chunk.slices), kernel = cutting_.kernel(chunk.slices);
        const std::int64_t lines = chunk.channels * extents[0] * extents[1], rows = chunk.channels * kernel[0] * kernel[1];
        run_in_parts(parallel, lines, grain_for(extents[2] * part_.samples), [&](std::int64_t begin, std::int64_t end) { copy_image(chunk, extents, begin, end); });
        run_in_parts(parallel, rows, grain_for(kernel[2] * part_.group_outputs), [&](std::int64_t begin, std::int64_t end) { copy_weights(chunk, kernel, begin, end); });
        const std::int64_t steps = rows * kernel[2];
        run_in_parts(parallel, static_cast<std::int64_t>(tiles_.size()), grain_for(steps * 8, 1 << 16), [&](std::int64_t begin, std::int64_t end) { run_tiles(chunk, begin, end); });
    }

    // Lines of the image, along the last axis: [channel][first][second].
    void copy_image(const Chunk& chunk, const Triple& extents, std::int64_t begin, std::int64_t end) const {
        Triple start{}; // of the image in x
        for (std::size_t i = 0; i < start.size(); ++i) start[i] = (i == cutting_.cut ? chunk.slice * part_.axis[i].dilation : 0) - part_.axis[i].before;
        const auto within = [&](std::size_t i, std::int64_t at) { return at >= 0 && at < part_.axis[i].size; };
        for (std::int64_t line = begin; line < end; ++line) {
            T* to = image_ + line * extents[2] * part_.samples;
            const std::int64_t first = line / extents[1] % extents[0] + start[0], second = line % extents[1] + start[1], channel = chunk.channel + line / (extents[0] * extents[1]);
            if (within(0, first) && within(1, second)) copy_line(x_ + channel * part_.x.inner + first * part_.x.spatial[0] + second * part_.x.spatial[1], start[2], extents[2], to);
            else std::fill_n(to, extents[2] * part_.samples, T{});
        }
    }

    void copy_line(const T* x, std::int64_t start, std::int64_t extent, T* to) const {
        const std::int64_t begin = std::clamp<std::int64_t>(-start, 0, extent), end = std::clamp(part_.axis[2].size - start, begin, extent), samples = part_.samples;
        std::fill(to, to + begin * samples, T{});
        if (begin < end) copy_turned(x + (start + begin) * part_.x.spatial[2], part_.x.outer, part_.x.spatial[2], samples, end - begin, to + begin * samples);
        std::fill(to + end * samples, to + extent * samples, T{});
    }

    // Rows of places in w, along the last axis: [channel][first][second].
    void copy_weights(const Chunk& chunk, const Triple& kernel, std::int64_t begin, std::int64_t end) const {
        const ConvolutionPlaces& w = part_.w;
        const T* from = w_ + chunk.channel * w.inner + chunk.slice * w.spatial[cutting_.cut];
        for (std::int64_t row = begin; row < end; ++row) {
            const std::int64_t first = row / kernel[1] % kernel[0], second = row % kernel[1], channel = row / (kernel[0] * kernel[1]);
            copy_turned(from + channel * w.inner + first * w.spatial[0] + second * w.spatial[1], w.outer, w.spatial[2], part_.group_outputs, kernel[2], weights_ + row * kernel[2] * part_.group_outputs);
        }
    }

    // Block by block of the order, each for all of these tiles.
    void run_tiles(const Chunk& chunk, std::int64_t begin, std::int64_t end) const {
        const Triple kernel = cutting_.kernel(chunk.slices), whole = cutting_.kernel(part_.axis[cutting_.cut].kernel);
        const std::int64_t a_slice = kernel[0] * kernel[1] * kernel[2] / chunk.slices, a_channel = whole[0] * whole[1] * whole[2];
        const std::int64_t start = chunk.channel * a_channel + chunk.slice * a_slice, stop = start + chunk.channels * kernel[0] * kernel[1] * kernel[2];
        const bool is_last = stop == part_.steps();
        std::int64_t image[contraction_block], weights[contraction_block];
        for (std::int64_t from = start, to = 0; from < stop; from = to) {
            to = std::min(stop, (from / contraction_block + 1) * contraction_block);
            set_offsets(chunk, kernel, from - start, to - from, image, weights);
            TurnedTile<T> tile{};
            (cutting_.columns == Columns::image ? tile.b_offsets : tile.a_offsets) = image;
            (cutting_.columns == Columns::image ? tile.a_offsets : tile.b_offsets) = weights;
            tile.steps = to - from;
            tile.resumed = from % contraction_block != 0;
            tile.paused = to % contraction_block != 0 && !(is_last && to == stop);
            tile.first = from < contraction_block;
            for (std::int64_t i = begin; i < end; ++i) run_tile(tile, i);
        }
    }

    void run_tile(TurnedTile<T>& tile, std::int64_t i) const {
        const Tile& at = tiles_[static_cast<std::size_t>(i)];
        const bool by_image = cutting_.columns == Columns::image, by_groups = cutting_.columns == Columns::groups;
        (by_image ? tile.b : tile.a) = image_ + at.image + (by_groups ? at.output : 0);
        (by_image ? tile.a : tile.b) = weights_ + at.output;
        tile.a_rows = by_groups ? starts_.data() + at.position : nullptr;
        tile.rows = by_image ? at.outputs : at.run_count;
        tile.total = totals_ + i * tile_size();
        tile.partial = partials_ + i * tile_size();
        Cutting<T>::kernels().turned(tile);
    }

    // Of `count` steps of a chunk from `step` on.
    void set_offsets(const Chunk& chunk, const Triple& kernel, std::int64_t step, std::int64_t count, std::int64_t* image, std::int64_t* weights) const {
        const Triple extents = cutting_.extents(chunk.slices);
        std::int64_t k = step % kernel[2], j = step / kernel[2] % kernel[1], i = step / (kernel[2] * kernel[1]) % kernel[0], channel = step / (kernel[2] * kernel[1] * kernel[0]);
        for (std::int64_t s = 0; s < count; ++s) {
            image[s] = (((channel * extents[0] + i * part_.axis[0].dilation) * extents[1] + j * part_.axis[1].dilation) * extents[2] + k * part_.axis[2].dilation) * part_.samples;
            weights[s] = (step + s) * part_.group_outputs;
            if (++k < kernel[2]) continue;
            k = 0;
            if (++j < kernel[1]) continue;
            j = 0;
            if (++i < kernel[0]) continue;
            i = 0;
            ++channel;
        }
    }

    std::int64_t place_of(std::int64_t position) const {
        const auto& axis = part_.axis;
        const Triple& step = part_.out.spatial;
        return position / (axis[1].out * axis[2].out) * step[0] + position / axis[2].out % axis[1].out * step[1] + position % axis[2].out * step[2];
    }

    void write(const Tile& tile, const T* sums) const {
        const std::int64_t width = Cutting<T>::kernels().tile;
        const bool by_image = cutting_.columns == Columns::image, by_groups = cutting_.columns == Columns::groups;
        T* to = out_ + tile.output * part_.out.inner;
        for (std::int64_t i = 0; i < tile.run_count; ++i) {
            const std::int64_t at = tile.in_run + i;
            T* element = to + (by_groups ? place_of(tile.position + i) : place_of(tile.position + at / part_.samples) + at % part_.samples * part_.out.outer);
            for (std::int64_t o = 0; o < tile.outputs; ++o) element[o * part_.out.inner] = by_image ? sums[o * width + i] : sums[i * width + o];
        }
    }

    const Cutting<T>& cutting_;
    const ConvolutionPart& part_;
    const std::vector<Tile>& tiles_;
    std::vector<std::int64_t> starts_; // of every result, by groups
    const T *x_, *w_;
    T* out_;
    T *image_ = nullptr, *weights_ = nullptr, *totals_ = nullptr, *partials_ = nullptr;
};

} // namespace

template <class T> double turned_cost(const ConvolutionPart& part) {
    const Cutting<T> cutting(part);
    const ConvolutionPart& all = cutting.part;
    if (cutting.tiles() * Cutting<T>::tile_size() > std::max<std::int64_t>(1 << 20, 2 * cutting.results())) return std::numeric_limits<double>::infinity(); // all sums are kept
    const std::int64_t slices = all.axis[cutting.cut].kernel;
    const double copied = static_cast<double>(cutting.image_of(slices)) + static_cast<double>(cutting.weights_of(slices));
    return static_cast<double>(all.groups) * (static_cast<double>(all.group_channels) * (cutting.a_step() * static_cast<double>(all.taps()) + copied) + 2 * static_cast<double>(cutting.results()));
}

// Many lanes, or many groups: each thread takes some. Else the tiles of one group after another are shared.
template <class T> void run_turned(const KernelCall& call, const ConvolutionPart& of) {
    const Cutting<T> cutting(of);
    const ConvolutionPart& part = cutting.part;
    const std::vector<Tile> tiles = tiles_of(cutting);
    const std::vector<Chunk> chunks = chunks_of(cutting);
    LaneIteration groups(call);
    groups.add_axis(call, part.groups, std::array{part.group_channels * part.x.inner, part.group_outputs * part.w.outer, part.group_outputs * part.out.inner});
    const auto group = [&](std::byte* const* at, Parallel* parallel) {
        Group<T>(cutting, tiles, lane_data<const T>(at, 0), lane_data<const T>(at, 1) + part.w.first, lane_data<T>(at, 2) + part.out.first).run(chunks, parallel);
    };
    const std::int64_t work = part.steps() * cutting.results();
    if (groups.count() < 8 && work >= 1 << 20) groups.range(0, groups.count(), [&](std::int64_t, std::byte* const* at) { group(at, call.parallel); });
    else groups.run(call, grain_for(work, 1 << 20), [&](std::int64_t, std::byte* const* at) { group(at, nullptr); });
}

template double turned_cost<float>(const ConvolutionPart&);
template double turned_cost<double>(const ConvolutionPart&);
template void run_turned<float>(const KernelCall&, const ConvolutionPart&);
template void run_turned<double>(const KernelCall&, const ConvolutionPart&);

} // namespace vmaprun
