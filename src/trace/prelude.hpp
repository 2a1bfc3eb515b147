// The part of the library that is written in the language itself (prelude.vm), one function at a time: a script pays only
// for those that it names.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "base/source.hpp"

namespace vmaprun {

struct PreludeFunction {
    std::string_view name;
    std::string_view signature; // "softmax(x, axis: axis = -1)", in the grammar of ops/signature.hpp
    std::string_view family;    // "reduce": as the reference sorts it
    std::string_view text;      // the whole `fn`, without its doc
    std::string doc;            // the `##` lines but the last, joined by blanks
    std::string example;        // the last `##` line: "softmax([0.0, 0.0]) => [0.5, 0.5]"
};

std::span<const PreludeFunction> prelude_functions();
const PreludeFunction* prelude_function(std::string_view name); // null when there is none of that name
std::span<const std::string_view> prelude_names();

// The name of its source. No message and no node points into it: they point at the call that the script wrote.
inline constexpr std::string_view prelude_source = "<builtins>";
inline bool in_prelude(Span span) { return span && span.source->name() == prelude_source; }

} // namespace vmaprun
