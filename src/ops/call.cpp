#include "ops/call.hpp"

#include <algorithm>

#include "base/text.hpp"

namespace vmaprun {

std::int64_t normal_axis(std::int64_t axis, std::size_t rank) {
    const auto count = static_cast<std::int64_t>(rank);
    const std::int64_t normal = axis < 0 ? axis + count : axis;
    if (normal < 0 || normal >= count) {
        Diagnostic diagnostic = error("E303", "axis " + std::to_string(axis) + " is out of range for a tensor of rank " + std::to_string(rank));
        if (rank == 0) diagnostic.helps.push_back("a scalar has no axes");
        else diagnostic.helps.push_back("axes go from 0 to " + std::to_string(count - 1) + ", or from -" + std::to_string(count) + " to -1 counted from the end");
        throw UserError(std::move(diagnostic));
    }
    return normal;
}

std::int64_t BuiltinCall::axis(std::size_t i, std::size_t rank) const {
    try {
        return normal_axis(integer(i).value(), rank);
    } catch (UserError& failure) {
        fail(i, failure.diagnostics().front());
    }
}

std::vector<std::int64_t> BuiltinCall::axes(std::size_t i, std::size_t rank) const {
    std::vector<std::int64_t> axes;
    if (is_none(i)) {
        for (std::size_t axis = 0; axis < rank; ++axis) axes.push_back(static_cast<std::int64_t>(axis));
        return axes;
    }
    try {
        if (std::holds_alternative<Dim>(arguments_[i].value)) {
            axes.push_back(normal_axis(integer(i).value(), rank));
        } else {
            for (const Dim& axis : integers(i)) axes.push_back(normal_axis(axis.value(), rank));
        }
    } catch (UserError& failure) {
        fail(i, failure.diagnostics().front());
    }
    std::sort(axes.begin(), axes.end());
    if (const auto twice = std::adjacent_find(axes.begin(), axes.end()); twice != axes.end()) {
        fail(i, error("E304", "axis " + std::to_string(*twice) + " is named twice"));
    }
    return axes;
}

void BuiltinCall::fail_none(std::size_t i) const {
    const Signature signature = parse_signature(op_->signature);
    const std::string parameter = i < signature.parameters.size() ? "`" + std::string(signature.parameters[i].name) + "` of " : "an argument of ";
    fail(i, error("E207", parameter + "`" + std::string(op_->name()) + "` can't be none"));
}

void BuiltinCall::fail(std::size_t i, Diagnostic diagnostic) const {
    if (!diagnostic.primary.span) diagnostic.primary.span = span_of(i);
    throw UserError(std::move(diagnostic));
}

void BuiltinCall::fail(Diagnostic diagnostic) const {
    if (!diagnostic.primary.span) diagnostic.primary.span = span_;
    throw UserError(std::move(diagnostic));
}

} // namespace vmaprun
