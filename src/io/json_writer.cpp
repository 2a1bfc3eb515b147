#include "io/json_writer.hpp"

#include <cmath>
#include <memory>
#include <optional>

#include "base/error.hpp"
#include "io/convert.hpp"
#include "io/json_reader.hpp"
#include "io/number_text.hpp"
#include "base/utf8.hpp"

namespace vmaprun {
namespace {

constexpr std::size_t piece_size = std::size_t{256} << 10U;
constexpr std::size_t element_capacity = 2 * number_text_capacity + 8; // a complex number and a separator

// Text on its way to the sink. Invariant: there is room for one element before every write.
class Output {
  public:
    explicit Output(const Sink& sink) : sink_(sink), buffer_(new char[piece_size]), at_(buffer_.get()), limit_(at_ + piece_size - element_capacity) {}

    char* room() {
        if (at_ > limit_) [[unlikely]] flush();
        return at_;
    }
    void advance(char* end) { at_ = end; }

    void put(std::string_view text) {
        while (!text.empty()) {
            char* target = room();
            const auto free = static_cast<std::size_t>(buffer_.get() + piece_size - target);
            const std::size_t count = std::min(free, text.size());
            text.copy(target, count);
            advance(target + count);
            text.remove_prefix(count);
        }
    }

    void flush() {
        const std::string_view piece(buffer_.get(), static_cast<std::size_t>(at_ - buffer_.get()));
        if (!piece.empty()) sink_(piece);
        at_ = buffer_.get();
    }

  private:
    const Sink& sink_;
    std::unique_ptr<char[]> buffer_; // not filled: a small text touches one page of it
    char* at_;
    char* limit_;
};

char* write_text(char* target, std::string_view text) { return target + text.copy(target, text.size()); }

std::string_view special_text(double value, NanPolicy policy) {
    if (policy == NanPolicy::null) return "null";
    const bool bare = policy == NanPolicy::literal;
    if (std::isnan(value)) return bare ? "NaN" : "\"NaN\"";
    if (value > 0) return bare ? "Infinity" : "\"Infinity\"";
    return bare ? "-Infinity" : "\"-Infinity\"";
}

template <class T> char* write_element(char* target, T value, NanPolicy policy) {
    if constexpr (std::is_same_v<T, bool>) return write_text(target, value ? "true" : "false");
    else if constexpr (std::is_same_v<T, KeyWords>) {
        *target++ = '[';
        target = write_number(target, std::uint64_t{value.high});
        target = write_text(target, ", ");
        target = write_number(target, std::uint64_t{value.low});
        *target++ = ']';
        return target;
    } else if constexpr (is_complex_type<T>) {
        *target++ = '[';
        target = write_element(target, value.real(), policy);
        target = write_text(target, ", ");
        target = write_element(target, value.imag(), policy);
        *target++ = ']';
        return target;
    } else if constexpr (std::is_floating_point_v<T>) {
        if (std::isfinite(value)) [[likely]] return write_number(target, value);
        return write_text(target, special_text(static_cast<double>(value), policy));
    } else {
        using Wide = std::conditional_t<std::is_signed_v<T>, std::int64_t, std::uint64_t>;
        return write_number(target, static_cast<Wide>(value));
    }
}

class Writer {
  public:
    Writer(const JsonStyle& style, const Sink& sink) : style_(style), output_(sink) {}

    void tree(const Tree& value, int indent) {
        if (value.is_none()) return output_.put("null");
        if (const Array* array = value.array()) return tensor(*array, indent);
        if (const auto* items = value.tuple()) {
            return group('[', ']', *items, indent, [&](const Tree& item) { tree(item, indent + 1); });
        }
        group('{', '}', *value.record(), indent, [&](const std::pair<std::string, Tree>& field) {
            output_.put(json_string(field.first));
            output_.put(": ");
            tree(field.second, indent + 1);
        });
    }

    void finish(std::string_view end) {
        output_.put(end);
        output_.flush();
    }

  private:
    template <class Items, class F> void group(char open, char close, const Items& items, int indent, F&& each) {
        output_.put({&open, 1});
        bool first = true;
        for (const auto& item : items) {
            separate(first, indent + 1, style_.layout);
            first = false;
            each(item);
        }
        if (!first) end_line(indent, style_.layout);
        output_.put({&close, 1});
    }

    void separate(bool first, int indent, Layout layout) {
        if (layout == Layout::compact) {
            if (!first) output_.put(", ");
            return;
        }
        if (!first) output_.put(",");
        end_line(indent, layout);
    }

    void end_line(int indent, Layout layout) {
        if (layout == Layout::compact) return;
        output_.put("\n");
        for (int i = 0; i < indent; ++i) output_.put("  ");
    }

