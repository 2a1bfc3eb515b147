// Every row that can be a node says what its derivative is.
#include <doctest/doctest.h>

#include <string>

#include "ops/control.hpp"
#include "ops/lowering.hpp"

using namespace vmaprun;

TEST_CASE("every row with a type rule has a derivative entry") {
    for (const std::span<const Op> family : all_ops()) {
        for (const Op& op : family) {
            if (op.type == nullptr) continue;
            CAPTURE(std::string(op.name()));
            CHECK(op.derivative.kind != Derivative::Kind::missing);
            CHECK(op.derivative.kind != Derivative::Kind::structural);
        }
    }
}

TEST_CASE("an entry is complete for its kind") {
    for (const std::span<const Op> family : all_ops()) {
        for (const Op& op : family) {
            const Derivative& derivative = op.derivative;
            CAPTURE(std::string(op.name()));
            CHECK((derivative.jvp != nullptr) == (derivative.kind == Derivative::Kind::rules));
            const bool transposes = derivative.kind == Derivative::Kind::linear || derivative.kind == Derivative::Kind::multilinear || derivative.kind == Derivative::Kind::rules;
            CHECK((derivative.vjp != nullptr) == transposes);
            const bool has_partial = derivative.partials[0] != nullptr || derivative.partials[1] != nullptr || derivative.partials[2] != nullptr;
            CHECK(has_partial == (derivative.kind == Derivative::Kind::pointwise));
            CHECK(!(derivative.kind == Derivative::Kind::pointwise && op.tile == nullptr));
        }
    }
}
