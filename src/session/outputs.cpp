#include "session/outputs.hpp"

#include "base/error.hpp"
#include "base/text.hpp"

namespace vmaprun {
namespace {

void name_outputs(const OutputTree& tree, const std::string& name, std::vector<std::string>& names) {
    if (tree.form == OutputTree::Form::tensor) {
        if (names.size() <= tree.output) names.resize(tree.output + 1);
        names[tree.output] = name;
    }
    for (std::size_t i = 0; i < tree.items.size(); ++i) {
        const bool is_record = tree.form == OutputTree::Form::record;
        name_outputs(tree.items[i], is_record ? name + "." + tree.names[i] : name + "[" + std::to_string(i) + "]", names);
    }
}

enum class Instead { nothing, archive };

[[noreturn]] void fail_wanted(std::string message, const Traced& traced, Instead instead = Instead::nothing) {
    std::vector<std::string> names;
    for (const TracedOutput& output : traced.outputs) {
        if (!output.name.empty()) names.push_back("`" + output.name + "`");
    }
    Diagnostic diagnostic = error("E515", std::move(message)).exits(2);
    if (!names.empty()) diagnostic.helps.push_back("its outputs are " + join_and(names) + ": write `-o NAME=PATH`");
    if (instead == Instead::archive) diagnostic.helps.push_back("an .npz file holds several arrays: `-o PATH.npz` or `-f npz`");
    throw UserError(std::move(diagnostic));
}

} // namespace

std::string type_text(const OutputTree& tree, const Graph& graph) {
    if (tree.form == OutputTree::Form::none) return "none";
    if (tree.form == OutputTree::Form::tensor) return graph.type(graph.outputs.at(tree.output)).text();
    const bool is_record = tree.form == OutputTree::Form::record;
    std::vector<std::string> items;
    for (std::size_t i = 0; i < tree.items.size(); ++i) items.push_back((is_record ? tree.names[i] + ": " : std::string()) + type_text(tree.items[i], graph));
    if (is_record) return "{" + join(items, ", ") + "}";
    return "(" + join(items, ", ") + (items.size() == 1 ? ",)" : ")");
}

GraphNames graph_names(const Traced& traced) {
    GraphNames names;
    for (const TracedOutput& output : traced.outputs) name_outputs(output.tree, output.name, names.outputs);
    return names;
}

void require_wanted(const Traced& traced, const std::vector<WantedOutput>& wanted) {
    for (const WantedOutput& want : wanted) {
        const TracedOutput* found = nullptr;
        for (const TracedOutput& output : traced.outputs) {
            if (output.name == want.name || (want.name.empty() && traced.outputs.size() == 1)) found = &output;
        }
        if (want.name.empty() && traced.outputs.size() > 1) fail_wanted("one array is asked for, and the script has several outputs", traced, Instead::archive);
        if (traced.outputs.empty()) fail_wanted("an output is asked for, and the script has none", traced);
        if (found == nullptr) fail_wanted("the script has no output `" + want.name + "`", traced);
        if (want.tensor && found->tree.form != OutputTree::Form::tensor) {
            fail_wanted("an .npy file holds one array, and " + (found->name.empty() ? std::string("the output") : "`" + found->name + "`") + " is a tree", traced, Instead::archive);
        }
    }
}

} // namespace vmaprun
