// Work on several threads: everything once, exceptions by index, and the same bits.
#include <atomic>

#include "exec/threads.hpp"
#include "support.hpp"

using namespace vmaprun;
using namespace vmaprun::testing;

TEST_CASE("each index is dealt once, also from inside of work") {
    const ThreadPool pool(3);
    std::vector<std::atomic<int>> met(1000);
    pool.each(10, [&](std::int64_t i) { pool.each(100, [&](std::int64_t j) { ++met[static_cast<std::size_t>(100 * i + j)]; }); });
    CHECK(std::ranges::all_of(met, [](const auto& times) { return times == 1; }));
}

TEST_CASE("of several exceptions the one of the smallest index is thrown") {
    const ThreadPool pool(3);
    for (int round = 0; round < 50; ++round) {
        std::string what;
        try {
            pool.each(100, [](std::int64_t i) {
                if (i % 10 == 7) throw InternalError(std::to_string(i));
            });
        } catch (const InternalError& failure) {
            what = failure.what();
        }
        CHECK(what == "7");
    }
}

TEST_CASE("parts begin at multiples of the grain and cover everything") {
    ThreadPool pool(3);
    std::vector<std::atomic<int>> met(10'007);
    struct Context {
        std::vector<std::atomic<int>>& met;
        std::atomic<bool> aligned{true};
    } context{met};
    pool.run(10'007, 64, [](void* pointer, std::int64_t begin, std::int64_t end) {
        auto& inside = *static_cast<Context*>(pointer);
        if (begin % 64 != 0) inside.aligned = false;
        for (std::int64_t i = begin; i < end; ++i) ++inside.met[static_cast<std::size_t>(i)];
    }, &context);
    CHECK(context.aligned);
    CHECK(std::ranges::all_of(met, [](const auto& times) { return times == 1; }));
}

TEST_CASE("many blocks on many threads give the bits and the faults of one") {
    Making make;
    const std::int64_t lanes = 40'000, size = 16;
    const Value xs = make.input({lanes, size});
    const LaneId lane = make.enter(lanes);
    const Value x = make.builder.lane(xs, lane, 0);
    const Value total = make.sum(make.multiply(make.add(x, x), x));
    const Value good = make.checked(make.add(total, make.number(0)));
    const Value again = make.sum(make.multiply(make.multiply(x, x), make.add(x, x)));
    const auto graph = make.builder.finish({make.builder.unlane(make.add(good, again), lane, 0)});
    Array data = counting({lanes, size});
    RunOptions one, many;
    one.mode = RunOptions::Mode::eager;
    one.threads = 1;
    many.threads = 3;
    for (const std::int64_t block : {0, 100}) {
        many.block = block;
        for (int round = 0; round < 5; ++round) CHECK(same_bits(run(*graph, {data}, one)[0], run(*graph, {data}, many)[0]));
    }
    Making faulty;
    const Value ys = faulty.input({lanes, size});
    const LaneId axis = faulty.enter(lanes);
    const Value least = faulty.sum(faulty.builder.lane(ys, axis, 0));
    const auto failing = faulty.builder.finish({faulty.builder.unlane(faulty.add(faulty.checked(least), faulty.checked(faulty.multiply(least, least))), axis, 0)});
    for (std::int64_t i = 0; i < data.size(); ++i) data.as<double>()[i] = i / size % 5'000 == 4'321 ? -1 : 1;
    for (int round = 0; round < 5; ++round) CHECK(outcome(*failing, {data}, many) == "E601 negative -16, in lane 4321");
}
