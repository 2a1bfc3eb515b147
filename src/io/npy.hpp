// NumPy's .npy format, versions 1.0, 2.0 and 3.0.
//
// Read: bool, i8 to i64, u8 to u64, f32, f64, c64, c128, either byte order, C and Fortran order, rank 0 to 64. A Fortran file gives an
// Array with column-major strides. Refused: other dtypes (E509; objects are never unpickled), malformed headers (E508), files shorter or
// longer than their header says (E510, before anything is allocated where the size is known).
// Written: version 1.0 (2.0 if the header is too long for it), little-endian, C order, data 64-byte aligned.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "array/array.hpp"
#include "io/file.hpp"
#include "io/json_writer.hpp"

namespace vmaprun {

enum class ByteOrder { little, big };
enum class ElementOrder { row_major, column_major };

struct NpyHeader {
    DType dtype = DType::f64;
    ByteOrder byte_order = ByteOrder::little;
    ElementOrder order = ElementOrder::row_major;
    Shape shape;
    std::int64_t data_offset = 0; // where the elements begin
    std::int64_t data_bytes = 0;  // elements times their size; it fits the file where the file's size is known
    int major = 1, minor = 0;
};

// The header alone; checks the file's size as well. "-" is refused: a pipe can be read only once (E501).
NpyHeader read_npy_header(const std::string& path);
NpyHeader read_npy_header(const InputFile& file);

// From memory; `name` is what messages call it.
Array read_npy_bytes(std::string_view bytes, const std::string& name);
// From where a descriptor stands to its end; it may be a pipe. `size` is how many bytes are left, -1 where unknown.
Array read_npy_descriptor(int descriptor, std::int64_t size, const std::string& name, int threads = 1);

// Keys are written as u32 with one more axis of length 2. A contiguous array is handed to the sink without a copy.
void write_npy(const Array& array, const Sink& sink);
std::string npy_header_text(DType dtype, const Shape& shape);

} // namespace vmaprun
