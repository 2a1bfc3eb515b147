// Holds every row's independence rule to what it says, over cases.txt and independence.txt: a graph in which one node is cut
// along one axis (computed slice by slice) gives the bits that it gives whole; and so does one in which the axis is followed
// from an input as far as it goes. A row that has a rule must have been cut at least once.
#include <cstdio>
#include <iostream>
#include <set>

#include "law_cases.hpp"
#include "ops/lowering.hpp"
#include "syntax/diagnostics.hpp"
#include "transform/independence.hpp"

namespace {

using namespace vmaprun;

int failures = 0;
std::size_t checked = 0;
std::set<const Op*> cut_rows;

void fail(const std::string& script, const std::string& what) {
    if (++failures <= 20) std::cout << "FAILED " << what << "\n" << script << "\n";
}

class Checking {
  public:
    Checking(std::string script, const Graph& graph, std::vector<Array> inputs) : script_(std::move(script)), graph_(graph), inputs_(std::move(inputs)) {
        RunOptions options;
        options.threads = 1;
        whole_ = run(graph, inputs_, options);
    }

    void check() {
        for (const Node& node : graph_.nodes) {
            for (std::size_t axis = 0; !node.results.empty() && axis < graph_.values[node.results[0]].type.rank(); ++axis) cut_alone(node, axis);
        }
        for (const Value input : graph_.inputs) {
            for (std::size_t axis = 0; axis < graph_.type(input).rank(); ++axis) {
                const Cut cut = follow_axis(graph_, input, static_cast<std::int64_t>(axis));
                if (!cut.is_empty()) compare(cut, "axis " + std::to_string(axis) + " of " + graph_.type(input).text() + " followed");
            }
        }
    }

  private:
    void cut_alone(const Node& node, std::size_t axis) {
        if (!along_axis(graph_, node, axis)) return;
        cut_rows.insert(node.op);
        Cut cut;
        cut.size = graph_.values[node.results[0]].type.shape[axis];
        cut.axis.assign(graph_.values.size(), Cut::none);
        cut.is_view.assign(graph_.values.size(), false);
        for (const std::uint32_t result : node.results) cut.axis[result] = static_cast<std::int64_t>(axis);
        compare(cut, std::string(node.op->name()) + " along axis " + std::to_string(axis));
    }

    void compare(const Cut& cut, const std::string& what) {
        ++checked;
        try {
            const auto graph = apply_cut(graph_, cut, {});
            verify(*graph);
            for (const std::int64_t block : {1, 2, 0}) {
                RunOptions options;
                options.block = block;
                options.threads = block == 2 ? 2 : 1;
                const std::vector<Array> found = run(*graph, inputs_, options);
                for (std::size_t i = 0; i < found.size(); ++i) {
                    if (!same_bits(whole_[i], found[i])) return fail(script_, what + ", blocks of " + std::to_string(block));
                }
            }
        } catch (const std::exception& failure) {
            fail(script_, what + ": " + failure.what());
        }
    }

    std::string script_;
    const Graph& graph_;
    std::vector<Array> inputs_, whole_;
};

void check(const Case& one, std::mt19937& random) {
    Inputs inputs;
    std::string text;
    for (const Operand& operand : one.operands) {
        inputs.arrays[operand.name] = random_array(operand.dtype, operand.shape, operand, random);
        const std::string dtype(name_of(operand.dtype));
        text += "input " + operand.name + ": " + (operand.shape.empty() ? dtype : dtype + "[...]") + "\n";
    }
    text += "output result = " + one.expression + "\n";
    Script script(text);
    try {
        const Traced traced = script.trace_with(inputs, false);
        std::vector<Array> arrays;
        for (const TracedInput& input : traced.inputs) arrays.push_back(inputs.arrays.at(input.name));
        Checking(text, *traced.graph, std::move(arrays)).check();
    } catch (const UserError& failure) {
        fail(text, render(failure.diagnostics().front(), {}));
    }
}

void check_coverage() {
    for (const std::span<const Op> family : all_ops()) {
        for (const Op& row : family) {
            const bool has_rule = row.type != nullptr && (row.independence != nullptr || row.tile != nullptr);
            if (has_rule && !cut_rows.contains(&row)) fail(std::string(row.name()), "no case in which this row is cut along an axis");
        }
    }
}

} // namespace

int main(int argc, char** argv) {
    std::mt19937 random(20260101);
    for (int file = 1; file < argc; ++file) {
        const std::vector<Case> cases = read_cases(argv[file]);
        if (cases.empty()) fail(argv[file], "no cases");
        for (const Case& one : cases) check(one, random);
    }
    check_coverage();
    std::cout << checked << " cuts, " << failures << " failures\n";
    return failures == 0 ? 0 : 1;
}
