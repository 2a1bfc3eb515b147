#include "exec/packing.hpp"

#include <algorithm>
#include <cstring>

#include "exec/memory.hpp"

namespace vmaprun {
namespace {

template <class Word> void copy_single(const View& from, std::span<const std::int64_t> from_at, const View& to, std::span<const std::int64_t> to_at) {
    const auto* in = reinterpret_cast<const Word*>(from.data);
    auto* out = reinterpret_cast<Word*>(to.data);
    for (std::size_t i = 0; i < from_at.size(); ++i) out[to_at[i]] = in[from_at[i]];
}

struct Wide {
    std::uint64_t low, high;
};

void copy_singles(const View& from, std::span<const std::int64_t> from_at, const View& to, std::span<const std::int64_t> to_at) {
    switch (size_of(from.dtype)) {
    case 1: return copy_single<std::uint8_t>(from, from_at, to, to_at);
    case 2: return copy_single<std::uint16_t>(from, from_at, to, to_at);
    case 4: return copy_single<std::uint32_t>(from, from_at, to, to_at);
    case 8: return copy_single<std::uint64_t>(from, from_at, to, to_at);
    default: return copy_single<Wide>(from, from_at, to, to_at);
    }
}

// The view without the axes whose leaders are packed.
View slice_of(const View& view, const Lanes& leaders, const Lanes& packed) {
    View slice{view.dtype, view.data, {}, {}};
    for (std::size_t axis = 0; axis < view.rank(); ++axis) {
        if (axis < leaders.size() && has_lane(packed, leaders[axis])) continue;
        slice.shape.push_back(view.shape[axis]);
        slice.strides.push_back(view.strides[axis]);
    }
    return slice;
}

} // namespace

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

Packing::Packing(const Frame& outer, Lanes leaders, std::vector<std::int64_t> positions)
    : outer_(&outer), leaders_(std::move(leaders)), positions_(std::move(positions)), inner_(outer) {
    const Shape extents = outer.extents(leaders_);
    coordinates_.assign(leaders_.size(), std::vector<std::int64_t>(positions_.size()));
    for (std::size_t p = 0; p < positions_.size(); ++p) {
        std::int64_t rest = positions_[p];
        for (std::size_t k = leaders_.size(); k-- > 0;) {
            coordinates_[k][p] = rest % extents[k];
            rest /= extents[k];
        }
    }
    LaneGroup group;
    group.extent = count();
    for (const LaneId leader : leaders_) {
        const LaneGroup* known = outer.group_of(leader);
        group.ids = lanes_union(group.ids, known ? known->ids : Lanes{leader});
    }
    for (const LaneId id : group.ids) {
        const LaneId leader = outer.leaders({id}).front();
        const auto& coordinates = coordinates_[static_cast<std::size_t>(std::ranges::find(leaders_, leader) - leaders_.begin())];
        auto& indices = group.indices.emplace_back();
        indices.reserve(coordinates.size());
        for (const std::int64_t coordinate : coordinates) indices.push_back(outer.index(id, coordinate));
    }
    inner_leader_ = group.ids.front();
    inner_ = outer.with_packed(leaders_, std::move(group));
}

std::vector<std::int64_t> Packing::offsets(const View& view, const Lanes& leaders) const {
    std::vector<std::int64_t> offsets(positions_.size(), 0);
    for (std::size_t axis = 0; axis < leaders.size(); ++axis) {
        const auto found = std::ranges::find(leaders_, leaders[axis]);
        if (found == leaders_.end()) continue;
        const auto& coordinates = coordinates_[static_cast<std::size_t>(found - leaders_.begin())];
        for (std::size_t p = 0; p < offsets.size(); ++p) offsets[p] += coordinates[p] * view.strides[axis];
    }
    return offsets;
}

namespace {

std::vector<std::int64_t> steps(std::size_t count, std::int64_t stride) {
    std::vector<std::int64_t> offsets(count);
    for (std::size_t p = 0; p < count; ++p) offsets[p] = static_cast<std::int64_t>(p) * stride;
    return offsets;
}

} // namespace

Array Packing::gather(const Array& array, const Lanes& lanes) const {
    const Lanes outer = outer_->leaders(lanes), inner = inner_.leaders(lanes);
    if (std::ranges::none_of(outer, [&](LaneId leader) { return has_lane(leaders_, leader); })) return array;
    const View& from = array.view();
    Shape shape = inner_.extents(inner);
    shape.insert(shape.end(), from.shape.begin() + static_cast<std::ptrdiff_t>(outer.size()), from.shape.end());
    Array packed = new_array(array.dtype(), std::move(shape));
    const auto axis = static_cast<std::size_t>(std::ranges::find(inner, inner_leader_) - inner.begin());
    copy_slices(slice_of(from, outer, leaders_), offsets(from, outer), slice_of(packed.view(), inner, {inner_leader_}),
                steps(positions_.size(), packed.view().strides[axis]));
    return packed;
}

void Packing::scatter(const Array& array, const Lanes& lanes, const View& to, const Lanes& to_lanes) const {
    const View from = align(inner_, array.view(), lanes, to_lanes);
    const Lanes outer = outer_->leaders(to_lanes), inner = inner_.leaders(to_lanes);
    const auto axis = static_cast<std::size_t>(std::ranges::find(inner, inner_leader_) - inner.begin());
    copy_slices(slice_of(from, inner, {inner_leader_}), steps(positions_.size(), from.strides[axis]), slice_of(to, outer, leaders_), offsets(to, outer));
}

} // namespace vmaprun
