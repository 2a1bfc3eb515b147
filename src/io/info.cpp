#include "io/info.hpp"

#include "base/error.hpp"
#include "io/csv.hpp"
#include "io/json_reader.hpp"
#include "io/npy.hpp"
#include "io/npz.hpp"
#include "io/paths.hpp"
#include "io/safetensors.hpp"
#include "syntax/diagnostics.hpp"

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

std::string counted(std::size_t count, const std::string& word) { return std::to_string(count) + " " + word + (count == 1 ? "" : "s"); }

FileInfo archive_info(const std::string& path, const StoredTensors& tensors, const std::string& format) {
    FileInfo result{{path + ": record of " + counted(tensors.size(), "tensor") + ", " + std::to_string(InputFile(path).size()) + " bytes, " + format}};
    for (const auto& [name, tensor] : tensors) result.lines.push_back("  " + name + ": " + tensor->description());
    return result;
}

std::string column_type(const std::optional<JsonValue>& numbers) {
    if (!numbers) return "text";
    try {
        return json_type(*numbers, "$");
    } catch (const UserError&) {
        return "integers of more than 64 bits"; // which have to be declared as floats
    }
}

FileInfo table_info(const std::string& path, char separator, const std::string& format) {
    const FileBytes bytes = read_file(path);
    const CsvTable table(bytes, separator);
    FileInfo result{{path + ": " + counted(table.rows(), "row") + " of " + counted(table.columns().size(), "column") + ", " + std::to_string(bytes.size()) + " bytes, " + format +
                     (table.has_header() ? ", with a header" : ", without a header")}};
    const std::vector<std::optional<JsonValue>> columns = table.each_column();
    for (std::size_t i = 0; i < columns.size(); ++i) result.lines.push_back("  " + table.columns()[i] + ": " + column_type(columns[i]));
    return result;
}

} // namespace

std::string FileInfo::text() const {
    std::string all;
    for (const std::string& line : lines) all += safe_text(line) + "\n"; // names may hold anything
    return all;
}

FileInfo info(const std::string& path) {
    const std::string ending = ending_of(path);
    if (ending == ".npy") return npy_info(path);
    if (ending == ".json") return json_info(path);
    if (ending == ".npz") return archive_info(path, stored_npz(path), "npz");
    if (ending == ".safetensors") return archive_info(path, stored_safetensors(path), "safetensors");
    if (ending == ".csv") return table_info(path, ',', "CSV");
    if (ending == ".tsv") return table_info(path, '\t', "TSV");
    throw UserError(error("E511", "`" + path + "` is no file that is known by its ending").help("known are " + std::string(known_data_files)));
}

} // namespace vmaprun
