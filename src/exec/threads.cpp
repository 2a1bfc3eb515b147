#include "exec/threads.hpp"

#include <pthread.h>
#include <sched.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <exception>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "base/profile.hpp"
#include "exec/memory.hpp"

namespace vmaprun {
namespace {

constexpr int spins_before_sleep = 2000;
constexpr std::size_t kept_by_worker = std::size_t{64} << 20U;

thread_local bool is_at_work = false;

void pause() {
#if defined(__x86_64__)
    __builtin_ia32_pause();
#else
    std::this_thread::yield();
#endif
}

struct Job {
    Job(std::int64_t all, const std::function<void(std::int64_t)>& work_of, int others) : count(all), f(work_of), helpers(others) {}

    std::int64_t count;
    const std::function<void(std::int64_t)>& f;
    int helpers; // workers that may take part
    alignas(64) std::atomic<std::int64_t> next{0}; // its own cache line: everybody writes it
    alignas(64) std::atomic<int> inside{0};
    std::mutex mutex;
    std::exception_ptr failure;
    std::int64_t failed_at = INT64_MAX;

    void work() {
        is_at_work = true;
        for (std::int64_t i = next.fetch_add(1); i < count; i = next.fetch_add(1)) {
            try {
                f(i);
            } catch (...) {
                const std::lock_guard lock(mutex);
                if (i >= failed_at) continue;
                failed_at = i;
                failure = std::current_exception();
            }
        }
        is_at_work = false;
    }
};

class Workers {
  public:
    // False when somebody else's job is running, or when this process was forked from the one that has the threads.
    bool run(Job& job) {
        if (getpid() != owner_) return false;
        const std::unique_lock alone(busy_, std::try_to_lock);
        if (!alone) return false;
        start(job.helpers);
        {
            const std::lock_guard lock(mutex_);
            job_ = &job;
            generation_.fetch_add(1);
        }
        wake_.notify_all();
        job.work();
        {
            const std::lock_guard lock(mutex_); // from now on nobody enters the job
            job_ = nullptr;
        }
        for (int i = 0; job.inside.load() > 0; ++i) i < 100 * spins_before_sleep ? pause() : std::this_thread::yield();
        return true;
    }

  private:
    void start(int wanted) {
        if (static_cast<int>(threads_.size()) >= wanted) return;
        cpu_set_t allowed;
        CPU_ZERO(&allowed);
        const bool known = sched_getaffinity(0, sizeof allowed, &allowed) == 0;
        const int here = sched_getcpu();
        std::vector<int> cpus;
        for (int cpu = 0; known && cpu < CPU_SETSIZE; ++cpu) {
            if (CPU_ISSET(cpu, &allowed) && cpu != here) cpus.push_back(cpu);
        }
        while (static_cast<int>(threads_.size()) < wanted) {
            const std::size_t index = threads_.size();
            threads_.emplace_back([this, index] { serve(static_cast<int>(index)); });
            if (index >= cpus.size()) continue; // more threads than CPUs: let the system place them
            cpu_set_t one; // a thread that stays where it is starts and wakes many times sooner
            CPU_ZERO(&one);
            CPU_SET(cpus[index], &one);
            pthread_setaffinity_np(threads_.back().native_handle(), sizeof one, &one);
        }
    }

    void serve(int index) {
        const MemoryScope memory(kept_by_worker);
        Profile::name_thread("worker " + std::to_string(index + 1));
        std::uint64_t seen = 0;
        for (;;) {
            for (int i = 0; i < spins_before_sleep && generation_.load(std::memory_order_relaxed) == seen; ++i) pause();
            Job* job = nullptr;
            {
                std::unique_lock lock(mutex_);
                wake_.wait(lock, [&] { return generation_.load() != seen; });
                seen = generation_.load();
                if (job_ == nullptr || index >= job_->helpers) continue;
                job = job_;
                job->inside.fetch_add(1);
            }
            job->work();
            job->inside.fetch_sub(1);
        }
    }

    std::mutex busy_, mutex_;
    std::condition_variable wake_;
    std::atomic<std::uint64_t> generation_{0};
    Job* job_ = nullptr;
    const pid_t owner_ = getpid();
    std::vector<std::thread> threads_;
};

Workers& workers() {
    // Never destroyed: the threads sleep until the process ends, and a forked child must not wait for them.
    static Workers& all = *new Workers;
    return all;
}

} // namespace

int cpu_count() {
    cpu_set_t allowed;
    CPU_ZERO(&allowed);
    if (sched_getaffinity(0, sizeof allowed, &allowed) == 0) return std::max(1, CPU_COUNT(&allowed));
    return static_cast<int>(std::max(1U, std::thread::hardware_concurrency()));
}

void ThreadPool::each(std::int64_t count, const std::function<void(std::int64_t)>& f) const {
    if (count <= 1 || threads_ <= 1 || is_at_work) {
        for (std::int64_t i = 0; i < count; ++i) f(i);
        return;
    }
    Job job(count, f, static_cast<int>(std::min<std::int64_t>(threads_, count)) - 1);
    if (!workers().run(job)) job.work();
    if (job.failure) std::rethrow_exception(job.failure);
}

void ThreadPool::run(std::int64_t count, std::int64_t grain, void (*part)(void* context, std::int64_t begin, std::int64_t end), void* context) {
    // A few parts a thread even out their different lengths.
    const std::int64_t grains = (count + grain - 1) / grain;
    const std::int64_t parts = std::min<std::int64_t>(grains, 8 * threads_);
    each(parts, [=](std::int64_t i) {
        const std::int64_t begin = grains * i / parts * grain, end = std::min(grains * (i + 1) / parts * grain, count);
        if (begin < end) part(context, begin, end);
    });
}

} // namespace vmaprun
