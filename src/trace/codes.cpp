#include "trace/codes.hpp"

namespace vmaprun {
namespace {

constexpr CodeExplanation explanations[] = {
    {"E201", "an unknown name",
     "No binding in reach and no builtin has this name. Bindings are in order: a `let` or `input` is known below its\n"
     "line only, while a `fn` may be used before it is defined.\n"
     "    let y = sofmax(x)          did you mean `softmax`?\n"
     "Names of builtins are those of the Python Array API where it has the function: `concat`, `permute_dims`, `pow`.\n"},
    {"E202", "a name that is defined twice",
     "Bindings don't change, so one level can't bind a name twice; an inner block may shadow it.\n"
     "    let x = 1\n"
     "    let x = x + 1              give the new value a name of its own\n"
     "The same holds for the fields of a record, for outputs, and for what two imports bring.\n"},
    {"E203", "a function that calls itself",
     "Calls are written out while the graph is built, so recursion would never end. Repeat with `loop`, `scan` or\n"
     "`fold`:\n"
     "    loop (a, b) = (0, 1) for i in 0 .. n { (b, a + b) }\n"},
    {"E204", "a wrong number of arguments",
     "A call gives more or fewer arguments than the function takes. A single tuple is spread over the parameters if\n"
     "and only if the function has two or more required ones.\n"
     "    fn sub(x, y) = x - y\n"
     "    sub((5, 3))                the same as sub(5, 3)\n"},
    {"E205", "an unknown keyword, or one that is given twice",
     "A keyword must be the name of a parameter, and each parameter gets one argument.\n"
     "    sum(x, axes=0)             the parameter is called `axis`\n"},
    {"E206", "a type that is not known",
     "A type is a dtype (f32, i64, bool, …), a kind (float, int, num, any), what a `type` item defines, or a tuple or\n"
     "record of these; sizes follow in brackets and are made of numbers, names, + - * and //.\n"
     "    fn f(x: f32[n, 2*n]) = x\n"},
    {"E207", "a value of the wrong sort",
     "For example a function where a tensor is needed, or a tensor where a function is. The message names both.\n"
     "A tuple is no tensor: `stack(t)` makes one of a tuple of equal shapes.\n"},
    {"E208", "no such field or member",
     "Records have the fields that they were made with. Tensors have .T .mT .shape .ndim .size .dtype and .at;\n"
     "x.at[index] has .set .add .mul .min and .max.\n"},
    {"E209", "a value that must be a constant",
     "Shapes, axes, sizes and shifts are fixed while the graph is built, before any data is read. Computed positions\n"
     "go through indexing, window(x, start, size=w) and dynamic_slice; a scalar int `input` is read early and may be\n"
     "used as a size.\n"},
    {"E210", "a pattern that does not fit its value",
     "(a, b) takes a tuple of two items apart. The slices of a tensor are a tuple after `unroll`:\n"
     "    let (first, second) = unroll(x)\n"},
    {"E211", "imports that go in a circle",
     "A file that imports itself, perhaps by way of others. Move what both need into a third file.\n"},
    {"E212", "an unnamed output beside another one",
     "Several outputs leave as one object by their names, so each needs one.\n"
     "    output total = sum(x)\n"
     "A bare expression as the last item of a script is an output without a name.\n"},
    {"E301", "sizes that disagree",
     "Two sizes that must be equal are not: the name of a dim that binds twice in one signature, the inner axes of a\n"
     "product, or axes that do not broadcast.\n"
     "    fn f(x: float[m, k], y: float[k, n]) = x @ y\n"
     "    f(ones((2, 3)), ones((4, 5)))       `k` is 3 in one argument and 4 in another\n"
     "Broadcasting matches sizes from the last axis; they must be equal, or one of them 1. The message shows where\n"
     "each size came from. Sizes are checked for one sample, before any data is computed.\n"},
    {"E302", "dtypes that do not fit",
     "A function never converts: a value fits its annotation or is an error, and only literals take the dtype that is\n"
     "asked for. Promotion widens within a kind, and bool < int < float < complex across kinds; u64 with a signed\n"
     "integer has no common dtype. Cast where it is meant, as in `x as f32`.\n"},
    {"E303", "an axis out of range",
     "The axes of a tensor of rank r are 0 … r-1, or -r … -1 counted from the end. Inside of vmap a sample has one\n"
     "axis less than the batch.\n"},
    {"E304", "an axis that is named twice", "Each axis stands once in a list of axes: sum(x, axis=(0, 1)), not (0, 0).\n"},
    {"E305", "a number that does not fit its dtype",
     "A literal takes the dtype of what it meets, but never loses its value by that:\n"
     "    (x as u8) + 1000           1000 does not fit u8; cast x to a wider dtype\n"},
    {"E306", "a constant index out of range",
     "Known before anything runs. An axis of size n has the positions 0 … n-1 and -n … -1. Slices are cut to the axis,\n"
     "and can't be out of range.\n"},
    {"E307", "a wrong number of axes",
     "The rank of a value is not what the operation, the annotation or the index asks for. x[none] and expand_dims add\n"
     "axes of size 1, squeeze and an integer index take axes away.\n"},
    {"E308", "an index of the wrong sort",
     "Positions are whole numbers. A mask chooses through where(mask, a, b), or compress(mask, x, size=n), whose size\n"
     "is fixed while the graph is built.\n"},
    {"E309", "a reshape to another number of elements",
     "reshape keeps every element: the products of the sizes agree. One size may be -1, and is worked out.\n"},
    {"E310", "an argument out of its range", "The value is of the right sort but not one that the operation knows; the message says which are.\n"},
    {"E311", "a reduction of nothing",
     "The maximum, minimum, argmax or median of no elements does not exist. sum and prod of nothing are 0 and 1.\n"},
    {"E401", "mapped sizes that differ",
     "All mapped axes of one vmap have one size. The message names both arguments and both axes. Pass an argument whole\n"
     "with `none`:\n"
     "    vmap(f, in_axes=(0, none))(xs, w)\n"},
    {"E402", "axes that do not fit the arguments",
     "in_axes is one int or none for all arguments, a tuple with an entry for each, or a record by parameter name. An\n"
     "entry may be a tree that begins like its argument. The axes of a tree for one parameter stand in a tuple:\n"
     "    vmap(f, in_axes=({w: 0, b: none},))(params)\n"
     "out_axes nest as the result does.\n"},
    {"E404", "nothing is mapped", "Every entry of in_axes is none, so the number of lanes is unknown. Map an argument, or give axis_size=n.\n"},
    {"E405", "an out axis of none on a varying result",
     "out_axes=none says that all lanes have one result, which is then given once. Here the lanes differ. Give the axis\n"
     "a place, as in out_axes=0, or reduce over it inside, by a collective such as psum.\n"},
    {"E406", "a result that is no tensor",
     "Functions, words and texts exist only while the graph is built; outputs, branches, carries and mapped results are\n"
     "tensors, or tuples and records of them.\n"},
    {"E407", "too much to write out", "unroll writes out one copy a lane. Beyond a million lanes use vmap, which means the same.\n"},
    {"E408", "a collective under a condition that varies",
     "psum and its like need every lane of the axis, but under a batched `if` or `loop` only some lanes arrive there.\n"
     "Compute the collective before the branch, and choose with where().\n"},
    {"E409", "an unknown name of an axis",
     "A collective names a mapped axis that is in reach:\n"
     "    vmap(x => x / psum(x, \"i\"), axis_name=\"i\")(xs)\n"},
    {"E513", "a missing input",
     "Nothing is bound to the input, and it has no default. Bind it with --set NAME=JSON, with -i NAME=FILE, by a data\n"
     "file on the command line, or as JSON on stdin: an object binds by name, any other value binds the only input.\n"},
    {"E514", "data that does not fit its declaration",
     "Rank, size, dtype or a dim that inputs share disagrees with the `input` item. Integers become floats where floats\n"
     "are declared, and floats integers where every value is whole; nothing else converts.\n"},
};

} // namespace

std::span<const CodeExplanation> trace_codes() { return explanations; }

} // namespace vmaprun
