// The recognizer that bison makes of grammar/vmaprun.y and the hand-written parser accept the same scripts: over a
// corpus, over random derivations of the grammar, and over mutations of both. Run in the project's folder.
#define DOCTEST_CONFIG_IMPLEMENT_WITH_MAIN
#include <doctest/doctest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "feed.hpp"
#include "generator.hpp"
#include "syntax/parser.hpp"

namespace {

namespace fs = std::filesystem;
using namespace vmaprun;

constexpr int most_failures = 10; // are told; after a mistake in the grammar there are thousands

struct Verdicts {
    bool grammar = false, parser = false;
    bool too_deep = false; // past the limit of nesting, which is none of the grammar's rules
    std::string error;     // the parser's first
    bool agree() const { return too_deep || grammar == parser; }
};

Verdicts judge(const std::string& text) {
    const Source source("script", text);
    const ParseResult parsed = parse(source);
    Verdicts verdicts;
    verdicts.grammar = grammar::recognizes(text);
    verdicts.parser = parsed.errors.empty();
    verdicts.too_deep = std::ranges::any_of(parsed.errors, [](const Diagnostic& error) { return error.code == "E120"; });
    if (!verdicts.parser) verdicts.error = std::string(parsed.errors[0].code) + " " + parsed.errors[0].message;
    return verdicts;
}

std::string report(const std::string& text, const Verdicts& verdicts) {
    return std::string("grammar: ") + (verdicts.grammar ? "accepts" : "rejects") + ", parser: " + (verdicts.parser ? "accepts" : verdicts.error) + "\n" + text;
}

std::string read(const fs::path& path) {
    std::ifstream file(path, std::ios::binary);
    REQUIRE_MESSAGE(file, path.string());
    return {std::istreambuf_iterator<char>(file), {}};
}

std::vector<fs::path> scripts_below(const fs::path& folder) {
    std::vector<fs::path> paths;
    if (!fs::exists(folder)) return paths;
    for (const auto& entry : fs::recursive_directory_iterator(folder)) {
        if (entry.path().extension() == ".vm") paths.push_back(entry.path());
    }
    std::ranges::sort(paths);
    return paths;
}

// A corpus file holds many small scripts, between lines of `---`.
std::vector<std::string> parts_of(const fs::path& path) {
    std::vector<std::string> parts{""};
    std::istringstream lines(read(path));
    for (std::string line; std::getline(lines, line);) {
        if (line == "---") {
            parts.emplace_back();
        } else {
            parts.back() += line + "\n";
        }
    }
    return parts;
}

// The scripts of a document: what stands between ```vm and ```.
std::vector<std::string> scripts_in(const fs::path& document) {
    std::vector<std::string> scripts;
    if (!fs::exists(document)) return scripts;
    std::istringstream lines(read(document));
    bool inside = false;
    for (std::string line; std::getline(lines, line);) {
        if (line.starts_with("```")) {
            inside = !inside && line == "```vm";
            if (inside) scripts.emplace_back();
        } else if (inside) {
            scripts.back() += line + "\n";
        }
    }
    return scripts;
}

// Scripts of the project that are right.
std::vector<std::string> right_scripts() {
    std::vector<std::string> scripts;
    for (const char* folder : {"examples", "tests/scripts", "src/trace"}) {
        for (const fs::path& path : scripts_below(folder)) scripts.push_back(read(path));
    }
    for (const char* document : {"docs/language.md", "grammar/README.md"}) {
        for (std::string& script : scripts_in(document)) scripts.push_back(std::move(script));
    }
    for (const fs::path& path : scripts_below("tests/grammar/corpus/good")) {
        for (std::string& script : parts_of(path)) scripts.push_back(std::move(script));
    }
    return scripts;
}

void check(const std::string& text, bool wanted) {
    const Verdicts verdicts = judge(text);
    CHECK_MESSAGE((verdicts.grammar == wanted && verdicts.parser == wanted), report(text, verdicts));
}

} // namespace

TEST_CASE("right scripts are accepted by both") {
    const std::vector<std::string> scripts = right_scripts();
    CHECK(scripts.size() > 100);
    for (const std::string& script : scripts) check(script, true);
}

TEST_CASE("wrong scripts are rejected by both") {
    std::size_t count = 0;
    for (const fs::path& path : scripts_below("tests/grammar/corpus/bad")) {
        for (const std::string& script : parts_of(path)) {
            check(script, false);
            ++count;
        }
    }
    CHECK(count > 100);
}

TEST_CASE("random derivations are accepted by both") {
    grammar::Generator generator(20240229);
    int failures = 0;
    for (int i = 0; i < 20'000 && failures < most_failures; ++i) {
        const std::string script = generator.script();
        const Verdicts verdicts = judge(script);
        if (verdicts.too_deep || (verdicts.grammar && verdicts.parser)) continue;
        FAIL_CHECK(report(script, verdicts));
        ++failures;
    }
}

TEST_CASE("both agree about mutations") {
    std::mt19937_64 random(7);
    grammar::Generator generator(11);
    std::vector<std::string> scripts = right_scripts();
    for (const fs::path& path : scripts_below("tests/grammar/corpus/bad")) {
        for (std::string& script : parts_of(path)) scripts.push_back(std::move(script));
    }
    std::erase_if(scripts, [](const std::string& script) { return script.size() > 600; }); // in long ones most changes are errors
    std::size_t accepted = 0, rejected = 0;
    int failures = 0;
    for (int i = 0; i < 60'000 && failures < most_failures; ++i) {
        const std::string script = i % 2 == 0 ? generator.script() : scripts[std::uniform_int_distribution<std::size_t>(0, scripts.size() - 1)(random)];
        const std::string mutant = grammar::mutate(script, random);
        const Verdicts verdicts = judge(mutant);
        (verdicts.grammar ? accepted : rejected)++;
        if (verdicts.agree()) continue;
        FAIL_CHECK(report(mutant, verdicts));
        ++failures;
    }
    MESSAGE("mutations: ", accepted, " accepted, ", rejected, " rejected");
    CHECK(accepted > 5'000); // else the test proves little
    CHECK(rejected > 5'000);
}
