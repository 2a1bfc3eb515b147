// Some positions of the lanes of a frame, packed to one axis: the lanes that took a branch, or are still in a loop.
#pragma once

#include <span>
#include <vector>

#include "exec/frame.hpp"

namespace vmaprun {

// Positions of the groups with some leaders in a frame (row-major over these groups, ascending), taken apart.
class Positions {
  public:
    Positions(const Frame& frame, Lanes leaders, std::vector<std::int64_t> positions);

    const Lanes& leaders() const { return leaders_; }
    std::size_t count() const { return positions_.size(); }
    // For each of them, its position in the group of one leader.
    const std::vector<std::int64_t>& along(std::size_t leader) const { return leaders_.size() == 1 ? positions_ : coordinates_[leader]; }
    // For each of them, where its slice begins in a view whose first axes have these leaders.
    std::vector<std::int64_t> offsets(const View& view, const Lanes& view_leaders) const;
    // The view's slice at one position: without the axes of the leaders.
    View slice(const View& view, const Lanes& view_leaders) const;

  private:
    Lanes leaders_;
    std::vector<std::int64_t> positions_;
    std::vector<std::vector<std::int64_t>> coordinates_; // for each leader; empty where there is one leader
};

class Packing {
  public:
    // `outer` must outlive this.
    Packing(const Frame& outer, Lanes leaders, std::vector<std::int64_t> positions);

    const Frame& inner() const { return inner_; }

    // A value of the outer frame as one of the inner frame; itself when it varies over none of the packed lanes.
    Array gather(const Array& array, const Lanes& lanes) const;
    // Writes a value of the inner frame to its place in a value of the outer frame that varies over all packed lanes.
    void scatter(const Array& array, const Lanes& lanes, const View& to, const Lanes& to_lanes) const;

  private:
    const Frame* outer_;
    Positions positions_;
    Frame inner_;
    LaneId inner_leader_ = 0;
};

// The lanes of one value at some positions, to other positions of a value in another frame. Both vary over all of them.
void copy_lanes(const View& from, const Lanes& from_leaders, const Positions& from_positions, const View& to, const Lanes& to_leaders, const Positions& to_positions);

} // namespace vmaprun
