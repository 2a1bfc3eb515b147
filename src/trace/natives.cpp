// The builtins that need the tracer itself: transforms take functions, collectives name mapped axes, checks take trees.
#include <algorithm>

#include "base/text.hpp"
#include "ops/call.hpp"
#include "ops/indexing.hpp"
#include "ops/lowering.hpp"
#include "ops/movement.hpp"
#include "trace/arguments.hpp"
#include "trace/derivatives.hpp"

namespace vmaprun {
namespace {

bool is_auto(const Datum& datum) {
    const auto* word = std::get_if<WordDatum>(&datum.is);
    return word != nullptr && word->word == "auto";
}

std::string string_argument(Tracer& tracer, const CallArgument* argument, const std::string& what) {
    if (argument == nullptr || argument->value.none()) return {};
    if (const auto* text = std::get_if<std::string>(&argument->value.is)) return *text;
    throw UserError(error("E207", what + " must be a text in quotes, not " + type_text(tracer.builder(), argument->value)).at(argument->span));
}

std::optional<Dim> size_argument(Tracer& tracer, const CallArgument* argument, const std::string& what) {
    if (argument == nullptr || argument->value.none()) return std::nullopt;
    const Dim size = tracer.constant_int(argument->value, argument->span, what);
    if (surely_greater(0, size)) throw UserError(error("E310", what + " is " + size.text() + ", but a size is not negative").at(argument->span));
    return size;
}

// Slots as vmap and unroll have them: f, in_axes, out_axes, axis_name, axis_size.
Tracer::VmapOptions mapping_options(Tracer& tracer, const Slots& slots, Span span) {
    Tracer::VmapOptions options;
    options.span = span;
    const Datum zero = tracer.builder().constant(Dim(0));
    options.in_axes = slots[1] ? slots[1]->value : zero;
    options.out_axes = slots[2] ? slots[2]->value : zero;
    if (slots[1]) options.in_axes_span = slots[1]->span;
    if (slots[2]) options.out_axes_span = slots[2]->span;
    options.axis_name = string_argument(tracer, slots[3], "axis_name");
    options.axis_size = size_argument(tracer, slots[4], "axis_size");
    return options;
}

Datum mapped_function(const FunctionPtr& function, const Tracer::VmapOptions& options) {
    return FunctionPtr(std::make_shared<DerivedFunction>(function, [function, options](Tracer& tracer, const CallArguments& arguments, Span span) {
        return tracer.vmap(function, options, arguments, span);
    }));
}

Datum vmap_native(Tracer& tracer, const Slots& slots, Span span) {
    const FunctionPtr function = function_argument(tracer, slots[0], "vmap");
    Tracer::VmapOptions options = mapping_options(tracer, slots, span);
    if (slots[5] && !is_auto(slots[5]->value)) {
        options.chunk = tracer.constant_int(slots[5]->value, slots[5]->span, "chunk").value();
        if (options.chunk < 1) throw UserError(error("E310", "chunk is " + std::to_string(options.chunk) + ", but it counts lanes: at least 1, or `auto`").at(slots[5]->span));
    }
    return mapped_function(function, options);
}

// unroll(f, in_axes, …) makes a function; unroll(x, axis) takes x apart.
constexpr std::string_view unroll_signature =
    "unroll(f: any = none, in_axes: any = 0, out_axes: any = 0, axis_name: string = none, axis_size: int = none, axis: int = 0, x: any = none)";

Datum unroll_native(Tracer& tracer, const Slots& named, Span span) {
    Slots slots(named.begin(), named.end() - 1);
    if (named.back() && slots[0]) throw UserError(error("E205", "`unroll` takes a function or data, not both").at(named.back()->keyword_span));
    if (named.back()) slots[0] = named.back();
    if (!slots[0]) throw UserError(error("E204", "`unroll` needs a function, or data to take apart").at(span));
    if (slots[0]->value.function() == nullptr) {
        for (std::size_t i = 2; i < 5; ++i) {
            if (slots[i]) throw UserError(error("E205", "`unroll` of data takes `axis` alone").at(slots[i]->span));
        }
        if (slots[1] && slots[1]->keyword) throw UserError(error("E205", "`unroll` of data has no parameter `in_axes`").at(slots[1]->keyword_span).help("did you mean `axis`?"));
        const CallArgument* axis = slots[5] ? slots[5] : slots[1];
        return tracer.unroll_data(slots[0]->value, axis ? tracer.known_int(axis->value, axis->span, "`axis` of `unroll`") : 0, span, axis ? axis->span : Span{});
    }
    if (slots[5]) throw UserError(error("E205", "`unroll` of a function has no parameter `axis`").at(slots[5]->keyword_span).help("its axes are in_axes and out_axes"));
    Tracer::VmapOptions options = mapping_options(tracer, slots, span);
    options.unrolled = true;
    return mapped_function(function_argument(tracer, slots[0], "unroll"), options);
}

// f itself; what is traced in it is marked, so that the passes can cut it.
class PipedFunction final : public Function {
  public:
    PipedFunction(FunctionPtr function, std::int64_t parts) : function_(std::move(function)), parts_(parts) {}
    std::string name() const override { return function_->name(); }
    std::vector<Parameter> parameters() const override { return function_->parameters(); }
    std::vector<Parameter> parameters_of(const CallArguments& arguments) const override { return function_->parameters_of(arguments); }
    bool is_transform() const override { return function_->is_transform(); }
    Datum call(Tracer& tracer, const CallArguments& arguments, Span span) const override {
        tracer.builder().enter_pipe(span, parts_);
        const struct Leave {
            Builder& builder;
            ~Leave() { builder.leave_pipe(); }
        } leave{tracer.builder()};
        return function_->call(tracer, arguments, span);
    }

