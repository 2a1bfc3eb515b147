// usage: bench_workloads FOLDER JSON PYTHON quick|full [ROW...]. The workloads of FOLDER (the scripts *.vm beside this file),
// each in interleaved rounds with what the machine can do at best and with its peers, on warm memory. Prints a table of
// medians and ratios, and writes everything that was measured to the file JSON.
#include <algorithm>
#include <chrono>
#include <cmath>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
#include <limits>
#include <malloc.h>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <random>
#include <sstream>
#include <thread>
#include <unistd.h>

#include "bounds.hpp"
#include "exec/memory.hpp"
#include "exec/run.hpp"
#include "io/npy.hpp"
#include "peer.hpp"
#include "syntax/parser.hpp"
#include "trace/trace.hpp"
#include "transform/pass.hpp"
#include "workloads.hpp"

namespace bench {
namespace {

using namespace vmaprun;
using Clock = std::chrono::steady_clock;
using Times = std::vector<double>;

struct Options {
    std::string folder, json, python;
    int rounds = 21;
    std::vector<std::string> rows;
};

double milliseconds_since(Clock::time_point start) { return std::chrono::duration<double, std::milli>(Clock::now() - start).count(); }

// The time of one of as many runs as fit into 8 ms, after as many for warmth: caches, clocks and threads are as in the middle
// of a long job.
double time_of(const std::function<void()>& work) {
    const auto begin = Clock::now();
    int warm = 0;
    for (; warm == 0 || milliseconds_since(begin) < 8; ++warm) work();
    const int repeats = std::clamp(static_cast<int>(8 * warm / milliseconds_since(begin)), 1, 50);
    const auto start = Clock::now();
    for (int i = 0; i < repeats; ++i) work();
    return milliseconds_since(start) / repeats;
}

// Threads of whoever was measured last may spin a while before they sleep: they would take time from the next one.
void settle() { std::this_thread::sleep_for(std::chrono::milliseconds(30)); }

double median(Times times) {
    std::ranges::sort(times);
    return times.empty() ? 0 : times[times.size() / 2];
}

// ---- data

// Square matrices: each becomes symmetric, with a diagonal that outweighs what is beside it.
void make_positive_definite(const Array& matrices) {
    const std::int64_t n = matrices.shape().back();
    for (float* m = matrices.as<float>(); m != matrices.as<float>() + matrices.size(); m += n * n) {
        for (std::int64_t i = 0; i < n; ++i) {
            for (std::int64_t k = 0; k < i; ++k) m[k * n + i] = m[i * n + k];
            m[i * n + i] = static_cast<float>(n);
        }
    }
}

Array values_of(const Input& input, std::mt19937& random) {
    Array array(DType::f32, input.shape);
    float* to = array.as<float>();
    const auto count = array.size();
    std::normal_distribution<float> normal;
    std::uniform_real_distribution<float> uniform(0.5F, 1.5F);
    for (std::int64_t i = 0; i < count; ++i) {
        const float along = static_cast<float>(i) / static_cast<float>(count - 1);
        switch (input.values) {
        case Input::Values::normal: to[i] = normal(random); break;
        case Input::Values::weights: to[i] = normal(random) / std::sqrt(static_cast<float>(input.shape.front())); break;
        case Input::Values::uniform: to[i] = uniform(random); break;
        case Input::Values::labels: to[i] = static_cast<float>(random() % 2); break;
        case Input::Values::real_axis: to[i] = -2.0F + 2.5F * along; break;
        case Input::Values::imaginary_axis: to[i] = -1.25F + 2.5F * along; break;
        case Input::Values::positive_definite: to[i] = uniform(random) - 1.0F; break;
        }
    }
    if (input.values == Input::Values::positive_definite) make_positive_definite(array);
    return array;
}

class Given final : public InputSource {
  public:
    Given(const std::vector<Input>& inputs, const std::vector<Array>& arrays) : inputs_(inputs), arrays_(arrays) {}
    bool claims(const std::string&) override { return true; }
    std::optional<Arriving> arriving(const std::string& name, const DeclaredType&, bool) override {
        for (std::size_t i = 0; i < inputs_.size(); ++i) {
            if (name != inputs_[i].name) continue;
            Arriving arriving;
            arriving.tensor = {arrays_[i].dtype(), arrays_[i].shape(), arrays_[i]};
            return arriving;
        }
        return std::nullopt;
    }

