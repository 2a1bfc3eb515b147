#include "exec/tile.hpp"

#include <algorithm>
#include <cstring>

#include "array/words.hpp"
#include "base/error.hpp"
#include "ops/kernels/pointwise.hpp"
#include "ops/kernels/stream.hpp"

namespace vmaprun {
namespace {

constexpr std::size_t tile_bytes = 8192;           // of the widest element: what a tile has where rows are short
constexpr std::int64_t flat_tile = 1024;           // elements, of a flat program
constexpr std::int64_t least_prefetched = 1 << 20; // bytes of an input: what is smaller is in a cache already
constexpr std::size_t no_slot = SIZE_MAX;

// The `have` bytes at `to` again and again, up to `whole` bytes: what is there is doubled.
void repeat(std::byte* to, std::size_t have, std::size_t whole) {
    for (; have < whole; have *= 2) std::memcpy(to + have, to, std::min(have, whole - have));
}

// One element many times.
template <class Word> void spread(const Word& word, std::int64_t count, Word* out) {
    const std::int64_t first = std::min<std::int64_t>(count, 8);
    std::fill_n(out, first, word);
    repeat(reinterpret_cast<std::byte*>(out), static_cast<std::size_t>(first) * sizeof(Word), static_cast<std::size_t>(count) * sizeof(Word));
}

template <class Word> void read_strided(const std::byte* from, std::int64_t stride, std::int64_t count, std::byte* to) {
    const auto* in = reinterpret_cast<const Word*>(from);
    auto* out = reinterpret_cast<Word*>(to);
    if (stride == 1) std::memcpy(out, in, static_cast<std::size_t>(count) * sizeof(Word));
    else if (stride == 0) spread(*in, count, out);
    else for (std::int64_t i = 0; i < count; ++i) out[i] = in[i * stride];
}

// Row-major walk over the axes from element `begin` on, in runs along the last axis: f(where the run begins, its length).
template <class F> void walk_runs(const Shape& shape, const Strides& strides, std::int64_t begin, std::int64_t count, F&& f) {
    const std::size_t last = shape.size() - 1;
    Shape index(shape.size());
    std::int64_t rest = begin, at = 0;
    for (std::size_t axis = shape.size(); axis-- > 0;) {
        index[axis] = rest % shape[axis];
        rest /= shape[axis];
        at += index[axis] * strides[axis];
    }
    while (count > 0) {
        const std::int64_t length = std::min(count, shape[last] - index[last]);
        f(at, length);
        count -= length;
        index[last] += length;
        at += length * strides[last];
        for (std::size_t axis = last; axis > 0 && index[axis] == shape[axis]; --axis) {
            at += strides[axis - 1] - shape[axis] * strides[axis];
            index[axis] = 0;
            ++index[axis - 1];
        }
    }
}

template <class Word>
void read_tile(const std::byte* data, const Shape& shape, const Strides& strides, std::int64_t begin, std::int64_t count, std::byte* to) {
    walk_runs(shape, strides, begin, count, [&](std::int64_t at, std::int64_t length) {
        read_strided<Word>(data + at * static_cast<std::int64_t>(sizeof(Word)), strides.back(), length, to);
        to += length * static_cast<std::int64_t>(sizeof(Word));
    });
}

void read_any(std::size_t width, const std::byte* data, const Shape& shape, const Strides& strides, std::int64_t begin, std::int64_t count, std::byte* to) {
    visit_word(width, [&]<class Word>(Word) { read_tile<Word>(data, shape, strides, begin, count, to); });
}

} // namespace

void read_elements(const View& from, std::int64_t begin, std::int64_t count, std::byte* to) {
    if (from.rank() == 0) std::memcpy(to, from.data, size_of(from.dtype));
    else read_any(size_of(from.dtype), from.data, from.shape, from.strides, begin, count, to);
}

void write_elements(const std::byte* from, const View& to, std::int64_t begin, std::int64_t count) {
    const auto write = [&]<class Word>(Word) {
        const auto* in = reinterpret_cast<const Word*>(from);
        if (to.rank() == 0) {
            *to.as<Word>() = *in;
            return;
        }
        walk_runs(to.shape, to.strides, begin, count, [&](std::int64_t at, std::int64_t length) {
            Word* out = to.as<Word>() + at;
            for (std::int64_t i = 0; i < length; ++i) out[i * to.strides.back()] = *in++;
        });
    };
    visit_word(size_of(to.dtype), write);
}

TileProgram::TileProgram(Shape rows, Shape columns)
    : row_shape_(std::move(rows)), column_shape_(std::move(columns)), rows_(element_count(row_shape_)), columns_(element_count(column_shape_)) {
    registers_.emplace_back(); // number 0 is none
}

std::size_t TileProgram::add_register(std::size_t width, Form form, Access access) {
    Register made;
    made.access = access;
    made.form = form;
    made.width = width;
    registers_.push_back(std::move(made));
    return registers_.size() - 1;
}

std::size_t TileProgram::add_input(const View& view, Form form) {
    const auto rank = static_cast<std::ptrdiff_t>(row_shape_.size());
    const auto is_still = [](std::span<const std::int64_t> extents, std::span<const std::int64_t> strides) {
        for (std::size_t axis = 0; axis < extents.size(); ++axis) {
            if (extents[axis] != 1 && strides[axis] != 0) return false;
        }
        return true;
    };
    const std::span<const std::int64_t> shape(view.shape), strides(view.strides);
    const bool same_rows = is_still(shape.first(row_shape_.size()), strides.first(row_shape_.size()));
    const bool same_columns = form == Form::full && columns_ > 1 && is_still(shape.subspan(row_shape_.size()), strides.subspan(row_shape_.size()));
    if (same_columns && !same_rows) { // an element a row: read so, and spread
        View row{view.dtype, view.data, {view.shape.begin(), view.shape.begin() + rank}, {view.strides.begin(), view.strides.begin() + rank}};
        return add_input(row, Form::row);
    }
    const std::size_t which = add_register(size_of(view.dtype), form, Access::gathered);
    Register& input = registers_[which];
    input.data = view.data;
    const bool repeats = form == Form::full && columns_ > 1 && same_rows && !same_columns;
    for (std::size_t axis = repeats ? row_shape_.size() : 0; axis < view.rank(); ++axis) {
        const std::int64_t extent = view.shape[axis], stride = view.strides[axis];
        if (extent == 1) continue;
        if (!input.shape.empty() && input.strides.back() == stride * extent) {
            input.shape.back() *= extent;
            input.strides.back() = stride;
        } else {
            input.shape.push_back(extent);
            input.strides.push_back(stride);
        }
    }
    const bool is_one = input.shape.empty() || (input.shape.size() == 1 && input.strides[0] == 0);
    if (elements(form, rows_) == 1) input.access = Access::direct;
    else if (is_one) input.access = Access::spread;
    else if (repeats) input.access = Access::repeated;
    else if (input.shape.size() == 1 && input.strides[0] == 1) input.access = Access::direct;
    else if (columns_ == 1 && input.strides == Strides{0, 1} && input.shape[1] <= flat_tile) input.access = Access::periodic, input.period = input.shape[1];
    return which;
}

std::size_t TileProgram::spread_along_columns(std::size_t row_register) {
    if (columns_ == 1) return row_register;
    if (registers_[row_register].spread_to != 0) return registers_[row_register].spread_to;
    const std::size_t target = add_register(registers_[row_register].width, Form::full, Access::computed);
    Instruction spreading;
    spreading.operands = {row_register};
    spreading.operand_count = 1;
    spreading.target = target;
    instructions_.push_back(spreading);
    registers_[row_register].spread_to = target;
    return target;
}

// One of two operands has an element a row: perhaps there is a kernel that takes it so, and nothing is to be spread.
bool TileProgram::pair_with_row(Instruction& instruction, TileKernel kernel, std::span<const std::size_t> operands, Form form) const {
    if (form != Form::full || columns_ < 8 || operands.size() != 2) return false;
    const bool first_is_row = registers_[operands[0]].form == Form::row, second_is_row = registers_[operands[1]].form == Form::row;
    const RowPair* pair = first_is_row != second_is_row ? row_pair_of(kernel) : nullptr;
    if (pair == nullptr) return false;
    instruction.pair = first_is_row ? pair->row_first : pair->full_first;
    instruction.operands = {operands[first_is_row ? 1 : 0], operands[first_is_row ? 0 : 1]};
    return true;
}

std::size_t TileProgram::add_step(TileKernel kernel, std::span<const std::size_t> operands, DType dtype, Form form, Target target) {
    if (operands.size() > most_operands) throw InternalError("tile: a kernel with " + std::to_string(operands.size()) + " operands");
    Instruction instruction;
    instruction.operand_count = operands.size();
    if (pair_with_row(instruction, kernel, operands, form)) {
        instruction.target = add_register(size_of(dtype), form, target == Target::memory ? Access::stored : Access::computed);
        instructions_.push_back(instruction);
        return instruction.target;
    }
    instruction.kernel = kernel;
    for (std::size_t i = 0; i < operands.size(); ++i) {
        const bool widens = form == Form::full && registers_[operands[i]].form == Form::row;
        if (form == Form::row && registers_[operands[i]].form == Form::full && columns_ > 1) throw InternalError("tile: a row made of whole columns");
        instruction.operands[i] = widens ? spread_along_columns(operands[i]) : operands[i];
    }
    instruction.target = add_register(size_of(dtype), form, target == Target::memory ? Access::stored : Access::computed);
    instructions_.push_back(instruction);
    return instruction.target;
}

std::size_t TileProgram::add_fold(RowKernel kernel, std::size_t operand, DType dtype, Target target) {
    const std::size_t whole = registers_[operand].form == Form::row ? spread_along_columns(operand) : operand;
    const std::size_t made = add_register(size_of(dtype), Form::row, target == Target::memory ? Access::stored : Access::computed);
    Instruction folding;
    folding.fold = kernel;
    folding.operands = {whole};
    folding.operand_count = 1;
    folding.target = made;
    instructions_.push_back(folding);
    return made;
}

std::size_t TileProgram::add_product(RowProductKernel kernel, std::size_t a, std::size_t b, DType dtype, Target target) {
    Instruction instruction;
    instruction.product = kernel;
    if (is_one_row(a)) std::swap(a, b); // products are the same either way; one row for all is best the second
    for (const std::size_t operand : {a, b}) instruction.operands[instruction.operand_count++] = registers_[operand].form == Form::row ? spread_along_columns(operand) : operand;
    instruction.target = add_register(size_of(dtype), Form::row, target == Target::memory ? Access::stored : Access::computed);
    instructions_.push_back(instruction);
    return instruction.target;
}

std::int64_t TileProgram::rows_a_tile(std::int64_t columns, std::size_t widest) {
    const auto most = static_cast<std::int64_t>(tile_bytes / widest);
    return std::max<std::int64_t>(1, (columns == 1 ? std::min(flat_tile, most) : most) / std::max<std::int64_t>(columns, 1));
}

// The kernel that makes a register, if it could as well run within that of the one instruction which reads it.
TileKernel TileProgram::kernel_to_compose(std::size_t which, std::span<const std::size_t> uses, std::span<const std::size_t> makers) const {
    if (uses[which] != 1 || makers[which] == no_slot || registers_[which].access != Access::computed) return nullptr;
    const Instruction& maker = instructions_[makers[which]];
    return maker.kernel;
}

// Where operations are one kernel together (a * b + c), what is between them needs no tile. Inner ones first: what they
// are together may be one with the next.
void TileProgram::compose() {
    std::vector<std::size_t> uses(registers_.size(), 0), makers(registers_.size(), no_slot);
    for (std::size_t i = 0; i < instructions_.size(); ++i) {
        for (std::size_t k = 0; k < instructions_[i].operand_count; ++k) ++uses[instructions_[i].operands[k]];
        makers[instructions_[i].target] = i;
    }
    std::vector<bool> is_gone(instructions_.size(), false);
    for (Instruction& outer : instructions_) {
        const std::size_t sides = outer.operand_count;
        if (outer.kernel == nullptr || sides == 0 || sides > 2) continue;
        const std::array inner{outer.operands[0], outer.operands[1]};
        std::array kernels{kernel_to_compose(inner[0], uses, makers), sides == 2 ? kernel_to_compose(inner[1], uses, makers) : nullptr};
        TileKernel whole = nullptr;
        for (const std::array form : {std::array{true, true}, std::array{true, false}, std::array{false, true}}) {
            const std::array wanted{form[0] ? kernels[0] : nullptr, form[1] ? kernels[1] : nullptr};
            if (whole != nullptr || (form[0] && !wanted[0]) || (form[1] && !wanted[1])) continue;
            whole = composed_kernel(outer.kernel, wanted[0], wanted[1]);
            if (whole != nullptr) kernels = wanted;
        }
        if (whole == nullptr) continue;
        outer.kernel = whole;
        outer.operand_count = 0;
        for (std::size_t side = 0; side < sides; ++side) {
            if (kernels[side] == nullptr) {
                outer.operands[outer.operand_count++] = inner[side];
                continue;
            }
            const std::size_t maker = makers[inner[side]];
            for (const std::size_t operand : std::span(instructions_[maker].operands).first(instructions_[maker].operand_count)) outer.operands[outer.operand_count++] = operand;
            is_gone[maker] = true;
        }
    }
    std::size_t i = 0;
    std::erase_if(instructions_, [&](const Instruction&) { return is_gone[i++]; });
}

// Scratch tiles are used again after the last step that reads them, so that few of them are hot.
void TileProgram::prepare(Stores stores) {
    std::size_t widest = 1;
    std::int64_t longest = 0; // period
    for (Register& each : registers_) {
        widest = std::max(widest, each.width);
        longest = std::max(longest, each.period);
        if (stores == Stores::streamed && each.access == Access::stored && each.form == Form::full) each.access = Access::streamed;
    }
    compose();
    tile_rows_ = rows_a_tile(columns_, widest);
    slot_bytes_ = (static_cast<std::size_t>(tile_rows_ * columns_ + longest) * widest + 63) / 64 * 64;
    std::vector<std::size_t> last_use(registers_.size(), 0);
    for (std::size_t i = 0; i < instructions_.size(); ++i) {
        for (std::size_t k = 0; k < instructions_[i].operand_count; ++k) last_use[instructions_[i].operands[k]] = i;
    }
    std::vector<std::size_t> free_slots;
    const auto take = [&](Register& target) {
        if (free_slots.empty()) free_slots.push_back(slots_++);
        target.slot = free_slots.back();
        free_slots.pop_back();
    };
    for (Register& each : registers_) each.slot = each.second_slot = no_slot;
    for (std::size_t r = 1; r < registers_.size(); ++r) {
        const Access access = registers_[r].access;
        if (access == Access::spread || access == Access::repeated || access == Access::periodic || access == Access::gathered || access == Access::streamed) take(registers_[r]);
        if (access == Access::streamed) registers_[r].second_slot = slots_++;
    }
    for (std::size_t i = 0; i < instructions_.size(); ++i) {
        const Instruction& instruction = instructions_[i];
        Register& target = registers_[instruction.target];
        if (target.access == Access::computed) take(target);
        for (std::size_t k = 0; k < instruction.operand_count; ++k) {
            const Register& used = registers_[instruction.operands[k]];
            if (last_use[instruction.operands[k]] != i || used.access != Access::computed) continue;
            if (std::ranges::find(free_slots, used.slot) == free_slots.end()) free_slots.push_back(used.slot);
        }
    }
}

struct TileProgram::Tile {
    explicit Tile(std::size_t registers) : many(registers > few.size() ? registers : 0), at(many.empty() ? few.data() : many.data()) {}
    std::byte* scratch = nullptr;
    std::array<std::byte*, 24> few;
    std::vector<std::byte*> many;
    std::byte** at;

