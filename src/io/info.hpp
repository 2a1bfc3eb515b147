// `vmaprun info FILE`: what a data file holds, from its header where it has one.
//   data.npy: f32[1000, 128], 512000 bytes, C order, npy 1.0
//   data.json: record of 2 members, 57 bytes, JSON
//     x: i64[3, 4]
//     name: string
//   model.npz: record of 2 tensors, 4096 bytes, npz
//     w: f32[16, 32]
//     b: f32[32]
//   iris.csv: 150 rows of 2 columns, 1480 bytes, CSV, with a header
//     width: f64[150]
//     species: text
// The bytes of an .npy are those of its elements; of a JSON document, those of the file. E511 for other endings.
#pragma once

#include <string>
#include <vector>

namespace vmaprun {

struct FileInfo {
    std::vector<std::string> lines; // without newlines
    std::string text() const;       // with them
};

FileInfo info(const std::string& path);

} // namespace vmaprun
