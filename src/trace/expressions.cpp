// Every kind of expression: from the tree to trace-time values. One function a kind, chosen by evaluate().
#include <limits>

#include "base/text.hpp"
#include "ops/call.hpp"
#include "ops/lowering.hpp"
#include "ops/movement.hpp"
#include "trace/functions.hpp"
#include "trace/resolve.hpp"
#include "trace/tracer.hpp"

namespace vmaprun {

const Datum* Scope::find(std::string_view name) const {
    for (const Scope* scope = this; scope != nullptr; scope = scope->outer.get()) {
        if (const auto found = scope->names.find(name); found != scope->names.end()) return &found->second;
    }
    return nullptr;
}

const ast::TypeItem* Scope::find_type(std::string_view name) const {
    for (const Scope* scope = this; scope != nullptr; scope = scope->outer.get()) {
        if (const auto found = scope->types.find(name); found != scope->types.end()) return found->second;
    }
    return nullptr;
}

namespace {

std::string_view row_of(ast::BinaryOp op) {
    using enum ast::BinaryOp;
    switch (op) {
    case add: return "add";
    case subtract: return "subtract";
    case multiply: return "multiply";
    case divide: return "divide";
    case floor_divide: return "floor_divide";
    case remainder: return "remainder";
    case matmul: return "matmul";
    case power: return "pow";
    case bit_and: return "bitwise_and";
    case bit_or: return "bitwise_or";
    case shift_left: return "bitwise_left_shift";
    case shift_right: return "bitwise_right_shift";
    case equal: return "equal";
    case not_equal: return "not_equal";
    case less: return "less";
    case less_equal: return "less_equal";
    case greater: return "greater";
    case greater_equal: return "greater_equal";
    case logical_and: return "logical_and";
    default: return "logical_or";
    }
}

std::string_view row_of(ast::UnaryOp op) {
    switch (op) {
    case ast::UnaryOp::negate: return "negative";
    case ast::UnaryOp::plus: return "positive";
    case ast::UnaryOp::invert: return "bitwise_invert";
    default: return "logical_not";
    }
}

Datum number(Builder& builder, const ast::Number& number, Span span) {
    if (number.overflows) {
        throw UserError(error("E305", "the integer " + std::string(span.text()) + " does not fit `u64`").at(span).help("write it as a float, as in `1e20`"));
    }
    if (number.is_float) return builder.constant(Array::scalar(number.real), true);
    if (number.integer <= static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max())) {
        return builder.constant(Array::scalar(static_cast<std::int64_t>(number.integer)), true);
    }
    return builder.constant(Array::scalar(number.integer), true);
}

// What `-` makes of a literal that i64 can't hold: the lowest i64, or no integer at all.
std::optional<Datum> lowest_integer(Builder& builder, const ast::Number& number, Span span) {
    constexpr std::uint64_t limit = std::uint64_t{1} << 63;
    if (number.is_float || (!number.overflows && number.integer < limit)) return std::nullopt;
    if (!number.overflows && number.integer == limit) return Datum(builder.constant(Array::scalar(std::numeric_limits<std::int64_t>::min()), true));
    throw UserError(error("E305", "the integer " + std::string(span.text()) + " does not fit `i64`").at(span).help("write it as a float, as in `-1e20`"));
}

// w == none, x.dtype == f32, text == "a": known while the graph is built.
std::optional<bool> compare_words(ast::BinaryOp op, const Datum& a, const Datum& b) {
    if (op != ast::BinaryOp::equal && op != ast::BinaryOp::not_equal) return std::nullopt;
    const bool equal = op == ast::BinaryOp::equal;
    if (a.none() || b.none()) return (a.none() && b.none()) == equal;
    if (const auto *x = std::get_if<DType>(&a.is), *y = std::get_if<DType>(&b.is); x && y) return (*x == *y) == equal;
    if (const auto *x = std::get_if<std::string>(&a.is), *y = std::get_if<std::string>(&b.is); x && y) return (*x == *y) == equal;
    return std::nullopt;
}

class Evaluation {
  public:
    Evaluation(Tracer& tracer, const ScopePtr& scope, Span span) : tracer_(tracer), builder_(tracer.builder()), scope_(scope), span_(span) {}

