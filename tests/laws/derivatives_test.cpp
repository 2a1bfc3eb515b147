// Holds derivatives to what they are, over cases.txt and derivatives.txt: the slope of forward mode is that of central
// differences (f64), and reverse mode is its transpose, <vjp(u), v> = <u, jvp(v)> (f32 and f64); the same of the gradient,
// so that derivatives of derivatives hold. Each case by itself, under vmap, and inside one with one operand for all lanes.
// In f32 they are what they are in f64, to rounding. And law 1: derivatives mapped by vmap have the bits that unroll gives them.
//
// exempt.txt names what differences can't judge: a line is KIND | EXPRESSION | REASON.
//   flat      its slope is 0 wherever there is one, and nothing else may come out
//   forward   no reverse mode
//   skip      not differentiated at all
//   apart     f32 may have another answer than f64, as right
//   row       no case, for the row of that name
// A row that has a derivative must occur in some case where its operands have one.
#include <array>
#include <cstdio>
#include <iostream>
#include <set>

#include "law_cases.hpp"
#include "ops/lowering.hpp"
#include "syntax/diagnostics.hpp"
#include "transform/pass.hpp"

namespace {

using namespace vmaprun;

int failures = 0;
std::size_t checked = 0;
std::set<std::string_view> met; // rows with operands that have derivatives

void fail(const std::string& script, const std::string& what) {
    if (++failures <= 12) std::cout << "FAILED " << what << "\n" << script << "\n";
}

bool has_derivative(DType dtype) { return is_floating(dtype) || is_complex(dtype); }

std::vector<std::complex<double>> elements(const Array& array) {
    const Array flat = array.contiguous();
    std::vector<std::complex<double>> values;
    visit_dtype(array.dtype(), [&]<class T>(TypeTag<T>) {
        for (std::int64_t i = 0; i < flat.size(); ++i) {
            if constexpr (is_complex_type<T>) values.emplace_back(flat.as<T>()[i].real(), flat.as<T>()[i].imag());
            else if constexpr (!std::is_same_v<T, KeyWords>) values.emplace_back(static_cast<double>(flat.as<T>()[i]), 0.0);
        }
    });
    return values;
}

// Re of the sum of a * b, and of the absolute products: what rounding is measured by.
struct Product {
    double value = 0, size = 0;
    void add(const Array& a, const Array& b) {
        const auto x = elements(a), y = elements(b);
        for (std::size_t i = 0; i < x.size(); ++i) {
            value += (x[i] * y[i]).real();
            size += std::abs(x[i] * y[i]);
        }
    }
};

enum class Sort { full, forward, flat, apart };
enum class Mapping { none, all, first }; // first: the others are the same in all lanes

// One way to ask: a case, its dtype and mapping.
struct Question {
    const Case& one;
    DType dtype; // of the operands that are floats
    Mapping mapping;
    Sort sort;
};

DType dtype_in(const Question& question, const Operand& operand) {
    if (is_floating(operand.dtype)) return question.dtype;
    if (is_complex(operand.dtype)) return question.dtype == DType::f32 ? DType::c64 : DType::c128;
    return operand.dtype;
}

bool is_mapped(const Question& question, std::size_t operand) {
    return question.mapping == Mapping::all || (question.mapping == Mapping::first && operand == 0);
}

constexpr std::int64_t lanes = 3;

class Asking {
  public:
    // `wide`: the same question in f64, asked before: this one has its data.
    Asking(const Question& question, std::mt19937& random, const Asking* wide) : question_(question), random_(random), wide_(wide) {
        std::string parameters, axes;
        for (std::size_t i = 0; i < question.one.operands.size(); ++i) {
            const Operand& operand = question.one.operands[i];
            const std::string comma = i > 0 ? ", " : "", name = operand.name;
            parameters += comma + name;
            axes += std::string(is_mapped(question, i) ? "0" : "none") + ", ";
            const DType dtype = dtype_in(question, operand);
            Shape shape = operand.shape;
            if (is_mapped(question, i)) shape.insert(shape.begin(), lanes);
            declare(name, random_array(dtype, shape, operand, random));
            if (!has_derivative(dtype)) {
                tangents_ += "none, ";
                above_ += comma + name;
                below_ += comma + name;
                continue;
            }
            active_.push_back(i);
            declare("d" + name, noise(dtype, shape));
            tangents_ += "d" + name + ", ";
            above_ += comma + name + " + 1e-5 * d" + name;
            below_ += comma + name + " - 1e-5 * d" + name;
        }
        parameters_ = parameters;
        declared_ += "fn one(" + parameters + ") = " + question.one.expression + "\n";
        const std::string called = question.mapping == Mapping::none ? "one(" : "vmap(one, in_axes=(" + axes + "))(";
        declared_ += "fn f(" + parameters + ") = " + called + parameters + ")\n";
    }

