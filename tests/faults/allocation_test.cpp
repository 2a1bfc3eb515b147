// Memory that runs out at any moment: every script is run again and again, the n-th allocation failing, for n = 1, 2, 3 … until
// a run meets no failure. Each run ends in a result, or in one E602 and exit code 5; nothing leaks (the sanitizers tell) and
// the next run is right.
#include <cstdio>
#include <cstdlib>
#include <new>
#include <string>

#include "vmaprun.hpp"

// Tensors are from aligned_alloc: the linker gives its calls to the second of these (--wrap).
extern "C" void* __real_aligned_alloc(std::size_t alignment, std::size_t size);
extern "C" void* __wrap_aligned_alloc(std::size_t alignment, std::size_t size);

namespace {

// Counts down to the failure; 0: none is due.
thread_local long countdown = 0;

bool fails() { return countdown > 0 && --countdown == 0; }

void* allocate(std::size_t size) {
    if (fails()) throw std::bad_alloc();
    if (void* memory = std::malloc(size == 0 ? 1 : size)) return memory;
    throw std::bad_alloc();
}

void* allocate_aligned(std::size_t size, std::align_val_t alignment) {
    if (fails()) throw std::bad_alloc();
    const auto step = static_cast<std::size_t>(alignment);
    if (void* memory = __real_aligned_alloc(step, (size + step - 1) / step * step)) return memory;
    throw std::bad_alloc();
}

struct Script {
    const char* text;
    int exit_code;
    const char* output; // on one line
};

constexpr Script scripts[] = {
    {"input x: f32[n] = [1.0, 2.0]\noutput sum(x * 2 + 1)\n", 0, "8.0\n"},
    {"fn f(p: {w: float[k]}, x: float[k]) = p.w @ x\noutput y = vmap(f, in_axes=(none, 0))({w: [1.0, 2.0]}, [[3.0, 4.0], [5.0, 6.0]])\n", 0, "{\"y\": [11.0, 17.0]}\n"},
    {"output loop (a, b) = (48, 18) while b != 0 limit 9 { (b, a % b) }\n", 0, "[6, 0]\n"},
    {"output scan((c, v) => (c + v, c), 0, sort([3, 1, 2]))\n", 0, "[6, [0, 1, 3]]\n"},
    {"output [if v > 1 { v } else { -v } for v in [1, 2]]\n", 0, "[-1, 2]\n"},
    {"output softmax([0.0, 0.0]) |> cumulative_sum\n", 0, "[0.5, 1.0]\n"},
    {"let y = [1, 2] + [1, 2, 3]\noutput nope(y)\noutput sum(1, 2, 3, 4, 5)\n", 3, ""},
    {"input x: f32[n]\noutput x\n", 4, ""},
    {"assert_eq([1, 2], [1, 3])\n", 1, ""},
};

int failures = 0;

void fail(const Script& script, long at, const std::string& what) {
    ++failures;
    std::printf("FAILED: allocation %ld of\n%s%s\n", at, script.text, what.c_str());
}

std::string said(const vmaprun::Result& result) {
    std::string text;
    for (const vmaprun::Message& message : result.messages()) text += message.human;
    return text;
}

// Whether the countdown reached its failure.
bool run_once(const Script& script, long at) {
    vmaprun::JsonFormat compact;
    compact.compact = true;
    try {
        vmaprun::Options options;
        options.threads = 1;
        vmaprun::Session session(options);
        countdown = at;
        const vmaprun::Result result = session.run(script.text, "s.vm");
        const bool met = countdown == 0;
        countdown = 0;
        const bool expected = result.exit_code() == script.exit_code && (!result.ok() || result.json(compact) == script.output);
        const bool out_of_memory = met && result.exit_code() == 5 && said(result).find("E602") != std::string::npos;
        if (!expected && !out_of_memory) fail(script, at, "exit " + std::to_string(result.exit_code()) + ": " + said(result));
        return met;
    } catch (const std::bad_alloc&) { // the command says it, and ends with 5
        countdown = 0;
        return true;
    } catch (const std::exception& failure) {
        countdown = 0;
        fail(script, at, std::string("an exception: ") + failure.what());
        return true;
    }
}

} // namespace

void* __wrap_aligned_alloc(std::size_t alignment, std::size_t size) { return fails() ? nullptr : __real_aligned_alloc(alignment, size); }

void* operator new(std::size_t size) { return allocate(size); }
void* operator new[](std::size_t size) { return allocate(size); }
void* operator new(std::size_t size, std::align_val_t alignment) { return allocate_aligned(size, alignment); }
void* operator new[](std::size_t size, std::align_val_t alignment) { return allocate_aligned(size, alignment); }
void* operator new(std::size_t size, const std::nothrow_t&) noexcept { return fails() ? nullptr : std::malloc(size == 0 ? 1 : size); }
void* operator new[](std::size_t size, const std::nothrow_t&) noexcept { return fails() ? nullptr : std::malloc(size == 0 ? 1 : size); }
void operator delete(void* memory, const std::nothrow_t&) noexcept { std::free(memory); }
void operator delete[](void* memory, const std::nothrow_t&) noexcept { std::free(memory); }
void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete[](void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }
void operator delete[](void* memory, std::size_t) noexcept { std::free(memory); }
void operator delete(void* memory, std::align_val_t) noexcept { std::free(memory); }
void operator delete[](void* memory, std::align_val_t) noexcept { std::free(memory); }
void operator delete(void* memory, std::size_t, std::align_val_t) noexcept { std::free(memory); }
void operator delete[](void* memory, std::size_t, std::align_val_t) noexcept { std::free(memory); }

int main() {
    long runs = 0;
    for (const Script& script : scripts) {
        for (long at = 1; run_once(script, at) && failures < 10; ++at) ++runs;
        (void)run_once(script, 0); // and now it is right
    }
    std::printf("%ld failing allocations, %d wrong ends\n", runs, failures);
    return failures == 0 ? 0 : 1;
}
