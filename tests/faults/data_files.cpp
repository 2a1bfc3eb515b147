// Archives, .safetensors files and tables, held to what other readers of them find.
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <bit>
#include <cerrno>
#include <cmath>
#include <cstdlib>
#include <cstring>
#include <vector>

#include <nlohmann/json.hpp>

#include "base/error.hpp"
#include "io/csv.hpp"
#include "io/npz.hpp"
#include "io/safetensors.hpp"
#include "targets.hpp"

namespace vmaprun::faults {
namespace {

using Json = nlohmann::json;
using NamedArrays = std::vector<std::pair<std::string, Array>>;

constexpr std::size_t most_from_a_byte = 1040, most_from_any = 1 << 20; // of deflate

// Bytes in memory that have the path of a file.
class MemoryFile {
  public:
    explicit MemoryFile(std::string_view bytes) : descriptor_(memfd_create("data", MFD_CLOEXEC)) {
        while (!bytes.empty()) {
            const ssize_t written = write(descriptor_, bytes.data(), bytes.size());
            if (written <= 0) throw std::runtime_error(std::string("no memory file: ") + std::strerror(errno));
            bytes.remove_prefix(static_cast<std::size_t>(written));
        }
    }
    ~MemoryFile() { close(descriptor_); }
    MemoryFile(const MemoryFile&) = delete;
    MemoryFile& operator=(const MemoryFile&) = delete;
    std::string path() const { return "/proc/self/fd/" + std::to_string(descriptor_); }