    bool has_active() const { return !active_.empty(); }

    void ask() {
        run_script("output result = f(" + parameters_ + ")\n");
        note_rows(*traced_->graph);
        const std::string cotangents = cotangents_of(traced_->outputs[0].tree);
        if (us_.empty()) return;
        std::string calls = "output forward = jvp(f, (" + parameters_ + ",), (" + tangents_ + "))\noutput above = f(" + above_ + ")\noutput below = f(" + below_ + ")\n";
        if (question_.sort != Sort::forward) {
            calls += "fn back(" + parameters_ + ") = vjp(f, (" + parameters_ + ",), " + cotangents + ")[1]\n" + "output backward = back(" + parameters_ + ")\n";
            if (question_.dtype == DType::f64) calls += "output second = jvp(back, (" + parameters_ + ",), (" + tangents_ + "))[1]\noutput back_above = back(" + above_ + ")\noutput back_below = back(" + below_ + ")\n";
        }
        const std::vector<Array> results = run_script(calls);
        const auto leaves_of = [&](std::size_t output) {
            std::vector<std::size_t> found;
            leaves(traced_->outputs[output].tree, found);
            std::vector<Array> arrays;
            for (const std::size_t leaf : found) arrays.push_back(results[leaf]);
            return arrays;
        };
        const std::vector<Array> forward = leaves_of(0), above = leaves_of(1), below = leaves_of(2);
        const std::size_t count = above.size();
        const std::span<const Array> values(forward.data(), count), slopes(forward.data() + count, count);
        if (question_.dtype == DType::f64) compare_differences("forward mode", slopes, values, above, below);
        check_flat(slopes);
        forward_ = forward;
        if (comparable()) compare_wide("forward mode", forward, wide_->forward_);
        if (question_.sort != Sort::forward) {
            const std::vector<Array> backward = leaves_of(3);
            check_transpose(slopes, backward);
            backward_ = backward;
            if (comparable()) compare_wide("reverse mode", backward, wide_->backward_);
            if (question_.dtype == DType::f64) compare_differences("forward over reverse", leaves_of(4), backward, leaves_of(5), leaves_of(6));
        }
        if (question_.mapping == Mapping::all) check_lanes(cotangents);
    }

    std::string what() const {
        const char* mapping = question_.mapping == Mapping::none ? "alone" : question_.mapping == Mapping::all ? "vmapped" : "first operand vmapped";
        return question_.one.expression + ", " + std::string(name_of(question_.dtype)) + ", " + mapping;
    }
    const std::string& text() const { return text_; }

  private:
    bool comparable() const { return wide_ != nullptr && question_.sort != Sort::apart; }

    static void narrow(const Array& from, Array& to) {
        const auto values = elements(from);
        visit_dtype(to.dtype(), [&]<class T>(TypeTag<T>) {
            for (std::size_t i = 0; i < values.size(); ++i) {
                if constexpr (is_complex_type<T>) to.as<T>()[i] = T(static_cast<T::value_type>(values[i].real()), static_cast<T::value_type>(values[i].imag()));
                else if constexpr (std::is_floating_point_v<T>) to.as<T>()[i] = static_cast<T>(values[i].real());
            }
        });
    }

