#include "io/json_bulk.hpp"

#include <algorithm>
#include <array>
#include <atomic>
#include <cmath>
#include <cstring>
#include <limits>
#include <mutex>
#include <type_traits>

#include "exec/threads.hpp"
#include "io/json_number.hpp"
#include "io/plain_number.hpp"

namespace vmaprun {
namespace {

constexpr std::ptrdiff_t piece_bytes = 256 << 10;
constexpr std::size_t block_bytes = std::size_t{8} << 20U;
constexpr int most_axes = 8;

// ---- one piece -------------------------------------------------------------------------------------------------------

// The ends of lists that are met after `first`, ..., `last` numbers, one every `period` of them.
struct Ends {
    std::int64_t first = -1, last = -1, period = 0;

    // False when they don't come evenly.
    bool add(std::int64_t at) {
        if (first < 0) {
            first = last = at;
            return true;
        }
        if (period == 0) period = at - last;
        const bool even = at - last == period;
        last = at;
        return even;
    }
    // The same of a stretch whose numbers begin at `base`.
    bool join(const Ends& later, std::int64_t base) {
        if (later.first < 0) return true;
        if (!add(base + later.first)) return false;
        if (later.last == later.first) return true;
        if (period == 0) period = later.period;
        last = base + later.last;
        return later.period == period;
    }
};

struct Scanned {
    NumberPiece piece;
    std::array<Ends, most_axes> ends{}; // [k]: of lists that hold at least k + 1 axes
    int opened = 0, closed = 0;         // brackets before its first number, and behind its last one
    const char* list_end = nullptr;     // where the whole list ends, if it does in this piece
    bool regular = false;
};

// Memory for values, given out piece after piece. Several threads: each piece has one of its own for as long as it takes.
class Memory {
  public:
    // `text_bytes`: of all that is read, of which no more values can come than half of them.
    explicit Memory(std::size_t text_bytes) : block_(std::min(block_bytes, (text_bytes / 2 + 2) * sizeof(double))) {}

    struct Block {
        std::shared_ptr<Buffer> buffer;
        std::size_t used = 0;
        double* room() const { return reinterpret_cast<double*>(buffer->data() + used); }
    };

    Block take(std::size_t bytes) {
        const std::lock_guard lock(mutex_);
        for (std::size_t i = 0; i < free_.size(); ++i) {
            if (free_[i].buffer->size() - free_[i].used < bytes) continue;
            Block block = std::move(free_[i]);
            free_.erase(free_.begin() + static_cast<std::ptrdiff_t>(i));
            return block;
        }
        all_.push_back(std::make_shared<Buffer>(std::max(bytes, block_)));
        return {all_.back(), 0};
    }
    void give_back(Block block) {
        const std::lock_guard lock(mutex_);
        free_.push_back(std::move(block));
    }
    std::vector<std::shared_ptr<Buffer>> all() { return std::move(all_); }

