#include "syntax/codes.hpp"

namespace vmaprun {
namespace {

constexpr CodeExplanation explanations[] = {
    {"E101", "a character that begins nothing",
     "Scripts are made of names (letters, digits, `_`), numbers, strings in double quotes, the operators and brackets of the\n"
     "language, and comments after `#`. Any other character stands in strings and comments only.\n"},
    {"E102", "a script that is not text",
     "A script is UTF-8 without NUL bytes. A file in UTF-16, or in an older encoding such as Latin-1, has to be saved as UTF-8;\n"
     "a data file given in place of the script ends up here too: the script comes first, `vmaprun script.vm data.npy`.\n"},
    {"E103", "an operator of another language",
     "    `&&`  is written `and`      `||`  is written `or`      `!`  is written `not`\n"
     "    `^`   is written `**` for a power, and `bitwise_xor(a, b)` for exclusive or\n"
     "`and`, `or`, `not` take booleans; `&`, `|`, `~` work on the bits of integers, and on booleans element by element.\n"},
    {"E104", "a character that only looks like ASCII",
     "Input methods and word processors put full-width or typographic characters in place of ASCII ones: `（` for `(`, `，` for\n"
     "`,`, `“` for `\"`, `−` for `-`. The message names the ASCII character. Strings and comments may hold any of them.\n"},
    {"E105", "a string that does not end",
     "A string stands between two double quotes on one line. A line break inside is written `\\n`, a double quote `\\\"`.\n"
     "Single quotes are no quotes here.\n"},
    {"E106", "an unknown escape in a string",
     "After a backslash stands one of\n"
     "    \\n  a new line     \\t  a tab     \\\"  a double quote     \\\\  a backslash     \\u{e9}  a character by its code (here é)\n"
     "A path with backslashes is written with two: \"data\\\\x.npy\", or with `/`.\n"},
    {"E107", "a malformed number",
     "    42   1_000   0x1f   2.5   1e-3   1.5e10\n"
     "A digit stands on both sides of the point (`1.0`, `0.5`), `_` between two digits; a decimal whole number doesn't begin with\n"
     "0. A product is written out: `3 * x`. A decimal number that f64 can't hold (1e400) is an error; infinity is `inf`.\n"},
    {"E110", "something else was expected",
     "The message says what may stand at that place and what was found there. The mistake is often a little before the place:\n"
     "a forgotten comma, operator or bracket.\n"},
    {"E111", "a bracket that is never closed",
     "The marked bracket has no partner. The second label, where there is one, shows where at the latest it was expected.\n"
     "    let x = (1 + 2        # `)` is missing\n"
     "    let y = 3\n"
     "Inside `(` and `[` a new line does not end a statement, so the next line was read as part of it.\n"},
    {"E112", "a bracket that closes nothing",
     "A closing bracket has no open one of its kind: one is too many, or the two of a pair differ, as in `(a]`.\n"},
    {"E113", "`=` where it has no meaning",
     "`=` binds: `let x = 1`, a default, a keyword argument. Two values are compared with `==`. A name is bound by `let` at\n"
     "its first and only binding; what is bound does not change, so there is no `x = x + 1`: bind another name, or carry the\n"
     "value through a `loop`:\n"
     "    loop x = 0 for i in 0 .. 10 { x + i }\n"},
    {"E114", "a chain of comparisons or of ranges",
     "A comparison gives a boolean, which is no number to be compared once more. Write `a < b and b < c`, or for tensors\n"
     "`(a < b) & (b < c)`. A range `a .. b` has two ends.\n"},
    {"E115", "a block without a value",
     "The value of a block is its last expression:\n"
     "    { let y = x + 1; y * 2 }\n"
     "A block that is empty or ends in a `let` has none. For no value at all, write the empty tuple `()`.\n"},
    {"E116", "`if` without `else`, or `else` without `if`",
     "An `if` is an expression, whose value is that of one of its two blocks, so it has both:\n"
     "    if x > 0 { x } else { 0 * x }\n"
     "Further conditions follow as `else if c { … }`. `else` may begin a line.\n"},
    {"E117", "a positional argument after a keyword argument",
     "Arguments without a name fill the parameters in order, so they come before those with one:\n"
     "    sum(x, axis=0)        # not sum(axis=0, x)\n"},
    {"E118", "a reserved word used as a name",
     "Reserved are\n"
     "    import as let fn if else loop while for in and or not true false none\n"
     "The words type, input, output, test, bench, context and limit are keywords only where the grammar has them.\n"},
    {"E119", "two statements without a separator",
     "Statements are separated by a new line or `;`. Something follows a complete statement that can't go on with it: an\n"
     "operator or a comma may be missing.\n"},
    {"E120", "nested too deep",
     "An expression may be nested 400 deep, and every operator of a long chain (`a + b + c + …`) counts as a level. Give parts\n"
     "names with `let`, or use a function over a list: `sum([a, b, c])`.\n"},
    {"E121", "an item inside a block",
     "`import`, `type`, `input`, `output`, `fn`, `test` and `bench` stand at the top of a script. A block holds `let` and\n"
     "expressions. A function for use inside a block is a value: `let f = x => x + 1`.\n"
     "Where the block was meant to end before, its `}` is missing.\n"},
    {"E122", "a keyword of another language",
     "    def, function    fn f(x) = x + 1\n"
     "    lambda           x => x + 1\n"
     "    return           the last expression of a block is its value\n"
     "    var, const       let\n"
     "    elif             else if\n"},
};

} // namespace

std::span<const CodeExplanation> syntax_codes() { return explanations; }

} // namespace vmaprun
