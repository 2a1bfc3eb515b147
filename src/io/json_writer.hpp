// JSON out.
//
// Layout::lines: the innermost axis of a tensor stays on one line (a complex number counts as one element); every outer axis, every
// tuple and every record that is not empty puts each of its items on a line of its own, indented by two more spaces. A tensor without elements
// stays on one line. Layout::compact: everything on one line. Separators are `, ` and `: ` in both.
//   {
//     "y": [
//       [6.0, 6.0],
//       [6.0, 6.0]
//     ],
//     "total": 24.0
//   }
// Floats as in number_text.hpp, integers whole, complex `[re, im]`, keys `[high, low]`.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "io/tree.hpp"

namespace vmaprun {

enum class Layout { lines, compact };

// How NaN and the infinities are written: "NaN" "Infinity" "-Infinity"; null; the bare words; not at all.
enum class NanPolicy { string, null, literal, error };

struct JsonStyle {
    Layout layout = Layout::lines;
    NanPolicy nan = NanPolicy::string;
    int threads = 1; // that may work on large tensors; the text is the same
};

// Takes the next bytes of an output, always on the thread that writes; throws where it cannot.
using Sink = std::function<void(std::string_view)>;

// The value and a newline, in pieces of about 256 KiB. Under NanPolicy::error, E650 (it names the element) before the first byte.
void write_json(const Tree& tree, const JsonStyle& style, const Sink& sink);

// Values one after another, each with a newline: what many small ones are best written by.
class JsonLines {
  public:
    JsonLines(const JsonStyle& style, Sink sink);
    ~JsonLines();
    JsonLines(const JsonLines&) = delete;
    JsonLines& operator=(const JsonLines&) = delete;
    // The sink has all of it afterwards; E650 as write_json.
    void write(const Tree& tree);

  private:
    struct State;
    std::unique_ptr<State> state_;
};

// The value without a newline.
std::string json_text(const Tree& tree, const JsonStyle& style = {});

} // namespace vmaprun
