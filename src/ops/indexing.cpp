// Indexing in four steps, each a node at most: a slice (all slices and constant positions, which leave axes of size 1), a
// gather (all computed positions and index arrays), the axes of size 1 squeezed away, new axes. An update goes the same
// way back: into the gathered positions of the sliced part, and the part into x.
//
// NumPy's rule for the place of the index shape: where the first index array stands when all of them (and, beside
// arrays, the single positions) stand next to each other; in front of everything else when a slice, `none` or `...`
// separates them.
//
// Slices of axes whose size is a symbol: `1:` and `:-1` are taken to fit; `:5` of n is the symbol "min(5, n)".
#include "ops/indexing.hpp"

#include <algorithm>

#include "base/text.hpp"
#include "ops/lowering.hpp"
#include "ops/movement.hpp"
#include "ops/selection.hpp"

namespace vmaprun {
namespace {

using Form = IndexArgument::Form;

// Runs f; an error without a place gets this one.
template <class F> auto placed(Span span, F&& f) {
    try {
        return f();
    } catch (UserError& failure) {
        Diagnostic& diagnostic = failure.diagnostics().front();
        if (!diagnostic.primary.span) diagnostic.primary.span = span;
        throw;
    }
}

// ---- slices

struct Cut {
    Dim start = 0, length = 0, step = 1;
};

// Python's slice.indices for sizes that are numbers.
Cut cut_number(std::int64_t size, const IndexArgument& item, std::int64_t step) {
    const std::int64_t low = step > 0 ? 0 : -1, high = step > 0 ? size : size - 1;
    const auto bound = [&](const std::optional<Dim>& given, std::int64_t otherwise) {
        if (!given) return otherwise;
        const std::int64_t value = given->value();
        return std::clamp(value < 0 ? value + size : value, low, high);
    };
    const std::int64_t start = bound(item.start, step > 0 ? low : high), stop = bound(item.stop, step > 0 ? high : low);
    const std::int64_t distance = step > 0 ? stop - start : start - stop, stride = step > 0 ? step : -step;
    if (distance <= 0) return {0, 0, 1};
    return {start, (distance - 1) / stride + 1, step};
}

// A bound as a position of an axis of symbolic size.
Dim symbolic_bound(Dim bound, Dim size) {
    if (bound.value() < 0) return size + bound;
    if (bound == Dim(0) || bound == size || surely_greater(size + 1, bound)) return bound;
    if (surely_greater(bound, size)) return size;
    return Dim::symbol("min(" + bound.text() + ", " + size.text() + ")", std::min(bound.value(), size.value()));
}

Cut cut_symbolic(Dim size, const IndexArgument& item, std::int64_t step) {
    const bool forward = step > 0;
    const auto at_start = [&](Dim bound) { return bound.value() < 0 ? size + bound : bound; };
    const Dim start = item.start ? at_start(*item.start) : forward ? Dim(0) : size - 1;
    const Dim stop = item.stop ? symbolic_bound(*item.stop, size) : forward ? size : Dim(-1);
    const Dim distance = forward ? stop - start : start - stop;
    if (!distance.is_symbolic() && distance.value() <= 0) return {0, 0, 1};
    const std::int64_t stride = forward ? step : -step;
    Dim length = stride == 1 ? distance : floor_divide(distance - 1, stride) + 1;
    if (length.value() < 0) length = Dim::symbol("max(" + length.text() + ", 0)", 0);
    return {start, length, step};
}

Cut cut_of(Dim size, const IndexArgument& item) {
    std::int64_t step = item.step ? item.step->value() : 1;
    if (step == 0) throw UserError(error("E310", "the step of a slice can't be 0").at(item.span));
    step = std::max(step, -INT64_MAX);
    const auto symbolic = [](const std::optional<Dim>& bound) { return bound && bound->is_symbolic(); };
    if (size.is_symbolic() || symbolic(item.start) || symbolic(item.stop)) return cut_symbolic(size, item, step);
    return cut_number(size.value(), item, step);
}

// ---- the plan

struct Plan {
    Dims starts, lengths, steps;          // the slice, for every axis of x
    std::vector<Value> indices;           // the index arrays, broadcast to one shape
    std::vector<std::int64_t> axes;       // their axes of x
    std::int64_t position = 0;            // of the index shape among the axes of x left by them
    std::vector<std::int64_t> squeezed;   // axes of constant positions, in what the gather gives
    std::vector<std::int64_t> new_axes;   // ascending, in the final result
};

void check_index_count(const Builder& builder, Value x, const std::vector<IndexArgument>& items, Span span) {
    std::size_t rests = 0, used = 0;
    for (const IndexArgument& item : items) {
        if (item.form == Form::rest && ++rests > 1) throw UserError(error("E307", "`...` can stand only once in an index").at(item.span));
        if (item.form != Form::rest && item.form != Form::new_axis) ++used;
    }
    const TensorType& type = builder.type(x);
    if (used <= type.rank()) return;
    const std::string counts = count_of(static_cast<std::int64_t>(used), "position") + " for a tensor of rank " + std::to_string(type.rank());
    throw UserError(error("E307", type.rank() == 0 ? "a scalar can't be indexed" : "too many indices: " + counts).at(span).note("the tensor is " + type.text()));
}

// Reads the items from left to right.
class Planner {
  public:
    Planner(Builder& builder, Value x, const std::vector<IndexArgument>& items) : builder_(builder), x_(x), type_(builder.type(x)), items_(items) {
        plan_.starts.assign(type_.rank(), 0);
        plan_.lengths = type_.shape;
        plan_.steps.assign(type_.rank(), 1);
        has_arrays_ = std::ranges::any_of(items, [&](const IndexArgument& item) { return item.form == Form::tensor && builder.type(item.tensor).rank() > 0; });
    }

