// What lowerings and the tracer build nodes with: promotion, casts, broadcasting, and a call of any row by name.
#pragma once

#include <span>
#include <string_view>
#include <vector>

#include "ir/builder.hpp"

namespace vmaprun {

// The table: every row of every family. Names are unique.
std::span<const std::span<const Op>> all_ops();
const Op* find_op(std::string_view name); // null when there is none
const Op& op_named(std::string_view name); // InternalError when there is none: for names written in our own code

// The dtype that operands meet at (docs/language.md: promotion and weak literals). Throws E302 where a cast must be asked for.
struct Promoted {
    DType dtype;
    bool weak; // all were weak
};
Promoted promote_types(std::span<const TensorType> types);

// The shape that shapes broadcast to (NumPy's rule). Throws E301 naming both sizes and axes.
Dims broadcast_shapes(std::span<const Dims> shapes);

// Casts (a node only where the dtype differs; a weak constant integer must fit: E305). `weak` of the result as told.
Value cast(Builder& builder, Value value, DType dtype);
Value broadcast_to(Builder& builder, Value value, const Dims& shape);
// All of them cast to their common dtype; then broadcast to their common shape.
std::vector<Value> promote_values(Builder& builder, std::vector<Value> values);
std::vector<Value> broadcast_values(Builder& builder, std::vector<Value> values);

// A node of a row by name, as a primitive (no lowering: types must fit).
Value node(Builder& builder, std::string_view op, std::vector<Value> operands, Attributes attributes = {});
// A pointwise row on any operands: promoted and broadcast first, as a script's call would be ("add", "multiply", "where" ...).
Value pointwise(Builder& builder, std::string_view op, std::vector<Value> operands);
Value scalar(Builder& builder, double number, DType dtype);        // a strong constant
Value scalar(Builder& builder, std::int64_t number, DType dtype);

} // namespace vmaprun
