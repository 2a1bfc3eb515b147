// Memory of a thread that kernels keep from call to call, because fresh pages cost more than the work on them.
#pragma once

#include <cstddef>
#include <cstdint>

namespace vmaprun {

// At least so many bytes, 64-byte aligned, not initialised; stays where it is until more is asked for at the same place.
// What a kernel needs at the same time has different places; kernels that don't run inside each other may share them.
std::byte* scratch_bytes(std::size_t place, std::size_t bytes);

template <class T> T* scratch_at(std::size_t place, std::int64_t elements) {
    return reinterpret_cast<T*>(scratch_bytes(place, static_cast<std::size_t>(elements) * sizeof(T)));
}

} // namespace vmaprun
