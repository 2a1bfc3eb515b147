// Every truncation and 10,000 random mutations of a valid script, a JSON document and files of arrays: a clean error or a right
// answer (targets.hpp). The seeds are fixed.
#define DOCTEST_CONFIG_IMPLEMENT_WITH_MAIN
#include <doctest/doctest.h>

#include <random>
#include <string>

#include "io/npz.hpp"
#include "targets.hpp"

using namespace vmaprun;
using namespace vmaprun::faults;

namespace {

constexpr int rounds = 10000;

constexpr std::string_view script = R"vm(#!/usr/bin/env vmaprun
## Some of everything.
type P = {w: float[k], b: float}
fn score(p: P, x: float[k], by=2.0) -> float = sum(p.w * x) * by + p.b   # a row
input x: f32[n, k] = ones((2, 3))
let p = {w: ones((k,)), b: 0.5}
let y = vmap(score, in_axes=(none, 0))(p, x)
@vmap(in_axes=1)
fn columns(c) { let m = max(c); if m > 2.0 { c / m } else { -c } }
output y
output {s: x |> columns |> sum, n, t: (x[0, ::-1], x[..., 1], x.at[0].add(1.0).T)}
let (a, b) = loop (a, b) = (0, 1) for i in 0 .. 9 { (b, a + b) }
output c = [u * v for u in [1, 2] for v in 0 .. 3]
output d = loop z = 1.0 while z < 50.0 limit 20 { z * 2 }
output e1 = scan((c, v) => (c + v, c), 0, [a, b, 3])[1] as i8
debug(a // 3 % 4 - 2, "a\n")
assert_eq({..p, b: 1}, {w: [1, 1, 1], b: 1.0})
test "t" { assert_close(score(p, ones((k,))), 0.5 + 2 * k) }
)vm";

constexpr std::string_view document = R"({"a": [[1, 2.5, null], [-3e2, "NaN", 1e-7]], "t": [[1, 2], [3], {"k": true, "d": -0.0}],
 "n": 18446744073709551615, "e": [[], []], "i": [9007199254740993, -9223372036854775808], "\u00e9 x": [true, false]})";

struct Mutator {
    std::mt19937_64 random;
    std::string_view favourites;

    std::size_t below(std::size_t count) { return static_cast<std::size_t>(random() % count); }

    // Some edits: a byte changed, put in, left out, a piece doubled or moved.
    std::string operator()(std::string_view valid) {
        std::string text(valid);
        for (std::size_t edits = 1 + below(1 + below(3)); edits > 0 && !text.empty(); --edits) {
            const std::size_t at = below(text.size()), other = below(text.size()), length = 1 + below(12);
            const char byte = below(8) == 0 ? static_cast<char>(random()) : favourites[below(favourites.size())];
            switch (below(5)) {
            case 0: text[at] = byte; break;
            case 1: text.insert(at, 1, byte); break;
            case 2: text.erase(at, length); break;
            case 3: text.insert(at, text.substr(other, length)); break;
            default: text.replace(at, length, std::string(text.substr(other, length))); break;
            }
        }
        return text;
    }
};

template <class F> Verdict held(F&& target, const std::string& text) {
    try {
        return target(text);
    } catch (const std::exception& failure) {
        FAIL_CHECK(failure.what(), "\n--- of:\n", text);
        return Verdict::refused;
    }
}

template <class F> void mutate(F&& target, std::string_view valid, std::string_view favourites, int seed, int at_least) {
    REQUIRE(held(target, std::string(valid)) == Verdict::accepted);
    Mutator mutator{std::mt19937_64(static_cast<std::uint64_t>(seed)), favourites};
    int accepted = 0;
    for (int round = 0; round < rounds; ++round) accepted += held(target, mutator(valid)) == Verdict::accepted;
    MESSAGE(accepted, " of ", rounds, " accepted");
    CHECK(accepted >= at_least); // else the mutations say little
}

Array thirds() {
    Array array(DType::f32, {3, 2});
    for (int i = 0; i < 6; ++i) array.as<float>()[i] = static_cast<float>(i) / 3;
    return array;
}

// Two stored members.
std::string stored_archive() {
    std::string file;
    write_npz({{"a", thirds()}, {"b.0", Array::scalar<std::int64_t>(7)}}, [&](std::string_view bytes) { file += bytes; });
    return file;
}

