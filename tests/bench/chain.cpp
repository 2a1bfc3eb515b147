// usage: bench_chain FOLDER. The chain tanh(a*x + b) * exp(-x*x) over 1e7 f32, warm, in interleaved rounds: vmaprun, the same
// chain by hand in C++ (two loops, one a thread), NumPy (numpy_peer.py in FOLDER), and a copy of the same memory. Prints
// medians, ratios, and the part of the machine's memory bandwidth that vmaprun reaches.
#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <limits>
#include <malloc.h>
#include <map>
#include <random>
#include <string>
#include <thread>
#include <unistd.h>
#include <vector>

#include "chain_by_hand.hpp"
#include "exec/run.hpp"
#include "syntax/parser.hpp"
#include "trace/trace.hpp"

namespace {

using namespace vmaprun;

constexpr std::int64_t count = 10'000'000;
constexpr int rounds = 21;

double milliseconds(const std::function<void()>& work) {
    const auto start = std::chrono::steady_clock::now();
    work();
    return std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - start).count();
}

double median(std::vector<double> times) {
    std::ranges::sort(times);
    return times[times.size() / 2];
}

// f(begin, end) on as many threads as the machine has CPUs.
void in_threads(const std::function<void(std::int64_t, std::int64_t)>& f) {
    const auto threads = static_cast<std::int64_t>(std::max(1U, std::thread::hardware_concurrency()));
    std::vector<std::thread> workers;
    for (std::int64_t i = 1; i < threads; ++i) workers.emplace_back([&, i] { f(count * i / threads, count * (i + 1) / threads); });
    f(0, count / threads);
    for (std::thread& worker : workers) worker.join();
}

class NumPy {
  public:
    NumPy(const std::string& folder, const std::string& data) {
        int to[2], from[2];
        if (pipe(to) != 0 || pipe(from) != 0) return;
        if (fork() == 0) {
            dup2(to[0], 0);
            dup2(from[1], 1);
            for (const int end : {to[0], to[1], from[0], from[1]}) close(end);
            unsetenv("OPENBLAS_CORETYPE");
            unsetenv("OPENBLAS_L2_SIZE");
            setenv("GLIBC_TUNABLES", "glibc.malloc.hugetlb=1", 1);
            execlp("/usr/bin/python3", "python3", (folder + "/numpy_peer.py").c_str(), data.c_str(), nullptr);
            _exit(127);
        }
        close(to[0]);
        close(from[1]);
        out_ = fdopen(to[1], "w");
        in_ = fdopen(from[0], "r");
    }
    // Negative: it isn't there.
    double run(const char* form) {
        double time = -1;
        if (!out_ || std::fprintf(out_, "%s\n", form) < 0 || std::fflush(out_) != 0 || std::fscanf(in_, "%lf", &time) != 1) return -1;
        return time;
    }

  private:
    std::FILE *out_ = nullptr, *in_ = nullptr;
};

class OneInput : public InputSource {
  public:
    explicit OneInput(Array x) : x_(std::move(x)) {}
    std::optional<Arriving> arriving(const std::string&, const DeclaredType&, bool) override {
        Arriving arriving;
        arriving.tensor = {x_.dtype(), x_.shape(), x_};
        return arriving;
    }

  private:
    Array x_;
};

void print_row(const char* name, double time, double own, const char* note) { std::printf("%-34s %9.2f ms %8.2fx  %s\n", name, time, time / own, note); }

} // namespace

int main(int argc, char** argv) {
    signal(SIGPIPE, SIG_IGN);
    // Every variant writes to memory that it has written before: a result that was let go is the next one's.
    mallopt(M_MMAP_MAX, 0);
    mallopt(M_TRIM_THRESHOLD, std::numeric_limits<int>::max());
    const std::string folder = argc > 1 ? argv[1] : ".";
    Array x(DType::f32, {count}), by_hand(DType::f32, {count}), copied(DType::f32, {count});
    std::mt19937 random(1);
    std::normal_distribution<float> normal;
    for (std::int64_t i = 0; i < count; ++i) x.as<float>()[i] = normal(random);
    const std::string data = (std::getenv("TMPDIR") ? std::getenv("TMPDIR") : "/tmp") + std::string("/vmaprun-bench-x.raw");
    if (std::FILE* file = std::fopen(data.c_str(), "wb")) {
        std::fwrite(x.view().data, 4, static_cast<std::size_t>(count), file);
        std::fclose(file);
    }
    NumPy numpy(folder, data);

    const Source source("chain.vm", "input x: f32[n]\nlet a = 1.5\nlet b = 0.25\noutput vmap(x => tanh(a * x + b) * exp(-x * x))(x)\n");
    const ParseResult parsed = parse(source);
    OneInput input(x);
    TraceOptions options;
    options.folder = fold_node;
    const Traced traced = trace(parsed.script, input, options);

    std::map<std::string, std::vector<double>> times;
    std::vector<Array> result;
    for (int round = -2; round < rounds; ++round) {
        const auto take = [&](const char* name, double time) {
            if (round >= 0 && time >= 0) times[name].push_back(time);
        };
        result.clear();
        take("vmaprun", milliseconds([&] { result = run(*traced.graph, {x}); }));
        take("hand", milliseconds([&] {
            in_threads([&](std::int64_t begin, std::int64_t end) { chain_by_hand(x.as<float>() + begin, 1.5F, 0.25F, by_hand.as<float>() + begin, end - begin); });
        }));
        take("copy", milliseconds([&] {
            in_threads([&](std::int64_t begin, std::int64_t end) { std::memcpy(copied.as<float>() + begin, x.as<float>() + begin, static_cast<std::size_t>(end - begin) * 4); });
        }));
        take("numpy in place", numpy.run("in place"));
        take("numpy", numpy.run("plain"));
    }
    std::remove(data.c_str());
    float worst = 0;
    for (std::int64_t i = 0; i < count; ++i) worst = std::max(worst, std::abs(result[0].as<float>()[i] - by_hand.as<float>()[i]));

    const double own = median(times["vmaprun"]), copy = median(times["copy"]);
    std::printf("tanh(a*x + b) * exp(-x*x), %lld f32, medians of %d interleaved rounds, warm\n", static_cast<long long>(count), rounds);
    print_row("vmaprun", own, own, "");
    print_row("by hand in C++, xsimd", median(times["hand"]), own, "");
    print_row("memory copy", copy, own, "the limit: what is read and written, no more");
    if (times["numpy"].empty()) std::printf("NumPy: not installed (python3-numpy)\n");
    else print_row("NumPy, tanh(a*x+b)*exp(-x*x)", median(times["numpy"]), own, "");
    if (!times["numpy in place"].empty()) print_row("NumPy, seven calls with out=", median(times["numpy in place"]), own, "its best form");
    std::printf("vmaprun reaches %.0f %% of the copy's bandwidth; largest difference from the hand-written chain %.1e\n", 100 * copy / own, static_cast<double>(worst));
    return 0;
}
