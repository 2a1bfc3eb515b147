// The canonical form of a script, as `vmaprun fmt` writes it. Meaning and comments are kept; formatting twice changes nothing.
//
// - Four spaces of indent, lines of at most 100 columns where brackets, operators, pipes or `=` allow a break, one newline
//   at the end, no spaces before it. Two spaces before a comment that shares its line, more where those of neighbouring
//   lines are put below each other.
// - One space around operators, `=>`, `..`, `as`; none behind a sign, in slices, around `**` between names and numbers,
//   and around the `=` of keyword arguments and of defaults without a type. Numbers, strings and parentheses stay as written.
// - What the author broke stays broken: brackets and blocks whose first element begins a line, and pipes with a `|>` that
//   begins one, have an element a line. Other brackets, blocks and pipes are joined where they fit. No trailing commas.
// - One empty line is kept where there were some, except at the start of a block or script.
// - A `##` behind the first line of an item moves above it. A comment at an odd place (`a + # why`) moves above the
//   element, statement or item that holds it.
#pragma once

#include <span>
#include <string>

#include "syntax/ast.hpp"
#include "syntax/lexer.hpp"

namespace vmaprun {

// `script` was parsed without errors; `comments` are those of its parse.
std::string format(const ast::Script& script, std::span<const Comment> comments);

} // namespace vmaprun
