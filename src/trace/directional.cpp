#include "trace/directional.hpp"

#include "base/text.hpp"
#include "ops/call.hpp"
#include "ops/derivative.hpp"
#include "trace/differentiated.hpp"

namespace vmaprun {
namespace {

// One argument may stand without a tuple.
CallArguments primals_of(const CallArgument& given, bool& is_tuple) {
    CallArguments arguments;
    const TupleDatum* tuple = given.value.tuple();
    is_tuple = tuple != nullptr;
    if (!tuple) return {{std::nullopt, {}, given.value, given.span}};
    for (std::size_t i = 0; i < tuple->items.size(); ++i) arguments.push_back({std::nullopt, {}, tuple->items[i], tuple->spans.empty() ? given.span : tuple->spans[i]});
    return arguments;
}

// Tangents or cotangents beside the values that they belong to: one tree, leaves of the same dtypes and shapes; `none` is zero.
class Beside {
  public:
    Beside(Tracer& tracer, std::string_view what, std::string_view of, Span span) : builder_(tracer.builder()), what_(what), of_(of), span_(span) {}

    // `type_of`: of the values, which may be of a graph that is closed.
    void match(const Datum& values, const Datum& given, const std::function<TensorType(Value)>& type_of, const std::string& path) {
        if (given.poison()) throw AlreadyReported{};
        if (given.none()) return skip(values);
        if (const Value* value = values.tensor()) {
            const Value* own = given.tensor();
            if (own == nullptr) fail(path, "is " + type_text(builder_, given) + ", and the " + of_ + " is " + type_of(*value).text());
            return leaves.push_back(fit(*own, type_of(*value), path));
        }
        if (const TupleDatum* tuple = values.tuple()) {
            if (!given.tuple() || given.tuple()->items.size() != tuple->items.size()) fail(path, "is " + type_text(builder_, given) + ", and the " + of_ + " is a tuple of " + count_of(static_cast<std::int64_t>(tuple->items.size()), "item"), "`none` stands for zero");
            for (std::size_t i = 0; i < tuple->items.size(); ++i) match(tuple->items[i], given.tuple()->items[i], type_of, path + "[" + std::to_string(i) + "]");
        } else if (const RecordDatum* record = values.record()) {
            if (!given.record() || given.record()->fields.size() != record->fields.size()) fail(path, "is " + type_text(builder_, given) + ", and the " + of_ + " is a record of " + count_of(static_cast<std::int64_t>(record->fields.size()), "field"));
            for (const auto& [name, value] : record->fields) {
                const Datum* own = given.record()->find(name);
                if (own == nullptr) fail(path, "has no field `" + name + "`, which the " + of_ + " has");
                match(value, *own, type_of, path + "." + name);
            }
        }
    }
    std::vector<Value> leaves;

  private:
    void skip(const Datum& values) {
        std::vector<Value> none;
        collect_leaves(values, none);
        leaves.insert(leaves.end(), none.size(), Value{});
    }

    Value fit(Value own, const TensorType& type, const std::string& path) {
        const TensorType given = builder_.type(own);
        if (!differentiable(type.dtype)) {
            fail(path, "is " + given.text() + ", but a value of `" + std::string(name_of(type.dtype)) + "` has none", type.weak && is_integer(type.dtype) ? "write the number with a point, as in 2.0" : "write `none` there");
        }
        bool fits = given.rank() == type.rank();
        for (std::size_t i = 0; fits && i < type.rank(); ++i) fits = !surely_different(given.shape[i], type.shape[i]);
        const bool takes_dtype = (given.weak && kind_of(given.dtype) <= kind_of(type.dtype) && given.dtype != DType::boolean) || (type.weak && kind_of(given.dtype) == kind_of(type.dtype));
        if (!fits || (given.dtype != type.dtype && !takes_dtype)) fail(path, "is " + given.text() + ", and the " + of_ + " is " + type.text(), "they have one shape and one dtype");
        if (given.dtype == type.dtype) return own;
        return type.weak ? builder_.add(op_named("cast"), {own}, {type.dtype, true}) : cast(builder_, own, type.dtype);
    }

    [[noreturn]] void fail(const std::string& path, const std::string& text, const std::string& help = {}) {
        Diagnostic diagnostic = error("E414", "the " + what_ + path + " " + text).at(span_);
        if (!help.empty()) diagnostic.helps.push_back(help);
        throw UserError(std::move(diagnostic));
    }

