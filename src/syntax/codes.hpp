// The error codes that this layer raises.
//   E101 a character that begins no token    E113 `=` where a comparison or a `let` is meant
//   E102 bytes that are no text              E114 a chain of comparisons
//   E103 an operator of other languages      E115 a block without a value
//   E104 a full-width or typographic sign    E116 `if` without `else`, or `else` without `if`
//   E105 a string without its end            E117 a positional argument after a keyword one
//   E106 a wrong escape                      E118 a reserved word as a name
//   E107 a wrong number                      E119 two statements without a separator
//   E110 something else was expected         E120 too deep
//   E111 a bracket that is never closed      E121 an item inside a block
//   E112 a bracket that closes nothing       E122 a keyword of other languages
#pragma once

#include <span>

#include "base/codes.hpp"

namespace vmaprun {

std::span<const CodeExplanation> syntax_codes();

} // namespace vmaprun
