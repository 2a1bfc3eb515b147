// What the tests of io share: whole messages, small arrays, a folder that goes away.
#pragma once

#include <doctest/doctest.h>
#include <stdlib.h>

#include <cstring>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>

#include "array/array.hpp"
#include "base/error.hpp"
#include "io/npy.hpp"

namespace vmaprun::testing {

// "E504 message | note: ... | help: ..."; "no error" when nothing is thrown.
template <class F> std::string message_of(F&& f) {
    try {
        f();
    } catch (const UserError& failure) {
        const Diagnostic& diagnostic = failure.diagnostics().front();
        std::string text = diagnostic.code + " " + diagnostic.message;
        for (const std::string& note : diagnostic.notes) text += " | note: " + note;
        for (const std::string& help : diagnostic.helps) text += " | help: " + help;
        return text;
    }
    return "no error";
}

template <class T> Array array_of(Shape shape, std::initializer_list<T> values) {
    Array array(dtype_of<T>(), std::move(shape));
    REQUIRE(array.size() == static_cast<std::int64_t>(values.size()));
    std::copy(values.begin(), values.end(), array.as<T>());
    return array;
}

template <class T> std::vector<T> values_of(const Array& array) {
    REQUIRE(array.dtype() == dtype_of<T>());
    const Array dense = array.contiguous();
    return std::vector<T>(dense.as<T>(), dense.as<T>() + dense.size());
}

// The bytes of an .npy file.
inline std::string npy_text(const Array& array) {
    std::string text;
    write_npy(array, [&](std::string_view piece) { text += piece; });
    return text;
}

class Folder {
  public:
    Folder() {
        char pattern[] = "/tmp/vmaprun-test-XXXXXX";
        REQUIRE(mkdtemp(pattern) != nullptr);
        path_ = pattern;
    }
    ~Folder() {
        std::error_code ignored;
        std::filesystem::remove_all(path_, ignored);
    }
    std::string operator/(const std::string& name) const { return path_ + "/" + name; }
    std::size_t file_count() const {
        return static_cast<std::size_t>(std::distance(std::filesystem::directory_iterator(path_), std::filesystem::directory_iterator{}));
    }

  private:
    std::string path_;
};

inline void write_text(const std::string& path, std::string_view text) { std::ofstream(path, std::ios::binary) << text; }
inline std::string read_text(const std::string& path) {
    std::ostringstream text;
    text << std::ifstream(path, std::ios::binary).rdbuf();
    return text.str();
}

// A small generator that gives the same numbers everywhere (SplitMix64).
class Random {
  public:
    explicit Random(std::uint64_t seed) : state_(seed) {}
    std::uint64_t next() {
        std::uint64_t z = state_ += 0x9E3779B97F4A7C15U;
        z = (z ^ (z >> 30U)) * 0xBF58476D1CE4E5B9U;
        z = (z ^ (z >> 27U)) * 0x94D049BB133111EBU;
        return z ^ (z >> 31U);
    }
    std::size_t below(std::size_t limit) { return static_cast<std::size_t>(next() % limit); }

  private:
    std::uint64_t state_;
};

} // namespace vmaprun::testing
