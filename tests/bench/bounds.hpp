// What this one machine can do, by hand in C++: the limits of memory and arithmetic, and the workloads that are bounded by
// more than those. Each works on a part of the data, so that the caller can give every thread its own; all are compiled for
// the machine that they run on.
#pragma once

#include <cstdint>

namespace bounds {

// ---- memory: streaming stores, which don't read what they overwrite
void copy(const float* from, float* to, std::int64_t count);
void triad(const float* x, const float* y, float* to, std::int64_t count); // to = x + 3 y
float read(const float* from, std::int64_t count);
void write(float* to, std::int64_t count);

// ---- arithmetic: so many rounds of independent multiply-adds on registers; gives the operations of a round of one thread
float multiply_adds(std::int64_t rounds);
std::int64_t operations_a_round();

// ---- whole workloads, fused by hand
void chain(const float* x, float a, float b, float* to, std::int64_t count);                                  // tanh(a*x + b) * exp(-x*x)
void arithmetic(const float* x, const float* y, const float* z, float* to, std::int64_t count);               // x*y + z - x*z
void mandelbrot(const float* re, std::int64_t width, float im, float limit, float* steps);                    // one row of points

} // namespace bounds
