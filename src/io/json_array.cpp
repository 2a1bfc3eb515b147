// From scanned JSON to tensors: which dtype and shape a value has, and the conversion of its numbers.
#include <algorithm>

#include "base/checked.hpp"
#include "base/error.hpp"
#include "base/text.hpp"
#include "exec/threads.hpp"
#include "io/convert.hpp"
#include "io/json_bulk.hpp"
#include "io/json_number.hpp"
#include "io/json_reader.hpp"
#include "io/json_writer.hpp"

namespace vmaprun {
namespace {

std::string item_path(const std::string& path, std::size_t index) { return path + "[" + std::to_string(index) + "]"; }

std::string elements_text(std::int64_t count) { return count_of(count, "element"); }

// At most 40 bytes of text, for a message.
std::string shortened(std::string_view text) {
    if (text.size() <= 40) return std::string(text);
    std::size_t end = 37;
    while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0U) == 0x80) --end;
    return std::string(text.substr(0, end)) + "...";
}

// ---- refusals --------------------------------------------------------------------------------------------------------

[[noreturn]] void fail_no_number(const JsonValue& value, const std::string& path) {
    const std::string what = value.text() != nullptr ? "the string \"" + shortened(*value.text()) + "\"" : std::string("an object");
    Diagnostic diagnostic = error("E505", "`" + path + "` is " + what + ", where numbers are expected");
    if (value.record() != nullptr) diagnostic.helps.push_back("an object is a tensor when it has dtype, shape and data, and nothing else");
    throw UserError(std::move(diagnostic));
}

// Two neighbours of different shapes: the first axis along which they differ, by the first list that shows it.
[[noreturn]] void fail_ragged(const Shape& first, const std::string& first_path, const Shape& other, const std::string& other_path) {
    std::string inner, message;
    for (std::size_t axis = 0;; ++axis, inner += "[0]") {
        const bool first_ends = axis == first.size(), other_ends = axis == other.size();
        if (first_ends && other_ends) throw InternalError("equal shapes called ragged");
        const std::string a = "`" + first_path + inner + "`", b = "`" + other_path + inner + "`";
        if (first_ends) message = b + " is a list of " + elements_text(other[axis]) + ", " + a + " a number";
        else if (other_ends) message = b + " is a number, " + a + " a list of " + elements_text(first[axis]);
        else if (first[axis] != other[axis]) message = b + " has " + elements_text(other[axis]) + ", " + a + " has " + std::to_string(first[axis]);
        else continue;
        break;
    }
    throw UserError(error("E504", message)
                        .note("the lists of a tensor have one length along each axis")
                        .help("declare the input as a tuple, `(f32[n], f32[m])`, to keep parts of different shapes"));
}

[[noreturn]] void refuse_list(const JsonValue::List& list, const std::string& path) {
    for (std::size_t i = 0; i < list.size(); ++i) {
        const std::string here = item_path(path, i);
        if (list[i].list() != nullptr) refuse_list(*list[i].list(), here);
        if (list[i].numbers() == nullptr) fail_no_number(list[i], here);
        const Shape &first = list[0].numbers()->shape, &shape = list[i].numbers()->shape;
        if (shape != first) fail_ragged(first, item_path(path, 0), shape, here);
    }
    throw InternalError("a rectangular list that was not kept as numbers");
}

// ---- conversion ------------------------------------------------------------------------------------------------------

template <class T> Conversion read_element(const char*& at, T& result) {
    if constexpr (is_complex_type<T>) {
        typename T::value_type parts[2] = {0, 0};
        for (auto& part : parts) {
            at = next_scalar(at);
            const Conversion conversion = read_scalar(at, part);
            if (conversion != Conversion::done) return conversion;
        }
        result = T(parts[0], parts[1]);
        return Conversion::done;
    } else {
        at = next_scalar(at);
        using Wide = std::conditional_t<std::is_same_v<T, bool> || std::is_floating_point_v<T>, T,
                                        std::conditional_t<std::is_signed_v<T>, std::int64_t, std::uint64_t>>;
        Wide wide{};
        const Conversion conversion = read_scalar(at, wide);
        result = static_cast<T>(wide);
        if (conversion == Conversion::done && static_cast<Wide>(result) != wide && wide == wide) return Conversion::out_of_range;
        return conversion;
    }
}

[[noreturn]] void fail_conversion(Conversion conversion, std::string_view token, DType dtype, const std::string& where) {
    const std::string text = shortened(token);
    if (conversion == Conversion::not_whole) fail_not_whole(where, text, dtype);
    if (conversion == Conversion::special_in_integer) fail_special(where, text, dtype);
    fail_out_of_range(where, text, dtype);
}

