// NumPy's .npz archives: a ZIP archive with an .npy file for each array, stored (np.savez) or deflated (np.savez_compressed).
//
// Read: what io/npy.hpp and io/zip.hpp read. An array has the name of its member without `.npy`; members with other endings are no arrays.
// A stored array that is read by slices is not held to its checksum, because no slice is the whole of it.
// Written: as np.savez does.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "io/stored_tensor.hpp"

namespace vmaprun {

// The headers of all arrays; E501, E508 to E510. E509 for the elements of an array is said once they are wanted.
StoredTensors stored_npz(const std::string& path);

// The arrays by their names, which are distinct.
void write_npz(const std::vector<std::pair<std::string, Array>>& arrays, const Sink& sink, int threads = 1);

} // namespace vmaprun
