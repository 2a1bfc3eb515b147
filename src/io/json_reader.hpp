// JSON in: a document is scanned once into a light structure; its numbers are converted when their dtype is known.
//
// The scan checks all of the syntax and finds the shape of every rectangular list of numbers, but keeps its text. So
// to_array reads each number straight into the dtype asked for: correctly rounded, once, whatever was declared.
// Syntax: RFC 8259, and bare NaN, Infinity, -Infinity. A leading byte order mark is skipped. Refused: duplicate keys, bytes
// after the value, text that is not UTF-8, more than 512 nested lists and objects.
// Errors are E502 to E507 and name the JSON path (`$.x[2]`), or the line and column where the syntax breaks.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "array/array.hpp"
#include "io/file.hpp"
#include "io/tree.hpp"

namespace vmaprun {

// What occurs among the numbers of a list.
struct JsonContent {
    bool integer = false;        // whole-number literals, `-3`
    bool negative = false;       // whole-number literals below zero
    bool above_i64 = false;      // whole numbers of [2^63, 2^64)
    bool beyond_64_bits = false; // whole numbers that neither i64 nor u64 holds
    bool fraction = false;       // literals with a point or an exponent, `1.0`
    bool special = false;        // null, "NaN", NaN, Infinity, ...
    bool boolean = false;
    JsonContent& operator|=(const JsonContent& other);
};

struct NumberPieces; // io/json_bulk.hpp

// A number, a boolean, null, "NaN", "Infinity" or "-Infinity" (shape ()), or a rectangular nested list of these.
struct JsonNumbers {
    FileBytes document;
    std::size_t begin = 0, end = 0; // its text in the document
    Shape shape;
    JsonContent content;
    std::shared_ptr<const NumberPieces> read; // a large list: its numbers, read while it was scanned
};

struct JsonMember;

struct JsonValue {
    using List = std::vector<JsonValue>;    // a list that is no JsonNumbers: ragged, or with strings or objects in it
    using Record = std::vector<JsonMember>; // in the order of the document, names distinct
    std::variant<JsonNumbers, std::string, List, Record> value;

    const JsonNumbers* numbers() const { return std::get_if<JsonNumbers>(&value); }
    const std::string* text() const { return std::get_if<std::string>(&value); }
    const List* list() const { return std::get_if<List>(&value); }
    const Record* record() const { return std::get_if<Record>(&value); }
    bool is_list() const { return list() != nullptr || (numbers() != nullptr && !numbers()->shape.empty()); }
    // The member of that name of a record; null where there is none.
    const JsonValue* member(std::string_view name) const;
    // Any list element by element (a rectangular one too); InternalError on what is no list.
    List items() const;
};

struct JsonMember {
    std::string name;
    JsonValue value;
};

// The one value of a document. `first_line` is what messages call its first line (ndjson counts on); up to `threads` threads
// work on large lists.
JsonValue parse_json(const FileBytes& document, std::uint32_t first_line = 1, int threads = 1);
// The same of a text on the command line (`--set NAME=JSON`); `name` is what messages call it.
JsonValue parse_json(std::string_view text, const std::string& name);

// `$.x`, or `$["a b"]` for a name that is no identifier.
std::string member_path(const std::string& path, std::string_view name);

// What the script says of a tensor before its data is read.
struct Declared {
    std::optional<DType> dtype; // none: inferred (i64, u64, f64 or bool; §2)
    int rank = -1;              // -1: any. Tells [re, im] pairs from an axis of length 2
    Shape extents = {};         // empty, or one an axis (-1 unknown): sizes the axes that an empty list hides
};

// Whether it is an object of exactly dtype, shape and data.
bool is_tensor_envelope(const JsonValue& value);

// The tensor that a value means; `path` is where it stands, `$.x`. Rank and extents are not checked against what is
// declared: that needs the dims of the whole script. Errors: E504 ragged, E505 no tensor, E506 a value that the dtype can't hold,
// E507 a malformed envelope, E512 an envelope of a dtype that does not convert.
Array to_array(const JsonValue& value, const Declared& declared, const std::string& path);

// The same into an array of the declared dtype, row-major without gaps, which has the shape that comes.
void read_array(const JsonValue& value, const Declared& declared, const std::string& path, const View& target);

// The dtype and shape that to_array would give, without converting a number (the same errors, but E506 only where no dtype is
// declared and none holds all the numbers).
struct ScannedType {
    DType dtype = DType::f64;
    Shape shape;
};
ScannedType tensor_type_of(const JsonValue& value, const Declared& declared, const std::string& path);

// The tree that a value means where nothing is declared: records, tensors, and tuples for lists with objects or strings inside.
Tree to_tree(const JsonValue& value, const std::string& path);

} // namespace vmaprun
