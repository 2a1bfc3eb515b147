// Tables of numbers as text: .csv files, whose fields are separated by commas, and .tsv files, by tabs.
//
// Read: RFC 4180 (quoted fields, "" for a quote inside of them), with line ends of LF or CRLF, a byte order mark, spaces around fields; empty lines
// count for nothing. A first row with a field that is no number is a header, and names the columns; without one they have the names 0, 1, …
// Numbers are decimal, with `+`, `.5` and `5.` besides what JSON has; `nan`, `NA`, `N/A`, `null` and empty fields are NaN, `inf` is infinity, `true` and
// `false` are booleans. All rows have the same number of fields.
// Errors: E517, which names the line, or what the file is instead of a table.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "io/file.hpp"
#include "io/json_reader.hpp"

namespace vmaprun {

class CsvTable {
  public:
    // Reads the header and counts the rows; their fields are read when they are asked for.
    CsvTable(FileBytes text, char separator, int threads = 1);

    const std::vector<std::string>& columns() const { return columns_; }
    bool has_header() const { return has_header_; }
    std::size_t rows() const { return rows_; }

    // The place of a column by its name; E517 where there is none of that name, or several.
    std::size_t column(const std::string& name) const;
    // A column as a list of numbers; all of them as a list of rows.
    JsonValue numbers(std::size_t column) const;
    JsonValue numbers() const;
    // All columns, in one pass; none for those that have words.
    std::vector<std::optional<JsonValue>> each_column() const;

  private:
    JsonValue written(std::optional<std::size_t> column) const;
    JsonValue empty(bool is_column) const;
    JsonValue read(const std::string& json) const;
    void read_header();
    void require_rows();

    FileBytes text_;
    char separator_;
    int threads_;
    std::vector<std::string> columns_;
    bool has_header_ = false;
    std::size_t first_row_ = 0; // where it begins in the text
    std::size_t first_line_ = 1; // its line
    std::size_t rows_ = 0;
};

} // namespace vmaprun
