// What the three printed forms of a graph share: numbers of values, names of lanes, places, numbers as text.
#pragma once

#include <map>
#include <string>
#include <string_view>

#include "ir/graph.hpp"
#include "ir/op.hpp"

namespace vmaprun::printing {

inline constexpr std::int64_t largest_shown = 16; // elements of a constant that are printed

// Numbers every value of a graph and of its sub-graphs, in the order of the text.
class ValueNumbers {
  public:
    explicit ValueNumbers(const Graph& graph) { walk(graph); }
    std::size_t of(Value value) const { return numbers_.at(value); }
    std::string text(Value value) const { return "%" + std::to_string(of(value)); }

  private:
    void walk(const Graph& graph);
    std::map<Value, std::size_t> numbers_;
};

// The axis name where no other lane has the same; else with the lane's number.
std::string lane_name(const Program& program, LaneId lane);
std::string lanes_text(const Program& program, const Lanes& lanes); // "n=100, m=k"; empty without lanes

// "then", "else", "condition", "body".
std::string_view body_name(const Node& node, std::size_t body);

// "weak i64[4]".
std::string type_text(const TensorType& type);

// The source of the script itself, as far as the graph tells: where the outermost calls stand. Null without places.
const Source* main_source(const Graph& graph);

enum class Notation { text, json }; // json: NaN and infinities in quotes

// The attribute of lane, unlane and lane_index that holds a lane id; -1 for other ops.
int lane_attribute(const Node& node);

// The size that a constant stands for while it isn't known; null for other nodes.
const Dim* unknown_size(const Node& node);

// One element at `data`: the shortest text that reads back to the same value.
std::string element_text(DType dtype, const std::byte* data, Notation notation);
// "[[1, 2], [3, 4]]".
std::string elements_text(const Array& array, Notation notation);
std::string real_text(double value, Notation notation);
// In double quotes, with JSON's escapes; what is no UTF-8 becomes U+FFFD.
std::string quoted(std::string_view text);

} // namespace vmaprun::printing
