// The adapter between the tool's lexer and the recognizer that bison makes of grammar/vmaprun.y: the rules by which text
// becomes tokens of the grammar, as grammar/README.md lists them. It knows nothing of the hand-written parser.
#pragma once

#include <string>
#include <vector>

#include "base/source.hpp"
#include "syntax/lexer.hpp"

namespace vmaprun::grammar {

class Feed {
  public:
    explicit Feed(const Lexed& lexed);
    int next(); // the next token's number; 0 at the end

  private:
    void add(const std::vector<Token>& tokens, std::size_t index);
    int name(const std::vector<Token>& tokens, std::size_t index, bool after_separator) const;
    int left_brace(const std::vector<Token>& tokens, std::size_t index) const;
    bool newlines_matter() const { return open_.empty() || open_.back(); }
    bool after_operand() const; // does the last symbol end an expression?

    std::vector<int> symbols_;
    std::vector<bool> open_; // of each open bracket: is it the brace of a block?
    std::vector<bool> before_fat_arrow_; // of each token: is it a bracket whose partner stands before `=>`?
    std::size_t position_ = 0;
};

// Does the grammar accept the text?
bool recognizes(const std::string& text);

} // namespace vmaprun::grammar