  private:
    FunctionPtr function_;
    std::int64_t parts_;
};

Datum vmapipe_native(Tracer& tracer, const Slots& slots, Span) {
    const FunctionPtr function = function_argument(tracer, slots[0], "vmapipe");
    std::int64_t count = -1;
    if (slots[1] && !is_auto(slots[1]->value)) {
        const Dim parts = tracer.constant_int(slots[1]->value, slots[1]->span, "model_parallel");
        if (parts.value() < 1) throw UserError(error("E310", "model_parallel is " + parts.text() + ", but it counts parts: at least 1, or `auto`").at(slots[1]->span));
        count = parts.value();
    }
    return FunctionPtr(std::make_shared<PipedFunction>(function, count));
}

// scan(f, init) and fold(f, init) without their data: the function that takes it.
Datum function_of_items(const std::string& transform, const Function& function, const std::string& parameter, std::function<Datum(Tracer&, const CallArgument& items, Span)> body) {
    const std::string name = transform + "(" + (function.name() == unnamed_function ? "f" : function.name()) + ")";
    const std::vector<Function::Parameter> parameters{{parameter, true}};
    return FunctionPtr(std::make_shared<DerivedFunction>(name, parameters, [name, parameters, body = std::move(body)](Tracer& tracer, const CallArguments& arguments, Span span) {
        return body(tracer, *bind_arguments(name, parameters, arguments, span)[0], span);
    }));
}

// map(f): one parameter, the items; what f takes by keyword goes whole to each of its calls.
class MapFunction final : public Function {
  public:
    explicit MapFunction(FunctionPtr function) : function_(std::move(function)) {}
    std::string name() const override { return "map(" + (function_->name() == unnamed_function ? "f" : function_->name()) + ")"; }
    std::vector<Parameter> parameters() const override { return {{"items", true}}; }
    std::vector<Parameter> parameters_of(const CallArguments& arguments) const override {
        std::vector<Parameter> all = parameters();
        for (const Parameter& each : function_->parameters_of(arguments)) {
            if (each.name != "items" && std::ranges::any_of(arguments, [&](const CallArgument& argument) { return argument.keyword == each.name; })) all.push_back({each.name, false});
        }
        return all;
    }
    Datum call(Tracer& tracer, const CallArguments& arguments, Span span) const override {
        const CallArgument& items = *bind_arguments(name(), parameters_of(arguments), arguments, span)[0];
        CallArguments keywords;
        std::ranges::copy_if(arguments, std::back_inserter(keywords), [](const CallArgument& argument) { return argument.keyword && argument.keyword != "items"; });
        return tracer.map_over(function_, items.value, keywords, span, items.span);
    }