    // What was computed in f32 is near what f64 has.
    void compare_wide(const std::string& how, const std::vector<Array>& narrow_leaves, const std::vector<Array>& wide_leaves) {
        for (std::size_t leaf = 0; leaf < narrow_leaves.size(); ++leaf) {
            const auto found = elements(narrow_leaves[leaf]), wanted = elements(wide_leaves[leaf]);
            double scale = 1;
            for (const auto& value : wanted) scale = std::max(scale, std::abs(value));
            for (std::size_t i = 0; i < found.size(); ++i) {
                if (!std::isfinite(found[i].real()) && scale > 1e30) continue; // past the range of f32
                ++checked;
                if (!(std::abs(found[i] - wanted[i]) <= 2e-3 * scale)) return fail(text_, how + " in f32 is " + std::to_string(found[i].real()) + ", in f64 " + std::to_string(wanted[i].real()) + ": " + what());
            }
        }
    }

    Array noise(DType dtype, const Shape& shape) {
        const Operand range{{}, dtype, {}, -1, 1};
        return random_array(dtype, shape, range, random_);
    }

    void declare(const std::string& name, Array array) {
        if (wide_ != nullptr && has_derivative(array.dtype())) narrow(wide_->inputs_.arrays.at(name), array);
        else if (wide_ != nullptr) array = wide_->inputs_.arrays.at(name);
        declared_ += "input " + name + ": " + std::string(name_of(array.dtype())) + (array.rank() > 0 ? "[...]" : "") + "\n";
        inputs_.arrays[name] = std::move(array);
    }

    std::vector<Array> run_script(const std::string& calls) {
        text_ = declared_ + calls;
        script_.emplace(text_);
        traced_.emplace(script_->trace_with(inputs_, true));
        std::vector<Array> arrays;
        for (const TracedInput& input : traced_->inputs) arrays.push_back(inputs_.arrays.at(input.name));
        RunOptions options;
        options.threads = 1;
        return run(*run_passes(traced_->graph), std::move(arrays), options);
    }

    static void leaves(const OutputTree& tree, std::vector<std::size_t>& found) {
        if (tree.form == OutputTree::Form::tensor) found.push_back(tree.output);
        for (const OutputTree& item : tree.items) leaves(item, found);
    }

    // A tree of cotangents for the result, declared as inputs; `none` where there is no derivative.
    std::string cotangents_of(const OutputTree& tree) {
        if (tree.form == OutputTree::Form::tensor) {
            const TensorType& type = traced_->graph->type(traced_->graph->outputs[tree.output]);
            if (!has_derivative(type.dtype)) return "none";
            const std::string name = "u" + std::to_string(us_.size());
            us_.push_back(name);
            declare(name, noise(type.dtype, values_of(type.shape)));
            return name;
        }
        std::string text;
        const bool is_record = tree.form == OutputTree::Form::record;
        for (std::size_t i = 0; i < tree.items.size(); ++i) text += (is_record ? (i > 0 ? ", " : "") + tree.names[i] + ": " : "") + cotangents_of(tree.items[i]) + (is_record ? "" : ", ");
        return is_record ? "{" + text + "}" : "(" + text + ")";
    }

    static void note_rows(const Graph& graph) {
        for (const Node& node : graph.nodes) {
            if (std::ranges::any_of(node.operands, [&](Value operand) { return has_derivative(graph.type(operand).dtype); })) met.insert(node.op->name());
            for (const auto& body : node.bodies) note_rows(*body);
        }
    }

