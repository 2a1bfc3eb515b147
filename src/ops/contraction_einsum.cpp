// einsum: the equation is taken apart into labels; repeated labels of one operand become diagonals, labels that nothing
// else needs are summed out, and the operands are then contracted two at a time. The pair to be contracted next is the one
// that costs least by the sizes of one sample (ties: the first), so the order is the same under every vmap.
#include <algorithm>
#include <array>
#include <map>

#include "ops/call.hpp"
#include "ops/contraction.hpp"
#include "ops/contraction_rows.hpp"
#include "ops/lowering.hpp"
#include "ops/movement.hpp"
#include "ops/reduction.hpp"

namespace vmaprun {
namespace {

using Label = int; // a letter, or, for the axes of an ellipsis, -1 for the last, -2 for the one before …
using Labels = std::vector<Label>;

bool holds(const Labels& labels, Label label) { return std::ranges::find(labels, label) != labels.end(); }

struct Equation {
    std::vector<std::string> inputs;
    std::string output;
    bool has_output = false;
};

Equation parse_equation(const BuiltinCall& call) {
    std::string text;
    for (const char c : call.text(0)) {
        if (c != ' ') text += c;
    }
    Equation equation;
    const std::size_t arrow = text.find("->");
    if (arrow != std::string::npos) {
        equation.has_output = true;
        equation.output = text.substr(arrow + 2);
    }
    const std::string inputs = text.substr(0, arrow);
    std::size_t begin = 0;
    while (true) {
        const std::size_t comma = inputs.find(',', begin);
        equation.inputs.push_back(inputs.substr(begin, comma == std::string::npos ? comma : comma - begin));
        if (comma == std::string::npos) break;
        begin = comma + 1;
    }
    return equation;
}

// The letters of one part; where its ellipsis stands, -1 if it has none.
struct Part {
    Labels before, after;
    bool ellipsis = false;
};

Part parse_part(const BuiltinCall& call, const std::string& text) {
    Part part;
    for (std::size_t i = 0; i < text.size(); ++i) {
        const char c = text[i];
        if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z')) {
            (part.ellipsis ? part.after : part.before).push_back(c);
        } else if (text.substr(i, 3) == "..." && !part.ellipsis) {
            part.ellipsis = true;
            i += 2;
        } else {
            call.fail(0, error("E310", "einsum understands letters, `,`, `...` and `->`, and \"" + call.text(0) + "\" holds `" + std::string(1, c) + "`"));
        }
    }
    return part;
}

// Labels of all axes: the ellipsis becomes the labels -count … -1.
Labels labels_of(const Part& part, std::size_t count) {
    Labels labels = part.before;
    if (part.ellipsis) {
        for (std::size_t i = 0; i < count; ++i) labels.push_back(static_cast<Label>(i) - static_cast<Label>(count));
    }
    labels.insert(labels.end(), part.after.begin(), part.after.end());
    return labels;
}

struct Term {
    Value value;
    Labels labels;
};

class Einsum {
  public:
    Einsum(Builder& builder, const BuiltinCall& call) : builder_(builder), call_(call) {}

    Value run() {
        read();
        for (Term& term : terms_) {
            take_diagonals(term);
            spread(term);
        }
        for (std::size_t i = 0; i < terms_.size(); ++i) sum_out(i);
        while (terms_.size() > 1) contract_next();
        return ordered(terms_[0]);
    }

