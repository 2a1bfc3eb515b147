// DOT: a box a node, a cluster a body, an ellipse an output. A box has a stripe of colour for each of its lanes, the same
// colour everywhere for the same lane; white boxes are computed once.
#include "ir/printer.hpp"
#include "ir/printer_parts.hpp"
#include "ir/structural.hpp"

namespace vmaprun {
namespace {

using namespace printing;

constexpr std::string_view palette[] = {"#cfe8ff", "#ffe2b8", "#d4f2cf", "#f5d0e6", "#e3d9ff", "#fff3a8", "#c9f0ee", "#f6cfc4"};

class DotPrinter {
  public:
    DotPrinter(const Graph& graph, const GraphNames& names) : graph_(graph), names_(names), numbers_(graph) {}

    std::string run() {
        out_ = "digraph vmaprun {\n    rankdir=TB;\n    node [shape=box, style=filled, fillcolor=white, fontname=\"monospace\"];\n";
        print(graph_, 1, "n");
        for (std::size_t i = 0; i < graph_.outputs.size(); ++i) {
            const std::string name = i < names_.outputs.size() && !names_.outputs[i].empty() ? names_.outputs[i] : "output";
            const std::string id = "output" + std::to_string(i);
            out_ += "    " + id + " [label=" + quoted(name) + ", shape=ellipse];\n";
            edge(1, graph_, graph_.outputs[i], "n", id, "");
        }
        return std::move(out_) + "}\n";
    }

  private:
    // Boxes are named by their place, not by their values: a check makes none.
    static std::string box(const std::string& prefix, std::size_t node) { return prefix + std::to_string(node); }

    void edge(std::size_t depth, const Graph& graph, Value value, const std::string& prefix, const std::string& to, std::string_view style) {
        const ValueInfo& info = graph.info(value);
        std::string options(style);
        if (graph.maker(value).results.size() > 1) options += (options.empty() ? "" : ", ") + ("label=" + quoted(numbers_.text(value)));
        out_ += std::string(4 * depth, ' ') + box(prefix, info.node) + " -> " + to + (options.empty() ? "" : " [" + options + "]") + ";\n";
    }

    void print(const Graph& graph, std::size_t depth, const std::string& prefix) {
        for (std::size_t i = 0; i < graph.nodes.size(); ++i) {
            const Node& node = graph.nodes[i];
            const std::string name = box(prefix, i);
            out_ += std::string(4 * depth, ' ') + name + " [label=" + label(graph, node) + colours(node) + "];\n";
            for (const Value operand : node.operands) edge(depth, graph, operand, prefix, name, "");
            for (std::size_t k = 0; k < node.bodies.size(); ++k) print_body(graph, node, k, depth, prefix, name);
        }
    }

    void print_body(const Graph& graph, const Node& node, std::size_t index, std::size_t depth, const std::string& prefix, const std::string& name) {
        const Graph& body = *node.bodies[index];
        const std::string inner = name + "_" + std::to_string(index) + "_";
        const std::string indent(4 * depth, ' ');
        out_ += indent + "subgraph cluster_" + inner + " {\n" + indent + "    label=" + quoted(std::string(node.op->name()) + ": " + std::string(body_name(node, index))) + ";\n";
        print(body, depth + 1, inner);
        out_ += indent + "}\n";
        const std::size_t own = body.inputs.size() - body.captured.size();
        for (std::size_t i = 0; i < body.captured.size(); ++i) {
            edge(depth, graph, body.captured[i], prefix, box(inner, body.info(body.inputs[own + i]).node), "style=dotted");
        }
        for (const Value output : body.outputs) edge(depth, body, output, inner, name, "style=dashed");
    }

    std::string label(const Graph& graph, const Node& node) const {
        std::string text(node.op->name());
        if (is(node, constant_op)) {
            const Array& array = *std::get<std::shared_ptr<const Array>>(node.attributes[0]);
            if (const Dim* size = unknown_size(node)) text = size->text();
            else if (array.size() <= largest_shown) text = elements_text(array, Notation::text);
        } else if (is(node, parameter_op) && !node.text(0).empty()) {
            text = node.text(0);
        }
        for (std::size_t i = 0; i < node.results.size(); ++i) {
            const Value value = graph.result(node, i);
            text += "\n" + numbers_.text(value) + ": " + type_text(graph.type(value));
        }
        if (!node.lanes.empty()) text += "\nlanes " + lanes_text(*graph.program, node.lanes);
        if (node.origin != nullptr && node.origin->span) text += "\nline " + std::to_string(node.origin->span.source->position(node.origin->span.begin).line);
        return quoted(text);
    }

    static std::string colours(const Node& node) {
        if (node.lanes.empty()) return "";
        std::string list;
        for (const LaneId lane : node.lanes) list += (list.empty() ? "" : ":") + std::string(palette[lane % std::size(palette)]);
        return std::string(node.lanes.size() > 1 ? ", style=striped" : "") + ", fillcolor=\"" + list + "\"";
    }

    const Graph& graph_;
    const GraphNames& names_;
    ValueNumbers numbers_;
    std::string out_;
};

} // namespace

std::string graph_dot(const Graph& graph, const GraphNames& names) { return DotPrinter(graph, names).run(); }

} // namespace vmaprun
