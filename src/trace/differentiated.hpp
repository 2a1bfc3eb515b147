// A call that a derivative is taken of: which of its arguments it is taken by, and the function traced into a graph of its own.
#pragma once

#include <string>
#include <vector>

#include "trace/functions.hpp"
#include "trace/tracer.hpp"
#include "transform/derivative.hpp"

namespace vmaprun {

Datum tree_of(const Datum& tree, const std::vector<Value>& leaves);
Value zero_of(Builder& builder, const TensorType& type);
// Zeros like `like` for those that are nothing.
std::vector<Value> or_zeros(Builder& builder, std::vector<Value> values, const std::vector<Value>& like);

// The function called with parameters in place of the chosen arguments.
struct TracedCall {
    TracedFunction function;
    std::vector<Value> arguments; // leaves of the chosen arguments
    Datum result;                 // its tree, with values of the traced graph
};

class Chosen {
  public:
    // E413: the value of one is left to its default.
    Chosen(Tracer& tracer, const FunctionPtr& function, const CallArguments& arguments, std::vector<std::size_t> which, Span span);
    Chosen(const Chosen&) = delete;
    Chosen& operator=(const Chosen&) = delete;

    const CallArgument& argument(std::size_t k) const { return *bound_[which_[k]]; }
    std::size_t count() const { return which_.size(); }
    const std::string& parameter(std::size_t k) const { return parameters_[which_[k]].name; }
    TracedCall trace() const;

  private:
    CallArguments inner_arguments(const std::vector<Value>& parameters) const;

    Tracer& tracer_;
    Builder& builder_;
    const FunctionPtr& function_;
    std::vector<Function::Parameter> parameters_;
    std::vector<std::size_t> which_;
    Span span_;
    CallArguments given_;
    std::vector<const CallArgument*> bound_; // into given_
};

// What the argument `wrt` says.
struct Wrt {
    std::vector<std::size_t> which;
    bool single = true; // else results are tuples
};
// E413: no parameter, or one twice. `argument` may be null: the first.
Wrt read_wrt(Tracer& tracer, const Function& function, const CallArgument* argument, Span span);
// Each chosen argument's tree filled with leaves; one alone, or a tuple.
Datum wrt_tree(const Chosen& chosen, const Wrt& wrt, const std::vector<Value>& leaves);

} // namespace vmaprun
