#include "ops/signature.hpp"

#include <algorithm>
#include <array>
#include <utility>

namespace vmaprun {
namespace {

std::string_view trim(std::string_view text) {
    while (text.starts_with(' ')) text.remove_prefix(1);
    while (text.ends_with(' ')) text.remove_suffix(1);
    return text;
}

ParameterKind kind_named(std::string_view name) {
    static constexpr std::array<std::pair<std::string_view, ParameterKind>, 16> kinds = {{{"tensor", ParameterKind::tensor},
                                                                                        {"tensors", ParameterKind::tensors},
                                                                                        {"int", ParameterKind::integer},
                                                                                        {"axis", ParameterKind::axis},
                                                                                        {"axes", ParameterKind::axes},
                                                                                        {"shape", ParameterKind::shape},
                                                                                        {"ints", ParameterKind::integers},
                                                                                        {"pairs", ParameterKind::pairs},
                                                                                        {"padding", ParameterKind::padding},
                                                                                        {"number", ParameterKind::number},
                                                                                        {"float", ParameterKind::number},
                                                                                        {"bool", ParameterKind::boolean},
                                                                                        {"dtype", ParameterKind::dtype},
                                                                                        {"string", ParameterKind::string},
                                                                                        {"any", ParameterKind::any},
                                                                                        {"variadic", ParameterKind::variadic}}};
    const auto found = std::ranges::find(kinds, name, [](const auto& entry) { return entry.first; });
    if (found == kinds.end()) throw InternalError("signature: unknown kind " + std::string(name));
    return found->second;
}

Parameter parse_parameter(std::string_view text) {
    Parameter parameter;
    text = trim(text);
    if (text.starts_with('*')) {
        parameter.name = text.substr(1);
        parameter.kind = ParameterKind::variadic;
        parameter.required = false;
        return parameter;
    }
    const std::size_t equals = text.find('=');
    if (equals != std::string_view::npos) {
        parameter.default_text = trim(text.substr(equals + 1));
        parameter.required = false;
        text = trim(text.substr(0, equals));
    }
    const std::size_t colon = text.find(':');
    parameter.name = trim(text.substr(0, colon));
    if (colon != std::string_view::npos) parameter.kind = kind_named(trim(text.substr(colon + 1)));
    if (parameter.name.empty()) throw InternalError("signature: a parameter has no name");
    return parameter;
}

} // namespace

std::size_t Signature::required_count() const {
    return static_cast<std::size_t>(std::ranges::count_if(parameters, [](const Parameter& parameter) { return parameter.required; }));
}

Signature parse_signature(std::string_view text) {
    Signature signature;
    const std::size_t open = text.find('(');
    signature.name = trim(text.substr(0, open));
    if (open == std::string_view::npos) return signature;
    const std::size_t close = text.rfind(')');
    if (close == std::string_view::npos || close < open) throw InternalError("signature: no closing parenthesis");
    std::string_view inside = text.substr(open + 1, close - open - 1);
    int depth = 0;
    bool quoted = false;
    std::size_t begin = 0;
    for (std::size_t i = 0; i <= inside.size(); ++i) {
        const char c = i < inside.size() ? inside[i] : ',';
        if (c == '"') quoted = !quoted;
        if (c == '(') ++depth;
        if (c == ')') --depth;
        if (c != ',' || (i < inside.size() && (depth > 0 || quoted))) continue;
        if (const std::string_view part = trim(inside.substr(begin, i - begin)); !part.empty()) signature.parameters.push_back(parse_parameter(part));
        begin = i + 1;
    }
    return signature;
}

} // namespace vmaprun
