#include <doctest/doctest.h>

#include "base/source.hpp"
#include "base/text.hpp"

using namespace vmaprun;

TEST_CASE("a name is offered only when it is near enough to be meant") {
    const std::string_view names[] = {"softmax", "sum", "matmul"};
    CHECK(nearest("sofmax", names) == "softmax");
    CHECK(nearest("smu", names) == "sum");
    CHECK(nearest("conv", names).empty());
    CHECK(nearest("", names).empty());
}

TEST_CASE("columns count characters, not bytes, and lines end without their newline") {
    const Source source("s.vm", "let é = 1\r\nlet 数 = 2");
    CHECK(source.line(1) == "let é = 1");
    CHECK(source.position(6).column == 6);
    CHECK(source.position(source.line_start(2) + 7).column == 6);
    CHECK(source.position(9999).line == 2);
}

TEST_CASE("display width knows wide and combining characters") {
    CHECK(display_width("abc") == 3);
    CHECK(display_width("数据") == 4);
    CHECK(display_width("e\u0301") == 1);
}
