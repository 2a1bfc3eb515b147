#include "io/inputs.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>

#include "base/error.hpp"
#include "base/text.hpp"
#include "io/convert.hpp"
#include "io/csv.hpp"
#include "io/name_tree.hpp"
#include "io/npy.hpp"
#include "io/npz.hpp"
#include "io/paths.hpp"
#include "io/safetensors.hpp"
#include "io/stored_tensor.hpp"

namespace vmaprun {
namespace {

constexpr std::size_t most_names_told = 12;
constexpr std::string_view npy_magic = "\x93NUMPY", zip_magic = "PK\x03\x04";

// Runs f; an error of a value says where the value came from.
template <class F> auto from_place(const std::string& place, F&& f) {
    try {
        return f();
    } catch (UserError& failure) {
        for (Diagnostic& diagnostic : failure.diagnostics()) {
            const std::string& code = diagnostic.code;
            if (code < "E504" || code > "E507") continue;
            const bool says_root = diagnostic.message.find("`$") != std::string::npos;
            diagnostic.notes.push_back((says_root ? "`$` is the value from " : "the data came from ") + place);
        }
        throw;
    }
}

[[noreturn]] void fail_no_name(const std::vector<std::string_view>& names, const std::string& member, const std::string& place) {
    Diagnostic diagnostic = error("E516", place + " has no member `" + member + "`");
    const std::string_view near = nearest(member, names);
    if (!near.empty()) diagnostic.helps.push_back("did you mean `" + std::string(near) + "`?");
    else if (names.size() <= most_names_told) diagnostic.notes.push_back(names.empty() ? "it has none" : "its members are " + join_and({names.begin(), names.end()}));
    else diagnostic.helps.push_back("`vmaprun info` lists its " + std::to_string(names.size()) + " members");
    throw UserError(std::move(diagnostic));
}

[[noreturn]] void fail_no_member(const JsonValue& value, const std::string& member, const std::string& place) {
    if (value.record() == nullptr) throw UserError(error("E516", place + " has no member `" + member + "`").note("it is no object"));
    std::vector<std::string_view> names;
    for (const JsonMember& each : *value.record()) names.push_back(each.name);
    fail_no_name(names, member, place);
}

// The dtype that a value of a kind becomes; what is of the kind already keeps its own.
DType of_kind(DType dtype, std::optional<Kind> kind) {
    if (!kind || kind_of(dtype) == *kind || kind_of(dtype) > *kind) {
        return kind == Kind::integer && is_floating(dtype) ? DType::i64 : dtype; // whole floats are integers
    }
    return *kind == Kind::integer ? DType::i64 : *kind == Kind::floating ? DType::f64 : dtype;
}

void settle_tensor(ArrivingTensor& tensor, const DeclaredType& type, const std::string& place) {
    if (type.form != DeclaredType::Form::tensor) return;
    const bool is_key = type.dtype == DType::key && tensor.dtype == DType::u32 && !tensor.shape.empty() && tensor.shape.back() == 2;
    if (is_key) tensor.shape.pop_back();
    if (type.dtype && (is_key || converts(tensor.dtype, *type.dtype))) tensor.dtype = *type.dtype;
    if (!type.dtype) tensor.dtype = of_kind(tensor.dtype, type.kind);
    if (tensor.data) tensor.data = convert_input(tensor.data, tensor.dtype, place);
}

// Of one record of many only the types count.
void leave_out_data(Arriving& tree) {
    tree.is_of_record = true;
    tree.tensor.data = Array();
    std::ranges::for_each(tree.items, leave_out_data);
}

// Gives every tensor of a tree the dtype that its declaration converts it to.
void settle(Arriving& tree, const DeclaredType& type) {
    if (tree.form == Arriving::Form::tensor) return settle_tensor(tree.tensor, type, tree.place);
    for (std::size_t i = 0; i < tree.items.size(); ++i) {
        std::size_t field = i;
        if (tree.form == Arriving::Form::record) {
            field = static_cast<std::size_t>(std::ranges::find(type.names, tree.names[i]) - type.names.begin());
        }
        if (field < type.items.size()) settle(tree.items[i], type.items[field]);
    }
}

Declared declared_for(const JsonValue& value, const DeclaredType& type) {
    Declared declared{type.dtype, type.ranked ? static_cast<int>(type.dims.size()) : -1, {}};
    if (type.ranked) {
        for (const auto& dim : type.dims) declared.extents.push_back(dim.value_or(-1));
    }
    // Numbers without a dtype of their own take one that every value of the kind fits.
    if (!declared.dtype && type.kind && !is_tensor_envelope(value)) {
        if (*type.kind == Kind::floating) declared.dtype = DType::f64;
        const JsonNumbers* numbers = value.numbers();
        if (*type.kind == Kind::integer && numbers != nullptr && !numbers->content.above_i64) declared.dtype = DType::i64;
    }
    return declared;
}

} // namespace

// One value that arrived: a tensor, or a tree of them. A tensor is in memory, in JSON, or in a file.
struct BoundInputs::Held {
    Arriving::Form form = Arriving::Form::tensor;
    std::string place;
    // tensor
    DType dtype = DType::f64;
    Shape shape;
    Array array;                 // in memory
    std::optional<JsonValue> json; // in a document, at `path`
    std::string path;
    std::shared_ptr<const StoredTensor> stored; // in a file
    bool is_part = false;                       // of all that the file has
    // trees
    std::vector<Held> items;
    std::vector<std::string> names;

