#include "ir/printer_parts.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>

#include "base/json_text.hpp"
#include "ir/structural.hpp"

namespace vmaprun::printing {

void ValueNumbers::walk(const Graph& graph) {
    for (const Node& node : graph.nodes) {
        for (const std::uint32_t result : node.results) numbers_.try_emplace(Value{graph.id, result}, numbers_.size());
        for (const auto& body : node.bodies) walk(*body);
    }
}

std::string lane_name(const Program& program, LaneId lane) {
    const std::string& name = program.lanes[lane].name;
    if (name.empty()) return "lane" + std::to_string(lane);
    const auto same = std::ranges::count(program.lanes, name, &LaneAxis::name);
    return same == 1 ? name : name + "." + std::to_string(lane);
}

std::string lanes_text(const Program& program, const Lanes& lanes) {
    std::string text;
    for (const LaneId lane : lanes) {
        if (!text.empty()) text += ", ";
        text += lane_name(program, lane) + "=" + program.lanes[lane].size.text();
    }
    return text;
}

std::string_view body_name(const Node& node, std::size_t body) {
    const std::string_view op = node.op->name();
    if (op == "if") return body == 0 ? "then" : "else";
    return op == "while" && body == 0 ? "condition" : "body";
}

std::string type_text(const TensorType& type) { return (type.weak ? "weak " : "") + type.text(); }

const Source* main_source(const Graph& graph) {
    const Source* source = nullptr;
    for (const Node& node : graph.nodes) {
        const Origin* origin = node.origin;
        while (origin != nullptr && origin->caller != nullptr) origin = origin->caller;
        if (origin != nullptr && origin->span) source = origin->span.source; // the last one: imports come first
    }
    return source;
}

int lane_attribute(const Node& node) {
    if (is(node, lane_op) || is(node, unlane_op)) return 1;
    return is(node, lane_index_op) ? 0 : -1;
}

const Dim* unknown_size(const Node& node) { return is(node, constant_op) && node.attributes.size() > 1 ? node.dims(1).data() : nullptr; }

namespace {

template <class T> std::string number_text(T value) {
    char buffer[64];
    const auto end = std::to_chars(buffer, buffer + sizeof buffer, value).ptr;
    return {buffer, end};
}

template <class T> std::string floating_text(T value, Notation notation) {
    if (!std::isfinite(value)) {
        const std::string name = std::isnan(value) ? "NaN" : value < 0 ? "-Infinity" : "Infinity";
        return notation == Notation::json ? "\"" + name + "\"" : name;
    }
    std::string text = number_text(value);
    if (text.find_first_of(".e") == std::string::npos) text += ".0";
    return text;
}

void append_elements(std::string& text, const Array& array, std::size_t axis, const std::byte*& element, Notation notation) {
    if (axis == array.rank()) {
        text += element_text(array.dtype(), element, notation);
        element += size_of(array.dtype());
        return;
    }
    text += "[";
    for (std::int64_t i = 0; i < array.shape()[axis]; ++i) {
        if (i > 0) text += ", ";
        append_elements(text, array, axis + 1, element, notation);
    }
    text += "]";
}

} // namespace

std::string real_text(double value, Notation notation) { return floating_text(value, notation); }

std::string element_text(DType dtype, const std::byte* data, Notation notation) {
    return visit_dtype(dtype, [&]<class T>(TypeTag<T>) -> std::string {
        const T value = *reinterpret_cast<const T*>(data);
        if constexpr (std::is_same_v<T, bool>) return value ? "true" : "false";
        else if constexpr (std::is_same_v<T, KeyWords>) return "[" + number_text(value.high) + ", " + number_text(value.low) + "]";
        else if constexpr (is_complex_type<T>) return "[" + floating_text(value.real(), notation) + ", " + floating_text(value.imag(), notation) + "]";
        else if constexpr (std::is_floating_point_v<T>) return floating_text(value, notation);
        else return number_text(value);
    });
}

std::string elements_text(const Array& array, Notation notation) {
    const Array whole = array.contiguous();
    const std::byte* element = whole.view().data;
    std::string text;
    append_elements(text, whole, 0, element, notation);
    return text;
}

std::string quoted(std::string_view text) { return json_text(text); }

} // namespace vmaprun::printing
