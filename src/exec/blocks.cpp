#include "exec/evaluate.hpp"

namespace vmaprun {

bool run_in_blocks(const Work&, const Segment&) { return false; }

} // namespace vmaprun
