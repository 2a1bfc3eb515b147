// Where the time of a run goes, for `--profile`: spans of work on threads, written as Chrome trace events, which Perfetto
// and chrome://tracing open. One recording a process at most; while there is none, a span costs a look at one flag.
//
//     const ProfileSpan span("kernel", [&] { return ProfileSpan::What{std::string(name), line_of(node)}; });
#pragma once

#include <atomic>
#include <cstdint>
#include <string>
#include <string_view>

namespace vmaprun {

class Profile {
  public:
    static bool is_on() { return on_.load(std::memory_order_relaxed); }
    static void start();
    // Ends the recording: the whole trace as JSON. Threads that work must have ended what they do.
    static std::string finish();
    static void name_thread(const std::string& name); // of the caller; kept also while nothing is recorded

  private:
    static std::atomic<bool> on_;
};

class ProfileSpan {
  public:
    struct What {
        std::string name;
        std::string place; // "script.vm:3", or empty
        std::string detail; // anything else worth reading, or empty
    };
    // `category` is a literal; `what` is called only while something is recorded.
    template <class F> ProfileSpan(const char* category, F&& what) {
        if (Profile::is_on()) begin(category, what());
    }
    ~ProfileSpan() {
        if (category_ != nullptr) end();
    }
    ProfileSpan(const ProfileSpan&) = delete;
    ProfileSpan& operator=(const ProfileSpan&) = delete;

  private:
    void begin(const char* category, What what);
    void end() noexcept;

    const char* category_ = nullptr; // null: not recorded
    What what_;
    std::int64_t start_ = 0; // nanoseconds
};

} // namespace vmaprun