// `count` elements from `at` on, the first of which is element `first` of the list; shape is that of the numbers, for messages.
template <class T> void read_elements(const char* at, T* out, std::int64_t count, std::int64_t first, const Shape& shape, DType dtype, const std::string& path) {
    for (std::int64_t i = 0; i < count; ++i) {
        const char* before = at;
        const Conversion conversion = read_element(at, out[i]);
        if (conversion == Conversion::done) [[likely]] continue;
        // Read this element again, scalar by scalar, for the token to quote.
        std::int64_t scalar = is_complex_type<T> ? 2 * (first + i) : first + i;
        const char* token = next_scalar(before);
        if (is_complex_type<T> && skip_scalar(token) != at) {
            token = next_scalar(skip_scalar(token));
            ++scalar;
        }
        const std::string_view text(token, static_cast<std::size_t>(skip_scalar(token) - token));
        fail_conversion(conversion, text, dtype, element_path(path, shape, scalar));
    }
}

// The numbers one after another into `count` elements.
template <class T> void read_all(const JsonNumbers& numbers, T* out, std::int64_t count, DType dtype, const std::string& path) {
    if constexpr (!is_complex_type<T>) {
        if (numbers.read) {
            const std::vector<NumberPiece>& pieces = numbers.read->pieces;
            return ThreadPool(numbers.read->threads).each(static_cast<std::int64_t>(pieces.size()), [&](std::int64_t i) {
                const NumberPiece& piece = pieces[static_cast<std::size_t>(i)];
                T* target = out + piece.first;
                if (!convert_piece(piece, target)) read_elements(piece.text, target, piece.count, piece.first, numbers.shape, dtype, path);
            });
        }
    }
    read_elements(numbers.document.data() + numbers.begin, out, count, 0, numbers.shape, dtype, path);
}

// How the scalars of a list make up elements.
enum class Grouping { single, pair };

struct Plan {
    const JsonNumbers* numbers = nullptr;
    std::string path;          // of the numbers
    DType dtype = DType::f64;  // that they are read as
    Shape shape;
    Grouping grouping = Grouping::single;
};

Array read_planned(const Plan& plan) {
    if (plan.dtype == DType::key) {
        if (plan.grouping == Grouping::single) return Array(DType::key, plan.shape); // none at all
        Array words(DType::u32, plan.numbers->shape);
        read_all(*plan.numbers, words.as<std::uint32_t>(), words.size(), DType::u32, plan.path);
        return convert_input(words, DType::key, plan.path);
    }
    Array result(plan.dtype, plan.shape);
    const std::int64_t count = result.size();
    if (is_complex(plan.dtype) && plan.grouping == Grouping::single) {
        const DType part = plan.dtype == DType::c64 ? DType::f32 : DType::f64;
        Plan reals = plan;
        reals.dtype = part;
        return convert_input(read_planned(reals), plan.dtype, plan.path);
    }
    visit_dtype(plan.dtype, [&]<class T>(TypeTag<T>) {
        if constexpr (!std::is_same_v<T, KeyWords>) read_all(*plan.numbers, result.as<T>(), count, plan.dtype, plan.path);
    });
    return result;
}

// ---- dtype and shape -------------------------------------------------------------------------------------------------

// Finds the first number that no common dtype holds, to name it.
[[noreturn]] void fail_no_dtype(const JsonNumbers& numbers, const std::string& path) {
    const bool signs_clash = !numbers.content.beyond_64_bits;
    const char* at = numbers.document.data() + numbers.begin;
    for (std::int64_t i = 0;; ++i) {
        at = next_scalar(at);
        JsonContent content;
        ScalarFault fault;
        const char* end = scan_scalar(at, content, fault);
        const std::string_view token(at, static_cast<std::size_t>(end - at));
        at = end;
        if (signs_clash ? !content.above_i64 : !content.beyond_64_bits) continue;
        const std::string where = "`" + element_path(path, numbers.shape, i) + "` is " + shortened(token);
        throw UserError(error("E506", where + (signs_clash ? ", which i64 does not hold, and u64 holds no negative number beside it"
                                                           : ", which neither i64 nor u64 holds"))
                            .help("declare the input as f64 to read it rounded"));
    }
}

