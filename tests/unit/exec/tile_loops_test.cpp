// Loops in tiles against the same loops step by step (eager), on scripts: the same bits in every way of running.
#include "exec/run.hpp"
#include "support.hpp"
#include "syntax/parser.hpp"
#include "trace/trace.hpp"

using namespace vmaprun;
using namespace vmaprun::testing;

namespace {

class OneInput : public InputSource {
  public:
    explicit OneInput(Array x) : x_(std::move(x)) {}
    std::optional<Arriving> arriving(const std::string&, const DeclaredType&, bool) override {
        Arriving arriving;
        arriving.tensor = {x_.dtype(), x_.shape(), x_};
        return arriving;
    }

  private:
    Array x_;
};

Array noise(Shape shape) {
    Array array(DType::f32, std::move(shape));
    unsigned seed = 9;
    for (std::int64_t i = 0; i < array.size(); ++i) {
        seed = seed * 1664525u + 1013904223u;
        array.as<float>()[i] = static_cast<float>(seed >> 8) / 8388608.0F - 1.0F;
    }
    return array;
}

// `body` is about x: f32[rows, steps]; sizes around those of tiles and panels.
void same_in_every_way(const std::string& body) {
    CAPTURE(body);
    for (const Shape& shape : {Shape{1, 1}, Shape{3, 20}, Shape{40, 33}, Shape{1500, 18}}) {
        const Source source("loop.vm", "input x: f32[rows, steps]\n" + body);
        const ParseResult parsed = parse(source);
        REQUIRE(parsed.errors.empty());
        const Array x = noise(shape);
        OneInput input(x);
        TraceOptions options;
        options.folder = fold_node;
        const Traced traced = trace(parsed.script, input, options);
        const auto expected = run(*traced.graph, {x}, every_way()[0]);
        for (const RunOptions& way : every_way()) {
            const auto results = run(*traced.graph, {x}, way);
            for (std::size_t i = 0; i < results.size(); ++i) {
                CAPTURE(i);
                CHECK(same_bits(results[i], expected[i]));
            }
        }
    }
}

} // namespace

TEST_CASE("scans in tiles") {
    for (const char* axes : {"", ", in_axes=1", ", out_axes=(0, 1)", ", in_axes=1, out_axes=(0, 1)"}) {
        const std::string mapped = std::string(axes) + ")(x)\noutput a\noutput b\n";
        same_in_every_way("let (a, b) = vmap(r => scan((c, u) => { let v = 0.9 * c + 0.1 * u; (v, v) }, r[0], r)" + mapped);
        same_in_every_way("let (a, b) = vmap(r => scan((c, u) => { let v = sin(c) + u; (v, v * c) }, r[0], r, reverse=true)" + mapped);
    }
    same_in_every_way("let (a, b) = vmap(r => scan((c, u) => ((c[1], c[0] + u), c[0]), (r[0], r[0] * 2), r))(x)\noutput a\noutput b\n");      // carries change places
    same_in_every_way("let (a, b) = vmap(r => scan((c, u) => { let v = c[0] * u; ((v, v, c[2]), (v, u, c[2])) }, (r[0], r[0] * 2, r[0] * 3), r))(x)\noutput a\noutput b\n"); // one value, many places
    same_in_every_way("let (a, b) = vmap(r => scan((c, u) => { let v = c + u * [1.0, 2.0, 3.0]; (v, v > 0) }, r[0] * [1.0, 0.5, 0.25], r * 1))(x)\noutput a\noutput b\n"); // vectors carried: another shape than what is scanned
    same_in_every_way("let (a, b) = scan((c, u) => { let v = 0.5 * c + u * c; (v, v) }, x[0], x)\noutput a\noutput b\n");                      // no lanes at all
    same_in_every_way("output fold((c, u) => maximum(c, u) - 0.01, x[0], x)\n");
    same_in_every_way("output vmap(r => loop c = r[0] for i in 0 .. 50 { c * 0.5 + (i as f32) * r[0] })(x)\n");
    same_in_every_way("output vmap(r => loop c = r for i in 3 .. 9 { c / ((i + 1) as f32) })(x)\n");
}

TEST_CASE("whiles in tiles") {
    same_in_every_way("output vmap(r => loop a = r[0] while abs(a) < 100 limit 1000 { a * 1.5 + 0.5 })(x)\n");
    same_in_every_way("let (a, b, n) = vmap(r => loop (a, b, n) = (r[0], r[0] * 0.5 + 1, 0) while abs(a) < 50 limit 1000 { (b, a + b + 0.25, n + 1) })(x)\noutput a\noutput b\noutput n\n");
    same_in_every_way("let (a, b) = vmap(r => loop (a, b) = (r[0], r[0]) while abs(a) < 50 limit 1000 { let v = a * 1.5 + 0.5; (v, v) })(x)\noutput a\noutput b\n");
    same_in_every_way("output [[loop (z, n) = (u * 0.0, 0) while z * z < 4 and n < 40 { (z * z + u + 0.3, n + 1) } for u in r] for r in x]\n");
    same_in_every_way("let (z, n) = [[loop (z, n) = (u * 0.0, 0) while z * z < 4 and n < 40 { (z * z + u * c + 0.3, n + 1) } for u in x[0]] for c in x[:, 0]]\noutput z\noutput n\n");
}

TEST_CASE("the first lane past its limit is told, in tiles too") {
    const Source source("loop.vm", "input x: f32[rows, steps]\noutput vmap(r => loop a = r[0] while a < 1000 limit 5 { a + 1 })(x)\n");
    const ParseResult parsed = parse(source);
    const Array x = noise({1400, 2});
    for (std::int64_t i = 0; i < 1400; ++i) x.as<float>()[2 * i] = i == 700 || i == 1300 ? 0.0F : 2000.0F;
    OneInput input(x);
    TraceOptions options;
    options.folder = fold_node;
    const Traced traced = trace(parsed.script, input, options);
    for (const RunOptions& way : every_way()) CHECK(outcome(*traced.graph, {x}, way) == "E603 the loop is still going after its limit of 5 iterations, in lane 700");
}
