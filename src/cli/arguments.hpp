// The command line, taken apart: the only place that knows CLI11 is arguments.cpp.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "vmaprun.hpp"

namespace vmaprun::cli {

enum class Verb { run, check, graph, explain, fmt, test, bench, ops, info, repl };
enum class ColorChoice { automatic, always, never };
enum class DiagnosticsFormat { human, json };

// How results go to standard output.
enum class StdoutFormat { unset, json, ndjson, npy, npz };

// -o PATH, -o NAME=PATH.
struct OutputPath {
    std::string name; // empty: all outputs (.json, .npz), or the only one (.npy)
    std::string path;
};

struct Command {
    Verb verb = Verb::run;
    std::vector<std::string> operands; // the script and its data, or what the verb works on
    std::optional<std::string> code;   // -e
    Options session;                   // -i --set --mode --threads --index
    std::vector<OutputPath> outputs;
    StdoutFormat format = StdoutFormat::unset;
    JsonFormat json; // -c --nan
    bool ndjson = false;    // a record a line in, a result a line out
    bool keep_going = false; // with it: a line that fails stops nothing
    double latency = 0.05;  // with it: seconds
    int jobs = 1;
    bool resume = false; // a data file whose outputs are there is left out
    double timeout = 0; // seconds; 0: none
    std::string profile; // a trace goes there; empty: none
    std::string device = "cpu";
    bool quiet = false;
    bool check_only = false; // fmt --check
    bool everything = false; // ops --all
    bool markdown = false;   // ops --markdown: the reference page
    ColorChoice color = ColorChoice::automatic;
    DiagnosticsFormat diagnostics = DiagnosticsFormat::human;
    GraphFormat graph_format = GraphFormat::text;
    bool bench_json = false; // bench --format json
    std::string after; // graph --after PASS
};

// What the words of the command line ask for: a command, or, when `text` is set, only to print it and end.
struct Parsed {
    Command command;
    std::optional<std::string> text; // --help, --version; or the message of a usage error
    int exit_code = 0;               // with `text`: 0, or 2 for a usage error
};

Parsed parse_arguments(int count, const char* const* words);

// The verb that a word is nearly; empty: it is near none, or it is a path.
std::string_view nearest_verb(const std::string& word);

} // namespace vmaprun::cli