    Datum operator()(const ast::Number& node) { return number(builder_, node, span_); }
    Datum operator()(const ast::String& node) { return Datum::of(node.value); }
    Datum operator()(const ast::Boolean& node) { return builder_.constant(Array::scalar(node.value)); }
    Datum operator()(const ast::None&) { return {}; }

    Datum operator()(const ast::Identifier& node) {
        if (const Datum* found = scope_->find(node.name)) {
            if (found->poison()) throw AlreadyReported{};
            return *found;
        }
        if (node.name == "pi") return builder_.constant(Array::scalar(3.14159265358979323846), true);
        if (node.name == "e") return builder_.constant(Array::scalar(2.71828182845904523536), true);
        if (node.name == "inf") return builder_.constant(Array::scalar(std::numeric_limits<double>::infinity()), true);
        if (node.name == "nan") return builder_.constant(Array::scalar(std::numeric_limits<double>::quiet_NaN()), true);
        if (FunctionPtr function = tracer_.builtin(node.name)) return function;
        if (const auto dtype = dtype_named(node.name)) return Datum::of(*dtype);
        if (node.name == "auto" || node.name == "graph" || node.name == "eager" || node.name == "cpu") return Datum::of(WordDatum{node.name});
        throw UserError(tracer_.unknown_name(node.name, span_, scope_));
    }

    Datum operator()(const ast::Unary& node) {
        if (const auto* literal = std::get_if<ast::Number>(&node.operand->node); literal && node.op == ast::UnaryOp::negate) {
            if (const auto lowest = lowest_integer(builder_, *literal, span_)) return *lowest;
        }
        const Value operand = tracer_.evaluate_tensor(*node.operand, scope_, std::string("an operand of `") + std::string(text_of(node.op)) + "`");
        return apply(row_of(node.op), {{node.operand->span, operand}});
    }

    Datum operator()(const ast::Binary& node) {
        const Datum left = tracer_.evaluate(*node.left, scope_), right = tracer_.evaluate(*node.right, scope_);
        if (const auto known = compare_words(node.op, left, right)) return builder_.constant(Array::scalar(*known));
        return apply(row_of(node.op), {{node.left->span, tensor_operand(left, *node.left, node.op)}, {node.right->span, tensor_operand(right, *node.right, node.op)}}, node.op_span);
    }

    Datum operator()(const ast::Cast& node) {
        const auto dtype = dtype_named(node.type.text);
        if (!dtype || *dtype == DType::key) throw UserError(unknown_dtype_error(node.type));
        const Value operand = tracer_.evaluate_tensor(*node.operand, scope_, "what `as` casts");
        const Tracer::Origin origin(builder_, span_);
        if (builder_.type(operand).dtype == DType::key) throw UserError(error("E302", "a key can't be cast to a number").at(span_).help("draw numbers from it, as in uniform(k)"));
        if (builder_.type(operand).dtype == *dtype || kind_of(builder_.type(operand).dtype) != Kind::integer || !is_integer(*dtype)) {
            try {
                return cast(builder_, operand, *dtype);
            } catch (UserError& failure) {
                tracer_.place(failure, span_, {{node.operand->span, operand}});
            }
        }
        return builder_.add(op_named("cast"), {operand}, {*dtype}); // wraps, as a cast does; no literal check
    }

    Datum operator()(const ast::Range& node) {
        const Value first = tracer_.evaluate_tensor(*node.first, scope_, "the start of a range");
        const Value last = tracer_.evaluate_tensor(*node.last, scope_, "the end of a range");
        return Datum::of(RangeDatum{first, last});
    }

    Datum operator()(const ast::Call& node) {
        const Datum callee = tracer_.evaluate(*node.callee, scope_);
        const FunctionPtr function = tracer_.expect_function(callee, node.callee->span, "what is called");
        return tracer_.call(function, tracer_.evaluate_arguments(node.arguments, scope_), span_);
    }

    Datum operator()(const ast::Pipe& node) { return tracer_.pipe(node, span_, scope_); }
    Datum operator()(const ast::Member& node);
    Datum operator()(const ast::Index& node);