    // Errors of differences grow with what they are differences of.
    void compare_differences(const std::string& how, std::span<const Array> slopes, std::span<const Array> values, std::span<const Array> above, std::span<const Array> below) {
        for (std::size_t leaf = 0; leaf < values.size(); ++leaf) {
            if (!has_derivative(values[leaf].dtype())) continue;
            const auto slope = elements(slopes[leaf]), value = elements(values[leaf]), high = elements(above[leaf]), low = elements(below[leaf]);
            double scale = 0;
            for (std::size_t i = 0; i < slope.size(); ++i) scale = std::max(scale, std::abs(value[i]));
            for (std::size_t i = 0; i < slope.size(); ++i) {
                ++checked;
                const std::complex<double> difference = (high[i] - low[i]) / 2e-5;
                const bool close = std::abs(slope[i] - difference) <= 1e-6 * (1 + std::abs(slope[i])) + 1e-9 * scale;
                if (!close) return fail(text_, how + " is " + std::to_string(slope[i].real()) + " where differences say " + std::to_string(difference.real()) + ": " + what());
            }
        }
    }

    void check_flat(std::span<const Array> slopes) {
        bool moves = false;
        for (const Array& slope : slopes) {
            if (!has_derivative(slope.dtype())) continue;
            for (const std::complex<double> element : elements(slope)) moves = moves || element != 0.0;
        }
        if (moves == (question_.sort == Sort::flat)) fail(text_, moves ? "a flat function has a slope: " + what() : "no slope at all (if it is flat, exempt.txt says why): " + what());
    }

    // Both modes of one sample, mapped and unrolled.
    void check_lanes(const std::string& cotangents) {
        std::string operands = parameters_, results;
        for (const std::size_t i : active_) operands += ", d" + question_.one.operands[i].name;
        std::string with_cotangents = operands;
        for (const std::string& u : us_) with_cotangents += ", " + u;
        std::string calls = "fn along(" + operands + ") = jvp(one, (" + parameters_ + ",), (" + tangents_ + "))\noutput mapped = vmap(along)(" + operands + ")\noutput unrolled = unroll(along)(" + operands + ")\n";
        if (question_.sort != Sort::forward) {
            calls += "fn back(" + with_cotangents + ") = vjp(one, (" + parameters_ + ",), " + cotangents + ")[1]\noutput mapped_back = vmap(back)(" + with_cotangents + ")\noutput unrolled_back = unroll(back)(" + with_cotangents + ")\n";
        }
        const std::vector<Array> arrays = run_script(calls);
        for (std::size_t output = 0; output < traced_->outputs.size(); output += 2) {
            std::vector<std::size_t> mapped, unrolled;
            leaves(traced_->outputs[output].tree, mapped);
            leaves(traced_->outputs[output + 1].tree, unrolled);
            for (std::size_t i = 0; i < mapped.size(); ++i) {
                ++checked;
                if (!same_bits(arrays[mapped[i]], arrays[unrolled[i]])) return fail(text_, std::string("law 1, ") + (output == 0 ? "forward: " : "reverse: ") + what());
            }
        }
    }

    void check_transpose(std::span<const Array> slopes, const std::vector<Array>& backward) {
        Product outer, inner;
        std::size_t next = 0;
        for (const Array& slope : slopes) {
            if (has_derivative(slope.dtype())) outer.add(inputs_.arrays.at(us_[next++]), slope);
        }
        for (const std::size_t i : active_) inner.add(inputs_.arrays.at("d" + question_.one.operands[i].name), backward[i]);
        if (question_.dtype == DType::f32 && !std::isfinite(outer.size + inner.size)) return; // past the range of f32; f64 stands for it
        ++checked;
        const double tolerance = (question_.dtype == DType::f32 ? 1e-4 : 1e-11) * (1e-3 + outer.size + inner.size);
        if (!(std::abs(outer.value - inner.value) <= tolerance)) {
            fail(text_, "reverse mode is no transpose of forward mode: " + std::to_string(inner.value) + " and " + std::to_string(outer.value) + ": " + what());
        }
    }

