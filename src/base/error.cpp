#include "base/error.hpp"

namespace vmaprun {

Diagnostic error(std::string code, std::string message) {
    Diagnostic diagnostic;
    diagnostic.code = std::move(code);
    diagnostic.message = std::move(message);
    return diagnostic;
}

int exit_code_of(const Diagnostic& diagnostic) {
    if (diagnostic.exit_code != 0) return diagnostic.exit_code;
    if (diagnostic.code.size() < 2) return 70;
    switch (diagnostic.code[1]) {
    case '5': return 4;
    case '6': return 5;
    default: return 3;
    }
}

} // namespace vmaprun
