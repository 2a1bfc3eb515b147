#include "io/number_text.hpp"

#include <charconv>
#include <cmath>
#include <cstring>

namespace vmaprun {
namespace {

constexpr char digit_pairs[] = "00010203040506070809101112131415161718192021222324252627282930313233343536373839404142434445464748495051525354"
                               "555657585960616263646566676869707172737475767778798081828384858687888990919293949596979899";

char* write_unsigned(char* target, std::uint64_t value) {
    char digits[20];
    char* at = digits + 20;
    while (value >= 100) {
        at -= 2;
        std::memcpy(at, digit_pairs + value % 100 * 2, 2);
        value /= 100;
    }
    if (value >= 10) {
        at -= 2;
        std::memcpy(at, digit_pairs + value * 2, 2);
    } else {
        *--at = static_cast<char>('0' + value);
    }
    const auto count = static_cast<std::size_t>(digits + 20 - at);
    std::memcpy(target, at, count);
    return target + count;
}

char* write_zeros(char* target, int count) {
    for (int i = 0; i < count; ++i) *target++ = '0';
    return target;
}

char* write_bytes(char* target, const char* text, int count) {
    std::memcpy(target, text, static_cast<std::size_t>(count));
    return target + count;
}

// d.ddde[+-]xx as Python writes it, from the digits and the exponent of the first one.
char* write_scientific(char* target, const char* digits, int count, int exponent) {
    *target++ = digits[0];
    if (count > 1) {
        *target++ = '.';
        target = write_bytes(target, digits + 1, count - 1);
    }
    *target++ = 'e';
    *target++ = exponent < 0 ? '-' : '+';
    const int magnitude = exponent < 0 ? -exponent : exponent;
    if (magnitude < 10) *target++ = '0';
    return write_unsigned(target, static_cast<std::uint64_t>(magnitude));
}

char* write_positional(char* target, const char* digits, int count, int exponent) {
    if (exponent < 0) {
        target = write_bytes(target, "0.", 2);
        target = write_zeros(target, -exponent - 1);
        return write_bytes(target, digits, count);
    }
    const int whole = exponent + 1;
    if (count <= whole) {
        target = write_bytes(target, digits, count);
        target = write_zeros(target, whole - count);
        return write_bytes(target, ".0", 2);
    }
    target = write_bytes(target, digits, whole);
    *target++ = '.';
    return write_bytes(target, digits + whole, count - whole);
}

template <class T> char* write_float(char* target, T value) {
    if (std::signbit(value)) {
        *target++ = '-';
        value = -value;
    }
    if (value < T(1 << 24) && value == static_cast<T>(static_cast<std::int32_t>(value))) {
        target = write_unsigned(target, static_cast<std::uint64_t>(value));
        return write_bytes(target, ".0", 2);
    }
    // The shortest digits, nearest to the value among those: d[.ddd]e[+-]xx[x].
    char text[40];
    const char* end = std::to_chars(text, text + sizeof text, value, std::chars_format::scientific).ptr;
    const char* mark = end[-4] == 'e' ? end - 4 : end - 5;
    int exponent = 0;
    for (const char* at = mark + 2; at < end; ++at) exponent = exponent * 10 + (*at - '0');
    if (mark[1] == '-') exponent = -exponent;
    int count = 1;
    if (text[1] == '.') {
        count = static_cast<int>(mark - text) - 1;
        text[1] = text[0];
    }
    const char* digits = text + (count > 1 ? 1 : 0);
    if (exponent < -4 || exponent >= 16) return write_scientific(target, digits, count, exponent);
    return write_positional(target, digits, count, exponent);
}

template <class T> std::string float_text(T value) {
    if (std::isnan(value)) return "NaN";
    if (std::isinf(value)) return value < 0 ? "-Infinity" : "Infinity";
    char text[number_text_capacity];
    return std::string(text, write_number(text, value));
}

template <class T> std::string text_of(T value) {
    if constexpr (std::is_same_v<T, bool>) return value ? "true" : "false";
    else if constexpr (std::is_same_v<T, KeyWords>) return "[" + std::to_string(value.high) + ", " + std::to_string(value.low) + "]";
    else if constexpr (is_complex_type<T>) return "[" + float_text(value.real()) + ", " + float_text(value.imag()) + "]";
    else if constexpr (std::is_floating_point_v<T>) return float_text(value);
    else return std::to_string(value);
}

} // namespace

char* write_number(char* target, float value) { return write_float(target, value); }
char* write_number(char* target, double value) { return write_float(target, value); }
char* write_number(char* target, std::uint64_t value) { return write_unsigned(target, value); }
char* write_number(char* target, std::int64_t value) {
    auto magnitude = static_cast<std::uint64_t>(value);
    if (value < 0) {
        *target++ = '-';
        magnitude = 0 - magnitude;
    }
    return write_unsigned(target, magnitude);
}

std::string element_text(DType dtype, const std::byte* data) {
    return visit_dtype(dtype, [&]<class T>(TypeTag<T>) {
        T value{};
        std::memcpy(&value, data, sizeof(T));
        return text_of(value);
    });
}

} // namespace vmaprun
