// Splits prelude.vm at its top-level `fn` lines: a function's text ends where the next blank line or `##` line begins.
#include "trace/prelude.hpp"

#include <vector>

namespace vmaprun {
namespace {

constexpr std::string_view whole_text =
#include "prelude_text.inc"
    ;

std::string_view signature_of(std::string_view fn) {
    // From the name to the parenthesis that closes the parameters.
    int depth = 0;
    for (std::size_t i = 0; i < fn.size(); ++i) {
        if (fn[i] == '(') ++depth;
        if (fn[i] == ')' && --depth == 0) return fn.substr(0, i + 1);
    }
    return fn;
}

std::vector<PreludeFunction> split() {
    std::vector<PreludeFunction> functions;
    std::vector<std::string_view> docs;
    std::string_view rest = whole_text;
    const auto next_line = [&] {
        const std::size_t end = rest.find('\n');
        const std::string_view line = rest.substr(0, end);
        rest.remove_prefix(end == std::string_view::npos ? rest.size() : end + 1);
        return line;
    };
    while (!rest.empty()) {
        const std::string_view start = rest;
        const std::string_view line = next_line();
        if (line.starts_with("## ")) {
            docs.push_back(line.substr(3));
        } else if (line.starts_with("fn ")) {
            while (!rest.empty() && !rest.starts_with("\n") && !rest.starts_with("#")) next_line();
            PreludeFunction function;
            function.text = start.substr(0, start.size() - rest.size());
            function.signature = signature_of(function.text.substr(3));
            function.name = function.signature.substr(0, function.signature.find('('));
            for (std::size_t i = 0; i + 1 < docs.size(); ++i) function.doc += (i > 0 ? " " : "") + std::string(docs[i]);
            if (!docs.empty()) function.example = docs.back();
            docs.clear();
            functions.push_back(std::move(function));
        } else if (line.empty()) {
            docs.clear();
        }
    }
    return functions;
}

} // namespace

std::span<const PreludeFunction> prelude_functions() {
    static const std::vector<PreludeFunction> functions = split();
    return functions;
}

std::optional<std::string_view> prelude_function(std::string_view name) {
    for (const PreludeFunction& function : prelude_functions()) {
        if (function.name == name) return function.text;
    }
    return std::nullopt;
}

std::span<const std::string_view> prelude_names() {
    static const std::vector<std::string_view> names = [] {
        std::vector<std::string_view> all;
        for (const PreludeFunction& function : prelude_functions()) all.push_back(function.name);
        return all;
    }();
    return names;
}

} // namespace vmaprun
