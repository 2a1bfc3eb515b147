#include "ir/printer.hpp"
#include "ir/printer_parts.hpp"

namespace vmaprun {
namespace {

using namespace printing;

class JsonPrinter {
  public:
    JsonPrinter(const Graph& graph, const GraphNames& names) : graph_(graph), names_(names), numbers_(graph) {}

    std::string run() {
        out_ = "{\"lanes\": [";
        const auto& lanes = graph_.program->lanes;
        for (std::size_t i = 0; i < lanes.size(); ++i) {
            separate(i);
            out_ += "{\"id\": " + std::to_string(i) + ", \"name\": " + quoted(lanes[i].name) + ", \"size\": " + dim(lanes[i].size) + "}";
        }
        out_ += "],\n";
        members(graph_);
        out_ += ",\n\"outputs\": [";
        for (std::size_t i = 0; i < graph_.outputs.size(); ++i) {
            separate(i);
            const std::string name = i < names_.outputs.size() && !names_.outputs[i].empty() ? quoted(names_.outputs[i]) : "null";
            out_ += "{\"name\": " + name + ", \"value\": " + number(graph_.outputs[i]) + "}";
        }
        return std::move(out_) + "]}\n";
    }

  private:
    void separate(std::size_t i) { out_ += i > 0 ? ", " : ""; }
    std::string number(Value value) const { return std::to_string(numbers_.of(value)); }
    static std::string dim(const Dim& size) { return size.is_symbolic() ? quoted(size.text()) : std::to_string(size.value()); }

    static std::string dims(const Dims& sizes) {
        std::string text = "[";
        for (const Dim& size : sizes) text += (text.size() > 1 ? ", " : "") + dim(size);
        return text + "]";
    }

    std::string numbers(const std::vector<Value>& values) const {
        std::string text = "[";
        for (const Value value : values) text += (text.size() > 1 ? ", " : "") + number(value);
        return text + "]";
    }

    // "inputs" and "nodes".
    void members(const Graph& graph) {
        out_ += "\"inputs\": " + numbers(graph.inputs) + ", \"nodes\": [";
        for (std::size_t i = 0; i < graph.nodes.size(); ++i) {
            out_ += i > 0 ? ",\n" : "\n";
            node(graph, graph.nodes[i]);
        }
        out_ += "]";
    }

    void node(const Graph& graph, const Node& node) {
        out_ += "{\"op\": " + quoted(node.op->name()) + ", \"operands\": " + numbers(node.operands) + ", \"attributes\": [";
        for (std::size_t i = 0; i < node.attributes.size(); ++i) {
            separate(i);
            out_ += attribute(node.attributes[i]);
        }
        out_ += "], \"results\": [";
        for (std::size_t i = 0; i < node.results.size(); ++i) {
            separate(i);
            result(graph, graph.result(node, i));
        }
        out_ += "]";
        if (node.origin != nullptr && node.origin->span) {
            const Span span = node.origin->span;
            const Position position = span.source->position(span.begin);
            out_ += ", \"file\": " + quoted(span.source->name()) + ", \"line\": " + std::to_string(position.line) + ", \"column\": " + std::to_string(position.column);
        }
        if (!node.bodies.empty()) bodies(node);
        out_ += "}";
    }

    void bodies(const Node& node) {
        out_ += ", \"bodies\": [";
        for (std::size_t i = 0; i < node.bodies.size(); ++i) {
            const Graph& body = *node.bodies[i];
            separate(i);
            out_ += "{\"name\": " + quoted(body_name(node, i)) + ", \"captured\": " + numbers(body.captured) + ", ";
            members(body);
            out_ += ", \"outputs\": " + numbers(body.outputs) + "}";
        }
        out_ += "]";
    }

    void result(const Graph& graph, Value value) {
        const TensorType& type = graph.type(value);
        out_ += "{\"value\": " + number(value) + ", \"dtype\": " + quoted(name_of(type.dtype)) + ", \"shape\": " + dims(type.shape) +
                ", \"weak\": " + (type.weak ? "true" : "false") + ", \"lanes\": [";
        const Lanes& lanes = graph.lanes(value);
        for (std::size_t i = 0; i < lanes.size(); ++i) {
            separate(i);
            out_ += std::to_string(lanes[i]);
        }
        out_ += "]}";
    }

    static std::string attribute(const Attribute& attribute) {
        return std::visit(
            [](const auto& value) -> std::string {
                using T = std::decay_t<decltype(value)>;
                if constexpr (std::is_same_v<T, Absent>) return "null";
                else if constexpr (std::is_same_v<T, bool>) return value ? "true" : "false";
                else if constexpr (std::is_same_v<T, std::int64_t>) return std::to_string(value);
                else if constexpr (std::is_same_v<T, double>) return real_text(value, Notation::json);
                else if constexpr (std::is_same_v<T, std::string>) return quoted(value);
                else if constexpr (std::is_same_v<T, DType>) return quoted(name_of(value));
                else if constexpr (std::is_same_v<T, Dims>) return dims(value);
                else
                    return "{\"dtype\": " + quoted(name_of(value->dtype())) + ", \"shape\": " + dims(Dims(value->shape().begin(), value->shape().end())) +
                           ", \"data\": " + (value->size() <= largest_shown ? elements_text(*value, Notation::json) : "null") + "}";
            },
            attribute);
    }

    const Graph& graph_;
    const GraphNames& names_;
    ValueNumbers numbers_;
    std::string out_;
};

} // namespace

std::string graph_json(const Graph& graph, const GraphNames& names) { return JsonPrinter(graph, names).run(); }

} // namespace vmaprun
