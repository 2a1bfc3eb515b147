// The law of tiles: the bits of an element depend neither on its place in a tile nor on the tile's length or alignment nor
// on its neighbours, and the result may overwrite an operand.
#include <doctest/doctest.h>

#include <bit>
#include <cmath>
#include <cstring>
#include <random>
#include <string>
#include <vector>

#include "array/dtype.hpp"
#include "ops/kernels/pointwise.hpp"

using namespace vmaprun;

namespace {

constexpr long longest = 70, room = 80;

// Elements of every size of number, special values among them: neighbours that would take other paths.
template <class T> T element(std::mt19937_64& random) {
    const std::uint64_t bits = random();
    if constexpr (std::is_same_v<T, bool>) return (bits & 1) != 0;
    else if constexpr (std::is_same_v<T, KeyWords>) return {static_cast<std::uint32_t>(bits), static_cast<std::uint32_t>(bits >> 32)};
    else if constexpr (is_complex_type<T>) return T(element<typename T::value_type>(random), element<typename T::value_type>(random));
    else if constexpr (std::is_floating_point_v<T>) {
        const auto unit = static_cast<T>(static_cast<double>(bits >> 11) * 0x1p-53 - 0.5);
        switch (random() % 8) {
        case 0: return unit;
        case 1: return unit * 40;
        case 2: return unit * 2000;
        case 3: return unit * T(1e-30);
        case 4: return std::ldexp(unit, static_cast<int>(bits % 200) - 100);
        case 5: { const T specials[] = {0, T(-0.0), T(INFINITY), T(-INFINITY), T(NAN), 1, -1, 2}; return specials[bits % 8]; }
        case 6: return std::rint(unit * 20);
        default: return 1 + unit / 100;
        }
    } else {
        return static_cast<T>(random() % 3 == 0 ? bits : bits % 7);
    }
}

template <class T> bool one_bits(const T& a, const T& b) {
    if constexpr (is_complex_type<T>) return one_bits(a.real(), b.real()) && one_bits(a.imag(), b.imag());
    else if constexpr (std::is_floating_point_v<T>) return (std::isnan(a) && std::isnan(b)) || std::memcmp(&a, &b, sizeof a) == 0;
    else return std::memcmp(&a, &b, sizeof a) == 0;
}

DType result_of(PointwiseOp op, DType operand) {
    const bool truth = (op >= PointwiseOp::equal && op <= PointwiseOp::logical_xor) || op == PointwiseOp::logical_not || (op >= PointwiseOp::isfinite && op <= PointwiseOp::signbit);
    if (truth) return DType::boolean;
    const bool part = op == PointwiseOp::real || op == PointwiseOp::imag || op == PointwiseOp::abs;
    if (part && operand == DType::c64) return DType::f32;
    if (part && operand == DType::c128) return DType::f64;
    return operand;
}

template <class In, class Out> void check_kernel(TileKernel kernel, bool is_where, const std::string& what) {
    std::mt19937_64 random(7);
    // Three operands, of which kernels read the ones they have; `where` has its condition first.
    std::vector<std::byte> memory(4 * room * sizeof(std::complex<double>));
    In* first = reinterpret_cast<In*>(memory.data());
    In *second = first + room, *third = second + room;
    bool condition[room];
    for (long i = 0; i < room; ++i) first[i] = element<In>(random), second[i] = element<In>(random), third[i] = element<In>(random), condition[i] = element<bool>(random);
    const auto run = [&](void* out, long offset, long n) {
        const void* plain[] = {first + offset, second + offset, third + offset};
        const void* chosen[] = {condition + offset, first + offset, second + offset};
        kernel(out, is_where ? chosen : plain, n);
    };
    std::vector<std::byte> bytes((room + 4) * sizeof(Out)), alone_bytes(room * sizeof(Out));
    Out* out = reinterpret_cast<Out*>(bytes.data());
    Out* alone = reinterpret_cast<Out*>(alone_bytes.data());
    for (long i = 0; i < room; ++i) run(alone + i, i, 1);
    long wrong = 0;
    for (long n = 0; n <= longest; ++n) {
        for (long offset = 0; offset < 4; ++offset) {
            run(out + offset, offset, n);
            for (long i = 0; i < n; ++i) wrong += one_bits(out[offset + i], alone[offset + i]) ? 0 : 1;
        }
    }
    INFO(what);
    CHECK(wrong == 0);
    if constexpr (std::is_same_v<In, Out>) {
        for (In* target : {second, first}) { // in place: the second operand is put back for the first
            const std::vector<In> kept(target, target + room);
            run(target + 1, 1, longest);
            long changed = 0;
            for (long i = 0; i < longest; ++i) changed += one_bits(target[1 + i], alone[1 + i]) ? 0 : 1;
            std::copy(kept.begin(), kept.end(), target);
            CHECK(changed == 0);
        }
    }
}

void check_table(const PointwiseTable& table, const std::string& set) {
    for (int op = 0; op < static_cast<int>(PointwiseOp::count); ++op) {
        for (int type = 0; type < static_cast<int>(ElementType::count); ++type) {
            const TileKernel kernel = table.of[op][type];
            if (kernel == nullptr) continue;
            const auto which = static_cast<PointwiseOp>(op);
            const auto dtype = static_cast<DType>(type);
            const std::string what = set + ": operation " + std::to_string(op) + " on " + std::string(name_of(dtype));
            visit_dtype(dtype, [&]<class In>(TypeTag<In>) {
                visit_dtype(result_of(which, dtype), [&]<class Out>(TypeTag<Out>) { check_kernel<In, Out>(kernel, which == PointwiseOp::where, what); });
            });
        }
    }
}

} // namespace

