#include "io/csv.hpp"

#include <algorithm>
#include <cstring>

#include "base/error.hpp"
#include "base/text.hpp"

namespace vmaprun {
namespace {

constexpr std::size_t longest_quotation = 40; // of a field, in messages
constexpr std::size_t most_names_told = 12;

bool is_digit(char c) { return c >= '0' && c <= '9'; }
char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; }
bool equals(std::string_view a, std::string_view lowercase) { return std::ranges::equal(a, lowercase, {}, lower); }

std::string quoted(std::string_view field) {
    std::string text;
    for (const char c : field.substr(0, longest_quotation)) text += static_cast<unsigned char>(c) < 0x20 ? ' ' : c;
    return "`" + text + (field.size() > longest_quotation ? "...`" : "`");
}

[[noreturn]] void fail(std::string message) { throw UserError(error("E517", std::move(message))); }

// The fields of a text, one after another.
class Fields {
  public:
    Fields(const FileBytes& text, std::size_t at, std::size_t line, char separator) : text_(text), at_(text.data() + at), end_(text.data() + text.size()), line_(line), separator_(separator) {}

    // Goes to the next line that is not empty; false at the end of the text.
    bool next_row() {
        if (in_row_) fail_unfinished();
        for (const char* at = at_; at < end_;) {
            const char* start = at;
            while (at < end_ && (*at == ' ' || *at == '\r' || (*at == '\t' && separator_ != '\t'))) ++at;
            if (at < end_ && *at != '\n') {
                at_ = start;
                row_line_ = line_;
                return in_row_ = true;
            }
            if (at < end_) ++at;
            ++line_;
            at_ = at;
        }
        return false;
    }

    // The next field of the row, without the spaces and quotes around it; false after the last.
    bool next_field(std::string_view& field) {
        if (!in_row_) return false;
        while (at_ < end_ && is_space(*at_)) ++at_;
        if (at_ < end_ && *at_ == '"') field = quoted_field();
        else field = plain_field();
        if (at_ < end_ && *at_ == separator_) {
            ++at_;
            return true;
        }
        in_row_ = false;
        if (at_ < end_) ++at_; // the line's end
        ++line_;
        return true;
    }

    std::size_t line() const { return row_line_; } // of the row
    std::size_t next_line() const { return line_; }
    std::size_t place() const { return static_cast<std::size_t>(at_ - text_.data()); }

  private:
    bool is_space(char c) const { return (c == ' ' || c == '\t' || c == '\r') && c != separator_; }
    [[noreturn]] static void fail_unfinished() { throw InternalError("csv: a row was left before its end"); }

    std::string_view plain_field() {
        const char* begin = at_;
        while (at_ < end_ && *at_ != separator_ && *at_ != '\n') ++at_;
        const char* last = at_;
        while (last > begin && is_space(last[-1])) --last;
        return {begin, static_cast<std::size_t>(last - begin)};
    }

    std::string_view quoted_field() {
        const std::size_t line = line_;
        const char* begin = ++at_;
        bool has_quotes = false;
        for (;; ++at_) {
            if (at_ == end_) fail("line " + std::to_string(line) + " of `" + text_.name() + "` has a quote without its end");
            if (*at_ == '\n') ++line_;
            if (*at_ != '"') continue;
            if (at_ + 1 == end_ || at_[1] != '"') break;
            has_quotes = true;
            ++at_;
        }
        std::string_view field(begin, static_cast<std::size_t>(at_ - begin));
        ++at_;
        while (at_ < end_ && is_space(*at_)) ++at_;
        if (at_ < end_ && *at_ != separator_ && *at_ != '\n') fail("line " + std::to_string(line_) + " of `" + text_.name() + "` goes on behind a closing quote");
        return has_quotes ? without_doubled_quotes(field) : field;
    }

    std::string_view without_doubled_quotes(std::string_view field) {
        unquoted_.clear();
        for (std::size_t i = 0; i < field.size(); ++i) {
            unquoted_ += field[i];
            if (field[i] == '"') ++i;
        }
        return unquoted_;
    }

