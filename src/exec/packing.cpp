#include "exec/packing.hpp"

#include <algorithm>
#include <cstring>

#include "array/words.hpp"
#include "exec/memory.hpp"

namespace vmaprun {
namespace {

template <class Word> void copy_single(const View& from, std::span<const std::int64_t> from_at, const View& to, std::span<const std::int64_t> to_at) {
    const auto* in = reinterpret_cast<const Word*>(from.data);
    auto* out = reinterpret_cast<Word*>(to.data);
    for (std::size_t i = 0; i < from_at.size(); ++i) out[to_at[i]] = in[from_at[i]];
}

void copy_singles(const View& from, std::span<const std::int64_t> from_at, const View& to, std::span<const std::int64_t> to_at) {
    visit_word(size_of(from.dtype), [&]<class Word>(Word) { copy_single<Word>(from, from_at, to, to_at); });
}

// Copies, for each i, the slice at from_at[i] to the slice at to_at[i] (elements from the views' data).
void copy_slices(const View& from, std::span<const std::int64_t> from_at, const View& to, std::span<const std::int64_t> to_at) {
    const std::int64_t elements = to.size();
    if (elements == 0) return;
    if (elements == 1) return copy_singles(from, from_at, to, to_at);
    const auto width = static_cast<std::int64_t>(size_of(from.dtype));
    if (from.is_contiguous() && to.is_contiguous()) {
        const auto bytes = static_cast<std::size_t>(elements * width);
        for (std::size_t i = 0; i < from_at.size(); ++i) std::memcpy(to.data + to_at[i] * width, from.data + from_at[i] * width, bytes);
        return;
    }
    View source = from, target = to;
    for (std::size_t i = 0; i < from_at.size(); ++i) {
        source.data = from.data + from_at[i] * width;
        target.data = to.data + to_at[i] * width;
        copy_elements(source, target);
    }
}

std::vector<std::int64_t> steps(std::size_t count, std::int64_t stride) {
    std::vector<std::int64_t> offsets(count);
    for (std::size_t p = 0; p < count; ++p) offsets[p] = static_cast<std::int64_t>(p) * stride;
    return offsets;
}

View without_axis(const View& view, std::size_t axis) {
    View slice = view;
    slice.shape.erase(slice.shape.begin() + static_cast<std::ptrdiff_t>(axis));
    slice.strides.erase(slice.strides.begin() + static_cast<std::ptrdiff_t>(axis));
    return slice;
}

std::size_t axis_of(const Lanes& leaders, LaneId leader) { return static_cast<std::size_t>(std::ranges::find(leaders, leader) - leaders.begin()); }

// For each axis of the groups, its index at each of the positions.
LaneGroup packed_group(const Frame& frame, const Positions& positions) {
    LaneGroup group;
    group.extent = static_cast<std::int64_t>(positions.count());
    for (const LaneId leader : positions.leaders()) {
        const LaneGroup* known = frame.group_of(leader);
        group.ids = lanes_union(group.ids, known ? known->ids : Lanes{leader});
    }
    for (const LaneId id : group.ids) {
        const LaneGroup* known = frame.group_of(id);
        std::vector<std::int64_t> indices = positions.along(axis_of(positions.leaders(), known ? known->ids.front() : id));
        if (known && known->packed()) {
            const auto& table = known->indices[axis_of(known->ids, id)];
            for (std::int64_t& index : indices) index = table[static_cast<std::size_t>(index)];
        } else if (known && known->first != 0) {
            for (std::int64_t& index : indices) index += known->first;
        }
        group.indices.push_back(std::move(indices));
    }
    return group;
}

} // namespace

Positions::Positions(const Frame& frame, Lanes leaders, std::vector<std::int64_t> positions) : leaders_(std::move(leaders)), positions_(std::move(positions)) {
    if (leaders_.size() == 1) return;
    const Shape extents = frame.extents(leaders_);
    coordinates_.assign(leaders_.size(), std::vector<std::int64_t>(positions_.size()));
    for (std::size_t p = 0; p < positions_.size(); ++p) {
        std::int64_t rest = positions_[p];
        for (std::size_t k = leaders_.size(); k-- > 0; rest /= extents[k]) coordinates_[k][p] = rest % extents[k];
    }
}

std::vector<std::int64_t> Positions::offsets(const View& view, const Lanes& view_leaders) const {
    std::vector<std::int64_t> offsets(count(), 0);
    for (std::size_t axis = 0; axis < view_leaders.size(); ++axis) {
        const std::size_t leader = axis_of(leaders_, view_leaders[axis]);
        if (leader == leaders_.size()) continue;
        const std::vector<std::int64_t>& positions = along(leader);
        const std::int64_t stride = view.strides[axis];
        for (std::size_t p = 0; p < offsets.size(); ++p) offsets[p] += positions[p] * stride;
    }
    return offsets;
}

View Positions::slice(const View& view, const Lanes& view_leaders) const {
    View slice{view.dtype, view.data, {}, {}};
    for (std::size_t axis = 0; axis < view.rank(); ++axis) {
        if (axis < view_leaders.size() && has_lane(leaders_, view_leaders[axis])) continue;
        slice.shape.push_back(view.shape[axis]);
        slice.strides.push_back(view.strides[axis]);
    }
    return slice;
}

Packing::Packing(const Frame& outer, Lanes leaders, std::vector<std::int64_t> positions)
    : outer_(&outer), positions_(outer, std::move(leaders), std::move(positions)), inner_(outer) {
    LaneGroup group = packed_group(outer, positions_);
    inner_leader_ = group.ids.front();
    inner_ = outer.with_packed(positions_.leaders(), std::move(group));
}

Array Packing::gather(const Array& array, const Lanes& lanes) const {
    const Lanes outer = outer_->leaders(lanes), inner = inner_.leaders(lanes);
    if (std::ranges::none_of(outer, [&](LaneId leader) { return has_lane(positions_.leaders(), leader); })) return array;
    const View& from = array.view();
    Shape shape = inner_.extents(inner);
    shape.insert(shape.end(), from.shape.begin() + static_cast<std::ptrdiff_t>(outer.size()), from.shape.end());
    Array packed = new_array(array.dtype(), std::move(shape));
    const std::size_t axis = axis_of(inner, inner_leader_);
    copy_slices(positions_.slice(from, outer), positions_.offsets(from, outer), without_axis(packed.view(), axis), steps(positions_.count(), packed.view().strides[axis]));
    return packed;
}

void Packing::scatter(const Array& array, const Lanes& lanes, const View& to, const Lanes& to_lanes) const {
    const View from = align(inner_, array.view(), lanes, to_lanes);
    const Lanes outer = outer_->leaders(to_lanes), inner = inner_.leaders(to_lanes);
    const std::size_t axis = axis_of(inner, inner_leader_);
    copy_slices(without_axis(from, axis), steps(positions_.count(), from.strides[axis]), positions_.slice(to, outer), positions_.offsets(to, outer));
}

void copy_lanes(const View& from, const Lanes& from_leaders, const Positions& from_positions, const View& to, const Lanes& to_leaders, const Positions& to_positions) {
    copy_slices(from_positions.slice(from, from_leaders), from_positions.offsets(from, from_leaders), to_positions.slice(to, to_leaders), to_positions.offsets(to, to_leaders));
}

} // namespace vmaprun