    Datum operator()(const ast::Tuple& node) {
        std::vector<Datum> items;
        std::vector<Span> spans;
        for (const auto& item : node.items) {
            items.push_back(tracer_.evaluate(*item, scope_));
            spans.push_back(item->span);
        }
        return Datum::tuple(std::move(items), std::move(spans));
    }

    Datum operator()(const ast::List& node);
    Datum operator()(const ast::Comprehension& node) { return tracer_.comprehension(node, span_, scope_); }
    Datum operator()(const ast::Record& node);
    Datum operator()(const ast::BlockExpr& node) { return tracer_.evaluate_block(node.block, scope_); }
    Datum operator()(const ast::If& node) { return tracer_.if_expression(node, span_, scope_); }
    Datum operator()(const ast::Loop& node) { return tracer_.loop_expression(node, span_, scope_); }
    Datum operator()(const ast::Lambda& node) { return tracer_.make_lambda(node, span_, scope_); }

  private:
    Value tensor_operand(const Datum& datum, const ast::Expr& expression, ast::BinaryOp op) {
        if (const Value* value = datum.tensor()) return *value;
        throw UserError(error("E207", "an operand of `" + std::string(text_of(op)) + "` must be a tensor, not " + type_text(builder_, datum)).at(expression.span));
    }

    // A row on operands that are already values, with the place of each.
    // `sign`: where the operator stands, which is what a message points at.
    Value apply(std::string_view row, const std::vector<std::pair<Span, Datum>>& operands, Span sign = {}) {
        const Tracer::Origin origin(builder_, span_);
        const Op& op = op_named(row);
        std::vector<BoundArgument> arguments(operands.size());
        for (std::size_t i = 0; i < operands.size(); ++i) {
            arguments[i].value.emplace<Value>(*operands[i].second.tensor());
            arguments[i].span = operands[i].first;
            arguments[i].given = true;
        }
        const Span place = sign ? sign : span_;
        try {
            return op.lower(builder_, BuiltinCall(op, std::move(arguments), place)).values.at(0);
        } catch (UserError& failure) {
            tracer_.place(failure, place, operands);
        }
    }

