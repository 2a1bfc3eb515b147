// Holds the two laws over cases.txt, which must name every builtin.
//   Law 1: vmap(f) gives the bits of unroll(f), for every choice of mapped operands and their axes, for sizes 0 to 4 and
//          around the SIMD width.
//   Law 2: the same bits for every block size and thread count, and in eager mode.
// Part P of N takes every N-th case, so that parts can run side by side.
#include <algorithm>
#include <cstdio>
#include <iostream>

#include "law_cases.hpp"
#include "syntax/diagnostics.hpp"
#include "trace/functions.hpp"
#include "transform/pass.hpp"

namespace {

using namespace vmaprun;

void leaves(const OutputTree& tree, std::vector<std::size_t>& outputs) {
    if (tree.form == OutputTree::Form::tensor) outputs.push_back(tree.output);
    for (const OutputTree& item : tree.items) leaves(item, outputs);
}

int failures = 0;

void fail(const std::string& script, const std::string& what) {
    if (++failures <= 20) std::cout << "FAILED " << what << "\n" << script << "\n";
}

// How one operand is mapped: -1 not at all, else the axis.
using Axes = std::vector<int>;

std::vector<Axes> choices(const Case& one) {
    std::vector<Axes> all{{}};
    for (const Operand& operand : one.operands) {
        std::vector<Axes> longer;
        for (const Axes& axes : all) {
            for (int axis = -1; axis <= static_cast<int>(operand.shape.size()); ++axis) {
                // Beyond three operands or axes, first and last stand for all.
                if (axis > 0 && axis < static_cast<int>(operand.shape.size()) && one.operands.size() > 1) continue;
                longer.push_back(axes);
                longer.back().push_back(axis);
            }
        }
        all = std::move(longer);
    }
    std::erase_if(all, [](const Axes& axes) { return std::ranges::all_of(axes, [](int axis) { return axis < 0; }); });
    return all;
}

void check(const Case& one, const Axes& axes, std::int64_t lanes, bool schedules, std::mt19937& random) {
    Inputs inputs;
    std::string parameters, declared, in_axes, arguments;
    for (std::size_t i = 0; i < one.operands.size(); ++i) {
        const Operand& operand = one.operands[i];
        Shape shape = operand.shape;
        if (axes[i] >= 0) shape.insert(shape.begin() + axes[i], lanes);
        inputs.arrays[operand.name] = random_array(operand.dtype, shape, operand, random);
        const std::string comma = i > 0 ? ", " : "";
        parameters += comma + operand.name;
        arguments += comma + operand.name;
        in_axes += (axes[i] < 0 ? "none" : std::to_string(axes[i])) + std::string(", ");
        declared += "input " + operand.name + ": " + (shape.empty() ? std::string(name_of(operand.dtype)) : std::string(name_of(operand.dtype)) + "[...]") + "\n";
    }
    in_axes.resize(in_axes.size() - (one.operands.size() > 1 ? 2 : 1));
    const std::string text = declared + "let f = (" + parameters + ") => " + one.expression + "\noutput by_vmap = vmap(f, in_axes=(" + in_axes + "))(" + arguments +
                             ")\noutput by_unroll = unroll(f, in_axes=(" + in_axes + "))(" + arguments + ")\n";
    const std::string what = one.expression + " over " + std::to_string(lanes) + " lanes, in_axes (" + in_axes + ")";
    std::optional<Script> held; // outlives the messages that quote it
    try {
        Script& script = held.emplace(text);
        const Traced traced = script.trace_with(inputs, true);
        RunOptions options;
        options.threads = 1;
        const std::vector<Array> reference = run_traced(traced, inputs, options);
        std::vector<std::size_t> mapped, unrolled;
        leaves(traced.outputs[0].tree, mapped);
        leaves(traced.outputs[1].tree, unrolled);
        if (mapped.size() != unrolled.size()) return fail(text, "law 1, structure: " + what);
        for (std::size_t i = 0; i < mapped.size(); ++i) {
            if (!same_bits(reference[mapped[i]], reference[unrolled[i]])) return fail(text, "law 1: " + what);
        }
        if (!schedules) return;
        const auto compare = [&](const std::vector<Array>& found, const std::string& how) {
            for (std::size_t i = 0; i < found.size(); ++i) {
                if (!same_bits(reference[i], found[i])) return fail(text, "law 2, " + how + ": " + what);
            }
        };
        for (const std::int64_t block : {1, 2, 3, 7}) {
            options.block = block;
            options.threads = block == 3 ? 2 : 1;
            compare(run_traced(traced, inputs, options), "blocks of " + std::to_string(block));
        }
        options = {};
        options.mode = RunOptions::Mode::eager;
        compare(run_traced(traced, inputs, options), "eager");
        compare(run_traced(script.trace_with(inputs, false), inputs, {}), "with sizes alone folded");
    } catch (const UserError& failure) {
        fail(text, what + ":\n" + render(failure.diagnostics().front(), {}));
    }
}

// The message of a run's fault without its lane; empty when it has none.
std::string fault_of(const Traced& traced, const Inputs& inputs, const RunOptions& options) {
    try {
        run_traced(traced, inputs, options);
        return {};
    } catch (const UserError& failure) {
        const Diagnostic& diagnostic = failure.diagnostics().front();
        return diagnostic.code + " " + diagnostic.message;
    }
}

// Faults: vmap meets the one that unroll meets, and every schedule the same one, lane included.
void check_fault(const Case& one, std::int64_t lanes, std::mt19937& random) {
    Inputs inputs;
    std::string parameters, declared;
    for (const Operand& operand : one.operands) {
        Shape shape = operand.shape;
        shape.insert(shape.begin(), lanes);
        inputs.arrays[operand.name] = random_array(operand.dtype, shape, operand, random);
        parameters += (parameters.empty() ? "" : ", ") + operand.name;
        declared += "input " + operand.name + ": " + std::string(name_of(operand.dtype)) + "[...]\n";
    }
    const auto script_of = [&](const std::string& transform) { return declared + "let f = (" + parameters + ") => " + one.expression + "\noutput " + transform + "(f)(" + parameters + ")\n"; };
    const std::string what = "faults of " + one.expression + " over " + std::to_string(lanes) + " lanes";
    Script mapped(script_of("vmap")), unrolled(script_of("unroll"));
    const Traced traced = mapped.trace_with(inputs, true);
    RunOptions options;
    options.threads = 1;
    const std::string reference = fault_of(traced, inputs, options);
    const std::string alone = fault_of(unrolled.trace_with(inputs, true), inputs, options);
    const auto without_lane = [](const std::string& message) { return message.substr(0, message.find(", in lane")); };
    if (without_lane(reference) != without_lane(alone)) return fail(script_of("vmap"), "law 1: " + what + ": " + reference + " / " + alone);
    for (const std::int64_t block : {1, 2, 3, 7, 0}) {
        options.block = block;
        options.threads = 2;
        options.mode = block == 0 ? RunOptions::Mode::eager : RunOptions::Mode::graph;
        const std::string found = fault_of(traced, inputs, options);
        if (found != reference) return fail(script_of("vmap"), "law 2: " + what + ": " + reference + " / " + found);
    }
}

void check_coverage(const std::vector<Case>& cases) {
    // Tested elsewhere: what takes no tensor, and checks.
    const std::vector<std::string_view> elsewhere = {"vmap", "assert_eq", "assert_close", "assert_finite", "debug", "pi", "e", "inf", "nan"};
    for (const std::string_view name : builtin_names()) {
        const bool named = std::ranges::find(elsewhere, name) != elsewhere.end() ||
                           std::ranges::any_of(cases, [&](const Case& one) { return one.expression.find(std::string(name) + "(") != std::string::npos; });
        if (!named) fail(std::string(name), "no case in cases.txt for the builtin");
    }
}

} // namespace

int main(int argc, char** argv) {
    if (argc < 4) return 2;
    const std::vector<Case> cases = read_cases(argv[1]);
    const std::size_t part = std::stoul(argv[2]), parts = std::stoul(argv[3]);
    if (part == 0) check_coverage(cases);
    std::mt19937 random(20260101);
    std::size_t checked = 0;
    if (part == 1) {
        const std::vector<Case> faults = read_cases((std::string(argv[1]).substr(0, std::string(argv[1]).rfind('/')) + "/faults.txt").c_str());
        for (const Case& one : faults) {
            for (int round = 0; round < 40; ++round) {
                check_fault(one, round % 5 == 4 ? 17 : round % 5 + 1, random);
                ++checked;
            }
        }
        if (faults.empty()) fail("faults.txt", "no cases of faults");
    }
    for (std::size_t i = part; i < cases.size(); i += parts) {
        for (const Axes& axes : choices(cases[i])) {
            for (const std::int64_t lanes : {0, 1, 2, 3, 4, 15, 16, 17}) {
                check(cases[i], axes, lanes, lanes == 3 || lanes == 17, random);
                ++checked;
            }
        }
    }
    std::cout << checked << " combinations, " << failures << " failures\n";
    return failures == 0 ? 0 : 1;
}