  private:
    const std::vector<Input>& inputs_;
    const std::vector<Array>& arrays_;
};

// ---- the machine

double bytes_of(const Workload& workload) {
    double elements = static_cast<double>(element_count(workload.result));
    for (const Input& input : workload.inputs) elements += static_cast<double>(element_count(input.shape));
    return 4 * elements;
}

class Machine {
  public:
    explicit Machine(ThreadPool& pool) : pool_(pool), x_(DType::f32, {count}), y_(DType::f32, {count}), to_(DType::f32, {count}) {
        for (const Array* array : {&x_, &y_, &to_}) std::fill_n(array->as<float>(), count, 1.0F);
    }
    // The milliseconds that as many bytes as the workload moves, or as many operations, take.
    double time(const Workload& workload) {
        switch (workload.bound) {
        case Bound::copy: return copy(bytes_of(workload));
        case Bound::triad: return triad(bytes_of(workload));
        case Bound::read: return read(bytes_of(workload));
        case Bound::arithmetic: return workload.operations / operations_a_millisecond();
        case Bound::write: return write(4 * static_cast<double>(element_count(workload.result)));
        case Bound::by_hand:
        case Bound::script: return 0;
        }
        return 0;
    }
    double copy(double bytes) {
        return time_of([&] { each(bytes / 8, [&](std::int64_t begin, std::int64_t size) { bounds::copy(x_.as<float>() + begin, to_.as<float>() + begin, size); }); });
    }
    double triad(double bytes) {
        return time_of([&] { each(bytes / 12, [&](std::int64_t begin, std::int64_t size) { bounds::triad(x_.as<float>() + begin, y_.as<float>() + begin, to_.as<float>() + begin, size); }); });
    }
    double read(double bytes) {
        return time_of([&] { each(bytes / 4, [&](std::int64_t begin, std::int64_t size) { sink_ = bounds::read(x_.as<float>() + begin, size); }); });
    }
    double write(double bytes) {
        return time_of([&] { each(bytes / 4, [&](std::int64_t begin, std::int64_t size) { bounds::write(to_.as<float>() + begin, size); }); });
    }
    double operations_a_millisecond() {
        constexpr std::int64_t rounds = 200'000;
        const double time = time_of([&] { pool_.each(pool_.threads(), [&](std::int64_t) { sink_ = bounds::multiply_adds(rounds); }); });
        return static_cast<double>(bounds::operations_a_round() * rounds * pool_.threads()) / time;
    }

  private:
    static constexpr std::int64_t count = std::int64_t{42} << 20;
    void each(double elements, const std::function<void(std::int64_t, std::int64_t)>& f) {
        const auto all = std::min(static_cast<std::int64_t>(elements), count);
        const std::int64_t parts = 8 * pool_.threads();
        pool_.each(parts, [&](std::int64_t i) { f(all * i / parts, all * (i + 1) / parts - all * i / parts); });
    }

    ThreadPool& pool_;
    Array x_, y_, to_;
    volatile float sink_ = 0;
};

// ---- one row

struct Measured {
    const Workload* workload = nullptr;
    double own = 0, bound = 0;
    std::map<std::string, std::map<std::string, double>> peers; // library, form: milliseconds
    std::string wrong;                                          // how the result differs from NumPy's; empty: it doesn't
};

std::string difference(const Workload& workload, const Array& result, const std::string& path) {
    std::vector<float> wanted(static_cast<std::size_t>(result.size()));
    std::ifstream file(path, std::ios::binary);
    file.read(reinterpret_cast<char*>(wanted.data()), static_cast<std::streamsize>(wanted.size() * sizeof(float)));
    if (!file) return "";
    const Array own = result.contiguous();
    double worst = 0;
    for (std::int64_t i = 0; i < own.size(); ++i) {
        const double a = own.as<float>()[i], b = wanted[static_cast<std::size_t>(i)];
        const double here = std::abs(a - b) / (1 + std::abs(b));
        if (!(here <= worst)) worst = std::isnan(here) ? std::numeric_limits<double>::infinity() : here;
    }
    if (worst <= workload.tolerance) return "";
    std::ostringstream text;
    text << "differs from NumPy by " << worst;
    return text.str();
}

std::string text_of(const std::string& path) {
    std::ifstream file(path);
    std::ostringstream text;
    text << file.rdbuf();
    return text.str();
}

class Run {
  public:
    Run(Options options, const std::string& data) : options_(std::move(options)), data_(data), pool_(cpu_count()), machine_(pool_) {
        for (const char* library : {"numpy", "numexpr", "torch", "jax"}) {
            auto peer = std::make_unique<Peer>(library, options_.python, options_.folder + "/peers.py", data);
            if (!peer->version().empty()) peers_.push_back(std::move(peer));
        }
    }

