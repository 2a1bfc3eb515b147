// run: one script on its inputs, or on each file of a batch.
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <map>
#include <memory>
#include <thread>

#include "base/profile.hpp"
#include "cli/batch.hpp"
#include "cli/limits.hpp"
#include "cli/report.hpp"
#include "cli/verbs.hpp"
#include "io/file.hpp"
#include "io/info.hpp"
#include "io/output_file.hpp"
#include "io/paths.hpp"

namespace vmaprun::cli {
namespace {

[[noreturn]] void fail_usage(std::string message, std::string help) {
    throw UserError(error("", std::move(message)).help(std::move(help)).exits(2));
}

// ---- outputs ---------------------------------------------------------------------------------------------------------

// Standard output, a device or a pipe: what goes there is JSON.
bool is_stream(const std::string& path) {
    struct stat status {};
    return path == "-" || (stat(path.c_str(), &status) == 0 && (S_ISCHR(status.st_mode) || S_ISFIFO(status.st_mode)));
}

// What a stream of records writes.
void require_lines(const Command& command) {
    if (command.format == StdoutFormat::npy || command.format == StdoutFormat::npz) fail_usage("--ndjson writes a line of JSON for each record, and -f asks for arrays", "leave out one of the two");
    if (command.outputs.size() > 1) fail_usage("--ndjson writes one stream of lines, and there are several -o", "leave out all but one");
    for (const OutputPath& output : command.outputs) {
        const std::string ending = ending_of(output.path);
        if (!output.name.empty()) fail_usage("--ndjson writes all outputs of a record on its line, and `-o " + output.name + "=" + output.path + "` asks for one", "let the script have that output alone");
        if (ending == ".ndjson" || ending == ".jsonl" || ending == ".json" || is_stream(output.path) || output.path.ends_with("{name}")) continue;
        fail_usage("`-o " + output.path + "`: --ndjson writes lines of JSON", "known are .ndjson, .jsonl and .json");
    }
}

void require_known_endings(const Command& command) {
    for (auto output = command.outputs.begin(); output != command.outputs.end(); ++output) {
        const bool twice = std::ranges::any_of(command.outputs.begin(), output, [&](const OutputPath& other) { return other.path == output->path; });
        if (twice && output->path != "-") fail_usage("two outputs would be written to `" + output->path + "`", "give each a file of its own");
    }
    if (command.ndjson) return require_lines(command);
    for (const OutputPath& output : command.outputs) {
        const std::string ending = ending_of(output.path);
        if (ending == ".json" || ending == ".npy" || ending == ".npz" || is_stream(output.path) || output.path.ends_with("{name}")) continue;
        if (ending.empty()) fail_usage("`-o " + output.path + "`: an output is written by its ending, and this has none", "known are .json, .npy and .npz");
        fail_usage("`-o " + output.path + "`: an output is written by its ending, and `" + ending + "` is not known", "known are .json, .npy and .npz");
    }
}

// The files that a run writes. An .npy file that nothing else needs the output of may be written while it is computed; it is opened only
// then, so that what is wrong with the script is said before what is wrong with the file.
class Files {
  public:
    explicit Files(const Command& command) : command_(command) {
        const bool placed = command.format == StdoutFormat::unset && std::ranges::all_of(command.outputs, [](const OutputPath& output) {
            return ending_of(output.path) == ".npy" && !is_stream(output.path);
        });
        for (const OutputPath& output : command.outputs) {
            const bool alone = std::ranges::count(command.outputs, output.name, &OutputPath::name) == 1;
            placed_.push_back(placed && alone ? std::make_unique<Placed>(output.path) : nullptr);
        }
    }

    std::vector<WantedOutput> wanted() const {
        std::vector<WantedOutput> wanted;
        for (std::size_t i = 0; i < command_.outputs.size(); ++i) {
            const OutputPath& output = command_.outputs[i];
            const bool npy = ending_of(output.path) == ".npy";
            if (npy || !output.name.empty()) wanted.push_back({output.name, npy, placed_[i].get()});
        }
        if (command_.format == StdoutFormat::npy) wanted.push_back({"", true, nullptr});
        return wanted;
    }

