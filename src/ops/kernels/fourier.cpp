#include "ops/kernels/fourier.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <complex>
#include <cstring>

#include "ops/kernels/scratch.hpp"
#include "ops/lane_iteration.hpp"

namespace vmaprun {
namespace {

// What is needed at the same time; plans within plans add to `depth`.
enum class Use { passes, between, row, gathered, finished, paired, folded, count };

template <class T> T* scratch(Use use, std::int64_t elements, int depth = 0) {
    return scratch_at<T>(static_cast<std::size_t>(use) + static_cast<std::size_t>(depth) * static_cast<std::size_t>(Use::count), elements);
}

std::int64_t groups_of(std::int64_t count, std::int64_t width) { return (count + width - 1) / width; }

template <class T> void transform(const FourierPlan<T>& plan, const T* in, T* out, FourierWay way, T scale, Parallel* parallel, int depth);

// Rows that are transforms of their own: a few at a time, then written across.
template <class T> void long_rows(const FourierPlan<T>& plan, const T* between, T* out, FourierWay way, T scale, Parallel* parallel, int depth) {
    constexpr std::int64_t at_once = 16;
    const std::int64_t n1 = plan.split.n1, n2 = plan.split.n2;
    // The columns were read the right way round; rows are turned where they are written, by the last step alone.
    run_in_parts(parallel, groups_of(n1, at_once), 1, [&](std::int64_t begin, std::int64_t end) {
        for (std::int64_t group = begin; group < end; ++group) {
            const std::int64_t first = group * at_once, count = std::min(at_once, n1 - first);
            T* rows = scratch<T>(Use::row, 2 * at_once * n2, depth);
            for (std::int64_t r = 0; r < count; ++r) transform(*plan.row, between + 2 * (first + r) * n2, rows + 2 * r * n2, FourierWay::forward, scale, nullptr, depth + 1);
            const std::int64_t re = way == FourierWay::forward ? 0 : 1, im = 1 - re;
            for (std::int64_t k = 0; k < n2; ++k) {
                for (std::int64_t r = 0; r < count; ++r) {
                    T* to = out + 2 * (k * n1 + first + r);
                    to[re] = rows[2 * (r * n2 + k)], to[im] = rows[2 * (r * n2 + k) + 1];
                }
            }
        }
    });
}

template <class T> void split_transform(const FourierPlan<T>& plan, const T* in, T* out, FourierWay way, T scale, Parallel* parallel, int depth) {
    const FourierSplit<T>& split = plan.split;
    const FourierKernels<T>& kernels = fourier_kernels<T>();
    const std::int64_t width = kernels.width;
    T* between = scratch<T>(Use::between, 2 * split.n2 * groups_of(split.n1, width) * width, depth);
    run_in_parts(parallel, groups_of(split.n2, width), grain_for(split.n1 * width), [&](std::int64_t begin, std::int64_t end) {
        kernels.columns(split, in, between, begin, end, way, scratch<T>(Use::passes, 4 * width * split.n1));
    });
    if (plan.row) return long_rows(plan, between, out, way, scale, parallel, depth);
    run_in_parts(parallel, groups_of(split.n1, width), grain_for(split.n2 * width), [&](std::int64_t begin, std::int64_t end) {
        kernels.rows(split, between, out, begin, end, way, scale, scratch<T>(Use::passes, 4 * width * split.n2));
    });
}

using Complex = std::complex<double>;

Complex product(Complex a, Complex b) { return {a.real() * b.real() - a.imag() * b.imag(), a.real() * b.imag() + a.imag() * b.real()}; }

// Bluestein: jk = (j² + k² - (k - j)²) / 2, so the transform is a convolution with a chirp.
template <class T> void chirp_transform(const FourierPlan<T>& plan, const T* in, T* out, FourierWay way, T scale, Parallel* parallel, int depth) {
    const std::int64_t n = plan.length, length = plan.padded->length, re = way == FourierWay::forward ? 0 : 1, im = 1 - re;
    const auto* chirp = reinterpret_cast<const Complex*>(plan.chirp.data());
    const auto* chirp_spectrum = reinterpret_cast<const Complex*>(plan.chirp_transform.data());
    auto* signal = scratch<Complex>(Use::paired, length, depth);
    auto* spectrum = scratch<Complex>(Use::folded, length, depth);
    for (std::int64_t j = 0; j < n; ++j) signal[j] = product({static_cast<double>(in[2 * j + re]), static_cast<double>(in[2 * j + im])}, chirp[j]);
    std::fill(signal + n, signal + length, Complex{});
    transform<double>(*plan.padded, reinterpret_cast<double*>(signal), reinterpret_cast<double*>(spectrum), FourierWay::forward, 1, parallel, depth + 1);
    for (std::int64_t k = 0; k < length; ++k) spectrum[k] = product(spectrum[k], chirp_spectrum[k]);
    transform<double>(*plan.padded, reinterpret_cast<double*>(spectrum), reinterpret_cast<double*>(signal), FourierWay::backward, 1, parallel, depth + 1);
    for (std::int64_t k = 0; k < n; ++k) {
        const Complex x = product(signal[k], chirp[k]) * static_cast<double>(scale);
        out[2 * k + re] = static_cast<T>(x.real()), out[2 * k + im] = static_cast<T>(x.imag());
    }
}

template <class T> void transform(const FourierPlan<T>& plan, const T* in, T* out, FourierWay way, T scale, Parallel* parallel, int depth) {
    if (plan.scheme == FourierScheme::split) return split_transform(plan, in, out, way, scale, parallel, depth);
    if (plan.scheme == FourierScheme::chirp) return chirp_transform(plan, in, out, way, scale, parallel, depth);
    const FourierKernels<T>& kernels = fourier_kernels<T>();
    kernels.lines(plan.leaf, &in, 1, &out, 1, 1, way, scale, scratch<T>(Use::passes, 4 * kernels.width * plan.length));
}

// ---- the lines of a call

// One direction of one kernel: what its lines are made of.
template <class T> struct Lines {
    std::int64_t in_length, out_length; // elements of a line
    std::int64_t in_step, out_step;     // strides along it, in elements
    std::int64_t in_size, out_size;     // numbers of T in an element: 1, or 2 for complex ones
};

// Up to a vector's width of lines, gathered where they have gaps. Work(in, out, count) gets rows without gaps.
template <class T, class Work> class LineGroup {
  public:
    LineGroup(const Lines<T>& lines, std::int64_t most, const Work& work) : lines_(lines), most_(most), work_(work) {}
    void add(const T* in, T* out) {
        in_[count_] = in, out_[count_] = out;
        if (++count_ == most_) flush();
    }
    void flush() {
        if (count_ == 0) return;
        if (lines_.in_step != 1) gather();
        const std::array<T*, 16> targets = out_;
        if (lines_.out_step != 1) {
            const std::int64_t pitch = lines_.out_length * lines_.out_size + apart;
            T* rows = scratch<T>(Use::finished, most_ * pitch);
            for (std::int64_t i = 0; i < count_; ++i) out_[i] = rows + i * pitch;
        }
        work_(in_.data(), out_.data(), count_);
        if (lines_.out_step != 1) scatter(targets);
        count_ = 0;
    }

  private:
    // Between gathered rows: rows a power of two apart would share the same few places of the cache.
    static constexpr std::int64_t apart = 16;

    void gather() {
        const std::int64_t pitch = lines_.in_length * lines_.in_size + apart;
        T* rows = scratch<T>(Use::gathered, most_ * pitch);
        if (lines_.in_size == 1) copy_across<1>(in_.data(), lines_.in_step, rows, pitch);
        else copy_across<2>(in_.data(), lines_.in_step, rows, pitch);
        for (std::int64_t line = 0; line < count_; ++line) in_[line] = rows + line * pitch;
    }

    template <int size> void copy_across(const T* const* from, std::int64_t step, T* rows, std::int64_t pitch) const {
        for (std::int64_t i = 0; i < lines_.in_length; ++i) {
            for (std::int64_t line = 0; line < count_; ++line) std::memcpy(rows + line * pitch + i * size, from[line] + i * step * size, size * sizeof(T));
        }
    }

    void scatter(const std::array<T*, 16>& targets) const {
        if (lines_.out_size == 1) copy_back<1>(targets);
        else copy_back<2>(targets);
    }

    template <int size> void copy_back(const std::array<T*, 16>& targets) const {
        for (std::int64_t i = 0; i < lines_.out_length; ++i) {
            for (std::int64_t line = 0; line < count_; ++line) std::memcpy(targets[static_cast<std::size_t>(line)] + i * lines_.out_step * size, out_[static_cast<std::size_t>(line)] + i * size, size * sizeof(T));
        }
    }

    const Lines<T>& lines_;
    std::int64_t most_, count_ = 0;
    std::array<const T*, 16> in_{};
    std::array<T*, 16> out_{};
    const Work& work_;
};

template <class T> struct Walk {
    LaneIteration lines;
    Lines<T> shape;
};

template <class T> Walk<T> walk_of(const KernelCall& call) {
    const auto axis = static_cast<std::size_t>(call.node->integer(0));
    const auto in = sample_shape(call, 0), out = result_shape(call, 0), in_strides = sample_strides(call, 0), out_strides = result_strides(call, 0);
    const auto size = [](DType dtype) { return is_complex(dtype) ? std::int64_t{2} : std::int64_t{1}; };
    Walk<T> walk{LaneIteration(call), {in[axis], out[axis], in_strides[axis], out_strides[axis], size(call.operands[0].dtype), size(call.results[0].dtype)}};
    // A single element has no step.
    if (in[axis] == 1) walk.shape.in_step = 1;
    if (out[axis] == 1) walk.shape.out_step = 1;
    for (std::size_t i = 0; i < in.size(); ++i) {
        if (i != axis) walk.lines.add_axis(call, in[i], std::array{in_strides[i], out_strides[i]});
    }
    return walk;
}

// Few long transforms share the threads among them one after another; otherwise each thread takes some.
template <class T, class Work> void run_lines(const KernelCall& call, std::int64_t n, const Work& work) {
    const Walk<T> walk = walk_of<T>(call);
    const std::int64_t width = fourier_kernels<T>().width;
    const auto run = [&](std::int64_t begin, std::int64_t end, Parallel* parallel) {
        const auto step = [&](const T* const* in, T* const* out, std::int64_t count) { work(in, out, count, parallel); };
        LineGroup<T, decltype(step)> group(walk.shape, width, step);
        walk.lines.range(begin, end, [&](std::int64_t, std::byte* const* at) { group.add(lane_data<const T>(at, 0), lane_data<T>(at, 1)); });
        group.flush();
    };
    if (call.parallel != nullptr && walk.lines.count() < 8 && n >= 1 << 14) return run(0, walk.lines.count(), call.parallel);
    const std::int64_t groups = groups_of(walk.lines.count(), width);
    run_in_parts(call.parallel, groups, grain_for(n * width, 1 << 16), [&](std::int64_t begin, std::int64_t end) {
        run(begin * width, std::min(end * width, walk.lines.count()), nullptr);
    });
}

// Complex rows, `count` of them at once.
template <class T> void transform_rows(const FourierPlan<T>& plan, const T* const* in, T* const* out, std::int64_t count, FourierWay way, T scale, Parallel* parallel) {
    if (plan.scheme == FourierScheme::leaf) {
        const FourierKernels<T>& kernels = fourier_kernels<T>();
        return kernels.lines(plan.leaf, in, 1, out, 1, count, way, scale, scratch<T>(Use::passes, 4 * kernels.width * plan.length));
    }
    for (std::int64_t i = 0; i < count; ++i) transform(plan, in[i], out[i], way, scale, parallel, 0);
}

double scale_of(const Node& node, std::int64_t n) {
    const std::int64_t power = node.integer(1);
    const auto length = static_cast<double>(n);
    return power == 0 ? 1.0 : power == 1 ? 1.0 / std::sqrt(length) : 1.0 / length;
}

// f(TypeTag<T>) with the type of the numbers that complex ones consist of.
template <class F> void visit_parts(DType dtype, const F& f) {
    if (dtype == DType::f32 || dtype == DType::c64) f(TypeTag<float>{});
    else f(TypeTag<double>{});
}

// ---- real numbers of odd length: as complex ones

template <class T> void real_by_complex(const KernelCall& call, std::int64_t n, T scale) {
    const auto plan = fourier_plan<T>(n);
    run_lines<T>(call, n, [&](const T* const* in, T* const* out, std::int64_t count, Parallel* parallel) {
        T *pairs = scratch<T>(Use::paired, 4 * 16 * n, 1), *spectra = pairs + 2 * 16 * n;
        std::array<const T*, 16> rows{};
        std::array<T*, 16> results{};
        for (std::int64_t line = 0; line < count; ++line) {
            T* row = pairs + 2 * line * n;
            for (std::int64_t i = 0; i < n; ++i) row[2 * i] = in[line][i], row[2 * i + 1] = 0;
            rows[line] = row, results[line] = spectra + 2 * line * n;
        }
        transform_rows<T>(*plan, rows.data(), results.data(), count, FourierWay::forward, scale, parallel);
        for (std::int64_t line = 0; line < count; ++line) {
            std::copy_n(results[line], 2 * (n / 2 + 1), out[line]);
            out[line][1] = 0;
        }
    });
}

template <class T> void half_by_complex(const KernelCall& call, std::int64_t n, T scale) {
    const auto plan = fourier_plan<T>(n);
    run_lines<T>(call, n, [&](const T* const* in, T* const* out, std::int64_t count, Parallel* parallel) {
        T *spectra = scratch<T>(Use::paired, 4 * 16 * n, 1), *pairs = spectra + 2 * 16 * n;
        std::array<const T*, 16> rows{};
        std::array<T*, 16> results{};
        for (std::int64_t line = 0; line < count; ++line) {
            T* row = spectra + 2 * line * n;
            std::copy_n(in[line], 2 * (n / 2 + 1), row);
            row[1] = 0;
            for (std::int64_t k = 1; k <= n / 2; ++k) row[2 * (n - k)] = in[line][2 * k], row[2 * (n - k) + 1] = -in[line][2 * k + 1];
            rows[line] = row, results[line] = pairs + 2 * line * n;
        }
        transform_rows<T>(*plan, rows.data(), results.data(), count, FourierWay::backward, scale, parallel);
        for (std::int64_t line = 0; line < count; ++line) {
            for (std::int64_t i = 0; i < n; ++i) out[line][i] = results[line][2 * i];
        }
    });
}

} // namespace

template <class T> void fourier_transform(const FourierPlan<T>& plan, const T* in, T* out, FourierWay way, T scale, Parallel* parallel) {
    transform(plan, in, out, way, scale, parallel, 0);
}
template void fourier_transform<float>(const FourierPlan<float>&, const float*, float*, FourierWay, float, Parallel*);
template void fourier_transform<double>(const FourierPlan<double>&, const double*, double*, FourierWay, double, Parallel*);

void fourier_kernel(const KernelCall& call) {
    if (call.results[0].size() == 0) return;
    const std::int64_t n = result_shape(call, 0)[static_cast<std::size_t>(call.node->integer(0))];
    const FourierWay way = call.node->boolean(2) ? FourierWay::backward : FourierWay::forward;
    visit_parts(call.results[0].dtype, [&]<class T>(TypeTag<T>) {
        const auto plan = fourier_plan<T>(n);
        const T scale = static_cast<T>(scale_of(*call.node, n));
        run_lines<T>(call, n, [&](const T* const* in, T* const* out, std::int64_t count, Parallel* parallel) { transform_rows<T>(*plan, in, out, count, way, scale, parallel); });
    });
}

void fourier_real_kernel(const KernelCall& call) {
    if (call.results[0].size() == 0) return;
    const std::int64_t n = sample_shape(call, 0)[static_cast<std::size_t>(call.node->integer(0))];
    visit_parts(call.results[0].dtype, [&]<class T>(TypeTag<T>) {
        const T scale = static_cast<T>(scale_of(*call.node, n));
        if (n % 2 == 1) return real_by_complex<T>(call, n, scale);
        const std::int64_t h = n / 2;
        const auto plan = fourier_plan<T>(h);
        const auto twiddles = real_twiddles<T>(h);
        run_lines<T>(call, n, [&](const T* const* in, T* const* out, std::int64_t count, Parallel* parallel) {
            T* pairs = scratch<T>(Use::paired, 2 * 16 * h, 1);
            std::array<T*, 16> results{};
            for (std::int64_t line = 0; line < count; ++line) results[line] = pairs + 2 * line * h;
            transform_rows<T>(*plan, in, results.data(), count, FourierWay::forward, scale, parallel);
            for (std::int64_t line = 0; line < count; ++line) fourier_kernels<T>().untangle(results[line], out[line], h, twiddles->coarse.data(), twiddles->fine.data());
        });
    });
}

void fourier_half_kernel(const KernelCall& call) {
    if (call.results[0].size() == 0) return;
    const std::int64_t n = call.node->integers(2)[0];
    visit_parts(call.results[0].dtype, [&]<class T>(TypeTag<T>) {
        const T scale = static_cast<T>(scale_of(*call.node, n));
        if (n % 2 == 1) return half_by_complex<T>(call, n, scale);
        const std::int64_t h = n / 2;
        const auto plan = fourier_plan<T>(h);
        const auto twiddles = real_twiddles<T>(h);
        run_lines<T>(call, n, [&](const T* const* in, T* const* out, std::int64_t count, Parallel* parallel) {
            T* pairs = scratch<T>(Use::paired, 2 * 16 * h, 1);
            std::array<const T*, 16> rows{};
            for (std::int64_t line = 0; line < count; ++line) {
                rows[line] = pairs + 2 * line * h;
                fourier_kernels<T>().tangle(in[line], pairs + 2 * line * h, h, twiddles->coarse.data(), twiddles->fine.data());
            }
            transform_rows<T>(*plan, rows.data(), out, count, FourierWay::backward, scale, parallel);
        });
    });
}

} // namespace vmaprun
