#include "trace/arguments.hpp"

#include "trace/tracer.hpp"

namespace vmaprun {

FunctionPtr function_argument(Tracer& tracer, const CallArgument* argument, std::string_view transform) {
    return tracer.expect_function(argument->value, argument->span, "the first argument of `" + std::string(transform) + "`");
}

bool boolean_argument(Tracer& tracer, const CallArgument* argument, const std::string& what) {
    if (argument == nullptr) return false;
    const Value* value = argument->value.tensor();
    const auto constant = value ? tracer.builder().static_value(*value) : std::nullopt;
    if (!constant || constant->rank() != 0 || constant->dtype() != DType::boolean) throw UserError(error("E209", what + " must be true or false").at(argument->span));
    return *constant->as<bool>();
}

std::vector<Value> tensor_leaves(Tracer& tracer, const Datum& datum, Span span, const std::string& what) {
    std::vector<Value> leaves;
    const Datum* other = nullptr;
    collect_leaves(datum, leaves, &other);
    if (other && other->poison()) throw AlreadyReported{};
    if (other) throw UserError(error("E406", what + " must be a tensor or a tree of tensors, not " + type_text(tracer.builder(), *other)).at(span));
    return leaves;
}

std::vector<TensorType> types_of(const Builder& builder, const std::vector<Value>& values) {
    std::vector<TensorType> types;
    for (const Value value : values) types.push_back(builder.type(value));
    return types;
}

} // namespace vmaprun
