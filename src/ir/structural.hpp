// The ops that the graph itself needs: constants, parameters, and the doors of vmap.
#pragma once

#include "ir/op.hpp"

namespace vmaprun {

extern const Op constant_op;   // attribute 0: the array
extern const Op parameter_op;  // attribute 0: name
extern const Op lane_op;       // attributes: axis, lane id. Sample axis -> lane
extern const Op unlane_op;     // attributes: axis, lane id. Lane -> sample axis; node.lanes still hold the lane
extern const Op opaque_op;     // its operand, but no constant while the graph is built: one lane of unroll, which stands for a lane
extern const Op lane_index_op; // attributes 0: lane id; 1: true, where the index is weak

inline bool is(const Node& node, const Op& op) { return node.op == &op; }
// Whether the result is another look at what is there: no data is moved, save where strides forbid it.
inline bool is_view(const Node& node) { return is(node, lane_op) || is(node, unlane_op) || (node.op->view != nullptr && node.op->tile == nullptr); }

} // namespace vmaprun
