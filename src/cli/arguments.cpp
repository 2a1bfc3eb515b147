#include "cli/arguments.hpp"

// CLI11 includes <iostream>, and with it an object that sets up the standard streams and their locales at every start. Nothing here writes
// to them, so that header is taken for included, and what CLI11 mentions of it is declared.
#include <istream>
#include <ostream>
#ifdef __GLIBCXX__
#define _GLIBCXX_IOSTREAM 1 // NOLINT
namespace std {
extern ostream cout, cerr; // NOLINT
}
#endif

#include <CLI/CLI.hpp>
#include <algorithm>
#include <array>
#include <charconv>
#include <limits>
#include <span>
#include <string_view>

#include "base/text.hpp"
#include "cli/completions.hpp"
#include "syntax/diagnostics.hpp"

namespace vmaprun::cli {
namespace {

constexpr std::string_view help_text = R"(Examples:
  echo '[[1, 2, 3], [4, 5, 6]]' | vmaprun -e 'vmap(sum)(x)'
  vmaprun model.vm -i x=images.npy -i w=weights.npy -o scores.npy
  vmaprun normalize.vm 'recordings/*.npy' -o 'out/{stem}.npy' -j 4

vmaprun runs a .vm script, which says what to do with one sample, on all of them.

Usage:
  vmaprun [run] SCRIPT [DATA...]   run a script (-e CODE instead of SCRIPT)
  vmaprun check SCRIPT...          check names, types and shapes without data
  vmaprun test SCRIPT...           run the `test` blocks of scripts
  vmaprun bench SCRIPT...          time the `bench` blocks of scripts (--format text|json)
  vmaprun fmt SCRIPT...            lay scripts out in the one way (--check: only tell)
  vmaprun graph SCRIPT             print the typed graph (--format text|json|dot)
  vmaprun explain CODE|SCRIPT      an error code at length, or the plan of a script
  vmaprun ops [NAME...]            the builtins, or the page of each NAME
  vmaprun info FILE...             what data files hold
  vmaprun repl                     definitions and expressions line by line

Inputs:
  -i NAME=PATH[:MEMBER]            bind an input to a .npy .npz .json .csv .tsv .safetensors file
                                   (- is stdin), or to a member or column of it
  --set NAME=JSON                  bind an input to a value
  JSON on stdin                    an object binds by name, another value the only input

Outputs:
  -o PATH, -o NAME=PATH            write a .json, .npy or .npz file, whole or not at all
  --ndjson                         a record a line on stdin, a result a line on stdout
    --keep-going                   a record that fails gives {"error": ...}, the others go on
    --latency TIME                 how long a record may wait for others (50ms)
  -f json|ndjson|npy|npz           the form of what goes to stdout
  -c, --compact                    JSON on one line
  --nan string|null|literal|error  how JSON has NaN and infinities

Running:
  -e, --eval CODE                  a script on the command line; free names are inputs
  -j, --jobs N                     files of a batch at the same time
  --resume                         leave out files whose outputs are there
  --threads N                      threads (default: all CPUs)
  --device cpu, --devices N, --strategy auto_parallel|none
                                   as in context(...): these win, and never change a result
  --mode graph|eager               eager: one operation after another, the same results
  --index fault|clamp              computed indices out of range: stop, or clamp
  --profile FILE                   a trace of the run, for Perfetto or chrome://tracing
  --check-nan                      stop where a NaN or infinity comes out of finite numbers
  --memory SIZE                    tensors take at most SIZE bytes (K, M, G: 512M)
  --timeout S                      stop after S seconds
  --quiet                          no warnings, no progress
  --color auto|always|never        colours of messages (NO_COLOR is honoured)
  --diagnostics human|json         messages as text or as JSON lines
  --completions bash|zsh|fish      completion for a shell, to be sourced
  --version, --help

Exit: 0 done, 1 a test, an assertion or a file of a batch failed, 2 usage, 3 the script,
4 the data, 5 the run, 70 a bug of vmaprun; 130 interrupted, 141 closed pipe.
)";

struct VerbName {
    std::string_view name;
    Verb verb;
};
constexpr std::array verb_names = {VerbName{"run", Verb::run},     VerbName{"check", Verb::check}, VerbName{"graph", Verb::graph},
                                   VerbName{"explain", Verb::explain}, VerbName{"fmt", Verb::fmt},  VerbName{"test", Verb::test},
                                   VerbName{"bench", Verb::bench}, VerbName{"ops", Verb::ops},     VerbName{"info", Verb::info},
                                   VerbName{"repl", Verb::repl}};

std::optional<Verb> verb_named(std::string_view name) {
    for (const VerbName& each : verb_names) {
        if (each.name == name) return each.verb;
    }
    return std::nullopt;
}

} // namespace

