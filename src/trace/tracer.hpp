// The tracer's own inside: one object that walks a script and builds its graph. Outside interface: trace/trace.hpp.
//   script.cpp       items in order: lets, outputs, tests; errors gathered
//   inputs.cpp       `input` items: what arrives, defaults, symbols
//   modules.cpp      imports
//   expressions.cpp  every kind of expression, patterns
//   calls.cpp        binding of arguments, user functions, pipes
//   builtins.cpp     calls of the table's rows: from trace-time values to bound arguments
//   annotations.cpp  types, dims and their agreement
//   transforms.cpp   vmap, unroll, map, vmapipe, collectives
//   control.cpp      if, loop, scan, fold
//   natives.cpp      the transforms and collectives by name
//   resolve.cpp      unknown names, before anything is traced
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/error.hpp"
#include "syntax/ast.hpp"
#include "trace/datum.hpp"
#include "trace/prelude.hpp"
#include "trace/trace.hpp"

namespace vmaprun {

// Names at one level; blocks, functions and files nest. Shared, because functions keep the scope that they close over.
struct Scope {
    struct Import { std::string path; Span span; }; // the file that a name is from, and the item that brings it
    std::shared_ptr<Scope> outer;
    std::map<std::string, Datum, std::less<>> names;
    std::map<std::string, const ast::TypeItem*, std::less<>> types;
    std::set<std::string, std::less<>> circular_types; // reported; not among `types`
    std::map<std::string, Import, std::less<>> imported, imported_types;
    const Datum* find(std::string_view name) const;
    const ast::TypeItem* find_type(std::string_view name) const;
};
using ScopePtr = std::shared_ptr<Scope>;

struct ImportedNames;
ImportedNames imported_names(const Scope& scope);

// Thrown when an expression depends on something that has already been reported.
struct AlreadyReported {};

// The names in a size.
void size_names(const ast::Expr& expression, std::vector<std::string>& names);

// One agreement of dim names in a signature (or, for inputs, in the whole script).
struct DimBindings {
    struct Entry {
        Dim size;
        Span span;          // of the dim name in the signature
        std::string place;  // "axis 1 of `x`"
    };
    struct Pending { // a dim that is an expression: solved after the bare names
        const ast::Dim* dim;
        Dim size;
        std::string place;
        ScopePtr scope;
        Span value_span = {};   // of the value that has the size, where it is plain to see
        std::string value = {}; // "`x` is f32[4]"
        std::string note = {};  // where data came from
    };
    std::map<std::string, Entry, std::less<>> names;
    std::vector<Pending> pending;
    bool names_of_scope = true; // a name that the scope knows as an integer means that; false in signatures of functions
};

// The mapped axes that the code being traced is inside of, outermost first.
struct ActiveAxis {
    LaneId lane;
    std::string name;
};

class Tracer {
  public:
    Tracer(InputSource& source, const TraceOptions& options);
    ~Tracer();
    Tracer(const Tracer&) = delete;
    Tracer& operator=(const Tracer&) = delete;

    // ---- script.cpp
    Traced run_script(const ast::Script& script);
    TracedTest run_test(const ast::Script& script, const ast::Test& test);

    // ---- expressions.cpp
    Datum evaluate(const ast::Expr& expression, const ScopePtr& scope);
    Datum evaluate_block(const ast::Block& block, const ScopePtr& scope);
    // The value of a statement, held to the type of its `let` where it has one; `dims` takes the sizes that the type names.
    Datum evaluate_statement(const ast::Statement& statement, const ScopePtr& scope, DimBindings& dims);
    Value evaluate_tensor(const ast::Expr& expression, const ScopePtr& scope, std::string_view what);
    void bind_pattern(const ast::Pattern& pattern, const Datum& value, const ScopePtr& scope, Span value_span);
    IndexArgument index_argument(const ast::IndexItem& item, const ScopePtr& scope);
    Dim constant_int(const Datum& datum, Span span, std::string_view what);
    // An axis, or another number that decides what the graph is: where it is a size that a check does not know, nothing can be
    // said of what depends on it. That is a warning, and AlreadyReported.
    std::int64_t known_int(const Datum& datum, Span span, std::string_view what);