    Plan plan(Span span) {
        std::size_t used = 0;
        for (const IndexArgument& item : items_) used += item.form != Form::rest && item.form != Form::new_axis ? 1 : 0;
        bool rest = false;
        for (const IndexArgument& item : items_) {
            read(item, type_.rank() - used);
            rest = rest || item.form == Form::rest;
        }
        if (!rest) keep_axes(type_.rank() - used);
        finish(span);
        return std::move(plan_);
    }

  private:
    void read(const IndexArgument& item, std::size_t open) {
        switch (item.form) {
        case Form::integer: return read_integer(item);
        case Form::tensor: return read_tensor(item);
        case Form::slice: {
            const Cut cut = cut_of(type_.shape[axis_], item);
            plan_.starts[axis_] = cut.start;
            plan_.lengths[axis_] = cut.length;
            plan_.steps[axis_] = cut.step;
            return keep_axes(1);
        }
        case Form::new_axis:
            part_arrays();
            layout_.push_back(true);
            return;
        case Form::rest:
            part_arrays();
            return keep_axes(open);
        }
    }

    void read_integer(const IndexArgument& item) {
        const Dim size = type_.shape[axis_];
        try {
            check_position(item.integer, static_cast<std::int64_t>(axis_), size);
        } catch (UserError& failure) {
            Diagnostic& diagnostic = failure.diagnostics().front();
            diagnostic.primary.span = item.span;
            diagnostic.notes.push_back("the tensor is " + type_.text());
            throw;
        }
        if (has_arrays_) meet_array();
        plan_.starts[axis_] = item.integer.value() < 0 ? size + item.integer : item.integer;
        plan_.lengths[axis_] = 1;
        kept_.push_back(false);
        ++axis_;
    }

    void read_tensor(const IndexArgument& item) {
        const auto at = static_cast<std::int64_t>(axis_);
        const Value positions = placed(item.span, [&] {
            check_positions(builder_, item.tensor, at, type_.shape[axis_]);
            return index_values(builder_, item.tensor);
        });
        meet_array();
        plan_.indices.push_back(positions);
        plan_.axes.push_back(at);
        ++axis_;
    }

    // The next axes of x go whole (or sliced) into the result.
    void keep_axes(std::size_t count) {
        if (count > 0) part_arrays();
        layout_.insert(layout_.end(), count, false);
        kept_.insert(kept_.end(), count, true);
        axis_ += count;
    }

    void meet_array() {
        if (!first_array_) first_array_ = layout_.size();
        else if (parted_) separated_ = true;
    }
    void part_arrays() { parted_ = parted_ || first_array_.has_value(); }

    // Where the index shape and the new axes come to lie.
    void finish(Span span) {
        if (!plan_.indices.empty()) plan_.indices = placed(span, [&] { return broadcast_values(builder_, plan_.indices); });
        const std::size_t block = plan_.indices.empty() ? 0 : builder_.type(plan_.indices[0]).rank();
        const std::size_t before = has_arrays_ && !separated_ ? first_array_.value_or(0) : 0;
        std::ptrdiff_t left = 0; // axes of x that stand in front of the index shape
        for (std::size_t i = 0; i < layout_.size(); ++i) {
            if (layout_[i]) plan_.new_axes.push_back(static_cast<std::int64_t>(i < before ? i : i + block));
            else if (i < before) ++left;
        }
        auto position = kept_.begin();
        for (; left > 0; ++position) left -= *position ? 1 : 0;
        plan_.position = position - kept_.begin();
        for (std::size_t i = 0; i < kept_.size(); ++i) {
            if (!kept_[i]) plan_.squeezed.push_back(static_cast<std::int64_t>(static_cast<std::int64_t>(i) < plan_.position ? i : i + block));
        }
    }

