// The text form. The others: printer_json.cpp, printer_dot.cpp.
#include "ir/printer.hpp"

#include "ir/printer_parts.hpp"
#include "ir/structural.hpp"

namespace vmaprun {
namespace {

using namespace printing;

class TextPrinter {
  public:
    TextPrinter(const Graph& graph, const GraphNames& names) : graph_(graph), names_(names), numbers_(graph), main_(main_source(graph)) {}

    std::string run() {
        for (const Node& node : graph_.nodes) print(graph_, node, 0);
        for (std::size_t i = 0; i < graph_.outputs.size(); ++i) {
            const std::string name = i < names_.outputs.size() && !names_.outputs[i].empty() ? names_.outputs[i] + " = " : "";
            out_ += "output " + name + numbers_.text(graph_.outputs[i]) + "\n";
        }
        return std::move(out_);
    }

  private:
    std::string typed(const Graph& graph, Value value) const {
        const Lanes& lanes = graph.lanes(value);
        return numbers_.text(value) + ": " + type_text(graph.type(value)) + (lanes.empty() ? "" : " lanes[" + lanes_text(*graph.program, lanes) + "]");
    }

    void print(const Graph& graph, const Node& node, std::size_t depth) {
        out_ += std::string(4 * depth, ' ');
        for (std::size_t i = 0; i < node.results.size(); ++i) out_ += (i > 0 ? ", " : "") + typed(graph, graph.result(node, i));
        if (!node.results.empty()) out_ += " = ";
        out_ += std::string(node.op->name()) + "(";
        for (std::size_t i = 0; i < node.operands.size(); ++i) out_ += (i > 0 ? ", " : "") + numbers_.text(node.operands[i]);
        const std::string attributes = attributes_text(graph, node);
        if (!attributes.empty()) out_ += (node.operands.empty() ? "" : "; ") + attributes;
        out_ += ")" + place(node) + "\n";
        for (std::size_t i = 0; i < node.bodies.size(); ++i) print_body(*node.bodies[i], body_name(node, i), depth + 1);
    }

    void print_body(const Graph& body, std::string_view name, std::size_t depth) {
        const std::string indent(4 * depth, ' ');
        out_ += indent + std::string(name) + "(";
        const std::size_t own = body.inputs.size() - body.captured.size();
        for (std::size_t i = 0; i < body.inputs.size(); ++i) {
            out_ += (i > 0 ? ", " : "") + typed(body, body.inputs[i]);
            if (i >= own) out_ += " from " + numbers_.text(body.captured[i - own]);
        }
        out_ += "):\n";
        for (const Node& node : body.nodes) {
            if (!is(node, parameter_op)) print(body, node, depth + 1);
        }
        out_ += indent + "    give ";
        for (std::size_t i = 0; i < body.outputs.size(); ++i) out_ += (i > 0 ? ", " : "") + numbers_.text(body.outputs[i]);
        if (body.outputs.empty()) out_ += "nothing";
        out_ += "\n";
    }

    static std::string array_text(const Array& array) {
        if (array.size() <= largest_shown && array.size() > 0) return elements_text(array, Notation::text);
        std::string text = std::string(name_of(array.dtype())) + shape_text(array.shape()) + "{";
        const Array whole = array.contiguous();
        const auto step = size_of(array.dtype());
        for (std::size_t i = 0; i < 3 && array.size() > 0; ++i) text += element_text(array.dtype(), whole.view().data + i * step, Notation::text) + ", ";
        return text + (array.size() > 0 ? "\u2026}" : "}");
    }

    static std::string attribute_text(const Attribute& attribute) {
        return std::visit(
            [](const auto& value) -> std::string {
                using T = std::decay_t<decltype(value)>;
                if constexpr (std::is_same_v<T, Absent>) return "none";
                else if constexpr (std::is_same_v<T, bool>) return value ? "true" : "false";
                else if constexpr (std::is_same_v<T, std::int64_t>) return std::to_string(value);
                else if constexpr (std::is_same_v<T, double>) return real_text(value, Notation::text);
                else if constexpr (std::is_same_v<T, std::string>) return quoted(value);
                else if constexpr (std::is_same_v<T, DType>) return std::string(name_of(value));
                else if constexpr (std::is_same_v<T, Dims>) return value.empty() ? "[]" : dims_text(value);
                else return array_text(*value);
            },
            attribute);
    }

    std::string attributes_text(const Graph& graph, const Node& node) const {
        const int lane = lane_attribute(node);
        if (lane >= 0) {
            const std::string name = "lane=" + lane_name(*graph.program, static_cast<LaneId>(node.integer(static_cast<std::size_t>(lane))));
            return lane == 0 ? name : "axis=" + std::to_string(node.integer(0)) + ", " + name;
        }
        if (const Dim* size = unknown_size(node)) return size->text();
        std::string text;
        for (const Attribute& attribute : node.attributes) text += (text.empty() ? "" : ", ") + attribute_text(attribute);
        return text;
    }

    std::string place(const Node& node) const {
        if (node.origin == nullptr || !node.origin->span) return "";
        const Span span = node.origin->span;
        const std::string line = std::to_string(span.source->position(span.begin).line);
        return span.source == main_ ? "  # line " + line : "  # " + span.source->name() + ":" + line;
    }

    const Graph& graph_;
    const GraphNames& names_;
    ValueNumbers numbers_;
    const Source* main_;
    std::string out_;
};

} // namespace

std::string graph_text(const Graph& graph, const GraphNames& names) { return TextPrinter(graph, names).run(); }

} // namespace vmaprun
