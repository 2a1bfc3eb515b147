#include "io/info.hpp"

#include "base/error.hpp"
#include "io/json_reader.hpp"
#include "io/npy.hpp"
#include "io/paths.hpp"

namespace vmaprun {
namespace {

std::string type_text(DType dtype, const Shape& shape) { return std::string(name_of(dtype)) + shape_text(shape); }

FileInfo npy_info(const std::string& path) {
    const NpyHeader header = read_npy_header(path);
    std::string line = path + ": " + type_text(header.dtype, header.shape) + ", " + std::to_string(header.data_bytes) + " bytes, " +
                       (header.order == ElementOrder::column_major ? "Fortran order" : "C order");
    if (header.byte_order == ByteOrder::big) line += ", big-endian";
    return {{line + ", npy " + std::to_string(header.major) + "." + std::to_string(header.minor)}};
}

std::string json_type(const JsonValue& value, const std::string& path) {
    if (value.text() != nullptr) return "string";
    if (value.record() != nullptr && !is_tensor_envelope(value)) {
        const std::size_t count = value.record()->size();
        return "record of " + std::to_string(count) + (count == 1 ? " member" : " members");
    }
    if (value.list() != nullptr) return "list of " + std::to_string(value.list()->size()) + ", no tensor";
    const ScannedType type = tensor_type_of(value, {}, path);
    return type_text(type.dtype, type.shape);
}

FileInfo json_info(const std::string& path) {
    const FileBytes bytes = read_file(path);
    const JsonValue root = parse_json(bytes);
    FileInfo result{{path + ": " + json_type(root, "$") + ", " + std::to_string(bytes.size()) + " bytes, JSON"}};
    if (root.record() == nullptr || is_tensor_envelope(root)) return result;
    for (const JsonMember& member : *root.record()) {
        result.lines.push_back("  " + member.name + ": " + json_type(member.value, member_path("$", member.name)));
    }
    return result;
}

} // namespace

std::string FileInfo::text() const {
    std::string all;
    for (const std::string& line : lines) all += line + "\n";
    return all;
}

FileInfo info(const std::string& path) {
    const std::string ending = ending_of(path);
    if (ending == ".npy") return npy_info(path);
    if (ending == ".json") return json_info(path);
    throw UserError(error("E511", "`" + path + "` is no file that is known by its ending").help("known are .npy and .json"));
}

} // namespace vmaprun
