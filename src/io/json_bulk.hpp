// Large rectangular lists of numbers in JSON: scanned and converted to doubles in one go, by several threads.
//
// The text is cut into pieces at commas, by its length alone. Each piece counts its numbers and notes where lists end in
// it; the pieces are then joined, and must make up a rectangle. Whatever is not plainly one (a ragged list, a string, broken syntax) is
// left to the caller's parser, which says what it is. The doubles serve every dtype that they determine; where they
// don't (a float half way between two neighbours, whole numbers past 2^53) the piece is read again from its text.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "io/json_reader.hpp"

namespace vmaprun {

// The numbers of one stretch of the text.
struct NumberPiece {
    const char* text = nullptr;     // from the first number, or the brackets before it, on
    const double* values = nullptr; // correctly rounded; infinite past the range
    std::int64_t first = 0;         // how many numbers precede it in the list
    std::int64_t count = 0;
    JsonContent content;
};

struct NumberPieces {
    std::vector<NumberPiece> pieces;                // none is empty
    std::vector<std::shared_ptr<Buffer>> memory;    // of their values
    int threads = 1;                                // that may work on them
};

struct BulkList {
    const char* end = nullptr; // behind its last bracket
    Shape shape;
    JsonContent content;
    std::shared_ptr<const NumberPieces> numbers;
};

// Text that is shorter than this is not worth it.
inline constexpr std::ptrdiff_t bulk_bytes = 64 << 10;

// The list that begins at the `[`; nothing when it is no rectangle of numbers, has more than 8 axes, or has an empty list in it.
std::optional<BulkList> read_bulk_list(const char* begin, const char* document_end, int threads);

// A piece as T, if its doubles determine that: float, double, bool, or whole numbers that all fit.
template <class T> bool convert_piece(const NumberPiece& piece, T* out);

} // namespace vmaprun
