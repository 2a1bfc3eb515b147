// Products of matrices of floats for one instruction set: see kernels/contraction_table.hpp, and kernels/contraction.hpp
// for the order that all of this implements.
//
// The columns of a product are cut into tiles of two vectors, the last one narrower; the rows into groups whose sums fit
// into registers. For every tile and group one block of 256 contracted elements is summed in registers and then stored (the
// first block) or added (the others). b is read where it lies when its columns are neighbours and it is small or read few
// times; else tile by tile from packed panels, the last one padded. a is packed, a group of rows at a time, when many
// tiles read it or when it has no strides.
#include "ops/kernels/simd/contraction_dots.hpp"
#include "ops/kernels/simd/contraction_micro.hpp"

namespace vmaprun {
namespace {

constexpr std::int64_t kept_steps = 512;
template <class T> inline constexpr std::int64_t column_block = 2048 / static_cast<std::int64_t>(sizeof(T));

// The scratch of a thread: panels of b, one group of packed rows, and one tile of results that go elsewhere.
template <class T> struct Scratch {
    static constexpr std::int64_t slack = full<T>; // pack_lines writes past the end
    static constexpr std::int64_t b_size = kept_steps * column_block<T> + slack, a_size = contraction_block * panel_rows + slack;
    static constexpr std::int64_t size = b_size + a_size + panel_rows * tile<T>;
    explicit Scratch(T* at) : b(at), a(at + b_size), results(at + b_size + a_size) {}
    T *b, *a, *results;
};

// Memory that a later product reads, asked for bit by bit while earlier ones are computed. What is large comes no nearer than
// the second-level cache.
class Ahead {
  public:
    void add(const void* from, std::int64_t bytes) {
        if (parts_ == 2) return;
        from_[parts_] = static_cast<const char*>(from);
        left_[parts_++] = bytes;
    }
    void some(std::int64_t bytes) {
        for (int part = 0; part < parts_ && bytes > 0; ++part) {
            if (left_[part] > near) {
                for (; left_[part] > 0 && bytes > 0; from_[part] += 64, left_[part] -= 64, bytes -= 64) __builtin_prefetch(from_[part], 0, 2);
            } else {
                for (; left_[part] > 0 && bytes > 0; from_[part] += 64, left_[part] -= 64, bytes -= 64) __builtin_prefetch(from_[part]);
            }
        }
    }