    const FileBytes& text_;
    const char *at_, *end_;
    std::size_t line_, row_line_ = 0;
    char separator_;
    bool in_row_ = false;
    std::string unquoted_;
};

// Appends what a field is, as JSON has it; false where it is no number.
bool append_number(std::string_view field, std::string& json) {
    constexpr std::string_view missing[] = {"", "nan", "na", "n/a", "null"};
    for (const std::string_view word : missing) {
        if (equals(field, word)) return json += "null", true;
    }
    if (equals(field, "true") || equals(field, "false")) return json += equals(field, "true") ? "true" : "false", true;
    const std::size_t before = json.size();
    const char* at = field.data();
    const char* end = at + field.size();
    if (*at == '-' || *at == '+') json.append(*at == '-' ? "-" : ""), ++at;
    const std::string_view unsigned_field(at, static_cast<std::size_t>(end - at));
    if (equals(unsigned_field, "inf") || equals(unsigned_field, "infinity")) return json += "Infinity", true;
    while (end - at > 1 && *at == '0' && is_digit(at[1])) ++at; // leading zeros
    const char* digits = at;
    while (at < end && is_digit(*at)) ++at;
    const bool has_whole = at > digits;
    json += has_whole ? std::string_view(digits, static_cast<std::size_t>(at - digits)) : "0";
    bool has_fraction = false;
    if (at < end && *at == '.') {
        const char* fraction = ++at;
        while (at < end && is_digit(*at)) ++at;
        has_fraction = at > fraction;
        json += '.';
        json += has_fraction ? std::string_view(fraction, static_cast<std::size_t>(at - fraction)) : "0";
    }
    bool is_number = has_whole || has_fraction;
    if (is_number && at < end && (*at == 'e' || *at == 'E')) {
        const char* exponent = at++;
        if (at < end && (*at == '-' || *at == '+')) ++at;
        is_number = at < end;
        while (at < end && is_digit(*at)) ++at;
        json.append(exponent, at);
    }
    if (is_number && at == end) return true;
    json.resize(before);
    return false;
}

bool is_number(std::string_view field) {
    std::string ignored;
    return append_number(field, ignored);
}

// For a file that has another separator than its ending says.
void tell_of_separators(Diagnostic& diagnostic, std::string_view field) {
    if (field.find_first_of(";\t,|") == std::string_view::npos) return;
    diagnostic.helps.push_back("the fields of a .csv file are separated by commas, those of a .tsv file by tabs");
}

std::string plural(std::size_t count, const std::string& word) { return std::to_string(count) + " " + word + (count == 1 ? "" : "s"); }

} // namespace

CsvTable::CsvTable(FileBytes text, char separator, int threads) : text_(std::move(text)), separator_(separator), threads_(threads) {
    if (text_.view().starts_with("\xEF\xBB\xBF")) first_row_ = 3;
    if (std::memchr(text_.data(), 0, text_.size()) != nullptr) {
        throw UserError(error("E517", "`" + text_.name() + "` has NUL characters, and a table is text").help("save it as UTF-8, if it is UTF-16"));
    }
    read_header();
    require_rows();
}

void CsvTable::read_header() {
    Fields fields(text_, first_row_, first_line_, separator_);
    if (!fields.next_row()) fail("`" + text_.name() + "` has no rows");
    for (std::string_view field; fields.next_field(field);) {
        const std::size_t lone = field.find('\r');
        if (lone != std::string_view::npos && field.substr(lone, 2) != "\r\n") fail("`" + text_.name() + "` has line ends of CR alone, and LF and CRLF are read");
        columns_.emplace_back(field);
        has_header_ = has_header_ || !is_number(field);
    }
    if (has_header_) {
        first_row_ = fields.place();
        first_line_ = fields.next_line();
        return;
    }
    for (std::size_t i = 0; i < columns_.size(); ++i) columns_[i] = std::to_string(i);
}

void CsvTable::require_rows() {
    Fields fields(text_, first_row_, first_line_, separator_);
    for (std::string_view field; fields.next_row(); ++rows_) {
        std::size_t count = 0;
        while (fields.next_field(field)) ++count;
        if (count == columns_.size()) continue;
        Diagnostic diagnostic = error("E517", "line " + std::to_string(fields.line()) + " of `" + text_.name() + "` has " + plural(count, "field") + ", and " +
                                                  (has_header_ ? "the header" : "the first row") + " has " + std::to_string(columns_.size()));
        if (columns_.size() == 1) tell_of_separators(diagnostic, columns_[0]);
        throw UserError(std::move(diagnostic));
    }
    if (rows_ > 0 || columns_.size() > 1) return;
    // One line of `1;2` is no header of a table without rows.
    Diagnostic diagnostic = error("E517", quoted(columns_[0]) + " is all that `" + text_.name() + "` has, and is no number");
    tell_of_separators(diagnostic, columns_[0]);
    if (!diagnostic.helps.empty()) throw UserError(std::move(diagnostic));
}

