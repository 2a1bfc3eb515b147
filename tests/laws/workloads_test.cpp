// usage: test_workloads WORKLOADS FOLDER. Both laws over the scripts of the benchmark, in FOLDER: the same bits with vmap
// written as unroll, in blocks of 1 lane, of 7, of all and as the plan has them, on 1, 2 and 5 threads, and operation by
// operation.
#include <iostream>
#include <set>

#include "law_cases.hpp"
#include "syntax/diagnostics.hpp"

namespace {

using namespace vmaprun;

int failures = 0;

void fail(const std::string& what) {
    ++failures;
    std::cout << "FAILED " << what << "\n";
}

std::string script_at(const std::string& path) {
    std::ifstream file(path);
    return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

std::string with(std::string text, const std::string& from, const std::string& to) {
    for (std::size_t at = text.find(from); at != std::string::npos; at = text.find(from, at + to.size())) text.replace(at, from.size(), to);
    return text;
}

// The script with every map written out lane by lane.
std::string unrolled(const std::string& text) {
    return with(with(text, "[steps(cr, ci) for ci in im for cr in re]", "unroll(ci => unroll(cr => steps(cr, ci))(re))(im)"), "vmap(", "unroll(");
}

bool same(const std::vector<Array>& a, const std::vector<Array>& b) {
    return std::ranges::equal(a, b, [](const Array& x, const Array& y) { return same_bits(x, y); });
}

void check(const Case& one, const std::string& text, bool also_unrolled, std::mt19937& random) {
    Inputs inputs;
    std::string what = one.expression;
    for (const Operand& operand : one.operands) {
        inputs.arrays[operand.name] = random_array(operand.dtype, operand.shape, operand, random);
        what += " " + operand.name + shape_text(operand.shape);
    }
    std::optional<Script> held, written_out; // outlive the messages that quote them
    try {
        const Traced traced = held.emplace(text).trace_with(inputs, true);
        RunOptions options;
        options.threads = 1;
        const std::vector<Array> reference = run_traced(traced, inputs, options);
        if (also_unrolled && !same(reference, run_traced(written_out.emplace(unrolled(text)).trace_with(inputs, true), inputs, options))) fail(what + ": unrolled");
        for (const std::int64_t block : {std::int64_t{1}, std::int64_t{7}, std::int64_t{0}, std::int64_t{1} << 40}) {
            for (const int threads : {1, 2, 5}) {
                options.block = block;
                options.threads = threads;
                if (!same(reference, run_traced(traced, inputs, options))) fail(what + ": blocks of " + std::to_string(block) + " on " + std::to_string(threads) + " threads");
            }
        }
        options = {};
        options.mode = RunOptions::Mode::eager;
        if (!same(reference, run_traced(traced, inputs, options))) fail(what + ": eager");
    } catch (const UserError& failure) {
        fail(what + ":\n" + render(failure.diagnostics().front(), {}));
    }
}

} // namespace

int main(int argc, char** argv) {
    if (argc != 3) return 2;
    std::mt19937 random(20261125);
    std::set<std::string> met;
    std::size_t checked = 0;
    for (const Case& one : read_cases(argv[1])) {
        const std::string name = one.expression.substr(0, one.expression.find('*'));
        check(one, script_at(std::string(argv[2]) + "/" + name + ".vm"), met.insert(name).second && name == one.expression, random);
        ++checked;
    }
    std::cout << checked << " workloads, " << failures << " failures\n";
    return failures == 0 && checked > 0 ? 0 : 1;
}
