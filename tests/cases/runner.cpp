// Runs one case file: scripts, data and commands with their whole expected output.
//
//   usage: case_runner VMAPRUN CASE [--update]
//          case_runner VMAPRUN --markdown PAGE FOLDER
//
// The second form runs every `$ command` of the ```console blocks of a page in FOLDER; the lines that follow a command are
// what it must print (stdout and stderr).
//
// A case is text in sections. A section begins with a line `=== KIND ARGUMENT`:
//   === file NAME      what follows is written to NAME in the case's own empty folder
//   === run COMMAND    the shell runs COMMAND there (`vmaprun` is on the PATH); what follows it is expected of this run:
//   === stdin          given to the command (else nothing is: stdin is empty and no terminal)
//   === stdout         expected, whole (else empty)
//   === stderr         expected, whole (else empty)
//   === exit N         expected (else 0)
//   === made NAME      expected content of a file that the run wrote
// Text before the first section is a comment. --update writes what came out into the case, for a person to review.
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <sstream>
#include <string>
#include <sys/wait.h>
#include <vector>

namespace {

namespace fs = std::filesystem;

struct Section {
    std::string kind, argument, body;
};

std::string read_file(const fs::path& path) {
    std::ifstream in(path, std::ios::binary);
    std::ostringstream text;
    text << in.rdbuf();
    return text.str();
}

void write_file(const fs::path& path, const std::string& text) {
    if (path.has_parent_path()) fs::create_directories(path.parent_path());
    std::ofstream(path, std::ios::binary) << text;
}

struct Case {
    std::string comment;
    std::vector<Section> sections;
};

Case parse_case(const std::string& text) {
    Case parsed;
    std::istringstream lines(text);
    std::string* body = &parsed.comment;
    for (std::string line; std::getline(lines, line);) {
        if (line.rfind("=== ", 0) == 0) {
            const std::size_t blank = line.find(' ', 4);
            Section section{line.substr(4, blank - 4), blank == std::string::npos ? "" : line.substr(blank + 1), {}};
            parsed.sections.push_back(std::move(section));
            body = &parsed.sections.back().body;
        } else {
            *body += line + "\n";
        }
    }
    return parsed;
}

std::string print_case(const Case& written) {
    std::string text = written.comment;
    for (const Section& section : written.sections) {
        text += "=== " + section.kind + (section.argument.empty() ? "" : " " + section.argument) + "\n" + section.body;
    }
    return text;
}

struct Outcome {
    std::string stdout_text, stderr_text;
    int exit_code = 0;
};

Outcome run(const std::string& command, const std::string& input, const fs::path& folder) {
    std::string pattern = (fs::temp_directory_path() / "vmaprun-channels-XXXXXX").string();
    if (mkdtemp(pattern.data()) == nullptr) _exit(99);
    const fs::path channels = pattern;
    write_file(channels / "in", input);
    std::cout.flush();
    const pid_t child = fork();
    if (child == 0) {
        fs::current_path(folder);
        if (!std::freopen((channels / "in").c_str(), "r", stdin) || !std::freopen((channels / "out").c_str(), "w", stdout) || !std::freopen((channels / "err").c_str(), "w", stderr)) _exit(99);
        execl("/bin/sh", "sh", "-c", command.c_str(), nullptr);
        _exit(99);
    }
    int status = 0;
    waitpid(child, &status, 0);
    Outcome outcome{read_file(channels / "out"), read_file(channels / "err"), WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status)};
    fs::remove_all(channels);
    return outcome;
}

// A last line without its newline is kept distinct by a marker that is easy to see.
std::string marked(std::string text) {
    if (!text.empty() && text.back() != '\n') text += "\\ no newline at the end\n";
    return text;
}

class Runner {
  public:
    Runner(Case& from, fs::path folder) : case_(from), folder_(std::move(folder)) {}

    bool run_all() {
        std::vector<Section> kept;
        auto& sections = case_.sections;
        for (std::size_t i = 0; i < sections.size();) {
            if (sections[i].kind == "file") write_file(folder_ / sections[i].argument, sections[i].body);
            if (sections[i].kind != "run") {
                kept.push_back(sections[i++]);
                continue;
            }
            std::size_t end = i + 1;
            while (end < sections.size() && sections[end].kind != "run" && sections[end].kind != "file") ++end;
            run_one({sections.begin() + static_cast<std::ptrdiff_t>(i), sections.begin() + static_cast<std::ptrdiff_t>(end)}, kept);
            i = end;
        }
        sections = std::move(kept);
        return passed_;
    }

