// One job after another, each in a process of its own, several at a time: a job that fails, or dies, leaves the others alone.
#pragma once

#include <cstddef>
#include <functional>
#include <string>

namespace vmaprun::cli {

struct JobOutcome {
    int exit_code = 0;       // 70 where the process was killed
    std::string output;      // what it wrote to standard output
    std::string diagnostics; // and to standard error
};

// Runs job(0) … job(count - 1), at most `at_a_time` at once. `done` hears of each as it ends, with its index, in any order.
// Call it before any thread is started: jobs are forks of this process.
void run_jobs(std::size_t count, std::size_t at_a_time, const std::function<int(std::size_t)>& job,
              const std::function<void(std::size_t, JobOutcome)>& done);

// Ends jobs under way; for signal handlers.
void stop_jobs() noexcept;

// "[######----] 3 of 5 files, 1 failed" on a terminal, redrawn in place; nothing elsewhere.
class ProgressBar {
  public:
    ProgressBar(std::size_t total, bool shown) : total_(total), shown_(shown) {}
    ~ProgressBar() { clear(); }
    void step(bool failed);
    void clear(); // takes it off the screen, so that messages can be written

  private:
    void draw();
    std::size_t total_, done_ = 0, failed_ = 0;
    bool shown_, drawn_ = false;
};

} // namespace vmaprun::cli
