// Products of matrices of floats for one instruction set: see kernels/contraction_table.hpp, and kernels/contraction.hpp
// for the order that all of this implements.
#include "ops/kernels/contraction_table.hpp"

namespace vmaprun::VMAPRUN_ARCH {
namespace {

inline float multiply_add(float x, float y, float sum) {
#if defined(__FMA__) || defined(__ARM_FEATURE_FMA)
    return __builtin_fmaf(x, y, sum);
#else
    return sum + x * y;
#endif
}
inline double multiply_add(double x, double y, double sum) {
#if defined(__FMA__) || defined(__ARM_FEATURE_FMA)
    return __builtin_fma(x, y, sum);
#else
    return sum + x * y;
#endif
}

template <class T> void product(const MatrixProduct<T>& p, T*) {
    for (std::int64_t i = 0; i < p.rows; ++i) {
        for (std::int64_t j = 0; j < p.columns; ++j) {
            const T *a = p.a + p.a_rows[i], *b = p.b + p.b_columns[j];
            T total = 0;
            for (std::int64_t begin = 0; begin < p.steps; begin += contraction_block) {
                const std::int64_t end = p.steps < begin + contraction_block ? p.steps : begin + contraction_block;
                T sum = 0;
                for (std::int64_t s = begin; s < end; ++s) sum = multiply_add(a[p.a_steps[s]], b[p.b_steps[s]], sum);
                total = begin == 0 ? sum : total + sum;
            }
            p.c[p.c_rows[i] + p.c_columns[j]] = total;
        }
    }
}

} // namespace

const ContractionTable& contraction_table() {
    static const ContractionTable table{product<float>, product<double>, 64, 256, 256, 0, 0};
    return table;
}

} // namespace vmaprun::VMAPRUN_ARCH