    void tensor(const Array& array, int indent) {
        const View& view = array.view();
        const Layout layout = view.size() == 0 ? Layout::compact : style_.layout;
        visit_dtype(view.dtype, [&]<class T>(TypeTag<T>) { axis(view, 0, view.as<T>(), indent, layout); });
    }

    template <class T> void axis(const View& view, std::size_t number, const T* data, int indent, Layout layout) {
        if (number == view.rank()) return output_.advance(write_element(output_.room(), *data, style_.nan));
        const std::int64_t extent = view.shape[number], stride = view.strides[number];
        output_.put("[");
        if (number + 1 == view.rank()) {
            row(data, extent, stride);
        } else {
            for (std::int64_t i = 0; i < extent; ++i) {
                separate(i == 0, indent + 1, layout);
                axis(view, number + 1, data + i * stride, indent + 1, layout);
            }
            if (extent > 0) end_line(indent, layout);
        }
        output_.put("]");
    }

    template <class T> void row(const T* data, std::int64_t extent, std::int64_t stride) {
        for (std::int64_t i = 0; i < extent; ++i) {
            char* target = output_.room();
            if (i > 0) {
                *target++ = ',';
                *target++ = ' ';
            }
            output_.advance(write_element(target, data[i * stride], style_.nan));
        }
    }

    const JsonStyle& style_;
    Output output_;
};

// ---- --nan error -----------------------------------------------------------------------------------------------------

template <class T> bool is_finite(T value) {
    if constexpr (is_complex_type<T>) return std::isfinite(value.real()) && std::isfinite(value.imag());
    else if constexpr (std::is_floating_point_v<T>) return std::isfinite(value);
    else return true;
}

template <class T> std::optional<std::int64_t> first_special(const Array& array) {
    const T* data = array.as<T>();
    const std::int64_t count = array.size();
    for (std::int64_t i = 0; i < count; ++i) {
        if (!is_finite(data[i])) return i;
    }
    return std::nullopt;
}

void require_finite(const Tree& tree, const std::string& path) {
    if (tree.is_none()) return;
    if (const auto* items = tree.tuple()) {
        for (std::size_t i = 0; i < items->size(); ++i) require_finite((*items)[i], path + "[" + std::to_string(i) + "]");
        return;
    }
    if (const auto* fields = tree.record()) {
        for (const auto& [name, field] : *fields) require_finite(field, member_path(path, name));
        return;
    }
    if (!is_floating(tree.array()->dtype()) && !is_complex(tree.array()->dtype())) return;
    const Array array = tree.array()->contiguous();
    const auto index = visit_dtype(array.dtype(), [&]<class T>(TypeTag<T>) { return first_special<T>(array); });
    if (!index) return;
    const std::string text = element_text(array.dtype(), array.view().data + static_cast<std::size_t>(*index) * size_of(array.dtype()));
    throw UserError(error("E650", "`" + element_path(path, array.shape(), *index) + "` is " + text + ", and `--nan error` lets none out")
                        .help("`--nan string`, `--nan null` and `--nan literal` print it"));
}

void write(const Tree& tree, const JsonStyle& style, const Sink& sink, std::string_view end) {
    if (style.nan == NanPolicy::error) require_finite(tree, "$");
    Writer writer(style, sink);
    writer.tree(tree, 0);
    writer.finish(end);
}

} // namespace

void write_json(const Tree& tree, const JsonStyle& style, const Sink& sink) { write(tree, style, sink, "\n"); }

std::string json_text(const Tree& tree, const JsonStyle& style) {
    std::string text;
    write(tree, style, [&](std::string_view piece) { text += piece; }, "");
    return text;
}

std::string json_string(std::string_view text) {
    constexpr std::string_view meanings = "\"\\\b\f\n\r\t", letters = "\"\\bfnrt";
    constexpr char hex[] = "0123456789abcdef";
    std::string result = "\"";
    for (std::size_t at = 0; at < text.size();) {
        const char c = text[at];
        const std::size_t length = utf8_length(text.substr(at));
        if (const auto index = meanings.find(c); index != std::string_view::npos) {
            result += '\\';
            result += letters[index];
        } else if (static_cast<unsigned char>(c) < 0x20 || c == 0x7F) {
            result += "\\u00";
            result += hex[c / 16];
            result += hex[c % 16];
        } else if (length == 0) {
            result += "\xEF\xBF\xBD";
        } else {
            result += text.substr(at, length);
        }
        at += std::max<std::size_t>(length, 1);
    }
    return result + "\"";
}

} // namespace vmaprun
