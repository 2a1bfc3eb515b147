#include "ir/dim.hpp"

#include <algorithm>
#include <deque>
#include <iterator>
#include <limits>
#include <mutex>

#include "base/checked.hpp"
#include "base/error.hpp"
#include "ir/polynomial.hpp"

namespace vmaprun {

namespace {

const Polynomial* intern(const Polynomial& polynomial) {
    static std::deque<Polynomial> all;
    static std::mutex mutex;
    const std::lock_guard lock(mutex);
    for (const Polynomial& known : all) {
        if (known.terms == polynomial.terms) return &known;
    }
    return &all.emplace_back(polynomial);
}

Polynomial polynomial_of(const Polynomial* polynomial, std::int64_t value) {
    if (polynomial != nullptr) return *polynomial;
    Polynomial constant;
    if (value != 0) constant.terms[{}] = value;
    return constant;
}

void add_term(Polynomial& sum, const std::vector<std::string>& symbols, std::int64_t factor) {
    std::int64_t& entry = sum.terms[symbols];
    entry = checked_add(entry, factor).value_or(entry);
    if (entry == 0) sum.terms.erase(symbols);
}

// Where the divisor is one term that divides every term of the dividend.
std::optional<Polynomial> exact_quotient(const Polynomial& dividend, const Polynomial& divisor) {
    if (divisor.terms.size() != 1 || divisor.terms.begin()->second < 0) return std::nullopt;
    const auto& [taken, by] = *divisor.terms.begin();
    Polynomial quotient;
    for (const auto& [symbols, factor] : dividend.terms) {
        if (factor % by != 0 || !std::ranges::includes(symbols, taken)) return std::nullopt;
        std::vector<std::string> left;
        std::ranges::set_difference(symbols, taken, std::back_inserter(left));
        quotient.terms[left] = factor / by;
    }
    return quotient;
}

// Sizes stop at the ends of i64: too large stays too large, which the checks of shapes refuse.
std::int64_t saturating(std::int64_t a, std::int64_t b, char op) {
    std::int64_t result = 0;
    const bool over = op == '+' ? __builtin_add_overflow(a, b, &result) : op == '-' ? __builtin_sub_overflow(a, b, &result) : __builtin_mul_overflow(a, b, &result);
    if (!over) return result;
    const bool negative = op == '*' ? (a < 0) != (b < 0) : a < 0;
    return negative ? std::numeric_limits<std::int64_t>::min() : std::numeric_limits<std::int64_t>::max();
}

} // namespace

Dim Dim::make(const Polynomial& polynomial, std::int64_t value) {
    if (polynomial.terms.empty()) return Dim(0);
    if (polynomial.terms.size() == 1 && polynomial.terms.begin()->first.empty()) return Dim(polynomial.terms.begin()->second);
    return {value, intern(polynomial)};
}

Dim Dim::symbol(std::string_view name, std::int64_t witness) {
    Polynomial polynomial;
    polynomial.terms[{std::string(name)}] = 1;
    return make(polynomial, witness);
}

Dim operator+(Dim a, Dim b) {
    const std::int64_t value = saturating(a.value_, b.value_, '+');
    if (!a.polynomial_ && !b.polynomial_) return value;
    Polynomial sum = polynomial_of(a.polynomial_, a.value_);
    for (const auto& [symbols, factor] : polynomial_of(b.polynomial_, b.value_).terms) add_term(sum, symbols, factor);
    return Dim::make(sum, value);
}

Dim operator-(Dim a, Dim b) {
    const std::int64_t value = saturating(a.value_, b.value_, '-');
    if (!a.polynomial_ && !b.polynomial_) return value;
    Polynomial sum = polynomial_of(a.polynomial_, a.value_);
    for (const auto& [symbols, factor] : polynomial_of(b.polynomial_, b.value_).terms) add_term(sum, symbols, -factor);
    return Dim::make(sum, value);
}

Dim operator*(Dim a, Dim b) {
    const std::int64_t value = saturating(a.value_, b.value_, '*');
    if (!a.polynomial_ && !b.polynomial_) return value;
    Polynomial product;
    for (const auto& [left, factor] : polynomial_of(a.polynomial_, a.value_).terms) {
        for (const auto& [right, other] : polynomial_of(b.polynomial_, b.value_).terms) {
            std::vector<std::string> symbols = left;
            symbols.insert(symbols.end(), right.begin(), right.end());
            std::sort(symbols.begin(), symbols.end());
            add_term(product, symbols, checked_multiply(factor, other).value_or(factor));
        }
    }
    return Dim::make(product, value);
}

Dim floor_divide(Dim a, Dim b) {
    if (b.value() == 0) return 0;
    std::int64_t value = a.value() / b.value();
    if (a.value() % b.value() != 0 && (a.value() < 0) != (b.value() < 0)) --value;
    if (!a.is_symbolic() && !b.is_symbolic()) return value;
    if (a == b) return 1;
    if (const auto exact = exact_quotient(polynomial_of(a.polynomial_, a.value_), polynomial_of(b.polynomial_, b.value_))) return Dim::make(*exact, value);
    return Dim::symbol("(" + a.text() + " // " + b.text() + ")", value);
}

std::string Dim::text() const {
    if (!polynomial_) return std::to_string(value_);
    std::string text;
    const auto append = [&](const std::vector<std::string>& symbols, std::int64_t factor) {
        const bool negative = factor < 0;
        const std::int64_t magnitude = negative ? -factor : factor;
        text += text.empty() ? (negative ? "-" : "") : (negative ? " - " : " + ");
        if (symbols.empty() || magnitude != 1) text += std::to_string(magnitude) + (symbols.empty() ? "" : "*");
        for (std::size_t i = 0; i < symbols.size(); ++i) text += (i > 0 ? "*" : "") + symbols[i];
    };
    for (const auto& [symbols, factor] : polynomial_->terms) {
        if (!symbols.empty()) append(symbols, factor);
    }
    if (const auto constant = polynomial_->terms.find({}); constant != polynomial_->terms.end()) append({}, constant->second);
    return text;
}

std::string dims_text(const Dims& dims) {
    if (dims.empty()) return "";
    std::string text = "[";
    for (const Dim& dim : dims) {
        if (text.size() > 1) text += ", ";
        text += dim.text();
    }
    return text + "]";
}

std::vector<std::int64_t> values_of(const Dims& dims) {
    std::vector<std::int64_t> values;
    values.reserve(dims.size());
    for (const Dim& dim : dims) values.push_back(dim.value());
    return values;
}

Dim product_of(const Dims& dims) {
    Dim product = 1;
    for (const Dim& dim : dims) product = product * dim;
    return product;
}

bool same_sizes(const Dims& a, const Dims& b) {
    return std::ranges::equal(a, b, [](Dim x, Dim y) { return x.value() == y.value(); });
}

bool any_symbolic(const Dims& dims) {
    return std::ranges::any_of(dims, [](const Dim& dim) { return dim.is_symbolic(); });
}

void check_countable(const Dims& shape) {
    if (any_symbolic(shape) || checked_product(values_of(shape))) return;
    throw UserError(error("E310", "a tensor of shape " + dims_text(shape) + " has more elements than can be counted"));
}

} // namespace vmaprun
