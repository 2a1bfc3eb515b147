// Hugging Face's .safetensors files: a JSON header that names tensors, and their elements, little-endian and row-major.
//
// Source: the format's description in the README of huggingface/safetensors. Read: BOOL, I8 to I64, U8 to U64, F32, F64, C64; F16 and BF16, which
// become f32, exactly. Every tensor must lie inside the file and have as many bytes as its shape; tensors may not overlap, and nothing may
// follow the last.
// Errors: E508 for what is malformed, E509 for dtypes that are not read (when such a tensor is asked for), E510 for files cut off.
#pragma once

#include <string>

#include "io/stored_tensor.hpp"

namespace vmaprun {

// The headers of all tensors, in the order of their names.
StoredTensors stored_safetensors(const std::string& path);

} // namespace vmaprun
