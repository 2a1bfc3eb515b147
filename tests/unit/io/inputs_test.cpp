#include "io/inputs.hpp"

#include "io/npy.hpp"
#include "io/npz.hpp"
#include "io/output_file.hpp"
#include "support.hpp"

using namespace vmaprun;
using namespace vmaprun::testing;

namespace {

DeclaredType tensor(std::optional<DType> dtype, std::vector<std::optional<std::int64_t>> dims) {
    DeclaredType type;
    type.form = DeclaredType::Form::tensor;
    type.dtype = dtype;
    type.ranked = true;
    type.dims = std::move(dims);
    return type;
}

DeclaredType of_kind(Kind kind) {
    DeclaredType type;
    type.form = DeclaredType::Form::tensor;
    type.kind = kind;
    return type;
}

std::string text_of(const ArrivingTensor& tensor) { return std::string(name_of(tensor.dtype)) + shape_text(tensor.shape); }

// What a value of --set arrives as.
std::string arrives(const std::string& json, const DeclaredType& type) {
    BoundInputs inputs({{}, {{"x", json}}, "", nullptr});
    const auto value = inputs.arriving("x", type, true);
    REQUIRE(value);
    REQUIRE(value->form == Arriving::Form::tensor);
    return text_of(value->tensor);
}

Array loaded(BoundInputs& inputs, const std::string& name, std::vector<std::string> path, DType dtype) {
    Traced traced;
    traced.inputs.push_back({name, std::move(path), TensorType{dtype, {}, false}});
    return inputs.load(traced).at(0);
}

void write_array(const std::string& path, const Array& array) {
    OutputFile file(path);
    write_npy(array, file.sink());
    file.commit();
}

} // namespace

TEST_CASE("bindings are NAME=PATH and NAME=PATH:MEMBER") {
    const FileBinding whole = parse_file_binding("x=data.json"), part = parse_file_binding("x=data.json:b");
    CHECK(whole.name + "|" + whole.path + "|" + whole.member == "x|data.json|");
    CHECK(part.name + "|" + part.path + "|" + part.member == "x|data.json|b");
    const testing::Folder folder;
    write_text(folder / "a:b.json", "1");
    CHECK(parse_file_binding("x=" + folder / "a:b.json").member == "");
    CHECK(message_of([] { parse_file_binding("data.json"); }) == "E516 `-i data.json` names no input | help: write `-i NAME=PATH`");
    CHECK(parse_value_binding("x={\"a\": \"=\"}").json == "{\"a\": \"=\"}");
}

TEST_CASE("a value arrives in the declared dtype, or in one of the declared kind") {
    CHECK(arrives("[1, 2]", {}) == "i64[2]");
    CHECK(arrives("[1, 2.0]", {}) == "f64[2]");
    CHECK(arrives("[true]", {}) == "bool[1]");
    CHECK(arrives("18446744073709551615", {}) == "u64");
    CHECK(arrives("[1, 2]", tensor(DType::f32, {std::nullopt})) == "f32[2]");
    CHECK(arrives("[1, 2]", of_kind(Kind::floating)) == "f64[2]");
    CHECK(arrives("[1.0, 2.0]", of_kind(Kind::integer)) == "i64[2]");
    CHECK(arrives(R"({"dtype": "f32", "shape": [0, 3], "data": []})", of_kind(Kind::floating)) == "f32[0, 3]");
    CHECK(arrives("[[1, 2], [3, 4]]", tensor(DType::c64, {std::nullopt})) == "c64[2]");
    CHECK(arrives("[]", tensor(DType::f32, {std::nullopt, 3})) == "f32[0, 3]");
}

TEST_CASE("numbers are converted once, when they are loaded") {
    BoundInputs inputs({{}, {{"x", "[0.1, 16777217]"}}, "", nullptr});
    (void)inputs.arriving("x", tensor(DType::f32, {std::nullopt}), true);
    CHECK(values_of<float>(loaded(inputs, "x", {}, DType::f32)) == std::vector<float>{0.1F, 16777216.0F});
}

TEST_CASE("a lone number is read at once, because it may be a size") {
    BoundInputs inputs({{}, {{"n", "5"}}, "", nullptr});
    const auto value = inputs.arriving("n", of_kind(Kind::integer), true);
    REQUIRE(value->tensor.data);
    CHECK(values_of<std::int64_t>(value->tensor.data) == std::vector<std::int64_t>{5});
}

TEST_CASE("objects are records and lists of objects are tuples") {
    BoundInputs inputs({{}, {{"p", R"({"w": [1, 2], "rest": [{"b": 3}, {"b": 4.5}]})"}}, "", nullptr});
    const auto value = inputs.arriving("p", {}, true);
    REQUIRE(value->form == Arriving::Form::record);
    CHECK(value->names == std::vector<std::string>{"w", "rest"});
    CHECK(value->items[1].form == Arriving::Form::tuple);
    CHECK(values_of<double>(loaded(inputs, "p", {"rest", "1", "b"}, DType::f64)) == std::vector<double>{4.5});
}

TEST_CASE("of an npy file the header arrives, and the data when it is loaded") {
    const testing::Folder folder;
    write_array(folder / "x.npy", array_of<std::int32_t>({2, 2}, {1, 2, 3, 4}));
    BoundInputs inputs({{{"x", folder / "x.npy", ""}}, {}, "", nullptr});
    const auto value = inputs.arriving("x", of_kind(Kind::floating), false);
    CHECK(text_of(value->tensor) == "f64[2, 2]");
    CHECK_FALSE(value->tensor.data);
    CHECK(values_of<double>(loaded(inputs, "x", {}, DType::f64)) == std::vector<double>{1, 2, 3, 4});
}