    Measured measure(const Workload& workload) {
        std::mt19937 random(1);
        std::vector<Array> inputs;
        for (const Input& input : workload.inputs) {
            inputs.push_back(values_of(input, random));
            std::ofstream file(data_ + "/" + workload.row + "." + input.name + ".npy", std::ios::binary);
            write_npy(inputs.back(), [&](std::string_view bytes) { file.write(bytes.data(), static_cast<std::streamsize>(bytes.size())); });
        }
        const Prepared own = prepare(workload.script, workload, inputs);
        const Prepared compared = workload.compared ? prepare(workload.compared, workload, inputs) : Prepared();
        return rounds(workload, own, compared, inputs);
    }

    std::map<std::string, std::string> versions() const {
        std::map<std::string, std::string> all;
        for (const auto& peer : peers_) all[peer->library()] = peer->version();
        return all;
    }
    Machine& machine() { return machine_; }
    int threads() const { return pool_.threads(); }

  private:
    struct Prepared {
        std::shared_ptr<const Graph> graph;
        std::vector<Array> inputs; // of the graph

        std::vector<Array> run() const { return vmaprun::run(*graph, inputs); }
    };

    Prepared prepare(const std::string& script, const Workload& workload, const std::vector<Array>& inputs) const {
        const Source source(script + ".vm", text_of(options_.folder + "/" + script + ".vm"));
        const ParseResult parsed = parse(source);
        Given given(workload.inputs, inputs);
        TraceOptions options;
        options.folder = fold_node;
        const Traced traced = trace(parsed.script, given, options);
        Prepared prepared{run_passes(traced.graph), {}};
        for (const TracedInput& input : traced.inputs) {
            const auto which = std::ranges::find_if(workload.inputs, [&](const Input& candidate) { return input.name == candidate.name; });
            prepared.inputs.push_back(inputs[static_cast<std::size_t>(which - workload.inputs.begin())]);
        }
        return prepared;
    }

    double limit_of(const Workload& workload, const Prepared& compared, const std::vector<Array>& inputs, const Array& by_hand, std::vector<Array>& result) {
        if (workload.bound == Bound::by_hand) return time_of([&] { workload.by_hand(pool_, inputs, by_hand); });
        if (workload.bound != Bound::script) return machine_.time(workload);
        return time_of([&] {
            result.clear();
            result = compared.run();
        });
    }

    Measured rounds(const Workload& workload, const Prepared& prepared, const Prepared& compared, const std::vector<Array>& inputs) {
        std::vector<Peer*> peers;
        for (const auto& peer : peers_) {
            if (peer->load(workload.row)) peers.push_back(peer.get());
        }
        Array by_hand(DType::f32, workload.result);
        std::vector<Array> result, other;
        Times own, limit;
        std::map<std::string, std::map<std::string, Times>> others;
        for (int round = -1; round < options_.rounds; ++round) { // the first one is for warmth alone
            settle();
            const double own_time = time_of([&] {
                result.clear(); // its memory is the next one's
                result = prepared.run();
            });
            const double limit_time = limit_of(workload, compared, inputs, by_hand, other);
            for (Peer* peer : peers) {
                settle();
                for (const auto& [form, time] : peer->time()) {
                    if (round >= 0) others[peer->library()][form].push_back(time);
                }
            }
            if (round < 0) continue;
            own.push_back(own_time);
            limit.push_back(limit_time);
        }
        Measured measured;
        measured.workload = &workload;
        measured.own = median(own);
        measured.bound = median(limit);
        for (const auto& [library, forms] : others) {
            for (const auto& [form, times] : forms) measured.peers[library][form] = median(times);
        }
        if (const std::string path = data_ + "/check"; workload.tolerance > 0 && !peers.empty() && peers[0]->library() == "numpy" && peers[0]->check(path)) measured.wrong = difference(workload, result[0], path);
        for (const auto& file : std::filesystem::directory_iterator(data_)) std::filesystem::remove(file.path());
        return measured;
    }

