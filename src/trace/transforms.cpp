// vmap and its family. A mapped axis is a lane (ir/graph.hpp): entering takes the axis off each mapped operand, leaving
// puts it back; nothing in between knows of it.
#include <algorithm>

#include "base/text.hpp"
#include "ir/structural.hpp"
#include "ops/call.hpp"
#include "ops/lowering.hpp"
#include "ops/movement.hpp"
#include "trace/functions.hpp"
#include "trace/tracer.hpp"

namespace vmaprun {
namespace {

std::string quoted(const std::string& path) { return "`" + path + "`"; }

bool is_axis(const Datum& datum) { return datum.none() || datum.tensor() != nullptr; }

// The axes for one field or item of a tree, by the tree-prefix rule.
const Datum* axes_below(const Datum& axes, std::size_t item, const std::string* field) {
    if (is_axis(axes)) return &axes;
    if (field != nullptr) return axes.record() ? axes.record()->find(*field) : nullptr;
    return axes.tuple() && item < axes.tuple()->items.size() ? &axes.tuple()->items[item] : nullptr;
}

[[noreturn]] void fail_nesting(const Builder& builder, const char* which, const std::string& path, const Datum& axes, const Datum& value, Span span) {
    std::string axes_shape = "an axis";
    if (axes.tuple()) axes_shape = "a tuple of " + count_of(static_cast<std::int64_t>(axes.tuple()->items.size()), "item");
    else if (axes.record()) axes_shape = "a record";
    else if (!is_axis(axes)) axes_shape = type_text(builder, axes);
    throw UserError(error("E402", std::string(which) + " does not nest as the value does: at " + path + " it is " + axes_shape + ", and the value is " + type_text(builder, value))
                        .at(span)
                        .help(std::string(which) + " holds an int or none where the value holds a tensor, or for a whole subtree"));
}

[[noreturn]] void fail_field(const Datum& axes, const std::string& field, const std::string& path, Span span) {
    if (!axes.record()) throw UserError(error("E402", "out_axes does not nest as the value does: " + path + " is a record").at(span).help("write an int or none for all of it, or a record of axes"));
    throw UserError(error("E402", "out_axes has no entry for the field `" + field + "` of " + path).at(span));
}

void fail_extra_field(const Datum& axes, const RecordDatum& record, const std::string& path, Span span) {
    if (!axes.record()) return;
    for (const auto& entry : axes.record()->fields) {
        if (!record.find(entry.first)) throw UserError(error("E402", "out_axes names the field `" + entry.first + "`, which " + path + " does not have").at(span));
    }
}

} // namespace

// Walks an argument with its axes; mapped leaves are gathered into `leaves` (first pass) or entered (second pass).
Datum Tracer::place_in_lanes(const Datum& argument, const Datum& axes, const std::string& path, Span span, const VmapOptions& options,
                             std::vector<MappedLeaf>& leaves, const std::function<Value(const MappedLeaf&)>& enter) {
    const Span where = options.in_axes_span ? options.in_axes_span : options.span;
    if (const Value* value = argument.tensor()) {
        if (axes.none()) return argument;
        if (!axes.tensor()) fail_nesting(*builder_, "in_axes", quoted(path), axes, argument, where);
        if (builder_->type(*axes.tensor()).rank() == 1) throw UserError(error("E402", "in_axes is a list, which is one tensor").at(where).help("a tuple has an entry for each argument, as in `(0, none)`"));
        const std::int64_t axis = known_int(axes, where, "an entry of in_axes");
        const TensorType& type = builder_->type(*value);
        const auto rank = static_cast<std::int64_t>(type.rank());
        const std::int64_t normal = axis < 0 ? axis + rank : axis;
        if (normal < 0 || normal >= rank) {
            Diagnostic diagnostic = error("E303", "axis " + std::to_string(axis) + " is out of range for " + quoted(path) + ", which is " + type.text()).at(span ? span : options.span, "this is " + type.text());
            if (options.in_axes_span) diagnostic.labels.push_back({options.in_axes_span, "axis " + std::to_string(axis) + " is asked for here"});
            diagnostic.helps.push_back(rank == 0 ? "a scalar has no axis to map: pass it with in_axes `none`" : "its axes go from " + std::to_string(-rank) + " to " + std::to_string(rank - 1) + "; `none` leaves it whole");
            throw UserError(std::move(diagnostic));
        }
        leaves.push_back({*value, normal, path, span});
        return enter ? Datum(enter(leaves.back())) : argument;
    }
    if (const TupleDatum* tuple = argument.tuple()) {
        if (!is_axis(axes) && !(axes.tuple() && axes.tuple()->items.size() == tuple->items.size())) fail_nesting(*builder_, "in_axes", quoted(path), axes, argument, where);
        std::vector<Datum> items;
        for (std::size_t i = 0; i < tuple->items.size(); ++i) {
            items.push_back(place_in_lanes(tuple->items[i], *axes_below(axes, i, nullptr), path + "[" + std::to_string(i) + "]", tuple->spans.empty() ? span : tuple->spans[i], options, leaves, enter));
        }
        return Datum::tuple(std::move(items));
    }
    if (const RecordDatum* record = argument.record()) {
        if (!is_axis(axes) && !axes.record()) fail_nesting(*builder_, "in_axes", quoted(path), axes, argument, where);
        std::vector<std::pair<std::string, Datum>> fields;
        for (const auto& [name, held] : record->fields) {
            const Datum* below = axes_below(axes, 0, &name);
            if (below == nullptr) throw UserError(error("E402", "in_axes has no entry for the field `" + name + "` of " + quoted(path)).at(where));
            fields.emplace_back(name, place_in_lanes(held, *below, path + "." + name, span, options, leaves, enter));
        }
        if (axes.record()) {
            for (const auto& entry : axes.record()->fields) {
                if (!record->find(entry.first)) throw UserError(error("E402", "in_axes names the field `" + entry.first + "`, which " + quoted(path) + " does not have").at(where));
            }
        }
        return Datum::record(std::move(fields));
    }
    if (!is_axis(axes)) fail_nesting(*builder_, "in_axes", quoted(path), axes, argument, where);
    return argument;
}

Dim Tracer::mapped_size(const std::vector<MappedLeaf>& leaves, const VmapOptions& options, const std::string& name) {
    const Origin origin(*builder_, options.span);
    std::optional<Dim> size = options.axis_size;
    const MappedLeaf* first = nullptr;
    for (const MappedLeaf& leaf : leaves) {
        const Dim here = builder_->type(leaf.value).shape[static_cast<std::size_t>(leaf.axis)];
        const std::string place = "axis " + std::to_string(leaf.axis) + " of " + quoted(leaf.path);
        if (!size) {
            size = here;
            first = &leaf;
        } else if (!can_agree(*size, here)) {
            const std::string before = first ? "axis " + std::to_string(first->axis) + " of " + quoted(first->path) : "axis_size";
            Diagnostic diagnostic = error("E401", "the mapped sizes differ: " + before + " is " + size->text() + ", " + place + " is " + here.text())
                                        .at(leaf.span ? leaf.span : options.span, builder_->type(leaf.value).text() + ", mapped over axis " + std::to_string(leaf.axis));
            if (first && first->span && !(first->span == diagnostic.primary.span)) diagnostic.labels.push_back({first->span, builder_->type(first->value).text() + ", mapped over axis " + std::to_string(first->axis)});
            diagnostic.helps.push_back("mapped axes have one size; `none` in in_axes passes an argument whole");
            throw UserError(std::move(diagnostic));
        } else if (size->is_symbolic() && !here.is_symbolic()) {
            size = here;
        }
        if (first == nullptr) first = &leaf;
    }
    if (!size) {
        throw UserError(error("E404", "nothing is mapped: in_axes is none for every argument of " + said_name(name))
                            .at(options.in_axes_span ? options.in_axes_span : options.span)
                            .help("map at least one argument, or say how many lanes there are with axis_size"));
    }
    if (size->value() < 0) throw UserError(error("E310", "axis_size is " + size->text() + ", but a size is not negative").at(options.span));
    return *size;
}

namespace {

[[noreturn]] void fail_varying(const std::string& path, Span where) {
    throw UserError(error("E405", "out_axes is none for " + path + ", but it varies over the mapped axis").at(where).help("give the axis a place in the result, as in out_axes=0, or reduce over it inside"));
}

} // namespace

// Where the mapped axis goes in a result that gets it: 0..rank of the sample.
std::int64_t Tracer::out_axis(const Datum& axes, const Datum& result, const VmapOptions& options, const std::string& path) {
    const Span where = options.out_axes_span ? options.out_axes_span : options.span;
    if (!axes.tensor()) fail_nesting(*builder_, "out_axes", path, axes, result, where);
    const std::int64_t axis = known_int(axes, where, "an entry of out_axes");
    const auto rank = static_cast<std::int64_t>(builder_->type(*result.tensor()).rank()) + 1;
    const std::int64_t normal = axis < 0 ? axis + rank : axis;
    if (normal < 0 || normal >= rank) {
        throw UserError(error("E303", "out axis " + std::to_string(axis) + " is out of range for " + path + ", which gets rank " + std::to_string(rank)).at(where));
    }
    return normal;
}

Datum Tracer::bring_out(const Datum& result, const Datum& axes, LaneId lane, const VmapOptions& options, const std::string& path) {
    const Span where = options.out_axes_span ? options.out_axes_span : options.span;
    if (const Value* value = result.tensor()) {
        if (axes.none()) {
            if (has_lane(builder_->lanes(*value), lane)) fail_varying(path, where);
            return result;
        }
        return builder_->unlane(*value, lane, out_axis(axes, result, options, path));
    }
    if (const TupleDatum* tuple = result.tuple()) {
        if (!is_axis(axes) && !(axes.tuple() && axes.tuple()->items.size() == tuple->items.size())) fail_nesting(*builder_, "out_axes", path, axes, result, where);
        std::vector<Datum> items;
        for (std::size_t i = 0; i < tuple->items.size(); ++i) items.push_back(bring_out(tuple->items[i], *axes_below(axes, i, nullptr), lane, options, path + "[" + std::to_string(i) + "]"));
        return Datum::tuple(std::move(items));
    }
    if (const RecordDatum* record = result.record()) {
        std::vector<std::pair<std::string, Datum>> fields;
        for (const auto& [name, held] : record->fields) {
            const Datum* below = axes_below(axes, 0, &name);
            if (below == nullptr) fail_field(axes, name, path, where);
            fields.emplace_back(name, bring_out(held, *below, lane, options, path + "." + name));
        }
        fail_extra_field(axes, *record, path, where);
        return Datum::record(std::move(fields));
    }
    if (result.none()) return result;
    throw UserError(error("E406", path + " must be a tensor or a tree of tensors, not " + type_text(*builder_, result)).at(options.span));
}

Value Tracer::slice_at(Value value, std::int64_t axis, Dim position) {
    std::vector<IndexArgument> items(static_cast<std::size_t>(axis) + 1);
    for (IndexArgument& item : items) item.form = IndexArgument::Form::slice;
    items.back().form = IndexArgument::Form::integer;
    items.back().integer = position;
    return index(*builder_, value, items, {});
}

namespace {

// in_axes as one Datum a given argument: an int or none for all, a tuple by position, a record by parameter name.
std::vector<Datum> axes_of_arguments(Tracer& tracer, const Function& function, const std::vector<Function::Parameter>& parameters,
                                     const std::vector<const CallArgument*>& bound, const Tracer::VmapOptions& options) {
    Builder& builder = tracer.builder();
    const Datum& in_axes = options.in_axes;
    const Span where = options.in_axes_span ? options.in_axes_span : options.span;
    const Datum zero = builder.constant(Dim(0));
    std::vector<Datum> axes(parameters.size(), zero);
    std::size_t given = 0;
    for (const CallArgument* argument : bound) given += argument ? 1 : 0;
    if (is_axis(in_axes)) {
        std::ranges::fill(axes, in_axes);
    } else if (const TupleDatum* tuple = in_axes.tuple()) {
        if (tuple->items.size() != given && tuple->items.size() != parameters.size()) {
            throw UserError(error("E402", "in_axes has " + count_of(static_cast<std::int64_t>(tuple->items.size()), "entry") + ", but " + said_name(function.name()) + " is called with " + count_of(static_cast<std::int64_t>(given), "argument"))
                                .at(where)
                                .help(given == 1 ? "the axes of a tree for one parameter stand in a tuple, as in `({w: 0},)`" : "write one int or none for each argument, or a record by parameter name, as in `{" + (parameters.empty() ? "x" : parameters[0].name) + ": none}`"));
        }
        std::size_t next = 0;
        for (std::size_t i = 0; i < parameters.size(); ++i) {
            if (tuple->items.size() == parameters.size()) axes[i] = tuple->items[i];
            else if (bound[i]) axes[i] = tuple->items[next++];
        }
    } else if (const RecordDatum* record = in_axes.record()) {
        for (const auto& [name, axis] : record->fields) {
            const auto found = std::ranges::find(parameters, name, &Function::Parameter::name);
            if (found == parameters.end()) {
                std::vector<std::string_view> names;
                for (const auto& parameter : parameters) names.push_back(parameter.name);
                Diagnostic diagnostic = error("E402", "in_axes names `" + name + "`, which is no parameter of " + said_name(function.name())).at(where);
                if (const auto near = nearest(name, names); !near.empty()) diagnostic.helps.push_back("did you mean `" + std::string(near) + "`?");
                if (diagnostic.helps.empty() || parameters.size() == 1) diagnostic.helps.push_back("a tree of axes for one parameter stands in a tuple, as in `({" + name + ": 0},)`");
                throw UserError(std::move(diagnostic));
            }
            axes[static_cast<std::size_t>(found - parameters.begin())] = axis;
        }
    } else {
        throw UserError(error("E402", "in_axes must be an int, none, a tuple or a record, not " + type_text(builder, in_axes)).at(where));
    }
    return axes;
}

} // namespace

Datum Tracer::vmap(const FunctionPtr& function, const VmapOptions& options, const CallArguments& arguments, Span span) {
    const auto parameters = function->parameters_of(arguments);
    const auto bound = bind_arguments(function->name(), parameters, arguments, span);
    const std::vector<Datum> axes = axes_of_arguments(*this, *function, parameters, bound, options);
    std::vector<MappedLeaf> leaves;
    for (std::size_t i = 0; i < parameters.size(); ++i) {
        if (bound[i]) place_in_lanes(bound[i]->value, axes[i], parameters[i].name, bound[i]->span, options, leaves, {});
    }
    const Dim size = mapped_size(leaves, options, function->name());
    // What lanes share has one order in which what they give back to it is summed: that of the mapped axis.
    const bool written_out = options.unrolled && options.axis_name.empty() && size.value() > 0 && !builder_->in_function();
    if (written_out) return unrolled(function, options, arguments, axes, size, span);
    const Origin origin(*builder_, span);
    const LaneId lane = builder_->new_lane({size, options.axis_name, span, 0, options.chunk, 0});
    builder_->push_nesting({Nesting::Kind::lane, lane});
    axes_.push_back({lane, options.axis_name});
    const struct Leave {
        Tracer& tracer;
        ~Leave() {
            tracer.axes().pop_back();
            tracer.builder().pop_nesting();
        }
    } leave{*this};
    CallArguments inner;
    std::vector<MappedLeaf> entered;
    for (std::size_t i = 0; i < parameters.size(); ++i) {
        if (!bound[i]) continue;
        CallArgument argument = *bound[i];
        argument.value = place_in_lanes(bound[i]->value, axes[i], parameters[i].name, bound[i]->span, options, entered,
                                        [&](const MappedLeaf& leaf) { return builder_->lane(leaf.value, lane, leaf.axis); });
        inner.push_back(std::move(argument));
    }
    const Datum result = function->call(*this, inner, span);
    return bring_out(result, options.out_axes, lane, options, "the result");
}

// Straight-line code, lane by lane: the reference that vmap is held against.
Datum Tracer::unrolled(const FunctionPtr& function, const VmapOptions& options, const CallArguments& arguments, const std::vector<Datum>& axes, Dim size, Span span) {
    const auto parameters = function->parameters_of(arguments);
    const auto bound = bind_arguments(function->name(), parameters, arguments, span);
    if (size.value() > 1'000'000) {
        throw UserError(error("E407", "unroll would write out " + size.text() + " lanes").at(span).help("vmap does the same without writing them out"));
    }
    std::vector<Datum> results;
    for (std::int64_t lane = 0; lane < size.value(); ++lane) {
        CallArguments inner;
        std::vector<MappedLeaf> entered;
        for (std::size_t i = 0; i < parameters.size(); ++i) {
            if (!bound[i]) continue;
            CallArgument argument = *bound[i];
                // What is a constant for one lane would be none for a lane of vmap.
            argument.value = place_in_lanes(bound[i]->value, axes[i], parameters[i].name, bound[i]->span, options, entered,
                                            [&](const MappedLeaf& leaf) { return builder_->add(opaque_op, {slice_at(leaf.value, leaf.axis, lane)}); });
            inner.push_back(std::move(argument));
        }
        results.push_back(function->call(*this, inner, span));
    }
    return stack_results(results, options.out_axes, options, "the result");
}

Datum Tracer::stack_results(const std::vector<Datum>& results, const Datum& axes, const VmapOptions& options, const std::string& path) {
    const Span where = options.out_axes_span ? options.out_axes_span : options.span;
    const Datum& first = results.front();
    if (first.tensor()) {
        std::vector<Value> values;
        for (const Datum& result : results) values.push_back(*result.tensor());
        if (axes.none()) {
            if (std::ranges::any_of(values, [&](Value v) { return v != values.front(); })) fail_varying(path, where);
            return first;
        }
        const std::int64_t normal = out_axis(axes, first, options, path);
        for (Value& value : values) value = expand_at(*builder_, value, {normal});
        return concat_values(*builder_, values, normal); // weak where all are
    }
    const auto part = [&](const Datum& below, const std::string& name, const auto& pick) {
        std::vector<Datum> parts;
        for (const Datum& result : results) parts.push_back(pick(result));
        return stack_results(parts, below, options, name);
    };
    if (const TupleDatum* tuple = first.tuple()) {
        if (!is_axis(axes) && !(axes.tuple() && axes.tuple()->items.size() == tuple->items.size())) fail_nesting(*builder_, "out_axes", path, axes, first, where);
        std::vector<Datum> items;
        for (std::size_t i = 0; i < tuple->items.size(); ++i) items.push_back(part(*axes_below(axes, i, nullptr), path + "[" + std::to_string(i) + "]", [i](const Datum& d) { return d.tuple()->items[i]; }));
        return Datum::tuple(std::move(items));
    }
    if (const RecordDatum* record = first.record()) {
        std::vector<std::pair<std::string, Datum>> fields;
        for (const auto& field : record->fields) {
            const Datum* below = axes_below(axes, 0, &field.first);
            if (below == nullptr) fail_field(axes, field.first, path, where);
            fields.emplace_back(field.first, part(*below, path + "." + field.first, [&](const Datum& d) { return *d.record()->find(field.first); }));
        }
        fail_extra_field(axes, *record, path, where);
        return Datum::record(std::move(fields));
    }
    if (first.none()) return first;
    throw UserError(error("E406", path + " must be a tensor or a tree of tensors, not " + type_text(*builder_, first)).at(options.span));
}

namespace {

std::string call_text(const Builder& builder, const Function& function, const Datum& item) {
    const auto parameters = function.parameters();
    std::vector<Datum> values{item};
    if (item.tuple() && function.required_count() >= 2) values = item.tuple()->items;
    std::vector<std::string> words;
    for (std::size_t i = 0; i < values.size(); ++i) words.push_back((i < parameters.size() ? parameters[i].name + " = " : "") + type_text(builder, values[i]));
    return function.name() + "(" + join(words, ", ") + ")";
}

// A function further in found that its two arguments fit the other way round: where those are the pair's own, the pair is
// what has to be turned.
void turn_pair(const Builder& builder, const Function& function, const Datum& item, Diagnostic& diagnostic) {
    const TupleDatum* pair = item.tuple();
    const auto parameters = function.parameters();
    if (pair == nullptr || pair->items.size() != 2 || pair->spans.size() != 2 || parameters.size() < 2) return;
    const std::string first = type_text(builder, pair->items[1]), second = type_text(builder, pair->items[0]);
    for (std::string& help : diagnostic.helps) {
        if (!help.starts_with("the pair fits the other way round:") || !help.ends_with(" = " + second) || help.find(" = " + first + ", ") == std::string::npos) continue;
        help = "the pair fits the other way round: (" + std::string(pair->spans[1].text()) + ", " + std::string(pair->spans[0].text()) + ") gives " + parameters[0].name + " = " + first + ", " + parameters[1].name + " = " + second;
    }
}

} // namespace

Datum Tracer::map_over(const FunctionPtr& function, const Datum& items, const CallArguments& keywords, Span span, Span items_span) {
    const auto call_on = [&](const Datum& item, Span place) {
        CallArguments arguments{{std::nullopt, {}, item, place}};
        arguments.insert(arguments.end(), keywords.begin(), keywords.end());
        return call(function, std::move(arguments), place);
    };
    const TupleDatum* tuple = items.tuple();
    if (tuple == nullptr) {
        ScanOptions options;
        options.form = "`map`";
        options.items_span = items_span;
        return scan([&](const Datum&, const Datum& x) { return Datum::tuple({Datum::tuple({}), call_on(x, span)}); }, Datum::tuple({}), items, options, span).tuple()->items[1];
    }
    std::vector<Datum> results;
    for (std::size_t i = 0; i < tuple->items.size(); ++i) {
        const Datum& item = tuple->items[i];
        if (item.poison()) throw AlreadyReported{};
        const Span item_span = tuple->spans.empty() ? items_span : tuple->spans[i];
        try {
            results.push_back(call_on(item, item_span));
        } catch (UserError& failure) {
            Diagnostic& diagnostic = failure.diagnostics().front();
            const std::string noun = item.tuple() && item.tuple()->items.size() == 2 ? "pair " : "item ";
            std::erase_if(diagnostic.labels, [&](const Label& label) { return label.span == item_span; });
            diagnostic.primary = {item_span, noun + std::to_string(i) + " calls " + call_text(*builder_, *function, item)};
            turn_pair(*builder_, *function, item, diagnostic);
            throw;
        }
    }
    return Datum::tuple(std::move(results));
}

Datum Tracer::unroll_data(const Datum& data, std::int64_t axis, Span span, Span axis_span) {
    const Value* value = data.tensor();
    if (value == nullptr) throw UserError(error("E207", "unroll takes apart a tensor, not " + type_text(*builder_, data)).at(span));
    const Dims shape = builder_->type(*value).shape;
    std::int64_t normal = 0;
    try {
        normal = normal_axis(axis, shape.size());
    } catch (UserError& failure) {
        place(failure, axis_span ? axis_span : span, {});
    }
    const Dim size = shape[static_cast<std::size_t>(normal)];
    const std::int64_t count = size.value();
    if (count > 1'000'000) throw UserError(error("E407", "unroll would make a tuple of " + std::to_string(count) + " slices").at(span));
    const Origin origin(*builder_, span);
    std::vector<Datum> slices;
    for (std::int64_t i = 0; i < count; ++i) slices.emplace_back(slice_at(*value, normal, i));
    return Datum::tuple(std::move(slices), {}, !size.is_symbolic());
}

Datum Tracer::over_lane(LaneId lane, const std::function<Datum()>& body, Span span) {
    builder_->push_nesting({Nesting::Kind::lane, lane});
    axes_.push_back({lane, {}});
    const struct Leave {
        Tracer& tracer;
        ~Leave() {
            tracer.axes().pop_back();
            tracer.builder().pop_nesting();
        }
    } leave{*this};
    VmapOptions options;
    options.span = span;
    return bring_out(body(), builder_->constant(Dim(0)), lane, options, "the result");
}

namespace {

// What a comprehension over a tuple gives for each item is stacked: one structure, and in it equal shapes.
void check_alike(const Builder& builder, const std::vector<Datum>& results, Span span) {
    std::vector<Value> first;
    collect_leaves(results[0], first);
    for (std::size_t i = 1; i < results.size(); ++i) {
        std::vector<Value> leaves;
        collect_leaves(results[i], leaves);
        bool alike = same_structure(results[0], results[i]) || results[i].function() || results[0].function();
        const bool structures = !alike;
        for (std::size_t leaf = 0; alike && leaf < std::min(first.size(), leaves.size()); ++leaf) {
            const Dims &a = builder.type(first[leaf]).shape, &b = builder.type(leaves[leaf]).shape;
            alike = a.size() == b.size();
            for (std::size_t axis = 0; alike && axis < a.size(); ++axis) alike = can_agree(a[axis], b[axis]);
        }
        if (alike) continue;
        throw UserError(error(structures ? "E302" : "E301", "a comprehension stacks what it gives for each item: item 0 gives " + type_text(builder, results[0]) + ", item " + std::to_string(i) + " gives " + type_text(builder, results[i]))
                            .at(span)
                            .help("map(f) gives a tuple, whose items may differ"));
    }
}

} // namespace

Datum Tracer::comprehension(const ast::Comprehension& node, Span span, const ScopePtr& outer) {
    const std::function<Datum(std::size_t, const ScopePtr&)> level = [&](std::size_t i, const ScopePtr& scope) -> Datum {
        if (i == node.generators.size()) return evaluate(*node.body, scope);
        const ast::Generator& generator = node.generators[i];
        const Span place_span = generator.sequence->span;
        const Datum sequence = evaluate(*generator.sequence, scope);
        const auto inside = [&](const Datum& item) {
            const auto inner = std::make_shared<Scope>();
            inner->outer = scope;
            bind_pattern(generator.pattern, item, inner, place_span);
            return level(i + 1, inner);
        };
        VmapOptions options;
        options.span = span;
        if (const TupleDatum* tuple = sequence.tuple()) {
            std::vector<Datum> results;
            for (const Datum& item : tuple->items) results.push_back(inside(item));
            if (results.empty()) return builder_->constant(Array(DType::f64, {0}));
            check_alike(*builder_, results, span);
            return stack_results(results, builder_->constant(Dim(0)), options, "the result");
        }
        const Origin origin(*builder_, span);
        if (const auto* range = std::get_if<RangeDatum>(&sequence.is)) {
            const Dim first = constant_int(Datum(range->first), place_span, "the start of a range in a comprehension");
            const Dim last = constant_int(Datum(range->last), place_span, "the end of a range in a comprehension");
            const Dim count = surely_greater(first, last) ? Dim(0) : last - first;
            const LaneId lane = builder_->new_lane({count, {}, span, 0, 0, 0});
            return over_lane(lane, [&] { // the integers are weak, as those of arange and of a loop
                return inside(pointwise(*builder_, "add", {builder_->lane_index(lane, true), builder_->constant(first)}));
            }, span);
        }
        std::vector<MappedLeaf> leaves, entered;
        const Datum zero = builder_->constant(Dim(0));
        if (sequence.function() || (!sequence.tensor() && !sequence.record())) {
            throw UserError(error("E207", "a comprehension goes over a tensor, a tuple or a range, not " + type_text(*builder_, sequence)).at(place_span));
        }
        if (const Value* whole = sequence.tensor(); whole && builder_->type(*whole).rank() == 0) {
            throw UserError(error("E303", "a comprehension goes over the leading axis, and `" + std::string(place_span.text()) + "` has none: it is " + builder_->type(*whole).text()).at(place_span).help("a range counts integers, as in `for i in 0 .. n`"));
        }
        place_in_lanes(sequence, zero, std::string(place_span.text()), place_span, options, leaves, {});
        const LaneId lane = builder_->new_lane({mapped_size(leaves, options, "the comprehension"), {}, span, 0, 0, 0});
        return over_lane(lane, [&] { return inside(place_in_lanes(sequence, zero, "", place_span, options, entered, [&](const MappedLeaf& leaf) { return builder_->lane(leaf.value, lane, leaf.axis); })); }, span);
    };
    return level(0, outer);
}

LaneId Tracer::lane_named(const Datum& name, Span span, std::string_view function) {
    const auto* text = std::get_if<std::string>(&name.is);
    if (text == nullptr) throw UserError(error("E207", "`" + std::string(function) + "` takes the name of a mapped axis in quotes, as in \"i\"").at(span));
    for (std::size_t i = axes_.size(); i-- > 0;) {
        if (axes_[i].name != *text || text->empty()) continue;
        for (const Divergence& divergence : divergences_) {
            if (!has_lane(divergence.lanes, axes_[i].lane)) continue;
            throw UserError(error("E408", "`" + std::string(function) + "` over \"" + *text + "\" stands under a condition that varies over that axis")
                                .at(span)
                                .label(divergence.span, "this condition varies over \"" + *text + "\"")
                                .note("a collective needs every lane, and only some take this branch")
                                .help("compute it before the branch, and choose with where()"));
        }
        return axes_[i].lane;
    }
    Diagnostic diagnostic = error("E409", "no mapped axis is named \"" + *text + "\" here").at(span);
    std::vector<std::string> names;
    for (const ActiveAxis& axis : axes_) {
        if (!axis.name.empty()) names.push_back("\"" + axis.name + "\"");
    }
    if (!names.empty()) diagnostic.notes.push_back("the axes in reach are " + join_and(names));
    diagnostic.helps.push_back("name the axis where it is mapped: vmap(f, axis_name=\"" + *text + "\")");
    throw UserError(std::move(diagnostic));
}

} // namespace vmaprun