    static Held of_array(Array array, std::string place) {
        Held held;
        held.place = std::move(place);
        held.dtype = array.dtype();
        held.shape = array.shape();
        held.array = std::move(array);
        return held;
    }
    static Held of_stored(std::shared_ptr<const StoredTensor> tensor, const std::string& place);
    static Held of_archive(const StoredTensors& tensors, const std::string& member, const DeclaredType& type, const std::string& place);
    static Held of_names(const NameTree& tree, const DeclaredType& type, const std::string& place);
    static Held of_table(const CsvTable& table, const std::string& member, const DeclaredType& type, const std::string& place);
    static Held of_json(const JsonValue& value, const DeclaredType& type, const std::string& path, const std::string& place);
    static Held of_tree(const Tree& tree, const std::string& place);

    Array read(DType wanted, const std::string& input, int threads) const;
    Arriving arriving() const;
};

BoundInputs::Held BoundInputs::Held::of_stored(std::shared_ptr<const StoredTensor> tensor, const std::string& place) {
    Held held;
    held.place = place;
    held.dtype = tensor->dtype();
    held.shape = tensor->shape();
    held.stored = std::move(tensor);
    return held;
}

// All of an archive as a record, or the tensor or record that a member's name means. Of what a declared record doesn't name nothing is taken.
BoundInputs::Held BoundInputs::Held::of_archive(const StoredTensors& tensors, const std::string& member, const DeclaredType& type, const std::string& place) {
    const auto exact = std::ranges::find_if(tensors, [&](const auto& each) { return !member.empty() && each.first == member; });
    if (exact != tensors.end()) return of_stored(exact->second, place);
    NameTree root;
    std::vector<std::string_view> names;
    for (const auto& [name, tensor] : tensors) {
        names.push_back(name);
        const bool is_inside = member.empty() || (name.size() > member.size() && name.starts_with(member) && name[member.size()] == '.');
        if (is_inside) root.add(member.empty() ? name : name.substr(member.size() + 1), tensor, place);
    }
    if (root.fields().empty() && !member.empty()) fail_no_name(names, member, place);
    return of_names(root, type, place);
}

BoundInputs::Held BoundInputs::Held::of_names(const NameTree& tree, const DeclaredType& type, const std::string& place) {
    static const DeclaredType nothing;
    Held held = tree.tensor() ? of_stored(tree.tensor(), place) : Held();
    held.is_part = true;
    if (tree.tensor()) return held;
    held.place = place;
    held.form = tree.is_tuple() ? Arriving::Form::tuple : Arriving::Form::record;
    const auto declared = [&](std::size_t field) -> const DeclaredType& { return field < type.items.size() ? type.items[field] : nothing; };
    if (held.form == Arriving::Form::tuple) {
        for (std::size_t i = 0; i < tree.fields().size(); ++i) held.items.push_back(of_names(tree.item(i), declared(i), place));
        return held;
    }
    for (const auto& [name, field] : tree.fields()) {
        const auto place_in_type = static_cast<std::size_t>(std::ranges::find(type.names, name) - type.names.begin());
        if (type.form == DeclaredType::Form::record && place_in_type == type.names.size()) continue;
        held.names.push_back(name);
        held.items.push_back(of_names(field, declared(place_in_type), place));
    }
    return held;
}

// A column, the columns that a record names, or all of them as a matrix (as a vector, where that is declared and there is one).
BoundInputs::Held BoundInputs::Held::of_table(const CsvTable& table, const std::string& member, const DeclaredType& type, const std::string& place) {
    if (!member.empty()) return of_json(table.numbers(table.column(member)), type, "$", place);
    if (type.form == DeclaredType::Form::record) {
        Held held;
        held.place = place;
        held.form = Arriving::Form::record;
        for (std::size_t i = 0; i < type.names.size(); ++i) {
            held.names.push_back(type.names[i]);
            held.items.push_back(of_json(table.numbers(table.column(type.names[i])), type.items[i], member_path("$", type.names[i]), place));
        }
        return held;
    }
    const bool as_vector = table.columns().size() == 1 && type.ranked && type.dims.size() == 1;
    return of_json(as_vector ? table.numbers(0) : table.numbers(), type, "$", place);
}

BoundInputs::Held BoundInputs::Held::of_tree(const Tree& tree, const std::string& place) {
    if (const Array* array = tree.array()) return of_array(*array, place);
    Held held;
    held.place = place;
    if (const Tree::Tuple* tuple = tree.tuple()) {
        held.form = Arriving::Form::tuple;
        for (const Tree& item : *tuple) held.items.push_back(of_tree(item, place));
        return held;
    }
    held.form = Arriving::Form::record;
    for (const auto& [name, item] : *tree.record()) {
        held.names.push_back(name);
        held.items.push_back(of_tree(item, place));
    }
    return held;
}

BoundInputs::Held BoundInputs::Held::of_json(const JsonValue& value, const DeclaredType& type, const std::string& path, const std::string& place) {
    using Form = DeclaredType::Form;
    static const DeclaredType nothing;
    const bool is_record = value.record() != nullptr && (!is_tensor_envelope(value) || type.form == Form::record);
    if (type.form == Form::any && (is_record || value.list() != nullptr)) return of_tree(to_tree(value, path), place);
    Held held;
    held.place = place;
    if (type.form == Form::record && is_record) {
        held.form = Arriving::Form::record;
        for (const JsonMember& member : *value.record()) {
            const auto found = std::ranges::find(type.names, member.name);
            const DeclaredType& field = found == type.names.end() ? nothing : type.items[static_cast<std::size_t>(found - type.names.begin())];
            held.names.push_back(member.name);
            held.items.push_back(of_json(member.value, field, member_path(path, member.name), place));
        }
        return held;
    }
    if (type.form == Form::tuple && value.is_list()) {
        held.form = Arriving::Form::tuple;
        const JsonValue::List list = value.items();
        for (std::size_t i = 0; i < list.size(); ++i) {
            held.items.push_back(of_json(list[i], i < type.items.size() ? type.items[i] : nothing, path + "[" + std::to_string(i) + "]", place));
        }
        return held;
    }
    Declared declared = declared_for(value, type);
    const ScannedType scanned = tensor_type_of(value, declared, path);
    held.dtype = scanned.dtype;
    held.shape = scanned.shape;
    held.json = value;
    held.path = path;
    return held;
}

Array BoundInputs::Held::read(DType wanted, const std::string& input, int threads) const {
    if (array) return convert_input(array, wanted, input);
    if (json) {
        // The shape is settled: it sizes the axes that an empty list hides, and tells pairs from an axis of length 2.
        return to_array(*json, {wanted, static_cast<int>(shape.size()), shape}, path);
    }
    try {
        return convert_input(stored->read(threads), wanted, input);
    } catch (UserError& failure) {
        Diagnostic& diagnostic = failure.diagnostics().front();
        if (is_part && diagnostic.code == "E509") diagnostic.helps.emplace_back("an input that is declared as a record takes only what it names, `input NAME: {MEMBER: f32[n]}`");
        throw;
    }
}

Arriving BoundInputs::Held::arriving() const {
    Arriving result;
    result.form = form;
    result.place = place;
    if (form == Arriving::Form::tensor) {
        result.tensor.dtype = dtype;
        result.tensor.shape = shape;
        // A lone number may be a size that the checks need.
        if (array) result.tensor.data = array;
        else if (shape.empty()) result.tensor.data = from_place(place, [&] { return read(dtype, place, 1); });
        return result;
    }
    result.names = names;
    for (const Held& item : items) result.items.push_back(item.arriving());
    return result;
}

// ---- bindings --------------------------------------------------------------------------------------------------------

namespace {

std::pair<std::string, std::string> split_binding(const std::string& text, const std::string& option, const std::string& form) {
    const std::size_t equals = text.find('=');
    if (equals != std::string::npos && equals > 0) return {text.substr(0, equals), text.substr(equals + 1)};
    throw UserError(error("E516", "`" + option + " " + text + "` names no input").help("write `" + option + " " + form + "`").exits(2));
}

} // namespace

FileBinding parse_file_binding(const std::string& text) {
    auto [name, path] = split_binding(text, "-i", "NAME=PATH");
    const auto is_file = [](const std::string& file) { return file == "-" || access(file.c_str(), F_OK) == 0; };
    const std::size_t last = path.rfind(':');
    if (last == std::string::npos || is_file(path)) return {name, path, ""};
    // Members may have colons in their names.
    for (std::size_t colon = last; colon != std::string::npos && colon > 0; colon = path.rfind(':', colon - 1)) {
        if (is_file(path.substr(0, colon))) return {name, path.substr(0, colon), path.substr(colon + 1)};
    }
    return {name, path.substr(0, last), path.substr(last + 1)};
}

ValueBinding parse_value_binding(const std::string& text) {
    auto [name, json] = split_binding(text, "--set", "NAME=JSON");
    return {name, json};
}

const FileBytes& StandardInput::bytes(int threads) {
    if (!bytes_) {
        const bool readable = fcntl(STDIN_FILENO, F_GETFD) >= 0 && isatty(STDIN_FILENO) == 0;
        bytes_ = readable ? read_descriptor(STDIN_FILENO, "stdin", threads) : FileBytes();
    }
    return *bytes_;
}

BoundInputs::BoundInputs(InputBindings bindings) : bindings_(std::move(bindings)) {
    std::vector<std::string> names;
    for (const FileBinding& binding : bindings_.files) names.push_back(binding.name);
    for (const ValueBinding& binding : bindings_.values) names.push_back(binding.name);
    std::ranges::sort(names);
    const auto twice = std::ranges::adjacent_find(names);
    if (twice != names.end()) {
        throw UserError(error("E516", "input `" + *twice + "` is given twice").help("give it once, by `-i` or by `--set`").exits(2));
    }
}

BoundInputs::~BoundInputs() = default;

// ---- what arrives ----------------------------------------------------------------------------------------------------

std::unique_ptr<BoundInputs::Held> BoundInputs::hold_file(const FileBinding& binding, const DeclaredType& declared) {
    const std::string place = binding.path == "-" ? "stdin" : "`" + binding.path + "`";
    const std::string ending = ending_of(binding.path);
    JsonValue document;
    if (binding.path == "-") {
        if (!bindings_.standard_input) bindings_.standard_input = std::make_shared<StandardInput>();
        const std::string_view bytes = bindings_.standard_input->bytes(bindings_.threads).view();
        if (bytes.starts_with(npy_magic)) return std::make_unique<Held>(Held::of_array(read_npy_bytes(bytes, "stdin"), place));
        document = standard_document();
    } else if (ending == ".npy") {
        if (!binding.member.empty()) throw UserError(error("E516", place + " holds one array: it has no member `" + binding.member + "`"));
        return std::make_unique<Held>(Held::of_stored(stored_npy(binding.path), place));
    } else if (ending == ".npz") {
        return std::make_unique<Held>(Held::of_archive(stored_npz(binding.path), binding.member, declared, place));
    } else if (ending == ".safetensors") {
        return std::make_unique<Held>(Held::of_archive(stored_safetensors(binding.path), binding.member, declared, place));
    } else if (ending == ".csv" || ending == ".tsv") {
        const CsvTable table(read_file(binding.path, bindings_.threads), ending == ".csv" ? ',' : '\t', bindings_.threads);
        const std::string part = binding.member.empty() ? place : "column `" + binding.member + "` of " + place;
        return from_place(part, [&] { return std::make_unique<Held>(Held::of_table(table, binding.member, declared, part)); });
    } else if (ending == ".json") {
        document = parse_json(read_file(binding.path, bindings_.threads), 1, bindings_.threads);
    } else {
        if (access(binding.path.c_str(), F_OK) != 0) const InputFile missing(binding.path); // that is said first
        throw UserError(error("E511", place + " is no file that is known by its ending").help("known are " + std::string(known_data_files)));
    }
    std::string path = "$";
    const JsonValue* value = &document;
    if (!binding.member.empty()) {
        value = document.member(binding.member);
        if (value == nullptr) fail_no_member(document, binding.member, place);
        path = member_path(path, binding.member);
    }
    return from_place(place, [&] { return std::make_unique<Held>(Held::of_json(*value, declared, path, place)); });
}

const JsonValue& BoundInputs::standard_document() {
    if (standard_document_) return *standard_document_;
    const FileBytes& bytes = bindings_.standard_input->bytes(bindings_.threads);
    if (bytes.view().starts_with(zip_magic)) {
        throw UserError(error("E511", "stdin holds a zip archive, and JSON and .npy are read from there").help("save it as a file, and bind that: `-i NAME=PATH.npz`"));
    }
    return standard_document_.emplace(parse_json(bytes, 1, bindings_.threads));
}

std::unique_ptr<BoundInputs::Held> BoundInputs::hold_standard_input(const std::string& name, const DeclaredType& declared, bool alone) {
    const std::string_view bytes = bindings_.standard_input->bytes(bindings_.threads).view();
    const bool is_blank = std::ranges::all_of(bytes, [](char c) { return c == ' ' || c == '\n' || c == '\t' || c == '\r'; });
    if (is_blank) return nullptr;
    if (bytes.starts_with(npy_magic)) {
        if (!alone || standard_value_taken_) return nullptr;
        standard_value_taken_ = true;
        return std::make_unique<Held>(Held::of_array(read_npy_bytes(bytes, "stdin"), "stdin"));
    }
    const JsonValue& document = standard_document();
    const JsonValue* value = &document;
    std::string path = "$";
    if (document.record() != nullptr && !(is_tensor_envelope(document) && alone)) {
        value = document.member(name);
        path = member_path(path, name);
    } else if (alone && !standard_value_taken_) {
        standard_value_taken_ = true;
    } else {
        value = nullptr;
    }
    if (value == nullptr) return nullptr;
    return from_place("stdin", [&] { return std::make_unique<Held>(Held::of_json(*value, declared, path, "stdin")); });
}

std::unique_ptr<BoundInputs::Held> BoundInputs::hold(const std::string& name, const DeclaredType& declared, bool alone) {
    for (const FileBinding& binding : bindings_.files) {
        if (binding.name == name) return hold_file(binding, declared);
    }
    for (const ValueBinding& binding : bindings_.values) {
        if (binding.name != name) continue;
        const std::string place = "--set " + name;
        const JsonValue value = parse_json(binding.json, place);
        return from_place(place, [&] { return std::make_unique<Held>(Held::of_json(value, declared, "$", place)); });
    }
    if (!bindings_.data.empty() && claims(name)) {
        data_taken_ = true;
        return hold_file({name, bindings_.data, ""}, declared);
    }
    // What `-i NAME=-` takes is that input's, and no other's.
    const bool named = std::ranges::any_of(bindings_.files, [](const FileBinding& binding) { return binding.path == "-"; });
    return bindings_.standard_input && !named ? hold_standard_input(name, declared, alone) : nullptr;
}

bool BoundInputs::claims(const std::string& name) {
    if (std::ranges::find(asked_, name) == asked_.end()) asked_.push_back(name);
    const auto named = [&](const auto& binding) { return binding.name == name; };
    if (std::ranges::any_of(bindings_.files, named) || std::ranges::any_of(bindings_.values, named)) return true;
    if (bindings_.data.empty()) return false;
    if (data_input_.empty()) data_input_ = name;
    return data_input_ == name;
}

std::optional<Arriving> BoundInputs::arriving(const std::string& name, const DeclaredType& declared, bool alone) {
    auto found = held_.find(name);
    if (found == held_.end()) found = held_.emplace(name, hold(name, declared, alone)).first;
    if (!found->second) return std::nullopt;
    Arriving result = found->second->arriving();
    // Arrays of files and memory keep their own dtype; what the declaration makes of it is settled here for all sources.
    settle(result, declared);
    if (bindings_.is_record && found->second->place == "stdin") leave_out_data(result);
    return result;
}

// ---- after the trace -------------------------------------------------------------------------------------------------

namespace {

Diagnostic with_nearest(Diagnostic diagnostic, const std::string& name, std::span<const std::string> input_names) {
    const std::vector<std::string_view> candidates(input_names.begin(), input_names.end());
    const std::string_view near = nearest(name, candidates);
    if (!near.empty()) diagnostic.helps.push_back("did you mean `" + std::string(near) + "`?");
    else if (input_names.empty()) diagnostic.notes.push_back("the script has no input");
    else diagnostic.notes.push_back("its inputs are " + join_and({input_names.begin(), input_names.end()}));
    return diagnostic;
}

Diagnostic warning(std::string message) {
    Diagnostic diagnostic = error("", std::move(message));
    diagnostic.severity = Severity::warning;
    return diagnostic;
}

} // namespace

void BoundInputs::require_known(std::span<const std::string> input_names) const {
    std::vector<Diagnostic> failures;
    const auto require = [&](const std::string& option, const std::string& name) {
        if (std::ranges::find(input_names, name) != input_names.end()) return;
        failures.push_back(with_nearest(error("E516", "`" + option + " " + name + "`: the script has no such input"), name, input_names));
    };
    for (const FileBinding& binding : bindings_.files) require("-i", binding.name);
    for (const ValueBinding& binding : bindings_.values) require("--set", binding.name);
    if (!failures.empty()) throw UserError(std::move(failures));
}

std::vector<Diagnostic> BoundInputs::warnings() const {
    std::vector<Diagnostic> result;
    if (!bindings_.data.empty() && !data_taken_) result.push_back(warning("no input is left for `" + bindings_.data + "`"));
    if (!standard_document_ || standard_value_taken_ || bindings_.data == "-") return result;
    const bool named = std::ranges::any_of(bindings_.files, [](const FileBinding& binding) { return binding.path == "-"; });
    if (named) return result; // its members were picked by name
    if (standard_document_->record() == nullptr) {
        result.push_back(warning("the value on stdin binds no input").help("an object binds inputs by name: {\"NAME\": value}"));
        return result;
    }
    for (const JsonMember& member : *standard_document_->record()) {
        const auto names_it = [&](const auto& binding) { return binding.name == member.name; };
        if (std::ranges::any_of(bindings_.files, names_it) || std::ranges::any_of(bindings_.values, names_it)) {
            result.push_back(warning("stdin has `" + member.name + "`, which is given by " + (std::ranges::any_of(bindings_.files, names_it) ? "-i" : "--set") + " as well: that counts"));
            continue;
        }
        if (std::ranges::find(asked_, member.name) != asked_.end()) continue;
        result.push_back(with_nearest(warning("stdin has `" + member.name + "`, which is no input of the script"), member.name, asked_));
    }
    return result;
}

const BoundInputs::Held& BoundInputs::held(const TracedInput& input, std::string& path) const {
    const auto found = held_.find(input.name);
    if (found == held_.end() || !found->second) throw InternalError("input `" + input.name + "` has no data");
    const Held* held = found->second.get();
    path = input.name;
    for (const std::string& step : input.path) {
        const auto named = std::ranges::find(held->names, step);
        const bool is_record = held->form == Arriving::Form::record;
        if (is_record && named == held->names.end()) throw InternalError("input `" + path + "` has no `" + step + "`");
        held = &held->items.at(is_record ? static_cast<std::size_t>(named - held->names.begin()) : std::stoul(step));
        path += is_record ? "." + step : "[" + step + "]";
    }
    return *held;
}

std::vector<Array> BoundInputs::load(const Traced& traced, const std::vector<bool>& skipped) {
    std::vector<Array> arrays;
    for (std::size_t i = 0; i < traced.inputs.size(); ++i) {
        const TracedInput& input = traced.inputs[i];
        if (input.value || (i < skipped.size() && skipped[i])) {
            arrays.push_back(input.value ? *input.value : Array());
            continue;
        }
        std::string path;
        const Held& from = held(input, path);
        arrays.push_back(from_place(from.place, [&] { return from.read(input.type.dtype, path, bindings_.threads); }));
    }
    return arrays;
}

std::unique_ptr<SliceSource> BoundInputs::source(const Traced& traced, std::size_t input) const {
    std::string path;
    if (traced.inputs[input].value) return nullptr;
    const Held& from = held(traced.inputs[input], path);
    if (!from.stored || from.dtype != traced.inputs[input].type.dtype) return nullptr;
    return from.stored->slices();
}

} // namespace vmaprun
