// The selection family: its table.
#include "ops/selection.hpp"

#include "ops/families.hpp"

namespace vmaprun {

std::span<const Op> selection_ops() {
    static const std::vector<Op> rows = [] {
        std::vector<Op> all;
        for (const std::span<const Op> part : {selection_index_rows(), selection_window_rows(), selection_search_rows()}) {
            all.insert(all.end(), part.begin(), part.end());
        }
        return all;
    }();
    return rows;
}

} // namespace vmaprun