TEST_CASE("a file that changes between header and data is refused") {
    const testing::Folder folder;
    write_array(folder / "x.npy", array_of<float>({2}, {1, 2}));
    BoundInputs inputs({{{"x", folder / "x.npy", ""}}, {}, "", nullptr});
    (void)inputs.arriving("x", {}, false);
    write_array(folder / "x.npy", array_of<float>({3}, {1, 2, 3}));
    CHECK(message_of([&] { loaded(inputs, "x", {}, DType::f32); }) == "E501 cannot read `" + folder / "x.npy" + "`: it changed while it was read");
}

TEST_CASE("a data file is for the first input that nothing else binds") {
    const testing::Folder folder;
    write_array(folder / "d.npy", array_of<float>({1}, {1}));
    BoundInputs inputs({{}, {{"a", "1"}}, folder / "d.npy", nullptr});
    CHECK(inputs.claims("a"));
    CHECK(inputs.claims("b"));
    CHECK_FALSE(inputs.claims("c"));
    CHECK(inputs.arriving("b", {}, false));
    CHECK_FALSE(inputs.arriving("c", {}, true));
}

TEST_CASE("members are picked by name") {
    const testing::Folder folder;
    write_text(folder / "d.json", R"({"alpha": [1], "beta": 2})");
    BoundInputs inputs({{{"x", folder / "d.json", "beta"}, {"y", folder / "d.json", "alpa"}}, {}, "", nullptr});
    CHECK(text_of(inputs.arriving("x", {}, false)->tensor) == "i64");
    CHECK(message_of([&] { (void)inputs.arriving("y", {}, false); }) ==
          "E516 `" + folder / "d.json" + "` has no member `alpa` | help: did you mean `alpha`?");
}

TEST_CASE("errors of values say where the value came from") {
    BoundInputs inputs({{}, {{"x", "[[1, 2], [3]]"}}, "", nullptr});
    CHECK(message_of([&] { (void)inputs.arriving("x", {}, true); }).find(" | note: `$` is the value from --set x") != std::string::npos);
}

TEST_CASE("bindings that name no input are errors, with the nearest name") {
    const BoundInputs inputs({{{"weigths", "w.npy", ""}}, {}, "", nullptr});
    const std::vector<std::string> names = {"weights", "x"};
    CHECK(message_of([&] { inputs.require_known(names); }) == "E516 `-i weigths`: the script has no such input | help: did you mean `weights`?");
    CHECK(message_of([] { BoundInputs twice({{{"x", "a.npy", ""}}, {{"x", "1"}}, "", nullptr}); }) ==
          "E516 input `x` is given twice | help: give it once, by `-i` or by `--set`");
}

TEST_CASE("files of unknown ending are refused by name") {
    const testing::Folder folder;
    write_text(folder / "x.parquet", "1,2");
    BoundInputs inputs({{{"x", folder / "x.parquet", ""}}, {}, "", nullptr});
    CHECK(message_of([&] { (void)inputs.arriving("x", {}, false); }) ==
          "E511 `" + folder / "x.parquet" + "` is no file that is known by its ending | help: known are .npy, .npz, .json, .csv, .tsv and .safetensors");
}

TEST_CASE("the path of a binding is the longest front that is a file, because members may have colons") {
    const testing::Folder folder;
    write_text(folder / "a.npz", "");
    write_text(folder / "a.npz:b", "");
    CHECK(parse_file_binding("x=" + folder / "a.npz:c/kernel:0").path == folder / "a.npz");
    CHECK(parse_file_binding("x=" + folder / "a.npz:c/kernel:0").member == "c/kernel:0");
    CHECK(parse_file_binding("x=" + folder / "a.npz:b:0").path == folder / "a.npz:b");
    CHECK(parse_file_binding("x=nowhere.npz:b:0").path == "nowhere.npz:b");
    CHECK(parse_file_binding("x=-:b:0").path == "-");
    CHECK(parse_file_binding("x=-:b:0").member == "b:0");
}

TEST_CASE("whole archives arrive as the trees that their names spell, and only with what a declared record names") {
    const testing::Folder folder;
    const Array one = array_of<float>({1}, {1}), two = array_of<float>({2}, {2, 3});
    OutputFile file(folder / "m.npz");
    write_npz({{"layers.1.w", two}, {"layers.0.w", one}, {"", one}, {"bias", two}}, file.sink());
    file.commit();
    BoundInputs whole({{{"x", folder / "m.npz", ""}, {"y", folder / "m.npz", "layers"}, {"z", folder / "m.npz", "layers.1.w"}}, {}, "", nullptr});
    const Arriving all = *whole.arriving("x", {}, false);
    CHECK(all.form == Arriving::Form::record);
    CHECK(all.names == std::vector<std::string>{"layers", "bias"}); // nothing has no name
    CHECK(all.items[0].form == Arriving::Form::tuple);
    CHECK(text_of(all.items[0].items[0].items[0].tensor) == "f32[1]");
    CHECK(text_of(all.items[0].items[1].items[0].tensor) == "f32[2]");
    CHECK(whole.arriving("y", {}, false)->items.size() == 2);
    CHECK(text_of(whole.arriving("z", {}, false)->tensor) == "f32[2]");
    CHECK(values_of<float>(loaded(whole, "x", {"layers", "1", "w"}, DType::f32)) == std::vector<float>{2, 3});

    DeclaredType record;
    record.form = DeclaredType::Form::record;
    record.names = {"bias"};
    record.items = {tensor(DType::f64, {std::nullopt})};
    BoundInputs part({{{"x", folder / "m.npz", ""}}, {}, "", nullptr});
    const Arriving named = *part.arriving("x", record, false);
    CHECK(named.names == record.names);
    CHECK(text_of(named.items[0].tensor) == "f64[2]");
}
