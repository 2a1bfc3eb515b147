// The polynomials behind symbolic sizes (ir/dim.hpp).
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace vmaprun {

// Terms: a sorted list of symbols (empty for the constant term) and its factor, never 0.
struct Polynomial {
    std::map<std::vector<std::string>, std::int64_t> terms;
};

} // namespace vmaprun
