// Types as scripts write them: f32[n, k], float, (T, U), {w: T}, aliases; and the agreement of their dim names.
// A function never converts: a value fits its annotation or is an error. Weak literals alone take the annotated dtype.
#include <algorithm>

#include "base/text.hpp"
#include "ops/lowering.hpp"
#include "trace/resolve.hpp"
#include "trace/tracer.hpp"

namespace vmaprun {
namespace {

struct Word {
    std::optional<DType> dtype;
    std::optional<Kind> kind;
    bool any_number = false; // num
    bool anything = false;   // any
};

std::optional<Word> word_named(std::string_view name) {
    Word word;
    if (name == "float") word.kind = Kind::floating;
    else if (name == "int") word.kind = Kind::integer;
    else if (name == "num") word.any_number = true;
    else if (name == "any") word.anything = true;
    else if (const auto dtype = dtype_named(name)) word.dtype = dtype;
    else return std::nullopt;
    return word;
}

[[noreturn]] void fail_type_name(const ast::Name& name, const ScopePtr& scope) {
    std::vector<std::string_view> names;
    for (const Scope* level = scope.get(); level != nullptr; level = level->outer.get()) {
        if (level->circular_types.contains(name.text)) throw AlreadyReported{};
        for (const auto& type : level->types) names.push_back(type.first);
    }
    throw UserError(unknown_type_error(name, std::move(names)));
}

std::string type_source(const ast::Type& type) { return std::string(type.span.text()); }

const ast::Identifier* bare_name(const ast::Dim& dim) { return dim.expression ? std::get_if<ast::Identifier>(&dim.expression->node) : nullptr; }

// A literal of one kind satisfies an annotation of the other.
bool literal_becomes(Kind kind, Kind wanted) {
    return kind == wanted || (kind == Kind::integer && (wanted == Kind::floating || wanted == Kind::complex)) || (kind == Kind::floating && wanted == Kind::complex);
}

class Annotation {
  public:
    Annotation(Tracer& tracer, DimBindings& dims, Span value_span, const ScopePtr& scope) : tracer_(tracer), builder_(tracer.builder()), dims_(dims), span_(value_span), scope_(scope) {}

    Datum check(const ast::Type& type, const Datum& value, const std::string& what) {
        if (value.poison()) throw AlreadyReported{};
        if (type.form == ast::Type::Form::tuple) return check_tuple(type, value, what);
        if (type.form == ast::Type::Form::record) return check_record(type, value, what);
        if (const ast::TypeItem* alias = scope_->find_type(type.word.text)) {
            if (type.has_dims) throw UserError(error("E206", "the type `" + type.word.text + "` takes no sizes").at(type.span));
            return check(*alias->type, value, what);
        }
        const auto word = word_named(type.word.text);
        if (!word) fail_type_name(type.word, scope_);
        if (word->anything && !type.has_dims) return value;
        if (!value.tensor()) mismatch(type, value, what);
        return check_tensor(type, *word, *value.tensor(), what);
    }

    Datum literals(const ast::Type& type, const Datum& value) {
        if (type.form == ast::Type::Form::tuple) {
            const TupleDatum* tuple = value.tuple();
            if (tuple == nullptr || tuple->items.size() != type.items.size()) return value;
            std::vector<Datum> items;
            for (std::size_t i = 0; i < tuple->items.size(); ++i) items.push_back(literals(*type.items[i], tuple->items[i]));
            return Datum::tuple(std::move(items), tuple->spans);
        }
        if (type.form == ast::Type::Form::record) {
            if (value.record() == nullptr) return value;
            std::vector<std::pair<std::string, Datum>> fields = value.record()->fields;
            for (const ast::TypeField& field : type.fields) {
                const auto held = std::ranges::find(fields, field.name.text, &std::pair<std::string, Datum>::first);
                if (held != fields.end()) held->second = literals(*field.type, held->second);
            }
            return Datum::record(std::move(fields));
        }
        if (const ast::TypeItem* alias = scope_->find_type(type.word.text)) return literals(*alias->type, value);
        const auto word = word_named(type.word.text);
        const Value* tensor = value.tensor();
        if (!word || tensor == nullptr || !builder_.type(*tensor).weak || (!word->dtype && !word->kind)) return value;
        if (!literal_becomes(kind_of(builder_.type(*tensor).dtype), word->dtype ? kind_of(*word->dtype) : *word->kind)) return value;
        return check_dtype(type, *word, *tensor, {});
    }

