// A peer library at work in a process of its own (peers.py), which stays for the whole run so that its memory is warm.
#pragma once

#include <cstdio>
#include <map>
#include <string>
#include <sys/types.h>

namespace bench {

class Peer {
  public:
    // `python`: the interpreter; `script`: peers.py. Prints a line when the library isn't there.
    Peer(const std::string& library, const std::string& python, const std::string& script, const std::string& folder);
    ~Peer();
    Peer(const Peer&) = delete;
    Peer& operator=(const Peer&) = delete;

    const std::string& library() const { return library_; }
    const std::string& version() const { return version_; } // empty: it isn't there
    bool load(const std::string& row);                       // false: it has no form of this row
    std::map<std::string, double> time();                    // of every form, in milliseconds
    bool check(const std::string& path);

  private:
    std::string ask(const std::string& line);

    std::string library_, version_;
    pid_t process_ = 0;
    std::FILE *to_ = nullptr, *from_ = nullptr;
};

} // namespace bench
