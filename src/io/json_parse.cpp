// The scan of a document. A list is taken for a rectangle of numbers until an element says otherwise; the elements before it are then
// scanned once more as values of their own, so every byte is scanned at most twice, whatever the nesting.
#include <algorithm>
#include <cstring>
#include <optional>
#include <unordered_set>

#include "base/error.hpp"
#include "base/text.hpp"
#include "io/json_bulk.hpp"
#include "io/json_number.hpp"
#include "io/json_reader.hpp"
#include "base/utf8.hpp"

namespace vmaprun {
namespace {

constexpr int max_depth = 512;

void append_utf8(std::string& text, std::uint32_t character) {
    const auto put = [&](std::uint32_t byte) { text += static_cast<char>(byte); };
    if (character < 0x80) return put(character);
    if (character < 0x800) {
        put(0xC0U | (character >> 6U));
    } else {
        if (character < 0x10000) {
            put(0xE0U | (character >> 12U));
        } else {
            put(0xF0U | (character >> 18U));
            put(0x80U | ((character >> 12U) & 0x3FU));
        }
        put(0x80U | ((character >> 6U) & 0x3FU));
    }
    put(0x80U | (character & 0x3FU));
}

class Parser {
  public:
    Parser(const FileBytes& document, std::uint32_t first_line, int threads)
        : document_(document), text_(document.data()), end_(text_ + document.size()), first_line_(first_line), threads_(threads) {}

    JsonValue parse() {
        const char* at = text_;
        if (document_.view().starts_with("\xEF\xBB\xBF")) at += 3;
        at = skip_space(at);
        if (at == end_) fail(at, "nothing but white space", "");
        JsonValue root = value(at, 0);
        at = skip_space(at);
        if (at != end_) fail(at, "the document goes on after its value", "a document holds one value");
        return root;
    }

    // The elements of a rectangular list, each as a value.
    JsonValue::List items(const JsonNumbers& numbers) {
        JsonValue::List elements;
        const char* at = skip_space(text_ + numbers.begin + 1);
        while (*at != ']') {
            elements.push_back(value(at, 0));
            at = skip_space(at);
            if (*at == ',') at = skip_space(at + 1);
        }
        return elements;
    }

  private:
    [[noreturn]] void fail(const char* at, const std::string& what, const std::string& help, const char* code = "E502") {
        const char* line_start = at;
        while (line_start > text_ && line_start[-1] != '\n') --line_start;
        const auto lines = std::count(text_, line_start, '\n');
        std::int64_t column = 1;
        for (const char* c = line_start; c < at; ++c) column += (static_cast<unsigned char>(*c) & 0xC0U) != 0x80 ? 1 : 0;
        Diagnostic diagnostic = error(code, document_.name() + ", line " + std::to_string(first_line_ + lines) + ", column " +
                                                std::to_string(column) + ": " + what);
        if (!help.empty()) diagnostic.helps.push_back(help);
        throw UserError(std::move(diagnostic));
    }

    std::string_view rest(const char* at) const { return {at, static_cast<std::size_t>(end_ - at)}; }

    // What stands at `at`, for a message.
    std::string found(const char* at) const {
        if (at >= end_) return "the end of the document";
        const auto c = static_cast<unsigned char>(*at);
        if (c == 0) return "a NUL byte";
        const std::size_t length = utf8_length(rest(at));
        if (length == 0) return "a byte that is not UTF-8";
        if (c < 0x20 || c == 0x7F) return "a control character";
        return "`" + std::string(at, length) + "`";
    }

    [[noreturn]] void expected(const char* at, const std::string& what, const std::string& help = "") {
        fail(at, "expected " + what + ", found " + found(at), help);
    }

    JsonNumbers numbers(const char* begin, const char* end, Shape shape, JsonContent content) const {
        return {document_, static_cast<std::size_t>(begin - text_), static_cast<std::size_t>(end - text_), std::move(shape), content, nullptr};
    }

    // A large rectangle of numbers at once. Where one was none, or small after all, the next attempt waits for more text, so that
    // attempts cost no more than a part of the scan.
    std::optional<JsonValue> bulk(const char*& at, int depth) {
        if (end_ - at < bulk_bytes || at < bulk_from_) return std::nullopt;
        bulk_from_ = at + 16 * bulk_bytes;
        std::optional<BulkList> list = depth + 8 <= max_depth ? read_bulk_list(at, end_, threads_) : std::nullopt;
        if (!list) return std::nullopt;
        const char* begin = at;
        at = list->end;
        if (at - begin >= bulk_bytes) bulk_from_ = at;
        JsonNumbers result = numbers(begin, at, std::move(list->shape), list->content);
        result.read = std::move(list->numbers);
        return JsonValue{std::move(result)};
    }

