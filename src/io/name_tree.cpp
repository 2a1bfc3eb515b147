#include "io/name_tree.hpp"

#include <algorithm>

#include "base/error.hpp"

namespace vmaprun {
namespace {

constexpr std::ptrdiff_t most_parts = 512; // as deep as JSON may be nested

[[noreturn]] void refuse(const std::string& what) { throw UserError(error("E516", what).help("bind its members one by one, `-i NAME=PATH:MEMBER`")); }

} // namespace

void NameTree::add(const std::string& name, const std::shared_ptr<const StoredTensor>& tensor, const std::string& place) {
    if (std::ranges::count(name, '.') >= most_parts) refuse(place + " has a tensor whose name has more than " + std::to_string(most_parts) + " parts");
    NameTree* at = this;
    for (std::size_t begin = 0; begin <= name.size();) {
        const std::size_t dot = std::min(name.find('.', begin), name.size());
        at = &at->field(name.substr(begin, dot - begin));
        if (at->tensor_) refuse(place + " has `" + name + "` inside of what is a tensor already");
        begin = dot + 1;
    }
    if (!at->fields_.empty()) refuse(place + " has tensors inside of `" + name + "`, which is a tensor itself");
    at->tensor_ = tensor;
}

NameTree& NameTree::field(const std::string& name) {
    const auto [found, is_new] = places_.try_emplace(name, fields_.size());
    if (is_new) fields_.emplace_back(name, NameTree());
    return fields_[found->second].second;
}

bool NameTree::is_tuple() const {
    for (std::size_t i = 0; i < fields_.size(); ++i) {
        if (!places_.contains(std::to_string(i))) return false;
    }
    return !fields_.empty();
}

} // namespace vmaprun
