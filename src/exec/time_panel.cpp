#include "exec/time_panel.hpp"

#include <algorithm>
#include <cstdlib>

#include "exec/memory.hpp"

namespace vmaprun {
namespace {

constexpr std::int64_t steps_a_panel = 16; // a cache line of f32
constexpr std::int64_t line = 64;

View without(const View& view, std::size_t axis) {
    View slice = view;
    slice.shape.erase(slice.shape.begin() + static_cast<std::ptrdiff_t>(axis));
    slice.strides.erase(slice.strides.begin() + static_cast<std::ptrdiff_t>(axis));
    return slice;
}

} // namespace

TimePanel::TimePanel(Array whole, std::size_t lane_rank, Use use) : whole_(std::move(whole)), lane_rank_(lane_rank), use_(use) {
    if (!whole_) return;
    if (is_worth_it()) renew();
    slice_ = without((panel_ ? panel_ : whole_).view(), lane_rank);
}

// Other memory for the panel.
void TimePanel::renew() {
    Shape stored = whole_.shape();
    stored.erase(stored.begin() + static_cast<std::ptrdiff_t>(lane_rank_));
    stored.insert(stored.begin(), steps_a_panel);
    Array memory = new_array(whole_.dtype(), std::move(stored));
    View view = memory.view();
    std::rotate(view.shape.begin(), view.shape.begin() + 1, view.shape.begin() + static_cast<std::ptrdiff_t>(lane_rank_) + 1);
    std::rotate(view.strides.begin(), view.strides.begin() + 1, view.strides.begin() + static_cast<std::ptrdiff_t>(lane_rank_) + 1);
    panel_ = memory.with_view(std::move(view));
}

bool TimePanel::is_worth_it() const {
    const View& view = whole_.view();
    const auto width = static_cast<std::int64_t>(size_of(view.dtype));
    if (lane_rank_ == 0 || view.size() == 0 || view.shape[lane_rank_] < steps_a_panel) return false;
    const std::int64_t lanes = element_count(std::span(view.shape).first(lane_rank_));
    const std::int64_t slice_bytes = element_count(std::span(view.shape).subspan(lane_rank_ + 1)) * width;
    return lanes >= steps_a_panel && slice_bytes < line && std::abs(view.strides[lane_rank_]) * width < line && std::abs(view.strides[lane_rank_ - 1]) * width >= line;
}

Array TimePanel::part(std::int64_t first, std::int64_t count) const {
    View view = whole_.view();
    view.data += first * view.strides[lane_rank_] * static_cast<std::int64_t>(size_of(view.dtype));
    view.shape[lane_rank_] = count;
    return whole_.with_view(std::move(view));
}

void TimePanel::enter(std::int64_t chunk) {
    if (chunk == chunk_) return;
    flush();
    chunk_ = chunk;
    if (use_ == Use::write) return;
    if (panel_.buffer().use_count() > 1) renew(); // a carry is a slice of it
    const Array from = part(chunk * steps_a_panel, std::min(steps_a_panel, whole_.shape()[lane_rank_] - chunk * steps_a_panel));
    View to = panel_.view();
    to.shape = from.shape();
    copy_elements(from.view(), to);
}

void TimePanel::flush() {
    if (!panel_ || use_ == Use::read || chunk_ < 0) return;
    const Array to = part(chunk_ * steps_a_panel, std::min(steps_a_panel, whole_.shape()[lane_rank_] - chunk_ * steps_a_panel));
    View from = panel_.view();
    from.shape = to.shape();
    copy_elements(from, to.view());
}

const View& TimePanel::at(std::int64_t t) {
    const Array* from = &whole_;
    if (panel_) {
        enter(t / steps_a_panel);
        t %= steps_a_panel;
        from = &panel_;
    }
    const View& view = from->view();
    slice_.data = view.data + t * view.strides[lane_rank_] * static_cast<std::int64_t>(size_of(view.dtype));
    return slice_;
}

} // namespace vmaprun
