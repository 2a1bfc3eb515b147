// Small text utilities for messages.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace vmaprun {

// The candidate nearest to `name` by edit distance with transpositions (Damerau), if one is near enough to be meant
// (at most a third of the length, at least 1); empty otherwise. Ties: the first.
std::string_view nearest(std::string_view name, std::span<const std::string_view> candidates);

// "a", "a and b", "a, b and c".
std::string join_and(const std::vector<std::string>& words);
// Joined by a separator.
std::string join(const std::vector<std::string>& words, std::string_view separator);

// A string as JSON has it, quotes included. Bytes that are not UTF-8 become U+FFFD.
std::string json_string(std::string_view text);

// "1 lane", "3 lanes".
std::string count_of(std::int64_t count, std::string_view noun);
// "2nd", "3rd", "4th" ("1st" from 1).
std::string ordinal(std::int64_t number);

// Columns that UTF-8 text takes on a terminal (East Asian wide: 2, combining: 0; a tab counts as 4).
int display_width(std::string_view utf8);

} // namespace vmaprun