  private:
    [[noreturn]] void mismatch(const ast::Type& type, const Datum& value, const std::string& what, const std::string& help = {}) {
        Diagnostic diagnostic = error("E302", what + " must be " + type_source(type) + ", but it is " + type_text(builder_, value)).at(span_, "this is " + type_text(builder_, value)).label(type.span, "declared here");
        if (!help.empty()) diagnostic.helps.push_back(help);
        throw UserError(std::move(diagnostic));
    }

    Datum check_tuple(const ast::Type& type, const Datum& value, const std::string& what) {
        const TupleDatum* tuple = value.tuple();
        if (tuple == nullptr || tuple->items.size() != type.items.size()) mismatch(type, value, what);
        std::vector<Datum> items;
        for (std::size_t i = 0; i < tuple->items.size(); ++i) items.push_back(check(*type.items[i], tuple->items[i], "item " + std::to_string(i) + " of " + what));
        return Datum::tuple(std::move(items), tuple->spans);
    }

    Datum check_record(const ast::Type& type, const Datum& value, const std::string& what) {
        const RecordDatum* record = value.record();
        if (record == nullptr) mismatch(type, value, what);
        std::vector<std::pair<std::string, Datum>> fields;
        for (const auto& [name, held] : record->fields) {
            const auto field = std::ranges::find_if(type.fields, [&, &key = name](const ast::TypeField& f) { return f.name.text == key; });
            if (field == type.fields.end()) mismatch(type, value, what, "the type has no field `" + name + "`");
            fields.emplace_back(name, check(*field->type, held, "`" + name + "` of " + what));
        }
        for (const ast::TypeField& field : type.fields) {
            if (!record->find(field.name.text)) mismatch(type, value, what, "the field `" + field.name.text + "` is missing");
        }
        return Datum::record(std::move(fields));
    }

    Datum check_tensor(const ast::Type& type, const Word& word, Value value, const std::string& what) {
        value = check_dtype(type, word, value, what);
        const Dims shape = builder_.type(value).shape;
        std::vector<const ast::Dim*> dims;
        std::optional<std::size_t> rest;
        for (const ast::Dim& dim : type.dims) {
            if (dim.form == ast::Dim::Form::rest) rest = dims.size();
            else dims.push_back(&dim);
        }
        if (rest ? shape.size() < dims.size() : shape.size() != dims.size()) {
            const std::string wanted = (rest ? "at least rank " : "rank ") + std::to_string(dims.size());
            throw UserError(error("E307", what + " must be " + type_source(type) + " (" + wanted + "), but it is " + builder_.type(value).text())
                                .at(span_, "this is " + builder_.type(value).text())
                                .label(type.span, "declared here"));
        }
        for (std::size_t i = 0; i < dims.size(); ++i) {
            const std::size_t axis = rest && i >= *rest ? shape.size() - dims.size() + i : i;
            check_dim(*dims[i], shape[axis], "axis " + std::to_string(axis) + " of " + what, value);
        }
        return value;
    }

    Value check_dtype(const ast::Type& type, const Word& word, Value value, const std::string& what) {
        const TensorType actual = builder_.type(value);
        const Kind kind = kind_of(actual.dtype);
        if (word.anything) return value;
        if (word.any_number) {
            if (kind == Kind::boolean || kind == Kind::key) mismatch(type, value, what);
            return value;
        }
        const Kind wanted = word.dtype ? kind_of(*word.dtype) : *word.kind;
        if (actual.weak && literal_becomes(kind, wanted)) {
            if (word.dtype) return cast_literal(type, value, *word.dtype);
            return kind == wanted ? value : builder_.add(op_named("cast"), {value}, {DType::f64, true});
        }
        if (word.dtype ? actual.dtype == *word.dtype : kind == wanted) return value;
        const std::string target(word.dtype ? name_of(*word.dtype) : wanted == Kind::floating ? "f32" : "i64");
        mismatch(type, value, what, "a function never converts: cast where it is called, as in `x as " + target + "`");
    }

    Value cast_literal(const ast::Type& type, Value value, DType dtype) {
        try {
            return cast(builder_, value, dtype);
        } catch (UserError& failure) {
            Diagnostic& diagnostic = failure.diagnostics().front();
            diagnostic.primary.span = span_;
            diagnostic.labels.push_back({type.span, "declared here"});
            diagnostic.helps.clear(); // no other operand is there
            throw;
        }
    }

