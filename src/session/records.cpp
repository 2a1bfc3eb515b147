#include "session/records.hpp"

#include <algorithm>

#include "array/memory_limit.hpp"
#include "base/text.hpp"
#include "exec/memory.hpp"
#include "exec/threads.hpp"
#include "io/json_writer.hpp"
#include "ir/op.hpp"
#include "session/result.hpp"

namespace vmaprun {
namespace {

constexpr std::size_t most_at_once = 4096;  // records that are read before some are run
constexpr std::size_t most_kinds = 256;     // that are remembered
constexpr std::int64_t text_of_element = 16; // bytes of a result, about
constexpr std::int64_t most_bytes = std::int64_t{8} << 20U; // of lines that are read before some are run
constexpr std::int64_t most_at_work = std::int64_t{64} << 20U; // bytes of the inputs and results of records that are run together
constexpr std::size_t records_a_part = 64;  // of the work that threads share
constexpr std::int64_t batch_sizes[] = {4096, 1024, 256, 64, 16, 4, 1}; // each has a graph of its own

std::size_t part_count(std::size_t records) { return (records + records_a_part - 1) / records_a_part; }

// Bytes that may be at work at once: of lines, and of what is made of them.
std::int64_t bytes_at_work() { return memory_allowed() > 0 ? std::min(most_at_work, memory_allowed() / 16) : most_at_work; }

// How many from the first on take that much together; at least one.
template <class Bytes> std::size_t fitting(std::size_t count, std::int64_t most, Bytes&& bytes) {
    std::int64_t sum = 0;
    for (std::size_t i = 0; i < count; ++i) {
        sum += bytes(i);
        if (i > 0 && sum > most) return i;
    }
    return count;
}

// ---- the structure of a record ---------------------------------------------------------------------------------------

// What a tensor object says of itself.
void describe_tensor(const JsonValue& value, std::string& text) {
    if (const std::string* dtype = value.member("dtype")->text()) text += json_string(*dtype);
    if (const JsonNumbers* shape = value.member("shape")->numbers()) text += std::string_view(shape->document.data() + shape->begin, shape->end - shape->begin);
}

// All that decides which types the inputs get, but for the values of numbers.
void describe(const JsonValue& value, std::string& text) {
    if (const JsonNumbers* numbers = value.numbers()) {
        const JsonContent& has = numbers->content;
        const unsigned content = unsigned{has.integer} | unsigned{has.negative} << 1U | unsigned{has.above_i64} << 2U | unsigned{has.beyond_64_bits} << 3U |
                                 unsigned{has.fraction} << 4U | unsigned{has.special} << 5U | unsigned{has.boolean} << 6U;
        text += static_cast<char>('0' + static_cast<char>(content));
        for (const std::int64_t extent : numbers->shape) text += std::to_string(extent) + ",";
    } else if (const JsonValue::List* list = value.list()) {
        text += '[';
        for (const JsonValue& item : *list) describe(item, text);
        text += ']';
    } else if (const JsonValue::Record* record = value.record()) {
        text += '{';
        for (const JsonMember& member : *record) {
            text += json_string(member.name) + ":";
            describe(member.value, text);
        }
        if (is_tensor_envelope(value)) describe_tensor(value, text);
        text += '}';
    } else {
        text += '"';
    }
}

std::string structure_of(const JsonValue& value) {
    std::string text;
    describe(value, text);
    return text;
}

// ---- results ---------------------------------------------------------------------------------------------------------

Array place(const Array& array, std::int64_t index) {
    View view = array.view();
    view.data += index * view.strides[0] * static_cast<std::int64_t>(size_of(view.dtype));
    view.shape.erase(view.shape.begin());
    view.strides.erase(view.strides.begin());
    return array.with_view(std::move(view));
}

// What a script gives, as one tree.
OutputTree whole_output(const Traced& traced) {
    if (traced.outputs.size() == 1 && traced.outputs.front().name.empty()) return traced.outputs.front().tree;
    OutputTree record;
    record.form = OutputTree::Form::record;
    for (const TracedOutput& output : traced.outputs) {
        record.names.push_back(output.name);
        record.items.push_back(output.tree);
    }
    return record;
}

// The tensors of such a tree, and which of the arrays they are.
using Leaves = std::vector<std::pair<Array*, std::size_t>>;
void collect_leaves(Tree& tree, const OutputTree& shape, Leaves& leaves) {
    if (auto* array = std::get_if<Array>(&tree.value)) leaves.emplace_back(array, shape.output);
    if (auto* items = std::get_if<Tree::Tuple>(&tree.value)) {
        for (std::size_t i = 0; i < items->size(); ++i) collect_leaves((*items)[i], shape.items[i], leaves);
    }
    if (auto* fields = std::get_if<Tree::Record>(&tree.value)) {
        for (std::size_t i = 0; i < fields->size(); ++i) collect_leaves((*fields)[i].second, shape.items[i], leaves);
    }
}
bool prints(const Graph& graph) {
    return std::ranges::any_of(graph.nodes, [](const Node& node) { return node.op->name() == "debug" || std::ranges::any_of(node.bodies, [](const auto& body) { return prints(*body); }); });
}

} // namespace

// ---- kinds -----------------------------------------------------------------------------------------------------------

class RecordKind {
  public:
    enum class Takes { members, whole }; // an input takes a member of the record, or the only one all of it