    Tracer& tracer_;
    Builder& builder_;
    const ScopePtr& scope_;
    Span span_;
};

Datum Evaluation::operator()(const ast::List& node) {
    std::vector<Value> items;
    std::vector<std::pair<Span, Datum>> operands;
    for (const auto& item : node.items) {
        const Datum datum = tracer_.evaluate(*item, scope_);
        if (!datum.tensor()) {
            throw UserError(error("E207", "a list holds tensors, not " + type_text(builder_, datum)).at(item->span).help("write a tuple `(a, b)` to keep other values together"));
        }
        items.push_back(*datum.tensor());
        operands.emplace_back(item->span, datum);
    }
    const Tracer::Origin origin(builder_, span_);
    if (items.empty()) return builder_.constant(Array(DType::f64, {0}));
    try {
        // A list is strong: its literals take their own dtype.
        std::vector<Value> promoted = promote_values(builder_, items);
        for (Value& item : promoted) item = cast(builder_, item, builder_.type(item).dtype);
        return stack_values(builder_, promoted, 0);
    } catch (UserError& failure) {
        tracer_.place(failure, span_, operands);
    }
}

Datum Evaluation::operator()(const ast::Record& node) {
    std::vector<std::pair<std::string, Datum>> fields;
    const auto put = [&](const std::string& name, const Datum& value) {
        for (auto& [known, held] : fields) {
            if (known == name) {
                held = value;
                return;
            }
        }
        fields.emplace_back(name, value);
    };
    std::vector<std::string_view> written;
    for (const ast::RecordField& field : node.fields) {
        const Datum value = tracer_.evaluate(*field.value, scope_);
        if (field.form == ast::RecordField::Form::spread) {
            if (!value.record()) throw UserError(error("E207", "`..` spreads a record, not " + type_text(builder_, value)).at(field.value->span));
            for (const auto& [name, held] : value.record()->fields) put(name, held);
            continue;
        }
        for (const std::string_view name : written) {
            if (name == field.name.text) throw UserError(error("E202", "the field `" + field.name.text + "` is given twice").at(field.name.span));
        }
        written.push_back(field.name.text);
        put(field.name.text, value);
    }
    return Datum::record(std::move(fields));
}

Datum shape_tuple(Builder& builder, const Dims& shape) {
    std::vector<Datum> sizes;
    for (const Dim& size : shape) sizes.emplace_back(builder.constant(size));
    return Datum::tuple(std::move(sizes));
}

Datum Evaluation::operator()(const ast::Member& node) {
    const Datum object = tracer_.evaluate(*node.object, scope_);
    const std::string& name = node.name.text;
    if (const RecordDatum* record = object.record()) {
        if (const Datum* field = record->find(name)) {
            if (field->poison()) throw AlreadyReported{};
            return *field;
        }
        Diagnostic diagnostic = error("E208", "there is no field `" + name + "`").at(node.name.span);
        std::vector<std::string_view> names;
        std::vector<std::string> all;
        for (const auto& field : record->fields) {
            names.push_back(field.first);
            all.push_back("`" + field.first + "`");
        }
        if (const auto near = nearest(name, names); !near.empty()) diagnostic.helps.push_back("did you mean `" + std::string(near) + "`?");
        diagnostic.notes.push_back(all.empty() ? "the record is empty" : "the fields are " + join_and(all));
        throw UserError(std::move(diagnostic));
    }
    const Value* x = object.tensor();
    const Tracer::Origin origin(builder_, span_);
    if (x != nullptr) {
        const TensorType type = builder_.type(*x);
        if (name == "shape") return shape_tuple(builder_, type.shape);
        if (name == "ndim") return builder_.constant(Dim(static_cast<std::int64_t>(type.rank())));
        if (name == "size") return builder_.constant(product_of(type.shape));
        if (name == "dtype") return Datum::of(type.dtype);
        if (name == "at") return Datum::of(AtDatum{*x});
        if (name == "T" || name == "mT") {
            if (type.rank() < 2 || (name == "T" && type.rank() != 2)) {
                throw UserError(error("E307", "`." + name + "` needs " + (name == "T" ? "a matrix (rank 2)" : "rank 2 or more") + ", and this is " + type.text())
                                    .at(span_)
                                    .help(type.rank() > 2 ? "`.mT` transposes the last two axes; permute_dims(x, axes) any" : "permute_dims(x, axes) permutes axes of any rank"));
            }
            return pointwise(builder_, "matrix_transpose", {*x});
        }
    }
    if (const auto* at = std::get_if<std::shared_ptr<const AtIndexDatum>>(&object.is)) {
        if (FunctionPtr update = make_update(*at, name)) return update;
    }
    Diagnostic diagnostic = error("E208", type_text(builder_, object) + " has no member `" + name + "`").at(node.name.span);
    if (std::holds_alternative<std::shared_ptr<const AtIndexDatum>>(object.is)) diagnostic.helps.push_back("an update has set, add, mul, min and max");
    if (x != nullptr && name == "astype") diagnostic.helps.push_back("a cast is written `x as f32`");
    else if (x != nullptr && is_builtin_name(name)) diagnostic.helps.push_back("functions stand before what they work on: `" + name + "(" + std::string(node.object->span.text()) + ", …)`");
    else if (x != nullptr) diagnostic.helps.push_back("a tensor has .T .mT .shape .ndim .size .dtype and .at");
    throw UserError(std::move(diagnostic));
}

Datum Evaluation::operator()(const ast::Index& node) {
    const Datum object = tracer_.evaluate(*node.object, scope_);
    if (const TupleDatum* tuple = object.tuple()) {
        const auto count = static_cast<std::int64_t>(tuple->items.size());
        const bool plain = node.items.size() == 1;
        if (plain && node.items[0].form == ast::IndexItem::Form::slice) {
            const IndexArgument item = tracer_.index_argument(node.items[0], scope_);
            const auto at = [&](const std::optional<Dim>& d, std::int64_t otherwise) { return d ? (d->value() < 0 ? d->value() + count : d->value()) : otherwise; };
            const std::int64_t step = item.step ? item.step->value() : 1;
            if (step != 1) throw UserError(error("E310", "a slice of a tuple has step 1").at(node.items[0].span));
            std::vector<Datum> items;
            for (std::int64_t i = std::max<std::int64_t>(at(item.start, 0), 0); i < std::min(at(item.stop, count), count); ++i) items.push_back(tuple->items[static_cast<std::size_t>(i)]);
            return Datum::tuple(std::move(items));
        }
        if (!plain || node.items[0].form != ast::IndexItem::Form::expression) throw UserError(error("E307", "a tuple has one index").at(span_));
        const std::int64_t position = tracer_.known_int(tracer_.evaluate(*node.items[0].value, scope_), node.items[0].span, "the index of a tuple");
        const std::int64_t i = position < 0 ? position + count : position;
        if (i < 0 || i >= count) {
            throw UserError(error("E306", "index " + std::to_string(position) + " is out of range for a tuple of " + count_of(count, "item")).at(node.items[0].span));
        }
        if (tuple->items[static_cast<std::size_t>(i)].poison()) throw AlreadyReported{};
        return tuple->items[static_cast<std::size_t>(i)];
    }
    std::vector<IndexArgument> items;
    const auto* at = std::get_if<AtDatum>(&object.is);
    if (!object.tensor() && at == nullptr) {
        Diagnostic diagnostic = error("E207", type_text(builder_, object) + " can't be indexed").at(node.object->span);
        if (object.record()) diagnostic.helps.push_back("a field of a record is read as `r.name`");
        throw UserError(std::move(diagnostic));
    }
    for (const ast::IndexItem& item : node.items) items.push_back(tracer_.index_argument(item, scope_));
    if (at != nullptr) return Datum::of(std::make_shared<const AtIndexDatum>(AtIndexDatum{at->x, std::move(items)}));
    const Tracer::Origin origin(builder_, span_);
    try {
        return index(builder_, *object.tensor(), items, span_);
    } catch (UserError& failure) {
        tracer_.place(failure, span_, {{node.object->span, object}});
    }
}

} // namespace