    void check_dim(const ast::Dim& dim, Dim size, const std::string& place, Value value) {
        if (dim.form == ast::Dim::Form::any) return;
        if (const ast::Identifier* name = bare_name(dim)) {
            if (dims_.names_of_scope && !dims_.names.contains(name->name)) {
                if (const auto known_size = size_in_scope(name->name)) {
                    dims_.names.emplace(name->name, DimBindings::Entry{*known_size, {}, "`" + name->name + "` = " + known_size->text()});
                }
            }
            const auto known = dims_.names.find(name->name);
            if (known == dims_.names.end()) dims_.names.emplace(name->name, DimBindings::Entry{size, dim.span, place});
            else if (!can_agree(known->second.size, size)) disagree(name->name, known->second, dim, size, place, value);
            else if (known->second.size.is_symbolic() && !size.is_symbolic()) known->second.size = size;
            return;
        }
        dims_.pending.push_back({&dim, size, place, scope_, span_, place.substr(place.find(" of ") + 4) + " is " + builder_.type(value).text()});
    }

    // An integer constant of that name: a dim of the function around, a dim of an input, a scalar int input.
    std::optional<Dim> size_in_scope(const std::string& name) {
        const Datum* datum = scope_->find(name);
        if (datum && datum->poison()) throw AlreadyReported{};
        return datum && datum->tensor() ? builder_.static_int(*datum->tensor()) : std::nullopt;
    }

    [[noreturn]] void disagree(const std::string& name, const DimBindings::Entry& first, const ast::Dim& dim, Dim size, const std::string& place, Value value) {
        if (!first.span) {
            throw UserError(error("E301", place + " is " + size.text() + ", but " + first.place + " here").at(span_, "this is " + builder_.type(value).text()).label(dim.span, "`" + name + "` must be " + first.size.text()));
        }
        const auto owner = [](const std::string& text) { return text.substr(text.find(" of ") + 4); };
        const bool one = owner(first.place) == owner(place);
        const bool result = owner(place).starts_with("the result");
        const std::string message = result ? "axis `" + name + "` is " + first.size.text() + " in " + owner(first.place) + " and " + size.text() + " in " + owner(place) : one ? "axis `" + name + "` is " + first.size.text() + " in one place and " + size.text() + " in another"
                                        : "axis `" + name + "` is " + first.size.text() + " in one argument and " + size.text() + " in another";
        throw UserError(error("E301", message)
                            .at(span_, owner(place) + " is " + builder_.type(value).text())
                            .label(first.span, "first `" + name + "` = " + first.size.text() + ", " + first.place)
                            .label(dim.span, "then `" + name + "` = " + size.text() + ", " + place));
    }

