// The register machine for fused work: a program of kernels (ir/op.hpp) over a space of rows x columns, run tile by tile,
// so that what goes from kernel to kernel stays in the first-level cache. A tile is some whole rows.
//
// A register holds a tile of FULL form (an element for each row and column) or of ROW form (an element for each row). It
// is read from a strided input (in place where it is contiguous, spread once where all its elements are one, gathered
// else), made by a step, or both made and stored to a contiguous result. Pointwise kernels run over either form, row
// registers being spread along the columns for full ones; folds make a row register of a full one.
// A space without columns (columns = 1) is flat: there both forms are the same.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "array/array.hpp"
#include "base/aligned.hpp"
#include "ir/op.hpp"
#include "ops/kernels/pointwise_table.hpp"

namespace vmaprun {

class TileProgram {
  public:
    enum class Form { full, row };
    enum class Target { tile, memory }; // kept in its tile, or written to memory that is bound before a run
    // Whether results go past the caches: for what is large, cheap to compute, and not read again soon.
    enum class Stores { cached, streamed };

    TileProgram(Shape rows, Shape columns);

    // A register that holds an input: a view of shape rows + columns (full), or rows (row).
    std::size_t add_input(const View& view, Form form);
    // A register made by a kernel from earlier ones. A full step takes registers of either form, a row step row registers.
    std::size_t add_step(TileKernel kernel, std::span<const std::size_t> operands, DType dtype, Form form, Target target);
    std::size_t add_fold(RowKernel kernel, std::size_t operand, DType dtype, Target target);
    std::size_t add_product(RowProductKernel kernel, std::size_t a, std::size_t b, DType dtype, Target target);
    void prepare(Stores stores); // after the last step
    // The memory of an input (of the same strides as before) or of a result (row-major, of its form's shape).
    void bind(std::size_t which, std::byte* data) { registers_[which].data = data; }

    Form form(std::size_t which) const { return registers_[which].form; }
    std::int64_t rows() const { return rows_; }
    std::int64_t columns() const { return columns_; }
    std::int64_t tile_rows() const { return tile_rows_; }
    // Of a program whose widest element has so many bytes.
    static std::int64_t rows_a_tile(std::int64_t columns, std::size_t widest);
    // Rows [begin, end) in row-major order; distinct ranges may run on several threads at once.
    void run(std::int64_t begin, std::int64_t end) const;

    // One thread's run of one tile again and again, with other data each time: scratch tiles and what is spread are kept.
    class Session;

  private:
    static constexpr std::size_t most_operands = 6;
    // direct: where it lies; spread: one element for all; repeated: one row for all; periodic: the same few elements again and
    // again, of a flat program; gathered: copied, tile by tile; computed; stored, streamed: a result.
    enum class Access { direct, spread, repeated, periodic, gathered, computed, stored, streamed };
    struct Register {
        Access access = Access::computed;
        Form form = Form::full;
        std::size_t width = 1;      // bytes an element
        std::byte* data = nullptr;  // of inputs and results
        Shape shape;                // gathered, repeated: joined axes
        Strides strides;
        std::int64_t period = 0;    // periodic: elements
        std::size_t slot = 0;       // where its scratch tile is, if it has one
        std::size_t second_slot = 0; // streamed: that of every other tile
        std::size_t spread_to = 0;  // row form: the full register that repeats it; 0: none yet (a result never is 0)
    };
    struct Instruction {
        TileKernel kernel = nullptr;    // all null: a row register spread along the columns
        RowKernel fold = nullptr;
        RowProductKernel product = nullptr;
        RowPairFunction pair = nullptr; // of a full operand, then one of an element a row
        std::array<std::size_t, most_operands> operands{};
        std::size_t operand_count = 0, target = 0;
    };
    struct Tile; // where each register is now

    std::size_t add_register(std::size_t width, Form form, Access access);
    bool pair_with_row(Instruction& instruction, TileKernel kernel, std::span<const std::size_t> operands, Form form) const;
    std::size_t spread_along_columns(std::size_t row_register);
    void compose();
    TileKernel kernel_to_compose(std::size_t which, std::span<const std::size_t> uses, std::span<const std::size_t> makers) const;
    bool has_slot(const Register& each) const { return each.access != Access::direct && each.access != Access::stored; }
    bool is_one_row(std::size_t which) const { return registers_[which].access == Access::repeated || registers_[which].access == Access::spread; }
    std::int64_t elements(Form form, std::int64_t rows) const { return form == Form::full ? rows * columns_ : rows; }
    void fill_once(Tile& tile, std::int64_t rows) const;
    void fill_with_one(Tile& tile, std::size_t which, std::int64_t rows) const;
    void place(Tile& tile, std::int64_t first, std::int64_t count) const;
    void execute(Tile& tile, std::int64_t first, std::int64_t count, std::int64_t ahead) const;
    void prefetch(std::int64_t next, std::int64_t rows, std::size_t part) const;

    Shape row_shape_, column_shape_;
    std::int64_t rows_ = 1, columns_ = 1, tile_rows_ = 1;
    std::vector<Register> registers_;
    std::vector<Instruction> instructions_;
    std::size_t slots_ = 0, slot_bytes_ = 0;
};

class TileProgram::Session {
  public:
    explicit Session(const TileProgram& program); // a prepared one
    ~Session();
    Session(Session&&) noexcept;
    Session(const Session&) = delete;

    void bind(std::size_t which, const std::byte* data);   // an input or a result
    void bind_one(std::size_t which, const std::byte* data); // an input that is one number everywhere: another number
    void run(std::int64_t count);                          // rows [0, count) of what is bound; count <= tile_rows

  private:
    TileProgram program_;
    std::unique_ptr<Tile> tile_;
    AlignedBytes scratch_;
    bool is_flat_ = true; // of kernels alone, on a space without columns
};

// Elements [begin, begin + count) of a view in row-major order, copied to memory without gaps.
void read_elements(const View& from, std::int64_t begin, std::int64_t count, std::byte* to);
void write_elements(const std::byte* from, const View& to, std::int64_t begin, std::int64_t count);

} // namespace vmaprun