    JsonValue value(const char*& at, int depth) {
        if (*at == '[') return list(at, depth + 1);
        if (*at == '{') return record(at, depth + 1);
        JsonContent content;
        ScalarFault fault;
        const char* begin = at;
        if (const char* end = scan_scalar(at, content, fault)) {
            at = end;
            return {numbers(begin, end, {}, content)};
        }
        if (fault.at != nullptr) expected(fault.at, fault.expected);
        if (*at == '"') return {string(at)};
        if (starts_word(at, "True") || starts_word(at, "False") || starts_word(at, "None")) expected(at, "a value", "JSON writes true, false and null");
        if (*at == '\'') expected(at, "a value", "strings stand in double quotes");
        if (*at == '+') expected(at, "a value", "numbers have no `+` in front");
        if (*at == '.') expected(at, "a value", "write a 0 before the decimal point");
        expected(at, "a value");
    }

    static bool starts_word(const char* at, std::string_view word) { return std::strncmp(at, word.data(), word.size()) == 0; }

    void check_depth(const char* at, int depth) {
        if (depth > max_depth) fail(at, "more than " + std::to_string(max_depth) + " nested lists and objects", "");
    }

    // To the next element: true and past the comma, or false and past the bracket.
    bool more(const char*& at, char bracket) {
        at = skip_space(at);
        if (*at == ',') {
            const char* comma = at;
            at = skip_space(at + 1);
            if (*at == bracket) fail(comma, std::string("a comma before `") + bracket + "`", "JSON has no comma after the last element");
            return true;
        }
        if (*at != bracket) expected(at, std::string("`,` or `") + bracket + "`");
        ++at;
        return false;
    }

    JsonValue list(const char*& at, int depth) {
        check_depth(at, depth);
        if (std::optional<JsonValue> numbers_alone = bulk(at, depth)) return std::move(*numbers_alone);
        const char* begin = at;
        at = skip_space(at + 1);
        JsonContent content;
        if (*at == ']') {
            ++at;
            return {numbers(begin, at, {0}, content)};
        }
        if (*at != '[' && *at != '{') return row(begin, at, depth);
        std::int64_t count = 0;
        Shape shape;
        do {
            JsonValue element = value(at, depth);
            const JsonNumbers* part = element.numbers();
            if (part == nullptr || (count > 0 && part->shape != shape)) return mixed(begin, at, count, std::move(element), depth);
            if (count == 0) shape = part->shape;
            content |= part->content;
            ++count;
        } while (more(at, ']'));
        shape.insert(shape.begin(), count);
        return {numbers(begin, at, std::move(shape), content)};
    }

    // A list whose first element is no list: numbers, as long as it lasts.
    JsonValue row(const char* begin, const char*& at, int depth) {
        JsonContent content;
        ScalarFault fault;
        std::int64_t count = 0;
        do {
            const char* element_end = scan_scalar(at, content, fault);
            if (element_end == nullptr) {
                JsonValue element = value(at, depth);
                return mixed(begin, at, count, std::move(element), depth);
            }
            at = element_end;
            ++count;
        } while (more(at, ']'));
        return {numbers(begin, at, {count}, content)};
    }

    // The list as a list of values, from the element that broke the rectangle on; `count` numbers stand before it.
    JsonValue mixed(const char* begin, const char*& at, std::int64_t count, JsonValue element, int depth) {
        JsonValue::List elements;
        elements.reserve(static_cast<std::size_t>(count) + 1);
        const char* again = skip_space(begin + 1);
        for (std::int64_t i = 0; i < count; ++i) {
            elements.push_back(value(again, depth));
            more(again, ']');
        }
        elements.push_back(std::move(element));
        while (more(at, ']')) elements.push_back(value(at, depth));
        return {std::move(elements)};
    }

