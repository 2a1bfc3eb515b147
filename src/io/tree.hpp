// The shape of the values that inputs and results have: a tensor, a tuple of trees, a record of named trees, or
// nothing (`none`, null in JSON).
// Invariant: the names of a record are distinct, and stand in the order of the script or the document.
#pragma once

#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "array/array.hpp"

namespace vmaprun {

struct Tree {
    using Tuple = std::vector<Tree>;
    using Record = std::vector<std::pair<std::string, Tree>>;
    std::variant<Array, Tuple, Record, std::monostate> value;

    Tree() : value(Tuple{}) {}
    Tree(Array array) : value(std::move(array)) {}
    Tree(Tuple tuple) : value(std::move(tuple)) {}
    Tree(Record record) : value(std::move(record)) {}

    static Tree none() {
        Tree tree;
        tree.value = std::monostate{};
        return tree;
    }

    bool is_none() const { return std::holds_alternative<std::monostate>(value); }
    const Array* array() const { return std::get_if<Array>(&value); }
    const Tuple* tuple() const { return std::get_if<Tuple>(&value); }
    const Record* record() const { return std::get_if<Record>(&value); }
};

} // namespace vmaprun
