#include "io/output_file.hpp"

#include <fcntl.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <climits>
#include <cstdio>
#include <cstring>

#include "base/error.hpp"

namespace vmaprun {

// A temporary file that a signal handler may have to remove. The list only grows; slots are used again.
struct OutputFile::Pending {
    std::atomic<int> state{0}; // 0 free, 1 being filled, 2 names a file
    char path[PATH_MAX] = {};
    Pending* next = nullptr;
};

namespace {

constexpr int longest_link_chain = 40;
constexpr std::int64_t worth_reserving = 1 << 20; // bytes
constexpr std::int64_t stretch_bytes = 8 << 20;

// An OutputFile::Pending. Lock-free, so that handlers may walk the list at any moment.
std::atomic<void*> first_pending{nullptr};

[[noreturn]] void fail_write(const std::string& name, const std::string& reason) {
    throw UserError(error("E520", "cannot write `" + name + "`: " + reason).exits(5));
}

std::string folder_of(const std::string& path) {
    const std::size_t slash = path.rfind('/');
    return slash == std::string::npos ? "" : path.substr(0, slash + 1);
}

// The descriptor that a path like /dev/stdout or /dev/fd/3 stands for; -1 for other paths.
int descriptor_named(const std::string& path) {
    if (path == "/dev/stdout") return STDOUT_FILENO;
    if (path == "/dev/stderr") return STDERR_FILENO;
    for (const std::string_view folder : {"/dev/fd/", "/proc/self/fd/"}) {
        if (!path.starts_with(folder) || path.size() == folder.size() || path.size() > folder.size() + 6) continue;
        if (path.find_first_not_of("0123456789", folder.size()) == std::string::npos) return std::stoi(path.substr(folder.size()));
    }
    return -1;
}

// The path behind symbolic links, whether a file is there or not. Stops at names of descriptors.
std::string behind_links(const std::string& path) {
    std::string target = path;
    for (int links = 0; links < longest_link_chain; ++links) {
        char text[PATH_MAX];
        if (descriptor_named(target) >= 0) return target;
        const ssize_t length = readlink(target.c_str(), text, sizeof text);
        if (length < 0) return target;
        const std::string link(text, static_cast<std::size_t>(length));
        target = link.starts_with('/') ? link : folder_of(target) + link;
    }
    fail_write(path, std::strerror(ELOOP));
}

std::string temporary_beside(const std::string& target) {
    static std::atomic<unsigned> counter{0};
    char name[64];
    std::snprintf(name, sizeof name, ".vmaprun-%ld-%u.tmp", static_cast<long>(getpid()), counter.fetch_add(1));
    return folder_of(target) + name;
}

bool is_plain_file_or_absent(const std::string& path, const std::string& target, struct stat& status, bool& exists) {
    exists = stat(target.c_str(), &status) == 0;
    if (!exists) {
        if (errno != ENOENT) fail_write(path, std::strerror(errno));
        return true;
    }
    if (S_ISDIR(status.st_mode)) fail_write(path, "it is a folder");
    return S_ISREG(status.st_mode);
}

} // namespace

OutputFile::OutputFile(const std::string& path) : path_(path) {
    if (path.empty()) fail_write(path, "its name is empty");
    if (path.find('\0') != std::string::npos) fail_write(path.substr(0, path.find('\0')), "its name contains a NUL character");
    std::string target = behind_links(path);
    if (const int named = descriptor_named(target); named >= 0) {
        is_stdout_ = named == STDOUT_FILENO;
        descriptor_ = fcntl(named, F_DUPFD_CLOEXEC, 0);
        if (descriptor_ < 0) fail("open", errno);
        return;
    }
    struct stat status {};
    bool exists = false;
    if (!is_plain_file_or_absent(path, target, status, exists)) {
        descriptor_ = open(target.c_str(), O_WRONLY | O_CLOEXEC | O_NOCTTY);
        if (descriptor_ < 0) fail("open", errno);
        return;
    }
    if (target.ends_with('/')) fail_write(path, "it names a folder");
    // A rename would get round the file's own protection.
    if (exists && access(target.c_str(), W_OK) != 0) fail("open", errno);
    target_ = std::move(target);
    open_temporary();
    if (exists) (void)fchmod(descriptor_, status.st_mode & 0777U);
}

void OutputFile::open_temporary() {
    for (int attempt = 0; attempt < 100; ++attempt) {
        const std::string name = temporary_beside(target_);
        if (name.size() >= PATH_MAX) fail("open", ENAMETOOLONG);
        pend(name);
        descriptor_ = open(name.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
        if (descriptor_ >= 0) {
            temporary_ = name;
            return;
        }
        const int reason = errno;
        settle();
        if (reason != EEXIST) fail("open", reason);
    }
    fail("open", EEXIST);
}

void OutputFile::pend(const std::string& name) {
    Pending* slot = static_cast<Pending*>(first_pending.load());
    int unused = 0;
    while (slot != nullptr && !slot->state.compare_exchange_strong(unused, 1)) {
        slot = slot->next;
        unused = 0;
    }
    if (slot == nullptr) {
        slot = new Pending; // lives as long as the process
        slot->state = 1;
        void* head = first_pending.load();
        do slot->next = static_cast<Pending*>(head);
        while (!first_pending.compare_exchange_weak(head, slot));
    }
    std::memcpy(slot->path, name.c_str(), name.size() + 1);
    slot->state = 2;
    pending_ = slot;
}

void OutputFile::settle() noexcept {
    if (pending_ != nullptr) pending_->state = 0;
    pending_ = nullptr;
}

void OutputFile::fail(const char* action, int reason) {
    discard();
    std::string text = std::strerror(reason);
    if (reason == ENOENT) text = "there is no folder `" + folder_of(target_.empty() ? path_ : target_) + "`";
    if (action[0] != 'o' && action[0] != 'w') text += std::string(" (at ") + action + ")";
    fail_write(path_, text);
}

void OutputFile::discard() noexcept {
    if (descriptor_ >= 0) close(descriptor_);
    descriptor_ = -1;
    if (!temporary_.empty()) unlink(temporary_.c_str());
    temporary_.clear();
    settle();
}

OutputFile::~OutputFile() { discard(); }

void OutputFile::write(std::string_view bytes) {
    if (descriptor_ < 0) throw InternalError("write to an output that is closed");
    const int reason = write_all(descriptor_, bytes);
    if (reason == 0) return;
    if (reason == EPIPE && is_stdout_) throw ClosedPipe();
    fail("write", reason);
}

void OutputFile::reserve(std::int64_t bytes) {
    // A file system that has no such call has the space, or not, when it is written.
    if (bytes < worth_reserving || fallocate(descriptor_, 0, 0, bytes) == 0 || (errno != ENOSPC && errno != EFBIG && errno != EDQUOT)) return;
    fail("write", errno);
}

void OutputFile::write_at(std::int64_t offset, std::string_view bytes) {
    const auto length = static_cast<off_t>(bytes.size());
    for (off_t at = offset; !bytes.empty();) {
        const ssize_t count = pwrite(descriptor_, bytes.data(), std::min(bytes.size(), std::size_t{1} << 30U), at);
        if (count < 0 && errno == EINTR) continue;
        if (count < 0) fail_write(path_, std::strerror(errno)); // other threads still use the descriptor
        bytes.remove_prefix(static_cast<std::size_t>(count));
        at += count;
    }
    // The disk works while the rest is computed, a stretch at a time: commit() has less to wait for.
    const std::int64_t before = written_.fetch_add(length, std::memory_order_relaxed);
    if (before / stretch_bytes != (before + length) / stretch_bytes) (void)sync_file_range(descriptor_, 0, 0, SYNC_FILE_RANGE_WRITE);
}

void OutputFile::commit() {
    if (descriptor_ < 0) throw InternalError("commit of an output that is closed");
    // Some file systems and all pipes have no fsync: EINVAL and ENOTSUP say so.
    if (!temporary_.empty() && fsync(descriptor_) != 0 && errno != EINVAL && errno != ENOTSUP) fail("fsync", errno);
    const int closed = close(descriptor_);
    descriptor_ = -1;
    if (closed != 0 && errno != EINTR) fail("close", errno);
    if (temporary_.empty()) return;
    if (rename(temporary_.c_str(), target_.c_str()) != 0) fail("rename", errno);
    temporary_.clear();
    settle();
}

void remove_pending_outputs() noexcept {
    const int kept = errno;
    for (auto* slot = static_cast<OutputFile::Pending*>(first_pending.load()); slot != nullptr; slot = slot->next) {
        if (slot->state.load() == 2) unlink(slot->path);
    }
    errno = kept;
}

int write_all(int descriptor, std::string_view bytes) noexcept {
    while (!bytes.empty()) {
        const ssize_t count = ::write(descriptor, bytes.data(), std::min(bytes.size(), std::size_t{1} << 30U));
        if (count >= 0) {
            bytes.remove_prefix(static_cast<std::size_t>(count));
        } else if (errno == EAGAIN) {
            // A terminal or pipe that somebody made non-blocking.
            pollfd wait{descriptor, POLLOUT, 0};
            if (poll(&wait, 1, -1) < 0 && errno != EINTR) return errno;
        } else if (errno != EINTR) {
            return errno;
        }
    }
    return 0;
}

void write_descriptor(int descriptor, std::string_view bytes, const std::string& name) {
    const int reason = write_all(descriptor, bytes);
    if (reason == EPIPE) throw ClosedPipe();
    if (reason != 0) fail_write(name, std::strerror(reason));
}

void write_stdout(std::string_view bytes) { write_descriptor(STDOUT_FILENO, bytes, "stdout"); }

} // namespace vmaprun
