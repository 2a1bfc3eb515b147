// --check-nan: the first operation that makes a NaN or an infinity out of finite operands is a fault of its lane (E608).
//
// What counts as finite operands is said on samples, so that it is the same in every schedule: for pointwise operations the
// elements that the result's element is made of, for all others the operands' whole samples.
#include <algorithm>
#include <cmath>

#include "exec/evaluate.hpp"
#include "ir/structural.hpp"
#include "ops/check.hpp"

namespace vmaprun {
namespace {

bool can_be_infinite(DType dtype) { return is_floating(dtype) || is_complex(dtype); }

bool is_finite_element(DType dtype, const std::byte* data) {
    return visit_dtype(dtype, [&]<class T>(TypeTag<T>) {
        const T& element = *reinterpret_cast<const T*>(data);
        if constexpr (std::is_floating_point_v<T>) return std::isfinite(element);
        else if constexpr (is_complex_type<T>) return std::isfinite(element.real()) && std::isfinite(element.imag());
        else return true;
    });
}

// The row-major walk over the elements of a shape, as the address of one in views of that shape.
struct Place {
    Shape shape, index;

    explicit Place(Shape extents) : shape(std::move(extents)), index(shape.size(), 0) {}
    bool next() {
        for (std::size_t axis = shape.size(); axis-- > 0;) {
            if (++index[axis] < shape[axis]) return true;
            index[axis] = 0;
        }
        return false;
    }
    const std::byte* in(const View& view) const {
        std::int64_t offset = 0;
        for (std::size_t axis = 0; axis < shape.size(); ++axis) offset += index[axis] * view.strides[axis];
        return view.data + offset * static_cast<std::int64_t>(size_of(view.dtype));
    }
};

} // namespace

bool all_finite(const View& view) {
    if (!can_be_infinite(view.dtype) || view.size() == 0) return true;
    if (view.strides == row_major_strides(view.shape)) return are_finite(view.dtype, view.data, view.size());
    Place place(view.shape);
    do {
        if (!is_finite_element(view.dtype, place.in(view))) return false;
    } while (place.next());
    return true;
}

namespace {

View sample_of(const View& view, const Place& lane) {
    const auto lanes = static_cast<std::ptrdiff_t>(lane.shape.size());
    std::byte* data = view.data + (lane.in(view) - view.data);
    return {view.dtype, data, {view.shape.begin() + lanes, view.shape.end()}, {view.strides.begin() + lanes, view.strides.end()}};
}

class NanCheck {
  public:
    NanCheck(const Work& work, const Node& node) : work_(work), node_(node), lane_shape_(work.frame.extents(work.frame.leaders(node.lanes))) {
        for (std::size_t i = 0; i < node.operands.size(); ++i) operands_.push_back(work.aligned(node, i, node.lanes));
    }

    void run() {
        for (const std::uint32_t value : node_.results) {
            const Array& array = work_.slots[value];
            if (!array || all_finite(array.view())) continue;
            check(align(work_.frame, array.view(), work_.info(value).lanes, node_.lanes));
        }
    }

  private:
    void check(const View& result) {
        NodeEvents events(work_.state.log, work_.frame, node_, node_.lanes);
        Place lane(lane_shape_);
        if (element_count(lane.shape) == 0) return;
        std::int64_t number = 0;
        do {
            check_lane(events, number++, sample_of(result, lane), lane);
        } while (lane.next());
    }

    void check_lane(NodeEvents& events, std::int64_t lane, const View& result, const Place& at) {
        if (result.size() == 0) return;
        std::vector<View> samples;
        for (const View& operand : operands_) samples.push_back(sample_of(operand, at));
        const bool is_pointwise = node_.op->tile != nullptr;
        if (!is_pointwise && !std::ranges::all_of(samples, all_finite)) return;
        Place place(result.shape);
        do {
            if (is_finite_element(result.dtype, place.in(result))) continue;
            const auto is_finite = [&](const View& operand) { return is_finite_element(operand.dtype, place.in(operand)); };
            if (is_pointwise && !std::ranges::all_of(samples, is_finite)) continue;
            return events.report(lane, "E608", words(result, samples, place, is_pointwise));
        } while (place.next());
    }

    std::string words(const View& result, const std::vector<View>& operands, const Place& place, bool is_pointwise) const {
        const std::string name(node_.op->name());
        std::string text = "`" + name + "` makes " + element_words(result.dtype, place.in(result)) + " out of finite numbers";
        if (is_pointwise) {
            std::string arguments;
            for (const View& operand : operands) arguments += (arguments.empty() ? "" : ", ") + element_words(operand.dtype, place.in(operand));
            text += ": " + name + "(" + arguments + ")";
        }
        return place.shape.empty() ? text : text + ", at " + shape_text(place.index);
    }

    const Work& work_;
    const Node& node_;
    Shape lane_shape_;
    std::vector<View> operands_;
};

// Operations that compute: not the doors of the graph, nor what only moves data.
bool computes(const Node& node) {
    if (!node.bodies.empty() || node.operands.empty() || node.results.empty()) return false;
    return node.op->family != Family::movement && node.op->family != Family::selection && node.op->family != Family::check;
}

} // namespace

void check_finite(const Work& work, const Node& node) {
    if (computes(node)) NanCheck(work, node).run();
}

} // namespace vmaprun