    // Of records that only run one by one.
    RecordKind() = default;
    RecordKind(Traced traced, std::vector<Array> fixed, Takes takes, std::string sample)
        : traced_(std::move(traced)), fixed_(std::move(fixed)), takes_(takes), sample_(std::move(sample)), output_(whole_output(traced_)) {
        runs_together_ = !prints(*traced_.graph);
        for (const TracedInput& input : traced_.inputs) bytes_ += input.is_of_record ? bytes_of(input.type, 0) : 0;
        for (const Value output : traced_.graph->outputs) bytes_ += bytes_of(traced_.graph->type(output), text_of_element);
    }

    bool runs_together() const { return runs_together_; }
    // What a record takes of memory while it is run with others: its inputs, its results, and their text.
    std::int64_t bytes() const { return runs_together_ ? bytes_ : 0; }
    const Traced& traced() const { return traced_; }
    const OutputTree& output() const { return output_; }
    const std::string& sample() const { return sample_; } // the text of a record of the kind

    // Room for what the inputs take of so many records, an array each.
    std::vector<Array> room_for(std::int64_t count) const {
        std::vector<Array> all;
        for (const TracedInput& input : traced_.inputs) {
            if (!input.is_of_record) continue;
            Shape shape = extents_of(input.type);
            shape.insert(shape.begin(), count);
            all.emplace_back(input.type.dtype, std::move(shape));
        }
        return all;
    }

    // Reads what they take of a record to a place of that room: throws where a value doesn't fit.
    void read(const JsonValue& record, const std::vector<Array>& all, std::int64_t index) const {
        auto room = all.begin();
        for (const TracedInput& input : traced_.inputs) {
            if (!input.is_of_record) continue;
            JsonValue item;
            const JsonValue* at = takes_ == Takes::whole ? &record : record.member(input.name);
            for (const std::string& step : input.path) {
                if (const JsonValue* member = at->member(step)) {
                    at = member;
                    continue;
                }
                item = JsonValue(at->items().at(std::stoul(step)));
                at = &item;
            }
            const Array target = place(*room++, index);
            read_array(*at, {input.type.dtype, static_cast<int>(target.rank()), target.shape()}, "$", target.view());
        }
    }

    // The graph's inputs for some of the records.
    std::vector<Array> inputs_of(const std::vector<Array>& all, std::int64_t first, std::int64_t count) const {
        std::vector<Array> inputs;
        auto room = all.begin();
        for (std::size_t i = 0; i < traced_.inputs.size(); ++i) inputs.push_back(traced_.inputs[i].is_of_record ? part_of(*room++, first, count) : fixed_[i]);
        return inputs;
    }

