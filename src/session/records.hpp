// One script on each record of a stream. Records whose inputs have one type are run together, the script mapped over them (TraceOptions::records);
// law 1 says that each result is what the record alone gives. What fails so, a record alone, or a script that has sizes out of its records, is run
// by itself as any script is, which also words the error.
#pragma once

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "io/json_reader.hpp"
#include "io/lines.hpp"
#include "io/tree.hpp"
#include "session/state.hpp"

namespace vmaprun {

struct Record {
    Line line;
    JsonValue value;
    std::string_view result;          // its line of JSON, with its end: the runner's, until it runs others
    std::vector<Diagnostic> failures; // why there is none
    bool is_done = false;             // has one or the other
};

// What all records of a kind have in common: which inputs they bind, by values of which types.
class RecordKind;

class RecordRunner {
  public:
    // The script outlives it.
    RecordRunner(const Session::State& state, const ast::Script& script, SourceMap& sources, const RecordStream& stream);
    ~RecordRunner();

    // Gives each record its result or its failures. `settled` is called whenever some more have theirs, and says whether to go on; what it saw
    // from the first record on is not kept for it.
    using Settled = std::function<bool()>;
    void run(std::span<Record> records, const Settled& settled);
    std::vector<Message> warnings() const { return warnings_; }

  private:
    void in_parts(std::size_t records, const std::function<void(std::size_t, std::size_t)>& f) const;
    std::shared_ptr<RecordKind> kind_of(const Record& record);
    std::vector<Array> fixed_inputs(BoundInputs& inputs, const Traced& traced);
    bool run_block(std::span<Record> records, const Settled& settled);
    bool run_stretch(std::span<Record> records, std::span<const std::shared_ptr<RecordKind>> kinds, const Settled& settled);
    void run_together(RecordKind& kind, std::span<Record*> records);
    // `all`: the inputs of all records of the kind, these from `first` on.
    void run_batch(RecordKind& kind, const std::vector<Array>& all, std::int64_t first, std::span<Record*> records);
    void write(const RecordKind& kind, const std::vector<Array>& outputs, std::span<Record*> records);
    void run_alone(Record& record);
    void warn(const std::vector<Message>& messages);
    const Source& module(const std::string& path);

    const Session::State& state_;
    const ast::Script& script_;
    SourceMap& sources_;
    const RecordStream& stream_;
    TraceOptions tracing_;
    std::map<std::string, std::shared_ptr<RecordKind>> by_structure_, by_types_;
    std::map<std::string, const Source*> modules_;
    std::map<std::string, Array> fixed_; // what inputs take that is the same for all records
    std::deque<std::string> texts_; // of results
    std::vector<Message> warnings_;
};

} // namespace vmaprun