    Builder& builder_;
    Value x_;
    TensorType type_;
    const std::vector<IndexArgument>& items_;
    Plan plan_;
    std::size_t axis_ = 0;                    // the next axis of x
    std::vector<bool> kept_;                  // axes of x without an index array; false: a constant position
    std::vector<bool> layout_;                // axes of the result beside the index shape; true: a new one
    std::optional<std::size_t> first_array_;  // how many of them stood before the first index array
    bool parted_ = false, separated_ = false; // something stood after it; and an index array after that
    bool has_arrays_ = false;
};

bool takes_all(const Plan& plan, const Dims& shape) {
    return plan.lengths == shape && std::ranges::all_of(plan.starts, [](Dim start) { return start == Dim(0); }) &&
           std::ranges::all_of(plan.steps, [](Dim step) { return step == Dim(1); });
}

Value take_part(Builder& builder, Value x, const Plan& plan) {
    if (takes_all(plan, builder.type(x).shape)) return x;
    return node(builder, "slice", {x}, {plan.starts, plan.lengths, plan.steps});
}

// ---- updates

// x and the update with the dtype that the result has.
void meet_dtypes(Builder& builder, Value& x, Value& update) {
    const TensorType type = builder.type(x), update_type = builder.type(update);
    if (type.weak) { // made of literals: takes the dtype of what it meets
        const std::vector<Value> both = promote_values(builder, {x, update});
        x = both[0];
        update = both[1];
        return;
    }
    const bool keys_differ = (type.dtype == DType::key) != (update_type.dtype == DType::key);
    if (keys_differ || kind_of(update_type.dtype) > kind_of(type.dtype)) {
        const std::string wanted(name_of(type.dtype)), given(name_of(update_type.dtype));
        Diagnostic diagnostic = error("E302", "an update of `" + given + "` does not fit a tensor of `" + wanted + "`");
        if (!keys_differ) diagnostic.helps.push_back("cast the update, as in `v as " + wanted + "`, or the tensor, as in `x as " + given + "`");
        throw UserError(std::move(diagnostic));
    }
    update = cast(builder, update, type.dtype);
}

// The shape of x[items].
Dims shape_of_result(Builder& builder, const Plan& plan) {
    Dims shape;
    for (std::size_t axis = 0; axis < plan.lengths.size(); ++axis) {
        if (std::ranges::find(plan.axes, static_cast<std::int64_t>(axis)) == plan.axes.end()) shape.push_back(plan.lengths[axis]);
    }
    if (!plan.indices.empty()) {
        const Dims& block = builder.type(plan.indices[0]).shape;
        shape.insert(shape.begin() + plan.position, block.begin(), block.end());
    }
    for (std::size_t i = plan.squeezed.size(); i-- > 0;) shape.erase(shape.begin() + plan.squeezed[i]);
    for (const std::int64_t axis : plan.new_axes) shape.insert(shape.begin() + axis, 1);
    return shape;
}

} // namespace

Value index(Builder& builder, Value x, const std::vector<IndexArgument>& items, Span span) {
    check_index_count(builder, x, items, span);
    const Plan plan = Planner(builder, x, items).plan(span);
    return placed(span, [&] {
        Value result = take_part(builder, x, plan);
        if (!plan.indices.empty()) result = gather(builder, result, plan.indices, plan.axes, plan.position);
        return expand_at(builder, squeeze_at(builder, result, plan.squeezed), plan.new_axes);
    });
}

Value update_at(Builder& builder, Value x, const std::vector<IndexArgument>& items, std::string_view mode, Value update, Span span) {
    check_index_count(builder, x, items, span);
    const Plan plan = Planner(builder, x, items).plan(span);
    return placed(span, [&] {
        const std::string how(mode);
        check_update_mode(how, builder.type(x).dtype);
        meet_dtypes(builder, x, update);
        update = squeeze_at(builder, broadcast_to(builder, update, shape_of_result(builder, plan)), plan.new_axes);
        update = expand_at(builder, update, plan.squeezed);
        if (plan.indices.empty()) return node(builder, "slice_update", {x, update}, {plan.starts, plan.lengths, plan.steps, how});
        std::vector<Value> operands{take_part(builder, x, plan), update};
        operands.insert(operands.end(), plan.indices.begin(), plan.indices.end());
        const Value part = node(builder, "index_update", std::move(operands), {to_dims(plan.axes), plan.position, how});
        if (takes_all(plan, builder.type(x).shape)) return part;
        return node(builder, "slice_update", {x, part}, {plan.starts, plan.lengths, plan.steps, std::string("set")});
    });
}

} // namespace vmaprun
