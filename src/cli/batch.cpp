#include "cli/batch.hpp"

#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <cstring>
#include <vector>

#include "base/error.hpp"
#include "cli/report.hpp"
#include "io/file.hpp"

namespace vmaprun::cli {
namespace {

constexpr std::size_t most_jobs = 1024;

// The processes under way, where a signal handler finds them.
std::array<std::atomic<pid_t>, most_jobs> running{};

struct Job {
    std::size_t index = 0;
    pid_t process = -1;
    int output = -1, diagnostics = -1; // memory files
};

int memory_file(const char* name) {
    const int descriptor = memfd_create(name, MFD_CLOEXEC);
    if (descriptor < 0) throw UserError(error("E602", std::string("cannot start a job: ") + std::strerror(errno)));
    return descriptor;
}

std::string take_text(int descriptor) {
    lseek(descriptor, 0, SEEK_SET);
    const FileBytes bytes = read_descriptor(descriptor, "the output of a job");
    close(descriptor);
    return std::string(bytes.view());
}

Job start(std::size_t index, const std::function<int(std::size_t)>& work) {
    Job job{index, -1, memory_file("stdout"), memory_file("stderr")};
    job.process = fork();
    if (job.process < 0) throw UserError(error("E602", std::string("cannot start a job: ") + std::strerror(errno)));
    if (job.process > 0) return job;
    dup2(job.output, STDOUT_FILENO);
    dup2(job.diagnostics, STDERR_FILENO);
    int status = 70;
    try {
        status = work(index);
    } catch (const std::exception& failure) {
        say(std::string("error: ") + failure.what() + "\n");
    }
    _exit(status);
}

} // namespace

void stop_jobs() noexcept {
    for (std::atomic<pid_t>& process : running) {
        const pid_t id = process.load();
        if (id > 0) kill(id, SIGTERM);
    }
}

void run_jobs(std::size_t count, std::size_t at_a_time, const std::function<int(std::size_t)>& job,
              const std::function<void(std::size_t, JobOutcome)>& done) {
    std::vector<Job> slots(std::clamp<std::size_t>(at_a_time, 1, most_jobs));
    std::size_t next = 0, finished = 0;
    while (finished < count) {
        for (std::size_t slot = 0; slot < slots.size() && next < count; ++slot) {
            if (slots[slot].process > 0) continue;
            slots[slot] = start(next++, job);
            running[slot] = slots[slot].process;
        }
        int status = 0;
        const pid_t process = waitpid(-1, &status, 0);
        if (process < 0 && errno == EINTR) continue;
        const auto ended = std::ranges::find(slots, process, &Job::process);
        if (ended == slots.end()) continue;
        running[static_cast<std::size_t>(ended - slots.begin())] = 0;
        JobOutcome outcome{WIFEXITED(status) ? WEXITSTATUS(status) : 70, take_text(ended->output), take_text(ended->diagnostics)};
        if (WIFSIGNALED(status)) outcome.diagnostics += std::string("error: the job was ended by a signal: ") + strsignal(WTERMSIG(status)) + "\n";
        ended->process = -1;
        ++finished;
        done(ended->index, std::move(outcome));
    }
}

void ProgressBar::step(bool failed) {
    ++done_;
    failed_ += failed ? 1 : 0;
    draw();
}

void ProgressBar::clear() {
    if (drawn_) say("\r\033[K");
    drawn_ = false;
}

void ProgressBar::draw() {
    if (!shown_) return;
    constexpr std::size_t width = 30;
    const std::size_t filled = total_ == 0 ? width : done_ * width / total_;
    std::string line = "\r\033[K[" + std::string(filled, '#') + std::string(width - filled, '-') + "] " + std::to_string(done_) + " of " +
                       std::to_string(total_) + " files";
    if (failed_ > 0) line += ", " + std::to_string(failed_) + " failed";
    say(line);
    drawn_ = true;
}

} // namespace vmaprun::cli
