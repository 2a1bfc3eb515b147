// Completion of the command line for shells, made from the options that the parser knows.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace vmaprun::cli {

struct OptionWords {
    std::vector<std::string> names;   // "-o", "--output"
    std::vector<std::string> choices; // the words that it takes, where these are few
    bool takes_value = false;
};
struct VerbWords {
    std::string name;
    std::vector<OptionWords> options;
};

// The script that a shell sources: "bash", "zsh" or "fish"; empty for any other.
std::string completion_script(std::string_view shell, const std::vector<VerbWords>& verbs);

} // namespace vmaprun::cli
