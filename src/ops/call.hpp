// The bound arguments of one call of a builtin: what a row's Lowering reads. Made by the tracer (which knows names,
// keywords and defaults); every accessor checks what the signature can't say, and fails with the argument's place.
#pragma once

#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "base/absent.hpp"
#include "ir/builder.hpp"
#include "ops/signature.hpp"

namespace vmaprun {

// none, a tensor, several tensors, a whole number, whole numbers (nested pairs are flattened, two each), ...
struct BoundArgument {
    std::variant<Absent, Value, std::vector<Value>, Dim, Dims, double, bool, DType, std::string> value;
    Span span;           // no place for a default
    bool given = false;  // false: the default stands in
};

class BuiltinCall {
  public:
    BuiltinCall(const Op& op, std::vector<BoundArgument> arguments, Span span) : op_(&op), arguments_(std::move(arguments)), span_(span) {}

    const Op& op() const { return *op_; }
    Span span() const { return span_; }
    bool is_none(std::size_t i) const { return std::holds_alternative<Absent>(arguments_[i].value); }
    bool given(std::size_t i) const { return arguments_[i].given; }
    const BoundArgument& argument(std::size_t i) const { return arguments_[i]; } // for kind `any`
    Span span_of(std::size_t i) const { return arguments_[i].span ? arguments_[i].span : span_; }

    Value tensor(std::size_t i) const { return held<Value>(i); }
    std::optional<Value> optional_tensor(std::size_t i) const { return is_none(i) ? std::nullopt : std::optional(tensor(i)); }
    const std::vector<Value>& tensors(std::size_t i) const { return held<std::vector<Value>>(i); }
    Dim integer(std::size_t i) const { return held<Dim>(i); }
    std::optional<Dim> optional_integer(std::size_t i) const { return is_none(i) ? std::nullopt : std::optional(integer(i)); }
    const Dims& integers(std::size_t i) const { return held<Dims>(i); } // shape, ints, pairs
    double number(std::size_t i) const { return held<double>(i); }
    bool boolean(std::size_t i) const { return held<bool>(i); }
    std::optional<DType> dtype(std::size_t i) const { return is_none(i) ? std::nullopt : std::optional(held<DType>(i)); }
    const std::string& text(std::size_t i) const { return held<std::string>(i); }

    // An axis argument as 0..rank-1; E303 with the place when it is outside.
    std::int64_t axis(std::size_t i, std::size_t rank) const;
    // An axes argument (none: all) as distinct axes 0..rank-1, ascending; E303 outside, E304 twice.
    std::vector<std::int64_t> axes(std::size_t i, std::size_t rank) const;
    // Fails with the place of argument i.
    [[noreturn]] void fail(std::size_t i, Diagnostic diagnostic) const;
    [[noreturn]] void fail(Diagnostic diagnostic) const;

  private:
    // What the signature says argument i is; a script may still give `none`, which few parameters take.
    template <class T> const T& held(std::size_t i) const {
        if (is_none(i)) fail_none(i);
        return std::get<T>(arguments_[i].value);
    }
    [[noreturn]] void fail_none(std::size_t i) const;
    const Op* op_;
    std::vector<BoundArgument> arguments_;
    Span span_;
};

// "-1" against rank 3 -> 2; E303 "axis 3 is out of range for x of rank 2" (no place) when outside.
std::int64_t normal_axis(std::int64_t axis, std::size_t rank);

} // namespace vmaprun