  private:
    int descriptor_;
};

std::size_t bytes_of(const Array& array) { return static_cast<std::size_t>(array.size()) * size_of(array.dtype()); }

// What can be read of them; elements of kinds that are not read are left out.
NamedArrays read_all(const StoredTensors& tensors) {
    NamedArrays arrays;
    for (const auto& [name, tensor] : tensors) {
        if (tensor->description().find("not read") != std::string::npos) continue;
        arrays.emplace_back(name, tensor->read(1).contiguous());
        const Array& array = arrays.back().second;
        if (array.dtype() != tensor->dtype() || array.shape() != tensor->shape()) throw Violation("`" + name + "` is another array than it was announced as");
    }
    return arrays;
}

// Runs f; an error of the data, of exit code 4, is a refusal.
template <class F> Verdict refused_or(F&& f) {
    try {
        f();
        return Verdict::accepted;
    } catch (const UserError& failure) {
        if (exit_code_of(failure.diagnostics().front()) != 4) throw Violation("exit " + std::to_string(exit_code_of(failure.diagnostics().front())) + ": " + failure.what());
        return Verdict::refused;
    }
}

void require_same(const NamedArrays& once, const NamedArrays& again) {
    const bool same = std::ranges::equal(once, again, [](const auto& a, const auto& b) {
        return a.first == b.first && a.second.dtype() == b.second.dtype() && a.second.shape() == b.second.shape() &&
               (bytes_of(a.second) == 0 || std::memcmp(a.second.view().data, b.second.view().data, bytes_of(a.second)) == 0);
    });
    if (!same) throw Violation("another archive once it is written and read again");
}

// ---- .safetensors

Json header_of(std::string_view bytes, std::size_t& data_offset) {
    std::uint64_t length = 0;
    std::memcpy(&length, bytes.data(), sizeof length);
    data_offset = sizeof length + length;
    return Json::parse(bytes.substr(sizeof length, length), nullptr, false);
}

void require_bytes(const std::string& name, const Array& array, const Json& entry, std::string_view data) {
    const std::string dtype = entry["dtype"];
    const auto begin = entry["data_offsets"][0].get<std::size_t>(), end = entry["data_offsets"][1].get<std::size_t>();
    if (dtype == "BOOL") return; // any byte but 0 is true
    const bool is_half = dtype == "F16" || dtype == "BF16";
    if (begin > end || end > data.size() || (end - begin) * (is_half ? 2 : 1) != bytes_of(array)) throw Violation("`" + name + "` has other bytes than its header says");
    if (!is_half && end > begin && std::memcmp(array.view().data, data.data() + begin, end - begin) != 0) throw Violation("`" + name + "` holds other elements than the file");
    for (std::int64_t i = 0; dtype == "BF16" && i < array.size(); ++i) {
        std::uint16_t word = 0;
        std::memcpy(&word, data.data() + begin + static_cast<std::size_t>(i) * 2, 2);
        if (std::bit_cast<std::uint32_t>(array.as<float>()[i]) != static_cast<std::uint32_t>(word) << 16U) throw Violation("`" + name + "` holds other numbers than the file");
    }
}

// ---- tables

std::string_view trimmed(std::string_view field) {
    constexpr std::string_view spaces = " \t\r";
    const std::size_t first = std::min(field.find_first_not_of(spaces), field.size());
    return field.substr(first, field.find_last_not_of(spaces) + 1 - first);
}

double number_of(std::string_view field) {
    std::string word(field);
    std::ranges::transform(word, word.begin(), [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
    if (word.empty() || word == "nan" || word == "na" || word == "n/a" || word == "null") return std::nan("");
    if (word == "true" || word == "false") return word == "true" ? 1 : 0;
    char* end = nullptr;
    const double value = std::strtod(word.c_str(), &end);
    if (*end != '\0') throw Violation("`" + word + "` is no number");
    return value;
}

// The numbers of a text without quotes.
std::vector<double> numbers_of(std::string_view text, bool has_header) {
    std::vector<double> numbers;
    if (text.starts_with("\xEF\xBB\xBF")) text.remove_prefix(3);
    while (!text.empty()) {
        std::string_view line = text.substr(0, text.find('\n'));
        text.remove_prefix(std::min(line.size() + 1, text.size()));
        if (trimmed(line).empty()) continue;
        if (std::exchange(has_header, false)) continue;
        for (bool more = true; more;) {
            const std::size_t comma = line.find(',');
            numbers.push_back(number_of(trimmed(line.substr(0, comma))));
            more = comma != std::string_view::npos;
            if (more) line.remove_prefix(comma + 1);
        }
    }
    return numbers;
}

bool is_same(double a, double b) { return a == b || (std::isnan(a) && std::isnan(b)); }

} // namespace

Verdict try_archive(std::string_view bytes) {
    return refused_or([&] {
        const MemoryFile file(bytes);
        const NamedArrays arrays = read_all(stored_npz(file.path()));
        for (const auto& [name, array] : arrays) {
            if (bytes_of(array) > bytes.size() * most_from_a_byte + most_from_any) throw Violation("`" + name + "` has more elements than deflate can make of the file");
        }
        std::string written;
        write_npz(arrays, [&](std::string_view piece) { written += piece; });
        const MemoryFile again(written);
        require_same(arrays, read_all(stored_npz(again.path())));
    });
}

Verdict try_safetensors(std::string_view bytes) {
    return refused_or([&] {
        const MemoryFile file(bytes);
        const NamedArrays arrays = read_all(stored_safetensors(file.path()));
        std::size_t data_offset = 0;
        const Json header = header_of(bytes, data_offset);
        if (header.is_discarded()) return; // bare NaN and Infinity, which the other parser does not read
        for (const auto& [name, array] : arrays) require_bytes(name, array, header.at(name), bytes.substr(data_offset));
    });
}

Verdict try_table(std::string_view text) {
    return refused_or([&] {
        const CsvTable table(FileBytes("t.csv", text), ',');
        const JsonValue json = table.numbers();
        if (tensor_type_of(json, {}, "$").shape != Shape{static_cast<std::int64_t>(table.rows()), static_cast<std::int64_t>(table.columns().size())}) throw Violation("another shape than the table's");
        const Array array = to_array(json, {DType::f64, 2, {}}, "$");
        if (text.find('"') != std::string_view::npos) return;
        const std::vector<double> expected = numbers_of(text, table.has_header());
        if (!std::ranges::equal(std::span(array.as<double>(), static_cast<std::size_t>(array.size())), expected, is_same)) throw Violation("other numbers than the table's");
    });
}

} // namespace vmaprun::faults
