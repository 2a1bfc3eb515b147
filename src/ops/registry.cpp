// The table: the rows of all families, found by name.
#include <array>

#include "ops/call.hpp"
#include "ops/composite.hpp"
#include "ops/contraction_rows.hpp"
#include "ops/families.hpp"
#include "ops/linalg.hpp"
#include "ops/lowering.hpp"
#include "ops/movement.hpp"
#include "ops/pointwise.hpp"
#include "ops/selection.hpp"
#include "ops/signal.hpp"

namespace vmaprun {

std::span<const std::span<const Op>> all_ops() {
    static const std::array families = {
        creation_ops(),
        pointwise_arithmetic_rows(), pointwise_comparison_rows(), pointwise_function_rows(), pointwise_composite_rows(),
        statistics_rows(), neural_rows(),
        reduction_ops(),
        cumulative_ops(),
        movement_view_rows(), movement_copy_rows(), movement_composite_rows(),
        selection_index_rows(), selection_window_rows(), selection_search_rows(),
        sorting_ops(),
        contraction_ops(), product_rows(), einsum_rows(),
        fourier_rows(), convolution_rows(), pooling_rows(),
        random_ops(),
        linalg_factor_rows(), linalg_composite_rows(),
        check_ops(),
        control_ops(),
    };
    return families;
}

namespace {

// The rows by name: open addressing over one plain array, because every run builds it and most are short.
class RowsByName {
  public:
    RowsByName() {
        for (const std::span<const Op> family : all_ops()) {
            for (const Op& op : family) add(op);
        }
    }

    const Op* find(std::string_view name) const { return places_[place_of(name)]; }

  private:
    static constexpr std::size_t places = 1024;

    // Where the row is, or could be.
    std::size_t place_of(std::string_view name) const {
        std::size_t place = name.size();
        for (const char c : name) place = place * 31 + static_cast<unsigned char>(c);
        for (place %= places; places_[place] != nullptr && places_[place]->name() != name;) place = (place + 1) % places;
        return place;
    }

    void add(const Op& op) {
        const Op*& place = places_[place_of(op.name())];
        if (place != nullptr) throw InternalError("table: two rows are named " + std::string(op.name()));
        place = &op;
        if (++count_ > places * 3 / 4) throw InternalError("table: it has grown past its index");
    }

    std::array<const Op*, places> places_{};
    std::size_t count_ = 0;
};

} // namespace

const Op* find_op(std::string_view name) {
    static const RowsByName rows;
    return rows.find(name);
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
