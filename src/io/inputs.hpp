// What arrives for the inputs of a script: `-i` files, `--set` values, data files, standard input.
//
// An input takes, in this order: what `-i` or `--set` names it; a DATA file, if it is the first input that those leave unbound; the
// member of its name of the JSON object on standard input (any other value there binds the input that is alone). Otherwise
// nothing arrives, and its default stands in.
// While the script is traced only headers are read: of .npy, .npz and .safetensors files their headers, of JSON and tables their structure. load() then
// converts the data, once, into the dtypes that the graph takes.
// Errors: E501 to E512 for files and values, E516 for bindings that do not fit the script.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "exec/stream.hpp"
#include "io/file.hpp"
#include "io/json_reader.hpp"
#include "trace/trace.hpp"

namespace vmaprun {

// Standard input, read at most once however many runs share it.
class StandardInput {
  public:
    StandardInput() = default;
    explicit StandardInput(FileBytes bytes) : bytes_(std::move(bytes)) {} // what stands for it
    // Empty bytes when there is nothing to read, or when standard input is a terminal.
    const FileBytes& bytes(int threads = 1);

  private:
    std::optional<FileBytes> bytes_;
};

struct FileBinding {
    std::string name, path, member; // member: empty for the whole file
};
struct ValueBinding {
    std::string name, json;
};

// "NAME=PATH[:MEMBER]"; the path is the longest front that is a file, else all before the last colon. E516 without a `=`.
FileBinding parse_file_binding(const std::string& text);
ValueBinding parse_value_binding(const std::string& text);

struct InputBindings {
    std::vector<FileBinding> files;
    std::vector<ValueBinding> values;
    std::string data;                              // binds the first unbound input; empty: none
    std::shared_ptr<StandardInput> standard_input; // null: not read
    bool is_record = false;                        // what standard input brings is one record of many: of its values the types alone count
    int threads = 1;                               // that may work on large files
};

class BoundInputs : public InputSource {
  public:
    explicit BoundInputs(InputBindings bindings);
    ~BoundInputs() override;
    BoundInputs(const BoundInputs&) = delete;
    BoundInputs& operator=(const BoundInputs&) = delete;

    bool claims(const std::string& name) override;
    std::optional<Arriving> arriving(const std::string& name, const DeclaredType& declared, bool alone) override;

    // E516 for every `-i` and `--set` that names none of the script's inputs.
    void require_known(std::span<const std::string> input_names) const;
    // The inputs that the trace has asked about, in script order.
    const std::vector<std::string>& asked() const { return asked_; }
    // Whether the one value on standard input binds an input as a whole.
    bool takes_whole_value() const { return standard_value_taken_; }
    // What was given and no input took: keys of standard input (with the nearest name), a data file, a lone value.
    std::vector<Diagnostic> warnings() const;
    // The data of every input of a traced script, in order, converted to its type; where `skipped` says so, an empty array.
    std::vector<Array> load(const Traced& traced, const std::vector<bool>& skipped = {});
    // An input that lies in a file, large and of its type already, by slices of its leading axis; else null.
    std::unique_ptr<SliceSource> source(const Traced& traced, std::size_t input) const;

  private:
    struct Held;
    std::unique_ptr<Held> hold(const std::string& name, const DeclaredType& declared, bool alone);
    std::unique_ptr<Held> hold_file(const FileBinding& binding, const DeclaredType& declared);
    std::unique_ptr<Held> hold_standard_input(const std::string& name, const DeclaredType& declared, bool alone);
    const JsonValue& standard_document();
    const Held& held(const TracedInput& input, std::string& path) const; // and what messages call it

    InputBindings bindings_;
    std::map<std::string, std::unique_ptr<Held>> held_; // null: nothing arrives
    std::optional<JsonValue> standard_document_;
    std::vector<std::string> asked_;
    std::string data_input_; // the input that the data file binds; empty: none yet
    bool data_taken_ = false, standard_value_taken_ = false;
};

} // namespace vmaprun
