// ops: the builtins, from the rows of the table, the natives of the tracer and the prelude. Nothing here knows one by name.
#include <algorithm>
#include <map>

#include "base/text.hpp"
#include "cli/report.hpp"
#include "cli/verbs.hpp"
#include "io/output_file.hpp"
#include "ops/call.hpp"
#include "ops/families.hpp"
#include "ops/lowering.hpp"
#include "trace/functions.hpp"
#include "trace/prelude.hpp"

namespace vmaprun::cli {
namespace {

struct Page {
    std::string call, doc, example, family;
};
using Pages = std::map<std::string, Page, std::less<>>;

std::string_view family_name(Family family) {
    switch (family) {
    case Family::creation: return "create";
    case Family::pointwise: return "element-wise";
    case Family::reduction: return "reduce";
    case Family::cumulative: return "cumulate";
    case Family::movement: return "shape";
    case Family::selection: return "select";
    case Family::contraction: return "contract";
    case Family::control: return "control";
    case Family::check: return "checks";
    case Family::linalg: return "linear algebra";
    case Family::signal: return "signal";
    case Family::random: return "random";
    }
    return "";
}

// "sum(x, axis: axes = none)" as a script writes it: "sum(x, axis=none)".
std::string call_text(std::string_view signature) {
    const Signature parsed = parse_signature(signature);
    std::string text(parsed.name);
    text += "(";
    for (std::size_t i = 0; i < parsed.parameters.size(); ++i) {
        const Parameter& parameter = parsed.parameters[i];
        text += i > 0 ? ", " : "";
        text += parameter.kind == ParameterKind::variadic ? "*" : "";
        text += parameter.name;
        if (!parameter.required && parameter.kind != ParameterKind::variadic) text += "=" + std::string(parameter.default_text);
    }
    return text + ")";
}

std::string name_of(std::string_view signature) { return std::string(signature.substr(0, signature.find('('))); }

const Pages& pages() {
    static const Pages all = [] {
        Pages result;
        for (const std::span<const Op> family : all_ops()) {
            for (const Op& op : family) {
                if (op.lower == nullptr || op.doc.empty()) continue;
                result[std::string(op.name())] = {call_text(op.signature), std::string(op.doc), std::string(op.example), std::string(family_name(op.family))};
            }
        }
        for (const NativeDoc& native : native_docs()) {
            result[name_of(native.signature)] = {call_text(native.signature), std::string(native.doc), std::string(native.example), "transform"};
        }
        for (const PreludeFunction& function : prelude_functions()) {
            result[std::string(function.name)] = {call_text(function.signature), function.doc, function.example, std::string(function.family)};
        }
        return result;
    }();
    return all;
}

std::string page_text(const Page& page) {
    std::string text = page.call + "\n    " + page.doc + "\n";
    if (!page.example.empty()) text += "    Example: " + page.example + "\n";
    return text + "    Family: " + page.family + "\n";
}

std::string list_text() {
    std::size_t width = 0;
    for (const auto& [name, page] : pages()) width = std::max(width, name.size());
    std::string text;
    for (const auto& [name, page] : pages()) text += name + std::string(width + 2 - name.size(), ' ') + page.doc + "\n";
    return text;
}

// docs/builtins.md: all pages by family.
std::string markdown_text() {
    std::map<std::string, std::string> families;
    for (const auto& [name, page] : pages()) {
        families[page.family] += "**`" + page.call + "`** " + page.doc + "\n" + (page.example.empty() ? "" : "<br>`" + page.example + "`\n") + "\n";
    }
    std::string text = "# Builtins\n\nWritten by `vmaprun ops --markdown > docs/builtins.md`; a test holds it to the table. Examples are run by the tests.\n";
    for (const auto& [family, entries] : families) text += "\n## " + family + "\n\n" + entries.substr(0, entries.size() - 1);
    return text;
}

} // namespace

int ops_verb(const Command& command) {
    return guarded(command, [&] {
        std::string text;
        if (command.markdown) {
            text = markdown_text();
        } else if (command.everything) {
            for (const auto& [name, page] : pages()) text += (text.empty() ? "" : "\n") + page_text(page);
        } else if (command.operands.empty()) {
            text = list_text();
        }
        for (const std::string& name : command.operands) {
            const auto found = pages().find(name);
            if (found == pages().end()) {
                std::vector<std::string_view> names;
                for (const auto& each : pages()) names.push_back(each.first);
                const std::string_view near = nearest(name, names);
                Diagnostic diagnostic = error("", "there is no builtin `" + name + "`").exits(2);
                diagnostic.helps.push_back(near.empty() ? "`vmaprun ops` lists them" : "did you mean `" + std::string(near) + "`?");
                throw UserError(std::move(diagnostic));
            }
            text += (text.empty() ? "" : "\n") + page_text(found->second);
        }
        write_stdout(text);
        return 0;
    });
}

} // namespace vmaprun::cli