  private:
    void read() {
        const Equation equation = parse_equation(call_);
        const std::vector<Value> operands = promote_values(builder_, call_.tensors(1));
        if (operands.empty()) call_.fail(error("E310", "einsum needs at least one operand"));
        if (equation.inputs.size() != operands.size()) {
            call_.fail(0, error("E310", "\"" + call_.text(0) + "\" names " + std::to_string(equation.inputs.size()) + " operands, and einsum got " + std::to_string(operands.size())));
        }
        std::size_t widest = 0; // axes of the widest ellipsis
        for (std::size_t i = 0; i < operands.size(); ++i) {
            const TensorType type = builder_.type(operands[i]);
            if (type.dtype == DType::key) call_.fail(1, error("E302", "einsum needs numbers, not keys"));
            const Part part = parse_part(call_, equation.inputs[i]);
            const std::size_t named = part.before.size() + part.after.size();
            if (named > type.rank() || (!part.ellipsis && named < type.rank())) {
                call_.fail(0, error("E307", "\"" + equation.inputs[i] + "\" names " + std::to_string(named) + " axes, and operand " + std::to_string(i) + " is " + shape_words(type.shape)));
            }
            widest = std::max(widest, type.rank() - named);
            terms_.push_back({operands[i], labels_of(part, type.rank() - named)});
        }
        read_output(equation, widest);
        measure();
    }

    void read_output(const Equation& equation, std::size_t widest) {
        if (equation.has_output) {
            output_ = labels_of(parse_part(call_, equation.output), widest);
            for (const Label label : output_) {
                const bool known = std::ranges::any_of(terms_, [&](const Term& term) { return holds(term.labels, label); });
                if (!known) call_.fail(0, error("E310", std::string("no operand of einsum has the index `") + static_cast<char>(label) + "` of the output"));
                if (std::ranges::count(output_, label) > 1) call_.fail(0, error("E304", std::string("the output of einsum has the index `") + static_cast<char>(label) + "` twice"));
            }
            return;
        }
        std::map<Label, int> seen; // sorted: the axes of the ellipsis first, then letters that appear once
        for (const Term& term : terms_) {
            for (const Label label : term.labels) ++seen[label];
        }
        for (const auto& [label, count] : seen) {
            if (label < 0 || count == 1) output_.push_back(label);
        }
    }

    // The size of every label; sizes of letters must agree, those of an ellipsis broadcast (and letters of size 1 do, as in NumPy).
    void measure() {
        std::map<Label, std::size_t> from;
        for (std::size_t i = 0; i < terms_.size(); ++i) {
            const Dims& shape = builder_.type(terms_[i].value).shape;
            for (std::size_t axis = 0; axis < shape.size(); ++axis) {
                const auto [entry, is_new] = sizes_.emplace(terms_[i].labels[axis], shape[axis]);
                if (is_new || entry->second == Dim(1)) {
                    entry->second = shape[axis];
                    from[entry->first] = i;
                    continue;
                }
                if (shape[axis] == Dim(1) || !surely_different(shape[axis], entry->second)) continue;
                const std::string name = entry->first < 0 ? "an axis of the ellipsis" : std::string("index `") + static_cast<char>(entry->first) + "`";
                call_.fail(0, error("E301", "einsum: " + name + " is " + entry->second.text() + " in operand " + std::to_string(from[entry->first]) + " and " + shape[axis].text() +
                                                " in operand " + std::to_string(i)));
            }
        }
    }

    void take_diagonals(Term& term) {
        for (std::size_t i = 0; i < term.labels.size(); ++i) {
            const auto again = std::find(term.labels.begin() + static_cast<std::ptrdiff_t>(i) + 1, term.labels.end(), term.labels[i]);
            if (again == term.labels.end()) continue;
            const auto first = static_cast<std::int64_t>(i), second = static_cast<std::int64_t>(again - term.labels.begin());
            Dims shape = builder_.type(term.value).shape;
            shape[i] = shape[static_cast<std::size_t>(second)] = sizes_[term.labels[i]];
            const Value indices = iota_values(builder_, {sizes_[term.labels[i]]}, 0, DType::i64);
            term.value = gather(builder_, broadcast_to(builder_, term.value, shape), {indices, indices}, {first, second}, first);
            term.labels.erase(again);
            --i; // there may be a third
        }
    }

