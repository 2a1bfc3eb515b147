#include "io/safetensors.hpp"

#include <algorithm>
#include <bit>
#include <cstring>
#include <optional>

#include "base/checked.hpp"
#include "base/error.hpp"
#include "base/text.hpp"
#include "io/json_reader.hpp"

namespace vmaprun {
namespace {

constexpr std::int64_t longest_header = 100'000'000; // bytes, as the format says
constexpr std::int64_t length_bytes = 8;
constexpr std::size_t largest_rank = 64;
constexpr std::string_view header_name = "its header"; // in messages of what reads JSON

[[noreturn]] void malformed(const std::string& name, const std::string& what) { throw UserError(error("E508", "`" + name + "` is no well-formed .safetensors file: " + what)); }

enum class Half { no, f16, bf16 };

struct Entry {
    std::string name;
    std::string dtype_text;
    NpyHeader header;
    Half half = Half::no; // header.dtype is u16 then
    bool is_read = true;
};

struct Known {
    std::string_view word;
    DType dtype;
    Half half = Half::no;
};
constexpr Known known[] = {{"BOOL", DType::boolean}, {"I8", DType::i8},   {"I16", DType::i16}, {"I32", DType::i32}, {"I64", DType::i64}, {"U8", DType::u8},
                           {"U16", DType::u16},      {"U32", DType::u32}, {"U64", DType::u64}, {"F32", DType::f32}, {"F64", DType::f64}, {"C64", DType::c64},
                           {"F16", DType::u16, Half::f16}, {"BF16", DType::u16, Half::bf16}};

// ---- half precision --------------------------------------------------------------------------------------------------

// IEEE 754 binary16; every value is one of f32. NaNs keep their payload.
float float_of_f16(std::uint16_t half) {
    const std::uint32_t sign = static_cast<std::uint32_t>(half & 0x8000U) << 16U, exponent = half >> 10U & 0x1FU, fraction = half & 0x3FFU;
    if (exponent == 0) { // zero, or fraction * 2^-24
        const float value = static_cast<float>(fraction) * 0x1p-24F;
        return std::bit_cast<float>(std::bit_cast<std::uint32_t>(value) | sign);
    }
    return std::bit_cast<float>(sign | (exponent == 31 ? 255U : exponent + 112U) << 23U | fraction << 13U);
}

float float_of_bf16(std::uint16_t half) { return std::bit_cast<float>(static_cast<std::uint32_t>(half) << 16U); }

class HalfTensor final : public StoredTensor {
  public:
    HalfTensor(std::shared_ptr<const StoredTensor> words, Half half) : StoredTensor(DType::f32, words->shape()), words_(std::move(words)), half_(half) {}

    Array read(int threads) const override {
        const Array words = words_->read(threads);
        Array result(DType::f32, shape());
        std::transform(words.as<std::uint16_t>(), words.as<std::uint16_t>() + words.size(), result.as<float>(), half_ == Half::f16 ? float_of_f16 : float_of_bf16);
        return result;
    }

  private:
    std::shared_ptr<const StoredTensor> words_;
    Half half_;
};

std::shared_ptr<const StoredTensor> refused(const std::string& name, const Entry& entry) {
    Diagnostic refusal = error("E509", "`" + name + "` holds elements of dtype " + entry.dtype_text + ", which is not read");
    refusal.notes.emplace_back("read are BOOL, I8 to I64, U8 to U64, BF16, F16, F32, F64 and C64");
    return std::make_shared<RefusedTensor>(name, std::move(refusal), entry.header.shape);
}

// ---- the header ------------------------------------------------------------------------------------------------------

// Null where the value is no list of numbers of 0 or more.
std::optional<std::vector<std::int64_t>> sizes_of(const JsonValue& value, const std::string& path) {
    const Array array = to_array(value, {DType::i64, 1, {}}, path);
    const bool is_list = array.shape().size() == 1 && std::none_of(array.as<std::int64_t>(), array.as<std::int64_t>() + array.size(), [](std::int64_t size) { return size < 0; });
    if (!is_list) return std::nullopt;
    return std::vector<std::int64_t>{array.as<std::int64_t>(), array.as<std::int64_t>() + array.size()};
}

class Header {
  public:
    Header(const std::string& path, const JsonValue& root, std::int64_t data_offset, std::int64_t file_bytes) : path_(path), data_offset_(data_offset), file_bytes_(file_bytes) {
        if (root.record() == nullptr) malformed(path_, "its header is no JSON object");
        for (const JsonMember& member : *root.record()) {
            if (member.name != "__metadata__") entries_.push_back(entry_of(member));
        }
        require_gapless();
    }

    StoredTensors tensors() const {
        StoredTensors tensors;
        for (const Entry& entry : entries_) tensors.emplace_back(entry.name, tensor_of(entry));
        std::ranges::sort(tensors, {}, [](const auto& each) { return each.first; });
        return tensors;
    }

