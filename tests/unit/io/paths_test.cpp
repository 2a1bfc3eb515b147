#include "io/paths.hpp"

#include "support.hpp"

using namespace vmaprun;
using namespace vmaprun::testing;

TEST_CASE("a pattern means the files that it matches, sorted by name") {
    const Folder folder;
    for (const char* name : {"b.npy", "a.npy", "c.json", ".hidden.npy"}) write_text(folder / name, "");
    CHECK(expand_pattern(folder / "*.npy") == std::vector<std::string>{folder / "a.npy", folder / "b.npy"});
    CHECK(expand_pattern(folder / "[bc].*") == std::vector<std::string>{folder / "b.npy", folder / "c.json"});
    CHECK(message_of([&] { expand_pattern(folder / "*.csv"); }) == "E501 no file matches `" + folder / "*.csv" + "`");
}

TEST_CASE("a pattern may have wildcards in its folders") {
    const Folder folder;
    for (const char* name : {"one", "two"}) {
        std::filesystem::create_directory(folder / name);
        write_text(folder / (std::string(name) + "/x.npy"), "");
    }
    std::filesystem::create_directory(folder / "three");
    CHECK(expand_pattern(folder / "t*/x.npy") == std::vector<std::string>{folder / "two/x.npy"});
    CHECK(expand_pattern(folder / "*/*.npy") == std::vector<std::string>{folder / "one/x.npy", folder / "two/x.npy"});
}

TEST_CASE("a path that exists as it stands is no pattern") {
    const Folder folder;
    write_text(folder / "a[1].npy", "");
    CHECK(expand_pattern(folder / "a[1].npy") == std::vector<std::string>{folder / "a[1].npy"});
    CHECK(expand_pattern("plain.npy") == std::vector<std::string>{"plain.npy"});
}

TEST_CASE("templates take the stem or the whole name of a file") {
    CHECK(fill_template("out/{stem}.npy", "data/a.b.json") == "out/a.b.npy");
    CHECK(fill_template("out/{name}.json", "data/a.npy") == "out/a.npy.json");
    CHECK(fill_template("{stem}-{stem}.npy", "x.npy") == "x-x.npy");
    CHECK(fill_template("{stem}.npy", "folder.d/noending") == "noending.npy");
    CHECK(is_template("out/{stem}.npy"));
    CHECK_FALSE(is_template("out/{other}.npy"));
}

TEST_CASE("the ending is that of the last part of a path") {
    CHECK(ending_of("a/b.c/d.npy") == ".npy");
    CHECK(ending_of("a/b.c/d") == "");
}

TEST_CASE("the folders above an output are made") {
    const Folder folder;
    make_folders_of(folder / "a/b/c.npy");
    CHECK(std::filesystem::is_directory(folder / "a/b"));
    CHECK_FALSE(std::filesystem::exists(folder / "a/b/c.npy"));
}
