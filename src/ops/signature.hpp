// The text of a row's signature, parsed: "sum(x, axis: axes = none, dtype: dtype = none, keepdims: bool = false)".
//
//   parameter = NAME [ ":" kind ] [ "=" default ] | "*" NAME       (a bare name is a tensor; `*xs`: any number of tensors)
//   kind      = tensor | tensors (a tuple or list of tensors, or a tensor whose leading axis is taken apart)
//             | int | axis (int) | axes (none, int or tuple) | shape (int or tuple) | ints (int or tuple)
//             | pairs (int, tuple of ints, or tuple of pairs) | padding (pairs, or a string) | number | bool | dtype | string | any
//   default   = none | true | false | number | "text" | ()
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/error.hpp"

namespace vmaprun {

enum class ParameterKind { tensor, tensors, variadic, integer, axis, axes, shape, integers, pairs, padding, number, boolean, dtype, string, any };

struct Parameter {
    std::string_view name;
    ParameterKind kind = ParameterKind::tensor;
    bool required = true;
    std::string_view default_text; // "none", "false", "1e-5", ...
};

struct Signature {
    std::string_view name;
    std::vector<Parameter> parameters;
    std::size_t required_count() const;
};

Signature parse_signature(std::string_view text); // InternalError on a malformed row (a test parses them all)

} // namespace vmaprun
