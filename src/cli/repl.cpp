// repl: a script that grows line by line. What is defined is kept; an expression is run on it and printed with its type.
// A name that is defined again takes the place of the old one, and what is made of it follows.
#include <algorithm>
#include <deque>
#include <optional>
#include <string>
#include <vector>

#include "cli/limits.hpp"
#include "cli/line_editor.hpp"
#include "cli/report.hpp"
#include "cli/verbs.hpp"
#include "io/output_file.hpp"
#include "syntax/parser.hpp"

namespace vmaprun::cli {
namespace {

constexpr const char* help_words = R"(Type a definition (let, fn, type, import, input x = ...) to keep it, or an expression to see its value.
  :type EXPRESSION   its type alone; nothing is computed
  :list              what is kept
  :help              this
  :quit              ends (as does the end of the input)
An open bracket goes on to the next line; ^C drops what was typed.
)";

constexpr const char* name_of_source = "repl";

// How many brackets are open at the end of the text, strings and comments aside.
int open_brackets(std::string_view text) {
    int open = 0;
    bool in_string = false;
    for (std::size_t i = 0; i < text.size(); ++i) {
        const char c = text[i];
        if (in_string) {
            if (c == '\\') ++i;
            else if (c == '"' || c == '\n') in_string = false;
        } else if (c == '"') in_string = true;
        else if (c == '#') i = std::min(text.find('\n', i), text.size());
        else if (c == '(' || c == '[' || c == '{') ++open;
        else if (c == ')' || c == ']' || c == '}') --open;
    }
    return open;
}

std::string trimmed(std::string_view text) {
    const std::size_t first = text.find_first_not_of(" \t\r\n");
    if (first == std::string_view::npos) return {};
    return std::string(text.substr(first, text.find_last_not_of(" \t\r\n") - first + 1));
}

void add_names(const ast::Pattern& pattern, std::vector<std::string>& names) {
    if (pattern.form == ast::Pattern::Form::name) names.push_back(pattern.name);
    for (const ast::Pattern& item : pattern.items) add_names(item, names);
}

// The names that items define.
std::vector<std::string> names_of(const ast::Script& script) {
    std::vector<std::string> names;
    for (const ast::Item& item : script.items) {
        if (const auto* statement = std::get_if<ast::Statement>(&item.node)) add_names(statement->pattern, names);
        else if (const auto* function = std::get_if<ast::Function>(&item.node)) names.push_back(function->name.text);
        else if (const auto* type = std::get_if<ast::TypeItem>(&item.node)) names.push_back(type->name.text);
        else if (const auto* input = std::get_if<ast::Input>(&item.node)) names.push_back(input->name.text);
    }
    return names;
}

class Repl {
  public:
    explicit Repl(const Command& command) : command_(command), session_([&] {
        Options options = session_options(command);
        options.read_stdin = false; // what is typed is the script
        return options;
    }()) {}

    int run() {
        if (editor_.is_terminal() && !command_.quiet) write_stdout("vmaprun " VMAPRUN_VERSION ", :help tells how\n");
        while (const std::optional<std::string> text = next()) {
            if (*text == ":quit" || *text == ":q") break;
            const int status = guarded(command_, [&] { return answer(*text); });
            if (status_ == 0 && !editor_.is_terminal()) status_ = status; // a script of lines tells that one failed
        }
        return status_;
    }

  private:
    struct Kept {
        std::vector<std::string> names;
        std::string text;
    };

    // A line, or several while brackets are open.
    std::optional<std::string> next() {
        std::optional<std::string> text = editor_.read("> ");
        while (text && open_brackets(*text) > 0) {
            const std::optional<std::string> more = editor_.read(". ");
            if (!more || (editor_.is_terminal() && more->empty())) break;
            *text += "\n" + *more;
        }
        if (text) *text = trimmed(*text);
        return text;
    }

    int answer(const std::string& text) {
        if (text.empty()) return 0;
        if (text == ":help") return write_stdout(help_words), 0;
        if (text == ":list") {
            for (const Kept& each : kept_) write_stdout(each.text + "\n");
            return 0;
        }
        if (text.starts_with(":type ")) return show(session_.types(script(text.substr(6)), name_of_source));
        if (text[0] == ':') throw UserError(error("", "there is no command `" + text.substr(0, text.find(' ')) + "`").help("the commands are :type EXPRESSION, :list, :help and :quit").exits(2));
        const ParseResult parsed = parse(sources_.emplace_back(name_of_source, text));
        if (!parsed.errors.empty()) throw UserError(parsed.errors);
        const bool defines = std::ranges::all_of(parsed.script.items, [](const ast::Item& item) { return !shows(item); });
        if (defines) return keep(parsed.script, text);
        if (!editor_.is_terminal()) return evaluate(text);
        const int status = interruptible([&] {
            limit_time(command_.timeout, command_);
            return guarded(command_, [&] { return evaluate(text); });
        });
        if (status == 130) write_stdout("\n"); // behind the ^C that the terminal shows
        return status;
    }

    // Whether an item is there to be seen, rather than kept.
    static bool shows(const ast::Item& item) {
        if (std::holds_alternative<ast::Output>(item.node)) return true;
        const auto* statement = std::get_if<ast::Statement>(&item.node);
        return statement != nullptr && !statement->is_let;
    }

    std::string script(const std::string& last) const {
        std::string text;
        for (const Kept& each : kept_) text += each.text + "\n";
        return text + last + "\n";
    }

    int show(const TextReport& text) {
        report(command_, text.messages);
        write_stdout(text.text);
        return text.exit_code;
    }

    int keep(const ast::Script& items, const std::string& text) {
        Kept fresh{names_of(items), text};
        std::vector<Kept> before = kept_;
        std::erase_if(kept_, [&](const Kept& each) {
            return std::ranges::any_of(each.names, [&](const std::string& name) { return std::ranges::find(fresh.names, name) != fresh.names.end(); });
        });
        const auto gone = std::ranges::mismatch(kept_, before, {}, &Kept::text, &Kept::text);
        kept_.insert(gone.in1, std::move(fresh)); // where the old one stood: what is made of it comes later
        const Result checked = session_.run(script(""), name_of_source); // without outputs: nothing is computed, but inputs must be there
        report(command_, checked.messages());
        if (!checked.ok()) kept_ = std::move(before);
        return checked.exit_code();
    }

    int evaluate(const std::string& text) {
        const Result result = session_.run(script(text), name_of_source);
        report(command_, result.messages());
        if (!result.ok()) return result.exit_code();
        if (result.names().empty()) return 0;
        write_stdout(result.json(command_.json) + ": ");
        return show(session_.types(script(text), name_of_source));
    }

    const Command& command_;
    Session session_;
    LineEditor editor_;
    std::vector<Kept> kept_;
    std::deque<Source> sources_; // errors point into them
    int status_ = 0;
};

} // namespace

int repl_verb(const Command& command) {
    return guarded(command, [&] { return Repl(command).run(); });
}

} // namespace vmaprun::cli
