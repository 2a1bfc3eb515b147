#include "exec/tile_slices.hpp"

#include <algorithm>

#include "array/words.hpp"
#include "exec/tile.hpp"
#include "ops/kernels/stream.hpp"

namespace vmaprun {
namespace {

constexpr std::int64_t steps_a_panel = 16; // a cache line of f32

// rows x columns elements, in squares, so that both sides stay in the cache.
template <class Word> void turn(const Word* from, std::int64_t row_stride, std::int64_t column_stride, std::int64_t rows, std::int64_t columns, Word* to, std::int64_t to_row, std::int64_t to_column) {
    constexpr std::int64_t square = 16;
    for (std::int64_t r = 0; r < rows; r += square) {
        const std::int64_t r_end = std::min(rows, r + square);
        for (std::int64_t c = 0; c < columns; ++c) {
            for (std::int64_t i = r; i < r_end; ++i) to[i * to_row + c * to_column] = from[i * row_stride + c * column_stride];
        }
    }
}

} // namespace

TileSlices::TileSlices(View whole, std::size_t time_axis, std::int64_t tile, Use use)
    : steps_(whole.shape[time_axis]), time_stride_(whole.strides[time_axis]), tile_(tile), width_(static_cast<std::int64_t>(size_of(whole.dtype))), use_(use) {
    whole.shape.erase(whole.shape.begin() + static_cast<std::ptrdiff_t>(time_axis));
    whole.strides.erase(whole.strides.begin() + static_cast<std::ptrdiff_t>(time_axis));
    // Neighbouring axes that step evenly are one.
    slice_ = View{whole.dtype, whole.data, {}, {}};
    for (std::size_t axis = 0; axis < whole.rank(); ++axis) {
        if (whole.shape[axis] == 1) continue;
        if (!slice_.shape.empty() && slice_.strides.back() == whole.strides[axis] * whole.shape[axis]) {
            slice_.shape.back() *= whole.shape[axis];
            slice_.strides.back() = whole.strides[axis];
        } else {
            slice_.shape.push_back(whole.shape[axis]);
            slice_.strides.push_back(whole.strides[axis]);
        }
    }
    is_direct_ = slice_.is_contiguous();
    turn_ = width_ == 4 ? turn_table().words32 : width_ == 8 ? turn_table().words64 : nullptr;
    if (!is_direct_) panel_ = aligned_bytes(static_cast<std::size_t>(steps_a_panel * tile_ * width_));
}

void TileSlices::start(std::int64_t first, std::int64_t count) {
    first_ = first;
    count_ = count;
    chunk_ = -1;
}

std::byte* TileSlices::at(std::int64_t t) {
    if (is_direct_) return slice_.data + (t * time_stride_ + first_) * width_;
    if (t / steps_a_panel != chunk_) {
        finish();
        chunk_ = t / steps_a_panel;
        if (use_ == Use::read) move_chunk(Use::read);
    }
    return panel_.get() + t % steps_a_panel * tile_ * width_;
}

void TileSlices::ask_for(std::int64_t t) const {
    if (!is_direct_ || t < 0 || t >= steps_) return;
    ask_for_lines(slice_.data + (t * time_stride_ + first_) * width_, count_ * width_, use_ == Use::write);
}

void TileSlices::finish() {
    if (!is_direct_ && use_ == Use::write && chunk_ >= 0) move_chunk(Use::write);
}

// All steps of the chunk at once where the elements step evenly; else step by step.
void TileSlices::move_chunk(Use direction) {
    const std::int64_t begin = chunk_ * steps_a_panel, steps = std::min(steps_a_panel, steps_ - begin);
    const auto turn_words = [&]<class Word>(Word) {
        auto* panel = reinterpret_cast<Word*>(panel_.get());
        const std::int64_t stride = slice_.strides[0];
        auto* whole = reinterpret_cast<Word*>(slice_.data) + begin * time_stride_ + first_ * stride;
        if (direction == Use::read && time_stride_ == 1 && turn_) turn_(whole, stride, panel, tile_, count_, steps);
        else if (direction == Use::write && time_stride_ == 1 && turn_) turn_(panel, tile_, whole, stride, steps, count_);
        else if (direction == Use::read) turn<Word>(whole, time_stride_, stride, steps, count_, panel, tile_, 1);
        else turn<Word>(panel, tile_, 1, steps, count_, whole, time_stride_, stride);
    };
    if (slice_.rank() == 1) return visit_word(static_cast<std::size_t>(width_), turn_words);
    for (std::int64_t k = 0; k < steps; ++k) {
        View slice = slice_;
        slice.data += (begin + k) * time_stride_ * width_;
        std::byte* panel = panel_.get() + k * tile_ * width_;
        if (direction == Use::read) read_elements(slice, first_, count_, panel);
        else write_elements(panel, slice, first_, count_);
    }
}

} // namespace vmaprun
