// One text or file through the whole tool, held to what is true of every one of them, right or wrong: no crash, no bug of
// ours (exit 70), and where the tool gives an answer, the right one. The mutation tests and the fuzzers share these.
#pragma once

#include <stdexcept>
#include <string>
#include <string_view>

namespace vmaprun::faults {

// What must never happen; the text says what did.
struct Violation : std::logic_error {
    using std::logic_error::logic_error;
};

enum class Verdict { accepted, refused };

// A script: laying it out twice changes nothing; what `check` passes runs to the same end, bit for bit, in graph and in
// eager mode. Scripts that could run for long or need much memory are checked, and not run.
Verdict try_script(std::string_view text);
// A JSON document as the value of an input: what is printed again is the document, as another parser reads both.
Verdict try_json(std::string_view text);
// An .npy file: the array has the size of its elements, and they are the last bytes of the file.
Verdict try_npy(std::string_view bytes);
// An .npz archive: its arrays are no larger than deflate can make them, and are the same once they are written and read again.
Verdict try_archive(std::string_view bytes);
// A .safetensors file: its tensors are the bytes where another reader of its header finds them.
Verdict try_safetensors(std::string_view bytes);
// A .csv file: its numbers are those that another, simpler reader finds.
Verdict try_table(std::string_view text);

} // namespace vmaprun::faults
