// The element types of tensors, and how code is chosen by them.
#pragma once

#include <complex>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <type_traits>

namespace vmaprun {

enum class DType : std::uint8_t { boolean, i8, i16, i32, i64, u8, u16, u32, u64, f32, f64, c64, c128, key };

// A kind orders dtypes for promotion: boolean < integer < floating < complex; keys stand apart.
enum class Kind : std::uint8_t { boolean, integer, floating, complex, key };

// A random key: the two 32-bit words of a Threefry-2x32 key.
struct KeyWords {
    std::uint32_t high = 0, low = 0;
    bool operator==(const KeyWords&) const = default;
};

std::string_view name_of(DType dtype);                      // "f32"; bool is "bool"
std::optional<DType> dtype_named(std::string_view name);    // "key" included
std::size_t size_of(DType dtype);                           // bytes an element; bool is one byte, 0 or 1
Kind kind_of(DType dtype);
bool is_signed_integer(DType dtype);
bool is_unsigned_integer(DType dtype);
inline bool is_integer(DType dtype) { return kind_of(dtype) == Kind::integer; }
inline bool is_floating(DType dtype) { return kind_of(dtype) == Kind::floating; }
inline bool is_complex(DType dtype) { return kind_of(dtype) == Kind::complex; }

// The common dtype of two strong operands by promotion (docs/language.md); nullopt where a cast must be asked for
// (u64 with a signed integer, a key with anything else).
std::optional<DType> promote(DType a, DType b);

template <class T> struct TypeTag { using type = T; };

// Calls f(TypeTag<T>{}) with the C++ type of the dtype. bool is stored as C++ bool.
template <class F> decltype(auto) visit_dtype(DType dtype, F&& f) {
    switch (dtype) {
    case DType::boolean: return f(TypeTag<bool>{});
    case DType::i8: return f(TypeTag<std::int8_t>{});
    case DType::i16: return f(TypeTag<std::int16_t>{});
    case DType::i32: return f(TypeTag<std::int32_t>{});
    case DType::i64: return f(TypeTag<std::int64_t>{});
    case DType::u8: return f(TypeTag<std::uint8_t>{});
    case DType::u16: return f(TypeTag<std::uint16_t>{});
    case DType::u32: return f(TypeTag<std::uint32_t>{});
    case DType::u64: return f(TypeTag<std::uint64_t>{});
    case DType::f32: return f(TypeTag<float>{});
    case DType::f64: return f(TypeTag<double>{});
    case DType::c64: return f(TypeTag<std::complex<float>>{});
    case DType::c128: return f(TypeTag<std::complex<double>>{});
    default: return f(TypeTag<KeyWords>{});
    }
}

template <class T> inline constexpr bool is_complex_type = false;
template <class T> inline constexpr bool is_complex_type<std::complex<T>> = true;

template <class T> constexpr DType dtype_of() {
    if constexpr (std::is_same_v<T, bool>) return DType::boolean;
    else if constexpr (std::is_same_v<T, std::int8_t>) return DType::i8;
    else if constexpr (std::is_same_v<T, std::int16_t>) return DType::i16;
    else if constexpr (std::is_same_v<T, std::int32_t>) return DType::i32;
    else if constexpr (std::is_same_v<T, std::int64_t>) return DType::i64;
    else if constexpr (std::is_same_v<T, std::uint8_t>) return DType::u8;
    else if constexpr (std::is_same_v<T, std::uint16_t>) return DType::u16;
    else if constexpr (std::is_same_v<T, std::uint32_t>) return DType::u32;
    else if constexpr (std::is_same_v<T, std::uint64_t>) return DType::u64;
    else if constexpr (std::is_same_v<T, float>) return DType::f32;
    else if constexpr (std::is_same_v<T, double>) return DType::f64;
    else if constexpr (std::is_same_v<T, std::complex<float>>) return DType::c64;
    else if constexpr (std::is_same_v<T, std::complex<double>>) return DType::c128;
    else return DType::key;
}

} // namespace vmaprun
