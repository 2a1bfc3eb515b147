#include "cli/completions.hpp"

#include "base/text.hpp"

namespace vmaprun::cli {
namespace {

std::string verb_names(const std::vector<VerbWords>& verbs) {
    std::vector<std::string> names;
    for (const VerbWords& verb : verbs) names.push_back(verb.name);
    return join(names, " ");
}

std::string option_names(const VerbWords& verb) {
    std::vector<std::string> names;
    for (const OptionWords& option : verb.options) names.insert(names.end(), option.names.begin(), option.names.end());
    return join(names, " ");
}

// One `case` branch for each verb and option that takes one of a few words.
std::string bash_choices(const std::vector<VerbWords>& verbs) {
    std::string text;
    for (const VerbWords& verb : verbs) {
        for (const OptionWords& option : verb.options) {
            if (option.choices.empty()) continue;
            std::vector<std::string> patterns;
            for (const std::string& name : option.names) patterns.push_back(verb.name + ":" + name);
            text += "        " + join(patterns, "|") + ") words=\"" + join(option.choices, " ") + "\" ;;\n";
        }
    }
    return text;
}

std::string bash_options(const std::vector<VerbWords>& verbs) {
    std::string text;
    for (const VerbWords& verb : verbs) text += "            " + verb.name + ") words=\"" + option_names(verb) + "\" ;;\n";
    return text;
}

std::string bash_script(const std::vector<VerbWords>& verbs) {
    return "# bash completion of vmaprun: eval \"$(vmaprun --completions bash)\"\n"
           "_vmaprun() {\n"
           "    local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD-1]} verb=run words=\n"
           "    case \" " + verb_names(verbs) + " \" in *\" ${COMP_WORDS[1]} \"*) verb=${COMP_WORDS[1]} ;; esac\n"
           "    case $verb:$before in\n" +
           bash_choices(verbs) +
           "    esac\n"
           "    if [ -z \"$words\" ]; then case $word in -*)\n"
           "        case $verb in\n" +
           bash_options(verbs) +
           "        esac ;;\n"
           "    esac; fi\n"
           "    if [ -n \"$words\" ]; then COMPREPLY=($(compgen -W \"$words\" -- \"$word\")); return; fi\n"
           "    COMPREPLY=($(compgen -f -- \"$word\"))\n"
           "    if [ \"$COMP_CWORD\" -eq 1 ]; then COMPREPLY+=($(compgen -W \"" + verb_names(verbs) + "\" -- \"$word\")); fi\n"
           "}\n"
           "complete -o filenames -F _vmaprun vmaprun\n";
}

std::string zsh_script(const std::vector<VerbWords>& verbs) {
    return "# zsh completion of vmaprun: eval \"$(vmaprun --completions zsh)\"\nautoload -U +X bashcompinit && bashcompinit\n" + bash_script(verbs);
}

std::string fish_script(const std::vector<VerbWords>& verbs) {
    std::string text = "# fish completion of vmaprun: vmaprun --completions fish | source\n";
    text += "complete -c vmaprun -n __fish_use_subcommand -a \"" + verb_names(verbs) + "\"\n";
    std::vector<std::string> others; // verbs but run, which needs no word
    for (const VerbWords& verb : verbs) {
        if (verb.name != "run") others.push_back(verb.name);
    }
    for (const VerbWords& verb : verbs) {
        const std::string when = verb.name == "run" ? "not __fish_seen_subcommand_from " + join(others, " ") : "__fish_seen_subcommand_from " + verb.name;
        for (const OptionWords& option : verb.options) {
            text += "complete -c vmaprun -n \"" + when + "\"";
            for (const std::string& name : option.names) text += name.starts_with("--") ? " -l " + name.substr(2) : " -s " + name.substr(1);
            if (!option.choices.empty()) text += " -x -a \"" + join(option.choices, " ") + "\"";
            else if (option.takes_value) text += " -r";
            text += "\n";
        }
    }
    return text;
}

} // namespace

std::string completion_script(std::string_view shell, const std::vector<VerbWords>& verbs) {
    if (shell == "bash") return bash_script(verbs);
    if (shell == "zsh") return zsh_script(verbs);
    return shell == "fish" ? fish_script(verbs) : std::string();
}

} // namespace vmaprun::cli
