#include "io/output_file.hpp"

#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <thread>

#include "support.hpp"

using namespace vmaprun;
using namespace vmaprun::testing;

namespace {

void write_file(const std::string& path, std::string_view text) {
    OutputFile file(path);
    file.write(text);
    file.commit();
}

unsigned mode_of(const std::string& path) {
    struct stat status {};
    REQUIRE(stat(path.c_str(), &status) == 0);
    return status.st_mode & 0777U;
}

} // namespace

TEST_CASE("an output appears whole at its commit, or not at all") {
    const Folder folder;
    {
        OutputFile file(folder / "a.npy");
        file.write("half");
        CHECK(!std::filesystem::exists(folder / "a.npy"));
        CHECK(folder.file_count() == 1);
    }
    CHECK(folder.file_count() == 0);
    write_file(folder / "a.npy", "whole");
    CHECK(read_text(folder / "a.npy") == "whole");
    write_file(folder / "a.npy", "again");
    CHECK(read_text(folder / "a.npy") == "again");
    CHECK(folder.file_count() == 1);
}

TEST_CASE("a new file follows the umask, an old one keeps its permissions") {
    const Folder folder;
    const mode_t before = umask(027);
    write_file(folder / "new", "x");
    umask(before);
    CHECK(mode_of(folder / "new") == 0640);
    chmod((folder / "new").c_str(), 0604);
    write_file(folder / "new", "y");
    CHECK(mode_of(folder / "new") == 0604);
}

TEST_CASE("a symbolic link stays, and what it points to is replaced") {
    const Folder folder;
    write_text(folder / "real", "old");
    REQUIRE(symlink("real", (folder / "link").c_str()) == 0);
    REQUIRE(symlink((folder / "link").c_str(), (folder / "second").c_str()) == 0);
    write_file(folder / "second", "new");
    CHECK(std::filesystem::is_symlink(folder / "second"));
    CHECK(std::filesystem::is_symlink(folder / "link"));
    CHECK(read_text(folder / "real") == "new");
    REQUIRE(symlink("absent", (folder / "dangling").c_str()) == 0);
    write_file(folder / "dangling", "here");
    CHECK(read_text(folder / "absent") == "here");
    REQUIRE(symlink("loop", (folder / "loop").c_str()) == 0);
    CHECK(message_of([&] { OutputFile file(folder / "loop"); }) == "E520 cannot write `" + (folder / "loop") + "`: Too many levels of symbolic links");
}

TEST_CASE("targets that cannot be written say why, with exit code 5") {
    const Folder folder;
    const auto open_message = [](const std::string& path) {
        return message_of([&] { OutputFile file(path); });
    };
    CHECK(open_message(folder / "") == "E520 cannot write `" + (folder / "") + "`: it is a folder");
    CHECK(open_message(folder / "no/such.npy") == "E520 cannot write `" + (folder / "no/such.npy") + "`: there is no folder `" + (folder / "no/") + "`");
    CHECK(open_message("") == "E520 cannot write ``: its name is empty");
    CHECK(open_message(folder / "new/") == "E520 cannot write `" + (folder / "new/") + "`: it names a folder");
    write_text(folder / "file", "x");
    CHECK(open_message(folder / "file/y") == "E520 cannot write `" + (folder / "file/y") + "`: Not a directory");
    try {
        OutputFile file(folder / "");
        FAIL("a folder was opened");
    } catch (const UserError& failure) {
        CHECK(exit_code_of(failure.diagnostics().front()) == 5);
    }
}

TEST_CASE("a full disk is reported at the write, and devices are written directly") {
    OutputFile full("/dev/full");
    CHECK(message_of([&] { full.write("x"); }) == "E520 cannot write `/dev/full`: No space left on device");
    write_file("/dev/null", "x");
    CHECK(std::filesystem::is_character_file("/dev/null"));
    const int full_descriptor = open("/dev/full", O_WRONLY);
    CHECK(message_of([&] { write_descriptor(full_descriptor, "x", "stdout"); }) == "E520 cannot write `stdout`: No space left on device");
    close(full_descriptor);
}

TEST_CASE("a write that fails half way leaves nothing behind") {
    const Folder folder;
    rlimit before{};
    getrlimit(RLIMIT_FSIZE, &before);
    signal(SIGXFSZ, SIG_IGN);
    rlimit small = before;
    small.rlim_cur = 4096;
    setrlimit(RLIMIT_FSIZE, &small);
    const std::string message = message_of([&] { write_file(folder / "a", std::string(100000, 'x')); });
    setrlimit(RLIMIT_FSIZE, &before);
    CHECK(message == "E520 cannot write `" + (folder / "a") + "`: File too large");
    CHECK(folder.file_count() == 0);
}

TEST_CASE("a pipe by name is written directly") {
    const Folder folder;
    REQUIRE(mkfifo((folder / "pipe").c_str(), 0600) == 0);
    std::string got;
    std::thread reader([&] { got = read_text(folder / "pipe"); });
    write_file(folder / "pipe", "through");
    reader.join();
    CHECK(got == "through");
    CHECK(std::filesystem::is_fifo(folder / "pipe"));
}

TEST_CASE("a descriptor by name appends where it stands") {
    const Folder folder;
    const int file = open((folder / "log").c_str(), O_WRONLY | O_CREAT, 0600);
    REQUIRE(write(file, "one ", 4) == 4);
    write_file("/dev/fd/" + std::to_string(file), "two");
    close(file);
    CHECK(read_text(folder / "log") == "one two");
}

TEST_CASE("a reader that has gone is a closed pipe") {
    signal(SIGPIPE, SIG_IGN);
    int ends[2];
    REQUIRE(pipe(ends) == 0);
    close(ends[0]);
    CHECK_THROWS_AS(write_descriptor(ends[1], "x", "stdout"), ClosedPipe);
    close(ends[1]);
}

TEST_CASE("a signal removes all outputs under way") {
    const Folder folder;
    const pid_t child = fork();
    if (child == 0) {
        signal(SIGTERM, [](int) {
            remove_pending_outputs();
            _exit(7);
        });
        const OutputFile done(folder / "c");
        OutputFile first(folder / "a"), second(folder / "b");
        first.write("half");
        write_file(folder / "kept", "x");
        raise(SIGTERM);
        _exit(1);
    }
    int status = 0;
    REQUIRE(waitpid(child, &status, 0) == child);
    CHECK(WEXITSTATUS(status) == 7);
    CHECK(folder.file_count() == 1);
    CHECK(read_text(folder / "kept") == "x");
}

TEST_CASE("outputs of many threads don't meet") {
    const Folder folder;
    std::vector<std::thread> threads;
    for (int t = 0; t < 4; ++t) {
        threads.emplace_back([&, t] {
            for (int i = 0; i < 20; ++i) write_file(folder / (std::to_string(t) + "-" + std::to_string(i)), std::to_string(t));
        });
    }
    for (std::thread& thread : threads) thread.join();
    CHECK(folder.file_count() == 80);
    CHECK(read_text(folder / "3-19") == "3");
}
