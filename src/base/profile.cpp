#include "base/profile.hpp"

#include <chrono>
#include <cstdio>
#include <memory>
#include <mutex>
#include <vector>

#include "base/text.hpp"

namespace vmaprun {
namespace {

constexpr std::size_t most_events = 1 << 20; // a thread: a trace past that opens nowhere

struct Event {
    const char* category;
    ProfileSpan::What what;
    std::int64_t start, end; // nanoseconds
};

struct Track { // of one thread, which alone adds to it
    std::string name;
    std::vector<Event> events;
    std::size_t left_out = 0;
};

struct Recording {
    std::mutex mutex;
    std::vector<std::shared_ptr<Track>> tracks; // of all threads that ever had a name or a span
    std::int64_t start = 0;
};

Recording& recording() {
    static Recording& one = *new Recording; // threads may outlive main
    return one;
}

std::int64_t now() { return std::chrono::duration_cast<std::chrono::nanoseconds>(std::chrono::steady_clock::now().time_since_epoch()).count(); }

Track& own_track() {
    thread_local const std::shared_ptr<Track> track = [] {
        auto made = std::make_shared<Track>();
        Recording& all = recording();
        const std::lock_guard lock(all.mutex);
        all.tracks.push_back(made);
        return made;
    }();
    return *track;
}

std::string microseconds(std::int64_t nanoseconds) {
    char text[40];
    std::snprintf(text, sizeof text, "%lld.%03lld", static_cast<long long>(nanoseconds / 1000), static_cast<long long>(nanoseconds % 1000));
    return text;
}

void append_event(std::string& json, const Event& event, std::size_t thread, std::int64_t origin) {
    json += ",\n{\"ph\": \"X\", \"pid\": 1, \"tid\": " + std::to_string(thread) + ", \"ts\": " + microseconds(event.start - origin) + ", \"dur\": " + microseconds(event.end - event.start);
    json += ", \"cat\": \"" + std::string(event.category) + "\", \"name\": " + json_string(event.what.name);
    std::string arguments;
    if (!event.what.place.empty()) arguments += "\"place\": " + json_string(event.what.place);
    if (!event.what.detail.empty()) arguments += (arguments.empty() ? "" : ", ") + ("\"detail\": " + json_string(event.what.detail));
    if (!arguments.empty()) json += ", \"args\": {" + arguments + "}";
    json += "}";
}

} // namespace

std::atomic<bool> Profile::on_{false};

void Profile::start() {
    Recording& all = recording();
    const std::lock_guard lock(all.mutex);
    for (const auto& track : all.tracks) {
        track->events.clear();
        track->left_out = 0;
    }
    all.start = now();
    on_.store(true);
}

std::string Profile::finish() {
    on_.store(false);
    Recording& all = recording();
    const std::lock_guard lock(all.mutex);
    std::string json = "{\"displayTimeUnit\": \"ms\", \"traceEvents\": [\n{\"ph\": \"M\", \"pid\": 1, \"name\": \"process_name\", \"args\": {\"name\": \"vmaprun\"}}";
    std::size_t left_out = 0;
    for (std::size_t thread = 0; thread < all.tracks.size(); ++thread) {
        const Track& track = *all.tracks[thread];
        if (track.events.empty()) continue;
        const std::string name = track.name.empty() ? "thread " + std::to_string(thread) : track.name;
        json += ",\n{\"ph\": \"M\", \"pid\": 1, \"tid\": " + std::to_string(thread) + ", \"name\": \"thread_name\", \"args\": {\"name\": " + json_string(name) + "}}";
        for (const Event& event : track.events) append_event(json, event, thread, all.start);
        left_out += track.left_out;
    }
    json += "\n], \"otherData\": {\"spans left out\": " + std::to_string(left_out) + "}}\n";
    return json;
}

void Profile::name_thread(const std::string& name) { own_track().name = name; }

void ProfileSpan::begin(const char* category, What what) {
    category_ = category;
    what_ = std::move(what);
    start_ = now();
}

void ProfileSpan::end() noexcept {
    try {
        Track& track = own_track();
        if (track.events.size() < most_events) track.events.push_back({category_, std::move(what_), start_, now()});
        else ++track.left_out;
    } catch (...) { // a trace without this span
        return;
    }
}

} // namespace vmaprun