    // ---- calls.cpp
    Datum call(const FunctionPtr& function, CallArguments arguments, Span span);
    CallArguments evaluate_arguments(const std::vector<ast::Argument>& arguments, const ScopePtr& scope);
    FunctionPtr expect_function(const Datum& datum, Span span, std::string_view what);
    FunctionPtr make_user_function(const ast::Function& function, const ScopePtr& scope);
    FunctionPtr make_lambda(const ast::Lambda& lambda, Span span, const ScopePtr& scope);
    FunctionPtr builtin(std::string_view name); // a row, a prelude function, a transform; null when there is none
    Datum pipe(const ast::Pipe& pipe, Span span, const ScopePtr& scope);

    // ---- annotations.cpp
    Datum check_annotation(const ast::Type& type, const Datum& value, Span value_span, const std::string& what, DimBindings& dims, const ScopePtr& scope);
    // The value with its literals in the dtypes that the type asks for; what doesn't fit the type stays as it is.
    Datum declared_literals(const ast::Type& type, const Datum& value, const ScopePtr& scope);
    void solve_pending(DimBindings& dims, Span call_span, bool more_follow = false);
    Dim evaluate_dim(const ast::Expr& expression, const DimBindings& dims, const ScopePtr& scope);
    DeclaredType declared_type(const ast::Type& type, const DimBindings& dims, const ScopePtr& scope);

    // ---- transforms.cpp
    struct VmapOptions {
        Datum in_axes, out_axes;
        std::string axis_name;
        std::optional<Dim> axis_size;
        std::int64_t chunk = 0;
        Span span, in_axes_span, out_axes_span;
        bool unrolled = false;
    };
    Datum vmap(const FunctionPtr& function, const VmapOptions& options, const CallArguments& arguments, Span span);
    // `keywords`: go whole to every call.
    Datum map_over(const FunctionPtr& function, const Datum& items, const CallArguments& keywords, Span span, Span items_span);
    Datum unroll_data(const Datum& data, std::int64_t axis, Span span, Span axis_span);
    Datum comprehension(const ast::Comprehension& comprehension, Span span, const ScopePtr& scope);
    // Runs `body` with one more mapped axis around it, then brings its result out along axis 0.
    Datum over_lane(LaneId lane, const std::function<Datum()>& body, Span span);
    LaneId lane_named(const Datum& name, Span span, std::string_view function);
    Value slice_at(Value value, std::int64_t axis, Dim index);

    // ---- control.cpp
    Datum if_expression(const ast::If& node, Span span, const ScopePtr& scope);
    Datum loop_expression(const ast::Loop& node, Span span, const ScopePtr& scope);
    // f is called with (carry, x); gives (carry, ys). `collect` false: f gives the carry alone (fold).
    struct ScanOptions {
        bool collect = true, reverse = false;
        std::optional<Dim> length;
        std::string_view form = "a scan"; // for messages
        Span items_span;                  // what it goes over, where that is written
    };
    using StepFunction = std::function<Datum(const Datum& carry, const Datum& x)>;
    Datum scan(const StepFunction& step, const Datum& init, const Datum& xs, const ScanOptions& options, Span span);

    Builder& builder() { return *builder_; }
    // Fills in the place and the operands' types of an error that a row threw, then throws it on.
    [[noreturn]] void place(UserError& failure, Span span, const std::vector<std::pair<Span, Datum>>& operands);

    // Marks the expression that nodes come from while it lives.
    class Origin {
      public:
        Origin(Builder& builder, Span span) : builder_(builder), marks_(!in_prelude(span)) {
            if (marks_) builder_.push_origin(span);
        }
        ~Origin() {
            if (marks_) builder_.pop_origin();
        }
        Origin(const Origin&) = delete;
        Origin& operator=(const Origin&) = delete;

      private:
        Builder& builder_;
        const bool marks_;
    };

    std::vector<ActiveAxis>& axes() { return axes_; }
    // Conditions of the ifs and loops around, for the rule that collectives need a condition that doesn't vary.
    struct Divergence {
        Lanes lanes;
        Span span;
    };
    std::vector<Divergence>& divergences() { return divergences_; }
    std::vector<const void*>& active_calls() { return active_calls_; }
    const TraceOptions& options() const { return options_; }
    Diagnostic unknown_name(const std::string& name, Span span, const ScopePtr& scope);

