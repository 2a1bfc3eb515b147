// Script -> Graph. This file is the whole outside interface of the tracer.
//
// Tracing binds names, checks every type, shape and axis, and builds the typed graph; no data is computed. What arrives
// for inputs is asked of an InputSource (files and streams live in higher layers), headers only.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "ir/builder.hpp"
#include "syntax/ast.hpp"

namespace vmaprun {

// ---- what an `input` item declares -----------------------------------------------------------------------------------

struct DeclaredType {
    enum class Form { any, tensor, tuple, record } form = Form::any; // any: nothing declared
    std::optional<DType> dtype;     // tensor: a fixed dtype; none for the kinds float, int, num
    std::optional<Kind> kind;       // tensor: float -> floating, int -> integer
    bool ranked = false;            // tensor: brackets or a bare scalar word were written without `...`
    std::vector<std::optional<std::int64_t>> dims; // ranked: sizes known so far (none: any)
    std::vector<DeclaredType> items;               // tuple, record
    std::vector<std::string> names;                // record
    std::string text;                              // as declared: "f32[batch, k]"
};

// ---- what arrives ----------------------------------------------------------------------------------------------------

// A tensor that data brings: its dtype and shape; `data` may still be empty when only a file's header was read.
struct ArrivingTensor {
    DType dtype = DType::f64;
    Shape shape;
    Array data;
};
struct Arriving {
    enum class Form { tensor, tuple, record } form = Form::tensor;
    ArrivingTensor tensor;
    std::vector<Arriving> items;
    std::vector<std::string> names; // record
    std::string place;              // for messages: "stdin", "x.npy", "--set x"
    bool is_of_record = false;      // it comes with each record anew (TraceOptions::records)
};

class InputSource {
  public:
    virtual ~InputSource() = default;
    // Whether something brings this input by its name or place (a file, a setting). Asked for every input, in script order,
    // before anything arrives: what is claimed does not count as an input that a lone value could be meant for.
    virtual bool claims(const std::string& name) {
        (void)name;
        return false;
    }
    // What is bound to an input; nullopt when nothing is (then its default stands in). `alone`: of those that nothing
    // claims it is the only input without a default, or the only input. Throws UserError E5xx on data that can't be read as the declared type.
    virtual std::optional<Arriving> arriving(const std::string& name, const DeclaredType& declared, bool alone) = 0;
};

// ---- the result ------------------------------------------------------------------------------------------------------

struct TracedInput {
    std::string name;              // the input
    std::vector<std::string> path; // inside it: record fields and tuple positions; empty for a plain tensor
    TensorType type;               // what the graph takes: data is converted to it at load (E5xx where it can't be)
    std::optional<Array> value = {}; // its default, where nothing is bound to it
    bool is_of_record = false;       // the graph's input has a leading axis of records, which `type` is without
};

struct OutputTree {
    enum class Form { tensor, tuple, record, none } form = Form::tensor;
    std::size_t output = 0; // tensor: index into graph->outputs
    std::vector<OutputTree> items;
    std::vector<std::string> names;
};
struct TracedOutput {
    std::string name; // empty: the unnamed one
    OutputTree tree;
    Span span;
};

struct ContextSettings { // context(...) of the script; flags win
    std::map<std::string, std::string> values;
};

struct Traced {
    std::shared_ptr<Graph> graph;
    std::vector<TracedInput> inputs; // in the order of graph->inputs
    std::vector<TracedOutput> outputs;
    ContextSettings context;
    std::vector<std::string> input_names; // every `input` of the script, in order, needed or not
    std::vector<Diagnostic> warnings;
};

struct TracedTest {
    std::string name;
    Span span;
    std::optional<Traced> traced = {};    // or the errors of tracing it
    std::vector<Diagnostic> errors = {};
    std::uint32_t begin = 0; // bench: the sequence of the block's first node; those before it are of the script around it
};

// Reads the text of an imported script; `path` is already relative to nothing (joined with the importing file's folder).
// Throws UserError E5xx.
using ModuleLoader = std::function<const Source&(const std::string& path)>;

struct TraceOptions {
    bool implicit_inputs = false; // -e: a free name that is no builtin is an input
    bool symbolic = false;        // check, graph: inputs without data have symbols for unknown sizes
    std::size_t rest_axes = 0;    // symbolic: so many axes stand for the `...` of a type
    bool keep_tests = false;
    std::int64_t records = 0;     // the script once for each of so many records: what arrives with them, and all outputs, have them as a leading axis
    ModuleLoader load_module;
    Folder folder;                // from the engine
};

// Throws UserError with every independent error that it found. The script (and its Source) must outlive the result.
Traced trace(const ast::Script& script, InputSource& source, const TraceOptions& options);
// Whether some input may have any number of axes: the type has a `...`.
bool has_open_rank(const ast::Script& script);
// Each test (or bench) block of the script on its own graph; inputs take their defaults only where a test needs them.
std::vector<TracedTest> trace_tests(const ast::Script& script, InputSource& source, const TraceOptions& options, bool benches = false);

} // namespace vmaprun
