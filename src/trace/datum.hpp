// What an expression of a script stands for while the graph is built: a tensor of the graph, a tree of them, or something
// that exists only now (functions, words, ranges, none).
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "ir/builder.hpp"
#include "ops/indexing.hpp"

namespace vmaprun {

class Function;
using FunctionPtr = std::shared_ptr<const Function>;
struct Datum;

struct TupleDatum {
    std::vector<Datum> items;
    std::vector<Span> spans; // where each item was written, when the tuple is a literal; else empty
    bool counted = true;     // false: the slices of an axis whose size isn't known yet: as many as are asked for
    bool may_have(std::size_t count) const;
};
struct RecordDatum {
    std::vector<std::pair<std::string, Datum>> fields;
    const Datum* find(const std::string& name) const;
};
struct NoneDatum {};
struct WordDatum { std::string word; };                           // auto, graph, eager, cpu
struct RangeDatum { Value first, last; };
struct AtDatum { Value x; };                                      // x.at
struct AtIndexDatum { Value x; std::vector<IndexArgument> items; }; // x.at[...]
struct PoisonDatum {};                                            // the value of something that already failed

struct Datum {
    std::variant<NoneDatum, Value, std::shared_ptr<const TupleDatum>, std::shared_ptr<const RecordDatum>, FunctionPtr, std::string, DType,
                 WordDatum, RangeDatum, AtDatum, std::shared_ptr<const AtIndexDatum>, PoisonDatum>
        is;

    Datum() = default;
    Datum(Value value) : is(value) {} // NOLINT
    Datum(FunctionPtr function) : is(std::move(function)) {} // NOLINT
    static Datum tuple(std::vector<Datum> items, std::vector<Span> spans = {}, bool counted = true) {
        Datum datum;
        datum.is = std::make_shared<const TupleDatum>(TupleDatum{std::move(items), std::move(spans), counted});
        return datum;
    }
    static Datum record(std::vector<std::pair<std::string, Datum>> fields) {
        Datum datum;
        datum.is = std::make_shared<const RecordDatum>(RecordDatum{std::move(fields)});
        return datum;
    }
    template <class T> static Datum of(T value) {
        Datum datum;
        datum.is = std::move(value);
        return datum;
    }

    const Value* tensor() const { return std::get_if<Value>(&is); }
    const TupleDatum* tuple() const;
    const RecordDatum* record() const;
    const Function* function() const;
    bool none() const { return std::holds_alternative<NoneDatum>(is); }
    bool poison() const { return std::holds_alternative<PoisonDatum>(is); }
};

inline bool TupleDatum::may_have(std::size_t count) const { return counted ? items.size() == count : items.size() >= count; }

// "f32[4, 5]", "(f32, i64)", "{w: f32[3]}", "a function", "none" ...
std::string type_text(const Builder& builder, const Datum& datum);

// The tensors of a tree, left to right. Functions, words and strings in it are no tensors: `other` is set to the first.
void collect_leaves(const Datum& datum, std::vector<Value>& leaves, const Datum** other = nullptr);
// The same tree with its tensors replaced, left to right.
Datum with_leaves(const Datum& datum, const std::vector<Value>& leaves, std::size_t& next);
// True when both are trees of one structure (leaf types aside).
bool same_structure(const Datum& a, const Datum& b);

// ---- functions -------------------------------------------------------------------------------------------------------

struct CallArgument {
    std::optional<std::string> keyword;
    Span keyword_span;
    Datum value;
    Span span;
};
using CallArguments = std::vector<CallArgument>;

class Tracer;

// Something that can be called. Immutable.
class Function {
  public:
    struct Parameter {
        std::string name;
        bool required = true;
    };
    virtual ~Function() = default;
    virtual std::string name() const = 0;
    virtual std::vector<Parameter> parameters() const = 0;
    // As one call has them: where the function takes any number of tensors (`*operands`), one for each.
    virtual std::vector<Parameter> parameters_of(const CallArguments& arguments) const {
        (void)arguments;
        return parameters();
    }
    virtual Datum call(Tracer& tracer, const CallArguments& arguments, Span span) const = 0;
    // The argument as the parameter's annotation has it: its literals take the declared dtypes, all else stays as it is.
    virtual Datum with_declared_literals(Tracer& tracer, std::size_t parameter, const Datum& argument) const {
        (void)tracer, (void)parameter;
        return argument;
    }
    // True for vmap, scan …: a pipe that calls it with a function applies what it makes.
    virtual bool is_transform() const { return false; }
    std::size_t required_count() const {
        std::size_t count = 0;
        for (const Parameter& parameter : parameters()) count += parameter.required ? 1 : 0;
        return count;
    }
};

} // namespace vmaprun
