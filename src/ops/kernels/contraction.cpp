// How dot_general's operands become products of matrices: lanes, batch and free axes are sorted into those that both
// operands have (one product after another), those of a alone (rows) and those of b alone (columns). So a stack that
// varies on one side only is one large product, whether a vmap made it or the script wrote it.
#include "ops/kernels/contraction.hpp"

#include <algorithm>
#include <array>
#include <complex>
#include <cstring>
#include <memory>

#include "ops/kernels/contraction_table.hpp"
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
    if (all.empty()) return all; // perhaps an axis is empty, and nothing can be divided by it
    std::int64_t at = 0, rest = begin;
    for (std::size_t axis = axes.size(); axis-- > 0;) {
        index[axis] = rest % axes[axis].extent;
        rest /= axes[axis].extent;
        at += index[axis] * axes[axis].*stride;
    }
    for (std::int64_t& offset : all) {
        offset = at;
        for (std::size_t axis = axes.size(); axis-- > 0;) {
            at += axes[axis].*stride;
            if (++index[axis] < axes[axis].extent) break;
            at -= axes[axis].extent * axes[axis].*stride;
            index[axis] = 0;
        }
    }
    return all;
}

// ---- the order, element by element, for the dtypes that have no panels

template <class T> T multiply_add(T x, T y, T sum) {
    if constexpr (std::is_same_v<T, bool>) return sum || (x && y);
    else if constexpr (std::is_integral_v<T>) return static_cast<T>(static_cast<std::uint64_t>(sum) + static_cast<std::uint64_t>(x) * static_cast<std::uint64_t>(y));
    else return sum + T(x.real() * y.real() - x.imag() * y.imag(), x.real() * y.imag() + x.imag() * y.real());
}

template <class T> void plain_product(const MatrixProduct<T>& product) {
    for (std::int64_t i = 0; i < product.rows; ++i) {
        for (std::int64_t j = 0; j < product.columns; ++j) {
            const T *a = product.a + product.a_rows[i], *b = product.b + product.b_columns[j];
            T total{};
            for (std::int64_t begin = 0; begin < product.steps; begin += contraction_block) {
                const std::int64_t end = std::min(product.steps, begin + contraction_block);
                T sum{};
                for (std::int64_t s = begin; s < end; ++s) sum = multiply_add(a[product.a_step != 0 ? s * product.a_step : product.a_steps[s]], b[product.b_step != 0 ? s * product.b_step : product.b_steps[s]], sum);
                if constexpr (std::is_integral_v<T>) total = begin == 0 ? sum : multiply_add(T{1}, sum, total);
                else total = begin == 0 ? sum : total + sum;
            }
            product.c[product.c_rows[i] + product.c_columns[j]] = total;
        }
    }
}

// ---- cutting into tasks

std::int64_t even_stride(const Axes& axes, std::int64_t Axis::*stride) { return axes.empty() ? 1 : axes.size() == 1 ? axes[0].*stride : 0; }

// The offsets of the contracted elements, where no stride tells them.
std::vector<std::int64_t> step_table(const Layout& layout, std::int64_t Axis::*stride) {
    return even_stride(layout.steps, stride) != 0 ? std::vector<std::int64_t>() : offsets(layout.steps, stride, 0, count(layout.steps));
}

struct Blocks {
    std::int64_t rows, columns; // of one task
};

// The offsets that all tasks share: of one block of rows and columns when there are no more, and of the outer axes.
template <class T, class Run> void run_tasks(const KernelCall& call, const Layout& layout, Blocks blocks, Run&& run) {
    const std::int64_t rows = count(layout.rows), columns = count(layout.columns), steps = count(layout.steps), outer = count(layout.outer);
    const std::int64_t row_blocks = (rows + blocks.rows - 1) / blocks.rows, column_blocks = (columns + blocks.columns - 1) / blocks.columns;
    const std::int64_t tasks = outer * row_blocks * column_blocks;
    if (tasks == 0) return;
    const auto a_steps = step_table(layout, &Axis::a), b_steps = step_table(layout, &Axis::b);
    const T *a = call.operands[0].as<T>(), *b = call.operands[1].as<T>();
    T* c = call.results[0].as<T>();
    const std::int64_t work = std::min(rows, blocks.rows) * std::min(columns, blocks.columns) * std::max<std::int64_t>(steps, 1);
    run_in_parts(call.parallel, tasks, grain_for(work, 1 << 18), [&](std::int64_t begin, std::int64_t end) {
        const std::int64_t first = begin / (row_blocks * column_blocks), last = (end - 1) / (row_blocks * column_blocks) + 1;
        const auto a_outer = offsets(layout.outer, &Axis::a, first, last), b_outer = offsets(layout.outer, &Axis::b, first, last), c_outer = offsets(layout.outer, &Axis::c, first, last);
        std::vector<std::int64_t> a_rows, c_rows, b_columns, c_columns;
        std::int64_t row_block = -1, column_block = -1;
        for (std::int64_t task = begin; task < end; ++task) {
            // Row blocks innermost: neighbouring tasks read the same columns.
            const auto at = static_cast<std::size_t>(task / (row_blocks * column_blocks) - first);
            const std::int64_t column = task / row_blocks % column_blocks, row = task % row_blocks;
            const std::int64_t row_end = std::min(rows, (row + 1) * blocks.rows), column_end = std::min(columns, (column + 1) * blocks.columns);
            if (row != row_block) {
                a_rows = offsets(layout.rows, &Axis::a, row * blocks.rows, row_end);
                c_rows = offsets(layout.rows, &Axis::c, row * blocks.rows, row_end);
                row_block = row;
            }
            if (column != column_block) {
                b_columns = offsets(layout.columns, &Axis::b, column * blocks.columns, column_end);
                c_columns = offsets(layout.columns, &Axis::c, column * blocks.columns, column_end);
                column_block = column;
            }
            run(MatrixProduct<T>{a + a_outer[at], b + b_outer[at], c + c_outer[at], row_end - row * blocks.rows, column_end - column * blocks.columns, steps,
                                 a_rows.data(), a_steps.data(), b_steps.data(), b_columns.data(), c_rows.data(), c_columns.data(),
                                 even_stride(layout.steps, &Axis::a), even_stride(layout.steps, &Axis::b), even_stride(layout.columns, &Axis::b), even_stride(layout.columns, &Axis::c)});
        }
    });
}

