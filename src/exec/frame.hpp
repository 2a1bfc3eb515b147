// Where in the space of all lanes a piece of work stands.
//
// The lanes of a program form a grid. Work on all of it sees every mapped axis at its full extent; a block of lanes, or the
// lanes that took a branch, are a part of the grid. A Frame says which part: it lists the mapped axes that are not whole,
// as groups. A group is a range of one axis (a block), or a table of places on one or several axes (packed lanes: one
// physical axis that stands for all axes of the group). Axes that no group names are whole.
//
// Physically a value in a frame is an array of shape [extents of the groups and whole axes over which it varies] + sample
// shape; each is known by its leader (the outermost axis of the group), and they are ordered by leader.
// A frame knows also at which iteration the loops around it are, because that is part of the name of a fault.
#pragma once

#include <memory>
#include <span>
#include <utility>
#include <vector>

#include "array/array.hpp"
#include "ir/graph.hpp"

namespace vmaprun {

struct LaneGroup {
    Lanes ids;               // sorted; the first is the leader
    std::int64_t extent = 0;
    std::int64_t first = 0;  // a block: the index of its first lane
    std::vector<std::vector<std::int64_t>> indices; // packed: for each id, its index at each position; else empty

    bool packed() const { return !indices.empty(); }
    std::int64_t index(LaneId id, std::int64_t position) const; // of the axis `id` at a position of the group
};

class Frame {
  public:
    explicit Frame(const Program& program) : program_(&program) {}

    // The same part of the grid, cut down to a range of one axis that was whole.
    Frame block(LaneId lane, std::int64_t first, std::int64_t extent) const;
    // The same part with these groups replaced by one packed group.
    Frame with_packed(const Lanes& leaders, LaneGroup group) const;

    void enter_control(std::uint32_t sequence) { iterations_.emplace_back(sequence, 0); }
    void set_iteration(std::int64_t iteration) { iterations_.back().second = iteration; }
    std::int64_t iteration(std::uint32_t control) const;

    const Program& program() const { return *program_; }
    const LaneGroup* group_of(LaneId lane) const; // null: the axis is whole
    bool is_everything() const { return groups_.empty(); } // every axis is whole
    bool is_whole(LaneId lane) const { return group_of(lane) == nullptr; }
    Lanes leaders(const Lanes& lanes) const;
    std::int64_t extent(LaneId leader) const;
    Shape extents(const Lanes& leaders) const;
    // The physical shape of a value with these lanes and this sample shape.
    Shape shape(const Lanes& lanes, const Dims& sample) const;
    std::int64_t index(LaneId lane, std::int64_t position) const; // at a position of its group

  private:
    const Program* program_;
    std::vector<std::shared_ptr<const LaneGroup>> groups_;
    std::vector<std::pair<std::uint32_t, std::int64_t>> iterations_;
};

// A view of a value with lanes `from` as one with lanes `to` (a superset): stride 0 along what it doesn't vary over.
View align(const Frame& frame, const View& view, const Lanes& from, const Lanes& to);
Array align(const Frame& frame, const Array& array, const Lanes& from, const Lanes& to);

} // namespace vmaprun
