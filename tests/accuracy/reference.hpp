// What element-wise functions are, to more digits than f64 has: by MPFR where it is compiled in, else by the C library's
// long double. Both agree with the true value to about 2^-62, far below what is measured.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "ops/kernels/pointwise.hpp"

namespace accuracy {

struct Range {
    double low, high;
};

struct Function {
    std::string name;
    vmaprun::PointwiseOp op;
    long double (*exact)(long double x, long double y); // y is 0 for functions of one number
    bool binary;
    double goal;                    // in units of the last place, on the primary range
    std::vector<Range> primary;     // of x (and of y, when there are two)
    std::vector<Range> f32, f64;    // the rest of the domain: goal 4
};

const std::vector<Function>& functions();
bool by_mpfr();

} // namespace accuracy
