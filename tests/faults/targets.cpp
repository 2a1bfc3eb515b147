#include "targets.hpp"

#include <algorithm>
#include <cmath>
#include <cstring>

#include <nlohmann/json.hpp>

#include "base/error.hpp"
#include "io/npy.hpp"
#include "vmaprun.hpp"

namespace vmaprun::faults {
namespace {

using Json = nlohmann::json;

constexpr int bug_status = 70;
constexpr std::size_t digits_of_large = 6; // numbers from 100,000 on may be sizes or counts

bool has_large_number(std::string_view text) {
    std::size_t digits = 0;
    for (const char c : text) {
        digits = c >= '0' && c <= '9' ? digits + 1 : 0;
        if (digits >= digits_of_large) return true;
    }
    return false;
}

// Whether a run surely ends soon: no loop without a limit, no power that makes numbers large, no large number.
bool runs_shortly(std::string_view text, std::string_view graph) {
    std::size_t whiles = 0, limits = 0;
    for (std::size_t at = text.find("while"); at != std::string_view::npos; at = text.find("while", at + 1)) ++whiles;
    for (std::size_t at = text.find("limit"); at != std::string_view::npos; at = text.find("limit", at + 1)) ++limits;
    return whiles <= limits && text.find("**") == std::string_view::npos && text.find("<<") == std::string_view::npos && text.find("0x") == std::string_view::npos &&
           !has_large_number(text) && !has_large_number(graph);
}

std::string said(const std::vector<Message>& messages) {
    std::string text;
    for (const Message& message : messages) text += message.human;
    return text;
}

Options silent(Options::Mode mode) {
    Options options;
    options.mode = mode;
    options.threads = 1;
    options.debug = [](std::string_view) {};
    options.values = {"x=[[1, -2, 3], [4, 5, 6]]"};
    return options;
}

void run_both(const std::string& text) {
    Options options = silent(Options::Mode::graph);
    if (text.find('x') == std::string::npos) options.values.clear();
    const Result graph = Session(options).run(text, "s.vm");
    options.mode = Options::Mode::eager;
    const Result eager = Session(options).run(text, "s.vm");
    for (const Result& result : {graph, eager}) {
        if (result.exit_code() == bug_status) throw Violation("a bug while running: " + said(result.messages()));
    }
    if (graph.exit_code() != eager.exit_code() || said(graph.messages()) != said(eager.messages())) {
        throw Violation("graph says: " + said(graph.messages()) + "\neager says: " + said(eager.messages()));
    }
    if (graph.ok() && graph.json() != eager.json()) throw Violation("graph gives " + graph.json() + "\neager gives " + eager.json());
}

// ---- JSON

// Equal as the tool sees values: a number of one type or the other, null for NaN, true and false as numbers beside numbers.
bool same_value(const Json& a, const Json& b) {
    const auto is_nan = [](const Json& value) { return value.is_null() || value == "NaN"; };
    if (is_nan(a) || is_nan(b)) return is_nan(a) && is_nan(b);
    const auto number = [](const Json& value) { return value.is_boolean() ? (value.get<bool>() ? 1.0 : 0.0) : value.get<double>(); };
    const auto is_number = [](const Json& value) { return value.is_boolean() || value.is_number(); };
    if (is_number(a) || is_number(b)) {
        if (!is_number(a) || !is_number(b)) return false;
        return a.is_number_integer() && b.is_number_integer() ? a == b : number(a) == number(b);
    }
    if (a.type() != b.type()) return false;
    if (a.is_array()) return std::ranges::equal(a, b, same_value);
    if (!a.is_object()) return a == b;
    if (a.size() != b.size()) return false;
    return std::ranges::all_of(a.items(), [&](const auto& item) { return b.contains(item.key()) && same_value(item.value(), b[item.key()]); });
}

// Objects of dtype, shape and data are tensors, and print as lists.
bool has_envelope(const Json& value) {
    if (value.is_object() && value.contains("dtype")) return true;
    return value.is_structured() && std::ranges::any_of(value, has_envelope);
}

// Bare NaN and Infinity, which the other parser does not read.
bool has_bare_words(std::string_view text) { return text.find("NaN") != std::string_view::npos || text.find("Infinity") != std::string_view::npos; }

} // namespace

Verdict try_script(std::string_view view) {
    const std::string text(view);
    const TextReport once = Session(silent(Options::Mode::graph)).format(text, "s.vm");
    if (once.exit_code == bug_status) throw Violation("a bug while laying out: " + said(once.messages));
    if (once.exit_code == 0) {
        const TextReport twice = Session(silent(Options::Mode::graph)).format(once.text, "s.vm");
        if (twice.exit_code != 0 || twice.text != once.text) throw Violation("laid out once:\n" + once.text + "twice:\n" + twice.text + said(twice.messages));
    }
    Options options = silent(Options::Mode::graph);
    options.values.clear();
    const Result checked = Session(options).check(text, "s.vm");
    if (checked.exit_code() == bug_status) throw Violation("a bug while checking: " + said(checked.messages()));
    if (!checked.ok()) {
        if (checked.messages().empty()) throw Violation("refused without a word");
        return Verdict::refused;
    }
    const TextReport graph = Session(options).graph(text, "s.vm", GraphFormat::text, "");
    if (graph.exit_code != 0) throw Violation("check passes what graph refuses: " + said(graph.messages));
    if (runs_shortly(text, graph.text)) run_both(text);
    return Verdict::accepted;
}

Verdict try_json(std::string_view text) {
    Options options = silent(Options::Mode::graph);
    options.values = {"x=" + std::string(text)};
    const Result result = Session(options).run("input x\noutput {x}\n", "s.vm");
    const bool is_json = Json::accept(text);
    if (!result.ok()) {
        if (result.exit_code() != 4 || result.messages().empty()) throw Violation("exit " + std::to_string(result.exit_code()) + ": " + said(result.messages()));
        return Verdict::refused;
    }
    if (!is_json && !has_bare_words(text)) throw Violation("accepted, and no JSON");
    const Json printed = Json::parse(result.json());
    if (!is_json) return Verdict::accepted;
    const Json given = Json::parse(text);
    if (!has_envelope(given) && !same_value(printed["x"], given)) throw Violation("printed " + result.json());
    return Verdict::accepted;
}

Verdict try_npy(std::string_view bytes) {
    try {
        const Array array = read_npy_bytes(bytes, "t.npy");
        const std::size_t size = static_cast<std::size_t>(array.size()) * size_of(array.dtype());
        if (size > bytes.size()) throw Violation("more elements than the file has bytes");
        const Array dense = array.contiguous();
        // Little-endian files in row-major order hold what memory holds.
        const bool as_in_memory = bytes.find("'>") == std::string_view::npos && bytes.find("True") == std::string_view::npos;
        const bool one_bit = array.dtype() == DType::boolean; // any byte but 0 is true
        if (as_in_memory && !one_bit && size > 0 && std::memcmp(dense.view().data, bytes.data() + bytes.size() - size, size) != 0) throw Violation("other elements than the file's");
        return Verdict::accepted;
    } catch (const UserError&) {
        return Verdict::refused;
    }
}

} // namespace vmaprun::faults
