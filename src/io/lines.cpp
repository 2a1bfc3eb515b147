#include "io/lines.hpp"

#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "base/error.hpp"

namespace vmaprun {
namespace {

constexpr std::size_t read_bytes = std::size_t{256} << 10U;
constexpr std::size_t most_bytes = std::size_t{8} << 20U; // of the lines that are read at once, but for one

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

bool LineReader::take_line(std::vector<Line>& lines) {
    std::size_t end = held_.find('\n', std::max(begin_, searched_));
    if (end == std::string::npos) {
        searched_ = held_.size();
        if (!ended_ || begin_ == held_.size()) return false;
        end = held_.size(); // the last, without its end
    }
    const std::string_view text(held_.data() + begin_, end - begin_);
    const std::uint32_t number = next_number_++;
    if (text.find_first_not_of(" \t\r") != std::string_view::npos) lines.push_back({number, FileBytes(name_, text)});
    begin_ = std::min(end + 1, held_.size());
    return true;
}

void LineReader::read_more() {
    held_.erase(0, begin_);
    begin_ = 0;
    searched_ = held_.size();
    held_.resize(searched_ + read_bytes);
    ssize_t count = 0;
    do count = ::read(descriptor_, held_.data() + searched_, read_bytes);
    while (count < 0 && errno == EINTR);
    held_.resize(searched_ + static_cast<std::size_t>(std::max<ssize_t>(count, 0)));
    if (count < 0 && errno != EAGAIN) throw UserError(error("E501", "cannot read `" + name_ + "`: " + std::strerror(errno)));
    if (count == 0) ended_ = true;
}

std::vector<Line> LineReader::read(std::size_t most, std::chrono::nanoseconds longest_wait) {
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
        if (!is_readable(descriptor_, moment, lines.empty(), name_)) return lines;
        read_more();
    }
}

} // namespace vmaprun
