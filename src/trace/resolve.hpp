// Names before anything is traced: what a script uses that nobody defines, what it defines twice, functions that call
// themselves. Walks every body, also of functions that are never called.
#pragma once

#include <functional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.hpp"
#include "syntax/ast.hpp"

namespace vmaprun {

struct FreeName {
    std::string name;
    Span span; // its first use
};

struct Resolution {
    std::vector<Diagnostic> errors;
    std::vector<FreeName> free_names; // in order of first use
};

enum class FreeNames { are_errors, are_inputs }; // E201, or the inputs of -e

// `imported`: names that imports bring. `is_known`: builtins and words.
Resolution resolve(const ast::Script& script, const std::set<std::string, std::less<>>& imported, bool (*is_known)(std::string_view), FreeNames free);

// "unknown name `sofmax`", with the nearest of the candidates offered.
Diagnostic unknown_name_error(const std::string& name, Span span, const std::vector<std::string_view>& candidates);
Diagnostic defined_twice_error(const std::string& name, Span span, Span first);

} // namespace vmaprun
