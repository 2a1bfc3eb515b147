// The walks of the reductions: how the elements of a sample reach the folds of kernels/fold.hpp, chunk by chunk.
//
// A row walk takes one result at a time; a column walk takes neighbouring results at once, where x lies so that they are
// neighbours in memory and the reduced elements are not. Both feed the same chunks in the same order.
#include "ops/kernels/reduce.hpp"

#include <algorithm>
#include <cmath>
#include <memory>

#include "ops/kernels/fold.hpp"
#include "ops/kernels/reduce_table.hpp"
#include "ops/lane_iteration.hpp"

namespace vmaprun {
namespace {

struct Axis {
    std::int64_t extent = 1, x_stride = 0, out_stride = 0;
};

// Lanes and kept axes (outside), and reduced axes (inside), of a call. Axes of extent 1 are left out, neighbouring
// reduced axes that x steps through evenly are one.
struct Layout {
    std::vector<Axis> kept, reduced;
    std::int64_t length = 1; // reduced elements of one result
};

void add_reduced(Layout& layout, Axis axis) {
    layout.length *= axis.extent;
    if (axis.extent == 1) return;
    if (!layout.reduced.empty() && layout.reduced.back().x_stride == axis.x_stride * axis.extent) {
        layout.reduced.back().extent *= axis.extent;
        layout.reduced.back().x_stride = axis.x_stride;
    } else {
        layout.reduced.push_back(axis);
    }
}

Layout layout_of(const KernelCall& call, const std::vector<std::int64_t>& axes, bool keepdims) {
    const View &x = call.operands[0], &out = call.results[0];
    const std::size_t lane_rank = call.lanes.size();
    Layout layout;
    std::size_t out_axis = 0;
    for (std::size_t axis = 0; axis < x.rank(); ++axis) {
        const bool is_reduced = axis >= lane_rank && std::ranges::binary_search(axes, static_cast<std::int64_t>(axis - lane_rank));
        if (is_reduced) {
            add_reduced(layout, {x.shape[axis], x.strides[axis], 0});
            if (keepdims) ++out_axis;
        } else {
            if (x.shape[axis] != 1) layout.kept.push_back({x.shape[axis], x.strides[axis], out.strides[out_axis]});
            ++out_axis;
        }
    }
    return layout;
}

// Gives the offsets of the reduced elements, in order, a few at a time.
class ReducedOffsets {
  public:
    explicit ReducedOffsets(const std::vector<Axis>& axes) : axes_(axes), index_(axes.size(), 0) {}

    // The next element is the `position`-th.
    void seek(std::int64_t position) {
        offset_ = 0;
        for (std::size_t axis = axes_.size(); axis-- > 0;) {
            index_[axis] = position % axes_[axis].extent;
            position /= axes_[axis].extent;
            offset_ += index_[axis] * axes_[axis].x_stride;
        }
    }
    void next(std::int64_t count, std::int64_t* offsets) {
        for (std::int64_t i = 0; i < count; ++i) {
            offsets[i] = offset_;
            for (std::size_t axis = axes_.size(); axis-- > 0;) {
                offset_ += axes_[axis].x_stride;
                if (++index_[axis] < axes_[axis].extent) break;
                offset_ -= axes_[axis].extent * axes_[axis].x_stride;
                index_[axis] = 0;
            }
        }
    }

