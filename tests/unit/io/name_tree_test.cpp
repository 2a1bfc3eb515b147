#include "io/name_tree.hpp"

#include "support.hpp"

using namespace vmaprun;
using namespace vmaprun::testing;

namespace {

const auto tensor = std::make_shared<RefusedTensor>("t", error("E509", "`t` is a stand-in"));

NameTree tree_of(const std::vector<std::string>& names) {
    NameTree tree;
    for (const std::string& name : names) tree.add(name, tensor, "`t.npz`");
    return tree;
}

// "{b: (*, *), a: *}"
std::string shown(const NameTree& tree) {
    if (tree.tensor()) return "*";
    std::string text;
    for (std::size_t i = 0; i < tree.fields().size(); ++i) {
        text += i == 0 ? "" : ", ";
        text += tree.is_tuple() ? shown(tree.item(i)) : tree.fields()[i].first + ": " + shown(tree.fields()[i].second);
    }
    return tree.is_tuple() ? "(" + text + ")" : "{" + text + "}";
}

std::string message(const std::vector<std::string>& names) {
    return message_of([&] { tree_of(names); });
}

} // namespace

TEST_CASE("names with dots spell records and tuples") {
    CHECK(shown(tree_of({})) == "{}");
    CHECK(shown(tree_of({"b", "a"})) == "{b: *, a: *}");
    CHECK(shown(tree_of({"x.1.b", "x.0", "y.w"})) == "{x: (*, {b: *}), y: {w: *}}");
    CHECK(shown(tree_of({"1", "0", "2.a"})) == "(*, *, {a: *})");
    CHECK(shown(tree_of({"0", "2"})) == "{0: *, 2: *}");
    CHECK(shown(tree_of({"00", "1"})) == "{00: *, 1: *}");
    CHECK(shown(tree_of({"a.", ".b"})) == "{a: {: *}, : {b: *}}");
}

TEST_CASE("ten thousand names are a tuple, whatever their order") {
    std::vector<std::string> names;
    for (int i = 10'000; i-- > 0;) names.push_back(std::to_string(i));
    CHECK(tree_of(names).is_tuple());
    names[500] = "x";
    CHECK(!tree_of(names).is_tuple());
}

TEST_CASE("a name is of a tensor or of what holds others") {
    const std::string help = " | help: bind its members one by one, `-i NAME=PATH:MEMBER`";
    CHECK(message({"a", "a.b"}) == "E516 `t.npz` has `a.b` inside of what is a tensor already" + help);
    CHECK(message({"a.b", "a"}) == "E516 `t.npz` has tensors inside of `a`, which is a tensor itself" + help);
    CHECK(message({"a", "a"}) == "E516 `t.npz` has `a` inside of what is a tensor already" + help);
}

TEST_CASE("names of more than 512 parts are refused, because trees are walked step by step") {
    std::string name = "a";
    for (int i = 1; i < 512; ++i) name += ".a";
    CHECK(message({name}) == "no error");
    CHECK(message({name + ".a"}) == "E516 `t.npz` has a tensor whose name has more than 512 parts | help: bind its members one by one, `-i NAME=PATH:MEMBER`");
}
