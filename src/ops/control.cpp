// The control-flow rows. They hold sub-graphs, so nothing here runs them: the engine does (exec/control.cpp), and their
// types come from the bodies, through Builder::add_control.
#include "ops/control.hpp"

#include "ops/families.hpp"

namespace vmaprun {
namespace {

std::vector<TensorType> types_come_from_the_bodies(std::span<const TensorType>, const Attributes&) {
    throw InternalError("control flow is added by Builder::add_control, which is told the types");
}

} // namespace

const Op if_op{.signature = "if", .family = Family::control, .type = types_come_from_the_bodies, .derivative = Derivative::structural()};
const Op while_op{.signature = "while", .family = Family::control, .type = types_come_from_the_bodies, .derivative = Derivative::structural(), .effect = Effect::fault};
const Op for_op{.signature = "for", .family = Family::control, .type = types_come_from_the_bodies, .derivative = Derivative::structural()};
const Op call_op{.signature = "call", .family = Family::control, .type = types_come_from_the_bodies, .derivative = Derivative::structural()};
const Op scan_op{.signature = "scan", .family = Family::control, .type = types_come_from_the_bodies, .derivative = Derivative::structural()};

// Scripts reach these rows by syntax and transforms, never by a name, and nodes know them by address: so the table that
// is searched by name holds none of them.
std::span<const Op> control_ops() { return {}; }

} // namespace vmaprun