  private:
    std::size_t block_; // bytes of a buffer
    std::mutex mutex_;
    std::vector<Block> free_;
    std::vector<std::shared_ptr<Buffer>> all_;
};

const char* read_number(const char* at, double& value, JsonContent& content) {
    if (const char* end = read_plain_number(at, value, content)) [[likely]] return end;
    ScalarFault fault;
    const char* end = scan_scalar(at, content, fault);
    if (end == nullptr) return nullptr;
    if (read_scalar(at, value) == Conversion::out_of_range) value = std::copysign(HUGE_VAL, value);
    return end;
}

// Skips space and counts brackets; `behind` is where the last one ended.
int count_brackets(const char*& at, char bracket, int most, const char*& behind) {
    int count = 0;
    at = skip_space(at);
    while (*at == bracket && count < most) {
        ++count;
        behind = ++at;
        at = skip_space(at);
    }
    return count;
}

// From `at` up to the comma before `stop`, or to where the list of `rank` axes ends.
void scan_piece(const char* at, const char* stop, int rank, double* values, Scanned& out) {
    const char* behind = at;
    out.piece.text = at;
    out.piece.values = values;
    out.opened = count_brackets(at, '[', rank + 1, behind);
    JsonContent content;
    std::int64_t count = 0;
    for (;;) {
        at = read_number(at, values[count], content);
        if (at == nullptr) return;
        ++count;
        if (*at != ',') {
            out.closed = count_brackets(at, ']', rank, behind);
            if (out.closed == rank) {
                out.list_end = behind;
                break;
            }
            if (*at != ',') return;
        } else {
            out.closed = 0;
        }
        if (++at >= stop) break;
        at += *at == ' ' ? 1 : 0;
        if (out.closed == 0 && *at > ' ' && *at != '[') continue;
        if (count_brackets(at, '[', rank, behind) != out.closed) return;
        for (int k = 0; k < out.closed; ++k) {
            if (!out.ends[static_cast<std::size_t>(k)].add(count)) return;
        }
    }
    out.piece.count = count;
    out.piece.content = content;
    out.regular = true;
}

// ---- the list --------------------------------------------------------------------------------------------------------

class List {
  public:
    List(const char* begin, const char* end, int rank) : begin_(begin), end_(end), rank_(rank), pieces_(static_cast<std::size_t>((end - begin + piece_bytes - 1) / piece_bytes)), memory_(static_cast<std::size_t>(end - begin)) {}

    void scan(int threads) {
        std::atomic<std::int64_t> last{static_cast<std::int64_t>(pieces_.size())}; // the list ends, or is irregular, at this piece
        ThreadPool(threads).each(static_cast<std::int64_t>(pieces_.size()), [&](std::int64_t i) {
            if (i > last.load(std::memory_order_relaxed)) return;
            const char *from = cut(i), *to = cut(i + 1);
            Scanned& scanned = pieces_[static_cast<std::size_t>(i)];
            scanned.regular = from == to; // a token longer than a piece
            if (from == to) return;
            // Two bytes of text are the shortest number with its comma.
            auto block = memory_.take((static_cast<std::size_t>(to - from) / 2 + 2) * sizeof(double));
            scan_piece(from, to, rank_, block.room(), scanned);
            block.used += static_cast<std::size_t>(scanned.piece.count) * sizeof(double);
            memory_.give_back(std::move(block));
            if (scanned.regular && scanned.list_end == nullptr) return;
            for (auto known = last.load(); i < known && !last.compare_exchange_weak(known, i);) {}
        });
    }

    std::optional<BulkList> joined(int threads) {
        auto numbers = std::make_shared<NumberPieces>();
        numbers->threads = threads;
        std::array<Ends, most_axes> ends{};
        BulkList list;
        std::int64_t count = 0;
        int closed = rank_; // the first piece opens all
        for (Scanned& scanned : pieces_) {
            if (!scanned.regular) return std::nullopt;
            if (scanned.piece.count == 0) continue;
            if (scanned.opened != closed) return std::nullopt;
            for (std::size_t k = 0; k < static_cast<std::size_t>(rank_); ++k) {
                if (count > 0 && static_cast<int>(k) < closed && !ends[k].add(count)) return std::nullopt;
                if (!ends[k].join(scanned.ends[k], count)) return std::nullopt;
            }
            scanned.piece.first = count;
            numbers->pieces.push_back(scanned.piece);
            count += scanned.piece.count;
            list.content |= scanned.piece.content;
            closed = scanned.closed;
            if ((list.end = scanned.list_end) != nullptr) break;
        }
        if (list.end == nullptr || !shape_of(ends, count, list.shape)) return std::nullopt;
        numbers->memory = memory_.all();
        list.numbers = std::move(numbers);
        return list;
    }

  private:
    // Behind the first comma at or after the nominal place.
    const char* cut(std::int64_t i) const {
        if (i == 0) return begin_;
        const std::ptrdiff_t at = static_cast<std::ptrdiff_t>(i) * piece_bytes;
        if (at >= end_ - begin_) return end_;
        const void* comma = std::memchr(begin_ + at, ',', static_cast<std::size_t>(end_ - begin_ - at));
        return comma == nullptr ? end_ : static_cast<const char*>(comma) + 1;
    }

