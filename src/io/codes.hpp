// The error codes that this layer raises.
//   E501 a file cannot be read            E508 an .npy file is malformed
//   E502 JSON syntax                      E509 an .npy file of a kind that is not read
//   E503 the same key twice in JSON       E510 an .npy file is shorter or longer than its header says
//   E504 ragged JSON                      E511 a file of an unknown kind
//   E505 JSON that is no tensor           E512 an array of a dtype that does not convert to the declared one
//   E506 a value that its dtype can't hold  E520 an output cannot be written (exit 5)
//   E507 a malformed {dtype, shape, data}   E650 NaN or infinity under `--nan error`
//   E515 an output that is not given    E516 a binding that does not fit the script
// (E513, a missing input, and E514, data that does not fit its declaration, are raised by the tracer.)
#pragma once

#include <span>

#include "base/codes.hpp"

namespace vmaprun {

std::span<const CodeExplanation> io_codes();

} // namespace vmaprun