    void spread(Term& term) {
        Dims shape;
        for (const Label label : term.labels) shape.push_back(sizes_[label]);
        term.value = broadcast_to(builder_, term.value, shape);
    }

    bool needed_elsewhere(Label label, std::size_t i, std::size_t j) const {
        if (holds(output_, label)) return true;
        for (std::size_t k = 0; k < terms_.size(); ++k) {
            if (k != i && k != j && holds(terms_[k].labels, label)) return true;
        }
        return false;
    }

    // Sums over the labels that term i alone has.
    void sum_out(std::size_t i) {
        std::vector<std::int64_t> axes;
        Labels rest;
        for (std::size_t axis = 0; axis < terms_[i].labels.size(); ++axis) {
            if (needed_elsewhere(terms_[i].labels[axis], i, i)) rest.push_back(terms_[i].labels[axis]);
            else axes.push_back(static_cast<std::int64_t>(axis));
        }
        if (axes.empty()) return;
        const bool boolean = builder_.type(terms_[i].value).dtype == DType::boolean;
        terms_[i] = {reduce(builder_, boolean ? "any" : "sum", terms_[i].value, axes, false), rest};
    }

    double cost(std::size_t i, std::size_t j) {
        double product = 1;
        for (const Label label : terms_[i].labels) product *= static_cast<double>(sizes_[label].value());
        for (const Label label : terms_[j].labels) {
            if (!holds(terms_[i].labels, label)) product *= static_cast<double>(sizes_[label].value());
        }
        return product;
    }

    void contract_next() {
        std::size_t first = 0, second = 1;
        double least = cost(0, 1);
        for (std::size_t i = 0; i < terms_.size(); ++i) {
            for (std::size_t j = i + 1; j < terms_.size(); ++j) {
                if (const double here = cost(i, j); here < least) least = here, first = i, second = j;
            }
        }
        const Term a = terms_[first], b = terms_[second];
        ContractedAxes axes;
        Term result;
        Labels free;
        for (std::size_t axis = 0; axis < a.labels.size(); ++axis) {
            const auto found = std::ranges::find(b.labels, a.labels[axis]);
            if (found == b.labels.end()) {
                free.push_back(a.labels[axis]);
                continue;
            }
            const bool batch = needed_elsewhere(a.labels[axis], first, second);
            (batch ? axes.batch_a : axes.contracted_a).push_back(static_cast<std::int64_t>(axis));
            (batch ? axes.batch_b : axes.contracted_b).push_back(found - b.labels.begin());
            if (batch) result.labels.push_back(a.labels[axis]);
        }
        result.labels.insert(result.labels.end(), free.begin(), free.end());
        for (const Label label : b.labels) {
            if (!holds(a.labels, label)) result.labels.push_back(label);
        }
        result.value = contract(builder_, a.value, b.value, axes);
        terms_.erase(terms_.begin() + static_cast<std::ptrdiff_t>(second));
        terms_[first] = std::move(result);
    }

    Value ordered(const Term& term) {
        std::vector<std::int64_t> order;
        for (const Label label : output_) order.push_back(std::ranges::find(term.labels, label) - term.labels.begin());
        return permute(builder_, term.value, order);
    }

    Builder& builder_;
    const BuiltinCall& call_;
    std::vector<Term> terms_;
    Labels output_;
    std::map<Label, Dim> sizes_;
};

Lowered lower_einsum(Builder& builder, const BuiltinCall& call) { return Einsum(builder, call).run(); }

} // namespace

std::span<const Op> einsum_rows() {
    static constexpr std::array rows = {
        Op{.signature = "einsum(equation: string, *operands)", .doc = "Sums of products by Einstein's notation; the pairs are contracted in the order that is cheapest for one sample.",
           .example = "einsum(\"ij,j->i\", [[1, 2], [3, 4]], [1, 1]) => [3, 7]", .family = Family::contraction, .lower = lower_einsum},
    };
    return rows;
}

} // namespace vmaprun
