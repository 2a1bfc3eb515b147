#include "io/npy_header.hpp"

#include <bit>
#include <charconv>
#include <optional>

#include "base/checked.hpp"
#include "base/error.hpp"

namespace vmaprun {
namespace {

static_assert(std::endian::native == std::endian::little, "npy elements are read and written as little-endian memory");

constexpr std::size_t longest_header = std::size_t{64} << 10U;
constexpr std::size_t largest_rank = 64;

[[noreturn]] void malformed(const std::string& name, const std::string& what) {
    throw UserError(error("E508", "`" + name + "` is no well-formed .npy file: " + what));
}

std::string printable(std::string_view bytes) {
    std::string text;
    for (const char c : bytes.substr(0, 40)) text += c >= 0x20 && c < 0x7F ? c : '?';
    return bytes.size() > 40 ? text + "..." : text;
}

[[noreturn]] void unsupported(const std::string& name, const std::string& descr) {
    Diagnostic diagnostic = error("E509", "`" + name + "` holds elements of dtype " + printable(descr) + ", which is not read")
                                .note("read are bool, i1 to i8, u1 to u8, f4, f8, c8 and c16, in either byte order");
    const char kind = descr.size() > 2 ? descr[2] : ' ';
    if (descr.starts_with("[")) diagnostic.helps.push_back("save each field of the structured array by itself");
    else if (kind == 'O') diagnostic.helps.push_back("these are pickled Python objects, which are never run; save a plain array, `np.save(path, np.array(x, 'f8'))`");
    else if (kind == 'f') diagnostic.helps.push_back("convert it first, `x.astype('f4')` or `x.astype('f8')`");
    throw UserError(std::move(diagnostic));
}

struct Descr {
    DType dtype;
    ByteOrder order;
};

std::optional<Descr> parse_descr(std::string_view text) {
    ByteOrder order = ByteOrder::little;
    if (!text.empty() && (text[0] == '<' || text[0] == '>' || text[0] == '=' || text[0] == '|')) {
        if (text[0] == '>') order = ByteOrder::big;
        text.remove_prefix(1);
    }
    constexpr std::pair<std::string_view, DType> known[] = {
        {"b1", DType::boolean}, {"?", DType::boolean}, {"i1", DType::i8},  {"i2", DType::i16}, {"i4", DType::i32},
        {"i8", DType::i64},     {"u1", DType::u8},     {"u2", DType::u16}, {"u4", DType::u32}, {"u8", DType::u64},
        {"f4", DType::f32},     {"f8", DType::f64},    {"c8", DType::c64}, {"c16", DType::c128}};
    for (const auto& [word, dtype] : known) {
        if (text == word) return Descr{dtype, order};
    }
    return std::nullopt;
}

// A reader of the one Python literal that a header is: {'descr': '<f4', 'fortran_order': False, 'shape': (3, 4), }.
class Dictionary {
  public:
    Dictionary(std::string_view text, const std::string& name) : text_(text), name_(name) {}

    void parse(NpyHeader& header) {
        expect('{');
        while (!accept('}')) {
            const std::string key = string();
            expect(':');
            if (key == "descr") descr(header);
            else if (key == "fortran_order") fortran_order(header);
            else if (key == "shape") shape(header);
            else malformed(name_, "its header has an unknown key '" + printable(key) + "'");
            if (!accept(',') && peek() != '}') broken();
        }
        if (peek() != 0) broken();
        if (!has_descr_ || !has_order_ || !has_shape_) {
            malformed(name_, std::string("its header has no '") + (!has_descr_ ? "descr" : !has_order_ ? "fortran_order" : "shape") + "'");
        }
    }

  private:
    [[noreturn]] void broken() { malformed(name_, "its header breaks at byte " + std::to_string(at_) + " of `" + printable(text_) + "`"); }

    // The next character that is no space; 0 at the end (a NUL in the text is broken).
    char peek() {
        while (at_ < text_.size() && (text_[at_] == ' ' || text_[at_] == '\n' || text_[at_] == '\t' || text_[at_] == '\r')) ++at_;
        if (at_ == text_.size()) return 0;
        if (text_[at_] == 0) broken();
        return text_[at_];
    }
    bool accept(char c) {
        if (peek() != c) return false;
        ++at_;
        return true;
    }
    void expect(char c) {
        if (!accept(c)) broken();
    }

    void once(bool& seen, const char* key) {
        if (seen) malformed(name_, std::string("its header has '") + key + "' twice");
        seen = true;
    }

    std::string string() {
        const char quote = peek();
        if (quote != '\'' && quote != '"') broken();
        const std::size_t begin = ++at_;
        while (at_ < text_.size() && text_[at_] != quote) {
            if (text_[at_] == '\\' || static_cast<unsigned char>(text_[at_]) < 0x20 || static_cast<unsigned char>(text_[at_]) >= 0x80) broken();
            ++at_;
        }
        if (at_ == text_.size()) broken();
        return std::string(text_.substr(begin, at_++ - begin));
    }