std::size_t CsvTable::column(const std::string& name) const {
    const auto count = std::ranges::count(columns_, name);
    if (count == 1) return static_cast<std::size_t>(std::ranges::find(columns_, name) - columns_.begin());
    if (count > 1) fail("`" + text_.name() + "` has " + std::to_string(count) + " columns `" + name + "`");
    Diagnostic diagnostic = error("E517", "`" + text_.name() + "` has no column `" + name + "`");
    const std::vector<std::string_view> names(columns_.begin(), columns_.end());
    const std::string_view near = nearest(name, names);
    if (!has_header_) diagnostic.notes.push_back(std::string("it has no header: ") + (columns_.size() == 1 ? "its column is 0" : "its columns are 0 to " + std::to_string(columns_.size() - 1)));
    else if (!near.empty()) diagnostic.helps.push_back("did you mean `" + std::string(near) + "`?");
    else if (columns_.size() <= most_names_told) diagnostic.notes.push_back((columns_.size() == 1 ? "its column is " : "its columns are ") + join_and(columns_));
    else diagnostic.helps.push_back("`vmaprun info` lists its " + std::to_string(columns_.size()) + " columns");
    if (columns_.size() == 1) tell_of_separators(diagnostic, columns_[0]);
    throw UserError(std::move(diagnostic));
}

JsonValue CsvTable::numbers(std::size_t column) const { return written(column); }
JsonValue CsvTable::numbers() const { return written(std::nullopt); }

// The fields again, as the JSON that a list of them is: what reads JSON then finds their dtype, and converts each once.
JsonValue CsvTable::written(std::optional<std::size_t> column) const {
    if (rows_ == 0) return empty(column.has_value());
    std::string json = "[";
    json.reserve(text_.size() + text_.size() / 8);
    Fields fields(text_, first_row_, first_line_, separator_);
    std::string_view field;
    while (fields.next_row()) {
        if (json.size() > 1) json += ',';
        if (!column) json += '[';
        for (std::size_t i = 0; fields.next_field(field); ++i) {
            if (column && i != *column) continue;
            if (!column && i > 0) json += ',';
            if (append_number(field, json)) continue;
            const std::string where = "line " + std::to_string(fields.line()) + ", column `" + columns_[i] + "`";
            Diagnostic diagnostic = error("E517", quoted(field) + " in " + where + " of `" + text_.name() + "` is no number");
            if (columns_.size() == 1) tell_of_separators(diagnostic, field);
            if (!column && columns_.size() > 1) diagnostic.helps.push_back("`-i NAME=" + text_.name() + ":COLUMN` takes one column; a record takes those that it names, `input r: {COLUMN: f64[n]}`");
            throw UserError(std::move(diagnostic));
        }
        if (!column) json += ']';
    }
    json += ']';
    return read(json);
}

std::vector<std::optional<JsonValue>> CsvTable::each_column() const {
    if (rows_ == 0) return std::vector<std::optional<JsonValue>>(columns_.size(), empty(true));
    std::vector<std::string> json(columns_.size(), "["); // empty: has words
    Fields fields(text_, first_row_, first_line_, separator_);
    std::string_view field;
    while (fields.next_row()) {
        for (std::size_t i = 0; fields.next_field(field); ++i) {
            if (json[i].size() > 1) json[i] += ',';
            if (!json[i].empty() && !append_number(field, json[i])) json[i].clear();
        }
    }
    std::vector<std::optional<JsonValue>> columns;
    for (const std::string& each : json) columns.push_back(each.empty() ? std::nullopt : std::optional(read(each + "]")));
    return columns;
}

JsonValue CsvTable::empty(bool is_column) const {
    const std::string shape = is_column ? "[0]" : "[0, " + std::to_string(columns_.size()) + "]";
    return parse_json(R"({"dtype": "f64", "shape": )" + shape + R"(, "data": []})", text_.name());
}

JsonValue CsvTable::read(const std::string& json) const { return parse_json(FileBytes(text_.name(), json), 1, threads_); }

} // namespace vmaprun