  private:
    // script.cpp
    void prepare(const ast::Script& script);
    void hoist(const ast::Script& script, const ScopePtr& scope);   // types and functions
    void run_items(const ast::Script& script);
    void run_item(const ast::Item& item, bool last);
    void define(const std::string& name, const Datum& value, Span span, const ScopePtr& scope);
    void poison(const ast::Item& item);
    void run_output(const ast::Output& output);
    void run_statement(const ast::Statement& statement, bool last);
    void run_context(const ast::Context& context);
    void add_output(const std::string& name, const Datum& value, Span span);
    OutputTree output_tree(const Datum& value, Span span);
    void report(UserError& failure);
    void add_size_facts(Diagnostic& diagnostic) const;
    Traced finish();
    // modules.cpp
    void run_import(const ast::Import& import, const ast::Script& script, const ScopePtr& scope);
    ScopePtr load_module(const std::string& path, Span span);
    // inputs.cpp
    void run_input(const std::string& name, const ast::Type* type, const ast::Expr* default_value, Span span);
    void solve_input_dims(Span span, bool from_data);
    Datum bring_input(const std::string& name, const ast::Type* type, Span span, const Arriving& arriving, std::vector<std::string> path);
    Datum bring_leaf(const std::string& name, const ast::Type* type, Span span, const Arriving& arriving, std::vector<std::string> path);
    void check_input_shape(const ast::Type& type, const std::string& what, const Dims& shape, Span span, const std::string& place);
    Datum symbolic_input(const ast::Type& type, const std::string& name, std::vector<std::string> path);
    Datum convert_default(const ast::Type& type, const Datum& value, Span span, const std::string& what);
    std::string unbound_size(const ast::Type& type, const ast::Expr& default_value);
    Datum default_as_input(const std::string& name, const Datum& value);
    void publish_dims(Span span);
    // transforms.cpp
    std::int64_t out_axis(const Datum& axes, const Datum& result, const VmapOptions& options, const std::string& path);
    struct MappedLeaf {
        Value value;
        std::int64_t axis;
        std::string path; // "argument `x`", "`p.w`"
        Span span;
    };
    Datum place_in_lanes(const Datum& argument, const Datum& axes, const std::string& path, Span span, const VmapOptions& options,
                         std::vector<MappedLeaf>& leaves, const std::function<Value(const MappedLeaf&)>& enter);
    Datum bring_out(const Datum& result, const Datum& axes, LaneId lane, const VmapOptions& options, const std::string& path);
    Dim mapped_size(const std::vector<MappedLeaf>& leaves, const VmapOptions& options, const std::string& name);
    Datum unrolled(const FunctionPtr& function, const VmapOptions& options, const CallArguments& arguments, const std::vector<Datum>& axes, Dim size, Span span);
    Datum stack_results(const std::vector<Datum>& results, const Datum& axes, const VmapOptions& options, const std::string& path);
    // control.cpp
    Datum conditional(Value condition, const ast::If& node, Span span, const ScopePtr& scope);
    Datum decided(bool condition, const ast::If& node, Span span, const ScopePtr& scope);
    Datum while_loop(const ast::Loop& node, const Datum& init, Span span, const ScopePtr& scope);
    Datum range_loop(const ast::Loop& node, const RangeDatum& range, const Datum& init, Span span, const ScopePtr& scope);
    Value condition_value(const ast::Expr& expression, const ScopePtr& scope, std::string_view what);
    std::int64_t constant_limit(const ast::Loop& node, const ScopePtr& scope);

    InputSource& source_;
    const TraceOptions& options_;
    std::shared_ptr<Program> program_;
    std::unique_ptr<Builder> builder_;
    std::optional<SizeFacts> size_facts_; // while sizes are symbols
    ScopePtr top_;
    DimBindings input_dims_;
    std::vector<ActiveAxis> axes_;
    std::vector<Divergence> divergences_;
    std::vector<const void*> active_calls_;
    std::map<std::string, FunctionPtr, std::less<>> builtins_;
    std::map<std::string, ScopePtr> modules_;
    std::vector<std::weak_ptr<Scope>> closures_; // scopes that functions close over
    std::set<std::string, std::less<>> published_dims_;
    std::vector<Span> unnamed_outputs_;
    bool testing_ = false; // a test block: errors of items that it doesn't need don't count
    std::vector<std::unique_ptr<ast::Script>> imported_;
    std::vector<std::string> importing_;
    const Source* main_ = nullptr;
    std::vector<Diagnostic> errors_;
    std::map<std::string, Span, std::less<>> top_places_; // where the script binds its names, also those not bound yet
    Traced traced_;
    std::vector<Value> outputs_;
    std::optional<LaneId> records_; // the mapped axis around the whole script, where it is run for many records
    std::size_t inputs_total_ = 0, inputs_without_default_ = 0;
    std::set<std::string> inputs_met_;
    bool is_poisoned_ = false; // an item failed
    std::int64_t next_witness_ = 0;
};

} // namespace vmaprun
