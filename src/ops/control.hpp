// Control-flow rows: nodes with sub-graphs, run by the engine (exec/), which knows them by these names.
// Operands: first the ones listed, then the captures of body 0, then those of body 1. A body's inputs: its own ones as
// listed, then its captures.
#pragma once

#include "ir/op.hpp"

namespace vmaprun {

// if: operands (condition: bool scalar, captures of then, captures of else). bodies: then() -> results, else() -> results.
// When the condition has lanes, the lanes that take a branch are packed, the branch runs on them alone, and the results
// are put back; without lanes one branch runs.
extern const Op if_op;

// while: operands (carry..., captures of condition, captures of body). bodies: condition(carry...) -> bool scalar,
// body(carry...) -> carry.... attributes: 0: limit (integer; -1: none). Results: the carry. When the condition has lanes,
// all carries have them, each lane stops by itself, and only live lanes are run. Past the limit: fault E603 in that lane.
extern const Op while_op;

// for: operands (start, stop: i64 scalars without lanes, carry..., captures). body 0: (index: i64 scalar, carry...) -> carry....
// Results: the carry.
extern const Op for_op;

// scan: operands (carry..., xs..., captures). body 0: (carry..., x...) -> (carry..., y...). attributes: 0: number of
// carries, 1: number of xs, 2: reverse (bool), 3: length (Dims of one). Each xs is taken apart along sample axis 0; each y
// is stacked along a new sample axis 0. Results: carry..., ys.... Serves scan, fold, map, and counted steps.
extern const Op scan_op;

// call: operands (captures). body 0: () -> results. Its body, once: a checkpoint, whose inside reverse mode computes again.
extern const Op call_op;

} // namespace vmaprun