TEST_CASE("every pointwise kernel gives an element the same bits in every place") {
    for (const InstructionSet set : {InstructionSet::sse42, InstructionSet::avx2, InstructionSet::avx512, InstructionSet::neon}) {
        if (runs_here(set)) check_table(make_pointwise_table(set), std::string(name_of(set)));
    }
}

TEST_CASE("every cast gives an element the same bits in every place") {
    const PointwiseTable& table = pointwise_table();
    for (int from = 0; from < static_cast<int>(ElementType::count); ++from) {
        for (int to = 0; to < static_cast<int>(ElementType::count); ++to) {
            const TileKernel kernel = table.cast[from][to];
            if (kernel == nullptr) continue;
            const auto what = "cast " + std::string(name_of(static_cast<DType>(from))) + " to " + std::string(name_of(static_cast<DType>(to)));
            visit_dtype(static_cast<DType>(from), [&]<class In>(TypeTag<In>) {
                visit_dtype(static_cast<DType>(to), [&]<class Out>(TypeTag<Out>) { check_kernel<In, Out>(kernel, false, what); });
            });
        }
    }
}

TEST_CASE("exact operations agree bit for bit between instruction sets") {
    const PointwiseTable own = pointwise_table();
    for (const InstructionSet set : {InstructionSet::sse42, InstructionSet::avx2, InstructionSet::avx512}) {
        if (!runs_here(set)) continue;
        const PointwiseTable other = make_pointwise_table(set);
        std::mt19937_64 random(3);
        std::vector<float> a(200), b(200), x(200), y(200);
        for (std::size_t i = 0; i < a.size(); ++i) a[i] = element<float>(random), b[i] = element<float>(random);
        const void* in[] = {a.data(), b.data()};
        for (const PointwiseOp op : {PointwiseOp::add, PointwiseOp::subtract, PointwiseOp::multiply, PointwiseOp::divide, PointwiseOp::maximum, PointwiseOp::minimum,
                                     PointwiseOp::sqrt, PointwiseOp::floor, PointwiseOp::round, PointwiseOp::copysign, PointwiseOp::relu, PointwiseOp::sign}) {
            own.at(op, ElementType::f32)(x.data(), in, 200);
            other.at(op, ElementType::f32)(y.data(), in, 200);
            bool same = true;
            for (std::size_t i = 0; i < x.size(); ++i) same = same && one_bits(x[i], y[i]);
            CHECK(same);
        }
    }
}

namespace {

// Every row pair of the type, both ways round, over rows of numbers whose bits are random (all exponents, NaN, zeros)
// and rows of friendlier ones, against the operation alone.
template <class T, class Bits> void check_row_pairs(const PointwiseTable& table, ElementType type, const std::string& what) {
    constexpr long rows = 400, columns = 67;
    std::mt19937_64 random(11);
    std::vector<T> full(rows * columns), row(rows), spread(rows * columns), pair(rows * columns), alone(rows * columns);
    for (int i = 0; i < table.row_pair_count; ++i) {
        const RowPair& each = table.row_pairs[i];
        bool is_of_type = false;
        for (int op = 0; op < static_cast<int>(PointwiseOp::count); ++op) is_of_type = is_of_type || table.at(static_cast<PointwiseOp>(op), type) == each.flat;
        if (!is_of_type) continue;
        for (long r = 0; r < rows; ++r) {
            const auto number = [&](bool wild) { return wild ? std::bit_cast<T>(static_cast<Bits>(random())) : static_cast<T>(std::ldexp(1.0 + static_cast<double>(random() >> 11) * 0x1p-53, static_cast<int>(random() % 40) - 20)); };
            row[static_cast<std::size_t>(r)] = number(r % 4 == 0);
            for (long c = 0; c < columns; ++c) {
                const auto at = static_cast<std::size_t>(r * columns + c);
                full[at] = c % 29 == 5 ? T(0) : number(r % 3 == 0);
                spread[at] = row[static_cast<std::size_t>(r)];
            }
        }
        for (const bool full_first : {true, false}) {
            const void* in[] = {full_first ? full.data() : spread.data(), full_first ? spread.data() : full.data()};
            each.flat(alone.data(), in, rows * columns);
            (full_first ? each.full_first : each.row_first)(pair.data(), full.data(), row.data(), rows, columns);
            bool same = true;
            for (std::size_t k = 0; k < alone.size(); ++k) same = same && one_bits(alone[k], pair[k]);
            CHECK_MESSAGE(same, what << ", pair " << i << (full_first ? ", full first" : ", row first"));
        }
    }
}

} // namespace

TEST_CASE("operations with an element a row give the bits of the operation alone") {
    for (const InstructionSet set : {InstructionSet::sse42, InstructionSet::avx2, InstructionSet::avx512, InstructionSet::neon}) {
        if (!runs_here(set)) continue;
        const PointwiseTable table = make_pointwise_table(set);
        check_row_pairs<float, std::uint32_t>(table, ElementType::f32, std::string(name_of(set)) + " f32");
        check_row_pairs<double, std::uint64_t>(table, ElementType::f64, std::string(name_of(set)) + " f64");
    }
}
