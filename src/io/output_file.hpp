// Files out: an output appears whole or not at all.
//
// An OutputFile writes to a temporary file beside its target, and puts it in place with commit(): fsync, close, rename. Without a commit, or
// after a failure or a signal, nothing of it stays. The target keeps its permissions where it exists; a symbolic link stays
// and the file it points to is replaced. Devices, pipes and /dev/stdout are written directly.
// Failures are UserError E520 with the path and the system's reason (exit 5).
#pragma once

#include <atomic>
#include <cstdint>
#include <exception>
#include <string>
#include <string_view>

#include "io/json_writer.hpp"

namespace vmaprun {

// Whoever read our standard output is gone: the command ends quietly with 141.
class ClosedPipe : public std::exception {
  public:
    const char* what() const noexcept override { return "standard output was closed"; }
};

class OutputFile {
  public:
    explicit OutputFile(const std::string& path);
    ~OutputFile();
    OutputFile(const OutputFile&) = delete;
    OutputFile& operator=(const OutputFile&) = delete;

    void write(std::string_view bytes);
    // Whether write_at works: a file, no device or pipe. Several threads may call it at once; after `reserve`, which
    // takes the space for the whole, the disk begins to write what is there.
    bool is_file() const { return !temporary_.empty(); }
    void reserve(std::int64_t bytes);
    void write_at(std::int64_t offset, std::string_view bytes);
    void commit();
    Sink sink() {
        return [this](std::string_view bytes) { write(bytes); };
    }

  private:
    struct Pending;
    void open_temporary();
    void pend(const std::string& name);
    void settle() noexcept;
    void discard() noexcept;
    [[noreturn]] void fail(const char* action, int reason);

    std::string path_;      // as the user wrote it
    std::string target_;    // behind symbolic links; empty when written directly
    std::string temporary_; // empty when written directly
    Pending* pending_ = nullptr;
    std::atomic<std::int64_t> written_{0}; // by write_at
    int descriptor_ = -1;
    bool is_stdout_ = false;
    friend void remove_pending_outputs() noexcept;
};

// Removes the temporary files of all outputs under way. Async-signal-safe: for handlers of SIGINT and SIGTERM.
void remove_pending_outputs() noexcept;

// Writes all of it to standard output, unbuffered. ClosedPipe where the reader is gone (SIGPIPE must be ignored); else E520.
void write_stdout(std::string_view bytes);

// All of it, through interruptions: 0, or the errno that stopped it.
int write_all(int descriptor, std::string_view bytes) noexcept;

// The same as write_stdout to any descriptor; `name` is what messages call it.
void write_descriptor(int descriptor, std::string_view bytes, const std::string& name);

} // namespace vmaprun
