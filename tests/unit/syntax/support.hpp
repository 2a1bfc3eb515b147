// Trees and errors as short texts, for tests to compare with.
#pragma once

#include <string>

#include "syntax/parser.hpp"

namespace vmaprun::testing {

// The tree as nested lists: `a + b * c` is "(+ a (* b c))".
std::string show(const ast::Expr& expression);
std::string show(const ast::Pattern& pattern);
std::string show(const ast::Type& type);
std::string show(const ast::Item& item);

// The items of a script, one a line; its errors when it has any.
std::string parsed(std::string text);

// The errors of a script, one a line, with all their parts:
//   line:column CODE message [marked text] (label); [marked text] (label); help: …
std::string errors_of(std::string text);

} // namespace vmaprun::testing
