// The table of the benchmarks: what runs, on which data, what bounds it, and the targets.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "array/array.hpp"
#include "exec/threads.hpp"

namespace bench {

struct Input {
    const char* name;
    vmaprun::Shape shape;
    enum class Values { normal, weights, uniform, real_axis, imaginary_axis, labels, positive_definite } values = Values::normal; // weights: normal, over the root of the first axis; uniform: 0.5 … 1.5; positive_definite: symmetric matrices
};

// What the machine could do at best. Memory: so many bytes read and written, or the result written alone. Arithmetic: so many
// operations (a fused multiply-add is two). By hand: the workload itself in C++ (bounds.hpp). Script: another script of ours.
enum class Bound { copy, triad, read, write, arithmetic, by_hand, script };

struct Target {
    const char* library; // "numpy", "numexpr", "torch"
    const char* form;    // empty: the best of its forms
    double times;        // at least so many times as fast
};

using ByHand = void (*)(const vmaprun::ThreadPool& pool, const std::vector<vmaprun::Array>& inputs, const vmaprun::Array& result);

struct Workload {
    const char* row;    // the name on the command line, and in peers.py
    const char* script; // FILE.vm in this folder
    const char* title;
    std::vector<Input> inputs;
    vmaprun::Shape result;
    Bound bound;
    double part;       // of the bound's speed that is to be reached; 0: the bound is there to compare with
    double operations; // arithmetic, else 0
    double tolerance;  // of the result against NumPy's: |a - b| <= tolerance (1 + |b|); 0: not compared
    std::vector<Target> targets;
    ByHand by_hand = nullptr;
    const char* compared = nullptr; // Bound::script: FILE.vm
};

const std::vector<Workload>& workloads();

} // namespace bench