    Tracer& tracer_;
    Builder& builder_;
    DimBindings& dims_;
    Span span_;
    const ScopePtr& scope_;
};

void unknown_names(const ast::Expr& expression, const DimBindings& dims, const ScopePtr& scope, std::vector<std::string>& names) {
    if (const auto* name = std::get_if<ast::Identifier>(&expression.node)) {
        const Datum* datum = scope->find(name->name);
        const bool known = dims.names.contains(name->name) || (datum && !datum->poison());
        if (!known && std::ranges::find(names, name->name) == names.end()) names.push_back(name->name);
    } else if (const auto* binary = std::get_if<ast::Binary>(&expression.node)) {
        unknown_names(*binary->left, dims, scope, names);
        unknown_names(*binary->right, dims, scope, names);
    }
}

} // namespace

Datum Tracer::check_annotation(const ast::Type& type, const Datum& value, Span value_span, const std::string& what, DimBindings& dims, const ScopePtr& scope) {
    return Annotation(*this, dims, value_span, scope).check(type, value, what);
}

Datum Tracer::declared_literals(const ast::Type& type, const Datum& value, const ScopePtr& scope) {
    DimBindings dims;
    return Annotation(*this, dims, type.span, scope).literals(type, value);
}

Dim Tracer::evaluate_dim(const ast::Expr& expression, const DimBindings& dims, const ScopePtr& scope) {
    if (const auto* number = std::get_if<ast::Number>(&expression.node); number && !number->is_float && number->integer < (std::uint64_t{1} << 62)) {
        return static_cast<std::int64_t>(number->integer);
    }
    if (const auto* name = std::get_if<ast::Identifier>(&expression.node)) {
        if (const auto known = dims.names.find(name->name); known != dims.names.end()) return known->second.size;
        if (const Datum* datum = scope->find(name->name)) return constant_int(*datum, expression.span, "a size");
    }
    if (const auto* binary = std::get_if<ast::Binary>(&expression.node)) {
        const Dim left = evaluate_dim(*binary->left, dims, scope), right = evaluate_dim(*binary->right, dims, scope);
        switch (binary->op) {
        case ast::BinaryOp::add: return left + right;
        case ast::BinaryOp::subtract: return left - right;
        case ast::BinaryOp::multiply: return left * right;
        case ast::BinaryOp::floor_divide: return floor_divide(left, right);
        default: break;
        }
    }
    throw UserError(error("E206", "a size is made of numbers, names, + - * and //").at(expression.span));
}

void Tracer::solve_pending(DimBindings& dims, Span call_span, bool more_follow) {
    bool progress = true;
    while (!dims.pending.empty() && progress) {
        progress = false;
        std::vector<DimBindings::Pending> left;
        for (const DimBindings::Pending& pending : dims.pending) {
            const ast::Expr& expression = *pending.dim->expression;
            std::vector<std::string> unknown;
            unknown_names(expression, dims, pending.scope, unknown);
            if (unknown.size() > 1) {
                left.push_back(pending);
                continue;
            }
            progress = true;
            const std::string text(pending.dim->span.text());
            const auto fail = [&](const std::string& message) {
                Diagnostic diagnostic = error("E301", message).at(pending.value_span ? pending.value_span : call_span, pending.value_span ? pending.value : "").label(pending.dim->span, "declared here");
                std::vector<std::string> names;
                size_names(expression, names);
                for (const std::string& name : names) {
                    const auto known = dims.names.find(name);
                    if (known != dims.names.end() && known->second.span) diagnostic.labels.push_back({known->second.span, "`" + name + "` = " + known->second.size.text() + ", " + known->second.place});
                }
                if (!pending.note.empty()) diagnostic.notes.push_back(pending.note);
                throw UserError(std::move(diagnostic));
            };
            const auto differs = [&](const std::string& expected) {
                fail(pending.place + " must be " + (expected == text ? text : "`" + text + "` = " + expected) + ", but it is " + pending.size.text());
            };
            if (unknown.empty()) {
                const Dim expected = evaluate_dim(expression, dims, pending.scope);
                if (!can_agree(expected, pending.size)) differs(expected.text());
                continue;
            }
            const auto at = [&](std::int64_t trial) {
                DimBindings guess = dims;
                guess.names[unknown[0]] = {trial, {}, {}};
                return evaluate_dim(expression, guess, pending.scope);
            };
            const Dim offset = at(0), factor = at(1) - offset, rest = pending.size - offset;
            const bool linear = at(2) - offset == factor * 2 && factor.value() != 0;
            if (!linear) throw UserError(error("E206", "the size `" + text + "` can't be solved for `" + unknown[0] + "`").at(pending.dim->span).help("a size is solved when it is linear in its one unknown name"));
            if (!rest.is_symbolic() && (rest.value() % factor.value() != 0 || rest.value() / factor.value() < 0)) {
                fail(pending.place + " is " + pending.size.text() + ", which no whole `" + unknown[0] + "` makes of `" + text + "`");
            }
            dims.names[unknown[0]] = {floor_divide(rest, factor), pending.dim->span, pending.place};
        }
        dims.pending = std::move(left);
    }
    if (dims.pending.empty() || more_follow) return;
    const DimBindings::Pending& stuck = dims.pending.front();
    throw UserError(error("E206", "the size `" + std::string(stuck.dim->span.text()) + "` has more than one unknown name").at(stuck.dim->span).help("give one of the names a place of its own in the signature"));
}

DeclaredType Tracer::declared_type(const ast::Type& type, const DimBindings& dims, const ScopePtr& scope) {
    DeclaredType declared;
    declared.text = type_source(type);
    if (type.form != ast::Type::Form::word) {
        declared.form = type.form == ast::Type::Form::tuple ? DeclaredType::Form::tuple : DeclaredType::Form::record;
        for (const auto& item : type.items) declared.items.push_back(declared_type(*item, dims, scope));
        for (const auto& field : type.fields) {
            declared.items.push_back(declared_type(*field.type, dims, scope));
            declared.names.push_back(field.name.text);
        }
        return declared;
    }
    if (const ast::TypeItem* alias = scope->find_type(type.word.text)) return declared_type(*alias->type, dims, scope);
    const auto word = word_named(type.word.text);
    if (!word) fail_type_name(type.word, scope);
    if (word->anything && !type.has_dims) return declared;
    declared.form = DeclaredType::Form::tensor;
    declared.dtype = word->dtype;
    declared.kind = word->kind;
    declared.ranked = true;
    for (const ast::Dim& dim : type.dims) {
        if (dim.form == ast::Dim::Form::rest) {
            declared.ranked = false;
            declared.dims.clear();
            break;
        }
        std::vector<std::string> unknown;
        if (dim.expression) unknown_names(*dim.expression, dims, scope, unknown);
        declared.dims.push_back(dim.expression && unknown.empty() ? std::optional(evaluate_dim(*dim.expression, dims, scope).value()) : std::nullopt);
    }
    return declared;
}

} // namespace vmaprun