    // All files are written, then `print` writes to stdout, then they are put in place: all or nothing as far as can be.
    template <class F> void write(const Result& result, F&& print) {
        std::vector<std::unique_ptr<OutputFile>> files;
        for (std::size_t i = 0; i < command_.outputs.size(); ++i) {
            const OutputPath& output = command_.outputs[i];
            if (output.path == "-") continue;
            if (placed_[i] && placed_[i]->file) {
                files.push_back(std::move(placed_[i]->file));
            } else {
                files.push_back(std::make_unique<OutputFile>(output.path));
                write_output(output, result, files.back()->sink());
            }
        }
        for (const OutputPath& output : command_.outputs) {
            if (output.path == "-") write_output(output, result, write_stdout);
        }
        print();
        for (const auto& file : files) file->commit();
    }

  private:
    struct Placed final : PlacedOutput {
        explicit Placed(std::string to) : path(std::move(to)) {}
        void begin(std::int64_t bytes) override {
            file = std::make_unique<OutputFile>(path);
            file->reserve(bytes);
        }
        void write(std::int64_t offset, std::string_view bytes) override { file->write_at(offset, bytes); }

        std::string path;
        std::unique_ptr<OutputFile> file;
    };

    void write_output(const OutputPath& output, const Result& result, const Sink& sink) const {
        const std::string name = output.name.empty() && !result.names().empty() ? result.names().front() : output.name;
        const std::string ending = ending_of(output.path);
        if (ending == ".npy") return result.write_npy(name, sink);
        if (ending == ".npz") return output.name.empty() ? result.write_npz(sink) : result.write_npz(name, sink);
        if (output.name.empty()) return result.write_json(command_.json, sink);
        result.write_json(name, command_.json, sink);
    }

