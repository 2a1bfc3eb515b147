// What a check can tell of sizes that are symbols: see SizeFacts in ir/dim.hpp.
#include <algorithm>
#include <numeric>
#include <optional>
#include <utility>

#include "ir/dim.hpp"
#include "ir/polynomial.hpp"

namespace vmaprun {
namespace {

thread_local SizeFacts* facts = nullptr;

bool has(const std::vector<std::string>& symbols, const std::string& symbol) { return std::ranges::find(symbols, symbol) != symbols.end(); }

bool has(Dim size, const std::string& symbol) {
    return size.is_symbolic() && std::ranges::any_of(size.polynomial()->terms, [&](const auto& term) { return has(term.first, symbol); });
}

// The same size with another in the place of a symbol, which that doesn't have.
Dim substitute(Dim size, const std::string& symbol, Dim value) {
    Dim result = 0;
    for (const auto& [symbols, factor] : size.polynomial()->terms) {
        Dim term = factor;
        for (const std::string& each : symbols) term = term * (each == symbol ? value : Dim::symbol(each, 1));
        result = result + term;
    }
    return result;
}

std::int64_t constant_of(const Polynomial& polynomial) {
    const auto constant = polynomial.terms.find({});
    return constant == polynomial.terms.end() ? 0 : constant->second;
}

} // namespace

SizeFacts::SizeFacts(std::function<Span()> where) : where_(std::move(where)), outer_(std::exchange(facts, this)) {}
SizeFacts::~SizeFacts() { facts = outer_; }
SizeFacts* SizeFacts::current() { return facts; }
SizeFacts::Pause::Pause() : paused_(std::exchange(facts, nullptr)) {}
SizeFacts::Pause::~Pause() { facts = paused_; }

void SizeFacts::is_size(std::string_view symbol) { sizes_.emplace_back(symbol); }

Dim SizeFacts::reduce(Dim size) {
    reasons_.clear();
    for (const Solved& each : solved_) { // in their order: what one puts in, a later one may replace
        if (!has(size, each.symbol)) continue;
        size = substitute(size, each.symbol, each.value);
        reasons_.push_back({"`" + each.symbol + "` must be " + each.value.text(), each.place});
    }
    return size;
}

// Of a + 2*b + 3, where a and b are sizes.
bool SizeFacts::is_positive(Dim difference) const {
    if (!difference.is_symbolic()) return difference.value() > 0;
    return constant_of(*difference.polynomial()) > 0 && std::ranges::all_of(difference.polynomial()->terms, [&](const auto& term) {
        return term.second > 0 && std::ranges::all_of(term.first, [&](const std::string& symbol) { return has(sizes_, symbol); });
    });
}

bool SizeFacts::is_never_zero(Dim difference) const {
    if (!difference.is_symbolic()) return difference.value() != 0;
    std::int64_t common = 0; // divides everything but the constant, whatever the symbols are
    for (const auto& [symbols, factor] : difference.polynomial()->terms) {
        if (!symbols.empty()) common = std::gcd(common, factor);
    }
    return constant_of(*difference.polynomial()) % common != 0 || is_positive(difference) || is_positive(0 - difference);
}

// Solved for a symbol that stands in one term alone, by itself: n + 2*m - 6 is n = 6 - 2*m.
void SizeFacts::learn(Dim zero) {
    if (!zero.is_symbolic()) return;
    for (const auto& [symbols, factor] : zero.polynomial()->terms) {
        if (symbols.size() != 1) continue;
        const std::string& symbol = symbols.front();
        const auto times = std::ranges::count_if(zero.polynomial()->terms, [&](const auto& term) { return has(term.first, symbol); });
        const Dim rest = zero - Dim(factor) * Dim::symbol(symbol, 1);
        if (times != 1 || (factor != 1 && factor != -1 && rest.is_symbolic())) continue;
        solved_.push_back({symbol, factor < 0 ? floor_divide(rest, -factor) : floor_divide(0 - rest, factor), where_()});
        return;
    }
}

bool surely_different(Dim a, Dim b) {
    const Dim difference = a - b;
    if (facts == nullptr) return !difference.is_symbolic() && difference.value() != 0;
    const bool answer = facts->is_never_zero(facts->reduce(difference));
    if (!answer) facts->reasons_.clear();
    return answer;
}

bool surely_greater(Dim a, Dim b) {
    const Dim difference = a - b;
    if (facts == nullptr) return !difference.is_symbolic() && difference.value() > 0;
    const bool answer = facts->is_positive(facts->reduce(difference));
    if (!answer) facts->reasons_.clear();
    return answer;
}

bool can_agree(Dim a, Dim b) {
    if (surely_different(a, b)) return false;
    if (facts == nullptr) return true;
    facts->learn(facts->reduce(a - b));
    facts->reasons_.clear();
    return true;
}

} // namespace vmaprun
