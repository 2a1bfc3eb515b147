// The threads of a run: one pool for the process, started when work is first worth it, asleep between.
//
// Work is dealt by a counter, so which thread does what is left open; nothing that a user sees may depend on it.
#pragma once

#include <cstdint>
#include <functional>

#include "ir/op.hpp"

namespace vmaprun {

// CPUs that this process may use.
int cpu_count();
// `wanted` threads; 0: as many as there are CPUs.
inline int thread_count(int wanted) { return wanted > 0 ? wanted : cpu_count(); }

// Up to `threads` threads (the caller is one of them). Work that starts inside of work stays on its thread.
class ThreadPool final : public Parallel {
  public:
    explicit ThreadPool(int threads) : threads_(threads) {}
    int threads() const { return threads_; }

    // f(0) … f(count - 1), each once. The first exception (by index) is thrown again when all have ended.
    void each(std::int64_t count, const std::function<void(std::int64_t)>& f) const;
    void run(std::int64_t count, std::int64_t grain, void (*part)(void* context, std::int64_t begin, std::int64_t end), void* context) override;

  private:
    int threads_;
};

} // namespace vmaprun