IndexArgument Tracer::index_argument(const ast::IndexItem& item, const ScopePtr& scope) {
    IndexArgument argument;
    argument.span = item.span;
    const auto bound = [&](const ast::ExprPtr& expression) -> std::optional<Dim> {
        if (!expression) return std::nullopt;
        const Datum datum = evaluate(*expression, scope);
        if (datum.none()) return std::nullopt;
        return constant_int(datum, expression->span, "a bound of a slice");
    };
    if (item.form == ast::IndexItem::Form::rest) {
        argument.form = IndexArgument::Form::rest;
    } else if (item.form == ast::IndexItem::Form::slice) {
        argument.form = IndexArgument::Form::slice;
        argument.start = bound(item.start);
        argument.stop = bound(item.stop);
        argument.step = bound(item.step);
    } else {
        const Datum datum = evaluate(*item.value, scope);
        if (datum.none()) {
            argument.form = IndexArgument::Form::new_axis;
        } else if (const Value* value = datum.tensor()) {
            const auto constant = builder_->from_data(*value) ? std::nullopt : builder_->static_int(*value);
            argument.form = constant ? IndexArgument::Form::integer : IndexArgument::Form::tensor;
            if (constant) argument.integer = *constant;
            argument.tensor = *value;
        } else {
            throw UserError(error("E308", "an index is an integer, an integer tensor, a slice, `none` or `...`, not " + type_text(*builder_, datum)).at(item.span));
        }
    }
    return argument;
}

Dim Tracer::constant_int(const Datum& datum, Span span, std::string_view what) {
    if (const Value* value = datum.tensor()) {
        if (const auto number = builder_->static_int(*value)) return *number;
        const TensorType& type = builder_->type(*value);
        if (!is_integer(type.dtype) || type.rank() != 0) {
            throw UserError(error("E209", std::string(what) + " must be an integer, not " + type.text()).at(span));
        }
        throw UserError(error("E209", std::string(what) + " must be a constant when the graph is built")
                            .at(span, "this is computed when the graph runs")
                            .help("computed positions go through indexing `x[i]`, window(x, start, size=w) or dynamic_slice"));
    }
    throw UserError(error("E209", std::string(what) + " must be an integer, not " + type_text(*builder_, datum)).at(span));
}

std::int64_t Tracer::known_int(const Datum& datum, Span span, std::string_view what) {
    const Dim number = constant_int(datum, span, what);
    if (!number.is_symbolic()) return number.value();
    Diagnostic warning = error({}, std::string(what) + " is " + number.text() + ", which only data tells: what depends on it is not checked").at(span);
    warning.severity = Severity::warning;
    traced_.warnings.push_back(std::move(warning));
    throw AlreadyReported{};
}