  private:
    Entry entry_of(const JsonMember& member) const {
        const std::string at = "`" + member.name + "`";
        const JsonValue *dtype = member.value.member("dtype"), *shape = member.value.member("shape"), *offsets = member.value.member("data_offsets");
        if (dtype == nullptr || shape == nullptr || offsets == nullptr || dtype->text() == nullptr) malformed(path_, at + " has no dtype, shape or data_offsets");
        Entry entry{member.name, *dtype->text(), {}};
        const std::string path = member_path("$", member.name);
        const auto extents = sizes_of(*shape, path + ".shape"), offset_pair = sizes_of(*offsets, path + ".data_offsets");
        if (!extents) malformed(path_, at + " has a shape that is no list of sizes");
        if (extents->size() > largest_rank) malformed(path_, at + " has more than 64 axes");
        if (!offset_pair || offset_pair->size() != 2 || offset_pair->front() > offset_pair->back()) malformed(path_, at + " has data_offsets that are no range");
        const std::vector<std::int64_t>& range = *offset_pair;
        entry.header.shape.assign(extents->begin(), extents->end());
        if (range[1] > file_bytes_ - data_offset_) {
            throw UserError(error("E510", "`" + path_ + "` is truncated: " + at + " ends " + count_of(range[1] - (file_bytes_ - data_offset_), "byte") + " behind its end"));
        }
        entry.header.data_offset = data_offset_ + range[0];
        entry.header.data_bytes = range[1] - range[0];
        take_dtype(entry);
        return entry;
    }

    void take_dtype(Entry& entry) const {
        const auto found = std::ranges::find(known, std::string_view(entry.dtype_text), &Known::word);
        entry.is_read = found != std::end(known);
        if (!entry.is_read) { // how many bytes it should have is not known
            if (!checked_product(entry.header.shape)) malformed(path_, "`" + entry.name + "` has more elements than 64 bits count");
            return;
        }
        entry.header.dtype = found->dtype;
        entry.half = found->half;
        const auto count = checked_product(entry.header.shape);
        const auto bytes = count ? checked_multiply(*count, static_cast<std::int64_t>(size_of(found->dtype))) : std::nullopt;
        if (bytes == entry.header.data_bytes) return;
        malformed(path_, "`" + entry.name + "` has " + count_of(entry.header.data_bytes, "byte") + ", and " + entry.dtype_text + shape_text(entry.header.shape) + " takes " +
                             (bytes ? std::to_string(*bytes) : std::string("more than 64 bits count")));
    }

    // One tensor after another, to the end of the file.
    void require_gapless() const {
        std::vector<std::pair<std::int64_t, std::int64_t>> ranges;
        for (const Entry& entry : entries_) ranges.emplace_back(entry.header.data_offset, entry.header.data_offset + entry.header.data_bytes);
        std::ranges::sort(ranges);
        std::int64_t end = data_offset_;
        for (const auto& [first, last] : ranges) {
            if (first != end) malformed(path_, first < end ? "two of its tensors overlap" : "there are bytes between its tensors");
            end = last;
        }
        if (end != file_bytes_) throw UserError(error("E510", "`" + path_ + "` is too long: it has " + count_of(file_bytes_ - end, "byte") + " behind its last tensor"));
    }

    std::shared_ptr<const StoredTensor> tensor_of(const Entry& entry) const {
        if (!entry.is_read) return refused(path_ + ":" + entry.name, entry);
        auto stored = std::make_shared<StoredElements>(path_, entry.header, file_bytes_);
        if (entry.half == Half::no) return stored;
        return std::make_shared<HalfTensor>(std::move(stored), entry.half);
    }

    const std::string& path_;
    std::int64_t data_offset_, file_bytes_;
    std::vector<Entry> entries_;
};

} // namespace

StoredTensors stored_safetensors(const std::string& path) {
    const InputFile file(path);
    std::byte start[length_bytes];
    const std::size_t got = read_fully_at(file.descriptor(), start, sizeof start, 0, file.name());
    if (file.size() < 0 || got < sizeof start) malformed(path, "it is shorter than the 8 bytes that it begins with, or a pipe");
    std::uint64_t length = 0;
    std::memcpy(&length, start, sizeof length);
    if (length > static_cast<std::uint64_t>(longest_header)) malformed(path, "its header would have " + std::to_string(length) + " bytes");
    const auto header_bytes = static_cast<std::int64_t>(length);
    if (header_bytes > file.size() - length_bytes) {
        throw UserError(error("E510", "`" + path + "` is truncated: its header has " + std::to_string(header_bytes) + " bytes, and the file ends after " + std::to_string(file.size())));
    }
    std::string text(static_cast<std::size_t>(length), '\0');
    if (read_fully_at(file.descriptor(), reinterpret_cast<std::byte*>(text.data()), text.size(), length_bytes, file.name()) < text.size()) malformed(path, "it ends early");
    try {
        return Header(path, parse_json(FileBytes(std::string(header_name), text)), length_bytes + header_bytes, file.size()).tensors();
    } catch (UserError& failure) {
        // What breaks in the header as JSON breaks the file.
        const Diagnostic& first = failure.diagnostics().front();
        if (first.code < "E502" || first.code > "E507") throw;
        Diagnostic diagnostic = error("E508", "`" + path + "` is no well-formed .safetensors file");
        diagnostic.notes.push_back(first.message.starts_with(header_name) ? first.message : "in its header, " + first.message);
        throw UserError(std::move(diagnostic));
    }
}

} // namespace vmaprun