    JsonValue record(const char*& at, int depth) {
        check_depth(at, depth);
        at = skip_space(at + 1);
        JsonValue::Record members;
        if (*at == '}') {
            ++at;
            return {std::move(members)};
        }
        std::unordered_set<std::string> names; // used from 16 members on
        do {
            const char* key_at = at;
            if (*at != '"') expected(at, "a name in double quotes");
            std::string name = string(at);
            const auto same = [&](const JsonMember& member) { return member.name == name; };
            if (members.size() == 16) {
                for (const JsonMember& member : members) names.insert(member.name);
            }
            const bool twice = members.size() < 16 ? std::ranges::any_of(members, same) : !names.insert(name).second;
            if (twice) fail(key_at, "the name \"" + name + "\" stands twice in one object", "", "E503");
            at = skip_space(at);
            if (*at != ':') expected(at, "`:`");
            at = skip_space(at + 1);
            JsonValue member = value(at, depth);
            members.push_back({std::move(name), std::move(member)});
        } while (more(at, '}'));
        return {std::move(members)};
    }

    std::string string(const char*& at) {
        const char* open = at++;
        std::string text;
        for (;;) {
            const char* plain = at;
            while (static_cast<unsigned char>(*at) >= 0x20 && static_cast<unsigned char>(*at) < 0x80 && *at != '"' && *at != '\\') ++at;
            text.append(plain, at);
            if (*at == '"') {
                ++at;
                return text;
            }
            if (at >= end_) fail(open, "a string without its closing quote", "");
            if (*at == '\\') {
                escape(at, text);
            } else if (const std::size_t length = static_cast<unsigned char>(*at) < 0x20 ? 0 : utf8_length(rest(at)); length > 0) {
                text.append(at, length);
                at += length;
            } else {
                fail(at, found(at) + " in a string", static_cast<unsigned char>(*at) < 0x20 ? "write it as an escape, `\\n`" : "");
            }
        }
    }

    void escape(const char*& at, std::string& text) {
        constexpr std::string_view letters = "\"\\/bfnrt", meanings = "\"\\/\b\f\n\r\t";
        const char* begin = at++;
        if (const auto index = letters.find(*at); *at != 0 && index != std::string_view::npos) {
            text += meanings[index];
            ++at;
            return;
        }
        if (*at != 'u') expected(at, "one of `\"\\/bfnrtu` after `\\`");
        ++at;
        std::uint32_t character = four_digits(at);
        if (character >= 0xD800 && character < 0xDC00 && at[0] == '\\' && at[1] == 'u') {
            at += 2;
            const std::uint32_t low = four_digits(at);
            if (low < 0xDC00 || low >= 0xE000) fail(begin, "half of a surrogate pair", "");
            character = 0x10000 + ((character - 0xD800) << 10U) + (low - 0xDC00);
        } else if (character >= 0xD800 && character < 0xE000) {
            fail(begin, "half of a surrogate pair", "");
        }
        append_utf8(text, character);
    }

    std::uint32_t four_digits(const char*& at) {
        std::uint32_t result = 0;
        for (int i = 0; i < 4; ++i, ++at) {
            const auto c = static_cast<unsigned char>(*at);
            const auto lower = static_cast<unsigned char>(c | 0x20U);
            if (c >= '0' && c <= '9') result = result * 16 + (c - '0');
            else if (lower >= 'a' && lower <= 'f') result = result * 16 + (lower - 'a' + 10U);
            else expected(at, "four hexadecimal digits after `\\u`");
        }
        return result;
    }

    const FileBytes& document_;
    const char* text_;
    const char* end_;
    std::uint32_t first_line_;
    int threads_;
    const char* bulk_from_ = nullptr; // no attempts before
};

} // namespace

JsonContent& JsonContent::operator|=(const JsonContent& other) {
    integer = integer || other.integer;
    negative = negative || other.negative;
    above_i64 = above_i64 || other.above_i64;
    beyond_64_bits = beyond_64_bits || other.beyond_64_bits;
    fraction = fraction || other.fraction;
    special = special || other.special;
    boolean = boolean || other.boolean;
    return *this;
}

const JsonValue* JsonValue::member(std::string_view name) const {
    if (record() == nullptr) return nullptr;
    const auto found = std::ranges::find_if(*record(), [&](const JsonMember& member) { return member.name == name; });
    return found == record()->end() ? nullptr : &found->value;
}

JsonValue::List JsonValue::items() const {
    if (list() != nullptr) return *list();
    if (!is_list()) throw InternalError("items of a JSON value that is no list");
    return Parser(numbers()->document, 1, 1).items(*numbers());
}

JsonValue parse_json(const FileBytes& document, std::uint32_t first_line, int threads) { return Parser(document, first_line, threads).parse(); }

JsonValue parse_json(std::string_view text, const std::string& name) { return parse_json(FileBytes(name, text)); }

} // namespace vmaprun
