// The derivative transforms by name: grad, value_and_grad, jvp, vjp, jacfwd, jacrev, jacobian, hessian, stop_gradient, checkpoint.
#pragma once

#include <span>

#include "trace/functions.hpp"

namespace vmaprun {

struct DerivativeNative {
    NativeDoc doc;
    NativeFunction::Body body;
    NativeFunction::Sort sort;
};
std::span<const DerivativeNative> derivative_natives();

} // namespace vmaprun
