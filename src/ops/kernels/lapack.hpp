// The routines of the reference LAPACK that we call, for all four dtypes under one name. Matrices are column-major. The
// Fortran names are declared here and nowhere else. Each gives LAPACK's info; work sizes are asked of the routine itself.
#pragma once

#include <algorithm>
#include <complex>
#include <cstddef>
#include <type_traits>
#include <vector>

namespace vmaprun::lapack {

using Float = float;
using Double = double;
using Complex = std::complex<float>;
using DoubleComplex = std::complex<double>;

extern "C" {
void sgesdd_(const char*, const int*, const int*, Float*, const int*, Float*, Float*, const int*, Float*, const int*, Float*, const int*, int*, int*, std::size_t);
void dgesdd_(const char*, const int*, const int*, Double*, const int*, Double*, Double*, const int*, Double*, const int*, Double*, const int*, int*, int*, std::size_t);
void cgesdd_(const char*, const int*, const int*, Complex*, const int*, Float*, Complex*, const int*, Complex*, const int*, Complex*, const int*, Float*, int*, int*, std::size_t);
void zgesdd_(const char*, const int*, const int*, DoubleComplex*, const int*, Double*, DoubleComplex*, const int*, DoubleComplex*, const int*, DoubleComplex*, const int*, Double*, int*, int*, std::size_t);
void ssyevd_(const char*, const char*, const int*, Float*, const int*, Float*, Float*, const int*, int*, const int*, int*, std::size_t, std::size_t);
void dsyevd_(const char*, const char*, const int*, Double*, const int*, Double*, Double*, const int*, int*, const int*, int*, std::size_t, std::size_t);
void cheevd_(const char*, const char*, const int*, Complex*, const int*, Float*, Complex*, const int*, Float*, const int*, int*, const int*, int*, std::size_t, std::size_t);
void zheevd_(const char*, const char*, const int*, DoubleComplex*, const int*, Double*, DoubleComplex*, const int*, Double*, const int*, int*, const int*, int*, std::size_t, std::size_t);
void sgeqrf_(const int*, const int*, Float*, const int*, Float*, Float*, const int*, int*);
void dgeqrf_(const int*, const int*, Double*, const int*, Double*, Double*, const int*, int*);
void cgeqrf_(const int*, const int*, Complex*, const int*, Complex*, Complex*, const int*, int*);
void zgeqrf_(const int*, const int*, DoubleComplex*, const int*, DoubleComplex*, DoubleComplex*, const int*, int*);
void sorgqr_(const int*, const int*, const int*, Float*, const int*, const Float*, Float*, const int*, int*);
void dorgqr_(const int*, const int*, const int*, Double*, const int*, const Double*, Double*, const int*, int*);
void cungqr_(const int*, const int*, const int*, Complex*, const int*, const Complex*, Complex*, const int*, int*);
void zungqr_(const int*, const int*, const int*, DoubleComplex*, const int*, const DoubleComplex*, DoubleComplex*, const int*, int*);
}

// ---- overloads

inline void geqrf(const int* m, const int* n, Float* a, Float* tau, Float* work, const int* lwork, int* info) { sgeqrf_(m, n, a, m, tau, work, lwork, info); }
inline void geqrf(const int* m, const int* n, Double* a, Double* tau, Double* work, const int* lwork, int* info) { dgeqrf_(m, n, a, m, tau, work, lwork, info); }
inline void geqrf(const int* m, const int* n, Complex* a, Complex* tau, Complex* work, const int* lwork, int* info) { cgeqrf_(m, n, a, m, tau, work, lwork, info); }
inline void geqrf(const int* m, const int* n, DoubleComplex* a, DoubleComplex* tau, DoubleComplex* work, const int* lwork, int* info) { zgeqrf_(m, n, a, m, tau, work, lwork, info); }

inline void orgqr(const int* m, const int* n, const int* k, Float* a, const Float* tau, Float* work, const int* lwork, int* info) { sorgqr_(m, n, k, a, m, tau, work, lwork, info); }
inline void orgqr(const int* m, const int* n, const int* k, Double* a, const Double* tau, Double* work, const int* lwork, int* info) { dorgqr_(m, n, k, a, m, tau, work, lwork, info); }
inline void orgqr(const int* m, const int* n, const int* k, Complex* a, const Complex* tau, Complex* work, const int* lwork, int* info) { cungqr_(m, n, k, a, m, tau, work, lwork, info); }
inline void orgqr(const int* m, const int* n, const int* k, DoubleComplex* a, const DoubleComplex* tau, DoubleComplex* work, const int* lwork, int* info) { zungqr_(m, n, k, a, m, tau, work, lwork, info); }

struct SvdSpace {
    std::vector<std::byte> work, real_work;
    std::vector<int> whole_work;
};

// a (m by n) = u diag(s) vt; job 'A': all of u and vt, 'S': min(m, n) columns and rows, 'N': s alone.
template <class T> int svd(char job, int m, int n, T* a, auto* s, T* u, int u_rows, T* vt, int vt_rows, SvdSpace& space) {
    const int least = m < n ? m : n, most = m < n ? n : m;
    space.whole_work.resize(static_cast<std::size_t>(8 * least + 1));
    int info = 0, asking = -1;
    const auto call = [&](T* work, const int* size) {
        int* whole = space.whole_work.data();
        if constexpr (std::is_same_v<T, Float>) sgesdd_(&job, &m, &n, a, &m, s, u, &u_rows, vt, &vt_rows, work, size, whole, &info, 1);
        else if constexpr (std::is_same_v<T, Double>) dgesdd_(&job, &m, &n, a, &m, s, u, &u_rows, vt, &vt_rows, work, size, whole, &info, 1);
        else {
            using R = typename T::value_type;
            const auto wide = static_cast<std::size_t>(least);
            const std::size_t needed = wide * std::max(5 * wide + 7, 2 * static_cast<std::size_t>(most) + 2 * wide + 1) + 1;
            space.real_work.resize(needed * sizeof(R));
            R* real = reinterpret_cast<R*>(space.real_work.data());
            if constexpr (std::is_same_v<T, Complex>) cgesdd_(&job, &m, &n, a, &m, s, u, &u_rows, vt, &vt_rows, work, size, real, whole, &info, 1);
            else zgesdd_(&job, &m, &n, a, &m, s, u, &u_rows, vt, &vt_rows, work, size, real, whole, &info, 1);
        }
    };
    if (space.work.empty()) {
        T wanted{};
        call(&wanted, &asking);
        space.work.resize(static_cast<std::size_t>(std::real(wanted) * 1.001f + 1) * sizeof(T));
    }
    const int size = static_cast<int>(space.work.size() / sizeof(T));
    call(reinterpret_cast<T*>(space.work.data()), &size);
    return info;
}

// The lower triangle of a (n by n) = v diag(w) v^H; job 'V': v in place of a, 'N': w alone.
template <class T> int eigh(char job, int n, T* a, auto* w, SvdSpace& space) {
    const char lower = 'L';
    int info = 0;
    using R = std::remove_pointer_t<decltype(w)>;
    const auto call = [&](T* work, const int* size, R* real, const int* real_size, int* whole, const int* whole_size) {
        if constexpr (std::is_same_v<T, Float>) ssyevd_(&job, &lower, &n, a, &n, w, work, size, whole, whole_size, &info, 1, 1);
        else if constexpr (std::is_same_v<T, Double>) dsyevd_(&job, &lower, &n, a, &n, w, work, size, whole, whole_size, &info, 1, 1);
        else if constexpr (std::is_same_v<T, Complex>) cheevd_(&job, &lower, &n, a, &n, w, work, size, real, real_size, whole, whole_size, &info, 1, 1);
        else zheevd_(&job, &lower, &n, a, &n, w, work, size, real, real_size, whole, whole_size, &info, 1, 1);
    };
    if (space.work.empty()) {
        const int asking = -1;
        T wanted{};
        R real_wanted{};
        int whole_wanted = 0;
        call(&wanted, &asking, &real_wanted, &asking, &whole_wanted, &asking);
        space.work.resize(static_cast<std::size_t>(std::real(wanted) * 1.001f + 1) * sizeof(T));
        space.real_work.resize(static_cast<std::size_t>(real_wanted * 1.001f + 1) * sizeof(R));
        space.whole_work.resize(static_cast<std::size_t>(whole_wanted) + 1);
    }
    const int size = static_cast<int>(space.work.size() / sizeof(T)), real_size = static_cast<int>(space.real_work.size() / sizeof(R)), whole_size = static_cast<int>(space.whole_work.size());
    call(reinterpret_cast<T*>(space.work.data()), &size, reinterpret_cast<R*>(space.real_work.data()), &real_size, space.whole_work.data(), &whole_size);
    return info;
}

} // namespace vmaprun::lapack
