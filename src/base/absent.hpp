// Nothing, as a value of a variant.
//
// Not std::monostate: libstdc++ takes a variant of trivial types, strings, vectors and shared pointers alone for one that
// always holds a value, and takes a copy that ran out of memory half-way apart as if it did.
#pragma once

namespace vmaprun {

struct Absent {
    Absent() = default;
    Absent(const Absent&) noexcept {}
    Absent& operator=(const Absent&) noexcept { return *this; }
    ~Absent() = default;
    bool operator==(const Absent&) const { return true; }
};

} // namespace vmaprun
