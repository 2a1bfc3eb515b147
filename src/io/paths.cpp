#include "io/paths.hpp"

#include <dirent.h>
#include <fnmatch.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "base/error.hpp"

namespace vmaprun {
namespace {

bool has_wildcard(const std::string& text) { return text.find_first_of("*?[") != std::string::npos; }

// The entries of a folder ("": the current one) that a pattern without slashes matches, sorted.
std::vector<std::string> matches_in(const std::string& folder, const std::string& pattern) {
    std::vector<std::string> names;
    DIR* directory = opendir(folder.empty() ? "." : folder.c_str());
    if (directory == nullptr) return names;
    while (const dirent* entry = readdir(directory)) {
        if (fnmatch(pattern.c_str(), entry->d_name, FNM_PERIOD) == 0) names.emplace_back(entry->d_name);
    }
    closedir(directory);
    std::ranges::sort(names);
    return names;
}

std::string_view file_name(const std::string& path) {
    const std::size_t slash = path.rfind('/');
    return std::string_view(path).substr(slash == std::string::npos ? 0 : slash + 1);
}

void replace_all(std::string& text, std::string_view what, std::string_view with) {
    for (std::size_t at = text.find(what); at != std::string::npos; at = text.find(what, at + with.size())) text.replace(at, what.size(), with);
}

} // namespace

std::string ending_of(const std::string& path) {
    const std::string_view name = file_name(path);
    const std::size_t dot = name.rfind('.');
    return dot == std::string_view::npos ? "" : std::string(name.substr(dot));
}

std::vector<std::string> expand_pattern(const std::string& pattern) {
    if (!has_wildcard(pattern) || access(pattern.c_str(), F_OK) == 0) return {pattern};
    // Folder by folder: each part of the pattern meets every path found so far.
    std::vector<std::string> found = {pattern.starts_with('/') ? "/" : ""};
    for (std::size_t at = pattern.find_first_not_of('/'); at != std::string::npos && at < pattern.size();) {
        const std::size_t end = std::min(pattern.find('/', at), pattern.size());
        const std::string part = pattern.substr(at, end - at);
        const std::string tail = end < pattern.size() ? "/" : "";
        std::vector<std::string> next;
        for (const std::string& prefix : found) {
            if (!has_wildcard(part)) next.push_back(prefix + part + tail);
            else for (const std::string& name : matches_in(prefix, part)) next.push_back(prefix + name + tail);
        }
        found = std::move(next);
        at = end < pattern.size() ? pattern.find_first_not_of('/', end) : end;
    }
    std::erase_if(found, [](const std::string& path) { return access(path.c_str(), F_OK) != 0; });
    if (found.empty()) throw UserError(error("E501", "no file matches `" + pattern + "`"));
    return found;
}

bool is_template(const std::string& path) { return path.find("{stem}") != std::string::npos || path.find("{name}") != std::string::npos; }

std::string unknown_field(const std::string& path) {
    for (std::size_t open = path.find('{'); open != std::string::npos; open = path.find('{', open + 1)) {
        const std::size_t close = path.find('}', open);
        const std::string field = close == std::string::npos ? std::string() : path.substr(open, close + 1 - open);
        const bool is_word = field.size() > 2 && std::ranges::all_of(field.substr(1, field.size() - 2), [](char c) { return (c >= 'a' && c <= 'z') || c == '_'; });
        if (is_word && field != "{stem}" && field != "{name}") return field;
    }
    return {};
}

std::string fill_template(const std::string& path, const std::string& file) {
    const std::string name(file_name(file));
    const std::string ending = ending_of(file);
    std::string result = path;
    replace_all(result, "{stem}", ending.size() < name.size() ? std::string_view(name).substr(0, name.size() - ending.size()) : name);
    replace_all(result, "{name}", name);
    return result;
}

void make_folders_of(const std::string& path) {
    for (std::size_t slash = path.find('/', 1); slash != std::string::npos; slash = path.find('/', slash + 1)) {
        const std::string folder = path.substr(0, slash);
        if (mkdir(folder.c_str(), 0777) == 0 || errno == EEXIST || errno == EISDIR) continue;
        throw UserError(error("E520", "cannot make the folder `" + folder + "`: " + std::strerror(errno)));
    }
}

} // namespace vmaprun
