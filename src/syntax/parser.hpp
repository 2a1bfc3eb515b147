// Text to tree: recursive descent, one function a rule of the grammar (the operators by precedence climbing).
//
// A parse gives a tree of what could be read and at most max_syntax_errors errors; after an error it goes on with the
// next statement. The tree keeps the invariants of ast.hpp only when there are no errors. Any bytes are allowed, and the
// stack that a parse takes is bounded by ast::max_tree_height.
#pragma once

#include <string_view>
#include <vector>

#include "base/error.hpp"
#include "syntax/ast.hpp"
#include "syntax/lexer.hpp"

namespace vmaprun {

inline constexpr std::size_t max_syntax_errors = 20;

struct ParseResult {
    ast::Script script;
    std::vector<Diagnostic> errors;  // in the order of the text
    std::vector<Comment> comments;   // all of them, in the order of the text
};

ParseResult parse(const Source& source);

// Is it a word that can't be a name?
bool is_reserved(std::string_view word);

} // namespace vmaprun