DType inferred_dtype(const JsonNumbers& numbers, const std::string& path) {
    const JsonContent& content = numbers.content;
    if (content.fraction || content.special) return DType::f64;
    if (content.beyond_64_bits || (content.above_i64 && content.negative)) fail_no_dtype(numbers, path);
    if (content.above_i64) return DType::u64;
    if (content.integer) return DType::i64;
    return content.boolean ? DType::boolean : DType::f64;
}

Grouping grouping_of(const Shape& shape, DType dtype, int rank) {
    if ((!is_complex(dtype) && dtype != DType::key) || shape.empty() || shape.back() != 2) return Grouping::single;
    return rank < 0 || static_cast<int>(shape.size()) > rank ? Grouping::pair : Grouping::single;
}

// An empty list hides the axes inside it: they take the declared extents, 0 where those are unknown.
void reveal_hidden_axes(Shape& shape, const Declared& declared) {
    if (shape.empty() || shape.back() != 0) return;
    for (std::size_t axis = shape.size(); static_cast<int>(axis) < declared.rank; ++axis) {
        shape.push_back(axis < declared.extents.size() ? std::max<std::int64_t>(declared.extents[axis], 0) : 0);
    }
}

Plan plan_of_numbers(const JsonNumbers& numbers, const Declared& declared, const std::string& path) {
    Plan plan{&numbers, path, declared.dtype ? *declared.dtype : inferred_dtype(numbers, path), numbers.shape, Grouping::single};
    plan.grouping = grouping_of(plan.shape, plan.dtype, declared.rank);
    if (plan.grouping == Grouping::pair) plan.shape.pop_back();
    else if (plan.dtype == DType::key) {
        throw UserError(error("E505", "`" + path + "` is no key").help("a key is read from two words, `[high, low]`"));
    }
    reveal_hidden_axes(plan.shape, declared);
    return plan;
}

[[noreturn]] void fail_envelope(const std::string& message) { throw UserError(error("E507", message)); }

DType envelope_dtype(const JsonValue& value, const std::string& path) {
    if (value.text() == nullptr) fail_envelope("`" + path + "` is not a string: expected the name of a dtype, \"f32\"");
    const auto dtype = dtype_named(*value.text());
    if (dtype) return *dtype;
    throw UserError(error("E507", "`" + path + "` is \"" + shortened(*value.text()) + "\", which is no dtype")
                        .help("the dtypes are bool, i8 to i64, u8 to u64, f32, f64, c64 and c128"));
}

Shape envelope_shape(const JsonValue& value, const std::string& path) {
    const JsonNumbers* numbers = value.numbers();
    if (numbers == nullptr || numbers->shape.size() != 1) fail_envelope("`" + path + "` is no list of whole numbers");
    if (numbers->shape[0] > 512) fail_envelope("`" + path + "` has " + std::to_string(numbers->shape[0]) + " axes, at most 512 are read");
    const Array sizes = to_array(value, {DType::i64, 1}, path);
    Shape shape(sizes.as<std::int64_t>(), sizes.as<std::int64_t>() + sizes.size());
    for (std::size_t axis = 0; axis < shape.size(); ++axis) {
        if (shape[axis] < 0) fail_envelope("`" + item_path(path, axis) + "` is " + std::to_string(shape[axis]) + ", a negative size");
    }
    if (!checked_product(shape)) fail_envelope("`" + path + "` is " + shape_text(shape) + ", more elements than 64 bits count");
    return shape;
}

Plan plan_of_envelope(const JsonValue& value, const std::string& path) {
    const std::string data_path = path + ".data";
    const JsonValue& data = *value.member("data");
    Plan plan;
    plan.dtype = envelope_dtype(*value.member("dtype"), path + ".dtype");
    plan.shape = envelope_shape(*value.member("shape"), path + ".shape");
    if (data.list() != nullptr) refuse_list(*data.list(), data_path);
    plan.numbers = data.numbers();
    plan.path = data_path;
    if (plan.numbers == nullptr) fail_no_number(data, data_path);
    plan.grouping = grouping_of(plan.numbers->shape, plan.dtype, 1);
    const Shape& held = plan.numbers->shape;
    const bool pairs = plan.grouping == Grouping::pair;
    if (held.size() != (pairs ? 2U : 1U)) fail_envelope("`" + data_path + "` is no flat list: the elements stand in it one after another, row by row");
    const std::int64_t wanted = *checked_product(plan.shape);
    if (held[0] != wanted) {
        const std::string shape = plan.shape.empty() ? "[]" : shape_text(plan.shape);
        fail_envelope("`" + data_path + "` has " + elements_text(held[0]) + ", but shape " + shape + " has " + std::to_string(wanted));
    }
    if (plan.dtype == DType::key && !pairs && wanted > 0) fail_envelope("`" + data_path + "` holds no keys: each is two words, `[high, low]`");
    return plan;
}

