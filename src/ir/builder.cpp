#include "ir/builder.hpp"

#include <algorithm>
#include <cstring>

#include "base/error.hpp"
#include "ir/structural.hpp"

namespace vmaprun {
namespace {

constexpr std::int64_t largest_folded = 1024; // elements; larger constants are made when the graph runs

int compare(const Array& a, const Array& b) {
    if (a.dtype() != b.dtype()) return a.dtype() < b.dtype() ? -1 : 1;
    if (a.shape() != b.shape()) return a.shape() < b.shape() ? -1 : 1;
    const Array x = a.contiguous(), y = b.contiguous();
    return std::memcmp(x.view().data, y.view().data, static_cast<std::size_t>(a.size()) * size_of(a.dtype()));
}

template <class T> int three_way(const T& a, const T& b) { return a < b ? -1 : b < a ? 1 : 0; }

int compare(const Dims& a, const Dims& b) {
    if (a.size() != b.size()) return a.size() < b.size() ? -1 : 1;
    for (std::size_t i = 0; i < a.size(); ++i) {
        if (a[i] == b[i]) continue;
        if (a[i].value() != b[i].value()) return a[i].value() < b[i].value() ? -1 : 1;
        return three_way(a[i].text(), b[i].text());
    }
    return 0;
}

int compare(const Attribute& a, const Attribute& b) {
    if (a.index() != b.index()) return a.index() < b.index() ? -1 : 1;
    return std::visit(
        [&](const auto& x) -> int {
            using T = std::decay_t<decltype(x)>;
            const T& y = std::get<T>(b);
            if constexpr (std::is_same_v<T, Absent>) return 0;
            else if constexpr (std::is_same_v<T, double>) return std::memcmp(&x, &y, sizeof(double));
            else if constexpr (std::is_same_v<T, Dims>) return compare(x, y);
            else if constexpr (std::is_same_v<T, std::shared_ptr<const Array>>) return compare(*x, *y);
            else return three_way(x, y);
        },
        a);
}

bool stays_weak(const Op& op, const Attributes& attributes) { return op.stays_weak == nullptr || op.stays_weak(attributes); }

bool may_be_weak(DType dtype) { return dtype != DType::boolean && dtype != DType::key; }

bool results_are_weak(const Op& op, std::span<const TensorType> operands, const Attributes& attributes) {
    bool some = false;
    for (const TensorType& type : operands.first(std::min(operands.size(), op.weak_operands))) {
        if (type.dtype == DType::boolean) continue; // has no weak form
        if (!type.weak) return false;
        some = true;
    }
    return some && stays_weak(op, attributes);
}

} // namespace

bool Builder::Key::operator<(const Key& other) const {
    if (op != other.op) return std::less<const Op*>()(op, other.op);
    if (operands != other.operands) return operands < other.operands;
    if (attributes.size() != other.attributes.size()) return attributes.size() < other.attributes.size();
    for (std::size_t i = 0; i < attributes.size(); ++i) {
        if (const int order = compare(attributes[i], other.attributes[i]); order != 0) return order < 0;
    }
    return false;
}

Builder::Builder(std::shared_ptr<Program> program, Folder folder) : program_(std::move(program)), folder_(std::move(folder)) {
    begin_body(0);
    nesting_.clear();
    interned_nesting_ = nullptr;
}

const TensorType& Builder::type(Value value) const { return stack_[level_of(value)]->type(value); }
const Lanes& Builder::lanes(Value value) const { return stack_[level_of(value)]->lanes(value); }
const Node& Builder::maker(Value value) const { return stack_[level_of(value)]->maker(value); }

Node Builder::made_by(Value value) const {
    const auto folded = folded_.find(value);
    return folded != folded_.end() ? folded->second : maker(value);
}

std::size_t Builder::level_of(Value value) const {
    for (std::size_t level = stack_.size(); level-- > 0;) {
        if (stack_[level]->id == value.graph) return level;
    }
    throw InternalError("builder: a value of a graph that is not open");
}

std::optional<Array> Builder::static_value(Value value) const {
    const Node& node = maker(value);
    if (!is(node, constant_op)) return std::nullopt;
    return *std::get<std::shared_ptr<const Array>>(node.attributes[0]);
}

std::optional<Dim> Builder::static_int(Value value) const {
    if (!is_integer(type(value).dtype) || !type(value).shape.empty()) return std::nullopt;
    if (const auto symbol = symbolic_.find(value); symbol != symbolic_.end()) return symbol->second;
    const auto array = static_value(value);
    if (!array) return std::nullopt;
    return visit_dtype(array->dtype(), [&]<class T>(TypeTag<T>) -> std::optional<Dim> {
        if constexpr (std::is_integral_v<T>) {
            const T number = *array->as<T>();
            if (std::is_same_v<T, std::uint64_t> && static_cast<std::uint64_t>(number) > INT64_MAX) return std::nullopt;
            return Dim(static_cast<std::int64_t>(number));
        } else {
            return std::nullopt;
        }
    });
}

// What a list of sizes is made of: `[n, 1]` is a concat of scalars that became vectors.
std::optional<Dims> Builder::static_ints(Value value) const {
    if (!is_integer(type(value).dtype)) return std::nullopt;
    if (const auto number = static_int(value)) return Dims{*number};
    Dims numbers;
    if (const auto array = static_value(value)) {
        visit_dtype(array->dtype(), [&]<class T>(TypeTag<T>) {
            if constexpr (std::is_integral_v<T>) std::transform(array->as<T>(), array->as<T>() + array->size(), std::back_inserter(numbers), [](T number) { return static_cast<std::int64_t>(number); });
        });
        return numbers;
    }
    const Node& node = maker(value);
    const bool joins = node.op->name() == "concat" && std::get<std::int64_t>(node.attributes[0]) == 0;
    if (!joins && node.op->name() != "expand_dims") return std::nullopt;
    for (const Value operand : node.operands) {
        const auto inner = static_ints(operand);
        if (!inner) return std::nullopt;
        numbers.insert(numbers.end(), inner->begin(), inner->end());
    }
    return numbers;
}

const std::vector<Nesting>* Builder::nesting() {
    if (interned_nesting_ == nullptr) {
        program_->nestings.push_back(nesting_);
        interned_nesting_ = &program_->nestings.back();
    }
    return interned_nesting_;
}

Node& Builder::append(const Op& op, std::vector<Value> operands, Attributes attributes, Lanes lanes) {
    Node& node = graph().nodes.emplace_back();
    node.op = &op;
    node.operands = std::move(operands);
    node.attributes = std::move(attributes);
    node.lanes = std::move(lanes);
    node.origin = origin();
    node.nesting = nesting();
    node.sequence = sequence_ != 0 ? sequence_ : program_->next_sequence++;
    if (op.effect == Effect::visible) graph().has_effects = true;
    return node;
}

namespace {

Value add_result(Graph& graph, Node& node, TensorType type, Lanes lanes) {
    const auto index = static_cast<std::uint32_t>(graph.values.size());
    graph.values.push_back({std::move(type), std::move(lanes), static_cast<std::uint32_t>(graph.nodes.size() - 1), static_cast<std::uint32_t>(node.results.size())});
    node.results.push_back(index);
    return {graph.id, index};
}

} // namespace

Value Builder::constant(Array array, bool weak) {
    Attributes attributes{std::make_shared<const Array>(array.contiguous())};
    Key key{&constant_op, {}, attributes};
    // A weak and a strong constant of the same bits are two values: the type tells them apart in the key.
    key.attributes.emplace_back(weak);
    if (array.size() <= largest_folded) {
        if (const auto known = interned_.back().find(key); known != interned_.back().end()) return graph().result(graph().nodes[known->second]);
    }
    const Value value = new_constant(array, weak);
    if (array.size() <= largest_folded) interned_.back().emplace(std::move(key), static_cast<std::uint32_t>(graph().nodes.size() - 1));
    return value;
}

Value Builder::new_constant(const Array& array, bool weak) {
    Attributes attributes{std::make_shared<const Array>(array.contiguous())};
    TensorType type = constant_op.type({}, attributes)[0];
    type.weak = weak && may_be_weak(type.dtype);
    Node& node = append(constant_op, {}, std::move(attributes), {});
    return add_result(graph(), node, std::move(type), {});
}

Value Builder::data_constant(const Array& array, bool weak) {
    const Value value = new_constant(array, weak);
    data_.insert(value);
    return value;
}

Value Builder::constant(Dim number, bool weak, DType dtype) {
    Array scalar(dtype, {});
    visit_dtype(dtype, [&]<class T>(TypeTag<T>) {
        if constexpr (std::is_integral_v<T>) *scalar.as<T>() = static_cast<T>(number.value());
        else throw InternalError("builder: a size is a whole number");
    });
    if (!number.is_symbolic()) return constant(std::move(scalar), weak);
    // Not interned with the plain number that happens to be its witness.
    Attributes attributes{std::make_shared<const Array>(std::move(scalar)), Dims{number}};
    TensorType type = constant_op.type({}, attributes)[0];
    type.weak = weak;
    Node& node = append(constant_op, {}, std::move(attributes), {});
    const Value value = add_result(graph(), node, std::move(type), {});
    symbolic_.emplace(value, number);
    return value;
}

Value Builder::parameter(TensorType type, Lanes lanes, std::string name) {
    Node& node = append(parameter_op, {}, {std::move(name)}, lanes);
    const Value value = add_result(graph(), node, std::move(type), std::move(lanes));
    graph().inputs.push_back(value);
    return value;
}

Value Builder::local(Value value) { return local(value, stack_.size() - 1); }

Value Builder::local(Value value, std::size_t level) {
    const std::size_t home = level_of(value);
    if (home == level) return value;
    return capture(value, level);
}

Value Builder::capture(Value value, std::size_t level) {
    if (const auto known = captures_[level].find(value); known != captures_[level].end()) return known->second;
    const ValueInfo info = stack_[level_of(value)]->info(value);
    const Node maker_node = maker(value);
    Value inside;
    Graph& target = *stack_[level];
    if (is(maker_node, constant_op)) {
        Node& node = target.nodes.emplace_back(maker_node);
        node.results.clear();
        inside = add_result(target, node, info.type, {});
        if (const auto symbol = symbolic_.find(value); symbol != symbolic_.end()) symbolic_.emplace(inside, Dim(symbol->second));
        if (data_.contains(value)) data_.insert(inside);
    } else {
        const Value outer = local(value, level - 1);
        Node& node = target.nodes.emplace_back();
        node.op = &parameter_op;
        node.attributes = {std::string()};
        node.lanes = info.lanes;
        node.sequence = maker_node.sequence;
        node.nesting = maker_node.nesting;
        node.origin = maker_node.origin;
        inside = add_result(target, node, info.type, info.lanes);
        target.inputs.push_back(inside);
        target.captured.push_back(outer);
    }
    captures_[level].emplace(value, inside);
    return inside;
}

std::optional<std::vector<Value>> Builder::fold(const Op& op, const std::vector<Value>& operands, const Attributes& attributes) {
    std::vector<Dim> dims;
    bool symbolic = false;
    for (const Value operand : operands) {
        if (!is(maker(operand), constant_op)) return std::nullopt;
        const auto number = static_int(operand);
        symbolic = symbolic || (number && number->is_symbolic());
        if (number) dims.push_back(*number);
    }
    std::vector<TensorType> types;
    for (const Value operand : operands) types.push_back(type(operand));
    const bool weak = results_are_weak(op, types, attributes);
    if (symbolic) {
        if (op.dims == nullptr || dims.size() != operands.size()) return std::nullopt;
        const auto number = op.dims(dims);
        return number ? std::optional(std::vector{constant(*number, weak, op.type(types, attributes)[0].dtype)}) : std::nullopt;
    }
    if (!folder_ || operands.empty() || &op == &opaque_op || op.effect != Effect::none) return std::nullopt;
    const auto asks_for_symbols = [](const Attribute& attribute) {
        const Dims* sizes = std::get_if<Dims>(&attribute);
        return sizes != nullptr && any_symbolic(*sizes);
    };
    if (std::ranges::any_of(attributes, asks_for_symbols)) return std::nullopt;
    const std::vector<TensorType> results = op.type(types, attributes);
    for (const TensorType& result : results) {
        if (any_symbolic(result.shape)) return std::nullopt;
        const auto shape = values_of(result.shape);
        if (element_count(shape) > largest_folded) return std::nullopt;
    }
    Graph scratch; // one node on parameters: what the folder runs
    scratch.id = UINT32_MAX;
    scratch.program = program_;
    Node node;
    node.op = &op;
    node.attributes = attributes;
    std::vector<Array> arrays;
    for (std::size_t i = 0; i < operands.size(); ++i) {
        Node& parameter = scratch.nodes.emplace_back();
        parameter.op = &parameter_op;
        node.operands.push_back(add_result(scratch, parameter, types[i], {}));
        arrays.push_back(*static_value(operands[i]));
    }
    Node& placed = scratch.nodes.emplace_back(std::move(node));
    for (const TensorType& result : results) add_result(scratch, placed, result, {});
    const std::vector<Array> folded = folder_(scratch, placed, arrays);
    if (folded.empty()) return std::nullopt;
    std::vector<Value> values;
    const bool data = std::ranges::any_of(operands, [&](Value operand) { return from_data(operand); });
    for (const Array& array : folded) {
        // A constant of its own, since another with these bits may be made otherwise.
        const bool remembered = is_floating(array.dtype()) && array.rank() > 0;
        values.push_back(data ? data_constant(array, weak) : remembered ? new_constant(array, weak) : constant(array, weak));
        if (!remembered) continue;
        Node& made = folded_[values.back()];
        made.op = &op;
        made.operands = operands;
        made.attributes = attributes;
    }
    return values;
}

std::vector<Value> Builder::add_all(const Op& op, std::vector<Value> operands, Attributes attributes) {
    for (Value& operand : operands) operand = local(operand);
    Lanes lanes;
    std::vector<TensorType> types;
    for (const Value operand : operands) {
        lanes = lanes_union(lanes, graph().lanes(operand));
        types.push_back(graph().type(operand));
    }
    const bool weak = results_are_weak(op, types, attributes);
    std::vector<TensorType> results = op.type(types, attributes);
    for (const TensorType& result : results) check_countable(result.shape);
    if (auto folded = fold(op, operands, attributes)) return *folded;
    Key key{&op, operands, attributes};
    if (op.effect == Effect::none) {
        if (const auto known = interned_.back().find(key); known != interned_.back().end()) {
            std::vector<Value> values;
            for (const std::uint32_t result : graph().nodes[known->second].results) values.push_back({graph().id, result});
            return values;
        }
    }
    Node& node = append(op, std::move(operands), std::move(attributes), lanes);
    std::vector<Value> values;
    for (TensorType& result : results) {
        result.weak = weak && may_be_weak(result.dtype);
        values.push_back(add_result(graph(), node, std::move(result), lanes));
    }
    if (op.effect == Effect::none) interned_.back().emplace(std::move(key), static_cast<std::uint32_t>(graph().nodes.size() - 1));
    return values;
}

Value Builder::add(const Op& op, std::vector<Value> operands, Attributes attributes) {
    return add_all(op, std::move(operands), std::move(attributes)).at(0);
}

std::vector<Value> Builder::add_control(const Op& op, std::vector<Value> operands, Attributes attributes,
                                        std::vector<std::shared_ptr<Graph>> bodies, std::vector<TensorType> types, std::vector<Lanes> lanes,
                                        std::uint32_t sequence) {
    for (Value& operand : operands) operand = local(operand);
    bool effects = false;
    for (const auto& body : bodies) {
        for (const Value captured : body->captured) operands.push_back(local(captured));
        effects = effects || body->has_effects;
    }
    Lanes all;
    for (const Value operand : operands) all = lanes_union(all, graph().lanes(operand));
    for (const Lanes& result : lanes) all = lanes_union(all, result);
    Node& node = append(op, std::move(operands), std::move(attributes), all);
    if (sequence != 0) node.sequence = sequence;
    node.bodies = std::move(bodies);
    if (effects) graph().has_effects = true;
    std::vector<Value> values;
    for (std::size_t i = 0; i < types.size(); ++i) values.push_back(add_result(graph(), node, std::move(types[i]), std::move(lanes[i])));
    return values;
}

LaneId Builder::new_lane(LaneAxis axis) {
    axis.sequence = program_->next_sequence++;
    program_->lanes.push_back(std::move(axis));
    return static_cast<LaneId>(program_->lanes.size() - 1);
}

Value Builder::lane(Value value, LaneId lane, std::int64_t axis) {
    value = local(value);
    Attributes attributes{axis, static_cast<std::int64_t>(lane)};
    TensorType type = lane_op.type(std::vector{graph().type(value)}, attributes)[0];
    type.weak = graph().type(value).weak;
    Lanes lanes = lanes_union(graph().lanes(value), {lane});
    Node& node = append(lane_op, {value}, std::move(attributes), lanes);
    return add_result(graph(), node, std::move(type), std::move(lanes));
}

Value Builder::unlane(Value value, LaneId lane, std::int64_t axis) {
    value = local(value);
    TensorType type = graph().type(value);
    type.shape.insert(type.shape.begin() + axis, program_->lanes[lane].size);
    Lanes inside = lanes_union(graph().lanes(value), {lane});
    Node& node = append(unlane_op, {value}, {axis, static_cast<std::int64_t>(lane)}, inside);
    return add_result(graph(), node, std::move(type), lanes_without(inside, lane));
}

Value Builder::lane_index(LaneId lane, bool weak) {
    Key key{&lane_index_op, {}, {static_cast<std::int64_t>(lane)}};
    if (weak) key.attributes.emplace_back(true);
    if (const auto known = interned_.back().find(key); known != interned_.back().end()) return graph().result(graph().nodes[known->second]);
    Node& node = append(lane_index_op, {}, key.attributes, {lane});
    const Value value = add_result(graph(), node, {DType::i64, {}, weak}, {lane});
    interned_.back().emplace(std::move(key), static_cast<std::uint32_t>(graph().nodes.size() - 1));
    return value;
}

void Builder::begin_body(std::uint32_t control_sequence) {
    begin_function();
    is_function_.back() = false;
    push_nesting({Nesting::Kind::control, control_sequence});
}

void Builder::begin_function() {
    auto body = std::make_shared<Graph>();
    body->id = program_->next_graph++;
    body->program = program_;
    stack_.push_back(std::move(body));
    interned_.emplace_back();
    captures_.emplace_back();
    is_function_.push_back(true);
}

std::shared_ptr<Graph> Builder::finish_body(std::vector<Value> outputs) {
    for (Value& output : outputs) output = local(output);
    graph().outputs = std::move(outputs);
    // Captures were added as parameters when they were met; inputs must be the body's own ones first.
    std::shared_ptr<Graph> body = stack_.back();
    std::vector<Value> own, captured;
    for (const Value input : body->inputs) {
        const bool is_capture = std::ranges::any_of(captures_.back(), [&](const auto& entry) { return entry.second == input; });
        (is_capture ? captured : own).push_back(input);
    }
    own.insert(own.end(), captured.begin(), captured.end());
    body->inputs = std::move(own);
    discard_body();
    return body;
}

void Builder::discard_body() {
    stack_.pop_back();
    interned_.pop_back();
    captures_.pop_back();
    if (!is_function_.back()) pop_nesting();
    is_function_.pop_back();
}

void Builder::cast_output(Graph& body, std::size_t output, const Op& cast, Attributes attributes) {
    const Value value = body.outputs[output];
    const Lanes lanes = body.lanes(value);
    TensorType type = cast.type(std::vector{body.type(value)}, attributes)[0];
    type.weak = body.type(value).weak && stays_weak(cast, attributes);
    Node node = body.maker(value); // its place and nesting
    node.op = &cast;
    node.operands = {value};
    node.attributes = std::move(attributes);
    node.bodies.clear();
    node.results.clear();
    node.lanes = lanes;
    node.sequence = program_->next_sequence++;
    Node& placed = body.nodes.emplace_back(std::move(node));
    body.outputs[output] = add_result(body, placed, std::move(type), lanes);
}

void Builder::push_origin(Span span) {
    program_->origins.push_back({span, callers_.empty() ? nullptr : callers_.back()});
    origin_stack_.push_back(&program_->origins.back());
}
void Builder::pop_origin() { origin_stack_.pop_back(); }
void Builder::enter_call() { callers_.push_back(origin()); }
void Builder::leave_call() { callers_.pop_back(); }

void Builder::enter_pipe(Span span, std::int64_t parts) {
    program_->pipes.push_back({span, parts, {}});
    push_origin(span);
    program_->origins.back().pipe = static_cast<std::uint32_t>(program_->pipes.size());
    enter_call();
}
void Builder::leave_pipe() {
    leave_call();
    pop_origin();
}

void Builder::push_nesting(Nesting nesting) {
    nesting_.push_back(nesting);
    interned_nesting_ = nullptr;
}
void Builder::pop_nesting() {
    nesting_.pop_back();
    interned_nesting_ = nullptr;
}

Value Builder::copy_constant(const Graph& from, Value constant_value) {
    const Node& node = from.maker(constant_value);
    const Array& array = *std::get<std::shared_ptr<const Array>>(node.attributes[0]);
    const bool weak = from.type(constant_value).weak;
    if (const auto symbol = symbolic_.find(constant_value); symbol != symbolic_.end()) return constant(Dim(symbol->second), weak, from.type(constant_value).dtype);
    return data_.contains(constant_value) ? data_constant(array, weak) : constant(array, weak);
}

void Builder::push_place(const Node& node, std::size_t depth, PlaceAs as) {
    places_.push_back({nesting_.size(), interned_nesting_, sequence_});
    origin_stack_.push_back(node.origin);
    sequence_ = as == PlaceAs::itself ? node.sequence : 0;
    if (node.nesting == nullptr || node.nesting->size() <= depth) return;
    nesting_.insert(nesting_.end(), node.nesting->begin() + static_cast<std::ptrdiff_t>(depth), node.nesting->end());
    interned_nesting_ = std::ranges::equal(nesting_, *node.nesting, [](const Nesting& a, const Nesting& b) { return a.kind == b.kind && a.id == b.id; }) ? node.nesting : nullptr;
}

void Builder::pop_place() {
    const Place place = places_.back();
    places_.pop_back();
    origin_stack_.pop_back();
    nesting_.resize(place.depth);
    interned_nesting_ = place.interned;
    sequence_ = place.sequence;
}

std::shared_ptr<Graph> Builder::finish(std::vector<Value> outputs) {
    if (stack_.size() != 1) throw InternalError("builder: finished inside a body");
    graph().outputs = std::move(outputs);
    return stack_.back();
}

} // namespace vmaprun