  private:
    const std::vector<Axis>& axes_;
    std::vector<std::int64_t> index_;
    std::int64_t offset_ = 0;
};

// Results of chunks, meeting as a binary counter carries. `columns` of them at once.
template <class F> class ChunkTree {
  public:
    using Acc = typename F::Acc;
    explicit ChunkTree(std::int64_t columns) : columns_(columns) {}

    void clear() { levels_ = 0, taken_ = 0; }
    void push(const Acc* chunk) {
        if (static_cast<std::int64_t>(stack_.size()) < (levels_ + 1) * columns_) stack_.resize(static_cast<std::size_t>((levels_ + 1) * columns_));
        std::copy_n(chunk, columns_, level(levels_++));
        for (std::int64_t carry = taken_++; carry & 1; carry >>= 1) meet_last_two();
    }
    const Acc* finish() {
        while (levels_ > 1) meet_last_two();
        return stack_.data();
    }

  private:
    Acc* level(std::int64_t i) { return stack_.data() + i * columns_; }
    void meet_last_two() {
        Acc *a = level(levels_ - 2), *b = level(levels_ - 1);
        for (std::int64_t c = 0; c < columns_; ++c) a[c] = F::meet(a[c], b[c]);
        --levels_;
    }

    struct Free {
        void operator()(Acc* data) const { delete[] data; }
    };
    // Not std::vector: its bool has no elements to point at.
    class Stack {
      public:
        std::size_t size() const { return size_; }
        Acc* data() const { return data_.get(); }
        void resize(std::size_t size) {
            std::unique_ptr<Acc, Free> larger(new Acc[size * 2]);
            if (size_ > 0) std::copy_n(data_.get(), size_, larger.get());
            data_ = std::move(larger);
            size_ = size * 2;
        }

      private:
        std::unique_ptr<Acc, Free> data_;
        std::size_t size_ = 0;
    };
    Stack stack_;
    std::int64_t columns_, levels_ = 0, taken_ = 0;
};

template <class F> constexpr std::int64_t chunk_of = fold::chunk<typename F::Acc>;

// One position of the walk over the kept axes: where it begins in x and in the result.
struct Position {
    std::int64_t x = 0, out = 0;
};

// f(position) for every index of the kept axes in [begin, end).
template <class F> void walk(const std::vector<Axis>& kept, std::int64_t begin, std::int64_t end, F&& f) {
    std::vector<std::int64_t> index(kept.size(), 0);
    Position at;
    std::int64_t rest = begin;
    for (std::size_t axis = kept.size(); axis-- > 0;) {
        index[axis] = rest % kept[axis].extent;
        rest /= kept[axis].extent;
        at.x += index[axis] * kept[axis].x_stride;
        at.out += index[axis] * kept[axis].out_stride;
    }
    for (std::int64_t i = begin; i < end; ++i) {
        f(at);
        for (std::size_t axis = kept.size(); axis-- > 0;) {
            at.x += kept[axis].x_stride;
            at.out += kept[axis].out_stride;
            if (++index[axis] < kept[axis].extent) break;
            at.x -= kept[axis].extent * kept[axis].x_stride;
            at.out -= kept[axis].extent * kept[axis].out_stride;
            index[axis] = 0;
        }
    }
}

std::int64_t positions(const std::vector<Axis>& kept) {
    std::int64_t count = 1;
    for (const Axis& axis : kept) count *= axis.extent;
    return count;
}

// ---- row walk

template <class F> class RowFolder {
  public:
    using In = typename F::In;
    using Acc = typename F::Acc;
    explicit RowFolder(const Layout& layout)
        : layout_(layout), offsets_(layout.reduced), tree_(1), fold_(row_fold<F>()),
          whole_(layout.reduced.empty() || (layout.reduced.size() == 1 && layout.reduced[0].x_stride == 1)) {
        if (whole_) return;
        gathered_.resize(static_cast<std::size_t>(std::min(layout.length, chunk_of<F>)) * sizeof(In));
        places_.resize(static_cast<std::size_t>(std::min(layout.length, chunk_of<F>)));
    }

    Acc operator()(const In* x) {
        const std::int64_t n = layout_.length;
        if (!whole_ && n > 0) offsets_.seek(0);
        if (n <= chunk_of<F>) return chunk(x, 0, n);
        tree_.clear();
        for (std::int64_t begin = 0; begin < n; begin += chunk_of<F>) {
            const Acc part = chunk(x, begin, std::min(chunk_of<F>, n - begin));
            tree_.push(&part);
        }
        return *tree_.finish();
    }
    // The results of the chunks [first, last) of a row.
    void parts(const In* x, std::int64_t first, std::int64_t last, Acc* results) {
        if (!whole_) offsets_.seek(first * chunk_of<F>);
        for (std::int64_t k = first; k < last; ++k) results[k] = chunk(x, k * chunk_of<F>, std::min(chunk_of<F>, layout_.length - k * chunk_of<F>));
    }

  private:
    Acc chunk(const In* x, std::int64_t begin, std::int64_t n) {
        if (whole_) return fold_(x + begin, n);
        In* gathered = reinterpret_cast<In*>(gathered_.data());
        if (layout_.reduced.size() == 1) {
            const std::int64_t stride = layout_.reduced[0].x_stride;
            for (std::int64_t i = 0; i < n; ++i) gathered[i] = x[(begin + i) * stride];
        } else {
            offsets_.next(n, places_.data());
            for (std::int64_t i = 0; i < n; ++i) gathered[i] = x[places_[static_cast<std::size_t>(i)]];
        }
        return fold_(gathered, n);
    }

    const Layout& layout_;
    ReducedOffsets offsets_;
    ChunkTree<F> tree_;
    RowFold<F> fold_;
    bool whole_;
    std::vector<std::byte> gathered_; // from operator new: aligned for any element
    std::vector<std::int64_t> places_;
};

// Few results of much each: not the results are shared among the threads, but the chunks of each.
constexpr std::int64_t few_results = 8, many_chunks = 16;
template <class F> std::int64_t chunks_to_share(const KernelCall& call, const Layout& layout, std::int64_t results) {
    const std::int64_t chunks = (layout.length + chunk_of<F> - 1) / chunk_of<F>;
    return call.parallel != nullptr && results < few_results && chunks >= many_chunks ? chunks : 0;
}

template <class F> void fold_rows_together(const KernelCall& call, const Layout& layout, std::int64_t chunks) {
    using Acc = typename F::Acc;
    const auto* x = call.operands[0].as<typename F::In>();
    auto* out = call.results[0].as<Acc>();
    const std::unique_ptr<Acc[]> parts(new Acc[static_cast<std::size_t>(chunks)]);
    ChunkTree<F> tree(1);
    walk(layout.kept, 0, positions(layout.kept), [&](Position at) {
        run_in_parts(call.parallel, chunks, grain_for(chunk_of<F>, 32768), [&](std::int64_t begin, std::int64_t end) { RowFolder<F>(layout).parts(x + at.x, begin, end, parts.get()); });
        tree.clear();
        for (std::int64_t k = 0; k < chunks; ++k) tree.push(&parts[static_cast<std::size_t>(k)]);
        out[at.out] = *tree.finish();
    });
}

template <class F> void fold_rows(const KernelCall& call, const Layout& layout) {
    using In = typename F::In;
    const In* x = call.operands[0].as<In>();
    typename F::Acc* out = call.results[0].as<typename F::Acc>();
    if (const std::int64_t chunks = chunks_to_share<F>(call, layout, positions(layout.kept))) return fold_rows_together<F>(call, layout, chunks);
    run_in_parts(call.parallel, positions(layout.kept), grain_for(layout.length, 32768), [&](std::int64_t begin, std::int64_t end) {
        RowFolder<F> folder(layout);
        walk(layout.kept, begin, end, [&](Position at) { out[at.out] = folder(x + at.x); });
    });
}

// ---- column walk

template <class F> class ColumnFolder {
  public:
    using In = typename F::In;
    using Acc = typename F::Acc;
    explicit ColumnFolder(const Layout& layout)
        : length_(layout.length), offsets_(layout.reduced), tree_(fold::column_tile), fold_(column_fold<F>()), scratch_(new Acc[fold::width<Acc> * fold::column_tile]) {
        places_.resize(static_cast<std::size_t>(std::min(length_, chunk_of<F>)));
    }

    // The results of `count` <= column_tile neighbouring columns, out_stride apart.
    void operator()(const In* x, std::int64_t count, Acc* out, std::int64_t out_stride) {
        Acc results[fold::column_tile];
        std::fill_n(results, fold::column_tile, F::identity());
        if (length_ > 0) offsets_.seek(0);
        tree_.clear();
        const Acc* final = results;
        for (std::int64_t begin = 0; begin < length_; begin += chunk_of<F>) {
            chunk(x, begin, count, results);
            if (length_ > chunk_of<F>) tree_.push(results);
        }
        if (length_ > chunk_of<F>) final = tree_.finish();
        for (std::int64_t c = 0; c < count; ++c) out[c * out_stride] = final[c];
    }
    // The results of the chunks [first, last) of the columns, column_tile for each.
    void parts(const In* x, std::int64_t count, std::int64_t first, std::int64_t last, Acc* results) {
        offsets_.seek(first * chunk_of<F>);
        for (std::int64_t k = first; k < last; ++k) {
            std::fill_n(results + k * fold::column_tile, fold::column_tile, F::identity());
            chunk(x, k * chunk_of<F>, count, results + k * fold::column_tile);
        }
    }

  private:
    void chunk(const In* x, std::int64_t begin, std::int64_t count, Acc* results) {
        const std::int64_t n = std::min(chunk_of<F>, length_ - begin);
        offsets_.next(n, places_.data());
        fold_(x, places_.data(), n, count, results, scratch_.get());
    }

    std::int64_t length_;
    ReducedOffsets offsets_;
    ChunkTree<F> tree_;
    ColumnFold<F> fold_;
    std::unique_ptr<Acc[]> scratch_;
    std::vector<std::int64_t> places_;
};

// The tiles of columns one after another, the chunks of each on all threads.
template <class F> void fold_columns_together(const KernelCall& call, const Layout& layout, const std::vector<Axis>& outer, Axis columns, std::int64_t tiles, std::int64_t chunks) {
    using Acc = typename F::Acc;
    const auto* x = call.operands[0].as<typename F::In>();
    auto* out = call.results[0].as<Acc>();
    const std::unique_ptr<Acc[]> parts(new Acc[static_cast<std::size_t>(chunks * fold::column_tile)]);
    ChunkTree<F> tree(fold::column_tile);
    std::int64_t position = 0;
    walk(outer, 0, positions(outer), [&](Position at) {
        const std::int64_t tile = position++ % tiles, count = std::min(fold::column_tile, columns.extent - tile * fold::column_tile);
        run_in_parts(call.parallel, chunks, grain_for(chunk_of<F> * count, 32768),
                     [&](std::int64_t begin, std::int64_t end) { ColumnFolder<F>(layout).parts(x + at.x, count, begin, end, parts.get()); });
        tree.clear();
        for (std::int64_t k = 0; k < chunks; ++k) tree.push(parts.get() + k * fold::column_tile);
        const Acc* final = tree.finish();
        for (std::int64_t c = 0; c < count; ++c) out[at.out + c * columns.out_stride] = final[c];
    });
}

template <class F> void fold_columns(const KernelCall& call, const Layout& layout, std::size_t column_axis) {
    using In = typename F::In;
    const Axis columns = layout.kept[column_axis];
    std::vector<Axis> outer = layout.kept;
    outer.erase(outer.begin() + static_cast<std::ptrdiff_t>(column_axis));
    const std::int64_t tiles = (columns.extent + fold::column_tile - 1) / fold::column_tile;
    outer.push_back({tiles, fold::column_tile, fold::column_tile * columns.out_stride});
    if (const std::int64_t chunks = chunks_to_share<F>(call, layout, positions(outer))) return fold_columns_together<F>(call, layout, outer, columns, tiles, chunks);
    const In* x = call.operands[0].as<In>();
    typename F::Acc* out = call.results[0].as<typename F::Acc>();
    run_in_parts(call.parallel, positions(outer), grain_for(layout.length * std::min(columns.extent, fold::column_tile), 32768), [&](std::int64_t begin, std::int64_t end) {
        ColumnFolder<F> folder(layout);
        std::int64_t position = begin;
        walk(outer, begin, end, [&](Position at) {
            const std::int64_t tile = position++ % tiles;
            folder(x + at.x, std::min(fold::column_tile, columns.extent - tile * fold::column_tile), out + at.out, columns.out_stride);
        });
    });
}

// A kept axis along which x has neighbours, if reading by it is better than by rows; kept.size(): none.
std::size_t column_axis_of(const Layout& layout) {
    const bool rows_are_good = layout.reduced.empty() || layout.reduced.back().x_stride == 1;
    if (!rows_are_good) {
        for (std::size_t axis = 0; axis < layout.kept.size(); ++axis) {
            if (layout.kept[axis].x_stride == 1 && layout.kept[axis].extent >= 4) return axis;
        }
    }
    return layout.kept.size();
}

template <template <class> class Fold, class T> void reduce_as(const KernelCall& call) {
    const Layout layout = layout_of(call, call.node->integers(0), call.node->boolean(1));
    const std::size_t columns = column_axis_of(layout);
    if (columns < layout.kept.size()) fold_columns<Fold<T>>(call, layout, columns);
    else fold_rows<Fold<T>>(call, layout);
}

template <template <class> class Fold> void reduce_any_dtype(const KernelCall& call) {
    visit_dtype(call.operands[0].dtype, [&]<class T>(TypeTag<T>) {
        if constexpr (!std::is_same_v<T, KeyWords>) reduce_as<Fold, T>(call);
    });
}

template <template <class> class Fold> void reduce_real_dtype(const KernelCall& call) {
    visit_dtype(call.operands[0].dtype, [&]<class T>(TypeTag<T>) {
        if constexpr (!std::is_same_v<T, KeyWords> && !is_complex_type<T>) reduce_as<Fold, T>(call);
    });
}

// ---- argmax, argmin: the first of the largest (or smallest); a NaN beats every number, the first NaN wins

template <bool Largest, class T> bool beats(T candidate, T best) {
    if constexpr (std::is_floating_point_v<T>) {
        if (std::isnan(best)) return false;
        if (std::isnan(candidate)) return true;
    }
    return Largest ? best < candidate : candidate < best;
}

// In a row without gaps: the extreme first, by the kernel of max or min, and then where it stands.
template <bool Largest, class T> std::int64_t first_best_of(const T* x, std::int64_t n) {
    using F = std::conditional_t<Largest, fold::Max<T>, fold::Min<T>>;
    static const RowsFold<F> fold = rows_fold<F>();
    constexpr std::int64_t group = 32;
    T best{};
    fold(x, 1, n, &best);
    if constexpr (std::is_floating_point_v<T>) {
        if (std::isnan(best)) return std::find_if(x, x + n, [](T each) { return std::isnan(each); }) - x;
    }
    std::int64_t at = 0;
    for (; at + group <= n; at += group) {
        int hits = 0;
        for (std::int64_t i = 0; i < group; ++i) hits += x[at + i] == best ? 1 : 0;
        if (hits > 0) break;
    }
    return std::find(x + at, x + n, best) - x;
}

template <bool Largest, class T> std::int64_t first_best(const Layout& layout, const T* x) {
    if (layout.reduced.size() == 1 && layout.reduced[0].x_stride == 1) return first_best_of<Largest>(x, layout.length);
    T best = *x;
    std::int64_t index = 0, found = 0;
    const auto meet = [&](T candidate) {
        if (beats<Largest>(candidate, best)) best = candidate, found = index;
        ++index;
    };
    if (layout.reduced.size() <= 1) {
        const std::int64_t stride = layout.reduced.empty() ? 0 : layout.reduced[0].x_stride;
        for (std::int64_t i = 0; i < layout.length; ++i) meet(x[i * stride]);
    } else {
        walk(layout.reduced, 0, layout.length, [&](Position inner) { meet(x[inner.x]); });
    }
    return found;
}

// ---- rows of a tile

// Rows longer than a chunk: chunk by chunk, and the tree of chunks.
template <class F> typename F::Acc fold_long_row(RowsFold<F> fold, ChunkTree<F>& tree, const typename F::In* x, std::int64_t n) {
    tree.clear();
    for (std::int64_t begin = 0; begin < n; begin += chunk_of<F>) {
        typename F::Acc part;
        fold(x + begin, 1, std::min(chunk_of<F>, n - begin), &part);
        tree.push(&part);
    }
    return *tree.finish();
}

template <class F> void fold_tile_rows(void* out, const void* in, std::int64_t rows, std::int64_t columns) {
    static const RowsFold<F> fold = rows_fold<F>();
    const auto* x = static_cast<const typename F::In*>(in);
    auto* results = static_cast<typename F::Acc*>(out);
    if (columns <= chunk_of<F>) return fold(x, rows, columns, results);
    ChunkTree<F> tree(1);
    for (std::int64_t r = 0; r < rows; ++r) results[r] = fold_long_row<F>(fold, tree, x + r * columns, columns);
}

template <bool Largest, class T> void find_in_tile_rows(void* out, const void* in, std::int64_t rows, std::int64_t columns) {
    const auto* x = static_cast<const T*>(in);
    for (std::int64_t r = 0; r < rows; ++r, x += columns) static_cast<std::int64_t*>(out)[r] = first_best_of<Largest>(x, columns);
}

template <template <class> class Fold, bool RealOnly> RowKernel tile_rows(DType dtype) {
    return visit_dtype(dtype, []<class T>(TypeTag<T>) -> RowKernel {
        if constexpr (std::is_same_v<T, KeyWords> || (RealOnly && is_complex_type<T>)) return nullptr;
        else return fold_tile_rows<Fold<T>>;
    });
}

template <bool Largest> RowKernel arg_rows(DType dtype) {
    return visit_dtype(dtype, []<class T>(TypeTag<T>) -> RowKernel {
        if constexpr (std::is_same_v<T, KeyWords> || is_complex_type<T>) return nullptr;
        else return find_in_tile_rows<Largest, T>;
    });
}

template <bool Largest> void arg_kernel(const KernelCall& call) {
    std::vector<std::int64_t> axes{call.node->integer(0)};
    if (axes[0] < 0) {
        axes.clear();
        for (std::size_t axis = call.lanes.size(); axis < call.operands[0].rank(); ++axis) axes.push_back(static_cast<std::int64_t>(axis - call.lanes.size()));
    }
    const Layout layout = layout_of(call, axes, call.node->boolean(1));
    std::int64_t* out = call.results[0].as<std::int64_t>();
    visit_dtype(call.operands[0].dtype, [&]<class T>(TypeTag<T>) {
        if constexpr (!std::is_same_v<T, KeyWords> && !is_complex_type<T>) {
            const T* x = call.operands[0].as<T>();
            run_in_parts(call.parallel, positions(layout.kept), grain_for(layout.length), [&](std::int64_t begin, std::int64_t end) {
                walk(layout.kept, begin, end, [&](Position at) { out[at.out] = first_best<Largest>(layout, x + at.x); });
            });
        }
    });
}

} // namespace

std::int64_t sum_chunk(DType dtype) { return dtype == DType::f32 ? fold::chunk<float> : fold::chunk<double>; }
RowKernel sum_rows(DType dtype) { return tile_rows<fold::Sum, false>(dtype); }
RowKernel prod_rows(DType dtype) { return tile_rows<fold::Product, false>(dtype); }
RowKernel max_rows(DType dtype) { return tile_rows<fold::Max, true>(dtype); }
RowKernel min_rows(DType dtype) { return tile_rows<fold::Min, true>(dtype); }
RowKernel all_rows(DType dtype) { return tile_rows<fold::All, false>(dtype); }
RowKernel any_rows(DType dtype) { return tile_rows<fold::Any, false>(dtype); }
RowKernel count_nonzero_rows(DType dtype) { return tile_rows<fold::Count, false>(dtype); }
RowKernel argmax_rows(DType dtype) { return arg_rows<true>(dtype); }
RowKernel argmin_rows(DType dtype) { return arg_rows<false>(dtype); }

void sum_kernel(const KernelCall& call) { reduce_any_dtype<fold::Sum>(call); }
void prod_kernel(const KernelCall& call) { reduce_any_dtype<fold::Product>(call); }
void max_kernel(const KernelCall& call) { reduce_real_dtype<fold::Max>(call); }
void min_kernel(const KernelCall& call) { reduce_real_dtype<fold::Min>(call); }
void all_kernel(const KernelCall& call) { reduce_any_dtype<fold::All>(call); }
void any_kernel(const KernelCall& call) { reduce_any_dtype<fold::Any>(call); }
void count_nonzero_kernel(const KernelCall& call) { reduce_any_dtype<fold::Count>(call); }
void argmax_kernel(const KernelCall& call) { arg_kernel<true>(call); }
void argmin_kernel(const KernelCall& call) { arg_kernel<false>(call); }

} // namespace vmaprun