// A deflated member `a.npy`, of four i16 (zlib's, level 9).
constexpr unsigned char deflated_archive[] = {
    0x50, 0x4b, 0x03, 0x04, 0x14, 0x00, 0x00, 0x00, 0x08, 0x00, 0x00, 0x00, 0x21, 0x00, 0xd2, 0x10, 0x36, 0x66, 0x4c, 0x00, 0x00, 0x00, 0x88, 0x00, 0x00, 0x00, 0x05, 0x00, 0x00, 0x00, 0x61, 0x2e,
    0x6e, 0x70, 0x79, 0x9b, 0xec, 0x17, 0xea, 0x1b, 0x10, 0xc9, 0xc8, 0x50, 0xc6, 0x50, 0xad, 0x9e, 0x92, 0x5a, 0x9c, 0x5c, 0xa4, 0x6e, 0xa5, 0xa0, 0x6e, 0x93, 0x69, 0xa4, 0xae, 0xa3, 0xa0, 0x9e,
    0x96, 0x5f, 0x54, 0x52, 0x94, 0x98, 0x17, 0x9f, 0x5f, 0x94, 0x92, 0x0a, 0x12, 0x77, 0x4b, 0xcc, 0x29, 0x4e, 0x05, 0x8a, 0x17, 0x67, 0x24, 0x16, 0xa4, 0x02, 0xf9, 0x1a, 0x26, 0x3a, 0x9a, 0x3a,
    0x0a, 0xb5, 0x0a, 0x14, 0x00, 0x2e, 0x06, 0x06, 0x46, 0x06, 0x26, 0x06, 0x66, 0x06, 0x00, 0x50, 0x4b, 0x01, 0x02, 0x14, 0x03, 0x14, 0x00, 0x00, 0x00, 0x08, 0x00, 0x00, 0x00, 0x21, 0x00, 0xd2,
    0x10, 0x36, 0x66, 0x4c, 0x00, 0x00, 0x00, 0x88, 0x00, 0x00, 0x00, 0x05, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x80, 0x01, 0x00, 0x00, 0x00, 0x00, 0x61, 0x2e, 0x6e,
    0x70, 0x79, 0x50, 0x4b, 0x05, 0x06, 0x00, 0x00, 0x00, 0x00, 0x01, 0x00, 0x01, 0x00, 0x33, 0x00, 0x00, 0x00, 0x6f, 0x00, 0x00, 0x00, 0x00, 0x00,
};

std::string safetensors_file() {
    const std::string header = R"({"w":{"dtype":"F32","shape":[2,2],"data_offsets":[0,16]},"h":{"dtype":"BF16","shape":[3],"data_offsets":[16,22]},"b":{"dtype":"BOOL","shape":[],"data_offsets":[22,23]}} )";
    return std::string(1, static_cast<char>(header.size())) + std::string(7, '\0') + header + "\1\2\3\4" + "abcdefghijklmnopqr" + "\1";
}

constexpr std::string_view table = "a, b c,\"d\"\"e\"\r\n1,2.5,nan\r\n\n+3,.5,-1e3\n\"4\",5.,true\n007,,inf\n";

} // namespace

TEST_CASE("every truncation of a script is a clean error or a script") {
    for (std::size_t length = 0; length < script.size(); ++length) held(try_script, std::string(script.substr(0, length)));
}

TEST_CASE("10,000 mutations of a script are clean errors or scripts that run alike in every mode") {
    using namespace std::string_view_literals;
    mutate(try_script, script, "()[]{}.,:;=<>+-*/%@|&~#\"\\_ 0123456789abcnxyk\n"sv, 1, 500);
}

TEST_CASE("every truncation of a document is an error") {
    for (std::size_t length = 0; length < document.size(); ++length) CHECK(held(try_json, std::string(document.substr(0, length))) == Verdict::refused);
}

TEST_CASE("10,000 mutations of a document are clean errors or read as another parser reads them") {
    using namespace std::string_view_literals;
    mutate(try_json, document, "[]{},:\"0123456789.eE+-\\u nNtfI\x00\xff\xc3"sv, 2, 500);
}

TEST_CASE("every truncation of an npy file is an error, and 10,000 mutations clean errors or the elements of the file") {
    std::string file;
    write_npy(thirds(), [&](std::string_view bytes) { file += bytes; });
    for (std::size_t length = 0; length < file.size(); ++length) CHECK(held(try_npy, file.substr(0, length)) == Verdict::refused);
    mutate(try_npy, file, "{}()',: 0123456789<>|=fiucbOTrueFals\n", 3, 500);
}

TEST_CASE("every truncation of an archive is an error, and 10,000 mutations clean errors or arrays that can be") {
    using namespace std::string_view_literals;
    const std::string stored = stored_archive(), packed(reinterpret_cast<const char*>(deflated_archive), sizeof deflated_archive);
    for (const std::string& file : {stored, packed}) {
        for (std::size_t length = 0; length < file.size(); ++length) CHECK(held(try_archive, file.substr(0, length)) == Verdict::refused);
    }
    mutate(try_archive, stored, "PK\x01\x02\x03\x04\x05\x06\x07\x08\x00\xff.npy{}'"sv, 4, 50);
    mutate(try_archive, packed, "PK\x01\x02\x03\x04\x05\x06\x07\x08\x00\xff.npy{}'"sv, 5, 50);
}

TEST_CASE("every truncation of a .safetensors file is an error, and 10,000 mutations clean errors or the bytes of the file") {
    using namespace std::string_view_literals;
    const std::string file = safetensors_file();
    for (std::size_t length = 0; length < file.size(); ++length) CHECK(held(try_safetensors, file.substr(0, length)) == Verdict::refused);
    mutate(try_safetensors, file, "{}[]\":, 0123456789UIFBdtypeshape_off\x00\xff"sv, 6, 200);
}

TEST_CASE("every truncation and 10,000 mutations of a table are clean errors or the numbers of the table") {
    using namespace std::string_view_literals;
    for (std::size_t length = 0; length < table.size(); ++length) held(try_table, std::string(table.substr(0, length)));
    mutate(try_table, table, ",;\"\n\r\t 0123456789.eE+-nainftru"sv, 7, 500);
}
