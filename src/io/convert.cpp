#include "io/convert.hpp"

#include <cmath>
#include <cstring>
#include <limits>
#include <utility>

#include "base/error.hpp"
#include "io/number_text.hpp"

namespace vmaprun {
namespace {

enum class Fit { yes, not_whole, out_of_range, special };

// Whole numbers and booleans to integers and bool.
template <class To, class From> Fit integer_from_integer(From value, To& result) {
    if constexpr (std::is_same_v<To, bool>) {
        if (value != From{0} && value != From{1}) return Fit::out_of_range;
        result = value != From{0};
        return Fit::yes;
    } else if constexpr (std::is_same_v<From, bool>) {
        result = value ? To{1} : To{0};
        return Fit::yes;
    } else {
        result = static_cast<To>(value);
        return std::in_range<To>(value) ? Fit::yes : Fit::out_of_range;
    }
}

template <class To, class From> Fit integer_from_float(From value, To& result) {
    if (!std::isfinite(value)) return Fit::special;
    if (std::trunc(value) != value) return Fit::not_whole;
    if constexpr (std::is_same_v<To, bool>) {
        if (value != From{0} && value != From{1}) return Fit::out_of_range;
        result = value != From{0};
    } else {
        // 2^digits is exact in every float; the largest integer itself may not be.
        const From bound = std::ldexp(From{1}, std::numeric_limits<To>::digits);
        if (value >= bound || value < (std::is_signed_v<To> ? -bound : From{0})) return Fit::out_of_range;
        result = static_cast<To>(value);
    }
    return Fit::yes;
}

template <class To, class From> Fit float_from_real(From value, To& result) {
    result = static_cast<To>(value);
    if constexpr (std::is_floating_point_v<From>) {
        if (std::isinf(result) && !std::isinf(value)) return Fit::out_of_range;
    }
    return Fit::yes;
}

template <class To, class From> Fit convert_one(From value, To& result) {
    if constexpr (is_complex_type<To>) {
        typename To::value_type real{}, imaginary{};
        Fit fit = Fit::yes;
        if constexpr (is_complex_type<From>) {
            fit = float_from_real(value.real(), real);
            if (fit == Fit::yes) fit = float_from_real(value.imag(), imaginary);
        } else {
            fit = float_from_real(value, real);
        }
        result = To(real, imaginary);
        return fit;
    } else if constexpr (std::is_floating_point_v<To>) {
        return float_from_real(value, result);
    } else if constexpr (std::is_floating_point_v<From>) {
        return integer_from_float(value, result);
    } else {
        return integer_from_integer(value, result);
    }
}

[[noreturn]] void fail(Fit fit, const Array& source, std::int64_t index, DType dtype, const std::string& path) {
    const std::string where = element_path(path, source.shape(), index);
    const std::string text = element_text(source.dtype(), source.view().data + static_cast<std::size_t>(index) * size_of(source.dtype()));
    if (fit == Fit::special) fail_special(where, text, dtype);
    if (fit == Fit::not_whole) fail_not_whole(where, text, dtype);
    fail_out_of_range(where, text, dtype);
}

template <class From, class To> Array convert_all(const Array& source, DType dtype, const std::string& path) {
    Array result(dtype, source.shape());
    const From* in = source.as<From>();
    To* out = result.as<To>();
    const std::int64_t count = source.size();
    for (std::int64_t i = 0; i < count; ++i) {
        const Fit fit = convert_one(in[i], out[i]);
        if (fit != Fit::yes) [[unlikely]] fail(fit, source, i, dtype, path);
    }
    return result;
}

// u32[..., 2] seen as keys.
Array keys_of(const Array& words) {
    View view = words.view();
    view.dtype = DType::key;
    view.shape.pop_back();
    view.strides = row_major_strides(view.shape);
    return words.with_view(std::move(view));
}

std::string range_text(DType dtype) {
    switch (dtype) {
    case DType::boolean: return "bool holds true and false, 1 and 0";
    case DType::f32:
    case DType::c64: return "f32 ends at 3.4028235e+38";
    case DType::f64:
    case DType::c128: return "f64 ends at 1.7976931348623157e+308";
    default: break;
    }
    const std::size_t bits = 8 * size_of(dtype);
    const std::uint64_t all = std::numeric_limits<std::uint64_t>::max() >> (64 - bits);
    std::string low = "0", high = std::to_string(all);
    if (is_signed_integer(dtype)) {
        low = "-" + std::to_string(all / 2 + 1);
        high = std::to_string(all / 2);
    }
    return std::string(name_of(dtype)) + " holds " + low + " to " + high;
}

} // namespace

std::string element_path(const std::string& path, std::span<const std::int64_t> shape, std::int64_t index) {
    std::string text;
    for (std::size_t axis = shape.size(); axis-- > 0;) {
        text = "[" + std::to_string(index % shape[axis]) + "]" + text;
        index /= shape[axis];
    }
    return path + text;
}

void fail_out_of_range(const std::string& where, const std::string& text, DType dtype) {
    throw UserError(error("E506", "`" + where + "` is " + text + ", which " + std::string(name_of(dtype)) + " does not hold").note(range_text(dtype)));
}

void fail_not_whole(const std::string& where, const std::string& text, DType dtype) {
    throw UserError(error("E506", "`" + where + "` is " + text + ", and " + std::string(name_of(dtype)) + " takes whole numbers only")
                        .help("declare a float type, or round the data"));
}

void fail_special(const std::string& where, const std::string& text, DType dtype) {
    throw UserError(error("E506", "`" + where + "` is " + text + ", which " + std::string(name_of(dtype)) + " does not hold")
                        .note("NaN, null and the infinities are values of the float types alone"));
}

bool converts(DType from, DType to) {
    if (from == to) return true;
    if (to == DType::key) return from == DType::u32;
    return from != DType::key && (!is_complex(from) || is_complex(to));
}

void require_convertible(DType from, DType to, const std::string& path) {
    if (converts(from, to)) return;
    Diagnostic diagnostic = error("E512", "`" + path + "` has dtype " + std::string(name_of(from)) + ", which does not convert to " + std::string(name_of(to)));
    if (is_complex(from)) diagnostic.helps.push_back("declare c64 or c128, and take the real part in the script");
    if (to == DType::key) diagnostic.helps.push_back("a key is read from u32 with a last axis of length 2");
    throw UserError(std::move(diagnostic));
}

Array convert_input(const Array& array, DType dtype, const std::string& path) {
    if (array.dtype() == dtype) return array;
    require_convertible(array.dtype(), dtype, path);
    const Array source = array.contiguous();
    if (dtype == DType::key) {
        if (!source.shape().empty() && source.shape().back() == 2) return keys_of(source);
        throw UserError(error("E512", "`" + path + "` is u32" + shape_text(source.shape()) + ", and keys need a last axis of length 2"));
    }
    return visit_dtype(source.dtype(), [&]<class From>(TypeTag<From>) {
        return visit_dtype(dtype, [&]<class To>(TypeTag<To>) -> Array {
            constexpr bool keys = std::is_same_v<From, KeyWords> || std::is_same_v<To, KeyWords>;
            if constexpr (keys || (is_complex_type<From> && !is_complex_type<To>)) throw InternalError("a conversion that was refused");
            else return convert_all<From, To>(source, dtype, path);
        });
    });
}

} // namespace vmaprun
