// usage: bench_processes BUILD PYTHON FOLDER full|quick [ROW...]. Whole processes, from start to end, in interleaved rounds: a chain from
// .npy to .npy beside cp (k), JSON in and JSON out (l), a tiny job beside an empty program (m). FOLDER takes about 300 MB of
// data (9 GB when not quick). Prints medians, and ratios to vmaprun; what is not installed is left out.
#include <fcntl.h>
#include <spawn.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <random>
#include <string>
#include <vector>

extern char** environ;

namespace {

using Words = std::vector<std::string>;

struct Contestant {
    std::string name;
    Words words;
    std::string input = "/dev/null";
    std::string fresh;         // a file that is removed before each run
    bool missing = false;
    std::vector<double> times, repeated; // milliseconds, in turn with the others; right after itself
};

// Milliseconds; negative when it can't be started or fails.
double time_of(const Contestant& contestant) {
    if (!contestant.fresh.empty()) unlink(contestant.fresh.c_str());
    std::vector<char*> words;
    for (const std::string& word : contestant.words) words.push_back(const_cast<char*>(word.c_str()));
    words.push_back(nullptr);
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, contestant.input.c_str(), O_RDONLY, 0);
    posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
    const auto start = std::chrono::steady_clock::now();
    pid_t child = 0;
    const int failure = posix_spawnp(&child, words[0], &actions, nullptr, words.data(), environ);
    int status = 1;
    if (failure == 0) waitpid(child, &status, 0);
    const auto end = std::chrono::steady_clock::now();
    posix_spawn_file_actions_destroy(&actions);
    return failure == 0 && status == 0 ? std::chrono::duration<double, std::milli>(end - start).count() : -1;
}

double median(std::vector<double> times) {
    std::ranges::sort(times);
    return times.empty() ? 0 : times[times.size() / 2];
}

enum class Repeat { no, yes };

// The first contestant is vmaprun. `bytes`: of text or data, for a rate; 0: none. Repeat: each is run twice in its turn, and
// compared by the second run: the first finds the caches as its neighbour, which may be a Python, left them.
void compete(const char* title, std::vector<Contestant> contestants, int rounds, double bytes, Repeat repeat = Repeat::no) {
    for (int round = -1; round < rounds; ++round) {
        for (Contestant& each : contestants) {
            for (std::vector<double>* times : {&each.times, &each.repeated}) {
                if (each.missing || (times == &each.repeated && repeat == Repeat::no)) continue;
                const double time = time_of(each);
                each.missing = time < 0;
                if (round >= 0 && time >= 0) times->push_back(time);
            }
        }
    }
    const auto compared = [&](const Contestant& each) { return median(repeat == Repeat::yes ? each.repeated : each.times); };
    const double own = compared(contestants[0]);
    std::printf("\n%s; medians of %d runs%s\n", title, rounds, repeat == Repeat::yes ? ", each right after itself" : "");
    for (const Contestant& each : contestants) {
        if (each.missing) {
            std::printf("%-34s not there\n", each.name.c_str());
            continue;
        }
        const double time = compared(each);
        std::printf("%-34s %9.2f ms %8.2fx", each.name.c_str(), time, time / own);
        if (repeat == Repeat::yes) std::printf(" %9.2f ms in turn with the others", median(each.times));
        if (bytes > 0) std::printf(" %8.2f GB/s", bytes / time * 1e-6);
        std::printf("\n");
    }
    std::fflush(stdout);
}

void write_npy(const std::string& path, std::int64_t count) {
    std::FILE* file = std::fopen(path.c_str(), "wb");
    if (file == nullptr) std::exit(1);
    std::string header = "{'descr': '<f4', 'fortran_order': False, 'shape': (" + std::to_string(count) + ",), }";
    header.append(63 - (10 + header.size()) % 64, ' ');
    header += '\n';
    std::fwrite("\x93NUMPY\x01\x00", 1, 8, file);
    std::fputc(static_cast<int>(header.size() & 0xFF), file);
    std::fputc(static_cast<int>(header.size() >> 8), file);
    std::fwrite(header.data(), 1, header.size(), file);
    std::mt19937 random(1);
    std::normal_distribution<float> normal;
    std::vector<float> block(1 << 20);
    for (float& value : block) value = normal(random);
    for (std::int64_t done = 0; done < count; done += static_cast<std::int64_t>(block.size())) {
        std::fwrite(block.data(), 4, static_cast<std::size_t>(std::min<std::int64_t>(count - done, static_cast<std::int64_t>(block.size()))), file);
    }
    std::fclose(file);
}

void write_text(const std::string& path, const std::string& text) {
    std::FILE* file = std::fopen(path.c_str(), "wb");
    if (file == nullptr) std::exit(1);
    std::fwrite(text.data(), 1, text.size(), file);
    std::fclose(file);
}

double size_of(const std::string& path) {
    struct stat status {};
    return stat(path.c_str(), &status) == 0 ? static_cast<double>(status.st_size) : 0;
}

class Processes {
  public:
    Processes(const std::string& build, std::string python, std::string folder, bool quick)
        : own_(build + "/vmaprun"), empty_(build + "/tests/bench/empty_program"), python_(std::move(python)), folder_(std::move(folder)), quick_(quick) {}

