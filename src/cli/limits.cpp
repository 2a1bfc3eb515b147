#include "cli/limits.hpp"

#include <signal.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cmath>
#include <cstdio>
#include <string>

#include "cli/batch.hpp"
#include "cli/report.hpp"
#include "io/output_file.hpp"
#include "syntax/diagnostics.hpp"

namespace vmaprun::cli {
namespace {

// What the handler of the deadline says: made before, because a handler may not allocate.
std::string deadline_message;

void end_by_signal(int number) {
    stop_jobs();
    remove_pending_outputs();
    _exit(128 + number);
}

void end_by_deadline(int) {
    remove_pending_outputs();
    (void)write_all(STDERR_FILENO, deadline_message);
    _exit(5);
}

void handle(int number, void (*handler)(int)) {
    struct sigaction action {};
    action.sa_handler = handler;
    sigfillset(&action.sa_mask);
    sigaction(number, &action, nullptr);
}

} // namespace

void install_signal_handlers() {
    handle(SIGINT, end_by_signal);
    handle(SIGTERM, end_by_signal);
    handle(SIGPIPE, SIG_IGN);
    handle(SIGXFSZ, SIG_IGN); // a file that grows too large is an error of write
}

int interruptible(const std::function<int()>& work) {
    struct sigaction ignore {}, before {};
    ignore.sa_handler = SIG_IGN;
    sigemptyset(&ignore.sa_mask);
    sigaction(SIGINT, &ignore, &before);
    const pid_t process = fork();
    if (process == 0) {
        sigaction(SIGINT, &before, nullptr);
        _exit(work());
    }
    int status = 0;
    while (process > 0 && waitpid(process, &status, 0) < 0 && errno == EINTR) {}
    sigaction(SIGINT, &before, nullptr);
    if (process < 0) return work(); // no process is to be had
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

void limit_time(double seconds, const Command& command) {
    if (seconds <= 0) return;
    char number[32];
    std::snprintf(number, sizeof number, "%g", seconds);
    const Diagnostic diagnostic = error("E605", std::string("the run took longer than ") + number + " s (`--timeout`)");
    deadline_message = command.diagnostics == DiagnosticsFormat::json ? render_json(diagnostic) : render(diagnostic, RenderOptions{wants_color(command.color)});
    handle(SIGALRM, end_by_deadline);
    const double whole = std::floor(std::min(seconds, 1e9));
    itimerval timer{};
    timer.it_value.tv_sec = static_cast<time_t>(whole);
    timer.it_value.tv_usec = static_cast<suseconds_t>(std::max(whole > 0 ? 0.0 : 1.0, (std::min(seconds, 1e9) - whole) * 1e6));
    setitimer(ITIMER_REAL, &timer, nullptr);
}

} // namespace vmaprun::cli