    Options options_;
    std::string data_;
    ThreadPool pool_;
    Machine machine_;
    std::vector<std::unique_ptr<Peer>> peers_;
};

// ---- what is said about it

std::pair<std::string, double> best_form(const std::map<std::string, double>& forms) {
    return *std::ranges::min_element(forms, {}, [](const auto& form) { return form.second; });
}

struct Verdict {
    std::string what;
    double reached, wanted;
    bool met() const { return reached >= wanted; }
};

std::vector<Verdict> verdicts(const Measured& measured) {
    std::vector<Verdict> all = {{"bound", measured.bound / measured.own, measured.workload->part}};
    for (const Target& target : measured.workload->targets) {
        const auto library = measured.peers.find(target.library);
        if (library == measured.peers.end()) continue;
        const bool any = *target.form == '\0';
        const auto form = library->second.find(target.form);
        if (!any && form == library->second.end()) continue;
        const double time = any ? best_form(library->second).second : form->second;
        all.push_back({std::string(target.library) + (any ? "" : std::string(" ") + target.form), time / measured.own, target.times});
    }
    return all;
}

const char* name_of_bound(Bound bound) {
    switch (bound) {
    case Bound::copy: return "copy";
    case Bound::triad: return "triad";
    case Bound::read: return "read";
    case Bound::write: return "write";
    case Bound::script: return "vmaprun";
    case Bound::arithmetic: return "FMA peak";
    case Bound::by_hand: return "by hand";
    }
    return "";
}

void print_head() {
    std::printf("%-8s%-46s %9s %18s  %13s  %-16s %-16s %-16s %-16s\n", "row", "workload", "vmaprun", "bound", "of it (goal)", "NumPy (goal)", "numexpr (goal)", "PyTorch (goal)", "JAX");
}

// The ratio to a peer, by its best form, and the target: "21.4x (20x)"; every form that has a target of its own.
std::string peer_cell(const Measured& measured, const std::string& library) {
    const auto forms = measured.peers.find(library);
    if (forms == measured.peers.end()) return "-";
    std::string text;
    char part[64];
    for (const Target& target : measured.workload->targets) {
        if (library != target.library) continue;
        const auto form = forms->second.find(target.form);
        const double time = form != forms->second.end() ? form->second : best_form(forms->second).second;
        std::snprintf(part, sizeof part, "%s%.3gx (%gx%s%s)", text.empty() ? "" : ", ", time / measured.own, target.times, *target.form == '\0' ? "" : " ", target.form);
        text += part;
    }
    if (!text.empty()) return text;
    std::snprintf(part, sizeof part, "%.3gx", best_form(forms->second).second / measured.own);
    return part;
}

void print_row(const Measured& measured) {
    const Workload& workload = *measured.workload;
    const auto all = verdicts(measured);
    const bool met = std::ranges::all_of(all, &Verdict::met) && measured.wrong.empty();
    char goal[16] = "";
    if (workload.part > 0) std::snprintf(goal, sizeof goal, "(%4.2f)", workload.part);
    std::printf("%-8s%-46s %6.2f ms %9s %6.2f ms  %5.2f %6s  %-16s %-16s %-16s %-16s %s", workload.row, workload.title, measured.own, name_of_bound(workload.bound), measured.bound,
                measured.bound / measured.own, goal, peer_cell(measured, "numpy").c_str(), peer_cell(measured, "numexpr").c_str(), peer_cell(measured, "torch").c_str(),
                peer_cell(measured, "jax").c_str(), met ? "met" : "NOT MET:");
    for (const Verdict& verdict : all) {
        if (!verdict.met()) std::printf(" %s", verdict.what.c_str());
    }
    std::printf("%s%s\n", measured.wrong.empty() ? "" : " ", measured.wrong.c_str());
    std::fflush(stdout);
}

nlohmann::ordered_json json_of(const Measured& measured) {
    nlohmann::ordered_json row = {{"row", measured.workload->row}, {"title", measured.workload->title}, {"script", std::string(measured.workload->script) + ".vm"}, {"milliseconds", measured.own}};
    row["bound"] = {{"what", name_of_bound(measured.workload->bound)}, {"milliseconds", measured.bound}, {"ratio", measured.bound / measured.own}};
    for (const auto& [library, forms] : measured.peers) {
        for (const auto& [form, time] : forms) row["peers"][library][form] = {{"milliseconds", time}, {"ratio", time / measured.own}};
    }
    for (const Verdict& verdict : verdicts(measured)) row["targets"].push_back({{"what", verdict.what}, {"reached", verdict.reached}, {"wanted", verdict.wanted}, {"met", verdict.met()}});
    if (!measured.wrong.empty()) row["wrong"] = measured.wrong;
    return row;
}

std::string processor() {
    std::ifstream file("/proc/cpuinfo");
    for (std::string line; std::getline(file, line);) {
        if (line.starts_with("model name")) return line.substr(line.find(':') + 2);
    }
    return "unknown";
}

int work(const Options& options) {
    const std::string data = (std::getenv("TMPDIR") ? std::getenv("TMPDIR") : "/tmp") + std::string("/vmaprun-bench-") + std::to_string(getpid());
    std::filesystem::create_directory(data);
    nlohmann::ordered_json report;
    {
        Run run(options, data);
        constexpr double bytes = 1e8;
        const double copy = bytes / run.machine().copy(bytes) / 1e6, triad = bytes / run.machine().triad(bytes) / 1e6, read = bytes / run.machine().read(bytes) / 1e6;
        const double peak = run.machine().operations_a_millisecond() / 1e6;
        report["machine"] = {{"processor", processor()}, {"threads", run.threads()}, {"copy GB/s", copy}, {"triad GB/s", triad}, {"read GB/s", read}, {"FMA Gflop/s", peak}};
        report["rounds"] = options.rounds;
        report["peers"] = run.versions();
        std::printf("%s, %d threads: copy %.0f, triad %.0f, read %.0f GB/s; multiply-add peak %.0f Gflop/s. Medians of %d interleaved rounds, warm; N x: so many times as fast\n", processor().c_str(),
                    run.threads(), copy, triad, read, peak, options.rounds);
        for (const auto& [library, version] : run.versions()) std::printf("%s %s  ", library.c_str(), version.c_str());
        std::printf("\n");
        print_head();
        for (const Workload& workload : workloads()) {
            const bool wanted = options.rows.empty() || std::ranges::any_of(options.rows, [&](const std::string& row) { return row == workload.row || row == workload.script; });
            if (!wanted) continue;
            const Measured measured = run.measure(workload);
            print_row(measured);
            report["rows"].push_back(json_of(measured));
        }
    }
    std::filesystem::remove_all(data);
    std::ofstream(options.json) << report.dump(2) << "\n";
    return 0;
}

} // namespace
} // namespace bench

int main(int argc, char** argv) {
    if (argc < 5) {
        std::fputs("usage: bench_workloads FOLDER JSON PYTHON quick|full [ROW...]\n", stderr);
        return 2;
    }
    signal(SIGPIPE, SIG_IGN);
    // Every variant writes to memory that it has written before: a result that was let go is the next one's.
    const vmaprun::MemoryScope warm(std::size_t{4} << 30U);
    mallopt(M_MMAP_MAX, 0);
    mallopt(M_TRIM_THRESHOLD, std::numeric_limits<int>::max());
    bench::Options options{argv[1], argv[2], argv[3], std::string(argv[4]) == "quick" ? 5 : 21, {argv + 5, argv + argc}};
    return bench::work(options);
}