    void chains() const {
        const std::string script = folder_ + "/chain.vm";
        write_text(script, "input x: f32[n]\nlet a = 1.5\nlet b = 0.25\noutput vmap(x => tanh(a * x + b) * exp(-x * x))(x)\n");
        chain("k: tanh(a*x+b)*exp(-x*x) from .npy to .npy, 40 MB", script, 10'000'000, quick_ ? 5 : 15);
        if (!quick_) chain("k: the same, 4 GB", script, 1'000'000'000, 3);
    }

    void json() const {
        const std::string text = folder_ + "/x.json", x = folder_ + "/x.npy";
        write_text(text, numbers());
        compete("l: JSON in, 1e7 numbers, the sum out",
                {{"vmaprun -e 'sum(x)'", {own_, "-e", "sum(x)"}, text, "", false, {}, {}},
                 {"Python json + NumPy", {python_, "-c", "import sys, json, numpy as np; print(np.array(json.load(sys.stdin)).sum())"}, text, "", false, {}, {}},
                 {"jq add", {"jq", "add"}, text, "", false, {}, {}}},
                quick_ ? 5 : 15, size_of(text));
        write_npy(x, 10'000'000);
        compete("l: 1e7 f32 out as JSON",
                {{"vmaprun -e x", {own_, "-e", "x", "-i", "x=" + x}, "/dev/null", "", false, {}, {}},
                 {"NumPy + Python json", {python_, "-c", "import sys, json, numpy as np; json.dump(np.load(sys.argv[1]).tolist(), sys.stdout)", x}, "/dev/null", "", false, {}, {}}},
                quick_ ? 5 : 15, size_of(text));
    }

    void tiny() const {
        const std::string data = folder_ + "/tiny.json";
        const std::string product = "import sys, json, numpy as np; d = json.load(sys.stdin); print((np.array(d['x']) @ np.array(d['y']) + 1).tolist())";
        write_text(data, R"({"x": [[1,2,3,4,5],[1,2,3,4,5],[1,2,3,4,5],[1,2,3,4,5]], "y": [[1,2,3,4],[1,2,3,4],[1,2,3,4],[1,2,3,4],[1,2,3,4]]})");
        compete("m: a tiny job, x @ y + 1, 4x5 by 5x4, JSON in and out",
                {{"vmaprun -e 'x @ y + 1'", {own_, "-e", "x @ y + 1"}, data, "", false, {}, {}},
                 {"an empty static C++ program", {empty_}, data, "", false, {}, {}},
                 {"jq .", {"jq", "."}, data, "", false, {}, {}},
                 {"Python + NumPy", {python_, "-c", product}, data, "", false, {}, {}}},
                quick_ ? 51 : 301, 0, Repeat::yes);
    }

  private:
    void chain(const char* title, const std::string& script, std::int64_t count, int rounds) const {
        const std::string x = folder_ + "/x.npy", y = folder_ + "/y.npy", z = folder_ + "/z.npy", w = folder_ + "/w.npy";
        const std::string numpy = "import sys, numpy as np; x = np.load(sys.argv[1]); np.save(sys.argv[2], np.tanh(np.float32(1.5) * x + np.float32(0.25)) * np.exp(-x * x))";
        write_npy(x, count);
        compete(title,
                {{"vmaprun chain.vm", {own_, script, "-i", "x=" + x, "-o", y}, "/dev/null", y, false, {}, {}},
                 {"cp", {"cp", x, z}, "/dev/null", z, false, {}, {}},
                 {"cp, and wait for the disk as vmaprun", {"dd", "if=" + x, "of=" + z, "bs=512K", "conv=fsync", "status=none"}, "/dev/null", z, false, {}, {}},
                 {"Python + NumPy", {python_, "-c", numpy, x, w}, "/dev/null", w, false, {}, {}}},
                rounds, 4.0 * static_cast<double>(count));
        for (const std::string& path : {x, y, z, w}) unlink(path.c_str());
    }

    static std::string numbers() {
        std::string text = "[";
        std::mt19937 random(2);
        std::normal_distribution<float> normal;
        char number[32];
        for (int i = 0; i < 10'000'000; ++i) {
            const int length = std::snprintf(number, sizeof number, "%s%.8g", i > 0 ? ", " : "", static_cast<double>(normal(random)));
            text.append(number, static_cast<std::size_t>(length));
        }
        return text + "]";
    }

    std::string own_, empty_, python_, folder_;
    bool quick_;
};

} // namespace

int main(int argc, char** argv) {
    if (argc < 5) return 2;
    unsetenv("OPENBLAS_CORETYPE");
    unsetenv("OPENBLAS_L2_SIZE");
    const Processes processes(argv[1], argv[2], argv[3], std::string(argv[4]) == "quick");
    const std::vector<std::string> rows(argv + 5, argv + argc);
    const auto is_wanted = [&](const char* row) { return rows.empty() || std::ranges::find(rows, row) != rows.end(); };
    if (is_wanted("k")) processes.chains();
    if (is_wanted("l")) processes.json();
    if (is_wanted("m")) processes.tiny();
}
