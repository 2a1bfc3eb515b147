#include "io/npy.hpp"

#include <unistd.h>

#include <algorithm>
#include <cstring>

#include "base/checked.hpp"
#include "base/error.hpp"
#include "io/file.hpp"
#include "io/npy_header.hpp"

namespace vmaprun {
namespace {

constexpr std::int64_t first_capacity = std::int64_t{64} << 20U;
constexpr std::int64_t block_bytes = std::int64_t{4} << 20U;

[[noreturn]] void fail_size(std::int64_t held, const NpyHeader& header, const std::string& name) {
    const bool truncated = held < header.data_bytes;
    const std::string type = std::string(name_of(header.dtype)) + shape_text(header.shape);
    throw UserError(error("E510", "`" + name + "` " + (truncated ? "is truncated" : "is too long") + ": it has " + std::to_string(held) +
                                      " bytes of elements, " + type + " takes " + std::to_string(header.data_bytes)));
}

void check_size(std::int64_t file_size, const NpyHeader& header, const std::string& name) {
    const std::int64_t held = file_size - header.data_offset;
    if (held != header.data_bytes) fail_size(held, header, name);
}

[[noreturn]] void fail_in_header(std::size_t bytes, const std::string& name) {
    throw UserError(error("E510", "`" + name + "` is truncated: it ends after " + std::to_string(bytes) + " bytes, inside its header"));
}

// ---- elements in memory ----------------------------------------------------------------------------------------------

template <class Word> void swap_words(std::byte* data, std::int64_t count) {
    for (std::int64_t i = 0; i < count; ++i) {
        Word word;
        std::memcpy(&word, data + static_cast<std::size_t>(i) * sizeof(Word), sizeof(Word));
        if constexpr (sizeof(Word) == 2) word = __builtin_bswap16(word);
        else if constexpr (sizeof(Word) == 4) word = __builtin_bswap32(word);
        else word = __builtin_bswap64(word);
        std::memcpy(data + static_cast<std::size_t>(i) * sizeof(Word), &word, sizeof(Word));
    }
}

void to_native(std::byte* data, const NpyHeader& header) {
    if (header.dtype == DType::boolean) {
        // Any other byte than 0 means true, and C++ has no such bool.
        for (std::int64_t i = 0; i < header.data_bytes; ++i) data[i] = data[i] == std::byte{0} ? std::byte{0} : std::byte{1};
    }
    if (header.byte_order == ByteOrder::little) return;
    const std::size_t word = is_complex(header.dtype) ? size_of(header.dtype) / 2 : size_of(header.dtype);
    const std::int64_t count = header.data_bytes / static_cast<std::int64_t>(word);
    if (word == 2) swap_words<std::uint16_t>(data, count);
    if (word == 4) swap_words<std::uint32_t>(data, count);
    if (word == 8) swap_words<std::uint64_t>(data, count);
}

} // namespace

Array array_of_elements(std::shared_ptr<Buffer> buffer, const NpyHeader& header) {
    to_native(buffer->data(), header);
    Strides strides = row_major_strides(header.shape);
    if (header.order == ElementOrder::column_major) {
        const Shape reversed(header.shape.rbegin(), header.shape.rend());
        strides = row_major_strides(reversed);
        std::ranges::reverse(strides);
    }
    std::byte* data = buffer->data();
    return Array(std::move(buffer), {header.dtype, data, header.shape, std::move(strides)});
}

NpyHeader read_npy_header(const std::function<std::size_t(std::byte*, std::size_t)>& read, const std::string& name) {
    std::byte start[npy_preamble_bytes];
    const auto text_at = [&](const std::byte* data, std::size_t count) { return std::string_view(reinterpret_cast<const char*>(data), count); };
    std::size_t got = read(start, 10);
    const bool longer = got == 10 && start[6] != std::byte{1};
    if (longer) got += read(start + 10, 2);
    const NpyPreamble preamble = parse_npy_preamble(text_at(start, got), name);
    std::string text(preamble.text_length, '\0');
    const std::size_t held = read(reinterpret_cast<std::byte*>(text.data()), text.size());
    if (held < text.size()) fail_in_header(got + held, name);
    return parse_npy_dictionary(text, preamble, name);
}

// ---- descriptors -----------------------------------------------------------------------------------------------------

namespace {

// From where the descriptor stands; afterwards it stands at the elements.
NpyHeader read_header(int descriptor, const std::string& name) {
    return read_npy_header([&](std::byte* target, std::size_t count) { return read_fully(descriptor, target, count, name); }, name);
}

// Elements of a pipe: nothing larger than what has come is believed.
std::shared_ptr<Buffer> read_unsized(int descriptor, const NpyHeader& header, const std::string& name) {
    std::int64_t capacity = std::min(header.data_bytes, first_capacity), held = 0;
    auto buffer = std::make_shared<Buffer>(static_cast<std::size_t>(capacity));
    for (;;) {
        const auto wanted = static_cast<std::size_t>(capacity - held);
        held += static_cast<std::int64_t>(read_fully(descriptor, buffer->data() + held, wanted, name));
        if (held < capacity) fail_size(held, header, name);
        if (held == header.data_bytes) return buffer;
        capacity = capacity > header.data_bytes / 2 ? header.data_bytes : capacity * 2;
        auto larger = std::make_shared<Buffer>(static_cast<std::size_t>(capacity));
        std::memcpy(larger->data(), buffer->data(), static_cast<std::size_t>(held));
        buffer = std::move(larger);
    }
}

void require_end(int descriptor, const NpyHeader& header, const std::string& name) {
    std::byte extra{};
    if (read_fully(descriptor, &extra, 1, name) == 0) return;
    throw UserError(error("E510", "`" + name + "` is too long: more follows the " + std::to_string(header.data_bytes) + " bytes that " +
                                      std::string(name_of(header.dtype)) + shape_text(header.shape) + " takes"));
}

} // namespace

NpyHeader read_npy_header(const std::string& path) {
    if (path == "-") throw UserError(error("E501", "cannot read the header of stdin alone"));
    return read_npy_header(InputFile(path));
}

NpyHeader read_npy_header(const InputFile& file) {
    NpyHeader header = read_header(file.descriptor(), file.name());
    if (file.size() >= 0) check_size(file.size(), header, file.name());
    return header;
}

Array read_npy_descriptor(int descriptor, std::int64_t size, const std::string& name, int threads) {
    const NpyHeader header = read_header(descriptor, name);
    std::shared_ptr<Buffer> buffer;
    if (size < 0) {
        buffer = read_unsized(descriptor, header, name);
    } else {
        check_size(size, header, name);
        const auto bytes = static_cast<std::size_t>(header.data_bytes);
        buffer = std::make_shared<Buffer>(bytes);
        const off_t start = lseek(descriptor, 0, SEEK_CUR);
        const std::size_t held = read_in_parts(descriptor, buffer->data(), bytes, start, threads, name);
        if (held < bytes) fail_size(static_cast<std::int64_t>(held), header, name); // it shrank meanwhile
        lseek(descriptor, start + static_cast<off_t>(bytes), SEEK_SET);
    }
    require_end(descriptor, header, name);
    return array_of_elements(std::move(buffer), header);
}

Array read_npy_bytes(std::string_view bytes, const std::string& name) {
    const NpyPreamble preamble = parse_npy_preamble(bytes.substr(0, npy_preamble_bytes), name);
    const std::size_t offset = preamble.text_offset + preamble.text_length;
    if (bytes.size() < offset) fail_in_header(bytes.size(), name);
    const NpyHeader header = parse_npy_dictionary(bytes.substr(preamble.text_offset, preamble.text_length), preamble, name);
    check_size(static_cast<std::int64_t>(bytes.size()), header, name);
    auto buffer = std::make_shared<Buffer>(static_cast<std::size_t>(header.data_bytes));
    if (header.data_bytes > 0) std::memcpy(buffer->data(), bytes.data() + offset, static_cast<std::size_t>(header.data_bytes));
    return array_of_elements(std::move(buffer), header);
}

// ---- writing ---------------------------------------------------------------------------------------------------------

namespace {

const char* descr_of(DType dtype) {
    switch (dtype) {
    case DType::boolean: return "|b1";
    case DType::i8: return "|i1";
    case DType::i16: return "<i2";
    case DType::i32: return "<i4";
    case DType::i64: return "<i8";
    case DType::u8: return "|u1";
    case DType::u16: return "<u2";
    case DType::u32: return "<u4";
    case DType::u64: return "<u8";
    case DType::f32: return "<f4";
    case DType::f64: return "<f8";
    case DType::c64: return "<c8";
    case DType::c128: return "<c16";
    case DType::key: break;
    }
    throw InternalError("keys have no .npy dtype");
}

// Elements in row-major order, in contiguous pieces: those of the view where it has them, else copies of at most a block.
void write_elements(const Array& array, const Sink& sink) {
    const View& view = array.view();
    if (view.size() == 0) return;
    const std::int64_t bytes = view.size() * static_cast<std::int64_t>(size_of(view.dtype));
    if (view.is_contiguous()) return sink({reinterpret_cast<const char*>(view.data), static_cast<std::size_t>(bytes)});
    const std::int64_t rows = view.shape[0];
    const std::int64_t rows_a_block = std::max<std::int64_t>(1, block_bytes / std::max<std::int64_t>(1, bytes / rows));
    const bool whole = rows_a_block >= rows || view.rank() == 1;
    if (whole && bytes <= block_bytes) return write_elements(array.contiguous(), sink);
    for (std::int64_t row = 0; row < rows; row += rows_a_block) {
        View part = view;
        part.data += row * view.strides[0] * static_cast<std::int64_t>(size_of(view.dtype));
        part.shape[0] = std::min(rows_a_block, rows - row);
        if (part.shape[0] == 1 && view.rank() > 1) {
            part.shape.erase(part.shape.begin());
            part.strides.erase(part.strides.begin());
        }
        write_elements(array.with_view(std::move(part)), sink);
    }
}

} // namespace

std::string npy_header_text(DType dtype, const Shape& shape) {
    std::string extents;
    for (const std::int64_t extent : shape) extents += (extents.empty() ? "" : ", ") + std::to_string(extent);
    if (shape.size() == 1) extents += ",";
    std::string text = std::string("{'descr': '") + descr_of(dtype) + "', 'fortran_order': False, 'shape': (" + extents + "), }";
    const bool is_long = text.size() + 11 + 64 > 65535;
    const std::size_t preamble = is_long ? 12 : 10;
    text.append((64 - (preamble + text.size() + 1) % 64) % 64, ' ');
    text += '\n';
    std::string result = is_long ? std::string("\x93NUMPY\x02\x00", 8) : std::string("\x93NUMPY\x01\x00", 8);
    for (std::size_t i = 0; i < preamble - 8; ++i) result += static_cast<char>(text.size() >> (8 * i) & 0xFFU);
    return result + text;
}

void write_npy(const Array& array, const Sink& sink) {
    if (array.dtype() == DType::key) {
        const Array dense = array.contiguous();
        View words = dense.view();
        words.dtype = DType::u32;
        words.shape.push_back(2);
        words.strides = row_major_strides(words.shape);
        return write_npy(dense.with_view(std::move(words)), sink);
    }
    sink(npy_header_text(array.dtype(), array.shape()));
    write_elements(array, sink);
}

} // namespace vmaprun