    const Command& command_;
    std::vector<std::unique_ptr<Placed>> placed_; // null: written when all is computed
};

void write_results(const Command& command, const Result& result, Files& files) {
    files.write(result, [&] {
        if (!command.outputs.empty() && command.format == StdoutFormat::unset) return;
        JsonFormat format = command.json;
        if (command.format == StdoutFormat::ndjson) format.compact = true;
        if (command.format == StdoutFormat::npy) result.write_npy(result.names().front(), write_stdout);
        else if (command.format == StdoutFormat::npz) result.write_npz(write_stdout);
        else result.write_json(format, write_stdout);
    });
}

int run_once(const Command& command, const ScriptText& script, Session& session) {
    return guarded(command, [&] {
        Files files(command);
        const Result result = session.run(script.text, script.name, files.wanted());
        report(command, result.messages());
        const ProfileSpan span("I/O", [] { return ProfileSpan::What{"write the outputs", {}, {}}; });
        if (result.ok()) write_results(command, result, files);
        return result.exit_code();
    });
}

// The same on every record of a file or standard input.
int run_records(const Command& command, const ScriptText& script, Session& session) {
    return guarded(command, [&] {
        const std::string path = command.session.data.empty() ? "-" : command.session.data;
        const InputFile records(path);
        RecordStream stream;
        stream.descriptor = records.descriptor();
        stream.name = records.name();
        stream.latency = command.latency;
        stream.keep_going = command.keep_going;
        stream.nan = command.json.nan;
        const bool to_file = !command.outputs.empty() && command.outputs.front().path != "-";
        const std::unique_ptr<OutputFile> file = to_file ? std::make_unique<OutputFile>(command.outputs.front().path) : nullptr;
        stream.sink = to_file ? file->sink() : Sink(write_stdout);
        const StreamReport report = session.stream(script.text, script.name, stream);
        cli::report(command, report.messages);
        if (file && (report.exit_code == 0 || command.keep_going)) file->commit();
        if (report.failed > 0 && command.keep_going) say(remark(command, std::to_string(report.failed) + " of " + std::to_string(report.records) + " records failed"));
        return report.exit_code;
    });
}

// The same, recorded; the trace is written also of a run that fails.
int run_profiled(const Command& command, const ScriptText& script, Session& session) {
    const auto run = [&] { return command.ndjson ? run_records(command, script, session) : run_once(command, script, session); };
    if (command.profile.empty()) return run();
    OutputFile file(command.profile);
    Profile::name_thread("main");
    Profile::start();
    const int status = run();
    file.write(Profile::finish());
    file.commit();
    return status;
}

// ---- batches ---------------------------------------------------------------------------------------------------------

std::vector<std::string> data_files(const Command& command) {
    std::vector<std::string> files;
    for (std::size_t i = command.code ? 0 : 1; i < command.operands.size(); ++i) {
        for (std::string& path : expand_pattern(command.operands[i])) files.push_back(std::move(path));
    }
    return files;
}

// The command with the outputs that it has for a data file.
Command filled(const Command& command, const std::string& file) {
    Command one = command;
    for (OutputPath& output : one.outputs) {
        if (is_template(output.path)) output.path = fill_template(output.path, file);
    }
    return one;
}

Command command_for(const Command& command, const std::string& file) {
    Command one = filled(command, file);
    require_known_endings(one);
    one.session.data = file;
    for (std::size_t i = 0; i < one.outputs.size(); ++i) {
        if (is_template(command.outputs[i].path)) make_folders_of(one.outputs[i].path);
    }
    return one;
}

void refuse_templates(const Command& command) {
    for (const OutputPath& output : command.outputs) {
        if (is_template(output.path)) fail_usage("`-o " + output.path + "` is named by a data file, and none is given", "`{stem}` and `{name}` stand for a file, as in `vmaprun s.vm 'data/*.npy' -o 'out/{stem}.npy'`");
    }
}

// Every file needs an output of its own.
void require_distinct_outputs(const Command& command, const std::vector<std::string>& files) {
    std::map<std::string, std::string> writers;
    for (const std::string& file : files) require_known_endings(filled(command, file)); // `{name}` brings the ending of the file
    for (const OutputPath& output : command.outputs) {
        if (const std::string field = unknown_field(output.path); !field.empty()) fail_usage("`" + field + "` in `-o " + output.path + "` stands for nothing", "`{stem}` stands for the data file's name without its ending, `{name}` for the whole name");
        if (!is_template(output.path)) fail_usage("every file would write `" + output.path + "`", "name outputs by their file: `-o 'out/{stem}.npy'`");
        for (const std::string& file : files) {
            const auto [at, fresh] = writers.emplace(fill_template(output.path, file), file);
            if (!fresh) fail_usage("`" + at->second + "` and `" + file + "` would both write `" + at->first + "`", ending_of(at->second) == ending_of(file) ? "files of one name in several folders go one folder at a time" : "`{name}` has the ending as well");
        }
    }
}

// Whether a file is what its ending says, as far as its header tells.
bool is_sound(const std::string& path) {
    try {
        const std::string ending = ending_of(path);
        if (ending == ".npy" || ending == ".npz") (void)info(path);
        return true;
    } catch (const UserError&) {
        return false;
    }
}

// Whether all outputs of a data file are there, none of them older than it.
bool is_complete(const Command& command, const std::string& file) {
    struct stat data {};
    if (command.outputs.empty() || stat(file.c_str(), &data) != 0) return false;
    return std::ranges::all_of(filled(command, file).outputs, [&](const OutputPath& output) {
        struct stat made {};
        if (stat(output.path.c_str(), &made) != 0 || !S_ISREG(made.st_mode) || made.st_size == 0 || !is_sound(output.path)) return false;
        return std::pair(made.st_mtim.tv_sec, made.st_mtim.tv_nsec) >= std::pair(data.st_mtim.tv_sec, data.st_mtim.tv_nsec);
    });
}

// The files that --resume leaves to be done.
std::vector<std::string> not_complete(const Command& command, std::vector<std::string> files) {
    const std::size_t complete = std::erase_if(files, [&](const std::string& file) { return is_complete(command, file); });
    if (complete > 0 && !command.quiet && command.diagnostics == DiagnosticsFormat::human) say(remark(command, std::to_string(complete) + " of " + std::to_string(files.size() + complete) + " files are complete"));
    return files;
}

int run_batch(const Command& command, const ScriptText& script, const std::vector<std::string>& files) {
    const auto cpus = static_cast<int>(std::max(1U, std::thread::hardware_concurrency()));
    Command shared = command;
    shared.session = session_options(command);
    if (shared.session.threads == 0) shared.session.threads = std::max(1, cpus / command.jobs);
    Session session(shared.session);
    // Whatever is on standard input is there for every file; of records, each file has its own.
    if (!command.ndjson) session.read_standard_input(script.text, script.name);
    // What is wrong for every file is said once.
    int script_status = 0;
    run_jobs(1, 1, [&](std::size_t) {
        Options without_data = shared.session;
        without_data.read_stdin = false;
        const Result checked = Session(without_data).check(script.text, script.name);
        if (checked.exit_code() == 3 || checked.exit_code() == 2) report(shared, checked.messages());
        return checked.exit_code();
    }, [&](std::size_t, const JobOutcome& outcome) {
        script_status = outcome.exit_code;
        say(outcome.diagnostics);
    });
    if (script_status == 3 || script_status == 2) return script_status;

    ProgressBar progress(files.size(), isatty(STDERR_FILENO) != 0 && !command.quiet);
    std::vector<std::string> outputs(files.size());
    std::vector<char> ended(files.size(), 0);
    std::size_t failed = 0, printed = 0;
    std::string said; // of the last file that failed: the same is not said again
    run_jobs(files.size(), static_cast<std::size_t>(command.jobs), [&](std::size_t index) {
        limit_time(command.timeout, command);
        return guarded(command, [&] {
            const Command one = command_for(shared, files[index]);
            if (command.ndjson) return run_records(one, script, session);
            session.bind_data(files[index]);
            return run_once(one, script, session);
        });
    }, [&](std::size_t index, JobOutcome outcome) {
        progress.clear();
        if (outcome.exit_code != 0) {
            ++failed;
            // People are not told the same twice; a program reads every file's own.
            const bool again = command.diagnostics == DiagnosticsFormat::human && outcome.diagnostics == said && !said.empty();
            if (again) outcome.diagnostics.clear();
            else said = outcome.diagnostics;
            outcome.diagnostics += remark(command, "`" + files[index] + "` failed" + (again ? " in the same way" : ""));
        }
        say(outcome.diagnostics);
        outputs[index] = std::move(outcome.output);
        ended[index] = 1;
        for (; printed < files.size() && ended[printed] != 0; ++printed) {
            write_stdout(outputs[printed]);
            outputs[printed] = {};
        }
        progress.step(outcome.exit_code != 0);
    });
    progress.clear();
    if (failed > 0) say(remark(command, std::to_string(failed) + " of " + std::to_string(files.size()) + " files failed"));
    return failed > 0 ? 1 : 0;
}

} // namespace

int run_verb(const Command& command) {
    return guarded(command, [&] {
        require_known_endings(command);
        const ScriptText script = the_script(command);
        const std::vector<std::string> files = data_files(command);
        if (files.size() > 1 && !command.profile.empty()) fail_usage("--profile records one run, and this is a batch", "give it one of the files");
        // Arrays can follow each other; an archive ends with its directory.
        if (files.size() > 1 && command.format == StdoutFormat::npz) fail_usage("`-f npz` writes one archive, and there are " + std::to_string(files.size()) + " data files", "write one for each: `-o 'out/{stem}.npz'`");
        if (command.resume && (files.empty() || command.outputs.empty())) fail_usage("--resume goes on with a batch that writes files", "as in `vmaprun s.vm 'data/*.npy' -o 'out/{stem}.npy' --resume`");
        if (files.size() > 1) {
            require_distinct_outputs(command, files);
            return run_batch(command, script, command.resume ? not_complete(command, files) : files);
        }
        if (command.resume && is_complete(command, files.front())) return 0;
        limit_time(command.timeout, command);
        if (files.empty()) refuse_templates(command);
        const Command one = files.empty() ? command : command_for(command, files.front());
        Options options = session_options(one);
        if (one.ndjson) options.data.clear(); // holds the records, and is no input
        Session session(options);
        return run_profiled(one, script, session);
    });
}

} // namespace vmaprun::cli
