#include "io/json_writer.hpp"

#include <atomic>
#include <cmath>
#include <cstring>
#include <memory>
#include <optional>
#include <thread>
#include <vector>

#include "base/error.hpp"
#include "base/text.hpp"
#include "exec/threads.hpp"
#include "io/convert.hpp"
#include "io/json_reader.hpp"
#include "io/number_text.hpp"
#include "base/utf8.hpp"

namespace vmaprun {
namespace {

constexpr std::size_t first_size = std::size_t{2} << 10U, piece_size = std::size_t{256} << 10U;
constexpr std::int64_t elements_a_piece = 16384;
constexpr std::size_t element_capacity = 2 * number_text_capacity + 8; // a complex number and a separator

// Text on its way to a sink; without one it is kept, and the buffer grows. Invariant: there is room for one element before every write.
class Output {
  public:
    explicit Output(const Sink* sink) : sink_(sink) {}

    char* room() {
        if (capacity_ - size_ < element_capacity) [[unlikely]] make_room();
        return buffer_.get() + size_;
    }
    void advance(char* end) { size_ = static_cast<std::size_t>(end - buffer_.get()); }

    void put(std::string_view text) {
        while (!text.empty()) {
            char* target = room();
            const std::size_t count = std::min(capacity_ - size_, text.size());
            text.copy(target, count);
            size_ += count;
            text.remove_prefix(count);
        }
    }

    std::string_view text() const { return {buffer_.get(), size_}; }
    void clear() { size_ = 0; }
    void flush() {
        if (size_ > 0) (*sink_)(text());
        size_ = 0;
    }

  private:
    void make_room() {
        if (sink_ != nullptr && capacity_ >= piece_size) return flush();
        const std::size_t larger = capacity_ == 0 ? first_size : 2 * capacity_; // a small text takes little memory
        std::unique_ptr<char[]> buffer(new char[larger]);
        if (size_ > 0) std::memcpy(buffer.get(), buffer_.get(), size_);
        buffer_ = std::move(buffer);
        capacity_ = larger;
    }

    const Sink* sink_;
    std::unique_ptr<char[]> buffer_;
    std::size_t capacity_ = 0, size_ = 0;
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

void end_line(Output& output, int indent, Layout layout) {
    if (layout == Layout::compact) return;
    output.put("\n");
    for (int i = 0; i < indent; ++i) output.put("  ");
}

void separate(Output& output, bool first, int indent, Layout layout) {
    if (layout == Layout::compact) {
        if (!first) output.put(", ");
        return;
    }
    if (!first) output.put(",");
    end_line(output, indent, layout);
}

// A tensor with elements as text, of which any range of elements can be written by itself: each brings the brackets before it.
template <class T> class TensorText {
  public:
    TensorText(const View& view, int indent, const JsonStyle& style)
        : view_(view), indent_(indent), style_(style), outer_(view.rank() > 0 ? view.rank() - 1 : 0), width_(view.rank() > 0 ? view.shape.back() : 1),
          stride_(view.rank() > 0 ? view.strides.back() : 0) {}

    void write(std::int64_t begin, std::int64_t end, Output& output) const {
        for (std::int64_t at = begin; at < end;) {
            const std::int64_t row = at / width_, column = at % width_, count = std::min(width_ - column, end - at);
            const T* data = start_of(row, column == 0 ? &output : nullptr) + column * stride_;
            for (std::int64_t i = 0; i < count; ++i) {
                char* target = output.room();
                if (column + i > 0) {
                    target[0] = ',';
                    target[1] = ' ';
                    target += 2;
                }
                output.advance(write_element(target, data[i * stride_], style_.nan));
            }
            at += count;
        }
    }

    // The brackets behind the last element.
    void close(Output& output) const {
        if (view_.rank() == 0) return;
        output.put("]");
        close_axes(outer_, output);
    }

  private:
    // Where a row begins; writes what stands between the row before and its first element.
    const T* start_of(std::int64_t row, Output* output) const {
        const T* data = view_.as<T>();
        std::size_t turned = 0; // axes that begin anew with this row, from the innermost outer one on
        bool turning = true;
        for (std::size_t axis = outer_, rest = static_cast<std::size_t>(row); axis-- > 0;) {
            const auto extent = static_cast<std::size_t>(view_.shape[axis]);
            const std::size_t index = rest % extent;
            rest /= extent;
            data += static_cast<std::int64_t>(index) * view_.strides[axis];
            turning = turning && index == 0;
            turned += turning ? 1 : 0;
        }
        if (output != nullptr && view_.rank() > 0) open_row(row == 0, turned, *output);
        return data;
    }

    void open_row(bool first, std::size_t turned, Output& output) const {
        if (!first) {
            output.put("]");
            close_axes(turned, output);
            separate(output, false, indent_of(outer_ - turned), style_.layout);
        }
        for (std::size_t axis = outer_ - turned; axis < outer_; ++axis) {
            output.put("[");
            separate(output, true, indent_of(axis + 1), style_.layout);
        }
        output.put("[");
    }

    // The ends of as many axes, the innermost outer one first.
    void close_axes(std::size_t count, Output& output) const {
        for (std::size_t axis = outer_; count > 0; --count) {
            end_line(output, indent_of(--axis), style_.layout);
            output.put("]");
        }
    }

    int indent_of(std::size_t axis) const { return indent_ + static_cast<int>(axis); }

    const View& view_;
    int indent_;
    const JsonStyle& style_;
    std::size_t outer_; // axes but the innermost
    std::int64_t width_, stride_;
};

class Writer {
  public:
    Writer(const JsonStyle& style, const Sink& sink) : style_(style), sink_(sink), output_(&sink) {}

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

