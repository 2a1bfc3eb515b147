// Kernels of several operations: the bits are those of one kernel an operation, whatever the numbers, the length, the
// instruction set, and also where the result overwrites an operand.
#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>
#include <random>
#include <span>
#include <utility>
#include <vector>

#include "array/dtype.hpp"
#include "ops/kernels/pointwise.hpp"

using namespace vmaprun;

namespace {

constexpr std::size_t most_operands = 6, room = 80;

template <class T> T element(std::mt19937_64& random) {
    constexpr T specials[] = {0, T(-0.0), T(INFINITY), T(-INFINITY), T(NAN), 1, -1, std::numeric_limits<T>::max(), std::numeric_limits<T>::denorm_min()};
    const std::uint64_t bits = random();
    if (bits % 3 == 0) return specials[(bits >> 8) % std::size(specials)];
    return std::ldexp(static_cast<T>(static_cast<double>(bits >> 11) * 0x1p-53 - 0.5), static_cast<int>(bits % 9));
}

template <class T> struct Operands {
    explicit Operands(std::uint64_t seed) {
        std::mt19937_64 random(seed);
        for (auto& each : memory) std::ranges::generate(each, [&] { return element<T>(random); });
    }
    std::array<std::array<T, room>, most_operands> memory;
    std::vector<const void*> from(std::size_t first, std::size_t count) const {
        std::vector<const void*> in;
        for (std::size_t k = first; k < first + count; ++k) in.push_back(memory[k].data());
        return in;
    }
};

template <class T> bool one_bits(const std::byte* a, const std::byte* b, std::size_t width, long n) {
    for (long i = 0; i < n; ++i) {
        const std::size_t at = static_cast<std::size_t>(i) * width;
        if (std::memcmp(a + at, b + at, width) == 0) continue;
        T x, y;
        if (width != sizeof(T)) return false;
        std::memcpy(&x, a + at, width);
        std::memcpy(&y, b + at, width);
        if (!std::isnan(x) || !std::isnan(y)) return false;
    }
    return true;
}

// Bytes of an element that a kernel of numbers writes: comparisons write one.
template <class T> std::size_t width_of_result(const Composition& each, std::size_t operands) {
    const Operands<T> in(1);
    std::array<std::byte, 64> out{};
    std::ranges::fill(out, std::byte{0x55});
    each.whole(out.data(), in.from(0, operands).data(), 2);
    return out[1] == std::byte{0x55} || out[2] != std::byte{0x55} ? sizeof(T) : std::size_t{1};
}

template <class T> void check_composition(const Composition& each) {
    const auto left_operands = static_cast<std::size_t>(each.left_operands), right_operands = static_cast<std::size_t>(each.right_operands);
    const std::size_t operands = left_operands + right_operands, width = width_of_result<T>(each, operands);
    REQUIRE(operands <= most_operands);
    for (const long n : {0L, 1L, 3L, 7L, 8L, 15L, 16L, 17L, 31L, 33L, 64L, 79L}) {
        Operands<T> in(static_cast<std::uint64_t>(n));
        std::array<std::array<T, room>, 2> inner{};
        std::array<T, room> expected{}, found{};
        if (each.left != nullptr) each.left(inner[0].data(), in.from(0, left_operands).data(), n);
        if (each.right != nullptr) each.right(inner[1].data(), in.from(left_operands, right_operands).data(), n);
        const void* outer[] = {each.left != nullptr ? inner[0].data() : in.memory[0].data(), each.right != nullptr ? inner[1].data() : in.memory[std::min(left_operands, most_operands - 1)].data()};
        each.outer(expected.data(), outer, n);
        each.whole(found.data(), in.from(0, operands).data(), n);
        const auto bytes = [](const std::array<T, room>& values) { return reinterpret_cast<const std::byte*>(values.data()); };
        CHECK(one_bits<T>(bytes(expected), bytes(found), width, n));
        if (width != sizeof(T)) continue;
        for (std::size_t k = 0; k < operands; ++k) {
            Operands<T> again(static_cast<std::uint64_t>(n));
            each.whole(again.memory[k].data(), again.from(0, operands).data(), n);
            CHECK(one_bits<T>(bytes(expected), bytes(again.memory[k]), width, n));
        }
    }
}

// A table of products as a list of compositions.
std::vector<Composition> compositions_of(const FunctionProducts& products, ElementType type) {
    std::vector<Composition> all;
    const auto side = [&](int which) { return which < products.count ? std::pair(products.functions[which], products.operands[which]) : std::pair(TileFunction{}, 1); };
    for (int left = 0; left <= products.count; ++left) {
        for (int right = 0; right <= products.count; ++right) {
            const TileFunction whole = products.of(products.product, side(left).first, side(right).first);
            if (whole != nullptr) all.push_back({products.product, side(left).first, side(right).first, whole, type, side(left).second, side(right).second});
        }
    }
    return all;
}

} // namespace

TEST_CASE("a kernel of several operations gives the bits of one kernel an operation") {
    for (const InstructionSet set : {InstructionSet::sse42, InstructionSet::avx2, InstructionSet::avx512, InstructionSet::neon}) {
        if (!runs_here(set)) continue;
        INFO(std::string(name_of(set)));
        const PointwiseTable table = make_pointwise_table(set);
        std::size_t count = 0;
        for (const auto& list : std::span(table.compositions, static_cast<std::size_t>(table.composition_lists))) {
            for (const Composition& each : std::span(list.first, list.count)) {
                if (each.type == ElementType::f32) check_composition<float>(each);
                else check_composition<double>(each);
                ++count;
            }
        }
        CHECK(count > 200);
        const std::vector<Composition> floats = compositions_of(table.products[0], ElementType::f32), doubles = compositions_of(table.products[1], ElementType::f64);
        for (const Composition& each : floats) check_composition<float>(each);
        for (const Composition& each : doubles) check_composition<double>(each);
        CHECK(floats.size() == 99);
        CHECK(doubles.size() == 99);
    }
}