// One dot product after another: neighbours run side by side.
template <class T> void run_dots(const KernelCall& call, Layout layout) {
    for (const Axis& axis : layout.rows) append(layout.outer, axis);
    for (const Axis& axis : layout.columns) append(layout.outer, axis);
    const std::int64_t steps = count(layout.steps);
    const auto a_steps = step_table(layout, &Axis::a), b_steps = step_table(layout, &Axis::b);
    run_in_parts(call.parallel, count(layout.outer), grain_for(steps, 1 << 16), [&](std::int64_t begin, std::int64_t end) {
        for (std::int64_t at = begin; at < end; at += 512) { // a few at a time: the tables stay small
            const std::int64_t stop = std::min(end, at + 512);
            const auto a = offsets(layout.outer, &Axis::a, at, stop), b = offsets(layout.outer, &Axis::b, at, stop), c = offsets(layout.outer, &Axis::c, at, stop);
            const DotProducts<T> dots{call.operands[0].as<T>(), call.operands[1].as<T>(), call.results[0].as<T>(), stop - at, steps, a.data(), b.data(), c.data(), a_steps.data(), b_steps.data(),
                                      even_stride(layout.steps, &Axis::a), even_stride(layout.steps, &Axis::b)};
            if constexpr (std::is_same_v<T, float>) contraction_table().dots_f32(dots);
            else contraction_table().dots_f64(dots);
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

// Swaps the sides of a product whose right side is one column: what were rows are neighbours in memory then.
void turn(KernelCall& call, std::array<View, 2>& swapped, Layout& layout) {
    if (count(layout.columns) != 1 || layout.rows.empty() || layout.rows.back().a != 1) return;
    swapped = {call.operands[1], call.operands[0]};
    call.operands = swapped;
    for (Axes* axes : {&layout.outer, &layout.rows, &layout.columns, &layout.steps}) {
        for (Axis& axis : *axes) std::swap(axis.a, axis.b);
    }
    std::swap(layout.rows, layout.columns);
}

} // namespace

void dot_general_kernel(const KernelCall& original) {
    KernelCall call = original;
    Layout layout = layout_of(call);
    std::array<View, 2> swapped;
    turn(call, swapped, layout);
    visit_dtype(call.results[0].dtype, [&]<class T>(TypeTag<T>) {
        if constexpr (std::is_floating_point_v<T>) {
            if (are_dots(layout)) return run_dots<T>(call, layout);
            const ContractionTable& table = contraction_table();
            constexpr bool single = std::is_same_v<T, float>;
            const Blocks blocks{table.row_block, single ? table.column_block_f32 : table.column_block_f64};
            const std::int64_t scratch = single ? table.scratch_f32 : table.scratch_f64;
            run_tasks<T>(call, layout, blocks, [&](const MatrixProduct<T>& product) {
                // Packed panels: once a thread, and not filled, so that a small product touches few pages of them.
                thread_local std::unique_ptr<T[]> panels;
                if (!panels) panels.reset(new T[static_cast<std::size_t>(scratch)]);
                if constexpr (single) table.product_f32(product, panels.get());
                else table.product_f64(product, panels.get());
            });
        } else if constexpr (!std::is_same_v<T, KeyWords>) {
            run_tasks<T>(call, layout, {64, 512}, [](const MatrixProduct<T>& product) { plain_product(product); });
        }
    });
}

} // namespace vmaprun