  private:
    static constexpr std::int64_t near = 8192;
    const char* from_[2] = {};
    std::int64_t left_[2] = {};
    int parts_ = 0;
};

template <class T, class Inner> class Products {
  public:
    Products(const MatrixProduct<T>& p, T* memory) : p_(p), scratch_(memory) {
        // Rows a page apart would push each other out of the cache, and steps that aren't neighbours touch a line each.
        pack_a_ = p.a_row == 0 || p.a_step == 0 || (p.columns >= 4 * tile<T> && (p.a_step != 1 || p.a_row * bytes % 4096 == 0));
        width_ = padded_columns();
        const std::int64_t b_bytes = p.steps * p.columns * bytes;
        b_lies_well_ = (p.columns == 1 || p.b_column == 1) && p.b_step != 0 && width_ == p.columns && (p.few_rows || (p.rows <= 64 && b_bytes <= 32768));
        keeps_ = p.steps <= kept_steps;
        c_in_place_ = p.c_row != 0 && (p.c_column == 1 || p.columns == 1);
        streamed_ = p.streamed && c_in_place_ && p.steps <= contraction_block && aligned();
    }

    std::int64_t panels() const { return !b_lies_well_ && keeps_ && p_.steps > 0 && visits_ == 0 ? width_ : 0; }

    void run() {
        if (set_visits()) {
            run_small();
        } else {
            visits_ = 0;
            run_large();
        }
#if defined(__x86_64__)
        if (streamed_) _mm_sfence(); // other threads may read c
#endif
    }

  private:
    static constexpr std::int64_t bytes = sizeof(T);

    // ---- small products: which kernel goes where is the same in all of them

    struct Visit {
        MicroKernel<T> kernel;
        std::int64_t a, b, c;
    };
    static constexpr int most_visits = 16;

    // False where they are not small, or need packing.
    bool set_visits() {
        if (p_.count < 2 || p_.steps == 0 || p_.steps > contraction_block || pack_a_ || !b_lies_well_ || !c_in_place_) return false;
        int rows = 0;
        for (std::int64_t row = 0; row < p_.rows; row += rows) {
            rows = direct_group(p_.rows - row);
            int width = 0;
            for (std::int64_t column = 0; column < p_.columns; column += width) {
                width = width_of(p_.columns - column);
                if (visits_ == most_visits) return false;
                visit_[visits_++] = {direct_kernel<T, Inner>(width, rows), p_.a_rows[row], p_.b_columns[column], p_.c_rows[row] + p_.c_columns[column]};
            }
        }
        return true;
    }

    void run_small() {
        Micro<T> m;
        m.steps = p_.steps;
        m.first = true;
        m.streamed = streamed_;
        m.a_row = p_.a_row, m.a_step = p_.a_step, m.b_step = p_.b_step, m.c_row = p_.c_row;
        m.rows = 0;
        m.columns = tile<T>; // every tile is whole
        const std::int64_t a_bytes = p_.rows * p_.steps * bytes, b_bytes = p_.columns * p_.steps * bytes;
        const std::int64_t ahead = 1 + 4096 / (a_bytes + b_bytes), some = (a_bytes + b_bytes) / visits_ + 64;
        for (std::int64_t i = 0; i < p_.count; ++i) {
            const T *a = p_.a + p_.a_starts[i], *b = p_.b + p_.b_starts[i];
            T* c = p_.c + p_.c_starts[i];
            Ahead later;
            if (i + ahead < p_.count) {
                if (p_.a_starts[i + ahead] != p_.a_starts[i]) later.add(p_.a + p_.a_starts[i + ahead], a_bytes);
                if (p_.b_starts[i + ahead] != p_.b_starts[i]) later.add(p_.b + p_.b_starts[i + ahead], b_bytes);
            }
            for (int v = 0; v < visits_; ++v) {
                later.some(some);
                const Visit& visit = visit_[v];
                m.a = a + visit.a;
                m.b = b + visit.b;
                m.c = c + visit.c;
                visit.kernel(m);
            }
        }
    }

    // ---- one product after another, block by block

    void run_large() {
        bool has_panels = p_.panels == width_;
        std::int64_t packed_at = p_.b_starts[0];
        for (std::int64_t i = 0; i < p_.count; ++i) {
            a_ = p_.a + p_.a_starts[i];
            b_ = p_.b + p_.b_starts[i];
            c_ = p_.c + p_.c_starts[i];
            if (p_.steps == 0) {
                clear();
                continue;
            }
            if (i > 0) has_panels = has_panels && p_.b_starts[i] == packed_at;
            look_ahead(i);
            run_one(has_panels && keeps_);
            packed_at = p_.b_starts[i];
            has_panels = true;
        }
    }

    int width_of(std::int64_t left) const {
        if (!pack_a_ || left == 1) return tile_width<T>(left);
        return left > full<T> ? tile<T> : full<T>;
    }
    std::int64_t padded_columns() const {
        const std::int64_t rest = p_.columns % tile<T>;
        return p_.columns - rest + (rest == 0 ? 0 : p_.columns == 1 ? 1 : width_of(rest));
    }
    // Whether every tile of every result begins at a multiple of its own size.
    bool aligned() const {
        const std::int64_t line = p_.columns * bytes;
        const std::int64_t needed = line % vector_bytes == 0 ? vector_bytes : line;
        if (needed != vector_bytes && needed != 16 && needed != 32) return false;
        if (reinterpret_cast<std::uintptr_t>(p_.c) % static_cast<std::uintptr_t>(needed) != 0 || p_.c_row * bytes % needed != 0) return false;
        for (std::int64_t i = 0; i < p_.count; ++i) {
            if (p_.c_starts[i] * bytes % needed != 0) return false;
        }
        return true;
    }

    void clear() {
        for (std::int64_t i = 0; i < p_.rows; ++i) {
            for (std::int64_t j = 0; j < p_.columns; ++j) c_[p_.c_rows[i] + p_.c_columns[j]] = 0;
        }
    }

    // The operands of the next product, where they lie without gaps and are small.
    void look_ahead(std::int64_t i) {
        ahead_ = Ahead();
        if (i + 1 >= p_.count) return;
        const std::int64_t a_bytes = p_.rows * p_.steps * bytes, b_bytes = p_.columns * p_.steps * bytes;
        if (a_bytes + b_bytes > 262144) return;
        if (p_.a_starts[i + 1] != p_.a_starts[i]) ahead_.add(p_.a + p_.a_starts[i + 1], a_bytes);
        if (p_.b_starts[i + 1] != p_.b_starts[i]) ahead_.add(p_.b + p_.b_starts[i + 1], b_bytes);
        const std::int64_t visits = (p_.rows + panel_rows - 1) / panel_rows * ((p_.steps + contraction_block - 1) / contraction_block);
        a_visit_ = (a_bytes + b_bytes) / visits + 64;
    }

    void run_one(bool has_panels) {
        for (std::int64_t begin = 0; begin < p_.steps; begin += contraction_block) {
            const std::int64_t left = p_.steps - begin;
            run_block(begin, left < contraction_block ? left : contraction_block, has_panels);
        }
    }

    void run_block(std::int64_t begin, std::int64_t steps, bool has_panels) {
        T* panels = scratch_.b + (keeps_ ? begin * width_ : 0);
        if (!b_lies_well_ && !has_panels) pack_b(panels, begin, steps);
        Micro<T> m;
        m.steps = steps;
        m.first = begin == 0;
        m.streamed = streamed_;
        m.a_row = p_.a_row;
        m.a_step = p_.a_step;
        for (std::int64_t row = 0; row < p_.rows; row += m.rows) {
            m.rows = pack_a_ ? (p_.rows - row < panel_rows ? static_cast<int>(p_.rows - row) : panel_rows) : direct_group(p_.rows - row);
            if (pack_a_) {
                pack_a(begin, steps, row, m.rows);
                m.a = scratch_.a;
            } else {
                m.a = a_ + p_.a_rows[row] + begin * p_.a_step;
            }
            ahead_.some(a_visit_);
            for (std::int64_t column = 0; column < p_.columns;) {
                const int width = width_of(p_.columns - column);
                if (p_.a_step == 1) ask_for_rows(begin, steps, row + m.rows, column, width);
                if (b_lies_well_) {
                    m.b = b_ + p_.b_columns[column] + begin * p_.b_step;
                    m.b_step = p_.b_step;
                } else {
                    m.b = panels + column * steps;
                    m.b_step = width;
                }
                run_at(m, row, column, width);
                column += width;
            }
        }
    }

    // While a group of rows meets the tile at `column`: its share of the next group.
    void ask_for_rows(std::int64_t begin, std::int64_t steps, std::int64_t next, std::int64_t column, int width) {
        const std::int64_t left = p_.rows - next < panel_rows ? p_.rows - next : panel_rows;
        const std::int64_t last = left * (column + width) / width_;
        for (std::int64_t r = left * column / width_; r < last; ++r) {
            const char* line = reinterpret_cast<const char*>(a_ + p_.a_rows[next + r] + begin);
            for (std::int64_t at = 0; at < steps * bytes; at += 64) __builtin_prefetch(line + at);
        }
    }

    void pack_a(std::int64_t begin, std::int64_t steps, std::int64_t row, int rows) {
        constexpr int N = full<T>;
        if (p_.a_step == 1) {
            // From the last rows to the first: each store may spill into what the next ones write.
            for (int first = (panel_rows - 1) / N * N; first >= 0; first -= N) {
                if (first >= rows) continue;
                const int count = rows - first < N ? rows - first : N;
                const T* lines[N];
                for (int r = 0; r < count; ++r) lines[r] = a_ + p_.a_rows[row + first + r] + begin;
                pack_lines<T>(lines, count, steps, scratch_.a + first, panel_rows);
            }
            return;
        }
        if (p_.a_row == 1) return rows == panel_rows ? pack_turned<panel_rows>(begin, steps, row, rows) : pack_turned<0>(begin, steps, row, rows);
        for (int r = 0; r < rows; ++r) {
            const T* from = a_ + p_.a_rows[row + r];
            T* to = scratch_.a + r;
            for (std::int64_t s = 0; s < steps; ++s) to[s * panel_rows] = from[step_at(p_.a_steps, p_.a_step, begin + s)];
        }
    }

    // Rows that are neighbours, of a turned matrix. `whole`: how many they are, where that is known.
    template <int whole> void pack_turned(std::int64_t begin, std::int64_t steps, std::int64_t row, int rows) {
        const T* from = a_ + p_.a_rows[row];
        const int count = whole > 0 ? whole : rows;
        for (std::int64_t s = 0; s < steps; ++s) {
            const T* line = from + step_at(p_.a_steps, p_.a_step, begin + s);
            for (int r = 0; r < count; ++r) scratch_.a[s * panel_rows + r] = line[r];
        }
    }

    // Every tile of the block one after another, each [step][column].
    void pack_b(T* panels, std::int64_t begin, std::int64_t steps) {
        for (std::int64_t column = 0; column < p_.columns;) {
            const int width = width_of(p_.columns - column);
            const int count = p_.columns - column < width ? static_cast<int>(p_.columns - column) : width;
            T* to = panels + column * steps;
            if (p_.b_column == 1) pack_rows(to, begin, steps, column, width, count);
            else if (p_.b_step == 1 && width > 1) pack_columns(to, begin, steps, column, width, count);
            else pack_elements(to, begin, steps, column, width, count);
            column += width;
        }
    }

    void pack_rows(T* to, std::int64_t begin, std::int64_t steps, std::int64_t column, int width, int count) {
        constexpr int F = full<T>;
        const T* from = b_ + p_.b_columns[column];
        const std::int64_t* table = p_.b_steps;
        const std::int64_t even = p_.b_step;
        if (count == tile<T>) {
            for (std::int64_t s = 0; s < steps; ++s) {
                const T* line = from + step_at(table, even, begin + s);
                store<T, F>(to + s * tile<T>, load<T, F>(line));
                store<T, F>(to + s * tile<T> + F, load<T, F>(line + F));
            }
            return;
        }
        for (std::int64_t s = 0; s < steps; ++s) {
            const T* line = from + step_at(table, even, begin + s);
            for (int c = 0; c < count; ++c) to[s * width + c] = line[c];
            for (int c = count; c < width; ++c) to[s * width + c] = 0;
        }
    }

    void pack_columns(T* to, std::int64_t begin, std::int64_t steps, std::int64_t column, int width, int count) {
        constexpr int N = full<T>;
        for (int first = (width - 1) / N * N; first >= 0; first -= N) {
            const int here = count - first < N ? count - first : N;
            if (here <= 0) continue;
            const T* lines[N];
            for (int c = 0; c < here; ++c) lines[c] = b_ + p_.b_columns[column + first + c] + begin;
            pack_lines<T>(lines, here, steps, to + first, width);
        }
    }

    void pack_elements(T* to, std::int64_t begin, std::int64_t steps, std::int64_t column, int width, int count) {
        for (int c = 0; c < width; ++c) {
            const T* from = b_ + p_.b_columns[column + (c < count ? c : 0)];
            for (std::int64_t s = 0; s < steps; ++s) to[s * width + c] = from[step_at(p_.b_steps, p_.b_step, begin + s)];
        }
    }

    void run_at(Micro<T>& m, std::int64_t row, std::int64_t column, int width) {
        const std::int64_t columns = p_.columns - column < width ? p_.columns - column : width;
        const bool in_place = c_in_place_, first = m.first;
        m.columns = in_place ? static_cast<int>(columns) : width;
        m.c = in_place ? c_ + p_.c_rows[row] + p_.c_columns[column] : scratch_.results;
        m.c_row = in_place ? p_.c_row : width;
        if (!in_place) m.first = true;
        (pack_a_ ? packed_kernel<T, Inner>(width) : direct_kernel<T, Inner>(width, m.rows))(m);
        if (in_place) return;
        m.first = first;
        for (int r = 0; r < m.rows; ++r) {
            for (std::int64_t c = 0; c < columns; ++c) {
                T& to = c_[p_.c_rows[row + r] + p_.c_columns[column + c]];
                to = first ? scratch_.results[r * width + c] : to + scratch_.results[r * width + c];
            }
        }
    }

    const MatrixProduct<T>& p_;
    Scratch<T> scratch_;
    const T *a_ = nullptr, *b_ = nullptr;
    T* c_ = nullptr;
    Ahead ahead_;
    Visit visit_[most_visits];
    int visits_ = 0;
    std::int64_t a_visit_ = 0, width_;
    bool b_lies_well_, pack_a_, keeps_, c_in_place_, streamed_;
};

template <class T, class Inner> std::int64_t products(const MatrixProduct<T>& p, T* scratch) {
    Products<T, Inner> all(p, scratch);
    all.run();
    return all.panels();
}

template <class T, class Inner> constexpr ContractionKernels<T> kernels() { return {products<T, Inner>, dots<T, Inner>}; }

} // namespace

namespace VMAPRUN_ARCH {

const ContractionTable& contraction_table() {
    static const ContractionTable table{{kernels<float, MultiplyAdd>(), kernels<float, AddSquaredDifference>()}, {kernels<double, MultiplyAdd>(), kernels<double, AddSquaredDifference>()},
                                        column_block<float>, column_block<double>, panel_rows, Scratch<float>::size, Scratch<double>::size, kept_steps};
    return table;
}

} // namespace VMAPRUN_ARCH

} // namespace vmaprun