    Builder& builder_;
    std::string what_, of_;
    Span span_;
};

std::vector<std::size_t> all_of(std::size_t count) {
    std::vector<std::size_t> which;
    for (std::size_t i = 0; i < count; ++i) which.push_back(i);
    return which;
}

// Positional arguments go to the first parameters.
Chosen choose_all(Tracer& tracer, const FunctionPtr& function, const CallArguments& primals, Span span) {
    bind_arguments(function->name(), function->parameters(), primals, span); // too many, too few
    return Chosen(tracer, function, primals, all_of(primals.size()), span);
}

// The primals in the form in which they were given.
Datum primals_as_given(const Chosen& chosen, bool is_tuple) {
    if (!is_tuple) return chosen.argument(0).value;
    std::vector<Datum> items;
    for (std::size_t k = 0; k < chosen.count(); ++k) items.push_back(chosen.argument(k).value);
    return Datum::tuple(std::move(items));
}

// The leaves of a primal, literals in the dtype of the tangent that they meet.
void meet(Builder& builder, const Datum& primal, const Datum& tangent, std::vector<Value>& leaves) {
    const Value *value = primal.tensor(), *beside = tangent.tensor();
    if (value != nullptr && beside != nullptr) {
        const TensorType own = builder.type(*value), given = builder.type(*beside);
        const bool takes = own.weak && !given.weak && is_floating(own.dtype) && is_floating(given.dtype);
        return leaves.push_back(takes ? cast(builder, *value, given.dtype) : *value);
    }
    const TupleDatum *items = primal.tuple(), *others = tangent.tuple();
    const RecordDatum* record = primal.record();
    if (items != nullptr && others != nullptr && items->items.size() == others->items.size()) {
        for (std::size_t i = 0; i < items->items.size(); ++i) meet(builder, items->items[i], others->items[i], leaves);
    } else if (record != nullptr && tangent.record() != nullptr) {
        for (const auto& [name, field] : record->fields) {
            const Datum* other = tangent.record()->find(name);
            meet(builder, field, other != nullptr ? *other : Datum(), leaves);
        }
    } else {
        collect_leaves(primal, leaves); // `none`, or what does not fit: told afterwards
    }
}

CallArguments meeting_tangents(Tracer& tracer, const FunctionPtr& function, CallArguments primals, const Datum& tangents, bool is_tuple, Span span) {
    const Chosen declared = choose_all(tracer, function, primals, span);
    std::vector<Value> leaves;
    std::size_t next = 0;
    const Datum as_given = primals_as_given(declared, is_tuple);
    meet(tracer.builder(), as_given, tangents, leaves);
    const Datum met = with_leaves(as_given, leaves, next);
    for (std::size_t k = 0; k < primals.size(); ++k) primals[k].value = is_tuple ? met.tuple()->items[k] : met;
    return primals;
}

} // namespace

Datum jvp_native(Tracer& tracer, const Slots& slots, Span span) {
    Builder& builder = tracer.builder();
    const FunctionPtr function = function_argument(tracer, slots[0], "jvp");
    const Tracer::Origin origin(builder, span);
    bool is_tuple = false;
    const CallArguments given = primals_of(*slots[1], is_tuple);
    const CallArguments primals = meeting_tangents(tracer, function, given, slots[2]->value, is_tuple, span);
    const Chosen chosen = choose_all(tracer, function, primals, span);
    Beside tangents(tracer, "tangent", "primal", slots[2]->span);
    tangents.match(primals_as_given(chosen, is_tuple), slots[2]->value, [&](Value value) { return builder.type(value); }, "");
    const TracedCall traced = chosen.trace();
    const Linearized linearized = jvp(builder, traced.function, traced.arguments, tangents.leaves);
    const std::vector<Value> directions = or_zeros(builder, linearized.tangents, linearized.values);
    return Datum::tuple({tree_of(traced.result, linearized.values), tree_of(traced.result, directions)});
}

Datum vjp_native(Tracer& tracer, const Slots& slots, Span span) {
    Builder& builder = tracer.builder();
    const FunctionPtr function = function_argument(tracer, slots[0], "vjp");
    const Tracer::Origin origin(builder, span);
    bool is_tuple = false;
    const CallArguments primals = primals_of(*slots[1], is_tuple);
    const Chosen chosen = choose_all(tracer, function, primals, span);
    const TracedCall traced = chosen.trace();
    Beside cotangents(tracer, "cotangent", "result", slots[2]->span);
    // A tuple of the one cotangent stands beside the one result, as the tuple of primals beside the parameters.
    const TupleDatum* given = slots[2]->value.tuple();
    const bool one_in_tuple = given && given->items.size() == 1 && !traced.result.tuple();
    cotangents.match(traced.result, one_in_tuple ? given->items[0] : slots[2]->value, [&](Value value) { return traced.function.graph->type(value); }, "");
    const Pullback pullback(builder, traced.function, traced.arguments);
    const std::vector<Value> taken = or_zeros(builder, pullback(cotangents.leaves), traced.arguments);
    return Datum::tuple({tree_of(traced.result, pullback.values()), tree_of(primals_as_given(chosen, is_tuple), taken)});
}

} // namespace vmaprun
