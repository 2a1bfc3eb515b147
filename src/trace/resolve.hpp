// Names before anything is traced: what a script uses that nobody defines, what it defines twice, functions that call
// themselves, types that are unknown or made of themselves. Walks every body, also of functions that are never called.
#pragma once

#include <functional>
#include <map>
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
    std::vector<FreeName> free_names;                   // in order of first use
    std::set<std::string, std::less<>> circular_types; // reported
    std::map<std::string, Span, std::less<>> places;    // where the script binds each name of its top level
};

enum class FreeNames { are_errors, are_inputs }; // E201, or the inputs of -e

// What imports bring: names of values and of types, each with the import that brings it.
struct ImportedNames {
    std::map<std::string, Span, std::less<>> values, types;
};

// `is_known`: builtins and words.
Resolution resolve(const ast::Script& script, const ImportedNames& imported, bool (*is_known)(std::string_view), FreeNames free);

// "unknown name `sofmax`", with the nearest of the candidates offered.
Diagnostic unknown_name_error(const std::string& name, Span span, const std::vector<std::string_view>& candidates);
Diagnostic used_before_error(const std::string& name, Span span, Span definition);
// "there is no type `float32`", with the nearest of the words and of the candidates offered.
Diagnostic unknown_type_error(const ast::Name& name, std::vector<std::string_view> candidates);
// `x as f16`.
Diagnostic unknown_dtype_error(const ast::Name& name);
// A dtype or a kind: f32, float, any.
bool is_type_word(std::string_view name);
Diagnostic defined_twice_error(const std::string& name, Span span, Span first);

} // namespace vmaprun
