// How a run ends before its time: signals, a deadline, a reader that is gone.
#pragma once

#include <functional>

#include "cli/arguments.hpp"

namespace vmaprun::cli {

// SIGINT and SIGTERM end the process quietly with 130 and 143, temporary files removed and jobs stopped; a closed pipe becomes an error of write.
void install_signal_handlers();

// Does the work in a process of its own: SIGINT ends that, and this one goes on. Gives its exit code, 130 after SIGINT.
int interruptible(const std::function<int()>& work);

// After that many seconds (0: never) the process says E605 on standard error and ends with 5.
void limit_time(double seconds, const Command& command);

} // namespace vmaprun::cli
