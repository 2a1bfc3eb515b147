// vmaprun as a library: run a `.vm` script on data.
//
//   vmaprun::Options options;
//   options.values = {"x=[1, 2, 3]"};
//   const vmaprun::Result result = vmaprun::Session(options).run("input x: f32[n]\noutput sum(x)\n", "sum.vm");
//   if (result.ok()) std::puts(result.json().c_str());               // 6.0
//   else for (const auto& message : result.messages()) std::fputs(message.human.c_str(), stderr);
//
// Sessions hold no global state but what their scripts and inputs name; several may run on several threads, each used by one.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace vmaprun {

struct Options {
    std::vector<std::string> files;  // "NAME=PATH[:MEMBER]", as the command's -i
    std::vector<std::string> values; // "NAME=JSON", as the command's --set
    std::string data;                // a file for the first input that files and values leave unbound
    bool read_stdin = false;         // whether inputs that are still unbound are looked for on standard input
    bool implicit_inputs = false;    // a free name that is no builtin is an input (the command's -e)
    enum class Mode { script, graph, eager } mode = Mode::script; // script: what its context(...) says
    int devices = 0;                 // 0: as the script's context(...) says, else as many as the machine has CPUs
    enum class Strategy { script, auto_parallel, none } strategy = Strategy::script; // none: one thread does all
    int threads = 0;                 // 0: as many as there are devices
    bool check_nan = false;          // stop at the first operation that makes a NaN or infinity out of finite operands
    std::int64_t memory = 0;         // bytes that tensors may take together, in the whole process; 0: all there are
    bool clamp_indices = false;      // computed indices out of range read clamped and drop writes
    bool color = false;              // ANSI colours in Message::human
    std::function<void(std::string_view)> debug; // takes the lines of debug(x, "label"); null: stderr
};

// One diagnostic.
struct Message {
    bool is_error = true;
    std::string code;  // "E301"; empty where it has none
    std::string text;  // one line
    std::string human; // as the command prints it, newline included
    std::string json;  // the same as one JSON object on one line, newline included
    int exit_code = 0; // of the command, were this its first error
};

// A result tensor. `bytes` are its elements in row-major order, in the byte order of the machine.
struct Tensor {
    std::string dtype; // "f32"
    std::vector<std::int64_t> shape;
    std::vector<std::byte> bytes;
};

// How a result is written as JSON.
struct JsonFormat {
    bool compact = false; // everything on one line
    enum class Nan { string, null, literal, error } nan = Nan::string;
};

struct ResultData; // session/result.hpp

class Result {
  public:
    using Sink = std::function<void(std::string_view)>;

    bool ok() const { return exit_code_ == 0; }
    int exit_code() const { return exit_code_; } // 0; 1 a failed assertion; 3 the script; 4 the data; 5 the run; 70 a bug
    const std::vector<Message>& messages() const { return messages_; }

    // The names of the outputs in script order; a lone unnamed one is "".
    std::vector<std::string> names() const;
    // All outputs: an object by name, or the unnamed one as itself; empty text when the script has none.
    std::string json(const JsonFormat& format = {}) const;
    void write_json(const JsonFormat& format, const Sink& sink) const;
    // One output: `name` as in names().
    void write_json(const std::string& name, const JsonFormat& format, const Sink& sink) const;
    bool is_tensor(const std::string& name) const;
    Tensor tensor(const std::string& name) const;
    void write_npy(const std::string& name, const Sink& sink) const;
    // An archive of all outputs, or of one: a tensor has the name of its output (an unnamed one `arr_0`), what is inside of a tuple or record
    // the names on the way there, with dots between.
    void write_npz(const Sink& sink) const;
    void write_npz(const std::string& name, const Sink& sink) const;
    // It went to its PlacedOutput while it was computed, all of it, and is not here.
    bool is_placed(const std::string& name) const;

