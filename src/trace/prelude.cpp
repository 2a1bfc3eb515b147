// Splits prelude.vm at its top-level `fn` lines: a function's text ends where the next blank line or `##` line begins.
// `# ---- reduce` begins a family; the `#` line between the doc and the `fn` is the signature.
#include "trace/prelude.hpp"

#include <vector>

namespace vmaprun {
namespace {

constexpr std::string_view whole_text =
#include "prelude_text.inc"
    ;

std::vector<PreludeFunction> split() {
    std::vector<PreludeFunction> functions;
    std::vector<std::string_view> docs;
    std::string_view family, signature;
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
        if (line.starts_with("# ---- ")) {
            family = line.substr(7);
        } else if (line.starts_with("## ")) {
            docs.push_back(line.substr(3));
        } else if (line.starts_with("# ") && !docs.empty()) {
            signature = line.substr(2);
        } else if (line.starts_with("fn ")) {
            while (!rest.empty() && !rest.starts_with("\n") && !rest.starts_with("#")) next_line();
            PreludeFunction function;
            function.family = family;
            function.text = start.substr(0, start.size() - rest.size());
            function.signature = signature;
            function.name = function.signature.substr(0, function.signature.find('('));
            for (std::size_t i = 0; i + 1 < docs.size(); ++i) function.doc += (i > 0 ? " " : "") + std::string(docs[i]);
            if (!docs.empty()) function.example = docs.back();
            docs.clear();
            signature = {};
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

const PreludeFunction* prelude_function(std::string_view name) {
    for (const PreludeFunction& function : prelude_functions()) {
        if (function.name == name) return &function;
    }
    return nullptr;
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
