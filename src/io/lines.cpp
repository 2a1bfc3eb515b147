#include "io/lines.hpp"

#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "base/error.hpp"

namespace vmaprun {
namespace {

constexpr std::size_t read_bytes = std::size_t{64} << 10U;
constexpr std::size_t first_capacity = std::size_t{128} << 10U, later_capacity = std::size_t{1} << 20U; // of a buffer

using Clock = std::chrono::steady_clock;

// Whether something can be read, or has ended, before a moment; `forever`: waits as long as it takes.
bool is_readable(int descriptor, Clock::time_point moment, bool forever, const std::string& name) {
    for (;;) {
        const auto left = std::chrono::duration_cast<std::chrono::microseconds>(moment - Clock::now()).count();
        const int wait = forever ? -1 : static_cast<int>(std::clamp<std::int64_t>((left + 999) / 1000, 0, 3'600'000));
        pollfd asked{descriptor, POLLIN, 0};
        const int count = poll(&asked, 1, wait);
        if (count >= 0) return count > 0;
        if (errno != EINTR) throw UserError(error("E501", "cannot read `" + name + "`: " + std::strerror(errno)));
    }
}

} // namespace

LineReader::LineReader(int descriptor, std::string name) : descriptor_(descriptor), bytes_(std::move(name), std::string_view()) { renew(first_capacity); }

// Another buffer, with what no line has been made of.
void LineReader::renew(std::size_t capacity) {
    auto buffer = std::make_shared<Buffer>(capacity + file_bytes_padding);
    const std::size_t rest = end_ - begin_;
    if (rest > 0) std::memcpy(buffer->data(), buffer_->data() + begin_, rest);
    std::memset(buffer->data() + rest, 0, capacity + file_bytes_padding - rest);
    searched_ = std::max(searched_, begin_) - begin_;
    begin_ = 0;
    end_ = rest;
    buffer_ = buffer;
    bytes_ = FileBytes(bytes_.name(), std::move(buffer), capacity);
}

bool LineReader::take_line(std::vector<Line>& lines) {
    char* const data = reinterpret_cast<char*>(buffer_->data());
    searched_ = std::max(begin_, searched_);
    const auto* found = static_cast<const char*>(std::memchr(data + searched_, '\n', end_ - searched_));
    if (found == nullptr) {
        searched_ = end_;
        if (!too_large_.empty() && !ended_) begin_ = searched_ = end_ = 0; // more of it
        if (!ended_ || (begin_ == end_ && too_large_.empty())) return false;
    }
    const std::size_t end = found == nullptr ? end_ : static_cast<std::size_t>(found - data); // the last may have no end
    data[end] = '\0';
    const std::uint32_t number = next_number_++;
    if (!too_large_.empty()) {
        lines.push_back({number, bytes_.part(0, 0), std::move(too_large_)});
        too_large_.clear();
        begin_ = std::min(end + 1, end_);
        return true;
    }
    const FileBytes text = bytes_.part(begin_, end - begin_);
    if (text.view().find_first_not_of(" \t\r") != std::string_view::npos) lines.push_back({number, text});
    begin_ = std::min(end + 1, end_);
    return true;
}

void LineReader::read_more() {
    const std::size_t capacity = buffer_->size() - file_bytes_padding;
    if (capacity - end_ < read_bytes) {
        try {
            renew(std::max(later_capacity, 2 * (end_ - begin_) + read_bytes));
        } catch (const UserError& failure) {
            too_large_ = failure.diagnostics();
            for (Diagnostic& each : too_large_) each.notes.push_back("the record is line " + std::to_string(next_number_) + " of " + bytes_.name());
            end_ = searched_ = begin_;
            if (capacity - begin_ < read_bytes) renew(first_capacity);
        }
    }
    ssize_t count = 0;
    do count = ::read(descriptor_, buffer_->data() + end_, read_bytes);
    while (count < 0 && errno == EINTR);
    if (count < 0 && errno != EAGAIN) throw UserError(error("E501", "cannot read `" + bytes_.name() + "`: " + std::strerror(errno)));
    end_ += static_cast<std::size_t>(std::max<ssize_t>(count, 0));
    if (count == 0) ended_ = true;
}

std::vector<Line> LineReader::read(std::size_t most, std::size_t most_bytes, std::chrono::nanoseconds longest_wait) {
    std::vector<Line> lines;
    std::size_t bytes = 0;
    Clock::time_point moment{};
    for (;;) {
        for (std::size_t held = lines.size(); held < most && bytes < most_bytes && take_line(lines); held = lines.size()) {
            if (lines.size() == held) continue; // an empty one
            if (held == 0) moment = Clock::now() + longest_wait;
            bytes += lines.back().text.size();
        }
        if (lines.size() == most || bytes >= most_bytes || ended_) return lines;
        if (!is_readable(descriptor_, moment, lines.empty(), bytes_.name())) return lines;
        read_more();
    }
}

} // namespace vmaprun
