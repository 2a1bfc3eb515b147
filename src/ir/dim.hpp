// A size: a whole number, or, while a script is checked without data, a symbol or a polynomial of symbols.
//
// A symbolic Dim also has a witness value, with which everything that needs a number goes on; what is decided by
// comparing sizes must go through the three-valued questions below, so that a check reports only what fails for every size.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace vmaprun {

struct Polynomial; // interned: equal polynomials are one object

class Dim {
  public:
    Dim() = default;
    Dim(std::int64_t value) : value_(value) {} // NOLINT: a number is a size
    static Dim symbol(std::string_view name, std::int64_t witness);

    std::int64_t value() const { return value_; } // the number, or the witness
    bool is_symbolic() const { return polynomial_ != nullptr; }
    bool operator==(const Dim&) const = default;  // the same number or the same polynomial
    std::string text() const;                     // "4", "k", "2*n + 1"

    friend Dim operator+(Dim a, Dim b);
    friend Dim operator-(Dim a, Dim b);
    friend Dim operator*(Dim a, Dim b);
    // Floor division; exact polynomials divide exactly, others become an opaque symbol "(a // b)".
    friend Dim floor_divide(Dim a, Dim b);

  private:
    Dim(std::int64_t value, const Polynomial* polynomial) : value_(value), polynomial_(polynomial) {}
    static Dim make(const Polynomial& polynomial, std::int64_t value);
    std::int64_t value_ = 0;
    const Polynomial* polynomial_ = nullptr; // null: a plain number
};

using Dims = std::vector<Dim>;

// True when no choice of the symbols can make them equal (their difference is a constant other than 0).
bool surely_different(Dim a, Dim b);
// True when a > b for the numbers, or for every choice where that is decidable.
bool surely_greater(Dim a, Dim b);

std::string dims_text(const Dims& dims); // "[4, k]"; rank 0 is ""
std::vector<std::int64_t> values_of(const Dims& dims);
Dim product_of(const Dims& dims);
bool any_symbolic(const Dims& dims);
void check_countable(const Dims& shape); // throws E310 where a tensor of the shape has more elements than can be counted
bool same_sizes(const Dims& a, const Dims& b); // the same numbers (or witnesses)

} // namespace vmaprun