Datum Tracer::evaluate(const ast::Expr& expression, const ScopePtr& scope) {
    try {
        return std::visit(Evaluation(*this, scope, expression.span), expression.node);
    } catch (UserError& failure) {
        // No error of a script is without a place.
        for (Diagnostic& diagnostic : failure.diagnostics()) {
            if (!diagnostic.primary.span) diagnostic.primary.span = expression.span;
        }
        throw;
    }
}

Value Tracer::evaluate_tensor(const ast::Expr& expression, const ScopePtr& scope, std::string_view what) {
    const Datum datum = evaluate(expression, scope);
    if (const Value* value = datum.tensor()) return *value;
    throw UserError(error("E207", std::string(what) + " must be a tensor, not " + type_text(*builder_, datum)).at(expression.span));
}

Datum Tracer::evaluate_statement(const ast::Statement& statement, const ScopePtr& scope, DimBindings& dims) {
    const Datum value = evaluate(*statement.value, scope);
    if (!statement.is_let || !statement.type) return value;
    const Span span = statement.value->span;
    Datum checked = check_annotation(*statement.type, value, span, "`" + std::string(statement.pattern.span.text()) + "`", dims, scope);
    solve_pending(dims, span);
    return checked;
}

Datum Tracer::evaluate_block(const ast::Block& block, const ScopePtr& outer) {
    auto scope = std::make_shared<Scope>();
    scope->outer = outer;
    Datum last;
    for (const ast::Statement& statement : block.statements) {
        DimBindings dims;
        last = evaluate_statement(statement, scope, dims);
        if (statement.is_let) bind_pattern(statement.pattern, last, scope, statement.value->span);
    }
    return last;
}

void Tracer::bind_pattern(const ast::Pattern& pattern, const Datum& value, const ScopePtr& scope, Span value_span) {
    if (pattern.form == ast::Pattern::Form::ignore) return;
    if (pattern.form == ast::Pattern::Form::name) return define(pattern.name, value, pattern.span, scope);
    if (value.poison()) {
        for (const ast::Pattern& item : pattern.items) bind_pattern(item, value, scope, value_span);
        return;
    }
    if (const Value* keys = value.tensor()) { // the keys of a split are taken apart: let (a, b) = split(k)
        const TensorType type = builder_->type(*keys);
        if (type.dtype == DType::key && type.rank() == 1 && type.shape[0] == Dim(static_cast<std::int64_t>(pattern.items.size()))) {
            for (std::size_t i = 0; i < pattern.items.size(); ++i) bind_pattern(pattern.items[i], slice_at(*keys, 0, static_cast<std::int64_t>(i)), scope, value_span);
            return;
        }
    }
    const TupleDatum* tuple = value.tuple();
    if (tuple == nullptr || !tuple->may_have(pattern.items.size())) {
        const std::string found = tuple ? "a tuple of " + count_of(static_cast<std::int64_t>(tuple->items.size()), "item") : type_text(*builder_, value);
        Diagnostic diagnostic = error("E210", "the pattern takes " + count_of(static_cast<std::int64_t>(pattern.items.size()), "item") + ", but the value is " + found)
                                    .at(pattern.span)
                                    .label(value_span, "this is " + type_text(*builder_, value));
        if (value.tensor()) diagnostic.helps.push_back("unroll(x) gives the slices of a tensor as a tuple");
        throw UserError(std::move(diagnostic));
    }
    for (std::size_t i = 0; i < pattern.items.size(); ++i) bind_pattern(pattern.items[i], tuple->items[i], scope, value_span);
}

void Tracer::place(UserError& failure, Span span, const std::vector<std::pair<Span, Datum>>& operands) {
    Diagnostic& diagnostic = failure.diagnostics().front();
    if (!diagnostic.primary.span) {
        diagnostic.primary.span = span;
        for (const auto& [where, datum] : operands) {
            if (where && !(where == span)) diagnostic.labels.push_back({where, type_text(*builder_, datum)});
        }
    }
    throw UserError(failure);
}

} // namespace vmaprun
