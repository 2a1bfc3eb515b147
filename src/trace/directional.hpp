// jvp and vjp: derivatives in a direction that the script gives, as tangents beside the primals or cotangents beside the result.
#pragma once

#include "trace/arguments.hpp"

namespace vmaprun {

Datum jvp_native(Tracer& tracer, const Slots& slots, Span span);
Datum vjp_native(Tracer& tracer, const Slots& slots, Span span);

} // namespace vmaprun
