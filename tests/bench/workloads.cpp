#include "workloads.hpp"

#include "bounds.hpp"

namespace bench {
namespace {

using namespace vmaprun;
using Values = Input::Values;

constexpr std::int64_t million = 1'000'000, flat = 10 * million;

// f(begin, end) over [0, count), a few parts a thread.
template <class F> void in_parts(const ThreadPool& pool, std::int64_t count, F&& f) {
    const std::int64_t parts = 8 * pool.threads();
    pool.each(parts, [&](std::int64_t i) { f(count * i / parts, count * (i + 1) / parts); });
}

void chain(const ThreadPool& pool, const std::vector<Array>& in, const Array& to) {
    in_parts(pool, to.size(), [&](std::int64_t begin, std::int64_t end) { bounds::chain(in[0].as<float>() + begin, 1.5F, 0.25F, to.as<float>() + begin, end - begin); });
}

void arithmetic(const ThreadPool& pool, const std::vector<Array>& in, const Array& to) {
    in_parts(pool, to.size(), [&](std::int64_t begin, std::int64_t end) {
        bounds::arithmetic(in[0].as<float>() + begin, in[1].as<float>() + begin, in[2].as<float>() + begin, to.as<float>() + begin, end - begin);
    });
}

void mandelbrot(const ThreadPool& pool, const std::vector<Array>& in, const Array& to) {
    const std::int64_t width = in[0].size();
    pool.each(in[1].size(), [&](std::int64_t y) { bounds::mandelbrot(in[0].as<float>(), width, in[1].as<float>()[y], 1000.0F, to.as<float>() + y * width); });
}

Workload batch_of(const char* row, const char* title, std::int64_t count, std::int64_t size, double part, double over_numpy) {
    const double operations = 2.0 * static_cast<double>(count * size * size * size);
    return {row, "d3", title, {{"x", {count, size, size}}, {"y", {count, size, size}}}, {count, size, size}, Bound::arithmetic, part, operations, 1e-4, {{"numpy", "", over_numpy}}};
}

} // namespace

const std::vector<Workload>& workloads() {
    static const std::vector<Workload> all = {
        {"a", "a", "tanh(a*x + b) * exp(-x*x), 1e7", {{"x", {flat}}}, {flat}, Bound::by_hand, 0.9, 0, 1e-5,
         {{"numpy", "", 20}, {"numpy", "as-written", 12}, {"torch", "", 7}, {"numexpr", "", 45}}, chain},
        {"a2", "a2", "x*y + z - x*z, 1e7", {{"x", {flat}}, {"y", {flat}}, {"z", {flat}}}, {flat}, Bound::by_hand, 0.85, 0, 1e-5,
         {{"numpy", "", 12}, {"torch", "", 1.7}, {"numexpr", "", 10}}, arithmetic},
        {"b", "b", "softmax of rows, 100000 x 128", {{"x", {100'000, 128}}}, {100'000, 128}, Bound::copy, 0.7, 0, 1e-5, {{"numpy", "", 22}, {"torch", "", 2.1}}},
        {"c", "c", "layer_norm of rows, 100000 x 128", {{"x", {100'000, 128}}, {"weight", {128}}, {"bias", {128}}}, {100'000, 128}, Bound::copy, 0.75, 0, 1e-4,
         {{"numpy", "", 28}, {"torch", "", 5.5}}},
        {"d1", "d1", "100000 products 8x8 . 8x8", {{"x", {100'000, 8, 8}}, {"y", {100'000, 8, 8}}}, {100'000, 8, 8}, Bound::triad, 0.85, 0, 1e-4, {{"numpy", "", 6}}},
        {"d2", "d2", "10000 products 64x64 . 64", {{"x", {10'000, 64, 64}}, {"v", {10'000, 64}}}, {10'000, 64}, Bound::read, 0.8, 0, 1e-4, {{"numpy", "", 2.2}}},
        batch_of("d3-32", "1024 products 32x32 . 32x32", 1024, 32, 0.5, 1.3),
        batch_of("d3-64", "512 products 64x64 . 64x64", 512, 64, 0.7, 1.3),
        batch_of("d3-128", "128 products 128x128 . 128x128", 128, 128, 0.8, 1.3),
        {"e", "e", "4096x512 . 512x512 by vmap", {{"x", {4096, 512}}, {"w", {512, 512}}}, {4096, 512}, Bound::arithmetic, 0.88, 2.0 * 4096 * 512 * 512, 1e-3,
         {{"numpy", "", 1.1}, {"torch", "", 1.0}}},
        {"f", "f", "pairwise distances, 2000 x 2000 x 64, exact", {{"x", {2000, 64}}, {"y", {2000, 64}}}, {2000, 2000}, Bound::arithmetic, 0.65, 2.0 * 2000 * 2000 * 64, 1e-4,
         {{"numpy", "broadcasting", 150}, {"numpy", "matmul-inexact", 3}}},
        {"g", "g", "network 64 -> 128 -> 10 over 65536", {{"x", {65536, 64}}, {"w1", {64, 128}, Values::weights}, {"b1", {128}}, {"w2", {128, 10}, Values::weights}, {"b2", {10}}}, {65536, 10}, Bound::arithmetic, 0.7,
         2.0 * 65536 * (64 * 128 + 128 * 10), 1e-3, {{"numpy", "", 8}, {"torch", "", 4.5}}},
        {"h", "h", "logistic gradient of each sample, 100000 x 32", {{"x", {100'000, 32}}, {"y", {100'000}, Values::labels}, {"w", {32}}}, {100'000, 32}, Bound::copy, 0.85, 0, 1e-4,
         {{"numpy", "", 3}, {"torch", "", 1.5}}},
        {"i", "i", "recursive filter, 1000 steps x 10000 lanes", {{"x", {1000, 10'000}}}, {1000, 10'000}, Bound::copy, 0.6, 0, 1e-5, {{"numpy", "", 6}, {"torch", "", 5}}},
        {"j", "j", "Mandelbrot set, 1024 x 1024, limit 1000", {{"re", {1024}, Values::real_axis}, {"im", {1024}, Values::imaginary_axis}}, {1024, 1024}, Bound::by_hand, 0.7, 0, 0,
         {{"numpy", "", 20}}, mandelbrot},
        {"fft", "fft", "rfft and back, 2^20", {{"x", {1 << 20}}}, {1 << 20}, Bound::copy, 0, 0, 1e-5, {{"numpy", "", 1}, {"torch", "", 1}}},
        {"conv", "conv", "conv 3x3, 64 to 64 channels, 8 of 56 x 56", {{"x", {8, 64, 56, 56}}, {"w", {64, 64, 3, 3}}}, {8, 64, 56, 56}, Bound::arithmetic, 0,
         2.0 * 8 * 64 * 64 * 9 * 56 * 56, 1e-3, {{"numpy", "", 1}, {"torch", "", 1}}},
        {"hg", "hg", "h by grad of the loss; bound: h written out", {{"x", {100'000, 32}}, {"y", {100'000}, Values::labels}, {"w", {32}}}, {100'000, 32}, Bound::script, 0.95, 0, 1e-4,
         {{"torch", "", 1}}, nullptr, "h"},
        {"grad", "grad", "gradient of network g's loss; bound: the loss", {{"x", {65536, 64}}, {"w1", {64, 128}, Values::weights}, {"b1", {128}}, {"w2", {128, 10}, Values::weights}, {"b2", {10}}}, {64 * 128 + 128 + 128 * 10 + 10},
         Bound::script, 0.33, 0, 1e-3, {{"torch", "", 1}}, nullptr, "network_loss"},
        {"gconv", "conv_grad", "gradient of conv by its weights; bound: its value", {{"x", {8, 64, 56, 56}}, {"w", {64, 64, 3, 3}}}, {64, 64, 3, 3}, Bound::script, 0.25, 0, 1e-3,
         {{"torch", "", 1}}, nullptr, "conv_loss"},
        {"gscan", "scan_grad", "gradient of a recurrent unit, 1000 x 10000; bound: its value", {{"x", {1000, 10'000}}, {"a", {1}}}, {1}, Bound::script, 0.25, 0, 1e-3,
         {}, nullptr, "scan_loss"},
        {"chol", "cholesky", "cholesky of 10000 matrices 16x16", {{"x", {10'000, 16, 16}, Values::positive_definite}}, {10'000, 16, 16}, Bound::copy, 0, 0, 1e-4, {{"numpy", "", 1}, {"torch", "", 1}}},
        {"solve", "solve", "solve of 10000 systems 16x16", {{"x", {10'000, 16, 16}, Values::positive_definite}, {"v", {10'000, 16}}}, {10'000, 16}, Bound::read, 0, 0, 1e-3,
         {{"numpy", "", 1}, {"torch", "", 1}}},
        {"uniform", "uniform", "uniform random numbers, 1e7", {{"x", {flat}}}, {flat}, Bound::write, 0.5, 0, 0, {{"numpy", "", 1}, {"torch", "", 1}}},
    };
    return all;
}

} // namespace bench