  private:
    friend class Session;
    int exit_code_ = 0;
    std::vector<Message> messages_;
    std::shared_ptr<const ResultData> data_;
};

struct TestOutcome {
    std::string name;
    bool passed = false;
    std::vector<Message> messages; // why it failed
    double seconds = 0;
};
struct TestReport {
    std::vector<TestOutcome> tests;
    std::vector<Message> messages; // of the script itself
    int exit_code = 0;             // 1 when a test failed
};

struct TextReport {
    std::string text;
    std::vector<Message> messages;
    int exit_code = 0;
};

enum class GraphFormat { text, json, dot };
enum class BenchFormat { text, json }; // json: an object a line, times in seconds

// Takes an .npy file in pieces, in any order and from several threads, while it is still being computed.
class PlacedOutput {
  public:
    virtual ~PlacedOutput() = default;
    virtual void begin(std::int64_t bytes) = 0; // how large it will be; before the first piece, and only if there is one
    virtual void write(std::int64_t offset, std::string_view bytes) = 0;
};

// What somebody will ask a result for; a script that does not give it is refused (exit 2) before anything runs.
struct WantedOutput {
    std::string name; // empty: the only output
    bool tensor = false;
    // Where its .npy file may go at once, if the output need not be kept: then Result::is_placed.
    PlacedOutput* placed = nullptr;
};

// Records to run a script on: a JSON value a line, of which each binds inputs as standard input does for a run.
struct RecordStream {
    int descriptor = 0;             // lines are read from it, as they come
    std::string name = "stdin";     // what messages call it
    Result::Sink sink;              // takes the results, whole lines, in the order of the records
    double latency = 0.05;          // seconds that the first of some lines waits at most for others, to be run with them
    bool keep_going = false;        // a record that fails gives the line {"error": {"line": …, "code": …, "message": …}}, and the others go on
    JsonFormat::Nan nan = JsonFormat::Nan::string;
};
struct StreamReport {
    std::int64_t records = 0, failed = 0;
    std::vector<Message> messages;
    int exit_code = 0; // of the record that ended it; 1 where some failed and it went on
};

class Session {
  public:
    explicit Session(Options options = {});
    ~Session();
    Session(Session&&) noexcept;
    Session& operator=(Session&&) noexcept;

    // Runs a script; `name` is what messages call it, and where its imports are looked for.
    Result run(const std::string& source, const std::string& name, const std::vector<WantedOutput>& wanted = {});
    // Runs a script on each record of a stream, many at once where their inputs have one type: the results are those of one after another.
    StreamReport stream(const std::string& source, const std::string& name, const RecordStream& records);
    // Names, types and shapes alone. Unknown sizes are symbols.
    Result check(const std::string& source, const std::string& name);
    // The graph of a script, after the pass of that name (empty: after all).
    TextReport graph(const std::string& source, const std::string& name, GraphFormat format, const std::string& after);
    // The types of its outputs: each a line "NAME: TYPE", an unnamed one its type alone. Nothing is computed.
    TextReport types(const std::string& source, const std::string& name);
    // How it would be run, in words.
    TextReport plan(const std::string& source, const std::string& name);
    // Its `test` blocks, each on its own.
    TestReport test(const std::string& source, const std::string& name);
    // Its `bench` blocks: each a line with the median of its runs after warm-up, and an interval that holds the true one with 95 %. A block that
    // fails gives a message in its place; the exit code is that of the first.
    TextReport bench(const std::string& source, const std::string& name, BenchFormat format = BenchFormat::text);
    // The script in the one layout.
    TextReport format(const std::string& source, const std::string& name);

    // Another file for the first unbound input: Options::data of the runs that follow.
    void bind_data(const std::string& path);
    // Reads standard input now, if the script has an input that only it can bind; later runs take it from memory.
    void read_standard_input(const std::string& source, const std::string& name);

    struct State; // of the library's own files

  private:
    std::unique_ptr<State> state_;
};

} // namespace vmaprun