    void separate(bool first, int indent, Layout layout) { vmaprun::separate(output_, first, indent, layout); }
    void end_line(int indent, Layout layout) { vmaprun::end_line(output_, indent, layout); }

    void tensor(const Array& array, int indent) {
        const View& view = array.view();
        if (view.size() == 0) return empty(view, 0);
        visit_dtype(view.dtype, [&]<class T>(TypeTag<T>) {
            const TensorText<T> text(view, indent, style_);
            const std::int64_t size = view.size(), pieces = (size + elements_a_piece - 1) / elements_a_piece;
            if (style_.threads <= 1 || pieces < 4) {
                text.write(0, size, output_);
            } else {
                output_.flush();
                in_pieces(pieces, [&](std::int64_t i, Output& output) { text.write(i * elements_a_piece, std::min(size, (i + 1) * elements_a_piece), output); });
            }
            text.close(output_);
        });
    }

    // Without elements: the lists that its shape still shows, on one line.
    void empty(const View& view, std::size_t axis) {
        output_.put("[");
        for (std::int64_t i = 0; i < view.shape[axis]; ++i) {
            separate(i == 0, 0, Layout::compact);
            empty(view, axis + 1);
        }
        output_.put("]");
    }

    // Pieces of text, made on several threads and handed to the sink in order, on this one alone. A wave of them is kept at a time.
    template <class Render> void in_pieces(std::int64_t count, const Render& render) {
        const std::int64_t wave = std::min<std::int64_t>(count, 32 * style_.threads);
        std::vector<Output> outputs;
        for (std::int64_t i = 0; i < wave; ++i) outputs.emplace_back(nullptr);
        const auto caller = std::this_thread::get_id();
        for (std::int64_t begin = 0; begin < count; begin += wave) {
            const auto size = static_cast<std::size_t>(std::min(wave, count - begin));
            std::vector<std::atomic<bool>> ready(size);
            std::size_t sent = 0;
            bool broken = false;
            const auto send = [&] {
                for (; !broken && sent < size && ready[sent].load(std::memory_order_acquire); ++sent) {
                    broken = true; // unless the sink takes it
                    sink_(outputs[sent].text());
                    broken = false;
                }
            };
            ThreadPool(style_.threads).each(static_cast<std::int64_t>(size), [&](std::int64_t i) {
                if (std::this_thread::get_id() == caller) send();
                Output& output = outputs[static_cast<std::size_t>(i)];
                output.clear();
                render(begin + i, output);
                ready[static_cast<std::size_t>(i)].store(true, std::memory_order_release);
            });
            send();
        }
    }

    const JsonStyle& style_;
    const Sink& sink_;
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

struct JsonLines::State {
    JsonStyle style;
    Sink sink;
    Writer writer{style, sink};
};
JsonLines::JsonLines(const JsonStyle& style, Sink sink) : state_(new State{style, std::move(sink)}) {}
JsonLines::~JsonLines() = default;

void JsonLines::write(const Tree& tree) {
    if (state_->style.nan == NanPolicy::error) require_finite(tree, "$");
    state_->writer.tree(tree, 0);
    state_->writer.finish("\n");
}

std::string json_text(const Tree& tree, const JsonStyle& style) {
    std::string text;
    write(tree, style, [&](std::string_view piece) { text += piece; }, "");
    return text;
}

} // namespace vmaprun
