#include "exec/frame.hpp"

#include <algorithm>

#include "base/error.hpp"

namespace vmaprun {

std::int64_t LaneGroup::index(LaneId id, std::int64_t position) const {
    if (!packed()) return first + position;
    const auto found = std::ranges::find(ids, id);
    return indices[static_cast<std::size_t>(found - ids.begin())][static_cast<std::size_t>(position)];
}

Frame Frame::block(LaneId lane, std::int64_t first, std::int64_t extent) const {
    if (!is_whole(lane)) throw InternalError("frame: a block of an axis that is not whole");
    Frame inner = *this;
    inner.groups_.push_back(std::make_shared<LaneGroup>(LaneGroup{{lane}, extent, first, {}}));
    return inner;
}

Frame Frame::with_packed(const Lanes& leaders, LaneGroup group) const {
    Frame inner = *this;
    std::erase_if(inner.groups_, [&](const auto& known) { return has_lane(leaders, known->ids.front()); });
    inner.groups_.push_back(std::make_shared<LaneGroup>(std::move(group)));
    return inner;
}

std::int64_t Frame::iteration(std::uint32_t control) const {
    for (const auto& [sequence, iteration] : iterations_) {
        if (sequence == control) return iteration;
    }
    return 0;
}

const LaneGroup* Frame::group_of(LaneId lane) const {
    for (const auto& group : groups_) {
        if (has_lane(group->ids, lane)) return group.get();
    }
    return nullptr;
}

Lanes Frame::leaders(const Lanes& lanes) const {
    if (groups_.empty()) return lanes;
    Lanes leaders = lanes;
    for (LaneId& lane : leaders) {
        if (const LaneGroup* group = group_of(lane)) lane = group->ids.front();
    }
    std::ranges::sort(leaders);
    leaders.erase(std::unique(leaders.begin(), leaders.end()), leaders.end());
    return leaders;
}

std::int64_t Frame::extent(LaneId leader) const {
    const LaneGroup* group = group_of(leader);
    return group ? group->extent : program_->lanes[leader].size.value();
}

Shape Frame::extents(const Lanes& leaders) const {
    Shape extents;
    for (const LaneId leader : leaders) extents.push_back(extent(leader));
    return extents;
}

Shape Frame::shape(const Lanes& lanes, const Dims& sample) const {
    Shape shape = extents(leaders(lanes));
    for (const Dim dim : sample) shape.push_back(dim.value());
    return shape;
}

std::int64_t Frame::index(LaneId lane, std::int64_t position) const {
    const LaneGroup* group = group_of(lane);
    return group ? group->index(lane, position) : position;
}

View align(const Frame& frame, const View& view, const Lanes& from, const Lanes& to) {
    if (from == to) return view;
    const Lanes have = frame.leaders(from), want = frame.leaders(to);
    if (have == want) return view;
    View aligned{view.dtype, view.data, {}, {}};
    std::size_t axis = 0;
    for (const LaneId leader : want) {
        const bool varies = axis < have.size() && have[axis] == leader;
        aligned.shape.push_back(frame.extent(leader));
        aligned.strides.push_back(varies ? view.strides[axis++] : 0);
    }
    if (axis != have.size()) throw InternalError("frame: a value varies over more lanes than its use");
    aligned.shape.insert(aligned.shape.end(), view.shape.begin() + static_cast<std::ptrdiff_t>(axis), view.shape.end());
    aligned.strides.insert(aligned.strides.end(), view.strides.begin() + static_cast<std::ptrdiff_t>(axis), view.strides.end());
    return aligned;
}

Array align(const Frame& frame, const Array& array, const Lanes& from, const Lanes& to) {
    if (from == to) return array;
    return array.with_view(align(frame, array.view(), from, to));
}

} // namespace vmaprun