  private:
    FunctionPtr function_;
};

Datum map_native(Tracer& tracer, const Slots& slots, Span span) {
    const FunctionPtr function = function_argument(tracer, slots[0], "map");
    if (slots[1]) return tracer.map_over(function, slots[1]->value, {}, span, slots[1]->span);
    return FunctionPtr(std::make_shared<MapFunction>(function));
}

Datum call_step(Tracer& tracer, const FunctionPtr& function, const Datum& carry, const Datum& x, Span span) {
    return tracer.call(function, {{std::nullopt, {}, carry, span}, {std::nullopt, {}, x, span}}, span);
}

Datum run_scan(Tracer& tracer, const FunctionPtr& function, const Datum& init, const Datum& xs, Tracer::ScanOptions options, Span span) {
    return tracer.scan([&](const Datum& carry, const Datum& x) { return call_step(tracer, function, carry, x, span); }, init, xs, options, span);
}

// scan and fold without their data give the function that takes it.
Datum scan_native(Tracer& tracer, const Slots& slots, Span span) {
    const FunctionPtr function = function_argument(tracer, slots[0], "scan");
    Tracer::ScanOptions options;
    options.reverse = boolean_argument(tracer, slots[3], "reverse");
    options.length = size_argument(tracer, slots[4], "length");
    if (slots[2]) options.items_span = slots[2]->span;
    if (slots[2] || options.length) return run_scan(tracer, function, slots[1]->value, slots[2] ? slots[2]->value : Datum(), options, span);
    return function_of_items("scan", *function, "xs", [function, options, init = slots[1]->value](Tracer& inner, const CallArgument& items, Span at) {
        Tracer::ScanOptions own = options;
        own.items_span = items.span;
        return run_scan(inner, function, init, items.value, own, at);
    });
}

Datum fold_native(Tracer& tracer, const Slots& slots, Span span) {
    const FunctionPtr function = function_argument(tracer, slots[0], "fold");
    Tracer::ScanOptions options;
    options.collect = false;
    options.form = "a fold";
    if (slots[2]) options.items_span = slots[2]->span;
    if (slots[2]) return run_scan(tracer, function, slots[1]->value, slots[2]->value, options, span);
    return function_of_items("fold", *function, "xs", [function, options, init = slots[1]->value](Tracer& inner, const CallArgument& items, Span at) {
        Tracer::ScanOptions own = options;
        own.items_span = items.span;
        return run_scan(inner, function, init, items.value, own, at);
    });
}

// A leaf with one of its axes moved to another place.
Value moved_axis(Builder& builder, Value leaf, std::int64_t from, std::int64_t to) {
    if (from == to) return leaf;
    std::vector<std::int64_t> order;
    for (std::int64_t axis = 0; axis < static_cast<std::int64_t>(builder.type(leaf).rank()); ++axis) {
        if (axis != from) order.push_back(axis);
    }
    order.insert(order.begin() + to, from);
    return permute(builder, leaf, order);
}

std::int64_t scanned_axis(Tracer& tracer, const CallArgument* argument, Value leaf, Span span) {
    const std::int64_t axis = argument ? tracer.known_int(argument->value, argument->span, "`axis` of `associative_scan`") : 0;
    try {
        return normal_axis(axis, tracer.builder().type(leaf).rank());
    } catch (UserError& failure) {
        tracer.place(failure, argument ? argument->span : span, {});
    }
}

// ys[i] = f(ys[i - 1], xs[i]), one after another: the one order that every schedule keeps. Reversed, from the last one down.
Datum run_associative_scan(Tracer& tracer, const FunctionPtr& function, const CallArgument& items, bool reverse, const CallArgument* axis, Span span) {
    Builder& builder = tracer.builder();
    const Datum& xs = items.value;
    Tracer::ScanOptions options;
    options.reverse = reverse;
    std::vector<Value> leaves, begins, rests;
    collect_leaves(xs, leaves);
    if (leaves.empty()) throw UserError(error("E207", "associative_scan needs a tensor or a tree of tensors, not " + type_text(builder, xs)).at(items.span));
    std::vector<std::int64_t> axes;
    for (const Value leaf : leaves) {
        if (builder.type(leaf).rank() == 0) throw UserError(error("E307", "associative_scan goes along an axis, and a scalar has none").at(items.span));
        axes.push_back(scanned_axis(tracer, axis, leaf, span));
        const Value along = moved_axis(builder, leaf, axes.back(), 0);
        const Dim length = builder.type(along).shape[0];
        if (length == Dim(0)) return xs;
        begins.push_back(tracer.slice_at(along, 0, options.reverse ? length - Dim(1) : Dim(0)));
        rests.push_back(slice_axis(builder, along, 0, options.reverse ? 0 : 1, length - Dim(1)));
    }
    std::size_t next = 0;
    const Datum init = with_leaves(xs, begins, next);
    next = 0;
    const Datum rest = with_leaves(xs, rests, next);
    const Datum scanned = tracer.scan(
        [&](const Datum& carry, const Datum& x) {
            const Datum result = call_step(tracer, function, carry, x, span);
            return Datum::tuple({result, result});
        },
        init, rest, options, span);
    std::vector<Value> ys, joined;
    collect_leaves(scanned.tuple()->items[1], ys);
    for (std::size_t i = 0; i < ys.size(); ++i) {
        const Value begin = expand_at(builder, begins[i], {0});
        joined.push_back(moved_axis(builder, concat_values(builder, options.reverse ? std::vector{ys[i], begin} : std::vector{begin, ys[i]}, 0), 0, axes[i]));
    }
    next = 0;
    return with_leaves(xs, joined, next);
}

Datum associative_scan_native(Tracer& tracer, const Slots& slots, Span span) {
    const FunctionPtr function = function_argument(tracer, slots[0], "associative_scan");
    const bool reverse = boolean_argument(tracer, slots[2], "reverse");
    if (slots[1]) return run_associative_scan(tracer, function, *slots[1], reverse, slots[3], span);
    const std::optional<CallArgument> axis = slots[3] ? std::optional(*slots[3]) : std::nullopt;
    return function_of_items("associative_scan", *function, "xs", [function, reverse, axis](Tracer& inner, const CallArgument& items, Span at) {
        return run_associative_scan(inner, function, items, reverse, axis ? &*axis : nullptr, at);
    });
}

// ---- collectives -----------------------------------------------------------------------------------------------------

Datum over_leaves(Tracer& tracer, const CallArgument& argument, const std::string& name, const std::function<Value(Value)>& f) {
    std::vector<Value> leaves;
    const Datum* other = nullptr;
    collect_leaves(argument.value, leaves, &other);
    if (other || leaves.empty()) throw UserError(error("E207", "`" + name + "` takes a tensor or a tree of tensors, not " + type_text(tracer.builder(), other ? *other : argument.value)).at(argument.span));
    for (Value& leaf : leaves) leaf = f(leaf);
    std::size_t next = 0;
    return with_leaves(argument.value, leaves, next);
}

// A collective is a reduction of the whole mapped axis, in the order that the reduction has by itself.
NativeFunction::Body reduce_collective(std::string collective, std::string reduction) {
    return [collective = std::move(collective), reduction = std::move(reduction)](Tracer& tracer, const Slots& slots, Span span) -> Datum {
        const LaneId lane = tracer.lane_named(slots[1]->value, slots[1]->span, collective);
        Builder& builder = tracer.builder();
        const Tracer::Origin origin(builder, span);
        const FunctionPtr reduce = tracer.builtin(reduction);
        return over_leaves(tracer, *slots[0], collective, [&](Value leaf) {
            const Datum whole = builder.unlane(leaf, lane, 0);
            return *tracer.call(reduce, {{std::nullopt, {}, whole, span}, {"axis", span, builder.constant(Dim(0)), span}}, span).tensor();
        });
    };
}

Datum all_gather_native(Tracer& tracer, const Slots& slots, Span span) {
    const LaneId lane = tracer.lane_named(slots[1]->value, slots[1]->span, "all_gather");
    Builder& builder = tracer.builder();
    const Tracer::Origin origin(builder, span);
    const std::int64_t axis = slots[2] ? tracer.known_int(slots[2]->value, slots[2]->span, "`axis` of `all_gather`") : 0;
    return over_leaves(tracer, *slots[0], "all_gather", [&](Value leaf) {
        try {
            return builder.unlane(leaf, lane, normal_axis(axis, builder.type(leaf).rank() + 1));
        } catch (UserError& failure) {
            tracer.place(failure, slots[2] ? slots[2]->span : span, {});
        }
    });
}

// perm: pairs (source, destination); a lane that is nobody's destination gets zeros.
Datum ppermute_native(Tracer& tracer, const Slots& slots, Span span) {
    const LaneId lane = tracer.lane_named(slots[1]->value, slots[1]->span, "ppermute");
    Builder& builder = tracer.builder();
    const Tracer::Origin origin(builder, span);
    const std::int64_t size = builder.program().lanes[lane].size.value();
    Array sources = Array::zeros(DType::i64, {size}), filled = Array::zeros(DType::boolean, {size});
    const TupleDatum* pairs = slots[2]->value.tuple();
    if (pairs == nullptr) throw UserError(error("E207", "`perm` of `ppermute` is a tuple of pairs (source, destination)").at(slots[2]->span));
    std::vector<bool> sent(static_cast<std::size_t>(size), false);
    for (const Datum& pair : pairs->items) {
        if (!pair.tuple() || pair.tuple()->items.size() != 2) throw UserError(error("E207", "`perm` of `ppermute` is a tuple of pairs (source, destination)").at(slots[2]->span));
        const std::int64_t from = tracer.constant_int(pair.tuple()->items[0], slots[2]->span, "a source in `perm`").value();
        const std::int64_t to = tracer.constant_int(pair.tuple()->items[1], slots[2]->span, "a destination in `perm`").value();
        if (from < 0 || from >= size || to < 0 || to >= size) throw UserError(error("E306", "the pair (" + std::to_string(from) + ", " + std::to_string(to) + ") is outside of the axis, which has " + count_of(size, "lane")).at(slots[2]->span));
        if (filled.as<bool>()[to] || sent[static_cast<std::size_t>(from)]) throw UserError(error("E310", "`perm` names a source or a destination twice").at(slots[2]->span));
        sent[static_cast<std::size_t>(from)] = true;
        sources.as<std::int64_t>()[to] = from;
        filled.as<bool>()[to] = true;
    }
    const auto pick = [&](Value from, Value position) {
        IndexArgument item;
        item.form = IndexArgument::Form::tensor;
        item.tensor = position;
        return index(builder, from, {item}, span);
    };
    const Value self = builder.lane_index(lane);
    const Value source = pick(builder.constant(sources), self), is_filled = pick(builder.constant(filled), self);
    return over_leaves(tracer, *slots[0], "ppermute", [&](Value leaf) {
        const Value moved = size == 0 ? leaf : pick(builder.unlane(leaf, lane, 0), source);
        const Value zero = cast(builder, builder.constant(Dim(0)), builder.type(leaf).dtype);
        return pointwise(builder, "where", {is_filled, moved, zero});
    });
}

// ---- checks on trees -------------------------------------------------------------------------------------------------

struct Pair {
    Datum a, b;
};

[[noreturn]] void fail_assertion(Tracer& tracer, std::string_view check, const Slots& slots, Span span) {
    throw UserError(error("E610", std::string(check) + ": " + type_text(tracer.builder(), slots[0]->value) + " is not " + type_text(tracer.builder(), slots[1]->value)).at(span).exits(1));
}

// True when the two words, texts, dtypes or nones are equal; nullopt when they aren't such.
std::optional<bool> equal_words(const Datum& a, const Datum& b) {
    if (a.none() || b.none()) return a.none() && b.none();
    const auto same = [&]<class T>(TypeTag<T>) -> std::optional<bool> {
        const auto *x = std::get_if<T>(&a.is), *y = std::get_if<T>(&b.is);
        if (!x && !y) return std::nullopt;
        return x && y && *x == *y;
    };
    if (const auto dtypes = same(TypeTag<DType>{})) return dtypes;
    return same(TypeTag<std::string>{});
}

void check_pairs(Tracer& tracer, const FunctionPtr& row, const Datum& a, const Datum& b, const Slots& slots, Span span) {
    const std::string name = row->name();
    if (a.poison() || b.poison()) throw AlreadyReported{};
    if (a.tensor() && b.tensor()) {
        CallArguments arguments{{std::nullopt, {}, a, slots[0]->span}, {std::nullopt, {}, b, slots[1]->span}};
        if (slots.size() > 2 && slots[2]) arguments.push_back(*slots[2]);
        row->call(tracer, arguments, span);
    } else if (a.tuple() && b.tuple() && a.tuple()->items.size() == b.tuple()->items.size()) {
        for (std::size_t i = 0; i < a.tuple()->items.size(); ++i) check_pairs(tracer, row, a.tuple()->items[i], b.tuple()->items[i], slots, span);
    } else if (a.record() && b.record() && a.record()->fields.size() == b.record()->fields.size()) {
        for (const auto& [field, value] : a.record()->fields) {
            const Datum* other = b.record()->find(field);
            if (other == nullptr) fail_assertion(tracer, name, slots, span);
            check_pairs(tracer, row, value, *other, slots, span);
        }
    } else if (!equal_words(a, b).value_or(false)) {
        fail_assertion(tracer, name, slots, span);
    }
}

NativeFunction::Body check_two(std::string_view name) {
    return [name](Tracer& tracer, const Slots& slots, Span span) -> Datum {
        check_pairs(tracer, make_builtin(op_named(name)), slots[0]->value, slots[1]->value, slots, span);
        return {};
    };
}

Datum assert_finite_native(Tracer& tracer, const Slots& slots, Span span) {
    const FunctionPtr row = make_builtin(op_named("assert_finite"));
    over_leaves(tracer, *slots[0], "assert_finite", [&](Value leaf) {
        row->call(tracer, {{std::nullopt, {}, Datum(leaf), slots[0]->span}}, span);
        return leaf;
    });
    return {};
}

// debug(x, "label") is x.
Datum debug_native(Tracer& tracer, const Slots& slots, Span span) {
    const FunctionPtr row = make_builtin(op_named("debug"));
    return over_leaves(tracer, *slots[0], "debug", [&](Value leaf) {
        CallArguments arguments{{std::nullopt, {}, Datum(leaf), slots[0]->span}};
        if (slots[1]) arguments.push_back({std::nullopt, {}, slots[1]->value, slots[1]->span});
        row->call(tracer, arguments, span);
        return leaf;
    });
}

} // namespace

namespace {

std::span<const NativeDoc> own_docs() {
    static constexpr NativeDoc docs[] = {
        {"vmap(f: any, in_axes: any = 0, out_axes: any = 0, axis_name: string = none, axis_size: int = none, chunk: any = auto)", "f over every slice of its arguments at once.", "vmap(x => x + 1)([1, 2]) => [2, 3]"},
        {"unroll(f: any, in_axes: any = 0, out_axes: any = 0, axis_name: string = none, axis_size: int = none, axis: int = 0)", "vmap written out lane by lane; of data, unroll(x, axis=0), the tuple of its slices.", "unroll([1, 2]) => (1, 2)"},
        {"map(f: any, xs: any = none)", "f on one item after another, of a tuple or along the leading axis.", "map(x => x * 2)((1, 2)) => (2, 4)"},
        {"vmapipe(f: any, model_parallel: any = auto)", "f itself, its work cut into parts for several devices.", "vmapipe(x => x + 1)(1) => 2"},
        {"scan(f: any, init: any, xs: any = none, reverse: bool = false, length: int = none)", "f(carry, x) => (carry, y) along the leading axis of xs; gives (carry, ys).", "scan((c, x) => (c + x, c), 0, [1, 2, 3]) => (6, [0, 1, 3])"},
        {"fold(f: any, init: any, xs: any = none)", "f(carry, x) => carry along the leading axis of xs; gives the last carry.", "fold((c, x) => c + x, 0, [1, 2, 3]) => 6"},
        {"associative_scan(f: any, xs: any = none, reverse: bool = false, axis: int = 0)", "All prefixes of xs combined by f along an axis; reversed, all suffixes.", "associative_scan((a, b) => a * b, [1, 2, 3]) => [1, 2, 6]"},
        {"psum(x: any, axis_name: string)", "The sum of x over the named mapped axis.", "vmap(x => psum(x, \"i\"), axis_name=\"i\")([1, 2]) => [3, 3]"},
        {"pmean(x: any, axis_name: string)", "The mean of x over the named mapped axis.", "vmap(x => pmean(x, \"i\"), axis_name=\"i\")([1.0, 2.0]) => [1.5, 1.5]"},
        {"pmax(x: any, axis_name: string)", "The largest x over the named mapped axis.", "vmap(x => pmax(x, \"i\"), axis_name=\"i\")([1, 2]) => [2, 2]"},
        {"pmin(x: any, axis_name: string)", "The smallest x over the named mapped axis.", "vmap(x => pmin(x, \"i\"), axis_name=\"i\")([1, 2]) => [1, 1]"},
        {"all_gather(x: any, axis_name: string, axis: int = 0)", "The x of every lane of the named mapped axis, stacked along `axis`.", "vmap(x => all_gather(x, \"i\"), axis_name=\"i\")([1, 2]) => [[1, 2], [1, 2]]"},
        {"ppermute(x: any, axis_name: string, perm: any)", "x sent from lane to lane by pairs (source, destination); zeros where nothing is sent.", "vmap(x => ppermute(x, \"i\", ((0, 1),)), axis_name=\"i\")([1, 2]) => [0, 1]"},
        {"axis_index(axis_name: string)", "The index of the lane along the named mapped axis.", "vmap(x => x + axis_index(\"i\"), axis_name=\"i\")([5, 5]) => [5, 6]"},
        {"axis_size(axis_name: string)", "The number of lanes of the named mapped axis.", "vmap(x => x + axis_size(\"i\"), axis_name=\"i\")([5, 5]) => [7, 7]"},
    };
    return docs;
}

} // namespace

std::span<const NativeDoc> native_docs() {
    static const std::vector<NativeDoc> docs = [] {
        std::vector<NativeDoc> all(own_docs().begin(), own_docs().end());
        for (const DerivativeNative& native : derivative_natives()) all.push_back(native.doc);
        return all;
    }();
    return docs;
}

namespace {

struct NativeRow {
    std::string_view signature;
    NativeFunction::Body body;
    NativeFunction::Sort sort;
};

const std::vector<NativeRow>& native_rows() {
    using enum NativeFunction::Sort;
    static const std::vector<NativeRow> rows = [] {
        const auto docs = own_docs();
        const NativeFunction::Body bodies[] = {
            vmap_native, unroll_native, map_native, vmapipe_native, scan_native, fold_native, associative_scan_native,
            reduce_collective("psum", "sum"), reduce_collective("pmean", "mean"), reduce_collective("pmax", "max"), reduce_collective("pmin", "min"),
            all_gather_native, ppermute_native,
            [](Tracer& tracer, const Slots& slots, Span) -> Datum { return tracer.builder().lane_index(tracer.lane_named(slots[0]->value, slots[0]->span, "axis_index")); },
            [](Tracer& tracer, const Slots& slots, Span) -> Datum {
                return tracer.builder().constant(tracer.builder().program().lanes[tracer.lane_named(slots[0]->value, slots[0]->span, "axis_size")].size);
            },
        };
        std::vector<NativeRow> all;
        for (std::size_t i = 0; i < docs.size(); ++i) all.push_back({docs[i].signature, bodies[i], i < 7 ? transform : plain});
        all[1].signature = unroll_signature;
        for (const DerivativeNative& native : derivative_natives()) all.push_back({native.doc.signature, native.body, native.sort});
        all.push_back({"assert_eq(a: any, b: any)", check_two("assert_eq"), plain});
        all.push_back({"assert_close(a: any, b: any, tol: number = 1e-6)", check_two("assert_close"), plain});
        all.push_back({"assert_finite(x: any)", assert_finite_native, plain});
        all.push_back({"debug(x: any, label: string = \"\")", debug_native, plain});
        return all;
    }();
    return rows;
}

std::string_view name_of_row(const NativeRow& row) { return row.signature.substr(0, row.signature.find('(')); }

} // namespace

std::vector<std::string_view> native_names() {
    std::vector<std::string_view> names;
    for (const NativeRow& row : native_rows()) names.push_back(name_of_row(row));
    return names;
}

bool takes_function(std::string_view native) {
    const auto row = std::ranges::find(native_rows(), native, name_of_row);
    if (row == native_rows().end()) return false;
    const std::string_view parameters = row->signature.substr(native.size());
    return parameters.starts_with("(f: any,") || parameters.starts_with("(f: any)");
}

FunctionPtr native_function(std::string_view name) {
    const auto row = std::ranges::find(native_rows(), name, name_of_row);
    return row == native_rows().end() ? nullptr : std::make_shared<NativeFunction>(row->signature, row->body, row->sort);
}

} // namespace vmaprun
