#include "io/json_number.hpp"

#include <cmath>
#include <cstring>
#include <limits>

#include "io/plain_number.hpp"

namespace vmaprun {
namespace {

bool is_digit(char c) { return static_cast<unsigned char>(c - '0') < 10; }

bool starts_with(const char* at, std::string_view word) { return std::strncmp(at, word.data(), word.size()) == 0; }

struct Special {
    std::string_view text;
    double value;
};
constexpr double infinity = std::numeric_limits<double>::infinity();
constexpr double nan = std::numeric_limits<double>::quiet_NaN();
constexpr Special specials[] = {{"null", nan},           {"NaN", nan},
                                {"Infinity", infinity},  {"-Infinity", -infinity},
                                {"\"NaN\"", nan},        {"\"Infinity\"", infinity},
                                {"\"-Infinity\"", -infinity}};

const Special* special_at(const char* at) {
    for (const Special& special : specials) {
        if (starts_with(at, special.text)) return &special;
    }
    return nullptr;
}

bool begins_number(const char* at) { return is_digit(*at) || (*at == '-' && at[1] != 'I'); }

// Adds what a whole number of 19 digits or more is to the content: which 64-bit dtype holds it.
void classify_long_integer(const char* digits, const char* end, bool negative, JsonContent& content) {
    const std::string_view text(digits, static_cast<std::size_t>(end - digits));
    const std::string_view limit = negative ? "9223372036854775808" : "9223372036854775807";
    constexpr std::string_view u64_limit = "18446744073709551615";
    if (text.size() == 19 && text <= limit) return;
    const bool fits_u64 = !negative && (text.size() == 19 || (text.size() == 20 && text <= u64_limit));
    (fits_u64 ? content.above_i64 : content.beyond_64_bits) = true;
}

const char* fail(ScalarFault& fault, const char* at, const char* expected) {
    fault = {at, expected};
    return nullptr;
}

const char* scan_number(const char* at, JsonContent& content, ScalarFault& fault) {
    const bool negative = *at == '-';
    if (negative) ++at;
    const char* digits = at;
    while (is_digit(*at)) ++at;
    const char* digits_end = at;
    if (digits == digits_end) return fail(fault, at, "a digit after `-`");
    if (*digits == '0' && digits_end - digits > 1) return fail(fault, digits + 1, "no digit after a leading 0");
    bool whole = true;
    if (*at == '.') {
        whole = false;
        if (!is_digit(*++at)) return fail(fault, at, "a digit after the decimal point");
        while (is_digit(*at)) ++at;
    }
    if (*at == 'e' || *at == 'E') {
        whole = false;
        ++at;
        if (*at == '+' || *at == '-') ++at;
        if (!is_digit(*at)) return fail(fault, at, "a digit in the exponent");
        while (is_digit(*at)) ++at;
    }
    if (!whole) {
        content.fraction = true;
        return at;
    }
    content.integer = true;
    if (negative) content.negative = true;
    if (digits_end - digits >= 19) classify_long_integer(digits, digits_end, negative, content);
    return at;
}

// ---- floats ----------------------------------------------------------------------------------------------------------

// A decimal number taken apart: mantissa * 10^exponent where `exact`; else more than 19 digits, or a huge exponent.
struct Decimal {
    std::uint64_t mantissa = 0;
    int exponent = 0;
    bool negative = false;
    bool exact = true;
};

const char* take_digits(const char* at, std::uint64_t& mantissa) {
    for (std::uint64_t word = eight_characters(at); leading_digits(word) == 8; word = eight_characters(at)) {
        mantissa = mantissa * whole_powers_of_ten[8] + value_of_eight_digits(word);
        at += 8;
    }
    for (; is_digit(*at); ++at) mantissa = mantissa * 10 + static_cast<std::uint64_t>(*at - '0');
    return at;
}

const char* take_decimal(const char* at, Decimal& decimal) {
    decimal.negative = *at == '-';
    if (decimal.negative) ++at;
    const char* digits = at;
    at = take_digits(at, decimal.mantissa);
    auto count = at - digits;
    if (*at == '.') {
        const char* fraction = ++at;
        at = take_digits(at, decimal.mantissa);
        count += at - fraction;
        decimal.exponent = static_cast<int>(std::max<std::ptrdiff_t>(fraction - at, -100000));
    }
    if ((*at | 0x20) == 'e') {
        ++at;
        const bool minus = *at == '-';
        if (*at == '+' || *at == '-') ++at;
        int exponent = 0;
        for (; is_digit(*at); ++at) exponent = std::min(exponent * 10 + (*at - '0'), 1000000);
        decimal.exponent += minus ? -exponent : exponent;
    }
    decimal.exact = count <= 19; // leading zeros count too: rarely, and only to the slower way
    return at;
}

// Clinger's fast path: one correctly rounded operation on two exact doubles.
bool quick_double(const Decimal& decimal, double& result) {
    if (!decimal.exact || decimal.mantissa > (std::uint64_t{1} << 53U) || decimal.exponent < -22 || decimal.exponent > 22) return false;
    const auto mantissa = static_cast<double>(decimal.mantissa);
    result = decimal.exponent < 0 ? mantissa / exact_powers_of_ten[-decimal.exponent] : mantissa * exact_powers_of_ten[decimal.exponent];
    if (decimal.negative) result = -result;
    return true;
}

// A correctly rounded double rounds on to the correctly rounded float, unless it lies half way between two floats: the number itself
// may then lie on either side. (What quick_double gives is 0 or within 1e-22 .. 1e38: normal floats.)
bool quick_float(const Decimal& decimal, float& result) {
    double wide = 0;
    if (!quick_double(decimal, wide)) return false;
    std::uint64_t bits = 0;
    std::memcpy(&bits, &wide, 8);
    if ((bits & 0x1FFFFFFFU) == 0x10000000U) return false;
    result = static_cast<float>(wide);
    return true;
}

template <class T> Conversion read_float(const char*& at, T& result) {
    if (begins_number(at)) {
        const char* begin = at;
        Decimal decimal;
        at = take_decimal(at, decimal);
        bool quick = false;
        if constexpr (sizeof(T) == 4) quick = quick_float(decimal, result);
        else quick = quick_double(decimal, result);
        if (quick) return Conversion::done;
        fast_float::from_chars(begin, at, result);
        return std::isinf(result) ? Conversion::out_of_range : Conversion::done;
    }
    if (const Special* special = special_at(at)) {
        at += special->text.size();
        result = static_cast<T>(special->value);
        return Conversion::done;
    }
    result = *at == 't' ? T{1} : T{0};
    at = skip_scalar(at);
    return Conversion::done;
}

// ---- integers --------------------------------------------------------------------------------------------------------

struct Magnitude {
    std::uint64_t value = 0;
    bool negative = false;
};

// One digit after another, as sum * 10 + digit; false past 64 bits.
bool append_digit(std::uint64_t& sum, int digit) {
    return !__builtin_mul_overflow(sum, std::uint64_t{10}, &sum) && !__builtin_add_overflow(sum, static_cast<std::uint64_t>(digit), &sum);
}

// A whole number that may be written with a point and an exponent, exactly: 1.0, 1.5e1, 900e-2.
Conversion read_whole(const char* begin, const char* end, Magnitude& result) {
    const char* at = begin + (*begin == '-' ? 1 : 0);
    const char* mantissa_end = at;
    std::int64_t fraction_digits = 0, trailing_zeros = 0, exponent = 0;
    bool after_point = false, any = false;
    for (; is_digit(*mantissa_end) || *mantissa_end == '.'; ++mantissa_end) {
        if (*mantissa_end == '.') {
            after_point = true;
            continue;
        }
        any = any || *mantissa_end != '0';
        trailing_zeros = *mantissa_end == '0' ? trailing_zeros + 1 : 0;
        fraction_digits += after_point ? 1 : 0;
    }
    if (!any) return Conversion::done;
    if (mantissa_end < end) {
        const bool minus = mantissa_end[1] == '-';
        for (const char* digit = mantissa_end + (is_digit(mantissa_end[1]) ? 1 : 2); digit < end; ++digit) {
            exponent = std::min<std::int64_t>(exponent * 10 + (*digit - '0'), std::int64_t{1} << 58U);
        }
        if (minus) exponent = -exponent;
    }
    const std::int64_t zeros = exponent - fraction_digits; // to append; negative: to take off
    if (zeros < -trailing_zeros) return Conversion::not_whole;
    // The last digits that count, if zeros have to go.
    std::int64_t drop = std::max<std::int64_t>(-zeros, 0);
    for (const char* last = mantissa_end; drop > 0; mantissa_end = last) {
        if (*--last != '.') --drop;
    }
    for (; at < mantissa_end; ++at) {
        if (*at != '.' && !append_digit(result.value, *at - '0')) return Conversion::out_of_range;
    }
    for (std::int64_t i = 0; i < zeros; ++i) {
        if (!append_digit(result.value, 0)) return Conversion::out_of_range;
    }
    return Conversion::done;
}

Conversion read_magnitude(const char*& at, Magnitude& result) {
    if (begins_number(at)) {
        const char* begin = at;
        result.negative = *at == '-';
        const char* digits = at + (result.negative ? 1 : 0);
        at = take_digits(digits, result.value);
        if (at - digits <= 19 && *at != '.' && (*at | 0x20) != 'e') return Conversion::done;
        at = skip_scalar(begin);
        result.value = 0;
        return read_whole(begin, at, result);
    }
    if (const Special* special = special_at(at)) {
        at += special->text.size();
        return Conversion::special_in_integer;
    }
    result.value = *at == 't' ? 1 : 0;
    at = skip_scalar(at);
    return Conversion::done;
}

} // namespace

const char* scan_scalar(const char* at, JsonContent& content, ScalarFault& fault) {
    if (begins_number(at)) return scan_number(at, content, fault);
    if (starts_with(at, "true") || starts_with(at, "false")) {
        content.boolean = true;
        return at + (*at == 't' ? 4 : 5);
    }
    if (const Special* special = special_at(at)) {
        content.special = true;
        return at + special->text.size();
    }
    return nullptr;
}

const char* skip_scalar(const char* at) {
    if (begins_number(at)) {
        ++at;
        while (is_digit(*at) || *at == '.' || *at == 'e' || *at == 'E' || *at == '+' || *at == '-') ++at;
        return at;
    }
    if (*at == 't') return at + 4;
    if (*at == 'f') return at + 5;
    return at + special_at(at)->text.size();
}

Conversion read_scalar(const char*& at, float& result) { return read_float(at, result); }
Conversion read_scalar(const char*& at, double& result) { return read_float(at, result); }

Conversion read_scalar(const char*& at, std::int64_t& result) {
    Magnitude magnitude;
    const Conversion conversion = read_magnitude(at, magnitude);
    const std::uint64_t limit = (std::uint64_t{1} << 63U) - (magnitude.negative ? 0 : 1);
    if (conversion != Conversion::done) return conversion;
    if (magnitude.value > limit) return Conversion::out_of_range;
    result = static_cast<std::int64_t>(magnitude.negative ? 0 - magnitude.value : magnitude.value);
    return conversion;
}

Conversion read_scalar(const char*& at, std::uint64_t& result) {
    Magnitude magnitude;
    const Conversion conversion = read_magnitude(at, magnitude);
    if (conversion != Conversion::done) return conversion;
    if (magnitude.negative && magnitude.value != 0) return Conversion::out_of_range;
    result = magnitude.value;
    return conversion;
}

Conversion read_scalar(const char*& at, bool& result) {
    std::uint64_t value = 0;
    const Conversion conversion = read_scalar(at, value);
    if (conversion != Conversion::done) return conversion;
    if (value > 1) return Conversion::out_of_range;
    result = value == 1;
    return conversion;
}

} // namespace vmaprun
