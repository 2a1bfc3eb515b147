#include "io/codes.hpp"

namespace vmaprun {
namespace {

constexpr CodeExplanation explanations[] = {
    {"E501", "a file cannot be read",
     "The file is not there, is a folder, or the system refuses to open or read it. The message gives the\n"
     "system's reason, and the nearest name in the same folder where one is near.\n"
     "The name `-` means standard input.\n"},
    {"E502", "a JSON document breaks the syntax",
     "The message gives line and column, counted from 1. Read is RFC 8259 JSON in UTF-8, and besides the bare\n"
     "words NaN, Infinity and -Infinity. Common causes: a comma before a closing bracket, single quotes,\n"
     "`.5` for `0.5`, Python's True and None, a second value after the first (use --ndjson for many), a file that\n"
     "was cut off, lists and objects nested more than 512 deep.\n"},
    {"E503", "a name stands twice in one JSON object",
     "JSON leaves open which of the two would count, so neither does.\n"
     "    {\"x\": 1, \"x\": 2}\n"
     "Remove one of them.\n"},
    {"E504", "nested lists of different lengths",
     "The lists of a tensor have one length along each axis. The message names two places that disagree:\n"
     "    {\"x\": [[1, 2, 3, 4], [5, 6, 7]]}      `$.x[1]` has 3 elements, `$.x[0]` has 4\n"
     "Pad the short rows, or declare the input as a tuple to keep parts of different shapes:\n"
     "    input x: (f32[4], f32[3])\n"},
    {"E505", "a JSON value that is no tensor",
     "A string or an object stands where numbers are expected. Of strings, \"NaN\", \"Infinity\" and \"-Infinity\" are\n"
     "numbers. An object is a tensor when it has exactly dtype, shape and data:\n"
     "    {\"dtype\": \"f32\", \"shape\": [2, 2], \"data\": [1, 2, 3, 4]}\n"
     "Any other object is a record, for an input of a record type.\n"},
    {"E506", "a value that its dtype does not hold",
     "Inputs convert once, and never change a value beyond rounding: 300 is no u8, 1.5 no integer, NaN and null no\n"
     "integer, -1 no unsigned integer, 1e39 no f32, 1e400 no f64, 2 no bool. Without a declared type, whole numbers are i64, or u64 where\n"
     "one needs it; 2^64 and beyond, or a negative number beside one past 2^63, have no dtype: declare f64.\n"
     "The message names the first such element in row-major order.\n"},
    {"E507", "a malformed tensor object",
     "An object of exactly dtype, shape and data is a tensor:\n"
     "    {\"dtype\": \"f32\", \"shape\": [0, 3], \"data\": []}\n"
     "dtype is the name of a dtype, shape a list of sizes of 0 or more, and data one flat list of as many elements as the\n"
     "shape has, row by row; a complex element is a pair [re, im].\n"},
    {"E508", "a malformed .npy, .npz or .safetensors file",
     "The file does not begin like an .npy file, or its header is no dictionary of descr, fortran_order and shape: it is no\n"
     "NumPy file, or is damaged. Headers of more than 64 KiB and shapes whose bytes 64 bits do not count are refused as well.\n"
     "An .npz file is a zip archive: its directory stands at its end, every member lies inside of it, and gives the bytes that its checksum\n"
     "says. A .safetensors file begins with the length of a JSON header; its tensors fill the rest without gaps.\n"},
    {"E509", "a kind of .npy, .npz or .safetensors file that is not read",
     "Read are the .npy versions 1.0, 2.0 and 3.0 of bool, i1 to i8, u1 to u8, f4, f8, c8 and c16 in either byte order. Half\n"
     "precision, strings, dates and structured arrays are not; object arrays hold pickled Python code, which is never run.\n"
     "In Python, `np.save(path, x.astype('f4'))` converts first.\n"
     "The members of an .npz file are stored or deflated, and not encrypted, as np.savez and np.savez_compressed write them.\n"
     "Of .safetensors files BOOL, I8 to I64, U8 to U64, F32, F64 and C64 are read, and F16 and BF16, which become f32.\n"},
    {"E510", "an .npy, .npz or .safetensors file is shorter or longer than its header says",
     "The shape and dtype of the header settle how many bytes follow it. Fewer mean that the file was cut off (an\n"
     "interrupted copy, a full disk); more, that something else was appended. Neither is guessed at.\n"},
    {"E511", "a file whose ending is not known",
     "Data files are told apart by the ending of their names: .npy, .npz, .json, .csv, .tsv and .safetensors.\n"
     "On standard input JSON and .npy are read.\n"},
    {"E512", "an array whose dtype does not convert to the declared one",
     "Booleans, integers and floats convert to each other where the values allow it, and to complex. Complex numbers do not\n"
     "become real by themselves: declare c64 or c128 and take `real(x)`. A key is read from u32 with a last axis of length 2.\n"},
    {"E515", "an output that the script does not give",
     "`-o NAME=PATH` writes the output of that name; `-o PATH.npy` alone needs a script with one output, because an .npy file holds\n"
     "one array. A tuple or record goes to a .json file, or field by field: `output {mean, spread}` makes each field an output.\n"},
    {"E516", "a binding that does not fit the script",
     "`-i NAME=PATH` and `--set NAME=JSON` name an input of the script, each at most once. `-i NAME=PATH:MEMBER` picks a member of\n"
     "the object in a .json file (or on stdin, with the path `-`), an array of an .npz or .safetensors file, or a column of a table.\n"},
    {"E517", "a table that is no table of numbers",
     "A .csv file has fields between commas, a .tsv file between tabs, and all rows have the same number of them. A first row with a\n"
     "field that is no number is a header. Empty fields, `nan`, `NA`, `N/A` and `null` are NaN. Columns of words can stand beside columns of\n"
     "numbers: `-i NAME=PATH:COLUMN` takes one column, and an input that is declared as a record takes those that it names:\n"
     "    input flowers: {width: f64[n], length: f64[n]}\n"},
    {"E520", "an output cannot be written",
     "The system's reason follows the path: no such folder, no permission, a full disk (also found when the data is flushed,\n"
     "closed or put in place). Outputs appear whole or not at all, so nothing new stands there, and an older file of that name is\n"
     "as it was.\n"
     "An .npz file names what is inside of records and tuples with dots, and can't hold two arrays of one name: `a.b` of\n"
     "{\"a.b\": 1, \"a\": {\"b\": 2}} would be both.\n"},
    {"E650", "a result has a NaN or an infinity under `--nan error`",
     "JSON has no such numbers. With `--nan error` the first one stops the run before any of that output is written. `--nan string`\n"
     "(the default) writes \"NaN\", \"Infinity\" and \"-Infinity\", `--nan null` writes null, `--nan literal` the bare words.\n"
     "`--check-nan` finds the operation that made it.\n"},
};

} // namespace

std::span<const CodeExplanation> io_codes() { return explanations; }

} // namespace vmaprun
