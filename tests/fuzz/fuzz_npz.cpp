// Fuzzes tests/faults' try_archive: a violation ends the process by an exception that nobody catches.
#include <cstddef>
#include <cstdint>

#include "targets.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    (void)vmaprun::faults::try_archive({reinterpret_cast<const char*>(data), size});
    return 0;
}
