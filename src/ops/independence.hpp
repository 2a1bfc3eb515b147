// What independence rules are written with (ir/op.hpp says what a rule is): attributes of a node as those of its slices.
#pragma once

#include <array>
#include <cstdint>

#include "ir/op.hpp"

namespace vmaprun {

// An axis number once another axis is gone.
inline std::int64_t axis_without(std::int64_t axis, std::int64_t gone) { return axis > gone ? axis - 1 : axis; }

// Axis numbers once one that is not among them is gone.
inline Dims axes_without(Dims axes, std::int64_t gone) {
    for (Dim& axis : axes) axis = axis_without(axis.value(), gone);
    return axes;
}

// A list with one entry for every axis, without one of them.
inline Dims without_position(Dims list, std::size_t position) {
    list.erase(list.begin() + static_cast<std::ptrdiff_t>(position));
    return list;
}

// Rows that share one rule: each that can be a node, and has none of its own, gets it.
template <std::size_t count> constexpr std::array<Op, count> independent_by(IndependenceRule rule, std::array<Op, count> rows) {
    for (Op& row : rows) {
        if (row.type != nullptr && row.independence == nullptr) row.independence = rule;
    }
    return rows;
}

} // namespace vmaprun
