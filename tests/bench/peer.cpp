#include "peer.hpp"

#include <cstdlib>
#include <fcntl.h>
#include <sstream>
#include <sys/wait.h>
#include <unistd.h>

namespace bench {

Peer::Peer(const std::string& library, const std::string& python, const std::string& script, const std::string& folder) : library_(library) {
    int to[2], from[2];
    if (pipe2(to, O_CLOEXEC) != 0 || pipe2(from, O_CLOEXEC) != 0) return;
    process_ = fork();
    if (process_ == 0) {
        dup2(to[0], 0);
        dup2(from[1], 1);
        for (const int end : {to[0], to[1], from[0], from[1]}) close(end);
        for (const char* flattering : {"OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE"}) unsetenv(flattering); // they would slow it down
        setenv("GLIBC_TUNABLES", "glibc.malloc.hugetlb=1", 1);
        setenv("JAX_PLATFORMS", "cpu", 1);
        execlp(python.c_str(), python.c_str(), script.c_str(), library.c_str(), folder.c_str(), nullptr);
        _exit(127);
    }
    close(to[0]);
    close(from[1]);
    to_ = fdopen(to[1], "w");
    from_ = fdopen(from[0], "r");
    std::istringstream answer(ask(""));
    std::string word;
    answer >> word >> version_;
    if (version_.empty()) std::printf("%s: not installed for %s, its columns stay empty\n", library.c_str(), python.c_str());
}

Peer::~Peer() {
    if (to_) std::fclose(to_);
    if (from_) std::fclose(from_);
    if (process_ > 0) waitpid(process_, nullptr, 0);
}

std::string Peer::ask(const std::string& line) {
    if (to_ == nullptr || from_ == nullptr) return "";
    if (!line.empty() && (std::fprintf(to_, "%s\n", line.c_str()) < 0 || std::fflush(to_) != 0)) return "";
    char answer[4096];
    return std::fgets(answer, sizeof answer, from_) ? answer : "";
}

bool Peer::load(const std::string& row) { return !version_.empty() && ask("load " + row).starts_with("ok"); }
bool Peer::check(const std::string& path) { return ask("check " + path).starts_with("ok"); }

std::map<std::string, double> Peer::time() {
    std::map<std::string, double> times;
    std::istringstream answer(ask("time"));
    for (std::string word; answer >> word;) {
        const std::size_t equals = word.find('=');
        if (equals != std::string::npos) times[word.substr(0, equals)] = std::atof(word.c_str() + equals + 1);
    }
    return times;
}

} // namespace bench
