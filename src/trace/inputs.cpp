// `input` items. What arrives is converted once to what is declared; the sizes of all inputs share their dim names.
#include <algorithm>

#include "base/text.hpp"
#include "ops/lowering.hpp"
#include "trace/tracer.hpp"

namespace vmaprun {
namespace {

std::string dotted(const std::string& name, const std::vector<std::string>& path) {
    std::string text = name;
    for (const std::string& step : path) text += "." + step;
    return text;
}

std::string input_name(const std::string& name, const std::vector<std::string>& path) { return "`" + dotted(name, path) + "`"; }

struct Wanted {
    std::optional<DType> dtype;
    std::optional<Kind> kind;
};

Wanted wanted_of(const ast::Type* type) {
    if (type == nullptr) return {};
    if (type->word.text == "float") return {std::nullopt, Kind::floating};
    if (type->word.text == "int") return {std::nullopt, Kind::integer};
    return {dtype_named(type->word.text), std::nullopt};
}

// The dtype that data of dtype `from` is converted to; nullopt where no value of it could fit.
std::optional<DType> converted(const Wanted& wanted, DType from) {
    const Kind kind = kind_of(from);
    if (wanted.dtype) {
        const Kind to = kind_of(*wanted.dtype);
        if (kind == Kind::key || to == Kind::key) return from == *wanted.dtype ? wanted.dtype : std::nullopt;
        const bool fits = kind == to || (to == Kind::floating && kind == Kind::integer) || (to == Kind::integer && kind == Kind::floating) || (to == Kind::complex && kind != Kind::boolean);
        return fits ? wanted.dtype : std::nullopt;
    }
    if (!wanted.kind || kind == *wanted.kind) return from;
    if (*wanted.kind == Kind::floating && kind == Kind::integer) return DType::f64;
    if (*wanted.kind == Kind::integer && kind == Kind::floating) return DType::i64;
    return std::nullopt;
}

[[noreturn]] void missing(const std::string& name, const ast::Type* type, Span span, bool alone, const std::string& reason) {
    throw UserError(error("E513", "the input `" + name + "`" + (type ? ": " + std::string(type->span.text()) : "") + " is missing")
                        .at(span, reason)
                        .help("give it with --set " + name + "=JSON, with -i " + name + "=FILE, or as JSON on stdin" + (alone ? "" : ", as in {\"" + name + "\": …}"))
                        .exits(4));
}

bool has_rest(const ast::Type& type) {
    return std::ranges::any_of(type.dims, [](const ast::Dim& dim) { return dim.form == ast::Dim::Form::rest; }) ||
           std::ranges::any_of(type.items, [](const ast::TypePtr& item) { return has_rest(*item); }) ||
           std::ranges::any_of(type.fields, [](const ast::TypeField& field) { return has_rest(*field.type); });
}

// Whether a name stands in the text of an expression.
bool mentions(const ast::Expr& expression, std::string_view name) {
    const std::string_view text = expression.span.text();
    const auto part_of_name = [](char c) { return c == '_' || (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || static_cast<unsigned char>(c) >= 0x80; };
    for (std::size_t at = text.find(name); at != std::string_view::npos; at = text.find(name, at + 1)) {
        const std::size_t end = at + name.size();
        if ((at == 0 || !part_of_name(text[at - 1])) && (end == text.size() || !part_of_name(text[end]))) return true;
    }
    return false;
}

} // namespace

bool has_open_rank(const ast::Script& script) {
    return std::ranges::any_of(script.items, [](const ast::Item& item) {
        const auto* input = std::get_if<ast::Input>(&item.node);
        const auto* alias = std::get_if<ast::TypeItem>(&item.node);
        return (input != nullptr && input->type && has_rest(*input->type)) || (alias != nullptr && has_rest(*alias->type));
    });
}

// A size that the default uses, and that only data for this very input could have given: as in
// `input w: f32[k, m] = ones((k, m))`. Empty when there is none.
std::string Tracer::unbound_size(const ast::Type& type, const ast::Expr& default_value) {
    for (const ast::Dim& dim : type.dims) {
        const auto* name = dim.expression ? std::get_if<ast::Identifier>(&dim.expression->node) : nullptr;
        if (name && !input_dims_.names.contains(name->name) && !top_->find(name->name) && mentions(default_value, name->name)) return name->name;
    }
    return {};
}

void Tracer::run_input(const std::string& name, const ast::Type* type, const ast::Expr* default_value, Span span) {
    if (!inputs_met_.insert(name).second) throw AlreadyReported{}; // defined twice
    bool from_data = false;
    DeclaredType declared;
    if (type) declared = declared_type(*type, input_dims_, top_);
    const bool alone = default_value ? inputs_total_ == 1 : inputs_without_default_ == 1;
    Datum value;
    if (const auto arriving = source_.arriving(name, declared, alone)) {
        value = bring_input(name, type, span, *arriving, {});
        from_data = true;
    } else if (default_value && options_.symbolic && type && !unbound_size(*type, *default_value).empty()) {
        value = symbolic_input(*type, name, {});
    } else if (default_value) {
        if (const std::string size = type ? unbound_size(*type, *default_value) : ""; !size.empty()) missing(name, type, span, alone, "its default needs the size `" + size + "`, which nothing gives");
        value = evaluate(*default_value, top_);
        if (value.poison()) throw AlreadyReported{};
        if (type) value = convert_default(*type, value, default_value->span, "the default of `" + name + "`");
        value = default_as_input(name, value);
    } else if (options_.symbolic && type) {
        value = symbolic_input(*type, name, {});
    } else if (options_.symbolic) {
        traced_.warnings.push_back(error({}, "the input `" + name + "` has no type: what depends on it is not checked").at(span).help("declare it, as in `input " + name + ": f32[n]`"));
        traced_.warnings.back().severity = Severity::warning;
        throw AlreadyReported{};
    } else {
        missing(name, type, span, alone, "nothing is bound to it, and it has no default");
    }
    solve_input_dims(span, from_data);
    if (type) publish_dims(span);
    define(name, value, span, top_);
}

// A size with several unknown names waits for the inputs that follow; data that a size does not fit is no fault of the script.
void Tracer::solve_input_dims(Span span, bool from_data) {
    try {
        solve_pending(input_dims_, span, inputs_met_.size() < traced_.input_names.size());
    } catch (UserError& failure) {
        std::vector<std::string> names;
        for (const DimBindings::Pending& pending : input_dims_.pending) size_names(*pending.dim->expression, names);
        for (const std::string& name : names) {
            if (!input_dims_.names.contains(name)) top_->names.emplace(name, Datum::of(PoisonDatum{}));
        }
        input_dims_.pending.clear();
        for (Diagnostic& diagnostic : failure.diagnostics()) {
            if (!from_data || diagnostic.code != "E301") continue;
            diagnostic.code = "E514";
            diagnostic.exit_code = 4;
        }
        throw;
    }
}

// What a script means must not depend on whether an input takes its default: so a default, too, is data and no constant, but
// for whole numbers (sizes, though as positions they are data) and literals without a declared type.
Datum Tracer::default_as_input(const std::string& name, const Datum& value) {
    std::vector<Value> leaves;
    const Datum* other = nullptr;
    collect_leaves(value, leaves, &other);
    for (Value& leaf : leaves) {
        const TensorType type = builder_->type(leaf);
        const auto constant = builder_->static_value(leaf);
        if (constant && type.shape.empty() && is_integer(type.dtype)) leaf = builder_->data_constant(*constant, type.weak);
        if (!constant || type.weak || (type.shape.empty() && is_integer(type.dtype))) continue;
        traced_.inputs.push_back({name, {}, type, *constant});
        leaf = builder_->parameter(type, {}, name);
    }
    std::size_t next = 0;
    return with_leaves(value, leaves, next);
}

// The sizes that inputs bind are integer constants of the whole script.
void Tracer::publish_dims(Span span) {
    for (const auto& [name, entry] : input_dims_.names) {
        if (published_dims_.contains(name) || top_->find(name)) continue;
        published_dims_.insert(name);
        define(name, builder_->constant(entry.size), entry.span ? entry.span : span, top_);
    }
}

Datum Tracer::bring_input(const std::string& name, const ast::Type* type, Span span, const Arriving& arriving, std::vector<std::string> path) {
    if (type && type->form == ast::Type::Form::word) {
        if (const ast::TypeItem* alias = top_->find_type(type->word.text)) return bring_input(name, alias->type.get(), span, arriving, std::move(path));
    }
    const std::string what = input_name(name, path);
    const bool wants_word = type && type->form == ast::Type::Form::word && !(type->word.text == "any" && !type->has_dims);
    const auto misfit = [&](const std::string& found) {
        Diagnostic diagnostic = error("E514", what + " must be " + std::string(type->span.text()) + ", but " + found + " arrives").at(type->span, "declared here").note("the data came from " + arriving.place).exits(4);
        const bool is_whole_file = path.empty() && arriving.form == Arriving::Form::record && arriving.place.starts_with('`');
        if (wants_word && is_whole_file && !arriving.names.empty()) diagnostic.helps.push_back("`-i " + name + "=" + arriving.place.substr(1, arriving.place.size() - 2) + ":" + arriving.names.front() + "` takes one of its members");
        throw UserError(std::move(diagnostic));
    };
    const auto below = [&](const std::string& step) {
        std::vector<std::string> longer = path;
        longer.push_back(step);
        return longer;
    };
    if (arriving.form == Arriving::Form::tensor) {
        if (type && type->form == ast::Type::Form::tuple) misfit("one tensor");
        if (type && type->form == ast::Type::Form::record) misfit("one tensor");
        return bring_leaf(name, type, span, arriving, path);
    }
    if (arriving.form == Arriving::Form::tuple) {
        if (wants_word || (type && type->form == ast::Type::Form::record)) misfit("a tuple");
        if (type && type->form == ast::Type::Form::tuple && type->items.size() != arriving.items.size()) misfit("a tuple of " + count_of(static_cast<std::int64_t>(arriving.items.size()), "item"));
        std::vector<Datum> items;
        for (std::size_t i = 0; i < arriving.items.size(); ++i) {
            const bool typed = type && type->form == ast::Type::Form::tuple;
            items.push_back(bring_input(name, typed ? type->items[i].get() : nullptr, span, arriving.items[i], below(std::to_string(i))));
        }
        return Datum::tuple(std::move(items));
    }
    if (wants_word || (type && type->form == ast::Type::Form::tuple)) misfit("a record");
    std::vector<std::pair<std::string, Datum>> fields;
    const bool typed = type && type->form == ast::Type::Form::record;
    for (std::size_t i = 0; i < arriving.items.size(); ++i) {
        const ast::Type* field_type = nullptr;
        if (typed) {
            const auto field = std::ranges::find_if(type->fields, [&](const ast::TypeField& f) { return f.name.text == arriving.names[i]; });
            if (field == type->fields.end()) misfit("a record with the field `" + arriving.names[i] + "`");
            field_type = field->type.get();
        }
        fields.emplace_back(arriving.names[i], bring_input(name, field_type, span, arriving.items[i], below(arriving.names[i])));
    }
    if (typed) {
        for (const ast::TypeField& field : type->fields) {
            if (std::ranges::find(arriving.names, field.name.text) == arriving.names.end()) misfit("a record without the field `" + field.name.text + "`");
        }
        // The order is the declared one, however the data came.
        const auto position = [&](const auto& entry) { return std::ranges::find_if(type->fields, [&](const ast::TypeField& f) { return f.name.text == entry.first; }); };
        std::ranges::sort(fields, {}, position);
    }
    return Datum::record(std::move(fields));
}

Datum Tracer::bring_leaf(const std::string& name, const ast::Type* type, Span span, const Arriving& arriving, std::vector<std::string> path) {
    const std::string what = input_name(name, path);
    const ArrivingTensor& tensor = arriving.tensor;
    const Wanted wanted = wanted_of(type);
    const auto dtype = converted(wanted, tensor.dtype);
    const Dims shape(tensor.shape.begin(), tensor.shape.end());
    const std::string found = TensorType{tensor.dtype, shape, false}.text();
    if (!dtype) {
        throw UserError(error("E514", what + " must be " + std::string(type->span.text()) + ", but " + found + " arrives").at(type->span, "declared here").note("the data came from " + arriving.place).exits(4));
    }
    if (type && type->word.text == "num" && (kind_of(tensor.dtype) == Kind::boolean || kind_of(tensor.dtype) == Kind::key)) {
        throw UserError(error("E514", what + " must be " + std::string(type->span.text()) + ", but " + found + " arrives").at(type->span, "declared here").note("the data came from " + arriving.place).exits(4));
    }
    if (type && !(type->word.text == "any" && !type->has_dims)) check_input_shape(*type, what, shape, span, arriving.place);
    // A whole number may be used as a size: it is read before the checks.
    if (shape.empty() && is_integer(*dtype) && is_integer(tensor.dtype) && tensor.data.rank() == 0 && tensor.data.size() == 1 && path.empty()) {
        const Value read = builder_->data_constant(tensor.data);
        const auto number = builder_->static_int(read);
        if (number && builder_->type(read).dtype == *dtype) return read;
        const bool fits = number && visit_dtype(*dtype, [&]<class T>(TypeTag<T>) {
            if constexpr (std::is_integral_v<T> && !std::is_same_v<T, bool>) return std::in_range<T>(number->value());
            else return false;
        });
        if (fits) return builder_->add(op_named("cast"), {read}, {*dtype});
    }
    traced_.inputs.push_back({name, std::move(path), TensorType{*dtype, shape, false}, {}, arriving.is_of_record});
    TensorType taken = traced_.inputs.back().type;
    if (!arriving.is_of_record) return builder_->parameter(std::move(taken), {}, name);
    taken.shape.insert(taken.shape.begin(), Dim(options_.records));
    return builder_->lane(builder_->parameter(std::move(taken), {}, name), *records_, 0);
}

void Tracer::check_input_shape(const ast::Type& type, const std::string& what, const Dims& shape, Span span, const std::string& place) {
    std::vector<const ast::Dim*> dims;
    std::optional<std::size_t> rest;
    for (const ast::Dim& dim : type.dims) {
        if (dim.form == ast::Dim::Form::rest) rest = dims.size();
        else dims.push_back(&dim);
    }
    const std::string declared(type.span.text()), found = shape.empty() ? "a scalar" : "shape " + dims_text(shape);
    if (rest ? shape.size() < dims.size() : shape.size() != dims.size()) {
        throw UserError(error("E514", what + " must be " + declared + ", but " + found + " arrives").at(type.span, rest ? "at least rank " + std::to_string(dims.size()) : "rank " + std::to_string(dims.size())).note("the data came from " + place).exits(4));
    }
    for (std::size_t i = 0; i < dims.size(); ++i) {
        const ast::Dim& dim = *dims[i];
        const std::size_t axis = rest && i >= *rest ? shape.size() - dims.size() + i : i;
        if (dim.form == ast::Dim::Form::any) continue;
        const auto* name = std::get_if<ast::Identifier>(&dim.expression->node);
        const Datum* constant = name ? top_->find(name->name) : nullptr;
        const bool is_dim = name && input_dims_.names.contains(name->name);
        if (name && !is_dim && !(constant && constant->tensor())) {
            input_dims_.names.emplace(name->name, DimBindings::Entry{shape[axis], dim.span, "axis " + std::to_string(axis) + " of " + what});
            continue;
        }
        if (!name && !std::holds_alternative<ast::Number>(dim.expression->node)) {
            input_dims_.pending.push_back({&dim, shape[axis], "axis " + std::to_string(axis) + " of " + what, top_, {}, {}, "the data came from " + place + ": it has " + found});
            continue;
        }
        const Dim expected = evaluate_dim(*dim.expression, input_dims_, top_);
        if (!surely_different(expected, shape[axis])) continue;
        Diagnostic diagnostic = error("E514", "axis " + std::to_string(axis) + " of " + what + " must be " + (name ? "`" + name->name + "` = " : "") + expected.text() + ", but it is " + shape[axis].text()).at(dim.span, "declared here").note("the data came from " + place + ": it has " + found).exits(4);
        if (is_dim) {
            const auto& first = input_dims_.names.find(name->name)->second;
            diagnostic.labels.push_back({first.span, "first `" + name->name + "` = " + first.size.text() + ", " + first.place});
        }
        throw UserError(std::move(diagnostic));
    }
    (void)span;
}

// An input without data, while a script is checked: its unknown sizes are symbols.
Datum Tracer::symbolic_input(const ast::Type& type, const std::string& name, std::vector<std::string> path) {
    const auto below = [&](const std::string& step) {
        std::vector<std::string> longer = path;
        longer.push_back(step);
        return longer;
    };
    if (type.form == ast::Type::Form::tuple) {
        std::vector<Datum> items;
        for (std::size_t i = 0; i < type.items.size(); ++i) items.push_back(symbolic_input(*type.items[i], name, below(std::to_string(i))));
        return Datum::tuple(std::move(items));
    }
    if (type.form == ast::Type::Form::record) {
        std::vector<std::pair<std::string, Datum>> fields;
        for (const ast::TypeField& field : type.fields) fields.emplace_back(field.name.text, symbolic_input(*field.type, name, below(field.name.text)));
        return Datum::record(std::move(fields));
    }
    if (const ast::TypeItem* alias = top_->find_type(type.word.text)) return symbolic_input(*alias->type, name, std::move(path));
    const DeclaredType declared = declared_type(type, input_dims_, top_); // an unknown type word is an error here
    if (declared.form == DeclaredType::Form::any) throw AlreadyReported{};
    TensorType tensor;
    tensor.dtype = declared.dtype.value_or(declared.kind == Kind::integer ? DType::i64 : DType::f64);
    std::vector<const ast::Dim*> pending;
    for (const ast::Dim& dim : type.dims) {
        // Witnesses are odd sizes that scripts don't write, all different.
        const auto fresh = [&](std::string_view symbol) {
            size_facts_->is_size(symbol);
            return Dim::symbol(symbol, 1009 + 2 * next_witness_++);
        };
        const auto unnamed = [&] { return fresh(dotted(name, path) + ".shape[" + std::to_string(tensor.shape.size()) + "]"); };
        if (dim.form == ast::Dim::Form::rest) {
            for (std::size_t i = 0; i < options_.rest_axes; ++i) tensor.shape.push_back(unnamed());
            continue;
        }
        if (dim.form == ast::Dim::Form::any) {
            tensor.shape.push_back(unnamed());
            continue;
        }
        const auto* symbol = std::get_if<ast::Identifier>(&dim.expression->node);
        const Datum* constant = symbol ? top_->find(symbol->name) : nullptr;
        if (symbol && !input_dims_.names.contains(symbol->name) && !(constant && constant->tensor())) {
            const Dim size = fresh(symbol->name);
            input_dims_.names.emplace(symbol->name, DimBindings::Entry{size, dim.span, "axis " + std::to_string(tensor.shape.size()) + " of " + input_name(name, path)});
            tensor.shape.push_back(size);
            continue;
        }
        if (constant && constant->poison()) throw AlreadyReported{};
        std::vector<const ast::Expr*> stack{dim.expression.get()}; // bare names of an expression become symbols of their own
        while (!stack.empty()) {
            const ast::Expr* expression = stack.back();
            stack.pop_back();
            if (const auto* each = std::get_if<ast::Identifier>(&expression->node); each && !input_dims_.names.contains(each->name) && !top_->find(each->name)) {
                input_dims_.names.emplace(each->name, DimBindings::Entry{fresh(each->name), dim.span, "a size of " + input_name(name, path)});
            }
            if (const auto* binary = std::get_if<ast::Binary>(&expression->node)) {
                stack.push_back(binary->left.get());
                stack.push_back(binary->right.get());
            }
        }
        tensor.shape.push_back(evaluate_dim(*dim.expression, input_dims_, top_));
    }
    if (tensor.shape.empty() && is_integer(tensor.dtype) && path.empty() && !type.has_dims) {
        const std::int64_t witness = size_of(tensor.dtype) == 1 ? 101 : 1009 + 2 * next_witness_++; // a byte holds no more
        return builder_->constant(Dim::symbol(name, witness), false, tensor.dtype);
    }
    traced_.inputs.push_back({name, std::move(path), tensor});
    return builder_->parameter(tensor, {}, name);
}

namespace {

// Whole numbers that are known and that the narrower dtype can't hold are wrong, as they are in data.
void require_in_range(const Builder& builder, Value value, DType dtype, Span span, const std::string& what) {
    const auto constant = builder.static_value(value);
    if (!constant) return;
    const Array flat = constant->contiguous();
    visit_dtype(flat.dtype(), [&]<class From>(TypeTag<From>) {
        if constexpr (std::is_integral_v<From> && !std::is_same_v<From, bool>) {
            visit_dtype(dtype, [&]<class To>(TypeTag<To>) {
                if constexpr (std::is_integral_v<To> && !std::is_same_v<To, bool>) {
                    const From* numbers = flat.as<From>();
                    const From* bad = std::find_if(numbers, numbers + flat.size(), [](From number) { return !std::in_range<To>(number); });
                    if (bad == numbers + flat.size()) return;
                    throw UserError(error("E305", what + " has " + std::to_string(*bad) + ", which does not fit `" + std::string(name_of(dtype)) + "`").at(span).help("declare a wider dtype"));
                }
            });
        }
    });
}

} // namespace

// A default converts as data does: ints to floats, floats to ints where every value is known to be whole.
Datum Tracer::convert_default(const ast::Type& type, const Datum& value, Span span, const std::string& what) {
    if (type.form == ast::Type::Form::tuple && value.tuple() && value.tuple()->items.size() == type.items.size()) {
        std::vector<Datum> items;
        for (std::size_t i = 0; i < type.items.size(); ++i) items.push_back(convert_default(*type.items[i], value.tuple()->items[i], span, what));
        return Datum::tuple(std::move(items));
    }
    if (type.form == ast::Type::Form::record && value.record()) {
        std::vector<std::pair<std::string, Datum>> fields;
        for (const auto& [name, held] : value.record()->fields) {
            const auto field = std::ranges::find_if(type.fields, [&, &key = name](const ast::TypeField& f) { return f.name.text == key; });
            fields.emplace_back(name, field == type.fields.end() ? held : convert_default(*field->type, held, span, what));
        }
        return check_annotation(type, Datum::record(std::move(fields)), span, what, input_dims_, top_);
    }
    if (type.form == ast::Type::Form::word) {
        if (const ast::TypeItem* alias = top_->find_type(type.word.text)) return convert_default(*alias->type, value, span, what);
    }
    const Value* tensor = value.tensor();
    if (type.form != ast::Type::Form::word || tensor == nullptr) return check_annotation(type, value, span, what, input_dims_, top_);
    const TensorType actual = builder_->type(*tensor);
    Value fitting = *tensor;
    if (const auto dtype = converted(wanted_of(&type), actual.dtype); dtype && *dtype != actual.dtype) {
        if (is_integer(*dtype) && is_floating(actual.dtype)) {
            const auto constant = builder_->static_value(*tensor);
            const bool whole = constant && visit_dtype(actual.dtype, [&]<class T>(TypeTag<T>) {
                if constexpr (std::is_floating_point_v<T>) {
                    for (std::int64_t i = 0; i < constant->size(); ++i) {
                        const T x = constant->as<T>()[i];
                        if (!(x >= T(-9.2e18) && x <= T(9.2e18)) || static_cast<T>(static_cast<std::int64_t>(x)) != x) return false;
                    }
                    return true;
                } else {
                    return false;
                }
            });
            if (!whole) throw UserError(error("E302", what + " is " + actual.text() + ", and not known to be whole numbers").at(span).help("round it, and cast it, as in `round(x) as " + std::string(name_of(*dtype)) + "`"));
        }
        if (is_integer(*dtype) && is_integer(actual.dtype)) require_in_range(*builder_, *tensor, *dtype, span, what);
        fitting = builder_->add(op_named("cast"), {*tensor}, {*dtype});
    }
    return check_annotation(type, fitting, span, what, input_dims_, top_);
}

} // namespace vmaprun
