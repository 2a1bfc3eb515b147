#include "io/file.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <limits>
#include <vector>

#include "base/error.hpp"
#include "base/text.hpp"
#include "exec/threads.hpp"

namespace vmaprun {
namespace {

constexpr std::size_t first_capacity = std::size_t{1} << 16U;
constexpr std::size_t large_file = std::size_t{4} << 20U; // worth several threads
constexpr std::size_t part_bytes = std::size_t{2} << 20U;
constexpr std::size_t largest_read = std::size_t{1} << 30U;

Diagnostic cannot_read(const std::string& name, const std::string& reason) {
    return error("E501", "cannot read `" + name + "`: " + reason);
}

// The name in the path's folder that is nearest to the one asked for, as a path; empty when none is near.
std::string nearest_file(const std::string& path) {
    const std::size_t slash = path.rfind('/');
    const std::string folder = slash == std::string::npos ? "." : path.substr(0, slash + 1);
    const std::string base = slash == std::string::npos ? path : path.substr(slash + 1);
    DIR* directory = opendir(folder.c_str());
    if (directory == nullptr) return "";
    std::vector<std::string> names;
    while (const dirent* entry = readdir(directory)) {
        const std::string name = entry->d_name;
        if (name != "." && name != ".." && names.size() < 10000) names.push_back(name);
    }
    closedir(directory);
    std::ranges::sort(names);
    const std::vector<std::string_view> candidates(names.begin(), names.end());
    const std::string_view found = nearest(base, candidates);
    if (found.empty()) return "";
    return (slash == std::string::npos ? "" : path.substr(0, slash + 1)) + std::string(found);
}

[[noreturn]] void fail_to_open(const std::string& path, int reason) {
    Diagnostic diagnostic = cannot_read(path, reason == ENOENT ? "there is no such file" : std::strerror(reason));
    if (reason == ENOENT) {
        const std::string near = nearest_file(path);
        if (!near.empty()) diagnostic.helps.push_back("did you mean `" + near + "`?");
    }
    throw UserError(std::move(diagnostic));
}

std::shared_ptr<Buffer> padded_buffer(std::size_t size) {
    if (size > std::numeric_limits<std::size_t>::max() / 2) throw InternalError("a file size overflows");
    return std::make_shared<Buffer>(size + file_bytes_padding);
}

void seal(const Buffer& buffer, std::size_t size) { std::memset(buffer.data() + size, 0, file_bytes_padding); }

// `size` bytes, or what the file has of them; the descriptor stands behind them then.
std::size_t read_regular(int descriptor, std::byte* target, std::size_t size, int threads, const std::string& name) {
    const off_t start = lseek(descriptor, 0, SEEK_CUR);
    if (start < 0) return 0;
    const std::size_t held = read_in_parts(descriptor, target, size, start, threads, name);
    lseek(descriptor, start + static_cast<off_t>(held), SEEK_SET);
    return held;
}

// `known`: how many bytes the file is said to have; the capacity is more than that.
FileBytes read_from(int descriptor, const std::string& name, std::size_t capacity, std::size_t known, int threads) {
    auto buffer = padded_buffer(capacity);
    std::size_t size = known >= large_file ? read_regular(descriptor, buffer->data(), known, threads, name) : 0;
    for (;;) {
        size += read_fully(descriptor, buffer->data() + size, capacity - size, name);
        if (size < capacity) break;
        capacity *= 2;
        auto larger = padded_buffer(capacity);
        std::memcpy(larger->data(), buffer->data(), size);
        buffer = std::move(larger);
    }
    seal(*buffer, size);
    return FileBytes(name, std::move(buffer), size);
}

} // namespace

const FileBytes& FileBytes::nothing() {
    static const FileBytes empty(std::string{}, std::string_view{});
    return empty;
}

FileBytes::FileBytes(std::string name, std::string_view bytes)
    : name_(std::make_shared<const std::string>(std::move(name))), buffer_(padded_buffer(bytes.size())), size_(bytes.size()) {
    if (!bytes.empty()) std::memcpy(buffer_->data(), bytes.data(), bytes.size());
    seal(*buffer_, size_);
}

FileBytes::FileBytes(std::string name, std::shared_ptr<Buffer> buffer, std::size_t size)
    : name_(std::make_shared<const std::string>(std::move(name))), buffer_(std::move(buffer)), size_(size) {}

std::string display_name(const std::string& path) { return path == "-" ? "stdin" : path; }

InputFile::InputFile(const std::string& path) : name_(display_name(path)) {
    if (path.find('\0') != std::string::npos) throw UserError(cannot_read(path.substr(0, path.find('\0')), "its name contains a NUL character"));
    owned_ = path != "-";
    descriptor_ = owned_ ? open(path.c_str(), O_RDONLY | O_CLOEXEC) : STDIN_FILENO;
    if (descriptor_ < 0) fail_to_open(path, errno);
    struct stat status {};
    int reason = 0;
    if (fstat(descriptor_, &status) != 0) reason = errno;
    else if (S_ISDIR(status.st_mode)) reason = EISDIR;
    if (reason != 0) {
        if (owned_) close(descriptor_);
        throw UserError(cannot_read(name_, reason == EISDIR ? "it is a folder" : std::strerror(reason)));
    }
    if (!S_ISREG(status.st_mode)) return;
    // Standard input may stand in the middle of a file; files of /proc say 0 and hold more.
    const off_t at = lseek(descriptor_, 0, SEEK_CUR);
    size_ = status.st_size == 0 ? -1 : std::max<std::int64_t>(0, status.st_size - std::max<off_t>(at, 0));
}

InputFile::~InputFile() {
    if (owned_) close(descriptor_);
}

std::size_t read_fully(int descriptor, std::byte* target, std::size_t count, const std::string& name) {
    std::size_t done = 0;
    while (done < count) {
        const ssize_t got = read(descriptor, target + done, std::min(count - done, largest_read));
        if (got == 0) break;
        if (got > 0) done += static_cast<std::size_t>(got);
        else if (errno != EINTR) throw UserError(cannot_read(name, std::strerror(errno)));
    }
    return done;
}

std::size_t read_fully_at(int descriptor, std::byte* target, std::size_t count, std::int64_t offset, const std::string& name) {
    std::size_t done = 0;
    while (done < count) {
        const ssize_t got = pread(descriptor, target + done, std::min(count - done, largest_read), offset + static_cast<std::int64_t>(done));
        if (got == 0) break;
        if (got > 0) done += static_cast<std::size_t>(got);
        else if (errno != EINTR) throw UserError(cannot_read(name, std::strerror(errno)));
    }
    return done;
}

std::size_t read_in_parts(int descriptor, std::byte* target, std::size_t count, std::int64_t offset, int threads, const std::string& name) {
    const std::size_t parts = (count + part_bytes - 1) / part_bytes;
    std::vector<std::size_t> held(parts);
    ThreadPool(threads).each(static_cast<std::int64_t>(parts), [&](std::int64_t i) {
        const auto part = static_cast<std::size_t>(i);
        const std::size_t begin = part * part_bytes;
        held[part] = read_fully_at(descriptor, target + begin, std::min(part_bytes, count - begin), offset + static_cast<std::int64_t>(begin), name);
    });
    // What follows a part that ended early was cut off meanwhile.
    for (std::size_t part = 0; part < parts; ++part) {
        if (held[part] < std::min(part_bytes, count - part * part_bytes)) return part * part_bytes + held[part];
    }
    return count;
}

FileBytes read_descriptor(int descriptor, const std::string& name, int threads) {
    struct stat status {};
    if (fstat(descriptor, &status) != 0 || !S_ISREG(status.st_mode)) return read_from(descriptor, name, first_capacity, 0, threads);
    const off_t at = std::max<off_t>(lseek(descriptor, 0, SEEK_CUR), 0);
    const auto left = static_cast<std::size_t>(std::max<off_t>(status.st_size - at, 0));
    return read_from(descriptor, name, std::max(first_capacity, left + 1), left, threads);
}

FileBytes read_file(const std::string& path, int threads) {
    const InputFile file(path);
    if (file.size() < 0) return read_from(file.descriptor(), file.name(), first_capacity, 0, threads);
    // One byte more than the file has: its end is seen without another buffer.
    return read_from(file.descriptor(), file.name(), static_cast<std::size_t>(file.size()) + 1, static_cast<std::size_t>(file.size()), threads);
}

} // namespace vmaprun
