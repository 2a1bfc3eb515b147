// What a run gives: the outputs of a script with their values.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "io/json_writer.hpp"
#include "io/tree.hpp"
#include "trace/trace.hpp"
#include "vmaprun.hpp"

namespace vmaprun {

struct ResultData {
    std::vector<std::pair<std::string, Tree>> outputs;
    int threads = 0; // as Options has them
    std::vector<std::string> placed;

    bool lone() const { return outputs.size() == 1 && outputs.front().first.empty(); }
    const Tree& tree(const std::string& name) const {
        for (const auto& [each, tree] : outputs) {
            if (each == name) return tree;
        }
        throw InternalError("a result has no output `" + name + "`");
    }
};

// As the library's users say it; `threads`: that may work on large tensors, 0: all.
JsonStyle style_of(const JsonFormat& format, int threads);

// An output's tree, filled with the arrays of a run.
Tree tree_of(const OutputTree& shape, const std::vector<Array>& arrays);

} // namespace vmaprun
