#include "io/stored_tensor.hpp"

#include <sys/stat.h>

#include <thread>

#include "io/npy.hpp"
#include "support.hpp"

using namespace vmaprun;
using namespace vmaprun::testing;

TEST_CASE("an .npy file is announced by its header, and read when it is wanted") {
    const Folder folder;
    const std::string path = folder / "a.npy";
    write_text(path, npy_text(array_of<float>({2, 1}, {1, 2})));
    const auto tensor = stored_npy(path);
    CHECK(tensor->description() == "f32[2, 1]");
    CHECK(tensor->slices() == nullptr); // too small
    write_text(path, npy_text(array_of<float>({2, 1}, {3, 4})));
    CHECK(values_of<float>(tensor->read(1)) == std::vector<float>{3, 4});
    write_text(path, npy_text(array_of<float>({1, 1}, {3})));
    CHECK(message_of([&] { tensor->read(1); }) == "E501 cannot read `" + path + "`: it changed while it was read");
    std::filesystem::remove(path);
    CHECK(message_of([&] { tensor->read(1); }) == "E501 cannot read `" + path + "`: there is no such file");
    write_text(path, npy_text(array_of<float>({1, 1}, {3})).substr(0, 130));
    CHECK(message_of([&] { stored_npy(path); }) == "E510 `" + path + "` is truncated: it has 2 bytes of elements, f32[1, 1] takes 4");
}

TEST_CASE("a pipe is read once, and keeps what it gave") {
    const Folder folder;
    const std::string path = folder / "pipe.npy";
    REQUIRE(mkfifo(path.c_str(), 0600) == 0);
    std::thread writer([&] { write_text(path, npy_text(array_of<std::int64_t>({3}, {1, 2, 3}))); });
    const auto tensor = stored_npy(path);
    writer.join();
    CHECK(values_of<std::int64_t>(tensor->read(1)) == std::vector<std::int64_t>{1, 2, 3});
    CHECK(values_of<std::int64_t>(tensor->read(1)) == std::vector<std::int64_t>{1, 2, 3});
}

TEST_CASE("elements that memory has otherwise are not read by slices") {
    const Folder folder;
    const std::string path = folder / "a.npy";
    const Array large(DType::f32, {4, std::int64_t{1} << 20U});
    std::fill_n(large.view().data, large.size() * 4, std::byte{0});
    std::string text = npy_text(large);
    write_text(path, text);
    CHECK(stored_npy(path)->slices() != nullptr);
    write_text(path, text.replace(text.find("<f4"), 3, ">f4"));
    CHECK(stored_npy(path)->slices() == nullptr);
    write_text(path, text.replace(text.find(">f4"), 3, "<f4").replace(text.find("False"), 5, "True "));
    CHECK(stored_npy(path)->slices() == nullptr);
}
