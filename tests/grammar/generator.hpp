// Random scripts for tests: derivations of the language's grammar, and mutations of scripts.
#pragma once

#include <cstdint>
#include <random>
#include <string>
#include <vector>

namespace vmaprun::grammar {

// A random derivation, written as text: names, spacing, newlines where they are free, and separators are random as well.
// Every script that it gives is one of the language.
class Generator {
  public:
    explicit Generator(std::uint64_t seed) : random_(seed) {}
    std::string script();

  private:
    bool chance(double probability) { return std::bernoulli_distribution(probability)(random_); }
    std::size_t below(std::size_t count) { return std::uniform_int_distribution<std::size_t>(0, count - 1)(random_); }
    template <std::size_t N> const char* one_of(const char* const (&words)[N]) { return words[below(N)]; }

    void word(const std::string& text);
    void free_word(const std::string& text) { // one after which a newline is free
        word(text);
        newline();
    }
    void newline();
    void separator();
    template <class Part> void list(std::size_t count, Part part);
    void enclosed(const char* open, bool newlines_free, const char* close);

    void item();
    void expression_item();
    void function();
    void arguments();
    void parameter();
    void let();
    void block();
    void type_and_value();
    std::string name();
    void pattern();
    void type();
    void dim();
    void expression();
    void lambda();
    void operators(int level);
    void unary();
    void postfix();
    void index();
    void atom();
    void brackets();
    void record();
    void if_expression();
    void loop();

    std::mt19937_64 random_;
    std::string text_;
    int fuel_ = 0;              // how much more may be derived: without any, everything takes its shortest form
    bool newlines_free_ = false; // inside of `(`, `[` or a record
};

// The text with one to three of its tokens deleted, doubled, swapped, replaced, or joined by a newline or another token.
std::string mutate(const std::string& text, std::mt19937_64& random);

} // namespace vmaprun::grammar
