// A check without data refuses no script that some sizes make right: every case of the files, each of its sizes a symbol of
// its own, alone and under vmap. And what it takes for granted after a demand is true: beside the case, each of its sizes is
// demanded to be what it is, one more is not.
#include <cstdio>
#include <iostream>

#include "law_cases.hpp"
#include "vmaprun.hpp"

namespace {

using namespace vmaprun;

int failures = 0, checked = 0;

// x: f32[x0, x1], in front the axes of `lead`.
std::string inputs_of(const Case& one, const std::string& lead) {
    std::string script;
    for (const Operand& operand : one.operands) {
        std::string sizes = lead;
        for (std::size_t axis = 0; axis < operand.shape.size(); ++axis) sizes += (sizes.empty() ? "" : ", ") + operand.name + std::to_string(axis) + "_";
        script += "input " + operand.name + ": " + std::string(name_of(operand.dtype)) + (sizes.empty() ? "" : "[" + sizes + "]") + "\n";
    }
    return script;
}

std::string names_of(const Case& one) {
    std::string names;
    for (const Operand& operand : one.operands) names += (names.empty() ? "" : ", ") + operand.name;
    return names;
}

// A demand of axis `axis` of an operand: it is contracted with that many ones.
std::string demand(const Operand& operand, std::size_t axis, std::int64_t size) {
    return "output tensordot(ones((" + std::to_string(size) + ",)), ones(" + operand.name + ".shape), axes=([0], [" + std::to_string(axis) + "]))\n";
}

void check(const std::string& script, bool right) {
    ++checked;
    const Result result = Session(Options()).check(script, "law.vm");
    if (result.ok() == right) return;
    if (++failures > 20) return;
    std::cout << "FAILED: " << (right ? "refused\n" : "accepted\n") << script;
    for (const Message& message : result.messages()) std::cout << message.human << "\n";
}

void check(const Case& one) {
    check(inputs_of(one, "") + "output " + one.expression + "\n", true);
    check(inputs_of(one, "lanes_") + "output vmap((" + names_of(one) + ") => " + one.expression + ")(" + names_of(one) + ")\n", true);
    std::string demands, script = inputs_of(one, "") + "output value = " + one.expression + "\n";
    int number = 0;
    for (const Operand& operand : one.operands) {
        for (std::size_t axis = 0; axis < operand.shape.size(); ++axis) {
            std::string each = demand(operand, axis, operand.shape[axis]);
            demands += each.insert(7, "d" + std::to_string(++number) + " = ");
        }
    }
    check(script + demands, true);
    if (number == 0) return;
    const Operand& first = *std::ranges::find_if(one.operands, [](const Operand& operand) { return !operand.shape.empty(); });
    check(script + demands + demand(first, 0, first.shape[0] + 1).insert(7, "wrong = "), false);
}

} // namespace

int main(int count, char** arguments) {
    for (int i = 1; i < count; ++i) {
        for (const Case& one : read_cases(arguments[i])) check(one);
    }
    std::printf("%d scripts checked, %d failures\n", checked, failures);
    return failures > 0 || checked < 1000 ? 1 : 0;
}
