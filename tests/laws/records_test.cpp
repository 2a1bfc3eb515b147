// A stream of records gives what each record gives alone: over cases.txt and faults.txt, every operand an input of the record, some records
// with other shapes, members left out or values that don't fit between them. Line by line the same text, or the same error.
#include <sys/mman.h>
#include <unistd.h>

#include <cstdio>
#include <iostream>

#include "io/json_writer.hpp"
#include "law_cases.hpp"
#include "vmaprun.hpp"

namespace {

using namespace vmaprun;

constexpr int records_a_case = 23; // batches of 16, 4 and 1
int failures = 0;
std::size_t checked = 0, refused = 0;

void fail(const std::string& script, const std::string& what) {
    if (++failures <= 20) std::cout << "FAILED " << what << "\n" << script << "\n";
}

struct Lines {
    std::vector<std::string> values; // of each record: "NAME=JSON" a line, as --set has them
    std::string text;
};

// A record of random operands; `odd`: one operand is left out, or has another shape, or is no number.
void add_record(const Case& one, int odd, std::mt19937& random, Lines& lines) {
    std::string record, values;
    const std::size_t changed = odd == 0 ? one.operands.size() : static_cast<std::size_t>(odd) % one.operands.size();
    for (std::size_t i = 0; i < one.operands.size(); ++i) {
        const Operand& operand = one.operands[i];
        Shape shape = operand.shape;
        if (i == changed && odd % 3 == 0) continue;
        if (i == changed && odd % 3 == 1 && !shape.empty()) shape[0] += 1;
        std::string json = json_text(Tree(random_array(operand.dtype, shape, operand, random)), {Layout::compact, NanPolicy::string, 1});
        if (i == changed && odd % 3 == 2) json = "\"word\"";
        record += (record.empty() ? "\"" : ", \"") + operand.name + "\": " + json;
        values += operand.name + "=" + json + "\n";
    }
    lines.values.push_back(values);
    lines.text += "{" + record + "}\n";
}

std::string script_of(const Case& one) {
    std::string script;
    for (const Operand& operand : one.operands) script += "input " + operand.name + ": " + std::string(name_of(operand.dtype)) + (operand.shape.empty() ? "" : "[" + std::string(operand.shape.size() == 1 ? "_" : "...") + "]") + "\n";
    return script + "output " + one.expression + "\n";
}

std::vector<std::string> stream(const std::string& script, const std::string& text) {
    const int descriptor = memfd_create("records", MFD_CLOEXEC);
    if (write(descriptor, text.data(), text.size()) != static_cast<ssize_t>(text.size()) || lseek(descriptor, 0, SEEK_SET) != 0) throw std::runtime_error("no memory file");
    std::string out;
    RecordStream records;
    records.descriptor = descriptor;
    records.sink = [&](std::string_view piece) { out += piece; };
    records.keep_going = true;
    Options options;
    options.threads = 2;
    const StreamReport report = Session(options).stream(script, "law.vm", records);
    close(descriptor);
    if (report.exit_code > 1) fail(script, "the stream ends with " + std::to_string(report.exit_code) + ": " + (report.messages.empty() ? "" : report.messages.front().human));
    std::vector<std::string> lines;
    std::istringstream in(out);
    for (std::string line; std::getline(in, line);) lines.push_back(line);
    return lines;
}

std::string alone(const std::string& script, const std::string& values) {
    Options options;
    options.threads = 1;
    std::istringstream in(values);
    for (std::string value; std::getline(in, value);) options.values.push_back(value);
    const Result result = Session(options).run(script, "law.vm");
    if (result.ok()) {
        std::string json = result.json({true, JsonFormat::Nan::string});
        if (!json.empty()) json.pop_back();
        return json;
    }
    ++refused;
    for (const Message& message : result.messages()) {
        if (message.is_error) return message.code;
    }
    return "no message";
}

void check(const Case& one, std::mt19937& random) {
    const std::string script = script_of(one);
    Lines lines;
    for (int i = 0; i < records_a_case; ++i) add_record(one, i % 8 == 5 ? 1 + i / 8 : 0, random, lines);
    const std::vector<std::string> found = stream(script, lines.text);
    if (found.size() != lines.values.size()) return fail(script, std::to_string(found.size()) + " lines for " + std::to_string(lines.values.size()) + " records");
    for (std::size_t i = 0; i < found.size(); ++i) {
        ++checked;
        const std::string expected = alone(script, lines.values[i]);
        const bool same = found[i] == expected || found[i].starts_with("{\"error\": {\"line\": " + std::to_string(i + 1) + ", \"code\": \"" + expected + "\"");
        if (!same) fail(script, "record " + std::to_string(i + 1) + " alone: " + expected + "\nin the stream: " + found[i] + "\n" + lines.values[i]);
    }
}

} // namespace

int main(int count, char** arguments) {
    std::mt19937 random(11);
    for (int i = 1; i < count; ++i) {
        for (const Case& one : read_cases(arguments[i])) check(one, random);
    }
    std::printf("%zu records, %zu of them refused, %d failures\n", checked, refused, failures);
    return failures > 0 || checked < 1000 || refused < 100 ? 1 : 0;
}