    // Every list of k + 1 axes has as many numbers as the first one, the last one too.
    bool shape_of(const std::array<Ends, most_axes>& ends, std::int64_t count, Shape& shape) const {
        std::int64_t inner = 1;
        for (std::size_t k = 0; k < static_cast<std::size_t>(rank_); ++k) {
            const Ends& each = ends[k];
            std::int64_t numbers = count;
            if (each.first >= 0) {
                numbers = each.first;
                if (each.period != 0 && each.period != numbers) return false;
                if (count - each.last != numbers) return false;
            }
            if (numbers % inner != 0) return false;
            shape.insert(shape.begin(), numbers / inner);
            inner = numbers;
        }
        return true;
    }

    const char *begin_, *end_;
    int rank_;
    std::vector<Scanned> pieces_;
    Memory memory_;
};

} // namespace

std::optional<BulkList> read_bulk_list(const char* begin, const char* document_end, int threads) {
    const char *at = begin, *behind = begin;
    const int rank = count_brackets(at, '[', most_axes + 1, behind);
    const bool number_follows = (*at >= '0' && *at <= '9') || *at == '-';
    if (rank > most_axes || !number_follows) return std::nullopt;
    List list(begin, document_end, rank);
    list.scan(threads);
    return list.joined(threads);
}

// ---- other dtypes ----------------------------------------------------------------------------------------------------

template <class T> bool convert_piece(const NumberPiece& piece, T* out) {
    const double* values = piece.values;
    bool good = true;
    if constexpr (std::is_same_v<T, double>) {
        std::memcpy(out, values, static_cast<std::size_t>(piece.count) * sizeof(double));
        for (std::int64_t i = 0; i < piece.count; ++i) good &= !std::isinf(values[i]); // perhaps a number past the range
        return good;
    } else if constexpr (std::is_same_v<T, float>) {
        for (std::int64_t i = 0; i < piece.count; ++i) {
            std::uint64_t bits = 0;
            std::memcpy(&bits, &values[i], 8);
            out[i] = static_cast<float>(values[i]);
            // Half way between two floats the number itself may lie on either side; below the normal range the same bits say nothing.
            const double size = std::fabs(values[i]);
            good &= (bits & 0x1FFFFFFFU) != 0x10000000U && ((size >= 1.2e-38 && size <= 3.4e38) || size == 0 || std::isnan(size));
        }
        return good;
    } else {
        if (piece.content.fraction || piece.content.special) return false;
        constexpr double exact = 9007199254740991.0; // 2^53 - 1
        constexpr double low = std::is_same_v<T, bool> ? 0.0 : static_cast<double>(std::numeric_limits<T>::min());
        constexpr double high = std::is_same_v<T, bool> ? 1.0 : static_cast<double>(std::numeric_limits<T>::max());
        for (std::int64_t i = 0; i < piece.count; ++i) {
            const double value = values[i];
            const bool fits = value >= std::max(low, -exact) && value <= std::min(high, exact);
            good &= fits;
            out[i] = fits ? static_cast<T>(value) : T{};
        }
        return good;
    }
}

template bool convert_piece(const NumberPiece&, bool*);
template bool convert_piece(const NumberPiece&, float*);
template bool convert_piece(const NumberPiece&, double*);
template bool convert_piece(const NumberPiece&, std::int8_t*);
template bool convert_piece(const NumberPiece&, std::int16_t*);
template bool convert_piece(const NumberPiece&, std::int32_t*);
template bool convert_piece(const NumberPiece&, std::int64_t*);
template bool convert_piece(const NumberPiece&, std::uint8_t*);
template bool convert_piece(const NumberPiece&, std::uint16_t*);
template bool convert_piece(const NumberPiece&, std::uint32_t*);
template bool convert_piece(const NumberPiece&, std::uint64_t*);

} // namespace vmaprun