Plan plan_of(const JsonValue& value, const Declared& declared, const std::string& path) {
    if (is_tensor_envelope(value)) return plan_of_envelope(value, path);
    if (value.list() != nullptr) refuse_list(*value.list(), path);
    if (value.numbers() == nullptr) fail_no_number(value, path);
    return plan_of_numbers(*value.numbers(), declared, path);
}

// ---- trees -----------------------------------------------------------------------------------------------------------

struct Grown {
    Tree tree;
    bool has_record = false;
};

Grown grow(const JsonValue& value, const std::string& path);

Grown grow_list(const JsonValue::List& list, const std::string& path) {
    Tree::Tuple items;
    bool has_record = false;
    std::vector<std::size_t> without;
    for (std::size_t i = 0; i < list.size(); ++i) {
        if (list[i].text() != nullptr) fail_no_number(list[i], item_path(path, i));
        Grown item = grow(list[i], item_path(path, i));
        has_record = has_record || item.has_record;
        if (!item.has_record && list[i].list() != nullptr) without.push_back(i);
        items.push_back(std::move(item.tree));
    }
    // A list of lists of different shapes is ragged, unless it belongs to a tuple that holds records further in.
    if (has_record && !without.empty()) refuse_list(*list[without.front()].list(), item_path(path, without.front()));
    return {Tree(std::move(items)), has_record};
}

Grown grow(const JsonValue& value, const std::string& path) {
    if (value.list() != nullptr) return grow_list(*value.list(), path);
    if (value.record() == nullptr || is_tensor_envelope(value)) return {Tree(to_array(value, {}, path)), value.record() != nullptr};
    Tree::Record fields;
    for (const JsonMember& member : *value.record()) {
        fields.emplace_back(member.name, to_tree(member.value, member_path(path, member.name)));
    }
    return {Tree(std::move(fields)), true};
}

} // namespace

std::string member_path(const std::string& path, std::string_view name) {
    const auto letter = [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; };
    const auto plain = [&](char c) { return letter(c) || (c >= '0' && c <= '9'); };
    if (!name.empty() && letter(name[0]) && std::ranges::all_of(name, plain)) return path + "." + std::string(name);
    return path + "[" + json_string(name) + "]";
}

bool is_tensor_envelope(const JsonValue& value) {
    return value.record() != nullptr && value.record()->size() == 3 && value.member("dtype") != nullptr && value.member("shape") != nullptr &&
           value.member("data") != nullptr;
}

Array to_array(const JsonValue& value, const Declared& declared, const std::string& path) {
    const Plan plan = plan_of(value, declared, path);
    if (declared.dtype) require_convertible(plan.dtype, *declared.dtype, path);
    Array array = read_planned(plan);
    // An envelope has its own shape, behind a flat list; hidden axes have no elements.
    if (array.shape() != plan.shape) array = array.with_view({plan.dtype, array.view().data, plan.shape, row_major_strides(plan.shape)});
    return declared.dtype ? convert_input(array, *declared.dtype, path) : array;
}

void read_array(const JsonValue& value, const Declared& declared, const std::string& path, const View& target) {
    const Plan plan = plan_of(value, declared, path);
    if (plan.shape != target.shape) throw InternalError("`" + path + "` is of another shape than was said");
    if (plan.dtype != target.dtype || plan.dtype == DType::key || is_complex(plan.dtype)) return copy_elements(to_array(value, declared, path).view(), target);
    visit_dtype(plan.dtype, [&]<class T>(TypeTag<T>) {
        if constexpr (!std::is_same_v<T, KeyWords>) read_all(*plan.numbers, target.as<T>(), target.size(), plan.dtype, plan.path);
    });
}

ScannedType tensor_type_of(const JsonValue& value, const Declared& declared, const std::string& path) {
    Plan plan = plan_of(value, declared, path);
    if (declared.dtype) require_convertible(plan.dtype, *declared.dtype, path);
    return {declared.dtype.value_or(plan.dtype), std::move(plan.shape)};
}

Tree to_tree(const JsonValue& value, const std::string& path) {
    Grown grown = grow(value, path);
    if (value.list() != nullptr && !grown.has_record) refuse_list(*value.list(), path);
    return std::move(grown.tree);
}

} // namespace vmaprun
