// The paths of a batch: which files a pattern means, and where the result of each goes.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace vmaprun {

// "data/*.npy" -> the files that it matches, sorted by name (`*`, `?` and `[...]` as in a shell; a leading dot only where written).
// A path without these, or that exists as it stands, is itself. E501 when nothing matches.
std::vector<std::string> expand_pattern(const std::string& pattern);

// Whether a path holds `{stem}` or `{name}`.
bool is_template(const std::string& path);
// A `{word}` in a path that is neither of the two; empty: there is none.
std::string unknown_field(const std::string& path);
// "out/{stem}.npy" and "data/a.b.json" -> "out/a.b.npy"; `{name}` is the whole file name.
std::string fill_template(const std::string& path, const std::string& file);

// Makes the folders above a path where they are missing. E520.
void make_folders_of(const std::string& path);

// What data files may end in, for messages.
inline constexpr std::string_view known_data_files = ".npy, .npz, .json, .csv, .tsv and .safetensors";

// ".npy"; empty when the last part of the path has no dot.
std::string ending_of(const std::string& path);

} // namespace vmaprun
