#include "array/dtype.hpp"

#include <array>

namespace vmaprun {
namespace {

struct Info {
    std::string_view name;
    std::size_t size;
    Kind kind;
    bool is_signed;
};

constexpr std::array<Info, 14> infos = {{{"bool", 1, Kind::boolean, false},
                                         {"i8", 1, Kind::integer, true},
                                         {"i16", 2, Kind::integer, true},
                                         {"i32", 4, Kind::integer, true},
                                         {"i64", 8, Kind::integer, true},
                                         {"u8", 1, Kind::integer, false},
                                         {"u16", 2, Kind::integer, false},
                                         {"u32", 4, Kind::integer, false},
                                         {"u64", 8, Kind::integer, false},
                                         {"f32", 4, Kind::floating, true},
                                         {"f64", 8, Kind::floating, true},
                                         {"c64", 8, Kind::complex, true},
                                         {"c128", 16, Kind::complex, true},
                                         {"key", 8, Kind::key, false}}};

const Info& info(DType dtype) { return infos[static_cast<std::size_t>(dtype)]; }

} // namespace

std::string_view name_of(DType dtype) { return info(dtype).name; }
std::size_t size_of(DType dtype) { return info(dtype).size; }
Kind kind_of(DType dtype) { return info(dtype).kind; }
bool is_signed_integer(DType dtype) { return info(dtype).kind == Kind::integer && info(dtype).is_signed; }
bool is_unsigned_integer(DType dtype) { return info(dtype).kind == Kind::integer && !info(dtype).is_signed; }

std::optional<DType> dtype_named(std::string_view name) {
    for (std::size_t i = 0; i < infos.size(); ++i) {
        if (infos[i].name == name) return static_cast<DType>(i);
    }
    return std::nullopt;
}

std::optional<DType> promote(DType a, DType b) {
    if (a == b) return a;
    if (kind_of(a) == Kind::key || kind_of(b) == Kind::key) return std::nullopt;
    if (kind_of(a) > kind_of(b)) std::swap(a, b);
    if (kind_of(a) != kind_of(b)) {
        // f64 with c64 needs c128 so that no float loses bits.
        if (a == DType::f64 && b == DType::c64) return DType::c128;
        return b;
    }
    if (kind_of(a) != Kind::integer || info(a).is_signed == info(b).is_signed) return size_of(a) >= size_of(b) ? a : b;
    const DType with_sign = info(a).is_signed ? a : b;
    const DType without = info(a).is_signed ? b : a;
    if (size_of(with_sign) > size_of(without)) return with_sign;
    switch (without) {
    case DType::u8: return DType::i16;
    case DType::u16: return DType::i32;
    case DType::u32: return DType::i64;
    default: return std::nullopt;
    }
}

} // namespace vmaprun
