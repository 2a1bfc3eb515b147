// The table: the rows of all families, found by name.
#include <array>
#include <unordered_map>

#include "ops/call.hpp"
#include "ops/families.hpp"
#include "ops/lowering.hpp"

namespace vmaprun {

std::span<const std::span<const Op>> all_ops() {
    static const std::array families = {creation_ops(), pointwise_ops(), composite_ops(), reduction_ops(), cumulative_ops(), movement_ops(),
                                        selection_ops(), sorting_ops(), contraction_ops(), signal_ops(), check_ops(), control_ops()};
    return families;
}

const Op* find_op(std::string_view name) {
    static const auto by_name = [] {
        std::unordered_map<std::string_view, const Op*> map;
        for (const std::span<const Op> family : all_ops()) {
            for (const Op& op : family) {
                if (!map.emplace(op.name(), &op).second) throw InternalError("table: two rows are named " + std::string(op.name()));
            }
        }
        return map;
    }();
    const auto found = by_name.find(name);
    return found == by_name.end() ? nullptr : found->second;
}

const Op& op_named(std::string_view name) {
    const Op* op = find_op(name);
    if (op == nullptr) throw InternalError("table: no row is named " + std::string(name));
    return *op;
}

Value pointwise(Builder& builder, std::string_view name, std::vector<Value> operands) {
    const Op& op = op_named(name);
    std::vector<BoundArgument> arguments;
    for (const Value operand : operands) arguments.push_back({operand, {}, true});
    return op.lower(builder, BuiltinCall(op, std::move(arguments), {})).values.at(0);
}

} // namespace vmaprun
