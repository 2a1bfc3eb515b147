// What the tests of the laws share: the cases of cases.txt and its like, random data for them, and scripts made of them.
#pragma once

#include <algorithm>
#include <cmath>
#include <complex>
#include <fstream>
#include <map>
#include <random>
#include <sstream>

#include "exec/run.hpp"
#include "syntax/parser.hpp"
#include "trace/trace.hpp"
#include "transform/pass.hpp"

namespace vmaprun {

struct Operand {
    std::string name;
    DType dtype = DType::f32;
    Shape shape;
    double low = -2, high = 2;
};
struct Case {
    std::string expression;
    std::vector<Operand> operands;
};

inline Operand parse_operand(const std::string& text) {
    Operand operand;
    std::istringstream words(text);
    std::string type, range;
    words >> operand.name;
    std::getline(words, type, ']');
    std::getline(words, range);
    const std::size_t open = type.find('[');
    const std::size_t first = type.find_first_not_of(' ');
    operand.dtype = *dtype_named(type.substr(first, open - first));
    std::istringstream sizes(type.substr(open + 1));
    for (std::string size; std::getline(sizes, size, ',');) operand.shape.push_back(std::stoll(size));
    if (const std::size_t dots = range.find(".."); dots != std::string::npos) {
        operand.low = std::stod(range.substr(0, dots));
        operand.high = std::stod(range.substr(dots + 2));
    }
    return operand;
}

inline std::vector<Case> read_cases(const char* path) {
    std::vector<Case> cases;
    std::ifstream in(path);
    for (std::string line; std::getline(in, line);) {
        if (line.empty() || line[0] == '#') continue;
        const std::size_t bar = line.rfind(" | ");
        Case one{line.substr(0, bar), {}};
        std::istringstream operands(line.substr(bar + 3));
        for (std::string operand; std::getline(operands, operand, ';');) one.operands.push_back(parse_operand(operand));
        cases.push_back(std::move(one));
    }
    return cases;
}

inline Array random_array(DType dtype, const Shape& shape, const Operand& operand, std::mt19937& random) {
    Array array(dtype, shape);
    std::uniform_real_distribution<double> uniform(operand.low, operand.high);
    visit_dtype(dtype, [&]<class T>(TypeTag<T>) {
        for (std::int64_t i = 0; i < array.size(); ++i) {
            const double number = uniform(random);
            if constexpr (std::is_same_v<T, bool>) array.as<T>()[i] = number > (operand.low + operand.high) / 2;
            else if constexpr (std::is_integral_v<T>) array.as<T>()[i] = static_cast<T>(std::floor(number));
            else if constexpr (std::is_floating_point_v<T>) array.as<T>()[i] = static_cast<T>(number);
            else if constexpr (is_complex_type<T>) array.as<T>()[i] = T(static_cast<T::value_type>(number), static_cast<T::value_type>(uniform(random)));
            else array.as<T>()[i] = T{};
        }
    });
    return array;
}

class Inputs : public InputSource {
  public:
    std::map<std::string, Array> arrays;
    std::optional<Arriving> arriving(const std::string& name, const DeclaredType&, bool) override {
        const auto found = arrays.find(name);
        if (found == arrays.end()) return std::nullopt;
        Arriving arriving;
        arriving.tensor = {found->second.dtype(), found->second.shape(), found->second};
        arriving.place = "the test";
        return arriving;
    }
};

// Folds only what axes and sizes are made of: everything else is left to the run.
inline std::vector<Array> fold_sizes(const Graph& graph, const Node& node, std::span<const Array> operands) {
    const bool sizes = std::ranges::all_of(operands, [](const Array& a) { return a.rank() == 0 && (is_integer(a.dtype()) || a.dtype() == DType::boolean); });
    return sizes ? fold_node(graph, node, operands) : std::vector<Array>{};
}

// One script of two output trees, by vmap and by unroll.
class Script {
  public:
    explicit Script(const std::string& text) : source_("law.vm", text), parsed_(parse(source_)) {}
    Traced trace_with(Inputs& inputs, bool fold) {
        if (!parsed_.errors.empty()) throw UserError(parsed_.errors);
        TraceOptions options;
        options.folder = fold ? Folder(fold_node) : Folder(fold_sizes);
        return trace(parsed_.script, inputs, options);
    }

  private:
    Source source_;
    ParseResult parsed_;
};

inline std::vector<Array> run_traced(const Traced& traced, const Inputs& inputs, const RunOptions& options) {
    std::vector<Array> arrays;
    for (const TracedInput& input : traced.inputs) arrays.push_back(inputs.arrays.at(input.name));
    // Eager mode runs the graph as it was traced, the others as the passes leave it.
    const auto graph = options.mode == RunOptions::Mode::eager ? traced.graph : run_passes(traced.graph);
    verify(*graph);
    return run(*graph, std::move(arrays), options);
}

} // namespace vmaprun
