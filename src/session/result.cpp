#include "session/result.hpp"

#include <algorithm>
#include <cstring>
#include <set>

#include "base/error.hpp"
#include "exec/threads.hpp"
#include "io/json_writer.hpp"
#include "io/npy.hpp"
#include "io/npz.hpp"

namespace vmaprun {

Tree tree_of(const OutputTree& shape, const std::vector<Array>& arrays) {
    switch (shape.form) {
    case OutputTree::Form::none: return Tree::none();
    case OutputTree::Form::tensor: return Tree(arrays.at(shape.output));
    case OutputTree::Form::tuple: {
        Tree::Tuple items;
        for (const OutputTree& item : shape.items) items.push_back(tree_of(item, arrays));
        return Tree(std::move(items));
    }
    case OutputTree::Form::record: break;
    }
    Tree::Record fields;
    for (std::size_t i = 0; i < shape.items.size(); ++i) fields.emplace_back(shape.names[i], tree_of(shape.items[i], arrays));
    return Tree(std::move(fields));
}

JsonStyle style_of(const JsonFormat& format, int threads) {
    using Nan = JsonFormat::Nan;
    const NanPolicy nan = format.nan == Nan::string    ? NanPolicy::string
                          : format.nan == Nan::null    ? NanPolicy::null
                          : format.nan == Nan::literal ? NanPolicy::literal
                                                       : NanPolicy::error;
    return {format.compact ? Layout::compact : Layout::lines, nan, thread_count(threads)};
}

namespace {

using NamedArrays = std::vector<std::pair<std::string, Array>>;

void collect(const Tree& tree, const std::string& name, NamedArrays& arrays) {
    const std::string prefix = name.empty() ? name : name + ".";
    if (const Array* array = tree.array()) arrays.emplace_back(name.empty() ? "arr_0" : name, *array);
    if (const Tree::Tuple* tuple = tree.tuple()) {
        for (std::size_t i = 0; i < tuple->size(); ++i) collect((*tuple)[i], prefix + std::to_string(i), arrays);
    }
    if (const Tree::Record* record = tree.record()) {
        for (const auto& [field, value] : *record) collect(value, prefix + field, arrays);
    }
}

// An archive can't hold {"a.b": x, a: {b: y}}.
void write_archive(const NamedArrays& arrays, const Sink& sink, int threads) {
    std::set<std::string_view> names;
    for (const auto& [name, array] : arrays) {
        if (names.insert(name).second) continue;
        throw UserError(error("E520", "the output has two arrays that an .npz file would call `" + name + "`").help("write it to a .json file").exits(5));
    }
    vmaprun::write_npz(arrays, sink, thread_count(threads));
}

} // namespace

std::vector<std::string> Result::names() const {
    std::vector<std::string> result;
    if (data_) {
        for (const auto& output : data_->outputs) result.push_back(output.first);
    }
    return result;
}

void Result::write_json(const JsonFormat& format, const Sink& sink) const {
    if (!data_ || data_->outputs.empty()) return;
    if (data_->lone()) return vmaprun::write_json(data_->outputs.front().second, style_of(format, data_->threads), sink);
    vmaprun::write_json(Tree(Tree::Record(data_->outputs)), style_of(format, data_->threads), sink);
}

std::string Result::json(const JsonFormat& format) const {
    std::string text;
    write_json(format, [&](std::string_view piece) { text += piece; });
    return text;
}

void Result::write_json(const std::string& name, const JsonFormat& format, const Sink& sink) const {
    vmaprun::write_json(data_->tree(name), style_of(format, data_->threads), sink);
}

bool Result::is_placed(const std::string& name) const { return std::ranges::find(data_->placed, name) != data_->placed.end(); }

bool Result::is_tensor(const std::string& name) const { return data_->tree(name).array() != nullptr; }

Tensor Result::tensor(const std::string& name) const {
    const Array* array = data_->tree(name).array();
    if (array == nullptr) throw InternalError("output `" + name + "` is no tensor");
    const Array dense = array->contiguous();
    Tensor result{std::string(name_of(dense.dtype())), {dense.shape().begin(), dense.shape().end()}, {}};
    result.bytes.resize(static_cast<std::size_t>(dense.size()) * size_of(dense.dtype()));
    if (!result.bytes.empty()) std::memcpy(result.bytes.data(), dense.view().data, result.bytes.size());
    return result;
}

void Result::write_npy(const std::string& name, const Sink& sink) const {
    const Array* array = data_->tree(name).array();
    if (array == nullptr) throw InternalError("output `" + name + "` is no tensor");
    vmaprun::write_npy(*array, sink);
}

void Result::write_npz(const Sink& sink) const {
    NamedArrays arrays;
    for (const auto& [name, tree] : data_->outputs) collect(tree, name, arrays);
    write_archive(arrays, sink, data_->threads);
}

void Result::write_npz(const std::string& name, const Sink& sink) const {
    NamedArrays arrays;
    const Tree& tree = data_->tree(name);
    collect(tree, tree.array() != nullptr ? name : "", arrays);
    write_archive(arrays, sink, data_->threads);
}

} // namespace vmaprun
