// The verbs of the command: each does its work and gives the exit code.
#pragma once

#include "cli/arguments.hpp"

namespace vmaprun::cli {

int run_verb(const Command& command);     // run.cpp
int check_verb(const Command& command);   // tools.cpp: this and the following
int graph_verb(const Command& command);
int explain_verb(const Command& command);
int fmt_verb(const Command& command);
int test_verb(const Command& command);
int bench_verb(const Command& command);
int info_verb(const Command& command);
int ops_verb(const Command& command);     // ops.cpp
int repl_verb(const Command& command);    // repl.cpp

// A script: its text and what messages call it ("-" is standard input, CODE of -e is "-e").
struct ScriptText {
    std::string text, name;
};
ScriptText read_script(const Command& command, const std::string& path);
// The script of a command that takes one: the code of -e, or the first operand.
ScriptText the_script(const Command& command);
// The session options of the command, colours settled.
Options session_options(const Command& command);

} // namespace vmaprun::cli
