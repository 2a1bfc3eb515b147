// The scalars of JSON documents: where a token ends and what it is, and its exact conversion to every dtype.
//
// All functions take pointers into text that is followed by zero bytes (FileBytes), and expect no bounds.
#pragma once

#include <cstdint>

#include "io/json_reader.hpp"

namespace vmaprun {

enum class Conversion { done, not_a_number, not_whole, out_of_range, special_in_integer };

// Scans one number, true, false, null, NaN, Infinity or quoted special that begins at `at`, adds what it is to `content`, and
// returns its end; null where no such token begins, `fault` then says where and why (only for broken numbers; else untouched).
struct ScalarFault {
    const char* at = nullptr;
    const char* expected = nullptr; // "a digit after the decimal point"
};
const char* scan_scalar(const char* at, JsonContent& content, ScalarFault& fault);

// The end of a scalar token that scan_scalar accepted.
const char* skip_scalar(const char* at);

// Converts the token at `at` (accepted by scan_scalar); `at` moves to its end.
Conversion read_scalar(const char*& at, bool& result);
Conversion read_scalar(const char*& at, float& result);
Conversion read_scalar(const char*& at, double& result);
Conversion read_scalar(const char*& at, std::int64_t& result);
Conversion read_scalar(const char*& at, std::uint64_t& result);

inline bool is_json_space(char c) { return c == ' ' || c == '\n' || c == '\t' || c == '\r'; }
inline const char* skip_space(const char* at) {
    while (is_json_space(*at)) ++at;
    return at;
}
// The first byte of the next scalar of rectangular numbers: skips space, commas and brackets.
inline const char* next_scalar(const char* at) {
    while (is_json_space(*at) || *at == ',' || *at == '[' || *at == ']') ++at;
    return at;
}

} // namespace vmaprun
