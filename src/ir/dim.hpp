// A size: a whole number, or, while a script is checked without data, a symbol or a polynomial of symbols.
//
// A symbolic Dim also has a witness value, with which everything that needs a number goes on; what is decided by
// comparing sizes must go through the three-valued questions below, so that a check reports only what fails for every size.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "base/source.hpp"

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

    // For the arithmetic of symbols alone (dim.cpp, size_facts.cpp); null: a number.
    const Polynomial* polynomial() const { return polynomial_; }
    static Dim make(const Polynomial& polynomial, std::int64_t value);

  private:
    Dim(std::int64_t value, const Polynomial* polynomial) : value_(value), polynomial_(polynomial) {}
    std::int64_t value_ = 0;
    const Polynomial* polynomial_ = nullptr; // null: a plain number
};

using Dims = std::vector<Dim>;

// True when no choice of the symbols can make them equal, as far as that is decidable.
bool surely_different(Dim a, Dim b);
// True when a > b for the numbers, or for every choice where that is decidable.
bool surely_greater(Dim a, Dim b);
// Of sizes that must be equal for a script to be right: whether they can be. Then they are taken to be from now on, while
// there are SizeFacts.
bool can_agree(Dim a, Dim b);

// What a check knows of its symbols, on one thread, as long as this lives: which of them are sizes, and what each is that
// can_agree was asked about. The questions above go by it.
class SizeFacts {
  public:
    explicit SizeFacts(std::function<Span()> where); // where the demands that are made now stand
    ~SizeFacts();
    SizeFacts(const SizeFacts&) = delete;
    SizeFacts& operator=(const SizeFacts&) = delete;

    static SizeFacts* current(); // null: there are none, or they pause
    void is_size(std::string_view symbol); // it is not negative

    struct Fact {
        std::string text; // "`n` must be 3"
        Span place;
    };
    // What the last answer went by, if it would have been another without.
    const std::vector<Fact>& reasons() const { return reasons_; }

    // In a branch that only some sizes take, nothing is demanded of all.
    class Pause {
      public:
        Pause();
        ~Pause();
        Pause(const Pause&) = delete;
        Pause& operator=(const Pause&) = delete;

      private:
        SizeFacts* paused_;
    };

  private:
    friend bool surely_different(Dim a, Dim b);
    friend bool surely_greater(Dim a, Dim b);
    friend bool can_agree(Dim a, Dim b);
    struct Solved {
        std::string symbol;
        Dim value;
        Span place;
    };
    Dim reduce(Dim size);                   // with what is known in it; sets the reasons
    bool is_never_zero(Dim difference) const;
    bool is_positive(Dim difference) const;
    void learn(Dim zero); // the difference of what is equal

    std::function<Span()> where_;
    SizeFacts* outer_;
    std::vector<std::string> sizes_;
    std::vector<Solved> solved_; // none has a symbol of an earlier one in its value
    std::vector<Fact> reasons_;
};

std::string dims_text(const Dims& dims); // "[4, k]"; rank 0 is ""
std::vector<std::int64_t> values_of(const Dims& dims);
Dim product_of(const Dims& dims);
bool any_symbolic(const Dims& dims);
void check_countable(const Dims& shape); // throws E310 where a tensor of the shape has more elements than can be counted
bool same_sizes(const Dims& a, const Dims& b); // the same numbers (or witnesses)

} // namespace vmaprun