    // The text of a list or tuple, to its closing bracket.
    std::string bracketed() const {
        int depth = 0;
        std::size_t end = at_;
        while (end < text_.size()) {
            const char c = text_[end++];
            depth += c == '[' || c == '(' ? 1 : c == ']' || c == ')' ? -1 : 0;
            if (depth == 0) break;
        }
        return std::string(text_.substr(at_, end - at_));
    }

    void descr(NpyHeader& header) {
        once(has_descr_, "descr");
        if (peek() == '[' || peek() == '(') unsupported(name_, bracketed());
        const std::string text = string();
        const auto found = parse_descr(text);
        if (!found) unsupported(name_, "'" + text + "'");
        header.dtype = found->dtype;
        header.byte_order = found->order;
    }

    void fortran_order(NpyHeader& header) {
        once(has_order_, "fortran_order");
        peek();
        const std::string_view rest = text_.substr(at_);
        if (!rest.starts_with("True") && !rest.starts_with("False")) broken();
        header.order = rest[0] == 'T' ? ElementOrder::column_major : ElementOrder::row_major;
        at_ += rest[0] == 'T' ? 4 : 5;
    }

    void shape(NpyHeader& header) {
        once(has_shape_, "shape");
        expect('(');
        bool comma = true;
        while (!accept(')')) {
            if (!comma) broken();
            header.shape.push_back(extent());
            comma = accept(',');
        }
        // `(3)` is a number in Python, no shape.
        if (header.shape.size() == 1 && !comma) broken();
    }

    std::int64_t extent() {
        if (peek() == '-') malformed(name_, "its shape has a negative size");
        std::int64_t value = 0;
        const auto [end, fault] = std::from_chars(text_.data() + at_, text_.data() + text_.size(), value);
        if (fault == std::errc::result_out_of_range) malformed(name_, "its shape has a size of more than 64 bits");
        if (fault != std::errc{}) broken();
        at_ = static_cast<std::size_t>(end - text_.data());
        if (at_ < text_.size() && text_[at_] == 'L') ++at_; // Python 2 wrote long integers so
        return value;
    }

    std::string_view text_;
    const std::string& name_;
    std::size_t at_ = 0;
    bool has_descr_ = false, has_order_ = false, has_shape_ = false;
};

} // namespace

NpyPreamble parse_npy_preamble(std::string_view bytes, const std::string& name) {
    constexpr std::string_view magic = "\x93NUMPY";
    if (bytes.empty()) malformed(name, "it is empty");
    if (!bytes.starts_with(magic.substr(0, std::min(bytes.size(), magic.size())))) malformed(name, "it does not begin with \\x93NUMPY");
    const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(bytes[i]); };
    const auto short_of = [&](std::size_t needed) {
        if (bytes.size() >= needed) return;
        throw UserError(error("E510", "`" + name + "` is truncated: it ends after " + std::to_string(bytes.size()) + " bytes, inside its header"));
    };
    short_of(8);
    NpyPreamble preamble{byte(6), byte(7), 0, 0};
    if (preamble.major < 1 || preamble.major > 3 || preamble.minor != 0) {
        throw UserError(error("E509", "`" + name + "` has .npy version " + std::to_string(preamble.major) + "." + std::to_string(preamble.minor) +
                                          ", and 1.0, 2.0 and 3.0 are read"));
    }
    const std::size_t length_bytes = preamble.major == 1 ? 2 : 4;
    preamble.text_offset = 8 + length_bytes;
    short_of(preamble.text_offset);
    for (std::size_t i = length_bytes; i-- > 0;) preamble.text_length = preamble.text_length << 8U | byte(8 + i);
    if (preamble.text_length > longest_header) malformed(name, "its header is " + std::to_string(preamble.text_length) + " bytes long, at most 65536 are read");
    return preamble;
}

NpyHeader parse_npy_dictionary(std::string_view text, const NpyPreamble& preamble, const std::string& name) {
    NpyHeader header;
    header.major = preamble.major;
    header.minor = preamble.minor;
    header.data_offset = static_cast<std::int64_t>(preamble.text_offset + preamble.text_length);
    Dictionary(text, name).parse(header);
    if (header.shape.size() > largest_rank) malformed(name, "its shape has " + std::to_string(header.shape.size()) + " axes, at most 64 are read");
    const auto count = checked_product(header.shape);
    const auto bytes = count ? checked_multiply(*count, static_cast<std::int64_t>(size_of(header.dtype))) : std::nullopt;
    if (!bytes) malformed(name, "its shape " + shape_text(header.shape) + " has more bytes than 64 bits count");
    header.data_bytes = *bytes;
    return header;
}

} // namespace vmaprun
