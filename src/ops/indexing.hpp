// x[...] and x.at[...] on values: from evaluated index items to nodes, by NumPy's rules (basic and integer-array indexing).
#pragma once

#include <string_view>
#include <vector>

#include "ir/builder.hpp"

namespace vmaprun {

struct IndexArgument {
    enum class Form { integer, tensor, slice, new_axis, rest } form = Form::integer;
    Dim integer;                              // a constant position; negatives count from the end
    Value tensor;                             // computed: any integer dtype, any rank (rank 0: a computed position)
    std::optional<Dim> start, stop, step;     // slice, constants
    Span span;
};

// Throws UserError with place: E306 constant index out of range, E307 too many indices, E308 an index of the wrong dtype
// (a boolean mask gets a help that offers where and compress), slice step 0.
Value index(Builder& builder, Value x, const std::vector<IndexArgument>& items, Span span);

// An updated copy; mode: "set", "add", "multiply", "min", "max" (repeated positions: applied in row-major order of the
// updates). The update value is cast to x's dtype (E302 when it is of a higher kind) and broadcast to what x[items] has.
Value update_at(Builder& builder, Value x, const std::vector<IndexArgument>& items, std::string_view mode, Value update, Span span);

} // namespace vmaprun
