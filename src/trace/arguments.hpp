// What natives ask of the arguments that they are given.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "trace/functions.hpp"

namespace vmaprun {

using Slots = std::vector<const CallArgument*>; // one a parameter; null: not given

FunctionPtr function_argument(Tracer& tracer, const CallArgument* argument, std::string_view transform);
// False where none is given. E209: no constant bool.
bool boolean_argument(Tracer& tracer, const CallArgument* argument, const std::string& what);
// The tensors of a tree, left to right. E406: there is something else in it.
std::vector<Value> tensor_leaves(Tracer& tracer, const Datum& datum, Span span, const std::string& what);
std::vector<TensorType> types_of(const Builder& builder, const std::vector<Value>& values);

} // namespace vmaprun
