// Several operations in one loop: what is between them stays in a register instead of going through a tile. Each still
// rounds by itself, so the bits are those of one loop an operation.
#pragma once

#include "ops/kernels/simd/loops.hpp"

namespace vmaprun {
namespace {

// An expression: a function of one or two expressions, or one of the loop's operands, which are numbered as they are met.
struct Operand {
    static constexpr int count = 1;
    template <int first, class T> static T at(const T* const* in, long i) { return in[first][i]; }
};
template <class Function, class... Children> struct Tree;
template <class Function, class Child> struct Tree<Function, Child> {
    static constexpr int count = Child::count;
    template <int first, class T> static auto at(const T* const* in, long i) { return Function::apply(Child::template at<first>(in, i)); }
};
template <class Function, class Left, class Right> struct Tree<Function, Left, Right> {
    static constexpr int count = Left::count + Right::count;
    template <int first, class T> static auto at(const T* const* in, long i) { return Function::apply(Left::template at<first>(in, i), Right::template at<first + Left::count>(in, i)); }
};
template <class Function> using Binary = Tree<Function, Operand, Operand>;

template <class Expression, class T> using Result = decltype(Expression::template at<0, T>(nullptr, 0));

template <class Expression, class T> void tree_loop(void* out, const void* const* in, long n) {
    auto* y = static_cast<Result<Expression, T>*>(out);
    const T* operands[Expression::count];
    for (int k = 0; k < Expression::count; ++k) operands[k] = static_cast<const T*>(in[k]);
#pragma GCC ivdep
    for (long i = 0; i < n; ++i) y[i] = Expression::template at<0>(operands, i);
}

// The loop of an expression alone, as the table has it; null: an operand.
template <class T, class Expression> struct KernelOf { static constexpr TileFunction loop = tree_loop<Expression, T>; };
template <class T> struct KernelOf<T, Operand> { static constexpr TileFunction loop = nullptr; };
template <class T, class Function> struct KernelOf<T, Tree<Function, Operand>> { static constexpr TileFunction loop = unary_loop<Function, Result<Tree<Function, Operand>, T>, T>; };
template <class T, class Function> struct KernelOf<T, Binary<Function>> { static constexpr TileFunction loop = binary_loop<Function, Result<Binary<Function>, T>, T>; };

template <class T, class Function, class Left, class Right> constexpr Composition composition_of(Tree<Function, Left, Right>) {
    using Inner = Result<Left, T>;
    return {KernelOf<Inner, Binary<Function>>::loop, KernelOf<T, Left>::loop, KernelOf<T, Right>::loop, tree_loop<Tree<Function, Left, Right>, T>, element_of<T>(), Left::count, Right::count};
}

template <class T, class Function, class Child> constexpr Composition composition_of(Tree<Function, Child>) {
    using Inner = Result<Child, T>;
    return {KernelOf<Inner, Tree<Function, Operand>>::loop, KernelOf<T, Child>::loop, nullptr, tree_loop<Tree<Function, Child>, T>, element_of<T>(), Child::count, 0};
}

// Lists of expressions, made of lists of functions and of expressions.
template <class... Lists> struct Joined;
template <class... First> struct Joined<TypeList<First...>> { using type = TypeList<First...>; };
template <class... First, class... Second, class... Rest> struct Joined<TypeList<First...>, TypeList<Second...>, Rest...> { using type = typename Joined<TypeList<First..., Second...>, Rest...>::type; };
template <class... Lists> using Join = typename Joined<Lists...>::type;

template <class Function, class Left, class... Rights> TypeList<Tree<Function, Left, Rights>...> with_left(TypeList<Rights...>);
template <class Function, class... Lefts, class Rights> auto with_function(TypeList<Lefts...>, Rights rights) -> Join<decltype(with_left<Function, Lefts>(rights))...>;
template <class... Functions, class Lefts, class Rights> auto with_functions(TypeList<Functions...>, Lefts lefts, Rights rights) -> Join<decltype(with_function<Functions>(lefts, rights))...>;
template <class Function, class... Children> TypeList<Tree<Function, Children>...> function_of(TypeList<Children...>);
template <class... Functions, class Children> auto functions_of(TypeList<Functions...>, Children children) -> Join<decltype(function_of<Functions>(children))...>;
// Each of the functions of each of the children.
template <class Functions, class Children> using UnaryTrees = decltype(functions_of(Functions{}, Children{}));
// Each of the functions of each of the lefts and each of the rights.
template <class Functions, class Lefts, class Rights> using Trees = decltype(with_functions(Functions{}, Lefts{}, Rights{}));

template <class T, class Expressions> struct CompositionsOf;
template <class T, class... Expressions> struct CompositionsOf<T, TypeList<Expressions...>> { static constexpr Composition list[] = {composition_of<T>(Expressions{})...}; };

template <class T, class Expressions> void add_compositions(PointwiseTable& table) {
    table.compositions[table.composition_lists++] = {CompositionsOf<T, Expressions>::list, sizeof CompositionsOf<T, Expressions>::list / sizeof(Composition)};
}

} // namespace
} // namespace vmaprun
