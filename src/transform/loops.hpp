// The three loops of ops/control.hpp seen alike: where their carries and items stand among operands, inputs and results.
#pragma once

#include "ops/control.hpp"

namespace vmaprun {

struct LoopParts {
    std::size_t carries = 0, xs = 0;
    std::size_t first_carry = 0;   // among the operands
    std::size_t first_input = 0;   // of the carries, among the inputs of the body that steps
    std::size_t first_x = 0;       // scan: among the operands
    std::size_t first_x_input = 0; // scan: among the inputs
};

inline bool is_loop(const Node& node) { return node.op == &while_op || node.op == &for_op || node.op == &scan_op; }

inline LoopParts parts_of(const Node& node) {
    LoopParts parts;
    if (node.op == &scan_op) {
        parts.carries = static_cast<std::size_t>(node.integer(0));
        parts.xs = static_cast<std::size_t>(node.integer(1));
        parts.first_x = parts.first_x_input = parts.carries;
    } else {
        parts.carries = node.results.size();
        parts.first_carry = node.op == &for_op ? 2 : 0;
        parts.first_input = node.op == &for_op ? 1 : 0;
    }
    return parts;
}

} // namespace vmaprun