std::string_view nearest_verb(const std::string& word) {
    if (word.find_first_of("./") != std::string::npos) return {}; // a path
    std::vector<std::string_view> names;
    for (const VerbName& each : verb_names) names.push_back(each.name);
    return nearest(word, names);
}

namespace {

// Whether an option's value is the next word; the words of `--name=value` and `-nvalue` have theirs.
bool takes_next_word(std::string_view word) {
    constexpr std::array with_value = {"-i", "--input", "--set", "-o", "--output", "-f", "--format", "--nan", "--profile", "-j", "--jobs", "--threads", "--mode",
                                       "--index", "--memory", "--timeout", "--device", "--devices", "--strategy", "--latency", "--color", "--diagnostics", "--after"};
    return std::ranges::find(with_value, word) != with_value.end();
}

// Takes the verb out of the words: the first that is no option. Without one, or with the code of -e before it, it is `run`.
Verb take_verb(std::vector<std::string>& words) {
    std::size_t at = 0;
    while (at < words.size() && words[at].size() > 1 && words[at][0] == '-' && words[at] != "--") {
        if (words[at].starts_with("-e") || words[at].starts_with("--eval")) return Verb::run;
        at += takes_next_word(words[at]) ? 2 : 1;
    }
    if (at >= words.size()) return Verb::run;
    const std::optional<Verb> verb = verb_named(words[at]);
    if (verb) words.erase(words.begin() + static_cast<std::ptrdiff_t>(at));
    return verb.value_or(Verb::run);
}

OutputPath output_path(const std::string& text) {
    const auto letter = [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; };
    std::size_t end = 0;
    while (end < text.size() && (letter(text[end]) || (end > 0 && text[end] >= '0' && text[end] <= '9'))) ++end;
    if (end == 0 || end == text.size() || text[end] != '=') return {"", text};
    return {text.substr(0, end), text.substr(end + 1)};
}

// "512M": a whole number above 0, with K, M or G for powers of 1024.
std::optional<std::int64_t> bytes_in(std::string_view text) {
    constexpr std::string_view units = "KMG";
    unsigned shift = 0;
    if (!text.empty()) {
        const std::size_t unit = units.find(static_cast<char>(text.back() & ~0x20));
        if (unit != std::string_view::npos) {
            shift = 10 * (static_cast<unsigned>(unit) + 1);
            text.remove_suffix(1);
        }
    }
    std::int64_t number = 0;
    const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (failure != std::errc() || end != text.data() + text.size() || number <= 0 || number > std::numeric_limits<std::int64_t>::max() >> shift) return std::nullopt;
    return number << shift;
}

// "50ms", "0.05s", "0.05": seconds, from 0 to a day.
std::optional<double> duration_in(std::string text) {
    double scale = 1;
    if (text.ends_with("ms")) {
        scale = 1e-3;
        text.resize(text.size() - 2);
    } else if (text.ends_with('s')) {
        text.pop_back();
    }
    double number = 0;
    if (text.empty() || !CLI::detail::lexical_cast(text, number) || !(number >= 0) || number * scale > 86400) return std::nullopt;
    return number * scale;
}

// An option that takes one of a few words.
template <class Choice> void add_choice(CLI::App& app, const std::string& name, Choice& target, std::vector<std::pair<std::string, Choice>> words) {
    std::vector<std::string> names;
    for (const auto& word : words) names.push_back(word.first);
    app.add_option_function<std::string>(name, [&target, words = std::move(words)](const std::string& text) {
           for (const auto& [word, choice] : words) {
               if (word == text) target = choice;
           }
       })->check(CLI::IsMember(names));
}

// An option of one value that may be given several times.
void add_list(CLI::App& app, const std::string& name, std::vector<std::string>& target) {
    app.add_option(name, target)->type_size(1)->allow_extra_args(false);
}

void add_common(CLI::App& app, Command& command) {
    app.add_flag("--quiet", command.quiet);
    add_choice<ColorChoice>(app, "--color", command.color,
                            {{"auto", ColorChoice::automatic}, {"always", ColorChoice::always}, {"never", ColorChoice::never}});
    add_choice<DiagnosticsFormat>(app, "--diagnostics", command.diagnostics,
                                  {{"human", DiagnosticsFormat::human}, {"json", DiagnosticsFormat::json}});
}

// What every verb has that traces or runs scripts.
void add_session(CLI::App& app, Command& command) {
    using Mode = Options::Mode;
    add_list(app, "-i,--input", command.session.files);
    add_list(app, "--set", command.session.values);
    app.add_option("--threads", command.session.threads)->check(CLI::Range(0, 1024));
    add_choice<Mode>(app, "--mode", command.session.mode, {{"graph", Mode::graph}, {"eager", Mode::eager}});
    add_choice<bool>(app, "--index", command.session.clamp_indices, {{"fault", false}, {"clamp", true}});
    app.add_option_function<std::string>("--memory", [&command](const std::string& text) { command.session.memory = *bytes_in(text); })
        ->check(CLI::Validator([](const std::string& text) { return bytes_in(text) ? std::string() : "`" + text + "` is no size: write bytes, or a number with K, M or G"; }, "SIZE"));
    app.add_option("--timeout", command.timeout)->check(CLI::Validator([](const std::string& text) {
        double seconds = 0;
        return CLI::detail::lexical_cast(text, seconds) && seconds > 0 ? std::string() : "`" + text + "` is no number of seconds above 0";
    }, "SECONDS"));
    // Where the work goes never changes the result: on the one machine, the threads are the devices.
    using Strategy = Options::Strategy;
    app.add_option("--device", command.device)->check(CLI::IsMember({"cpu"}));
    app.add_option("--devices", command.session.devices)->check(CLI::Range(1, 1024));
    add_choice<Strategy>(app, "--strategy", command.session.strategy, {{"auto_parallel", Strategy::auto_parallel}, {"none", Strategy::none}});
    app.add_flag("--check-nan", command.session.check_nan);
}

void add_run(CLI::App& app, Command& command, std::vector<std::string>& outputs) {
    using Nan = JsonFormat::Nan;
    add_list(app, "-o,--output", outputs);
    add_choice<StdoutFormat>(app, "-f,--format", command.format,
                             {{"json", StdoutFormat::json}, {"ndjson", StdoutFormat::ndjson}, {"npy", StdoutFormat::npy}, {"npz", StdoutFormat::npz}});
    app.add_flag("-c,--compact", command.json.compact);
    add_choice<Nan>(app, "--nan", command.json.nan, {{"string", Nan::string}, {"null", Nan::null}, {"literal", Nan::literal}, {"error", Nan::error}});
    app.add_option("--profile", command.profile);
    app.add_option("-j,--jobs", command.jobs)->check(CLI::Range(1, 1024));
    app.add_flag("--resume", command.resume);
    CLI::Option* const ndjson = app.add_flag("--ndjson", command.ndjson);
    app.add_flag("--keep-going", command.keep_going)->needs(ndjson);
    app.add_option_function<std::string>("--latency", [&command](const std::string& text) { command.latency = *duration_in(text); })
        ->needs(ndjson)
        ->check(CLI::Validator([](const std::string& text) { return duration_in(text) ? std::string() : "`" + text + "` is no time: write seconds, or a number with ms or s"; }, "TIME"));
}

void add_graph(CLI::App& app, Command& command) {
    app.add_option("--after", command.after);
    add_choice<GraphFormat>(app, "--format,-f", command.graph_format,
                            {{"text", GraphFormat::text}, {"json", GraphFormat::json}, {"dot", GraphFormat::dot}});
}

bool takes_script(Verb verb) { return verb != Verb::ops && verb != Verb::repl && verb != Verb::info && verb != Verb::fmt && verb != Verb::test && verb != Verb::bench; }
bool traces(Verb verb) { return verb != Verb::ops && verb != Verb::info && verb != Verb::fmt; }

[[noreturn]] void usage(const std::string& message) { throw CLI::ValidationError(message, CLI::ExitCodes::ValidationError); }

void require_consistent(const Command& command) {
    const bool has_operand = !command.operands.empty() || command.code;
    if (has_operand && command.verb == Verb::repl) usage("repl takes no SCRIPT: write import \"" + command.operands.front() + "\" in it");
    if (!has_operand && command.verb != Verb::ops && command.verb != Verb::repl) {
        usage(command.verb == Verb::info      ? "info needs a FILE"
              : command.verb == Verb::explain ? "explain needs a CODE or a SCRIPT"
              : takes_script(command.verb)    ? "a SCRIPT is needed (or -e CODE)"
                                              : "a SCRIPT is needed");
    }
    const std::size_t most = command.verb == Verb::graph || command.verb == Verb::explain ? (command.code ? 0 : 1) : command.operands.size();
    if (command.operands.size() > most) usage("one SCRIPT at a time, and `" + command.operands[most] + "` is another");
}

// Everyday words (operands, -c, and -e -i -o --set with their value as the next word), taken apart without a parser: building one takes
// longer than a small run. Nothing where a word is none of these: then the parser decides.
std::optional<Command> plain_command(const Command& start, std::span<const std::string> words) {
    Command command = start;
    for (std::size_t i = 0; i < words.size(); ++i) {
        const std::string& word = words[i];
        if (word.empty()) return std::nullopt;
        if (word[0] != '-') {
            command.operands.push_back(word);
            continue;
        }
        if (word == "-c" && command.verb == Verb::run && !command.json.compact) {
            command.json.compact = true;
            continue;
        }
        const bool has_value = i + 1 < words.size() && !words[i + 1].empty() && words[i + 1][0] != '-';
        if (!has_value || !traces(command.verb)) return std::nullopt;
        const std::string& value = words[++i];
        if (word == "-i") command.session.files.push_back(value);
        else if (word == "--set") command.session.values.push_back(value);
        else if (word == "-e" && takes_script(command.verb) && !command.code) command.code = value;
        else if (word == "-o" && command.verb == Verb::run) command.outputs.push_back(output_path(value));
        else return std::nullopt;
    }
    return command;
}

// The options of the command's verb; those that the caller asks for again.
struct Known {
    const CLI::Option *help, *version, *eval; // eval: null where there is none
};
Known add_options(CLI::App& app, Command& command, std::vector<std::string>& outputs, std::string& code) {
    app.set_help_flag("");
    Known known{app.add_flag("-h,--help"), app.add_flag("--version"), nullptr};
    app.add_option("operands", command.operands)->allow_extra_args(true);
    add_common(app, command);
    if (traces(command.verb)) add_session(app, command);
    if (takes_script(command.verb)) known.eval = app.add_option("-e,--eval", code);
    if (command.verb == Verb::run) add_run(app, command, outputs);
    if (command.verb == Verb::graph) add_graph(app, command);
    if (command.verb == Verb::bench) add_choice<bool>(app, "--format,-f", command.bench_json, {{"text", false}, {"json", true}});
    if (command.verb == Verb::fmt) app.add_flag("--check", command.check_only);
    if (command.verb == Verb::ops) {
        app.add_flag("--all", command.everything);
        app.add_flag("--markdown", command.markdown);
    }
    return known;
}

Parsed told(std::string text, int exit_code) {
    Parsed result;
    result.text = std::move(text);
    result.exit_code = exit_code;
    return result;
}

Parsed usage_error(const std::string& message) { return told(message, 2); } // parse_arguments gives it its form

Parsed required(Parsed parsed) {
    try {
        require_consistent(parsed.command);
    } catch (const CLI::Error& failure) {
        return usage_error(failure.what());
    }
    return parsed;
}

// What the parser knows of a verb, for completion.
VerbWords words_of(const VerbName& verb) {
    Command command;
    command.verb = verb.verb;
    std::vector<std::string> outputs;
    std::string code;
    CLI::App app("", "vmaprun");
    add_options(app, command, outputs, code);
    VerbWords words{std::string(verb.name), {}};
    for (const CLI::Option* option : app.get_options()) {
        OptionWords each;
        for (const std::string& name : option->get_snames()) each.names.push_back("-" + name);
        for (const std::string& name : option->get_lnames()) each.names.push_back("--" + name);
        if (each.names.empty()) continue; // the operands
        each.takes_value = option->get_expected_max() > 0 && option->get_type_size_max() > 0;
        const std::string type = option->get_type_name(); // "TEXT:{graph,eager}"
        const std::size_t open = type.find('{'), close = type.find('}');
        for (std::size_t at = open + 1; open != std::string::npos && at < close;) {
            const std::size_t end = std::min(type.find(',', at), close);
            each.choices.push_back(type.substr(at, end - at));
            at = end + 1;
        }
        words.options.push_back(std::move(each));
    }
    return words;
}

Parsed completions(const std::string& shell) {
    std::vector<VerbWords> verbs;
    for (const VerbName& verb : verb_names) verbs.push_back(words_of(verb));
    const std::string script = completion_script(shell, verbs);
    return script.empty() ? usage_error("--completions is for bash, zsh or fish") : told(script, 0);
}

// Also where the words can't be taken apart: what reads diagnostics as JSON reads this one so.
bool asks_for_json(std::span<const std::string> words) {
    for (std::size_t i = 0; i < words.size(); ++i) {
        if (words[i] == "--diagnostics=json" || (words[i] == "--diagnostics" && i + 1 < words.size() && words[i + 1] == "json")) return true;
    }
    return false;
}

Parsed parse_words(std::vector<std::string> rest) {
    if (rest.empty()) return usage_error("a SCRIPT is needed (or -e CODE)");
    if (rest[0] == "help") return told(std::string(help_text), 0);
    if (rest[0] == "--completions") return completions(rest.size() == 2 ? rest[1] : "");
    Parsed result;
    Command& command = result.command;
    command.verb = take_verb(rest);
    if (std::optional<Command> plain = plain_command(command, rest)) {
        command = std::move(*plain);
        return required(std::move(result));
    }
    std::vector<std::string> outputs;
    std::string code;
    CLI::App app("", "vmaprun");
    const Known known = add_options(app, command, outputs, code);
    try {
        std::vector<std::string> reversed(rest.rbegin(), rest.rend());
        app.parse(std::move(reversed));
        if (known.help->count() > 0) return told(std::string(help_text), 0);
        if (known.version->count() > 0) return told("vmaprun " VMAPRUN_VERSION "\n", 0);
        if (known.eval != nullptr && known.eval->count() > 0) command.code = code;
        require_consistent(command);
    } catch (const CLI::Error& failure) {
        return usage_error(failure.what());
    }
    for (const std::string& text : outputs) command.outputs.push_back(output_path(text));
    return result;
}

} // namespace

Parsed parse_arguments(int count, const char* const* words) {
    const std::vector<std::string> all(words + 1, words + count);
    Parsed parsed = parse_words(all);
    if (!parsed.text || parsed.exit_code != 2) return parsed;
    if (asks_for_json(all)) parsed.text = render_json(error("", *parsed.text).help("`vmaprun --help` tells more"));
    else parsed.text = "error: " + *parsed.text + "; `vmaprun --help` tells more\n";
    return parsed;
}

} // namespace vmaprun::cli