    std::map<std::int64_t, std::shared_ptr<Graph>> graphs; // ready to run, by the number of records

  private:
    static std::int64_t bytes_of(const TensorType& type, std::int64_t more) { return element_count(extents_of(type)) * (static_cast<std::int64_t>(size_of(type.dtype)) + more); }
    static Shape extents_of(const TensorType& type) {
        Shape shape;
        for (const Dim& dim : type.shape) shape.push_back(dim.value());
        return shape;
    }

    Traced traced_;
    std::vector<Array> fixed_; // by input: what is the same for all records
    Takes takes_ = Takes::members;
    std::string sample_;
    OutputTree output_;
    bool runs_together_ = false;
    std::int64_t bytes_ = 0;
};

// ---- the runner ------------------------------------------------------------------------------------------------------

RecordRunner::RecordRunner(const Session::State& state, const ast::Script& script, SourceMap& sources, const RecordStream& stream)
    : state_(state), script_(script), sources_(sources), stream_(stream), tracing_(trace_options(sources, state.options)) {
    tracing_.load_module = [this](const std::string& path) -> const Source& { return module(path); };
}
RecordRunner::~RecordRunner() = default;

// Each file of an import is read once.
const Source& RecordRunner::module(const std::string& path) {
    const auto known = modules_.find(path);
    if (known != modules_.end()) return *known->second;
    const Source& source = sources_.add(path, std::string(read_file(path).view()));
    modules_.emplace(path, &source);
    return source;
}

void RecordRunner::warn(const std::vector<Message>& messages) {
    for (const Message& message : messages) {
        const bool is_known = std::ranges::any_of(warnings_, [&](const Message& other) { return other.text == message.text; });
        if (!message.is_error && !is_known) warnings_.push_back(message);
    }
}

namespace {

// Bindings in which a record stands for standard input: by itself, or as one of many.
enum class Stands { alone, for_many };
InputBindings with_record(InputBindings bindings, const FileBytes& record, Stands stands) {
    bindings.standard_input = std::make_shared<StandardInput>(record);
    bindings.is_record = stands == Stands::for_many;
    bindings.threads = 1;
    return bindings;
}

Traced traced_for(const Session::State& state, const ast::Script& script, TraceOptions tracing, BoundInputs& inputs, std::int64_t records, std::vector<Message>& messages) {
    tracing.records = records;
    return state.traced_to_run(script, inputs, tracing, messages);
}

std::string name_of_input(const TracedInput& input) {
    std::string text = input.name;
    for (const std::string& step : input.path) text += "." + step;
    return text + ": " + input.type.text();
}

// The inputs and their types, and which of them come with the record.
std::string types_of(const Traced& traced) {
    std::string text;
    for (const TracedInput& input : traced.inputs) {
        text += name_of_input(input) + (input.is_of_record ? " of the record; " : input.value ? " by default; " : "; ");
    }
    return text;
}

} // namespace

std::shared_ptr<RecordKind> RecordRunner::kind_of(const Record& record) {
    const std::string structure = structure_of(record.value);
    if (const auto known = by_structure_.find(structure); known != by_structure_.end()) return known->second;
    if (by_structure_.size() >= most_kinds) by_structure_.clear(), by_types_.clear();
    std::shared_ptr<RecordKind> kind;
    const std::vector<Diagnostic> failures = failures_of([&] {
        BoundInputs inputs(with_record(state_.bindings(), record.line.text, Stands::for_many));
        std::vector<Message> messages;
        Traced traced = traced_for(state_, script_, tracing_, inputs, 1, messages);
        warn(messages);
        const auto takes = inputs.takes_whole_value() ? RecordKind::Takes::whole : RecordKind::Takes::members;
        const std::string types = types_of(traced) + (inputs.takes_whole_value() ? "whole" : "");
        if (const auto known = by_types_.find(types); known != by_types_.end()) {
            kind = known->second;
            return;
        }
        std::vector<Array> fixed = fixed_inputs(inputs, traced);
        kind = std::make_shared<RecordKind>(std::move(traced), std::move(fixed), takes, std::string(record.line.text.view()));
        by_types_.emplace(types, kind);
    });
    if (!failures.empty()) kind = std::make_shared<RecordKind>();
    return by_structure_.emplace(structure, std::move(kind)).first->second;
}

// What inputs take that is the same for all records is read once.
std::vector<Array> RecordRunner::fixed_inputs(BoundInputs& inputs, const Traced& traced) {
    std::vector<bool> is_known;
    for (const TracedInput& input : traced.inputs) is_known.push_back(input.is_of_record || (!input.value && fixed_.contains(name_of_input(input))));
    std::vector<Array> arrays = inputs.load(traced, is_known);
    for (std::size_t i = 0; i < arrays.size(); ++i) {
        const TracedInput& input = traced.inputs[i];
        if (!input.is_of_record && !input.value) arrays[i] = fixed_.emplace(name_of_input(input), arrays[i]).first->second;
    }
    return arrays;
}

// f(first, last) for parts of some records, on all threads.
void RecordRunner::in_parts(std::size_t records, const std::function<void(std::size_t, std::size_t)>& f) const {
    ThreadPool(thread_count(state_.options.threads)).each(static_cast<std::int64_t>(part_count(records)), [&](std::int64_t part) {
        const std::size_t first = static_cast<std::size_t>(part) * records_a_part;
        f(first, std::min(first + records_a_part, records));
    });
}

void RecordRunner::run(std::span<Record> records, const Settled& settled) {
    while (!records.empty()) {
        const std::size_t count = fitting(records.size(), bytes_at_work(), [&](std::size_t i) { return static_cast<std::int64_t>(records[i].line.text.size()); });
        if (!run_block(records.first(count), settled)) return;
        records = records.subspan(count);
    }
}

bool RecordRunner::run_block(std::span<Record> records, const Settled& settled) {
    in_parts(records.size(), [&](std::size_t first, std::size_t last) {
        for (Record& record : records.subspan(first, last - first)) {
            if (record.failures.empty()) record.failures = failures_of([&] { record.value = parse_json(record.line.text, record.line.number); });
            record.is_done = !record.failures.empty();
        }
    });
    std::vector<std::shared_ptr<RecordKind>> kinds; // null: it can't be run
    for (const Record& record : records) kinds.push_back(record.is_done ? nullptr : kind_of(record));
    while (!records.empty()) {
        texts_.clear();
        const std::size_t count = fitting(records.size(), bytes_at_work(), [&](std::size_t i) { return kinds[i] ? kinds[i]->bytes() : 0; });
        if (!run_stretch(records.first(count), std::span(kinds).first(count), settled)) return false;
        for (Record& record : records.first(count)) record.value = {};
        records = records.subspan(count);
        kinds.erase(kinds.begin(), kinds.begin() + static_cast<std::ptrdiff_t>(count));
    }
    return true;
}

bool RecordRunner::run_stretch(std::span<Record> records, std::span<const std::shared_ptr<RecordKind>> kinds, const Settled& settled) {
    std::vector<std::pair<RecordKind*, std::vector<Record*>>> groups;
    for (std::size_t i = 0; i < records.size(); ++i) {
        RecordKind* const kind = kinds[i].get();
        if (kind == nullptr) continue;
        // What runs alone does so where it stands.
        auto group = kind->runs_together() ? std::ranges::find_if(groups, [&](const auto& each) { return each.first == kind; }) : groups.end();
        if (group == groups.end()) group = groups.insert(groups.end(), {kind, {}});
        group->second.push_back(&records[i]);
    }
    for (auto& [kind, members] : groups) {
        run_together(*kind, members);
        for (Record* record : members) record->is_done = true;
        if (!settled()) return false;
    }
    return settled();
}

void RecordRunner::run_together(RecordKind& kind, std::span<Record*> records) {
    std::vector<Array> all;
    std::vector<char> converts(records.size(), 0);
    const bool has_room = kind.runs_together() && failures_of([&] { all = kind.room_for(static_cast<std::int64_t>(records.size())); }).empty();
    if (has_room) {
        in_parts(records.size(), [&](std::size_t first, std::size_t last) {
            for (std::size_t i = first; i < last; ++i) converts[i] = failures_of([&] { kind.read(records[i]->value, all, static_cast<std::int64_t>(i)); }).empty();
        });
    }
    std::vector<Record*> ready;
    for (std::size_t i = 0; i < records.size(); ++i) {
        if (converts[i] == 0) {
            run_alone(*records[i]);
            continue;
        }
        // Those that are left close up.
        const auto from = static_cast<std::int64_t>(i), to = static_cast<std::int64_t>(ready.size());
        for (const Array& each : all) {
            if (from != to) copy_elements(place(each, from).view(), place(each, to).view());
        }
        ready.push_back(records[i]);
    }
    std::span<Record*> rest(ready);
    for (std::int64_t first = 0; !rest.empty();) {
        const std::int64_t size = *std::ranges::find_if(batch_sizes, [&](std::int64_t each) { return each <= static_cast<std::int64_t>(rest.size()); });
        run_batch(kind, all, first, rest.first(static_cast<std::size_t>(size)));
        rest = rest.subspan(static_cast<std::size_t>(size));
        first += size;
    }
}

void RecordRunner::run_batch(RecordKind& kind, const std::vector<Array>& all, std::int64_t first, std::span<Record*> records) {
    const auto count = static_cast<std::int64_t>(records.size());
    const std::vector<Diagnostic> failures = failures_of([&] {
        std::shared_ptr<Graph>& graph = kind.graphs[count];
        if (!graph && count == 1) {
            graph = state_.prepared(kind.traced());
        } else if (!graph) {
            BoundInputs inputs(with_record(state_.bindings(), FileBytes(stream_.name, kind.sample()), Stands::for_many));
            std::vector<Message> ignored;
            graph = state_.prepared(traced_for(state_, script_, tracing_, inputs, count, ignored));
        }
        write(kind, vmaprun::run(*graph, kind.inputs_of(all, first, count), state_.run_options(kind.traced())), records);
    });
    if (failures.empty()) return;
    if (count == 1) return run_alone(*records.front());
    // Some record fails: it is found among fewer.
    const std::int64_t quarter = count / 4;
    for (std::int64_t part = 0; part < 4; ++part) run_batch(kind, all, first + part * quarter, records.subspan(static_cast<std::size_t>(part * quarter), static_cast<std::size_t>(quarter)));
}

// The lines of some records, out of the arrays that have all of them.
void RecordRunner::write(const RecordKind& kind, const std::vector<Array>& outputs, std::span<Record*> records) {
    if (kind.traced().outputs.empty()) return;
    std::vector<std::string*> texts;
    for (std::size_t part = 0; part < part_count(records.size()); ++part) texts.push_back(&texts_.emplace_back());
    in_parts(records.size(), [&](std::size_t first, std::size_t last) {
        std::string& text = *texts[first / records_a_part];
        Tree tree = tree_of(kind.output(), outputs);
        Leaves leaves;
        collect_leaves(tree, kind.output(), leaves);
        std::vector<std::size_t> ends{0};
        JsonLines lines(style_of({true, stream_.nan}, 1), [&](std::string_view piece) { text += piece; });
        for (std::size_t i = first; i < last; ++i) {
            for (const auto& [leaf, output] : leaves) *leaf = place(outputs[output], static_cast<std::int64_t>(i));
            lines.write(tree);
            ends.push_back(text.size());
        }
        for (std::size_t i = first; i < last; ++i) records[i]->result = std::string_view(text).substr(ends[i - first], ends[i - first + 1] - ends[i - first]);
    });
}

void RecordRunner::run_alone(Record& record) {
    record.failures = failures_of([&] {
        BoundInputs inputs(with_record(state_.bindings(), record.line.text, Stands::alone));
        std::vector<Message> messages;
        const Traced traced = traced_for(state_, script_, tracing_, inputs, 0, messages);
        warn(messages);
        RunOptions how = state_.run_options(traced);
        how.debug = [&record, print = how.debug](std::string_view line) { print(std::string(line) + " [line " + std::to_string(record.line.number) + "]"); };
        const std::vector<Array> outputs = vmaprun::run(*state_.prepared(traced), inputs.load(traced), how);
        if (!traced.outputs.empty()) record.result = texts_.emplace_back(json_text(tree_of(whole_output(traced), outputs), style_of({true, stream_.nan}, 1)) + "\n");
    });
    for (Diagnostic& failure : record.failures) failure.notes.push_back("the record is line " + std::to_string(record.line.number) + " of " + stream_.name);
}

// ---- the stream ------------------------------------------------------------------------------------------------------

namespace {

std::string error_line(const Record& record) {
    const Diagnostic& first = record.failures.front();
    std::string text = "{\"error\": {\"line\": " + std::to_string(record.line.number);
    if (!first.code.empty()) text += ", \"code\": " + json_string(first.code);
    return text + ", \"message\": " + json_string(first.message) + "}}\n";
}

// It brings the records, or nothing.
void require_no_standard_input(const InputBindings& bindings) {
    for (const FileBinding& binding : bindings.files) {
        if (binding.path != "-") continue;
        throw UserError(error("E516", "`-i " + binding.name + "=-`: in a stream, standard input brings the records").help("leave it out: a record binds inputs by their names").exits(2));
    }
}

} // namespace

StreamReport Session::stream(const std::string& source, const std::string& name, const RecordStream& stream) {
    StreamReport report;
    // What is wrong whatever the records are is said before any is read.
    Options without_records = state_->options;
    without_records.read_stdin = false;
    const Result checked = Session(without_records).check(source, name);
    if (checked.exit_code() != 0) {
        report.messages = checked.messages();
        report.exit_code = checked.exit_code();
        return report;
    }
    SourceMap sources;
    report.exit_code = state_->guarded(report.messages, [&] {
        const ParseResult script = parsed(sources, source, name);
        require_no_standard_input(state_->bindings());
        const MemoryLimit limit(state_->options.memory);
        const MemoryScope memory(static_cast<std::size_t>(memory_allowed() / 8));
        RecordRunner runner(*state_, script.script, sources, stream);
        LineReader lines(stream.descriptor, stream.name);
        const auto wait = std::chrono::nanoseconds(static_cast<std::int64_t>(stream.latency * 1e9));
        const auto most = static_cast<std::size_t>(std::min(most_bytes, bytes_at_work()));
        std::vector<Diagnostic> end;
        while (end.empty() && !lines.is_at_end()) {
            std::vector<Record> records;
            for (Line& line : lines.read(most_at_once, most, wait)) {
                Record& record = records.emplace_back();
                record.failures = std::move(line.failures);
                record.line = std::move(line);
            }
            std::size_t next = 0; // the first that was not told of
            const auto settled = [&] {
                std::string text;
                for (; end.empty() && next < records.size() && records[next].is_done; ++next) {
                    Record& record = records[next];
                    ++report.records;
                    text += record.result;
                    if (record.failures.empty()) continue;
                    ++report.failed;
                    if (stream.keep_going) text += error_line(record);
                    else end = std::move(record.failures);
                }
                if (!text.empty()) stream.sink(text);
                return end.empty();
            };
            runner.run(records, settled);
        }
        report.messages = runner.warnings();
        if (!end.empty()) throw UserError(std::move(end));
    });
    if (report.exit_code == 0 && report.failed > 0) report.exit_code = 1;
    return report;
}

} // namespace vmaprun