    // Streamed results of the tile before, which leave while this one is computed: a burst of stores past the caches would
    // fill the few buffers that wait for memory, and everything would wait with them.
    struct Leaving {
        std::byte* to;
        const std::byte* from;
        std::size_t left, share;
    };
    std::array<Leaving, 4> leaving;
    std::size_t leaving_count = 0;
    bool is_odd = false; // which of a streamed register's two slots this tile has

    void leave(const Leaving& results) {
        if (leaving_count == leaving.size()) return stream_copy(results.to, results.from, results.left);
        leaving[leaving_count++] = results;
    }
    void some_leave() {
        constexpr std::size_t line = 64;
        for (std::size_t i = 0; i < leaving_count; ++i) {
            Leaving& each = leaving[i];
            const std::size_t beyond = (reinterpret_cast<std::uintptr_t>(each.to) + each.share) % line; // whole lines of the target
            const std::size_t now = std::min(each.left, each.share - beyond);
            stream_copy(each.to, each.from, now);
            each.to += now, each.from += now, each.left -= now;
        }
    }
    void all_leave() {
        for (std::size_t i = 0; i < leaving_count; ++i) stream_copy(leaving[i].to, leaving[i].from, leaving[i].left);
        leaving_count = 0;
    }
};

namespace {

// One thread's scratch tiles, kept from program to program.
std::byte* scratch_of(std::size_t bytes) {
    thread_local AlignedBytes memory;
    thread_local std::size_t have = 0;
    if (have < bytes) {
        const std::size_t want = std::max(bytes, 2 * have);
        memory = aligned_bytes(want, 4096);
        have = want;
    }
    return memory.get();
}

// Each of `rows` elements `columns` times.
template <class Word> void spread_rows(const std::byte* from, std::int64_t rows, std::int64_t columns, std::byte* to) {
    const auto* in = reinterpret_cast<const Word*>(from);
    auto* out = reinterpret_cast<Word*>(to);
    for (std::int64_t r = 0; r < rows; ++r, out += columns) std::fill_n(out, columns, in[r]);
}

void spread_rows_of(std::size_t width, const std::byte* from, std::int64_t rows, std::int64_t columns, std::byte* to) {
    switch (width) {
    case 1: return spread_rows<std::uint8_t>(from, rows, columns, to);
    case 2: return spread_rows<std::uint16_t>(from, rows, columns, to);
    case 4: return pointwise_table().spread32(from, rows, columns, to);
    case 8: return pointwise_table().spread64(from, rows, columns, to);
    default: return spread_rows<WideWord>(from, rows, columns, to);
    }
}

} // namespace

void TileProgram::fill_with_one(Tile& tile, std::size_t which, std::int64_t rows) const {
    const Register& each = registers_[which];
    if (each.data != nullptr) read_any(each.width, each.data, {elements(each.form, rows)}, {0}, 0, elements(each.form, rows), tile.at[which]);
}

// What is the same in every tile.
void TileProgram::fill_once(Tile& tile, std::int64_t rows) const {
    for (std::size_t r = 1; r < registers_.size(); ++r) {
        const Register& each = registers_[r];
        if (each.slot != no_slot) tile.at[r] = tile.scratch + each.slot * slot_bytes_;
        if (each.access == Access::spread) fill_with_one(tile, r, rows);
        if (each.access == Access::direct || each.access == Access::stored) tile.at[r] = each.data;
        const bool is_periodic = each.access == Access::periodic;
        if (!is_periodic && each.access != Access::repeated) continue;
        const std::int64_t period = is_periodic ? each.period : columns_, whole = is_periodic ? rows + period : rows * period;
        read_any(each.width, each.data, each.shape, each.strides, 0, period, tile.at[r]);
        repeat(tile.at[r], static_cast<std::size_t>(period) * each.width, static_cast<std::size_t>(whole) * each.width);
    }
}

// Where inputs and results are for the tile of `count` rows from `first` on.
void TileProgram::place(Tile& tile, std::int64_t first, std::int64_t count) const {
    for (std::size_t r = 1; r < registers_.size(); ++r) {
        const Register& each = registers_[r];
        const auto width = static_cast<std::int64_t>(each.width);
        if (each.access == Access::direct || each.access == Access::stored) tile.at[r] = each.data + elements(each.form, first) * width;
        else if (each.access == Access::periodic) tile.at[r] = tile.scratch + each.slot * slot_bytes_ + first % each.period * width;
        else if (each.access == Access::gathered) read_any(each.width, each.data, each.shape, each.strides, elements(each.form, first), elements(each.form, count), tile.at[r]);
        else if (each.access == Access::streamed) tile.at[r] = tile.scratch + (tile.is_odd ? each.second_slot : each.slot) * slot_bytes_;
    }
    tile.is_odd = !tile.is_odd;
}

// Asks for a part of the next tile's inputs and places for results, while an instruction works on this one.
void TileProgram::prefetch(std::int64_t next, std::int64_t rows, std::size_t part) const {
    constexpr std::int64_t line = 64;
    const auto parts = static_cast<std::int64_t>(instructions_.size());
    for (std::size_t r = 1; r < registers_.size(); ++r) {
        const Register& each = registers_[r];
        if (each.access != Access::direct && each.access != Access::stored) continue;
        const auto width = static_cast<std::int64_t>(each.width);
        if (elements(each.form, rows_) * width < least_prefetched) continue;
        const std::int64_t lines = elements(each.form, rows) * width / line, begin = lines * static_cast<std::int64_t>(part) / parts, end = lines * (static_cast<std::int64_t>(part) + 1) / parts;
        ask_for_lines(each.data + elements(each.form, next) * width + begin * line, (end - begin) * line, each.access == Access::stored);
    }
}

// `ahead`: the rows of the next tile, whose inputs and places are asked for meanwhile; one instruction alone goes through
// them evenly, and the processor asks by itself.
void TileProgram::execute(Tile& tile, std::int64_t first, std::int64_t count, std::int64_t ahead) const {
    std::array<const void*, most_operands> operands{};
    for (std::size_t i = 0; i < instructions_.size(); ++i) {
        const Instruction& instruction = instructions_[i];
        if (ahead > 0 && instructions_.size() > 1) prefetch(first + count, ahead, i);
        for (std::size_t k = 0; k < instruction.operand_count; ++k) operands[k] = tile.at[instruction.operands[k]];
        std::byte* out = tile.at[instruction.target];
        const Register& target = registers_[instruction.target];
        if (instruction.kernel != nullptr) instruction.kernel(out, operands.data(), elements(target.form, count));
        else if (instruction.pair != nullptr) instruction.pair(out, operands[0], operands[1], count, columns_);
        else if (instruction.product != nullptr) instruction.product(out, operands[0], operands[1], is_one_row(instruction.operands[1]) ? 0 : columns_, count, columns_);
        else if (instruction.fold != nullptr) instruction.fold(out, operands[0], count, columns_);
        else spread_rows_of(target.width, static_cast<const std::byte*>(operands[0]), count, columns_, out);
        tile.some_leave();
    }
    tile.all_leave();
    for (const Instruction& instruction : instructions_) {
        const Register& target = registers_[instruction.target];
        if (target.access != Access::streamed) continue;
        const auto width = static_cast<std::int64_t>(target.width);
        const auto bytes = static_cast<std::size_t>(count * columns_ * width);
        tile.leave({target.data + first * columns_ * width, tile.at[instruction.target], bytes, bytes / instructions_.size() + 128});
    }
}

void TileProgram::run(std::int64_t begin, std::int64_t end) const {
    if (begin >= end || columns_ == 0) return;
    Tile tile(registers_.size());
    tile.scratch = scratch_of(slots_ * slot_bytes_);
    fill_once(tile, std::min(tile_rows_, end - begin));
    for (std::int64_t first = begin; first < end; first += tile_rows_) {
        const std::int64_t count = std::min(tile_rows_, end - first), next = first + count;
        place(tile, first, count);
        execute(tile, first, count, std::min(tile_rows_, end - next));
    }
    tile.all_leave();
    if (std::ranges::any_of(registers_, [](const Register& each) { return each.access == Access::streamed; })) stream_fence();
}

TileProgram::Session::Session(const TileProgram& program)
    : program_(program), tile_(std::make_unique<Tile>(program.registers_.size())),
      scratch_(aligned_bytes(program.slots_ * program.slot_bytes_)) {
    tile_->scratch = scratch_.get();
    program_.fill_once(*tile_, program_.tile_rows_);
    is_flat_ = program_.columns_ == 1 && std::ranges::all_of(program_.instructions_, [&](const Instruction& each) {
        return each.kernel != nullptr && program_.registers_[each.target].access != Access::streamed;
    });
}

TileProgram::Session::~Session() = default;
TileProgram::Session::Session(Session&&) noexcept = default;

void TileProgram::Session::bind(std::size_t which, const std::byte* data) { tile_->at[which] = const_cast<std::byte*>(data); }

void TileProgram::Session::bind_one(std::size_t which, const std::byte* data) {
    if (program_.registers_[which].access != Access::spread) return bind(which, data);
    program_.bind(which, const_cast<std::byte*>(data));
    program_.fill_with_one(*tile_, which, program_.tile_rows_);
}

void TileProgram::Session::run(std::int64_t count) {
    if (!is_flat_) return program_.execute(*tile_, 0, count, 0);
    std::array<const void*, most_operands> operands{};
    for (const Instruction& instruction : program_.instructions_) {
        for (std::size_t k = 0; k < instruction.operand_count; ++k) operands[k] = tile_->at[instruction.operands[k]];
        instruction.kernel(tile_->at[instruction.target], operands.data(), count);
    }
}

} // namespace vmaprun