    const Question question_;
    std::mt19937& random_;
    const Asking* wide_;
    std::vector<Array> forward_, backward_; // as found
    Inputs inputs_;
    std::string declared_, parameters_, tangents_, above_, below_, text_;
    std::vector<std::size_t> active_; // operands that have derivatives
    std::vector<std::string> us_;     // the cotangents, by name
    std::optional<Script> script_;    // outlives what quotes it
    std::optional<Traced> traced_;
};

void check_case(const Case& one, Sort sort, std::mt19937& random) {
    for (const Mapping mapping : {Mapping::none, Mapping::all, Mapping::first}) {
        if (mapping == Mapping::first && one.operands.size() == 1) continue;
        std::optional<Asking> wide, narrow;
        for (std::optional<Asking>* asking : {&wide, &narrow}) {
            const bool first = asking == &wide;
            const Question question{one, first ? DType::f64 : DType::f32, mapping, sort};
            asking->emplace(question, random, first ? nullptr : &*wide);
            if (!(*asking)->has_active()) return;
            try {
                (*asking)->ask();
            } catch (const UserError& failure) {
                return fail((*asking)->text(), (*asking)->what() + ":\n" + render(failure.diagnostics().front(), {}));
            } catch (const InternalError& failure) {
                return fail((*asking)->text(), (*asking)->what() + ": " + failure.what());
            }
        }
    }
}

struct Exempt {
    std::map<std::string, std::string> kinds; // by expression
    std::set<std::string> used;
};

Exempt read_exempt(const std::string& path) {
    Exempt exempt;
    std::ifstream in(path);
    for (std::string line; std::getline(in, line);) {
        if (line.empty() || line[0] == '#') continue;
        const std::size_t first = line.find(" | "), last = line.rfind(" | ");
        exempt.kinds[line.substr(first + 3, last - first - 3)] = line.substr(0, first);
    }
    return exempt;
}

void check_coverage(Exempt& exempt) {
    for (const std::span<const Op> family : all_ops()) {
        for (const Op& op : family) {
            const auto kind = op.derivative.kind;
            using enum Derivative::Kind;
            const bool has_one = kind == linear || kind == multilinear || kind == rules || kind == pointwise;
            if (!has_one || met.contains(op.name())) continue;
            const auto found = exempt.kinds.find(std::string(op.name()));
            if (found != exempt.kinds.end() && found->second == "row") exempt.used.insert(found->first);
            else fail(std::string(op.name()), "no case differentiates the row");
        }
    }
}

} // namespace

int main(int argc, char** argv) {
    if (argc < 4) return 2;
    std::vector<Case> cases = read_cases(argv[1]);
    std::ranges::copy(read_cases(argv[2]), std::back_inserter(cases));
    Exempt exempt = read_exempt(argv[3]);
    for (const Case& one : cases) {
        std::uint32_t seed = argc > 4 ? static_cast<std::uint32_t>(std::stoul(argv[4])) : 20260202; // of the case alone: more cases change no other
        for (const char letter : one.expression) seed = (seed ^ static_cast<std::uint8_t>(letter)) * 16777619u;
        std::mt19937 random(seed);
        const auto found = exempt.kinds.find(one.expression);
        const std::string kind = found == exempt.kinds.end() ? "" : found->second;
        if (!kind.empty()) exempt.used.insert(one.expression);
        if (kind != "skip") check_case(one, kind == "flat" ? Sort::flat : kind == "forward" ? Sort::forward : kind == "apart" ? Sort::apart : Sort::full, random);
    }
    check_coverage(exempt);
    for (const auto& [expression, kind] : exempt.kinds) {
        if (!exempt.used.contains(expression)) fail(expression, "exempt.txt names no case");
    }
    std::cout << checked << " comparisons, " << failures << " failures\n";
    return failures == 0 ? 0 : 1;
}
