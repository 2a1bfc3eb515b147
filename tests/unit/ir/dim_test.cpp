#include "ir/dim.hpp"

#include <doctest/doctest.h>

#include <limits>

namespace vmaprun::testing {
namespace {

TEST_CASE("a product of sizes divides exactly by one of them") {
    const Dim n = Dim::symbol("n", 1009), k = Dim::symbol("k", 1013);
    CHECK(floor_divide(n * k, k) == n);
    CHECK(floor_divide(n * k * k, k) == n * k);
    CHECK(floor_divide(Dim(6) * n * k, Dim(2) * n) == Dim(3) * k);
    CHECK(floor_divide(n * k + k, k) == n + 1);
    CHECK(floor_divide(n, 1) == n);
    CHECK(floor_divide(n, n) == Dim(1));
    CHECK(floor_divide(n, k).text() == "(n // k)");
    CHECK(floor_divide(Dim(3) * n, 2).text() == "(3*n // 2)");
}

TEST_CASE("sizes stop at the ends of i64") {
    constexpr std::int64_t most = std::numeric_limits<std::int64_t>::max();
    CHECK((Dim(most) + 1).value() == most);
    CHECK((Dim(most) * 2).value() == most);
    CHECK((Dim(-2) - most).value() == std::numeric_limits<std::int64_t>::min());
    CHECK((Dim(most) * -2).value() == std::numeric_limits<std::int64_t>::min());
}

} // namespace
} // namespace vmaprun::testing
