// How dot_general's operands become products of matrices: lanes, batch and free axes are sorted into those that both
// operands have (one product after another), those of a alone (rows) and those of b alone (columns). So a stack that
// varies on one side only is one large product, whether a vmap made it or the script wrote it.
#include "ops/kernels/contraction.hpp"

#include <algorithm>
#include <array>
#include <atomic>
#include <complex>
#include <cstring>
#include <memory>

#include "base/aligned.hpp"
#include "ops/kernels/contraction_table.hpp"
#include "ops/kernels/multiply_add.hpp"
#include "ops/lane_iteration.hpp"

namespace vmaprun {
namespace {

struct Axis {
    std::int64_t extent = 1, a = 0, b = 0, c = 0; // strides, in elements
};
using Axes = std::vector<Axis>;

struct Layout {
    Axes outer, rows, columns, steps;
};

std::int64_t count(const Axes& axes) {
    std::int64_t product = 1;
    for (const Axis& axis : axes) product *= axis.extent;
    return product;
}

void append(Axes& axes, Axis axis) {
    if (axis.extent == 1) return;
    if (!axes.empty()) {
        Axis& last = axes.back();
        if (last.a == axis.a * axis.extent && last.b == axis.b * axis.extent && last.c == axis.c * axis.extent) {
            last = {last.extent * axis.extent, axis.a, axis.b, axis.c};
            return;
        }
    }
    axes.push_back(axis);
}

Layout layout_of(const KernelCall& call) {
    const View &a = call.operands[0], &b = call.operands[1], &c = call.results[0];
    const std::size_t stack = call.lanes.size() + static_cast<std::size_t>(call.node->integer(0));
    const auto contracted = static_cast<std::size_t>(call.node->integer(1));
    const std::size_t a_free = a.rank() - stack - contracted, b_free = b.rank() - stack - contracted;
    Layout layout;
    for (std::size_t i = 0; i < stack; ++i) {
        const Axis axis{c.shape[i], a.strides[i], b.strides[i], c.strides[i]};
        if (axis.b == 0 && axis.a != 0) append(layout.rows, axis);
        else if (axis.a == 0 && axis.b != 0) append(layout.columns, axis);
        else append(layout.outer, axis);
    }
    for (std::size_t i = 0; i < a_free; ++i) append(layout.rows, {a.shape[stack + i], a.strides[stack + i], 0, c.strides[stack + i]});
    for (std::size_t i = 0; i < b_free; ++i) append(layout.columns, {b.shape[stack + i], 0, b.strides[stack + i], c.strides[stack + a_free + i]});
    for (std::size_t i = 0; i < contracted; ++i) append(layout.steps, {a.shape[stack + a_free + i], a.strides[stack + a_free + i], b.strides[stack + b_free + i], 0});
    return layout;
}

// The offsets of positions [begin, end) of the axes, by one of the strides.
std::vector<std::int64_t> offsets(const Axes& axes, std::int64_t Axis::*stride, std::int64_t begin, std::int64_t end) {
    std::vector<std::int64_t> all(static_cast<std::size_t>(end - begin)), index(axes.size(), 0);
    if (all.empty() || axes.empty()) return all; // perhaps an axis is empty, and nothing can be divided by it
    if (axes.size() == 1) {
        const std::int64_t step = axes[0].*stride;
        for (std::int64_t i = begin; i < end; ++i) all[static_cast<std::size_t>(i - begin)] = i * step;
        return all;
    }
    std::int64_t at = 0, rest = begin;
    for (std::size_t axis = axes.size(); axis-- > 0;) {
        index[axis] = rest % axes[axis].extent;
        rest /= axes[axis].extent;
        at += index[axis] * axes[axis].*stride;
    }
    const std::size_t last = axes.size() - 1;
    for (std::size_t done = 0; done < all.size();) { // runs along the last axis
        const std::int64_t step = axes[last].*stride, run = std::min(axes[last].extent - index[last], static_cast<std::int64_t>(all.size() - done));
        for (std::int64_t k = 0; k < run; ++k) all[done++] = at + k * step;
        at += run * step;
        if ((index[last] += run) < axes[last].extent) break; // the end
        for (std::size_t axis = last;; --axis) {
            at -= axes[axis].extent * axes[axis].*stride;
            index[axis] = 0;
            if (axis == 0) break;
            at += axes[axis - 1].*stride;
            if (++index[axis - 1] < axes[axis - 1].extent) break;
        }
    }
    return all;
}

// ---- the order, element by element, for the dtypes that have no panels

template <class T> T plain_sum(const MatrixProduct<T>& product, const T* a, const T* b) {
    T total{};
    for (std::int64_t begin = 0; begin < product.steps; begin += contraction_block) {
        const std::int64_t end = std::min(product.steps, begin + contraction_block);
        T sum{};
        for (std::int64_t s = begin; s < end; ++s) sum = multiply_add(a[product.a_step != 0 ? s * product.a_step : product.a_steps[s]], b[product.b_step != 0 ? s * product.b_step : product.b_steps[s]], sum);
        if constexpr (std::is_integral_v<T>) total = begin == 0 ? sum : multiply_add(T{1}, sum, total);
        else total = begin == 0 ? sum : total + sum;
    }
    return total;
}

template <class T> void plain_products(const MatrixProduct<T>& product) {
    for (std::int64_t at = 0; at < product.count; ++at) {
        const T *a = product.a + product.a_starts[at], *b = product.b + product.b_starts[at];
        T* c = product.c + product.c_starts[at];
        for (std::int64_t i = 0; i < product.rows; ++i) {
            for (std::int64_t j = 0; j < product.columns; ++j) c[product.c_rows[i] + product.c_columns[j]] = plain_sum(product, a + product.a_rows[i], b + product.b_columns[j]);
        }
    }
}

// ---- cutting into tasks

// The stride of axes that have one (a lone element's is 1); 0: none.
std::int64_t even_stride(const Axes& axes, std::int64_t Axis::*stride) { return axes.empty() ? 1 : axes.size() == 1 ? axes[0].*stride : 0; }

// The offsets of the contracted elements, where no stride tells them.
std::vector<std::int64_t> step_table(const Layout& layout, std::int64_t Axis::*stride) {
    return even_stride(layout.steps, stride) != 0 ? std::vector<std::int64_t>() : offsets(layout.steps, stride, 0, count(layout.steps));
}

struct Blocks {
    std::int64_t rows, columns; // of one task
};

constexpr std::int64_t streamed_bytes = std::int64_t{16} << 20; // a result that won't be in the cache when it is read
constexpr std::int64_t few_rows = 28;                           // so many read b too seldom for it to be packed

struct Task {
    std::int64_t outer = -1, row = -1, column = -1; // of blocks
    bool same_b(const Task& other) const { return outer == other.outer && column == other.column; }
};

// Cuts products into blocks of rows and columns, or, where they are small, into runs of whole products.
template <class T> class Tasks {
  public:
    Tasks(const KernelCall& call, const Layout& layout, Blocks blocks)
        : call_(call), layout_(layout), blocks_(blocks), rows_(count(layout.rows)), columns_(count(layout.columns)), steps_(count(layout.steps)), outer_(count(layout.outer)),
          a_steps_(step_table(layout, &Axis::a)), b_steps_(step_table(layout, &Axis::b)) {}

    // run(product, task): the block of each product that it is; of several products, none.
    template <class Run> void run(Run&& run) const {
        const std::int64_t row_blocks = (rows_ + blocks_.rows - 1) / blocks_.rows, column_blocks = (columns_ + blocks_.columns - 1) / blocks_.columns;
        const std::int64_t tasks = outer_ * row_blocks * column_blocks;
        if (tasks == 0) return;
        const std::int64_t work = std::min(rows_, blocks_.rows) * std::min(columns_, blocks_.columns) * std::max<std::int64_t>(steps_, 1);
        run_in_parts(call_.parallel, tasks, grain_for(work, 1 << 18), [&](std::int64_t begin, std::int64_t end) {
            if (row_blocks * column_blocks == 1) run_whole(begin, end, run);
            else run_blocks(begin, end, row_blocks, column_blocks, run);
        });
    }

  private:
    struct Tables {
        std::vector<std::int64_t> a_rows, c_rows, b_columns, c_columns, a_starts, b_starts, c_starts;
        void set_rows(const Layout& layout, std::int64_t begin, std::int64_t end) {
            a_rows = offsets(layout.rows, &Axis::a, begin, end);
            c_rows = offsets(layout.rows, &Axis::c, begin, end);
        }
        void set_columns(const Layout& layout, std::int64_t begin, std::int64_t end) {
            b_columns = offsets(layout.columns, &Axis::b, begin, end);
            c_columns = offsets(layout.columns, &Axis::c, begin, end);
        }
        void set_outer(const Layout& layout, std::int64_t begin, std::int64_t end) {
            a_starts = offsets(layout.outer, &Axis::a, begin, end);
            b_starts = offsets(layout.outer, &Axis::b, begin, end);
            c_starts = offsets(layout.outer, &Axis::c, begin, end);
        }
    };

    // Some products at a time, so that the tables stay small.
    template <class Run> void run_whole(std::int64_t begin, std::int64_t end, Run&& run) const {
        Tables tables;
        tables.set_rows(layout_, 0, rows_);
        tables.set_columns(layout_, 0, columns_);
        for (std::int64_t at = begin; at < end; at += 256) {
            tables.set_outer(layout_, at, std::min(end, at + 256));
            run(product(tables), Task{at, 0, 0});
        }
    }

    // Row blocks innermost: neighbouring tasks read the same columns.
    template <class Run> void run_blocks(std::int64_t begin, std::int64_t end, std::int64_t row_blocks, std::int64_t column_blocks, Run&& run) const {
        Tables tables;
        Task last;
        for (std::int64_t at = begin; at < end; ++at) {
            const Task task{at / (row_blocks * column_blocks), at % row_blocks, at / row_blocks % column_blocks};
            if (task.outer != last.outer) tables.set_outer(layout_, task.outer, task.outer + 1);
            if (task.column != last.column) tables.set_columns(layout_, task.column * blocks_.columns, std::min(columns_, (task.column + 1) * blocks_.columns));
            if (task.row != last.row) tables.set_rows(layout_, task.row * blocks_.rows, std::min(rows_, (task.row + 1) * blocks_.rows));
            last = task;
            run(product(tables), task);
        }
    }

    MatrixProduct<T> product(const Tables& tables) const {
        MatrixProduct<T> p{};
        p.a = call_.operands[0].as<T>();
        p.b = call_.operands[1].as<T>();
        p.c = call_.results[0].as<T>();
        p.rows = static_cast<std::int64_t>(tables.a_rows.size());
        p.columns = static_cast<std::int64_t>(tables.b_columns.size());
        p.steps = steps_;
        p.a_rows = tables.a_rows.data(), p.c_rows = tables.c_rows.data();
        p.b_columns = tables.b_columns.data(), p.c_columns = tables.c_columns.data();
        p.a_steps = a_steps_.data(), p.b_steps = b_steps_.data();
        p.a_row = even_stride(layout_.rows, &Axis::a), p.c_row = even_stride(layout_.rows, &Axis::c);
        p.b_column = even_stride(layout_.columns, &Axis::b), p.c_column = even_stride(layout_.columns, &Axis::c);
        p.a_step = even_stride(layout_.steps, &Axis::a), p.b_step = even_stride(layout_.steps, &Axis::b);
        p.count = static_cast<std::int64_t>(tables.a_starts.size());
        p.a_starts = tables.a_starts.data(), p.b_starts = tables.b_starts.data(), p.c_starts = tables.c_starts.data();
        p.few_rows = rows_ <= few_rows;
        p.streamed = call_.results[0].size() * static_cast<std::int64_t>(sizeof(T)) >= streamed_bytes;
        return p;
    }

    const KernelCall& call_;
    const Layout& layout_;
    Blocks blocks_;
    std::int64_t rows_, columns_, steps_, outer_;
    std::vector<std::int64_t> a_steps_, b_steps_;
};

// A thread's scratch, and which b it holds packed, so that it is packed once for all tasks and for all blocks of lanes. Not
// filled at first: a small product touches few pages of it.
template <class T> struct Panels {
    AlignedBytes memory;
    const Node* node = nullptr;
    std::uint64_t series = 0;
    Task task;
    std::int64_t width = 0; // 0: none
    std::uint64_t used = 0;

    bool holds(const Node* other, std::uint64_t of_series, const Task& at) const { return width != 0 && node == other && series == of_series && task.same_b(at); }
};

// The scratch that holds this b already, or the one that waits longest.
template <class T> Panels<T>& panels_for(const Node* node, std::uint64_t series, const Task& task) {
    thread_local std::array<Panels<T>, std::max<std::size_t>(4, sizeof(T))> all; // of as many products, or blocks of columns
    thread_local std::uint64_t uses = 0;
    const auto held = std::ranges::find_if(all, [&](const Panels<T>& panels) { return panels.holds(node, series, task); });
    Panels<T>& panels = held != all.end() ? *held : *std::ranges::min_element(all, {}, &Panels<T>::used);
    if (held == all.end()) panels.width = 0;
    panels.used = ++uses;
    return panels;
}

// Blocks as large as they may be.
template <class T> Blocks whole_blocks() {
    const ContractionTable& table = contraction_table();
    return {36 * table.row_group, sizeof(T) == 4 ? table.column_block_f32 : table.column_block_f64};
}

// About sixteen blocks of rows, so that threads end together, but none so small that what is packed is read too seldom.
template <class T> Blocks blocks_for(std::int64_t rows) {
    const std::int64_t group = contraction_table().row_group, even = (rows / 16 + group - 1) / group * group;
    const Blocks most = whole_blocks<T>();
    return {std::clamp(even, 8 * group, most.rows), most.columns};
}

template <class T> void run_products(const KernelCall& call, const Layout& layout, Blocks blocks, Inner inner, bool fixed_b) {
    static std::atomic<std::uint64_t> calls{0};
    constexpr std::uint64_t lone = std::uint64_t{1} << 63; // series of one call
    const ContractionTable& table = contraction_table();
    const std::int64_t scratch = sizeof(T) == 4 ? table.scratch_f32 : table.scratch_f64;
    const std::uint64_t series = fixed_b ? call.series : lone | calls.fetch_add(1);
    Tasks<T>(call, layout, blocks).run([&](MatrixProduct<T> product, const Task& task) {
        Panels<T>& panels = panels_for<T>(call.node, series, task);
        if (!panels.memory) panels.memory = aligned_bytes(static_cast<std::size_t>(scratch) * sizeof(T));
        product.panels = panels.width;
        const std::int64_t width = table.kernels<T>(inner).products(product, reinterpret_cast<T*>(panels.memory.get()));
        panels.node = call.node;
        panels.series = series;
        panels.task = task;
        panels.width = product.count == 1 ? width : 0;
    });
}

// ---- a small product with many contracted elements (the gradient by a weight, over all samples)

// Too few rows and columns to be shared among threads: each block of contracted elements is a product by itself, all of them side by
// side on all threads, and then they are added in order.
template <class T> class LongProduct {
  public:
    static bool serves(const KernelCall& call, const Layout& layout) {
        const Blocks whole = whole_blocks<T>();
        return call.parallel != nullptr && layout.outer.empty() && layout.steps.size() == 1 && layout.steps[0].extent >= 16 * contraction_block &&
               count(layout.rows) <= whole.rows && count(layout.columns) <= whole.columns && count(layout.rows) * count(layout.columns) <= largest;
    }

    LongProduct(const KernelCall& call, const Layout& layout, Inner inner) : call_(call), layout_(layout), inner_(inner), size_(count(layout.rows) * count(layout.columns)) {}

    void run() const {
        const std::int64_t steps = layout_.steps[0].extent, blocks = steps / contraction_block, rest = steps % contraction_block;
        const std::int64_t wave = std::clamp<std::int64_t>(wave_bytes / (size_ * static_cast<std::int64_t>(sizeof(T))), 16, blocks);
        const Array sums(dtype_of<T>(), {wave, size_}), total(dtype_of<T>(), {size_});
        for (std::int64_t begin = 0; begin < blocks; begin += wave) {
            const std::int64_t here = std::min(wave, blocks - begin);
            run_in_parts(call_.parallel, here, 4, [&](std::int64_t from, std::int64_t to) { run_blocks(begin + from, to - from, contraction_block, sums.as<T>() + from * size_); });
            add(sums.as<T>(), here, total.as<T>(), begin == 0);
        }
        if (rest > 0) {
            run_blocks(blocks, 1, rest, sums.as<T>());
            add(sums.as<T>(), 1, total.as<T>(), false);
        }
        write(total.as<T>());
    }

  private:
    static constexpr std::int64_t largest = 65536;             // elements of the result
    static constexpr std::int64_t wave_bytes = std::int64_t{1} << 19; // of sums: they stay in the cache until they are added

    // Products of `steps` elements each, from the block `first` on, one after another in `to`.
    void run_blocks(std::int64_t first, std::int64_t blocks, std::int64_t steps, T* to) const {
        const Axis step = layout_.steps[0];
        Layout part = layout_;
        part.steps = {{steps, step.a, step.b, 0}};
        part.outer = {{blocks, contraction_block * step.a, contraction_block * step.b, size_}};
        std::int64_t stride = 1;
        for (Axes* axes : {&part.columns, &part.rows}) {
            for (std::size_t axis = axes->size(); axis-- > 0; stride *= (*axes)[axis].extent) (*axes)[axis].c = stride;
        }
        const auto at = first * contraction_block;
        std::array<View, 2> operands{call_.operands[0], call_.operands[1]};
        std::array<View, 1> results{call_.results[0]};
        operands[0].data = reinterpret_cast<std::byte*>(operands[0].as<T>() + at * step.a);
        operands[1].data = reinterpret_cast<std::byte*>(operands[1].as<T>() + at * step.b);
        results[0].data = reinterpret_cast<std::byte*>(to);
        KernelCall call = call_;
        call.operands = operands;
        call.results = results;
        call.parallel = nullptr;
        run_products<T>(call, part, whole_blocks<T>(), inner_, false);
    }

    void add(const T* sums, std::int64_t blocks, T* total, bool first) const {
        run_in_parts(call_.parallel, size_, std::max<std::int64_t>(1024, (1 << 16) / blocks), [&](std::int64_t begin, std::int64_t end) {
            if (first) std::copy(sums + begin, sums + end, total + begin);
            std::int64_t block = first ? 1 : 0;
            for (; block + 4 <= blocks; block += 4) { // the total is read once for four
                const T *a = sums + block * size_, *b = a + size_, *c = b + size_, *d = c + size_;
                for (std::int64_t i = begin; i < end; ++i) total[i] = total[i] + a[i] + b[i] + c[i] + d[i];
            }
            for (; block < blocks; ++block) {
                for (std::int64_t i = begin; i < end; ++i) total[i] += sums[block * size_ + i];
            }
        });
    }

    void write(const T* total) const {
        const auto rows = offsets(layout_.rows, &Axis::c, 0, count(layout_.rows)), columns = offsets(layout_.columns, &Axis::c, 0, count(layout_.columns));
        T* to = call_.results[0].as<T>();
        for (const std::int64_t row : rows) {
            for (const std::int64_t column : columns) to[row + column] = *total++;
        }
    }

    const KernelCall& call_;
    const Layout& layout_;
    Inner inner_;
    std::int64_t size_;
};

// ---- dot products

template <class T> DotProducts<T> dots_of(const KernelCall& call, const Layout& layout) {
    DotProducts<T> dots{};
    dots.a = call.operands[0].as<T>();
    dots.b = call.operands[1].as<T>();
    dots.c = call.results[0].as<T>();
    dots.steps = count(layout.steps);
    dots.a_step = even_stride(layout.steps, &Axis::a);
    dots.b_step = even_stride(layout.steps, &Axis::b);
    return dots;
}

// A long one alone: its blocks are dot products themselves, side by side and on all threads; then they are added in order.
template <class T> void run_long_dot(const KernelCall& call, const DotProducts<T>& whole, void (*kernel)(const DotProducts<T>&)) {
    const std::int64_t blocks = whole.steps / contraction_block, rest = whole.steps % contraction_block;
    std::vector<T> sums(static_cast<std::size_t>(blocks + 1));
    const auto run = [&](std::int64_t begin, std::int64_t end, std::int64_t steps) {
        for (std::int64_t at = begin; at < end; at += 512) {
            std::vector<std::int64_t> a, b, c;
            for (std::int64_t i = at; i < std::min(end, at + 512); ++i) {
                a.push_back(whole.a_starts[0] + i * contraction_block * whole.a_step);
                b.push_back(whole.b_starts[0] + i * contraction_block * whole.b_step);
                c.push_back(i);
            }
            kernel({whole.a, whole.b, sums.data(), static_cast<std::int64_t>(c.size()), steps, a.data(), b.data(), c.data(), nullptr, nullptr, whole.a_step, whole.b_step});
        }
    };
    run_in_parts(call.parallel, blocks, 1 << 10, [&](std::int64_t begin, std::int64_t end) { run(begin, end, contraction_block); });
    if (rest > 0) run(blocks, blocks + 1, rest);
    T total = sums[0];
    for (std::int64_t i = 1; i < blocks + (rest > 0 ? 1 : 0); ++i) total += sums[static_cast<std::size_t>(i)];
    whole.c[whole.c_starts[0]] = total;
}

// One after another: neighbours run side by side.
template <class T> void run_dots(const KernelCall& call, Layout layout, Inner inner) {
    for (const Axis& axis : layout.rows) append(layout.outer, axis);
    for (const Axis& axis : layout.columns) append(layout.outer, axis);
    const auto kernel = contraction_table().kernels<T>(inner).dots;
    const auto a_steps = step_table(layout, &Axis::a), b_steps = step_table(layout, &Axis::b);
    DotProducts<T> all = dots_of<T>(call, layout);
    all.a_steps = a_steps.data();
    all.b_steps = b_steps.data();
    const std::int64_t count_of_dots = count(layout.outer);
    if (count_of_dots == 1 && all.a_step != 0 && all.b_step != 0 && all.steps >= 16 * contraction_block) {
        constexpr std::int64_t start = 0;
        all.a_starts = all.b_starts = all.c_starts = &start;
        return run_long_dot<T>(call, all, kernel);
    }
    run_in_parts(call.parallel, count_of_dots, grain_for(all.steps, 1 << 16), [&](std::int64_t begin, std::int64_t end) {
        for (std::int64_t at = begin; at < end; at += 512) { // a few at a time: the tables stay small
            const std::int64_t stop = std::min(end, at + 512);
            const auto a = offsets(layout.outer, &Axis::a, at, stop), b = offsets(layout.outer, &Axis::b, at, stop), c = offsets(layout.outer, &Axis::c, at, stop);
            DotProducts<T> some = all;
            some.count = stop - at;
            some.a_starts = a.data(), some.b_starts = b.data(), some.c_starts = c.data();
            kernel(some);
        }
    });
}

// Matrices times vectors, and vectors times matrices, whose contracted elements are neighbours: no panels are needed.
bool are_dots(const Layout& layout) {
    const std::int64_t rows = count(layout.rows), columns = count(layout.columns);
    if (rows == 1 && columns == 1) return true;
    const bool side_by_side = even_stride(layout.steps, &Axis::a) == 1 && even_stride(layout.steps, &Axis::b) == 1;
    return side_by_side && (rows == 1 || columns == 1) && count(layout.steps) >= 16;
}

// Swaps the sides of a product whose right side is one column: what were rows are neighbours in memory then. Whether it did.
bool turn(KernelCall& call, std::array<View, 2>& swapped, Layout& layout) {
    if (count(layout.columns) != 1 || layout.rows.empty() || layout.rows.back().a != 1) return false;
    swapped = {call.operands[1], call.operands[0]};
    call.operands = swapped;
    for (Axes* axes : {&layout.outer, &layout.rows, &layout.columns, &layout.steps}) {
        for (Axis& axis : *axes) std::swap(axis.a, axis.b);
    }
    std::swap(layout.rows, layout.columns);
    return true;
}

void run_contraction(const KernelCall& original, Inner inner) {
    KernelCall call = original;
    Layout layout = layout_of(call);
    std::array<View, 2> swapped;
    const std::uint64_t b_bit = turn(call, swapped, layout) ? 1 : 2;
    const bool fixed_b = call.series != 0 && (call.fixed & b_bit) != 0 && layout.outer.empty();
    visit_dtype(call.results[0].dtype, [&]<class T>(TypeTag<T>) {
        if constexpr (std::is_floating_point_v<T>) {
            if (are_dots(layout)) run_dots<T>(call, layout, inner);
            else if (LongProduct<T>::serves(call, layout)) LongProduct<T>(call, layout, inner).run();
            else run_products<T>(call, layout, blocks_for<T>(count(layout.rows)), inner, fixed_b);
        } else if constexpr (!std::is_same_v<T, KeyWords>) {
            Tasks<T>(call, layout, {64, 512}).run([](const MatrixProduct<T>& product, const Task&) { plain_products(product); });
        }
    });
}

} // namespace

void dot_general_kernel(const KernelCall& call) { run_contraction(call, Inner::product); }
void squared_distance_kernel(const KernelCall& call) { run_contraction(call, Inner::squared_difference); }

} // namespace vmaprun