  private:
    void run_one(const std::vector<Section>& group, std::vector<Section>& kept) {
        const auto body = [&](const std::string& kind) {
            for (const Section& section : group) {
                if (section.kind == kind) return section.body;
            }
            return std::string();
        };
        int wanted_exit = 0;
        for (const Section& section : group) {
            if (section.kind == "exit") wanted_exit = std::stoi(section.argument);
        }
        const std::string& command = group[0].argument;
        const Outcome outcome = run(command, body("stdin"), folder_);
        kept.push_back(group[0]);
        if (!body("stdin").empty()) kept.push_back({"stdin", {}, body("stdin")});
        expect(command, "stdout", body("stdout"), marked(outcome.stdout_text), kept);
        expect(command, "stderr", body("stderr"), marked(outcome.stderr_text), kept);
        if (outcome.exit_code != 0) kept.push_back({"exit", std::to_string(outcome.exit_code), {}});
        if (outcome.exit_code != wanted_exit) fail(command, "exit code", std::to_string(wanted_exit), std::to_string(outcome.exit_code));
        for (const Section& section : group) {
            if (section.kind != "made") continue;
            const std::string made = fs::exists(folder_ / section.argument) ? marked(read_file(folder_ / section.argument)) : "(no such file)\n";
            kept.push_back({"made", section.argument, made});
            if (made != section.body) fail(command, section.argument, section.body, made);
        }
    }

    void expect(const std::string& command, const std::string& what, const std::string& wanted, const std::string& found, std::vector<Section>& kept) {
        if (!found.empty()) kept.push_back({what, {}, found});
        if (wanted != found) fail(command, what, wanted, found);
    }

    void fail(const std::string& command, const std::string& what, const std::string& wanted, const std::string& found) {
        passed_ = false;
        std::cout << "FAILED: " << command << "\n--- " << what << ", expected:\n" << wanted << "\n--- " << what << ", found:\n" << found << "\n";
    }

    Case& case_;
    fs::path folder_;
    bool passed_ = true;
};

int run_markdown(const fs::path& page, const fs::path& folder) {
    std::istringstream lines(read_file(page));
    bool inside = false, passed = true;
    int commands = 0;
    std::string command, wanted;
    const auto finish = [&] {
        if (command.empty()) return;
        ++commands;
        const Outcome outcome = run(command + " 2>&1", "", folder);
        if (outcome.stdout_text != wanted) {
            passed = false;
            std::cout << "FAILED: " << command << "\n--- expected:\n" << wanted << "--- found:\n" << outcome.stdout_text;
        }
        command.clear();
        wanted.clear();
    };
    for (std::string line; std::getline(lines, line);) {
        if (line.rfind("```", 0) == 0) {
            finish();
            inside = line == "```console";
        } else if (inside && line.rfind("$ ", 0) == 0) {
            finish();
            command = line.substr(2);
        } else if (inside) {
            wanted += line + "\n";
        }
    }
    if (commands == 0) std::cout << "FAILED: no commands in " << page << "\n";
    return passed && commands > 0 ? 0 : 1;
}

} // namespace

int main(int argc, char** argv) {
    if (argc < 3) {
        std::cerr << "usage: case_runner VMAPRUN CASE [--update]\n";
        return 2;
    }
    const fs::path tool = fs::absolute(argv[1]), path = argv[2];
    const bool update = argc > 3 && std::string(argv[3]) == "--update";
    setenv("PATH", (tool.parent_path().string() + ":" + std::getenv("PATH")).c_str(), 1);
    setenv("LC_ALL", "C.UTF-8", 1);
    unsetenv("NO_COLOR");
    if (std::string(argv[2]) == "--markdown") return argc == 5 ? run_markdown(argv[3], argv[4]) : 2;
    std::string pattern = (fs::temp_directory_path() / "vmaprun-case-XXXXXX").string();
    if (mkdtemp(pattern.data()) == nullptr) {
        std::cerr << "case_runner: no temporary folder\n";
        return 2;
    }
    Case parsed = parse_case(read_file(path));
    const bool passed = Runner(parsed, pattern).run_all();
    fs::remove_all(pattern);
    if (update) {
        write_file(path, print_case(parsed));
        return 0;
    }
    return passed ? 0 : 1;
}
